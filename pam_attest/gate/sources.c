#include <stdio.h>
#include <string.h>
#include "gate_ask.h"

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void
answer_say(struct answer *a, enum reason why, const char *ref, int64_t age)
{
	a->heard = true;
	a->state = reason_state(why);
	a->reason = why;
	a->age = age;
	snprintf(a->ref, sizeof(a->ref), "%s", ref);
}

/* What attestd says when it could not reach a verifier, whatever it calls it: the gate's own `grace` decides. */
static enum reason
without_grace(enum reason r)
{
	return r == REASON_GRACE ? REASON_VERIFIER_UNREACHABLE : r;
}

/* A verdict counts for this boot, inside its lifetime, and younger than max_age; a refusal counts always. */
static void
ask_cache(struct facts *f, struct answer *a)
{
	const struct record *r = &f->record;
	int64_t age = f->now.boot - r->issued_boot;
	enum reason why;

	if (!f->recorded) {
		answer_say(a, f->unrecorded, "", -1);
		return;
	}
	why = record_usable(r, f->boot_id, &f->now);
	if (facts_negative(f) || (why == REASON_OK && r->reason != REASON_GRACE &&
	    (!f->conf->max_age || age <= f->conf->max_age)))
		answer_say(a, r->reason, r->ref, age);
	else if (why == REASON_NOT_ATTESTED && !strcmp(r->boot_id, f->boot_id) && r->state != STATE_AFFIRMING &&
	    r->state != STATE_WARNING)
		answer_say(a, r->reason, r->ref, -1);       /* no verdict, and attestd says why */
	else if (r->reason == REASON_GRACE)
		answer_say(a, REASON_VERIFIER_UNREACHABLE, "", -1);
	else
		answer_say(a, why == REASON_OK ? REASON_VERDICT_EXPIRED : why, "", -1);
}

/* attestd attests now. */
static void
ask_quote(struct facts *f, struct answer *a)
{
	struct local_out ask;
	struct reply r;
	enum reason why;

	gate_ask_open(f, "ask", &ask);
	why = without_grace(gate_ask(f, &ask, &r));
	f->asked = true;
	f->why = why;
	f->now = clock_now();
	facts_read_record(f);
	answer_say(a, why, reason_state(why) == STATE_CONTRAINDICATED || r.ok ? r.ref : "",
	    f->recorded && record_usable(&f->record, f->boot_id, &f->now) == REASON_OK ? f->now.boot - f->record.issued_boot : -1);
}

/* What the record says of now: an expired good verdict, or an outage. Not a warning, not a refusal. */
static bool
grace_applies(const struct facts *f)
{
	const struct record *r = &f->record;
	bool tpm_out = r->state == STATE_BROKEN && reason_outage(r->reason);

	if (!f->recorded || !f->boot_id[0] || strcmp(r->boot_id, f->boot_id) != 0 || !r->good_this_boot)
		return false;
	if (!r->upstream_out && !tpm_out && !(f->asked && reason_state(f->why) == STATE_BROKEN))
		return false;
	if (f->asked && !reason_outage(f->why))
		return false;
	return r->state == STATE_AFFIRMING || r->reason == REASON_GRACE || reason_outage(r->reason);
}

/* GATE, source grace: bounded by the section and by what the verifier signed, on the clocks we have. */
static void
ask_grace(struct facts *f, struct answer *a)
{
	const struct record *r = &f->record;
	int64_t most = f->recorded ? least(f->conf->grace, r->grace_max) : 0;

	if (!grace_applies(f) || !most)
		return;
	if (!r->good_issued_wall || r->good_expires_wall < r->good_issued_wall ||
	    r->good_expires_wall - r->good_issued_wall > RECORD_LIFETIME_MAX_MS)
		return;
	if (f->now.wall < r->good_issued_wall || f->now.wall >= r->good_issued_wall + most)
		return;
	/* The wall clock can be set back; the boot's own cannot. */
	if (r->state == STATE_AFFIRMING && f->now.boot >= r->issued_boot + most)
		return;
	answer_say(a, REASON_GRACE, r->ref, f->now.wall - r->good_issued_wall);
}

void
source_ask(enum source s, struct facts *f, struct answer *a)
{
	enum reason why;

	*a = (struct answer){ .age = -1 };
	switch (s) {
	case SOURCE_EXEMPT:
		why = exempt_reason(f);
		a->exempt = why != REASON_OK;
		if (a->exempt)
			answer_say(a, why, "", -1);
		return;
	case SOURCE_CACHE: ask_cache(f, a); return;
	case SOURCE_QUOTE: ask_quote(f, a); return;
	case SOURCE_GRACE: ask_grace(f, a); return;
	case SOURCE_LEASE: ask_lease(f, a); return;
	case SOURCE_PEER: ask_peer(f, a); return;
	case SOURCE_PASSPORT: ask_passport(f, a); return;
	case SOURCE_COUNT:
		return;
	}
}
