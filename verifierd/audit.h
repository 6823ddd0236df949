/*
 * audit.h - the trail of administrative changes: each row carries the hash of the one before.
 *
 * hash = SHA-256("pam-attest audit 1", number, at, who, action, subject, why, before, after,
 * previous), each behind its u32 big-endian length. The first row's previous is 32 zeros.
 */
#ifndef AUDIT_H
#define AUDIT_H
#include "store.h"

/* In the transaction of the change it tells of. number, previous and hash are filled in here. */
bool audit_add(struct store *, struct audit_row *, struct error *) MUST_CHECK;

/* Rows so far: as long as there is none more, no administrator has changed anything. */
bool audit_count(struct store *, int64_t *count, struct error *) MUST_CHECK;

/* Does this row follow from that one (NULL: is it the first) and hash to what it says? */
bool audit_follows(const struct audit_row *, const struct audit_row *previous);
#endif
