/*
 * TCG Canonical Event Log (CEL) 1.0, sections 4 and 5: binary TLV and CBOR. Both are read here with
 * bounds of their own, CBOR too: definite lengths and a depth are all that a record needs.
 */
#include <string.h>
#include "log_parser.h"

enum {
	FIELD_NUMBER = 0, FIELD_DIGESTS = 3, FIELD_CONTENT_TYPE = 9, FIELD_CONTENT = 10,
	PCCLIENT_TYPE = 0, PCCLIENT_DATA = 1,
	NV_HANDLE_MIN = 0x01000000, NV_HANDLE_MAX = 0x01ffffff,
	CEL_DIGESTS_MAX = 16, CBOR_DEPTH_MAX = 8, CBOR_ITEMS_MAX = 256,
};

bool
cel_number(struct parser *p, uint64_t number, struct error *e)
{
	if (number < p->number || number == UINT64_MAX)
		return err_set(e, ERR_FORMAT, "record number %llu: does not rise", (unsigned long long)number);
	p->number = number + 1;
	return true;
}

/* PCRs and a confidential VM's registers do not mix; what goes into an NV index goes into no PCR. */
bool
cel_register(struct parser *p, struct event *ev, uint64_t where, uint64_t index, struct error *e)
{
	enum registers is = where == CEL_CC_REGISTER ? REGISTERS_RTMR : REGISTERS_PCR;

	if (where == CEL_NV_INDEX) {
		if (index < NV_HANDLE_MIN || index > NV_HANDLE_MAX)
			return err_set(e, ERR_FORMAT, "NV index 0x%llx: no such handle", (unsigned long long)index);
		ev->type = EV_NO_ACTION;
	} else if (where != CEL_PCR && where != CEL_CC_REGISTER) {
		return err_set(e, ERR_FORMAT, "register of kind %llu: unknown", (unsigned long long)where);
	} else if (index >= PCR_COUNT) {
		return err_set(e, ERR_FORMAT, "pcr index %llu: no such PCR", (unsigned long long)index);
	} else if (p->log->count && p->log->registers != is) {
		return err_set(e, ERR_FORMAT, "PCRs and RTMRs in one log");
	} else {
		p->log->registers = is;
	}
	ev->pcr = (uint32_t)index;
	return true;
}

/* A hash that this project does not know is stepped over. */
bool
cel_digest(struct parser *p, struct event *ev, uint64_t alg, const uint8_t *digest, size_t n, struct error *e)
{
	enum bank bank;

	if (alg > UINT16_MAX || !bank_of_alg((uint16_t)alg, &bank))
		return true;
	if (n != bank_size(bank))
		return err_set(e, ERR_FORMAT, "digest of %zu bytes: not that of %s", n, bank_word(bank));
	if (ev->banks & 1u << bank)
		return err_set(e, ERR_FORMAT, "digest of %s: there twice", bank_word(bank));
	memcpy(ev->digest[bank], digest, n);
	ev->banks |= (uint8_t)(1u << bank);
	p->log->banks |= ev->banks;
	return true;
}

bool
cel_content(struct parser *p, struct event *ev, uint64_t type, const uint8_t *data, size_t n, struct error *e)
{
	bool elsewhere = ev->type == EV_NO_ACTION;      /* an NV index: cel_register() */

	if (n > EVENT_DATA_MAX)
		return err_set(e, ERR_LIMIT, "event size %zu: over %d", n, EVENT_DATA_MAX);
	if (type > UINT32_MAX)
		return err_set(e, ERR_FORMAT, "event type %llu", (unsigned long long)type);
	ev->data_len = (uint32_t)n;
	if (!elsewhere)
		ev->type = (uint32_t)type;
	return parser_end(p, ev, data, e);
}

/* --- TLV: type u8, length u32 big-endian, value --- */

struct tlv { uint8_t type; struct reader value; const uint8_t *whole; size_t size; };

static struct tlv
tlv_take(struct reader *r, const char *field)
{
	struct tlv t = { .whole = r->pos };
	uint32_t len;

	t.type = rd_u8(r, field);
	len = rd_be32(r, field);
	t.value = rd_sub(r, len, field);
	t.size = (size_t)len + 5;
	return t;
}

/* An integer of at most eight bytes. */
static uint64_t
tlv_number(struct reader *value)
{
	uint64_t n = 0;

	if (!value->left || value->left > 8)
		value->bad = value->bad ? value->bad : "number";
	while (rd_more(value))
		n = n << 8 | rd_u8(value, "number");
	return n;
}

/*
 * Record 0, then a register. Read as a TCG record it would be an S-CRTM version whose digest begins
 * with zeros and the length of a register.
 */
