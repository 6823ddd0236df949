#include <string.h>
#include "json.h"
#include "result.h"
#include "scope.h"

/* draft-ietf-rats-ear-03. An older profile has other names: they are all in this table. */
#define EAR_PROFILE "tag:ietf.org,2026:rats/ear#03"
#define EAR_TYP     "eat+jwt"
#define OURS        "pam_attest_"

#define NAMES(X)                                             \
	X(PROFILE,     "eat_profile")                        \
	X(IAT,         "iat")                                \
	X(EXP,         "exp")                                \
	X(AUDIENCE,    "aud")                                \
	X(NONCE,       "eat_nonce")                          \
	X(VERIFIER,    "ear_verifier_id")                    \
	X(DEVELOPER,   "developer")                          \
	X(BUILD,       "build")                              \
	X(SUBMODS,     "submods")                            \
	X(SUBMOD,      "host")                               \
	X(STATUS,      "ear_status")                         \
	X(VECTOR,      "ear_trustworthiness_vector")         \
	X(POLICIES,    "ear_appraisal_policy_ids")           \
	X(HOST,        OURS "host")                          \
	X(HOST_ID,     OURS "host_id")                       \
	X(AK,          OURS "ak_name")                       \
	X(BOOT_ID,     OURS "boot_id")                       \
	X(RESETS,      OURS "reset_count")                   \
	X(RESTARTS,    OURS "restart_count")                 \
	X(CLOCK,       OURS "clock")                         \
	X(PCRS,        OURS "pcr_digest")                    \
	X(REFERENCES,  OURS "references")                    \
	X(REFS_DIGEST, OURS "references_digest")             \
	X(REASONS,     OURS "reasons")                       \
	X(REF,         OURS "ref")                           \
	X(CEILING,     OURS "ceiling")                       \
	X(CEILING_UNTIL, OURS "ceiling_until")               \
	X(CEILING_THEN, OURS "ceiling_then")                 \
	X(GRACE,       OURS "grace_max")                     \
	X(USER,        OURS "user")

enum name {
#define X(name, text) N_##name,
	NAMES(X)
#undef X
};
static const char *const word[] = {
#define X(name, text) [N_##name] = text,
	NAMES(X)
#undef X
};

static const char *const claims[CLAIM_COUNT] = {
#define X(name, word) [CLAIM_##name] = word,
	TRUST_CLAIMS(X)
#undef X
};

/* Numbers that JSON readers everywhere can hold. */
static const int64_t whole_max = (int64_t)1 << 53;


/* AR4SI: a claim's value says a tier; the ranges of private values, below zero, lie one further out. */
static enum state
tier(int8_t value)
{
	int amount = value < 0 ? -value : value, beyond = value < 0;

	if (amount >= 96 + beyond)
		return STATE_CONTRAINDICATED;
	if (amount >= 32 + beyond)
		return STATE_WARNING;
	return amount >= 2 ? STATE_AFFIRMING : STATE_NONE;
}

_Static_assert(STATE_NONE < STATE_AFFIRMING && STATE_AFFIRMING < STATE_WARNING &&
    STATE_WARNING < STATE_CONTRAINDICATED, "states are ordered as AR4SI orders tiers");

/* A status may be worse than a claim of its vector, never better; and "no claim" lets nobody in. */
static bool
claim_allows(const char *name, int8_t value, enum state status, struct error *e)
{
	if (tier(value) > status)
		return err_set(e, ERR_UNTRUSTED, "result: status %s is better than its %.40s %d", state_word(status), name, value);
	return tier(value) != STATE_NONE || status == STATE_CONTRAINDICATED ||
	    err_set(e, ERR_UNTRUSTED, "result: status %s without a claim of %.40s", state_word(status), name);
}

/* What both the signer and the reader demand. */
static bool
consistent(const struct result *r, struct error *e)
{
	if (r->state != STATE_AFFIRMING && r->state != STATE_WARNING && r->state != STATE_CONTRAINDICATED)
		return err_set(e, ERR_FORMAT, "result: status %s", state_word(r->state));
	for (unsigned i = 0; i < CLAIM_COUNT; i++)
		if (!claim_allows(claims[i], r->claim[i], r->state, e))
			return false;
	if (!r->nreasons || r->nreasons > RESULT_REASONS_MAX)
		return err_set(e, ERR_FORMAT, "result: %u reasons", r->nreasons);
	/* Gates go by the first reason: it may not say better than the status. */
	if (reason_state(r->reason[0]) != r->state)
		return err_set(e, ERR_UNTRUSTED, "result: status %s for %s", state_word(r->state), reason_code(r->reason[0]));
	if (r->ak.size > TPM_NAME_MAX || r->pcr_digest_len > DIGEST_MAX)
		return err_set(e, ERR_FORMAT, "result: AK name or PCR digest of no such size");
	return r->issued_wall / 1000 < r->expires_wall / 1000 ||
	    err_set(e, ERR_FORMAT, "result: it ends before it begins");
}

