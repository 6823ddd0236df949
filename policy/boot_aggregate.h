/* boot_aggregate.h - does an IMA list belong to this boot log? FACTS 5.8. */
#ifndef BOOT_AGGREGATE_H
#define BOOT_AGGREGATE_H
#include "eventlog.h"
#include "ima_template.h"

/* What boot_aggregate is the hash of: PCRs 0 to 7 or 0 to 9 of the bank with the digest's algorithm, with the tails of PCR 5. */
struct boot_aggregate { enum bank bank; unsigned last_pcr; };

/*
 * Entry named boot_aggregate against what the firmware's part of the log gives. ERR_MISMATCH: e says what was expected;
 * ERR_MISSING: the digest is zeros, as without a TPM.
 */
bool boot_aggregate_check(const struct ima_fields *, const struct eventlog *, struct boot_aggregate *, struct error *) MUST_CHECK;
#endif
