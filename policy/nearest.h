/*
 * nearest.h - the known set that a boot comes nearest to, for the diff.
 *
 * Each unknown component is compared with the set that speaks of it and is nearest in it: an active
 * one before a candidate, for the boot entry one of the host itself before another's. What is known
 * is taken from where it matched, so that only what differs is left to be told.
 */
#ifndef NEAREST_H
#define NEAREST_H
#include "match.h"

struct nearest {
	int              set[COMPONENT_COUNT];  /* for unknown components; NO_SET: none speaks of it */
	int              first;                 /* that of the first unknown component that has one, or NO_SET */
	uint32_t         pcrs;                  /* that can be compared */
	struct known_set known;                 /* put together of them; its entries are the caller's to free */
};
bool nearest_find(const struct measured *, const struct known_set *, unsigned nsets, const struct match *,
    struct nearest *, struct error *) MUST_CHECK;
void nearest_free(struct nearest *);
static inline void drop_nearest(struct nearest *n) { nearest_free(n); }
#endif
