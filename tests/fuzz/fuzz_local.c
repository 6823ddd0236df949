/* A message of the local protocol, either way. What is taken says the same when it is built anew. */
#include "local.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
copy_field(void *arg, const char *key, const char *value, struct error *e)
{
	(void)e;
	if (!key[0] || strlen(value) >= LOCAL_VALUE_MAX)
		abort();
	local_put(arg, key, value);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct local_out once, twice;
	struct error e;
	size_t used;

	if (!local_whole((const char *)p, n, &used, &e))
		return 0;
	if (used > n || used > LOCAL_MAX)
		abort();
	local_open(&once);
	/* Encoded anew it may grow past what a message holds. */
	if (!local_walk((const char *)p, used, copy_field, &once, &e) || !local_end(&once, &e))
		return 0;
	local_open(&twice);
	if (!local_walk(once.buf, once.used, copy_field, &twice, &e) || !local_end(&twice, &e) ||
	    once.used != twice.used || memcmp(once.buf, twice.buf, once.used) != 0)
		abort();
	return 0;
}
