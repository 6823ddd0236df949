/* IMA lists of other projects and of recorded boots: do they replay to what is expected of them? */
#include <dirent.h>
#include "boot_aggregate.h"
#include "hex.h"
#include "ima_template.h"
#include "json.h"
#include "made_log.h"

/*
 * Where this reader ends before the expected value's own did, or after it. The others agree as a whole.
 * EARLY: it refuses what no kernel writes. LATE: the expected value's reader stopped at what kernels do write.
 */
enum ends { EARLY, LATE, STRAY };
static const struct { const char *name; enum ends ends; uint64_t entries; const char *why; } odd[] = {
	{ "ibmtss--imatest-old2.log", LATE, 10, NULL },         /* a field list of one field has a name of one byte */
	{ "ibmtss--imatest.log", LATE, 17, NULL },
	{ "keylime-tests--test_create_runtime_policy.py.lines.txt", EARLY, 2, "digest: not 20 bytes in hex" },  /* 21 bytes */
	{ "keylime-tests--test_ima_ast.py.lines.txt", EARLY, 6, "digest: not hex" },
	{ "rustkeylime--keylime-invalid_ima_log.txt", EARLY, 0, "neither a binary nor an ascii IMA list" },
	{ "tpm2tss--sml-ima-ng-sha1-invalidated.bin", STRAY, 0, "template data: does not fit" },        /* an editor added or took a byte */
	{ "tpm2tss--sml-ima-ng-sha1.bin", STRAY, 6, "pcr index: does not fit" },
	{ "tpm2tss--sml-ima-sha1.bin", STRAY, 12, "pcr index: does not fit" },
};

struct sums {
	uint64_t entries, violations, mismatches, stop;         /* stop: after this entry the sums stand still */
	uint32_t pcrs;
	uint8_t  logged[DIGEST_MAX], logged_len;
	uint8_t  value[BANK_COUNT][IMA_WAY_COUNT][DIGEST_MAX];
};

static void
extend_all(struct hashers *h, const struct ima_entry *x, bool big_endian, struct sums *s)
{
	for (enum bank b = 0; b < BANK_COUNT; b++)
		for (enum ima_way w = 0; w < IMA_WAY_COUNT; w++)
			ck_assert(ima_extend(h, b, w, x, big_endian, s->value[b][w]));
}

/* Does the list's own hash, as it stands, fit the data? */
static bool
logged_right(struct hashers *h, const struct ima_entry *x, const struct imalog *l, enum bank b)
{
	uint8_t is[DIGEST_MAX];

	return x->violation || (ima_template_hash(h, b, x, l->form.big_endian, is) && !memcmp(is, x->logged, l->form.digest_len));
}

static void
add_entry(struct hashers *h, const struct imalog *l, const struct ima_entry *x, struct sums *s)
{
	enum bank b = l->form.digest_len == 20 ? BANK_SHA1 : BANK_SHA256;
	uint8_t with[DIGEST_MAX];

	s->entries++;
	s->violations += x->violation;
	s->pcrs |= 1u << x->pcr;
	if (s->entries > s->stop)
		return;
	s->mismatches += !logged_right(h, x, l, b);
	extend_all(h, x, l->form.big_endian, s);
	memcpy(with, x->logged, sizeof(with));
	if (x->violation)
		memset(with, 0xff, sizeof(with));
	ck_assert(digest_extend(b, s->logged, with));
	s->logged_len = (uint8_t)bank_size(b);
}

static bool
sum_up(const uint8_t *list, size_t len, struct sums *s, struct error *e)
{
	own(imalog) struct imalog l = { .ascii = false };
	own(hashers) struct hashers h = { { NULL } };
	struct ima_entry x;
	bool more = true;

	if (!imalog_open(list, len, 0, &l, e))
		return false;
	while (more) {
		if (!imalog_next(&l, &x, &more, e))
			return false;
		if (more)
			add_entry(&h, &l, &x, s);
	}
	return true;
}

static bool
value_is(const struct json *want, const char *bank, const uint8_t *value)
{
	const struct json *of;
	uint8_t hex[DIGEST_MAX];
	struct error e;
	enum bank b;

	return bank_of_word(bank, &b) && json_sub(want, bank, &of, &e) && json_hex(of, "10", hex, bank_size(b), &e) &&
	    !memcmp(hex, value, bank_size(b));
}

