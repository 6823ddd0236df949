/*
 * keys.h - the verifier's own keys, as files below state_dir/keys.
 *
 * root.pem signs the key set and is read by setup alone; core has the signed set. Secrets that all
 * replicas share (challenges, host tokens) are in the store.
 */
#ifndef KEYS_H
#define KEYS_H
#include "clock.h"
#include "recovery.h"
#include "sign.h"
#include "store.h"

enum { HOST_TOKEN_TEXT = 44, CHALLENGE_KEY_LIFE_MS = 24 * 3600 * 1000, CLOCK_STEP_MS = 10 * 1000 };

struct keys {
	struct sign_key  *result;           /* signs results */
	struct public_key root;
	char              keyset[JWS_MAX];  /* the result keys, signed by root */
	char              jwks[JWS_MAX];    /* the same as a plain JWKS */
	uint8_t           token_key[32], recovery_key[32];
	struct challenge_keys challenge;
	int64_t           wall_offset;      /* of the wall clock from CLOCK_BOOTTIME, when last looked at */
};

/* For setup: what is not there yet is made; each file is whole or not there. */
bool keys_make(const char *state_dir, struct error *) MUST_CHECK;

/* For core. The store is used for the shared secrets (in transactions of its own). */
bool keys_open(const char *state_dir, struct store *, const struct clock *now, struct keys *,
    struct error *) MUST_CHECK;
void keys_close(struct keys *);

/*
 * Before a challenge is made or taken: makes a new key when the newest has lived long enough, and voids all of
 * them when the wall clock was set by more than CLOCK_STEP_MS. By a clock that was set back an old challenge has
 * not expired, and its id may have been forgotten.
 */
bool keys_rotate(struct keys *, struct store *, const struct clock *now, struct error *) MUST_CHECK;
/* NULL when this id is not known (any more). */
const uint8_t *keys_challenge(const struct keys *, uint32_t id);

/* A host's bearer token: HMAC of its id, so that a lost answer can be given again. */
bool keys_host_token(const struct keys *, const char *host_id, char out[static HOST_TOKEN_TEXT]);
/* The key of a host's recovery codes. With a new AK it has another: codes given out before are void. */
bool keys_recovery(const struct keys *, const char *host_id, const struct tpm_name *ak, uint8_t out[static RECOVERY_KEY_SIZE]);
#endif
