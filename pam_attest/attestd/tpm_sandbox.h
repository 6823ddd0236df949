/* tpm_sandbox.h - the TPM child reads libraries, talks to its TPM, and does nothing else. */
#ifndef TPM_SANDBOX_H
#define TPM_SANDBOX_H
#include "error.h"

/* tcti decides: a device needs no socket. A kernel without it is no error: attestd has said so already. */
bool tpm_sandbox_enter(const char *tcti, struct error *) MUST_CHECK;
#endif
