/*
 * claims.h - what each finding does to a result's trustworthiness vector, in one table (AR4SI; FACTS
 * "Suggested mapping for this project").
 *
 * A verdict that refuses or warns has in each claim the worst that its findings say, so no row and no
 * rule sets a claim by itself. Only a verdict in which every row held sets the good ones.
 */
#ifndef CLAIMS_H
#define CLAIMS_H
#include "verdict.h"

/*
 * X(NAME, claim, value). FOUND: the claim that the finding names, for it may be about any part of the
 * boot; of hardware then TRUST_UNRECOGNISED.
 */
#define CLAIM_MOVES(X) \
	/* the quote and its key */ \
	X(QUOTE_MALFORMED,    INSTANCE_IDENTITY, TRUST_CRYPTO_FAILED) \
	X(QUOTE_MAGIC,        INSTANCE_IDENTITY, TRUST_CRYPTO_FAILED) \
	X(QUOTE_TYPE,         INSTANCE_IDENTITY, TRUST_CRYPTO_FAILED) \
	X(AK_UNKNOWN,         INSTANCE_IDENTITY, TRUST_UNRECOGNISED) \
	X(HOST_REVOKED,       INSTANCE_IDENTITY, TRUST_BAD) \
	X(QUOTE_SIGNATURE,    INSTANCE_IDENTITY, TRUST_CRYPTO_FAILED) \
	X(SIGNER_DIFFERS,     INSTANCE_IDENTITY, TRUST_CRYPTO_FAILED) \
	X(CONTEXT_DIFFERS,    INSTANCE_IDENTITY, TRUST_CRYPTO_FAILED) \
	X(CHALLENGE_USED,     INSTANCE_IDENTITY, TRUST_CRYPTO_FAILED) \
	X(SELECTION_DIFFERS,  FOUND,             TRUST_CRYPTO_FAILED) \
	X(CLOCK_BACKWARDS,    INSTANCE_IDENTITY, TRUST_BAD) \
	X(AK_CLONED,          INSTANCE_IDENTITY, TRUST_BAD) \
	/* the logs */ \
	X(EVENTLOG_MISSING,   EXECUTABLES,       TRUST_BAD) \
	X(EVENTLOG_MALFORMED, EXECUTABLES,       TRUST_BAD) \
	X(EVENTLOG_MISMATCH,  EXECUTABLES,       TRUST_CRYPTO_FAILED) \
	X(EVIDENCE_LOST,      EXECUTABLES,       TRUST_BAD) \
	X(PCRS_UNPROVEN,      EXECUTABLES,       TRUST_BAD) \
	X(IMA_MISSING,        EXECUTABLES,       TRUST_BAD) \
	X(IMA_MALFORMED,      EXECUTABLES,       TRUST_BAD) \
	X(IMA_MISMATCH,       EXECUTABLES,       TRUST_CRYPTO_FAILED) \
	X(BOOT_AGGREGATE,     EXECUTABLES,       TRUST_BAD) \
	X(IMA_UNKNOWN_FILE,   EXECUTABLES,       TRUST_BAD) \
	X(IMA_UNSIGNED,       EXECUTABLES,       TRUST_BAD) \
	X(IMA_SIGNATURE,      EXECUTABLES,       TRUST_BAD) \
	X(IMA_VIOLATION,      EXECUTABLES,       TRUST_BAD) \
	X(IMA_UNSTEADY,       EXECUTABLES,       TRUST_UNSAFE_MEMORY) \
	/* references */ \
	X(NO_REFERENCE,       EXECUTABLES,       TRUST_BAD) \
	X(PENDING_APPROVAL,   EXECUTABLES,       TRUST_BAD) \
	X(REFERENCE_REVOKED,  EXECUTABLES,       TRUST_BAD) \
	X(FIRMWARE_CHANGED,   HARDWARE,          TRUST_UNRECOGNISED) \
	X(SECUREBOOT_CHANGED, CONFIGURATION,     TRUST_BAD) \
	X(BOOTLOADER_CHANGED, EXECUTABLES,       TRUST_BAD) \
	X(KERNEL_CHANGED,     EXECUTABLES,       TRUST_BAD) \
	X(CMDLINE_CHANGED,    CONFIGURATION,     TRUST_BAD) \
	X(BOOT_CHANGED,       EXECUTABLES,       TRUST_BAD) \
	X(EVENT_MISSING,      FOUND,             TRUST_BAD) \
	X(EVENT_UNEXPECTED,   FOUND,             TRUST_BAD) \
	/* rules */ \
	X(PCR_VALUE,          FOUND,             TRUST_BAD) \
	X(SECUREBOOT_OFF,     CONFIGURATION,     TRUST_BAD) \
	X(SECUREBOOT_KEY,     CONFIGURATION,     TRUST_BAD) \
	X(DBX_TOO_OLD,        CONFIGURATION,     TRUST_BAD) \
	X(SBAT_TOO_OLD,       CONFIGURATION,     TRUST_BAD) \
	X(CMDLINE_FORBIDDEN,  CONFIGURATION,     TRUST_BAD) \
	X(CMDLINE_UNKNOWN,    CONFIGURATION,     TRUST_BAD) \
	X(LOADER_COMMAND,     EXECUTABLES,       TRUST_BAD) \
	X(TEXT_UNBOUND,       CONFIGURATION,     TRUST_BAD) \
	X(DRIVER_UNKNOWN,     EXECUTABLES,       TRUST_BAD) \
	X(OPTION_ROM_UNKNOWN, EXECUTABLES,       TRUST_BAD) \
	X(TPM_VENDOR,         HARDWARE,          TRUST_UNRECOGNISED) \
	X(TPM_FIRMWARE_OLD,   HARDWARE,          TRUST_BAD) \
	X(TPM_VULNERABLE,     HARDWARE,          TRUST_BAD) \
	X(TPM_SIMULATOR,      HARDWARE,          TRUST_UNRECOGNISED) \
	X(LOCKDOWN_MISSING,   CONFIGURATION,     TRUST_BAD) \
	X(POLICY_FAILED,      FOUND,             TRUST_BAD) \
	/* warnings */ \
	X(KEXEC,              EXECUTABLES,       TRUST_UNSAFE_MEMORY)

/* What a finding with this code moves; false: nothing, as it says nothing of the machine. */
bool claim_move(const struct finding *, enum trust_claim *, int8_t *value);

/* Adds to the vector what the findings say, the worst in each claim; and names in each the claim that it moves. */
void claims_derive(struct verdict *);
#endif
