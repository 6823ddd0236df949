/* Challenges given out, and evidence taken in: up to the verdict. What follows is commit.c. */
#include "audit.h"
#include "evidence_job.h"
#include "gathered.h"
#include "log.h"
#include "logs.h"
#include "memo.h"
#include "parts.h"
#include "scope.h"
#include "what_if.h"
#include "verdict.h"

enum { VERDICT_PACKED_MAX = 128 << 10 };

/* What a host with these banks is asked to quote: with the PCRs that IMA entries extend, when the policy judges those. */
static bool
selection_of(const struct policy_now *p, uint32_t banks, struct selection *out)
{
	if (!policy_selection(p->policy, banks, out))
		return false;
	out->bank[0].pcrs |= p->ima_use.on ? p->ima_use.pcrs : 0;
	return true;
}

/* Says what is known of a key that no host has. */
static void
refuse_stranger(struct core *c, struct job *j, const struct tpm_name *ak)
{
	struct enrollment_row r;
	struct error e = { .code = ERR_NONE };

	if (!store_enrollment_by_ak(c->store, ak, &r, &e)) {
		if (e.code == ERR_MISSING)
			job_problem(c, j, 403, REASON_NOT_ENROLLED, "%s", reason_text(REASON_AK_UNKNOWN));
		else
			job_error(c, j, &e);
	} else if (r.state == ENROLLMENT_PENDING) {
		job_problem(c, j, 403, REASON_ENROLLMENT_PENDING, "%s", reason_text(REASON_ENROLLMENT_PENDING));
	} else if (r.state == ENROLLMENT_REJECTED) {
		job_problem(c, j, 403, REASON_ENROLLMENT_REJECTED, "%s", reason_text(REASON_ENROLLMENT_REJECTED));
	} else {
		job_problem(c, j, 403, REASON_NOT_ENROLLED, "%s", reason_text(REASON_AK_UNKNOWN));
	}
}

static bool
find_host(struct core *c, struct job *j, const struct tpm_name *ak, struct host_row *out)
{
	struct error e = { .code = ERR_NONE };

	if (store_host_by_ak(c->store, ak, out, &e))
		return true;
	if (e.code == ERR_MISSING)
		refuse_stranger(c, j, ak);
	else
		job_error(c, j, &e);
	return false;
}

/* --- POST /v1/challenges --- */

static bool
looks_like_boot_id(const char *s)
{
	return strspn(s, "0123456789abcdef-") == BOOT_ID_TEXT - 1 && !s[BOOT_ID_TEXT - 1];
}

static bool
make_challenge(struct core *c, const struct challenge_request *q, const struct host_row *h, int64_t now,
    struct challenge_answer *a, struct error *e)
{
	struct challenge ch = { .key_id = c->keys.challenge.key[0].id, .ak = q->ak, .purpose = q->purpose,
		.expires_wall = now + CHALLENGE_LIFE_MS };
	struct policy_now policy;
	bool known;

	if (!policy_of(c, h->group, &policy, e))
		return false;
	if (!selection_of(&policy, h->key.banks, &ch.selection))
		return err_set(e, ERR_MISMATCH, "no bank");
	ch.policy_version = policy.version;
	if (!ima_position(c, h, &policy.ima_use, q->boot_id, &a->ima_from, e))
		return false;
	memcpy(ch.boot_id, q->boot_id, sizeof(ch.boot_id));
	memcpy(ch.boot_log, q->boot_log, sizeof(ch.boot_log));
	if (!random_bytes(ch.id, sizeof(ch.id)) || !random_bytes(ch.nonce, sizeof(ch.nonce)))
		return err_set(e, ERR_CRYPTO, "no random bytes");
	if (!store_log_known(c->store, h->id, q->boot_log, &known, e) ||
	    !challenge_seal(&ch, c->keys.challenge.key[0].key, a->challenge, e))
		return false;
	memcpy(a->nonce, ch.nonce, sizeof(a->nonce));
	a->selection = ch.selection;
	a->boot_log_known = known && logs_there(c->options.state_dir, q->boot_log);
	a->ima_wanted = policy.ima_use.on;
	a->expires_in = CHALLENGE_LIFE_MS;
	return true;
}