bool
is_cel_tlv(const struct reader *in)
{
	struct reader r = *in;
	struct tlv number = tlv_take(&r, "number"), where = tlv_take(&r, "register");

	return !r.bad && number.type == FIELD_NUMBER && number.value.left == 8 && tlv_number(&number.value) == 0 &&
	    (where.type == CEL_PCR || where.type == CEL_NV_INDEX || where.type == CEL_CC_REGISTER) && where.value.left <= 4;
}

static bool
tlv_digests(struct parser *p, struct event *ev, struct tlv list, struct error *e)
{
	if (list.type != FIELD_DIGESTS)
		return err_set(e, ERR_FORMAT, "field %u: not the digests", list.type);
	for (unsigned i = 0; rd_more(&list.value); i++) {
		struct tlv d = tlv_take(&list.value, "digest");

		if (i == CEL_DIGESTS_MAX)
			return err_set(e, ERR_LIMIT, "more than %d digests", CEL_DIGESTS_MAX);
		if (!rd_ok(&list.value, e) || !cel_digest(p, ev, d.type, d.value.pos, d.value.left, e))
			return false;
	}
	return rd_end(&list.value, e);
}

static bool
tlv_pcclient(struct parser *p, struct event *ev, struct reader r, struct error *e)
{
	struct tlv type = tlv_take(&r, "event type"), data = tlv_take(&r, "event data");
	uint64_t number = tlv_number(&type.value);

	if (!rd_end(&r, e) || !rd_ok(&type.value, e))
		return false;
	if (type.type != PCCLIENT_TYPE || data.type != PCCLIENT_DATA)
		return err_set(e, ERR_FORMAT, "fields %u and %u: not event type and data", type.type, data.type);
	return cel_content(p, ev, number, data.value.pos, data.value.left, e);
}

/* Other contents are hashed as they stand, type and length included. */
static bool
tlv_record(struct parser *p, struct error *e)
{
	struct tlv number = tlv_take(&p->in, "record number"), where = tlv_take(&p->in, "register");
	struct tlv digests = tlv_take(&p->in, "digests"), content = tlv_take(&p->in, "content");
	struct event *ev;

	if (!rd_ok(&p->in, e) || !parser_add(p, &ev, e))
		return false;
	ev->offset = p->fault.offset;
	if (number.type != FIELD_NUMBER)
		return err_set(e, ERR_FORMAT, "field %u: not the record number", number.type);
	if (!cel_number(p, tlv_number(&number.value), e) || !rd_ok(&number.value, e) ||
	    !cel_register(p, ev, where.type, tlv_number(&where.value), e) || !rd_ok(&where.value, e) ||
	    !tlv_digests(p, ev, digests, e))
		return false;
	return content.type == CEL_PCCLIENT ? tlv_pcclient(p, ev, content.value, e) :
	    cel_content(p, ev, EV_CEL(content.type), content.whole, content.size, e);
}

bool
cel_tlv_read(struct parser *p, struct error *e)
{
	if (!parser_start(p, LOG_CEL_TLV, e))
		return false;
	while (rd_more(&p->in)) {
		parser_here(p);
		if (!tlv_record(p, e))
			return false;
	}
	return rd_ok(&p->in, e);
}

/* --- CBOR (RFC 8949), definite lengths alone --- */

enum major { UINT = 0, NEGATIVE = 1, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5, TAG = 6, SIMPLE = 7 };

static enum major
cbor_head(struct reader *r, uint64_t *arg, const char *field)
{
	uint8_t first = rd_u8(r, field), info = first & 31;

	*arg = info;
	if (info >= 28 && !r->bad)
		r->bad = field;         /* reserved, or a length that is not told */
	if (info >= 24 && info < 28) {
		*arg = 0;
		for (unsigned n = 1u << (info - 24); n; n--)
			*arg = *arg << 8 | rd_u8(r, field);
	}
	if (r->bad)
		*arg = 0;
	return (enum major)(first >> 5);
}

static bool
cbor_ok(const struct reader *r, struct error *e)
{
	return !r->bad || err_set(e, ERR_FORMAT, "%s: missing or of another kind, at offset %zu", r->bad, r->at);
}

static uint64_t
cbor_take(struct reader *r, enum major want, const char *field)
{
	uint64_t arg;

	if (cbor_head(r, &arg, field) != want && !r->bad)
		r->bad = field;
	return r->bad ? 0 : arg;
}

static struct reader
cbor_bytes(struct reader *r, const char *field)
{
	uint64_t n = cbor_take(r, BYTES, field);

	return rd_sub(r, n < SIZE_MAX ? (size_t)n : SIZE_MAX, field);
}

/* A key of a map: an integer, and this one. */
static void
cbor_key(struct reader *r, uint64_t key, const char *field)
{
	if (cbor_take(r, UINT, field) != key && !r->bad)
		r->bad = field;
}

