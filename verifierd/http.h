/*
 * http.h - the listener: TLS 1.3 and HTTP, requests out, replies in. libevent and libssl end here and in conn.h.
 */
#ifndef HTTP_H
#define HTTP_H
#include "conn.h"
#include "routes.h"

struct event_base;
struct http;
struct evhttp_request;

struct http_request {
	struct evhttp_request *token;     /* to answer with, exactly once */
	struct route           route;
	struct body            body;      /* valid until the answer */
	int                    peer_fd;   /* of a unix connection, its own while it is not gone; -1 on TCP */
};
/* Called for each request that has a route; owns the answer from then on. */
typedef void http_fn(void *arg, const struct http_request *);

/* listen_fd is listening. cert and key are PEM files; NULL: no TLS (a unix socket for administrators). */
bool http_open(struct event_base *, int listen_fd, const char *cert, const char *key, const struct conn_limits *,
    http_fn *, void *arg, struct http **, struct error *) MUST_CHECK;
/* Ends connections that are past their deadline; a few times a second. */
void http_sweep(struct http *, int64_t now);
/* Reads certificate and key again; the old ones stay in use when that fails. */
bool http_reload(struct http *, struct error *) MUST_CHECK;
/* No new connections; those that are open end with their next answer. */
void http_drain(struct http *);
void http_close(struct http *);

/* Is the connection closed, and peer_fd with it? Such a request must be answered all the same. */
bool http_gone(struct evhttp_request *);

/* JSON text, a problem from 400 on. Safe when the client has gone in the meantime. */
void http_answer(struct evhttp_request *, int status, const char *json, size_t len);
void http_problem(struct evhttp_request *, const struct problem *);
#endif
