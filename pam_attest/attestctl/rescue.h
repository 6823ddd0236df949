/*
 * rescue.h - the ways back in that were proved on this host: state_dir/rescue. gate.conf(5), WAYS BACK IN.
 *
 * `attestctl rescue test` writes it, enforce and doctor read it. A file of root's with the lines of attest-local(7): the
 * version, then for each proof proof="TIME ROUTE HOW USER".
 */
#ifndef RESCUE_H
#define RESCUE_H
#include <stddef.h>
#include <stdint.h>
#include "error.h"

enum {
	RESCUE_MAX      = 16,       /* proofs in the file; a new one takes the place of the oldest */
	RESCUE_USER_MAX = 64,
	RESCUE_DAYS     = 90,       /* a proof counts so long: people and keys go */
};

/* X(NAME, word, what it is for people) */
#define RESCUE_ROUTES(X) \
	X(CONSOLE,     "console",     "root or an administrator on a local console") \
	X(BREAK_GLASS, "break-glass", "a member of the break-glass group through sshd") \
	X(EXEMPT_USER, "exempt-user", "a user of exempt_user through sshd")

enum rescue_route {
#define X(name, word, text) ROUTE_##name,
	RESCUE_ROUTES(X)
#undef X
	ROUTE_COUNT
};
const char *rescue_route_word(enum rescue_route);   /* "none" outside the table */
const char *rescue_route_text(enum rescue_route);

/* How it was proved: by the gate's decision with every daemon dead, or by somebody who came in that way. */
#define RESCUE_HOWS(X) X(DECISION, "decision") X(USED, "used")
enum rescue_how {
#define X(name, word) HOW_##name,
	RESCUE_HOWS(X)
#undef X
	HOW_COUNT
};
const char *rescue_how_word(enum rescue_how);

struct rescue_proof {
	int64_t           wall;        /* ms since 1970 */
	enum rescue_route route;
	enum rescue_how   how;
	char              user[RESCUE_USER_MAX];
};
struct rescue { unsigned n; struct rescue_proof proof[RESCUE_MAX]; };

/* A user's name that the file can hold: no white space, nothing but printable ASCII. */
bool rescue_user_ok(const char *user);

/* ERR_MISSING: nothing was ever proved. ERR_UNTRUSTED: not root's alone (or ours). ERR_FORMAT, ERR_LIMIT, ERR_SYSTEM. */
bool rescue_read(const char *state_dir, struct rescue *, struct error *) MUST_CHECK;
bool rescue_parse(const char *text, size_t len, struct rescue *, struct error *) MUST_CHECK;

/* The newest proof of the last RESCUE_DAYS; NULL: there is none. Times to come are no proof. */
const struct rescue_proof *rescue_newest(const struct rescue *, int64_t now_wall);

/* Adds a proof, in place of an older one of that user and route. */
void rescue_add(struct rescue *, const struct rescue_proof *);
bool rescue_write(const char *state_dir, const struct rescue *, struct error *) MUST_CHECK;
#endif
