#include <string.h>
#include <time.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>
#include "digest.h"
#include "scope.h"
#include "tpm_esys.h"

enum { RETRIES = 4, RETRY_FIRST_MS = 20, AK_HANDLE_FIRST = 0x81010a00, AK_HANDLES = 64 };
#define NOAUTH ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE
#define NONE3  ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE

static inline void drop_esys(void *slot) { drop_mem(slot); }      /* Esys_Free is free */

static void
close_context(struct tpm_esys *t)
{
	TSS2_TCTI_CONTEXT *tcti = (TSS2_TCTI_CONTEXT *)(void *)&t->count;

	if (!t->ctx)
		return;
	Esys_Finalize(&t->ctx);
	Tss2_Tcti_Finalize(tcti);
	free(t->count.inner);
	t->commands += t->count.commands;
	t->count = (struct tpm_count){ 0 };
	t->ak = ESYS_TR_NONE;
}

static bool
open_context(struct tpm_esys *t)
{
	TSS2_TCTI_CONTEXT *inner = NULL;

	if (t->ctx)
		return true;
	t->rc = Tss2_TctiLdr_Initialize(t->tcti, &inner);
	if (t->rc)
		return false;
	t->rc = Esys_Initialize(&t->ctx, tpm_count_wrap(&t->count, inner), NULL);
	if (t->rc) {
		Tss2_TctiLdr_Finalize(&inner);
		t->ctx = NULL;
		return false;
	}
	t->ak = ESYS_TR_NONE;
	return true;
}

uint64_t
tpm_commands(const struct tpm_esys *t)
{
	return t->commands + t->count.commands;
}

static bool
from_tpm(TSS2_RC rc)
{
	TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;

	return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER;
}

/* A handle that is not there, or that is another object than its Name says: format-1 codes. */
static bool
wrong_handle(TSS2_RC rc)
{
	TSS2_RC code = rc & 0xffff;

	return (code & 0xbf) == (TPM2_RC_HANDLE & 0xbf) || code == TPM2_RC_REFERENCE_H0 ||
	    (code & 0xbf) == (TPM2_RC_AUTH_FAIL & 0xbf) || (code & 0xbf) == (TPM2_RC_BAD_AUTH & 0xbf);
}

/* FACTS section 10.3: what a code means to an administrator. */
static enum reason
why(struct tpm_esys *t, TSS2_RC rc)
{
	t->rc = rc;
	if (!rc)
		return REASON_OK;
	if (!from_tpm(rc)) {
		close_context(t);       /* the device went away: open it anew next time */
		return REASON_TPM_ABSENT;
	}
	switch (rc & 0xfff) {
	case TPM2_RC_RETRY:
	case TPM2_RC_YIELDED:
	case TPM2_RC_TESTING:
	case TPM2_RC_NV_RATE:
		return REASON_TPM_BUSY;
	case TPM2_RC_LOCKOUT:
		return REASON_TPM_LOCKOUT;
	}
	return REASON_TPM_ERROR;
}

/* ESAPI itself resubmits five times; a TPM in self test can need longer. */
static bool
again(TSS2_RC rc, unsigned *tries)
{
	struct timespec wait = { 0 };
	TSS2_RC code = rc & 0xfff;

	if (!rc || !from_tpm(rc) || *tries == RETRIES ||
	    (code != TPM2_RC_RETRY && code != TPM2_RC_YIELDED && code != TPM2_RC_TESTING))
		return false;
	wait.tv_nsec = (long)(RETRY_FIRST_MS << (*tries)++) * 1000000;
	nanosleep(&wait, NULL);
	return true;
}

/* 0 for a bank that this project does not know. */
static uint32_t
bank_bit(TPM2_ALG_ID alg)
{
	switch (alg) {
#define X(name, id, size, word, ossl) case id: return 1u << BANK_##name;
	BANKS(X)
#undef X
	}
	return 0;
}