void
on_challenge(struct core *c, struct job *j)
{
	struct challenge_request q;
	struct challenge_answer a = { .ima_from = 0 };
	struct host_row h;
	struct error e = { .code = ERR_NONE };
	own(mem) char *text = NULL;
	struct clock now = clock_now();
	size_t len;

	if (!challenge_request_unpack(&j->request.payload, &q, &e) || !looks_like_boot_id(q.boot_id)) {
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "boot_id: a UUID in lower case is wanted");
		return;
	}
	if (!find_host(c, j, &q.ak, &h))
		return;
	if (!keys_rotate(&c->keys, c->store, &now, &e)) {
		job_error(c, j, &e);
		return;
	}
	if (!make_challenge(c, &q, &h, now.wall, &a, &e)) {
		if (e.code == ERR_MISMATCH)
			job_problem(c, j, 403, REASON_BANK_UNSUPPORTED, "%s", reason_text(REASON_BANK_UNSUPPORTED));
		else
			job_error(c, j, &e);
		return;
	}
	if (challenge_answer_json(&a, &text, &len, &e))
		job_reply(c, j, 200, text, len);
	else
		job_error(c, j, &e);
}

/* --- POST /v1/evidence --- */

/* Empty, without clearing the 60 KiB that findings may fill. */
static struct evidence_job *
evidence_job_new(void)
{
	struct evidence_job *ev = malloc(sizeof(*ev));

	if (ev) {
		memset(ev, 0, offsetof(struct evidence_job, verdict));
		ev->from_parse.peer_fd = ev->ima.parsed.peer_fd = -1;
		verdict_start(&ev->verdict);
	}
	return ev;
}

static void
drop_evidence_job(void *p)
{
	struct evidence_job *ev = p;

	ima_job_free(&ev->ima);
	free(ev->log_file);
	frame_free(&ev->from_parse);
	free(ev->packed);
	free(ev);
}

/* HMAC before anything else that the host said is believed. */
static bool
open_challenge(struct core *c, struct job *j, struct evidence_job *ev)
{
	struct error e = { .code = ERR_NONE };
	struct clock now = clock_now();
	const uint8_t *key;

	if (!keys_rotate(&c->keys, c->store, &now, &e)) {
		job_error(c, j, &e);
		return false;
	}
	key = keys_challenge(&c->keys, challenge_key_id(ev->parts.challenge.p));
	if (!key || !challenge_open(ev->parts.challenge.p, key, &ev->challenge, &e) ||
	    ev->challenge.purpose != ev->purpose) {
		job_problem(c, j, 403, REASON_CHALLENGE_INVALID, "%s", reason_text(REASON_CHALLENGE_INVALID));
		return false;
	}
	if (now.wall >= ev->challenge.expires_wall) {
		job_problem(c, j, 403, REASON_CHALLENGE_EXPIRED, "%s", reason_text(REASON_CHALLENGE_EXPIRED));
		return false;
	}
	return true;
}

/* The log of that digest from its file. */
static bool
load_log(struct core *c, struct job *j, struct evidence_job *ev)
{
	struct error e;

	if (!logs_load(c->options.state_dir, ev->log_digest, &ev->log_file, &ev->log_len, &e)) {
		job_need_log(c, j);
		return false;
	}
	ev->log = ev->log_file;
	return true;
}

