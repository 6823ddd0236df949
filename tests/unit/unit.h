/* unit.h - what every check_x.c has: the runner, bytes from hex, files, exact-size copies. */
#ifndef UNIT_H
#define UNIT_H
#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "scope.h"

/* Runs one suite and prints Check's closing line; the result is main's. */
int unit_run(const char *suite, void (*add)(TCase *));

/* Hex text (white space allowed) into buf; the number of bytes. Aborts on anything else. */
size_t unhex(const char *hex, uint8_t *buf, size_t size);

/* A whole file, or NULL if there is none; free it. Relative names are below top_srcdir. */
uint8_t *unit_file(const char *path, size_t *len);

/* The folder of recorded samples, or NULL (say that you skip, and why). */
const char *unit_corpus(void);

/* Calls fn with every proper prefix of buf, each in a block of exactly its size, so that ASan sees one byte too far. */
void unit_prefixes(const uint8_t *buf, size_t len, void (*fn)(const uint8_t *, size_t, void *), void *arg);
#endif
