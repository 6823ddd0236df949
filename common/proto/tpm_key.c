/* The public keys of TPMs in OpenSSL's hands: as SubjectPublicKeyInfo, and to verify with. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>
#include "scope.h"
#include "tpm_types.h"

static inline void drop_pkey(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static inline void drop_pctx(EVP_PKEY_CTX **c) { EVP_PKEY_CTX_free(*c); }
static inline void drop_bld(OSSL_PARAM_BLD **b) { OSSL_PARAM_BLD_free(*b); }
static inline void drop_params(OSSL_PARAM **p) { OSSL_PARAM_free(*p); }
static inline void drop_bn(BIGNUM **n) { BN_free(*n); }
static inline void drop_mdctx(EVP_MD_CTX **c) { EVP_MD_CTX_free(*c); }
static inline void drop_sig(ECDSA_SIG **s) { ECDSA_SIG_free(*s); }
static inline void drop_bio(BIO **b) { BIO_free(*b); }

static EVP_PKEY *
make_key(const char *type, OSSL_PARAM_BLD *bld)
{
	own(params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	own(pctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

static EVP_PKEY *
ecc_key(const struct tpm_public *p)
{
	own(bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	uint8_t point[1 + 2 * sizeof(p->x)] = { POINT_CONVERSION_UNCOMPRESSED };

	memcpy(point + 1, p->x, p->xy_len);
	memcpy(point + 1 + p->xy_len, p->y, p->xy_len);
	if (!bld ||
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
	    p->curve == TPM_ECC_P256 ? "P-256" : "P-384", 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * p->xy_len) != 1)
		return NULL;
	return make_key("EC", bld);      /* checks that the point is on the curve */
}

