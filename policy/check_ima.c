/*
 * One step of an IMA walk. First with the ways that modern kernels have, and only around the count that
 * the host says; when that gives no match, entry by entry in every way that is possible.
 */
#include <stdlib.h>
#include <string.h>
#include "boot_aggregate.h"
#include "check_ima.h"
#include "composite.h"
#include "ima_judge.h"
#include "scope.h"

enum ended { MATCHED, AT_END, SPENT };

struct walking {
	const struct ima_walk *in;
	struct composite       composite;
	struct ima_judge       judge;
	struct ima_position    at;
	struct ima_list        list;            /* what is still to be read */
	struct tails           tails;
	uint64_t               work;
};

static void
drop_walking(struct walking **slot)
{
	struct walking *w = *slot;

	if (!w)
		return;
	composite_free(&w->composite);
	ima_judge_free(&w->judge);
	free(w);
}

/* Where a boot begins: what the boot log leaves in the PCRs that IMA extends. */
static void
position_start(const struct ima_walk *in, const struct replay *boot, struct ima_position *p)
{
	*p = (struct ima_position){ .npcrs = (uint8_t)__builtin_popcount(in->rules->pcrs) };
	for (unsigned i = 0; i < in->quote->selection.count; i++) {
		unsigned k = 0;
		enum bank b;

		if (!bank_of_alg(in->quote->selection.bank[i].alg, &b) || !(in->quote->selection.bank[i].pcrs & in->rules->pcrs))
			continue;
		p->ways[b] = b == BANK_SHA1 ? 1u << IMA_WAY_REAL : (1u << IMA_WAY_COUNT) - 1;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
			if (in->rules->pcrs & 1u << pcr) {
				for (unsigned way = 0; way < IMA_WAY_COUNT; way++)
					memcpy(p->value[b][k][way], boot->value[b][pcr], DIGEST_MAX);
				k++;
			}
	}
}

/* Which of the rules' PCRs is it, in the order of their bits? */
static unsigned
index_of(uint32_t pcrs, unsigned pcr)
{
	return (unsigned)__builtin_popcount(pcrs & ((1u << pcr) - 1));
}

/* The values behind one more entry. */
static bool
extend(struct walking *w, const struct ima_entry *x, struct error *e)
{
	unsigned k = index_of(w->in->rules->pcrs, x->pcr);
	uint8_t sha1[DIGEST_MAX] = { 0 };
	bool have_sha1 = false;

	for (enum bank b = 0; b < BANK_COUNT; b++)
		for (unsigned way = 0; way < IMA_WAY_COUNT; way++) {
			uint8_t own_hash[DIGEST_MAX], *with = own_hash;

			if (!(w->at.ways[b] & 1u << way))
				continue;
			if (x->violation) {
				memset(own_hash, 0, sizeof(own_hash));
				memset(own_hash, 0xff, way == IMA_WAY_PADDED_OLD ? bank_size(BANK_SHA1) : bank_size(b));
			} else if (way == IMA_WAY_REAL) {
				w->work += 1 + x->data_len / 1024;
				if (!ima_template_hash(&w->judge.hashers, b, x, w->list.form.big_endian, own_hash))
					return err_set(e, ERR_CRYPTO, "%s", bank_word(b));
			} else {
				w->work += have_sha1 ? 0 : 1 + x->data_len / 1024;
				if (!have_sha1 && !ima_template_hash(&w->judge.hashers, BANK_SHA1, x, w->list.form.big_endian, sha1))
					return err_set(e, ERR_CRYPTO, "sha1");
				have_sha1 = true;
				with = sha1;
			}
			w->work++;
			if (!hashers_extend(&w->judge.hashers, b, w->at.value[b][k][way], with))
				return err_set(e, ERR_CRYPTO, "%s", bank_word(b));
		}
	return true;
}

