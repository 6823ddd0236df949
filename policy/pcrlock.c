/*
 * .pcrlock files of systemd 255 and later (FACTS "systemd-pcrlock components"): {"records":[{"pcr":11, "digests":
 * [{"hashAlg":"sha256", "digest":"…"}]}, …]}, or the list alone. NAME.pcrlock is a component of its own; the files of
 * NAME.pcrlock.d are alternatives for one. Components follow each other by name.
 *
 * Theirs are finer than ours: one of ours is what all files measure into its PCRs, one alternative of each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "scope.h"
#include "set_import.h"

enum { FILES_MAX = 256, RECORDS_MAX = SET_ENTRIES_MAX, NAME_SIZE = 96, PCR_IMAGES = 4, PCR_PHASES = 11, PCRS_SAID = 15,
	KERNEL_FROM = 650, ALGS_MAX = 8 };

struct lock_record { uint8_t pcr; uint8_t digest[SHA256_SIZE]; };
struct lock_file {
	char           name[NAME_SIZE];         /* "650-uki" */
	char           variant[NAME_SIZE];      /* "" when it has no alternatives */
	unsigned       count, parts;            /* bit = component that it measures into */
	struct lock_record *record;
};
struct bundle { unsigned count; struct lock_file file[FILES_MAX]; bool phases, others; };

static void
drop_bundle(struct bundle *b)
{
	for (unsigned i = 0; i < b->count; i++)
		free(b->file[i].record);
}

/* Cuts the ending; false when it has another. */
static bool
without(const char *text, size_t len, const char *ending, char out[static NAME_SIZE])
{
	size_t n = strlen(ending);

	if (len <= n || memcmp(text + len - n, ending, n) || len - n >= NAME_SIZE)
		return false;
	memcpy(out, text, len - n);
	out[len - n] = '\0';
	return true;
}

/* "…/650-uki.pcrlock" or "…/650-uki.pcrlock.d/6.1.pcrlock" */
static bool
read_path(const char *path, struct lock_file *f, struct error *e)
{
	const char *last = strrchr(path, '/'), *base = last ? last + 1 : path, *folder = last;

	while (folder && folder > path && folder[-1] != '/')
		folder--;
	if (last && without(folder, (size_t)(last - folder), ".pcrlock.d", f->name))
		return without(base, strlen(base), ".pcrlock", f->variant) || err_set(e, ERR_FORMAT, "not a .pcrlock file");
	return without(base, strlen(base), ".pcrlock", f->name) || err_set(e, ERR_FORMAT, "not a .pcrlock file");
}

/* From 650 on it is what boots: a UKI, a kernel with its command line and initrd. */
static enum component
component_in(const struct lock_file *f, unsigned pcr)
{
	if (pcr == PCR_IMAGES)
		return strtoul(f->name, NULL, 10) >= KERNEL_FROM ? COMPONENT_BOOT_ENTRY : COMPONENT_LOADER;
	for (unsigned c = 0; c < COMPONENT_BOOT_ENTRY; c++)
		if (component_pcrs((enum component)c) & 1u << pcr)
			return (enum component)c;
	return COMPONENT_BOOT_ENTRY;
}

/* The digest in SHA-256, without which a record says nothing here. */
static bool
read_digest(const struct json *o, uint8_t out[static SHA256_SIZE], struct error *e)
{
	unsigned count;
	char alg[16];

	if (!json_list(o, "digests", ALGS_MAX, &count, e))
		return false;
	for (unsigned i = 0; i < count; i++) {
		const struct json *d = json_item(o, "digests", i);

		if (!json_text(d, "hashAlg", alg, sizeof(alg), e))
			return err_in(e, "digests[%u]", i);
		if (!strcmp(alg, "sha256"))
			return json_hex(d, "digest", out, SHA256_SIZE, e) || err_in(e, "digests[%u]", i);
	}
	return err_set(e, ERR_MISSING, "digests: none is sha256");
}

/* The words of boot phases are known without being listed, and which of them are there depends on when one looks. */
static bool
is_phase(const struct lock_record *r)
{
	static const char *const words[] = { "enter-initrd", "leave-initrd", "sysinit", "ready", "shutdown", "final" };
	uint8_t is[SHA256_SIZE];

	for (unsigned i = 0; r->pcr == PCR_PHASES && i < COUNT(words); i++)
		if (digest_sha256(words[i], strlen(words[i]), is) && !memcmp(is, r->digest, sizeof(is)))
			return true;
	return false;
}