static EVP_PKEY *
rsa_key(const struct tpm_public *p)
{
	own(bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	own(bn) BIGNUM *n = BN_bin2bn(p->modulus, (int)p->modulus_len, NULL);
	own(bn) BIGNUM *exponent = BN_new();

	if (!bld || !n || !exponent || BN_set_word(exponent, p->exponent) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
		return NULL;
	return make_key("RSA", bld);
}

bool
public_spki(const struct tpm_public *p, uint8_t *der, size_t size, size_t *len, struct error *e)
{
	own(pkey) EVP_PKEY *key = p->type == TPM_ALG_ECC ? ecc_key(p) : p->type == TPM_ALG_RSA ? rsa_key(p) : NULL;
	int n = key ? i2d_PUBKEY(key, NULL) : 0;

	if (n <= 0)
		return err_set(e, ERR_CRYPTO, "not a usable public key");
	if ((size_t)n > size)
		return err_set(e, ERR_LIMIT, "public key of %d bytes", n);
	i2d_PUBKEY(key, &der);
	*len = (size_t)n;
	return true;
}

struct verify_key { EVP_PKEY *key; };

/* RSA from 2048 bits with exponent 65537, P-256 or P-384; nothing else may vouch for a host. */
static bool
acceptable(const EVP_PKEY *key)
{
	char group[32];
	own(bn) BIGNUM *exponent = NULL;

	if (EVP_PKEY_is_a(key, "EC"))
		return EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
		    (!strcmp(group, "prime256v1") || !strcmp(group, "P-256") ||
		    !strcmp(group, "secp384r1") || !strcmp(group, "P-384"));
	return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= 2048 && EVP_PKEY_get_bits(key) <= 4096 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_word(exponent, 65537);
}

static bool
keep(EVP_PKEY *decoded, struct verify_key **out, struct error *e)
{
	own(pkey) EVP_PKEY *key = decoded;
	struct verify_key *k;

	if (!key)
		return err_set(e, ERR_FORMAT, "not a public key");
	if (!acceptable(key))
		return err_set(e, ERR_FORMAT, "key is not RSA-2048 or larger with exponent 65537, P-256 or P-384");
	k = malloc(sizeof(*k));
	if (!k)
		return err_set(e, ERR_MEMORY, "public key");
	k->key = give(key);
	*out = k;
	return true;
}

/*
 * P-256 as every encoder writes it: this, then the point. OpenSSL's decoder tries one key type and form
 * after the other, at several times the price of a signature check. What looks different is the decoder's.
 */
static const uint8_t p256_prefix[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
};

static EVP_PKEY *
p256_of(const uint8_t *spki, size_t len)
{
	struct tpm_public p = { .type = TPM_ALG_ECC, .curve = TPM_ECC_P256, .xy_len = 32 };
	const size_t point = sizeof(p256_prefix) + 1;

	if (len != point + 64 || memcmp(spki, p256_prefix, sizeof(p256_prefix)) != 0 ||
	    spki[point - 1] != POINT_CONVERSION_UNCOMPRESSED)
		return NULL;
	memcpy(p.x, spki + point, 32);
	memcpy(p.y, spki + point + 32, 32);
	return ecc_key(&p);
}

bool
verify_key_open(const void *spki, size_t len, struct verify_key **out, struct error *e)
{
	const uint8_t *p = spki;
	EVP_PKEY *key = p256_of(spki, len);

	if (key)
		return keep(key, out, e);
	key = len <= TPM_PUBLIC_MAX ? d2i_PUBKEY(NULL, &p, (long)len) : NULL;
	if (key && p != (const uint8_t *)spki + len) {
		EVP_PKEY_free(key);
		return err_set(e, ERR_FORMAT, "stray bytes behind the public key");
	}
	return keep(key, out, e);
}

bool
verify_key_open_pem(const char *pem, size_t len, struct verify_key **out, struct error *e)
{
	own(bio) BIO *bio = len <= INT32_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;

	return keep(bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL, out, e);
}

void
verify_key_free(struct verify_key *k)
{
	if (k)
		EVP_PKEY_free(k->key);
	free(k);
}

/* TPMS_SIGNATURE_ECDSA's r and s as the DER that OpenSSL verifies. */
static int
ecdsa_der(const struct tpm_signature *s, uint8_t *out, size_t size)
{
	own(sig) ECDSA_SIG *sig = ECDSA_SIG_new();
	own(bn) BIGNUM *r = BN_bin2bn(s->r, (int)s->r_len, NULL);
	own(bn) BIGNUM *t = BN_bin2bn(s->s, (int)s->s_len, NULL);
	int n;

	if (!sig || !r || !t || ECDSA_SIG_set0(sig, r, t) != 1)
		return -1;
	r = t = NULL;                   /* sig owns them now */
	n = i2d_ECDSA_SIG(sig, NULL);
	if (n <= 0 || (size_t)n > size)
		return -1;
	return i2d_ECDSA_SIG(sig, &out);
}

bool
verify_key_check(struct verify_key *k, const struct tpm_signature *s, const void *data, size_t len, struct error *e)
{
	own(mdctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	const EVP_MD *md = s->hash == BANK_SHA256 ? EVP_sha256() : s->hash == BANK_SHA384 ? EVP_sha384() : EVP_sha512();
	bool ecc = EVP_PKEY_is_a(k->key, "EC");
	uint8_t der[160];
	const uint8_t *sig = s->rsa;
	size_t sig_len = s->rsa_len;

	if (ecc != (s->alg == TPM_ALG_ECDSA))
		return err_set(e, ERR_MISMATCH, "signature algorithm 0x%04x does not fit the key", s->alg);
	if (ecc) {
		int n = ecdsa_der(s, der, sizeof(der));

		if (n < 0)
			return err_set(e, ERR_MISMATCH, "r or s out of range");
		sig = der;
		sig_len = (size_t)n;
	}
	if (!ctx || EVP_DigestVerifyInit(ctx, &pctx, md, NULL, k->key) != 1)
		return err_set(e, ERR_CRYPTO, "signature check could not start");
	if (s->alg == TPM_ALG_RSAPSS && (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_AUTO) != 1))
		return err_set(e, ERR_CRYPTO, "signature check could not start");
	return EVP_DigestVerify(ctx, sig, sig_len, data, len) == 1 ||
	    err_set(e, ERR_MISMATCH, "signature does not verify");
}
