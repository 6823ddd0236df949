/*
 * memo.h - parsed logs, kept by the SHA-256 of the log, so that a log is parsed once and not at
 * every attestation. No verdict is kept: quote, replay, sets and policy are judged each time. Nothing
 * enters before signature and replay held; gone with the process, and so never older than the parser
 * that made it.
 */
#ifndef MEMO_H
#define MEMO_H
#include "digest.h"

struct memo;
struct memo *memo_new(void);                        /* NULL: out of memory; every verb takes that */
void memo_free(struct memo *);
/* Borrowed until the next memo_put; NULL when it is not there. *log_len: of the log itself. */
const uint8_t *memo_get(struct memo *, const uint8_t log[static SHA256_SIZE], size_t *len, size_t *log_len);
/* In the place of what is kept for that log, if anything is. */
void memo_put(struct memo *, const uint8_t log[static SHA256_SIZE], size_t log_len, const void *p, size_t len);
void memo_drop(struct memo *, const uint8_t log[static SHA256_SIZE]);
#endif
