#include <stdlib.h>
#include <string.h>
#include "hex.h"
#include "ima_template.h"
#include "imalog.h"
#include "scope.h"

enum { PACKED_VERSION = 1, LINE_SLACK = 256, HASH_HEX = 40 };

void
imalog_close(struct imalog *l)
{
	free(l->scratch);
	*l = (struct imalog){ .ascii = false };
}

bool
imalog_open(const void *buf, size_t len, uint64_t first, struct imalog *out, struct error *e)
{
	struct imalog l = { .in = rd_open(buf, len), .form = { .digest_len = IMA_DIGEST_MIN }, .next = first };
	const uint8_t *p = buf;

	if (len > IMA_FILE_MAX)
		return err_set(e, ERR_LIMIT, "the list has %zu bytes: over %d", len, IMA_FILE_MAX);
	if (len && !ima_form_find(buf, len, &l.form)) {
		l.ascii = p[0] == ' ' || (p[0] >= '0' && p[0] <= '9');
		if (!l.ascii)
			return err_set(e, ERR_FORMAT, "neither a binary nor an ascii IMA list");
		l.scratch = malloc((len < IMA_LINE_MAX ? len : IMA_LINE_MAX) + LINE_SLACK);
		if (!l.scratch)
			return err_set(e, ERR_MEMORY, "a line");
	}
	*out = l;
	return true;
}

/* A violation is logged with a template hash of zeros. */
static bool
all_zeros(const uint8_t *p, size_t n)
{
	return !p[0] && !memcmp(p, p + 1, n - 1);
}

static bool
binary_next(struct imalog *l, struct ima_entry *x, struct error *e)
{
	struct ima_record rec;

	if (!ima_record_read(&l->in, &l->form, &rec, e))
		return false;
	if (rec.pcr >= PCR_COUNT)
		return err_set(e, ERR_FORMAT, "pcr index %u: no such PCR", rec.pcr);
	if (memchr(rec.name, '\0', rec.name_len))
		return err_set(e, ERR_FORMAT, "template name: not one string");
	x->pcr = (uint8_t)rec.pcr;
	memcpy(x->name, rec.name, rec.name_len);
	memcpy(x->logged, rec.digest, l->form.digest_len);
	x->data = rec.data;
	x->data_len = rec.data_len;
	return true;
}

/* --- ascii --- */

struct line { const char *p; size_t len; };

/* Up to the next space, which is taken too. */
static struct line
word_first(struct line *l)
{
	const char *space = memchr(l->p, ' ', l->len);
	size_t n = space ? (size_t)(space - l->p) : l->len;
	struct line w = { l->p, n };

	l->p += space ? n + 1 : n;
	l->len -= space ? n + 1 : n;
	return w;
}

/* What stands behind the last space; none when there is no space. */
static bool
word_last(struct line *l, struct line *out)
{
	size_t n = l->len;

	while (n && l->p[n - 1] != ' ')
		n--;
	if (!n)
		return false;
	*out = (struct line){ l->p + n, l->len - n };
	l->len = n - 1;
	return true;
}

static bool
hex_all(struct line w, struct writer *out, const char *what, struct error *e)
{
	uint8_t *to = out->buf + out->used;
	char pair[3] = "";

	if (w.len % 2 || w.len / 2 > out->size - out->used)
		return err_set(e, ERR_FORMAT, "%s: not hex", what);
	for (size_t i = 0; i < w.len; i += 2) {
		memcpy(pair, w.p + i, 2);
		if (!hex_bytes(pair, to++, 1))
			return err_set(e, ERR_FORMAT, "%s: not hex", what);
	}
	out->used += w.len / 2;
	return true;
}

static bool
number_put(struct line w, unsigned size, struct writer *out, struct error *e)
{
	uint64_t v = 0;

	if (!w.len || w.len > 10)
		return err_set(e, ERR_FORMAT, "number: none");
	for (size_t i = 0; i < w.len; i++) {
		if (w.p[i] < '0' || w.p[i] > '9')
			return err_set(e, ERR_FORMAT, "number: not decimal");
		v = 10 * v + (uint64_t)(w.p[i] - '0');
	}
	for (unsigned i = 0; i < size; i++)
		wr_u8(out, (uint8_t)(v >> 8 * i), "number");
	return true;
}

