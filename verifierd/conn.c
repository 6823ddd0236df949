#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/bufferevent_struct.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>
#include "api.h"
#include "clock.h"
#include "conn.h"
#include "framing.h"
#include "proxy_header.h"
#include "scope.h"

enum { SITES = 1024, BODY_BYTES_A_SECOND = 64 << 10, ACCEPTS_A_TURN = 32 };

/* Of these the site's connections are found: each is in the queue that its address hashes to. */
TAILQ_HEAD(conn_queue, conn);

enum stage { HELLO, IDLE, HEAD, BODY, ANSWER, ENDING };

struct conn {
	TAILQ_ENTRY(conn)   any, neighbour;
	struct conns       *all;
	struct bufferevent *bev;
	int                 fd;
	enum stage          stage;
	int64_t             deadline, total;
	struct address      site;
	bool                counted;          /* in its site's queue */
	size_t              reserved;         /* of the budget for bodies */
	struct framing      framing;
	struct balanced    *balanced;         /* while its PROXY header comes in */
};

struct balanced {
	struct event *readable;
	size_t        len;
	uint8_t       header[PROXY_HEADER_MAX];
};

struct conns {
	struct conn_limits limits;
	struct evconnlistener *listener;
	unsigned           accepted;          /* since on_begin() */
	struct event      *begin;             /* evhttp has taken those in `fresh` */
	struct conn_queue  fresh, open, site[SITES];
	unsigned           count;
	size_t             reserved;
	uint32_t           seed;
};

/* --- limits --- */

static struct conn_queue *
queue_of(struct conns *all, const struct address *site)
{
	uint32_t h = all->seed;

	for (unsigned i = 0; i < sizeof(site->ip); i++)
		h = (h ^ site->ip[i]) * 16777619u;
	return &all->site[(h ^ h >> 16) % SITES];
}

static void
count_site(struct conns *all, const struct address *site, unsigned *count, size_t *reserved)
{
	*count = 0;
	*reserved = 0;
	for (const struct conn *c = TAILQ_FIRST(queue_of(all, site)); c; c = TAILQ_NEXT(c, neighbour))
		if (address_same(&c->site, site)) {
			++*count;
			*reserved += c->reserved;
		}
}

static void
release(struct conn *c)
{
	c->all->reserved -= c->reserved;
	c->reserved = 0;
}

static bool
reserve(struct conn *c, size_t body)
{
	struct conns *all = c->all;
	unsigned count;
	size_t reserved;

	count_site(all, &c->site, &count, &reserved);
	if (body > all->limits.bodies - all->reserved || reserved + body > all->limits.bodies / 4)
		return false;
	c->reserved = body;
	all->reserved += body;
	return true;
}

/* --- the end of one --- */

/* evhttp owns it and sees the end as any other hang-up; it comes back with closed(). */
static void
hang_up(struct conn *c)
{
	shutdown(c->fd, SHUT_RDWR);
	c->stage = ENDING;
	c->deadline = clock_mono() + CONN_LINGER_MS;
	if (c->balanced) {
		event_free(c->balanced->readable);
		free(c->balanced);
		c->balanced = NULL;
		bufferevent_setfd(c->bev, c->fd);
	}
}

/*
 * The answer goes out past evhttp, which has seen nothing of the request; what still comes in is
 * thrown away, for a reset would take the answer with it.
 */
static void
say_last(struct conn *c, int status, const char *detail)
{
	struct problem p = { .status = status, .reason = status == 503 ? REASON_VERIFIER_ERROR : REASON_REQUEST_INVALID };
	SSL *ssl = bufferevent_openssl_get_ssl(c->bev);
	struct error e = { .code = ERR_NONE };
	own(mem) char *body = NULL;
	char text[1024];
	size_t len;
	int n;

	snprintf(p.detail, sizeof(p.detail), "%s", detail);
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) || !problem_json(&p, &body, &len, &e))
		return;
	n = snprintf(text, sizeof(text), "HTTP/1.1 %d Refused\r\nContent-Type: application/problem+json\r\n%s"
	    "Connection: close\r\nContent-Length: %zu\r\n\r\n%s", status, status == 503 ? "Retry-After: 2\r\n" : "", len, body);
	if (n < 0 || (size_t)n >= sizeof(text))
		return;
	if (!ssl)
		(void)!send(c->fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	else if (SSL_write(ssl, text, n) == n)
		SSL_shutdown(ssl);
}

static void
refuse(struct conn *c, int status, const char *detail)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	c->stage = ENDING;
	c->deadline = clock_mono() + CONN_LINGER_MS;
	release(c);
	say_last(c, status, detail);
	shutdown(c->fd, SHUT_WR);
	evbuffer_drain(in, evbuffer_get_length(in));
}

