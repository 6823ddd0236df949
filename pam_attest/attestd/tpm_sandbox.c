#include <string.h>
#include <sys/resource.h>
#include "confine.h"
#include "landlock.h"
#include "scope.h"
#include "syscalls.h"
#include "tpm_sandbox.h"

/* The TCTI is a library that is loaded by name. */
#define CALLS "openat newfstatat access readlink pread64 uname getuid geteuid getgid getegid prlimit64 getcwd"

/* What a TSS with one context needs, and much to spare. */
static bool
limits(struct error *e)
{
	static const struct { __rlimit_resource_t what; rlim_t most; } list[] = {
		{ RLIMIT_NPROC, 0 }, { RLIMIT_NOFILE, 32 }, { RLIMIT_AS, 512 << 20 },
	};

	for (unsigned i = 0; i < COUNT(list); i++)
		if (setrlimit(list[i].what, &(struct rlimit){ list[i].most, list[i].most }) < 0)
			return err_errno(e, "sandbox: limit");
	return true;
}

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

	return SANITIZED || (limits(e) && landlock_enter(PATH_EVERYTHING, rules, COUNT(rules), e) &&
	    syscalls_enter(device ? &of_device : &of_others, e));
}
