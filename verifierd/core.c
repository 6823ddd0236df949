/* verifierd-core: owns the store and the key that signs results; hears every other role. */
#include <grp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include "core.h"
#include "ima_walks.h"
#include "log.h"
#include "logs.h"
#include "memo.h"
#include "roles.h"
#include "sandbox.h"
#include "scope.h"

enum { EVENTS_A_TURN = 64, PURGE_MS = 60 * 1000, KEEP_IDS_MS = 10 * 60 * 1000, DRAIN_MS = 5000, DRAIN_STEP_MS = 100,
	REPORTS_A_PURGE = 1000 };
#define ADMIN_GROUP "attest-admin"

/* --- what a message starts --- */

static const struct { enum message type; void (*run)(struct core *, struct job *); } requests[] = {
	{ MSG_CHALLENGE, on_challenge },
	{ MSG_EVIDENCE,  on_evidence },
	{ MSG_EVENTS,    on_events },
	{ MSG_ENROLL,    on_enroll },
	{ MSG_PROOF,     on_proof },
	{ MSG_ENROLLED,  on_proof },
	{ MSG_NEWEST,    on_newest },
	{ MSG_PASSPORT,  on_passport },
	{ MSG_REDEEM,    on_redeem },
	{ MSG_ORDERS,    on_orders },
	{ MSG_KEYS,      on_keys },
	{ MSG_ADMIN,     on_admin },
};

static void
overloaded(struct core *c, struct channel *ch, uint64_t job)
{
	static const char body[] = "{\"status\":503,\"reason\":\"verifier-error\",\"detail\":\"overloaded\"}";
	uint8_t payload[2 + sizeof(body)];
	struct writer w = wr_open(payload, sizeof(payload));

	wr_be16(&w, 503, "status");
	wr_bytes(&w, body, sizeof(body) - 1, "body");
	channel_send(c, ch, ch->role == ROLE_ADMIN ? MSG_REPLY_ADMIN : MSG_REPLY_HOST, job, payload, w.used);
}

static void
start(struct core *c, struct channel *ch, struct frame *f)
{
	uint64_t id = f->job;
	struct job *j;

	for (unsigned i = 0; i < COUNT(requests); i++) {
		if (requests[i].type != f->type)
			continue;
		j = c->draining ? NULL : job_new(c, ch, f);
		if (j)
			requests[i].run(c, j);
		else
			overloaded(c, ch, id);
		return;
	}
	channel_lost(c, ch, "asks what core does not do");
}

static void
take_channel(struct core *c, struct frame *f)
{
	enum role role = (enum role)rd_u8(&f->payload, "role");
	uint8_t index = rd_u8(&f->payload, "index");
	uint32_t generation = rd_be32(&f->payload, "generation");
	struct error e;

	if (!rd_end(&f->payload, &e) || f->peer_fd < 0 || role <= ROLE_CORE || role >= ROLE_COUNT) {
		log_say(LOG_ERR, "main sent a channel that is none");
		return;
	}
	if (channel_open(c, f->peer_fd, role, index, generation, &e))
		f->peer_fd = -1;
	else
		log_say(LOG_ERR, "channel of %s %u: %s", role_word(role), index, e.why);
}

static void
take_frame(struct core *c, struct channel *ch, struct frame *f)
{
	if (message_from(f->type) != ch->role) {
		log_say(LOG_WARNING, "%s %u sent %s", role_word(ch->role), ch->index, message_name(f->type));
		if (ch->role == ROLE_PARSE || ch->role == ROLE_JUDGE || ch->role == ROLE_HOSTS || ch->role == ROLE_ADMIN)
			worker_kill(c, ch, "speaks for another role");
	} else if (ch->role == ROLE_MAIN) {
		take_channel(c, f);
	} else if (ch->role == ROLE_PARSE || ch->role == ROLE_JUDGE) {
		worker_answer(c, ch, f);
	} else {
		start(c, ch, f);
	}
}

static void
listen_to(struct core *c, struct channel *ch)
{
	struct error e = { .code = ERR_NONE };
	int fd = ch->fd;
	/* A worker has one question at a time, and sends one answer. */
	unsigned most = ch->role == ROLE_PARSE || ch->role == ROLE_JUDGE ? 1 : FRAMES_A_TURN;

	for (unsigned i = 0; i < most && ch->fd == fd && fd >= 0; i++) {
		own(frame) struct frame f = { .peer_fd = -1 };
		bool got;

		if (!ipc_receive(fd, ROLE_CORE, &f, &got, &e)) {
			if (ch == &c->main)
				c->lost_main = true;
			else if (e.code == ERR_MISSING)
				channel_lost(c, ch, e.why);
			else
				worker_kill(c, ch, e.why);
			return;
		}
		if (!got)
			return;
		store_look(c->store);
		take_frame(c, ch, &f);
	}
}

