/* The endorsement key: templates, certificates in NV, credential activation. FACTS section 1; TCG EK Credential Profile. */
#include <string.h>
#include <tss2/tss2_mu.h>
#include "scope.h"
#include "tpm_esys.h"

enum { NV_CHUNK = 512, NV_CHAIN_FIRST = 0x01c00100, NV_CHAIN_LAST = 0x01c001ff };
#define NOAUTH ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE
#define NONE3  ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE
#define EK_ATTRIBUTES (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
	TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT)

static inline void drop_esys(void *slot) { drop_mem(slot); }      /* Esys_Free is free */

/* EK Credential Profile, annex B: PolicySecret(TPM_RH_ENDORSEMENT), and with it or PolicyAuthorizeNV. */
static const uint8_t policy_a_sha256[32] = {
	0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
	0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
};
static const uint8_t policy_b_sha384[48] = {
	0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc, 0xf5, 0xfd, 0x3a, 0x1a,
	0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4, 0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca,
	0xcb, 0x47, 0xba, 0x09, 0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12,
};

/* In the order in which they are tried: ECC is faster to make, and P-256 is the common one. */
static const struct ek_kind {
	TPM2_ALG_ID   type, name_alg;
	TPMA_OBJECT   more;               /* attributes of the high range */
	TPM2_ECC_CURVE curve;
	uint16_t      aes_bits, unique;   /* unique: bytes of zeros; the high range has none */
	TPM2_HANDLE   cert, template;
	const uint8_t *policy;
	uint16_t      policy_len;
	bool          policy_session;     /* the user role wants PolicySecret; else the empty password does */
} kinds[] = {
	{ TPM2_ALG_ECC, TPM2_ALG_SHA256, 0, TPM2_ECC_NIST_P256, 128, 32, 0x01c0000a, 0x01c0000c,
	  policy_a_sha256, sizeof(policy_a_sha256), true },
	{ TPM2_ALG_ECC, TPM2_ALG_SHA384, TPMA_OBJECT_USERWITHAUTH, TPM2_ECC_NIST_P384, 256, 0, 0x01c00016, 0x01c00017,
	  policy_b_sha384, sizeof(policy_b_sha384), false },
	{ TPM2_ALG_RSA, TPM2_ALG_SHA256, 0, 0, 128, 256, 0x01c00002, 0x01c00004,
	  policy_a_sha256, sizeof(policy_a_sha256), true },
};

static enum reason
failed(struct tpm_esys *t, TSS2_RC rc)
{
	t->rc = rc;
	return rc ? REASON_TPM_ERROR : REASON_OK;
}

/* One NV index, read by its own empty password; *len is 0 when it is not there or empty. */
static TSS2_RC
read_nv(struct tpm_esys *t, TPM2_HANDLE index, uint8_t *out, size_t size, size_t *len)
{
	own(esys) TPM2B_NV_PUBLIC *public = NULL;
	ESYS_TR nv;
	uint16_t at = 0;
	TSS2_RC rc = Esys_TR_FromTPMPublic(t->ctx, index, NONE3, &nv);

	*len = 0;
	if (rc)
		return (rc & 0xbf) == (TPM2_RC_HANDLE & 0xbf) ? 0 : rc;
	rc = Esys_NV_ReadPublic(t->ctx, nv, NONE3, &public, NULL);
	while (!rc && at < public->nvPublic.dataSize && at < size) {
		size_t left = public->nvPublic.dataSize - at;
		TPM2B_MAX_NV_BUFFER *piece = NULL;

		left = left < size - at ? left : size - at;
		rc = Esys_NV_Read(t->ctx, nv, nv, NOAUTH, (uint16_t)(left < NV_CHUNK ? left : NV_CHUNK), at, &piece);
		if (!rc) {
			memcpy(out + at, piece->buffer, piece->size);
			at = (uint16_t)(at + piece->size);
			if (!piece->size)
				rc = TSS2_BASE_RC_MALFORMED_RESPONSE;
			Esys_Free(piece);
		}
	}
	Esys_TR_Close(t->ctx, &nv);
	if ((rc & 0xfff) == TPM2_RC_NV_UNINITIALIZED)
		return 0;
	*len = rc ? 0 : at;
	return rc;
}

