#include <string.h>
#include "audit.h"
#include "parts.h"

static bool
row_hash(const struct audit_row *r, uint8_t out[static SHA256_SIZE])
{
	uint8_t buf[2048], number[8], at[8];
	struct writer w = wr_open(buf, sizeof(buf)), n = wr_open(number, 8), t = wr_open(at, 8);

	wr_be64(&n, (uint64_t)r->number, "number");
	wr_be64(&t, (uint64_t)r->at, "at");
	part_put(&w, "pam-attest audit 1", 18, "tag");
	part_put(&w, number, sizeof(number), "number");
	part_put(&w, at, sizeof(at), "at");
	part_put(&w, r->who, strlen(r->who), "who");
	part_put(&w, r->action, strlen(r->action), "action");
	part_put(&w, r->subject, strlen(r->subject), "subject");
	part_put(&w, r->why, strlen(r->why), "why");
	part_put(&w, r->before, strlen(r->before), "before");
	part_put(&w, r->after, strlen(r->after), "after");
	part_put(&w, r->previous, sizeof(r->previous), "previous");
	return !w.bad && digest_sha256(buf, w.used, out);
}

bool
audit_add(struct store *s, struct audit_row *r, struct error *e)
{
	struct audit_row last = { 0 };

	if (!store_audit_last(s, &last, e) && e->code != ERR_MISSING)
		return false;
	r->number = last.number + 1;
	memcpy(r->previous, last.hash, sizeof(r->previous));
	return row_hash(r, r->hash) ? store_audit_add(s, r, e) : err_set(e, ERR_CRYPTO, "audit: no hash");
}

bool
audit_count(struct store *s, int64_t *count, struct error *e)
{
	struct audit_row last = { 0 };

	if (!store_audit_last(s, &last, e) && e->code != ERR_MISSING)
		return false;
	*count = last.number;
	return true;
}

bool
audit_follows(const struct audit_row *r, const struct audit_row *previous)
{
	static const struct audit_row none;
	uint8_t hash[SHA256_SIZE];

	if (!previous)
		previous = &none;
	return r->number == previous->number + 1 && same_bytes(r->previous, previous->hash, SHA256_SIZE) &&
	    row_hash(r, hash) && same_bytes(r->hash, hash, SHA256_SIZE);
}