enum reason
tpm_banks(struct tpm_esys *t, uint32_t *out)
{
	own(esys) TPMS_CAPABILITY_DATA *cap = NULL;
	TPMI_YES_NO more;
	uint32_t banks = 0;
	TSS2_RC rc;

	if (!open_context(t))
		return REASON_TPM_ABSENT;
	rc = Esys_GetCapability(t->ctx, NONE3, TPM2_CAP_PCRS, 0, 1, &more, &cap);
	if (rc)
		return why(t, rc);
	for (uint32_t i = 0; i < cap->data.assignedPCR.count; i++) {
		const TPMS_PCR_SELECTION *s = &cap->data.assignedPCR.pcrSelections[i];
		/* A bank with no PCR allocated is listed too. */
		if (s->sizeofSelect && s->pcrSelect[0] & 1)
			banks |= bank_bit(s->hash);
	}
	*out = banks;
	return REASON_OK;
}

enum reason
tpm_lockout(struct tpm_esys *t, struct tpm_lockout *out)
{
	own(esys) TPMS_CAPABILITY_DATA *cap = NULL;
	struct tpm_lockout l = { 0 };
	uint32_t *const fields[] = { &l.counter, &l.max, &l.interval, &l.recovery };      /* as the properties follow each other */
	TPMI_YES_NO more;
	unsigned seen = 0;
	TSS2_RC rc;

	if (!open_context(t))
		return REASON_TPM_ABSENT;
	rc = Esys_GetCapability(t->ctx, NONE3, TPM2_CAP_TPM_PROPERTIES, TPM2_PT_LOCKOUT_COUNTER, COUNT(fields), &more, &cap);
	if (rc)
		return why(t, rc);
	for (uint32_t i = 0; i < cap->data.tpmProperties.count && i < COUNT(cap->data.tpmProperties.tpmProperty); i++) {
		const TPMS_TAGGED_PROPERTY *p = &cap->data.tpmProperties.tpmProperty[i];
		uint32_t at = p->property - TPM2_PT_LOCKOUT_COUNTER;

		if (at < COUNT(fields)) {
			*fields[at] = p->value;
			seen |= 1u << at;
		}
	}
	if (seen != 0xf)
		return REASON_TPM_ERROR;
	*out = l;
	return REASON_OK;
}

/* --- the AK */

static TPM2B_PUBLIC
ecc_ak(const uint8_t unique[static 32])
{
	TPM2B_PUBLIC p = { .publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
		    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT,
		.parameters.eccDetail = {
			.symmetric.algorithm = TPM2_ALG_NULL,
			.scheme = { .scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256 },
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
		.unique.ecc = { .x.size = 32, .y.size = 32 },
	} };

	memcpy(p.publicArea.unique.ecc.x.buffer, unique, 32);
	return p;
}

static TPM2B_PUBLIC
rsa_ak(const uint8_t unique[static 32])
{
	TPM2B_PUBLIC p = ecc_ak(unique);

	p.publicArea.type = TPM2_ALG_RSA;
	p.publicArea.parameters.rsaDetail = (TPMS_RSA_PARMS){
		.symmetric.algorithm = TPM2_ALG_NULL,
		.scheme = { .scheme = TPM2_ALG_RSASSA, .details.rsassa.hashAlg = TPM2_ALG_SHA256 },
		.keyBits = 2048,
	};
	p.publicArea.unique.rsa = (TPM2B_PUBLIC_KEY_RSA){ .size = 256 };
	memcpy(p.publicArea.unique.rsa.buffer, unique, 32);
	return p;
}

