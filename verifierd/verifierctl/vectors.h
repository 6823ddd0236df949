/*
 * vectors.h - `policies test`: evidence with the verdict that a policy has to give, kept beside the policy.
 *
 * {"schema":1, "vectors":[{"name":…, "log":FILE, "captured":[FILES], "sets":[FILES], "quote":FILE, "tpm":…, "firmware":…,
 *  "expect":{"state":…, "reasons":[…]}}]}, attest-policy(5). Files are named from the folder of that one. No daemon is asked.
 */
#ifndef VECTORS_H
#define VECTORS_H
#include "policy.h"
#include "verifierctl.h"

/* Prints what came out; EXIT_REFUSED if a vector came out otherwise, or there is none. */
int vectors_run(const struct ctl *, const struct policy *, const char *path);
#endif
