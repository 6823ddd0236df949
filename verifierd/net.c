/*
 * verifierd-net: terminates TLS and HTTP, turns requests into messages for core, and core's replies
 * into answers. Believes nothing, keeps nothing but the list of jobs under way.
 */
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include "clock.h"
#include "evidence.h"
#include "http.h"
#include "log.h"
#include "roles.h"
#include "sandbox.h"
#include "scope.h"

enum {
	JOBS_MAX = 4096, JOB_MS = 10 * 1000, SWEEP_MS = 250, DRAIN_MS = 12 * 1000,
	PAYLOAD_MAX = 128 << 10,          /* of everything but evidence */
	BODIES_MAX = 64 << 20,            /* of all jobs under way together: a body stays until its answer; and again of those coming in */
	OTHER_FILES = 64,
};

/*
 * A job's id is its slot and how often the slot has been used: a late reply finds another id there.
 * The socket to core holds three bodies of 75 KB; what does not fit waits here for its turn.
 */
struct job {
	struct http_request request;         /* token NULL: the slot is free */
	uint64_t            id;
	int64_t             deadline;
	bool                waits;
	TAILQ_ENTRY(job)    turn;
};

struct net {
	bool               admin;
	struct event_base *base;
	struct http       *http;
	struct event      *writable;         /* added while jobs wait */
	struct job         jobs[JOBS_MAX];
	uint64_t           uses[JOBS_MAX];
	unsigned           next, under_way;
	size_t             bodies;
	TAILQ_HEAD(job_queue, job) waiting;
	int64_t            drain_until;      /* 0: serving */
	uint8_t            payload[PAYLOAD_MAX];
};

static struct job *
job_new(struct net *n, const struct http_request *request)
{
	if (request->body.len > BODIES_MAX - n->bodies)
		return NULL;
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		unsigned slot = (n->next + i) % JOBS_MAX;
		struct job *j = &n->jobs[slot];

		if (j->request.token)
			continue;
		n->next = slot + 1;
		n->under_way++;
		n->bodies += request->body.len;
		*j = (struct job){ .request = *request, .id = ++n->uses[slot] * JOBS_MAX + slot,
			.deadline = clock_mono() + JOB_MS };
		return j;
	}
	return NULL;
}

static void
job_wait(struct net *n, struct job *j, bool first)
{
	if (first)
		TAILQ_INSERT_HEAD(&n->waiting, j, turn);
	else
		TAILQ_INSERT_TAIL(&n->waiting, j, turn);
	j->waits = true;
	event_add(n->writable, NULL);
}

static void
job_turn(struct net *n, struct job *j)
{
	if (j->waits)
		TAILQ_REMOVE(&n->waiting, j, turn);
	j->waits = false;
}

/* The job is over; its request is the caller's to answer. */
static struct evhttp_request *
job_take(struct net *n, struct job *j)
{
	struct evhttp_request *r = j->request.token;

	job_turn(n, j);
	j->request.token = NULL;
	n->under_way--;
	n->bodies -= j->request.body.len;
	return r;
}

static void
busy(struct evhttp_request *r, const char *why)
{
	struct problem p = { .status = 503, .reason = REASON_VERIFIER_ERROR };

	snprintf(p.detail, sizeof(p.detail), "%s", why);
	http_problem(r, &p);
}

/* To core; false when it must wait for its turn. Every other end of the job is told to the client here. */
static bool
job_send(struct net *n, struct job *j)
{
	const struct http_request *q = &j->request;
	bool evidence = q->route.message == MSG_EVIDENCE || q->route.message == MSG_PASSPORT ||
	    q->route.message == MSG_EVENTS;
	/* An administrator may send a whole file. */
	size_t size = n->admin && q->body.len > PAYLOAD_MAX / 2 ? q->body.len + PAYLOAD_MAX : 0;
	own(mem) uint8_t *large = size ? malloc(size) : NULL;
	uint8_t *payload = size ? large : n->payload;
	struct writer w = wr_open(payload, size ? large ? size : 0 : sizeof(n->payload));
	struct error e = { .code = ERR_NONE };
	struct problem p;

	if (!route_payload(&q->route, &q->body, &w, &p)) {
		http_problem(job_take(n, j), &p);
		return true;
	}
	if (ipc_send(FD_CHANNEL, n->admin ? ROLE_ADMIN : ROLE_HOSTS, q->route.message, j->id,
	    evidence ? q->body.p : (char *)payload, evidence ? q->body.len : w.used, q->peer_fd, &e))
		return true;
	if (e.code == ERR_LIMIT)
		return false;
	busy(job_take(n, j), "the verifier is starting");
	return true;
}

static void
on_request(void *arg, const struct http_request *q)
{
	struct net *n = arg;
	struct job *j = job_new(n, q);

	if (!j)
		busy(q->token, "too many requests under way");
	else if (!TAILQ_EMPTY(&n->waiting) || !job_send(n, j))
		job_wait(n, j, false);
}

/* Core has read: those that wait, oldest first. The descriptor of a connection that is gone may be another's by now. */
static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	struct job *j;

	(void)fd; (void)what;
	while ((j = TAILQ_FIRST(&n->waiting))) {
		job_turn(n, j);
		if (http_gone(j->request.token)) {
			busy(job_take(n, j), "the client is gone");
		} else if (!job_send(n, j)) {
			job_wait(n, j, true);
			break;
		}
	}
}

