#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "digest.h"
#include "forge.h"
#include "unit.h"

static size_t
signing_input(const char *header, const char *payload, char *out, size_t size)
{
	size_t at = base64url_text(header, strlen(header), out, size);

	out[at++] = '.';
	at += base64url_text(payload, strlen(payload), out + at, size - at);
	out[at] = '\0';
	return at;
}

static size_t
append_signature(const uint8_t *sig, size_t n, char *out, size_t at, size_t size)
{
	ck_assert_uint_gt(size, at + 2 + 2 * n);
	out[at++] = '.';
	return at + base64url_text(sig, n, out + at, size - at);
}

static void
es256(const struct sign_key *k, const char *text, size_t len, uint8_t raw[static 64])
{
	struct error e;
	char pem[1024];
	uint8_t der[80];
	const uint8_t *p = der;
	size_t n, derlen = sizeof(der);
	BIO *bio;
	EVP_PKEY *key;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig;

	ck_assert(sign_key_pem(k, pem, sizeof(pem), &n, &e));
	bio = BIO_new_mem_buf(pem, (int)n);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	ck_assert_int_eq(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	ck_assert_int_eq(EVP_DigestSign(ctx, der, &derlen, (const uint8_t *)text, len), 1);
	sig = d2i_ECDSA_SIG(NULL, &p, (long)derlen);
	ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32), 32);
	ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32), 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	BIO_free(bio);
}

size_t
forge(const struct sign_key *k, const char *header, const char *payload, char *out, size_t size)
{
	uint8_t sig[64];
	size_t at = signing_input(header, payload, out, size);

	es256(k, out, at, sig);
	return append_signature(sig, sizeof(sig), out, at, size);
}

size_t
forge_hs256(const struct public_key *pub, const char *header, const char *payload, char *out, size_t size)
{
	uint8_t mac[SHA256_SIZE], key[64];
	unsigned n = sizeof(mac);
	size_t at = signing_input(header, payload, out, size), maclen = 0;

	memcpy(key, pub->x, 32);
	memcpy(key + 32, pub->y, 32);
	ck_assert(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, sizeof(key), (const uint8_t *)out, at, mac, n, &maclen));
	return append_signature(mac, maclen, out, at, size);
}
