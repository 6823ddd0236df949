/* verdict.h - a verdict before its first row, and when a row fails. */
#ifndef VERDICT_H
#define VERDICT_H
#include "appraise.h"

/* AR4SI values (draft-ietf-rats-ar4si, trustworthiness claims); 32 and up warn, 96 and up condemn. */
enum {
	TRUST_GENUINE       = 2,        /* recognised, known, genuine */
	TRUST_APPROVED_BOOT = 3,        /* executables: only approved ones while booting */
	TRUST_UNSAFE_MEMORY = 33,       /* executables: unrecognised ones in memory */
	TRUST_BAD           = 96,
	TRUST_UNRECOGNISED  = 97,       /* hardware, instance: not known although it should be */
	TRUST_CRYPTO_FAILED = 99,
};

/* Not trusted, for no reason yet. */
void verdict_start(struct verdict *);

/* The row that failed: state and reason, the claim that it moves, and a finding to fill in. */
struct finding *verdict_refuse(struct verdict *, enum reason, enum trust_claim, int8_t value);
#endif
