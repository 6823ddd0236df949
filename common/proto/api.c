#include <string.h>
#include "api.h"
#include "json.h"
#include "scope.h"

enum { CERT_TEXT = EK_CERT_MAX / 3 * 4 + 5, SELECTION_TEXT = 512 };

static const int64_t whole_max = (int64_t)1 << 53;    /* what every JSON reader can hold */

/* Names, ids and tokens end up in addresses, headers and on terminals: letters, digits, '.', '-', '_'. */
static bool
plain_text(const struct json *j, const char *key, char *out, size_t size, struct error *e)
{
	if (!json_text(j, key, out, size, e))
		return false;
	for (const char *p = out; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *p))
			return err_set(e, ERR_FORMAT, "%s: other than letters, digits, '.', '-' and '_'", key);
	return *out || err_set(e, ERR_FORMAT, "%s: empty", key);
}

static bool
exactly(const struct json *j, const char *key, void *out, size_t size, struct error *e)
{
	size_t len;

	if (!json_bytes(j, key, out, size, &len, e))
		return false;
	return len == size || err_set(e, ERR_FORMAT, "%s: not %zu bytes", key, size);
}

static bool
some_bytes(const struct json *j, const char *key, void *out, size_t size, size_t *len, struct error *e)
{
	if (!json_bytes(j, key, out, size, len, e))
		return false;
	return *len || err_set(e, ERR_FORMAT, "%s: empty", key);
}

static bool
count(const struct json *j, const char *key, uint64_t *out, struct error *e)
{
	int64_t v;

	if (!json_int(j, key, 0, whole_max, &v, e))
		return false;
	*out = (uint64_t)v;
	return true;
}

/* A one-time code, in the one form that is sent. */
static bool
code(const struct json *j, const char *key, char out[static CODE_TEXT], struct error *e)
{
	char text[CODE_TEXT];

	if (!json_text(j, key, text, sizeof(text), e))
		return false;
	return (code_read(text, out) && !strcmp(text, out)) || err_set(e, ERR_FORMAT, "%s: not a code", key);
}

/* The verifier's root key, and its result keys as the root has signed them. */
static bool
root_and_keys(const struct json *j, struct public_key *root, char keyset[static JWS_MAX], struct error *e)
{
	const struct json *sub;
	own(mem) char *text = NULL;
	size_t len;

	if (!json_sub(j, "root", &sub, e) || !json_print(sub, false, &text, &len, e))
		return false;
	if (!public_key_read(text, len, root, e))
		return err_in(e, "root");
	return json_text(j, "keys", keyset, JWS_MAX, e);
}

/* A JSON object as text, on its way into or out of another. */
static bool
put_parsed(struct json *j, const char *key, const char *text, struct error *e)
{
	struct json *value = NULL;

	if (!json_parse(text, strlen(text), &value, e))
		return false;
	json_put(j, key, value);
	return true;
}

/* --- POST /v1/challenges */

bool
challenge_request_json(const struct challenge_request *q, char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();

	json_put_bytes(j, "ak_name", q->ak.bytes, q->ak.size);
	json_put_text(j, "boot_id", q->boot_id);
	json_put_bytes(j, "boot_log", q->boot_log, SHA256_SIZE);
	json_put_int(j, "boot_log_length", (int64_t)q->boot_log_len);
	json_put_int(j, "ima_count", (int64_t)q->ima_count);
	if (q->purpose != PURPOSE_LOGIN)
		json_put_text(j, "purpose", purpose_word(q->purpose));
	return json_print(j, false, out, len, e);
}

bool
challenge_request_read(const char *text, size_t len, struct challenge_request *out, struct error *e)
{
	own(json) struct json *j = NULL;
	struct challenge_request q = { .purpose = PURPOSE_LOGIN };
	char purpose[12];
	size_t ak;

	if (!json_parse(text, len, &j, e) || !some_bytes(j, "ak_name", q.ak.bytes, sizeof(q.ak.bytes), &ak, e) ||
	    !plain_text(j, "boot_id", q.boot_id, sizeof(q.boot_id), e) ||
	    !exactly(j, "boot_log", q.boot_log, SHA256_SIZE, e) || !count(j, "boot_log_length", &q.boot_log_len, e) ||
	    !count(j, "ima_count", &q.ima_count, e))
		return false;
	if (json_has(j, "purpose") && !(json_text(j, "purpose", purpose, sizeof(purpose), e) &&
	    (purpose_find(purpose, &q.purpose) || err_set(e, ERR_FORMAT, "purpose: no such purpose"))))
		return false;
	q.ak.size = (uint16_t)ak;
	*out = q;
	return true;
}

