/* state_dir/rescue. */
#include <string.h>
#include "rescue.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rescue r;
	struct error e;

	if (!rescue_parse((const char *)p, n, &r, &e))
		return 0;
	if (r.n > RESCUE_MAX)
		abort();
	for (unsigned i = 0; i < r.n; i++)
		if (!rescue_user_ok(r.proof[i].user) || r.proof[i].route >= ROUTE_COUNT || r.proof[i].how >= HOW_COUNT)
			abort();
	return 0;
}
