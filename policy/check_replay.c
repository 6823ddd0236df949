/* One row of the boot's table: does the log give what was quoted, and if not, which PCRs differ? */
#include <stdio.h>
#include <string.h>
#include "check_ima.h"
#include "scope.h"
#include "tails.h"
#include "verdict.h"

enum { PCR_LIST_TEXT = 96 };

/* "4, 7" */
static void
list_pcrs(uint32_t pcrs, char out[static PCR_LIST_TEXT])
{
	size_t at = 0;

	*out = '\0';
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (pcrs & 1u << pcr)
			at += (size_t)snprintf(out + at, PCR_LIST_TEXT - at, "%s%u", at ? ", " : "", pcr);
}

static void
say_tail(struct verdict *v, const struct tail *t)
{
	struct finding *f;
	unsigned last = 0;

	if (!t)
		return;
	while (last + 1 < TAIL_EXTENDS_MAX && t->extends[last + 1])
		last++;
	f = finding_add(&v->findings, REASON_OK, SEVERITY_INFO, CLAIM_EXECUTABLES);
	f->pcr = t->pcr;
	finding_say(f->seen, "%s", t->extends[last]);
	finding_say(f->text, "PCR %u also holds %s, which the log does not record", t->pcr, t->words);
}

static void
say_tails(struct verdict *v, const struct tails *t)
{
	say_tail(v, t->exit_boot);
	say_tail(v, t->phases);
	for (enum bank b = 0; b < BANK_COUNT; b++)
		if (t->capped & 1u << b)
			finding_say(finding_add(&v->findings, REASON_OK, SEVERITY_INFO, CLAIM_CONFIGURATION)->text,
			    "%s is capped with zeros, as Windows does with a bank that it does not use", bank_word(b));
}

/* The bank that is judged comes first, if it is not SHA-1. */
static enum bank
first_bank(const struct selection *s)
{
	enum bank bank = BANK_SHA256;

	for (unsigned i = s->count; i-- > 0;)
		if (s->bank[i].alg != bank_alg(BANK_SHA1) || s->count == 1)
			(void)bank_of_alg(s->bank[i].alg, &bank);
	return bank;
}

static void
put_states(struct verdict *v, const struct replay_states *s, const struct selection *sel)
{
	enum bank b = first_bank(sel);

	v->pcrs = (struct replayed_pcrs){ .bank = b };
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
		uint32_t bit = 1u << pcr;

		switch (s->state[b][pcr]) {
		case PCR_VERIFIED:   v->pcrs.verified |= bit; break;
		case PCR_MISMATCH:   v->pcrs.mismatch |= bit; break;
		case PCR_NOT_LOGGED: v->pcrs.not_logged |= bit; break;
		case PCR_NOT_QUOTED:
		case PCR_STATE_COUNT: break;
		}
	}
}

/* "sha256: PCR 4, 7: the log gives other values" */
static void
name_differences(const struct replay_states *s, struct error *e)
{
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		char wrong[PCR_LIST_TEXT], unlogged[PCR_LIST_TEXT];
		uint32_t mismatch = 0;

		if (!s->differs[b])
			continue;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
			mismatch |= s->state[b][pcr] == PCR_MISMATCH ? 1u << pcr : 0;
		list_pcrs(mismatch, wrong);
		list_pcrs(s->differs[b] & ~mismatch, unlogged);
		(void)err_set(e, ERR_MISMATCH, "%s: %s%s%s%s%s", bank_word(b), mismatch ? "the log gives other values for PCR " : "",
		    wrong, mismatch && *unlogged ? "; " : "", *unlogged ? "it has nothing for what is in PCR " : "", unlogged);
		return;
	}
}

/* Diagnosis alone: what the host says of its PCRs is taken only if it hashes to what was quoted. */
static void
tell_difference(const struct boot_evidence *ev, const struct quote *q, enum bank scheme, const struct replay *r,
    struct verdict *v, struct error *e)
{
	struct error why = { .code = ERR_NONE };
	struct pcr_values values;
	struct replay_states states;

	if (!verdict_values(v, ev, q, scheme, &values, &why) || !replay_states_compare(r, &values, &states, &why))
		return;
	put_states(v, &states, &q->selection);
	say_tails(v, &states.tails);
	name_differences(&states, e);
}

bool
check_replay(const struct boot_evidence *ev, const struct quote *q, enum bank scheme, struct verdict *v, struct error *e)
{
	struct replay_states states;
	struct replay r;
	struct tails tails;

	if (!eventlog_replay(ev->log, &r, e))
		return false;
	if (tails_find(&r, &q->selection, scheme, q->pcr_digest, q->pcr_digest_len, &tails, e)) {
		say_tails(v, &tails);
		replay_states_held(&r, &q->selection, &states);
		put_states(v, &states, &q->selection);
		return true;
	}
	if (e->code == ERR_MISMATCH)
		tell_difference(ev, q, scheme, &r, v, e);
	return false;
}

bool
check_replay_with_ima(const struct ima_answer *a, const struct quote *q, struct verdict *v)
{
	struct replay_states states;
	uint8_t ways = 0;

	/* It may have met the quote and refused a file all the same. */
	for (enum bank b = 0; b < BANK_COUNT; b++)
		ways |= a->ways[b];
	if (!ways)
		return false;
	say_tails(v, &a->tails);
	replay_states_held(&a->values, &q->selection, &states);
	put_states(v, &states, &q->selection);
	return true;
}