/* --- what comes in --- */

static void
enter(struct conn *c, enum stage stage, int64_t ms)
{
	if (c->stage == stage && stage != ANSWER)
		return;
	c->stage = stage;
	c->deadline = clock_mono() + ms;
}

static void
take_bytes(struct conn *c, const uint8_t *p, size_t n)
{
	struct framing *f = &c->framing;

	while (n && c->stage != ENDING) {
		size_t used = framing_read(f, p, n);

		p += used;
		n -= used;
		if (f->status) {
			refuse(c, f->status, f->detail);
		} else if (f->stage == FRAMING_HEAD) {
			enter(c, HEAD, CONN_HEAD_MS);
		} else if (f->stage == FRAMING_IDLE) {
			release(c);
			enter(c, ANSWER, CONN_ANSWER_MS);
		} else if (c->stage != BODY && !reserve(c, (size_t)f->body_left)) {
			refuse(c, 503, "too many bodies on their way");
		} else {
			enter(c, BODY, CONN_BODY_MS + (int64_t)(f->body_left / BODY_BYTES_A_SECOND) * 1000);
		}
	}
}

/* Runs before evhttp knows that there is something to read. */
static void
on_input(struct evbuffer *in, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *c = arg;
	size_t at = evbuffer_get_length(in) - info->n_added;

	if (!info->n_added)
		return;
	while (c->stage != ENDING && at < evbuffer_get_length(in)) {
		struct evbuffer_iovec piece;
		struct evbuffer_ptr from;

		if (evbuffer_ptr_set(in, &from, at, EVBUFFER_PTR_SET) < 0 || evbuffer_peek(in, -1, &from, &piece, 1) < 1)
			break;
		at += piece.iov_len;
		take_bytes(c, piece.iov_base, piece.iov_len);
	}
	if (c->stage == ENDING)
		evbuffer_drain(in, evbuffer_get_length(in));
}

static void
closed(struct evhttp_connection *http, void *arg)
{
	struct conn *c = arg;
	SSL *ssl = bufferevent_openssl_get_ssl(c->bev);

	(void)http;
	if (ssl && SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN)
		SSL_set_quiet_shutdown(ssl, 1);      /* who said goodbye does not wait for an answer */
	evbuffer_remove_cb(bufferevent_get_input(c->bev), on_input, c);
	release(c);
	if (c->balanced)
		event_free(c->balanced->readable);
	free(c->balanced);
	if (c->counted)
		TAILQ_REMOVE(queue_of(c->all, &c->site), c, neighbour);
	TAILQ_REMOVE(&c->all->open, c, any);
	c->all->count--;
	free(c);
}

/* --- the beginning of one --- */

static void
admit(struct conn *c, const struct address *site, bool unlimited)
{
	struct conns *all = c->all;
	unsigned count;
	size_t reserved;

	count_site(all, site, &count, &reserved);
	c->site = *site;
	c->counted = true;
	TAILQ_INSERT_TAIL(queue_of(all, site), c, neighbour);
	if (!unlimited && (count >= all->limits.per_site || all->count > all->limits.connections))
		hang_up(c);
}

static void
on_proxy_header(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct balanced *b = c->balanced;
	struct address client, site = c->site;
	struct error e = { .code = ERR_NONE };
	bool known = false;
	size_t more = 0;

	(void)what;
	while (proxy_header(b->header, b->len, &more, &known, &client, &e) && more) {
		ssize_t n = recv(fd, b->header + b->len, more, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			break;
		b->len += (size_t)n;
	}
	if (e.code != ERR_NONE || more) {
		hang_up(c);
		return;
	}
	if (known)
		site = address_site(&client);
	event_free(b->readable);
	free(b);
	c->balanced = NULL;
	bufferevent_setfd(c->bev, fd);       /* TLS begins */
	admit(c, &site, !known);
}

/* TLS must not read the balancer's words: it has no descriptor until they are read. */
static bool
expect_proxy_header(struct conn *c)
{
	struct event_base *base = bufferevent_get_base(c->bev);

	c->balanced = calloc(1, sizeof(*c->balanced));
	if (!c->balanced)
		return false;
	c->balanced->readable = event_new(base, c->fd, EV_READ | EV_PERSIST, on_proxy_header, c);
	if (!c->balanced->readable || event_add(c->balanced->readable, NULL) < 0) {
		if (c->balanced->readable)
			event_free(c->balanced->readable);
		free(c->balanced);
		c->balanced = NULL;
		return false;
	}
	bufferevent_setfd(c->bev, -1);
	return true;
}

/* The user at the other end of a unix socket, in the place of an address. */
static struct address
user_of(int fd)
{
	struct address a = { { 0 } };
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);

	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	memcpy(a.ip, &peer.uid, sizeof(peer.uid));
	return a;
}

