/* verifierd-judge: quote rows, replay and matching, on flat records. It never sees a raw log. */
#include "facts_json.h"
#include "json.h"
#include "judge_ima.h"
#include "log.h"
#include "match.h"
#include "parts.h"
#include "roles.h"
#include "sandbox.h"
#include "scope.h"
#include "tails.h"
#include "worker.h"

enum { KEY_SETS = 64, KEY_WAYS = 8, KEYS_KEPT = KEY_SETS * KEY_WAYS };

/* Making a key of its bytes costs as much as checking a signature with it. A key has KEY_WAYS places: its last byte says which. */
struct known_key { uint64_t used; uint8_t spki[TPM_PUBLIC_MAX]; size_t len; struct verify_key *key; };
struct judge {
	uint64_t tick;
	struct known_key place[KEYS_KEPT];
	/* the policy of the last question; most have the same */
	uint8_t *packed;
	size_t packed_len;
	struct policy policy;
	struct judge_rules rules;       /* for IMA */
};

static struct verify_key *
key_of(struct judge *all, const uint8_t *spki, size_t len)
{
	struct known_key *of = &all->place[(len ? spki[len - 1] : 0) % KEY_SETS * KEY_WAYS], *at = of;
	struct error e;

	for (unsigned i = 0; i < KEY_WAYS; i++) {
		struct known_key *k = &of[i];

		if (k->key && k->len == len && !memcmp(k->spki, spki, len)) {
			k->used = ++all->tick;
			return k->key;
		}
		if (k->used < at->used)
			at = k;
	}
	verify_key_free(at->key);
	*at = (struct known_key){ .len = len };
	memcpy(at->spki, spki, len);
	if (!verify_key_open(spki, len, &at->key, &e)) {
		*at = (struct known_key){ .len = 0 };
		return NULL;
	}
	at->used = ++all->tick;
	return at->key;
}

static void
keys_free(struct judge *all)
{
	for (unsigned i = 0; i < KEYS_KEPT; i++)
		verify_key_free(all->place[i].key);
	judge_rules_free(&all->rules);
	free(all->packed);
}

static bool
take_policy(struct judge *all, struct reader *in, struct error *e)
{
	struct reader part = part_take(in, "policy"), packed = part;

	if (!rd_ok(in, e))
		return false;
	if (all->packed && all->packed_len == part.left && !memcmp(all->packed, part.pos, part.left))
		return true;
	free(all->packed);
	all->packed = NULL;
	if (!policy_unpack(&packed, &all->policy, e))
		return false;
	all->packed = malloc(part.left);
	if (!all->packed)
		return err_set(e, ERR_MEMORY, "policy");
	memcpy(all->packed, part.pos, part.left);
	all->packed_len = part.left;
	return true;
}

/* Made without clearing the 60 KiB of findings: appraise_quote() or verdict_unpack() starts the verdict. */
struct judged {
	bool              held;
	struct host_facts facts;
	struct quote      quote;
	struct verdict    verdict;
	struct ima_case  *ima;          /* NULL: the policy does not judge the IMA list */
};

static struct judged *
judged_new(void)
{
	struct judged *d = malloc(sizeof(*d));

	if (d)
		d->ima = NULL;
	return d;
}

static void
drop_judged(struct judged **d)
{
	if (*d)
		free((*d)->ima);
	free(*d);
}

/* attest, signature, host facts, expectation */
static bool
take_quote(struct judge *all, struct reader *in, struct judged *out, struct error *e)
{
	struct reader attest = part_take(in, "attest"), signature = part_take(in, "signature");
	struct reader facts_part = part_take(in, "facts"), x_part = part_take(in, "expectation");
	struct expectation x;

	if (!rd_ok(in, e) || !host_facts_unpack(&facts_part, &out->facts, e) || !expectation_unpack(&x_part, &x, e))
		return false;
	out->held = appraise_quote(attest.pos, attest.left, signature.pos, signature.left, &out->facts,
	    key_of(all, out->facts.spki, out->facts.spki_len), &x, &out->quote, &out->verdict);
	return true;
}

static void
put_judged(struct writer *w, const struct judged *d)
{
	size_t mark;

	wr_u8(w, d->held, "ok");
	mark = part_begin(w, "quote");
	quote_pack(&d->quote, w);
	part_end(w, mark, "quote");
	ima_case_put(d->ima, w);
	mark = part_begin(w, "verdict");
	verdict_pack(&d->verdict, w);
	part_end(w, mark, "verdict");
}

