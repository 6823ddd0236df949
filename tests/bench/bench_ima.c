/* What an IMA list costs: 10,000 entries from the host's bytes to an answer, against a list of 100,000 known files. One CPU, one thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "check_ima.h"
#include "scope.h"

enum { ENTRIES = 10000, KNOWN = 100000, NEWER = 10, TURNS = 5, TAG = 8, PATH_SIZE = 96 };

static struct work {
	uint8_t         *list, *packed, *rules;
	size_t           len, size, rules_len, at[ENTRIES + 1], data[ENTRIES];  /* where each entry, and its data, begins */
	struct replay    boot;
	struct quote     quote, later;
	struct ima_state state;                 /* with all but the last ones accepted */
	struct findings  findings;
	uint8_t          key[SHA256_SIZE];
} w;

static void
le32(size_t v)
{
	for (unsigned i = 0; i < 4; i++)
		w.list[w.len++] = (uint8_t)(v >> 8 * i);
}

static void
put(const void *p, size_t n)
{
	memcpy(w.list + w.len, p, n);
	w.len += n;
}

/* A path of the length that such have, and a digest of it. */
static size_t
file_of(unsigned i, char path[static PATH_SIZE], uint8_t digest[static SHA256_SIZE])
{
	size_t n = (size_t)snprintf(path, PATH_SIZE, "/usr/lib/x86_64-linux-gnu/package-%u/library.so.%u", i % 977, i);

	need(digest_sha256(path, n, digest));
	return n;
}

static void
entry(unsigned i)
{
	char path[PATH_SIZE] = "boot_aggregate";
	uint8_t is[SHA256_SIZE] = { 1 }, sha1[20] = { 0 };
	size_t n = i ? file_of(i, path, is) : strlen(path), hash;

	w.at[i] = w.len;
	le32(10);
	hash = w.len;
	put(sha1, sizeof(sha1));
	le32(6);
	put("ima-ng", 6);
	le32(4 + TAG + SHA256_SIZE + 4 + n + 1);
	w.data[i] = w.len;
	le32(TAG + SHA256_SIZE);
	put("sha256:", TAG);
	put(is, SHA256_SIZE);
	le32(n + 1);
	put(path, n + 1);
	need(digest(BANK_SHA1, w.list + w.data[i], w.len - w.data[i], w.list + hash));
}

static void
quote_of(struct quote *q)
{
	size_t len;
	struct error e;

	*q = (struct quote){ .extra_len = 1, .selection = { 1, { { 0x000b, 1u << 7 | 1u << 10 } } } };
	q->extra[0] = (uint8_t)(q == &w.later);
	need(replay_digest(&w.boot, &q->selection, BANK_SHA256, q->pcr_digest, &len, &e));
	q->pcr_digest_len = len;
}

/* Every entry is hashed, and extended: what any verifier must do. */
static void
hash_and_extend(void)
{
	own(hashers) struct hashers h = { { NULL } };
	uint8_t value[SHA256_SIZE] = { 0 }, is[SHA256_SIZE];

	for (unsigned i = 0; i < ENTRIES; i++)
		need(hashers_digest(&h, BANK_SHA256, w.list + w.data[i], w.at[i + 1] - w.data[i], is) && hashers_extend(&h, BANK_SHA256, value, is));
}

static void
hash_each(void)
{
	own(hashers) struct hashers h = { { NULL } };
	uint8_t is[SHA256_SIZE];

	for (unsigned i = 0; i < ENTRIES; i++)
		need(hashers_digest(&h, BANK_SHA256, w.list + w.at[i], w.at[i + 1] - w.at[i], is));
}

static void
hash_whole(void)
{
	uint8_t is[SHA256_SIZE];

	need(digest_sha256(w.list, w.len, is));
}

static size_t
pack(size_t at, uint64_t first)
{
	struct writer out = wr_open(w.packed, w.size);
	struct error e;

	need(imalog_pack(w.list + at, w.len - at, first, &out, &e));
	return out.used;
}

static void
judge(const struct quote *q, size_t len, const struct ima_state *before, struct ima_state *after)
{
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF };
	struct ima_walk in = { .quote = q, .scheme = BANK_SHA256, .boot = &w.boot, .rules = &rules, .key = w.key, .hint = ENTRIES, .last = true, .work = IMA_WORK_MAX };
	struct reader r = rd_open(w.packed, len), from = rd_open(w.rules, w.rules_len);
	struct ima_answer a;
	struct error e;

	findings_start(&w.findings);
	need(ima_rules_unpack(&from, &rules, &e) && ima_list_open(&r, &in.list, &e));
	need(check_ima(before, &in, after, &w.findings, &a, &e) && a.outcome == IMA_MATCHED && a.reason == REASON_OK);
}