/* A log that this host has sent before need not come again; nobody else is told of it. Nor need it be read when the memo has it. */
static bool
find_log(struct core *c, struct job *j, struct evidence_job *ev)
{
	struct error e = { .code = ERR_NONE };
	size_t parsed;
	bool known;

	if (ev->parts.boot_log.there) {
		ev->log = ev->parts.boot_log.p;
		ev->log_len = ev->parts.boot_log.len;
		if (digest_sha256(ev->log, ev->log_len, ev->log_digest))
			return true;
		err_set(&e, ERR_CRYPTO, "no hash");
		job_error(c, j, &e);
		return false;
	}
	memcpy(ev->log_digest, ev->challenge.boot_log, sizeof(ev->log_digest));
	if (!store_log_known(c->store, ev->host.id, ev->log_digest, &known, &e)) {
		job_error(c, j, &e);
		return false;
	}
	if (!known) {
		job_need_log(c, j);
		return false;
	}
	return memo_get(c->memo, ev->log_digest, &parsed, &ev->log_len) || load_log(c, j, ev);
}

static bool
expect(const struct evidence_job *ev, struct expectation *x)
{
	uint8_t facts[SHA256_SIZE];
	struct context ctx = {
		.purpose = ev->challenge.purpose, .nonce = ev->challenge.nonce, .host_id = ev->host.id,
		.boot_id = ev->challenge.boot_id, .boot_log = ev->log_digest, .ima_from = ev->ima.place.from,
		.facts = facts, .audience = ev->audience, .user = ev->user,
	};

	*x = (struct expectation){ .selection = ev->challenge.selection };
	memcpy(x->boot_id, ev->challenge.boot_id, sizeof(x->boot_id));
	return digest_sha256(ev->parts.facts.p, ev->parts.facts.there ? ev->parts.facts.len : 0, facts) &&
	    context_digest(&ctx, x->extra);
}

void
evidence_facts(struct evidence_job *ev)
{
	const struct host_row *h = &ev->host;
	struct host_facts *f = &ev->facts;

	*f = (struct host_facts){
		.known = true, .active = h->state == ENROLLMENT_ACTIVE, .revoked = h->state == ENROLLMENT_REVOKED,
		.spki_len = h->key.spki_len, .signer = h->key.signer, .seen = h->seen, .last_reset = h->reset_count,
		.last_restart = h->restart_count, .last_clock = h->clock, .gave_log = h->gave_log, .gave_ima = ev->ima.had,
		.class = h->class,
	};
	memcpy(f->spki, h->key.spki, sizeof(f->spki));
	memcpy(f->last_boot_id, h->boot_id, sizeof(f->last_boot_id));
	memcpy(f->ek_subject, h->key.ek_subject, sizeof(f->ek_subject));
}

/* What a result takes from the policy. */
static void
note_policy(const struct core *c, const struct policy_now *p, struct evidence_job *ev)
{
	snprintf(ev->policy, sizeof(ev->policy), "%s", p->label);
	ev->lifetime = p->policy->lifetime ? p->policy->lifetime : c->options.lifetime;
	ev->grace_max = p->policy->grace_max ? p->policy->grace_max : c->options.grace_max;
	ev->ceiling = p->ceiling;
	ev->ceiling_until = p->ceiling_until;
	ev->ceiling_then = p->policy->ceiling;
}

/* The quote answers a challenge; a policy that has changed since may want other PCRs, so it is asked again. */
static bool
find_policy(struct core *c, struct job *j, struct evidence_job *ev)
{
	struct error e = { .code = ERR_NONE };
	struct policy_now p;
	struct selection want;

	if (!audit_count(c->store, &ev->changes, &e) || !policy_of(c, ev->host.group, &p, &e)) {
		job_error(c, j, &e);
		return false;
	}
	if (ev->challenge.policy_version != p.version || !selection_of(&p, ev->host.key.banks, &want) ||
	    !selection_same(&want, &ev->challenge.selection)) {
		job_problem(c, j, 403, REASON_CHALLENGE_EXPIRED, "the policy has changed since this challenge was given out");
		return false;
	}
	note_policy(c, &p, ev);
	memcpy(ev->policy_digest, p.digest, sizeof(ev->policy_digest));
	ev->ima.use = p.ima_use;
	return true;
}

static void quote_judged(struct core *, struct job *, struct frame *);
static void log_parsed(struct core *, struct job *, struct frame *);
static void ima_parsed(struct core *, struct job *, struct frame *);
static void boot_judged(struct core *, struct job *, struct frame *);
static void ask_boot(struct core *, struct job *);
static void ask_both(struct core *, struct job *, const uint8_t *parsed, size_t len);

