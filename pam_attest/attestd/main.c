/* attestd: starts as root, opens what only root may open, drops to its user, and serves. attestd(8). */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "clock.h"
#include "confine.h"
#include "diary.h"
#include "file.h"
#include "kernel.h"
#include "log.h"
#include "metrics.h"
#include "leases.h"
#include "outbox.h"
#include "publish.h"
#include "recover.h"
#include "relying.h"
#include "round.h"
#include "sandbox.h"
#include "scope.h"
#include "serve.h"
#include "sockets.h"
#include "status.h"
#include "tally.h"
#include "trail.h"
#include "worker.h"

/* X(letter, argument, help): the options, their help, and what attestd(8) is checked against. */
#define OPTIONS(X)                                                     \
	X('c', "FILE", "configuration; default " SYSCONFDIR "/attest/attestd.conf") \
	X('f', "",     "stay in the foreground, one line a state change on stderr") \
	X('t', "",     "check the configuration and exit: 0 good, 2 not")  \
	X('h', "",     "this help")

/* Everything that is not the worker's. */
struct daemon {
	struct options   opt;
	char             conf[PATH_TEXT];
	int              gate_fd, decisions_fd, signal_fd;
	struct worker    worker;
	struct relying   relying;
	uint64_t         questions;            /* to the verifier about other machines, counted */
	struct clients   clients;
	struct decisions decisions;
	struct diary     diary;
	struct tally     tally;
	bool             diary_fails;          /* said already */
	struct outbox    outbox;
	uint32_t         tpm_errors[REASON_COUNT];   /* attestations that failed so */
	int64_t          last_quote;           /* ms since 1970 */
	struct trail     trail;
	bool             telling;              /* the job under way is about the outbox */
	struct outcome   last;
	struct counters  counters;
	char             boot_id[BOOT_ID_TEXT];
	char             tpm_program[PATH_TEXT];
	int64_t          next_round;           /* ms of CLOCK_MONOTONIC */
	int64_t          last_round;           /* when the last one began; 0: never */
	int64_t          watchdog, next_word;  /* how often systemd wants to hear of us, 0: never; and when next */
	struct client   *enrolling;
	struct client   *traveller;            /* whose passport the worker asks for */
	uid_t            served;               /* whose was asked for last */
	struct book      leases;
	struct guesses   guesses;
	int64_t          next_orders;          /* ms of CLOCK_MONOTONIC */
	bool             ordering;             /* what the worker does now is ask for orders */
	struct lockout   lockout;              /* as it was read at lockout_read, ms of CLOCK_MONOTONIC; 0: never */
	int64_t          lockout_read;
	bool             stopping;
};

enum { SPACING_MS = 2000, REFUSED_SPACING_MS = 5000, NEGATIVE_CACHE_MS = 5000, DRAIN_MS = 12 * 1000, POST_AGAIN_MS = 1000,
	LOCKOUT_SPACING_MS = 10 * 1000, ORDERS_AGAIN_MS = 60 * 1000 };

/* --- starting */

static bool
make_folder(const char *path, mode_t mode, const struct passwd *pw, struct error *e)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_errno(e, "mkdir %s", path);
	if (pw && chown(path, pw->pw_uid, pw->pw_gid) < 0)
		return err_errno(e, "chown %s", path);
	return true;
}

/* Group tss opens /dev/tpmrm0 on Debian; every other group of root's is given up. */
static bool
drop_to(const struct passwd *pw, struct error *e)
{
	const struct group *tss = getgrnam("tss");
	gid_t groups[2] = { pw->pw_gid, tss ? tss->gr_gid : pw->pw_gid };

	/* What is not kept goes with confine_capabilities(). */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(tss ? 2 : 1, groups) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return err_errno(e, "become %s", pw->pw_name);
	return true;
}

/* attestd-tpm: beside us when run from a build tree, else where it was installed. */
static void
find_child(char out[static PATH_TEXT])
{
	char self[PATH_TEXT];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
		if (slash && snprintf(out, PATH_TEXT, "%.200s/attestd-tpm", self) > 0 && !access(out, X_OK))
			return;
	}
	snprintf(out, PATH_TEXT, "%s/attestd-tpm", PKGLIBEXECDIR);
}

/* Before rights are dropped: sockets and the logs that only root may open. */
static bool
open_all(struct daemon *d, const struct passwd *pw, struct error *e)
{
	struct agent *a = &d->worker.agent;

	if (!make_folder(d->opt.run_dir, 0755, pw, e) || !make_folder(d->opt.state_dir, 0755, pw, e))
		return false;
	d->gate_fd = socket_make(d->opt.run_dir, "gate.sock", SOCK_STREAM, e);
	if (d->gate_fd < 0)
		return false;
	d->decisions_fd = socket_make(d->opt.run_dir, "decisions.sock", SOCK_DGRAM, e);
	if (d->decisions_fd < 0 || setsockopt(d->decisions_fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) < 0)
		return false;
	if (!relying_token(&d->relying, d->opt.token_file, e))
		return false;
	if (!strcmp(d->opt.tcti, "none"))
		log_say(LOG_NOTICE, "tcti = none: this host makes no evidence, and asks about other machines alone");
	a->log_fd = logs_open(d->opt.boot_log, &a->log_absent, e);
	if (a->log_fd < 0 && !a->log_absent)
		log_say(LOG_WARNING, "%s", e->why);
	ima_open(d->opt.ima_log, &a->ima, e);
	if (a->ima.fd < 0 && !a->ima.absent)
		log_say(LOG_WARNING, "%s", e->why);
	return true;
}

