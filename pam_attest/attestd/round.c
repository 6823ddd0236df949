/*
 * One attestation from top to bottom. Read this first.
 *
 *   boot log -> challenge -> quote -> (is it our key's?) -> evidence -> (is the result about us?) -> record
 *
 * The IMA list grows all the time. It is read after the quote, so that it has all that the quote covers; what is
 * in it beyond that waits for the next one.
 */
#include "evidence.h"
#include "file.h"
#include "publish.h"
#include "round.h"
#include "scope.h"

/* Parcels of evidence under one challenge: a million IMA entries of 256 bytes, and some to spare. */
enum { PARCELS_MAX = 2048, PCR_TRIES = 3, RECOVERY_MS = 2000 };

/* What one attestation gathers on its way. */
struct round {
	const struct whom      *whom;         /* NULL, or for whom the passport is */
	int64_t                 deadline;
	struct clock            asked;
	struct boot_log         log;
	struct challenge_answer challenge;
	uint8_t                 extra[SHA256_SIZE];
	struct tpm_quoted       quoted;
	struct quote            quote;
	enum reason             ima;          /* could the IMA list be read? of interest if it is wanted */
	struct error            ima_why;
	uint64_t                ima_count;    /* its entries before the quote */
	bool                    ima_sent;     /* the verifier wants it, and this host has one */
	uint64_t                ima_from;
	bool                    pcrs_asked;   /* the verifier wants the PCRs' values; it gets those that can be read */
	uint8_t                 pcrs[PCRS_READ_MAX];
	size_t                  pcrs_len;
	struct evidence_answer  answer;
	struct result           result;
};