/* --- out */

static struct json *
appraisal(const struct result *r)
{
	struct json *j = json_new(), *vector = json_new(), *policies = json_new_list(), *reasons = json_new_list();

	for (unsigned i = 0; i < CLAIM_COUNT; i++)
		json_put_int(vector, claims[i], r->claim[i]);
	json_add_text(policies, r->policy);
	for (unsigned i = 0; i < r->nreasons; i++)
		json_add_text(reasons, reason_code(r->reason[i]));
	json_put_text(j, word[N_STATUS], state_word(r->state));
	json_put(j, word[N_VECTOR], vector);
	json_put(j, word[N_POLICIES], policies);
	json_put_text(j, word[N_HOST], r->host);
	json_put_text(j, word[N_HOST_ID], r->host_id);
	json_put_bytes(j, word[N_AK], r->ak.bytes, r->ak.size);
	json_put_text(j, word[N_BOOT_ID], r->boot_id);
	json_put_int(j, word[N_RESETS], r->reset_count);
	json_put_int(j, word[N_RESTARTS], r->restart_count);
	json_put_int(j, word[N_CLOCK], (int64_t)r->clock);
	json_put_bytes(j, word[N_PCRS], r->pcr_digest, r->pcr_digest_len);
	json_put_text(j, word[N_REFERENCES], r->references);
	json_put_bytes(j, word[N_REFS_DIGEST], r->references_digest, SHA256_SIZE);
	json_put(j, word[N_REASONS], reasons);
	json_put_text(j, word[N_REF], r->ref);
	json_put_text(j, word[N_CEILING], mode_word(r->ceiling));
	if (r->ceiling_until) {
		json_put_int(j, word[N_CEILING_UNTIL], r->ceiling_until / 1000);
		json_put_text(j, word[N_CEILING_THEN], mode_word(r->ceiling_then));
	}
	json_put_int(j, word[N_GRACE], r->grace_max);
	return j;
}

bool
result_sign(const struct result *r, const struct sign_key *key, char *out, size_t size, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();
	own(mem) char *text = NULL;
	struct json *verifier = json_new(), *submods = json_new();
	size_t textlen;

	json_put(submods, word[N_SUBMOD], appraisal(r));
	json_put_text(verifier, word[N_DEVELOPER], "pam-attest");
	json_put_text(verifier, word[N_BUILD], "verifierd " PACKAGE_VERSION);
	json_put_text(j, word[N_PROFILE], EAR_PROFILE);
	json_put_int(j, word[N_IAT], r->issued_wall / 1000);
	json_put_int(j, word[N_EXP], r->expires_wall / 1000);
	json_put_bytes(j, word[N_NONCE], r->nonce, NONCE_SIZE);
	if (r->audience[0]) {
		json_put_text(j, word[N_AUDIENCE], r->audience);
		json_put_text(j, word[N_USER], r->user);
	}
	json_put(j, word[N_VERIFIER], verifier);
	json_put(j, word[N_SUBMODS], submods);
	return consistent(r, e) && json_print(j, false, &text, &textlen, e) &&
	    jws_sign(key, EAR_TYP, text, textlen, out, size, len, e);
}

/* --- in */

static bool
exactly(const struct json *j, enum name name, void *out, size_t size, struct error *e)
{
	size_t len;

	if (!json_bytes(j, word[name], out, size, &len, e))
		return false;
	return len == size || err_set(e, ERR_FORMAT, "%s: not %zu bytes", word[name], size);
}

static bool
u32(const struct json *j, enum name name, uint32_t *out, struct error *e)
{
	int64_t v;

	if (!json_int(j, word[name], 0, UINT32_MAX, &v, e))
		return false;
	*out = (uint32_t)v;
	return true;
}

/* EAR has whole seconds; a float, which json_int refuses, could be read in two ways. */
static bool
seconds(const struct json *j, enum name name, int64_t *ms, struct error *e)
{
	int64_t s;

	if (!json_int(j, word[name], 0, whole_max / 1000, &s, e))
		return false;
	*ms = s * 1000;
	return true;
}

