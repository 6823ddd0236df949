/* sshd_config(5), as doctor reads it. */
#include <stdint.h>
#include "sshd_conf.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
include(void *arg, const char *pattern)
{
	(void)arg;
	if (strlen(pattern) >= LINE_TEXT)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sshd_conf c;

	sshd_conf_open(&c);
	sshd_conf_take(&c, "f", (const char *)p, n, include, NULL);
	if (c.use_pam && !c.use_pam_at[0])
		abort();
	return 0;
}