bool
round_boot_id(const struct agent *a, char out[static BOOT_ID_TEXT], struct error *e)
{
	own(mem) uint8_t *text = NULL;
	size_t len;

	if (!file_load(a->opt->boot_id, 256, &text, &len, e))
		return false;
	len = strcspn((const char *)text, " \n");
	if (len != BOOT_ID_TEXT - 1)
		return err_set(e, ERR_FORMAT, "%s: not a boot id", a->opt->boot_id);
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static enum reason
read_log(struct agent *a, struct round *r, struct error *e)
{
	return logs_read(a->log_fd, a->log_absent, &r->log, e);
}

static enum reason
ask_challenge(struct agent *a, struct round *r, struct error *e)
{
	struct challenge_request ask = { .ak = a->id.ak_name, .boot_log_len = r->log.len };
	own(mem) char *body = NULL;
	own(answer) struct answer got = { 0 };
	struct problem problem;
	size_t len;
	enum reason why;

	ask.purpose = r->whom ? PURPOSE_PASSPORT : PURPOSE_LOGIN;
	r->ima_why.code = ERR_NONE;
	r->ima = ima_count(&a->ima, &r->ima_count, &r->ima_why);
	ask.ima_count = r->ima_count;
	strcpy(ask.boot_id, a->boot_id);
	memcpy(ask.boot_log, r->log.sha256, sizeof(ask.boot_log));
	if (!challenge_request_json(&ask, &body, &len, e))
		return REASON_INTERNAL_ERROR;
	r->asked = clock_now();
	why = upstream_ask(&a->up, &(struct request){ .path = "/v1/challenges", .type = "application/json",
	    .body = body, .len = len }, r->deadline, &got, &problem, e);
	if (why != REASON_OK)
		return why;
	if (!challenge_answer_read(got.body, got.len, &r->challenge, e))
		return REASON_RESULT_INVALID;
	r->ima_sent = r->challenge.ima_wanted && !a->ima.absent;
	r->ima_from = r->ima_sent ? r->challenge.ima_from : 0;
	if (!r->ima_sent || r->ima == REASON_OK)
		return REASON_OK;
	*e = r->ima_why;
	return r->ima;
}

/* The digest that binds the quote to this challenge, host, boot and log. PROTOCOL section 1. */
static bool
bind(const struct agent *a, struct round *r)
{
	uint8_t no_facts[SHA256_SIZE];

	return digest_sha256("", 0, no_facts) && context_digest(&(struct context){
	    .purpose = r->whom ? PURPOSE_PASSPORT : PURPOSE_LOGIN, .nonce = r->challenge.nonce, .host_id = a->id.host_id,
	    .boot_id = a->boot_id, .boot_log = r->log.sha256, .ima_from = r->ima_from, .facts = no_facts,
	    .audience = r->whom ? r->whom->audience : "", .user = r->whom ? r->whom->user : "" }, r->extra);
}

static int64_t
quote_deadline(const struct round *r)
{
	int64_t limit = clock_mono() + QUOTE_MS;

	return limit < r->deadline ? limit : r->deadline;
}

/* Another key under our handle quotes with success: only the signer's name tells. */
static enum reason
check_own(const struct agent *a, const struct round *r, struct error *e)
{
	if (r->quote.magic != TPM_GENERATED || r->quote.type != TPM_ST_ATTEST_QUOTE ||
	    !name_same(&r->quote.signer, &a->id.signer))
		return err_set(e, ERR_MISMATCH, "another key than the enrolled one answers under its handle"), REASON_AK_CHANGED;
	return REASON_OK;
}

static enum reason
make_quote(struct agent *a, struct round *r, const struct selection *s, struct error *e)
{
	enum reason why = tpm_ask_quote(&a->tpm, r->extra, s, quote_deadline(r), &r->quoted, e);

	if (why != REASON_OK)
		return why;
	a->quotes++;
	if (!quote_read(r->quoted.attest, r->quoted.attest_len, &r->quote, e))
		return REASON_TPM_ERROR;
	return check_own(a, r, e);
}

/* What one POST of the evidence has beside the quote. */
struct parcel { bool log; uint64_t ima_at; };

static void
put_number(uint8_t out[static 8], uint64_t n)
{
	struct writer w = wr_open(out, 8);

	wr_be64(&w, n, "number");
}

/* The entries from p->ima_at on, if the verifier wants the list and this host has one. */
static enum reason
add_ima(struct agent *a, const struct round *r, const struct parcel *p, struct evidence *ev, uint8_t numbers[static 24],
    struct error *e)
{
	struct ima_part part;
	enum reason why;

	if (!r->ima_sent)
		return REASON_OK;
	why = ima_read(&a->ima, p->ima_at, IMA_CHUNK, &part, e);
	if (why != REASON_OK)
		return why;
	put_number(numbers, r->ima_from);
	put_number(numbers + 8, p->ima_at);
	put_number(numbers + 16, r->ima_count);
	ev->ima = (struct part){ part.p, part.len, true };
	ev->ima_from = (struct part){ numbers, 8, true };
	ev->ima_at = (struct part){ numbers + 8, 16, true };
	return REASON_OK;
}

static void
add_whom(const struct round *r, struct evidence *ev)
{
	if (!r->whom)
		return;
	ev->audience = (struct part){ (const uint8_t *)r->whom->audience, strlen(r->whom->audience), true };
	ev->user = (struct part){ (const uint8_t *)r->whom->user, strlen(r->whom->user), true };
}

static enum reason
post_evidence(struct agent *a, struct round *r, const struct parcel *p, struct problem *problem, struct error *e)
{
	struct evidence ev = {
		.challenge = { r->challenge.challenge, CHALLENGE_SIZE, true },
		.attest = { r->quoted.attest, r->quoted.attest_len, true },
		.signature = { r->quoted.signature, r->quoted.signature_len, true },
		.boot_log = { r->log.bytes, r->log.len, p->log },
		.pcr_values = { r->pcrs, r->pcrs_len, r->pcrs_asked },
	};
	own(mem) uint8_t *body = NULL;
	own(answer) struct answer got = { 0 };
	uint8_t numbers[24];
	struct writer w;
	enum reason why = add_ima(a, r, p, &ev, numbers, e);
	size_t size;

	if (why != REASON_OK)
		return why;
	add_whom(r, &ev);
	size = evidence_size(&ev);
	body = malloc(size);
	w = wr_open(body, body ? size : 0);
	if (!evidence_write(&ev, &w, e))
		return REASON_INTERNAL_ERROR;
	why = upstream_ask(&a->up, &(struct request){ .path = r->whom ? "/v1/passports" : "/v1/evidence",
	    .type = "application/vnd.pam-attest.evidence", .body = body, .len = w.used }, r->deadline, &got, problem, e);
	if (why != REASON_OK)
		return why;
	return evidence_answer_read(got.body, got.len, &r->answer, e) ? REASON_OK : REASON_RESULT_INVALID;
}

static bool
are_quoted(const struct round *r)
{
	uint8_t is[DIGEST_MAX];
	enum bank scheme = r->quote.pcr_digest_len == SHA256_SIZE ? BANK_SHA256 : BANK_SHA384;

	return digest(scheme, r->pcrs, r->pcrs_len, is) && r->quote.pcr_digest_len == bank_size(scheme) &&
	    !memcmp(is, r->quote.pcr_digest, r->quote.pcr_digest_len);
}

/*
 * The values behind the quote. A PCR that was extended since makes them others: then there is a new quote over the
 * same challenge, unless an IMA list is on its way that belongs to the old one. What cannot be read is not sent, and
 * the verifier goes on without.
 */
static void
read_pcrs(struct agent *a, struct round *r)
{
	struct error e = { .code = ERR_NONE };

	r->pcrs_asked = true;
	for (unsigned i = 0; i < PCR_TRIES; i++) {
		if (tpm_ask_pcrs(&a->tpm, &r->challenge.selection, quote_deadline(r), r->pcrs, &r->pcrs_len, &e) != REASON_OK) {
			r->pcrs_len = 0;
			return;
		}
		if (are_quoted(r) || r->ima_sent || make_quote(a, r, &r->challenge.selection, &e) != REASON_OK)
			return;
	}
}

/*
 * What the verifier still wants, under the same challenge: a log that it knew and has lost, the PCRs' values, more of
 * the IMA list, or its beginning. Each part of a long list has time of its own, for as long as the challenge lives.
 */
static bool
wants_more(struct agent *a, struct round *r, const struct problem *problem, struct parcel *p)
{
	int64_t last = r->asked.mono + r->challenge.expires_in, limit = clock_mono() + ROUND_MS;

	if (problem->status != 409 || a->ending)
		return false;
	if (!strcmp(problem->need, "boot_log") && !p->log) {
		p->log = true;
		return true;
	}
	if (!strcmp(problem->need, "pcrs") && !r->pcrs_asked) {
		read_pcrs(a, r);
		return true;
	}
	if (strcmp(problem->need, "ima") || !r->ima_sent)
		return false;
	p->ima_at = problem->from;
	if (r->deadline < limit)
		r->deadline = limit < last ? limit : last;
	return true;
}

static enum reason
send_evidence(struct agent *a, struct round *r, struct error *e)
{
	struct parcel p = { .log = !r->challenge.boot_log_known, .ima_at = r->ima_from };
	struct problem problem = { 0 };
	enum reason why = post_evidence(a, r, &p, &problem, e);

	for (unsigned more = 0; more < PARCELS_MAX && why != REASON_OK && wants_more(a, r, &problem, &p); more++) {
		problem = (struct problem){ 0 };
		why = post_evidence(a, r, &p, &problem, e);
	}
	return why;
}

/*
 * A result is believed only if it is signed, and about this key, boot and challenge. The challenge makes it
 * fresh: a clock that is wrong, here or at the verifier, locks nobody out.
 */
static enum reason
check_result(struct agent *a, struct round *r, struct error *e)
{
	struct result *res = &r->result;

	if (!result_verify(r->answer.result, strlen(r->answer.result), &a->id.keys, RESULT_BY_NONCE, res, e))
		return REASON_RESULT_INVALID;
	if (!same_bytes(res->nonce, r->challenge.nonce, NONCE_SIZE) || !name_same(&res->ak, &a->id.ak_name) ||
	    strcmp(res->host_id, a->id.host_id) || strcmp(res->boot_id, a->boot_id) ||
	    res->reset_count != r->quote.reset_count || res->restart_count != r->quote.restart_count)
		return err_set(e, ERR_MISMATCH, "the result is about another host, boot or challenge"), REASON_RESULT_INVALID;
	return REASON_OK;
}

/* Said, because certificates and everybody who reads results go by the clock. */
static void
compare_clocks(const struct round *r, struct error *e)
{
	int64_t ahead = r->result.issued_wall - clock_now().wall;

	if (ahead > RESULT_SKEW_MS || ahead < -RESULT_SKEW_MS)
		snprintf(e->why, sizeof(e->why), "the verifier's clock is %lld s %s this one",
		    (long long)(ahead < 0 ? -ahead : ahead) / 1000, ahead < 0 ? "behind" : "ahead of");
}

/* Keys are rotated under the root that was pinned: one look at the key set before a result is called invalid. */
bool
round_refresh(struct agent *a, int64_t deadline, struct error *e)
{
	own(answer) struct answer got = { 0 };
	struct problem problem;
	char path[64], bearer[KID_TEXT];
	own(mem) struct enrolled *en = calloc(1, sizeof(*en));

	snprintf(path, sizeof(path), "/v1/enrollments/%s", a->id.enrollment);
	base64url_text(a->id.secret, sizeof(a->id.secret), bearer, sizeof(bearer));
	return en && upstream_ask(&a->up, &(struct request){ .path = path, .bearer = bearer }, deadline, &got,
	    &problem, e) == REASON_OK && enrolled_read(got.body, got.len, en, e) && !strcmp(en->state, "active") &&
	    state_keep_recovery(a->opt->state_dir, en, e) && state_save_keys(a->opt->state_dir, en->keyset, &a->id, e);
}

static enum reason
believe(struct agent *a, struct round *r, struct error *e)
{
	enum reason why = check_result(a, r, e);
	struct error ignored = { .code = ERR_NONE };

	if (why != REASON_OK && round_refresh(a, r->deadline, &ignored))
		why = check_result(a, r, e);
	return why;
}

static enum reason
attempt(struct agent *a, struct round *r, struct error *e)
{
	enum reason why;

	if (!a->id.active)
		return a->id.pending ? REASON_ENROLLMENT_PENDING : REASON_NOT_ENROLLED;
	why = read_log(a, r, e);
	if (why == REASON_OK)
		why = ask_challenge(a, r, e);
	if (why == REASON_OK && !bind(a, r))
		why = REASON_INTERNAL_ERROR;
	if (why == REASON_OK)
		why = make_quote(a, r, &r->challenge.selection, e);
	if (why == REASON_OK)
		why = send_evidence(a, r, e);
	if (why == REASON_OK)
		why = believe(a, r, e);
	return why;
}

/*
 * A connection that died after the evidence had arrived makes libcurl send it again, and a slow TPM
 * can outlast a challenge. Neither says anything about this host: a new challenge, once.
 */
static enum reason
attest(struct agent *a, struct round *r, struct error *e)
{
	enum reason why = attempt(a, r, e);

	if (why != REASON_CHALLENGE_USED && why != REASON_CHALLENGE_EXPIRED && why != REASON_CHALLENGE_INVALID)
		return why;
	boot_log_free(&r->log);
	r->pcrs_asked = false;          /* values are read for one quote; another policy may want other PCRs */
	r->pcrs_len = 0;
	return attempt(a, r, e);
}

/* Our own quote is checked as a verifier would: by the key's signature, over a nonce that nobody knew before. */
static bool
quote_holds(const struct agent *a, const struct round *r)
{
	struct error e = { .code = ERR_NONE };
	struct verify_key *key = NULL;
	struct tpm_signature signature;
	struct tpm_public public;
	uint8_t spki[TPM_PUBLIC_MAX];
	size_t len;
	bool holds;

	if (!public_read(a->id.ak.public, a->id.ak.public_len, &public, &e) ||
	    !public_spki(&public, spki, sizeof(spki), &len, &e) || !verify_key_open(spki, len, &key, &e))
		return false;
	holds = signature_read(r->quoted.signature, r->quoted.signature_len, &signature, &e) &&
	    verify_key_check(key, &signature, r->quoted.attest, r->quoted.attest_len, &e) &&
	    r->quote.extra_len == sizeof(r->extra) && same_bytes(r->quote.extra, r->extra, sizeof(r->extra));
	verify_key_free(key);
	return holds;
}

/* Another boot, and the TPM was not reset since: the kernel was replaced unmeasured, or a machine that hibernated did not resume. */
static bool
not_reset(const struct agent *a, const struct round *r)
{
	const struct kept *k = &a->good;

	return r->quote.reset_count == k->record.reset_count ||
	    (k->seen.boot_id[0] && r->quote.reset_count == k->seen.reset_count);
}

/* How old the last good result is, at the least: a wall clock can be set back, and the TPM's stands while it has no power. */
static int64_t
good_age(const struct agent *a, const struct round *r)
{
	int64_t wall = clock_now().wall - a->good.record.issued_wall, powered = 0;

	if (r->quote.clock > a->good.tpm_clock && r->quote.clock - a->good.tpm_clock < INT64_MAX / 2)
		powered = (int64_t)(r->quote.clock - a->good.tpm_clock);
	return wall > powered ? wall : powered;
}

/*
 * No verifier after a reboot: does this boot look like the last good one? A quote of our own, over a
 * nonce of our own, compared with the digest that the verifier signed then. REASON_BOOT_UNCONFIRMED: it does not, and
 * *e says how; else `why` as it was. Once a boot, if it does.
 */
static enum reason
compare_with_good(struct agent *a, struct round *r, enum reason why, struct error *e)
{
	struct kept *k = &a->good;
	struct error ignored = { .code = ERR_NONE };
	enum reason quoted;

	if (a->negative.there || !k->there || k->record.state != STATE_AFFIRMING || !k->selection.count ||
	    !strcmp(k->record.boot_id, a->boot_id) || !strcmp(k->seen.boot_id, a->boot_id) ||
	    !random_bytes(r->extra, sizeof(r->extra)))
		return why;
	r->deadline = clock_mono() + QUOTE_MS;
	quoted = make_quote(a, r, &k->selection, &ignored);
	if (quoted == REASON_OK && !quote_holds(a, r))
		quoted = REASON_TPM_ERROR;
	if (quoted != REASON_OK) {
		/* The verifier's absence stays the reason; the log has both. */
		err_in(e, "no quote of our own either (%s)", reason_code(quoted));
		return why;
	}
	if (not_reset(a, r))
		return err_set(e, ERR_MISMATCH, "it is another one, but the TPM was not reset"), REASON_BOOT_UNCONFIRMED;
	if (!selection_same(&r->quote.selection, &k->selection) || r->quote.pcr_digest_len != k->pcr_digest_len ||
	    !same_bytes(r->quote.pcr_digest, k->pcr_digest, k->pcr_digest_len))
		return err_set(e, ERR_MISMATCH, "its PCR digest is not that of the last good result"), REASON_BOOT_UNCONFIRMED;
	strcpy(k->seen.boot_id, a->boot_id);
	k->seen.reset_count = r->quote.reset_count;
	k->seen.at = clock_now().boot;
	k->seen.age = good_age(a, r);
	/* Where it cannot be kept, a restart of attestd compares again. */
	if (!kept_save(a->opt->state_dir, KEPT_GOOD, k, &ignored))
		ignored.code = ERR_NONE;
	return why;
}

enum { RETRY_FIRST_MS = 5000, RETRY_LAST_MS = 60 * 1000, REFUSED_RETRY_MS = 15000 };

/* A permit is renewed at `renew` of its life, or sooner if the verifier says so; a refusal when the verifier says. */
static int64_t
renewal(const struct agent *a, const struct round *r)
{
	int64_t life = a->record.expires_wall - a->record.issued_wall, mine = life / 100 * a->opt->renew;
	enum state s = r->result.state;

	if (s != STATE_AFFIRMING && s != STATE_WARNING)
		return r->answer.next_after;
	return r->answer.next_after > 0 && r->answer.next_after < mine ? r->answer.next_after : mine;
}

/* Each failure in a row doubles the pause; logins still ask by themselves. */
static int64_t
retry(struct agent *a, enum reason why)
{
	int64_t pause = (int64_t)RETRY_FIRST_MS << (a->failures < 4 ? a->failures : 4);

	a->failures++;
	if (reason_state(why) == STATE_CONTRAINDICATED || why == REASON_NOT_ENROLLED)
		return REFUSED_RETRY_MS;
	return pause < RETRY_LAST_MS ? pause : RETRY_LAST_MS;
}

/* A host that enrolled before there were recovery codes has no key for them: once a start it asks. */
static void
want_recovery(struct agent *a)
{
	struct recovery_kept k;
	struct error e = { .code = ERR_NONE };

	if (a->asked_recovery || state_load_recovery(a->opt->state_dir, &k, &e) || e.code != ERR_MISSING)
		return;
	a->asked_recovery = true;
	(void)!round_refresh(a, clock_mono() + RECOVERY_MS, &e);
}

void
round_attest(struct agent *a, const struct whom *whom, struct outcome *o)
{
	own(mem) struct round *r = calloc(1, sizeof(*r));
	struct error e = { .code = ERR_NONE }, written = { .code = ERR_NONE };
	int64_t next;
	enum reason why = REASON_INTERNAL_ERROR;
	bool ok = false;

	if (r && round_boot_id(a, a->boot_id, &e)) {
		r->deadline = clock_mono() + ROUND_MS;
		r->whom = whom;
		why = attest(a, r, &e);
	}
	if (why == REASON_OK) {
		ok = publish_result(a, &r->result, r->answer.result, &r->challenge.selection, &r->asked, &written);
		next = renewal(a, r);
		a->failures = 0;
		why = r->result.reason[0];
		e.why[0] = '\0';
		compare_clocks(r, &e);
		want_recovery(a);
	} else {
		if (r && reason_is_outage(why))
			why = compare_with_good(a, r, why, &e);
		ok = publish_failure(a, why, &written);
		next = retry(a, why);
	}
	agent_outcome(a, why, ok ? &e : &written, next, o);
	if (r && ok)
		memcpy(o->passport, r->answer.passport, sizeof(o->passport));
	ima_release(&a->ima);
	if (r)
		boot_log_free(&r->log);
}

void
agent_outcome(const struct agent *a, enum reason why, const struct error *e, int64_t next_ms, struct outcome *o)
{
	*o = (struct outcome){ .reason = why, .record = a->record, .enrolled = a->id.active, .pending = a->id.pending,
		.next_ms = next_ms, .quotes = a->quotes, .tpm_commands = a->tpm.commands };
	snprintf(o->why, sizeof(o->why), "%s", e->why);
	snprintf(o->host, sizeof(o->host), "%s", a->id.name);
	for (unsigned i = 0; i < a->up.urls; i++)
		if (i == a->up.current)
			snprintf(o->url, sizeof(o->url), "%s", a->up.url[i]);
		else
			snprintf(o->standby + strlen(o->standby), sizeof(o->standby) - strlen(o->standby), "%s%s", o->standby[0] ? " " : "", a->up.url[i]);
	o->answered_wall = a->up.answered_wall;
}
