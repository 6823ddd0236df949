/*
 * composite.h - the digest of a quote as a function of the PCRs that IMA extends, all others being as the boot log says.
 *
 * Tried once an entry: the other PCRs' values lie ready, for every set of tails that may be missing.
 */
#ifndef COMPOSITE_H
#define COMPOSITE_H
#include "check_ima.h"

struct composite {
	struct replay boot;
	const struct quote *quote;
	enum bank     scheme;
	unsigned      nsets;
	struct tails  set[TAILS_SETS_MAX];
	size_t        size;             /* of the values of one set */
	uint8_t      *values;           /* nsets times */
	uint8_t       banks;            /* bit = bank in which the quote covers PCRs of IMA; of others nothing is learned */
	unsigned      nslots;           /* where the PCRs of IMA stand among them */
	struct { enum bank bank; unsigned index; size_t at; } slot[TPM_SELECTIONS_MAX * IMA_PCRS_MAX];
};

/* pcrs: those of IMA. */
bool composite_open(struct composite *, const struct replay *boot, const struct quote *, enum bank scheme, uint32_t pcrs,
    struct error *) MUST_CHECK;
void composite_free(struct composite *);

/* *yes: with one of the position's ways in each bank, and one set of tails, it is the quoted digest; only those ways are left then. */
bool composite_matches(struct composite *, struct hashers *, struct ima_position *, struct tails *, bool *yes, uint64_t *work,
    struct error *) MUST_CHECK;

/* All PCRs, when it matched. False only if libcrypto fails. */
bool composite_values(const struct composite *, uint32_t pcrs, const struct ima_position *, const struct tails *,
    struct replay *) MUST_CHECK;
#endif