/* -> ok, quote, IMA, verdict */
static bool
judge_quote(struct judge *all, struct reader *in, struct writer *w, struct error *e)
{
	own(judged) struct judged *d = judged_new();

	if (!d)
		return err_set(e, ERR_MEMORY, "verdict");
	if (!take_quote(all, in, d, e) || !rd_end(in, e))
		return false;
	put_judged(w, d);
	return true;
}

struct sets { unsigned count; struct known_set known[SETS_MAX]; };

static void
drop_sets(struct sets *s)
{
	for (unsigned i = 0; i < s->count; i++)
		set_free(&s->known[i].set);
}

static bool
take_sets(struct reader *in, struct sets *s, struct error *e)
{
	unsigned n = rd_u8(in, "sets");

	if (n > SETS_MAX)
		return err_set(e, ERR_LIMIT, "%u sets: over %d", n, SETS_MAX);
	for (unsigned i = 0; i < n; i++) {
		struct known_set *k = &s->known[i];
		struct reader body;

		part_text(in, k->label, sizeof(k->label), "label");
		k->active = rd_u8(in, "active") == 1;
		k->own_host = rd_u8(in, "own host") == 1;
		k->revoked = rd_u8(in, "revoked") == 1;
		k->revoked_parts = rd_be32(in, "revoked parts");
		k->active = k->active && !k->revoked;
		body = part_take(in, "set");
		if (!rd_ok(in, e) || !set_unpack(&body, &k->set, e))
			return false;
		s->count++;
		if (!rd_end(&body, e))
			return false;
	}
	return rd_end(in, e);
}

/* What parse answered: the log, or why there is none. Its bytes are untrusted again. */
static bool
take_log(struct reader *parsed, struct eventlog *log, struct error *why)
{
	char text[sizeof(why->why)];
	size_t n;

	if (rd_u8(parsed, "ok") == 1)
		return eventlog_unpack(parsed, log, why) && rd_end(parsed, why);
	n = parsed->left < sizeof(text) ? parsed->left : sizeof(text) - 1;
	if (n)
		memcpy(text, parsed->pos, n);
	text[n] = '\0';
	return err_set(why, ERR_FORMAT, "%s", text);
}

/*
 * scheme, log length, parsed log, PCR values, policy, IMA, sets: judged on top of what d has of the quote, if that held.
 * While the IMA list has not met the quote there is nothing to judge.
 */
static bool
take_boot(struct judge *all, struct reader *in, struct judged *d, struct error *e)
{
	own(sets) struct sets sets = { .count = 0 };
	own(eventlog) struct eventlog log = { .event = NULL };
	struct error why = { .code = ERR_NONE };
	struct boot_evidence boot = { .log_sent = true };
	unsigned scheme = rd_u8(in, "scheme");
	struct reader parsed, values;

	boot.log_len = rd_be32(in, "log length");
	parsed = part_take(in, "log");
	values = part_take(in, "pcr values");
	boot.pcr_values = (struct part){ values.pos, values.left, values.left > 0 };
	if (scheme >= BANK_COUNT)
		return err_set(e, ERR_FORMAT, "scheme %u", scheme);
	if (!rd_ok(in, e) || !take_policy(all, in, e) || !ima_case_take(in, &d->ima, e) || !take_sets(in, &sets, e))
		return false;
	if (!d->held)
		return true;
	boot.replayed = d->verdict.replayed;    /* of JUDGE_BOOT alone: core says that it has seen them meet */
	if (boot.log_len && take_log(&parsed, &log, &why))
		boot.log = &log;
	boot.log_error = why.why;
	if (d->ima) {
		boot.ima = &d->ima->evidence;
		if (!ima_case_walk(&all->rules, d->ima, &d->quote, (enum bank)scheme, &boot, &d->facts,
		    &d->verdict.findings, e))
			return false;
		if (d->ima->said.step == IMA_STEP_RULES || d->ima->said.step == IMA_STEP_MORE)
			return true;
	}
	appraise_boot(&boot, &d->quote, (enum bank)scheme, &d->facts, &all->policy, sets.known, sets.count,
	    &d->verdict);
	return true;
}

