/*
 * Packed: version u8, sections u8; a section for each kind of digest {kind u8, bits u8, count u32, size u32}; then of
 * each its index, 2^bits times the place of the first entry whose digest begins with those bits or higher ones, and
 * its entries, sorted: {digest, length u16, pattern, NUL}.
 *
 * A look-up must miss the cache once or twice, not at each halving of a large table: that is most of what it costs.
 */
#include <stdlib.h>
#include <string.h>
#include "allow_list.h"
#include "hex.h"
#include "scope.h"

enum {
	LIST_VERSION = 1, VERITY = 0x80, SECTIONS_MAX = 2 * IMA_ALG_COUNT, HEAD = 2, SECTION = 10, PLACE = 4, INDEX_BITS_MAX = 16,
	GLOB = 0x8000,          /* of a length: the pattern is not a path as it stands */
};

void
allow_list_free(struct allow_list *l)
{
	free(l->owned);
	*l = (struct allow_list){ .count = 0 };
}

/* --- where it lies --- */

static bool
section_read(struct reader *r, struct allow_section *s, int before, struct error *e)
{
	s->kind = rd_u8(r, "kind");
	s->bits = rd_u8(r, "bits");
	s->count = rd_be32(r, "count");
	s->size = rd_be32(r, "size");
	s->digest = ima_alg_size((enum ima_alg)(s->kind & ~(unsigned)VERITY));
	if (!rd_ok(r, e))
		return false;
	if ((int)s->kind <= before || !s->digest || s->bits > INDEX_BITS_MAX || !s->count || s->count > ALLOW_ENTRIES_MAX)
		return err_set(e, ERR_FORMAT, "kind %u, %u bits, %u entries", s->kind, s->bits, s->count);
	return true;
}

bool
allow_list_open(const void *packed, size_t len, struct allow_list *out, struct error *e)
{
	struct allow_list l = { .packed = packed, .packed_len = len };
	struct reader r = rd_open(packed, len);
	unsigned version = rd_u8(&r, "version");
	uint64_t count = 0;
	int before = -1;

	l.nsections = rd_u8(&r, "sections");
	if (rd_ok(&r, e) && (version != LIST_VERSION || l.nsections > SECTIONS_MAX))
		return err_set(e, ERR_FORMAT, "packed allow list: version %u, %u sections", version, l.nsections);
	for (unsigned i = 0; i < l.nsections && !r.bad; i++) {
		if (!section_read(&r, &l.section[i], before, e))
			return err_in(e, "packed allow list: section %u", i);
		before = l.section[i].kind;
		count += l.section[i].count;
	}
	for (unsigned i = 0; i < l.nsections; i++) {
		l.section[i].index = rd_bytes(&r, (size_t)PLACE << l.section[i].bits, "index");
		l.section[i].entries = rd_bytes(&r, l.section[i].size, "entries");
	}
	if (!rd_end(&r, e))
		return err_in(e, "packed allow list");
	if (count > ALLOW_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "packed allow list: over %d entries", ALLOW_ENTRIES_MAX);
	l.count = (uint32_t)count;
	*out = l;
	return true;
}

static uint32_t
be32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One entry, where it lies. */
struct lying { const uint8_t *digest; const char *pattern; size_t len; bool glob; };

static bool
lying_read(struct reader *r, const struct allow_section *s, struct lying *x)
{
	unsigned len;
	const uint8_t *text;

	x->digest = rd_bytes(r, s->digest, "digest");
	len = rd_be16(r, "length");
	x->glob = len & GLOB;
	x->len = len & ~(unsigned)GLOB;
	text = rd_bytes(r, x->len + 1, "pattern");
	x->pattern = (const char *)text;
	return !r->bad && !text[x->len];
}

static struct reader
bucket_of(const struct allow_section *s, const uint8_t *digest)
{
	size_t bucket = s->bits ? be32_at(digest) >> (32 - s->bits) : 0;
	uint32_t at = be32_at(s->index + PLACE * bucket);

	return at < s->size ? rd_open(s->entries + at, s->size - at) : rd_open(s->entries, 0);
}

static const struct allow_section *
section_of(const struct allow_list *l, const struct ima_fields *f)
{
	unsigned kind = (unsigned)f->alg | (f->verity ? VERITY : 0u);

	for (unsigned i = 0; f->digest && i < l->nsections; i++)
		if (l->section[i].kind == kind)
			return &l->section[i];
	return NULL;
}

static bool
is_path(const struct lying *x, const char *path, size_t len)
{
	return x->len == len && !memcmp(x->pattern, path, len);
}

