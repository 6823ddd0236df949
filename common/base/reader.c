#include <string.h>
#include "reader.h"

struct reader
rd_open(const void *buf, size_t len)
{
	return (struct reader){ .pos = buf, .left = len };
}

const uint8_t *
rd_bytes(struct reader *r, size_t n, const char *field)
{
	const uint8_t *here = r->pos;

	if (r->bad)
		return NULL;
	if (n > r->left) {
		r->bad = field;
		return NULL;
	}
	r->pos += n;
	r->left -= n;
	r->at += n;
	return here;
}

struct reader
rd_sub(struct reader *r, size_t n, const char *field)
{
	size_t at = r->at;
	const uint8_t *p = rd_bytes(r, n, field);

	return (struct reader){ .pos = p, .left = p ? n : 0, .at = at, .bad = r->bad };
}

/* Inlined into each of its callers, whose size is known there: a loop over bytes becomes one load. */
static inline __attribute__((always_inline)) uint64_t
rd_int(struct reader *r, unsigned size, bool big, const char *field)
{
	const uint8_t *p = rd_bytes(r, size, field);
	uint64_t v = 0;

	for (unsigned i = 0; p && i < size; i++)
		v |= (uint64_t)p[i] << 8 * (big ? size - 1 - i : i);
	return v;
}

uint8_t  rd_u8(struct reader *r, const char *f)   { return (uint8_t)rd_int(r, 1, false, f); }
uint16_t rd_le16(struct reader *r, const char *f) { return (uint16_t)rd_int(r, 2, false, f); }
uint16_t rd_be16(struct reader *r, const char *f) { return (uint16_t)rd_int(r, 2, true, f); }
uint32_t rd_le32(struct reader *r, const char *f) { return (uint32_t)rd_int(r, 4, false, f); }
uint32_t rd_be32(struct reader *r, const char *f) { return (uint32_t)rd_int(r, 4, true, f); }
uint64_t rd_le64(struct reader *r, const char *f) { return rd_int(r, 8, false, f); }
uint64_t rd_be64(struct reader *r, const char *f) { return rd_int(r, 8, true, f); }

void
rd_copy(struct reader *r, void *out, size_t n, const char *field)
{
	const uint8_t *p = rd_bytes(r, n, field);

	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

bool
rd_ok(const struct reader *r, struct error *e)
{
	return !r->bad || err_set(e, ERR_FORMAT, "%s: does not fit, %zu bytes left at offset %zu",
	    r->bad, r->left, r->at);
}

bool
rd_end(const struct reader *r, struct error *e)
{
	if (!rd_ok(r, e))
		return false;
	return !r->left || err_set(e, ERR_FORMAT, "%zu stray bytes at offset %zu",
	    r->left, r->at);
}
