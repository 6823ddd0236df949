#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>
#include "credential.h"
#include "scope.h"
#include "writer.h"

enum { AES_KEY_MAX = 32, AES_IV_SIZE = 16, POINT_MAX = 1 + 2 * 66 };

static inline void drop_pkey(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static inline void drop_pctx(EVP_PKEY_CTX **c) { EVP_PKEY_CTX_free(*c); }
static inline void drop_kdf(EVP_KDF **k) { EVP_KDF_free(*k); }
static inline void drop_kctx(EVP_KDF_CTX **c) { EVP_KDF_CTX_free(*c); }
static inline void drop_cctx(EVP_CIPHER_CTX **c) { EVP_CIPHER_CTX_free(*c); }
struct seed { uint8_t bytes[DIGEST_MAX]; };
static inline void drop_seed(struct seed *s) { OPENSSL_cleanse(s, sizeof(*s)); }

/* The EK, its nameAlg and OpenSSL's name for that, of which all sizes and keys below come. */
struct endorser {
	const struct tpm_public *ek;
	EVP_PKEY   *key;
	enum bank   hash;
	const char *md;
};

static const char *
md_name(enum bank b)
{
	switch (b) {
#define X(name, id, size, word, ossl) case BANK_##name: return ossl;
	BANKS(X)
#undef X
	case BANK_COUNT: break;
	}
	return NULL;
}

static bool
derive(const char *kdf_name, const OSSL_PARAM params[], uint8_t *out, size_t n)
{
	own(kdf) EVP_KDF *kdf = EVP_KDF_fetch(NULL, kdf_name, NULL);
	own(kctx) EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;

	return ctx && EVP_KDF_derive(ctx, out, n, params) == 1;
}

/* OpenSSL's parameters are not const; it does not write to what an input parameter points to. */
static OSSL_PARAM
text_param(const char *key, const char *text)
{
	return OSSL_PARAM_construct_utf8_string(key, (char *)(uintptr_t)text, 0);
}

static OSSL_PARAM
bytes_param(const char *key, const void *p, size_t n)
{
	return OSSL_PARAM_construct_octet_string(key, (void *)(uintptr_t)p, n);
}

/* KDFa (TPM-1, "KDFa()"): SP 800-108 in counter mode over HMAC; label, a zero byte, context, bits. */
static bool
kdfa(const struct endorser *by, const struct seed *seed, const char *label, const struct tpm_name *context,
    uint8_t *out, size_t n)
{
	const OSSL_PARAM params[] = {
		text_param(OSSL_KDF_PARAM_MODE, "counter"),
		text_param(OSSL_KDF_PARAM_MAC, "HMAC"),
		text_param(OSSL_KDF_PARAM_DIGEST, by->md),
		bytes_param(OSSL_KDF_PARAM_KEY, seed->bytes, bank_size(by->hash)),
		bytes_param(OSSL_KDF_PARAM_SALT, label, strlen(label)),
		bytes_param(OSSL_KDF_PARAM_INFO, context ? context->bytes : (const uint8_t *)"", context ? context->size : 0),
		OSSL_PARAM_construct_end(),
	};

	return derive("KBKDF", params, out, n);
}

/* The label of a credential's seed has its NUL. */
static const char identity[] = "IDENTITY";

/* --- the seed, for the EK alone */

static bool
seed_by_rsa(const struct endorser *by, struct seed *seed, struct writer *out)
{
	own(pctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, by->key, NULL);
	const OSSL_PARAM params[] = {
		text_param(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_OAEP),
		text_param(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, by->md),
		text_param(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, by->md),
		bytes_param(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, identity, sizeof(identity)),
		OSSL_PARAM_construct_end(),
	};
	uint8_t sealed[sizeof(by->ek->modulus)];
	size_t n = sizeof(sealed);

	if (!ctx || !random_bytes(seed->bytes, bank_size(by->hash)) || EVP_PKEY_encrypt_init_ex(ctx, params) != 1 ||
	    EVP_PKEY_encrypt(ctx, sealed, &n, seed->bytes, bank_size(by->hash)) != 1)
		return false;
	wr_be16(out, (uint16_t)n, "secret");
	wr_bytes(out, sealed, n, "secret");
	return true;
}

/* z: the x coordinate of the shared point, as long as the curve's field. */
static bool
agree(EVP_PKEY *ours, EVP_PKEY *theirs, uint8_t *z, size_t n)
{
	own(pctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ours, NULL);
	size_t got = n;

	return ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
	    EVP_PKEY_derive(ctx, z, &got) == 1 && got == n;
}

/* KDFe (TPM-1, "KDFe"): SP 800-56A's one-step KDF; label with its NUL, both x coordinates. */
static bool
kdfe(const struct endorser *by, const uint8_t *z, const uint8_t *ours_x, struct seed *seed)
{
	size_t n = by->ek->xy_len;
	uint8_t info[sizeof(identity) + 2 * sizeof(by->ek->x)];
	const OSSL_PARAM params[] = {
		text_param(OSSL_KDF_PARAM_DIGEST, by->md),
		bytes_param(OSSL_KDF_PARAM_KEY, z, n),
		bytes_param(OSSL_KDF_PARAM_INFO, info, sizeof(identity) + 2 * n),
		OSSL_PARAM_construct_end(),
	};

	memcpy(info, identity, sizeof(identity));
	memcpy(info + sizeof(identity), ours_x, n);
	memcpy(info + sizeof(identity) + n, by->ek->x, n);
	return derive("SSKDF", params, seed->bytes, bank_size(by->hash));
}

static bool
seed_by_ecc(const struct endorser *by, struct seed *seed, struct writer *out)
{
	own(pkey) EVP_PKEY *ours = EVP_EC_gen(by->ek->curve == TPM_ECC_P256 ? "P-256" : "P-384");
	size_t n = by->ek->xy_len, pointlen;
	uint8_t point[POINT_MAX];
	struct seed z = { 0 };
	bool ok;

	if (!ours || EVP_PKEY_get_octet_string_param(ours, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &pointlen) != 1 ||
	    pointlen != 1 + 2 * n || n > sizeof(z.bytes))
		return false;
	ok = agree(ours, by->key, z.bytes, n) && kdfe(by, z.bytes, point + 1, seed);
	drop_seed(&z);
	/* A TPM2B_ENCRYPTED_SECRET around a TPMS_ECC_POINT */
	wr_be16(out, (uint16_t)(2 * (2 + n)), "secret");
	wr_be16(out, (uint16_t)n, "secret");
	wr_bytes(out, point + 1, n, "secret");
	wr_be16(out, (uint16_t)n, "secret");
	wr_bytes(out, point + 1 + n, n, "secret");
	return ok;
}

/* --- the identity object, for a TPM with that seed and an object of that name */

static bool
encrypt_identity(const struct endorser *by, const struct seed *seed, const struct tpm_name *ak,
    const uint8_t secret[static SECRET_SIZE], uint8_t out[static 2 + SECRET_SIZE])
{
	own(cctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *aes = by->ek->sym_bits == 128 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128();
	static const uint8_t iv[AES_IV_SIZE];
	uint8_t key[AES_KEY_MAX], plain[2 + SECRET_SIZE] = { 0, SECRET_SIZE };
	int n = 0;
	bool ok;

	memcpy(plain + 2, secret, SECRET_SIZE);
	ok = ctx && kdfa(by, seed, "STORAGE", ak, key, by->ek->sym_bits / 8) &&
	    EVP_EncryptInit_ex(ctx, aes, NULL, key, iv) == 1 &&
	    EVP_EncryptUpdate(ctx, out, &n, plain, sizeof(plain)) == 1 && n == sizeof(plain);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(plain, sizeof(plain));
	return ok;
}

static bool
hmac_identity(const struct endorser *by, const struct seed *seed, const struct tpm_name *ak,
    const uint8_t enc[static 2 + SECRET_SIZE], uint8_t out[static DIGEST_MAX])
{
	size_t size = bank_size(by->hash), got = 0;
	uint8_t covered[2 + SECRET_SIZE + TPM_NAME_MAX];
	struct seed key = { 0 };
	bool ok;

	memcpy(covered, enc, 2 + SECRET_SIZE);
	memcpy(covered + 2 + SECRET_SIZE, ak->bytes, ak->size);
	ok = kdfa(by, seed, "INTEGRITY", NULL, key.bytes, size) &&
	    EVP_Q_mac(NULL, "HMAC", NULL, by->md, NULL, key.bytes, size, covered, 2 + SECRET_SIZE + ak->size,
	    out, DIGEST_MAX, &got) && got == size;
	drop_seed(&key);
	return ok;
}

static bool
identity_object(const struct endorser *by, const struct seed *seed, const struct tpm_name *ak,
    const uint8_t secret[static SECRET_SIZE], struct writer *out)
{
	uint8_t enc[2 + SECRET_SIZE], mac[DIGEST_MAX];
	size_t size = bank_size(by->hash);

	if (!encrypt_identity(by, seed, ak, secret, enc) || !hmac_identity(by, seed, ak, enc, mac))
		return false;
	wr_be16(out, (uint16_t)(2 + size + sizeof(enc)), "credential");
	wr_be16(out, (uint16_t)size, "credential");
	wr_bytes(out, mac, size, "credential");
	wr_bytes(out, enc, sizeof(enc), "credential");
	return true;
}

static bool
usable(const struct tpm_public *ek, const struct tpm_name *ak, enum bank *hash, struct error *e)
{
	if (!bank_of_alg(ek->name_alg, hash) || bank_size(*hash) < SHA256_SIZE)
		return err_set(e, ERR_FORMAT, "EK: nameAlg 0x%04x", ek->name_alg);
	if (ek->sym_alg != TPM_ALG_AES || ek->sym_mode != TPM_ALG_CFB || (ek->sym_bits != 128 && ek->sym_bits != 256))
		return err_set(e, ERR_FORMAT, "EK: protects children with other than AES-128 or AES-256 in CFB");
	if (ek->type != TPM_ALG_RSA && (ek->type != TPM_ALG_ECC || (ek->curve != TPM_ECC_P256 && ek->curve != TPM_ECC_P384)))
		return err_set(e, ERR_FORMAT, "EK: neither RSA nor P-256 nor P-384");
	return (ak->size > 2 && ak->size <= TPM_NAME_MAX) || err_set(e, ERR_FORMAT, "AK: name of %u bytes", ak->size);
}

bool
credential_make(const struct tpm_public *ek, const struct tpm_name *ak, const uint8_t secret[static SECRET_SIZE],
    struct enroll_answer *out, struct error *e)
{
	own(seed) struct seed seed = { 0 };
	own(pkey) EVP_PKEY *key = NULL;
	struct endorser by = { .ek = ek };
	struct enroll_answer a = *out;
	struct writer credential = wr_open(a.credential, sizeof(a.credential));
	struct writer sealed = wr_open(a.secret, sizeof(a.secret));
	uint8_t der[TPM_PUBLIC_MAX];
	const uint8_t *p = der;
	size_t derlen;

	if (!usable(ek, ak, &by.hash, e) || !public_spki(ek, der, sizeof(der), &derlen, e))
		return false;
	key = d2i_PUBKEY(NULL, &p, (long)derlen);
	by.key = key;
	by.md = md_name(by.hash);
	if (!key || !(ek->type == TPM_ALG_RSA ? seed_by_rsa : seed_by_ecc)(&by, &seed, &sealed) ||
	    !identity_object(&by, &seed, ak, secret, &credential))
		return err_set(e, ERR_CRYPTO, "credential cannot be made for this EK");
	if (!wr_ok(&sealed, e) || !wr_ok(&credential, e))
		return false;
	a.credential_len = credential.used;
	a.secret_len = sealed.used;
	*out = a;
	return true;
}
