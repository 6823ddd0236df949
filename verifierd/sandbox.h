/*
 * sandbox.h - what each role keeps once it has opened what it needs: system calls, files, limits.
 */
#ifndef SANDBOX_H
#define SANDBOX_H
#include "options.h"
#include "roles.h"

/*
 * Gives up everything else for good. conf: as for options_read(); options: NULL for roles that have
 * none (parse, judge). A kernel without Landlock or seccomp gets a line in the log, and no more.
 * setup has what core has.
 */
bool sandbox_enter(enum role, const struct role_start *, const struct options *, struct error *) MUST_CHECK;
#endif
