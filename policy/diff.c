#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "bound_text.h"
#include "diff_change.h"
#include "scope.h"

enum {
	PCR_LOADED       = 4,
	DIFF_CELLS_MAX   = 1 << 20,     /* of the table for one PCR; larger gaps are paired in order */
	DIFF_CHANGES_MAX = 1024,        /* kept for sorting; all are counted */
};

/* Items of each PCR in order. */
struct items {
	struct item *item;
	unsigned     first[PCR_COUNT], count[PCR_COUNT];
};
static void drop_items(struct items *i) { free(i->item); }

struct diff {
	enum bank      bank;
	unsigned       total, kept;
	struct change *change;
	struct error  *e;
	bool           failed;
};

static bool
items_of_log(const struct measured *m, uint32_t pcrs, struct items *out, struct error *e)
{
	struct items it = { .item = calloc(m->total + 1u, sizeof(struct item)) };
	own(hashers) struct hashers hashers = { { NULL } };

	if (!it.item)
		return err_set(e, ERR_MEMORY, "%u events", m->total);
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
		it.first[pcr] = m->first[pcr];
		it.count[pcr] = pcrs & 1u << pcr ? m->count[pcr] : 0;
		for (unsigned i = 0; i < it.count[pcr]; i++) {
			const struct event *ev = m->event[m->first[pcr] + i];

			it.item[m->first[pcr] + i] = (struct item){ .digest = ev->digest[m->bank],
				.text = ev->text, .bound = text_proved(&hashers, ev, m->bank), .number = ev->number,
				.type = ev->type, .pcr = (uint8_t)pcr };
		}
	}
	*out = it;
	return true;
}

static bool
items_of_set(const struct reference_set *set, uint32_t pcrs, struct items *out, struct error *e)
{
	struct items it = { .item = calloc(set->count + 1u, sizeof(struct item)) };
	unsigned at = 0;

	if (!it.item)
		return err_set(e, ERR_MEMORY, "%u entries", set->count);
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
		it.first[pcr] = at;
		for (unsigned i = 0; pcrs & 1u << pcr && i < set->count; i++) {
			const struct set_entry *entry = &set->entry[i];

			if (entry->pcr == pcr)
				it.item[at++] = (struct item){ .digest = entry->digest, .text = entry->text,
					.bound = entry->text_bound, .type = entry->type,
					.pcr = entry->pcr, .component = entry->component, .entry = entry };
		}
		it.count[pcr] = at - it.first[pcr];
	}
	*out = it;
	return true;
}

static void
change_add(struct diff *d, const struct item *was, const struct item *is, enum component component)
{
	struct change c = { .was = was, .is = is, .component = was ? was->component : component };

	c.reason = change_reason(&c);
	c.order = d->total++;
	if (d->kept < DIFF_CHANGES_MAX)
		d->change[d->kept++] = c;
}

/* Two items that are the same thing with another content: "grub_cmd: x" and "grub_cmd: y", file and file. */
static bool
same_kind(const struct item *a, const struct item *b)
{
	size_t na = strcspn(a->text, ":"), nb = strcspn(b->text, ":");
	bool la = a->text[na] == ':', lb = b->text[nb] == ':';

	return la == lb && (!la || (na == nb && !memcmp(a->text, b->text, na)));
}

/* n known items stand where m others were found. As many of each: pairs; else pairs of a kind. */
static void
gap(struct diff *d, const struct item *a, unsigned n, const struct item *b, unsigned m, enum component near)
{
	unsigned j = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned k = j;

		while (n != m && k < m && !same_kind(&a[i], &b[k]))
			k++;
		if (k == m) {
			change_add(d, &a[i], NULL, near);
			continue;
		}
		while (j < k)
			change_add(d, NULL, &b[j++], near);
		change_add(d, &a[i], &b[j++], near);
	}
	while (j < m)
		change_add(d, NULL, &b[j++], near);
}

static bool
same_digest(const struct diff *d, const struct item *a, const struct item *b)
{
	return !memcmp(a->digest, b->digest, bank_size(d->bank)) || (a->entry && entry_admits(a->entry, d->bank, b->digest));
}

/* Whose is an event in PCR 4 that nobody knows? The component of the known item it stands before. */
static enum component
component_near(const struct item *a, unsigned n, unsigned at, unsigned pcr)
{
	if (n)
		return a[at < n ? at : n - 1].component;
	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (component_pcrs((enum component)c) & 1u << pcr)
			return (enum component)c;
	return COMPONENT_BOOT_ENTRY;
}

