/*
 * The commit list: all verdicts of one turn of the loop in one transaction, one COMMIT, then the
 * answers. What is not in the store is not said; what was said is in the store.
 */
#include "audit.h"
#include "evidence_job.h"
#include "gathered.h"
#include "log.h"
#include "logs.h"
#include "scope.h"

/* CEILING_TAIL_MS: so long must any result last, or a host would have none while it asks for the next. */
enum { ORPHANS_MAX = 64, CEILING_TAIL_MS = 60 * 1000, QUOTE_PACKED_MAX = 512 };

struct orphans { unsigned count; uint8_t digest[ORPHANS_MAX][SHA256_SIZE]; };
enum outcome { SAID, USED, CHANGED, OUTDATED };

void
commit_add(struct core *c, struct job *j)
{
	if (!c->commits)
		c->commit_by = clock_mono() + COMMIT_WAIT_MS;
	c->commit[c->commits++] = j;           /* a job is in it once: there is room for all */
}

void
commit_forget(struct core *c, const struct job *j)
{
	for (unsigned i = 0; i < c->commits; i++)
		if (c->commit[i] == j)
			c->commit[i--] = c->commit[--c->commits];
}

/*
 * Did the AK itself vouch for this report, now? Where a row up to the context failed, anybody could
 * have sent it: it is kept and answered, but says nothing about the host.
 */
static bool
vouched(const struct evidence_job *ev)
{
	return ev->quote_held || ev->verdict.reason == REASON_SELECTION_DIFFERS ||
	    ev->verdict.reason == REASON_CLOCK_BACKWARDS || ev->verdict.reason == REASON_AK_CLONED;
}

static void
add_reason(struct result *r, enum reason reason)
{
	for (unsigned i = 0; i < r->nreasons; i++)
		if (r->reason[i] == reason)
			return;
	if (r->nreasons < RESULT_REASONS_MAX)
		r->reason[r->nreasons++] = reason;
}

static void
fill_result(struct evidence_job *ev, int64_t now)
{
	const struct verdict *v = &ev->verdict;
	struct result *r = &ev->result;

	*r = (struct result){
		.ak = ev->host.key.ak, .reset_count = ev->quote.reset_count, .restart_count = ev->quote.restart_count,
		.clock = ev->quote.clock, .pcr_digest_len = ev->quote.pcr_digest_len, .state = v->state,
		.ceiling = ev->ceiling, .ceiling_until = ev->ceiling_until, .ceiling_then = ev->ceiling_then, .grace_max = ev->grace_max, .issued_wall = now, .expires_wall = now + ev->lifetime,
	};
	/* A ceiling that was set for a while ends with it. */
	if (ev->ceiling_until && r->expires_wall > ev->ceiling_until)
		r->expires_wall = ev->ceiling_until > now + CEILING_TAIL_MS ? ev->ceiling_until : now + CEILING_TAIL_MS;
	memcpy(r->policy, ev->policy, sizeof(r->policy));
	memcpy(r->host, ev->host.name, sizeof(r->host));
	memcpy(r->host_id, ev->host.id, sizeof(r->host_id));
	memcpy(r->boot_id, ev->challenge.boot_id, sizeof(r->boot_id));
	memcpy(r->nonce, ev->challenge.nonce, sizeof(r->nonce));
	memcpy(r->pcr_digest, ev->quote.pcr_digest, sizeof(r->pcr_digest));
	memcpy(r->claim, v->claim, sizeof(r->claim));
	memcpy(r->references, v->references, sizeof(r->references));
	memcpy(r->references_digest, ev->references_digest, sizeof(r->references_digest));
	memcpy(r->ref, ev->ref, sizeof(r->ref));
	add_reason(r, v->reason);
	for (unsigned i = 0; i < v->findings.count; i++)
		if (v->findings.list[i].severity > SEVERITY_INFO)
			add_reason(r, v->findings.list[i].code);
}

static void
fill_report(const struct evidence_job *ev, int64_t now, struct report_row *r)
{
	const struct selection *sel = &ev->challenge.selection;
	enum bank bank = BANK_SHA256;

	(void)bank_of_alg(sel->bank[0].alg, &bank);
	*r = (struct report_row){
		.at = now, .state = ev->verdict.state, .reason = ev->verdict.reason, .vouched = vouched(ev),
		.replayed = ev->quote_held && ev->verdict.replayed, .has_log = ev->quote_held && ev->log_len,
		.bank = bank, .pcrs = sel->bank[0].pcrs, .verdict = ev->packed, .verdict_len = ev->packed_len,
	};
	memcpy(r->host_id, ev->host.id, sizeof(r->host_id));
	memcpy(r->log, ev->log_digest, sizeof(r->log));
	memcpy(r->boot_id, ev->challenge.boot_id, sizeof(r->boot_id));
}