bool
challenge_answer_json(const struct challenge_answer *a, char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();
	char selection[SELECTION_TEXT];

	if (!selection_text(&a->selection, selection, sizeof(selection)))
		return err_set(e, ERR_FORMAT, "selection: not one that can be written");
	json_put_bytes(j, "challenge", a->challenge, CHALLENGE_SIZE);
	json_put_bytes(j, "nonce", a->nonce, NONCE_SIZE);
	json_put_text(j, "selection", selection);
	json_put_text(j, "boot_log", a->boot_log_known ? "known" : "send");
	if (a->ima_wanted)
		json_put_int(j, "ima_from", (int64_t)a->ima_from);
	json_put_int(j, "expires_in", a->expires_in);
	return json_print(j, false, out, len, e);
}

bool
challenge_answer_read(const char *text, size_t len, struct challenge_answer *out, struct error *e)
{
	own(json) struct json *j = NULL;
	struct challenge_answer a = { 0 };
	char selection[SELECTION_TEXT], boot_log[8];

	if (!json_parse(text, len, &j, e) || !exactly(j, "challenge", a.challenge, CHALLENGE_SIZE, e) ||
	    !exactly(j, "nonce", a.nonce, NONCE_SIZE, e) ||
	    !json_text(j, "selection", selection, sizeof(selection), e) ||
	    !json_text(j, "boot_log", boot_log, sizeof(boot_log), e) ||
	    !json_int(j, "expires_in", 0, CHALLENGE_LIFE_MS, &a.expires_in, e))
		return false;
	if (!selection_parse(selection, &a.selection, e))
		return err_in(e, "selection");
	a.ima_wanted = json_has(j, "ima_from");
	if (a.ima_wanted && !count(j, "ima_from", &a.ima_from, e))
		return false;
	a.boot_log_known = !strcmp(boot_log, "known");
	if (!a.boot_log_known && strcmp(boot_log, "send"))
		return err_set(e, ERR_FORMAT, "boot_log: neither known nor send");
	*out = a;
	return true;
}

/* --- POST /v1/evidence */

bool
evidence_answer_json(const struct evidence_answer *a, const struct result *r, char **out, size_t *len,
    struct error *e)
{
	own(json) struct json *j = json_new();
	struct json *reasons = json_new_list();

	for (unsigned i = 0; i < r->nreasons && i < RESULT_REASONS_MAX; i++)
		json_add_text(reasons, reason_code(r->reason[i]));
	json_put_text(j, "result", a->result);
	json_put_text(j, "state", state_word(r->state));
	json_put(j, "reasons", reasons);
	json_put_text(j, "ref", a->ref);
	json_put_int(j, "next_after", a->next_after);
	if (a->passport[0])
		json_put_text(j, "passport", a->passport);
	return json_print(j, false, out, len, e);
}

bool
evidence_answer_read(const char *text, size_t len, struct evidence_answer *out, struct error *e)
{
	own(json) struct json *j = NULL;
	struct evidence_answer a = { 0 };

	if (!json_parse(text, len, &j, e) || !json_text(j, "result", a.result, sizeof(a.result), e) ||
	    !plain_text(j, "ref", a.ref, sizeof(a.ref), e) || !json_int(j, "next_after", 0, whole_max, &a.next_after, e))
		return false;
	if (json_has(j, "passport") && !code(j, "passport", a.passport, e))
		return false;
	*out = a;
	return true;
}

/* --- GET /v1/results/{host}, POST /v1/passports/redemptions */

bool
redemption_json(const struct redemption *q, char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();

	json_put_text(j, "code", q->code);
	json_put_text(j, "audience", q->audience);
	json_put_text(j, "user", q->user);
	return json_print(j, false, out, len, e);
}

bool
redemption_read(const char *text, size_t len, struct redemption *out, struct error *e)
{
	own(json) struct json *j = NULL;
	struct redemption q = { 0 };

	if (!json_parse(text, len, &j, e) || !code(j, "code", q.code, e) ||
	    !json_text(j, "audience", q.audience, sizeof(q.audience), e) || !json_text(j, "user", q.user, sizeof(q.user), e))
		return false;
	if (!audience_ok(q.audience) || !passport_user_ok(q.user))
		return err_set(e, ERR_FORMAT, "audience or user: not one that can be");
	*out = q;
	return true;
}

bool
told_result_json(const struct told_result *a, char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();
	char root[512];

	if (!public_key_json(&a->root, root, sizeof(root), e))
		return false;
	json_put_int(j, "schema", 1);
	json_put_text(j, "result", a->result);
	json_put_text(j, "keys", a->keyset);
	return put_parsed(j, "root", root, e) && json_print(j, false, out, len, e);
}

