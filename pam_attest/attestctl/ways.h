/* ways.h - by which ways one user comes back into this host while no verdict can be had: the gate's own decision, made so. */
#ifndef WAYS_H
#define WAYS_H
#include "attestctl.h"
#include "rescue.h"

enum { WAY_TEXT = 200 };

struct way {
	bool holds;
	char text[WAY_TEXT];        /* how it comes that it does, or what is missing */
};

/*
 * Each route for that user: the gate's decision with attestd, record and state as if they were gone and enforce everywhere,
 * and whether the account could pass the rest: it is there, is not locked, has a shell and a password or a key.
 */
void ways_try(const struct ctl *, const char *user, struct way way[static ROUTE_COUNT]);

/*
 * Was a way back in proved within RESCUE_DAYS, and does it hold still? People leave groups, and passwords are locked. If not,
 * why says what is the matter.
 */
bool ways_proved(const struct ctl *, const char *state_dir, char why[static WAY_TEXT]) MUST_CHECK;

/* A console that the kernel writes to and the gate does not take for one: "ttyS0"; "" if there is none. */
void ways_console(const struct ctl *, char *out, size_t size);
#endif
