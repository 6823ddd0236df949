/*
 * routes.h - which message a method and a path mean, and what is in the body. Pure.
 *
 * attest-protocol(7) for hosts; ADMIN_OPS in ipc.h for administrators. A listener of one class
 * knows nothing of the other's paths.
 */
#ifndef ROUTES_H
#define ROUTES_H
#include "ipc.h"

enum { ROUTE_PARAMS = 2, BEARER_TEXT = 128 };

/* ROUTE_HEALTH is answered by net itself. */
enum route_found { ROUTE_OK, ROUTE_HEALTH, ROUTE_NO_PATH, ROUTE_NO_METHOD };

struct route {
	enum message  message;
	enum admin_op op;                             /* of MSG_ADMIN */
	char          param[ROUTE_PARAMS][NAME_TEXT]; /* what stands in {…}, decoded */
};

/* method is "GET" or "POST"; path has no query. */
enum route_found route_find(bool admin, const char *method, const char *path, struct route *);

struct body {
	const char *type;                 /* Content-Type, or NULL */
	const char *bearer;               /* Authorization: Bearer …, or NULL */
	const void *p;                    /* terminated by a NUL that len does not count */
	size_t      len;
};

/*
 * The payload for core, into w. On failure the problem says which status and reason, and which
 * member. Evidence has no payload here: its body passes as it came.
 */
bool route_payload(const struct route *, const struct body *, struct writer *, struct problem *);
#endif
