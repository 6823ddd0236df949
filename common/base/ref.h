/*
 * ref.h - references: the eight characters by which people name one refusal.
 *
 * Crockford base32 (no I, L, O, U), written "7F3K-21QX". "L-7F3K-21QX" is one that this host
 * made itself because no verifier spoke.
 */
#ifndef REF_H
#define REF_H
#include <stdbool.h>
#include <stdint.h>

enum { REF_TEXT = 12 };                     /* "L-7F3K-21QX" and its NUL */

void ref_make(uint64_t random, bool local, char out[static REF_TEXT]);  /* uses 40 bits */

/* Reads what a person typed (lower case, no dash, O for 0); false if it can be no reference. */
bool ref_read(const char *typed, char out[static REF_TEXT]);
#endif