/* Intermediates that the vendor left beside the certificate, as one run of DER. */
static TSS2_RC
read_chain(struct tpm_esys *t, uint8_t *out, size_t size, size_t *len)
{
	own(esys) TPMS_CAPABILITY_DATA *cap = NULL;
	TPMI_YES_NO more;
	TSS2_RC rc = Esys_GetCapability(t->ctx, NONE3, TPM2_CAP_HANDLES, NV_CHAIN_FIRST, TPM2_MAX_CAP_HANDLES, &more, &cap);

	*len = 0;
	for (uint32_t i = 0; !rc && i < cap->data.handles.count && *len < size; i++) {
		size_t n;

		if (cap->data.handles.handle[i] > NV_CHAIN_LAST)
			break;
		rc = read_nv(t, cap->data.handles.handle[i], out + *len, size - *len, &n);
		*len += rc ? 0 : n;
	}
	return rc;
}

static TPM2B_PUBLIC
template_of(const struct ek_kind *k)
{
	TPM2B_PUBLIC p = { .publicArea = {
		.type = k->type,
		.nameAlg = k->name_alg,
		.objectAttributes = EK_ATTRIBUTES | k->more,
		.authPolicy.size = k->policy_len,
	} };
	TPMT_SYM_DEF_OBJECT aes = {
		.algorithm = TPM2_ALG_AES, .keyBits.aes = k->aes_bits, .mode.aes = TPM2_ALG_CFB,
	};

	memcpy(p.publicArea.authPolicy.buffer, k->policy, k->policy_len);
	if (k->type == TPM2_ALG_ECC) {
		p.publicArea.parameters.eccDetail = (TPMS_ECC_PARMS){ .symmetric = aes, .scheme.scheme = TPM2_ALG_NULL,
			.curveID = k->curve, .kdf.scheme = TPM2_ALG_NULL };
		p.publicArea.unique.ecc.x.size = p.publicArea.unique.ecc.y.size = k->unique;
	} else {
		p.publicArea.parameters.rsaDetail = (TPMS_RSA_PARMS){ .symmetric = aes, .scheme.scheme = TPM2_ALG_NULL,
			.keyBits = 2048 };
		p.publicArea.unique.rsa.size = k->unique;
	}
	return p;
}

/* The vendor's own template, where there is one (a marshalled TPMT_PUBLIC), replaces the default. */
static TSS2_RC
vendor_template(struct tpm_esys *t, const struct ek_kind *k, TPM2B_PUBLIC *p)
{
	uint8_t raw[1024];
	TPMT_PUBLIC own_template;
	size_t len, at = 0;
	TSS2_RC rc = read_nv(t, k->template, raw, sizeof(raw), &len);

	if (!rc && len && !Tss2_MU_TPMT_PUBLIC_Unmarshal(raw, len, &at, &own_template) && own_template.type == k->type)
		p->publicArea = own_template;
	return rc;
}

static TSS2_RC
make_ek(struct tpm_esys *t, const struct ek_kind *k, ESYS_TR *object, TPM2B_PUBLIC *public)
{
	static const TPM2B_SENSITIVE_CREATE sensitive;
	static const TPM2B_DATA outside;
	static const TPML_PCR_SELECTION pcrs;
	TPM2B_PUBLIC template = template_of(k);
	own(esys) TPM2B_PUBLIC *made = NULL;
	own(esys) TPM2B_CREATION_DATA *data = NULL;
	own(esys) TPM2B_DIGEST *hash = NULL;
	own(esys) TPMT_TK_CREATION *ticket = NULL;
	TSS2_RC rc = vendor_template(t, k, &template);

	if (!rc)
		rc = Esys_CreatePrimary(t->ctx, ESYS_TR_RH_ENDORSEMENT, NOAUTH, &sensitive, &template, &outside, &pcrs,
		    object, &made, &data, &hash, &ticket);
	if (!rc && public)
		*public = *made;
	return rc;
}