static TSS2_RC
create_primary(struct tpm_esys *t, const TPM2B_PUBLIC *template, ESYS_TR *object, TPM2B_PUBLIC *public)
{
	static const TPM2B_SENSITIVE_CREATE sensitive;
	static const TPM2B_DATA outside;
	static const TPML_PCR_SELECTION pcrs;
	TPM2B_PUBLIC *made = NULL;
	TPM2B_CREATION_DATA *data = NULL;
	TPM2B_DIGEST *hash = NULL;
	TPMT_TK_CREATION *ticket = NULL;
	unsigned tries = 0;
	TSS2_RC rc;

	do
		rc = Esys_CreatePrimary(t->ctx, ESYS_TR_RH_ENDORSEMENT, NOAUTH, &sensitive, template, &outside, &pcrs,
		    object, &made, &data, &hash, &ticket);
	while (again(rc, &tries));
	if (rc)
		return rc;
	*public = *made;
	Esys_Free(made);
	Esys_Free(data);
	Esys_Free(hash);
	Esys_Free(ticket);
	return 0;
}

/* The first free persistent handle of our range, so that nothing of others is overwritten. */
static TSS2_RC
persist(struct tpm_esys *t, ESYS_TR object, TPM2_HANDLE wanted, ESYS_TR *persistent, TPM2_HANDLE *at)
{
	TPM2_HANDLE first = wanted ? wanted : AK_HANDLE_FIRST;
	TSS2_RC rc = 0;

	for (TPM2_HANDLE h = first; h < first + (wanted ? 1 : AK_HANDLES); h++) {
		rc = Esys_EvictControl(t->ctx, ESYS_TR_RH_OWNER, object, NOAUTH, h, persistent);
		if (!rc)
			*at = h;
		if ((rc & 0xfff) != TPM2_RC_NV_DEFINED)
			break;
	}
	return rc;
}

enum reason
tpm_create_ak(struct tpm_esys *t, const uint8_t unique[static 32], TPM2_HANDLE wanted, const TPM2B_AUTH *owner,
    TPM2B_PUBLIC *public, TPM2_HANDLE *at)
{
	TPM2B_PUBLIC ecc = ecc_ak(unique), rsa = rsa_ak(unique);
	ESYS_TR object = ESYS_TR_NONE, persistent = ESYS_TR_NONE;
	TSS2_RC rc;

	if (!open_context(t))
		return REASON_TPM_ABSENT;
	rc = create_primary(t, &ecc, &object, public);
	if (from_tpm(rc) && rc)         /* a TPM without P-256 */
		rc = create_primary(t, &rsa, &object, public);
	if (rc)
		return why(t, rc);
	rc = Esys_TR_SetAuth(t->ctx, ESYS_TR_RH_OWNER, owner);
	if (!rc)
		rc = persist(t, object, wanted, &persistent, at);
	Esys_TR_SetAuth(t->ctx, ESYS_TR_RH_OWNER, NULL);
	Esys_FlushContext(t->ctx, object);
	if (!rc)
		t->ak = persistent;
	return why(t, rc);
}

enum reason
tpm_ak_blob(struct tpm_esys *t, uint8_t **blob, size_t *len)
{
	return why(t, Esys_TR_Serialize(t->ctx, t->ak, blob, len));
}

enum reason
tpm_use_ak(struct tpm_esys *t, const uint8_t *blob, size_t len)
{
	ESYS_TR ak;
	TSS2_RC rc;

	if (!open_context(t))
		return REASON_TPM_ABSENT;
	rc = Esys_TR_Deserialize(t->ctx, blob, len, &ak);
	if (rc) {
		t->rc = rc;
		return REASON_TPM_ERROR;
	}
	if (t->ak != ESYS_TR_NONE)
		Esys_TR_Close(t->ctx, &t->ak);
	t->ak = ak;
	return REASON_OK;
}

