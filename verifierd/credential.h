/*
 * credential.h - TPM2_MakeCredential in software (TPM-1, credential protection; FACTS 1.12).
 */
#ifndef CREDENTIAL_H
#define CREDENTIAL_H
#include "api.h"

/*
 * Only a TPM that holds the EK's private part and an object of exactly this Name can give secret
 * back. RSA-2048 (OAEP), P-256 and P-384 (ECDH, KDFe by SSKDF) EKs; KDFa by KBKDF. Fills
 * answer->credential and answer->secret with whole TPM2B structures.
 */
bool credential_make(const struct tpm_public *ek, const struct tpm_name *ak,
    const uint8_t secret[static SECRET_SIZE], struct enroll_answer *, struct error *) MUST_CHECK;
#endif