/* "sha256:12ab…" as "sha256:" NUL and bytes; nothing as nothing. */
static bool
tagged_put(struct line w, struct writer *out, struct error *e)
{
	size_t n = w.len;

	while (n && w.p[n - 1] != ':')
		n--;
	if (!n && w.len)
		return err_set(e, ERR_FORMAT, "digest: no algorithm stands before it");
	if (!n)
		return true;
	wr_bytes(out, w.p, n, "algorithm");
	wr_u8(out, 0, "algorithm");
	return hex_all((struct line){ w.p + n, w.len - n }, out, "digest", e);
}

/* A field as it stands in a line becomes a field as it was hashed. */
static bool
field_put(enum ima_field field, struct line w, struct writer *out, struct error *e)
{
	size_t at = out->used, len;
	bool ok = true;

	wr_bytes(out, "\0\0\0", 4, "field length");
	switch (ima_field_kind(field)) {
	case IMA_DIGEST:
	case IMA_BYTES:   ok = hex_all(w, out, "field", e); break;
	case IMA_TAGGED:  ok = tagged_put(w, out, e); break;
	case IMA_NUMBER4: ok = number_put(w, 4, out, e); break;
	case IMA_NUMBER2: ok = number_put(w, 2, out, e); break;
	case IMA_TEXT:
		wr_bytes(out, w.p, w.len, "text");
		wr_u8(out, 0, "text");
		break;
	}
	if (!ok || !wr_ok(out, e))
		return false;
	len = out->used - at - 4;
	for (unsigned i = 0; i < 4; i++)
		out->buf[at + i] = (uint8_t)(len >> 8 * i);
	return true;
}

/* A digest of 20 bytes, then the name behind its length, without NUL. */
static bool
old_put(struct line rest, struct writer *out, struct error *e)
{
	struct line digest = word_first(&rest);

	if (digest.len != HASH_HEX)
		return err_set(e, ERR_FORMAT, "digest: not 20 bytes in hex");
	if (!hex_all(digest, out, "digest", e))
		return false;
	for (unsigned i = 0; i < 4; i++)
		wr_u8(out, (uint8_t)(rest.len >> 8 * i), "name length");
	wr_bytes(out, rest.p, rest.len, "name");
	return wr_ok(out, e);
}

static bool
is_hex(struct line w)
{
	for (size_t i = 0; i < w.len; i++)
		if (!memchr("0123456789abcdefABCDEF", w.p[i], 22))
			return false;
	return !(w.len % 2);
}

/*
 * Only a name may have spaces (kernels of old left them), so fields are taken from the left up to it
 * and from the right down to it. Behind an empty last field only a space stands, which editors drop.
 */
static bool
fields_split(const struct ima_template *t, struct line rest, struct line *out, struct error *e)
{
	unsigned name = 0;

	while (name < t->count && ima_field_kind(t->field[name]) != IMA_TEXT)
		name++;
	for (unsigned i = 0; i < name; i++)
		out[i] = word_first(&rest);
	if (name == t->count)
		return !rest.len || err_set(e, ERR_FORMAT, "something stands behind the last field");
	for (unsigned i = t->count - 1; i > name; i--) {
		struct line before = rest;

		if (!word_last(&rest, &out[i]))
			out[i] = (struct line){ "", 0 };
		else if (i == t->count - 1 && ima_field_kind(t->field[i]) == IMA_BYTES && !is_hex(out[i])) {
			out[i] = (struct line){ "", 0 };
			rest = before;
		}
	}
	out[name] = rest;
	return rest.len || err_set(e, ERR_FORMAT, "no file name");
}

static bool
data_put(const char *name, struct line rest, struct writer *out, struct error *e)
{
	struct line field[IMA_FIELDS_MAX];
	struct ima_template t;

	if (!ima_template_find(name, &t))
		return err_set(e, ERR_FORMAT, "template %.40s: unknown", name);
	if (t.old)
		return old_put(rest, out, e);
	if (!fields_split(&t, rest, field, e))
		return false;
	for (unsigned i = 0; i < t.count; i++)
		if (!field_put(t.field[i], field[i], out, e))
			return false;
	return true;
}

