/* challenge for events -> quote over what is told -> POST /v1/events. attest-protocol(7). */
#include "evidence.h"
#include "scope.h"
#include "tell.h"

enum { TELL_MS = 4000 };

static enum reason
ask_challenge(struct agent *a, const uint8_t no_log[static SHA256_SIZE], int64_t deadline, struct challenge_answer *out,
    struct error *e)
{
	struct challenge_request ask = { .ak = a->id.ak_name, .purpose = PURPOSE_EVENTS };
	own(mem) char *body = NULL;
	own(answer) struct answer got = { 0 };
	struct problem problem;
	enum reason why;
	size_t len;

	strcpy(ask.boot_id, a->boot_id);
	memcpy(ask.boot_log, no_log, sizeof(ask.boot_log));
	if (!challenge_request_json(&ask, &body, &len, e))
		return REASON_INTERNAL_ERROR;
	why = upstream_ask(&a->up, &(struct request){ .path = "/v1/challenges", .type = "application/json", .body = body,
	    .len = len }, deadline, &got, &problem, e);
	if (why != REASON_OK)
		return why;
	return challenge_answer_read(got.body, got.len, out, e) ? REASON_OK : REASON_RESULT_INVALID;
}

static enum reason
post(struct agent *a, const struct challenge_answer *c, const struct tpm_quoted *q, const char *text, size_t text_len,
    int64_t deadline, struct error *e)
{
	struct evidence ev = {
		.challenge = { c->challenge, CHALLENGE_SIZE, true },
		.attest = { q->attest, q->attest_len, true },
		.signature = { q->signature, q->signature_len, true },
		.facts = { (const uint8_t *)text, text_len, true },
	};
	size_t size = evidence_size(&ev);
	own(mem) uint8_t *body = malloc(size);
	own(answer) struct answer got = { 0 };
	struct writer w = wr_open(body, body ? size : 0);
	struct problem problem;

	if (!evidence_write(&ev, &w, e))
		return REASON_INTERNAL_ERROR;
	return upstream_ask(&a->up, &(struct request){ .path = "/v1/events", .type = "application/vnd.pam-attest.evidence",
	    .body = body, .len = w.used }, deadline, &got, &problem, e);
}

/* Nothing of it changes what this host is worth: whatever goes wrong is tried again later. */
static enum reason
tell(struct agent *a, const char *text, size_t len, struct error *e)
{
	int64_t deadline = clock_mono() + TELL_MS;
	uint8_t no_log[SHA256_SIZE], facts[SHA256_SIZE], extra[SHA256_SIZE];
	struct challenge_answer challenge;
	struct tpm_quoted quoted;
	enum reason why;

	if (!a->id.active)
		return REASON_NOT_ENROLLED;
	if (!digest_sha256("", 0, no_log) || !digest_sha256(text, len, facts))
		return REASON_INTERNAL_ERROR;
	why = ask_challenge(a, no_log, deadline, &challenge, e);
	if (why != REASON_OK)
		return why;
	if (!context_digest(&(struct context){ .purpose = PURPOSE_EVENTS, .nonce = challenge.nonce, .host_id = a->id.host_id,
	    .boot_id = a->boot_id, .boot_log = no_log, .facts = facts, .audience = "", .user = "" }, extra))
		return REASON_INTERNAL_ERROR;
	why = tpm_ask_quote(&a->tpm, extra, &challenge.selection, deadline, &quoted, e);
	if (why != REASON_OK)
		return why;
	a->quotes++;
	return post(a, &challenge, &quoted, text, len, deadline, e);
}

void
tell_verifier(struct agent *a, const char *text, size_t len, struct outcome *o)
{
	struct error e = { .code = ERR_NONE };
	enum reason why = tell(a, text, len, &e);

	agent_outcome(a, why, &e, 0, o);
}
