/*
 * The first byte picks the reader: 0 a log as the host sent it, else one of the packed forms that
 * workers hand to each other. What is taken must pack to the same bytes again, and what a log
 * parser takes must replay, capture and compare with itself.
 */
#include "appraise.h"
#include "bound_text.h"
#include "diff.h"
#include "facts_json.h"
#include "scope.h"
#include "tails.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { PCRS = 0x5bb7 };         /* 0,1,2,4,5,7,8,9,11,12,14 */

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
same_again(const struct reader *before, const struct reader *after, const uint8_t *again, size_t len)
{
	must((size_t)(after->pos - before->pos) == len && !memcmp(before->pos, again, len));
}

/* What a log replays to verifies without a tail, as a whole and PCR by PCR. */
static void
quote_of(const struct replay *r, enum bank b)
{
	static struct pcr_values values;
	static struct replay_states states;
	struct selection sel = { 1, { { bank_alg(b), PCRS } } };
	uint8_t is[DIGEST_MAX];
	struct tails tails;
	struct error e;
	size_t len;

	if (!replay_digest(r, &sel, BANK_SHA256, is, &len, &e))
		return;
	must(tails_find(r, &sel, BANK_SHA256, is, len, &tails, &e) && !tails.exit_boot && !tails.phases && !tails.capped);
	values = (struct pcr_values){ .there = { 0 } };
	values.there[b] = PCRS;
	memcpy(values.value[b], r->value[b], sizeof(values.value[b]));
	must(replay_states_compare(r, &values, &states, &e) && !states.differs[b]);
	is[0] ^= 1;
	must(!tails_find(r, &sel, BANK_SHA256, is, len, &tails, &e));
}

/* What is read of a log stays within its bounds, and nothing is bound that was not quoted. */
static void
facts_of(const struct eventlog *log, enum bank b)
{
	static struct boot_facts f;
	own(text_walk) struct text_walk w = { .log = log, .bank = b };
	own(json) struct json *tree = NULL;
	own(mem) char *text = NULL;
	struct bound_text t;
	struct error e;
	size_t len;

	while (bound_text_next(&w, &t))
		must(t.bound ? t.roles != 0 : !*t.text);
	boot_facts_read(log, b, 0, &f);
	must(f.secure_boot.state != SECURE_BOOT_ON && f.secure_boot.binding != FACT_BOUND);
	boot_facts_read(log, b, PCRS, &f);
	for (unsigned i = 0; i < STORE_COUNT; i++) {
		const struct key_store *s = &f.secure_boot.store[i];

		must(s->first_hash + s->hashes <= f.nhashes && s->first_cert + s->certs <= f.ncerts && s->hashes + s->certs <= s->count);
		for (unsigned k = 0; k < s->hashes; k++)
			must(key_store_has_hash(&f, (enum key_store_name)i, f.hash[s->first_hash + k]));
	}
	must(f.secure_boot.state != SECURE_BOOT_ON || (f.secure_boot.binding == FACT_BOUND && !*f.secure_boot.why));
	tree = facts_json(&f);
	must(json_print(tree, false, &text, &len, &e));
}

/* Every measurement another one than is known, and its words those of its neighbour: all of it is told. */
static void
differ_from(const struct eventlog *log, enum bank b, struct known_set *known, struct verdict *v)
{
	struct reference_set *set = &known->set;

	for (unsigned i = 0; i < set->count; i++) {
		set->entry[i].digest[0] ^= 1;
		if (i)
			memcpy(set->entry[i - 1].text, set->entry[i].text, sizeof(set->entry[i].text));
	}
	findings_start(&v->findings);
	diff_log(log, b, PCRS, known, v);
	must(v->differs > 0 && v->findings.count > 0);
	for (unsigned i = 0; i < v->findings.count; i++)
		must(*v->findings.list[i].text);
	for (unsigned i = 0; i < v->findings.ndetails; i++)
		must(v->findings.detail[i].finding < v->findings.count);
	set->count = set->count > 1 ? set->count / 2 : set->count;
	findings_start(&v->findings);
	diff_log(log, b, PCRS, known, v);
}

static void
use_log(const struct eventlog *log)
{
	static struct verdict v;
	own(set) struct reference_set set = { 0 };
	struct known_set known = { .label = "self", .own_host = true };
	struct error e;
	struct replay r;

	must(eventlog_replay(log, &r, &e));
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		quote_of(&r, b);
		if (log->banks & 1u << b)
			facts_of(log, b);
	}
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		if (!set_capture(log, b, PCRS, &set, &e))
			continue;
		known.set = set;
		v = (struct verdict){ .differs = 0 };
		diff_log(log, b, PCRS, &known, &v);
		must(v.differs == 0 && v.findings.count == 0);
		differ_from(log, b, &known, &v);
		set = known.set;
		set_free(&set);
	}
}

static void
raw(struct reader r)
{
	own(eventlog) struct eventlog log = { 0 }, back = { 0 };
	own(mem) uint8_t *buf = NULL;
	struct error e;
	struct writer w;
	size_t size;

	if (!eventlog_parse(r.pos, r.left, &log, &e))
		return;
	use_log(&log);
	size = eventlog_packed_size(&log);
	buf = malloc(size);
	must(buf != NULL);
	w = wr_open(buf, size);
	eventlog_pack(&log, &w);
	must(wr_ok(&w, &e) && w.used == size);
	r = rd_open(buf, size);
	must(eventlog_unpack(&r, &back, &e) && rd_end(&r, &e) && back.count == log.count);
}

static void
packed_log(struct reader r)
{
	own(eventlog) struct eventlog log = { 0 };
	own(mem) uint8_t *buf = NULL;
	struct reader before = r;
	struct error e;
	struct writer w;

	if (!eventlog_unpack(&r, &log, &e))
		return;
	use_log(&log);
	buf = malloc(eventlog_packed_size(&log));
	must(buf != NULL);
	w = wr_open(buf, eventlog_packed_size(&log));
	eventlog_pack(&log, &w);
	same_again(&before, &r, buf, w.used);
}

static void
packed_set(struct reader r)
{
	own(set) struct reference_set set = { 0 };
	own(mem) uint8_t *buf = NULL;
	static struct findings none;
	struct reader before = r;
	struct error e;
	struct writer w;

	if (!set_unpack(&r, &set, &e))
		return;
	none = (struct findings){ .count = 0 };
	diff_sets(&set, &set, &none);
	must(none.count == 0);
	buf = malloc(set_packed_size(&set));
	must(buf != NULL);
	w = wr_open(buf, set_packed_size(&set));
	set_pack(&set, &w);
	same_again(&before, &r, buf, w.used);
}

static void
packed_verdict(struct reader r, bool findings_alone)
{
	static struct verdict v;
	static uint8_t buf[1 << 17];
	struct reader before = r;
	struct writer w = wr_open(buf, sizeof(buf));
	struct error e;

	if (findings_alone) {
		if (!findings_unpack(&r, &v.findings, &e))
			return;
		findings_pack(&v.findings, &w);
	} else {
		if (!verdict_unpack(&r, &v, &e))
			return;
		verdict_pack(&v, &w);
	}
	same_again(&before, &r, buf, w.used);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader r = rd_open(data, len);

	switch (rd_u8(&r, "form")) {
	case 0: raw(r); break;
	case 1: packed_log(r); break;
	case 2: packed_set(r); break;
	case 3: packed_verdict(r, false); break;
	case 4: packed_verdict(r, true); break;
	}
	return 0;
}
