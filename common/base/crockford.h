/* crockford.h - Crockford's base32: bytes as characters that people read out and type (no I, L, O, U). */
#ifndef CROCKFORD_H
#define CROCKFORD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CROCKFORD_CHARS(bytes) (((bytes) * 8 + 4) / 5)

extern const char crockford_alphabet[33];

/* The character that a person meant: upper case, 0 for O, 1 for I and L; NUL for none. */
char crockford_fold(char typed);

/* out: CROCKFORD_CHARS(n) + 1. Bits left over in the last character are 0. */
void crockford_text(const uint8_t *p, size_t n, char *out);

/* Exactly so many characters, folded, become n bytes; dashes and spaces between them are passed over. */
bool crockford_bytes(const char *typed, uint8_t *out, size_t n);
#endif
