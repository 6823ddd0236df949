#include <string.h>
#include "packed_text.h"

void
packed_text_put(const char *s, struct writer *w)
{
	size_t n = strlen(s);

	wr_be16(w, (uint16_t)n, "text length");
	wr_bytes(w, s, n, "text");
}

bool
packed_text_take(struct reader *r, char *out, size_t size, struct error *e)
{
	uint16_t n = rd_be16(r, "text length");

	if (!r->bad && n >= size)
		return err_set(e, ERR_LIMIT, "text of %u bytes", n);
	rd_copy(r, out, r->bad ? 0 : n, "text");
	if (!rd_ok(r, e))
		return false;
	out[n] = '\0';
	for (unsigned i = 0; i < n; i++)
		if (out[i] < 0x20 || out[i] > 0x7e)
			return err_set(e, ERR_FORMAT, "text is not printable");
	return true;
}