/* Longest common subsequence by the usual table; what lies between its members are gaps. */
static void
edit(struct diff *d, const struct item *a, unsigned n, const struct item *b, unsigned m, unsigned pcr)
{
	const struct item *known = a;
	unsigned nknown = n, i = 0, j = 0, from_i = 0, from_j = 0, width;
	own(mem) uint16_t *lcs = NULL;

	while (n && m && same_digest(d, a, b))
		a++, b++, n--, m--;
	while (n && m && same_digest(d, &a[n - 1], &b[m - 1]))
		n--, m--;
	width = m + 1;
	if (!n || !m || (uint64_t)(n + 1) * width > DIFF_CELLS_MAX) {
		gap(d, a, n, b, m, component_near(known, nknown, (unsigned)(a - known), pcr));
		return;
	}
	lcs = calloc((size_t)(n + 1) * width, sizeof(*lcs));
	if (!lcs) {
		d->failed = !err_set(d->e, ERR_MEMORY, "%u by %u events", n, m);
		return;
	}
	for (i = n; i-- > 0;)
		for (j = m; j-- > 0;) {
			uint16_t down = lcs[(i + 1) * width + j], right = lcs[i * width + j + 1];

			lcs[i * width + j] = same_digest(d, &a[i], &b[j]) ?
			    (uint16_t)(lcs[(i + 1) * width + j + 1] + 1) : down > right ? down : right;
		}
	for (i = j = 0; i < n || j < m;) {
		if (i < n && j < m && same_digest(d, &a[i], &b[j])) {
			gap(d, a + from_i, i - from_i, b + from_j, j - from_j,
			    component_near(known, nknown, (unsigned)(a - known) + from_i, pcr));
			from_i = ++i;
			from_j = ++j;
		} else if (j == m || (i < n && lcs[(i + 1) * width + j] >= lcs[i * width + j + 1]))
			i++;
		else
			j++;
	}
	gap(d, a + from_i, n - from_i, b + from_j, m - from_j,
	    component_near(known, nknown, (unsigned)(a - known) + from_i, pcr));
}

/* Along the chain of trust, and in each component what says most first. */
static unsigned
change_rank(const struct change *c)
{
	static const enum reason order[] = { REASON_FIRMWARE_CHANGED, REASON_SECUREBOOT_CHANGED,
		REASON_BOOTLOADER_CHANGED, REASON_KERNEL_CHANGED, REASON_CMDLINE_CHANGED, REASON_BOOT_CHANGED,
		REASON_EVENT_UNEXPECTED, REASON_EVENT_MISSING };
	unsigned i = 0;

	while (i < COUNT(order) && order[i] != c->reason)
		i++;
	return (unsigned)c->component * 16 + i;
}

/* Words that name something are better to read than sizes, bound ones better than labels. */
static unsigned
dullness(const struct change *c)
{
	const struct item *i = c->was ? c->was : c->is;

	if (c->reason == REASON_KERNEL_CHANGED && i->pcr == PCR_LOADED)
		return 0;               /* the image itself, before its file and the initrd */
	return i->bound ? 0 : *i->text && strncmp(i->text, "image of", 8) ? 1 : 2;
}

static int
by_weight(const void *pa, const void *pb)
{
	const struct change *a = pa, *b = pb;
	int rank = (int)change_rank(a) - (int)change_rank(b);

	if (a->severity != b->severity)
		return (int)b->severity - (int)a->severity;
	if (rank)
		return rank;
	if (dullness(a) != dullness(b))
		return (int)dullness(a) - (int)dullness(b);
	return (int)a->order - (int)b->order;
}

/* Secure Boot's own changes come first: they say whether what was loaded is signed as before. */
static void
classify(struct diff *d, struct backdrop *b)
{
	b->same_keys = b->secure_boot;
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < d->kept; i++) {
			struct change *c = &d->change[i];

			if ((c->component == COMPONENT_SECUREBOOT) != (pass == 0))
				continue;
			c->severity = change_severity(b, c);
			b->same_keys = b->same_keys && (pass || c->severity == SEVERITY_BENIGN_LIKELY);
		}
}

static bool
same_item(const struct diff *d, const struct item *a, const struct item *b)
{
	return (!a && !b) || (a && b && a->pcr == b->pcr && !memcmp(a->digest, b->digest, bank_size(d->bank)));
}

/* GRUB measures a kernel twice, and shim may: one sentence is enough. */
static bool
said_before(const struct diff *d, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (same_item(d, d->change[k].was, d->change[i].was) && same_item(d, d->change[k].is, d->change[i].is))
			return true;
	return false;
}