/* {bank: {"10": hex}} against these values. */
static unsigned
values_agree(const struct json *all, const char *member, const struct sums *s, enum ima_way way, bool *agree)
{
	const struct json *want, *of;
	const char *bank;
	struct error e;
	unsigned n = 0;
	enum bank b;

	ck_assert(json_sub(all, member, &want, &e));
	for (unsigned i = 0; json_member(want, i, &bank, &of); i++)
		if (json_has(of, "10") && bank_of_word(bank, &b)) {
			*agree = *agree && value_is(want, bank, s->value[b][way]);
			n++;
		}
	return n;
}

static struct json *
expected_of(const char *corpus, const char *name)
{
	struct json *j = NULL;
	struct error e;
	char path[1024];
	uint8_t *text;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/expected/ima/%s.json", corpus, name);
	text = unit_file(path, &len);
	ck_assert_msg(text != NULL, "%s", path);
	for (char *nul; (nul = strstr((char *)text, "\\u0000"));)   /* a name that it holds with its NUL, which no strict reader takes */
		memset(nul, '0', 6);
	ck_assert_msg(json_parse((char *)text, len, &j, &e), "%s", path);
	free(text);
	return j;
}

static int
oddity(const char *name)
{
	for (unsigned i = 0; i < COUNT(odd); i++)
		if (!strcmp(odd[i].name, name))
			return (int)i;
	return -1;
}

struct tally { unsigned files, whole, odd, values; };

static bool
counts_agree(const struct json *want, const struct sums *s, bool exactly)
{
	int64_t entries, violations, mismatches, unbuilt;
	struct error e;

	ck_assert(json_int(want, "entries", 0, INT64_MAX, &entries, &e) && json_int(want, "violations", 0, INT64_MAX, &violations, &e) &&
	    json_int(want, "template_hash_mismatch", 0, INT64_MAX, &mismatches, &e) &&
	    json_int(want, "template_not_rebuildable", 0, INT64_MAX, &unbuilt, &e));
	return !exactly || (s->entries == (uint64_t)entries && s->violations == (uint64_t)violations &&
	    s->mismatches == (uint64_t)mismatches && !unbuilt);
}

static bool
logged_agrees(const struct json *want, const struct sums *s)
{
	const struct json *logged;
	struct error e;

	ck_assert(json_sub(want, "replay_logged_digest", &logged, &e));
	return value_is(logged, s->logged_len == 20 ? "sha1" : "sha256", s->logged);
}

static bool
list_agrees(const char *corpus, const char *name, struct tally *t)
{
	own(json) struct json *want = expected_of(corpus, name);
	own(mem) uint8_t *list = NULL;
	struct error e = { .code = ERR_NONE };
	struct sums s = { .stop = UINT64_MAX };
	int k = oddity(name);
	int64_t entries;
	bool agree = true, read;
	char path[1024];
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/data/ima/%s", corpus, name);
	list = unit_file(path, &len);
	ck_assert(list && json_int(want, "entries", 0, INT64_MAX, &entries, &e));
	if (k >= 0 && odd[k].ends == LATE)
		s.stop = (uint64_t)entries;
	read = sum_up(list, len, &s, &e);
	if (k >= 0) {
		t->odd++;
		agree = s.entries == odd[k].entries && read == !odd[k].why && (read || strstr(e.why, odd[k].why) != NULL);
		if (odd[k].ends == EARLY || !s.entries)
			return agree;
	}
	t->whole += k < 0;
	agree = agree && counts_agree(want, &s, k < 0) && logged_agrees(want, &s);
	t->values += values_agree(want, "replay_modern", &s, IMA_WAY_REAL, &agree);
	if (s.logged_len == 20 && !s.mismatches)        /* theirs are made of the hashes as they are logged */
		t->values += values_agree(want, "replay_padded", &s, IMA_WAY_PADDED, &agree);
	if (!agree)
		printf("%s: %llu entries, %llu violations, %llu mismatches: %s\n", name, (unsigned long long)s.entries,
		    (unsigned long long)s.violations, (unsigned long long)s.mismatches, e.why);
	return agree;
}

START_TEST(expected_lists_agree)
{
	const char *corpus = unit_corpus();
	struct tally t = { 0 };
	unsigned agree = 0;
	char path[1024];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/data/ima", corpus);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.') {
			t.files++;
			agree += list_agrees(corpus, d->d_name, &t);
		}
	closedir(dir);
	printf("ima: %u of %u agree: %u as a whole, %u end elsewhere for a reason; %u PCR values\n", agree, t.files, t.whole, t.odd, t.values);
	ck_assert_uint_eq(agree, t.files);
	ck_assert_uint_eq(t.odd, COUNT(odd));
	ck_assert_uint_gt(t.values, 0);
}
END_TEST

/* --- recorded boots: the guest read PCR 10 from its TPM --- */