/* Claims that this program does not know count for the status too. */
static bool
read_vector(const struct json *j, struct result *r, struct error *e)
{
	const struct json *vector, *item;
	const char *name;
	int64_t value;

	if (!json_sub(j, word[N_VECTOR], &vector, e))
		return false;
	for (unsigned i = 0; json_member(vector, i, &name, &item); i++)
		if (!json_item_int(item, INT8_MIN, INT8_MAX, &value, e) ||
		    (tier((int8_t)value) != STATE_NONE && !claim_allows(name, (int8_t)value, r->state, e)))
			return err_in(e, "%s", word[N_VECTOR]);
	for (unsigned i = 0; i < CLAIM_COUNT; i++) {
		if (!json_int(vector, claims[i], INT8_MIN, INT8_MAX, &value, e))
			return err_in(e, "%s", word[N_VECTOR]);
		r->claim[i] = (int8_t)value;
	}
	return true;
}

static bool
read_reasons(const struct json *j, struct result *r, struct error *e)
{
	char code[REASON_CODE_MAX];

	if (!json_list(j, word[N_REASONS], RESULT_REASONS_MAX, &r->nreasons, e))
		return false;
	for (unsigned i = 0; i < r->nreasons; i++) {
		if (!json_item_text(json_item(j, word[N_REASONS], i), code, sizeof(code), e))
			return err_in(e, "%s", word[N_REASONS]);
		if (!reason_find(code, &r->reason[i]))
			return err_set(e, ERR_FORMAT, "%s: no such reason: %s", word[N_REASONS], code);
	}
	return true;
}

/* The last policy that was applied gave the status. */
static bool
read_policy(const struct json *j, struct result *r, struct error *e)
{
	unsigned count;

	if (!json_list(j, word[N_POLICIES], 8, &count, e))
		return false;
	if (!count)
		return err_set(e, ERR_FORMAT, "%s: none", word[N_POLICIES]);
	return json_item_text(json_item(j, word[N_POLICIES], count - 1), r->policy, sizeof(r->policy), e) ||
	    err_in(e, "%s", word[N_POLICIES]);
}

static bool
mode(const struct json *j, enum name which, enum gate_mode *out, struct error *e)
{
	char text[12];

	return json_text(j, word[which], text, sizeof(text), e) &&
	    (mode_find(text, out) || err_set(e, ERR_FORMAT, "%s: no such mode", word[which]));
}

static bool
read_ceiling(const struct json *j, struct result *r, struct error *e)
{
	r->ceiling_until = 0;
	if (!mode(j, N_CEILING, &r->ceiling, e))
		return false;
	return !json_has(j, word[N_CEILING_UNTIL]) ||
	    (seconds(j, N_CEILING_UNTIL, &r->ceiling_until, e) && mode(j, N_CEILING_THEN, &r->ceiling_then, e));
}

static bool
read_words(const struct json *j, struct result *r, struct error *e)
{
	char status[20];

	if (!json_text(j, word[N_STATUS], status, sizeof(status), e))
		return false;
	if (!state_find(status, &r->state))
		return err_set(e, ERR_FORMAT, "%s: no such status", word[N_STATUS]);
	return read_ceiling(j, r, e);
}

static bool
read_subject(const struct json *j, struct result *r, struct error *e)
{
	size_t ak;
	int64_t clock;

	if (!json_bytes(j, word[N_AK], r->ak.bytes, sizeof(r->ak.bytes), &ak, e) ||
	    !json_text(j, word[N_HOST], r->host, sizeof(r->host), e) ||
	    !json_text(j, word[N_HOST_ID], r->host_id, sizeof(r->host_id), e) ||
	    !json_text(j, word[N_BOOT_ID], r->boot_id, sizeof(r->boot_id), e) ||
	    !u32(j, N_RESETS, &r->reset_count, e) || !u32(j, N_RESTARTS, &r->restart_count, e) ||
	    !json_int(j, word[N_CLOCK], 0, whole_max, &clock, e) ||
	    !json_bytes(j, word[N_PCRS], r->pcr_digest, sizeof(r->pcr_digest), &r->pcr_digest_len, e))
		return false;
	r->ak.size = (uint16_t)ak;
	r->clock = (uint64_t)clock;
	return true;
}