/* The main change to the front: what alarms, else the first in the chain of trust, as plainly as it can be said. */
static void
lead(struct diff *d)
{
	struct change main_one;
	unsigned best = 0;

	if (!d->kept || d->change[0].severity == SEVERITY_ALARMING)
		return;
	for (unsigned i = 1; i < d->kept; i++) {
		const struct change *a = &d->change[i], *b = &d->change[best];

		if (change_rank(a) < change_rank(b) || (change_rank(a) == change_rank(b) && dullness(a) < dullness(b)))
			best = i;
	}
	main_one = d->change[best];
	memmove(&d->change[1], &d->change[0], best * sizeof(main_one));
	d->change[0] = main_one;
}

static bool
diff_items(struct backdrop *b, const struct items *was, const struct items *is, struct findings *all,
    struct difference *out, struct error *e)
{
	own(mem) struct change *changes = calloc(DIFF_CHANGES_MAX, sizeof(*changes));
	struct diff d = { .bank = b->bank, .change = changes, .e = e };

	if (!changes)
		return err_set(e, ERR_MEMORY, "changes");
	for (unsigned pcr = 0; pcr < PCR_COUNT && !d.failed; pcr++)
		edit(&d, was->item + was->first[pcr], was->count[pcr], is->item + is->first[pcr],
		    is->count[pcr], pcr);
	if (d.failed)
		return false;
	classify(&d, b);
	qsort(changes, d.kept, sizeof(*changes), by_weight);
	lead(&d);
	for (unsigned i = 0; i < d.kept; i++)
		if (all->count == FINDINGS_MAX || !said_before(&d, i))
			change_report(b, &changes[i], all);
	out->count = d.total;
	out->reason = d.kept ? changes[0].reason : REASON_OK;
	out->component = d.kept ? changes[0].component : COMPONENT_COUNT;
	return true;
}

/* PCRs of which this set knows only what another host measured. */
static uint32_t
foreign_pcrs(const struct known_set *known)
{
	uint32_t pcrs = 0;

	for (unsigned i = 0; !known->own_host && i < known->set.count; i++)
		if (known->set.entry[i].scope == SCOPE_HOST)
			pcrs |= 1u << known->set.entry[i].pcr;
	return pcrs;
}

bool
diff_measured(const struct measured *m, uint32_t pcrs, const struct known_set *known, struct findings *all,
    struct difference *out, struct error *e)
{
	own(items) struct items was = { 0 }, is = { 0 };
	own(mem) struct boot_facts *facts = malloc(sizeof(*facts));
	struct backdrop b = { .bank = m->bank, .was = &known->set, .facts = facts };

	if (!facts)
		return err_set(e, ERR_MEMORY, "facts");
	boot_facts_read(m->log, m->bank, m->pcrs, facts);
	backdrop_open(&b);
	*out = (struct difference){ .foreign = foreign_pcrs(known) & pcrs };
	pcrs &= m->pcrs & ~out->foreign;
	return items_of_set(&known->set, pcrs, &was, e) && items_of_log(m, pcrs, &is, e) &&
	    diff_items(&b, &was, &is, all, out, e);
}

void
diff_log(const struct eventlog *log, enum bank bank, uint32_t pcrs, const struct known_set *known,
    struct verdict *v)
{
	own(measured) struct measured m = { 0 };
	struct difference d = { 0 };
	struct error e = { .code = ERR_NONE };

	snprintf(v->nearest, sizeof(v->nearest), "%s", known->label);
	v->differs = 0;
	if (known->set.bank != bank || !measured_open(log, bank, pcrs, &m, &e) ||
	    !diff_measured(&m, pcrs, known, &v->findings, &d, &e)) {
		struct finding *f = finding_add(&v->findings, REASON_POLICY_FAILED, SEVERITY_UNKNOWN, CLAIM_CONFIGURATION);

		finding_say(f->text, "%s cannot be compared: %s", known->label, e.code ? e.why : "it is of another bank");
		return;
	}
	v->differs = d.count;
}

void
diff_sets(const struct reference_set *from, const struct reference_set *to, struct findings *all)
{
	own(items) struct items was = { 0 }, is = { 0 };
	struct difference d = { 0 };
	struct error e = { .code = ERR_NONE };
	uint32_t pcrs = from->pcrs & to->pcrs;
	struct backdrop b = { .bank = from->bank, .was = from, .set = to };

	backdrop_open(&b);
	if (from->bank != to->bank || !items_of_set(from, pcrs, &was, &e) || !items_of_set(to, pcrs, &is, &e) ||
	    !diff_items(&b, &was, &is, all, &d, &e)) {
		struct finding *f = finding_add(all, REASON_POLICY_FAILED, SEVERITY_UNKNOWN, CLAIM_CONFIGURATION);

		finding_say(f->text, "the sets cannot be compared: %s", e.code ? e.why : "they are of different banks");
	}
}
