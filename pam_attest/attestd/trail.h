/*
 * trail.h - one record of the kernel's audit trail a decision: AUDIT_TRUSTED_APP, op=attest.
 *
 * libpam writes USER_ACCT for the program that asks; this has the verdict behind it. Needs CAP_AUDIT_WRITE, which attestd
 * keeps where it was given. What fails is counted, and nothing else.
 */
#ifndef TRAIL_H
#define TRAIL_H
#include "decisions.h"

enum { TRAIL_TEXT = 512 };
struct trail { int fd; uint64_t failed; };   /* fd -1: no audit here, or no right to it */
void trail_open(struct trail *);
void trail_add(struct trail *, const struct decision *);
/* "op=attest decision=refused service=sshd acct="kim" …": words are clean (decisions.h). */
void trail_text(const struct decision *, char out[static TRAIL_TEXT]);
#endif
