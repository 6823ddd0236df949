/*
 * sandbox.h - what each role keeps once it has opened what it needs: system calls, files, limits.
 */
#ifndef SANDBOX_H
#define SANDBOX_H
#include "options.h"
#include "roles.h"

/* setup is no role on a channel; its row is where main's would be, which has none. */
#define ROLE_SETUP ROLE_MAIN

/*
 * Gives up everything else for good. options: NULL for roles that have none (parse, judge). What the
 * kernel lacks is left out; main has said so, once for all roles.
 */
bool sandbox_enter(enum role, const struct role_start *, const struct options *, struct error *) MUST_CHECK;
#endif
