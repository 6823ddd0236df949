/* Walks over IMA lists: what a quote covers, what sticks, what it may cost. */
#include "made_ima.h"
#include "made_log.h"

enum { PCRS = 1 << 0 | 1 << 4 | 1 << 7 | 1 << 10 };

/* One host: its boot log, its list as it grows, and the verifier's side of it. */
struct host {
	struct made_log  made;
	struct eventlog  log;
	struct made_ima  ima;
	struct ima_rules rules;
	struct ima_state state;
	struct findings *findings;
	struct selection sel;
	uint8_t          key[SHA256_SIZE];
	uint64_t         work;
};

static void
allow(struct host *h, const char *path, const char *content)
{
	own(allow_build) struct allow_build b = { .count = 0 };
	own(allow_list) struct allow_list list = { .count = 0 };
	uint8_t is[SHA256_SIZE];
	struct error e;

	ck_assert(digest_sha256(content, strlen(content), is));
	ck_assert_msg(allow_build_add(&b, false, IMA_ALG_SHA256, is, path, strlen(path), &e), "%s", e.why);
	ck_assert(allow_build_end(&b, &list, &e) && ima_rules_join(&h->rules, &list, &e));
}

static void
host_open(struct host *h, uint8_t banks)
{
	*h = (struct host){ .rules = { .mode = IMA_MODE_ALLOW_LIST, .pcrs = 1u << 10 }, .work = IMA_WORK_MAX,
	    .sel = { 1, { { bank_alg(BANK_SHA256), PCRS } } } };
	h->findings = calloc(1, sizeof(*h->findings));
	ck_assert_ptr_nonnull(h->findings);
	made_open(&h->made, banks);
	made_text(&h->made, 0, EV_IPL, "firmware");
	made_text(&h->made, 4, EV_IPL, "loader");
	made_text(&h->made, 9, EV_IPL, "kernel");
	made_parse(&h->made, &h->log);
	made_ima_aggregate(&h->ima, &h->log);
	allow(h, "/usr/bin/true", "true");
	allow(h, "/usr/lib/**", "library");
}

static void
host_free(struct host *h)
{
	made_free(&h->made);
	eventlog_free(&h->log);
	made_ima_free(&h->ima);
	ima_rules_free(&h->rules);
	free(h->findings);
}
static inline void drop_host(struct host *h) { host_free(h); }

/* The state goes through its packed form each time, as it does on its way to the store and back. */
static void
through_store(struct ima_state *s)
{
	uint8_t buf[IMA_STATE_PACKED_MAX];
	struct writer w = wr_open(buf, sizeof(buf));
	struct ima_state back;
	struct reader r;
	struct error e;

	ima_state_pack(s, &w);
	ck_assert_msg(wr_ok(&w, &e), "%s", e.why);
	r = rd_open(buf, w.used);
	ck_assert_msg(ima_state_unpack(&r, &back, &e) && rd_end(&r, &e), "%s", e.why);
	*s = back;
}

/* Entries from to, under this quote. */
static void
step(struct host *h, const struct quote *q, uint64_t from, uint64_t to, uint64_t hint, bool last, struct ima_answer *a)
{
	own(mem) uint8_t *packed = NULL;
	struct ima_walk in = { .quote = q, .scheme = BANK_SHA256, .log = &h->log, .rules = &h->rules, .key = h->key, .hint = hint,
	    .last = last, .work = h->work };
	struct error e = { .code = ERR_NONE };

	in.list = made_ima_packed(&h->ima, from, to, &packed);
	findings_start(h->findings);
	ck_assert_msg(check_ima(&h->state, &in, &h->state, h->findings, a, &e), "%s", e.why);
	through_store(&h->state);
}

/* A quote of how things stand, and all that the verifier has not accepted. */
static struct ima_answer
attest(struct host *h)
{
	struct ima_answer a;
	struct quote q;

	made_ima_quote(&h->log, &h->ima, IMA_WAY_REAL, &h->sel, &q);
	step(h, &q, h->state.accepted.entries, h->ima.count, h->ima.count, true, &a);
	return a;
}

#define refused(a, code) ck_assert_msg((a).outcome == IMA_REFUSED && (a).reason == (code), "outcome %d, %s", (a).outcome, reason_code((a).reason))
#define matched(a, code) ck_assert_msg((a).outcome == IMA_MATCHED && (a).reason == (code), "outcome %d, %s", (a).outcome, reason_code((a).reason))

START_TEST(known_files_pass)
{
	own(host) struct host h;
	struct ima_answer a;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	made_ima_file(&h.ima, "/usr/lib/x/y.so", "library");
	a = attest(&h);
	matched(a, REASON_OK);
	ck_assert(a.next == 3 && !a.pending && a.ways[BANK_SHA256] == 1u << IMA_WAY_REAL && !h.findings->count);
	ck_assert_mem_eq(a.values.value[BANK_SHA256][10], h.ima.value[BANK_SHA256][0], 32);
	/* Nothing new: the stored value is the quoted one. */
	a = attest(&h);
	matched(a, REASON_OK);
	ck_assert_uint_eq(a.next, 3);
}
END_TEST

