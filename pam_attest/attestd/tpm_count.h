/* tpm_count.h - a TCTI around another one that counts the commands which go to the TPM. */
#ifndef TPM_COUNT_H
#define TPM_COUNT_H
#include <stdint.h>
#include <tss2/tss2_tcti.h>

/* Takes inner, which is finalized with the wrapper. Not to be moved while in use. */
struct tpm_count {
	TSS2_TCTI_CONTEXT_COMMON_V2 common;
	TSS2_TCTI_CONTEXT *inner;
	uint64_t           commands;
};
TSS2_TCTI_CONTEXT *tpm_count_wrap(struct tpm_count *, TSS2_TCTI_CONTEXT *inner);
#endif