static void
worker_failed(struct core *c, struct job *j, const char *what)
{
	struct error e;

	err_set(&e, ERR_SYSTEM, "%s: no answer that can be used", what);
	job_error(c, j, &e);
}

static bool
put_quote(struct writer *w, const struct evidence_job *ev, struct error *e)
{
	struct expectation x;
	size_t mark;

	if (!expect(ev, &x))
		return err_set(e, ERR_CRYPTO, "no hash");
	part_put(w, ev->parts.attest.p, ev->parts.attest.len, "attest");
	part_put(w, ev->parts.signature.p, ev->parts.signature.len, "signature");
	mark = part_begin(w, "facts");
	host_facts_pack(&ev->facts, w);
	part_end(w, mark, "facts");
	mark = part_begin(w, "expectation");
	expectation_pack(&x, w);
	part_end(w, mark, "expectation");
	return wr_ok(w, e);
}

void
evidence_ask_quote(struct core *c, struct job *j, answer_fn *then)
{
	struct evidence_job *ev = j->state;
	size_t size = message_max(MSG_JUDGE_QUOTE);
	uint8_t *payload = malloc(size);
	struct writer w = wr_open(payload, payload ? size : 0);
	struct error e;

	if (!put_quote(&w, ev, &e)) {
		free(payload);
		job_error(c, j, &e);
		return;
	}
	worker_ask(c, j, ROLE_JUDGE, MSG_JUDGE_QUOTE, MSG_JUDGED_QUOTE, payload, w.used, then);
}

static bool
copy_part(const struct part *part, char *out, size_t size, bool (*ok)(const char *))
{
	if (part->len >= size || memchr(part->p, '\0', part->len))
		return false;
	memcpy(out, part->p, part->len);
	out[part->len] = '\0';
	return ok(out);
}

/* A passport is for somebody, and evidence for nobody in particular: neither is taken for the other. */
static bool
read_whom(struct evidence_job *ev, struct error *e)
{
	const struct part *audience = &ev->parts.audience, *user = &ev->parts.user;

	if (ev->purpose != PURPOSE_PASSPORT)
		return (!audience->there && !user->there) || err_set(e, ERR_FORMAT, "audience: only for a passport");
	if (!audience->there || !user->there)
		return err_set(e, ERR_FORMAT, "audience or user: missing");
	return (copy_part(audience, ev->audience, sizeof(ev->audience), audience_ok) &&
	    copy_part(user, ev->user, sizeof(ev->user), passport_user_ok)) ||
	    err_set(e, ERR_FORMAT, "audience or user: not one that can be");
}

static void
ask_quote(struct core *c, struct job *j)
{
	evidence_ask_quote(c, j, quote_judged);
}

struct evidence_job *
evidence_begin(struct core *c, struct job *j, enum purpose purpose)
{
	struct error e = { .code = ERR_NONE };
	struct evidence_job *ev = evidence_job_new();

	if (!ev) {
		err_set(&e, ERR_MEMORY, "evidence");
		job_error(c, j, &e);
		return NULL;
	}
	j->state = ev;
	j->drop_state = drop_evidence_job;
	ev->purpose = purpose;
	if (!evidence_read(j->request.payload.pos, j->request.payload.left, &ev->parts, &e) || !read_whom(ev, &e)) {
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "%s", e.why);
		return NULL;
	}
	return open_challenge(c, j, ev) && find_host(c, j, &ev->challenge.ak, &ev->host) ? ev : NULL;
}

static void
take_evidence(struct core *c, struct job *j, enum purpose purpose)
{
	struct evidence_job *ev = evidence_begin(c, j, purpose);
	const uint8_t *parsed;
	size_t len;

	if (!ev || !find_policy(c, j, ev) || !find_log(c, j, ev) || !ima_begin(c, j))
		return;
	evidence_facts(ev);
	parsed = ev->log_len && !ima_unparsed(ev) ? memo_get(c->memo, ev->log_digest, &len, &ev->log_len) : NULL;
	if (parsed)
		ask_both(c, j, parsed, len);
	else
		ask_quote(c, j);
}

