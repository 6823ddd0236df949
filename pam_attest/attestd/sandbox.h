/*
 * sandbox.h - from here on attestd, and the TPM child after it, write only where they have to:
 * run_dir, state_dir, and devices. Landlock, where the kernel has it; never loosened again.
 */
#ifndef SANDBOX_H
#define SANDBOX_H
#include "options.h"

/* For the calling thread and those it starts, which must have PR_SET_NO_NEW_PRIVS. *on: false on a kernel without Landlock. */
bool sandbox_enter(const struct options *, bool *on, struct error *) MUST_CHECK;
#endif