struct boots { unsigned boots, lists, real, padded, prefix, wrong; };

/* After how many entries does the list give this value, in which way? -1: never. */
static int
reaches(const uint8_t *list, size_t len, enum bank b, const uint8_t *want, enum ima_way way, unsigned *all)
{
	own(imalog) struct imalog l = { .ascii = false };
	own(hashers) struct hashers h = { { NULL } };
	uint8_t value[DIGEST_MAX] = { 0 };
	struct ima_entry x;
	struct error e;
	bool more = true;
	int at = -1;

	ck_assert(imalog_open(list, len, 0, &l, &e));
	for (*all = 0; imalog_next(&l, &x, &more, &e) && more; ++*all) {
		ck_assert(ima_extend(&h, b, way, &x, l.form.big_endian, value));
		if (!memcmp(value, want, bank_size(b)))
			at = (int)*all + 1;
	}
	ck_assert_msg(!more, "%s", e.why);
	return at;
}

static void
bank_reached(const char *boot, const uint8_t *list, size_t len, enum bank b, const uint8_t *want, struct boots *t)
{
	static const uint8_t zero[DIGEST_MAX];
	unsigned all;
	int real = reaches(list, len, b, want, IMA_WAY_REAL, &all), padded = reaches(list, len, b, want, IMA_WAY_PADDED, &all);

	t->real += real >= 0;
	t->padded += real < 0 && padded >= 0;
	t->prefix += real >= 0 && (unsigned)real < all;
	if (real < 0 && padded < 0 && memcmp(want, zero, bank_size(b)) != 0) {
		printf("%s: %s: PCR 10 is never reached\n", boot, bank_word(b));
		t->wrong++;
	}
}

static void
boot_reached(const char *corpus, const char *boot, struct boots *t)
{
	own(json) struct json *pcrs = NULL;
	own(mem) uint8_t *list = NULL, *text = NULL;
	struct error e;
	char path[1024];
	size_t len = 0, n = 0;

	snprintf(path, sizeof(path), "%s/vm/%s/ima_binary", corpus, boot);
	list = unit_file(path, &len);
	snprintf(path, sizeof(path), "%s/vm/%s/pcrs.json", corpus, boot);
	text = unit_file(path, &n);
	t->boots++;
	if (!list || !text)
		return;
	t->lists++;
	ck_assert(json_parse((char *)text, n, &pcrs, &e));
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		const struct json *of;
		uint8_t want[DIGEST_MAX];

		if (json_has(pcrs, bank_word(b)) && json_sub(pcrs, bank_word(b), &of, &e) && json_hex(of, "10", want, bank_size(b), &e))
			bank_reached(boot, list, len, b, want, t);
	}
}

/* What the fields of every recorded entry say can be read; but lists that a test of others made may begin otherwise. */
START_TEST(recorded_entries_are_judged)
{
	const char *corpus = unit_corpus();
	unsigned judged = 0, other = 0;
	char path[1024];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/data/ima", corpus);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((d = readdir(dir))) {
		own(imalog) struct imalog l = { .ascii = false };
		own(mem) uint8_t *list = NULL;
		struct ima_fields f;
		struct ima_entry x;
		struct error e;
		size_t len;
		bool more = true;

		snprintf(path, sizeof(path), "%s/data/ima/%s", corpus, d->d_name);
		list = d->d_name[0] != '.' ? unit_file(path, &len) : NULL;
		if (!list || !imalog_open(list, len, 0, &l, &e))
			continue;
		while (imalog_next(&l, &x, &more, &e) && more)
			if (!ima_fields_read(&x, l.form.big_endian, &f, &e)) {
				printf("%s: entry %llu (%s): %s\n", d->d_name, (unsigned long long)x.number, x.name, e.why);
				other++;
			} else {
				judged += f.judged;
				other += !f.judged;
			}
	}
	closedir(dir);
	printf("%u entries can be judged, %u cannot\n", judged, other);
	ck_assert_uint_gt(judged, 30000);
	ck_assert_uint_le(other, 12);
}
END_TEST

START_TEST(recorded_boots_reach_pcr_10)
{
	const char *corpus = unit_corpus();
	struct boots t = { 0 };
	char path[1024];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/vm", corpus);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			boot_reached(corpus, d->d_name, &t);
	closedir(dir);
	printf("vm: %u boots, %u lists; PCR 10 in %u banks by its own hash (%u before the end), in %u by padded SHA-1; %u never\n",
	    t.boots, t.lists, t.real, t.prefix, t.padded, t.wrong);
	ck_assert_uint_gt(t.real, 0);
	ck_assert_uint_gt(t.padded, 0);
	ck_assert_uint_eq(t.wrong, 0);
}
END_TEST

