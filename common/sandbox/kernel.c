#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "kernel.h"

int
kernel_landlock(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version < 0 ? 0 : (int)version;
}

bool
kernel_seccomp(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return !syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

bool
kernel_lacks(char *text, size_t size)
{
	bool files = !kernel_landlock(), calls = !kernel_seccomp();

	if (files || calls)
		snprintf(text, size, "this kernel has no %s%s%s", files ? "Landlock" : "", files && calls ? " and no " : "",
		    calls ? "seccomp filters" : "");
	return files || calls;
}
