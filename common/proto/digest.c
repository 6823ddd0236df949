#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>
#include "digest.h"
#include "scope.h"

/* The legacy getters are constant tables; EVP_MD_fetch would cost a lookup for each hash. */
static const EVP_MD *
md(enum bank b)
{
	switch (b) {
	case BANK_SHA1:   return EVP_sha1();
	case BANK_SHA256: return EVP_sha256();
	case BANK_SHA384: return EVP_sha384();
	case BANK_SHA512: return EVP_sha512();
	case BANK_SM3:    return EVP_sm3();
	case BANK_COUNT:  break;
	}
	return NULL;
}

bool
digest(enum bank b, const void *p, size_t n, uint8_t *out)
{
	return EVP_Digest(p, n, out, NULL, md(b), NULL) == 1;
}

bool
digest_sha256(const void *p, size_t n, uint8_t out[static SHA256_SIZE])
{
	return digest(BANK_SHA256, p, n, out);
}

bool
digest_extend(enum bank b, uint8_t *value, const uint8_t *with)
{
	uint8_t both[2 * DIGEST_MAX];
	size_t size = bank_size(b);

	memcpy(both, value, size);
	memcpy(both + size, with, size);
	return digest(b, both, 2 * size, value);
}

bool
hashers_digest(struct hashers *h, enum bank b, const void *p, size_t n, uint8_t *out)
{
	bool first = !h->ctx[b];

	if (first && !(h->ctx[b] = EVP_MD_CTX_new()))
		return false;
	/* Without an algorithm, the one that is in the context. */
	return EVP_DigestInit_ex(h->ctx[b], first ? md(b) : NULL, NULL) == 1 && EVP_DigestUpdate(h->ctx[b], p, n) == 1 &&
	    EVP_DigestFinal_ex(h->ctx[b], out, NULL) == 1;
}

bool
hashers_extend(struct hashers *h, enum bank b, uint8_t *value, const uint8_t *with)
{
	uint8_t both[2 * DIGEST_MAX];
	size_t size = bank_size(b);

	memcpy(both, value, size);
	memcpy(both + size, with, size);
	return hashers_digest(h, b, both, 2 * size, value);
}

void
hashers_free(struct hashers *h)
{
	for (enum bank b = 0; b < BANK_COUNT; b++)
		EVP_MD_CTX_free(h->ctx[b]);
	*h = (struct hashers){ { NULL } };
}

struct hasher { EVP_MD_CTX *ctx; };

struct hasher *
hasher_new(enum bank b)
{
	struct hasher *h = malloc(sizeof(*h));

	if (h && (!(h->ctx = EVP_MD_CTX_new()) || EVP_DigestInit_ex(h->ctx, md(b), NULL) != 1)) {
		hasher_free(h);
		h = NULL;
	}
	return h;
}

bool hasher_add(struct hasher *h, const void *p, size_t n) { return EVP_DigestUpdate(h->ctx, p, n) == 1; }
bool hasher_end(struct hasher *h, uint8_t *out) { return EVP_DigestFinal_ex(h->ctx, out, NULL) == 1; }

void
hasher_free(struct hasher *h)
{
	if (h)
		EVP_MD_CTX_free(h->ctx);
	free(h);
}

bool
hmac_sha256(const uint8_t key[static 32], const void *p, size_t n, uint8_t out[static 32])
{
	unsigned len = 32;

	return HMAC(EVP_sha256(), key, 32, p, n, out, &len) && len == 32;
}

bool same_bytes(const void *a, const void *b, size_t n) { return !CRYPTO_memcmp(a, b, n); }
bool random_bytes(void *out, size_t n) { return n <= INT32_MAX && RAND_bytes(out, (int)n) == 1; }

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t
base64url_text(const void *p, size_t n, char *out, size_t size)
{
	const uint8_t *b = p;
	size_t len = n / 3 * 4 + (n % 3 ? n % 3 + 1 : 0), at = 0;
	uint32_t bits = 0;
	unsigned have = 0;

	if (len >= size)
		return 0;
	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | b[i];
		for (have += 8; have >= 6; have -= 6)
			out[at++] = letters[bits >> (have - 6) & 63];
	}
	if (have)
		out[at++] = letters[bits << (6 - have) & 63];
	out[at] = '\0';
	return at;
}

static int
letter_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool
base64url_bytes(const char *text, size_t textlen, uint8_t *out, size_t size, size_t *len)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	if (textlen % 4 == 1)
		return false;
	for (size_t i = 0; i < textlen; i++) {
		int v = letter_value(text[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			if (n == size)
				return false;
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	/* RFC 4648 section 3.5: bits that no byte took must be zero, so that a value has one form. */
	if (bits & ((1u << have) - 1))
		return false;
	*len = n;
	return true;
}
