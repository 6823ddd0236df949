#include <stdlib.h>
#include <string.h>
#include "grubenv.h"
#include "match.h"

enum { PCR_SHARED = 4, PCR_FILES = 9, NO_FIT = -1 };

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
	struct measured m = { .log = log, .bank = bank, .pcrs = pcrs };
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

bool
entry_admits(const struct set_entry *entry, enum bank bank, const uint8_t *seen)
{
	return !memcmp(entry->digest, seen, bank_size(bank)) ||
	    (entry->pcr == PCR_FILES && grubenv_named(entry->text) && grubenv_state(bank, seen));
}

static bool
same(const struct measured *m, unsigned pcr, unsigned i, const struct set_entry *entry)
{
	return i < m->count[pcr] && entry_admits(entry, m->bank, m->event[m->first[pcr] + i]->digest[m->bank]);
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
 * Does what the set has of this component in these PCRs stand in the log, whole and alone? How much
 * of PCR 4 it explains (from the front for the loader, from the end for the boot entry), or NO_FIT.
 */
static int
stands(const struct measured *m, const struct reference_set *set, enum component c, uint32_t pcrs)
{
	unsigned next[PCR_COUNT] = { 0 };
	unsigned shared = shared_entries(set, c, pcrs);

	if (set->bank != m->bank || pcrs & ~set->pcrs || shared > m->count[PCR_SHARED])
		return NO_FIT;
	if (c == COMPONENT_BOOT_ENTRY)
		next[PCR_SHARED] = m->count[PCR_SHARED] - shared;
	for (unsigned i = 0; i < set->count; i++) {
		const struct set_entry *entry = &set->entry[i];

		if (entry->component == c && pcrs & 1u << entry->pcr &&
		    !same(m, entry->pcr, next[entry->pcr]++, entry))
			return NO_FIT;
	}
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (pcrs & 1u << pcr && pcr != PCR_SHARED && next[pcr] != m->count[pcr])
			return NO_FIT;
	return (int)shared;
}

/* What is granted: of the boot entry the kernel, without what differs from host to host. */
static int
grants(const struct measured *m, const struct known_set *known, enum component c)
{
	uint32_t pcrs = component_pcrs(c) & m->pcrs;

	if (known->set.values)
		return NO_FIT;
	if (!pcrs)                      /* nothing of it is judged */
		return 0;
	if (!(known->set.parts & 1u << c) || (known->set.host_only && !known->own_host))
		return NO_FIT;
	return stands(m, &known->set, c, c == COMPONENT_BOOT_ENTRY ? pcrs & ~host_pcrs() : pcrs);
}

/*
 * The whole tuple. A machine of the group whose boot entry is that of the captured one to the last
 * digest - another TPM, one image - is as good as that; of any other it says nothing. What was approved
 * for one host alone fits no other.
 */
static int
host_part(const struct measured *m, const struct known_set *known)
{
	const struct reference_set *set = &known->set;

	if (set->values || (!known->own_host && (set->host_only || !(set->parts & 1u << COMPONENT_BOOT_ENTRY))))
		return NO_FIT;
	return stands(m, set, COMPONENT_BOOT_ENTRY, component_pcrs(COMPONENT_BOOT_ENTRY) & m->pcrs);
}

struct fits { int grants[COMPONENT_COUNT][SETS_MAX], host_part[SETS_MAX]; };

/* The set with the host's part beside this kernel: the one that grants it, where that has it. */
static int
part_beside(const struct fits *f, unsigned nsets, unsigned kernel)
{
	int shared = f->grants[COMPONENT_BOOT_ENTRY][kernel];

	if (f->host_part[kernel] != NO_FIT)
		return (int)kernel;
	for (unsigned k = 0; k < nsets; k++)
		if (f->host_part[k] != NO_FIT && f->host_part[k] == shared)
			return (int)k;
	return NO_SET;
}

/* Takes this kernel if it is better than what there is: with a host's part, and of the loader's set. */
static void
take_kernel(const struct fits *f, unsigned nsets, unsigned kernel, bool of_loader, struct match *out)
{
	int part = part_beside(f, nsets, kernel);

	if (out->kernel == NO_SET)
		out->kernel = (int)kernel;
	if (part == NO_SET || (out->host_part != NO_SET && !of_loader))
		return;
	out->kernel = out->set[COMPONENT_BOOT_ENTRY] = (int)kernel;
	out->host_part = part;
}

/* A loader and a boot entry that together explain all of PCR 4; of one set where there is one. */
static void
match_shared(const struct measured *m, const struct fits *f, unsigned nsets, struct match *out)
{
	const int *loader = f->grants[COMPONENT_LOADER], *kernel = f->grants[COMPONENT_BOOT_ENTRY];
	int want = m->pcrs & 1u << PCR_SHARED ? (int)m->count[PCR_SHARED] : 0;
	bool known_loader = out->set[COMPONENT_LOADER] != NO_SET;

	for (unsigned i = 0; i < nsets; i++)
		for (unsigned j = 0; loader[i] != NO_FIT && j < nsets; j++) {
			bool had = out->host_part != NO_SET;

			if (kernel[j] == NO_FIT || loader[i] + kernel[j] != want)
				continue;
			take_kernel(f, nsets, j, i == j, out);
			if (out->host_part != NO_SET && (!had || i == j))
				out->set[COMPONENT_LOADER] = (int)i;
		}
	/* With an unknown loader the boot entry may still be a known one. */
	for (unsigned j = 0; !known_loader && j < nsets; j++)
		if (kernel[j] != NO_FIT)
			take_kernel(f, nsets, j, false, out);
}

static void
find_fits(const struct measured *m, const struct known_set *known, unsigned i, struct fits *f)
{
	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		f->grants[c][i] = known ? grants(m, known, (enum component)c) : NO_FIT;
	f->host_part[i] = known ? host_part(m, known) : NO_FIT;
}

void
match_log(const struct measured *m, const struct known_set *sets, unsigned nsets, use_fn *use,
    const void *arg, struct match *out)
{
	struct fits f = { .host_part = { 0 } };
	bool any = false;

	*out = (struct match){ .host_part = NO_SET, .kernel = NO_SET };
	if (nsets > SETS_MAX)
		nsets = SETS_MAX;
	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		out->set[c] = NO_SET;
	for (unsigned i = 0; i < nsets; i++) {
		bool used = !sets[i].revoked && use(&sets[i], arg);

		any = any || used;
		find_fits(m, used ? &sets[i] : NULL, i, &f);
		for (unsigned c = 0; c < COMPONENT_BOOT_ENTRY; c++)
			if (f.grants[c][i] != NO_FIT && out->set[c] == NO_SET)
				out->set[c] = (int)i;
	}
	match_shared(m, &f, nsets, out);
	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (out->set[c] == NO_SET)
			out->unknown |= 1u << c;
	out->all = any && m->total && !out->unknown;
}

/*
 * Does this component of a revoked set stand in the log? A boot entry that is refused by itself is the kernel alone, with
 * whatever words; only of what was one host's own, its words as well, there.
 */
static bool
revoked_stands(const struct measured *m, const struct known_set *known, enum component c)
{
	uint32_t pcrs = component_pcrs(c) & m->pcrs & known->set.pcrs;
	bool granted = known->set.parts & 1u << COMPONENT_BOOT_ENTRY && !known->set.host_only;

	if (c == COMPONENT_BOOT_ENTRY && known->revoked_parts && (granted || !known->own_host) && pcrs & ~host_pcrs())
		pcrs &= ~host_pcrs();
	return pcrs && stands(m, &known->set, c, pcrs) != NO_FIT;
}

/* Components of the set that the log can be compared with at all. */
static unsigned
compared_parts(const struct measured *m, const struct known_set *known)
{
	unsigned parts = known->set.parts | (set_has_host_part(&known->set) ? 1u << COMPONENT_BOOT_ENTRY : 0);

	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (!(component_pcrs((enum component)c) & m->pcrs & known->set.pcrs))
			parts &= ~(1u << c);
	return parts;
}

static bool
is_revoked(const struct measured *m, const struct known_set *known)
{
	unsigned parts = compared_parts(m, known), standing = 0;

	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (parts & 1u << c && revoked_stands(m, known, (enum component)c))
			standing |= 1u << c;
	/* Else the boot as a whole: that of another host, with its own command line, is not this one. */
	return known->revoked_parts ? standing & known->revoked_parts : parts && standing == parts;
}

int
match_revoked(const struct measured *m, const struct known_set *sets, unsigned nsets)
{
	for (unsigned i = 0; i < nsets && i < SETS_MAX; i++)
		if (sets[i].revoked && !sets[i].set.values && is_revoked(m, &sets[i]))
			return (int)i;
	return NO_SET;
}
