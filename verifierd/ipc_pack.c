/*
 * Packed forms of the structures in ipc.h. Each structure has one table of its fields, from which
 * both directions come; so neither can forget one.
 *
 * Integers are big-endian; texts and byte strings have a u16 length before them; truth values are
 * 0 or 1; a value outside its range marks the reader bad, as one that does not fit does.
 */
#include <string.h>
#include "ipc.h"
#include "scope.h"

/* --- one kind of field each, both directions --- */

static void
put_text(struct writer *w, const char *s, size_t size, const char *field)
{
	size_t n = strnlen(s, size);

	wr_be16(w, (uint16_t)n, field);
	wr_bytes(w, s, n, field);
}

static void
get_text(struct reader *r, char *out, size_t size, const char *field)
{
	size_t n = rd_be16(r, field);
	const uint8_t *p;

	*out = '\0';
	if (n >= size) {
		r->bad = r->bad ? r->bad : field;
		return;
	}
	p = rd_bytes(r, n, field);
	if (p && memchr(p, '\0', n))
		r->bad = field;
	else if (p) {
		memcpy(out, p, n);
		out[n] = '\0';
	}
}

/* One that goes into logs and onto terminals: printable ASCII without spaces, whoever made it. */
static void
get_word(struct reader *r, char *out, size_t size, const char *field)
{
	get_text(r, out, size, field);
	for (const char *p = out; *p; p++)
		if (*p <= ' ' || *p > '~')
			r->bad = field;
}

static void
put_blob(struct writer *w, const uint8_t *p, size_t n, const char *field)
{
	wr_be16(w, (uint16_t)n, field);
	wr_bytes(w, p, n, field);
}

static void
get_blob(struct reader *r, uint8_t *out, size_t size, size_t *len, const char *field)
{
	size_t n = rd_be16(r, field);
	const uint8_t *p;

	*len = 0;
	if (n > size) {
		r->bad = r->bad ? r->bad : field;
		return;
	}
	p = rd_bytes(r, n, field);
	if (p) {
		memcpy(out, p, n);
		*len = n;
	}
}

static uint32_t
get_upto(struct reader *r, uint32_t v, uint32_t limit, const char *field)
{
	if (v < limit)
		return v;
	r->bad = r->bad ? r->bad : field;
	return 0;
}

static void
put_name(struct writer *w, const struct tpm_name *n, const char *field)
{
	put_blob(w, n->bytes, n->size, field);
}

static void
get_name(struct reader *r, struct tpm_name *n, const char *field)
{
	size_t len;

	get_blob(r, n->bytes, sizeof(n->bytes), &len, field);
	n->size = (uint16_t)len;
}

static void
put_selection(struct writer *w, const struct selection *s, const char *field)
{
	wr_u8(w, (uint8_t)s->count, field);
	for (unsigned i = 0; i < s->count; i++) {
		wr_be16(w, s->bank[i].alg, field);
		wr_be32(w, s->bank[i].pcrs, field);
	}
}

static void
get_selection(struct reader *r, struct selection *s, const char *field)
{
	s->count = get_upto(r, rd_u8(r, field), TPM_SELECTIONS_MAX + 1, field);
	for (unsigned i = 0; i < s->count; i++) {
		s->bank[i].alg = rd_be16(r, field);
		s->bank[i].pcrs = rd_be32(r, field);
	}
}

static void
put_chain(struct writer *w, const struct enroll_request *q, const char *field)
{
	wr_u8(w, (uint8_t)q->chain_count, field);
	for (unsigned i = 0; i < q->chain_count && i < EK_CHAIN_MAX; i++)
		put_blob(w, q->chain[i], q->chain_len[i], field);
}

static void
get_chain(struct reader *r, struct enroll_request *q, const char *field)
{
	q->chain_count = get_upto(r, rd_u8(r, field), EK_CHAIN_MAX + 1, field);
	for (unsigned i = 0; i < q->chain_count; i++)
		get_blob(r, q->chain[i], sizeof(q->chain[i]), &q->chain_len[i], field);
}

