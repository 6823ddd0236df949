/* What a host tells afterwards, as JSON. What is taken says the same when it is written and read again. */
#include "incidents.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
read_text(const char *text, size_t len, struct incidents *out)
{
	own(json) struct json *j = NULL;
	struct error e;

	return json_parse(text, len, &j, &e) && incidents_read(j, out, &e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct incidents once, twice;
	own(mem) char *text = NULL;
	own(json) struct json *j = NULL;
	struct error e;
	size_t len;

	if (!read_text((const char *)p, n, &once))
		return 0;
	j = incidents_json(&once);
	if (!json_print(j, false, &text, &len, &e) || !read_text(text, len, &twice) || memcmp(&once, &twice, sizeof(once)) != 0)
		abort();
	return 0;
}
