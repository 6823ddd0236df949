/* The body of POST /v1/evidence. What is taken must be written as the same bytes again. */
#include <stdlib.h>
#include <string.h>
#include "evidence.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	own(mem) uint8_t *buf = NULL;
	struct error e;
	struct evidence ev;
	struct writer w;

	if (!evidence_read(p, n, &ev, &e))
		return 0;
	buf = malloc(n);
	w = wr_open(buf, n);
	if (evidence_size(&ev) != n || !evidence_write(&ev, &w, &e) || w.used != n || memcmp(buf, p, n) != 0)
		abort();
	return 0;
}
