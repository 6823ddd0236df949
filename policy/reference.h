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

enum {
	SET_ENTRIES_MAX = 4096, SET_TEXT = 512, SETS_MAX = 64, SET_PACKED_MAX = 4 << 20,
	SET_KEYS_MAX = 8192,                    /* of all entries together */
	KEY_ID_SIZE = 8,
};

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

/*
 * Whom an entry serves. It follows from its set, component and PCR: see scope_in().
 * FLEET: each host of the group. HOST: the host that it came from, and in a set that grants its boot
 * entry to the group also one that boots the very same; PCR 8, 9 and 12 always.
 * NAMED: the kernel beside which a host's part was approved. It has to stand in the log, but the
 * permission to boot it comes from another set; when that one ends, so does this boot entry.
 */
#define SCOPES(X) X(FLEET, "fleet") X(HOST, "host") X(NAMED, "named")
enum scope {
#define X(name, word) SCOPE_##name,
	SCOPES(X)
#undef X
	SCOPE_COUNT
};
const char *scope_word(enum scope);

struct set_entry {
	enum component component;
	enum scope     scope;
	uint8_t        pcr;
	uint32_t       type;                    /* for people; never matched */
	uint8_t        digest[DIGEST_MAX];      /* in the set's bank */
	char           text[SET_TEXT];          /* for people and the diff; cut when longer */
	bool           text_bound;              /* text hashed to digest when it was captured */
	/*
	 * What a variable of keys (db, dbx ...) held, for the diff: of each entry the first KEY_ID_SIZE
	 * bytes of its image hash or of its certificate's SHA-256, ascending. None: not known.
	 */
	unsigned       nkeys;
	const uint8_t *keys;                    /* in the set's pool */
};

/*
 * What a set is made of. `parts` (bit = component) are those that it grants. With the boot entry
 * among them and PCR 8, 9 and 12 in `pcrs` it also has the part of the host that it came from;
 * without, but with entries of the boot entry, it is such a host's part alone, for a kernel that
 * another set grants.
 */
struct reference_set {
	enum bank         bank;
	uint32_t          pcrs;                 /* that it speaks about; one without an entry has to be empty */
	unsigned          parts;
	bool              host_only;            /* all that it grants, it grants to its own host alone */
	bool              values;               /* entries are values of PCRs, one each, not measurements */
	unsigned          count;
	struct set_entry *entry;                /* in measuring order */
	uint8_t          *keys;                 /* pool */
};
void set_free(struct reference_set *);
static inline void drop_set(struct reference_set *s) { set_free(s); }

/* Does this event extend one of these PCRs in this bank? */
bool event_counts(const struct event *, enum bank, uint32_t pcrs);

/* Makes a set of the events of one log that replayed to its quote (the caller has seen to that). */
bool set_capture(const struct eventlog *, enum bank, uint32_t pcrs, struct reference_set *,
    struct error *) MUST_CHECK;
/* The same of some of it. With host_part and without the boot entry in parts: that host's part alone. */
struct set_want { unsigned parts; bool host_part, host_only; };
bool set_capture_some(const struct eventlog *, enum bank, uint32_t pcrs, const struct set_want *,
    struct reference_set *, struct error *) MUST_CHECK;


/*
 * A set of raw values, for a host whose log cannot be used: those of the firmware's and Secure Boot's PCRs that are
 * judged by value. They hashed to the quoted digest (the caller has seen to that).
 */
struct pcr_values;
bool set_of_values(const struct pcr_values *, enum bank, bool host_only, struct reference_set *, struct error *) MUST_CHECK;
/* PCR 0, 2 and 7: what says most and changes least. */
uint32_t pinned_pcrs(void);

/* PCRs that differ on each machine of a model: GRUB's commands and files, command lines given from outside. */
uint32_t   host_pcrs(void);
enum scope scope_in(const struct reference_set *, enum component, unsigned pcr);
/* Is there anything in it that serves more than the host it came from? */
bool set_serves_group(const struct reference_set *);
bool set_has_host_part(const struct reference_set *);

/* May the set hold such an entry: its PCR is in the selection, and of this component and scope? */
bool set_entry_fits(const struct reference_set *, const struct set_entry *, struct error *) MUST_CHECK;
/* Is what its head says true of the whole? For a set that was read. */
bool set_whole(const struct reference_set *, struct error *) MUST_CHECK;

/* Entries whose keys point elsewhere, as a reader leaves them, get copies of their own. */
bool set_keys_own(struct reference_set *, struct error *) MUST_CHECK;
/* Are they in order, and of an entry that may have some? */
bool set_keys_fit(const struct set_entry *, struct error *) MUST_CHECK;

size_t set_packed_size(const struct reference_set *);
void   set_pack(const struct reference_set *, struct writer *);
bool   set_unpack(struct reader *, struct reference_set *, struct error *) MUST_CHECK;

/* One set as it stands in the store, in the hands of the judge. */
struct known_set {
	char                 label[NAME_TEXT];  /* "debian12/14" */
	bool                 active;            /* candidates serve the diff alone */
	bool                 own_host;          /* captured from the host being judged */
	bool                 revoked;           /* never active: what stands in it is refused, see match_revoked() */
	unsigned             revoked_parts;     /* bit = component that is refused by itself; 0: the boot as a whole is */
	struct reference_set set;
};
#endif