void
on_evidence(struct core *c, struct job *j)
{
	take_evidence(c, j, PURPOSE_LOGIN);
}

void
on_passport(struct core *c, struct job *j)
{
	take_evidence(c, j, PURPOSE_PASSPORT);
}

/* May this host be judged by the values of its PCRs, and were they there? */
static bool
by_values(const struct evidence_job *ev)
{
	return ev->verdict.values_len && ev->host.class != CLASS_LOG && !ev->host.gave_log;
}

bool
evidence_verdict(struct evidence_job *ev, struct reader part, struct error *e)
{
	struct reader again = part;
	uint8_t *copy;

	if (!verdict_unpack(&part, &ev->verdict, e) || !rd_end(&part, e))
		return false;
	if (ev->verdict.state != STATE_AFFIRMING && ev->verdict.state != STATE_WARNING &&
	    ev->verdict.state != STATE_CONTRAINDICATED)
		return err_set(e, ERR_FORMAT, "judge: no verdict");
	if (ev->verdict.state != STATE_CONTRAINDICATED && !(ev->quote_held && (ev->verdict.replayed || by_values(ev))))
		return err_set(e, ERR_FORMAT, "judge: a good verdict without quote and replay");
	if (ev->verdict.state != STATE_CONTRAINDICATED && ev->ima.use.on && ev->ima.said.step != IMA_STEP_DONE)
		return err_set(e, ERR_FORMAT, "judge: a good verdict without the IMA list");
	copy = malloc(again.left ? again.left : 1);
	if (!copy)
		return err_set(e, ERR_MEMORY, "verdict");
	memcpy(copy, again.pos, again.left);
	free(ev->packed);
	ev->packed = copy;
	ev->packed_len = again.left;
	return true;
}

static void
ask_parse(struct core *c, struct job *j)
{
	const struct evidence_job *ev = j->state;

	worker_lend(c, j, ROLE_PARSE, MSG_PARSE_LOG, MSG_PARSED_LOG, ev->log, ev->log_len, log_parsed);
}

static void
ask_parse_ima(struct core *c, struct job *j)
{
	const struct evidence_job *ev = j->state;
	size_t size = 8 + ev->parts.ima.len;
	uint8_t *payload = malloc(size);
	struct writer w = wr_open(payload, payload ? size : 0);

	wr_be64(&w, ev->ima.place.at, "first entry");
	wr_bytes(&w, ev->parts.ima.p, ev->parts.ima.len, "IMA list");
	worker_ask(c, j, ROLE_PARSE, MSG_PARSE_IMA, MSG_PARSED_IMA, payload, w.used, ima_parsed);
}

/* The quote held: what is not parsed yet goes to parse, and all of it to the judge. */
static void
go_on(struct core *c, struct job *j)
{
	struct evidence_job *ev = j->state;
	size_t len;

	if (ev->log_len && !ev->parsed && (ev->memo_doubted || !memo_get(c->memo, ev->log_digest, &len, &ev->log_len))) {
		if (ev->log || load_log(c, j, ev))
			ask_parse(c, j);
	} else if (ima_unparsed(ev)) {
		ask_parse_ima(c, j);
	} else {
		ask_boot(c, j);
	}
}

/* Refused already, that is the verdict; else it is final when the log was judged as well. */
static bool
take_judged(struct evidence_job *ev, struct frame *f, bool final, struct error *e)
{
	struct reader *r = &f->payload;
	bool held = rd_u8(r, "ok") == 1;
	struct reader quote = part_take(r, "quote"), verdict;

	if (!rd_ok(r, e) || !quote_unpack(&quote, &ev->quote, e) || !ima_take(ev, r, e))
		return false;
	verdict = part_take(r, "verdict");
	if (!rd_end(r, e))
		return false;
	ev->quote_held = held;
	final = final && (ev->ima.said.step == IMA_STEP_NONE || ev->ima.said.step == IMA_STEP_DONE);
	if (!held || final)
		return evidence_verdict(ev, verdict, e);
	if (!verdict_unpack(&verdict, &ev->verdict, e))
		return false;
	ev->verdict.replayed = false;           /* that was not looked at yet, whatever the judge says */
	return true;
}

