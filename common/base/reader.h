/*
 * reader.h - walk untrusted bytes.
 *
 * A reader never leaves its buffer. The first bad read is remembered; every
 * later read gives zero or NULL. So a parser may read a whole record and look
 * once, with rd_ok(), before it believes any of it.
 */
#ifndef READER_H
#define READER_H
#include <stddef.h>
#include <stdint.h>
#include "error.h"

struct reader {
	const uint8_t *pos;
	size_t         left;
	size_t         at;    /* offset of pos in the outermost buffer */
	const char    *bad;   /* name of the field that did not fit, or NULL */
};

struct reader  rd_open(const void *buf, size_t len);
const uint8_t *rd_bytes(struct reader *r, size_t n, const char *field);
struct reader  rd_sub(struct reader *r, size_t n, const char *field);
uint8_t        rd_u8(struct reader *r, const char *field);
uint16_t       rd_le16(struct reader *r, const char *field);
uint32_t       rd_le32(struct reader *r, const char *field);
uint16_t       rd_be16(struct reader *r, const char *field);
uint32_t       rd_be32(struct reader *r, const char *field);
uint64_t       rd_be64(struct reader *r, const char *field);
uint64_t       rd_le64(struct reader *r, const char *field);

/* n bytes copied to out; zeros when they are not there. */
void           rd_copy(struct reader *r, void *out, size_t n, const char *field);

static inline bool rd_more(const struct reader *r) { return !r->bad && r->left; }

bool rd_ok(const struct reader *r, struct error *e) MUST_CHECK;
bool rd_end(const struct reader *r, struct error *e) MUST_CHECK; /* ok and nothing left */
#endif
