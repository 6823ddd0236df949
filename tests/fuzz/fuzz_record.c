/* A verdict record as somebody else could have written it. What is taken is written and read as the same. */
#include "record.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct clock now = { .boot = 1000000, .mono = 1000000, .wall = 1763900000000 };
	char text[RECORD_MAX], again[RECORD_MAX];
	struct record r, s;
	struct error e;
	size_t len, len2;

	if (!record_parse((const char *)p, n, &r, &e))
		return 0;
	if (!record_format(&r, text, sizeof(text), &len, &e) || !record_parse(text, len, &s, &e) ||
	    !record_format(&s, again, sizeof(again), &len2, &e) || len != len2 || memcmp(text, again, len) != 0)
		abort();
	if (record_usable(&r, "", &now) == REASON_OK)
		abort();
	return 0;
}
