/*
 * tpm_types.h - the TPM 2.0 structures that cross the wire, read and judged byte by byte.
 *
 * TPM-2 (Structures). tss2-mu is not used here: it takes trailing bytes and ignores the magic.
 * Every read function wants the whole structure and nothing after it.
 */
#ifndef TPM_TYPES_H
#define TPM_TYPES_H
#include "digest.h"

enum {
	TPM_NAME_MAX      = 2 + DIGEST_MAX,
	TPM_ATTEST_MAX    = 1024,
	TPM_SIGNATURE_MAX = 1024,
	TPM_PUBLIC_MAX    = 1024,
	TPM_SELECTIONS_MAX = 4,

	TPM_ALG_RSA = 0x0001, TPM_ALG_AES = 0x0006, TPM_ALG_NULL = 0x0010, TPM_ALG_RSASSA = 0x0014,
	TPM_ALG_RSAPSS = 0x0016, TPM_ALG_ECDSA = 0x0018, TPM_ALG_ECC = 0x0023, TPM_ALG_CFB = 0x0043,
	TPM_ECC_P256 = 0x0003, TPM_ECC_P384 = 0x0004,
	TPM_ST_ATTEST_QUOTE = 0x8018,
};
#define TPM_GENERATED      0xff544347u
#define TPM_RH_ENDORSEMENT 0x4000000bu

struct tpm_name { uint16_t size; uint8_t bytes[TPM_NAME_MAX]; };   /* nameAlg || digest */

/* A TPML_PCR_SELECTION: banks in their order, one bit a PCR. */
struct selection {
	unsigned count;
	struct { uint16_t alg; uint32_t pcrs; } bank[TPM_SELECTIONS_MAX];
};
bool selection_same(const struct selection *, const struct selection *);
/* "sha256:0,2,4,7+sha1:0" and back. */
bool selection_parse(const char *text, struct selection *, struct error *) MUST_CHECK;
bool selection_text(const struct selection *, char *out, size_t size);

/* TPMS_ATTEST of any type; attested.quote is read only when type says quote. */
struct quote {
	uint32_t         magic;
	uint16_t         type;
	struct tpm_name  signer;               /* qualifiedSigner */
	uint8_t          extra[64];
	size_t           extra_len;
	uint64_t         clock;                /* ms the TPM has been powered */
	uint32_t         reset_count, restart_count;
	bool             safe;
	uint64_t         firmware;
	struct selection selection;
	uint8_t          pcr_digest[DIGEST_MAX];
	size_t           pcr_digest_len;
};
/*
 * Magic and type are returned, not judged: that is a row of the check table. When type is not a
 * quote, what follows firmware is left unread and nothing is said about it.
 */
bool quote_read(const void *attest, size_t len, struct quote *, struct error *) MUST_CHECK;

/* TPMT_SIGNATURE: ECDSA, RSASSA or RSAPSS with SHA-256, -384 or -512; all others refused. */
struct tpm_signature {
	uint16_t  alg;
	enum bank hash;
	uint8_t   r[66], s[66];
	size_t    r_len, s_len;
	uint8_t   rsa[512];
	size_t    rsa_len;
};
bool signature_read(const void *p, size_t len, struct tpm_signature *, struct error *) MUST_CHECK;

/* TPMT_PUBLIC of an RSA or ECC key. */
struct tpm_public {
	uint16_t type;                 /* TPM_ALG_RSA or TPM_ALG_ECC */
	uint16_t name_alg;
	uint32_t attributes;
	uint8_t  policy[DIGEST_MAX];
	size_t   policy_len;
	uint16_t sym_alg, sym_bits, sym_mode;
	uint16_t scheme, scheme_hash;
	uint16_t curve;                /* ECC */
	uint16_t rsa_bits;             /* RSA */
	uint32_t exponent;             /* RSA; 0 in the structure is read as 65537 */
	uint8_t  x[66], y[66];         /* ECC point, left-padded to the curve's size by the reader */
	size_t   xy_len;
	uint8_t  modulus[512];
	size_t   modulus_len;
};
bool public_read(const void *tpmt_public, size_t len, struct tpm_public *, struct error *) MUST_CHECK;

/* Name of an object from its marshalled TPMT_PUBLIC (TPM-1, Names). */
bool public_name(const void *tpmt_public, size_t len, struct tpm_name *, struct error *) MUST_CHECK;
/* Qualified name of a primary key of a hierarchy. */
bool name_qualify(const struct tpm_name *, uint32_t hierarchy, struct tpm_name *);
bool name_same(const struct tpm_name *, const struct tpm_name *);

/*
 * The key as SubjectPublicKeyInfo (DER), the form in which it is stored; and back into an opaque
 * verifying key. Decoding a P-256 key costs more than a verification: keep the handle.
 */
bool public_spki(const struct tpm_public *, uint8_t *der, size_t size, size_t *len, struct error *) MUST_CHECK;

struct verify_key;
bool verify_key_open(const void *spki, size_t len, struct verify_key **, struct error *) MUST_CHECK;
bool verify_key_open_pem(const char *pem, size_t len, struct verify_key **, struct error *) MUST_CHECK;
void verify_key_free(struct verify_key *);
/* Does this key's TPM signature cover exactly these bytes? ERR_MISMATCH when not. Exponent 65537 only. */
bool verify_key_check(struct verify_key *, const struct tpm_signature *, const void *data, size_t len,
    struct error *) MUST_CHECK;
#endif
