/*
 * conn.h - what evhttp leaves open: who may have how many connections, how long each part of a
 * request may take, and that nothing reaches evhttp which framing.h has not read first.
 */
#ifndef CONN_H
#define CONN_H
#include <stddef.h>
#include "address.h"

struct event_base;
struct evconnlistener;
struct bufferevent;
struct conns;

/* Milliseconds that each part may take; then the connection ends. */
enum {
	CONN_HELLO_MS = 5 * 1000,         /* from accept to the end of the TLS handshake, PROXY header included */
	CONN_IDLE_MS = 10 * 1000,         /* before the first byte of a request */
	CONN_HEAD_MS = 5 * 1000,
	CONN_BODY_MS = 10 * 1000,         /* and one second for each 64 KiB */
	CONN_ANSWER_MS = 20 * 1000,       /* a job's deadline, and time to read the answer or to ask again */
	CONN_TOTAL_MS = 180 * 1000,
	CONN_LINGER_MS = 2 * 1000,        /* to read why it was refused */
};

struct conn_limits {
	unsigned         connections;     /* of this process */
	unsigned         per_site;        /* of one site (address_site) or, on a unix socket, one user; not of root */
	size_t           bodies;          /* bytes of bodies that are on their way in; a site may have a quarter */
	uint64_t         body_max;
	struct addresses balancers;       /* from these a PROXY header comes first, and names the client */
};

/* The limits are copied. */
bool conns_open(struct event_base *, const struct conn_limits *, struct conns **, struct error *) MUST_CHECK;
/* A bufferevent on its way from evhttp's bevcb to evhttp, which is about to give it a descriptor. False: no memory. */
bool conns_watch(struct conns *, struct bufferevent *) MUST_CHECK;
/* What is to go out goes now, in one piece. */
void conn_write_now(struct bufferevent *);
/* Where they come from, NULL: nobody comes any more. A few are let in at a time, or a flood would be in before it is counted. */
void conns_from(struct conns *, struct evconnlistener *);
/* Ends what has passed its deadline; a few times a second. */
void conns_sweep(struct conns *, int64_t now);
/* After evhttp_free(). */
void conns_close(struct conns *);
#endif
