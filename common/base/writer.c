#include <string.h>
#include "writer.h"

struct writer
wr_open(void *buf, size_t size)
{
	return (struct writer){ .buf = buf, .size = size };
}

void
wr_bytes(struct writer *w, const void *p, size_t n, const char *field)
{
	if (w->bad)
		return;
	if (n > w->size - w->used) {
		w->bad = field;
		return;
	}
	if (n)
		memcpy(w->buf + w->used, p, n);
	w->used += n;
}

static void
wr_int(struct writer *w, uint64_t v, unsigned size, const char *field)
{
	uint8_t b[8];

	for (unsigned i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> 8 * (size - 1 - i));
	wr_bytes(w, b, size, field);
}

void wr_u8(struct writer *w, uint8_t v, const char *f)    { wr_int(w, v, 1, f); }
void wr_be16(struct writer *w, uint16_t v, const char *f) { wr_int(w, v, 2, f); }
void wr_be32(struct writer *w, uint32_t v, const char *f) { wr_int(w, v, 4, f); }
void wr_be64(struct writer *w, uint64_t v, const char *f) { wr_int(w, v, 8, f); }

bool
wr_ok(const struct writer *w, struct error *e)
{
	return !w->bad || err_set(e, ERR_LIMIT, "%s: does not fit into %zu bytes", w->bad, w->size);
}
