#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include "ima_signature.h"
#include "scope.h"

enum {
	XATTR_DIGSIG = 0x03, XATTR_VERITY = 0x06,       /* integrity.h: EVM_IMA_XATTR_DIGSIG, IMA_VERITY_DIGSIG */
	SIGNATURE_V2 = 2, SIGNATURE_V3 = 3,
	MODSIG_MAX = 16 << 10, SIGNERS_MAX = 4, KEY_BITS_MAX = 8192,
};

static inline void drop_pkey(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static inline void drop_pctx(EVP_PKEY_CTX **c) { EVP_PKEY_CTX_free(*c); }
static inline void drop_bio(BIO **b) { BIO_free(*b); }
static inline void drop_x509(X509 **x) { X509_free(*x); }
static inline void drop_cms(CMS_ContentInfo **c) { CMS_ContentInfo_free(*c); }
static inline void drop_bn(BIGNUM **n) { BN_free(*n); }

/* --- keys --- */

/* RSA from 2048 bits with exponent 65537, or a NIST curve from P-256 on. */
static bool
acceptable(const EVP_PKEY *key)
{
	own(bn) BIGNUM *exponent = NULL;
	char group[32];

	if (EVP_PKEY_is_a(key, "EC"))
		return EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
		    (!strcmp(group, "prime256v1") || !strcmp(group, "secp384r1") || !strcmp(group, "secp521r1"));
	return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= 2048 && EVP_PKEY_get_bits(key) <= KEY_BITS_MAX &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_word(exponent, 65537);
}

/* The last four bytes of SHA-1 over the key's bits, as evmctl and the kernel count it. */
static bool
key_id(const uint8_t *spki, size_t len, uint8_t id[static 4])
{
	const uint8_t *p = spki, *bits;
	X509_PUBKEY *pub = d2i_X509_PUBKEY(NULL, &p, (long)len);
	uint8_t sha1[20];
	int n;
	bool ok = pub && X509_PUBKEY_get0_param(NULL, &bits, &n, NULL, pub) == 1 && digest(BANK_SHA1, bits, (size_t)n, sha1);

	X509_PUBKEY_free(pub);
	if (ok)
		memcpy(id, sha1 + 16, 4);
	return ok;
}

static bool
key_keep(const EVP_PKEY *key, const X509 *cert, struct ima_key *out, struct error *e)
{
	const ASN1_OCTET_STRING *skid = cert ? X509_get0_subject_key_id((X509 *)(uintptr_t)cert) : NULL;
	uint8_t *at = out->spki;
	int n;

	if (!key)
		return err_set(e, ERR_FORMAT, "neither a certificate nor a public key in PEM");
	if (!acceptable(key))
		return err_set(e, ERR_FORMAT, "key is not RSA-2048 or larger with exponent 65537, P-256, P-384 or P-521");
	n = i2d_PUBKEY(key, NULL);
	if (n <= 0 || (size_t)n > sizeof(out->spki))
		return err_set(e, ERR_LIMIT, "a key of %d bytes", n);
	i2d_PUBKEY(key, &at);
	out->spki_len = (size_t)n;
	if (skid && ASN1_STRING_length(skid) >= 4)
		memcpy(out->id, ASN1_STRING_get0_data(skid) + ASN1_STRING_length(skid) - 4, 4);
	else if (!key_id(out->spki, out->spki_len, out->id))
		return err_set(e, ERR_CRYPTO, "key id");
	return true;
}

bool
ima_key_read(const char *pem, size_t len, struct ima_key *out, struct error *e)
{
	own(bio) BIO *bio = len < INT32_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	own(x509) X509 *cert = NULL;
	own(pkey) EVP_PKEY *key = NULL;

	if (!bio)
		return err_set(e, ERR_MEMORY, "key");
	if (memmem(pem, len, "BEGIN CERTIFICATE", 17)) {
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		if (cert)
			return key_keep(X509_get0_pubkey(cert), cert, out, e);
		return err_set(e, ERR_FORMAT, "a certificate that cannot be read");
	}
	key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	return key_keep(key, NULL, out, e);
}

bool
ima_key_own_id(const struct ima_key *k, uint8_t id[static 4])
{
	return key_id(k->spki, k->spki_len, id);
}

bool
ima_key_pem(const struct ima_key *k, char **out, struct error *e)
{
	const uint8_t *p = k->spki;
	own(pkey) EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)k->spki_len);
	own(bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (!key || !bio || PEM_write_bio_PUBKEY(bio, key) != 1)
		return err_set(e, ERR_CRYPTO, "key");
	n = BIO_get_mem_data(bio, &text);
	*out = n > 0 ? strndup(text, (size_t)n) : NULL;
	return *out || err_set(e, ERR_MEMORY, "key");
}

