/*
 * set_import.h - golden measurements from files: this project's own, and those of others.
 *
 * What the text is, it says itself: {"schema":…} is a set of this project; {"files":[{"path":…, "text":…}]} are .pcrlock
 * files with their paths, {"records":[…]} or a bare list is one of them; what has "scrtm_and_bios" or "kernels" is
 * Keylime's measured-boot reference state. Other projects say less than a whole set, or other things: what cannot be
 * carried over is said in remarks, a line each. What is not understood is refused, with line and key.
 */
#ifndef SET_IMPORT_H
#define SET_IMPORT_H
#include "reference_json.h"

enum { IMPORT_SETS_MAX = 16, IMPORT_REMARKS = 2048 };

struct json;
/* Alternatives become sets beside each other: sets unite by component. */
struct imported {
	unsigned             count;
	struct reference_set set[IMPORT_SETS_MAX];
	char                 origin[SET_ORIGIN_TEXT];
	char                 remarks[IMPORT_REMARKS];
};
/* text ends in a NUL that len does not count. */
bool import_read(const char *text, size_t len, struct imported *, struct error *) MUST_CHECK;
void imported_free(struct imported *);
static inline void drop_imported(struct imported *i) { imported_free(i); }

/* For the readers: one more line, which is left out when it does not fit. */
void import_remark(struct imported *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A set of its own, empty, with room for so many entries; NULL with e. */
struct reference_set *import_set(struct imported *, unsigned entries, struct error *);
/* Its next entry; PCR and component have to be of the set already. */
void import_entry(struct reference_set *, enum component, unsigned pcr, uint32_t type, const uint8_t *digest, const char *text);

/* The readers. */
bool pcrlock_read(const struct json *bundle, struct imported *, struct error *) MUST_CHECK;
bool keylime_boot_read(const struct json *, struct imported *, struct error *) MUST_CHECK;
#endif