bool
told_result_read(const char *text, size_t len, struct told_result *out, struct error *e)
{
	own(json) struct json *j = NULL;
	own(mem) struct told_result *a = calloc(1, sizeof(*a));

	if (!a)
		return err_set(e, ERR_MEMORY, "result");
	if (!json_parse(text, len, &j, e) || !json_text(j, "result", a->result, sizeof(a->result), e) ||
	    !root_and_keys(j, &a->root, a->keyset, e))
		return false;
	*out = *a;
	return true;
}

/* --- POST /v1/enrollments */

static struct json *
bank_list(uint32_t banks)
{
	struct json *list = json_new_list();

	for (unsigned b = 0; b < BANK_COUNT; b++)
		if (banks & 1u << b)
			json_add_text(list, bank_word((enum bank)b));
	return list;
}

static bool
bank_list_read(const struct json *j, const char *key, uint32_t *banks, struct error *e)
{
	unsigned n;
	char word[16];
	enum bank b;

	if (!json_list(j, key, 16, &n, e))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (!json_item_text(json_item(j, key, i), word, sizeof(word), e))
			return err_in(e, "%s", key);
		/* A TPM may have banks, SM3 for one, that this project has no use for. */
		if (bank_of_word(word, &b))
			*banks |= 1u << b;
	}
	return true;
}

static bool
chain_json(const struct enroll_request *q, struct json *j, struct error *e)
{
	struct json *list = json_new_list();
	char text[CERT_TEXT];

	json_put(j, "ek_chain", list);
	for (unsigned i = 0; i < q->chain_count; i++) {
		if (i == EK_CHAIN_MAX || !base64url_text(q->chain[i], q->chain_len[i], text, sizeof(text)))
			return err_set(e, ERR_LIMIT, "ek_chain: certificate %u", i);
		json_add_text(list, text);
	}
	return true;
}

static bool
chain_read(const struct json *j, struct enroll_request *q, struct error *e)
{
	char text[CERT_TEXT];

	if (!json_has(j, "ek_chain"))
		return true;
	if (!json_list(j, "ek_chain", EK_CHAIN_MAX, &q->chain_count, e))
		return false;
	for (unsigned i = 0; i < q->chain_count; i++) {
		if (!json_item_text(json_item(j, "ek_chain", i), text, sizeof(text), e))
			return err_in(e, "ek_chain");
		if (!base64url_bytes(text, strlen(text), q->chain[i], EK_CERT_MAX, &q->chain_len[i]) || !q->chain_len[i])
			return err_set(e, ERR_FORMAT, "ek_chain: not base64url of 1 to %d bytes", EK_CERT_MAX);
	}
	return true;
}

bool
enroll_request_json(const struct enroll_request *q, char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();

	json_put_text(j, "name", q->name);
	json_put_bytes(j, "ek_public", q->ek_public, q->ek_public_len);
	if (q->ek_cert_len)
		json_put_bytes(j, "ek_certificate", q->ek_cert, q->ek_cert_len);
	json_put_bytes(j, "ak_public", q->ak_public, q->ak_public_len);
	json_put(j, "banks", bank_list(q->banks));
	if (*q->token)
		json_put_text(j, "token", q->token);
	return chain_json(q, j, e) && json_print(j, false, out, len, e);
}

bool
enroll_request_read(const char *text, size_t len, struct enroll_request *out, struct error *e)
{
	own(json) struct json *j = NULL;
	own(mem) struct enroll_request *q = calloc(1, sizeof(*q));

	if (!q)
		return err_set(e, ERR_MEMORY, "enrollment");
	if (len > API_BODY_MAX)
		return err_set(e, ERR_LIMIT, "enrollment: over %d bytes", API_BODY_MAX);
	if (!json_parse(text, len, &j, e) || !plain_text(j, "name", q->name, sizeof(q->name), e) ||
	    !some_bytes(j, "ek_public", q->ek_public, sizeof(q->ek_public), &q->ek_public_len, e) ||
	    !some_bytes(j, "ak_public", q->ak_public, sizeof(q->ak_public), &q->ak_public_len, e) ||
	    !bank_list_read(j, "banks", &q->banks, e) || !chain_read(j, q, e))
		return false;
	if (json_has(j, "ek_certificate") &&
	    !some_bytes(j, "ek_certificate", q->ek_cert, sizeof(q->ek_cert), &q->ek_cert_len, e))
		return false;
	if (json_has(j, "token") && !plain_text(j, "token", q->token, sizeof(q->token), e))
		return false;
	*out = *q;
	return true;
}

bool
enroll_answer_json(const struct enroll_answer *a, char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();

	json_put_text(j, "id", a->id);
	json_put_bytes(j, "credential", a->credential, a->credential_len);
	json_put_bytes(j, "secret", a->secret, a->secret_len);
	return json_print(j, false, out, len, e);
}