void
allow_list_expect(const struct allow_list *l, const struct ima_fields *f)
{
	const struct allow_section *s = section_of(l, f);

	if (s) {
		struct reader r = bucket_of(s, f->digest);

		__builtin_prefetch(r.pos);
		__builtin_prefetch(r.pos + 64);
	}
}

enum allowed
allow_list_holds(const struct allow_list *l, const struct ima_fields *f, uint64_t *steps)
{
	const struct allow_section *s = section_of(l, f);
	enum allowed answer = ALLOWED_NOT;
	struct lying x;
	struct reader r;

	if (!s)
		return ALLOWED_NOT;
	r = bucket_of(s, f->digest);
	while (rd_more(&r) && lying_read(&r, s, &x)) {
		int order = memcmp(x.digest, f->digest, s->digest);

		++*steps;
		if (order > 0)
			break;
		if (order < 0)
			continue;
		answer = ALLOWED_ELSEWHERE;
		if (x.glob ? pattern_matches_in(x.pattern, f->path, f->path_len, steps) : is_path(&x, f->path, f->path_len))
			return ALLOWED;
	}
	return answer;
}

static void
digest_text(unsigned kind, const uint8_t *digest, char out[static ALLOWED_TEXT])
{
	enum ima_alg alg = (enum ima_alg)(kind & ~(unsigned)VERITY);
	char hex[2 * DIGEST_MAX + 1];

	hex_text(digest, ima_alg_size(alg), hex);
	snprintf(out, ALLOWED_TEXT, "%s%s:%s", kind & VERITY ? "verity:" : "", ima_alg_word(alg), hex);
}

/* Entry after entry, over all sections. */
static bool
lying_next(const struct allow_list *l, struct allow_place *at, unsigned *kind, struct lying *x)
{
	while (at->section < l->nsections) {
		const struct allow_section *s = &l->section[at->section];
		struct reader r = rd_open(s->entries + at->at, s->size - at->at);

		if (rd_more(&r)) {
			if (!lying_read(&r, s, x))
				return false;
			at->at += r.at;
			*kind = s->kind;
			return true;
		}
		at->section++;
		at->at = 0;
	}
	return false;
}

bool
allow_list_next(const struct allow_list *l, struct allow_place *at, char digest[static ALLOWED_TEXT], const char **pattern)
{
	struct lying x;
	unsigned kind;

	if (!lying_next(l, at, &kind, &x))
		return false;
	digest_text(kind, x.digest, digest);
	*pattern = x.pattern;
	return true;
}

bool
allow_list_of_path(const struct allow_list *l, const char *path, size_t len, char out[static ALLOWED_TEXT])
{
	struct allow_place at = { 0, 0 };
	struct lying x;
	unsigned kind;

	while (lying_next(l, &at, &kind, &x))
		if (!x.glob && is_path(&x, path, len)) {
			digest_text(kind, x.digest, out);
			return true;
		}
	return false;
}

/* --- building --- */

void
allow_build_free(struct allow_build *b)
{
	free(b->entry);
	free(b->text);
	*b = (struct allow_build){ .count = 0 };
}

