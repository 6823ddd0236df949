#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include "framing.h"
#include "http.h"
#include "scope.h"

struct http {
	struct evhttp     *server;
	struct evhttp_bound_socket *bound;
	struct conns      *conns;
	SSL_CTX           *tls;
	const char        *cert, *key;
	http_fn           *fn;
	void              *arg;
	bool               draining;
};

static inline void drop_tls(SSL_CTX **c) { SSL_CTX_free(*c); }

static bool
tls_error(struct error *e, const char *what, const char *file)
{
	char text[120] = "";

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	return err_set(e, ERR_CONFIG, "%s %s: %s", what, file, text);
}

/* TLS 1.3 alone: its suites and groups are all fit, so there is nothing to choose. */
static bool
tls_open(const char *cert, const char *key, SSL_CTX **out, struct error *e)
{
	own(tls) SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	if (!c || SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) != 1)
		return err_set(e, ERR_CRYPTO, "TLS could not start");
	if (SSL_CTX_use_certificate_chain_file(c, cert) != 1)
		return tls_error(e, "certificate", cert);
	if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(c) != 1)
		return tls_error(e, "key", key);
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
	/* A host comes back on one connection at a time: the second ticket would be for nobody. */
	SSL_CTX_set_num_tickets(c, 1);
	*out = give(c);
	return true;
}

/* evhttp makes one of its own, without TLS, when it gets NULL: on_request() knows those. */
static struct bufferevent *
new_connection(struct event_base *base, void *arg)
{
	struct http *h = arg;
	SSL *ssl = h->tls ? SSL_new(h->tls) : NULL;
	struct bufferevent *bev = NULL;

	if (!h->tls)
		bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	else if (ssl)
		bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		SSL_free(ssl);
	else if (!conns_watch(h->conns, bev)) {
		bufferevent_free(bev);
		bev = NULL;
	}
	return bev;
}

bool
http_gone(struct evhttp_request *r)
{
	return !evhttp_request_get_connection(r);
}

static struct bufferevent *
stream_of(struct evhttp_request *r)
{
	return evhttp_connection_get_bufferevent(evhttp_request_get_connection(r));
}

void
http_answer(struct evhttp_request *r, int status, const char *json, size_t len)
{
	struct evkeyvalq *head = evhttp_request_get_output_headers(r);
	struct evbuffer *body = evbuffer_new();
	struct bufferevent *stream = http_gone(r) ? NULL : stream_of(r);

	evhttp_add_header(head, "Content-Type", status >= 400 ? "application/problem+json" : "application/json");
	evhttp_add_header(head, "Cache-Control", "no-store");
	if (status == 503)
		evhttp_add_header(head, "Retry-After", "2");
	if (status == 401)
		evhttp_add_header(head, "WWW-Authenticate", "Bearer");
	if (body)
		evbuffer_add(body, json, len);
	/* Without a connection (the client hung up) this frees the request and sends nothing. */
	evhttp_send_reply(r, status, NULL, body);
	if (stream)
		conn_write_now(stream);
	if (body)
		evbuffer_free(body);
}

void
http_problem(struct evhttp_request *r, const struct problem *p)
{
	struct error e = { .code = ERR_NONE };
	own(mem) char *text = NULL;
	size_t len;

	if (problem_json(p, &text, &len, &e))
		http_answer(r, p->status, text, len);
	else
		http_answer(r, 500, "{}", 2);
}

static void
simple_problem(struct evhttp_request *r, int status, const char *detail)
{
	struct problem p = { .status = status, .reason = REASON_REQUEST_INVALID };

	snprintf(p.detail, sizeof(p.detail), "%s", detail);
	http_problem(r, &p);
}

static const char *
bearer_of(struct evhttp_request *r)
{
	const char *h = evhttp_find_header(evhttp_request_get_input_headers(r), "Authorization");

	return h && !strncasecmp(h, "Bearer ", 7) && strlen(h + 7) < BEARER_TEXT ? h + 7 : NULL;
}

/* Body in one piece with a NUL behind it, which is not part of it. */
static bool
body_of(struct evhttp_request *r, struct body *b)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(r);

	b->len = evbuffer_get_length(in);
	if (evbuffer_add(in, "", 1) < 0)
		return false;
	b->p = evbuffer_pullup(in, -1);
	b->type = evhttp_find_header(evhttp_request_get_input_headers(r), "Content-Type");
	b->bearer = bearer_of(r);
	return b->p != NULL;
}