/* An entry that no quoted PCR covers says nothing, and must not be passed over. */
static bool
covered(const struct walking *w, unsigned pcr)
{
	const struct selection *s = &w->in->quote->selection;
	enum bank b;

	for (unsigned i = 0; w->in->rules->pcrs & 1u << pcr && i < s->count; i++)
		if (bank_of_alg(s->bank[i].alg, &b) && s->bank[i].pcrs & 1u << pcr)
			return true;
	return false;
}

static bool
entry(struct walking *w, const struct ima_entry *x, struct error *e)
{
	struct ima_fields f;
	struct error why = { .code = ERR_NONE };
	bool readable = ima_fields_read(x, w->list.form.big_endian, &f, &why);

	w->at.entries = x->number + 1;
	if (!covered(w, x->pcr)) {
		ima_judge_uncovered(&w->judge, x);
		return true;
	}
	/* Old data that cannot be read cannot be hashed: no such entry was measured. */
	if (!readable && !x->violation && !strcmp(x->name, "ima")) {
		ima_judge_malformed(&w->judge, x, why.why);
		return true;
	}
	if (readable)
		allow_list_expect(&w->in->rules->allow, &f);
	if (!extend(w, x, e))
		return false;
	w->work += ima_judge_entry(&w->judge, x, readable ? &f : NULL, why.why);
	return true;
}

/* Has the composite been reached? Leaves only the ways that reached it. */
static bool
matches(struct walking *w, bool *yes, struct error *e)
{
	return composite_matches(&w->composite, &w->judge.hashers, &w->at, &w->tails, yes, &w->work, e);
}

/* Entries before the position are known: read, and passed over. */
static bool
skip(struct walking *w, struct error *e)
{
	struct ima_entry x;

	while (w->list.read < w->list.count && w->list.first + w->list.read < w->at.entries)
		if (!ima_list_next(&w->list, &x, e))
			return false;
	return true;
}

/* No quote will ever cover these, so they do not wait for one: what follows a match and extends another PCR is found now. */
static bool
run_on(struct walking *w, struct error *e)
{
	struct ima_entry x;

	while (w->list.read < w->list.count) {
		struct ima_list before = w->list;

		if (!ima_list_next(&w->list, &x, e))
			return false;
		if (covered(w, x.pcr)) {
			w->list = before;
			break;
		}
		if (!entry(w, &x, e))
			return false;
	}
	return true;
}

/*
 * From where the state stands on, until the composite matches, the list or the work ends. It is looked at
 * behind entry `from` up to `to`.
 */
static bool
run(struct walking *w, const struct ima_state *s, uint64_t from, uint64_t to, uint64_t work, enum ended *ended, struct error *e)
{
	struct ima_entry x;
	bool yes = false;

	ima_judge_again(&w->judge, &s->maybe);
	w->list = w->in->list;
	if (!skip(w, e))
		return false;
	for (;;) {
		if (w->at.entries >= from && w->at.entries <= to && !matches(w, &yes, e))
			return false;
		*ended = yes ? MATCHED : w->list.read == w->list.count || w->at.entries >= to ? AT_END : SPENT;
		if (yes && w->at.entries)
			return run_on(w, e);
		if (*ended != SPENT || (w->work >= work && w->at.entries > s->walked.entries))
			return true;
		if (!ima_list_next(&w->list, &x, e) || !entry(w, &x, e))
			return false;
	}
}

static void
modern_only(struct ima_position *p)
{
	for (enum bank b = 0; b < BANK_COUNT; b++)
		if (p->ways[b] & 1u << IMA_WAY_REAL)
			p->ways[b] = 1u << IMA_WAY_REAL;
}

static bool
run_both(struct walking *w, const struct ima_state *s, enum ended *ended, struct error *e)
{
	uint64_t end = w->in->list.first + w->in->list.count, hint = w->in->hint;

	w->at = s->walked;
	if (hint && hint <= end && hint >= s->walked.entries) {
		modern_only(&w->at);
		if (!run(w, s, hint > IMA_HINT_SLACK ? hint - IMA_HINT_SLACK : 0, hint + IMA_HINT_SLACK, w->in->work / 2, ended, e))
			return false;
		if (*ended == MATCHED)
			return true;
		w->at = s->walked;
	}
	return run(w, s, 0, UINT64_MAX, w->in->work, ended, e);
}

