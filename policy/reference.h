/*
 * reference.h - golden measurements: named, versioned sets of components. POLICY section 1.
 *
 * A component is matched as a whole, never event by event across sets. The packed form is
 * deterministic; its SHA-256 is the set's content digest, by which it is shown, approved and
 * handed to workers.
 */
#ifndef REFERENCE_H
#define REFERENCE_H
#include "eventlog.h"
#include "record.h"

enum { SET_ENTRIES_MAX = 4096, SET_TEXT = 256, SETS_MAX = 64, SET_PACKED_MAX = 4 << 20 };

/*
 * X(NAME, word, PCRs, what a change of it is called)
 * PCR 4 belongs to two: the images up to the boot loader, and from the kernel on. BOOT_ENTRY is
 * one tuple (kernel, initrd, command line): it always comes from one set.
 */
#define COMPONENTS(X)                                                                     \
	X(FIRMWARE,   "firmware",   (1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 5 | 1u << 6), FIRMWARE_CHANGED) \
	X(SECUREBOOT, "secureboot", (1u << 7 | 1u << 14),                     SECUREBOOT_CHANGED) \
	X(LOADER,     "loader",     (1u << 4),                                BOOTLOADER_CHANGED) \
	X(BOOT_ENTRY, "boot-entry", (1u << 4 | 1u << 8 | 1u << 9 | 1u << 11 | 1u << 12), KERNEL_CHANGED)
enum component {
#define X(name, word, pcrs, reason) COMPONENT_##name,
	COMPONENTS(X)
#undef X
	COMPONENT_COUNT
};
const char *component_word(enum component);
uint32_t    component_pcrs(enum component);  /* its PCRs; those of no component belong to BOOT_ENTRY */

/* FLEET entries serve the whole group; HOST entries (PCR 8, 9, 12) only the host they came from. */
enum scope { SCOPE_FLEET, SCOPE_HOST };

struct set_entry {
	enum component component;
	enum scope     scope;
	uint8_t        pcr;
	uint32_t       type;                    /* for people; never matched */
	uint8_t        digest[DIGEST_MAX];      /* in the set's bank */
	char           text[SET_TEXT];          /* for people and the diff; cut when longer */
	bool           text_bound;              /* text hashed to digest when it was captured */
};

struct reference_set {
	enum bank         bank;
	uint32_t          pcrs;                 /* the selection it was captured under */
	unsigned          count;
	struct set_entry *entry;                /* in measuring order */
};
void set_free(struct reference_set *);
static inline void drop_set(struct reference_set *s) { set_free(s); }

/* Does this event extend one of these PCRs in this bank? */
bool event_counts(const struct event *, enum bank, uint32_t pcrs);

/* Makes a set of the events of one log that replayed to its quote (the caller has seen to that). */
bool set_capture(const struct eventlog *, enum bank, uint32_t pcrs, struct reference_set *,
    struct error *) MUST_CHECK;

/* May the set hold such an entry: its PCR is in the selection, and of this component and scope? */
bool set_entry_fits(const struct reference_set *, const struct set_entry *, struct error *) MUST_CHECK;

size_t set_packed_size(const struct reference_set *);
void   set_pack(const struct reference_set *, struct writer *);
bool   set_unpack(struct reader *, struct reference_set *, struct error *) MUST_CHECK;

/* One set as it stands in the store, in the hands of the judge. */
struct known_set {
	char                 label[NAME_TEXT];  /* "debian12/14" */
	bool                 active;            /* candidates serve the diff alone */
	bool                 own_host;          /* captured from the host being judged: HOST entries count */
	struct reference_set set;
};
#endif
