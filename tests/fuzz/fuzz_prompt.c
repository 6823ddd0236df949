/* A prompt as a server could send it, and a list of audiences: the first byte says which. */
#include "prompt.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct prompt q = { .host = "gw.example", .audience = "vpn.example", .user = "kim" };
	own(mem) char *text = malloc(n + 1);
	struct prompt out;

	if (!n || !text)
		return 0;
	memcpy(text, p + 1, n - 1);
	text[n - 1] = '\0';
	if (p[0] == 'l')
		(void)prompt_allowed((const char *)p + 1, n - 1, &q);
	else if (prompt_read(text, &out) && (!out.host[0] || !out.audience[0] || !out.user[0]))
		abort();
	return 0;
}