static void
recall(void *arg, const struct decision *decision)
{
	struct daemon *d = arg;

	decisions_remember(&d->decisions, decision);
	tally_add(&d->tally, decision, false);
	outbox_add(&d->outbox, decision);
}

/* That nothing can be kept is no reason not to serve. */
static void
start_diary(struct daemon *d)
{
	struct error e = { .code = ERR_NONE };

	bool known = outbox_open(&d->outbox, d->opt.state_dir, &e);

	if (!known)
		log_say(LOG_WARNING, "what the verifier was told last is not known, and not told again: %s", e.why);
	if (!diary_open(&d->diary, d->opt.state_dir, clock_now().wall, recall, d, &e))
		log_say(LOG_WARNING, "decisions are not kept: %s", e.why);
	/* Numbers go on where the verifier was told of them, whatever became of the file. */
	if (!known)
		outbox_skip(&d->outbox);
	if (d->diary.last < d->outbox.newest)
		d->diary.last = d->outbox.newest;
}

static bool
start_agent(struct daemon *d, struct error *e)
{
	struct agent *a = &d->worker.agent;
	struct error lease;

	a->opt = &d->opt;
	file_sweep(d->opt.run_dir);
	file_sweep(d->opt.state_dir);
	tpm_open(&a->tpm, d->tpm_program, d->opt.tcti, d->opt.sandbox);
	if (!round_boot_id(a, a->boot_id, e) || !state_load(d->opt.state_dir, &a->id, e) ||
	    !upstream_open(&a->up, d->opt.timeout, e))
		return false;
	strcpy(d->boot_id, a->boot_id);
	enrol_use_verifier(a);
	if (a->id.has_ak)
		tpm_set_ak(&a->tpm, a->id.ak.blob, a->id.ak.blob_len);
	if (!publish_start(a, e))
		return false;
	if (!book_open(&d->leases, &d->opt, a->boot_id, &lease))
		log_say(LOG_WARNING, "leases: %s", lease.why);
	agent_outcome(a, a->record.reason, &(struct error){ .code = ERR_NONE }, 0, &d->last);
	return worker_start(&d->worker, e) && relying_start(&d->relying, &d->opt, e);
}

static bool
start_signals(struct daemon *d, struct error *e)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_errno(e, "signals");
	d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signal_fd >= 0 || err_errno(e, "signalfd");
}

static bool
start(struct daemon *d, struct error *e)
{
	const struct passwd *pw = NULL;
	char lacks[80];

	if (geteuid() == 0 && d->opt.user[0] && strcmp(d->opt.user, "root")) {
		pw = getpwnam(d->opt.user);
		if (!pw)
			return err_set(e, ERR_CONFIG, "[process] user = %s: no such user", d->opt.user);
	}
	if (!open_all(d, pw, e) || (pw && !drop_to(pw, e)))
		return false;
	if (!confine_capabilities(CAP_AUDIT_WRITE, e) || !confine_process(e))
		return false;
	trail_open(&d->trail);
	find_child(d->tpm_program);
	if (d->opt.sandbox && kernel_lacks(lacks, sizeof(lacks)))
		log_say(LOG_WARNING, "%s: attestd runs without", lacks);
	if (d->opt.sandbox && !sandbox_enter(&d->opt, d->tpm_program, e))
		return false;
	clients_open(&d->clients);
	start_diary(d);
	e->why[0] = '\0';
	return start_signals(d, e) && start_agent(d, e);
}

/* --- rounds */

/* False: no memory, or no pipe; the loop tries again by itself. */
static bool
post(struct daemon *d, const struct job *j)
{
	if (!worker_post(&d->worker, j)) {
		d->next_round = d->next_orders = clock_mono() + POST_AGAIN_MS;
		return false;
	}
	d->ordering = j->kind == JOB_ORDERS;
	if (j->kind == JOB_ATTEST || j->kind == JOB_PASSPORT)
		d->last_round = clock_mono();
	d->telling = j->kind == JOB_TELL;
	return true;
}

/* Renewal is early by a tenth at most, so that a fleet that booted together does not come back together. */
static void
schedule(struct daemon *d, int64_t ms)
{
	uint16_t dice = 0;

	random_bytes(&dice, sizeof(dice));
	ms = ms < 100 ? 100 : ms;
	ms -= ms * dice / UINT16_MAX / 10;
	d->next_round = clock_mono() + ms;
	d->last.renews_wall = clock_now().wall + ms;
}

