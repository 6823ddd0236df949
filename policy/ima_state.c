/* The state of an IMA walk as it is stored: version, key, accepted, sure, quote, walked, maybe. */
#include <string.h>
#include "check_ima.h"
#include "scope.h"

enum { STATE_VERSION = 1, WAYS = (1 << IMA_WAY_COUNT) - 1 };

bool
ima_key_digest(const struct ima_boot *b, uint8_t out[static SHA256_SIZE])
{
	uint8_t buf[512];
	struct writer w = wr_open(buf, sizeof(buf));
	struct error e;

	wr_be16(&w, b->ak.size, "ak");
	wr_bytes(&w, b->ak.bytes, b->ak.size, "ak");
	wr_be32(&w, b->reset_count, "reset count");
	wr_be32(&w, b->restart_count, "restart count");
	wr_be16(&w, (uint16_t)strlen(b->boot_id), "boot id");
	wr_bytes(&w, b->boot_id, strlen(b->boot_id), "boot id");
	wr_be32(&w, b->policy_version, "policy version");
	wr_bytes(&w, b->rules, sizeof(b->rules), "rules");
	return wr_ok(&w, &e) && digest_sha256(buf, w.used, out);
}

static void
position_pack(const struct ima_position *p, struct writer *w)
{
	wr_be64(w, p->entries, "entries");
	wr_u8(w, p->npcrs, "pcrs");
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		wr_u8(w, p->ways[b], "ways");
		for (unsigned k = 0; k < p->npcrs; k++)
			for (unsigned way = 0; way < IMA_WAY_COUNT; way++)
				if (p->ways[b] & 1u << way)
					wr_bytes(w, p->value[b][k][way], bank_size(b), "value");
	}
}

static bool
position_unpack(struct reader *r, struct ima_position *p, struct error *e)
{
	p->entries = rd_be64(r, "entries");
	p->npcrs = rd_u8(r, "pcrs");
	if (rd_ok(r, e) && (p->entries > IMA_ENTRIES_MAX || p->npcrs > IMA_PCRS_MAX))
		return err_set(e, ERR_LIMIT, "%llu entries, %u PCRs", (unsigned long long)p->entries, p->npcrs);
	for (enum bank b = 0; b < BANK_COUNT && !r->bad; b++) {
		p->ways[b] = rd_u8(r, "ways");
		if (p->ways[b] > WAYS)
			return err_set(e, ERR_FORMAT, "ways 0x%x", p->ways[b]);
		for (unsigned k = 0; k < p->npcrs; k++)
			for (unsigned way = 0; way < IMA_WAY_COUNT; way++)
				if (p->ways[b] & 1u << way)
					rd_copy(r, p->value[b][k][way], bank_size(b), "value");
	}
	return rd_ok(r, e);
}

static void
found_pack(const struct ima_found *f, struct writer *w)
{
	const uint64_t count[] = { f->judged, f->excluded, f->violations, f->unknown, f->unsigned_files, f->bad_signatures, f->others };

	for (unsigned i = 0; i < COUNT(count); i++)
		wr_be64(w, count[i], "count");
	wr_u8(w, (uint8_t)(f->bad | f->warned << 1 | f->kexec << 2), "flags");
	if (f->bad)
		finding_pack(&f->first, w);
}

static bool
found_unpack(struct reader *r, struct ima_found *f, struct error *e)
{
	uint64_t *const count[] = { &f->judged, &f->excluded, &f->violations, &f->unknown, &f->unsigned_files, &f->bad_signatures, &f->others };
	unsigned flags;

	for (unsigned i = 0; i < COUNT(count); i++)
		*count[i] = rd_be64(r, "count");
	flags = rd_u8(r, "flags");
	if (!rd_ok(r, e))
		return false;
	if (flags > 7)
		return err_set(e, ERR_FORMAT, "flags %u", flags);
	f->bad = flags & 1;
	f->warned = flags & 2;
	f->kexec = flags & 4;
	return !f->bad || finding_unpack(r, &f->first, e);
}

void
ima_state_pack(const struct ima_state *s, struct writer *w)
{
	wr_u8(w, STATE_VERSION, "version");
	wr_bytes(w, s->key, sizeof(s->key), "key");
	position_pack(&s->accepted, w);
	found_pack(&s->sure, w);
	wr_bytes(w, s->quote, sizeof(s->quote), "quote");
	position_pack(&s->walked, w);
	found_pack(&s->maybe, w);
}

bool
ima_state_unpack(struct reader *r, struct ima_state *out, struct error *e)
{
	struct ima_state s = { .accepted = { .entries = 0 } };
	unsigned version = rd_u8(r, "version");

	if (rd_ok(r, e) && version != STATE_VERSION)
		return err_set(e, ERR_FORMAT, "IMA state: version %u", version);
	rd_copy(r, s.key, sizeof(s.key), "key");
	if (!position_unpack(r, &s.accepted, e) || !found_unpack(r, &s.sure, e))
		return err_in(e, "IMA state: accepted");
	rd_copy(r, s.quote, sizeof(s.quote), "quote");
	if (!position_unpack(r, &s.walked, e) || !found_unpack(r, &s.maybe, e))
		return err_in(e, "IMA state: walked");
	*out = s;
	return true;
}
