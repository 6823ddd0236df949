/* packed_text.h - printable ASCII behind a u16 length, in the packed forms of findings, verdicts and sets. */
#ifndef PACKED_TEXT_H
#define PACKED_TEXT_H
#include "reader.h"
#include "writer.h"

void packed_text_put(const char *, struct writer *);
/* out ends in a NUL; ERR_LIMIT when it does not fit, ERR_FORMAT when a byte is not printable. */
bool packed_text_take(struct reader *, char *out, size_t size, struct error *) MUST_CHECK;
#endif