static void
tell(const struct daemon *d, enum job_kind kind, const struct outcome *o)
{
	bool same = o->reason == d->last.reason && o->record.reason == d->last.record.reason;
	/* A good verdict that could not be written, or by another clock: said when it begins, and when it is over. */
	bool unwritten = o->reason == REASON_OK && o->why[0], was = d->last.reason == REASON_OK && d->last.why[0];
	char state[32], reason[16 + REASON_CODE_MAX], ref[16 + REF_TEXT];

	if (same && unwritten == was && kind != JOB_ENROLL)
		return;
	if (kind == JOB_ENROLL || kind == JOB_POLL) {
		log_say(LOG_NOTICE, "enrollment: %s%s%s", o->reason == REASON_OK ? "active" : reason_code(o->reason),
		    o->why[0] ? ": " : "", o->why);
		return;
	}
	snprintf(state, sizeof(state), "ATTEST_STATE=%s", state_word(reason_state(o->reason)));
	snprintf(reason, sizeof(reason), "ATTEST_REASON=%s", reason_code(o->reason));
	snprintf(ref, sizeof(ref), "ATTEST_REF=%s", o->record.ref);
	log_entry(MESSAGE_STATE, o->reason == REASON_OK && !unwritten ? LOG_NOTICE : LOG_WARNING,
	    (const char *const[]){ state, reason, ref, NULL }, "%s: %s%s%s%s%s",
	    state_word(reason_state(o->reason)), reason_code(o->reason), o->record.ref[0] ? " ref=" : "", o->record.ref,
	    o->why[0] ? ": " : "", o->why);
}

/* Our own uid counts as root, as for verbs: attestd's administrator runs it. */
static bool
is_root(const struct client *c)
{
	return c->uid == 0 || c->uid == geteuid();
}

static void
answer_status(struct daemon *d, struct client *c, const struct decision *decision)
{
	own(mem) char *json = NULL;
	struct error e = { .code = ERR_NONE };
	size_t len;

	if (status_json(&d->last, &d->counters, d->boot_id, decision, is_root(c), &d->leases, &json, &len, &e))
		client_answer(c, status_reason_now(&d->last, d->boot_id), d->last.record.ref, json, len);
	else
		client_refuse(c, e.why);
}

static bool
is_verdict(enum reason r)
{
	return reason_state(r) == STATE_AFFIRMING || reason_state(r) == STATE_WARNING;
}

/* As young as the asker wants a verdict to be. None is made more often than this spacing, whoever asks. */
static bool
young_enough(const struct daemon *d, const struct client *c)
{
	int64_t most = c->max_age > SPACING_MS ? c->max_age : SPACING_MS;

	return !c->max_age || clock_now().boot - d->last.record.issued_boot <= most;
}

static void
answer_ask(struct daemon *d, struct client *c)
{
	enum reason now = status_reason_now(&d->last, d->boot_id);
	const char *ref = d->last.record.ref;

	/* Grace is the gate's own decision, by its own limits: it hears that there is no verdict, and why. */
	if (now == REASON_GRACE)
		now = d->last.reason;
	/* A verdict that still counts for others, while a newer one could not be had, or not in time. */
	if (is_verdict(now) && !young_enough(d, c)) {
		now = is_verdict(d->last.reason) ? REASON_VERDICT_EXPIRED : d->last.reason;
		ref = "";
	}
	client_answer(c, now, ref, NULL, 0);
}

static void
answer(struct daemon *d, struct client *c)
{
	if (c == d->enrolling) {
		bool done = c->verb == VERB_UNENROLL ? d->last.reason == REASON_NOT_ENROLLED && !d->last.why[0] :
		    d->last.reason == REASON_OK || d->last.reason == REASON_ENROLLMENT_PENDING;

		d->enrolling = NULL;
		if (done) {
			client_answer(c, d->last.reason, d->last.host, NULL, 0);
		} else {
			char text[300];

			snprintf(text, sizeof(text), "%s: %s", reason_code(d->last.reason),
			    d->last.why[0] ? d->last.why : reason_text(d->last.reason));
			client_refuse(c, text);
		}
	} else if (c->verb == VERB_ASK) {
		answer_ask(d, c);
	} else {
		answer_status(d, c, NULL);
	}
}

/* The passport is for who asked first; others who wait for one of their own are served next. */
static void
hand_over(struct daemon *d, struct outcome *o)
{
	struct client *c = d->traveller;

	d->traveller = NULL;
	if (c && o->passport[0])
		client_answer_with(c, o->reason, o->record.ref, "code", o->passport);
	else if (c)
		client_answer(c, o->reason, reason_state(o->reason) == STATE_CONTRAINDICATED ? o->record.ref : "", NULL, 0);
	explicit_bzero(o->passport, sizeof(o->passport));
}

