/* forge.h - tokens that jws_sign() would not make, with signatures that are right. */
#ifndef FORGE_H
#define FORGE_H
#include "sign.h"

/* header and payload as they stand, signed with ES256; the token's length. Aborts when it does not fit. */
size_t forge(const struct sign_key *, const char *header, const char *payload, char *out, size_t size);

/* The same with an HMAC-SHA-256 whose key is the verifier's public one, as {x, y} (RFC 8725 section 2.1). */
size_t forge_hs256(const struct public_key *, const char *header, const char *payload, char *out, size_t size);
#endif
