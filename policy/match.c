#include <stdlib.h>
#include <string.h>
#include "match.h"

enum { PCR_SHARED = 4, NO_FIT = -1 };

void
measured_free(struct measured *m)
{
	free(m->event);
	*m = (struct measured){ 0 };
}

bool
measured_open(const struct eventlog *log, enum bank bank, uint32_t pcrs, struct measured *out,
    struct error *e)
{
	struct measured m = { .bank = bank, .pcrs = pcrs };
	unsigned at[PCR_COUNT];

	for (unsigned i = 0; i < log->count; i++)
		if (event_counts(&log->event[i], bank, pcrs))
			m.count[log->event[i].pcr]++;
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
		m.first[pcr] = at[pcr] = m.total;
		m.total += m.count[pcr];
	}
	m.event = calloc(m.total + 1, sizeof(struct event *));
	if (!m.event)
		return err_set(e, ERR_MEMORY, "%u events", m.total);
	for (unsigned i = 0; i < log->count; i++)
		if (event_counts(&log->event[i], bank, pcrs))
			m.event[at[log->event[i].pcr]++] = &log->event[i];
	*out = m;
	return true;
}

static bool
same(const struct measured *m, unsigned pcr, unsigned i, const struct set_entry *entry)
{
	return i < m->count[pcr] && !memcmp(m->event[m->first[pcr] + i]->digest[m->bank], entry->digest,
	    bank_size(m->bank));
}

/* How many entries the set has for PCR 4 in this component. */
static unsigned
shared_entries(const struct reference_set *set, enum component c, uint32_t pcrs)
{
	unsigned n = 0;

	for (unsigned i = 0; i < set->count; i++)
		n += set->entry[i].component == c && set->entry[i].pcr == PCR_SHARED &&
		    pcrs & 1u << PCR_SHARED;
	return n;
}

/*
 * Does this component of this set stand in the log, whole and alone in its PCRs? How much of PCR 4
 * it explains (from the front for the loader, from the end for the boot entry), or NO_FIT.
 *
 * What was captured from another machine says nothing about HOST entries: it can neither meet nor
 * waive them, so such a boot entry fits its own host alone.
 */
static int
component_fits(const struct measured *m, const struct known_set *known, enum component c)
{
	const struct reference_set *set = &known->set;
	uint32_t pcrs = component_pcrs(c) & m->pcrs;
	unsigned next[PCR_COUNT] = { 0 };
	unsigned shared = shared_entries(set, c, pcrs);

	if (set->bank != m->bank || pcrs & ~set->pcrs || shared > m->count[PCR_SHARED])
		return NO_FIT;
	if (c == COMPONENT_BOOT_ENTRY)
		next[PCR_SHARED] = m->count[PCR_SHARED] - shared;
	for (unsigned i = 0; i < set->count; i++) {
		const struct set_entry *entry = &set->entry[i];

		if (entry->component != c || !(pcrs & 1u << entry->pcr))
			continue;
		if (entry->scope == SCOPE_HOST && !known->own_host)
			return NO_FIT;
		if (!same(m, entry->pcr, next[entry->pcr]++, entry))
			return NO_FIT;
	}
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (pcrs & 1u << pcr && pcr != PCR_SHARED && next[pcr] != m->count[pcr])
			return NO_FIT;
	return (int)shared;
}

/* A loader and a boot entry that together explain all of PCR 4; of one set where there is one. */
static void
match_shared(const struct measured *m, const int (*fits)[SETS_MAX], unsigned nsets, struct match *out)
{
	const int *loader = fits[COMPONENT_LOADER], *entry = fits[COMPONENT_BOOT_ENTRY];
	int want = m->pcrs & 1u << PCR_SHARED ? (int)m->count[PCR_SHARED] : 0;
	bool found = false;

	out->set[COMPONENT_LOADER] = out->set[COMPONENT_BOOT_ENTRY] = NO_SET;
	for (unsigned i = 0; i < nsets; i++) {
		if (loader[i] != NO_FIT && out->set[COMPONENT_LOADER] == NO_SET)
			out->set[COMPONENT_LOADER] = (int)i;
		for (unsigned j = 0; loader[i] != NO_FIT && j < nsets; j++)
			if (entry[j] != NO_FIT && loader[i] + entry[j] == want && (!found || i == j)) {
				out->set[COMPONENT_LOADER] = (int)i;
				out->set[COMPONENT_BOOT_ENTRY] = (int)j;
				found = true;
			}
	}
	/* With an unknown loader the boot entry may still be a known one. */
	for (unsigned j = 0; out->set[COMPONENT_LOADER] == NO_SET && j < nsets; j++)
		if (entry[j] != NO_FIT && out->set[COMPONENT_BOOT_ENTRY] == NO_SET)
			out->set[COMPONENT_BOOT_ENTRY] = (int)j;
}

void
match_log(const struct measured *m, const struct known_set *sets, unsigned nsets, use_fn *use,
    const void *arg, struct match *out)
{
	int fits[COMPONENT_COUNT][SETS_MAX];
	bool any = false;

	if (nsets > SETS_MAX)
		nsets = SETS_MAX;
	for (unsigned c = 0; c < COMPONENT_COUNT; c++) {
		out->set[c] = NO_SET;
		for (unsigned i = 0; i < nsets; i++) {
			fits[c][i] = NO_FIT;
			if (!use(&sets[i], arg))
				continue;
			any = true;
			fits[c][i] = component_fits(m, &sets[i], (enum component)c);
			if (fits[c][i] != NO_FIT && out->set[c] == NO_SET)
				out->set[c] = (int)i;
		}
	}
	match_shared(m, (const int (*)[SETS_MAX])fits, nsets, out);
	out->unknown = 0;
	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (out->set[c] == NO_SET)
			out->unknown |= 1u << c;
	out->all = any && m->total && !out->unknown;
}
