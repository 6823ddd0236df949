/* plain.h - the values of the files that attestd writes for gates: plain text and plain numbers. */
#ifndef PLAIN_H
#define PLAIN_H
#include <stdbool.h>
#include <stdint.h>

#define PLAIN_MAX ((1ULL << 53) - 1)         /* what every reader of JSON holds exactly */

/* Printable ASCII without '=': host names, set labels, references. */
bool plain_text(const char *);
/* Decimal, at most max, no sign and no leading zero: one form for each number. */
bool plain_number(const char *, uint64_t max, uint64_t *out);
#endif
