#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bound_text.h"
#include "facts_read.h"
#include "reference.h"
#include "scope.h"
#include "packed_text.h"
#include "tails.h"

/*
 * The packed form, whose SHA-256 names the set:
 *   header  version u8, bank u8, pcrs u32, parts u8, flags u8, count u32
 *   entry   component u8, scope u8, pcr u8, type u32, digest, bound u8, text u16 + bytes,
 *           keys u16 and KEY_ID_SIZE bytes of each
 */
enum { PACKED_VERSION = 3, HEADER_SIZE = 12, ENTRY_FIXED = 12, PCR_LOADED = 4, FLAG_HOST_ONLY = 1, FLAG_VALUES = 2,
	ALL_PARTS = (1u << COMPONENT_COUNT) - 1 };

static const struct { const char *word; uint32_t pcrs; } components[] = {
#define X(name, word, pcrs, reason) { word, pcrs },
	COMPONENTS(X)
#undef X
};

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

const char *
scope_word(enum scope s)
{
	static const char *const words[] = {
#define X(name, word) word,
		SCOPES(X)
#undef X
	};

	return (unsigned)s < SCOPE_COUNT ? words[s] : "unknown";
}

uint32_t
host_pcrs(void)
{
	return 1u << 8 | 1u << 9 | 1u << 12;
}

enum scope
scope_in(const struct reference_set *set, enum component c, unsigned pcr)
{
	if (set->host_only || (c == COMPONENT_BOOT_ENTRY && host_pcrs() & 1u << pcr))
		return SCOPE_HOST;
	return set->parts & 1u << c ? SCOPE_FLEET : SCOPE_NAMED;
}

bool
set_serves_group(const struct reference_set *set)
{
	return set->parts && !set->host_only;
}

bool
set_has_host_part(const struct reference_set *set)
{
	if (set->parts & 1u << COMPONENT_BOOT_ENTRY)
		return set->pcrs & host_pcrs();
	for (unsigned i = 0; i < set->count; i++)
		if (set->entry[i].component == COMPONENT_BOOT_ENTRY)
			return true;
	return false;
}

bool
set_entry_fits(const struct reference_set *set, const struct set_entry *x, struct error *e)
{
	bool held = set->parts & 1u << x->component || (x->component == COMPONENT_BOOT_ENTRY && !set->host_only);

	if (!held)
		return err_set(e, ERR_FORMAT, "the set has no %s", component_word(x->component));
	return (x->pcr < PCR_COUNT && set->pcrs & component_pcrs(x->component) & 1u << x->pcr &&
	    x->scope == scope_in(set, x->component, x->pcr)) ||
	    err_set(e, ERR_FORMAT, "pcr %u is not one of this component and scope", x->pcr);
}

/* One value for each PCR, in their order. */
static bool
values_whole(const struct reference_set *set, struct error *e)
{
	unsigned i = 0;

	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (set->pcrs & 1u << pcr && (i == set->count || set->entry[i++].pcr != pcr))
			return err_set(e, ERR_FORMAT, "a set of values has one for each of its PCRs, in their order");
	return i == set->count || err_set(e, ERR_FORMAT, "a set of values has one for each of its PCRs, in their order");
}

bool
set_whole(const struct reference_set *set, struct error *e)
{
	uint32_t spoken = set_has_host_part(set) ? component_pcrs(COMPONENT_BOOT_ENTRY) : 0;

	if (set->values && !values_whole(set, e))
		return false;
	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (set->parts & 1u << c) {
			spoken |= component_pcrs((enum component)c);
			if (!(set->pcrs & component_pcrs((enum component)c)))
				return err_set(e, ERR_FORMAT, "no PCR of %s", component_word((enum component)c));
		}
	return !(set->pcrs & ~spoken) || err_set(e, ERR_FORMAT, "PCRs of no component that the set has");
}

void
set_free(struct reference_set *set)
{
	free(set->entry);
	free(set->keys);
	*set = (struct reference_set){ 0 };
}

bool
event_counts(const struct event *ev, enum bank bank, uint32_t pcrs)
{
	return ev->type != EV_NO_ACTION && ev->pcr < PCR_COUNT && pcrs & 1u << ev->pcr &&
	    ev->banks & 1u << bank;
}

