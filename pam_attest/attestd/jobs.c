/* jobs.c - what the worker does next, and what comes of it. */
#include "clock.h"
#include "daemon.h"
#include "file.h"
#include "log.h"
#include "scope.h"

enum { ORDERS_AGAIN_MS = 60 * 1000 };

bool
jobs_post(struct daemon *d, const struct job *j)
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

bool
jobs_attest(struct daemon *d)
{
	if (!jobs_post(d, &(struct job){ .kind = d->last.pending ? JOB_POLL : JOB_ATTEST }))
		return false;
	d->last_round = clock_mono();
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
	if (j.text && !jobs_post(d, &j)) {
		d->outbox.next = clock_mono() + POST_AGAIN_MS;
		free(j.text);
	}
}

/* After a job of another kind: who asked for an attestation meanwhile has waited long enough. */
static void
attest_for_who_waits(struct daemon *d)
{
	if (somebody_waits(d) && !d->stopping)
		jobs_attest(d);
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
	attest_for_who_waits(d);
}

/* What came of asking for orders. */
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
	attest_for_who_waits(d);
}

void
jobs_finished(struct daemon *d)
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
		callers_lockout(d, &done);
		attest_for_who_waits(d);
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
		passports_hand_over(d, &done.outcome);
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
			caller_answer(d, c);
	}
	if (done.kind == JOB_ATTEST)
		tell_news(d, idle);
}

/* While people are refused here, or come in by an order that may end. Where no verifier answers, attesting finds out first. */
static bool
wants_orders(const struct daemon *d)
{
	if (d->last.pending || !d->last.enrolled || reason_is_outage(d->last.reason))
		return false;
	return d->leases.all.count || !is_verdict(status_reason_now(&d->last, d->boot_id));
}

void
jobs_start_due(struct daemon *d)
{
	if (d->worker.busy)
		return;
	if (clock_left(d->next_round)) {
		if (wants_orders(d) && !clock_left(d->next_orders))
			jobs_post(d, &(struct job){ .kind = JOB_ORDERS });
		tell_news(d, false);
		return;
	}
	if (d->last.pending)
		jobs_post(d, &(struct job){ .kind = JOB_POLL });
	else if (d->last.enrolled)
		jobs_post(d, &(struct job){ .kind = JOB_ATTEST });
	else
		d->next_round = clock_mono() + 3600 * 1000;
}

int
jobs_next(const struct daemon *d)
{
	int due;

	if (d->worker.busy)
		return -1;
	due = clock_left(d->next_round);
	if (wants_orders(d))
		due = sooner(due, clock_left(d->next_orders));
	return may_tell(d) ? sooner(due, outbox_wait(&d->outbox)) : due;
}
