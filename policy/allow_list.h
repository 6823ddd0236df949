/*
 * allow_list.h - known files: digest and path pattern, sorted, up to 200,000 of them. attest-ima(5).
 *
 * The file is text, for people and git: a first line "attest-allow-list 1", then one line
 * "sha256:HEX PATTERN" an entry, sorted when it is written; "verity:sha256:HEX" is a fs-verity digest.
 * In a pattern ? is one character and * any number of them, both but a slash; ** is any number of any
 * characters; a backslash makes the next one plain. A space stands for the _ that IMA writes for it.
 *
 * The packed form is searched where it lies. Its bytes are untrusted, and checked as they are used.
 */
#ifndef ALLOW_LIST_H
#define ALLOW_LIST_H
#include "ima_template.h"

enum {
	ALLOW_ENTRIES_MAX = 200000,
	ALLOW_TEXT_MAX    = 32 << 20,
	ALLOW_PACKED_MAX  = 12 << 20,
	PATTERN_MAX       = 1024,       /* bytes, without NUL */
};

/* The entries of one kind of digest, where they lie. */
struct allow_section { uint8_t kind, bits; uint32_t count, size; size_t digest; const uint8_t *index, *entries; };

struct allow_list {
	const uint8_t *packed;          /* NULL: empty */
	size_t         packed_len;
	uint32_t       count;
	unsigned       nsections;
	struct allow_section section[2 * IMA_ALG_COUNT];
	uint8_t       *owned;           /* what packed points into, if it is this list's own */
};
void allow_list_free(struct allow_list *);
static inline void drop_allow_list(struct allow_list *l) { allow_list_free(l); }

/* "line 7: …". The project's own form. */
bool allow_list_read(const char *text, size_t len, struct allow_list *, struct error *) MUST_CHECK;
/* The same list always gives the same text; free it. */
bool allow_list_write(const struct allow_list *, char **text, size_t *len, struct error *) MUST_CHECK;

/*
 * Files of others: a Keylime runtime policy (JSON), sha256sum's output and the like, or the project's own
 * form; the first line tells. What a Keylime policy excludes comes as patterns, a newline behind each;
 * free them. What it says beyond digests and excludes is refused, never dropped.
 */
bool allow_list_import(const char *text, size_t len, struct allow_list *, char **excludes, struct error *) MUST_CHECK;

/* All entries of both. */
bool allow_list_join(const struct allow_list *, const struct allow_list *, struct allow_list *, struct error *) MUST_CHECK;

/* Packed bytes that stay where they are as long as the list. */
bool allow_list_open(const void *packed, size_t len, struct allow_list *, struct error *) MUST_CHECK;

enum allowed { ALLOWED_NOT, ALLOWED_ELSEWHERE, ALLOWED };       /* ELSEWHERE: the content is known, under another path */
/* *steps grows by what it took: one content may have thousands of paths, as the empty file has. */
enum allowed allow_list_holds(const struct allow_list *, const struct ima_fields *, uint64_t *steps);
/* That will be asked soon: fetches from memory what the answer needs, while something else is computed. */
void allow_list_expect(const struct allow_list *, const struct ima_fields *);
/* A digest that this path may have: "sha256:12ab…"; false when the path is unknown. Looks at every entry. */
enum { ALLOWED_TEXT = 8 + 16 + 2 * DIGEST_MAX };
bool allow_list_of_path(const struct allow_list *, const char *path, size_t len, char out[static ALLOWED_TEXT]);

/* Entry after entry, in the order of the file: "sha256:12ab…" and its pattern; false behind the last. Starts zeroed. */
struct allow_place { unsigned section; size_t at; };
bool allow_list_next(const struct allow_list *, struct allow_place *, char digest[static ALLOWED_TEXT], const char **pattern);

/* Entries in any order; those that are there twice count once. */
struct allow_entry { uint8_t kind; uint8_t digest[DIGEST_MAX]; size_t text; };  /* kind: algorithm, with VERITY for fs-verity */
struct allow_build { struct allow_entry *entry; size_t count, room; char *text; size_t used, size; };
void allow_build_free(struct allow_build *);
static inline void drop_allow_build(struct allow_build *b) { allow_build_free(b); }
bool allow_build_add(struct allow_build *, bool verity, enum ima_alg, const uint8_t *digest, const char *pattern, size_t len,
    struct error *) MUST_CHECK;
/* "sha256:HEX" or "verity:sha256:HEX" */
bool allow_build_text(struct allow_build *, const char *digest, size_t digest_len, const char *pattern, size_t len, struct error *) MUST_CHECK;
bool allow_build_end(struct allow_build *, struct allow_list *, struct error *) MUST_CHECK;

/* path is any bytes. After PATTERN_STEPS_MAX steps the answer is no. */
enum { PATTERN_STEPS_MAX = 1 << 16 };
bool pattern_matches(const char *pattern, const char *path, size_t len);
/* The same, and *steps grows by what it took. */
bool pattern_matches_in(const char *pattern, const char *path, size_t len, uint64_t *steps);
/* Absolute, printable but for UTF-8, of 1 to PATTERN_MAX bytes; or the names that the kernel gives to what is no file. */
bool pattern_check(const char *pattern, size_t len, struct error *) MUST_CHECK;
#endif