/* Steps over one item, whatever it is. */
static void
cbor_skip(struct reader *r, unsigned depth, unsigned *items)
{
	uint64_t n, parts = 0;
	enum major major = cbor_head(r, &n, "content");

	if (r->bad)
		return;
	if (depth == CBOR_DEPTH_MAX || ++*items > CBOR_ITEMS_MAX)
		r->bad = "content nested or divided too far";
	else if (major == BYTES || major == TEXT)
		(void)rd_bytes(r, n < SIZE_MAX ? (size_t)n : SIZE_MAX, "content");
	else if (major == ARRAY || major == TAG)
		parts = major == TAG ? 1 : n;
	else if (major == MAP)
		parts = n > CBOR_ITEMS_MAX ? n : 2 * n;
	for (; parts && !r->bad; parts--)
		cbor_skip(r, depth + 1, items);
}

bool
is_cel_cbor(const struct reader *in)
{
	return in->left && in->pos[0] >> 5 == ARRAY;
}

static bool
cbor_digests(struct parser *p, struct event *ev, struct error *e)
{
	uint64_t count = cbor_take(&p->in, ARRAY, "digests");

	if (count > CEL_DIGESTS_MAX)
		return err_set(e, ERR_LIMIT, "%llu digests: over %d", (unsigned long long)count, CEL_DIGESTS_MAX);
	for (uint64_t i = 0; i < count && !p->in.bad; i++) {
		uint64_t alg, fields = cbor_take(&p->in, MAP, "digest");
		struct reader d;

		if (fields != 2 && !p->in.bad)
			p->in.bad = "digest";
		cbor_key(&p->in, 0, "hash algorithm");
		alg = cbor_take(&p->in, UINT, "hash algorithm");
		cbor_key(&p->in, 1, "digest");
		d = cbor_bytes(&p->in, "digest");
		if (cbor_ok(&p->in, e) && !cel_digest(p, ev, alg, d.pos, d.left, e))
			return false;
	}
	return cbor_ok(&p->in, e);
}

static bool
cbor_content(struct parser *p, struct event *ev, struct error *e)
{
	uint64_t kind, type, fields;
	const uint8_t *start;
	struct reader data;
	unsigned items = 0;

	cbor_key(&p->in, FIELD_CONTENT_TYPE, "content type");
	kind = cbor_take(&p->in, UINT, "content type");
	cbor_key(&p->in, FIELD_CONTENT, "content");
	start = p->in.pos;
	if (kind > UINT8_MAX)
		return err_set(e, ERR_FORMAT, "content type %llu", (unsigned long long)kind);
	if (kind != CEL_PCCLIENT) {
		cbor_skip(&p->in, 0, &items);
		return cbor_ok(&p->in, e) && cel_content(p, ev, EV_CEL(kind), start, (size_t)(p->in.pos - start), e);
	}
	fields = cbor_take(&p->in, MAP, "content");
	if (fields != 2 && !p->in.bad)
		p->in.bad = "content";
	cbor_key(&p->in, PCCLIENT_TYPE, "event type");
	type = cbor_take(&p->in, UINT, "event type");
	cbor_key(&p->in, PCCLIENT_DATA, "event data");
	data = cbor_bytes(&p->in, "event data");
	return cbor_ok(&p->in, e) && cel_content(p, ev, type, data.pos, data.left, e);
}

/* {0: number, 1 or 2: register, 3: digests, 9: content type, 10: content}, in this order. */
static bool
cbor_record(struct parser *p, struct error *e)
{
	uint64_t fields, number, where, index;
	struct event *ev;

	if (!parser_add(p, &ev, e))
		return false;
	fields = cbor_take(&p->in, MAP, "record");
	if (fields != 5 && !p->in.bad)
		p->in.bad = "record";
	cbor_key(&p->in, FIELD_NUMBER, "record number");
	number = cbor_take(&p->in, UINT, "record number");
	where = cbor_take(&p->in, UINT, "register");
	index = cbor_take(&p->in, UINT, "register");
	cbor_key(&p->in, FIELD_DIGESTS, "digests");
	return cbor_ok(&p->in, e) && cel_number(p, number, e) && cel_register(p, ev, where, index, e) &&
	    cbor_digests(p, ev, e) && cbor_content(p, ev, e);
}

bool
cel_cbor_read(struct parser *p, struct error *e)
{
	uint64_t count = cbor_take(&p->in, ARRAY, "records");

	if (!cbor_ok(&p->in, e) || !parser_start(p, LOG_CEL_CBOR, e))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		parser_here(p);
		if (!cbor_record(p, e))
			return false;
	}
	return rd_end(&p->in, e);
}