/* What was measured after the quote stays pending, even when it is bad; the next quote covers it. */
START_TEST(pending_until_quoted)
{
	own(host) struct host h;
	struct ima_answer a;
	struct quote q;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	made_ima_file(&h.ima, "/usr/bin/true", "other");
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	step(&h, &q, 0, 4, 2, true, &a);
	matched(a, REASON_OK);
	ck_assert(a.next == 2 && a.pending == 2 && !h.findings->count);
	a = attest(&h);
	refused(a, REASON_IMA_UNKNOWN_FILE);
	ck_assert_uint_eq(h.state.accepted.entries, 2);
}
END_TEST

/* Whatever the host says of the count. */
START_TEST(hints)
{
	static const uint64_t hint[] = { 0, 1, 2, 3, 70, 200, 1000, UINT64_MAX };

	for (unsigned i = 0; i < COUNT(hint); i++) {
		own(host) struct host h;
		struct ima_answer a;
		struct quote q;

		host_open(&h, 1u << BANK_SHA256);
		for (unsigned n = 0; n < 199; n++)
			made_ima_file(&h.ima, "/usr/bin/true", "true");
		made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
		for (unsigned n = 0; n < 100; n++)
			made_ima_file(&h.ima, "/usr/bin/true", "true");
		step(&h, &q, 0, 300, hint[i], true, &a);
		matched(a, REASON_OK);
		ck_assert(a.next == 200 && a.pending == 100);
	}
}
END_TEST

/* Row 40: a bad entry, then a clean delta: still refused. Another list: judged anew, from the start. */
START_TEST(row_40_no_amnesty)
{
	own(host) struct host h;
	struct ima_answer a;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	matched(attest(&h), REASON_OK);
	made_ima_file(&h.ima, "/usr/bin/evil", "evil");
	a = attest(&h);
	refused(a, REASON_IMA_UNKNOWN_FILE);
	ck_assert_uint_eq(a.next, 2);
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	for (unsigned i = 0; i < 3; i++) {
		a = attest(&h);
		refused(a, REASON_IMA_UNKNOWN_FILE);
		ck_assert(h.findings->count == 1 && strstr(h.findings->list[0].text, "/usr/bin/evil"));
	}
	/* The allow list changed: the owner's key is another one, and so is the state. */
	allow(&h, "/usr/bin/evil", "evil");
	h.key[0] ^= 1;
	a = attest(&h);
	ck_assert(a.outcome == IMA_MORE && a.next == 0);        /* it was asked for entry 2 on */
	a = attest(&h);
	matched(a, REASON_OK);
	ck_assert_uint_eq(a.next, 4);
}
END_TEST

/* Row 15: the state of the boot before does not serve the next one. */
START_TEST(row_15_reboot)
{
	own(host) struct host h, again;
	struct ima_answer a;
	struct quote q;
	struct ima_boot boot = { .ak = { 4, { 1, 2, 3, 4 } }, .reset_count = 7, .boot_id = "0f7e1a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b", .policy_version = 3 };

	host_open(&h, 1u << BANK_SHA256);
	ck_assert(ima_key_digest(&boot, h.key));
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	matched(attest(&h), REASON_OK);
	/* After a reboot PCR 10 begins anew. */
	host_open(&again, 1u << BANK_SHA256);
	again.state = h.state;
	boot.reset_count++;
	ck_assert(ima_key_digest(&boot, again.key));
	made_ima_file(&again.ima, "/usr/lib/a", "library");
	made_ima_quote(&again.log, &again.ima, IMA_WAY_REAL, &again.sel, &q);
	step(&again, &q, 2, 2, 2, true, &a);            /* nothing new, it says, after a resume for one: all of it is asked for */
	ck_assert(a.outcome == IMA_MORE && a.next == 0);
	step(&again, &q, 0, 2, 2, true, &a);
	matched(a, REASON_OK);
	ck_assert_uint_eq(a.next, 2);
	/* The same key with the state of the boot before: its values do not lead to this quote. */
	again.state = h.state;
	memcpy(again.key, h.key, sizeof(again.key));
	step(&again, &q, 0, 2, 2, true, &a);
	refused(a, REASON_IMA_MISMATCH);
}
END_TEST

START_TEST(each_of_the_key_counts)
{
	struct ima_boot boot = { .ak = { 4, { 1, 2, 3, 4 } }, .reset_count = 7, .boot_id = "0f7e1a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b" }, other[6];
	uint8_t is[SHA256_SIZE], than[SHA256_SIZE];

	for (unsigned i = 0; i < COUNT(other); i++)
		other[i] = boot;
	other[0].ak.bytes[0]++;
	other[1].reset_count++;
	other[2].restart_count++;
	other[3].boot_id[0] = '1';
	other[4].policy_version++;
	other[5].rules[31]++;
	ck_assert(ima_key_digest(&boot, is));
	for (unsigned i = 0; i < COUNT(other); i++)
		ck_assert(ima_key_digest(&other[i], than) && memcmp(is, than, sizeof(is)) != 0);
}
END_TEST

