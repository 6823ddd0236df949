#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include "sandbox.h"
#include "scope.h"

/* Landlock's first version: what makes, changes or removes. Reading and connecting are left as they are. */
#define REPLACE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define HANDLED (REPLACE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static bool
allow(int rules, const char *folder, uint64_t access, struct error *e)
{
	own(fd) int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct landlock_path_beneath_attr beneath = { .allowed_access = access, .parent_fd = fd };

	if (fd < 0 || syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0))
		return err_errno(e, "sandbox: %s", folder);
	return true;
}

bool
sandbox_enter(const struct options *o, bool *on, struct error *e)
{
	static const struct landlock_ruleset_attr attr = { .handled_access_fs = HANDLED };
	own(fd) int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (rules < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
		*on = false;
		return true;
	}
	if (rules < 0)
		return err_errno(e, "sandbox");
	if (!allow(rules, o->run_dir, REPLACE, e) || !allow(rules, o->state_dir, REPLACE, e) ||
	    !allow(rules, "/dev", LANDLOCK_ACCESS_FS_WRITE_FILE, e))
		return false;
	if (syscall(SYS_landlock_restrict_self, rules, 0))
		return err_errno(e, "sandbox");
	*on = true;
	return true;
}
