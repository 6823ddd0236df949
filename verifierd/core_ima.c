/* The IMA list of a host: from which entry on, in how many parts, and how far it has been accepted. POLICY section 3. */
#include "check_ima.h"
#include "evidence_job.h"
#include "ima_walks.h"
#include "log.h"
#include "parts.h"
#include "scope.h"

void
ima_job_free(struct ima_job *i)
{
	ima_row_free(&i->stored);
	frame_free(&i->parsed);
	free(i->state);
}

static bool
load_row(struct core *c, const char *host_id, bool *had, struct ima_row *out, struct error *e)
{
	*had = store_ima(c->store, host_id, out, e);
	return *had || e->code == ERR_MISSING;
}

bool
ima_position(struct core *c, const struct host_row *h, const struct ima_use *use, const char *boot_id, uint64_t *from,
    struct error *e)
{
	struct ima_boot boot = { .ak = h->key.ak, .reset_count = h->reset_count, .restart_count = h->restart_count,
		.policy_version = use->policy_version };
	own(ima_row) struct ima_row row = { .state = NULL };
	uint8_t key[SHA256_SIZE];
	bool had;

	*from = 0;
	if (!use->on)
		return true;
	if (!load_row(c, h->id, &had, &row, e))
		return false;
	memcpy(boot.boot_id, boot_id, sizeof(boot.boot_id));
	memcpy(boot.rules, use->rules, sizeof(boot.rules));
	if (!ima_key_digest(&boot, key))
		return err_set(e, ERR_CRYPTO, "no hash");
	if (had && same_bytes(key, row.key, sizeof(key)))
		*from = row.entries;
	return true;
}

bool
ima_begin(struct core *c, struct job *j)
{
	struct evidence_job *ev = j->state;
	struct ima_job *i = &ev->ima;
	struct error e = { .code = ERR_NONE };

	if (i->use.on && !load_row(c, ev->host.id, &i->had, &i->stored, &e)) {
		job_error(c, j, &e);
		return false;
	}
	i->place = evidence_ima_place(&ev->parts);
	i->sent = ev->parts.ima.there;
	return true;
}

bool
ima_unparsed(const struct evidence_job *ev)
{
	return ev->ima.use.on && ev->parts.ima.len && !ev->ima.parsed.payload.left;
}

size_t
ima_question_size(const struct evidence_job *ev)
{
	return sizeof(struct ima_ask) + IMA_WALK_STATE_MAX + ev->ima.stored.state_len + ev->ima.parsed.payload.left + 64;
}

void
ima_question(struct core *c, const struct evidence_job *ev, struct writer *w)
{
	const struct ima_job *i = &ev->ima;
	struct ima_ask ask = { .wanted = i->use.on, .sent = i->sent, .last = !ev->parts.ima.len, .at = i->place.at,
		.hint = i->place.count, .ak = ev->host.key.ak, .policy_version = i->use.policy_version };
	const uint8_t *state;
	size_t len = 0, mark = part_begin(w, "IMA");

	memcpy(ask.boot_id, ev->challenge.boot_id, sizeof(ask.boot_id));
	memcpy(ask.rules, i->use.rules, sizeof(ask.rules));
	ima_ask_pack(&ask, w);
	part_end(w, mark, "IMA");
	state = i->use.on ? ima_walks_get(c->walks, ev->challenge.id, clock_now().wall, &len) : NULL;
	if (!state && i->use.on && i->had) {
		state = i->stored.state;
		len = i->stored.state_len;
	}
	part_put(w, state, len, "IMA state");
	part_put(w, i->parsed.payload.pos, i->parsed.payload.left, "IMA list");
}

bool
ima_take(struct evidence_job *ev, struct reader *r, struct error *e)
{
	struct reader said = part_take(r, "IMA"), state = part_take(r, "IMA state");
	uint8_t *copy;

	if (!rd_ok(r, e) || !ima_said_unpack(&said, &ev->ima.said, e))
		return false;
	if (ev->ima.said.step != IMA_STEP_NONE && !ev->ima.use.on)
		return err_set(e, ERR_FORMAT, "judge: IMA, unasked");
	copy = malloc(state.left ? state.left : 1);
	if (!copy)
		return err_set(e, ERR_MEMORY, "IMA state");
	if (state.left)
		memcpy(copy, state.pos, state.left);
	free(ev->ima.state);
	ev->ima.state = copy;
	ev->ima.state_len = state.left;
	return true;
}

bool
ima_teach(struct core *c, struct job *j)
{
	struct evidence_job *ev = j->state;
	struct channel *judge = channel_find(c, ROLE_JUDGE, j->by);
	struct error e = { .code = ERR_NONE };
	own(mem) uint8_t *payload = NULL;
	struct policy_now p;
	struct writer w;
	size_t size;

	if (ev->ima.taught++ >= WORKERS_MAX + 1 || !judge) {
		err_set(&e, ERR_SYSTEM, "judge: no end of rules that it lacks");
		job_error(c, j, &e);
		return false;
	}
	if (!policy_of(c, ev->host.group, &p, &e)) {
		job_error(c, j, &e);
		return false;
	}
	if (!same_bytes(p.ima_use.rules, ev->ima.use.rules, SHA256_SIZE)) {
		job_problem(c, j, 403, REASON_CHALLENGE_EXPIRED, "the policy has changed since this challenge was given out");
		return false;
	}
	size = SHA256_SIZE + p.ima_len;
	payload = malloc(size);
	w = wr_open(payload, payload ? size : 0);
	wr_bytes(&w, p.ima_use.rules, SHA256_SIZE, "digest");
	wr_bytes(&w, p.ima, p.ima_len, "rules");
	if (!wr_ok(&w, &e)) {
		job_error(c, j, &e);
		return false;
	}
	channel_send(c, judge, MSG_JUDGE_RULES, 0, payload, w.used);
	return true;
}

void
ima_more(struct core *c, struct job *j)
{
	struct evidence_job *ev = j->state;

	ima_walks_put(c->walks, ev->challenge.id, clock_now().wall, ev->challenge.expires_wall, ev->ima.state, ev->ima.state_len);
	job_need_ima(c, j, ev->ima.said.next);
}

void
ima_forget(struct core *c, const struct evidence_job *ev)
{
	ima_walks_drop(c->walks, ev->challenge.id);
}

bool
ima_commit(struct core *c, const struct evidence_job *ev, struct error *e)
{
	const struct ima_said *said = &ev->ima.said;
	struct ima_row row = { .entries = said->entries, .violations = said->violations, .pending = said->pending,
		.refused = said->refused, .state = ev->ima.state, .state_len = ev->ima.state_len };

	if (said->step != IMA_STEP_DONE)
		return true;
	ima_walks_drop(c->walks, ev->challenge.id);
	/* A list that never met a quote leaves nothing behind. */
	if (!said->entries && !said->refused && !ev->ima.had)
		return true;
	memcpy(row.key, said->key, sizeof(row.key));
	return store_ima_put(c->store, ev->host.id, &row, e);
}
