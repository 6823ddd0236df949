/* verdict.h - a verdict before its first row, and when a row fails. */
#ifndef VERDICT_H
#define VERDICT_H
#include "appraise.h"

/* AR4SI values (draft-ietf-rats-ar4si, trustworthiness claims); 32 and up warn, 96 and up condemn. */
enum {
	TRUST_GENUINE       = 2,        /* recognised, known, genuine */
	TRUST_APPROVED_RUN  = 2,        /* executables: only approved ones, while booting and since */
	TRUST_APPROVED_BOOT = 3,        /* executables: only approved ones while booting */
	TRUST_WAIVED        = 31,       /* not appraised, and let in by what an approver said of this host; no value of AR4SI's own */
	TRUST_UNSAFE_MEMORY = 33,       /* executables: unrecognised ones in memory */
	TRUST_BAD           = 96,
	TRUST_UNRECOGNISED  = 97,       /* hardware, instance: not known although it should be */
	TRUST_CRYPTO_FAILED = 99,
};

/* Not trusted, for no reason yet. */
void verdict_start(struct verdict *);

/* The row that failed: state and reason, and a finding to fill in. The claim counts where claims.h leaves it to the finding. */
struct finding *verdict_refuse(struct verdict *, enum reason, enum trust_claim);

/*
 * The PCR values that the host sent beside, if they hash to what was quoted; then the verdict keeps them, so that they
 * can become a set. False, with why in e, when there are none, or others.
 */
struct pcr_values;
bool verdict_values(struct verdict *, const struct boot_evidence *, const struct quote *, enum bank scheme,
    struct pcr_values *, struct error *) MUST_CHECK;

/*
 * Does the log give what was quoted, if need be with constant tails? Those are said as findings.
 * Fills v->pcrs; when the answer is no and the host gave its PCR values, e names those that differ.
 */
bool check_replay(const struct boot_evidence *, const struct quote *, enum bank scheme, struct verdict *v,
    struct error *) MUST_CHECK;

/* The same of the answer to an IMA walk, which has looked for the quoted values with the entries of the list. */
bool check_replay_with_ima(const struct ima_answer *, const struct quote *, struct verdict *) MUST_CHECK;

/*
 * PCR values that hash to the quote, as the boot beside which check_ima() walks a list; those of IMA itself are left out.
 * False when none came, or others.
 */
bool values_as_boot(const struct boot_evidence *, const struct quote *, enum bank scheme, uint32_t ima_pcrs, struct replay *);
#endif
