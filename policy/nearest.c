#include <stdlib.h>
#include <string.h>
#include "nearest.h"

enum { PCR_SHARED = 4 };

void
nearest_free(struct nearest *n)
{
	set_free(&n->known.set);
}

/* PCRs of which this set knows only what another host measured. */
static uint32_t
foreign_to(const struct known_set *known, enum component c)
{
	uint32_t pcrs = 0;

	for (unsigned i = 0; !known->own_host && i < known->set.count; i++)
		if (known->set.entry[i].component == c && known->set.entry[i].scope != SCOPE_FLEET)
			pcrs |= 1u << known->set.entry[i].pcr;
	return pcrs;
}

static bool
has_component(const struct reference_set *set, enum component c)
{
	return set->parts & 1u << c || (c == COMPONENT_BOOT_ENTRY && set_has_host_part(set));
}

/* Where in its PCR the log has the set's first entry of this component, if it has it: the boot entry ends PCR 4. */
static unsigned
starts_at(const struct measured *m, const struct reference_set *set, enum component c, unsigned pcr)
{
	unsigned n = 0;

	if (pcr != PCR_SHARED || c != COMPONENT_BOOT_ENTRY)
		return 0;
	for (unsigned i = 0; i < set->count; i++)
		n += set->entry[i].component == c && set->entry[i].pcr == pcr;
	return n < m->count[pcr] ? m->count[pcr] - n : 0;
}

/*
 * How many measurements of this component are not where the set has them? Foreign PCRs cannot be met
 * at all, but a set of another host may be nearer than an old one.
 */
static unsigned
distance(const struct measured *m, const struct known_set *known, enum component c, uint32_t within)
{
	uint32_t foreign = foreign_to(known, c) & within, pcrs = component_pcrs(c) & m->pcrs & within & ~foreign;
	unsigned next[PCR_COUNT] = { 0 }, has[PCR_COUNT] = { 0 }, far = 0;
	bool apart[PCR_COUNT] = { false };

	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		next[pcr] = starts_at(m, &known->set, c, pcr);
	for (unsigned i = 0; i < known->set.count; i++) {
		const struct set_entry *entry = &known->set.entry[i];
		unsigned pcr = entry->pcr;

		if (entry->component != c || !(pcrs & 1u << pcr))
			continue;
		has[pcr]++;
		apart[pcr] = apart[pcr] || next[pcr] >= m->count[pcr] || !entry_admits(entry, m->bank,
		    m->event[m->first[pcr] + next[pcr]]->digest[m->bank]);
		next[pcr] += !apart[pcr];
		far += apart[pcr];
	}
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (pcrs & 1u << pcr && pcr != PCR_SHARED && m->count[pcr] > has[pcr])
			far += m->count[pcr] - has[pcr];
	for (; foreign; foreign &= foreign - 1)
		far++;
	return far;
}

/* Which is worth more for the diff, whatever the distance? */
static unsigned
rank(const struct known_set *s, enum component c)
{
	return (s->active ? 2u : 0u) + (c == COMPONENT_BOOT_ENTRY && s->own_host && set_has_host_part(&s->set));
}

/* Of those that speak of it, or of those alone that grant it. */
static int
nearest_in(const struct measured *m, const struct known_set *sets, unsigned nsets, enum component c, bool granting, uint32_t within)
{
	int best = NO_SET;
	unsigned least = 0;

	for (unsigned i = 0; i < nsets; i++) {
		unsigned far;

		if (sets[i].revoked || sets[i].set.values || sets[i].set.bank != m->bank || !has_component(&sets[i].set, c) ||
		    (granting && !(sets[i].set.parts & 1u << c)))
			continue;
		far = distance(m, &sets[i], c, within);
		if (best == NO_SET || rank(&sets[i], c) > rank(&sets[best], c) ||
		    (rank(&sets[i], c) == rank(&sets[best], c) && far < least)) {
			best = (int)i;
			least = far;
		}
	}
	return best;
}

/* Appends the set's entries of this component in these PCRs. */
static void
take(struct reference_set *to, const struct known_set *from, enum component c, uint32_t pcrs)
{
	for (unsigned i = 0; i < from->set.count; i++) {
		const struct set_entry *entry = &from->set.entry[i];

		if (entry->component == c && pcrs & 1u << entry->pcr)
			to->entry[to->count++] = *entry;
	}
}

/*
 * The kernel is compared with what is granted: the host's own part may name one that is not any more. The rest is
 * compared with the host's own.
 */
static void
take_boot_entry(struct nearest *n, const struct measured *m, const struct known_set *sets, unsigned nsets, const struct match *match)
{
	int part = match->host_part != NO_SET ? match->host_part : n->set[COMPONENT_BOOT_ENTRY];
	int kernel = match->kernel != NO_SET ? match->kernel :
	    nearest_in(m, sets, nsets, COMPONENT_BOOT_ENTRY, true, ~host_pcrs());
	uint32_t pcrs = component_pcrs(COMPONENT_BOOT_ENTRY);

	if (kernel != NO_SET) {
		take(&n->known.set, &sets[kernel], COMPONENT_BOOT_ENTRY, pcrs & ~host_pcrs());
		pcrs &= host_pcrs();
	}
	if (part != NO_SET) {
		take(&n->known.set, &sets[part], COMPONENT_BOOT_ENTRY, pcrs);
		n->known.own_host = sets[part].own_host;
	}
}

static void
put_together(struct nearest *n, const struct measured *m, const struct known_set *sets, unsigned nsets, const struct match *match)
{
	for (unsigned c = 0; c < COMPONENT_BOOT_ENTRY; c++) {
		int from = match->set[c] != NO_SET ? match->set[c] : n->set[c];

		if (from != NO_SET)
			take(&n->known.set, &sets[from], (enum component)c, component_pcrs((enum component)c));
	}
	take_boot_entry(n, m, sets, nsets, match);
}

bool
nearest_find(const struct measured *m, const struct known_set *sets, unsigned nsets, const struct match *match,
    struct nearest *out, struct error *e)
{
	struct nearest n = { .first = NO_SET, .known = { .active = true } };
	size_t most = 1;

	for (unsigned i = 0; i < nsets; i++)
		most += sets[i].set.count;
	n.known.set = (struct reference_set){ .bank = m->bank, .pcrs = m->pcrs, .entry = calloc(most, sizeof(struct set_entry)) };
	if (!n.known.set.entry)
		return err_set(e, ERR_MEMORY, "%zu entries", most);
	for (unsigned c = 0; c < COMPONENT_COUNT; c++) {
		n.set[c] = match->unknown & 1u << c ? nearest_in(m, sets, nsets, (enum component)c, false, UINT32_MAX) : NO_SET;
		if (n.set[c] == NO_SET)
			continue;
		n.pcrs |= component_pcrs((enum component)c) & m->pcrs;
		if (n.first == NO_SET)
			n.first = n.set[c];
	}
	/* Of a PCR that two share nothing can be told when nobody speaks of one of them. */
	for (unsigned c = COMPONENT_LOADER; c <= COMPONENT_BOOT_ENTRY; c++)
		if (match->unknown & 1u << c && n.set[c] == NO_SET)
			n.pcrs &= ~(1u << PCR_SHARED);
	if (n.first != NO_SET)
		memcpy(n.known.label, sets[n.first].label, sizeof(n.known.label));
	put_together(&n, m, sets, nsets, match);
	*out = n;
	return true;
}