/* References are random and few characters: another one is made when it is taken. */
static bool
add_report(struct core *c, struct evidence_job *ev, int64_t now, struct error *e)
{
	struct report_row row;
	uint8_t quote[QUOTE_PACKED_MAX];
	struct writer w = wr_open(quote, sizeof(quote));

	fill_report(ev, now, &row);
	if (ev->quote_held) {
		quote_pack(&ev->quote, &w);
		row.quote = quote;
		row.quote_len = w.bad ? 0 : w.used;
	}
	for (unsigned i = 0; i < REF_TRIES; i++) {
		uint64_t random;

		if (!random_bytes(&random, sizeof(random)))
			return err_set(e, ERR_CRYPTO, "no random bytes");
		ref_make(random, false, ev->ref);
		memcpy(row.ref, ev->ref, sizeof(row.ref));
		if (store_report_add(c->store, &row, e))
			return row.vouched || store_reports_trim(c->store, ev->host.id, UNVOUCHED_A_HOST, e);
		if (e->code != ERR_CONFLICT)
			return false;
	}
	return err_in(e, "reference");
}

static bool
note_log(struct core *c, const struct evidence_job *ev, int64_t now, struct orphans *gone, struct error *e)
{
	unsigned before = gone->count;
	const uint8_t *old = NULL;
	bool orphan;

	if (!ev->quote_held || !ev->log_len)
		return true;
	if (!store_log_note(c->store, ev->host.id, ev->log_digest, now, e))
		return false;
	if (!ev->parts.boot_log.there)
		return true;            /* noted before: it is not one more */
	while (gone->count < ORPHANS_MAX &&
	    store_log_drop(c->store, ev->host.id, LOGS_A_HOST, gone->digest[gone->count], &orphan, e))
		gone->count += orphan;
	if (gone->count < ORPHANS_MAX && e->code != ERR_MISSING)
		return false;
	if (gone->count > before)
		old = gone->digest[--gone->count];
	/* A log that could not be written is asked for again; the verdict stands. */
	if (!logs_keep(c->options.state_dir, ev->log_digest, ev->log, ev->log_len, old, e))
		log_say(LOG_WARNING, "boot log not kept: %s", e->why);
	return true;
}

static bool
same_counters(const struct evidence_job *ev, const struct host_row *h)
{
	return h->seen && h->reset_count == ev->quote.reset_count && h->restart_count == ev->quote.restart_count;
}

static bool
update_host(struct core *c, struct evidence_job *ev, struct host_row *h, int64_t now, struct error *e)
{
	const struct verdict *v = &ev->verdict;

	h->at = now;
	h->verdict = v->state;
	h->reason = v->reason;
	memcpy(h->ref, ev->ref, sizeof(h->ref));
	memcpy(h->references, v->references, sizeof(h->references));
	if (ev->quote_held) {
		/* While the TPM is not reset, the boot that it measured is what counts: a kernel put in its place stays one (kexec). */
		if (!same_counters(ev, h))
			memcpy(h->boot_id, ev->challenge.boot_id, sizeof(h->boot_id));
		h->seen = true;
		h->reset_count = ev->quote.reset_count;
		h->restart_count = ev->quote.restart_count;
		h->clock = ev->quote.clock;
		h->gave_log = h->gave_log || v->replayed;
	}
	return store_host_report(c->store, h, ev->jws, e);
}

static bool
same_rules(const struct evidence_job *ev, const struct host_row *h, const struct policy_now *p, const struct gathered *g)
{
	return !strcmp(h->group, ev->host.group) && h->class == ev->host.class && !strcmp(p->label, ev->policy) &&
	    same_bytes(p->digest, ev->policy_digest, SHA256_SIZE) && p->ima_use.on == ev->ima.use.on &&
	    same_bytes(p->ima_use.rules, ev->ima.use.rules, SHA256_SIZE) && p->ceiling == ev->ceiling &&
	    p->ceiling_until == ev->ceiling_until && same_bytes(g->digest, ev->references_digest, SHA256_SIZE);
}

/*
 * Does what this host passed by still count? A set may have been revoked or a policy set while a worker had the question.
 * Every such change leaves an audit row: without a new one there is nothing to look up. A refusal stands as it is.
 */
static bool
still_counts(struct core *c, const struct evidence_job *ev, const struct host_row *h, bool *yes, struct error *e)
{
	own(gathered) struct gathered g;        /* of its sets count is all that is set */
	struct policy_now p;
	int64_t changes;

	g.count = 0;
	*yes = true;
	if (ev->verdict.state == STATE_CONTRAINDICATED)
		return true;
	if (!audit_count(c->store, &changes, e))
		return false;
	if (changes == ev->changes)
		return true;
	if (!policy_of(c, h->group, &p, e) || !sets_gather(c, h, &g, e))
		return false;
	*yes = same_rules(ev, h, &p, &g);
	return true;
}

