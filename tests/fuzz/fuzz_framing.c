/* An HTTP connection's bytes: in one piece, byte by byte and in threes they must be understood alike. A PROXY header too. */
#include <stdlib.h>
#include <string.h>
#include "framing.h"
#include "proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { BODY_MAX = 4096 };

static struct framing
feed(const uint8_t *p, size_t n, size_t step, unsigned *requests)
{
	struct framing f = framing_new(BODY_MAX);

	*requests = 0;
	while (n && !f.status) {
		size_t piece = n < step ? n : step, used = framing_read(&f, p, piece);

		if (used > piece || (!used && !f.status) || f.body_left > BODY_MAX * 10 + 9 || f.head > FRAMING_HEAD_MAX + 1)
			abort();
		p += used;
		n -= used;
		*requests += !f.status && f.stage == FRAMING_IDLE;
	}
	return f;
}

static void
proxy(const uint8_t *p, size_t len)
{
	struct error e = { .code = ERR_NONE };
	struct address client;
	size_t n = 0, more = 0;
	bool known;

	while (proxy_header(p, n, &more, &known, &client, &e) && more) {
		if (n + more > PROXY_HEADER_MAX)
			abort();
		if (more > len - n)
			return;
		n += more;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const size_t steps[] = { 1, 3, SIZE_MAX };
	unsigned first, requests;
	struct framing a = feed(p, n, steps[0], &first);

	for (int i = 1; i < 3; i++) {
		struct framing b = feed(p, n, steps[i], &requests);

		if (a.status != b.status || a.detail != b.detail || first != requests || (!a.status && a.stage != b.stage))
			abort();
	}
	proxy(p, n);
	return 0;
}