/* Row 28: absence and mixtures satisfy nothing. */
START_TEST(row_28_absence)
{
	own(host) struct host h, none;
	struct ima_answer a;
	struct quote q;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	made_ima_file(&h.ima, "/usr/lib/a", "library");
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	step(&h, &q, 0, 0, 0, true, &a);        /* no list */
	refused(a, REASON_IMA_MISSING);
	step(&h, &q, 0, 2, 3, true, &a);        /* its end left out */
	refused(a, REASON_IMA_MISMATCH);
	step(&h, &q, 1, 3, 3, true, &a);        /* its beginning left out */
	ck_assert(a.outcome == IMA_MORE && a.next == 0);
	ck_assert_uint_eq(h.state.accepted.entries, 0);
	/* An empty PCR 10, with a list beside it that nothing binds. */
	host_open(&none, 1u << BANK_SHA256);
	memset(none.ima.value, 0, sizeof(none.ima.value));
	a = attest(&none);
	refused(a, REASON_IMA_MISSING);
	/* The quote does not cover PCR 10 at all. */
	none.sel.bank[0].pcrs &= ~(1u << 10);
	a = attest(&none);
	refused(a, REASON_IMA_MISSING);
}
END_TEST

/* Entries in another order, one changed, one more, one twice: no such list leads to the quote. */
START_TEST(no_other_list_matches)
{
	static const char *const paths[][4] = {
		{ "/usr/lib/b", "/usr/lib/a", NULL, NULL }, { "/usr/lib/a", "/usr/lib/c", NULL, NULL },
		{ "/usr/lib/a", "/usr/lib/c", "/usr/lib/b", NULL }, { "/usr/lib/a", "/usr/lib/a", "/usr/lib/b", NULL }, { "/usr/lib/b", NULL, NULL, NULL },
	};

	for (unsigned i = 0; i < COUNT(paths); i++) {
		own(host) struct host h, lies;
		struct ima_answer a;
		struct quote q;

		host_open(&h, 1u << BANK_SHA256);
		made_ima_file(&h.ima, "/usr/lib/a", "library");
		made_ima_file(&h.ima, "/usr/lib/b", "library");
		made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
		host_open(&lies, 1u << BANK_SHA256);
		for (unsigned k = 0; k < 4 && paths[i][k]; k++)
			made_ima_file(&lies.ima, paths[i][k], "library");
		step(&lies, &q, 0, lies.ima.count, 3, true, &a);
		refused(a, REASON_IMA_MISMATCH);
		ck_assert(!lies.state.sure.bad);        /* nothing was proved of this host: it may try again */
	}
}
END_TEST

START_TEST(in_chunks)
{
	own(host) struct host h;
	struct ima_answer a;
	struct quote q, other;

	host_open(&h, 1u << BANK_SHA256);
	for (unsigned i = 0; i < 99; i++)
		made_ima_file(&h.ima, i == 40 ? "/usr/bin/evil" : "/usr/bin/true", "true");
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	step(&h, &q, 0, 50, 100, false, &a);
	ck_assert(a.outcome == IMA_MORE && a.next == 50 && !h.findings->count && !h.state.sure.bad);
	/* Another quote: what was walked for the first one is no step for it. */
	other = q;
	other.extra[0] ^= 1;
	step(&h, &other, 50, 100, 100, true, &a);
	ck_assert(a.outcome == IMA_MORE && a.next == 0);
	step(&h, &q, 0, 50, 100, false, &a);
	step(&h, &q, 45, 100, 100, true, &a);   /* an overlap is passed over */
	refused(a, REASON_IMA_UNKNOWN_FILE);
	ck_assert(h.findings->count && h.findings->list[0].event == 41 && h.state.sure.bad);
	ck_assert_uint_eq(h.state.accepted.entries, 0);
}
END_TEST

/* What was walked already and comes again, because an answer was lost on its way. */
START_TEST(sent_again)
{
	own(host) struct host h;
	struct ima_answer a;
	struct quote q;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	made_ima_file(&h.ima, "/usr/lib/a", "library");
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	for (unsigned i = 0; i < 2; i++) {
		step(&h, &q, 0, 2, 3, false, &a);
		ck_assert(a.outcome == IMA_MORE && a.next == 2);
	}
	step(&h, &q, 2, 3, 3, false, &a);
	matched(a, REASON_OK);
}
END_TEST