void
ima_keys_free(struct ima_keys *k)
{
	for (unsigned i = 0; i < IMA_KEYS_MAX; i++)
		EVP_PKEY_free(k->key[i]);
	*k = (struct ima_keys){ .rules = NULL };
}

static EVP_PKEY *
key_at(struct ima_keys *k, unsigned i)
{
	const struct ima_key *key = &k->rules->key[i];
	const uint8_t *p = key->spki;

	if (!k->key[i])
		k->key[i] = d2i_PUBKEY(NULL, &p, (long)key->spki_len);
	if (k->key[i] && (p == key->spki + key->spki_len || p == key->spki) && acceptable(k->key[i]))
		return k->key[i];
	return NULL;
}

/* --- one signature --- */

/* hash_info.h: enum hash_algo */
static bool
alg_of_number(unsigned n, enum ima_alg *out)
{
	static const struct { unsigned n; enum ima_alg alg; } strong[] = {
		{ 4, IMA_ALG_SHA256 }, { 5, IMA_ALG_SHA384 }, { 6, IMA_ALG_SHA512 }, { 17, IMA_ALG_SM3 },
		{ 20, IMA_ALG_SHA3_256 }, { 21, IMA_ALG_SHA3_384 }, { 22, IMA_ALG_SHA3_512 },
	};

	for (unsigned i = 0; i < COUNT(strong); i++)
		if (strong[i].n == n) {
			*out = strong[i].alg;
			return true;
		}
	return false;
}

static const EVP_MD *
md_of(enum ima_alg alg)
{
	switch (alg) {
	case IMA_ALG_SHA256:   return EVP_sha256();
	case IMA_ALG_SHA384:   return EVP_sha384();
	case IMA_ALG_SHA512:   return EVP_sha512();
	case IMA_ALG_SM3:      return EVP_sm3();
	case IMA_ALG_SHA3_256: return EVP_sha3_256();
	case IMA_ALG_SHA3_384: return EVP_sha3_384();
	case IMA_ALG_SHA3_512: return EVP_sha3_512();
	default:               return NULL;
	}
}

