/*
 * parts.h - messages that are made of several things: each behind its u32 length, so that what
 * one reader takes can never run into the next.
 */
#ifndef PARTS_H
#define PARTS_H
#include "reader.h"
#include "writer.h"

/* Everything written between begin and end is one part. */
size_t part_begin(struct writer *, const char *field);
void   part_end(struct writer *, size_t mark, const char *field);
void   part_put(struct writer *, const void *p, size_t n, const char *field);

/* The next part, with offsets of its own. */
struct reader part_take(struct reader *, const char *field);

/* As text of at most size - 1 bytes, cut when longer; a NUL inside ends it. */
void   part_text(struct reader *, char *out, size_t size, const char *field);
#endif