bool
evidence_take_quote(struct evidence_job *ev, struct frame *f, struct error *e)
{
	return take_judged(ev, f, false, e);
}

static void
quote_judged(struct core *c, struct job *j, struct frame *f)
{
	struct evidence_job *ev = j->state;
	struct error e = { .code = ERR_NONE };

	if (!f)
		worker_failed(c, j, "judge");
	else if (!take_judged(ev, f, false, &e))
		job_error(c, j, &e);
	else if (!ev->quote_held)
		commit_add(c, j);
	else
		go_on(c, j);
}

/* Was the log tried, and does not give what was quoted? A list that was not there or not readable says nothing of it. */
static bool
log_failed(const struct evidence_job *ev)
{
	return ev->log_len && !ev->verdict.replayed && !ev->ima.said.refused &&
	    (!ev->ima.use.on || ev->ima.said.step == IMA_STEP_DONE);
}

/* What is kept may be the lie of a parser that another host subverted. Nobody is refused for it. */
static void
distrust_memo(struct core *c, struct job *j)
{
	struct evidence_job *ev = j->state;

	ev->memo_doubted = true;
	ask_quote(c, j);
}

/* It was one, if the log now reads otherwise. What an IMA list was walked with so far was a lie then, too. */
static void
check_memo(struct core *c, const struct evidence_job *ev)
{
	size_t len, log_len;
	const uint8_t *kept = ev->memo_doubted ? memo_get(c->memo, ev->log_digest, &len, &log_len) : NULL;

	if (!kept || (len == ev->parsed_len && !memcmp(kept, ev->parsed, len)))
		return;
	memo_drop(c->memo, ev->log_digest);
	ima_forget(c, ev);
}

static void
both_judged(struct core *c, struct job *j, struct frame *f)
{
	struct evidence_job *ev = j->state;
	struct error e = { .code = ERR_NONE };

	if (!f)
		worker_failed(c, j, "judge");
	else if (!take_judged(ev, f, true, &e))
		job_error(c, j, &e);
	else if (!ev->quote_held)
		commit_add(c, j);
	else if (ev->ima.said.step == IMA_STEP_RULES) {
		if (ima_teach(c, j))
			go_on(c, j);
	} else if (ev->ima.said.step == IMA_STEP_MORE)
		ima_more(c, j);
	else if (log_failed(ev))
		distrust_memo(c, j);
	else
		commit_add(c, j);
}

/* Keeps what parse made of something. A worker that found it malformed is not asked again. */
static bool
take_parsed(struct core *c, struct job *j, struct frame *f, struct frame *out)
{
	if (!f || !f->payload.left) {
		worker_failed(c, j, "parse");
		return false;
	}
	if (f->payload.pos[0] != 1)
		worker_retire(c, ROLE_PARSE, j->by);
	frame_free(out);
	*out = *f;
	*f = (struct frame){ .peer_fd = -1 };
	return true;
}

static void
log_parsed(struct core *c, struct job *j, struct frame *f)
{
	struct evidence_job *ev = j->state;

	ev->parser = j->by;
	if (take_parsed(c, j, f, &ev->from_parse)) {
		ev->parsed = ev->from_parse.payload.pos;
		ev->parsed_len = ev->from_parse.payload.left;
		check_memo(c, ev);
		go_on(c, j);
	}
}

static void
ima_parsed(struct core *c, struct job *j, struct frame *f)
{
	struct evidence_job *ev = j->state;

	if (take_parsed(c, j, f, &ev->ima.parsed))
		go_on(c, j);
}

