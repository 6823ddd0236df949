/*
 * The first byte picks the reader: 0 a list as the host sent it, 1 packed entries, 2 a state, 3 packed rules,
 * 4 an allow list's text, 5 its packed form, 6 rules in JSON, 7 an appended signature, 8 a file of others that
 * becomes an allow list. What is taken must come out the same again; a quote of any entry of a list that is taken
 * must be reached by the walk.
 */
#include "check_ima.h"
#include "ima_signature.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static const uint8_t key[SHA256_SIZE];
static struct replay boot;                      /* all zeros, as PCRs are before the first extend */
static struct findings findings;

/* A quote of PCR 10 alone, behind this many entries. */
static bool
quote_of(struct ima_list list, uint32_t entries, struct quote *q)
{
	own(hashers) struct hashers h = { { NULL } };
	uint8_t value[DIGEST_MAX] = { 0 };
	struct ima_entry x;
	struct error e;

	*q = (struct quote){ .selection = { 1, { { 0x000b, 1u << 10 } } }, .pcr_digest_len = SHA256_SIZE };
	for (uint32_t i = 0; i < entries; i++) {
		if (!ima_list_next(&list, &x, &e) || x.pcr != 10 ||
		    !ima_extend(&h, BANK_SHA256, i % 2 && x.violation ? IMA_WAY_PADDED : IMA_WAY_REAL, &x, list.form.big_endian, value))
			return false;
	}
	return digest_sha256(value, SHA256_SIZE, q->pcr_digest);
}

static void
walk(const struct ima_list *list, uint32_t entries, uint64_t work)
{
	struct ima_rules rules = { .mode = IMA_MODE_ALLOW_LIST, .pcrs = 1u << 10, .violations = IMA_VIOLATION_WARN };
	struct ima_state s = { .accepted = { .entries = 0 } };
	struct quote q;
	struct ima_walk in = { .quote = &q, .scheme = BANK_SHA256, .boot = &boot, .rules = &rules, .key = key, .list = *list,
	    .hint = entries % 3 ? entries : 0, .last = true, .work = work };
	struct ima_answer a;
	struct error e;

	if (list->first || !quote_of(*list, entries, &q))
		return;
	for (unsigned i = 0; i <= list->count; i++) {
		findings_start(&findings);
		must(check_ima(&s, &in, &s, &findings, &a, &e));
		must(a.outcome != IMA_REFUSED || findings.count);
		must(a.outcome != IMA_MATCHED || s.accepted.entries <= entries);
		must(a.outcome == IMA_MATCHED || !s.accepted.entries);
		if (a.outcome != IMA_MORE)
			break;
	}
	must(a.outcome != IMA_MORE && (!entries || a.reason != REASON_IMA_MISMATCH || s.sure.bad));
}

static void
packed_list(struct reader r)
{
	struct ima_list list, from;
	struct ima_fields f;
	struct ima_entry x;
	struct error e;
	uint32_t n = 0;

	if (!ima_list_open(&r, &list, &e))
		return;
	for (from = list; n < list.count && ima_list_next(&from, &x, &e); n++)
		(void)!ima_fields_read(&x, list.form.big_endian, &f, &e);
	if (n == list.count && n < 64) {
		walk(&list, n, IMA_WORK_MAX);
		walk(&list, n / 2, 1);
	}
}

static void
raw(struct reader r)
{
	own(imalog) struct imalog l = { .ascii = false };
	own(mem) uint8_t *buf = malloc(ima_packed_max(r.left));
	struct writer w = wr_open(buf, ima_packed_max(r.left));
	struct ima_list list;
	struct ima_entry x, y;
	struct ima_chunk c;
	struct error e;
	bool more = true;

	must(buf != NULL);
	(void)!ima_chunk_find(r.pos, r.left, 1, 100, &c, &e);
	if (!imalog_pack(r.pos, r.left, 0, &w, &e))
		return;
	must(imalog_open(r.pos, r.left, 0, &l, &e));
	r = rd_open(buf, w.used);
	must(ima_list_open(&r, &list, &e) && rd_end(&r, &e));
	packed_list(rd_open(buf, w.used));
	for (uint32_t i = 0; i < list.count; i++) {
		must(imalog_next(&l, &x, &more, &e) && more && ima_list_next(&list, &y, &e));
		must(x.number == y.number && x.data_len == y.data_len && !memcmp(x.data, y.data, x.data_len) && !strcmp(x.name, y.name) &&
		    x.pcr == y.pcr && x.violation == y.violation);
	}
	must(imalog_next(&l, &x, &more, &e) && !more);
}