static bool
verifies(EVP_PKEY *key, enum ima_alg alg, const uint8_t *hash, struct ima_bytes sig)
{
	own(pctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	const EVP_MD *md = md_of(alg);

	if (!ctx || !md || EVP_PKEY_verify_init(ctx) != 1 ||
	    (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1) ||
	    EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
		return false;
	return EVP_PKEY_verify(ctx, sig.p, sig.len, hash, ima_alg_size(alg)) == 1;
}

/* Keys of that id, or all when there is none. */
static enum ima_signed
by_some_key(struct ima_keys *k, const uint8_t *id, enum ima_alg alg, const uint8_t *hash, struct ima_bytes sig, unsigned *tried,
    struct error *why)
{
	bool known = false;

	for (unsigned i = 0; i < k->rules->nkeys; i++) {
		EVP_PKEY *key;

		if (id && memcmp(k->rules->key[i].id, id, 4) != 0)
			continue;
		key = key_at(k, i);
		known = true;
		++*tried;
		if (key && verifies(key, alg, hash, sig))
			return IMA_SIGNED;
	}
	if (known && id) {
		err_set(why, ERR_MISMATCH, "key %02x%02x%02x%02x did not sign this", id[0], id[1], id[2], id[3]);
		return IMA_SIGNED_BADLY;
	}
	if (id)
		err_set(why, ERR_MISSING, "key %02x%02x%02x%02x is in no keyring", id[0], id[1], id[2], id[3]);
	else
		err_set(why, ERR_MISMATCH, "no key of the keyrings signed this");
	return IMA_SIGNED_UNKNOWN;
}

static enum ima_signed
not_judged(struct error *why, const char *text)
{
	err_set(why, ERR_FORMAT, "%s", text);
	return IMA_SIGNED_UNKNOWN;
}

/* What version 3 signs: kind, algorithm and digest, hashed once more. */
static bool
file_id_hash(unsigned alg_number, const struct ima_fields *f, uint8_t *out)
{
	uint8_t id[2 + DIGEST_MAX] = { XATTR_VERITY, (uint8_t)alg_number };

	memcpy(id + 2, f->digest, ima_alg_size(f->alg));
	return EVP_Digest(id, 2 + ima_alg_size(f->alg), out, NULL, md_of(f->alg), NULL) == 1;
}

/* struct signature_v2_hdr: type, version, hash, key id, size, signature */
static enum ima_signed
xattr_check(struct ima_keys *k, const struct ima_fields *f, unsigned *tried, struct error *why)
{
	struct reader r = rd_open(f->sig.p, f->sig.len);
	unsigned type = rd_u8(&r, "type"), version = rd_u8(&r, "version"), number = rd_u8(&r, "hash");
	const uint8_t *id = rd_bytes(&r, 4, "key id");
	struct ima_bytes sig = { .len = rd_be16(&r, "size") };
	uint8_t hash[DIGEST_MAX];
	enum ima_alg alg;

	sig.p = rd_bytes(&r, sig.len, "signature");
	if (type == 0x01 || type == 0x04)       /* a digest alone: IMA_XATTR_DIGEST, IMA_XATTR_DIGEST_NG */
		return IMA_SIGNED_NOT;
	if (!rd_end(&r, why))
		return IMA_SIGNED_BADLY;
	if (!(type == XATTR_DIGSIG && version == SIGNATURE_V2) && !(type == XATTR_VERITY && version == SIGNATURE_V3))
		return not_judged(why, "a signature of a type that is not judged");
	if (!alg_of_number(number, &alg))
		return not_judged(why, "a signature over a weak or unknown hash");
	if (alg != f->alg || f->verity != (type == XATTR_VERITY))
		return not_judged(why, "the signature is over another kind of digest than was measured");
	if (!f->verity)
		return by_some_key(k, id, alg, f->digest, sig, tried, why);
	if (!file_id_hash(number, f, hash))
		return not_judged(why, "the hash failed");
	return by_some_key(k, id, alg, hash, sig, tried, why);
}

static enum ima_signed
signer_check(struct ima_keys *k, CMS_SignerInfo *si, const struct ima_fields *f, unsigned *tried, struct error *why)
{
	ASN1_OCTET_STRING *keyid = NULL, *sig = CMS_SignerInfo_get0_signature(si);
	X509_ALGOR *hash = NULL;
	const ASN1_OBJECT *oid = NULL;
	const EVP_MD *md = md_of(f->modsig_alg);
	const uint8_t *id = NULL;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &hash, NULL);
	if (hash)
		X509_ALGOR_get0(&oid, NULL, NULL, hash);
	if (!md || !oid || OBJ_obj2nid(oid) != EVP_MD_get_type(md))
		return not_judged(why, "PKCS#7: not over the hash that was measured");
	if (CMS_signed_get_attr_count(si) > 0)
		return not_judged(why, "PKCS#7: signed attributes are not judged");
	if (CMS_SignerInfo_get0_signer_id(si, &keyid, NULL, NULL) == 1 && keyid && ASN1_STRING_length(keyid) >= 4)
		id = ASN1_STRING_get0_data(keyid) + ASN1_STRING_length(keyid) - 4;
	return by_some_key(k, id, f->modsig_alg, f->modsig_digest,
	    (struct ima_bytes){ ASN1_STRING_get0_data(sig), (size_t)ASN1_STRING_length(sig) }, tried, why);
}

static enum ima_signed
modsig_check(struct ima_keys *k, const struct ima_fields *f, unsigned *tried, struct error *why)
{
	const uint8_t *p = f->modsig.p;
	own(cms) CMS_ContentInfo *cms = f->modsig.len <= MODSIG_MAX ? d2i_CMS_ContentInfo(NULL, &p, (long)f->modsig.len) : NULL;
	STACK_OF(CMS_SignerInfo) *signers;
	enum ima_signed answer = IMA_SIGNED_BADLY;

	if (!cms || p != f->modsig.p + f->modsig.len || !f->modsig_digest)
		return not_judged(why, "PKCS#7: cannot be read");
	signers = OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed ? CMS_get0_SignerInfos(cms) : NULL;
	if (!signers || sk_CMS_SignerInfo_num(signers) < 1 || sk_CMS_SignerInfo_num(signers) > SIGNERS_MAX)
		return not_judged(why, "PKCS#7: without signers, or with too many");
	for (int i = 0; i < sk_CMS_SignerInfo_num(signers) && answer != IMA_SIGNED; i++)
		answer = signer_check(k, sk_CMS_SignerInfo_value(signers, i), f, tried, why);
	return answer;
}

enum ima_signed
ima_signature_check(struct ima_keys *k, const struct ima_fields *f, unsigned *tried, struct error *why)
{
	enum ima_signed answer = IMA_SIGNED_NOT, other;

	if (!f->digest)
		return not_judged(why, "no digest");
	if (f->sig.len)
		answer = xattr_check(k, f, tried, why);
	if (answer == IMA_SIGNED || !f->modsig.len)
		return answer;
	other = modsig_check(k, f, tried, why);
	return other == IMA_SIGNED || answer == IMA_SIGNED_NOT ? other : answer;
}
