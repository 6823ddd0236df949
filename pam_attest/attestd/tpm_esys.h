/*
 * tpm_esys.h - the TPM commands that pam-attest needs, over ESAPI. Runs in the TPM child alone.
 *
 * Every function gives a reason; REASON_OK is success. rc is the TPM's or TSS's code of the last
 * failure, for the log. The context is opened on first use and again after the device was lost.
 */
#ifndef TPM_ESYS_H
#define TPM_ESYS_H
#include <tss2/tss2_esys.h>
#include "reason.h"
#include "tpm_count.h"
#include "tpm_wire.h"

struct tpm_esys {
	const char      *tcti;          /* explicit, never NULL: a default could be anybody's */
	ESYS_CONTEXT    *ctx;
	struct tpm_count count;
	uint64_t         commands;      /* of contexts that are gone */
	ESYS_TR          ak;            /* ESYS_TR_NONE until tpm_use_ak */
	TSS2_RC          rc;
};

uint64_t    tpm_commands(const struct tpm_esys *);
enum reason tpm_banks(struct tpm_esys *, uint32_t *banks);

/* Dictionary-attack lockout: one command, which changes nothing. Seconds for the last two. */
struct tpm_lockout { uint32_t counter, max, interval, recovery; };
enum reason tpm_lockout(struct tpm_esys *, struct tpm_lockout *);

/* An EK: which template, its public area, its certificate from NV and the chain beside it. */
struct tpm_ek {
	const struct ek_kind *kind;
	TPM2B_PUBLIC          public;
	uint8_t               cert[8 << 10];
	size_t                cert_len;
	uint8_t               chain[16 << 10];   /* DER certificates one after another */
	size_t                chain_len;
};
/* The EK whose certificate is there: P-256, then P-384, then RSA-2048. ek-missing when none has one. */
enum reason tpm_read_ek(struct tpm_esys *, struct tpm_ek *);
/* TPM2_ActivateCredential of the AK in use with that EK; both inputs are whole TPM2B structures. */
enum reason tpm_activate(struct tpm_esys *, const uint8_t *credential, size_t credential_len,
    const uint8_t *secret, size_t secret_len, TPM2B_DIGEST *out);

/* Makes the AK, stores it at handle (0: a free one), and takes it into use. */
enum reason tpm_create_ak(struct tpm_esys *, const uint8_t unique[static 32], TPM2_HANDLE handle,
    const TPM2B_AUTH *owner, TPM2B_PUBLIC *public, TPM2_HANDLE *at);
/* The serialised handle that tpm_use_ak takes back without a TPM command. Free *blob. */
enum reason tpm_ak_blob(struct tpm_esys *, uint8_t **blob, size_t *len);
enum reason tpm_use_ak(struct tpm_esys *, const uint8_t *blob, size_t len);
enum reason tpm_evict(struct tpm_esys *, const TPM2B_AUTH *owner);

/* Exactly one TPM command. */
enum reason tpm_quote(struct tpm_esys *, const uint8_t nonce[static 32], const TPML_PCR_SELECTION *,
    TPM2B_ATTEST **, TPMT_SIGNATURE **);

/*
 * Values of these PCRs behind each other, bank by bank, ascending, as a quote hashes them: one command for each
 * eight. They may change between two commands, and before or after a quote.
 */
enum reason tpm_pcrs(struct tpm_esys *, const TPML_PCR_SELECTION *, uint8_t *out, size_t size, size_t *len);
#endif
