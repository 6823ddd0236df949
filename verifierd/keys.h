/*
 * keys.h - the verifier's own keys, as files below state_dir/keys.
 *
 * root.pem signs the key set and is read by setup alone; core has the signed set. Secrets that all
 * replicas share (challenges, host tokens) are in the store.
 */
#ifndef KEYS_H
#define KEYS_H
#include "sign.h"
#include "store.h"

enum { HOST_TOKEN_TEXT = 44, CHALLENGE_KEY_LIFE_MS = 24 * 3600 * 1000 };

struct keys {
	struct sign_key  *result;           /* signs results */
	struct public_key root;
	char              keyset[JWS_MAX];  /* the result keys, signed by root */
	char              jwks[JWS_MAX];    /* the same as a plain JWKS */
	uint8_t           token_key[32];
	struct challenge_keys challenge;
};

/* For setup: what is not there yet is made; each file is whole or not there. */
bool keys_make(const char *state_dir, struct error *) MUST_CHECK;

/* For core. The store is used for the shared secrets (in transactions of its own). */
bool keys_open(const char *state_dir, struct store *, int64_t now, struct keys *, struct error *) MUST_CHECK;
void keys_close(struct keys *);

/* Makes a new challenge key when the newest has lived long enough. */
bool keys_rotate(struct keys *, struct store *, int64_t now, struct error *) MUST_CHECK;
/* NULL when this id is not known (any more). */
const uint8_t *keys_challenge(const struct keys *, uint32_t id);

/* A host's bearer token: HMAC of its id, so that a lost answer can be given again. */
bool keys_host_token(const struct keys *, const char *host_id, char out[static HOST_TOKEN_TEXT]);
#endif
