#include <string.h>
#include "parts.h"

size_t
part_begin(struct writer *w, const char *field)
{
	wr_be32(w, 0, field);
	return w->used;
}

void
part_end(struct writer *w, size_t mark, const char *field)
{
	struct writer length;

	if (w->bad)
		return;
	length = wr_open(w->buf + mark - 4, 4);
	wr_be32(&length, (uint32_t)(w->used - mark), field);
}

void
part_put(struct writer *w, const void *p, size_t n, const char *field)
{
	wr_be32(w, (uint32_t)n, field);
	wr_bytes(w, p, n, field);
}

struct reader
part_take(struct reader *r, const char *field)
{
	size_t n = rd_be32(r, field);

	return rd_sub(r, n, field);
}

void
part_text(struct reader *r, char *out, size_t size, const char *field)
{
	struct reader part = part_take(r, field);
	size_t n = part.left < size ? part.left : size - 1;

	if (n)
		memcpy(out, part.pos, n);
	out[n] = '\0';
}
