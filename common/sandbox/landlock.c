#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "kernel.h"
#include "landlock.h"
#include "scope.h"

/* The headers of Debian 12 end at version 2. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)          /* since 3 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)         /* since 5 */
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)                 /* since 6 */
#endif
/* An older kernel takes the longer struct as long as the part that it does not know is 0. */
struct ruleset { uint64_t files, net, scoped; };

#define OF_FILES (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | \
	LANDLOCK_ACCESS_FS_TRUNCATE)

static const uint64_t accesses[] = {
	[0] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	[1] = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
	      LANDLOCK_ACCESS_FS_TRUNCATE,
	[2] = LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR,
	[3] = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE,
	[4] = LANDLOCK_ACCESS_FS_EXECUTE,
	[5] = LANDLOCK_ACCESS_FS_READ_DIR,
};
/* Nobody's. */
#define NOBODYS (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
	LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_IOCTL_DEV)

static uint64_t
access_of(unsigned rights)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < COUNT(accesses); i++)
		if (rights & 1u << i)
			all |= accesses[i];
	return all;
}

static uint64_t
known_to(int version)
{
	uint64_t all = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1;      /* the highest of version 1 */

	if (version >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 5)
		all |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return all;
}

static bool
add(int rules, const struct path_rule *r, uint64_t handled, struct error *e)
{
	own(fd) int fd = open(r->path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr beneath = { .allowed_access = access_of(r->rights) & handled, .parent_fd = fd };
	struct stat st;

	if (fd < 0 && errno == ENOENT && r->rights & PATH_MAY_LACK)
		return true;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "sandbox: %.200s", r->path);
	if (!S_ISDIR(st.st_mode))
		beneath.allowed_access &= OF_FILES;
	return !beneath.allowed_access || !syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) ||
	    err_errno(e, "sandbox: %.200s", r->path);
}

bool
landlock_enter(unsigned taken, const struct path_rule *rule, unsigned count, struct error *e)
{
	int version = kernel_landlock();
	uint64_t known = known_to(version);
	struct ruleset set = {
		.files = known & (access_of(taken) | (taken & PATH_CHANGE ? NOBODYS : 0)),
		.scoped = version >= 6 ? LANDLOCK_SCOPE_SIGNAL : 0,
	};
	own(fd) int rules = -1;

	if (!version)
		return true;
	rules = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof(set), 0);
	if (rules < 0)
		return err_errno(e, "sandbox");
	for (unsigned i = 0; i < count; i++)
		if (!add(rules, &rule[i], set.files, e))
			return false;
	return !syscall(SYS_landlock_restrict_self, rules, 0) || err_errno(e, "sandbox");
}
