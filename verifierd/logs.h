/*
 * logs.h - boot logs as files named by their SHA-256, in state_dir/logs, which is one folder: a file can take
 * the place of another there.
 *
 * Without fsync: a log that a power cut took is asked for again, and its name says whether it is
 * whole. Which host has sent which log is in the store.
 */
#ifndef LOGS_H
#define LOGS_H
#include "digest.h"

/* old: NULL, or the digest of a log that nobody needs any more. It goes; as a rule its file becomes the new one. */
bool logs_keep(const char *state_dir, const uint8_t digest[static SHA256_SIZE], const void *p, size_t len,
    const uint8_t *old, struct error *) MUST_CHECK;
/* Free *buf. ERR_MISSING also when the file is not what its name says (it is removed then). */
bool logs_load(const char *state_dir, const uint8_t digest[static SHA256_SIZE], uint8_t **buf, size_t *len,
    struct error *) MUST_CHECK;
bool logs_there(const char *state_dir, const uint8_t digest[static SHA256_SIZE]);
void logs_drop(const char *state_dir, const uint8_t digest[static SHA256_SIZE]);
#endif