/* The outbox is for the time after an attestation: the verifier answers, and the TPM does. */
static bool
may_tell(const struct daemon *d)
{
	return d->last.enrolled && d->last_round && !d->worker.busy && !d->stopping && !reason_is_outage(d->last.reason) &&
	    reason_state(d->last.reason) != STATE_BROKEN;
}

static void
tell_news(struct daemon *d, bool idle)
{
	struct job j = { .kind = JOB_TELL };
	struct error e = { .code = ERR_NONE };

	if (!may_tell(d))
		return;
	j.text = outbox_take(&d->outbox, &d->tally, idle, &j.text_len, &e);
	if (e.code)
		log_say(LOG_WARNING, "the verifier is not told: %s", e.why);
	if (j.text && !post(d, &j)) {
		d->outbox.next = clock_mono() + POST_AGAIN_MS;
		free(j.text);
	}
}

/* For the host's own verdict; not for another machine's, a passport, or the TPM's counter. */
static bool
waits_for_round(const struct client *c)
{
	return c->fd >= 0 && c->waiting && !c->number && c->verb != VERB_PASSPORT && c->verb != VERB_TPM;
}

static bool
somebody_waits(const struct daemon *d)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (waits_for_round(&d->clients.list[i]))
			return true;
	return false;
}

static void
told(struct daemon *d, const struct outcome *o)
{
	bool taken = o->reason == REASON_OK;
	struct error e = { .code = ERR_NONE };

	outbox_sent(&d->outbox, taken, &e);
	if (e.code)
		log_say(LOG_WARNING, "%s", e.why);
	if (!taken && d->outbox.failures == 1)
		log_say(LOG_WARNING, "the verifier could not be told: %s: %s", reason_code(o->reason), o->why);
	/* Who asked for an attestation meanwhile has waited long enough. */
	if (somebody_waits(d) && !d->stopping)
		post(d, &(struct job){ .kind = d->last.pending ? JOB_POLL : JOB_ATTEST });
}

/* What came of asking for orders. Whoever asked for an attestation meanwhile gets it now. */
static void
ordered(struct daemon *d, const struct done *done)
{
	const struct fetched *f = &done->fetched;
	struct error e = { .code = ERR_NONE };
	bool changed = false;

	d->ordering = false;
	d->last.record = done->outcome.record;
	d->next_orders = clock_mono() + (f->reason == REASON_OK ? f->orders.next_after : ORDERS_AGAIN_MS);
	if (f->reason == REASON_OK) {
		if (!book_order(&d->leases, &f->orders, &f->asked, &changed, &e) ||
		    !recover_void(d->opt.state_dir, f->orders.codes_void, &e))
			log_say(LOG_WARNING, "leases: %s", e.why);
		if (changed)
			log_say(LOG_NOTICE, "leases in force: %u", d->leases.all.count);
	} else if (f->reason == REASON_HOST_REVOKED) {
		tell(d, JOB_ATTEST, &done->outcome);
		book_void(&d->leases);
		d->last = done->outcome;
	} else if (!reason_is_outage(f->reason)) {
		log_say(LOG_WARNING, "orders: %s: %s", reason_code(f->reason), f->why);
	}
	if (somebody_waits(d) && !d->stopping)
		post(d, &(struct job){ .kind = d->last.pending ? JOB_POLL : JOB_ATTEST });
}

/* --- the TPM's lockout counter, which an administrator asks for; no part of an attestation */

static void
answer_lockout(const struct daemon *d, struct client *c)
{
	own(mem) char *json = NULL;
	struct error e = { .code = ERR_NONE };
	size_t len;

	if (status_tpm_json(&d->lockout, &json, &len, &e))
		client_answer(c, REASON_OK, "", json, len);
	else
		client_refuse(c, e.why);
}

/* Who waits for it has it now; who asked for an attestation meanwhile waits for that. */
static void
lockout_finished(struct daemon *d, const struct done *done)
{
	d->counters.tpm_commands = done->outcome.tpm_commands;
	if (done->outcome.reason == REASON_OK) {
		d->lockout = done->lockout;
		d->lockout_read = clock_mono();
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &d->clients.list[i];

		if (c->fd < 0 || !c->waiting || c->verb != VERB_TPM)
			continue;
		if (done->outcome.reason == REASON_OK)
			answer_lockout(d, c);
		else
			client_refuse(c, done->outcome.why);
	}
	if (somebody_waits(d) && !d->stopping && post(d, &(struct job){ .kind = d->last.pending ? JOB_POLL : JOB_ATTEST }))
		d->last_round = clock_mono();
}

static void
lockout(struct daemon *d, struct client *c)
{
	if (d->lockout_read && clock_mono() - d->lockout_read < LOCKOUT_SPACING_MS)
		answer_lockout(d, c);
	else if (d->worker.busy)
		client_refuse(c, "an attestation is under way; try again");
	else if (post(d, &(struct job){ .kind = JOB_TPM }))
		c->waiting = true;
	else
		client_refuse(c, "attestd cannot begin it now: no memory");
}

