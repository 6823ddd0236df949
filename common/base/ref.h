/*
 * ref.h - references: the eight characters by which people name one refusal; and one-time codes.
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

/* Codes of the same alphabet that are secrets: 130 bits, once typed and once only. */
enum { CODE_CHARS = 26, CODE_TEXT = CODE_CHARS + 1 };
void code_make(const uint8_t random[static CODE_CHARS], char out[static CODE_TEXT]);   /* five bits of each byte */
/* Reads what a person typed or pasted: lower case, dashes and spaces between, O for 0. */
bool code_read(const char *typed, char out[static CODE_TEXT]);
#endif