/* --- what becomes of it --- */

static struct finding *
refuse(struct ima_answer *a, struct findings *all, enum reason reason)
{
	struct finding *f = finding_add(all, reason, SEVERITY_ALARMING, CLAIM_EXECUTABLES);

	a->outcome = IMA_REFUSED;
	a->reason = reason;
	return f;
}

static void
say(struct finding *f, const char *why)
{
	finding_say(f->text, "%s: %s", reason_text(f->code), why);
}

/* The composite matches: what was found up to here is so. */
static bool
matched(struct walking *w, struct ima_state *s, struct findings *all, struct ima_answer *a, struct error *e)
{
	const struct ima_found *found = &w->judge.found;

	a->pending = w->list.count - w->list.read;
	a->tails = w->tails;
	memcpy(a->ways, w->at.ways, sizeof(a->ways));
	if (!w->at.entries) {
		say(refuse(a, all, REASON_IMA_MISSING), "the PCRs that IMA extends are as the boot log leaves them");
		s->walked = s->accepted;
		return true;
	}
	if (!composite_values(&w->composite, w->in->rules->pcrs, &w->at, &w->tails, &a->values))
		return err_set(e, ERR_CRYPTO, "PCR values");
	ima_judge_say(&w->judge, all);
	s->sure = s->maybe = *found;
	if (found->bad) {
		a->outcome = IMA_REFUSED;
		a->reason = found->first.code;
		s->walked = s->accepted;
		return true;
	}
	s->accepted = s->walked = w->at;
	a->outcome = IMA_MATCHED;
	a->reason = found->kexec ? REASON_KEXEC : found->warned ? REASON_IMA_UNSTEADY : REASON_OK;
	return true;
}

static void
not_matched(struct walking *w, enum ended ended, const struct ima_state *before, struct ima_state *s, struct findings *all,
    struct ima_answer *a)
{
	bool moved = w->at.entries > before->walked.entries;

	/* Nothing new, from a host that has more, is what it sent before: an answer was lost on its way. */
	if ((!w->in->last && w->in->list.count) || (moved && ended == SPENT)) {
		s->walked = w->at;
		s->maybe = w->judge.found;
		a->outcome = IMA_MORE;
		return;
	}
	if (!w->at.entries)
		say(refuse(a, all, REASON_IMA_MISSING), "no entry came");
	else
		finding_say(refuse(a, all, REASON_IMA_MISMATCH)->text, "%s: %llu entries were tried", reason_text(REASON_IMA_MISMATCH),
		    (unsigned long long)w->at.entries);
	s->walked = s->accepted;
	s->maybe = s->sure;
}

/* Which quote is it? Its nonce makes it one of a kind. */
static bool
quote_id(const struct quote *q, uint8_t out[static SHA256_SIZE], struct error *e)
{
	uint8_t buf[sizeof(q->extra) + DIGEST_MAX + 8];
	struct writer w = wr_open(buf, sizeof(buf));

	wr_bytes(&w, q->extra, q->extra_len, "extra data");
	wr_bytes(&w, q->pcr_digest, q->pcr_digest_len, "digest");
	wr_be64(&w, q->clock, "clock");
	if (!wr_ok(&w, e))
		return false;
	return digest_sha256(buf, w.used, out) || err_set(e, ERR_CRYPTO, "quote");
}