/* --- the loop --- */

static void
take_signal(struct core *c)
{
	struct signalfd_siginfo s;
	struct error e;

	if (read(c->signals, &s, sizeof(s)) != sizeof(s))
		return;
	if (s.ssi_signo == SIGTERM) {
		c->draining = true;
		return;
	}
	if (!ek_roots_load(c, &e))
		log_say(LOG_ERR, "reload: %s", e.why);
	else
		log_say(LOG_NOTICE, "reloaded the EK roots");
}

/* Ids of challenges are kept a while past their expiry: another replica's clock may be behind. */
static void
purge(struct core *c, const struct clock *now)
{
	struct error e;

	c->next_purge = now->mono + PURGE_MS;
	if (store_begin(c->store, &e) && store_challenges_purge(c->store, now->wall - KEEP_IDS_MS, &e) &&
	    store_passports_purge(c->store, now->wall - KEEP_IDS_MS, &e) &&
	    store_reports_purge(c->store, now->wall - c->options.retain_reports, REPORTS_A_PURGE, &e) &&
	    store_commit(c->store, &e))
		return;
	store_rollback(c->store);
	log_say(LOG_WARNING, "purge: %s", e.why);
}

static int
until_next(const struct core *c)
{
	int64_t at = jobs_deadline(c);
	int left;

	if (c->next_purge < at)
		at = c->next_purge;
	if (c->commits && c->commit_by < at)
		at = c->commit_by;
	left = clock_left(at);
	return c->draining && left > DRAIN_STEP_MS ? DRAIN_STEP_MS : left;
}

static bool
turn(struct core *c)
{
	struct epoll_event ev[EVENTS_A_TURN];
	int n = epoll_wait(c->epoll, ev, EVENTS_A_TURN, until_next(c));
	struct clock now;

	if (n < 0 && errno != EINTR) {
		log_say(LOG_ERR, "epoll: %s", strerror(errno));
		return false;
	}
	for (int i = 0; i < n; i++) {
		struct channel *ch = ev[i].data.ptr;

		if (!ch)
			take_signal(c);
		else if (ch->fd >= 0 && (!(ev[i].events & EPOLLOUT) || channel_flush(c, ch)))
			listen_to(c, ch);
	}
	store_looked(c->store);
	commit_due(c);
	now = clock_now();
	jobs_expire(c, now.mono);
	if (now.mono >= c->next_purge)
		purge(c, &now);
	return !c->lost_main;
}

static bool
open_signals(struct core *c, struct error *e)
{
	struct epoll_event ev = { .events = EPOLLIN, .data = { .ptr = NULL } };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c->signals < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->signals, &ev) < 0)
		return err_errno(e, "signals");
	return true;
}

static bool
core_open(struct core *c, const char *conf, struct error *e)
{
	const struct group *g = getgrnam(ADMIN_GROUP);
	struct clock now;

	c->main = (struct channel){ .fd = FD_CHANNEL, .role = ROLE_MAIN };
	c->main.last = &c->main.first;
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		c->channel[i].fd = -1;
	c->admin_group = g ? g->gr_gid : (gid_t)-1;
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll < 0 || !channel_watch(c, &c->main, false, true))
		return err_errno(e, "epoll");
	c->memo = memo_new();
	c->walks = ima_walks_new();
	if (!c->memo || !c->walks || !options_read(conf, &c->options, e))
		return false;
	now = clock_now();
	return open_signals(c, e) && store_open(c->options.store, &c->store, e) &&
	    keys_open(c->options.state_dir, c->store, &now, &c->keys, e) && policies_open(c, e) && ek_roots_load(c, e);
}

static void
core_close(struct core *c)
{
	while (c->oldest)
		job_end(c, c->oldest);
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		channel_lost(c, &c->channel[i], "core ends");
	keys_close(&c->keys);
	store_close(c->store);
	memo_free(c->memo);
	policies_close(c);
	ima_walks_free(c->walks);
	free(c->ek_roots);
	close(c->signals);
	close(c->epoll);
}

int
main(int argc, char **argv)
{
	struct error e = { .code = ERR_NONE };
	struct role_start s;
	struct core *c = calloc(1, sizeof(*c));
	int64_t until = INT64_MAX;

	role_begin(argc, argv, "verifierd-core", false, &s);
	umask(077);
	if (!c || !core_open(c, s.conf, &e) || !sandbox_enter(ROLE_CORE, &s, &c->options, &e)) {
		log_say(LOG_ERR, "%s", e.why);
		return 1;
	}
	role_ready();
	while (turn(c)) {
		if (c->draining && until == INT64_MAX)
			until = clock_mono() + DRAIN_MS;
		if (c->draining && (!c->jobs || clock_mono() >= until))
			break;
	}
	c->draining = true;
	core_close(c);
	free(c);
	return 0;
}
