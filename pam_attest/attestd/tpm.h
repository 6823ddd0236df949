/*
 * tpm.h - the TPM as attestd sees it: a child process that is asked and may not answer.
 *
 * Belongs to one thread. Every call has a deadline. A child that misses it is killed; until the
 * kernel has let it go (a command in the TPM driver can hold it for 120 s) every call answers
 * tpm-busy at once, and only then a new one is started.
 */
#ifndef TPM_H
#define TPM_H
#include "api.h"
#include "tpm_wire.h"

struct tpm {
	char     program[256];          /* attestd-tpm */
	char     tcti[256];             /* "" on a gateway without TPM: everything is tpm-absent */
	bool     sandbox;
	int      fd, pidfd;             /* -1 without a child */
	int      pid;
	bool     dying;
	uint64_t commands;              /* that went to the TPM, over all children */
	uint64_t child_commands;
	uint8_t  ak[AK_BLOB_MAX];       /* to give to a new child */
	size_t   ak_len;
	bool     ak_given;
	uint8_t  reply[TPM_WIRE_MAX];   /* of the child, being read */
};
void tpm_open(struct tpm *, const char *program, const char *tcti, bool sandbox);
void tpm_close(struct tpm *);
void tpm_set_ak(struct tpm *, const void *blob, size_t len);

/* All give REASON_OK, or why not with a sentence in e. deadline: ms of CLOCK_MONOTONIC. */
struct tpm_quoted { uint8_t attest[TPM_ATTEST_MAX], signature[TPM_SIGNATURE_MAX]; size_t attest_len, signature_len; };
enum reason tpm_ask_quote(struct tpm *, const uint8_t nonce[static 32], const struct selection *, int64_t deadline,
    struct tpm_quoted *, struct error *);
/* Their values, in the order in which a quote hashes them. */
enum reason tpm_ask_pcrs(struct tpm *, const struct selection *, int64_t deadline, uint8_t out[static PCRS_READ_MAX], size_t *len,
    struct error *);
enum reason tpm_ask_banks(struct tpm *, int64_t deadline, uint32_t *, struct error *);
/* Dictionary-attack lockout; seconds for the last two. */
struct lockout { uint32_t counter, max, interval, recovery; };
enum reason tpm_ask_lockout(struct tpm *, int64_t deadline, struct lockout *, struct error *);
/* Fills the EK members of the request. */
enum reason tpm_ask_ek(struct tpm *, int64_t deadline, struct enroll_request *, struct error *);
struct tpm_ak { uint8_t blob[AK_BLOB_MAX], public[TPM_PUBLIC_MAX]; size_t blob_len, public_len; uint32_t handle; };
enum reason tpm_ask_create_ak(struct tpm *, uint32_t handle, const char *owner_auth, int64_t deadline, struct tpm_ak *,
    struct error *);
enum reason tpm_ask_evict(struct tpm *, const void *blob, size_t len, const char *owner_auth, int64_t deadline,
    struct error *);
enum reason tpm_ask_activate(struct tpm *, const struct enroll_answer *, int64_t deadline,
    uint8_t secret[static SECRET_SIZE], struct error *);
#endif
