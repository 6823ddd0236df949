/* sudoers(5), as doctor reads it. */
#include <stdint.h>
#include "sudoers.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
include(void *arg, const char *path, bool folder)
{
	(void)arg;
	(void)folder;
	if (strlen(path) >= LINE_TEXT)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct sudoers s;

	s = (struct sudoers){ 0 };
	sudoers_take(&s, "f", (const char *)p, n, include, NULL);
	if (s.n > SUDOERS_HITS)
		abort();
	for (unsigned i = 0; i < s.n; i++)
		if (!s.hit[i].line || !memchr(s.hit[i].scope, '\0', sizeof(s.hit[i].scope)) ||
		    !memchr(s.hit[i].value, '\0', sizeof(s.hit[i].value)) || s.hit[i].what > SUDOERS_LOGIN_SERVICE)
			abort();
	return 0;
}
