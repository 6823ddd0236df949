#include <stdlib.h>
#include <string.h>
#include "ima_rules.h"
#include "packed_text.h"
#include "scope.h"

enum { RULES_VERSION = 1, EXCLUDES_TEXT_MAX = IMA_EXCLUDES_MAX * (PATTERN_MAX + 1) };

void
ima_rules_free(struct ima_rules *r)
{
	free(r->exclude_text);
	free(r->key);
	allow_list_free(&r->allow);
	*r = (struct ima_rules){ .mode = IMA_MODE_OFF };
}

/* One text holds all patterns, so that it can move: they are pointed at anew each time. */
bool
ima_rules_exclude(struct ima_rules *r, const char *pattern, size_t len, struct error *e)
{
	size_t used = 0;
	char *more, *at;

	if (!pattern_check(pattern, len, e))
		return false;
	if (r->nexcludes == IMA_EXCLUDES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d patterns", IMA_EXCLUDES_MAX);
	for (unsigned i = 0; i < r->nexcludes; i++)
		used += strlen(r->exclude[i]) + 1;
	more = realloc(r->exclude_text, used + len + 1);
	if (!more)
		return err_set(e, ERR_MEMORY, "pattern");
	r->exclude_text = more;
	for (size_t i = 0; i < len; i++)        /* as the kernel writes it */
		more[used + i] = pattern[i] == ' ' ? '_' : pattern[i];
	more[used + len] = '\0';
	r->nexcludes++;
	at = more;
	for (unsigned i = 0; i < r->nexcludes; i++) {
		r->exclude[i] = at;
		at += strlen(at) + 1;
	}
	return true;
}

bool
ima_rules_join(struct ima_rules *r, const struct allow_list *list, struct error *e)
{
	struct allow_list both;

	if (!allow_list_join(&r->allow, list, &both, e))
		return false;
	allow_list_free(&r->allow);
	r->allow = both;
	return true;
}

/* --- packed --- */

size_t
ima_rules_packed_size(const struct ima_rules *r)
{
	size_t size = 64 + r->nkeys * (sizeof(struct ima_key) + 4) + r->nlists * (size_t)(NAME_TEXT + 2) + r->allow.packed_len;

	for (unsigned i = 0; i < r->nexcludes; i++)
		size += strlen(r->exclude[i]) + 2;
	return size;
}

void
ima_rules_pack(const struct ima_rules *r, struct writer *w)
{
	wr_u8(w, RULES_VERSION, "version");
	wr_u8(w, (uint8_t)r->mode, "mode");
	wr_u8(w, (uint8_t)r->violations, "violations");
	wr_be32(w, r->pcrs, "pcrs");
	wr_be16(w, (uint16_t)r->nexcludes, "excludes");
	for (unsigned i = 0; i < r->nexcludes; i++) {
		wr_be16(w, (uint16_t)strlen(r->exclude[i]), "exclude");
		wr_bytes(w, r->exclude[i], strlen(r->exclude[i]), "exclude");
	}
	wr_u8(w, (uint8_t)r->nkeys, "keys");
	for (unsigned i = 0; i < r->nkeys; i++) {
		packed_text_put(r->key[i].keyring, w);
		wr_bytes(w, r->key[i].id, sizeof(r->key[i].id), "key id");
		wr_be16(w, (uint16_t)r->key[i].spki_len, "key length");
		wr_bytes(w, r->key[i].spki, r->key[i].spki_len, "key");
	}
	wr_u8(w, (uint8_t)r->nlists, "allow lists");
	for (unsigned i = 0; i < r->nlists; i++)
		packed_text_put(r->list[i], w);
	wr_be32(w, (uint32_t)r->allow.packed_len, "allow list length");
	wr_bytes(w, r->allow.packed, r->allow.packed_len, "allow list");
}

static bool
head_unpack(struct reader *in, struct ima_rules *r, struct error *e)
{
	unsigned version = rd_u8(in, "version"), mode = rd_u8(in, "mode"), violations = rd_u8(in, "violations");

	r->pcrs = rd_be32(in, "pcrs");
	if (!rd_ok(in, e))
		return false;
	if (version != RULES_VERSION || mode >= IMA_MODE_COUNT || violations >= IMA_VIOLATION_COUNT || r->pcrs >> PCR_COUNT ||
	    __builtin_popcount(r->pcrs) > IMA_PCRS_MAX)
		return err_set(e, ERR_FORMAT, "version %u, mode %u, violations %u, pcrs 0x%x", version, mode, violations, r->pcrs);
	r->mode = (enum ima_mode)mode;
	r->violations = (enum ima_on_violation)violations;
	return true;
}

static bool
excludes_unpack(struct reader *in, struct ima_rules *r, struct error *e)
{
	unsigned count = rd_be16(in, "excludes");

	for (unsigned i = 0; i < count && !in->bad; i++) {
		size_t len = rd_be16(in, "exclude");
		const char *text = (const char *)rd_bytes(in, len, "exclude");

		if (!rd_ok(in, e) || memchr(text, ' ', len) || !ima_rules_exclude(r, text, len, e))
			return in->bad ? false : err_set(e, ERR_FORMAT, "exclude %u: no pattern", i);
	}
	return rd_ok(in, e);
}

static bool
keys_unpack(struct reader *in, struct ima_rules *r, struct error *e)
{
	unsigned count = rd_u8(in, "keys");

	if (count > IMA_KEYS_MAX)
		return err_set(e, ERR_LIMIT, "%u keys", count);
	r->key = count ? calloc(count, sizeof(*r->key)) : NULL;
	if (count && !r->key)
		return err_set(e, ERR_MEMORY, "%u keys", count);
	for (; r->nkeys < count; r->nkeys++) {
		struct ima_key *k = &r->key[r->nkeys];

		if (!packed_text_take(in, k->keyring, sizeof(k->keyring), e))
			return false;
		rd_copy(in, k->id, sizeof(k->id), "key id");
		k->spki_len = rd_be16(in, "key length");
		if (rd_ok(in, e) && (!k->spki_len || k->spki_len > sizeof(k->spki)))
			return err_set(e, ERR_LIMIT, "a key of %zu bytes", k->spki_len);
		rd_copy(in, k->spki, in->bad ? 0 : k->spki_len, "key");
		if (!rd_ok(in, e))
			return false;
	}
	return rd_ok(in, e);
}

static bool
lists_unpack(struct reader *in, struct ima_rules *r, struct error *e)
{
	unsigned count = rd_u8(in, "allow lists");

	if (count > IMA_LISTS_MAX)
		return err_set(e, ERR_LIMIT, "%u allow lists", count);
	for (; r->nlists < count; r->nlists++)
		if (!packed_text_take(in, r->list[r->nlists], NAME_TEXT, e))
			return false;
	return rd_ok(in, e);
}

bool
ima_rules_unpack(struct reader *in, struct ima_rules *out, struct error *e)
{
	own(ima_rules) struct ima_rules r = { .mode = IMA_MODE_OFF };
	const uint8_t *allow;
	uint32_t len;

	if (!head_unpack(in, &r, e) || !excludes_unpack(in, &r, e) || !keys_unpack(in, &r, e) || !lists_unpack(in, &r, e))
		return err_in(e, "IMA rules");
	len = rd_be32(in, "allow list length");
	allow = rd_bytes(in, len, "allow list");
	if (!rd_ok(in, e) || (len && !allow_list_open(allow, len, &r.allow, e)))
		return err_in(e, "IMA rules");
	*out = r;
	r = (struct ima_rules){ .mode = IMA_MODE_OFF };
	return true;
}