static void
finished(struct daemon *d)
{
	struct done done;
	bool idle;

	if (!worker_take(&d->worker, &done)) {
		log_say(LOG_CRIT, "the worker ended");
		d->stopping = true;
		return;
	}
	if (done.outcome.quotes != d->counters.quotes)
		d->last_quote = clock_now().wall;
	if (reason_state(done.outcome.reason) == STATE_BROKEN)
		d->tpm_errors[done.outcome.reason]++;
	d->counters.quotes = done.outcome.quotes;
	d->counters.tpm_commands = done.outcome.tpm_commands;
	if (done.kind == JOB_TPM) {
		lockout_finished(d, &done);
		return;
	}
	if (done.kind == JOB_TELL) {
		d->telling = false;
		told(d, &done.outcome);
		return;
	}
	if (done.kind == JOB_ORDERS) {
		ordered(d, &done);
		return;
	}
	idle = !somebody_waits(d);
	tell(d, done.kind, &done.outcome);
	if (done.kind == JOB_PASSPORT)
		hand_over(d, &done.outcome);
	if (done.kind == JOB_ENROLL && (done.outcome.reason == REASON_OK || !done.outcome.enrolled))
		book_void(&d->leases);          /* they were of another enrollment */
	d->last = done.outcome;
	schedule(d, done.outcome.next_ms);
	d->next_orders = clock_mono();
	/* Let in just now: the attestation that comes next is the answer to who asked for one. */
	if (done.kind == JOB_POLL && done.outcome.enrolled)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &d->clients.list[i];

		/* Who asked for an attestation while an enrollment was under way waits for the next job. */
		if (waits_for_round(c) && (c == d->enrolling) == (done.kind == JOB_ENROLL))
			answer(d, c);
	}
	if (done.kind == JOB_ATTEST)
		tell_news(d, idle);
}

/* --- callers */

/* May `ask` start a quote now, or is what is known young enough to be the answer? GATE section 2 and 3. */
static bool
may_quote(const struct daemon *d)
{
	int64_t age = clock_mono() - d->last_round;

	if (!d->last_round)
		return true;
	if (reason_is_outage(d->last.reason) || d->last.reason == REASON_BOOT_UNCONFIRMED ||
	    reason_state(d->last.reason) == STATE_BROKEN)
		return age >= NEGATIVE_CACHE_MS;
	if (reason_state(d->last.reason) == STATE_CONTRAINDICATED)
		return age >= REFUSED_SPACING_MS;
	return age >= SPACING_MS;
}

/* The work could not be handed over: nobody waits for it. */
static void
not_begun(struct daemon *d, struct client *c)
{
	if (c->verb == VERB_ASK)
		answer_ask(d, c);
	else
		client_refuse(c, "attestd cannot begin it now: no memory");
}

static void
wait_for_round(struct daemon *d, struct client *c)
{
	/* While an approval is awaited that is the question; asking for anything else would put it off. */
	if (!d->worker.busy) {
		if (!post(d, &(struct job){ .kind = d->last.pending ? JOB_POLL : JOB_ATTEST })) {
			not_begun(d, c);
			return;
		}
		d->last_round = clock_mono();
	}
	c->waiting = true;
}

static void
explain(struct daemon *d, struct client *c)
{
	const struct decision *found = c->ref[0] ? decisions_find(&d->decisions, c->ref) : NULL;
	struct decision kept = { .number = 0 };

	/* The files are read for root alone: that takes a while. */
	if (c->ref[0] && !found && is_root(c) && diary_find(&d->diary, c->ref, &kept))
		found = &kept;
	if (c->ref[0] && !found && strcmp(c->ref, d->last.record.ref))
		client_refuse(c, "no decision and no verdict has this reference here; try verifierctl explain");
	else
		answer_status(d, c, found);
}

static void
enroll(struct daemon *d, struct client *c)
{
	struct job j = { .kind = JOB_ENROLL, .ask = c->in->ask };

	j.ask.forget = c->verb == VERB_UNENROLL;
	if (d->worker.busy) {
		client_refuse(c, "an attestation is under way; try again");
		return;
	}
	if (post(d, &j)) {
		d->enrolling = c;
		c->waiting = true;
	} else {
		not_begun(d, c);
	}
	explicit_bzero(&j, sizeof(j));
}

/* Any local user may: the code says that an administrator of the verifier wants it. */
static void
recover(struct daemon *d, struct client *c)
{
	struct clock now = clock_now();
	struct error e = { .code = ERR_NONE };
	struct recovery q;

	if (d->enrolling || d->last.pending)
		err_set(&e, ERR_REFUSED, "an enrollment is under way");
	else if (status_reason_now(&d->last, d->boot_id) == REASON_HOST_REVOKED)
		err_set(&e, ERR_REFUSED, "%s: no lease lets anybody in", reason_text(REASON_HOST_REVOKED));
	else if (!recover_take(d->opt.state_dir, &d->guesses, is_root(c), c->in->recovery, now.mono, &q, &e)) {
		/* Those that were looked at, which are not many: the journal is nobody's to fill. */
		if (e.code == ERR_REFUSED)
			log_say(LOG_WARNING, "recovery code typed by uid %u: %s", (unsigned)c->uid, e.why);
	} else if (book_code(&d->leases, &q, &now, &e)) {
		log_say(LOG_NOTICE, "recovery code %u typed by uid %u: lease %s for %u h%s", q.sequence, (unsigned)c->uid, q.id,
		    q.hours, q.overrules ? ", overruling a refusal" : "");
		answer_status(d, c, NULL);
		return;
	}
	client_refuse(c, e.why);
}

