/*
 * TPM2_ActivateCredential written down again from TPM-1, with hashes and HMACs alone where
 * credential.c uses OpenSSL's KDFs. tests/integration/credential.sh asks a TPM.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include "credential.h"
#include "unit.h"

static struct error e;

static struct tpm_public
an_ek(EVP_PKEY *key, bool rsa)
{
	struct tpm_public p = { .type = rsa ? TPM_ALG_RSA : TPM_ALG_ECC, .name_alg = 0x000b, .attributes = 0x000300b2,
		.sym_alg = TPM_ALG_AES, .sym_bits = 128, .sym_mode = TPM_ALG_CFB, .scheme = TPM_ALG_NULL };
	BIGNUM *n = NULL;
	uint8_t point[200];
	size_t len;

	if (rsa) {
		ck_assert_int_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
		p.rsa_bits = 2048;
		p.exponent = 65537;
		p.modulus_len = (size_t)BN_bn2bin(n, p.modulus);
		BN_free(n);
		return p;
	}
	ck_assert_int_eq(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len), 1);
	p.xy_len = len / 2;
	p.curve = p.xy_len == 32 ? TPM_ECC_P256 : TPM_ECC_P384;
	if (p.curve == TPM_ECC_P384) {
		p.name_alg = 0x000c;
		p.sym_bits = 256;
	}
	memcpy(p.x, point + 1, p.xy_len);
	memcpy(p.y, point + 1 + p.xy_len, p.xy_len);
	return p;
}

static size_t
be16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

/* --- the TPM's side */

static size_t
seed_rsa(EVP_PKEY *key, const struct enroll_answer *a, uint8_t *seed)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t n = DIGEST_MAX * 8;

	ck_assert_uint_eq(be16(a->secret) + 2, a->secret_len);
	ck_assert_int_eq(EVP_PKEY_decrypt_init(ctx), 1);
	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING);
	EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256());
	EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256());
	EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_memdup("IDENTITY", 9), 9);
	ck_assert_int_eq(EVP_PKEY_decrypt(ctx, seed, &n, a->secret + 2, a->secret_len - 2), 1);
	EVP_PKEY_CTX_free(ctx);
	return n;
}

static size_t
seed_ecc(EVP_PKEY *key, const struct tpm_public *ek, enum bank hash, const struct enroll_answer *a, uint8_t *seed)
{
	struct tpm_public eph = *ek;
	uint8_t der[300], z[66], text[300] = { 0, 0, 0, 1 };
	const uint8_t *p = der;
	size_t n = ek->xy_len, len, at = 4;
	EVP_PKEY *peer;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

	ck_assert_uint_eq(a->secret_len, 2 + 2 * (2 + n));
	ck_assert(be16(a->secret) == 2 * (2 + n) && be16(a->secret + 2) == n && be16(a->secret + 4 + n) == n);
	memcpy(eph.x, a->secret + 4, n);
	memcpy(eph.y, a->secret + 6 + n, n);
	ck_assert(public_spki(&eph, der, sizeof(der), &len, &e));
	peer = d2i_PUBKEY(NULL, &p, (long)len);
	EVP_PKEY_derive_init(ctx);
	EVP_PKEY_derive_set_peer(ctx, peer);
	len = n;
	ck_assert_int_eq(EVP_PKEY_derive(ctx, z, &len), 1);
	/* KDFe: H(counter || Z || label with its NUL || x of theirs || x of ours) */
	memcpy(text + at, z, n);
	memcpy(text + at + n, "IDENTITY", 9);
	memcpy(text + at + n + 9, eph.x, n);
	memcpy(text + at + n + 9 + n, ek->x, n);
	ck_assert(digest(hash, text, at + 3 * n + 9, seed));
	EVP_PKEY_free(peer);
	EVP_PKEY_CTX_free(ctx);
	return bank_size(hash);
}

static void
hmac(enum bank hash, const uint8_t *key, size_t keylen, const void *p, size_t n, uint8_t *out)
{
	size_t len;

	ck_assert(EVP_Q_mac(NULL, "HMAC", NULL, bank_word(hash), NULL, key, keylen, p, n, out, DIGEST_MAX, &len));
}

/* KDFa: HMAC(seed, counter || label || 0 || context || bits); one block is enough for every key here. */
static void
kdfa(enum bank hash, const uint8_t *seed, const char *label, const struct tpm_name *context, unsigned bits, uint8_t *out)
{
	uint8_t text[200] = { 0, 0, 0, 1 };
	size_t at = 4;

	memcpy(text + at, label, strlen(label) + 1);
	at += strlen(label) + 1;
	if (context) {
		memcpy(text + at, context->bytes, context->size);
		at += context->size;
	}
	text[at + 2] = (uint8_t)(bits >> 8);
	text[at + 3] = (uint8_t)bits;
	hmac(hash, seed, bank_size(hash), text, at + 4, out);
}

