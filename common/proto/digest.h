/* digest.h - hashes and the PCR banks that use them. */
#ifndef DIGEST_H
#define DIGEST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "reader.h"

/* X(NAME, TPM_ALG_ID, bytes, word, OpenSSL's name): the banks that this project knows. */
#define BANKS(X)                                  \
	X(SHA1,   0x0004, 20, "sha1",    "SHA1")   \
	X(SHA256, 0x000b, 32, "sha256",  "SHA256") \
	X(SHA384, 0x000c, 48, "sha384",  "SHA384") \
	X(SHA512, 0x000d, 64, "sha512",  "SHA512") \
	X(SM3,    0x0012, 32, "sm3_256", "SM3")

enum bank {
#define X(name, id, size, word, ossl) BANK_##name,
	BANKS(X)
#undef X
	BANK_COUNT
};

enum { DIGEST_MAX = 64, SHA256_SIZE = 32, PCR_COUNT = 24 };

bool        bank_of_alg(uint16_t tpm_alg_id, enum bank *);
bool        bank_of_word(const char *word, enum bank *);
uint16_t    bank_alg(enum bank);
size_t      bank_size(enum bank);
const char *bank_word(enum bank);

/* One shot; false only if libcrypto fails. out holds bank_size(bank) bytes. */
bool digest(enum bank, const void *p, size_t n, uint8_t *out);
bool digest_sha256(const void *p, size_t n, uint8_t out[static SHA256_SIZE]);

/* value = H(value || digest), as TPM2_PCR_Extend does (TPM-1, PCR operations). */
bool digest_extend(enum bank, uint8_t *value, const uint8_t *with);

/* Many hashes after each other: libcrypto looks an algorithm up each time it starts, which costs more than a short hash. */
struct hashers { struct evp_md_ctx_st *ctx[BANK_COUNT]; };     /* zeroed: none yet; each is made when first asked for */
bool hashers_digest(struct hashers *, enum bank, const void *p, size_t n, uint8_t *out);
bool hashers_extend(struct hashers *, enum bank, uint8_t *value, const uint8_t *with);
void hashers_free(struct hashers *);
static inline void drop_hashers(struct hashers *h) { hashers_free(h); }

/* A running hash, for what comes in pieces. */
struct hasher;
struct hasher *hasher_new(enum bank);                 /* NULL when libcrypto fails */
bool           hasher_add(struct hasher *, const void *p, size_t n);
bool           hasher_end(struct hasher *, uint8_t *out);
void           hasher_free(struct hasher *);

bool hmac_sha256(const uint8_t key[static 32], const void *p, size_t n, uint8_t out[static 32]);
bool same_bytes(const void *a, const void *b, size_t n);   /* in constant time */
bool random_bytes(void *out, size_t n);

/* base64url without padding (RFC 7515) and plain base64; decoding is strict. */
size_t base64url_text(const void *p, size_t n, char *out, size_t size);      /* 0: does not fit */
bool   base64url_bytes(const char *text, size_t textlen, uint8_t *out, size_t size, size_t *len);
#endif
