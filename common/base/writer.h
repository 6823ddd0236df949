/*
 * writer.h - put bytes into a buffer of the caller's, never past its end.
 *
 * The counterpart of reader.h: the first write that does not fit is remembered and all later
 * ones do nothing, so that a message is written field by field and looked at once.
 */
#ifndef WRITER_H
#define WRITER_H
#include <stddef.h>
#include <stdint.h>
#include "error.h"

struct writer {
	uint8_t    *buf;
	size_t      size;    /* of buf */
	size_t      used;
	const char *bad;     /* name of the field that did not fit, or NULL */
};

struct writer wr_open(void *buf, size_t size);
void wr_bytes(struct writer *w, const void *p, size_t n, const char *field);
void wr_u8(struct writer *w, uint8_t v, const char *field);
void wr_be16(struct writer *w, uint16_t v, const char *field);
void wr_be32(struct writer *w, uint32_t v, const char *field);
void wr_be64(struct writer *w, uint64_t v, const char *field);

bool wr_ok(const struct writer *w, struct error *e) MUST_CHECK;  /* ERR_LIMIT: names the field */
#endif