/* quote, host facts, verdict so far, then the boot -> IMA, verdict */
static bool
judge_boot(struct judge *all, struct reader *in, struct writer *w, struct error *e)
{
	own(judged) struct judged *d = judged_new();
	struct reader quote = part_take(in, "quote"), facts = part_take(in, "facts"), verdict = part_take(in, "verdict");
	size_t mark;

	if (!d)
		return err_set(e, ERR_MEMORY, "verdict");
	d->held = true;
	if (!rd_ok(in, e) || !quote_unpack(&quote, &d->quote, e) || !host_facts_unpack(&facts, &d->facts, e) ||
	    !verdict_unpack(&verdict, &d->verdict, e) || !take_boot(all, in, d, e))
		return false;
	ima_case_put(d->ima, w);
	mark = part_begin(w, "verdict");
	verdict_pack(&d->verdict, w);
	part_end(w, mark, "verdict");
	return true;
}

/* What judge_quote takes, then the boot -> ok, quote, IMA, verdict */
static bool
judge_both(struct judge *all, struct reader *in, struct writer *w, struct error *e)
{
	own(judged) struct judged *d = judged_new();

	if (!d)
		return err_set(e, ERR_MEMORY, "verdict");
	if (!take_quote(all, in, d, e) || !take_boot(all, in, d, e))
		return false;
	put_judged(w, d);
	return true;
}

/* --- a boot becomes a set --- */

static bool
is_active(const struct known_set *s, const void *arg)
{
	(void)arg;
	return s->active;
}

/* Would the boot be known as a whole with this set beside those that are active? */
static bool
completes(const struct measured *m, struct sets *sets, const struct reference_set *set)
{
	struct match match;

	if (sets->count == SETS_MAX)        /* they come in the order of what they count for */
		set_free(&sets->known[--sets->count].set);
	sets->known[sets->count] = (struct known_set){ .active = true, .own_host = true, .set = *set };
	match_log(m, sets->known, sets->count + 1, is_active, NULL, &match);
	return match.all;
}

/* What of it is wanted. false with nothing in why: all of it. */
static bool
wanted(enum capture_how how, const struct match *match, struct set_want *want, struct error *why)
{
	unsigned entry = 1u << COMPONENT_BOOT_ENTRY, unknown = match->unknown;
	bool kernel_known = unknown & entry && match->kernel != NO_SET;

	*want = (struct set_want){ (1u << COMPONENT_COUNT) - 1, true, how == CAPTURE_HOST };
	if (how == CAPTURE_WHOLE || (how == CAPTURE_BOOT && !(unknown == entry && kernel_known)))
		return false;
	if (!unknown)
		return err_set(why, ERR_REFUSED, "all that it measured is known and active");
	want->parts = kernel_known && how != CAPTURE_HOST ? unknown & ~entry : unknown;
	want->host_part = unknown & entry;
	return true;
}

static bool
capture(const struct eventlog *log, enum bank bank, uint32_t pcrs, enum capture_how how, struct sets *sets,
    struct reference_set *out, struct error *why)
{
	own(measured) struct measured m = { .event = NULL };
	own(set) struct reference_set set = { .entry = NULL };
	struct set_want want;
	struct match match;
	int revoked;

	if (!measured_open(log, bank, pcrs, &m, why))
		return false;
	revoked = match_revoked(&m, sets->known, sets->count);
	if (revoked != NO_SET)
		return err_set(why, ERR_REFUSED, "%s, which stands in it, is revoked", sets->known[revoked].label);
	match_log(&m, sets->known, sets->count, is_active, NULL, &match);
	if (wanted(how, &match, &want, why)) {
		if (!set_capture_some(log, bank, pcrs, &want, &set, why))
			return false;
		if (completes(&m, sets, &set)) {
			*out = set;
			set = (struct reference_set){ .entry = NULL };
			return true;
		}
		/* What is known by itself does not go together: the boot is taken as one. */
		want = (struct set_want){ (1u << COMPONENT_COUNT) - 1, true, how == CAPTURE_HOST };
	}
	return why->code == ERR_NONE && set_capture_some(log, bank, pcrs, &want, out, why);
}

/* The values as they stood beside the quote: ascending, one bank. */
static bool
values_set(struct reader *r, enum bank bank, uint32_t pcrs, bool host_only, struct reference_set *out, struct error *why)
{
	struct pcr_values values = { .there = { 0 } };

	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (pcrs & 1u << pcr)
			rd_copy(r, values.value[bank][pcr], bank_size(bank), "PCR values");
	values.there[bank] = pcrs;
	return rd_end(r, why) && set_of_values(&values, bank, host_only, out, why);
}

static void
put_captured(struct writer *w, const struct reference_set *set)
{
	wr_u8(w, 1, "ok");
	wr_be32(w, set->count, "entries");
	wr_u8(w, (uint8_t)set->parts, "parts");
	wr_u8(w, !set_serves_group(set), "own");
	set_pack(set, w);
}

