/*
 * syscalls.h - the system calls that a process keeps; seccomp(2), by libseccomp.
 *
 * A call that nobody here has business with (execve, ptrace, mount ...) ends the process. Every
 * other call that is not allowed fails with EPERM and does not: a new libc that tries a new call
 * first must find its way back to the old one, not take the service down.
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
};

struct syscalls {
	const char *names;                  /* beside what every process has: "openat fsync"; unknown names are passed over */
	unsigned    more;
};

/* *on: false on a kernel without it. Needs PR_SET_NO_NEW_PRIVS. NULL: all calls but those that end the process. */
bool syscalls_enter(const struct syscalls *, bool *on, struct error *) MUST_CHECK;
#endif