static bool
read_record(const struct json *o, struct bundle *b, struct lock_file *f, struct error *e)
{
	static const char *const known[] = { "pcr", "digests", "recnum", "content", "content_type", "nv_index" };
	struct lock_record *r = &f->record[f->count];
	const struct json *value;
	const char *key;
	int64_t pcr;

	for (unsigned i = 0; json_member(o, i, &key, &value); i++) {
		unsigned k = 0;

		while (k < COUNT(known) && strcmp(known[k], key))
			k++;
		if (k == COUNT(known))
			return err_set(e, ERR_FORMAT, "%.40s: no such member", key);
	}
	if (json_has(o, "nv_index")) {
		b->others = true;
		return true;
	}
	if (!json_int(o, "pcr", 0, PCR_COUNT - 1, &pcr, e) || !read_digest(o, r->digest, e))
		return false;
	r->pcr = (uint8_t)pcr;
	if (pcr >= PCRS_SAID) {
		b->others = true;
	} else if (is_phase(r)) {
		b->phases = true;
	} else {
		f->parts |= 1u << component_in(f, r->pcr);
		f->count++;
	}
	return true;
}

/* A bare list is read as the member of an object, in its own lines. */
static bool
read_records(const char *text, size_t len, struct bundle *b, struct lock_file *f, struct error *e)
{
	bool bare = text[strspn(text, " \t\r\n")] == '[';
	size_t size = len + 16;
	own(mem) char *whole = malloc(size);
	own(json) struct json *o = NULL;
	unsigned count;

	if (!whole)
		return err_set(e, ERR_MEMORY, "file");
	len = (size_t)snprintf(whole, size, "%s%s%s", bare ? "{\"records\":" : "", text, bare ? "}" : "");
	if (!json_parse_file(whole, len, 1 + RECORDS_MAX * 16, &o, e) || !json_list(o, "records", RECORDS_MAX, &count, e))
		return false;
	f->record = calloc(count ? count : 1, sizeof(*f->record));
	if (!f->record)
		return err_set(e, ERR_MEMORY, "%u records", count);
	for (unsigned i = 0; i < count; i++)
		if (!read_record(json_item(o, "records", i), b, f, e))
			return err_in(e, "line %u: records[%u]", json_line(whole, len, "records", i), i);
	return true;
}

static bool
read_file(const struct json *o, struct bundle *b, struct error *e)
{
	struct lock_file *f = &b->file[b->count];
	char path[4 * NAME_SIZE];
	const char *text;
	size_t len;

	if (!json_text(o, "path", path, sizeof(path), e) || !json_text_whole(o, "text", &text, &len, e))
		return false;
	b->count++;
	return (read_path(path, f, e) && read_records(text, len, b, f, e)) || err_in(e, "%.80s", path);
}

static int
by_name(const void *pa, const void *pb)
{
	const struct lock_file *a = pa, *b = pb;
	int n = strcmp(a->name, b->name);

	return n ? n : strcmp(a->variant, b->variant);
}

/* The end of the run of alternatives that starts at i. */
static unsigned
run_end(const struct bundle *b, unsigned i)
{
	unsigned end = i + 1;

	while (end < b->count && !strcmp(b->file[end].name, b->file[i].name))
		end++;
	return end;
}

static bool
check_runs(const struct bundle *b, struct error *e)
{
	for (unsigned i = 0; i + 1 < b->count; i++)
		if (!strcmp(b->file[i].name, b->file[i + 1].name) && (!*b->file[i].variant || !strcmp(b->file[i].variant, b->file[i + 1].variant)))
			return err_set(e, ERR_CONFLICT, "%.80s is there twice", b->file[i].name);
	return true;
}

/* How many ways there are to take one alternative of each; too many are as many as do not fit. */
static unsigned
ways(const struct bundle *b, unsigned c)
{
	unsigned n = 0;

	for (unsigned i = 0, end; i < b->count; i = end) {
		unsigned touching = 0;

		end = run_end(b, i);
		for (unsigned k = i; k < end; k++)
			touching |= b->file[k].parts & 1u << c;
		if (touching)
			n = (n ? n : 1) * (end - i);
		if (n > IMPORT_SETS_MAX)
			break;
	}
	return n;
}

