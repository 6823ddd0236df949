/*
 * soft_ima.h - an IMA list as a kernel writes it, entry by entry, and what its PCR 10 (SHA-256) holds.
 *
 * As in soft_host.h, what cannot fail aborts: benchmarks and tools use it as well.
 */
#ifndef SOFT_IMA_H
#define SOFT_IMA_H
#include "digest.h"

struct soft_ima {
	uint8_t *buf;
	size_t   len, size;
	unsigned entries;
	size_t  *offset;                /* of each entry, and of the end */
	uint8_t (*hash)[SHA256_SIZE];   /* template hash of each, as extended into the SHA-256 bank */
};
void soft_ima_free(struct soft_ima *);
/* The first entry: over PCR 0 to 9 of this boot log. */
void soft_ima_aggregate(struct soft_ima *, const uint8_t *boot_log, size_t len);
/* An entry ima-ng whose file has the digest that soft_ima_digest() gives for these words. */
void soft_ima_file(struct soft_ima *, const char *path, const char *content);
void soft_ima_digest(const char *content, uint8_t out[static SHA256_SIZE]);
void soft_ima_violation(struct soft_ima *, const char *path);
/* PCR 10 behind the first n entries. */
void soft_ima_value(const struct soft_ima *, unsigned n, uint8_t out[static SHA256_SIZE]);
#endif