/* What PCR 4 holds beside images. It is told by its digest: a log may call an image an action, and the reverse. */
static bool
is_image(const struct event *ev, enum bank bank)
{
	static const struct { const char *bytes; size_t len; } others[] = {
#define X(name, bytes) { bytes, sizeof(bytes) - 1 },
		KNOWN_MEASUREMENTS(X)
#undef X
	};
	uint8_t is[DIGEST_MAX];

	for (unsigned i = 0; i < COUNT(others); i++)
		if (!digest(bank, others[i].bytes, others[i].len, is) || !memcmp(is, ev->digest[bank], bank_size(bank)))
			return false;
	return true;
}

/*
 * Where PCR 4 stops to be the boot loader's: at the first event with the digest of the last image
 * that was loaded (GRUB measures a kernel twice). The number of that event; or past all of them.
 */
static unsigned
boot_entry_from(const struct eventlog *log, enum bank bank)
{
	const struct event *last = NULL;

	for (unsigned i = log->count; !last && i-- > 0;)
		if (event_counts(&log->event[i], bank, 1u << PCR_LOADED) && is_image(&log->event[i], bank))
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
entry_capture(struct hashers *h, const struct event *ev, const struct reference_set *set, enum component c, struct set_entry *entry)
{
	size_t len = strlen(ev->text);

	*entry = (struct set_entry){
		.component = c,
		.scope = scope_in(set, c, ev->pcr),
		.pcr = (uint8_t)ev->pcr,
		.type = ev->type,
		.text_bound = len < SET_TEXT && text_proved(h, ev, set->bank),
	};
	memcpy(entry->digest, ev->digest[set->bank], bank_size(set->bank));
	memcpy(entry->text, ev->text, len < SET_TEXT ? len : SET_TEXT - 1);
}

static int
by_key(const void *a, const void *b)
{
	return memcmp(a, b, KEY_ID_SIZE);
}

/* What this variable held, if all of it is known and its digest binds it. */
static void
keys_capture(const struct boot_facts *f, const struct key_store *s, uint8_t **pool, struct set_entry *entry)
{
	uint8_t *keys = *pool;

	if (s->at.binding != FACT_BOUND || !s->whole || s->hashes + s->certs != s->count)
		return;
	for (unsigned i = 0; i < s->hashes; i++, *pool += KEY_ID_SIZE)
		memcpy(*pool, f->hash[s->first_hash + i], KEY_ID_SIZE);
	for (unsigned i = 0; i < s->certs; i++, *pool += KEY_ID_SIZE)
		memcpy(*pool, f->cert[s->first_cert + i].sha256, KEY_ID_SIZE);
	if (s->count)
		qsort(keys, s->count, KEY_ID_SIZE, by_key);
	entry->keys = keys;
	entry->nkeys = s->count;
}

/* The keys of Secure Boot's variables; number says where in the log each entry stood. */
static bool
keys_fill(const struct eventlog *log, const uint32_t *number, struct reference_set *set, struct error *e)
{
	own(mem) struct boot_facts *f = malloc(sizeof(*f));
	uint8_t *pool;

	if (!(set->pcrs & component_pcrs(COMPONENT_SECUREBOOT)))
		return true;
	if (f)
		boot_facts_read(log, set->bank, set->pcrs, f);
	set->keys = malloc((size_t)(f ? f->nhashes + f->ncerts + 1 : 1) * KEY_ID_SIZE);
	if (!f || !set->keys)
		return err_set(e, ERR_MEMORY, "keys");
	pool = set->keys;
	for (unsigned i = 0; i < set->count; i++)
		for (unsigned k = 0; k < STORE_COUNT; k++)
			if (f->secure_boot.store[k].at.event == number[i])
				keys_capture(f, &f->secure_boot.store[k], &pool, &set->entry[i]);
	return true;
}

/* Which of the PCRs does a set of these parts speak about? */
static uint32_t
wanted_pcrs(const struct set_want *want, uint32_t pcrs)
{
	uint32_t spoken = want->host_part ? component_pcrs(COMPONENT_BOOT_ENTRY) : 0;

	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (want->parts & 1u << c)
			spoken |= component_pcrs((enum component)c);
	if (want->parts & 1u << COMPONENT_BOOT_ENTRY && !want->host_part)
		spoken &= ~host_pcrs();
	return spoken & pcrs;
}

/* The entries, in measuring order; none wanted is no set. */
static bool
fill(const struct eventlog *log, const struct set_want *want, struct reference_set *set, struct error *e)
{
	unsigned parts = want->parts | (want->host_part ? 1u << COMPONENT_BOOT_ENTRY : 0);
	unsigned boot_entry = boot_entry_from(log, set->bank), count = 0;
	own(mem) uint32_t *number = calloc(log->count + 1u, sizeof(*number));
	own(hashers) struct hashers hashers = { { NULL } };

	for (unsigned i = 0; i < log->count; i++)
		count += event_counts(&log->event[i], set->bank, set->pcrs);
	if (!count)
		return err_set(e, ERR_MISSING, "the log measures nothing in these PCRs of %s", bank_word(set->bank));
	if (count > SET_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "%u measurements: a set holds %d", count, SET_ENTRIES_MAX);
	set->entry = calloc(count, sizeof(*set->entry));
	if (!set->entry || !number)
		return err_set(e, ERR_MEMORY, "%u entries", count);
	for (unsigned i = 0; i < log->count; i++) {
		const struct event *ev = &log->event[i];
		enum component c;

		if (!event_counts(ev, set->bank, set->pcrs))
			continue;
		c = component_of(ev->pcr, i >= boot_entry);
		if (!(parts & 1u << c))
			continue;
		number[set->count] = ev->number;
		entry_capture(&hashers, ev, set, c, &set->entry[set->count++]);
	}
	if (!set->count)
		return err_set(e, ERR_MISSING, "the log measures nothing of these components");
	return keys_fill(log, number, set, e);
}

bool
set_capture_some(const struct eventlog *log, enum bank bank, uint32_t pcrs, const struct set_want *want,
    struct reference_set *out, struct error *e)
{
	own(set) struct reference_set set = { .bank = bank, .parts = want->parts, .host_only = want->host_only };

	if (!pcrs || pcrs >> PCR_COUNT)
		return err_set(e, ERR_FORMAT, "no such selection of PCRs");
	set.pcrs = wanted_pcrs(want, pcrs);
	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (!(set.pcrs & component_pcrs((enum component)c)))
			set.parts &= ~(1u << c);
	if (!fill(log, want, &set, e))
		return false;
	*out = set;
	set = (struct reference_set){ 0 };
	return true;
}

bool
set_capture(const struct eventlog *log, enum bank bank, uint32_t pcrs, struct reference_set *out, struct error *e)
{
	return set_capture_some(log, bank, pcrs, &(struct set_want){ ALL_PARTS, true, false }, out, e);
}

uint32_t
pinned_pcrs(void)
{
	return 1u << 0 | 1u << 2 | 1u << 7;
}

bool
set_of_values(const struct pcr_values *values, enum bank bank, bool host_only, struct reference_set *out, struct error *e)
{
	struct reference_set set = { .bank = bank, .pcrs = values->there[bank] & pinned_pcrs(), .host_only = host_only,
		.values = true, .entry = calloc(PCR_COUNT, sizeof(*set.entry)) };

	if (!set.entry)
		return err_set(e, ERR_MEMORY, "values");
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (set.pcrs & 1u << pcr) {
			struct set_entry *x = &set.entry[set.count++];

			x->component = component_of(pcr, false);
			set.parts |= 1u << x->component;
			x->scope = host_only ? SCOPE_HOST : SCOPE_FLEET;
			x->pcr = (uint8_t)pcr;
			snprintf(x->text, sizeof(x->text), "value of PCR %u", pcr);
			memcpy(x->digest, values->value[bank][pcr], bank_size(bank));
		}
	if (!set.count) {
		set_free(&set);
		return err_set(e, ERR_MISSING, "none of the PCRs that are judged by value was quoted");
	}
	*out = set;
	return true;
}

size_t
set_packed_size(const struct reference_set *set)
{
	size_t n = HEADER_SIZE;

	for (unsigned i = 0; i < set->count; i++)
		n += ENTRY_FIXED + bank_size(set->bank) + strlen(set->entry[i].text) + (size_t)set->entry[i].nkeys * KEY_ID_SIZE;
	return n;
}

void
set_pack(const struct reference_set *set, struct writer *w)
{
	wr_u8(w, PACKED_VERSION, "version");
	wr_u8(w, (uint8_t)set->bank, "bank");
	wr_be32(w, set->pcrs, "pcrs");
	wr_u8(w, (uint8_t)set->parts, "parts");
	wr_u8(w, (uint8_t)((set->host_only ? FLAG_HOST_ONLY : 0) | (set->values ? FLAG_VALUES : 0)), "flags");
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
		wr_be16(w, (uint16_t)entry->nkeys, "keys");
		if (entry->nkeys)
			wr_bytes(w, entry->keys, (size_t)entry->nkeys * KEY_ID_SIZE, "keys");
	}
}