/* A host that says forever that more comes, and sends nothing. */
START_TEST(no_progress)
{
	own(host) struct host h;
	struct ima_answer a;
	struct quote q;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	step(&h, &q, 0, 0, 9, false, &a);
	refused(a, REASON_IMA_MISSING);
	q.pcr_digest[0] ^= 1;
	step(&h, &q, 0, 1, 9, false, &a);
	ck_assert(a.outcome == IMA_MORE && a.next == 1);
	step(&h, &q, 1, 1, 9, false, &a);
	refused(a, REASON_IMA_MISMATCH);
}
END_TEST

/* --- violations --- */

START_TEST(violations)
{
	static const struct { enum ima_on_violation rule; enum ima_outcome outcome; enum reason reason; unsigned findings; } rows[] = {
		{ IMA_VIOLATION_REFUSE, IMA_REFUSED, REASON_IMA_VIOLATION, 1 },
		{ IMA_VIOLATION_WARN,   IMA_MATCHED, REASON_IMA_UNSTEADY, 1 },
		{ IMA_VIOLATION_IGNORE, IMA_MATCHED, REASON_OK, 0 },
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		own(host) struct host h;
		struct ima_answer a;
		struct error e;

		host_open(&h, 1u << BANK_SHA256);
		h.rules.violations = rows[i].rule;
		ck_assert(ima_rules_exclude(&h.rules, "/var/log/**", 11, &e));  /* its name is in no PCR: no excuse */
		made_ima_violation(&h.ima, "/var/log/syslog");
		a = attest(&h);
		ck_assert_msg(a.outcome == rows[i].outcome && a.reason == rows[i].reason, "%u: %s", i, reason_code(a.reason));
		ck_assert(h.findings->count == rows[i].findings && h.state.sure.violations == 1);
		made_ima_file(&h.ima, "/usr/bin/true", "true");
		a = attest(&h);                 /* for the whole boot */
		ck_assert(a.outcome == rows[i].outcome && a.reason == rows[i].reason);
	}
}
END_TEST

/* --- banks --- */

START_TEST(padded_bank)
{
	own(host) struct host h;
	struct ima_answer a;
	struct quote q;

	host_open(&h, 1u << BANK_SHA256 | 1u << BANK_SHA384);
	h.sel = (struct selection){ 2, { { bank_alg(BANK_SHA256), PCRS }, { bank_alg(BANK_SHA384), PCRS } } };
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	memcpy(h.ima.value[BANK_SHA384][IMA_WAY_REAL], h.ima.value[BANK_SHA384][IMA_WAY_PADDED], DIGEST_MAX);
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	step(&h, &q, 0, 2, 2, true, &a);
	matched(a, REASON_OK);
	ck_assert(a.ways[BANK_SHA256] == 1u << IMA_WAY_REAL && a.ways[BANK_SHA384] == (1u << IMA_WAY_PADDED | 1u << IMA_WAY_PADDED_OLD));
	/* The first violation tells the two apart. */
	h.rules.violations = IMA_VIOLATION_IGNORE;
	made_ima_violation(&h.ima, "/a");
	memcpy(h.ima.value[BANK_SHA384][IMA_WAY_REAL], h.ima.value[BANK_SHA384][IMA_WAY_PADDED_OLD], DIGEST_MAX);
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	step(&h, &q, 2, 3, 3, true, &a);
	matched(a, REASON_OK);
	ck_assert_uint_eq(a.ways[BANK_SHA384], 1u << IMA_WAY_PADDED_OLD);
	/* From now on it is decided: a list that pads otherwise does not match. */
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	memcpy(h.ima.value[BANK_SHA384][IMA_WAY_REAL], h.ima.value[BANK_SHA384][IMA_WAY_PADDED], DIGEST_MAX);
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	step(&h, &q, 3, 4, 4, true, &a);
	refused(a, REASON_IMA_MISMATCH);
}
END_TEST

START_TEST(another_pcr)
{
	own(host) struct host h;
	struct made_data d = { .len = 0 };
	uint8_t is[SHA256_SIZE];
	struct ima_answer a;

	host_open(&h, 1u << BANK_SHA256);
	ck_assert(digest_sha256("true", 4, is));
	made_digest_field(&d, "sha256:", is, sizeof(is));
	made_field(&d, "/usr/bin/true", 14);
	made_ima_entry(&h.ima, 11, "ima-ng", d.p, d.len, false);
	a = attest(&h);
	refused(a, REASON_IMA_MISMATCH);        /* nothing quoted covers it */
	ck_assert(h.state.sure.bad);
}
END_TEST

