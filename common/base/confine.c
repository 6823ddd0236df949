#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "confine.h"

bool
confine_process(struct error *e)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    prctl(PR_SET_DUMPABLE, SANITIZED, 0, 0, 0) < 0)
		return err_errno(e, "cannot give up privileges");
	return true;
}

bool
confine_has(int capability)
{
	struct __user_cap_header_struct who = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct ours[_LINUX_CAPABILITY_U32S_3];

	return !syscall(SYS_capget, &who, ours) && ours[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

bool
confine_capabilities(int keep, struct error *e)
{
	struct __user_cap_header_struct who = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3] = { 0 }, ours[_LINUX_CAPABILITY_U32S_3];

	if (geteuid() == 0)
		return true;
	if (syscall(SYS_capget, &who, ours) < 0)
		return err_errno(e, "capabilities");
	if (!(ours[0].permitted | ours[1].permitted | ours[0].inheritable | ours[1].inheritable))
		return true;
	if (keep >= 0)
		kept[CAP_TO_INDEX(keep)].effective = kept[CAP_TO_INDEX(keep)].permitted =
		    ours[CAP_TO_INDEX(keep)].permitted & CAP_TO_MASK(keep);
	return !syscall(SYS_capset, &who, kept) || err_errno(e, "cannot give up capabilities");
}