static void
state(struct reader r)
{
	static struct ima_state s;
	uint8_t buf[IMA_STATE_PACKED_MAX];
	struct writer w = wr_open(buf, sizeof(buf));
	struct reader before = r;
	struct error e;

	if (!ima_state_unpack(&r, &s, &e))
		return;
	ima_state_pack(&s, &w);
	must(wr_ok(&w, &e) && (size_t)(r.pos - before.pos) == w.used && !memcmp(before.pos, buf, w.used));
}

static void
look_up(const struct allow_list *l)
{
	static const uint8_t digest[DIGEST_MAX] = { 0x11, 0x11 };
	const struct ima_fields f = { .judged = true, .alg = IMA_ALG_SHA256, .digest = digest, .path = "/usr/bin/true", .path_len = 13 };
	char text[ALLOWED_TEXT];
	uint64_t steps = 0;

	allow_list_expect(l, &f);
	(void)allow_list_holds(l, &f, &steps);
	(void)allow_list_of_path(l, "/usr/bin/true", 13, text);
}

static void
packed_rules(struct reader r)
{
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF };
	own(mem) uint8_t *buf = NULL;
	struct reader before = r;
	struct writer w;
	struct error e;

	if (!ima_rules_unpack(&r, &rules, &e))
		return;
	look_up(&rules.allow);
	buf = malloc(ima_rules_packed_size(&rules));
	must(buf != NULL);
	w = wr_open(buf, ima_rules_packed_size(&rules));
	ima_rules_pack(&rules, &w);
	must(wr_ok(&w, &e) && (size_t)(r.pos - before.pos) == w.used && !memcmp(before.pos, buf, w.used));
}

/* Written and read again it is the same, to the byte. */
static void
list_again(const struct allow_list *l)
{
	own(allow_list) struct allow_list back = { .count = 0 };
	own(mem) char *text = NULL;
	struct error e;
	size_t len;

	look_up(l);
	must(allow_list_write(l, &text, &len, &e) && allow_list_read(text, len, &back, &e));
	must(back.packed_len == l->packed_len && !memcmp(back.packed, l->packed, l->packed_len));
}

static void
list_text(struct reader r)
{
	own(allow_list) struct allow_list l = { .count = 0 };
	struct error e;

	if (allow_list_read((const char *)r.pos, r.left, &l, &e))
		list_again(&l);
}

static void
list_packed(struct reader r)
{
	own(allow_list) struct allow_list l = { .count = 0 }, none = { .count = 0 }, both = { .count = 0 };
	struct error e;

	if (!allow_list_open(r.pos, r.left, &l, &e))
		return;
	look_up(&l);
	if (allow_list_join(&l, &none, &both, &e))
		list_again(&both);
}

static void
rules_json(struct reader r)
{
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF }, back = { .mode = IMA_MODE_OFF };
	own(json) struct json *j = NULL, *again = NULL;
	struct error e;

	if (!json_parse((const char *)r.pos, r.left, &j, &e) || !ima_rules_read(j, &rules, &e))
		return;
	again = ima_rules_json(&rules);
	must(ima_rules_read(again, &back, &e) && back.nkeys == rules.nkeys && back.nexcludes == rules.nexcludes && back.allow.count == rules.allow.count);
}

/* No key is known, so whatever it is, nothing has signed it. */
static void
appended(struct reader r)
{
	static const uint8_t digest[DIGEST_MAX];
	static const struct ima_rules none;
	own(ima_keys) struct ima_keys keys = { .rules = &none };
	struct ima_fields f = { .judged = true, .alg = IMA_ALG_SHA256, .digest = digest, .path = "/a", .path_len = 2, .modsig_digest = digest,
	    .modsig_alg = IMA_ALG_SHA256, .modsig = { r.pos, r.left } };
	unsigned tried = 0;
	struct error why;

	must(ima_signature_check(&keys, &f, &tried, &why) != IMA_SIGNED);
	f.sig = f.modsig;
	f.modsig.len = 0;
	must(ima_signature_check(&keys, &f, &tried, &why) != IMA_SIGNED);
}

static void
foreign(struct reader r)
{
	own(allow_list) struct allow_list l = { .count = 0 };
	own(mem) char *excludes = NULL;
	struct error e;

	if (allow_list_import((const char *)r.pos, r.left, &l, &excludes, &e))
		list_again(&l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = rd_open(data, len);

	switch (rd_u8(&r, "form")) {
	case 0: raw(r); break;
	case 1: packed_list(r); break;
	case 2: state(r); break;
	case 3: packed_rules(r); break;
	case 4: list_text(r); break;
	case 5: list_packed(r); break;
	case 6: rules_json(r); break;
	case 7: appended(r); break;
	case 8: foreign(r); break;
	}
	return 0;
}
