/* sign.h - the verifier's own ES256 keys (RFC 7518 section 3.4) and compact JWS (RFC 7515). */
#ifndef SIGN_H
#define SIGN_H
#include <stddef.h>
#include <stdint.h>
#include "error.h"

enum { KID_TEXT = 44, JWS_MAX = 32 << 10 };   /* kid: RFC 7638 thumbprint, base64url of SHA-256 */

struct sign_key;                       /* private P-256 key */
bool sign_key_make(struct sign_key **, struct error *) MUST_CHECK;
bool sign_key_read_pem(const char *pem, size_t len, struct sign_key **, struct error *) MUST_CHECK;
bool sign_key_pem(const struct sign_key *, char *out, size_t size, size_t *len, struct error *) MUST_CHECK;
void sign_key_free(struct sign_key *);

struct public_key {                    /* the public half, in the form of a JWK */
	uint8_t x[32], y[32];
	char    kid[KID_TEXT];
};
bool sign_key_public(const struct sign_key *, struct public_key *, struct error *) MUST_CHECK;

/*
 * payload (JSON text) -> "header.payload.signature". typ is the header's typ; kid comes from the
 * key. *len is without the NUL.
 */
bool jws_sign(const struct sign_key *, const char *typ, const char *payload, size_t payload_len,
    char *out, size_t size, size_t *len, struct error *) MUST_CHECK;

/*
 * Verifies with the one of `keys` that kid names. alg must be ES256 and typ as given; crit, jwk,
 * jku, x5c, x5u in the header are refused (RFC 8725). The decoded payload goes to out, with a NUL.
 */
bool jws_verify(const char *jws, size_t len, const char *typ, const struct public_key *keys,
    unsigned nkeys, char *out, size_t size, size_t *payload_len, struct error *) MUST_CHECK;

/* A key set: result keys with a serial that only rises, signed by the root key pinned at enrollment. */
enum { KEYSET_KEYS_MAX = 4 };
struct keyset { uint64_t serial; unsigned count; struct public_key key[KEYSET_KEYS_MAX]; };
bool keyset_sign(const struct sign_key *root, const struct keyset *, char *out, size_t size,
    size_t *len, struct error *) MUST_CHECK;
/* ERR_MISMATCH when its serial is lower than `serial_min`. */
bool keyset_verify(const char *jws, size_t len, const struct public_key *root, uint64_t serial_min,
    struct keyset *, struct error *) MUST_CHECK;

/* {"kty":"EC","crv":"P-256","kid":…,"x":…,"y":…} and plain JWKS files, for inspect and the pin file. */
bool public_key_json(const struct public_key *, char *out, size_t size, struct error *) MUST_CHECK;
bool public_key_read(const char *json, size_t len, struct public_key *, struct error *) MUST_CHECK;
bool jwks_json(const struct keyset *, char *out, size_t size, struct error *) MUST_CHECK;
bool jwks_read(const char *json, size_t len, struct keyset *, struct error *) MUST_CHECK;
#endif