/* The files of way number `way`: adds their records of this component to the set, or counts them where there is none. */
static unsigned
take_way(const struct bundle *b, unsigned c, unsigned way, struct reference_set *set, uint32_t *pcrs)
{
	unsigned taken = 0;

	for (unsigned i = 0, end; i < b->count; i = end) {
		unsigned touching = 0;
		const struct lock_file *f;
		char text[2 * NAME_SIZE + 16];

		end = run_end(b, i);
		for (unsigned k = i; k < end; k++)
			touching |= b->file[k].parts & 1u << c;
		if (!touching)
			continue;
		f = &b->file[i + way % (end - i)];
		way /= end - i;
		snprintf(text, sizeof(text), "%s%s%s", f->name, *f->variant ? "/" : "", f->variant);
		for (unsigned k = 0; k < f->count; k++) {
			const struct lock_record *r = &f->record[k];

			if (component_in(f, r->pcr) != (enum component)c)
				continue;
			*pcrs |= 1u << r->pcr;
			taken++;
			if (set)
				import_entry(set, (enum component)c, r->pcr, 0, r->digest, text);
		}
	}
	return taken;
}

/* PCRs that any alternative measures into: the one that does not leaves them empty. */
static uint32_t
pcrs_of(const struct bundle *b, unsigned c)
{
	uint32_t pcrs = 0;

	for (unsigned i = 0; i < b->count; i++)
		for (unsigned k = 0; k < b->file[i].count; k++)
			if (component_in(&b->file[i], b->file[i].record[k].pcr) == (enum component)c)
				pcrs |= 1u << b->file[i].record[k].pcr;
	return pcrs;
}

static bool
make_set(const struct bundle *b, unsigned way, const unsigned *n, struct imported *out, struct error *e)
{
	struct reference_set *set;
	unsigned entries = 0;
	uint32_t ignored = 0;

	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (way < n[c])
			entries += take_way(b, c, way, NULL, &ignored);
	if (!entries)
		return true;
	set = import_set(out, entries, e);
	if (!set)
		return false;
	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (way < n[c]) {
			set->parts |= 1u << c;
			set->pcrs |= pcrs_of(b, c);
		}
	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (way < n[c])
			(void)take_way(b, c, way, set, &ignored);
	return true;
}

/* PCRs that are asked for by default and that a component, as these files have it, says nothing of. */
static void
say_silence(const struct bundle *b, const unsigned *n, struct imported *out)
{
	static const uint8_t asked[] = { 0, 2, 4, 7, 8, 9, 11, 12, 14 };

	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		for (unsigned i = 0; n[c] && i < sizeof(asked); i++)
			if (component_pcrs((enum component)c) & 1u << asked[i] && !(pcrs_of(b, c) & 1u << asked[i]) &&
			    !(c == COMPONENT_BOOT_ENTRY && host_pcrs() & 1u << asked[i]))
				import_remark(out, "%s: nothing is said of PCR %u; it fits where the policy does not ask for that",
				    component_word((enum component)c), asked[i]);
	if (b->phases)
		import_remark(out, "boot phases in PCR 11: known without being listed");
	if (b->others)
		import_remark(out, "PCR 15 and higher, and NV indices: they name one machine");
}

bool
pcrlock_read(const struct json *o, struct imported *out, struct error *e)
{
	own(mem) struct bundle *b = calloc(1, sizeof(*b));
	unsigned count, n[COMPONENT_COUNT], most = 0;
	bool good = true;

	if (!b)
		return err_set(e, ERR_MEMORY, "files");
	if (!json_list(o, "files", FILES_MAX, &count, e))
		return false;
	for (unsigned i = 0; good && i < count; i++)
		good = read_file(json_item(o, "files", i), b, e);
	qsort(b->file, b->count, sizeof(*b->file), by_name);
	good = good && check_runs(b, e);
	for (unsigned c = 0; good && c < COMPONENT_COUNT; c++) {
		n[c] = ways(b, c);
		most = n[c] > most ? n[c] : most;
	}
	if (good && (!most || most > IMPORT_SETS_MAX))
		good = err_set(e, most ? ERR_LIMIT : ERR_MISSING, most ? "over %d ways to take one alternative of each component" :
		    "no record is of use here", IMPORT_SETS_MAX);
	for (unsigned way = 0; good && way < most; way++)
		good = make_set(b, way, n, out, e);
	if (good) {
		snprintf(out->origin, sizeof(out->origin), "%u .pcrlock files", b->count);
		say_silence(b, n, out);
	}
	drop_bundle(b);
	return good;
}
