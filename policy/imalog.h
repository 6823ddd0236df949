/*
 * imalog.h - an IMA measurement list, binary or ascii, entry by entry; and its packed form.
 *
 * The list is read in the parse worker and handed to the judge as packed entries. Those hold the
 * template data as the kernel hashed it and nothing that was derived from it: the judge hashes the
 * data anew in every bank (ima_template.h) and reads digest and path out of the same bytes, so that
 * a parser that lies makes a list that does not replay.
 */
#ifndef IMALOG_H
#define IMALOG_H
#include "digest.h"
#include "ima_record.h"
#include "writer.h"

enum { IMA_LIST_MAX = 8 << 20 /* what is packed at once */, IMA_FILE_MAX = 256 << 20, IMA_LINE_MAX = 2 * IMA_DATA_MAX };

struct ima_entry {
	uint64_t       number;          /* in the whole list of this boot, from 0 */
	size_t         offset;          /* in this list's bytes */
	uint8_t        pcr;
	bool           violation;       /* logged with a hash of zeros: the bank is extended with ff over its width */
	char           name[IMA_TEMPLATE_MAX + 1];      /* of the template: "ima-ng", or a list of fields "d-ng|n-ng" */
	const uint8_t *data;            /* template data; the old "ima": digest, u32 length, name */
	uint32_t       data_len;
	uint8_t        logged[IMA_DIGEST_MAX];          /* template hash as the list has it, digest_len bytes */
};

/* A place in a list. It owns what it reads ascii lines into; entries hold until the next one is read. */
struct imalog {
	struct reader   in;
	struct ima_form form;
	bool            ascii;
	uint64_t        next;           /* number of the entry that comes next */
	size_t          whole;          /* bytes up to the end of the last whole entry */
	uint8_t        *scratch;
};

/* The list begins with entry `first` of the boot. ERR_FORMAT/ERR_LIMIT. An empty list is one without entries. */
bool imalog_open(const void *buf, size_t len, uint64_t first, struct imalog *, struct error *) MUST_CHECK;
/* *more is false at the end, and then there is no entry. "entry 12 at offset 7485: template data: does not fit …" */
bool imalog_next(struct imalog *, struct ima_entry *, bool *more, struct error *) MUST_CHECK;
void imalog_close(struct imalog *);
static inline void drop_imalog(struct imalog *l) { imalog_close(l); }   /* own(imalog) struct imalog l = { 0 }; */

/* Parse worker: a list into packed entries. out has ima_packed_max(len) bytes of room or more. */
static inline size_t ima_packed_max(size_t len) { return 2 * len + 64; }
bool imalog_pack(const void *buf, size_t len, uint64_t first, struct writer *out, struct error *) MUST_CHECK;

/* Judge: packed entries, again as untrusted bytes. The list owns nothing. */
struct ima_list {
	struct reader   in;
	struct ima_form form;
	uint64_t        first;          /* number of the first entry */
	uint32_t        count, read;
};
/* Reads the head; r is left behind the whole list. */
bool ima_list_open(struct reader *r, struct ima_list *, struct error *) MUST_CHECK;
/* To be called count times; the list's end is checked behind the last. */
bool ima_list_next(struct ima_list *, struct ima_entry *, struct error *) MUST_CHECK;
#endif