/* pcrs [10, 11] in the policy, and both in the quote. */
START_TEST(two_pcrs)
{
	own(host) struct host h;
	struct made_data d = { .len = 0 };
	struct ima_entry x = { .pcr = 11, .name = "ima-ng" };
	own(hashers) struct hashers hashers = { { NULL } };
	uint8_t is[SHA256_SIZE];
	struct ima_answer a;
	struct replay r;
	struct quote q;
	struct error e;
	size_t len;

	host_open(&h, 1u << BANK_SHA256);
	h.rules.pcrs = 1u << 10 | 1u << 11;
	h.sel.bank[0].pcrs |= 1u << 11;
	ck_assert(digest_sha256("true", 4, is));
	made_digest_field(&d, "sha256:", is, sizeof(is));
	made_field(&d, "/usr/bin/true", 14);
	made_ima_entry(&h.ima, 11, "ima-ng", d.p, d.len, false);
	made_ima_file(&h.ima, "/usr/lib/a", "library");
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	x.data = d.p;
	x.data_len = (uint32_t)d.len;
	ck_assert(eventlog_replay(&h.log, &r, &e) && ima_extend(&hashers, BANK_SHA256, IMA_WAY_REAL, &x, false, r.value[BANK_SHA256][11]));
	memcpy(r.value[BANK_SHA256][10], h.ima.value[BANK_SHA256][IMA_WAY_REAL], DIGEST_MAX);
	ck_assert(replay_digest(&r, &h.sel, BANK_SHA256, q.pcr_digest, &len, &e));
	step(&h, &q, 0, 3, 3, true, &a);
	matched(a, REASON_OK);
}
END_TEST

/* --- boot_aggregate --- */

START_TEST(aggregate_of_another_boot)
{
	own(host) struct host h, other;
	struct ima_answer a;
	struct quote q;

	host_open(&h, 1u << BANK_SHA256);
	host_open(&other, 1u << BANK_SHA256);
	eventlog_free(&other.log);
	made_text(&other.made, 9, EV_IPL, "initrd");
	made_parse(&other.made, &other.log);
	made_ima_free(&other.ima);
	made_ima_aggregate(&other.ima, &h.log);
	made_ima_quote(&other.log, &other.ima, IMA_WAY_REAL, &other.sel, &q);
	step(&other, &q, 0, 1, 1, true, &a);
	refused(a, REASON_BOOT_AGGREGATE);
	ck_assert(strstr(h.findings->list[0].text, "expected") || strstr(other.findings->list[0].text, "expected"));
}
END_TEST

START_TEST(first_is_a_file)
{
	own(host) struct host h;
	struct ima_answer a;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_free(&h.ima);
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	a = attest(&h);
	refused(a, REASON_BOOT_AGGREGATE);
}
END_TEST

START_TEST(aggregate_of_zeros)
{
	static const uint8_t zeros[SHA256_SIZE];
	own(host) struct host h;
	struct made_data d = { .len = 0 };
	struct ima_answer a;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_free(&h.ima);
	made_digest_field(&d, "sha256:", zeros, sizeof(zeros));
	made_field(&d, "boot_aggregate", 15);
	made_ima_entry(&h.ima, 10, "ima-ng", d.p, d.len, false);
	a = attest(&h);
	refused(a, REASON_BOOT_AGGREGATE);
	ck_assert(strstr(h.findings->list[0].text, "no TPM"));
}
END_TEST

START_TEST(second_aggregate_is_kexec)
{
	own(host) struct host h;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	made_ima_aggregate(&h.ima, &h.log);
	matched(attest(&h), REASON_KEXEC);
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	matched(attest(&h), REASON_KEXEC);
}
END_TEST

/* --- a parser that lies --- */

/* Whatever byte of the packed entries is another, the walk does not meet the quote: path and digest are what was hashed. */
START_TEST(no_other_byte_matches)
{
	own(host) struct host h;
	own(mem) uint8_t *packed = NULL;
	struct ima_walk in = { .scheme = BANK_SHA256, .last = true, .work = IMA_WORK_MAX, .hint = 3 };
	struct ima_list list;
	struct quote q;
	size_t len, opened = 0;
	uint8_t *p;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_file(&h.ima, "/usr/bin/true", "true");
	made_ima_file(&h.ima, "/usr/lib/a", "library");
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	list = made_ima_packed(&h.ima, 0, 3, &packed);
	len = (size_t)(list.in.pos + list.in.left - packed);
	in.quote = &q;
	in.log = &h.log;
	in.rules = &h.rules;
	in.key = h.key;
	p = packed;
	for (size_t i = 0; i < len; i++)
		for (unsigned v = 1; v < 256; v <<= 1) {
			struct ima_state s = { .accepted = { .entries = 0 } };
			struct reader r = rd_open(p, len);
			struct ima_answer a;
			struct error e;

			p[i] ^= (uint8_t)v;
			if (ima_list_open(&r, &in.list, &e)) {
				findings_start(h.findings);
				ck_assert_msg(check_ima(&s, &in, &s, h.findings, &a, &e), "%s", e.why);
				ck_assert_msg(a.outcome != IMA_MATCHED && !s.accepted.entries, "byte %zu, bit 0x%x", i, v);
				opened++;
			}
			p[i] ^= (uint8_t)v;
		}
	ck_assert_uint_gt(opened, 8 * (len - 18));
}
END_TEST

/* --- what a host may call by another name --- */

