#include <stdlib.h>
#include <string.h>
#include "reference.h"
#include "scope.h"
#include "packed_text.h"

/*
 * The packed form, whose SHA-256 names the set:
 *   header  version u8, bank u8, pcrs u32, count u32
 *   entry   component u8, scope u8, pcr u8, type u32, digest, bound u8, text u16 + bytes
 */
enum { PACKED_VERSION = 1, HEADER_SIZE = 10, ENTRY_FIXED = 10, PCR_LOADED = 4 };

static const struct { const char *word; uint32_t pcrs; } components[] = {
#define X(name, word, pcrs, reason) { word, pcrs },
	COMPONENTS(X)
#undef X
};

/* PCRs that differ on each machine of a model: GRUB's commands and files, command lines given from outside. */
static const uint32_t host_pcrs = 1u << 8 | 1u << 9 | 1u << 12;

const char *
component_word(enum component c)
{
	return (unsigned)c < COMPONENT_COUNT ? components[c].word : "unknown";
}

uint32_t
component_pcrs(enum component c)
{
	uint32_t others = (1u << PCR_COUNT) - 1;

	if (c != COMPONENT_BOOT_ENTRY)
		return components[c].pcrs;
	for (unsigned i = 0; i < COMPONENT_COUNT; i++)
		others &= ~components[i].pcrs;
	return components[c].pcrs | others;
}

static enum scope
scope_of(enum component c, unsigned pcr)
{
	return c == COMPONENT_BOOT_ENTRY && host_pcrs & 1u << pcr ? SCOPE_HOST : SCOPE_FLEET;
}

bool
set_entry_fits(const struct reference_set *set, const struct set_entry *x, struct error *e)
{
	return (x->pcr < PCR_COUNT && set->pcrs & component_pcrs(x->component) & 1u << x->pcr &&
	    x->scope == scope_of(x->component, x->pcr)) ||
	    err_set(e, ERR_FORMAT, "pcr %u is not one of this component and scope", x->pcr);
}

void
set_free(struct reference_set *set)
{
	free(set->entry);
	*set = (struct reference_set){ 0 };
}

bool
event_counts(const struct event *ev, enum bank bank, uint32_t pcrs)
{
	return ev->type != EV_NO_ACTION && ev->pcr < PCR_COUNT && pcrs & 1u << ev->pcr &&
	    ev->banks & 1u << bank;
}

/*
 * Where PCR 4 stops to be the boot loader's: at the first event with the digest of the last image
 * that was loaded (GRUB measures a kernel twice). The number of that event; or past all of them.
 */
static unsigned
boot_entry_from(const struct eventlog *log, enum bank bank)
{
	const struct event *last = NULL;

	for (unsigned i = 0; i < log->count; i++)
		if (log->event[i].type == EV_EFI_BOOT_SERVICES_APPLICATION &&
		    event_counts(&log->event[i], bank, 1u << PCR_LOADED))
			last = &log->event[i];
	for (unsigned i = 0; last && i < log->count; i++)
		if (event_counts(&log->event[i], bank, 1u << PCR_LOADED) &&
		    !memcmp(log->event[i].digest[bank], last->digest[bank], bank_size(bank)))
			return i;
	return log->count;
}

static enum component
component_of(uint32_t pcr, bool after_loader)
{
	if (pcr == PCR_LOADED)
		return after_loader ? COMPONENT_BOOT_ENTRY : COMPONENT_LOADER;
	for (unsigned i = 0; i < COMPONENT_COUNT; i++)
		if (components[i].pcrs & 1u << pcr)
			return (enum component)i;
	return COMPONENT_BOOT_ENTRY;
}

static void
entry_capture(const struct event *ev, enum bank bank, bool after_loader, struct set_entry *entry)
{
	size_t len = strlen(ev->text);

	*entry = (struct set_entry){
		.component = component_of(ev->pcr, after_loader),
		.pcr = (uint8_t)ev->pcr,
		.type = ev->type,
		.text_bound = ev->binding == BOUND_DIGEST && len < SET_TEXT,
	};
	entry->scope = scope_of(entry->component, ev->pcr);
	memcpy(entry->digest, ev->digest[bank], bank_size(bank));
	memcpy(entry->text, ev->text, len < SET_TEXT ? len : SET_TEXT - 1);
}

bool
set_capture(const struct eventlog *log, enum bank bank, uint32_t pcrs, struct reference_set *out,
    struct error *e)
{
	own(set) struct reference_set set = { .bank = bank, .pcrs = pcrs };
	unsigned boot_entry, count = 0;