static void
reply(struct net *n, struct frame *f)
{
	struct job *j = &n->jobs[f->job % JOBS_MAX];
	uint16_t status = rd_be16(&f->payload, "status");
	size_t len = f->payload.left;
	const uint8_t *body = rd_bytes(&f->payload, len, "body");

	if (!j->request.token || j->id != f->job || !body || status < 200 || status > 599)
		return;                 /* answered 503 long ago */
	http_answer(job_take(n, j), status, (const char *)body, len);
}

static void
on_channel(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	struct error e = { .code = ERR_NONE };
	bool got = true;

	(void)what;
	while (got) {
		own(frame) struct frame f = { .peer_fd = -1 };

		if (!ipc_receive(fd, n->admin ? ROLE_ADMIN : ROLE_HOSTS, &f, &got, &e)) {
			if (e.code != ERR_MISSING)
				log_say(LOG_ERR, "channel: %s", e.why);
			event_base_loopbreak(n->base);
			return;
		}
		if (got)
			reply(n, &f);
	}
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	int64_t now = clock_mono();

	(void)fd; (void)what;
	http_sweep(n->http, now);
	for (unsigned i = 0; i < JOBS_MAX && n->under_way; i++)
		if (n->jobs[i].request.token && n->jobs[i].deadline <= now)
			busy(job_take(n, &n->jobs[i]), "no answer in time");
	if (n->drain_until && (!n->under_way || now >= n->drain_until))
		event_base_loopexit(n->base, &(struct timeval){ .tv_usec = 100000 });   /* answers on their way */
}

static void
on_term(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	(void)fd; (void)what;
	http_drain(n->http);
	n->drain_until = clock_mono() + DRAIN_MS;
}

static void
on_hup(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	struct error e = { .code = ERR_NONE };

	(void)fd; (void)what;
	if (http_reload(n->http, &e))
		log_say(LOG_NOTICE, "certificate read again");
	else
		log_say(LOG_ERR, "the old certificate stays in use: %s", e.why);
}

static bool
watch(struct net *n, evutil_socket_t fd, short what, event_callback_fn fn, const struct timeval *every)
{
	struct event *ev = event_new(n->base, fd, (short)(what | EV_PERSIST), fn, n);

	return ev && !event_add(ev, every);      /* for the life of the process */
}

static bool
limits_of(const struct options *o, struct conn_limits *out, struct error *e)
{
	struct rlimit files;

	*out = (struct conn_limits){ .connections = o->connections, .per_site = o->per_address, .bodies = BODIES_MAX,
		.body_max = EVIDENCE_MAX, .balancers = o->balancers };
	if (getrlimit(RLIMIT_NOFILE, &files))
		return err_errno(e, "RLIMIT_NOFILE");
	if (files.rlim_cur < out->connections + OTHER_FILES)
		out->connections = files.rlim_cur > OTHER_FILES ? (unsigned)files.rlim_cur - OTHER_FILES : 1;
	return true;
}

/* A connection changes its mind fourteen times about what it waits for: the kernel hears of it once a turn. */
static struct event_base *
loop_new(void)
{
	struct event_config *how = event_config_new();
	struct event_base *base = NULL;

	if (how && !event_config_set_flag(how, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST))
		base = event_base_new_with_config(how);
	if (how)
		event_config_free(how);
	return base;
}

static bool
start(struct net *n, const struct options *o, struct error *e)
{
	struct conn_limits limits;

	if (!limits_of(o, &limits, e))
		return false;
	TAILQ_INIT(&n->waiting);
	n->base = loop_new();
	n->writable = n->base ? event_new(n->base, FD_CHANNEL, EV_WRITE, on_writable, n) : NULL;
	if (!n->writable || !watch(n, FD_CHANNEL, EV_READ, on_channel, NULL) ||
	    !watch(n, SIGTERM, EV_SIGNAL, on_term, NULL) || !watch(n, SIGHUP, EV_SIGNAL, on_hup, NULL) ||
	    !watch(n, -1, 0, on_sweep, &(struct timeval){ .tv_usec = SWEEP_MS * 1000 }))
		return err_set(e, ERR_MEMORY, "event loop");
	return http_open(n->base, FD_LISTEN, n->admin ? NULL : o->cert_file, n->admin ? NULL : o->key_file, &limits,
	    on_request, n, &n->http, e);
}

int
main(int argc, char **argv)
{
	static struct net n;
	static struct options o;
	struct role_start s;
	struct error e = { .code = ERR_NONE };

	role_begin(argc, argv, "verifierd-net", true, &s);
	if (!s.word || (strcmp(s.word, "hosts") && strcmp(s.word, "admin"))) {
		log_say(LOG_ERR, "which class of listener?");
		return 2;
	}
	n.admin = !strcmp(s.word, "admin");
	if (!options_read(s.conf, &o, &e) || !start(&n, &o, &e) ||
	    !sandbox_enter(n.admin ? ROLE_ADMIN : ROLE_HOSTS, &s, &o, &e)) {
		log_say(LOG_ERR, "%s", e.why);
		return 1;
	}
	role_ready();
	event_base_dispatch(n.base);
	/* Connections with an answer outstanding must not be freed under it: the process ends instead. */
	if (!n.under_way)
		http_close(n.http);
	return 0;
}