static bool
activate(EVP_PKEY *key, const struct tpm_public *ek, const struct tpm_name *ak, const struct enroll_answer *a,
    uint8_t *secret, size_t *secret_len)
{
	enum bank hash;
	uint8_t seed[512], mac_key[DIGEST_MAX], aes_key[DIGEST_MAX], mac[DIGEST_MAX], covered[300], plain[300];
	static const uint8_t iv[16];
	const uint8_t *blob = a->credential;
	EVP_CIPHER_CTX *ctx;
	size_t size, enc;
	int n;

	ck_assert(bank_of_alg(ek->name_alg, &hash));
	size = bank_size(hash);
	ck_assert_uint_eq(ek->type == TPM_ALG_RSA ? seed_rsa(key, a, seed) : seed_ecc(key, ek, hash, a, seed), size);
	ck_assert(be16(blob) + 2 == a->credential_len && be16(blob + 2) == size);
	enc = a->credential_len - 4 - size;
	kdfa(hash, seed, "INTEGRITY", NULL, (unsigned)size * 8, mac_key);
	memcpy(covered, blob + 4 + size, enc);
	memcpy(covered + enc, ak->bytes, ak->size);
	hmac(hash, mac_key, size, covered, enc + ak->size, mac);
	if (memcmp(mac, blob + 4, size) != 0)
		return false;
	kdfa(hash, seed, "STORAGE", ak, ek->sym_bits, aes_key);
	ctx = EVP_CIPHER_CTX_new();
	EVP_DecryptInit_ex(ctx, ek->sym_bits == 128 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128(), NULL, aes_key, iv);
	ck_assert_int_eq(EVP_DecryptUpdate(ctx, plain, &n, covered, (int)enc), 1);
	EVP_CIPHER_CTX_free(ctx);
	ck_assert_uint_eq(be16(plain) + 2, (size_t)n);
	*secret_len = be16(plain);
	memcpy(secret, plain + 2, *secret_len);
	return true;
}

static const struct { const char *label, *curve; } eks[] = { { "RSA-2048", NULL }, { "P-256", "P-256" }, { "P-384", "P-384" } };

START_TEST(gives_the_secret_back)
{
	bool rsa = !eks[_i].curve;
	EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen(eks[_i].curve);
	struct tpm_public ek = an_ek(key, rsa);
	struct tpm_name ak = { .size = 34, .bytes = { 0, 0xb, 1, 2, 3 } }, other = { .size = 34, .bytes = { 0, 0xb, 1, 2, 4 } };
	struct enroll_answer a = { .id = "kept" }, b = { 0 };
	uint8_t secret[SECRET_SIZE] = { 7, 8, 9 }, back[300];
	size_t n;

	ck_assert_msg(credential_make(&ek, &ak, secret, &a, &e), "%s: %s", eks[_i].label, e.why);
	ck_assert_str_eq(a.id, "kept");
	ck_assert_msg(activate(key, &ek, &ak, &a, back, &n), "%s", eks[_i].label);
	ck_assert_uint_eq(n, SECRET_SIZE);
	ck_assert_mem_eq(back, secret, SECRET_SIZE);
	ck_assert_msg(!activate(key, &ek, &other, &a, back, &n), "%s: another key's name", eks[_i].label);
	/* A fresh seed each time. */
	ck_assert(credential_make(&ek, &ak, secret, &b, &e));
	ck_assert(memcmp(a.credential, b.credential, a.credential_len) && memcmp(a.secret, b.secret, a.secret_len));
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(refuses_what_is_no_ek)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct tpm_public good = an_ek(key, false), ek = good;
	struct tpm_name ak = { .size = 34, .bytes = { 0, 0xb } }, none = { .size = 0 };
	struct enroll_answer a = { 0 };
	uint8_t secret[SECRET_SIZE] = { 1 };

	ek.name_alg = 0x0004;
	ck_assert(!credential_make(&ek, &ak, secret, &a, &e) && strstr(e.why, "nameAlg 0x0004"));
	ek = good;
	ek.sym_alg = TPM_ALG_NULL;
	ck_assert(!credential_make(&ek, &ak, secret, &a, &e) && strstr(e.why, "AES"));
	ek = good;
	ek.y[0] ^= 1;
	ck_assert(!credential_make(&ek, &ak, secret, &a, &e));
	ek = good;
	ek.curve = 0x0010;
	ck_assert(!credential_make(&ek, &ak, secret, &a, &e));
	ck_assert(!credential_make(&good, &none, secret, &a, &e) && strstr(e.why, "name of 0 bytes"));
	ck_assert_uint_eq(a.credential_len + a.secret_len, 0);
	EVP_PKEY_free(key);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, gives_the_secret_back, 0, (int)COUNT(eks));
	tcase_add_test(tc, refuses_what_is_no_ek);
}

int
main(void)
{
	return unit_run("credential", add);
}
