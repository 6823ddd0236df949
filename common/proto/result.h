/*
 * result.h - the attestation result: an EAR (draft-ietf-rats-ear-03) in a compact JWS, ES256.
 *
 * Claim names live in one table in result.c. Private claims carry what binds the result to this
 * host, key and boot, and what the gate needs.
 */
#ifndef RESULT_H
#define RESULT_H
#include "challenge.h"
#include "record.h"
#include "sign.h"

enum { RESULT_REASONS_MAX = 16, RESULT_MAX = 8 << 10 };

/* AR4SI trustworthiness claims that a TPM-only attester can support; 0 is "no claim". */
#define TRUST_CLAIMS(X)                                   \
	X(INSTANCE_IDENTITY, "instance-identity")         \
	X(CONFIGURATION,     "configuration")             \
	X(EXECUTABLES,       "executables")               \
	X(HARDWARE,          "hardware")
enum trust_claim {
#define X(name, word) CLAIM_##name,
	TRUST_CLAIMS(X)
#undef X
	CLAIM_COUNT
};

struct result {
	char            host[NAME_TEXT];          /* name, for people */
	char            host_id[BOOT_ID_TEXT];    /* UUID given at enrollment */
	struct tpm_name ak;
	char            boot_id[BOOT_ID_TEXT];
	uint32_t        reset_count, restart_count;
	uint64_t        clock;                    /* of the TPM, ms */
	uint8_t         nonce[NONCE_SIZE];
	uint8_t         pcr_digest[DIGEST_MAX];
	size_t          pcr_digest_len;
	enum state      state;                    /* AFFIRMING, WARNING or CONTRAINDICATED */
	int8_t          claim[CLAIM_COUNT];
	char            policy[NAME_TEXT];        /* "default/3" */
	char            references[REFERENCES_TEXT];
	uint8_t         references_digest[SHA256_SIZE];
	unsigned        nreasons;                 /* at least one; the first is the main one */
	enum reason     reason[RESULT_REASONS_MAX];
	char            ref[REF_TEXT];
	enum gate_mode  ceiling;
	/* One that was set for a while: until when, and which it is then. 0: it stays. */
	int64_t         ceiling_until;
	enum gate_mode  ceiling_then;
	int64_t         grace_max;                /* ms */
	int64_t         issued_wall, expires_wall;
	/* of a passport: for whom it was made, and for which user of theirs; "" in a result */
	char            audience[AUDIENCE_TEXT], user[PASSPORT_USER_TEXT];
};

bool result_sign(const struct result *, const struct sign_key *, char *out, size_t size, size_t *len,
    struct error *) MUST_CHECK;

/*
 * Signature by one of the keys, profile, integers, all claims there and within range, not expired
 * at now_wall and not from the future (5 min of skew). What it is about is for the caller to
 * compare. A status that is better than its vector is refused.
 *
 * RESULT_BY_NONCE for now_wall: the caller asked for this very result, and its nonce, which the caller
 * compares, says that it is new. Two clocks that differ then refuse nobody.
 */
enum { RESULT_BY_NONCE = -1, RESULT_SKEW_MS = 5 * 60 * 1000 };
bool result_verify(const char *jws, size_t len, const struct keyset *, int64_t now_wall,
    struct result *, struct error *) MUST_CHECK;

/* The same of a passport, which is for exactly this audience and user. A result is none, nor the reverse. */
bool passport_verify(const char *jws, size_t len, const struct keyset *, int64_t now_wall, const char *audience,
    const char *user, struct result *, struct error *) MUST_CHECK;

/* May this stand for one? Both end up in prompts, logs and addresses. */
bool audience_ok(const char *);
bool passport_user_ok(const char *);
#endif
