#include "evidence.h"

/* Tag and length of a part. */
enum { PART_HEAD = 1 + 4 };

static const struct {
	uint8_t     tag;
	const char *name;
	size_t      at, lo, hi;
	bool        required;
} kinds[] = {
#define X(tag, NAME, field, lo, hi, required) { tag, #field, offsetof(struct evidence, field), lo, hi, required },
	EVIDENCE_PARTS(X)
#undef X
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct part *
part_of(struct evidence *ev, unsigned i)
{
	return (struct part *)(void *)((char *)ev + kinds[i].at);
}

static const struct part *
part_in(const struct evidence *ev, unsigned i)
{
	return (const struct part *)(const void *)((const char *)ev + kinds[i].at);
}

static bool
size_fits(unsigned i, size_t len, struct error *e)
{
	if (len > kinds[i].hi)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes, at most %zu", kinds[i].name, len, kinds[i].hi);
	return len >= kinds[i].lo ||
	    err_set(e, ERR_FORMAT, "%s: %zu bytes, at least %zu", kinds[i].name, len, kinds[i].lo);
}

/* The place in the table of the next part; tags rise, so it is at or after from. */
static bool
kind_of(uint8_t tag, unsigned from, unsigned *kind, struct error *e)
{
	for (unsigned i = 0; i < KINDS; i++)
		if (kinds[i].tag == tag) {
			*kind = i;
			return i >= from || err_set(e, ERR_FORMAT, "%s: out of order or given twice", kinds[i].name);
		}
	return err_set(e, ERR_FORMAT, "part %u: no such part", tag);
}

bool
evidence_read(const void *buf, size_t len, struct evidence *out, struct error *e)
{
	struct reader r = rd_open(buf, len);
	struct evidence ev = { 0 };
	unsigned next = 0, kind = 0;
	uint8_t version;

	if (len > EVIDENCE_MAX)
		return err_set(e, ERR_LIMIT, "evidence: over %d bytes", EVIDENCE_MAX);
	version = rd_u8(&r, "version");
	if (!rd_ok(&r, e))
		return false;
	if (version != EVIDENCE_VERSION)
		return err_set(e, ERR_FORMAT, "version %u, not %d", version, EVIDENCE_VERSION);
	while (rd_more(&r)) {
		uint8_t tag = rd_u8(&r, "tag");
		uint32_t size = rd_be32(&r, "length");
		struct part *part;

		if (!rd_ok(&r, e) || !kind_of(tag, next, &kind, e) || !size_fits(kind, size, e))
			return false;
		part = part_of(&ev, kind);
		part->p = rd_bytes(&r, size, kinds[kind].name);
		part->len = size;
		part->there = true;
		next = kind + 1;
	}
	if (!rd_end(&r, e))
		return false;
	for (unsigned i = 0; i < KINDS; i++)
		if (kinds[i].required && !part_of(&ev, i)->there)
			return err_set(e, ERR_FORMAT, "%s: missing", kinds[i].name);
	*out = ev;
	return true;
}

static uint64_t
number_in(const struct part *p, unsigned which)
{
	struct reader r = rd_open(p->p + 8 * which, 8);

	return rd_be64(&r, "number");
}

struct ima_place
evidence_ima_place(const struct evidence *ev)
{
	struct ima_place place = { .from = ev->ima_from.there ? number_in(&ev->ima_from, 0) : 0 };

	place.at = ev->ima_at.there ? number_in(&ev->ima_at, 0) : place.from;
	place.count = ev->ima_at.there ? number_in(&ev->ima_at, 1) : 0;
	return place;
}

size_t
evidence_size(const struct evidence *ev)
{
	size_t size = 1;

	for (unsigned i = 0; i < KINDS; i++)
		if (part_in(ev, i)->there)
			size += PART_HEAD + part_in(ev, i)->len;
	return size;
}

bool
evidence_write(const struct evidence *ev, struct writer *w, struct error *e)
{
	if (evidence_size(ev) > EVIDENCE_MAX)
		return err_set(e, ERR_LIMIT, "evidence: over %d bytes", EVIDENCE_MAX);
	wr_u8(w, EVIDENCE_VERSION, "version");
	for (unsigned i = 0; i < KINDS; i++) {
		const struct part *part = part_in(ev, i);

		if (!part->there) {
			if (kinds[i].required)
				return err_set(e, ERR_FORMAT, "%s: missing", kinds[i].name);
			continue;
		}
		if (!size_fits(i, part->len, e))
			return false;
		wr_u8(w, kinds[i].tag, "tag");
		wr_be32(w, (uint32_t)part->len, "length");
		wr_bytes(w, part->p, part->len, kinds[i].name);
	}
	return wr_ok(w, e);
}
