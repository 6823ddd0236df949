/*
 * match.h - does a log consist of known components, each taken whole from one set?
 *
 * The boot entry is a tuple: kernel, initrd and command line come from one set, be it that of the
 * host itself or one for the group that has just this tuple; and the kernel of that tuple must be
 * granted to the host by a set, the same or another one. So a fleet needs its kernel approved once,
 * and no kernel runs with the command line that was approved for another.
 *
 * There is no search: PCRs belong to one component each, but for PCR 4, which is the loader's up
 * to a point and the boot entry's from there. So the work is one comparison for each entry of each
 * set, at most SETS_MAX * SET_ENTRIES_MAX, and one of lengths for each pair of sets.
 */
#ifndef MATCH_H
#define MATCH_H
#include "reference.h"

/* What one bank of a log measured into the selected PCRs: for each PCR its events, in order. */
struct measured {
	const struct eventlog *log;
	enum bank            bank;
	uint32_t             pcrs;
	const struct event **event;
	unsigned             first[PCR_COUNT], count[PCR_COUNT];   /* of event */
	unsigned             total;
};
bool measured_open(const struct eventlog *, enum bank, uint32_t pcrs, struct measured *,
    struct error *) MUST_CHECK;
void measured_free(struct measured *);
static inline void drop_measured(struct measured *m) { measured_free(m); }

enum { NO_SET = -1 };
struct match {
	bool     all;                       /* every component is known, and nothing is left over */
	unsigned unknown;                   /* bit = component that no set explains */
	int      set[COMPONENT_COUNT];      /* which set grants each, or NO_SET */
	int      host_part;                 /* the boot entry's set with the host's part; may be the one that grants it */
	int      kernel;                    /* a set that grants the kernel, although the boot entry may be unknown */
};

/* Only the sets for which `use` says so take part. No set, or nothing measured, matches nothing. */
typedef bool use_fn(const struct known_set *, const void *arg);
void match_log(const struct measured *, const struct known_set *, unsigned nsets, use_fn *,
    const void *arg, struct match *);

/*
 * The revoked set that stands in the log, or NO_SET. A set that is revoked as a whole refuses the
 * boot that is exactly it; one of which components are revoked, each boot that has one of these;
 * of its boot entry the kernel is one, whatever its words.
 */
int match_revoked(const struct measured *, const struct known_set *, unsigned nsets);

/* Does the log's measurement pass where the set has this entry? By its digest, or as a state of GRUB's grubenv. */
bool entry_admits(const struct set_entry *, enum bank, const uint8_t *digest);
#endif