bool
set_keys_own(struct reference_set *set, struct error *e)
{
	size_t total = 0;
	uint8_t *at;

	for (unsigned i = 0; i < set->count; i++)
		total += set->entry[i].nkeys;
	if (total > SET_KEYS_MAX)
		return err_set(e, ERR_LIMIT, "%zu keys: over %d", total, SET_KEYS_MAX);
	at = set->keys = malloc(total * KEY_ID_SIZE + 1);
	if (!at)
		return err_set(e, ERR_MEMORY, "%zu keys", total);
	for (unsigned i = 0; i < set->count; i++) {
		struct set_entry *entry = &set->entry[i];
		size_t n = (size_t)entry->nkeys * KEY_ID_SIZE;

		if (n)
			memcpy(at, entry->keys, n);
		entry->keys = n ? at : NULL;
		at += n;
	}
	return true;
}

/* Ascending, and each once or more often: what the same keys are has one form. */
static bool
keys_unpack(struct reader *r, struct set_entry *entry, struct error *e)
{
	entry->nkeys = rd_be16(r, "keys");
	entry->keys = rd_bytes(r, (size_t)entry->nkeys * KEY_ID_SIZE, "keys");
	if (!rd_ok(r, e))
		return false;
	return set_keys_fit(entry, e);
}