bool
enroll_answer_read(const char *text, size_t len, struct enroll_answer *out, struct error *e)
{
	own(json) struct json *j = NULL;
	struct enroll_answer a = { 0 };

	if (!json_parse(text, len, &j, e) || !plain_text(j, "id", a.id, sizeof(a.id), e) ||
	    !some_bytes(j, "credential", a.credential, sizeof(a.credential), &a.credential_len, e) ||
	    !some_bytes(j, "secret", a.secret, sizeof(a.secret), &a.secret_len, e))
		return false;
	*out = a;
	return true;
}

/* --- POST /v1/enrollments/{id}/proof, GET /v1/enrollments/{id} */

bool
proof_json(const uint8_t secret[static SECRET_SIZE], char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();

	json_put_bytes(j, "secret", secret, SECRET_SIZE);
	return json_print(j, false, out, len, e);
}

bool
proof_read(const char *text, size_t len, uint8_t secret[static SECRET_SIZE], struct error *e)
{
	own(json) struct json *j = NULL;
	uint8_t bytes[SECRET_SIZE];

	if (!json_parse(text, len, &j, e) || !exactly(j, "secret", bytes, SECRET_SIZE, e))
		return false;
	memcpy(secret, bytes, SECRET_SIZE);
	return true;
}

bool
enrolled_json(const struct enrolled *h, char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();
	char root[512];

	json_put_text(j, "host_id", h->host_id);
	json_put_text(j, "name", h->name);
	json_put_text(j, "state", h->state);
	if (!strcmp(h->state, "active")) {
		if (!public_key_json(&h->root, root, sizeof(root), e) || !put_parsed(j, "root", root, e))
			return false;
		json_put_text(j, "keys", h->keyset);
		json_put_text(j, "token", h->token);
		if (h->has_recovery)
			json_put_bytes(j, "recovery_key", h->recovery, sizeof(h->recovery));
	}
	return json_print(j, false, out, len, e);
}

static bool
active_read(const struct json *j, struct enrolled *h, struct error *e)
{
	h->has_recovery = json_has(j, "recovery_key");
	if (h->has_recovery && !exactly(j, "recovery_key", h->recovery, sizeof(h->recovery), e))
		return false;
	return root_and_keys(j, &h->root, h->keyset, e) && plain_text(j, "token", h->token, sizeof(h->token), e);
}

bool
enrolled_read(const char *text, size_t len, struct enrolled *out, struct error *e)
{
	own(json) struct json *j = NULL;
	own(mem) struct enrolled *h = calloc(1, sizeof(*h));

	if (!h)
		return err_set(e, ERR_MEMORY, "enrollment");
	if (!json_parse(text, len, &j, e) || !plain_text(j, "host_id", h->host_id, sizeof(h->host_id), e) ||
	    !plain_text(j, "name", h->name, sizeof(h->name), e) || !json_text(j, "state", h->state, sizeof(h->state), e))
		return false;
	if (!strcmp(h->state, "active")) {
		if (!active_read(j, h, e))
			return false;
	} else if (strcmp(h->state, "pending") && strcmp(h->state, "rejected")) {
		return err_set(e, ERR_FORMAT, "state: not pending, active or rejected");
	}
	*out = *h;
	return true;
}

/* --- RFC 9457 */

bool
problem_json(const struct problem *p, char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();

	json_put_int(j, "status", p->status);
	json_put_text(j, "title", reason_text(p->reason));
	json_put_text(j, "reason", reason_code(p->reason));
	json_put_text(j, "detail", p->detail);
	if (*p->ref)
		json_put_text(j, "ref", p->ref);
	if (*p->need)
		json_put_text(j, "need", p->need);
	if (!strcmp(p->need, "ima"))
		json_put_int(j, "from", (int64_t)p->from);
	return json_print(j, false, out, len, e);
}

bool
problem_read(const char *text, size_t len, struct problem *out, struct error *e)
{
	own(json) struct json *j = NULL;
	struct problem p = { 0 };
	char reason[REASON_CODE_MAX];
	int64_t status;

	if (!json_parse(text, len, &j, e) || !json_int(j, "status", 400, 599, &status, e) ||
	    !json_text(j, "reason", reason, sizeof(reason), e) || !json_text(j, "detail", p.detail, sizeof(p.detail), e))
		return false;
	if (!reason_find(reason, &p.reason))
		return err_set(e, ERR_FORMAT, "reason: no such code: %s", reason);
	if (json_has(j, "ref") && !plain_text(j, "ref", p.ref, sizeof(p.ref), e))
		return false;
	if (json_has(j, "need") && !plain_text(j, "need", p.need, sizeof(p.need), e))
		return false;
	if (!strcmp(p.need, "ima") && !count(j, "from", &p.from, e))
		return false;
	p.status = (int)status;
	*out = p;
	return true;
}
