/*
 * Packed: version u8, sections u8, text length u32; a section for each kind of digest {kind u8, count u32};
 * the entries of each, {digest, place of its pattern u32}, sorted; then the patterns, NUL behind each.
 */
#include <stdlib.h>
#include <string.h>
#include "allow_list.h"
#include "hex.h"
#include "scope.h"

enum {
	LIST_VERSION = 1, VERITY = 0x80, SECTIONS_MAX = 2 * IMA_ALG_COUNT, HEAD = 6, SECTION = 5, PLACE = 4,
};
#define GLOB 0x80000000u        /* of a place: the pattern is not a path as it stands; these stand before the others of one digest */

void
allow_list_free(struct allow_list *l)
{
	free(l->owned);
	*l = (struct allow_list){ .count = 0 };
}

/* --- where it lies --- */

struct section { unsigned kind; uint32_t count; size_t size; const uint8_t *entry; };
struct table { unsigned sections; struct section section[SECTIONS_MAX]; const char *text; uint32_t text_len; };

static bool
table_read(const uint8_t *packed, size_t len, struct table *t, struct error *e)
{
	struct reader r = rd_open(packed, len);
	unsigned version = rd_u8(&r, "version");
	int before = -1;

	t->sections = rd_u8(&r, "sections");
	t->text_len = rd_be32(&r, "text length");
	if (!rd_ok(&r, e))
		return false;
	if (version != LIST_VERSION || t->sections > SECTIONS_MAX)
		return err_set(e, ERR_FORMAT, "version %u, %u sections", version, t->sections);
	for (unsigned i = 0; i < t->sections; i++) {
		struct section *s = &t->section[i];

		s->kind = rd_u8(&r, "kind");
		s->count = rd_be32(&r, "count");
		s->size = ima_alg_size((enum ima_alg)(s->kind & ~(unsigned)VERITY)) + PLACE;
		if (!rd_ok(&r, e))
			return false;
		if ((int)s->kind <= before || s->size == PLACE || !s->count || s->count > ALLOW_ENTRIES_MAX)
			return err_set(e, ERR_FORMAT, "section %u: kind %u, %u entries", i, s->kind, s->count);
		before = (int)s->kind;
	}
	for (unsigned i = 0; i < t->sections; i++)
		t->section[i].entry = rd_bytes(&r, t->section[i].size * t->section[i].count, "entries");
	t->text = (const char *)rd_bytes(&r, t->text_len, "text");
	if (!rd_end(&r, e))
		return false;
	return (t->text_len && !t->text[t->text_len - 1]) || (!t->text_len && !t->sections) ||
	    err_set(e, ERR_FORMAT, "text without an end");
}

bool
allow_list_open(const void *packed, size_t len, struct allow_list *out, struct error *e)
{
	struct allow_list l = { .packed = packed, .packed_len = len };
	struct table t;
	uint64_t count = 0;

	if (!table_read(packed, len, &t, e))
		return err_in(e, "packed allow list");
	for (unsigned i = 0; i < t.sections; i++)
		count += t.section[i].count;
	if (count > ALLOW_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "packed allow list: over %d entries", ALLOW_ENTRIES_MAX);
	l.count = (uint32_t)count;
	*out = l;
	return true;
}

static uint32_t
place_of(const struct section *s, uint32_t i)
{
	struct reader r = rd_open(s->entry + s->size * i + s->size - PLACE, PLACE);

	return rd_be32(&r, "place");
}

static const uint8_t *digest_of(const struct section *s, uint32_t i) { return s->entry + s->size * i; }

/* "" when the place is none: that matches nothing but an empty path. */
static const char *
pattern_at(const struct table *t, uint32_t place)
{
	place &= ~GLOB;
	return place < t->text_len ? t->text + place : "";
}