START_TEST(relabelled)
{
	own(host) struct host h;
	struct made_data d = { .len = 0 };
	uint8_t bad[SHA256_SIZE], good[SHA256_SIZE];
	struct ima_answer a;

	/* security.ima of a bad file holds what would be a good digest, in a template where it stands first. */
	host_open(&h, 1u << BANK_SHA256);
	ck_assert(digest_sha256("evil", 4, bad) && digest_sha256("true", 4, good));
	made_digest_field(&d, "sha256:", good, sizeof(good));
	made_field(&d, "/usr/bin/true", 14);
	made_digest_field(&d, "sha256:", bad, sizeof(bad));
	made_ima_entry(&h.ima, 10, "sig|n-ng|d-ng", d.p, d.len, false);
	a = attest(&h);
	refused(a, REASON_IMA_MALFORMED);
}
END_TEST

START_TEST(names_are_cut)
{
	own(host) struct host h;
	char path[4096];
	struct ima_answer a;
	struct made_data d = { .len = 0 };
	uint8_t is[SHA256_SIZE];

	host_open(&h, 1u << BANK_SHA256);
	memset(path, 'a', 900);
	memcpy(path, "/\x1b[31m", 6);
	path[900] = '\0';
	ck_assert(digest_sha256("evil", 4, is));
	made_digest_field(&d, "sha256:", is, sizeof(is));
	made_field(&d, path, 901);
	made_ima_entry(&h.ima, 10, "ima-ng", d.p, d.len, false);
	a = attest(&h);
	refused(a, REASON_IMA_UNKNOWN_FILE);
	ck_assert(!strchr(h.findings->list[0].text, '\x1b'));
}
END_TEST

START_TEST(many_findings)
{
	own(host) struct host h;
	char path[32];
	struct ima_answer a;

	host_open(&h, 1u << BANK_SHA256);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/tmp/%u", i);
		made_ima_file(&h.ima, path, "evil");
	}
	a = attest(&h);
	refused(a, REASON_IMA_UNKNOWN_FILE);
	ck_assert_uint_eq(h.findings->count, IMA_FINDINGS_SHOWN + 1);
	ck_assert(!strncmp(h.findings->list[IMA_FINDINGS_SHOWN].text, "1000 measurements", 17));
}
END_TEST

START_TEST(words_of_a_finding)
{
	own(host) struct host h;
	struct ima_answer a;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_file(&h.ima, "/usr/bin/true", "other");
	made_ima_file(&h.ima, "/usr/bin/false", "true");
	made_ima_file(&h.ima, "/usr/bin/false", "false");
	a = attest(&h);
	refused(a, REASON_IMA_UNKNOWN_FILE);
	ck_assert_str_eq(h.findings->list[0].text, "/usr/bin/true has another content than is known");
	ck_assert_str_eq(h.findings->list[0].expected, "sha256:b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b");
	ck_assert(!strncmp(h.findings->list[0].seen, "sha256:", 7) && h.findings->list[0].event == 1 && h.findings->list[0].pcr == 10);
	ck_assert_str_eq(h.findings->list[1].text, "/usr/bin/false has a known content, but under another path");
	ck_assert_str_eq(h.findings->list[2].text, "/usr/bin/false is not on the allow list");
}
END_TEST

/* --- row 47: what it may cost --- */

static const uint8_t *
million(uint32_t *count, size_t *len)
{
	static uint8_t *list;
	struct made_ima one = { .buf = NULL };

	made_ima_file(&one, "/usr/bin/true", "true");
	*count = (uint32_t)((8 << 20) / one.len);
	*len = *count * one.len;
	list = malloc(*len);
	ck_assert_ptr_nonnull(list);
	for (uint32_t i = 0; i < *count; i++)
		memcpy(list + i * one.len, one.buf, one.len);
	made_ima_free(&one);
	return list;
}

/* A million prefixes and no match: every step ends within its work, and no list of a boot has more entries. */
START_TEST(row_47_a_million_prefixes)
{
	own(host) struct host h;
	uint32_t count;
	size_t len;
	const uint8_t *list = million(&count, &len);
	uint8_t *packed = malloc(ima_packed_max(len));
	struct ima_answer a = { .next = 0 };
	struct quote q;
	uint64_t most = 0, from = 0, steps = 0;

	ck_assert_ptr_nonnull(packed);
	host_open(&h, 1u << BANK_SHA256);
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	q.pcr_digest[0] ^= 1;
	for (; from + count <= IMA_ENTRIES_MAX; steps++) {
		struct writer w = wr_open(packed, ima_packed_max(len));
		struct ima_walk in = { .quote = &q, .scheme = BANK_SHA256, .log = &h.log, .rules = &h.rules, .key = h.key, .work = IMA_WORK_MAX };
		struct reader r;
		struct error e;

		ck_assert_msg(imalog_pack(list, len, from, &w, &e), "%s", e.why);
		r = rd_open(packed, w.used);
		ck_assert(ima_list_open(&r, &in.list, &e) && check_ima(&h.state, &in, &h.state, h.findings, &a, &e));
		ck_assert_int_eq(a.outcome, IMA_MORE);
		ck_assert_uint_gt(a.next, from);
		most = a.work > most ? a.work : most;
		from = a.next;
	}
	printf("%llu entries in %llu steps, at most %llu hashes each\n", (unsigned long long)from, (unsigned long long)steps, (unsigned long long)most);
	ck_assert_uint_le(most, IMA_WORK_MAX + IMA_KEYS_MAX * IMA_SIGNATURE_WORK + 16);
	free(packed);
	free((uint8_t *)(uintptr_t)list);
}
END_TEST