/* Points into what is read. */
static void
get_long(struct reader *r, struct long_text *t, const char *field)
{
	uint32_t n = rd_be32(r, field);
	const uint8_t *p = rd_bytes(r, n, field);

	*t = (struct long_text){ (const char *)p, p ? n : 0 };
}

static void
put_long(struct writer *w, const struct long_text *t, const char *field)
{
	wr_be32(w, t->len, field);
	wr_bytes(w, t->p, t->len, field);
}

#define PUT_u8(f)        wr_u8(w, (uint8_t)p->f, #f)
#define PUT_u16(f)       wr_be16(w, p->f, #f)
#define PUT_u32(f)       wr_be32(w, p->f, #f)
#define PUT_u64(f)       wr_be64(w, p->f, #f)
#define PUT_i64(f)       wr_be64(w, (uint64_t)p->f, #f)
#define PUT_bool(f)      wr_u8(w, p->f, #f)
#define PUT_text(f)      put_text(w, p->f, sizeof(p->f) - 1, #f)
#define PUT_word(f)      PUT_text(f)
#define PUT_bytes(f)     wr_bytes(w, p->f, sizeof(p->f), #f)
#define PUT_blob(f)      put_blob(w, p->f, p->f##_len, #f)
#define PUT_name(f)      put_name(w, &p->f, #f)
#define PUT_selection(f) put_selection(w, &p->f, #f)
#define PUT_chain(f)     put_chain(w, p, #f)
#define PUT_long(f)      put_long(w, &p->f, #f)
#define PUT_class(f)     wr_u8(w, (uint8_t)p->f, #f)
#define PUT_op(f)        wr_u8(w, (uint8_t)p->f, #f)
#define PUT_reason(f)    wr_u8(w, (uint8_t)p->f, #f)
#define PUT_step(f)      wr_u8(w, (uint8_t)p->f, #f)
#define PUT_purpose(f)   wr_u8(w, (uint8_t)p->f, #f)
#define PUT_kind(f)      wr_u8(w, (uint8_t)p->f, #f)
#define PUT_mode(f)      wr_u8(w, (uint8_t)p->f, #f)
#define PUT_events(f)    put_events(w, p, #f)
#define PUT_modes(f)     put_modes(w, p, #f)
#define PUT_public(f)    tpm_public_pack(&p->f, w)
#define PUT(kind, f)     PUT_##kind(f);

#define GET_u16(f)       s.f = rd_be16(r, #f)
#define GET_u32(f)       s.f = rd_be32(r, #f)
#define GET_u64(f)       s.f = rd_be64(r, #f)
#define GET_i64(f)       s.f = (int64_t)rd_be64(r, #f)
#define GET_bool(f)      s.f = get_upto(r, rd_u8(r, #f), 2, #f)
#define GET_text(f)      get_text(r, s.f, sizeof(s.f), #f)
#define GET_word(f)      get_word(r, s.f, sizeof(s.f), #f)
#define GET_bytes(f)     rd_copy(r, s.f, sizeof(s.f), #f)
#define GET_blob(f)      get_blob(r, s.f, sizeof(s.f), &s.f##_len, #f)
#define GET_name(f)      get_name(r, &s.f, #f)
#define GET_selection(f) get_selection(r, &s.f, #f)
#define GET_chain(f)     get_chain(r, &s, #f)
#define GET_long(f)      get_long(r, &s.f, #f)
#define GET_class(f)     s.f = (enum evidence_class)get_upto(r, rd_u8(r, #f), CLASS_COUNT, #f)
#define GET_op(f)        s.f = (enum admin_op)get_upto(r, rd_u8(r, #f), ADMIN_COUNT, #f)
#define GET_reason(f)    s.f = (enum reason)get_upto(r, rd_u8(r, #f), REASON_COUNT, #f)
#define GET_step(f)      s.f = (enum ima_step)get_upto(r, rd_u8(r, #f), IMA_STEP_COUNT, #f)
#define GET_purpose(f)   s.f = (enum purpose)get_upto(r, rd_u8(r, #f), PURPOSE_COUNT, #f)
#define GET_kind(f)      s.f = (enum incident_kind)get_upto(r, rd_u8(r, #f), INCIDENT_COUNT, #f)
#define GET_mode(f)      s.f = (enum gate_mode)get_upto(r, rd_u8(r, #f), MODE_COUNT, #f)
#define GET_events(f)    get_events(r, &s, #f)
#define GET_modes(f)     get_modes(r, &s, #f)
#define GET_public(f)    tpm_public_read(r, &s.f)
#define GET(kind, f)     GET_##kind(f);

