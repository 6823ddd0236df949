/*
 * sandbox.h - from here on attestd, and the TPM child after it, change files only where they have to
 * (run_dir, state_dir, devices), start no program but the TPM child, and make the system calls of
 * syscalls.h. Reading is left to the rights of attestd's user: an enrollment names any file as CA.
 */
#ifndef SANDBOX_H
#define SANDBOX_H
#include "options.h"

/*
 * For the calling thread and those it starts, which must have PR_SET_NO_NEW_PRIVS. child: the only
 * program that may be started. *lacks: "" or what the kernel does not have.
 */
bool sandbox_enter(const struct options *, const char *child, const char **lacks, struct error *) MUST_CHECK;
#endif
