/*
 * syscalls.h - the system calls that a process keeps; seccomp(2), by libseccomp.
 *
 * A call that nobody here has business with (execve, ptrace, mount ...) ends the process. Every
 * other call that is not allowed fails: with EPERM, but with ENOSYS if it is one for which there is
 * an older one, or one that did not exist when this was built. A new libc that tries the new call
 * first goes back to the old one on ENOSYS, and on nothing else.
 */
#ifndef SYSCALLS_H
#define SYSCALLS_H
#include "error.h"

enum {
	CALLS_MEMORY_CODE = 1,              /* map memory that is code: libraries loaded later */
	CALLS_THREADS     = 2,
	CALLS_PROCESSES   = 4,              /* start them, wait for them, end them */
	CALLS_UNIX        = 8,              /* sockets of these kinds */
	CALLS_INET        = 16,
	CALLS_LOG         = 32,             /* a unix datagram socket: syslog(3) when its daemon has been restarted */
	CALLS_OPEN_READ   = 64,             /* open files, to read them */
};

struct syscalls {
	const char *names;                  /* beside what every process has: "openat fsync"; unknown names are passed over */
	unsigned    more;
};

/*
 * Needs PR_SET_NO_NEW_PRIVS. NULL: all calls but those that end the process. On a kernel without
 * filters (kernel.h) nothing changes.
 */
bool syscalls_enter(const struct syscalls *, struct error *) MUST_CHECK;
#endif