	if (!pcrs || pcrs >> PCR_COUNT)
		return err_set(e, ERR_FORMAT, "no such selection of PCRs");
	for (unsigned i = 0; i < log->count; i++)
		count += event_counts(&log->event[i], bank, pcrs);
	if (!count)
		return err_set(e, ERR_MISSING, "the log measures nothing in these PCRs of %s", bank_word(bank));
	if (count > SET_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "%u measurements: a set holds %d", count, SET_ENTRIES_MAX);
	set.entry = calloc(count, sizeof(*set.entry));
	if (!set.entry)
		return err_set(e, ERR_MEMORY, "%u entries", count);
	boot_entry = boot_entry_from(log, bank);
	for (unsigned i = 0; i < log->count; i++)
		if (event_counts(&log->event[i], bank, pcrs))
			entry_capture(&log->event[i], bank, i >= boot_entry, &set.entry[set.count++]);
	*out = set;
	set = (struct reference_set){ 0 };
	return true;
}

size_t
set_packed_size(const struct reference_set *set)
{
	size_t n = HEADER_SIZE;

	for (unsigned i = 0; i < set->count; i++)
		n += ENTRY_FIXED + bank_size(set->bank) + strlen(set->entry[i].text);
	return n;
}

void
set_pack(const struct reference_set *set, struct writer *w)
{
	wr_u8(w, PACKED_VERSION, "version");
	wr_u8(w, (uint8_t)set->bank, "bank");
	wr_be32(w, set->pcrs, "pcrs");
	wr_be32(w, set->count, "count");
	for (unsigned i = 0; i < set->count; i++) {
		const struct set_entry *entry = &set->entry[i];

		wr_u8(w, (uint8_t)entry->component, "component");
		wr_u8(w, (uint8_t)entry->scope, "scope");
		wr_u8(w, entry->pcr, "pcr");
		wr_be32(w, entry->type, "type");
		wr_bytes(w, entry->digest, bank_size(set->bank), "digest");
		wr_u8(w, entry->text_bound, "bound");
		packed_text_put(entry->text, w);
	}
}

static bool
entry_unpack(struct reader *r, const struct reference_set *set, struct set_entry *entry, struct error *e)
{
	uint8_t component = rd_u8(r, "component");
	uint8_t scope = rd_u8(r, "scope");
	uint8_t bound;

	entry->pcr = rd_u8(r, "pcr");
	entry->type = rd_be32(r, "type");
	rd_copy(r, entry->digest, bank_size(set->bank), "digest");
	bound = rd_u8(r, "bound");
	if (!rd_ok(r, e))
		return false;
	if (component >= COMPONENT_COUNT || scope > SCOPE_HOST || bound > 1)
		return err_set(e, ERR_FORMAT, "component %u, scope %u, bound %u", component, scope, bound);
	entry->component = (enum component)component;
	entry->scope = (enum scope)scope;
	entry->text_bound = bound;
	return set_entry_fits(set, entry, e) && packed_text_take(r, entry->text, sizeof(entry->text), e);
}

static bool
header_unpack(struct reader *r, struct reference_set *set, uint32_t *count, struct error *e)
{
	uint8_t version = rd_u8(r, "version");
	uint8_t bank = rd_u8(r, "bank");

	set->pcrs = rd_be32(r, "pcrs");
	*count = rd_be32(r, "count");
	if (!rd_ok(r, e))
		return false;
	if (version != PACKED_VERSION || bank >= BANK_COUNT || !set->pcrs || set->pcrs >> PCR_COUNT)
		return err_set(e, ERR_FORMAT, "version %u, bank %u, pcrs 0x%08x", version, bank, set->pcrs);
	set->bank = (enum bank)bank;
	if (!*count || *count > SET_ENTRIES_MAX || *count > r->left / ENTRY_FIXED)
		return err_set(e, ERR_LIMIT, "%u entries in %zu bytes", *count, r->left);
	return true;
}

bool
set_unpack(struct reader *r, struct reference_set *out, struct error *e)
{
	own(set) struct reference_set set = { 0 };
	uint32_t count;

	if (!header_unpack(r, &set, &count, e))
		return err_in(e, "packed set");
	set.entry = calloc(count, sizeof(*set.entry));
	if (!set.entry)
		return err_set(e, ERR_MEMORY, "packed set of %u entries", count);
	for (; set.count < count; set.count++)
		if (!entry_unpack(r, &set, &set.entry[set.count], e))
			return err_in(e, "packed set: entry %u", set.count);
	*out = set;
	set = (struct reference_set){ 0 };
	return true;
}