_Static_assert(REASON_COUNT <= 256 && ADMIN_COUNT <= 256, "reason and operation travel as one byte");

/* --- the tables --- */

#define TPM_PUBLIC(X) \
	X(u16, type) X(u16, name_alg) X(u32, attributes) X(blob, policy) X(u16, sym_alg) X(u16, sym_bits) \
	X(u16, sym_mode) X(u16, scheme) X(u16, scheme_hash) X(u16, curve) X(u16, rsa_bits) X(u32, exponent) \
	X(bytes, x) X(bytes, y) X(blob, modulus)

#define CHALLENGE_REQUEST(X) \
	X(name, ak) X(text, boot_id) X(bytes, boot_log) X(u64, boot_log_len) X(u64, ima_count) X(purpose, purpose)

#define ENROLL_REQUEST(X) \
	X(text, name) X(blob, ek_public) X(blob, ek_cert) X(chain, chain) X(blob, ak_public) X(u32, banks) X(text, token)

#define ADMIN_REQUEST(X) \
	X(op, op) X(text, host) X(text, report) X(text, set) X(text, other) X(text, digest) X(text, ek) \
	X(text, reason) X(bool, dry_run) X(text, group) X(text, scope) X(text, components) X(text, expires) X(text, class) \
	X(text, list) X(text, policy) X(text, ceiling) X(text, duration) X(text, confirm) X(text, gateway) X(text, name) X(text, audiences) \
	X(text, user) X(text, services) X(text, lease) X(bool, overrule_refusal) X(bool, code) X(long, text)

#define PROOF(X)  X(text, id) X(bytes, secret)
#define NEWEST(X) X(text, host) X(text, token)
#define REDEEM(X) X(text, code) X(text, audience) X(text, user) X(text, token)
#define ORDERS_ASK(X) X(text, host) X(text, token) X(bytes, nonce)

#define ENROLL_FACTS(X) \
	X(reason, reason) X(text, why) X(text, ek_fingerprint) X(text, ek_subject) X(i64, ek_not_after) \
	X(public, ek) X(name, ak) X(name, signer) X(blob, ak_spki) X(u16, ak_scheme_hash)

#define HOST_FACTS(X) \
	X(bool, known) X(bool, active) X(bool, revoked) X(blob, spki) X(name, signer) X(bool, seen) \
	X(text, last_boot_id) X(u32, last_reset) X(u32, last_restart) X(u64, last_clock) X(bool, gave_log) X(class, class) \
	X(bool, gave_ima) X(text, ek_subject)

#define EXPECTATION(X) \
	X(bytes, extra) X(selection, selection) X(text, boot_id)

#define IMA_ASK(X) \
	X(bool, wanted) X(bool, sent) X(bool, last) X(u64, at) X(u64, hint) X(name, ak) X(text, boot_id) \
	X(u32, policy_version) X(bytes, rules)

#define IMA_SAID(X) \
	X(step, step) X(bytes, key) X(u64, next) X(u64, entries) X(u64, violations) X(u64, pending) X(bool, refused)