/* --- the second half: with the log and the sets of the host's group --- */

static bool
put_so_far(struct writer *w, const struct evidence_job *ev, struct error *e)
{
	size_t mark = part_begin(w, "quote");

	quote_pack(&ev->quote, w);
	part_end(w, mark, "quote");
	mark = part_begin(w, "facts");
	host_facts_pack(&ev->facts, w);
	part_end(w, mark, "facts");
	mark = part_begin(w, "verdict");
	verdict_pack(&ev->verdict, w);
	part_end(w, mark, "verdict");
	return wr_ok(w, e);
}

/* A set that is stored, but not in a state in which it is looked at. */
static bool
fetch_set(struct core *c, const char *label, struct gathered *g, struct error *e)
{
	char name[NAME_TEXT];
	size_t n = strcspn(label, "/");

	if (g->count == SETS_MAX || !label[n])
		return true;
	snprintf(name, sizeof(name), "%.*s", (int)n, label);
	if (!store_set(c->store, name, (uint32_t)strtoul(label + n + 1, NULL, 10), &g->set[g->count], e))
		return false;
	g->bytes += g->set[g->count++].body_len + LABEL_TEXT + 32;
	return true;
}

/* What is supposed takes the place of what is stored. */
static bool
suppose(struct core *c, const struct supposed *s, struct policy_now *policy, struct gathered *g, struct error *e)
{
	char label[LABEL_TEXT];
	unsigned i = 0;

	if (s->policy) {
		policy->packed = s->policy;
		policy->packed_len = s->policy_len;
	}
	if (!*s->set)
		return true;
	for (; i < g->count; i++) {
		set_label(&g->set[i], label);
		if (!strcmp(label, s->set))
			break;
	}
	if (i == g->count && s->state == SET_ACTIVE && !fetch_set(c, s->set, g, e))
		return false;
	if (i == g->count)
		return true;
	g->set[i].state = s->state;
	g->set[i].revoked = s->revoked;
	if (s->state == SET_RETIRED) {
		set_row_free(&g->set[i]);
		g->set[i] = g->set[--g->count];
	}
	return true;
}

/* A question that ends with the log and the sets of the host's group; put writes what stands before them. */
static bool
boot_question(struct core *c, struct evidence_job *ev, bool (*put)(struct writer *, const struct evidence_job *, struct error *),
    const uint8_t *parsed, size_t parsed_len, const struct supposed *supposed, uint8_t **out, size_t *len, struct error *e)
{
	own(gathered) struct gathered g;        /* of its sets count is all that is set */
	own(mem) uint8_t *payload = NULL;
	enum bank scheme = BANK_SHA256;
	struct host_row host = ev->host;
	struct policy_now policy;
	struct writer w;
	size_t size;

	g.count = 0;
	if (supposed && *supposed->group)
		memcpy(host.group, supposed->group, sizeof(host.group));
	if (!bank_of_alg(ev->host.key.hash, &scheme))
		return err_set(e, ERR_CRYPTO, "appraisal cannot be prepared");
	if (!policy_of(c, host.group, &policy, e) || !sets_gather(c, &host, &g, e) || (supposed && !suppose(c, supposed, &policy, &g, e)))
		return false;
	memcpy(ev->references_digest, g.digest, sizeof(ev->references_digest));
	note_policy(c, &policy, ev);
	size = policy.packed_len + VERDICT_PACKED_MAX + sizeof(ev->quote) + 2 * TPM_PUBLIC_MAX + parsed_len + g.bytes +
	    PCR_VALUES_MAX + ima_question_size(ev) + 256;
	payload = malloc(size);
	w = wr_open(payload, payload ? size : 0);
	if (!put(&w, ev, e))
		return false;
	wr_u8(&w, (uint8_t)scheme, "scheme");
	wr_be32(&w, (uint32_t)ev->log_len, "log length");
	part_put(&w, parsed, parsed_len, "log");
	part_put(&w, ev->parts.pcr_values.p, ev->parts.pcr_values.there ? ev->parts.pcr_values.len : 0, "pcr values");
	part_put(&w, policy.packed, policy.packed_len, "policy");
	ima_question(c, ev, &w);
	sets_put(&w, &g, &host);
	if (!wr_ok(&w, e))
		return false;
	*len = w.used;
	*out = give(payload);
	return true;
}

