/*
 * passwd and group as one text, parted by a NUL; users write some of it (chfn). Whoever is found stands there by name,
 * and the breaking points of the reader's buffer change nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "accounts.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
write_file(int *fd, char path[static 32], const char *name, const void *p, size_t n)
{
	*fd = memfd_create(name, MFD_CLOEXEC);
	snprintf(path, 32, "/proc/self/fd/%d", *fd);
	if (*fd < 0 || fchmod(*fd, 0600) < 0 || (n && write(*fd, p, n) != (ssize_t)n))
		abort();
}

/* Is there a line that begins so? */
static bool
has_line(const uint8_t *p, size_t n, const char *begins)
{
	size_t len = strlen(begins);

	for (size_t i = 0; i + len <= n; i++)
		if ((!i || p[i - 1] == '\n') && !memcmp(p + i, begins, len))
			return true;
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *nul = n ? memchr(p, '\0', n) : NULL;
	size_t users = nul ? (size_t)(nul - p) : n, groups = nul ? n - users - 1 : 0;
	own(fd) int passwd_fd = -1, group_fd = -1;
	char passwd[32], group[32];
	struct account who;

	write_file(&passwd_fd, passwd, "passwd", p, users);
	write_file(&group_fd, group, "group", nul ? nul + 1 : p, groups);
	if (account_find(passwd, "kim", &who) && !has_line(p, users, "kim:"))
		abort();
	if (account_in_group(passwd, group, "kim", "sudo") && (!nul || !has_line(nul + 1, groups, "sudo:")))
		abort();
	if (account_find(passwd, "", &who) || account_in_group(passwd, group, "", "sudo") ||
	    account_in_group(passwd, group, "kim", ""))
		abort();
	/* A line that says so in its plainest form is never overlooked. */
	if (account_group_fits(group, "attested", 4242) &&
	    (has_line(nul ? nul + 1 : p, groups, "attested:x:4243:") || has_line(nul ? nul + 1 : p, groups, "docker:x:4242:")))
		abort();
	return 0;
}