/* Paths that a pattern takes long on are work as well. */
START_TEST(row_47_slow_patterns)
{
	own(host) struct host h;
	struct made_data d = { .len = 0 };
	uint8_t is[SHA256_SIZE];
	char path[901];
	struct ima_answer a;
	struct error e;

	host_open(&h, 1u << BANK_SHA256);
	memset(path, 'a', 900);
	path[0] = '/';
	path[900] = '\0';
	for (unsigned i = 0; i < 16; i++)
		ck_assert(ima_rules_exclude(&h.rules, "/**a*a*a*a**a*a*a*b", 19, &e));
	ck_assert(digest_sha256("true", 4, is));
	made_digest_field(&d, "sha256:", is, sizeof(is));
	made_field(&d, path, sizeof(path));
	made_ima_entry(&h.ima, 10, "ima-ng", d.p, d.len, false);
	a = attest(&h);
	refused(a, REASON_IMA_UNKNOWN_FILE);
	ck_assert_uint_gt(a.work, 16 * PATTERN_STEPS_MAX / 128);
}
END_TEST

/* With next to no work allowed, the walk still comes to its end. */
START_TEST(little_work)
{
	own(host) struct host h;
	struct ima_answer a;
	struct quote q;
	unsigned steps = 0;

	host_open(&h, 1u << BANK_SHA256);
	for (unsigned i = 0; i < 29; i++)
		made_ima_file(&h.ima, "/usr/bin/true", "true");
	made_ima_quote(&h.log, &h.ima, IMA_WAY_REAL, &h.sel, &q);
	h.work = 1;
	do
		step(&h, &q, h.state.walked.entries, 30, 30, true, &a);
	while (a.outcome == IMA_MORE && ++steps < 100);
	matched(a, REASON_OK);
	ck_assert(steps > 10 && a.next == 30);
}
END_TEST

/* --- states --- */

static void
cut_state(const uint8_t *p, size_t len, void *arg)
{
	struct reader r = rd_open(p, len);
	struct ima_state s;
	struct error e;

	(void)arg;
	ck_assert(!ima_state_unpack(&r, &s, &e));
}

START_TEST(packed_states)
{
	own(host) struct host h;
	uint8_t buf[IMA_STATE_PACKED_MAX];
	struct writer w = wr_open(buf, sizeof(buf));
	struct error e;

	host_open(&h, 1u << BANK_SHA256);
	made_ima_file(&h.ima, "/usr/bin/evil", "evil");
	(void)attest(&h);
	ima_state_pack(&h.state, &w);
	ck_assert(wr_ok(&w, &e));
	printf("a state of %zu bytes\n", w.used);
	unit_prefixes(buf, w.used, cut_state, NULL);
	for (size_t i = 0; i < w.used; i++)
		for (unsigned v = 1; v < 256; v <<= 1) {
			struct reader r = rd_open(buf, w.used);
			struct ima_state s;

			buf[i] ^= (uint8_t)v;
			(void)!ima_state_unpack(&r, &s, &e);
			buf[i] ^= (uint8_t)v;
		}
}
END_TEST

/* The largest that can be: four PCRs in every bank and every way, two findings full of text. */
START_TEST(largest_state)
{
	static struct ima_state s;
	uint8_t buf[IMA_STATE_PACKED_MAX];
	struct writer w = wr_open(buf, sizeof(buf));
	struct error e;

	s.accepted.npcrs = s.walked.npcrs = IMA_PCRS_MAX;
	memset(s.accepted.ways, 7, sizeof(s.accepted.ways));
	memset(s.walked.ways, 7, sizeof(s.walked.ways));
	s.sure.bad = s.maybe.bad = true;
	memset(s.sure.first.text, 'x', FINDING_TEXT - 1);
	memset(s.sure.first.seen, 'x', FINDING_TEXT - 1);
	memset(s.sure.first.expected, 'x', FINDING_TEXT - 1);
	s.maybe.first = s.sure.first;
	ima_state_pack(&s, &w);
	ck_assert_msg(wr_ok(&w, &e), "%s", e.why);
	printf("at most %zu bytes\n", w.used);
}
END_TEST

/* --- recorded --- */