bool
set_keys_fit(const struct set_entry *entry, struct error *e)
{
	if (entry->nkeys && entry->component != COMPONENT_SECUREBOOT)
		return err_set(e, ERR_FORMAT, "keys: only secureboot has some");
	for (unsigned i = 1; i < entry->nkeys; i++)
		if (memcmp(entry->keys + (i - 1) * KEY_ID_SIZE, entry->keys + i * KEY_ID_SIZE, KEY_ID_SIZE) > 0)
			return err_set(e, ERR_FORMAT, "keys: not ascending");
	return true;
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
	if (component >= COMPONENT_COUNT || scope >= SCOPE_COUNT || bound > 1)
		return err_set(e, ERR_FORMAT, "component %u, scope %u, bound %u", component, scope, bound);
	entry->component = (enum component)component;
	entry->scope = (enum scope)scope;
	entry->text_bound = bound;
	return set_entry_fits(set, entry, e) && packed_text_take(r, entry->text, sizeof(entry->text), e) && keys_unpack(r, entry, e);
}

static bool
header_unpack(struct reader *r, struct reference_set *set, uint32_t *count, struct error *e)
{
	uint8_t version = rd_u8(r, "version");
	uint8_t bank = rd_u8(r, "bank"), flags;

	set->pcrs = rd_be32(r, "pcrs");
	set->parts = rd_u8(r, "parts");
	flags = rd_u8(r, "flags");
	*count = rd_be32(r, "count");
	if (!rd_ok(r, e))
		return false;
	if (version != PACKED_VERSION || bank >= BANK_COUNT || !set->pcrs || set->pcrs >> PCR_COUNT)
		return err_set(e, ERR_FORMAT, "version %u, bank %u, pcrs 0x%08x", version, bank, set->pcrs);
	if (set->parts > ALL_PARTS || flags > (FLAG_HOST_ONLY | FLAG_VALUES))
		return err_set(e, ERR_FORMAT, "parts 0x%x, flags %u", set->parts, flags);
	set->bank = (enum bank)bank;
	set->host_only = flags & FLAG_HOST_ONLY;
	set->values = flags & FLAG_VALUES;
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
	if (!set_whole(&set, e) || !set_keys_own(&set, e))
		return err_in(e, "packed set");
	*out = set;
	set = (struct reference_set){ 0 };
	return true;
}
