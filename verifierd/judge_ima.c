#include "judge_ima.h"
#include "parts.h"
#include "scope.h"

/* --- rules --- */

static void
drop_kept(struct kept_rules *k)
{
	ima_rules_free(&k->rules);
	frame_free(&k->frame);
	*k = (struct kept_rules){ .frame.peer_fd = -1 };
}

void
judge_rules_free(struct judge_rules *all)
{
	for (unsigned i = 0; i < RULES_KEPT; i++)
		if (all->kept[i].used)
			drop_kept(&all->kept[i]);
}

static const struct ima_rules *
find_rules(struct judge_rules *all, const uint8_t digest[static SHA256_SIZE])
{
	for (unsigned i = 0; i < RULES_KEPT; i++)
		if (all->kept[i].used && !memcmp(all->kept[i].digest, digest, SHA256_SIZE)) {
			all->kept[i].used = ++all->tick;
			return &all->kept[i].rules;
		}
	return NULL;
}

bool
judge_rules_keep(struct judge_rules *all, struct frame *f, struct error *e)
{
	struct kept_rules *at = &all->kept[0];
	struct reader *r = &f->payload;
	uint8_t digest[SHA256_SIZE];

	rd_copy(r, digest, sizeof(digest), "digest");
	if (!rd_ok(r, e) || find_rules(all, digest))
		return rd_ok(r, e);
	for (unsigned i = 1; i < RULES_KEPT; i++)
		if (all->kept[i].used < at->used)
			at = &all->kept[i];
	if (at->used)
		drop_kept(at);
	if (!ima_rules_unpack(r, &at->rules, e))
		return false;
	if (!rd_end(r, e)) {
		ima_rules_free(&at->rules);
		return false;
	}
	at->frame = *f;
	*f = (struct frame){ .peer_fd = -1 };
	memcpy(at->digest, digest, sizeof(digest));
	at->used = ++all->tick;
	return true;
}

/* --- one step --- */

bool
ima_case_take(struct reader *in, struct ima_case **out, struct error *e)
{
	struct reader ask = part_take(in, "IMA"), state = part_take(in, "IMA state"), list = part_take(in, "IMA list");
	struct ima_case *c;
	struct ima_ask a;

	if (!rd_ok(in, e) || !ima_ask_unpack(&ask, &a, e))
		return false;
	if (!a.wanted)
		return true;
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, ERR_MEMORY, "IMA");
	c->ask = a;
	c->state = state;
	c->list = list;
	*out = c;
	return true;
}

/* The state of this boot under these rules; of another one nothing counts. */
static bool
state_before(struct ima_case *c, const struct quote *quote, struct ima_state *out, struct error *e)
{
	struct ima_boot boot = { .ak = c->ask.ak, .reset_count = quote->reset_count, .restart_count = quote->restart_count,
		.policy_version = c->ask.policy_version };

	memcpy(boot.boot_id, c->ask.boot_id, sizeof(boot.boot_id));
	memcpy(boot.rules, c->ask.rules, sizeof(boot.rules));
	if (!ima_key_digest(&boot, c->said.key))
		return err_set(e, ERR_CRYPTO, "no hash");
	if (c->state.left && (!ima_state_unpack(&c->state, out, e) || !rd_end(&c->state, e)))
		return false;
	if (!same_bytes(out->key, c->said.key, sizeof(out->key))) {
		memset(out, 0, sizeof(*out));
		memcpy(out->key, c->said.key, sizeof(out->key));
	}
	return true;
}

/* What parse said: packed entries, or why there are none. Untrusted again. */
static bool
open_list(struct ima_case *c, struct ima_list *out)
{
	char text[sizeof(c->why.why)];
	size_t n;

	if (!c->list.left) {
		*out = (struct ima_list){ .first = c->ask.at };
		return true;
	}
	if (rd_u8(&c->list, "ok") == 1)
		return ima_list_open(&c->list, out, &c->why) && rd_end(&c->list, &c->why);
	n = c->list.left < sizeof(text) ? c->list.left : sizeof(text) - 1;
	memcpy(text, c->list.pos, n);
	text[n] = '\0';
	return err_set(&c->why, ERR_FORMAT, "%s", text);
}

static void
say(struct ima_case *c)
{
	c->said.step = c->answer.outcome == IMA_MORE ? IMA_STEP_MORE : IMA_STEP_DONE;
	c->said.next = c->answer.next;
	c->said.entries = c->after.accepted.entries;
	c->said.violations = c->after.sure.violations;
	c->said.pending = c->answer.pending;
	c->said.refused = c->after.sure.bad;
	c->evidence.answer = &c->answer;
}

/*
 * What the list is walked beside: the log, or the PCRs' values where an approver has said that this host has no log that
 * replays, and none of it ever has. False: there is neither.
 */
static bool
find_boot(struct ima_case *c, struct ima_walk *walk, const struct boot_evidence *boot, const struct host_facts *host,
    struct replay *values)
{
	if (host->class != CLASS_LOG && !host->gave_log && values_as_boot(boot, walk->quote, walk->scheme, walk->rules->pcrs, values)) {
		walk->boot = values;
		c->evidence.by_values = true;
	} else {
		walk->log = boot->log;
	}
	return walk->boot || walk->log;
}

bool
ima_case_walk(struct judge_rules *all, struct ima_case *c, const struct quote *quote, enum bank scheme,
    const struct boot_evidence *boot, const struct host_facts *host, struct findings *findings, struct error *e)
{
	own(mem) struct ima_state *before = calloc(1, sizeof(*before));
	struct ima_walk walk = { .quote = quote, .scheme = scheme, .key = c->said.key, .hint = c->ask.hint,
		.last = c->ask.last, .work = IMA_WORK_MAX };
	struct replay values;

	c->evidence.sent = c->ask.sent;
	c->evidence.error = c->why.why;
	if (!before)
		return err_set(e, ERR_MEMORY, "IMA state");
	if (!c->ask.sent)
		return true;
	walk.rules = find_rules(all, c->ask.rules);
	if (!walk.rules) {
		c->said.step = IMA_STEP_RULES;
		return true;
	}
	if (!find_boot(c, &walk, boot, host, &values))
		return true;
	if (!state_before(c, quote, before, e))
		return false;
	if (!open_list(c, &walk.list))
		return true;
	if (!check_ima(before, &walk, &c->after, findings, &c->answer, e))
		return false;
	say(c);
	return true;
}

void
ima_case_put(const struct ima_case *c, struct writer *w)
{
	static const struct ima_said nothing;
	size_t mark = part_begin(w, "IMA");

	ima_said_pack(c ? &c->said : &nothing, w);
	part_end(w, mark, "IMA");
	mark = part_begin(w, "IMA state");
	if (c && (c->said.step == IMA_STEP_MORE || c->said.step == IMA_STEP_DONE))
		ima_state_pack(&c->after, w);
	part_end(w, mark, "IMA state");
}
