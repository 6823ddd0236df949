/* A file of leases as somebody else could have written it. What is taken is written and read as the same. */
#include "lease.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct clock now = { .boot = 1000000, .mono = 1000000, .wall = 1763900000000 };
	char text[LEASE_FILE_MAX], again[LEASE_FILE_MAX];
	struct leases all, same;
	struct error e;
	size_t len, len2;

	if (!leases_parse((const char *)p, n, &all, &e))
		return 0;
	if (!all.count || all.count > LEASES_MAX || !leases_format(&all, text, sizeof(text), &len, &e) ||
	    !leases_parse(text, len, &same, &e) || !leases_format(&same, again, sizeof(again), &len2, &e) || len != len2 ||
	    memcmp(text, again, len) != 0)
		abort();
	for (unsigned i = 0; i < all.count; i++) {
		if (lease_lives(&all.lease[i], &now) && all.lease[i].expires_boot > now.boot + LEASE_LIFETIME_MAX_MS)
			abort();
		if (lease_covers(&all.lease[i], "", "") && (all.lease[i].user[0] || all.lease[i].services[0]))
			abort();
	}
	return 0;
}
