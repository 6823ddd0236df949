/* callers.c - what each verb of attest-local(7) is answered with, now or when the worker is done. */
#include "clock.h"
#include "daemon.h"
#include "log.h"
#include "metrics.h"
#include "scope.h"

/* ms: how soon an `ask` may start a quote again, by what came of the last one. GATE section 3. */
enum { REFUSED_SPACING_MS = 5000, NEGATIVE_CACHE_MS = 5000, LOCKOUT_SPACING_MS = 10 * 1000 };

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

void
caller_answer(struct daemon *d, struct client *c)
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

void
caller_not_begun(struct daemon *d, struct client *c)
{
	if (c->verb == VERB_ASK)
		answer_ask(d, c);
	else
		client_refuse(c, "attestd cannot begin it now: no memory");
}

static void
wait_for_round(struct daemon *d, struct client *c)
{
	if (d->worker.busy || jobs_attest(d))
		c->waiting = true;
	else
		caller_not_begun(d, c);
}

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
	if (jobs_post(d, &j)) {
		d->enrolling = c;
		c->waiting = true;
	} else {
		caller_not_begun(d, c);
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

void
callers_told(struct daemon *d)
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

void
callers_lockout(struct daemon *d, const struct done *done)
{
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
}

static void
lockout(struct daemon *d, struct client *c)
{
	if (d->lockout_read && clock_mono() - d->lockout_read < LOCKOUT_SPACING_MS)
		answer_lockout(d, c);
	else if (d->worker.busy)
		client_refuse(c, "an attestation is under way; try again");
	else if (jobs_post(d, &(struct job){ .kind = JOB_TPM }))
		c->waiting = true;
	else
		client_refuse(c, "attestd cannot begin it now: no memory");
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

void
caller_request(struct daemon *d, struct client *c)
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
		passports_ask(d, c);
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

void
caller_forget(struct daemon *d, const struct client *c)
{
	if (c == d->enrolling)
		d->enrolling = NULL;
	if (c == d->traveller)
		d->traveller = NULL;
}

void
caller_late(struct client *c, void *arg)
{
	struct daemon *d = arg;

	caller_forget(d, c);
	if (c->verb == VERB_ASK)
		answer_ask(d, c);
	else if (c->number)
		client_answer(c, REASON_ATTESTD_TIMEOUT, "", NULL, 0);
	else
		client_refuse(c, "no answer in time");
}