/* One recorded boot and its own quote: every entry allowed as it was measured. */
static void
recorded(const char *variant, const char *name, unsigned ways)
{
	own(host) struct host h = { .rules = { .mode = IMA_MODE_ALLOW_LIST, .pcrs = 1u << 10, .violations = IMA_VIOLATION_WARN } };
	own(allow_build) struct allow_build b = { .count = 0 };
	own(imalog) struct imalog l = { .ascii = false };
	own(mem) struct findings *all = calloc(1, sizeof(*all));
	size_t len, attest_len;
	own(mem) uint8_t *list = vm_file(variant, "ima_binary", &len);
	own(mem) uint8_t *attested = vm_file(variant, name, &attest_len);
	own(mem) uint8_t *packed = malloc(ima_packed_max(len));
	struct writer w = wr_open(packed, ima_packed_max(len));
	struct ima_walk in = { .scheme = BANK_SHA256, .log = &h.log, .rules = &h.rules, .key = h.key, .last = true, .work = IMA_WORK_MAX };
	struct ima_answer a;
	struct ima_fields f;
	struct ima_entry x;
	struct reader r;
	struct quote q;
	struct error e;
	bool more = true;

	ck_assert(list && attested && packed && all);
	vm_log(variant, &h.log);
	ck_assert_msg(quote_read(attested, attest_len, &q, &e), "%s", e.why);
	ck_assert(imalog_open(list, len, 0, &l, &e));
	while (imalog_next(&l, &x, &more, &e) && more) {
		if (x.violation || !ima_fields_read(&x, false, &f, &e) || f.path[0] != '/')
			continue;
		ck_assert_msg(allow_build_add(&b, f.verity, f.alg, f.digest, f.path, f.path_len, &e), "%s", e.why);
	}
	ck_assert(allow_build_end(&b, &h.rules.allow, &e) && imalog_pack(list, len, 0, &w, &e));
	r = rd_open(packed, w.used);
	in.quote = &q;
	ck_assert(ima_list_open(&r, &in.list, &e) && check_ima(&h.state, &in, &h.state, all, &a, &e));
	ck_assert_msg(a.outcome == IMA_MATCHED, "%s: %s: %s", variant, reason_code(a.reason), all->count ? all->list[0].text : "");
	printf("%s: %llu entries, %s, %u findings\n", variant, (unsigned long long)a.next, reason_code(a.reason), all->count);
	for (enum bank k = 0; k < BANK_COUNT; k++)
		ck_assert_msg(!a.ways[k] || a.ways[k] & ways, "%s: %s: 0x%x", variant, bank_word(k), a.ways[k]);
}

START_TEST(recorded_boots)
{
	recorded("direct-51-a", "q/quote-ecc.attest", 1u << IMA_WAY_REAL);
	recorded("direct-51-a", "q/quote-rsa.attest", 1u << IMA_WAY_REAL);
	recorded("direct-51-viol", "q/quote-ecc.attest", 1u << IMA_WAY_REAL);
	recorded("direct-51-imasigv2", "q/quote-ecc.attest", 1u << IMA_WAY_REAL);
	recorded("direct-51-banks4", "q/quote-ecc.attest", 1u << IMA_WAY_REAL | 1u << IMA_WAY_PADDED);
	recorded("direct-51-sha1-384", "q/quote-ecc.attest", 1u << IMA_WAY_REAL | 1u << IMA_WAY_PADDED);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, known_files_pass);
	tcase_add_test(tc, pending_until_quoted);
	tcase_add_test(tc, hints);
	tcase_add_test(tc, row_40_no_amnesty);
	tcase_add_test(tc, row_15_reboot);
	tcase_add_test(tc, each_of_the_key_counts);
	tcase_add_test(tc, row_28_absence);
	tcase_add_test(tc, no_other_list_matches);
	tcase_add_test(tc, in_chunks);
	tcase_add_test(tc, sent_again);
	tcase_add_test(tc, no_progress);
	tcase_add_test(tc, violations);
	tcase_add_test(tc, padded_bank);
	tcase_add_test(tc, another_pcr);
	tcase_add_test(tc, two_pcrs);
	tcase_add_test(tc, aggregate_of_another_boot);
	tcase_add_test(tc, first_is_a_file);
	tcase_add_test(tc, aggregate_of_zeros);
	tcase_add_test(tc, second_aggregate_is_kexec);
	tcase_add_test(tc, no_other_byte_matches);
	tcase_add_test(tc, relabelled);
	tcase_add_test(tc, names_are_cut);
	tcase_add_test(tc, many_findings);
	tcase_add_test(tc, words_of_a_finding);
	tcase_add_test(tc, row_47_a_million_prefixes);
	tcase_add_test(tc, row_47_slow_patterns);
	tcase_add_test(tc, little_work);
	tcase_add_test(tc, packed_states);
	tcase_add_test(tc, largest_state);
	tcase_add_test(tc, recorded_boots);
}

int
main(void)
{
	return unit_run("ima", add);
}
