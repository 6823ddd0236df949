/*
 * ima_record.h - the records of the kernel's binary IMA list, one after another and unjudged.
 *
 * Linux, Documentation/security/IMA-templates.rst and ima_fs.c: pcr u32, template hash, template
 * name behind its u32 length, template data behind its u32 length (the old template "ima" has no
 * length: 20 bytes, then a name behind its u32 length). Whoever sends a list, from entry N on and
 * up to a limit, finds the records' bounds with this; what they mean is policy/imalog.h's.
 */
#ifndef IMA_RECORD_H
#define IMA_RECORD_H
#include "reader.h"

enum {
	IMA_ENTRIES_MAX  = 1000000,     /* in one boot */
	IMA_DATA_MAX     = 1 << 20,     /* template data of one entry */
	IMA_TEMPLATE_MAX = 128,         /* bytes of a template's name, without NUL */
	IMA_RECORD_MIN   = 4 + 20 + 4 + 1 + 4,  /* bytes of the smallest record */
	IMA_DIGEST_MIN   = 20, IMA_DIGEST_MAX = 64,
};

/* How the list was written: CPU byte order, and which bank's template hash stands in it (SHA-1's but in *_measurements_sha256 and the like). */
struct ima_form { bool big_endian; uint8_t digest_len; };

struct ima_record {                     /* points into the list */
	uint32_t       pcr;
	const uint8_t *digest;          /* form.digest_len bytes */
	const char    *name;            /* of the template; name_len bytes, no NUL */
	uint32_t       name_len;
	const uint8_t *data;            /* of the old template: digest, length and name as they stand */
	uint32_t       data_len;
};

/* Told by the first record; false when it is one in no form. Needs that record whole. */
bool ima_form_find(const void *list, size_t len, struct ima_form *);

/* The next record; r stands behind it then. ERR_FORMAT when it does not fit (r->bad is set), ERR_LIMIT. */
bool ima_record_read(struct reader *, const struct ima_form *, struct ima_record *, struct error *) MUST_CHECK;

/*
 * Bytes that hold `skip` entries from the start, and behind them as many whole entries as fit into
 * `room` bytes: at and size of the chunk, and how many entries it has. Less than `skip` entries:
 * ERR_MISSING. An entry that is not finished at the end is left out.
 */
struct ima_chunk { size_t at, size; uint64_t count; bool last; };       /* last: nothing whole stands behind it */
bool ima_chunk_find(const void *list, size_t len, uint64_t skip, size_t room, struct ima_chunk *, struct error *) MUST_CHECK;
#endif