static const struct ima_state empty;
static struct ima_state after;
static void parse(void) { (void)pack(0, 0); }
static void cold(void) { judge(&w.quote, pack(0, 0), &empty, &after); }
static void newer(void) { judge(&w.later, pack(w.at[ENTRIES - NEWER], ENTRIES - NEWER), &w.state, &after); }

static void
make_rules(void)
{
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_ALLOW_LIST, .pcrs = 1u << 10 };
	own(allow_build) struct allow_build b = { .count = 0 };
	uint8_t digest[SHA256_SIZE];
	char path[PATH_SIZE];
	struct writer out;
	struct error e;

	for (unsigned i = 0; i < KNOWN; i++) {
		size_t n = file_of(i, path, digest);

		need(allow_build_add(&b, false, IMA_ALG_SHA256, digest, path, n, &e));
	}
	need(allow_build_end(&b, &rules.allow, &e));
	w.rules = malloc(ima_rules_packed_size(&rules));
	need(w.rules);
	out = wr_open(w.rules, ima_rules_packed_size(&rules));
	ima_rules_pack(&rules, &out);
	need(wr_ok(&out, &e));
	w.rules_len = out.used;
}

/* The list up to `count` entries, in PCR 10. */
static void
extend_to(unsigned from, unsigned to)
{
	uint8_t is[SHA256_SIZE];

	for (unsigned i = from; i < to; i++)
		need(digest_sha256(w.list + w.data[i], w.at[i + 1] - w.data[i], is) && digest_extend(BANK_SHA256, w.boot.value[BANK_SHA256][10], is));
	w.boot.extended[BANK_SHA256] = 1u << 7 | 1u << 10;
}

static void
prepare(void)
{
	size_t whole;

	w.list = malloc((size_t)ENTRIES * 256);
	need(w.list);
	for (unsigned i = 0; i < ENTRIES; i++)
		entry(i);
	w.at[ENTRIES] = w.len;
	w.size = ima_packed_max(w.len);
	w.packed = malloc(w.size);
	need(w.packed);
	make_rules();
	extend_to(0, ENTRIES - NEWER);
	quote_of(&w.quote);
	memset(w.boot.value[BANK_SHA256][10], 0, SHA256_SIZE);
	whole = w.len;
	w.len = w.at[ENTRIES - NEWER];
	judge(&w.quote, pack(0, 0), &empty, &w.state);
	w.len = whole;
	extend_to(0, ENTRIES);
	quote_of(&w.quote);
	quote_of(&w.later);
	memset(w.boot.value[BANK_SHA256][10], 0, SHA256_SIZE);
}

static double
us_of(void (*what)(void))
{
	double from = bench_cpu();

	for (unsigned i = 0; i < TURNS; i++)
		what();
	return (bench_cpu() - from) / TURNS;
}

int
main(int argc, char **argv)
{
	enum { WHOLE, EACH, EXTEND, COLD, PARSE, NEW, KINDS };
	static void (*const what[KINDS])(void) = { hash_whole, hash_each, hash_and_extend, cold, parse, newer };
	static double us[KINDS][ROUNDS_MAX];
	unsigned rounds = bench_rounds(argc, argv, 25);

	prepare();
	for (unsigned i = 0; i < rounds; i++)
		for (unsigned k = 0; k < KINDS; k++)
			us[k][i] = us_of(what[k]);
	for (unsigned k = 0; k < KINDS; k++)
		us[k][0] = bench_median(us[k], rounds);
	bench_title("10,000 IMA entries, 100,000 known files; floor: SHA-256 of every entry and of every extend");
	bench_say(&(struct figure){ "read for the first time and appraised", "us", us[COLD][0], us[EXTEND][0], 0, 3 });
	bench_say(&(struct figure){ "  of it reading and packing", "us", us[PARSE][0], us[EXTEND][0], 0, 0 });
	bench_say(&(struct figure){ "ten new entries after the others", "us", us[NEW][0], us[EXTEND][0], 0, 0 });
	bench_say(&(struct figure){ "the first, beside hashing every entry alone", "us", us[COLD][0], us[EACH][0], 0, 0 });
	bench_say(&(struct figure){ "the first, beside hashing the file at once", "us", us[COLD][0], us[WHOLE][0], 0, 0 });
	free(w.list);
	free(w.packed);
	free(w.rules);
	return 0;
}