static bool
room_for(struct allow_build *b, size_t len, struct error *e)
{
	if (b->count == ALLOW_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d entries", ALLOW_ENTRIES_MAX);
	if (b->count == b->room) {
		size_t room = b->room ? 2 * b->room : 64;
		struct allow_entry *more = realloc(b->entry, room * sizeof(*more));

		if (!more)
			return err_set(e, ERR_MEMORY, "%zu entries", room);
		b->entry = more;
		b->room = room;
	}
	if (len + 1 > b->size - b->used) {
		size_t size = 2 * b->size + len + 4096;
		char *more = realloc(b->text, size);

		if (!more)
			return err_set(e, ERR_MEMORY, "%zu bytes of paths", size);
		b->text = more;
		b->size = size;
	}
	return true;
}

bool
allow_build_add(struct allow_build *b, bool verity, enum ima_alg alg, const uint8_t *digest, const char *pattern, size_t len,
    struct error *e)
{
	struct allow_entry *x;

	if (!pattern_check(pattern, len, e) || !room_for(b, len, e))
		return false;
	x = &b->entry[b->count++];
	*x = (struct allow_entry){ .kind = (uint8_t)((unsigned)alg | (verity ? VERITY : 0u)), .text = b->used };
	memcpy(x->digest, digest, ima_alg_size(alg));
	for (size_t i = 0; i < len; i++)        /* as the kernel writes it */
		b->text[b->used++] = pattern[i] == ' ' ? '_' : pattern[i];
	b->text[b->used++] = '\0';
	return true;
}

bool
allow_build_text(struct allow_build *b, const char *digest, size_t digest_len, const char *pattern, size_t len, struct error *e)
{
	static const char word[] = "verity:";
	const size_t n = sizeof(word) - 1;
	bool verity = digest_len > n && !memcmp(digest, word, n);
	const char *name = digest + (verity ? n : 0), *colon;
	char hex[2 * DIGEST_MAX + 1];
	uint8_t bytes[DIGEST_MAX];
	enum ima_alg alg;
	size_t left = digest_len - (verity ? n : 0);

	colon = left ? memchr(name, ':', left) : NULL;
	if (!colon || !ima_alg_find(name, (size_t)(colon - name), &alg))
		return err_set(e, ERR_FORMAT, "digest: not \"sha256:HEX\" or of another algorithm that IMA has");
	left -= (size_t)(colon - name) + 1;
	if (left != 2 * ima_alg_size(alg))
		return err_set(e, ERR_FORMAT, "digest: not %zu bytes in hex, as %s has", ima_alg_size(alg), ima_alg_word(alg));
	memcpy(hex, colon + 1, left);
	hex[left] = '\0';
	if (!hex_bytes(hex, bytes, ima_alg_size(alg)))
		return err_set(e, ERR_FORMAT, "digest: not hex");
	return allow_build_add(b, verity, alg, bytes, pattern, len, e);
}

static bool
is_glob(const char *pattern)
{
	return strpbrk(pattern, "?*\\") != NULL;
}

struct sortable { const struct allow_entry *entry; const char *text; bool glob; };

static int
compare(const void *a, const void *b)
{
	const struct sortable *x = a, *y = b;
	int c = (int)x->entry->kind - (int)y->entry->kind;

	if (!c)
		c = memcmp(x->entry->digest, y->entry->digest, sizeof(x->entry->digest));
	if (!c)
		c = (int)y->glob - (int)x->glob;
	return c ? c : strcmp(x->text, y->text);
}

/* Sorted, each once. */
static struct sortable *
sorted(const struct allow_build *b, size_t *count)
{
	struct sortable *all = malloc((b->count ? b->count : 1) * sizeof(*all));
	size_t n = 0;

	if (!all)
		return NULL;
	for (size_t i = 0; i < b->count; i++) {
		const char *text = b->text + b->entry[i].text;

		all[i] = (struct sortable){ &b->entry[i], text, is_glob(text) };
	}
	qsort(all, b->count, sizeof(*all), compare);
	for (size_t i = 0; i < b->count; i++)
		if (!i || compare(&all[i], &all[n - 1]) != 0)
			all[n++] = all[i];
	*count = n;
	return all;
}

static size_t
entry_size(const struct sortable *x)
{
	return ima_alg_size((enum ima_alg)(x->entry->kind & ~(unsigned)VERITY));
}

/* So many that a bucket has about one entry. */
static unsigned
index_bits(uint32_t count)
{
	unsigned bits = 0;

	while (bits < INDEX_BITS_MAX && count >> (bits + 1))
		bits++;
	return bits;
}

static size_t
lying_size(const struct sortable *x)
{
	return entry_size(x) + 2 + strlen(x->text) + 1;
}

static void
index_write(const struct sortable *all, uint32_t count, struct writer *w)
{
	unsigned bits = index_bits(count);
	uint32_t i = 0;
	size_t at = 0;

	for (uint32_t bucket = 0; bucket < 1u << bits; bucket++) {
		for (; bits && i < count && be32_at(all[i].entry->digest) >> (32 - bits) < bucket; i++)
			at += lying_size(&all[i]);
		wr_be32(w, (uint32_t)at, "index");
	}
}

/* How many of one kind stand from here on, and their bytes. */
static uint32_t
kind_run(const struct sortable *all, size_t count, size_t from, size_t *size)
{
	size_t i = from;

	for (*size = 0; i < count && all[i].entry->kind == all[from].entry->kind; i++)
		*size += lying_size(&all[i]);
	return (uint32_t)(i - from);
}

static void
list_write(const struct sortable *all, size_t count, struct writer *w)
{
	unsigned sections = 0;
	size_t size;

	for (size_t i = 0; i < count; i += kind_run(all, count, i, &size))
		sections++;
	wr_u8(w, LIST_VERSION, "version");
	wr_u8(w, (uint8_t)sections, "sections");
	for (size_t i = 0, n; i < count; i += n) {
		n = kind_run(all, count, i, &size);
		wr_u8(w, all[i].entry->kind, "kind");
		wr_u8(w, (uint8_t)index_bits((uint32_t)n), "bits");
		wr_be32(w, (uint32_t)n, "count");
		wr_be32(w, (uint32_t)size, "size");
	}
	for (size_t i = 0, n; i < count; i += n) {
		n = kind_run(all, count, i, &size);
		index_write(all + i, (uint32_t)n, w);
		for (size_t k = i; k < i + n; k++) {
			size_t len = strlen(all[k].text);

			wr_bytes(w, all[k].entry->digest, entry_size(&all[k]), "digest");
			wr_be16(w, (uint16_t)(len | (all[k].glob ? GLOB : 0u)), "length");
			wr_bytes(w, all[k].text, len + 1, "pattern");
		}
	}
}

bool
allow_build_end(struct allow_build *b, struct allow_list *out, struct error *e)
{
	size_t count = 0, size = HEAD + SECTIONS_MAX * (SECTION + PLACE);
	own(mem) struct sortable *all = sorted(b, &count);
	own(mem) uint8_t *buf = NULL;
	struct writer w;

	if (!all)
		return err_set(e, ERR_MEMORY, "%zu entries", b->count);
	for (size_t i = 0; i < count; i++)      /* an index has no more places than there are entries */
		size += lying_size(&all[i]) + PLACE;
	if (size > ALLOW_PACKED_MAX)
		return err_set(e, ERR_LIMIT, "an allow list of %zu bytes: over %d", size, ALLOW_PACKED_MAX);
	buf = malloc(size);
	if (!buf)
		return err_set(e, ERR_MEMORY, "%zu entries", count);
	w = wr_open(buf, size);
	list_write(all, count, &w);
	if (!wr_ok(&w, e))
		return false;
	if (!allow_list_open(buf, w.used, out, e))
		return false;
	out->owned = buf;
	buf = NULL;
	return true;
}

/* --- whole lists --- */

static bool
add_all(const struct allow_list *l, struct allow_build *b, struct error *e)
{
	struct allow_place at = { 0, 0 };
	struct lying x;
	unsigned kind;

	while (lying_next(l, &at, &kind, &x))
		if (!allow_build_add(b, kind & VERITY, (enum ima_alg)(kind & ~(unsigned)VERITY), x.digest, x.pattern, x.len, e))
			return false;
	return true;
}

bool
allow_list_join(const struct allow_list *one, const struct allow_list *two, struct allow_list *out, struct error *e)
{
	own(allow_build) struct allow_build b = { .count = 0 };

	return add_all(one, &b, e) && add_all(two, &b, e) && allow_build_end(&b, out, e);
}

static const char first_line[] = "attest-allow-list 1\n";

bool
allow_list_write(const struct allow_list *l, char **out, size_t *len, struct error *e)
{
	size_t size = sizeof(first_line) + l->packed_len + (size_t)l->count * (ALLOWED_TEXT + 2);
	own(mem) char *buf = malloc(size);
	struct writer w = wr_open((uint8_t *)buf, buf ? size : 0);
	struct allow_place at = { 0, 0 };
	char digest[ALLOWED_TEXT];
	const char *text;

	if (!buf)
		return err_set(e, ERR_MEMORY, "%u entries", l->count);
	wr_bytes(&w, first_line, strlen(first_line), "text");
	while (allow_list_next(l, &at, digest, &text)) {
		wr_bytes(&w, digest, strlen(digest), "text");
		wr_u8(&w, ' ', "text");
		wr_bytes(&w, text, strlen(text), "text");
		wr_u8(&w, '\n', "text");
	}
	wr_u8(&w, 0, "text");
	if (!wr_ok(&w, e))
		return false;
	*len = w.used - 1;
	*out = give(buf);
	return true;
}

bool
allow_list_read(const char *text, size_t len, struct allow_list *out, struct error *e)
{
	own(allow_build) struct allow_build b = { .count = 0 };
	const char *at = text + strlen(first_line), *end = text + len;

	if (len > ALLOW_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "an allow list of %zu bytes: over %d", len, ALLOW_TEXT_MAX);
	if (len < strlen(first_line) || memcmp(text, first_line, strlen(first_line)) != 0)
		return err_set(e, ERR_FORMAT, "line 1: not \"attest-allow-list 1\"");
	for (unsigned line = 2; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		const char *space = stop > at ? memchr(at, ' ', (size_t)(stop - at)) : NULL;

		if (!newline)
			return err_set(e, ERR_FORMAT, "line %u: without an end", line);
		if (!space)
			return err_set(e, ERR_FORMAT, "line %u: not a digest, a space and a path", line);
		if (!allow_build_text(&b, at, (size_t)(space - at), space + 1, (size_t)(stop - space - 1), e))
			return err_in(e, "line %u", line);
		at = stop + 1;
	}
	return allow_build_end(&b, out, e);
}
