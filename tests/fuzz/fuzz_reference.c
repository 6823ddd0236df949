/* A set that is read from JSON writes JSON that reads as the same set, and as the same bytes again. */
#include "reference_json.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	own(set) struct reference_set set = { 0 }, back = { 0 };
	own(mem) char *one = NULL, *two = NULL;
	char origin[SET_ORIGIN_TEXT], again[SET_ORIGIN_TEXT];
	size_t n, m;
	struct error e;

	if (!set_json_read((const char *)data, len, origin, &set, &e))
		return 0;
	must(set_json_write(&set, origin, &one, &n, &e));
	must(set_json_read(one, n, again, &back, &e) && !strcmp(origin, again));
	must(set_json_write(&back, again, &two, &m, &e) && n == m && !memcmp(one, two, n));
	return 0;
}
