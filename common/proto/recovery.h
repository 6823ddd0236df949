/*
 * recovery.h - recovery codes: a lease that reaches a host without a network, as 26 characters that somebody types.
 *
 * attest-protocol(7). 16 bytes in Crockford's base32: sequence (3, big-endian), hours (1), flags (1), and the first 11
 * of HMAC-SHA-256 over the five and the host's id, under the key that the host was given at activation.
 */
#ifndef RECOVERY_H
#define RECOVERY_H
#include "digest.h"
#include "ref.h"

enum {
	RECOVERY_KEY_SIZE     = 32,
	RECOVERY_CODE_BYTES   = 16,
	RECOVERY_CODE_TEXT    = 27,             /* with its NUL */
	RECOVERY_SEQUENCE_MAX = (1 << 24) - 1,
	RECOVERY_HOURS_MAX    = 24,
};

struct recovery {
	uint32_t sequence;                      /* from 1; a host takes one higher than the last alone */
	unsigned hours;                         /* 1 to RECOVERY_HOURS_MAX, from when it is typed */
	bool     overrules;                     /* a refusal */
	char     id[REF_TEXT];                  /* of the lease: both sides derive it from the code */
};

/* Makes the code of q, and fills in its id. */
bool recovery_code(const uint8_t key[static RECOVERY_KEY_SIZE], const char *host_id, struct recovery *q,
    char out[static RECOVERY_CODE_TEXT], struct error *) MUST_CHECK;

/* What somebody typed. ERR_FORMAT: it can be no code; ERR_REFUSED: it is none of this host's. */
bool recovery_read(const uint8_t key[static RECOVERY_KEY_SIZE], const char *host_id, const char *typed, struct recovery *,
    struct error *) MUST_CHECK;
#endif