/* The first entry that is not below this digest. */
static uint32_t
lower(const struct section *s, const uint8_t *digest)
{
	uint32_t lo = 0, hi = s->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (memcmp(digest_of(s, mid), digest, s->size - PLACE) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
is_path(const char *text, const char *path, size_t len)
{
	return !strncmp(text, path, len) && !text[len];
}

/* Among the entries of one digest, from `at` on. */
static enum allowed
holds_from(const struct table *t, const struct section *s, uint32_t at, const struct ima_fields *f)
{
	size_t size = s->size - PLACE;
	enum allowed answer = ALLOWED_NOT;

	for (; at < s->count && !memcmp(digest_of(s, at), f->digest, size); at++) {
		uint32_t place = place_of(s, at);
		const char *text = pattern_at(t, place);

		answer = ALLOWED_ELSEWHERE;
		if (place & GLOB ? pattern_matches(text, f->path, f->path_len) : is_path(text, f->path, f->path_len))
			return ALLOWED;
	}
	return answer;
}

enum allowed
allow_list_holds(const struct allow_list *l, const struct ima_fields *f)
{
	unsigned kind = (unsigned)f->alg | (f->verity ? VERITY : 0u);
	struct table t;
	struct error e;

	if (!l->packed || !f->digest || !table_read(l->packed, l->packed_len, &t, &e))
		return ALLOWED_NOT;
	for (unsigned i = 0; i < t.sections; i++)
		if (t.section[i].kind == kind)
			return holds_from(&t, &t.section[i], lower(&t.section[i], f->digest), f);
	return ALLOWED_NOT;
}

static void
digest_text(unsigned kind, const uint8_t *digest, char out[static ALLOWED_TEXT])
{
	enum ima_alg alg = (enum ima_alg)(kind & ~(unsigned)VERITY);
	char hex[2 * DIGEST_MAX + 1];

	hex_text(digest, ima_alg_size(alg), hex);
	snprintf(out, ALLOWED_TEXT, "%s%s:%s", kind & VERITY ? "verity:" : "", ima_alg_word(alg), hex);
}

bool
allow_list_of_path(const struct allow_list *l, const char *path, size_t len, char out[static ALLOWED_TEXT])
{
	struct table t;
	struct error e;

	if (!l->packed || !table_read(l->packed, l->packed_len, &t, &e))
		return false;
	for (unsigned i = 0; i < t.sections; i++)
		for (uint32_t k = 0; k < t.section[i].count; k++)
			if (is_path(pattern_at(&t, place_of(&t.section[i], k)), path, len)) {
				digest_text(t.section[i].kind, digest_of(&t.section[i], k), out);
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

static void
sections_write(const struct sortable *all, size_t count, uint32_t text_len, struct writer *w)
{
	uint32_t in_kind[256] = { 0 };
	unsigned sections = 0;

	for (size_t i = 0; i < count; i++)
		sections += !in_kind[all[i].entry->kind]++;
	wr_u8(w, LIST_VERSION, "version");
	wr_u8(w, (uint8_t)sections, "sections");
	wr_be32(w, text_len, "text length");
	for (unsigned k = 0; k < 256; k++)
		if (in_kind[k]) {
			wr_u8(w, (uint8_t)k, "kind");
			wr_be32(w, in_kind[k], "count");
		}
}

bool
allow_build_end(struct allow_build *b, struct allow_list *out, struct error *e)
{
	size_t count = 0, text_len = 0, size = HEAD + SECTIONS_MAX * SECTION, place = 0;
	own(mem) struct sortable *all = sorted(b, &count);
	own(mem) uint8_t *buf = NULL;
	struct writer w;

	if (!all)
		return err_set(e, ERR_MEMORY, "%zu entries", b->count);
	for (size_t i = 0; i < count; i++) {
		text_len += strlen(all[i].text) + 1;
		size += entry_size(&all[i]) + PLACE;
	}
	size += text_len;
	if (size > ALLOW_PACKED_MAX)
		return err_set(e, ERR_LIMIT, "an allow list of %zu bytes: over %d", size, ALLOW_PACKED_MAX);
	buf = malloc(size);
	if (!buf)
		return err_set(e, ERR_MEMORY, "%zu entries", count);
	w = wr_open(buf, size);
	sections_write(all, count, (uint32_t)text_len, &w);
	for (size_t i = 0; i < count; i++) {
		wr_bytes(&w, all[i].entry->digest, entry_size(&all[i]), "digest");
		wr_be32(&w, (uint32_t)place | (all[i].glob ? GLOB : 0), "place");
		place += strlen(all[i].text) + 1;
	}
	for (size_t i = 0; i < count; i++)
		wr_bytes(&w, all[i].text, strlen(all[i].text) + 1, "text");
	if (!wr_ok(&w, e))
		return false;
	*out = (struct allow_list){ .packed = buf, .packed_len = w.used, .count = (uint32_t)count, .owned = buf };
	buf = NULL;
	return true;
}

/* --- whole lists --- */

static bool
add_all(const struct allow_list *l, struct allow_build *b, struct error *e)
{
	struct table t;

	if (!l->packed)
		return true;
	if (!table_read(l->packed, l->packed_len, &t, e))
		return false;
	for (unsigned i = 0; i < t.sections; i++) {
		const struct section *s = &t.section[i];

		for (uint32_t k = 0; k < s->count; k++) {
			const char *text = pattern_at(&t, place_of(s, k));

			if (!allow_build_add(b, s->kind & VERITY, (enum ima_alg)(s->kind & ~(unsigned)VERITY), digest_of(s, k), text, strlen(text), e))
				return false;
		}
	}
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
allow_list_entry(const struct allow_list *l, uint32_t i, char out[static ALLOWED_TEXT], const char **pattern)
{
	struct table t;
	struct error e;

	if (!l->packed || !table_read(l->packed, l->packed_len, &t, &e))
		return false;
	for (unsigned k = 0; k < t.sections; k++) {
		const struct section *s = &t.section[k];

		if (i < s->count) {
			digest_text(s->kind, digest_of(s, i), out);
			*pattern = pattern_at(&t, place_of(s, i));
			return true;
		}
		i -= s->count;
	}
	return false;
}

bool
allow_list_write(const struct allow_list *l, char **out, size_t *len, struct error *e)
{
	size_t size = sizeof(first_line) + l->packed_len + (size_t)l->count * (ALLOWED_TEXT + 2);
	own(mem) char *buf = malloc(size);
	struct writer w = wr_open((uint8_t *)buf, buf ? size : 0);
	char digest[ALLOWED_TEXT];
	const char *text;

	if (!buf)
		return err_set(e, ERR_MEMORY, "%u entries", l->count);
	wr_bytes(&w, first_line, strlen(first_line), "text");
	for (uint32_t i = 0; allow_list_entry(l, i, digest, &text); i++) {
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
