/*
 * allow_list.h - known files: digest and path pattern, sorted, up to 200,000 of them. attest-allow-list(5).
 *
 * The file is text, for people and git: a first line "attest-allow-list 1", then one line
 * "sha256:HEX PATTERN" an entry, in the order of its bytes; "verity:sha256:HEX" is a fs-verity digest.
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

struct allow_list {
	const uint8_t *packed;          /* NULL: empty */
	size_t         packed_len;
	uint32_t       count;
	uint8_t       *owned;           /* what packed points into, if it is this list's own */
};
void allow_list_free(struct allow_list *);
static inline void drop_allow_list(struct allow_list *l) { allow_list_free(l); }

/* "line 7: …". The first line decides: the project's own form, Keylime's runtime policy (JSON), else sha256sum's output. */
bool allow_list_read(const char *text, size_t len, struct allow_list *, struct error *) MUST_CHECK;
/* What a Keylime policy excludes comes in excludes: patterns, NUL behind each; free it. */
bool allow_list_import(const char *text, size_t len, struct allow_list *, char **excludes, size_t *excludes_len, struct error *) MUST_CHECK;
/* The same list always gives the same text; free it. */
bool allow_list_write(const struct allow_list *, char **text, size_t *len, struct error *) MUST_CHECK;
/* All entries of both. */
bool allow_list_join(const struct allow_list *, const struct allow_list *, struct allow_list *, struct error *) MUST_CHECK;

/* Packed bytes that stay where they are as long as the list. */
bool allow_list_open(const void *packed, size_t len, struct allow_list *, struct error *) MUST_CHECK;

enum allowed { ALLOWED_NOT, ALLOWED_ELSEWHERE, ALLOWED };       /* ELSEWHERE: the content is known, under another path */
enum allowed allow_list_holds(const struct allow_list *, const struct ima_fields *);
/* A digest that this path may have: "sha256:12ab…"; false when the path is unknown. Looks at every entry. */
bool allow_list_of_path(const struct allow_list *, const char *path, size_t len, char *out, size_t size);

/* path has no NUL; linear in len times the pattern's length at worst. */
bool pattern_matches(const char *pattern, size_t pattern_len, const char *path, size_t len);
bool pattern_check(const char *pattern, size_t len, struct error *) MUST_CHECK;
#endif