static void
report(struct daemon *d, struct client *c)
{
	own(mem) char *json = NULL;
	struct error e = { .code = ERR_NONE };
	size_t len;

	if (tally_json(&d->tally, c->since, d->diary.lost, &json, &len, &e))
		client_answer(c, status_reason_now(&d->last, d->boot_id), d->last.record.ref, json, len);
	else
		client_refuse(c, e.why);
}

/* Another machine: the verifier says, and this host's own verdict has no part in it. */
static void
ask_about(struct daemon *d, struct client *c)
{
	struct relying_ask q = c->in->about;

	q.redeem = c->verb == VERB_REDEEM;
	q.max_age = c->max_age;
	q.deadline = c->deadline;
	q.number = ++d->questions;
	if (relying_post(&d->relying, &q)) {
		c->number = q.number;
		c->waiting = true;
	} else {
		client_answer(c, REASON_ATTESTD_TIMEOUT, "", NULL, 0);
	}
	explicit_bzero(&q, sizeof(q));
}

static void
told_about(struct daemon *d)
{
	struct relying_said said;

	if (!relying_take(&d->relying, &said)) {
		log_say(LOG_CRIT, "the thread that asks about other machines ended");
		d->stopping = true;
		return;
	}
	if (said.why[0])
		log_say(LOG_INFO, "%s: %s: %s", said.peer[0] ? said.peer : "passport", reason_code(said.reason), said.why);
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &d->clients.list[i];

		if (c->fd >= 0 && c->waiting && c->number == said.number)
			client_answer_with(c, said.reason, said.ref, "peer", said.peer);
	}
}

/* One at a time, each with a quote of its own, and none more often than verdicts are made for anybody. */
static void
ask_passport(struct daemon *d, struct client *c)
{
	const struct relying_ask *q = &c->in->about;

	if (!audience_ok(q->audience) || !passport_user_ok(q->user))
		client_refuse(c, "audience: letters, digits, '.', '-', '_'; user: printable, without spaces");
	else if (!d->last.enrolled)
		client_answer(c, d->last.reason, "", NULL, 0);
	else
		c->waiting = true;
}

/* Does a come before b? Who was served last lets the others go first, so that no user fills the queue; else the longest wait counts. */
static bool
goes_first(const struct daemon *d, const struct client *a, const struct client *b)
{
	bool again = a->uid == d->served, other = b->uid == d->served;

	return again != other ? other : a->deadline < b->deadline;
}

static struct client *
next_traveller(struct daemon *d)
{
	struct client *first = NULL;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &d->clients.list[i];

		if (c->fd >= 0 && c->waiting && c->verb == VERB_PASSPORT && (!first || goes_first(d, c, first)))
			first = c;
	}
	return first;
}

/* ms until the next passport's time has come, which is SPACING_MS after the last quote; -1: nobody waits. */
static int
passport_due(struct daemon *d)
{
	if (d->worker.busy || !next_traveller(d))
		return -1;
	return d->last_round ? clock_left(d->last_round + SPACING_MS) : 0;
}

static void
start_passport(struct daemon *d)
{
	struct client *c = passport_due(d) == 0 ? next_traveller(d) : NULL;
	struct job j = { .kind = JOB_PASSPORT };

	if (!c)
		return;
	memcpy(j.whom.audience, c->in->about.audience, sizeof(j.whom.audience));
	memcpy(j.whom.user, c->in->about.user, sizeof(j.whom.user));
	d->served = c->uid;
	if (post(d, &j))
		d->traveller = c;
	else
		not_begun(d, c);
}

static void
metrics(struct daemon *d, struct client *c)
{
	enum reason now = status_reason_now(&d->last, d->boot_id);
	const struct metrics m = { .last = &d->last, .counters = &d->counters, .tally = &d->tally, .outbox = &d->outbox, .now = now,
		.last_quote = d->last_quote, .told = d->decisions.seen, .lost = d->diary.lost, .tpm_errors = d->tpm_errors, .audit_failed = d->trail.failed,
		.lockout = d->lockout_read ? &d->lockout : NULL };
	own(mem) char *json = NULL;
	struct error e = { .code = ERR_NONE };
	size_t len;

	if (metrics_json(&m, &json, &len, &e))
		client_answer(c, now, d->last.record.ref, json, len);
	else
		client_refuse(c, e.why);
}