#define QUOTE(X) \
	X(u32, magic) X(u16, type) X(name, signer) X(blob, extra) X(u64, clock) X(u32, reset_count) \
	X(u32, restart_count) X(bool, safe) X(u64, firmware) X(selection, selection) X(blob, pcr_digest)

#define INCIDENT(X) \
	X(kind, kind) X(word, service) X(word, user) X(reason, reason) X(word, ref) X(u32, count) X(i64, first) X(i64, last)

#define SERVICE_MODE(X) X(word, service) X(mode, mode)

#define INCIDENT_BATCH(X) X(bytes, batch) X(events, list) X(modes, mode)

/* --- the functions --- */

static void
tpm_public_pack(const struct tpm_public *p, struct writer *w)
{
	TPM_PUBLIC(PUT)
	wr_u8(w, (uint8_t)p->xy_len, "xy_len");
}

static void
tpm_public_read(struct reader *r, struct tpm_public *out)
{
	struct tpm_public s = { 0 };

	TPM_PUBLIC(GET)
	s.xy_len = get_upto(r, rd_u8(r, "xy_len"), sizeof(s.x) + 1, "xy_len");
	*out = s;
}

static void
put_events(struct writer *w, const struct incidents *all, const char *field)
{
	wr_u8(w, (uint8_t)all->count, field);
	for (unsigned i = 0; i < all->count && i < INCIDENTS_MAX; i++) {
		const struct incident *p = &all->list[i];

		INCIDENT(PUT)
	}
}

static void
get_events(struct reader *r, struct incidents *all, const char *field)
{
	all->count = get_upto(r, rd_u8(r, field), INCIDENTS_MAX + 1, field);
	for (unsigned i = 0; i < all->count; i++) {
		struct incident s = { 0 };

		INCIDENT(GET)
		all->list[i] = s;
	}
}

static void
put_modes(struct writer *w, const struct incidents *all, const char *field)
{
	wr_u8(w, (uint8_t)all->modes, field);
	for (unsigned i = 0; i < all->modes && i < INCIDENT_MODES_MAX; i++) {
		const struct service_mode *p = &all->mode[i];

		SERVICE_MODE(PUT)
	}
}

static void
get_modes(struct reader *r, struct incidents *all, const char *field)
{
	all->modes = get_upto(r, rd_u8(r, field), INCIDENT_MODES_MAX + 1, field);
	for (unsigned i = 0; i < all->modes; i++) {
		struct service_mode s = { 0 };

		SERVICE_MODE(GET)
		all->mode[i] = s;
	}
}

#define PACKED(name, TABLE)                                                              \
void                                                                                     \
name##_pack(const struct name *p, struct writer *w)                                      \
{                                                                                        \
	TABLE(PUT)                                                                       \
}                                                                                        \
bool                                                                                     \
name##_unpack(struct reader *r, struct name *out, struct error *e)                       \
{                                                                                        \
	struct name s = { 0 };                                                           \
                                                                                         \
	TABLE(GET)                                                                       \
	if (!rd_end(r, e))                                                               \
		return err_in(e, #name);                                                 \
	*out = s;                                                                        \
	return true;                                                                     \
}

PACKED(challenge_request, CHALLENGE_REQUEST)
PACKED(enroll_request, ENROLL_REQUEST)
PACKED(proof, PROOF)
PACKED(newest, NEWEST)
PACKED(redeem, REDEEM)
PACKED(orders_ask, ORDERS_ASK)
PACKED(admin_request, ADMIN_REQUEST)
PACKED(enroll_facts, ENROLL_FACTS)
PACKED(host_facts, HOST_FACTS)
PACKED(expectation, EXPECTATION)
PACKED(ima_ask, IMA_ASK)
PACKED(ima_said, IMA_SAID)
PACKED(quote, QUOTE)
PACKED(incidents, INCIDENT_BATCH)