/* The state that this step begins with: none of another key, and nothing walked for another quote. */
static bool
state_start(const struct ima_state *before, const struct ima_walk *in, const struct replay *boot, struct ima_state *s, struct error *e)
{
	uint8_t id[SHA256_SIZE];

	*s = *before;
	if (!quote_id(in->quote, id, e))
		return false;
	if (!same_bytes(s->key, in->key, SHA256_SIZE)) {
		*s = (struct ima_state){ .accepted = { .entries = 0 } };
		memcpy(s->key, in->key, SHA256_SIZE);
	}
	if (!s->accepted.npcrs)
		position_start(in, boot, &s->accepted);
	if (!same_bytes(s->quote, id, SHA256_SIZE) || s->walked.entries < s->accepted.entries || !s->walked.npcrs) {
		s->walked = s->accepted;
		s->maybe = s->sure;
		memcpy(s->quote, id, SHA256_SIZE);
	}
	return true;
}

/* Banks and PCRs of another selection than the state was made for cannot be gone on with. */
static bool
fits(const struct ima_position *p, const struct ima_walk *in)
{
	const struct selection *s = &in->quote->selection;
	unsigned walked = 0;

	if (p->npcrs != __builtin_popcount(in->rules->pcrs))
		return false;
	for (unsigned i = 0; i < s->count; i++) {
		enum bank b;

		if (!bank_of_alg(s->bank[i].alg, &b) || !(s->bank[i].pcrs & in->rules->pcrs))
			continue;
		if (!p->ways[b])
			return false;
		walked++;
	}
	return walked != 0;
}

/* Of what was sent, not of this program. */
static bool
is_theirs(const struct error *e)
{
	return e->code != ERR_MEMORY && e->code != ERR_CRYPTO;
}

static bool
step(struct walking *w, const struct replay *boot, struct ima_state *s, struct findings *all, struct ima_answer *a, struct error *e)
{
	struct ima_state start = *s;
	enum ended ended;
	bool opened = composite_open(&w->composite, boot, w->in->quote, w->in->scheme, w->in->rules->pcrs, e);

	if (opened && run_both(w, &start, &ended, e)) {
		if (ended == MATCHED)
			return matched(w, s, all, a, e);
		not_matched(w, ended, &start, s, all, a);
		return true;
	}
	if (!is_theirs(e))
		return false;
	say(refuse(a, all, opened ? REASON_IMA_MALFORMED : REASON_IMA_MISMATCH), e->why);
	s->walked = s->accepted;
	s->maybe = s->sure;
	return true;
}

bool
check_ima(const struct ima_state *before, const struct ima_walk *in, struct ima_state *after, struct findings *all,
    struct ima_answer *out, struct error *e)
{
	own(walking) struct walking *w = calloc(1, sizeof(*w));
	own(mem) struct ima_state *s = calloc(1, sizeof(*s));
	struct ima_answer a = { .outcome = IMA_REFUSED, .reason = REASON_IMA_MISMATCH };
	struct replay boot;

	if (!w || !s)
		return err_set(e, ERR_MEMORY, "IMA");
	if (in->boot)
		boot = *in->boot;
	else if (!in->log || !eventlog_replay(in->log, &boot, e))
		return in->log ? false : err_set(e, ERR_MISSING, "neither a boot log nor its PCRs");
	w->in = in;
	ima_judge_open(&w->judge, in->rules, in->log);
	if (!state_start(before, in, &boot, s, e))
		return false;
	if (s->sure.bad) {
		a.reason = s->sure.first.code;
		*finding_add(all, a.reason, SEVERITY_ALARMING, CLAIM_EXECUTABLES) = s->sure.first;
	} else if (!fits(&s->accepted, in)) {
		say(refuse(&a, all, REASON_IMA_MISSING), "the quote does not cover the PCRs that IMA extends");
	} else if (in->list.first > s->walked.entries) {
		a.outcome = IMA_MORE;
	} else if (!step(w, &boot, s, all, &a, e)) {
		return false;
	}
	a.next = a.outcome == IMA_MORE ? s->walked.entries : s->accepted.entries;
	a.work = w->work;
	*after = *s;
	*out = a;
	return true;
}