static void
begin(struct conn *c)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(peer);
	struct address from;
	uid_t uid;

	(void)getpeername(c->fd, (struct sockaddr *)&peer, &len);
	if (peer.ss_family == AF_UNIX) {
		from = user_of(c->fd);
		memcpy(&uid, from.ip, sizeof(uid));
		admit(c, &from, uid == 0);
		return;
	}
	from = address_of((struct sockaddr *)&peer);
	c->site = address_site(&from);
	if (!address_among(&c->all->limits.balancers, &from))
		admit(c, &c->site, false);
	else if (!expect_proxy_header(c))
		hang_up(c);
}

/* Never came as far as evhttp, or is no longer there. */
static void
forget(struct conn *c)
{
	evbuffer_remove_cb(bufferevent_get_input(c->bev), on_input, c);
	bufferevent_decref(c->bev);
	free(c);
}

/* evhttp has its connection by now, and is the argument of its own callbacks: so it is found, to hear of its end. */
static void
on_begin(evutil_socket_t fd, short what, void *arg)
{
	struct conns *all = arg;
	struct conn *c;

	(void)fd; (void)what;
	while ((c = TAILQ_FIRST(&all->fresh))) {
		void *http = NULL;

		TAILQ_REMOVE(&all->fresh, c, any);
		bufferevent_getcb(c->bev, NULL, NULL, NULL, &http);
		c->fd = bufferevent_getfd(c->bev);
		if (!http || c->fd < 0) {
			forget(c);
			continue;
		}
		evhttp_connection_set_closecb(http, closed, c);
		TAILQ_INSERT_TAIL(&all->open, c, any);
		all->count++;
		bufferevent_decref(c->bev);
		begin(c);
	}
	if (all->accepted >= ACCEPTS_A_TURN && all->listener)
		evconnlistener_enable(all->listener);
	all->accepted = 0;
}

void
conns_from(struct conns *all, struct evconnlistener *listener)
{
	all->listener = listener;
}

bool
conns_watch(struct conns *all, struct bufferevent *bev)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c || !evbuffer_add_cb(bufferevent_get_input(bev), on_input, c)) {
		free(c);
		return false;
	}
	c->all = all;
	c->bev = bev;
	c->framing = framing_new(all->limits.body_max);
	c->deadline = clock_mono() + CONN_HELLO_MS;
	c->total = clock_mono() + CONN_TOTAL_MS;
	bufferevent_incref(bev);             /* until on_begin() */
	TAILQ_INSERT_TAIL(&all->fresh, c, any);
	if (++all->accepted == ACCEPTS_A_TURN && all->listener)
		evconnlistener_disable(all->listener);
	event_active(all->begin, 0, 0);
	return true;
}

/*
 * Head and body are two pieces, which would be two TLS records and two packets. And the socket has
 * room as a rule: to wait until the kernel says so costs a turn of the loop.
 */
void
conn_write_now(struct bufferevent *b)
{
	(void)evbuffer_pullup(bufferevent_get_output(b), -1);
	event_active(&b->ev_write, EV_WRITE, 0);
}

void
conns_sweep(struct conns *all, int64_t now)
{
	for (struct conn *c = TAILQ_FIRST(&all->open); c; c = TAILQ_NEXT(c, any)) {
		SSL *ssl = bufferevent_openssl_get_ssl(c->bev);

		if (now >= c->total)
			hang_up(c);
		else if (now < c->deadline)
			continue;
		else if (c->stage == HELLO && !c->balanced && (!ssl || SSL_is_init_finished(ssl)))
			enter(c, IDLE, CONN_IDLE_MS - CONN_HELLO_MS);
		else
			hang_up(c);
	}
}

bool
conns_open(struct event_base *base, const struct conn_limits *limits, struct conns **out, struct error *e)
{
	struct conns *all = calloc(1, sizeof(*all));

	if (!all || !(all->begin = event_new(base, -1, 0, on_begin, all))) {
		free(all);
		return err_set(e, ERR_MEMORY, "connections");
	}
	all->limits = *limits;
	if (getrandom(&all->seed, sizeof(all->seed), 0) != sizeof(all->seed))
		all->seed = (uint32_t)clock_mono();
	TAILQ_INIT(&all->fresh);
	TAILQ_INIT(&all->open);
	for (unsigned i = 0; i < SITES; i++)
		TAILQ_INIT(&all->site[i]);
	*out = all;
	return true;
}

void
conns_close(struct conns *all)
{
	struct conn *c;

	if (!all)
		return;
	while ((c = TAILQ_FIRST(&all->fresh))) {
		TAILQ_REMOVE(&all->fresh, c, any);
		forget(c);
	}
	event_free(all->begin);
	free(all);
}