static enum reason
find_cert(struct tpm_esys *t, struct tpm_ek *ek)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		TSS2_RC rc = read_nv(t, kinds[i].cert, ek->cert, sizeof(ek->cert), &ek->cert_len);

		if (rc)
			return failed(t, rc);
		if (ek->cert_len) {
			ek->kind = &kinds[i];
			return REASON_OK;
		}
	}
	return REASON_EK_MISSING;
}

enum reason
tpm_read_ek(struct tpm_esys *t, struct tpm_ek *ek)
{
	ESYS_TR object;
	uint32_t banks;
	TSS2_RC rc;
	enum reason r = tpm_banks(t, &banks);      /* opens the TPM, and shows that it answers */

	if (r == REASON_OK)
		r = find_cert(t, ek);
	if (r != REASON_OK)
		return r;
	rc = read_chain(t, ek->chain, sizeof(ek->chain), &ek->chain_len);
	if (!rc)
		rc = make_ek(t, ek->kind, &object, &ek->public);
	if (!rc)
		rc = Esys_FlushContext(t->ctx, object);
	return failed(t, rc);
}

/* A session that has run PolicySecret(endorsement). ESAPI lets it go on after the command that it authorizes: flush it. */
static TSS2_RC
policy_session(struct tpm_esys *t, ESYS_TR *session)
{
	static const TPMT_SYM_DEF none = { .algorithm = TPM2_ALG_NULL };
	TSS2_RC rc = Esys_StartAuthSession(t->ctx, ESYS_TR_NONE, ESYS_TR_NONE, NONE3, NULL, TPM2_SE_POLICY, &none,
	    TPM2_ALG_SHA256, session);

	if (!rc)
		rc = Esys_PolicySecret(t->ctx, ESYS_TR_RH_ENDORSEMENT, *session, NOAUTH, NULL, NULL, NULL, 0, NULL, NULL);
	return rc;
}

enum reason
tpm_activate(struct tpm_esys *t, const uint8_t *credential, size_t credential_len, const uint8_t *secret,
    size_t secret_len, TPM2B_DIGEST *out)
{
	static struct tpm_ek ek;                 /* large; the child does one thing at a time */
	TPM2B_ID_OBJECT blob = { 0 };
	TPM2B_ENCRYPTED_SECRET seed = { 0 };
	own(esys) TPM2B_DIGEST *found = NULL;
	ESYS_TR object = ESYS_TR_NONE, session = ESYS_TR_PASSWORD;
	size_t at = 0, at2 = 0;
	enum reason r = find_cert(t, &ek);
	TSS2_RC rc;

	if (r != REASON_OK)
		return r;
	if (Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(credential, credential_len, &at, &blob) || at != credential_len ||
	    Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(secret, secret_len, &at2, &seed) || at2 != secret_len)
		return REASON_PROOF_FAILED;
	rc = make_ek(t, ek.kind, &object, NULL);
	if (!rc && ek.kind->policy_session)
		rc = policy_session(t, &session);
	if (!rc)
		rc = Esys_ActivateCredential(t->ctx, t->ak, object, ESYS_TR_PASSWORD, session, ESYS_TR_NONE, &blob, &seed, &found);
	if (session != ESYS_TR_PASSWORD && session != ESYS_TR_NONE)
		Esys_FlushContext(t->ctx, session);
	if (object != ESYS_TR_NONE)
		Esys_FlushContext(t->ctx, object);
	if (!rc)
		*out = *found;
	t->rc = rc;
	/* INTEGRITY: made for another EK or another AK. */
	if ((rc & 0xbf) == (TPM2_RC_INTEGRITY & 0xbf))
		return REASON_PROOF_FAILED;
	return failed(t, rc);
}