static bool
read_appraisal(const struct json *j, struct result *r, struct error *e)
{
	return read_words(j, r, e) && read_vector(j, r, e) && read_policy(j, r, e) && read_subject(j, r, e) &&
	    json_text(j, word[N_REFERENCES], r->references, sizeof(r->references), e) &&
	    exactly(j, N_REFS_DIGEST, r->references_digest, SHA256_SIZE, e) && read_reasons(j, r, e) &&
	    json_text(j, word[N_REF], r->ref, sizeof(r->ref), e) &&
	    json_int(j, word[N_GRACE], 0, whole_max, &r->grace_max, e);
}

static bool
read_envelope(const struct json *j, struct result *r, struct error *e)
{
	char profile[64], developer[128], build[128];
	const struct json *verifier;

	if (!json_text(j, word[N_PROFILE], profile, sizeof(profile), e))
		return false;
	if (strcmp(profile, EAR_PROFILE))
		return err_set(e, ERR_FORMAT, "%s: not " EAR_PROFILE, word[N_PROFILE]);
	return seconds(j, N_IAT, &r->issued_wall, e) && seconds(j, N_EXP, &r->expires_wall, e) &&
	    exactly(j, N_NONCE, r->nonce, NONCE_SIZE, e) && json_sub(j, word[N_VERIFIER], &verifier, e) &&
	    json_text(verifier, word[N_DEVELOPER], developer, sizeof(developer), e) &&
	    json_text(verifier, word[N_BUILD], build, sizeof(build), e);
}

/* A result is for nobody in particular; a passport for exactly those who ask. */
static bool
read_audience(const struct json *j, const char *audience, const char *user, struct result *r, struct error *e)
{
	bool has = json_has(j, word[N_AUDIENCE]);

	if (!audience)
		return !has || err_set(e, ERR_UNTRUSTED, "result: made for an audience, which this is not");
	if (!has)
		return err_set(e, ERR_UNTRUSTED, "passport: a result, which is for nobody in particular");
	if (!json_text(j, word[N_AUDIENCE], r->audience, sizeof(r->audience), e) ||
	    !json_text(j, word[N_USER], r->user, sizeof(r->user), e))
		return false;
	return (!strcmp(r->audience, audience) && !strcmp(r->user, user)) ||
	    err_set(e, ERR_MISMATCH, "passport: for another audience or user");
}

static bool
timely(const struct result *r, int64_t now, struct error *e)
{
	if (now == RESULT_BY_NONCE)
		return true;
	if (r->issued_wall > now + RESULT_SKEW_MS)
		return err_set(e, ERR_MISMATCH, "result: issued in the future");
	return now < r->expires_wall || err_set(e, ERR_MISMATCH, "result: expired");
}

static bool
verify(const char *jws, size_t len, const struct keyset *keys, int64_t now, const char *audience, const char *user,
    struct result *out, struct error *e)
{
	own(json) struct json *j = NULL;
	const struct json *submods, *host;
	struct result r = { 0 };
	char text[RESULT_MAX];
	size_t textlen;

	if (len > RESULT_MAX)
		return err_set(e, ERR_LIMIT, "result: over %d bytes", RESULT_MAX);
	if (!jws_verify(jws, len, EAR_TYP, keys->key, keys->count, text, sizeof(text), &textlen, e) ||
	    !json_parse(text, textlen, &j, e) || !read_envelope(j, &r, e) ||
	    !read_audience(j, audience, user, &r, e) || !json_sub(j, word[N_SUBMODS], &submods, e) ||
	    !json_sub(submods, word[N_SUBMOD], &host, e) || !read_appraisal(host, &r, e) || !consistent(&r, e) ||
	    !timely(&r, now, e))
		return false;
	*out = r;
	return true;
}

bool
result_verify(const char *jws, size_t len, const struct keyset *keys, int64_t now, struct result *out, struct error *e)
{
	return verify(jws, len, keys, now, NULL, NULL, out, e);
}

bool
passport_verify(const char *jws, size_t len, const struct keyset *keys, int64_t now, const char *audience,
    const char *user, struct result *out, struct error *e)
{
	return verify(jws, len, keys, now, audience, user, out, e);
}

bool
audience_ok(const char *s)
{
	static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	size_t n = strspn(s, may);

	return n && !s[n] && n < AUDIENCE_TEXT && s[0] != '-' && s[0] != '.';
}

bool
passport_user_ok(const char *s)
{
	size_t n = 0;

	while (s[n] > ' ' && s[n] <= '~')
		n++;
	return n && !s[n] && n < PASSPORT_USER_TEXT;
}