static bool
pcr_of(struct line w, uint8_t *out, struct error *e)
{
	unsigned v = 0;

	for (size_t i = 0; i < w.len && v < PCR_COUNT; i++)
		v = w.p[i] >= '0' && w.p[i] <= '9' ? 10 * v + (unsigned)(w.p[i] - '0') : PCR_COUNT;
	if (!w.len || v >= PCR_COUNT)
		return err_set(e, ERR_FORMAT, "pcr index: no such PCR");
	*out = (uint8_t)v;
	return true;
}

static bool
line_read(struct imalog *l, struct line rest, struct ima_entry *x, struct error *e)
{
	struct writer hash = wr_open(x->logged, sizeof(x->logged));
	struct writer data = wr_open(l->scratch, rest.len + LINE_SLACK);
	struct line w;

	while (rest.len && rest.p[0] == ' ')            /* a PCR is printed two wide */
		(void)word_first(&rest);
	if (!pcr_of(word_first(&rest), &x->pcr, e))
		return false;
	w = word_first(&rest);
	if (!hex_all(w, &hash, "template hash", e))
		return false;
	if (hash.used != l->form.digest_len && l->whole)
		return err_set(e, ERR_FORMAT, "template hash: %zu bytes, but %u before", hash.used, l->form.digest_len);
	if (hash.used < IMA_DIGEST_MIN)
		return err_set(e, ERR_FORMAT, "template hash: %zu bytes", hash.used);
	l->form.digest_len = (uint8_t)hash.used;
	w = word_first(&rest);
	if (!w.len || w.len > IMA_TEMPLATE_MAX)
		return err_set(e, ERR_FORMAT, "template name: not 1 to %d bytes", IMA_TEMPLATE_MAX);
	memcpy(x->name, w.p, w.len);
	if (!data_put(x->name, rest, &data, e))
		return false;
	x->data = l->scratch;
	x->data_len = (uint32_t)data.used;
	return data.used <= IMA_DATA_MAX || err_set(e, ERR_LIMIT, "template data of %zu bytes: over %d", data.used, IMA_DATA_MAX);
}

static bool
ascii_next(struct imalog *l, struct ima_entry *x, struct error *e)
{
	const uint8_t *end = memchr(l->in.pos, '\n', l->in.left);
	size_t n = end ? (size_t)(end - l->in.pos) : l->in.left;
	struct line line = { (const char *)l->in.pos, n };

	if (n > IMA_LINE_MAX)
		return err_set(e, ERR_LIMIT, "a line of %zu bytes: over %d", n, IMA_LINE_MAX);
	(void)rd_bytes(&l->in, end ? n + 1 : n, "line");
	return line_read(l, line, x, e);
}

/* --- both --- */

static bool
printable(const char *name)
{
	for (; *name; name++)
		if (*name <= 0x20 || *name > 0x7e)
			return false;
	return true;
}