enum reason
tpm_evict(struct tpm_esys *t, const TPM2B_AUTH *owner)
{
	ESYS_TR gone = ESYS_TR_NONE;
	TSS2_RC rc;

	if (t->ak == ESYS_TR_NONE)
		return REASON_TPM_ERROR;
	rc = Esys_TR_SetAuth(t->ctx, ESYS_TR_RH_OWNER, owner);
	if (!rc)
		rc = Esys_EvictControl(t->ctx, ESYS_TR_RH_OWNER, t->ak, NOAUTH, 0, &gone);
	if (t->ctx)
		Esys_TR_SetAuth(t->ctx, ESYS_TR_RH_OWNER, NULL);
	t->ak = ESYS_TR_NONE;
	return why(t, rc);
}

enum reason
tpm_quote(struct tpm_esys *t, const uint8_t nonce[static 32], const TPML_PCR_SELECTION *pcrs, TPM2B_ATTEST **attest,
    TPMT_SIGNATURE **signature)
{
	static const TPMT_SIG_SCHEME keys_own = { .scheme = TPM2_ALG_NULL };
	TPM2B_DATA data = { .size = 32 };
	unsigned tries = 0;
	TSS2_RC rc;

	if (t->ak == ESYS_TR_NONE || !t->ctx)
		return REASON_TPM_ABSENT;
	memcpy(data.buffer, nonce, 32);
	do
		rc = Esys_Quote(t->ctx, t->ak, NOAUTH, &data, &keys_own, pcrs, attest, signature);
	while (again(rc, &tries));
	if (from_tpm(rc) && wrong_handle(rc)) {
		t->rc = rc;
		return REASON_AK_CHANGED;
	}
	return why(t, rc);
}

/* The PCRs of one bank that are still to be read, less what came, which the TPM says itself. */
static bool
strike_out(TPMS_PCR_SELECTION *left, const TPML_PCR_SELECTION *came)
{
	bool some = false;

	for (uint32_t i = 0; i < came->count; i++)
		for (unsigned k = 0; came->pcrSelections[i].hash == left->hash && k < left->sizeofSelect &&
		    k < came->pcrSelections[i].sizeofSelect; k++) {
			some = some || left->pcrSelect[k] & came->pcrSelections[i].pcrSelect[k];
			left->pcrSelect[k] &= (BYTE)~came->pcrSelections[i].pcrSelect[k];
		}
	return some;
}

static bool
is_empty(const TPMS_PCR_SELECTION *s)
{
	return !(s->pcrSelect[0] | s->pcrSelect[1] | s->pcrSelect[2]);
}

static enum reason
read_some(struct tpm_esys *t, TPMS_PCR_SELECTION *left, uint8_t *out, size_t size, size_t *len)
{
	TPML_PCR_SELECTION ask = { .count = 1, .pcrSelections = { *left } };
	own(esys) TPML_PCR_SELECTION *came = NULL;
	own(esys) TPML_DIGEST *values = NULL;
	unsigned tries = 0;
	UINT32 updates;
	TSS2_RC rc;

	do
		rc = Esys_PCR_Read(t->ctx, NONE3, &ask, &updates, &came, &values);
	while (again(rc, &tries));
	if (rc)
		return why(t, rc);
	for (uint32_t i = 0; i < values->count; i++) {
		if (values->digests[i].size > size - *len)
			return REASON_TPM_ERROR;
		memcpy(out + *len, values->digests[i].buffer, values->digests[i].size);
		*len += values->digests[i].size;
	}
	return strike_out(left, came) ? REASON_OK : REASON_TPM_ERROR;
}

enum reason
tpm_pcrs(struct tpm_esys *t, const TPML_PCR_SELECTION *pcrs, uint8_t *out, size_t size, size_t *len)
{
	enum reason reason = REASON_OK;

	if (!open_context(t))
		return REASON_TPM_ABSENT;
	*len = 0;
	for (uint32_t i = 0; i < pcrs->count; i++) {
		TPMS_PCR_SELECTION left = pcrs->pcrSelections[i];

		while (reason == REASON_OK && !is_empty(&left))
			reason = read_some(t, &left, out, size, len);
	}
	return reason;
}