/* bank, pcrs, how, parsed log or PCR values, sets -> ok, entries, parts, own, set */
static bool
judge_capture(struct reader *in, struct writer *w, struct error *why, struct error *e)
{
	own(eventlog) struct eventlog log = { .event = NULL };
	own(set) struct reference_set set = { .entry = NULL };
	own(sets) struct sets sets = { .count = 0 };
	unsigned bank = rd_u8(in, "bank");
	uint32_t pcrs = rd_be32(in, "pcrs");
	unsigned how = rd_u8(in, "how");
	struct reader parsed = part_take(in, "log");

	if (bank >= BANK_COUNT || how >= CAPTURE_COUNT)
		return err_set(e, ERR_FORMAT, "bank %u, how %u", bank, how);
	if (!rd_ok(in, e) || !take_sets(in, &sets, e))
		return false;
	if (how == CAPTURE_VALUES || how == CAPTURE_VALUES_HOST) {
		if (values_set(&parsed, (enum bank)bank, pcrs, how == CAPTURE_VALUES_HOST, &set, why))
			put_captured(w, &set);
		return true;
	}
	if (take_log(&parsed, &log, why) && capture(&log, (enum bank)bank, pcrs, (enum capture_how)how, &sets, &set, why))
		put_captured(w, &set);
	return true;
}

/* --- sets in words --- */

static struct json *
entries_json(const struct reference_set *s)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < s->count; i++) {
		const struct set_entry *x = &s->entry[i];
		struct json *o = json_new();

		json_put_text(o, "component", component_word(x->component));
		json_put_text(o, "scope", scope_word(x->scope));
		json_put_int(o, "pcr", x->pcr);
		json_put_text(o, "type", event_type_name(x->type));
		json_put_hex(o, "digest", x->digest, bank_size(s->bank));
		json_put_text(o, "text", x->text);
		json_add(list, o);
	}
	return list;
}

static struct json *
details_json(const struct findings *all, unsigned finding)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < all->ndetails; i++)
		if (all->detail[i].finding == finding)
			json_add_text(list, all->detail[i].text);
	return list;
}

static struct json *
differences_json(const struct reference_set *from, const struct reference_set *to)
{
	own(mem) struct findings *all = calloc(1, sizeof(*all));
	struct json *list = json_new_list();

	if (all)
		diff_sets(from, to, all);
	for (unsigned i = 0; all && i < all->count; i++) {
		const struct finding *f = &all->list[i];
		struct json *o = json_new();

		json_put_text(o, "code", reason_code(f->code));
		json_put_text(o, "severity", severity_word(f->severity));
		json_put_int(o, "pcr", f->pcr == FINDING_NO_PCR ? -1 : f->pcr);
		json_put_text(o, "expected", f->expected);
		json_put_text(o, "seen", f->seen);
		json_put_text(o, "text", f->text);
		json_put(o, "details", details_json(all, i));
		json_add(list, o);
	}
	return list;
}

static bool
judge_show(struct reader *in, struct writer *w, struct error *e)
{
	own(set) struct reference_set one = { .entry = NULL }, two = { .entry = NULL };
	own(json) struct json *tree = json_new();
	own(mem) char *text = NULL;
	unsigned count = rd_u8(in, "count");
	struct reader part = part_take(in, "set");
	size_t len;

	if (count < 1 || count > 2)
		return err_set(e, ERR_FORMAT, "%u sets", count);
	if (!rd_ok(in, e) || !set_unpack(&part, &one, e))
		return false;
	if (count == 2) {
		part = part_take(in, "set");
		if (!rd_ok(in, e) || !set_unpack(&part, &two, e))
			return false;
		json_put(tree, "findings", differences_json(&one, &two));
	} else {
		json_put(tree, "entries", entries_json(&one));
	}
	if (!rd_end(in, e) || !json_print(tree, false, &text, &len, e))
		return false;
	wr_u8(w, 1, "ok");
	wr_bytes(w, text, len, "text");
	return true;
}

/* origin, set -> ok, the file's text */
static bool
judge_export(struct reader *in, struct writer *w, struct error *e)
{
	own(set) struct reference_set set = { .entry = NULL };
	own(mem) char *text = NULL;
	char origin[SET_ORIGIN_TEXT];
	size_t len;
	struct reader body;

	part_text(in, origin, sizeof(origin), "origin");
	body = part_take(in, "set");
	if (!rd_end(in, e) || !set_unpack(&body, &set, e) || !rd_end(&body, e) ||
	    !set_json_write(&set, origin, &text, &len, e))
		return false;
	wr_u8(w, 1, "ok");
	wr_bytes(w, text, len, "text");
	return true;
}