static const char *
method_of(struct evhttp_request *r)
{
	return evhttp_request_get_command(r) == EVHTTP_REQ_POST ? "POST" : "GET";
}

static void
on_request(struct evhttp_request *r, void *arg)
{
	struct http *h = arg;
	struct http_request q = { .token = r, .peer_fd = h->tls ? -1 : bufferevent_getfd(stream_of(r)) };
	const char *uri = evhttp_request_get_uri(r);
	bool watched = !h->tls || bufferevent_openssl_get_ssl(stream_of(r));

	if (h->draining || !watched)
		evhttp_add_header(evhttp_request_get_output_headers(r), "Connection", "close");
	if (!watched) {
		simple_problem(r, 503, "out of memory");
		return;
	}
	if (strlen(uri) > 1024 || strchr(uri, '?')) {
		simple_problem(r, 404, "no such path");
		return;
	}
	switch (route_find(!h->tls, method_of(r), uri, &q.route)) {
	case ROUTE_HEALTH:
		http_answer(r, 200, "{\"status\":\"ok\"}", 15);
		return;
	case ROUTE_NO_PATH:
		simple_problem(r, 404, "no such path");
		return;
	case ROUTE_NO_METHOD:
		/* No path has both. */
		evhttp_add_header(evhttp_request_get_output_headers(r), "Allow", strcmp(method_of(r), "GET") ? "GET" : "POST");
		simple_problem(r, 405, "not with this method");
		return;
	case ROUTE_OK:
		break;
	}
	if (body_of(r, &q.body))
		h->fn(h->arg, &q);
	else
		simple_problem(r, 503, "out of memory");
}

/* framing.h has kept these already. */
static void
set_limits(struct evhttp *server, const struct conn_limits *limits)
{
	evhttp_set_max_headers_size(server, FRAMING_HEAD_MAX);
	evhttp_set_max_body_size(server, (ssize_t)limits->body_max);
	evhttp_set_allowed_methods(server, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_default_content_type(server, NULL);
}

bool
http_open(struct event_base *base, int listen_fd, const char *cert, const char *key, const struct conn_limits *limits,
    http_fn *fn, void *arg, struct http **out, struct error *e)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return err_set(e, ERR_MEMORY, "HTTP");
	*h = (struct http){ .cert = cert, .key = key, .fn = fn, .arg = arg, .server = evhttp_new(base) };
	if (!h->server || (cert && !tls_open(cert, key, &h->tls, e)) || !conns_open(base, limits, &h->conns, e)) {
		http_close(h);
		return e->code != ERR_NONE ? false : err_set(e, ERR_MEMORY, "HTTP");
	}
	set_limits(h->server, limits);
	evhttp_set_gencb(h->server, on_request, h);
	evhttp_set_bevcb(h->server, new_connection, h);
	if (h->tls) {
		/* Accepted sockets inherit it. Without it a flow of two requests waits 40 ms for a delayed ACK. */
		setsockopt(listen_fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	}
	evutil_make_socket_nonblocking(listen_fd);
	h->bound = evhttp_accept_socket_with_handle(h->server, listen_fd);
	if (!h->bound) {
		http_close(h);
		return err_set(e, ERR_SYSTEM, "cannot accept on the listening socket");
	}
	conns_from(h->conns, evhttp_bound_socket_get_listener(h->bound));
	*out = h;
	return true;
}

bool
http_reload(struct http *h, struct error *e)
{
	SSL_CTX *fresh;

	if (!h->tls)
		return true;
	if (!tls_open(h->cert, h->key, &fresh, e))
		return false;
	SSL_CTX_free(h->tls);           /* connections keep their own reference */
	h->tls = fresh;
	return true;
}

void
http_sweep(struct http *h, int64_t now)
{
	conns_sweep(h->conns, now);
}

void
http_drain(struct http *h)
{
	h->draining = true;
	conns_from(h->conns, NULL);
	if (h->bound)
		evhttp_del_accept_socket(h->server, h->bound);
	h->bound = NULL;
}

void
http_close(struct http *h)
{
	if (!h)
		return;
	if (h->server)
		evhttp_free(h->server);
	conns_close(h->conns);
	SSL_CTX_free(h->tls);
	free(h);
}
