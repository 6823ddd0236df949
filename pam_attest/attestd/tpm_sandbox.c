#include <string.h>
#include "confine.h"
#include "landlock.h"
#include "scope.h"
#include "syscalls.h"
#include "tpm_sandbox.h"

/* The TCTI is a library that is loaded by name. */
#define CALLS "openat newfstatat access readlink pread64 uname getuid geteuid getgid getegid prlimit64 getcwd"

bool
tpm_sandbox_enter(const char *tcti, struct error *e)
{
	static const struct syscalls of_device = { CALLS, CALLS_MEMORY_CODE };
	static const struct syscalls of_others = { CALLS " select pselect6", CALLS_MEMORY_CODE | CALLS_UNIX | CALLS_INET };
	static const struct path_rule rules[] = {
		{ "/dev", PATH_READ | PATH_WRITE },
		{ "/usr/lib", PATH_READ }, { "/lib", PATH_READ | PATH_MAY_LACK }, { "/lib64", PATH_READ | PATH_MAY_LACK },
		{ "/usr/local/lib", PATH_READ | PATH_MAY_LACK }, { "/etc/ld.so.cache", PATH_READ | PATH_MAY_LACK },
		{ "/etc/hosts", PATH_READ | PATH_MAY_LACK },
	};
	bool device = !strncmp(tcti, "device", 6);

	return SANITIZED || (landlock_enter(PATH_EVERYTHING, rules, COUNT(rules), e) &&
	    syscalls_enter(device ? &of_device : &of_others, e));
}
