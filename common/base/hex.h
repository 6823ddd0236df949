/* hex.h - bytes as hexadecimal text and back. */
#ifndef HEX_H
#define HEX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void hex_text(const void *p, size_t n, char *out);            /* out: 2 n + 1 bytes, lower case */

/* Exactly 2 n hex digits and nothing else become n bytes; else false. */
bool hex_bytes(const char *text, uint8_t *out, size_t n);
#endif
