/*
 * sandbox.h - from here on attestd, and the TPM child after it, change files only where they have to
 * (run_dir, state_dir, devices), start no program but the TPM child, and make the system calls of
 * syscalls.h. Reading is left to the rights of attestd's user: an enrollment names any file as CA.
 */
#ifndef SANDBOX_H
#define SANDBOX_H
#include "options.h"

/*
 * For the calling thread and those it starts, which must have PR_SET_NO_NEW_PRIVS. child: the
 * program that may be started; so may others in its folder, which is ours, and in the loader's. What
 * the kernel lacks (kernel.h) is left out.
 */
bool sandbox_enter(const struct options *, const char *child, struct error *) MUST_CHECK;
#endif
