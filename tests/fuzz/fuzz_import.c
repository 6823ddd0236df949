/* What is taken from a file of any project writes as this project's JSON and reads as the same set again. */
#include "scope.h"
#include "set_import.h"

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
	own(mem) char *text = strndup((const char *)data, len);
	own(imported) struct imported i = { .count = 0 };
	struct error e;

	must(text != NULL);
	if (!import_read(text, strlen(text), &i, &e))
		return 0;
	must(i.count > 0 && i.count <= IMPORT_SETS_MAX);
	for (unsigned k = 0; k < i.count; k++) {
		own(set) struct reference_set back = { 0 };
		own(mem) char *one = NULL;
		char origin[SET_ORIGIN_TEXT];
		size_t n;

		must(set_json_write(&i.set[k], "o", &one, &n, &e));
		must(set_json_read(one, n, origin, &back, &e) && back.count == i.set[k].count);
	}
	return 0;
}
