/* An INI file, and each of its values as every kind of value. */
#include <stdint.h>
#include "conf.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
take(void *arg, const char *section, const char *key, const char *value, unsigned line, struct error *e)
{
	unsigned *last = arg, n;
	char text[64];
	bool flag;

	if (line <= *last || strlen(section) >= CONF_LINE_MAX || (!key != !value))
		abort();
	*last = line;
	if (!key)
		return true;
	if (!key[0] || strlen(key) + strlen(value) >= CONF_LINE_MAX)
		abort();
	if (conf_seconds(value, 1, 86400, &n, e) && (n < 1 || n > 86400))
		abort();
	if (conf_number(value, 3, 4000000000u, &n, e) && (n < 3 || n > 4000000000u))
		abort();
	if (conf_path(value, text, sizeof(text), e) && (text[0] != '/' || strcmp(text, value) != 0))
		abort();
	return conf_yes_no(value, &flag, e) || strcmp(key, "stop") != 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned last = 0;
	struct error e;

	if (!conf_walk("fuzz", (const char *)p, n, take, &last, &e) && !e.why[0])
		abort();
	return 0;
}