static void
request(struct daemon *d, struct client *c)
{
	switch (c->verb) {
	case VERB_ASK:
		d->counters.asks++;
		if ((d->worker.busy && !d->telling && !d->ordering) || may_quote(d))
			wait_for_round(d, c);
		else
			answer_ask(d, c);
		return;
	case VERB_ATTEST:
		wait_for_round(d, c);
		return;
	case VERB_STATUS:
		answer_status(d, c, NULL);
		return;
	case VERB_EXPLAIN:
		explain(d, c);
		return;
	case VERB_REPORT:
		report(d, c);
		return;
	case VERB_METRICS:
		metrics(d, c);
		return;
	case VERB_PEER:
	case VERB_REDEEM:
		ask_about(d, c);
		return;
	case VERB_PASSPORT:
		ask_passport(d, c);
		return;
	case VERB_RECOVER:
		recover(d, c);
		return;
	case VERB_TPM:
		lockout(d, c);
		return;
	case VERB_ENROLL:
	case VERB_UNENROLL:
		enroll(d, c);
		return;
	case VERB_COUNT:
		break;
	}
	client_drop(c);
}

/* What is under way goes on for nobody. */
static void
forget(struct daemon *d, const struct client *c)
{
	if (c == d->enrolling)
		d->enrolling = NULL;
	if (c == d->traveller)
		d->traveller = NULL;
}

/* The caller's time is over before the round's: it gets what is known, not silence. */
static void
late(struct client *c, void *arg)
{
	struct daemon *d = arg;

	forget(d, c);
	if (c->verb == VERB_ASK)
		answer_ask(d, c);
	else if (c->number)
		client_answer(c, REASON_ATTESTD_TIMEOUT, "", NULL, 0);
	else
		client_refuse(c, "no answer in time");
}

/* What waits is written, once for all that came together. A disk that is full is told when it begins, and when it is over. */
static void
keep_decisions(struct daemon *d)
{
	struct error e = { .code = ERR_NONE };
	bool ok = diary_flush(&d->diary, clock_now().wall, &e);

	if (!ok && !d->diary_fails)
		log_say(LOG_WARNING, "decisions are not kept: %s", e.why);
	else if (ok && d->diary_fails)
		log_say(LOG_NOTICE, "decisions are kept again; %llu are lost", (unsigned long long)d->diary.lost);
	d->diary_fails = !ok;
}

static void
take_decision(struct daemon *d, uid_t sender, const char *datagram, size_t len)
{
	struct decision *decision = decisions_take(&d->decisions, sender, clock_now().wall, datagram, len);

	if (!decision)
		return;
	diary_add(&d->diary, decision);
	tally_add(&d->tally, decision, true);
	outbox_add(&d->outbox, decision);
	trail_add(&d->trail, decision);
}

static void
take_decisions(struct daemon *d)
{
	for (unsigned i = 0; i < 64; i++) {
		char buf[DECISION_MAX + 1];
		union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(struct ucred))]; } control;
		struct iovec iov = { buf, sizeof(buf) };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(d->decisions_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
		struct ucred who;

		if (n <= 0)
			return;
		if (!h || h->cmsg_type != SCM_CREDENTIALS || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
			continue;
		memcpy(&who, CMSG_DATA(h), sizeof(who));
		/* What root's processes say counts; in a set-up that runs as somebody else, so does our own uid. */
		take_decision(d, who.uid == geteuid() ? 0 : who.uid, buf, (size_t)n);
	}
}

/* --- the loop */

static void
reload(struct daemon *d)
{
	struct options fresh;
	struct error e = { .code = ERR_NONE };

	/* Only checked here: what is in use belongs to the worker. A change takes a restart, which costs no login. */
	if (options_load(d->conf, &fresh, &e))
		log_say(LOG_NOTICE, "configuration is good; attesting anew (restart to apply changes)");
	else
		log_say(LOG_ERR, "%s", e.why);
	d->next_round = clock_mono();
}

static void
take_signal(struct daemon *d)
{
	struct signalfd_siginfo s;

	while (read(d->signal_fd, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGHUP)
			reload(d);
		else
			d->stopping = true;
	}
}

static int
sooner(int wait, int other)
{
	return other >= 0 && (wait < 0 || other < wait) ? other : wait;
}

/* While people are refused here, or come in by an order that may end. Where no verifier answers, attesting finds out first. */
static bool
wants_orders(const struct daemon *d)
{
	if (d->last.pending || !d->last.enrolled || reason_is_outage(d->last.reason))
		return false;
	return d->leases.all.count || !is_verdict(status_reason_now(&d->last, d->boot_id));
}

static void
start_due_job(struct daemon *d)
{
	if (d->worker.busy)
		return;
	if (clock_left(d->next_round)) {
		if (wants_orders(d) && !clock_left(d->next_orders))
			post(d, &(struct job){ .kind = JOB_ORDERS });
		tell_news(d, false);
		return;
	}
	if (d->last.pending)
		post(d, &(struct job){ .kind = JOB_POLL });
	else if (d->last.enrolled)
		post(d, &(struct job){ .kind = JOB_ATTEST });
	else
		d->next_round = clock_mono() + 3600 * 1000;
}

