/*
 * ima_file.h - the kernel's IMA measurement list, read by entry and never held as a whole.
 *
 * securityfs shows no size; the list only grows within a boot, to 10^5 entries and more. So places in it are
 * remembered, and a look at what is new reads what is new. Where a record ends is known here (ima_record.h); what it
 * means is the verifier's to say.
 */
#ifndef IMA_FILE_H
#define IMA_FILE_H
#include "ima_record.h"
#include "reason.h"

enum { IMA_CHUNK = 256 << 10 };              /* bytes of one part, unless a single entry is longer */

struct ima_mark { uint64_t entry, offset; };

struct ima_file {
	int      fd;
	bool     absent;
	struct ima_mark start, end;          /* the first entry that was asked for last, and the end as last seen */
	struct ima_form form;
	bool     formed;                     /* told by the first record, for the whole list */
	/* bytes that were read and not yet walked over: buf[at..have), which end at offset pos of the file */
	uint8_t *buf;
	size_t   room, have, at;
	uint64_t pos;
};

/* Opens it, as root; an empty path or a file that is not there is an absent list, which is no error. */
void ima_open(const char *path, struct ima_file *, struct error *);
/* Gives the buffer back between attestations; the marks stay. */
void ima_release(struct ima_file *);
void ima_close(struct ima_file *);
static inline void drop_ima_file(struct ima_file *l) { ima_close(l); }

/* Entries that the list has now: reads on from the end that was seen last. ima-unreadable when it cannot be read. */
enum reason ima_count(struct ima_file *, uint64_t *count, struct error *);

/* Whole entries from `from` on, up to max bytes but at least one, if there is one. p is valid until the next call. */
struct ima_part { const uint8_t *p; size_t len; uint64_t entries; };
enum reason ima_read(struct ima_file *, uint64_t from, size_t max, struct ima_part *, struct error *);
#endif
