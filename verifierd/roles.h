/*
 * roles.h - how verifierd starts its roles, and what each finds when its main() runs.
 *
 * Every role is an executable of its own, verifierd-ROLE. main gives it exactly these descriptors
 * beside 0, 1 and 2, and these arguments; -n: no sandbox:
 *
 *	verifierd-setup -c FILE [-fn]         FD_READY
 *	verifierd-core  -c FILE [-fn]         FD_READY, FD_CHANNEL (to main: each other channel comes by MSG_CHANNEL)
 *	verifierd-net   -c FILE [-fn] hosts   FD_READY, FD_CHANNEL (to core), FD_LISTEN (a TCP socket, listening)
 *	verifierd-net   -c FILE [-fn] admin   the same; FD_LISTEN is a unix socket
 *	verifierd-parse [-fn]                 FD_READY, FD_CHANNEL (to core)
 *	verifierd-judge [-fn]                 the same
 *
 * A role calls role_begin() first and role_ready() when it can serve. The end of its channel means
 * that it shall go: exit 0. SIGTERM: take no new work, answer what is under way, exit 0. SIGINT is
 * main's and ignored. SIGHUP (core, net): read the configuration again.
 */
#ifndef ROLES_H
#define ROLES_H
#include "ipc.h"
#include "options.h"

enum { FD_READY = 3, FD_CHANNEL, FD_LISTEN, FD_ROLE_END };

struct role_start {
	bool        foreground, no_sandbox;
	const char *conf;                   /* NULL: the default file, which may be absent */
	const char *word;                   /* the argument behind the options, or NULL */
};

/*
 * Reads the arguments, closes every descriptor from FD_ROLE_END on (or from
 * FD_LISTEN on for roles without one), opens the log, ignores SIGPIPE and SIGINT, and gives up what no role
 * needs: new privileges, core dumps, being traced. Exits with a line on stderr when it cannot.
 */
void role_begin(int argc, char **argv, const char *program, bool listens, struct role_start *);

/* Tells main that this role serves; once. */
void role_ready(void);
#endif
