/*
 * The source `lease`: what an administrator permits for a while, as attestd has verified and published it. One file
 * is read, by the record's rules; whether it beats a verdict against this host is gate.c's to decide.
 */
#include <stdio.h>
#include <string.h>
#include "file.h"
#include "lease.h"
#include "sources.h"

static bool
read_leases(struct facts *f, struct leases *all)
{
	char path[GATE_PATH_MAX + 16], text[LEASE_FILE_MAX];
	struct error e;
	size_t len;

	snprintf(path, sizeof(path), "%s/lease", f->conf->run_dir);
	if (file_read_trusted(path, f->owner, text, sizeof(text), &len, &e) && leases_parse(text, len, all, &e))
		return true;
	if (e.code != ERR_MISSING)
		f->detail = e;
	return false;
}

void
ask_lease(struct facts *f, struct answer *a)
{
	const struct lease *found = NULL;
	struct leases all;

	if (!read_leases(f, &all) || !f->boot_id[0] || strcmp(all.boot_id, f->boot_id) != 0)
		return;
	for (unsigned i = 0; i < all.count; i++) {
		const struct lease *l = &all.lease[i];

		/* Of several the one that says more. */
		if (lease_lives(l, &f->now) && lease_covers(l, f->conf->service, f->request->user) && (!found || l->overrules))
			found = l;
	}
	if (!found)
		return;
	answer_say(a, REASON_LEASE, found->id, f->now.boot - found->issued_boot);
	a->leased = true;
	a->overrules = found->overrules;
}
