/* group(5) and passwd(5), as lint reads them: the part behind the first NUL is the second file. */
#include <stdint.h>
#include "groups.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *nul = memchr(p, '\0', n);
	size_t first = nul ? (size_t)(nul - p) : n;
	struct group_facts g;

	if (group_parse((const char *)p, first, (const char *)p + first + (nul != NULL), n - first - (nul != NULL), "g", &g) &&
	    !g.there && (g.members || g.ordinary))
		abort();
	return 0;
}
