/* round.h - one attestation, from reading the boot log to the published verdict. */
#ifndef ROUND_H
#define ROUND_H
#include "agent.h"

/*
 * Takes at most ROUND_MS, or as long as its challenge lives while a long IMA list is on its way. The outcome says what
 * came of it; the record is written in every case.
 */
enum { ROUND_MS = 10 * 1000, QUOTE_MS = 4 * 1000 };
/* whom: asks for a passport as well; NULL: a verdict alone. */
void round_attest(struct agent *, const struct whom *, struct outcome *);

/* Fetches the enrollment again: keys that were rotated, a recovery key. */
bool round_refresh(struct agent *, int64_t deadline, struct error *) MUST_CHECK;

/* The boot id of the running kernel, read anew. */
bool round_boot_id(const struct agent *, char out[static BOOT_ID_TEXT], struct error *) MUST_CHECK;
#endif