/* --- boot_aggregate: recorded pairs of a boot log and a list --- */

struct pairs { unsigned pairs, same, seven, wrong; };

static void
pair(const char *what, const uint8_t *log_bytes, size_t log_len, const uint8_t *list, size_t len, bool same, struct pairs *t)
{
	own(eventlog) struct eventlog log = { 0 };
	own(imalog) struct imalog l = { .ascii = false };
	struct boot_aggregate is = { .last_pcr = 0 };
	struct ima_entry x;
	struct ima_fields f;
	struct error e = { .code = ERR_NONE };
	bool more;

	ck_assert_msg(eventlog_parse(log_bytes, log_len, &log, &e) && imalog_open(list, len, 0, &l, &e) && imalog_next(&l, &x, &more, &e) && more &&
	    ima_fields_read(&x, l.form.big_endian, &f, &e), "%s: %s", what, e.why);
	t->pairs++;
	if (boot_aggregate_check(&f, &log, &is, &e) != same) {
		printf("%s: %s\n", what, e.why);
		t->wrong++;
	}
	t->same += same;
	t->seven += is.last_pcr == 7;
}

static void
pairs_of_list(const char *corpus, const char *name, struct pairs *t)
{
	own(json) struct json *want = expected_of(corpus, name);
	struct error e;
	unsigned count;

	ck_assert(json_list(want, "boot_aggregate_pairs", 16, &count, &e));
	for (unsigned i = 0; i < count; i++) {
		const struct json *one = json_item(want, "boot_aggregate_pairs", i);
		own(mem) uint8_t *log = NULL, *list = NULL;
		char path[1024], file[512];
		size_t log_len = 0, len = 0;
		unsigned matches;

		ck_assert(json_text(one, "eventlog", file, sizeof(file), &e) && json_list(one, "match", 8, &matches, &e));
		snprintf(path, sizeof(path), "%s/data/%s", corpus, file);
		log = unit_file(path, &log_len);
		snprintf(path, sizeof(path), "%s/data/ima/%s", corpus, name);
		list = unit_file(path, &len);
		if (!log) {
			printf("%s: %s is not there\n", name, file);
			continue;
		}
		ck_assert_ptr_nonnull(list);
		pair(name, log, log_len, list, len, matches != 0, t);
	}
}

static void
pair_of_boot(const char *corpus, const char *boot, struct pairs *t)
{
	own(mem) uint8_t *log = NULL, *list = NULL;
	char path[1024];
	size_t log_len = 0, len = 0;

	snprintf(path, sizeof(path), "%s/vm/%s/binary_bios_measurements", corpus, boot);
	log = unit_file(path, &log_len);
	snprintf(path, sizeof(path), "%s/vm/%s/ima_binary", corpus, boot);
	list = unit_file(path, &len);
	if (log && log_len && list && len)
		pair(boot, log, log_len, list, len, true, t);
}

START_TEST(boot_aggregates)
{
	static const char *const folders[] = { "expected/ima", "vm" };
	const char *corpus = unit_corpus();
	struct pairs t = { 0 };

	for (unsigned i = 0; i < COUNT(folders); i++) {
		char path[1024];
		struct dirent *d;
		DIR *dir;

		snprintf(path, sizeof(path), "%s/%s", corpus, folders[i]);
		dir = opendir(path);
		ck_assert_ptr_nonnull(dir);
		while ((d = readdir(dir))) {
			char name[256];

			snprintf(name, sizeof(name), "%s", d->d_name);
			if (name[0] == '.')
				continue;
			if (i)
				pair_of_boot(corpus, name, &t);
			else {
				name[strlen(name) - strlen(".json")] = '\0';
				pairs_of_list(corpus, name, &t);
			}
		}
		closedir(dir);
	}
	printf("boot_aggregate: %u pairs, %u of one boot (%u over PCR 0 to 7), %u wrong\n", t.pairs, t.same, t.seven, t.wrong);
	ck_assert_uint_gt(t.same, 25);
	ck_assert_uint_gt(t.pairs, t.same);
	ck_assert_uint_eq(t.wrong, 0);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, expected_lists_agree);
	tcase_add_test(tc, recorded_entries_are_judged);
	tcase_add_test(tc, boot_aggregates);
	tcase_add_test(tc, recorded_boots_reach_pcr_10);
}

int
main(void)
{
	if (!unit_corpus()) {
		printf("skipped: no corpus\n");
		return 77;
	}
	return unit_run("corpus_ima", add);
}