/* ms until one is due; -1: when the one under way is done. */
static int
next_job(const struct daemon *d)
{
	if (d->worker.busy)
		return -1;
	return sooner(clock_left(d->next_round), wants_orders(d) ? clock_left(d->next_orders) : -1);
}

/* To systemd, when it is time: the loop still turns. Returns ms until the next word; -1: there is none. */
static int
say_alive(struct daemon *d)
{
	if (!d->watchdog)
		return -1;
	if (!clock_left(d->next_word)) {
		notify("WATCHDOG=1");
		d->next_word = clock_mono() + d->watchdog;
	}
	return clock_left(d->next_word);
}

enum { FIXED_FDS = 5 };

static bool
turn(struct daemon *d)
{
	struct pollfd p[FIXED_FDS + CLIENTS_MAX] = {
		{ .fd = clients_room(&d->clients) ? d->gate_fd : -1, .events = POLLIN }, { .fd = d->decisions_fd, .events = POLLIN },
		{ .fd = d->signal_fd, .events = POLLIN }, { .fd = d->worker.out, .events = POLLIN },
		{ .fd = d->relying.out, .events = POLLIN },
	};
	unsigned n = FIXED_FDS + clients_poll(&d->clients, p + FIXED_FDS, CLIENTS_MAX);
	int wait = sooner(next_job(d), clients_expire(&d->clients, late, d));
	struct clock now = clock_now();

	wait = sooner(wait, book_expire(&d->leases, &now));

	wait = sooner(wait, passport_due(d));
	if (may_tell(d))
		wait = sooner(wait, outbox_wait(&d->outbox));
	if (poll(p, n, sooner(wait, say_alive(d))) < 0)
		return errno == EINTR;
	if (p[4].revents)
		told_about(d);
	if (p[3].revents)
		finished(d);
	if (p[2].revents)
		take_signal(d);
	if (p[1].revents) {
		take_decisions(d);
		keep_decisions(d);
	}
	for (unsigned i = FIXED_FDS; i < n; i++) {
		struct client *c = p[i].revents ? clients_of(&d->clients, p[i].fd) : NULL;

		if (!c)
			continue;
		if (c->waiting) {       /* hung up */
			forget(d, c);
			client_drop(c);
		} else if (client_read(c)) {
			request(d, c);
		}
	}
	if (p[0].revents)
		clients_accept(&d->clients, d->gate_fd);
	start_passport(d);
	start_due_job(d);
	return true;
}

/* No new callers; those who wait get their answer. */
static void
drain(struct daemon *d)
{
	int64_t until = clock_mono() + DRAIN_MS;

	notify("STOPPING=1");
	d->worker.agent.ending = true;
	while (d->worker.busy && clock_left(until)) {
		struct pollfd p = { .fd = d->worker.out, .events = POLLIN };

		if (poll(&p, 1, clock_left(until)) > 0)
			finished(d);
	}
	worker_stop(&d->worker);
	relying_stop(&d->relying);
	take_decisions(d);
	keep_decisions(d);
	clients_close(&d->clients);
}

static int
usage(FILE *to, int status)
{
	fputs("usage: attestd [-c FILE] [-f] [-t]\n", to);
#define X(letter, argument, help) fprintf(to, "  -%c %-5s %s\n", letter, argument, help);
	OPTIONS(X)
#undef X
	return status;
}

int
main(int argc, char **argv)
{
	static struct daemon d;
	struct error e = { .code = ERR_NONE };
	bool foreground = false, test = false;
	int o;

	snprintf(d.conf, sizeof(d.conf), "%s/attest/attestd.conf", SYSCONFDIR);
	if (argc > 1 && !strcmp(argv[1], "--help"))
		return usage(stdout, 0);
	while ((o = getopt(argc, argv, "c:fth")) != -1)
		switch (o) {
		case 'c': snprintf(d.conf, sizeof(d.conf), "%s", optarg); break;
		case 'f': foreground = true; break;
		case 't': test = true; break;
		case 'h': return usage(stdout, 0);
		default:  return usage(stderr, 2);
		}
	log_open("attestd", foreground || test);
	if (!options_load(d.conf, &d.opt, &e)) {
		log_say(LOG_ERR, "%s", e.why);
		return 2;
	}
	if (test)
		return 0;
	if (!foreground && !getenv("NOTIFY_SOCKET") && daemon(0, 0) < 0)
		return 1;
	if (!start(&d, &e)) {
		log_say(LOG_ERR, "%s", e.why);
		return 1;
	}
	log_say(LOG_NOTICE, "started: %s", reason_code(d.last.record.reason));
	d.watchdog = watchdog_ms();
	notify("READY=1");
	while (!d.stopping && turn(&d))
		;
	drain(&d);
	log_say(LOG_NOTICE, "stopped");
	return 0;
}
