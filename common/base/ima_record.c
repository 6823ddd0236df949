#include <string.h>
#include "ima_record.h"
#include "scope.h"

static const char old_template[] = "ima";
enum { OLD_DIGEST = 20, PCRS = 24 };

static uint32_t
u32(struct reader *r, const struct ima_form *form, const char *field)
{
	return form->big_endian ? rd_be32(r, field) : rd_le32(r, field);
}

/* Everything before the template data. */
static bool
head_read(struct reader *r, const struct ima_form *form, struct ima_record *rec, struct error *e)
{
	rec->pcr = u32(r, form, "pcr index");
	rec->digest = rd_bytes(r, form->digest_len, "template hash");
	rec->name_len = u32(r, form, "template name length");
	if (!rd_ok(r, e))
		return false;
	if (!rec->name_len || rec->name_len > IMA_TEMPLATE_MAX)
		return err_set(e, ERR_LIMIT, "template name length %u: not 1 to %d", rec->name_len, IMA_TEMPLATE_MAX);
	rec->name = (const char *)rd_bytes(r, rec->name_len, "template name");
	return rd_ok(r, e);
}

bool
ima_form_find(const void *list, size_t len, struct ima_form *out)
{
	static const uint8_t sizes[] = { 20, 32, 48, 64 };

	for (unsigned i = 0; i < 2 * COUNT(sizes); i++) {
		const struct ima_form form = { i >= COUNT(sizes), sizes[i % COUNT(sizes)] };
		struct reader r = rd_open(list, len);
		struct ima_record rec;
		struct error e;
		uint32_t k = 0;

		if (!head_read(&r, &form, &rec, &e) || rec.pcr >= PCRS)
			continue;
		while (k < rec.name_len && rec.name[k] > 0x20 && rec.name[k] < 0x7f)
			k++;
		if (k == rec.name_len) {
			*out = form;
			return true;
		}
	}
	return false;
}

/* Without a length of its own: a digest, then a name behind its length. */
static bool
old_data(struct reader *r, const struct ima_form *form, struct ima_record *rec, struct error *e)
{
	uint32_t len;

	rec->data = rd_bytes(r, OLD_DIGEST, "file digest");
	len = u32(r, form, "file name length");
	if (rd_ok(r, e) && len > IMA_DATA_MAX)
		return err_set(e, ERR_LIMIT, "file name length %u: over %d", len, IMA_DATA_MAX);
	(void)rd_bytes(r, len, "file name");
	rec->data_len = OLD_DIGEST + 4 + len;
	return rd_ok(r, e);
}

bool
ima_record_read(struct reader *r, const struct ima_form *form, struct ima_record *out, struct error *e)
{
	struct ima_record rec = { .pcr = 0 };

	if (!head_read(r, form, &rec, e))
		return false;
	if (rec.name_len == strlen(old_template) && !memcmp(rec.name, old_template, rec.name_len)) {
		if (!old_data(r, form, &rec, e))
			return false;
	} else {
		rec.data_len = u32(r, form, "template data length");
		if (rd_ok(r, e) && rec.data_len > IMA_DATA_MAX)
			return err_set(e, ERR_LIMIT, "template data length %u: over %d", rec.data_len, IMA_DATA_MAX);
		rec.data = rd_bytes(r, rec.data_len, "template data");
		if (!rd_ok(r, e))
			return false;
	}
	*out = rec;
	return true;
}

/* One record further. *whole is false when the list ends before the record does, or where it does. */
static bool
step(struct reader *r, const struct ima_form *form, bool *whole, struct error *e)
{
	struct error why = { .code = ERR_NONE };
	struct ima_record rec;

	*whole = rd_more(r) && ima_record_read(r, form, &rec, &why);
	if (*whole || r->bad || !r->left)
		return true;
	*e = why;
	return false;
}

bool
ima_chunk_find(const void *list, size_t len, uint64_t skip, size_t room, struct ima_chunk *out, struct error *e)
{
	struct reader r = rd_open(list, len);
	struct ima_chunk chunk = { .last = true };
	struct ima_form form = { .digest_len = IMA_DIGEST_MIN };
	uint64_t n = 0;
	bool whole = true;

	if (len && !ima_form_find(list, len, &form))
		return err_set(e, ERR_FORMAT, "not a binary IMA list");
	while (whole) {
		size_t end;

		if (n == skip)
			chunk.at = r.at;
		if (!step(&r, &form, &whole, e))
			return err_in(e, "entry %llu", (unsigned long long)n);
		if (!whole)
			break;
		end = r.at;
		if (n++ < skip)
			continue;
		if (end - chunk.at > room) {
			chunk.last = false;
			break;
		}
		chunk.size = end - chunk.at;
		chunk.count++;
	}
	if (n < skip)
		return err_set(e, ERR_MISSING, "the list has %llu entries", (unsigned long long)n);
	if (!chunk.count && !chunk.last)
		return err_set(e, ERR_LIMIT, "entry %llu does not fit into %zu bytes", (unsigned long long)skip, room);
	*out = chunk;
	return true;
}
