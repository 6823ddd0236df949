#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "cmdline.h"
#include "diff.h"
#include "hex.h"
#include "scope.h"

enum {
	DIFF_CELLS_MAX   = 1 << 20,     /* of the table for one PCR; larger gaps are paired in order */
	DIFF_CHANGES_MAX = 1024,        /* kept for sorting; all are counted */
	SHOWN_TEXT       = 120,         /* of one side's words in a sentence */
};

/* An event of a log or an entry of a set. */
struct item {
	const uint8_t *digest;
	const char    *text;
	bool           bound;
	uint32_t       number, type;
	uint8_t        pcr;
	enum component component;
	const struct set_entry *entry;  /* NULL: of a log */
};

/* Items of each PCR in order. */
struct items {
	struct item *item;
	unsigned     first[PCR_COUNT], count[PCR_COUNT];
};
static void drop_items(struct items *i) { free(i->item); }

struct change {
	const struct item *was, *is;    /* NULL: measured in addition; not measured */
	enum reason        reason;
	enum severity      severity;
	enum component     component;
	unsigned           order;
};

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

	if (!it.item)
		return err_set(e, ERR_MEMORY, "%u events", m->total);
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
		it.first[pcr] = m->first[pcr];
		it.count[pcr] = pcrs & 1u << pcr ? m->count[pcr] : 0;
		for (unsigned i = 0; i < it.count[pcr]; i++) {
			const struct event *ev = m->event[m->first[pcr] + i];

			it.item[m->first[pcr] + i] = (struct item){ .digest = ev->digest[m->bank],
				.text = ev->text, .bound = ev->binding == BOUND_DIGEST, .number = ev->number,
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

static bool
begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* Does this name of a file, as GRUB gives it, belong to a kernel or an initrd? */
static bool
is_kernel_file(const char *path)
{
	static const char *const names[] = { "vmlinuz", "vmlinux", "bzImage", "linux", "kernel", "initrd", "initramfs" };
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	for (unsigned i = 0; i < COUNT(names); i++)
		if (begins(name, names[i]))
			return true;
	return false;
}

/* What a change of the boot entry is called: by the PCR and by what the approved label says it is. */
static enum reason
boot_entry_reason(const struct item *known)
{
	const char *text = known->text;

	switch (known->pcr) {
	case 4:
		return REASON_KERNEL_CHANGED;
	case 8:
		return known->bound && begins(text, "kernel_cmdline: ") ? REASON_CMDLINE_CHANGED : REASON_BOOT_CHANGED;
	case 9:
		if (!strcmp(text, "LOADED_IMAGE::LoadOptions"))
			return REASON_CMDLINE_CHANGED;
		return !strcmp(text, "Linux initrd") || is_kernel_file(text) ? REASON_KERNEL_CHANGED : REASON_BOOT_CHANGED;
	case 11:
		if (!strcmp(text, ".cmdline"))
			return REASON_CMDLINE_CHANGED;
		return !strcmp(text, ".linux") || !strcmp(text, ".initrd") || !strcmp(text, ".ucode") ?
		    REASON_KERNEL_CHANGED : REASON_BOOT_CHANGED;
	case 12:
		return known->bound ? REASON_CMDLINE_CHANGED : REASON_BOOT_CHANGED;
	}
	return REASON_BOOT_CHANGED;
}

static enum reason
change_reason(const struct change *c)
{
	static const enum reason of_component[] = {
#define X(name, word, pcrs, reason) REASON_##reason,
		COMPONENTS(X)
#undef X
	};

	if (!c->was)
		return REASON_EVENT_UNEXPECTED;
	if (!c->is)
		return REASON_EVENT_MISSING;
	return c->component == COMPONENT_BOOT_ENTRY ? boot_entry_reason(c->was) : of_component[c->component];
}

/* "dbx: 371 entries" -> 371 */
static bool
dbx_entries(const struct item *i, unsigned *n)
{
	return i->bound && sscanf(i->text, "dbx: %u entr", n) == 1;
}

/* Only what digests bind may calm; anything may alarm. */
static enum severity
change_severity(const struct change *c)
{
	const struct item *was = c->was, *is = c->is;
	char words[FINDING_TEXT];
	unsigned before, after;

	if (is && !strcmp(is->text, "error separator"))
		return SEVERITY_ALARMING;
	if (c->component == COMPONENT_SECUREBOOT && is &&
	    (begins(is->text, "SecureBoot: 0") || begins(is->text, "SecureBoot: empty") ||
	    begins(is->text, "MokSBState") || begins(is->text, "UEFI Debug Mode")))
		return SEVERITY_ALARMING;
	if (!was || !is)
		return SEVERITY_UNKNOWN;
	if (dbx_entries(was, &before) && dbx_entries(is, &after))
		return after >= before ? SEVERITY_BENIGN_LIKELY : SEVERITY_ALARMING;
	if (c->reason == REASON_CMDLINE_CHANGED && was->bound && is->bound &&
	    cmdline_diff(was->text, is->text, words, sizeof(words)))
		return SEVERITY_ALARMING;
	return SEVERITY_UNKNOWN;
}

static void
change_add(struct diff *d, const struct item *was, const struct item *is, enum component component)
{
	struct change c = { .was = was, .is = is, .component = was ? was->component : component };

	c.reason = change_reason(&c);
	c.severity = change_severity(&c);
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

	return i->bound ? 0 : *i->text && !begins(i->text, "image of") ? 1 : 2;
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

static enum trust_claim
change_claim(const struct change *c)
{
	if (c->reason == REASON_CMDLINE_CHANGED || c->component == COMPONENT_SECUREBOOT)
		return CLAIM_CONFIGURATION;
	return c->component == COMPONENT_FIRMWARE ? CLAIM_HARDWARE : CLAIM_EXECUTABLES;
}

/* One side, for people: its words, and its digest where the words alone do not tell the two apart. */
static void
side_say(char out[static FINDING_TEXT], const struct diff *d, const struct item *i, bool with_digest)
{
	char hex[2 * DIGEST_MAX + 1];

	hex_text(i->digest, bank_size(d->bank), hex);
	if (!*i->text)
		finding_say(out, "%s", hex);
	else if (with_digest || !i->bound)
		finding_say(out, "%s (%s %s)", i->text, bank_word(d->bank), hex);
	else
		finding_say(out, "%s", i->text);
}

/* GRUB's label for what it runs. */
static const char command[] = "grub_cmd: ";

static bool
was_is_command(const struct change *c)
{
	return c->was->bound && c->is->bound && begins(c->was->text, command) && begins(c->is->text, command);
}

static void
sentence(const struct change *c, char out[static FINDING_TEXT])
{
	const struct item *at = c->is ? c->is : c->was;
	const char *was = c->was ? c->was->text : "", *is = c->is ? c->is->text : "";
	char where[32] = "", words[FINDING_TEXT - 80];

	if (at->number)
		snprintf(where, sizeof(where), ", event %u", at->number);
	if (!c->was && c->is->bound)
		finding_say(out, "measured in addition: %.*s (PCR %u%s)", SHOWN_TEXT, is, at->pcr, where);
	else if (!c->was)
		finding_say(out, "something more was measured%s%.*s (PCR %u%s)", *is ? "; the host calls it " : "",
		    SHOWN_TEXT, is, at->pcr, where);
	else if (!c->is)
		finding_say(out, "was not measured: %.*s (PCR %u)", SHOWN_TEXT, *was ? was : "an event without a name", at->pcr);
	else if (c->reason == REASON_CMDLINE_CHANGED && c->was->bound && c->is->bound) {
		cmdline_diff(was, is, words, sizeof(words));
		finding_say(out, "kernel command line: %s (PCR %u%s)", *words ? words : "the same words in another order",
		    at->pcr, where);
	} else if (was_is_command(c)) {
		cmdline_diff(was + strlen(command), is + strlen(command), words, sizeof(words));
		finding_say(out, "boot loader command: %s (PCR %u%s)", *words ? words : "the same words in another order",
		    at->pcr, where);
	} else if (c->reason == REASON_CMDLINE_CHANGED)
		finding_say(out, "the kernel command line changed; its words are not in the log (PCR %u%s)", at->pcr, where);
	else if (c->was->bound && c->is->bound)
		finding_say(out, "%.*s became %.*s (PCR %u%s)", SHOWN_TEXT, was, SHOWN_TEXT, is, at->pcr, where);
	else
		finding_say(out, "%.*s has another content (PCR %u%s)", SHOWN_TEXT,
		    *was ? was : event_type_name(c->was->type), at->pcr, where);
}

static void
change_report(const struct diff *d, const struct change *c, struct findings *all)
{
	struct finding *f = finding_add(all, c->reason, c->severity, change_claim(c));
	bool same_words = c->was && c->is && !strcmp(c->was->text, c->is->text);

	f->pcr = c->was ? c->was->pcr : c->is->pcr;
	f->event = c->is ? c->is->number : 0;
	if (c->was)
		side_say(f->expected, d, c->was, same_words);
	if (c->is)
		side_say(f->seen, d, c->is, same_words);
	sentence(c, f->text);
}

static bool
diff_items(enum bank bank, const struct items *was, const struct items *is, struct findings *all,
    struct difference *out, struct error *e)
{
	own(mem) struct change *changes = calloc(DIFF_CHANGES_MAX, sizeof(*changes));
	struct diff d = { .bank = bank, .change = changes, .e = e };
	const struct change *main_one = NULL;

	if (!changes)
		return err_set(e, ERR_MEMORY, "changes");
	for (unsigned pcr = 0; pcr < PCR_COUNT && !d.failed; pcr++)
		edit(&d, was->item + was->first[pcr], was->count[pcr], is->item + is->first[pcr],
		    is->count[pcr], pcr);
	if (d.failed)
		return false;
	qsort(changes, d.kept, sizeof(*changes), by_weight);
	for (unsigned i = 0; i < d.kept; i++) {
		change_report(&d, &changes[i], all);
		if (!main_one || change_rank(&changes[i]) < change_rank(main_one))
			main_one = &changes[i];
	}
	out->count = d.total;
	out->reason = main_one ? main_one->reason : REASON_OK;
	out->component = main_one ? main_one->component : COMPONENT_COUNT;
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

	*out = (struct difference){ .foreign = foreign_pcrs(known) & pcrs };
	pcrs &= m->pcrs & ~out->foreign;
	return items_of_set(&known->set, pcrs, &was, e) && items_of_log(m, pcrs, &is, e) &&
	    diff_items(m->bank, &was, &is, all, out, e);
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

	if (from->bank != to->bank || !items_of_set(from, pcrs, &was, &e) || !items_of_set(to, pcrs, &is, &e) ||
	    !diff_items(from->bank, &was, &is, all, &d, &e)) {
		struct finding *f = finding_add(all, REASON_POLICY_FAILED, SEVERITY_UNKNOWN, CLAIM_CONFIGURATION);

		finding_say(f->text, "the sets cannot be compared: %s", e.code ? e.why : "they are of different banks");
	}
}