static bool
entry_next(struct imalog *l, struct ima_entry *x, struct error *e)
{
	if (l->next >= IMA_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d entries", IMA_ENTRIES_MAX);
	if (!(l->ascii ? ascii_next(l, x, e) : binary_next(l, x, e)))
		return false;
	if (!printable(x->name))
		return err_set(e, ERR_FORMAT, "template name: not printable");
	x->violation = all_zeros(x->logged, l->form.digest_len);
	return true;
}

bool
imalog_next(struct imalog *l, struct ima_entry *out, bool *more, struct error *e)
{
	struct ima_entry x = { .number = l->next };

	while (l->ascii && l->in.left && *l->in.pos == '\n')
		(void)rd_bytes(&l->in, 1, "empty line");
	x.offset = l->in.at;
	*more = rd_more(&l->in);
	if (!*more)
		return true;
	if (!entry_next(l, &x, e))
		return err_in(e, "entry %llu at offset %zu", (unsigned long long)x.number, x.offset);
	l->whole = l->in.at;
	l->next++;
	*out = x;
	return true;
}

/* --- packed: version, flags, first u64, count u32, size u32, then the entries --- */

static void
entry_pack(const struct ima_entry *x, struct writer *w)
{
	size_t n = strlen(x->name);

	wr_u8(w, x->pcr, "pcr");
	wr_u8(w, x->violation, "violation");
	wr_u8(w, (uint8_t)n, "template name length");
	wr_bytes(w, x->name, n, "template name");
	wr_be32(w, x->data_len, "data length");
	wr_bytes(w, x->data, x->data_len, "data");
}

bool
imalog_pack(const void *buf, size_t len, uint64_t first, struct writer *out, struct error *e)
{
	own(imalog) struct imalog l = { .ascii = false };
	struct ima_entry x;
	struct writer head;
	uint32_t count = 0;
	size_t mark = out->used, body;
	bool more = true;

	if (len > IMA_LIST_MAX)
		return err_set(e, ERR_LIMIT, "%zu bytes of a list at once: over %d", len, IMA_LIST_MAX);
	if (!imalog_open(buf, len, first, &l, e))
		return false;
	wr_u8(out, PACKED_VERSION, "version");
	wr_u8(out, l.form.big_endian, "flags");
	wr_be64(out, first, "first entry");
	wr_be32(out, 0, "count");
	wr_be32(out, 0, "size");
	body = out->used;
	while (more) {
		if (!imalog_next(&l, &x, &more, e))
			return false;
		if (more) {
			entry_pack(&x, out);
			count++;
		}
	}
	if (!wr_ok(out, e))
		return false;
	head = wr_open(out->buf + mark + 10, 8);
	wr_be32(&head, count, "count");
	wr_be32(&head, (uint32_t)(out->used - body), "size");
	return wr_ok(&head, e);
}

bool
ima_list_open(struct reader *r, struct ima_list *out, struct error *e)
{
	struct ima_list l = { .form = { .digest_len = IMA_DIGEST_MIN } };
	unsigned version = rd_u8(r, "version"), flags = rd_u8(r, "flags");
	uint32_t size;

	l.form.big_endian = flags == 1;
	l.first = rd_be64(r, "first entry");
	l.count = rd_be32(r, "count");
	size = rd_be32(r, "size");
	l.in = rd_sub(r, size, "entries");
	if (!rd_ok(r, e))
		return err_in(e, "packed IMA list");
	if (version != PACKED_VERSION || flags > 1)
		return err_set(e, ERR_FORMAT, "packed IMA list: version %u, flags %u", version, flags);
	if (l.first > IMA_ENTRIES_MAX || l.count > IMA_ENTRIES_MAX - l.first)
		return err_set(e, ERR_LIMIT, "packed IMA list: more than %d entries", IMA_ENTRIES_MAX);
	if (!l.count && size)
		return err_set(e, ERR_FORMAT, "packed IMA list: %u bytes without an entry", size);
	*out = l;
	return true;
}

static bool
entry_unpack(struct reader *r, struct ima_entry *x, struct error *e)
{
	unsigned violation, n;

	x->offset = r->at;
	x->pcr = rd_u8(r, "pcr");
	violation = rd_u8(r, "violation");
	n = rd_u8(r, "template name length");
	if (rd_ok(r, e) && (!n || n > IMA_TEMPLATE_MAX || violation > 1 || x->pcr >= PCR_COUNT))
		return err_set(e, ERR_FORMAT, "pcr %u, violation %u, template name of %u bytes", x->pcr, violation, n);
	x->violation = violation;
	rd_copy(r, x->name, n, "template name");
	x->data_len = rd_be32(r, "data length");
	x->data = rd_bytes(r, x->data_len, "data");
	if (!rd_ok(r, e))
		return false;
	if (strlen(x->name) != n || !printable(x->name))
		return err_set(e, ERR_FORMAT, "template name: not printable");
	return x->data_len <= IMA_DATA_MAX || err_set(e, ERR_LIMIT, "data length %u: over %d", x->data_len, IMA_DATA_MAX);
}

bool
ima_list_next(struct ima_list *l, struct ima_entry *out, struct error *e)
{
	struct ima_entry x = { .number = l->first + l->read };

	if (l->read == l->count)
		return err_set(e, ERR_LIMIT, "packed IMA list: no more than %u entries", l->count);
	if (!entry_unpack(&l->in, &x, e))
		return err_in(e, "packed IMA list: entry %llu", (unsigned long long)x.number);
	if (++l->read == l->count && !rd_end(&l->in, e))
		return err_in(e, "packed IMA list");
	*out = x;
	return true;
}