static void
ask_boot(struct core *c, struct job *j)
{
	struct evidence_job *ev = j->state;
	const uint8_t *parsed = ev->parsed;
	struct error e;
	uint8_t *payload;
	size_t len, parsed_len = ev->parsed_len;

	if (!parsed && ev->log_len)
		parsed = memo_get(c->memo, ev->log_digest, &parsed_len, &ev->log_len);
	if (!parsed)
		parsed_len = 0;
	if (boot_question(c, ev, put_so_far, parsed, parsed_len, NULL, &payload, &len, &e))
		worker_ask(c, j, ROLE_JUDGE, MSG_JUDGE_BOOT, MSG_JUDGED_BOOT, payload, len, boot_judged);
	else
		job_error(c, j, &e);
}

/* Both halves in one question, for a log whose records the memo has. */
static void
ask_both(struct core *c, struct job *j, const uint8_t *parsed, size_t parsed_len)
{
	struct error e;
	uint8_t *payload;
	size_t len;

	if (boot_question(c, j->state, put_quote, parsed, parsed_len, NULL, &payload, &len, &e))
		worker_ask(c, j, ROLE_JUDGE, MSG_JUDGE_BOTH, MSG_JUDGED_QUOTE, payload, len, both_judged);
	else
		job_error(c, j, &e);
}

/* PCR values name the PCRs that differ, and are all that there is where no log can be used. They are asked for once. */
static bool
wants_values(const struct evidence_job *ev)
{
	bool readable = ev->parsed && ev->parsed[0] == 1;

	return ev->quote_held && !ev->verdict.replayed && !ev->parts.pcr_values.there &&
	    ((readable && log_failed(ev)) || (ev->host.class != CLASS_LOG && !ev->host.gave_log));
}

/* A log whose records replay is known from now on, until this core ends. */
static void
keep_parsed(struct core *c, const struct evidence_job *ev)
{
	if (ev->parsed && ev->verdict.replayed)
		memo_put(c->memo, ev->log_digest, ev->log_len, ev->parsed, ev->parsed_len);
	else if (ev->parsed && log_failed(ev))
		worker_retire(c, ROLE_PARSE, ev->parser);
}

static void
boot_judged(struct core *c, struct job *j, struct frame *f)
{
	struct evidence_job *ev = j->state;
	struct error e = { .code = ERR_NONE };
	struct reader verdict;

	if (!f) {
		worker_failed(c, j, "judge");
		return;
	}
	if (!ima_take(ev, &f->payload, &e)) {
		job_error(c, j, &e);
		return;
	}
	verdict = part_take(&f->payload, "verdict");
	if (ev->ima.said.step == IMA_STEP_RULES) {
		if (ima_teach(c, j))
			go_on(c, j);
		return;
	}
	if (ev->ima.said.step == IMA_STEP_MORE) {
		ima_more(c, j);
		return;
	}
	if (!rd_end(&f->payload, &e) || !evidence_verdict(ev, verdict, &e)) {
		job_error(c, j, &e);
		return;
	}
	if (!ev->parsed && log_failed(ev)) {
		distrust_memo(c, j);
		return;
	}
	keep_parsed(c, ev);
	if (wants_values(ev)) {
		ima_forget(c, ev);                      /* beside the values a list is walked from its beginning */
		job_need_pcrs(c, j);
	} else {
		commit_add(c, j);
	}
}

bool
evidence_question(struct core *c, struct evidence_job *ev, const uint8_t *parsed, size_t len, const struct supposed *supposed,
    uint8_t **out, size_t *out_len, struct error *e)
{
	return boot_question(c, ev, put_so_far, parsed, len, supposed, out, out_len, e);
}