/* A later quote since the same reset was accepted while this one was judged: one that comes after it is refused (clock-backwards). */
static bool
overtaken(const struct evidence_job *ev, const struct host_row *h)
{
	return ev->quote_held && same_counters(ev, h) && ev->quote.clock < h->clock;
}

/* One verdict inside the transaction. */
static bool
commit_one(struct core *c, struct evidence_job *ev, int64_t now, struct orphans *gone, enum outcome *outcome,
    struct error *e)
{
	struct host_row h;
	size_t len;
	bool first, counts;

	if (!store_challenge_use(c->store, ev->challenge.id, ev->challenge.expires_wall, &first, e))
		return false;
	if (!first) {
		*outcome = USED;
		return true;
	}
	/* Removed, revoked or given another key while this was under way: what was judged is not this host any more. */
	if (!store_host_by_id(c->store, ev->host.id, &h, e)) {
		*outcome = CHANGED;
		return e->code == ERR_MISSING;
	}
	if (h.state != ev->host.state || !name_same(&h.key.ak, &ev->host.key.ak)) {
		*outcome = CHANGED;
		return true;
	}
	if (!still_counts(c, ev, &h, &counts, e))
		return false;
	counts = counts && !overtaken(ev, &h);
	*outcome = counts ? SAID : OUTDATED;
	if (!counts)
		return true;
	if (!add_report(c, ev, now, e))
		return false;
	fill_result(ev, now);
	if (!result_sign(&ev->result, c->keys.result, ev->jws, sizeof(ev->jws), &len, e))
		return false;
	if (!passport_grant(c, ev, now, e) || !note_log(c, ev, now, gone, e))
		return false;
	return !vouched(ev) || (update_host(c, ev, &h, now, e) && ima_commit(c, ev, e));
}

static bool
commit_jobs(struct core *c, int64_t now, enum outcome outcome[static JOBS_MAX], struct orphans *gone, struct error *e)
{
	if (!store_begin(c->store, e))
		return false;
	for (unsigned i = 0; i < c->commits; i++)
		if (!commit_one(c, c->commit[i]->state, now, gone, &outcome[i], e)) {
			store_rollback(c->store);
			return false;
		}
	return store_commit(c->store, e);
}

static void
answer(struct core *c, struct job *j)
{
	const struct evidence_job *ev = j->state;
	struct evidence_answer a = { .next_after = (ev->result.expires_wall - ev->result.issued_wall) / 100 * 66 };
	struct error e = { .code = ERR_NONE };
	own(mem) char *text = NULL;
	size_t len;

	memcpy(a.result, ev->jws, sizeof(a.result));
	memcpy(a.ref, ev->ref, sizeof(a.ref));
	memcpy(a.passport, ev->passport, sizeof(a.passport));
	log_say(LOG_INFO, "%s: %s, %s, %s", ev->host.name, state_word(ev->verdict.state), reason_code(ev->verdict.reason),
	    ev->ref);
	if (evidence_answer_json(&a, &ev->result, &text, &len, &e))
		job_reply(c, j, 200, text, len);
	else
		job_error(c, j, &e);
}

static void
commit_all(struct core *c)
{
	static enum outcome outcome[JOBS_MAX];
	struct orphans gone = { .count = 0 };
	struct error e = { .code = ERR_NONE };
	unsigned n = c->commits;
	bool good;

	good = commit_jobs(c, clock_now().wall, outcome, &gone, &e);
	c->commits = 0;
	for (unsigned i = 0; good && i < gone.count; i++)
		logs_drop(c->options.state_dir, gone.digest[i]);
	for (unsigned i = 0; i < n; i++) {
		struct job *j = c->commit[i];

		if (!good)
			job_error(c, j, &e);
		else if (outcome[i] == USED)
			job_problem(c, j, 403, REASON_CHALLENGE_USED, "%s", reason_text(REASON_CHALLENGE_USED));
		else if (outcome[i] == CHANGED)
			job_problem(c, j, 503, REASON_VERIFIER_ERROR, "the host's enrollment changed meanwhile");
		else if (outcome[i] == OUTDATED)
			job_problem(c, j, 403, REASON_CHALLENGE_EXPIRED,
			    "what this host is judged by, or is known of it, has changed since this challenge was given out");
		else
			answer(c, j);
	}
}

void
commit_due(struct core *c)
{
	int64_t now = c->commits ? clock_mono() : 0;

	if (!c->commits || (now < c->commit_by && (workers_busy(c, ROLE_JUDGE) || now - c->committed < COMMIT_WAIT_MS)))
		return;
	commit_all(c);
	c->committed = clock_mono();
}