/* bank, pcrs, parsed log -> ok, {"facts":{...}} */
static bool
judge_facts(struct reader *in, struct writer *w, struct error *why, struct error *e)
{
	own(eventlog) struct eventlog log = { .event = NULL };
	own(mem) struct boot_facts *f = malloc(sizeof(*f));
	own(json) struct json *tree = json_new();
	own(mem) char *text = NULL;
	unsigned bank = rd_u8(in, "bank");
	uint32_t pcrs = rd_be32(in, "pcrs");
	struct reader parsed = part_take(in, "log");
	size_t len;

	if (!f)
		return err_set(e, ERR_MEMORY, "facts");
	if (!rd_end(in, e) || bank >= BANK_COUNT)
		return bank < BANK_COUNT ? false : err_set(e, ERR_FORMAT, "bank %u", bank);
	if (!take_log(&parsed, &log, why))
		return true;
	boot_facts_read(&log, (enum bank)bank, pcrs, f);
	json_put(tree, "facts", facts_json(f));
	if (!json_print(tree, false, &text, &len, e))
		return false;
	wr_u8(w, 1, "ok");
	wr_bytes(w, text, len, "text");
	return true;
}

static bool
dispatch(struct judge *all, struct frame *f, struct writer *w, struct error *why, struct error *e)
{
	switch (f->type) {
	case MSG_JUDGE_QUOTE:
		return judge_quote(all, &f->payload, w, e);
	case MSG_JUDGE_BOOT:
		return judge_boot(all, &f->payload, w, e);
	case MSG_JUDGE_BOTH:
		return judge_both(all, &f->payload, w, e);
	case MSG_JUDGE_CAPTURE:
		return judge_capture(&f->payload, w, why, e);
	case MSG_JUDGE_FACTS:
		return judge_facts(&f->payload, w, why, e);
	case MSG_JUDGE_SHOW:
		return judge_show(&f->payload, w, e);
	case MSG_JUDGE_EXPORT:
		return judge_export(&f->payload, w, e);
	default:
		return err_set(e, ERR_FORMAT, "%s is not for the judge", message_name(f->type));
	}
}

static enum message
answer_type(enum message question)
{
	switch (question) {
	case MSG_JUDGE_QUOTE:
	case MSG_JUDGE_BOTH:    return MSG_JUDGED_QUOTE;
	case MSG_JUDGE_BOOT:    return MSG_JUDGED_BOOT;
	case MSG_JUDGE_CAPTURE: return MSG_CAPTURED;
	case MSG_JUDGE_EXPORT:  return MSG_EXPORTED;
	case MSG_JUDGE_FACTS:
	case MSG_JUDGE_SHOW:    return MSG_SHOWN;
	default:                return MSG_COUNT;       /* dispatch() refuses it */
	}
}

static bool
answer(void *state, struct frame *f, enum message *type, uint8_t **out, size_t *len, struct error *e)
{
	struct error why = { .code = ERR_NONE };
	own(mem) uint8_t *buf = NULL;
	struct writer w;
	size_t size;

	*type = MSG_COUNT;
	if (f->type == MSG_JUDGE_RULES)
		return judge_rules_keep(&((struct judge *)state)->rules, f, e);
	*type = answer_type(f->type);
	size = message_max(*type);
	buf = malloc(size);
	if (!buf)
		return err_set(e, ERR_MEMORY, "answer");
	w = wr_open(buf, size);
	if (!dispatch(state, f, &w, &why, e))
		return false;
	if (why.code != ERR_NONE)
		return worker_refusal(&why, out, len, e);
	if (!wr_ok(&w, e))
		return false;
	*len = w.used;
	*out = give(buf);
	return true;
}

int
main(int argc, char **argv)
{
	struct judge *all = calloc(1, sizeof(*all));
	struct error e = { .code = ERR_NONE };
	struct role_start s;
	int status;

	role_begin(argc, argv, "verifierd-judge", false, &s);
	if (!all || !sandbox_enter(ROLE_JUDGE, &s, NULL, &e)) {
		log_say(LOG_ERR, "%s", e.why);
		return 1;
	}
	role_ready();
	status = worker_loop(ROLE_JUDGE, answer, all);
	keys_free(all);
	free(all);
	return status;
}
