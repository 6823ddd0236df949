/* Logs of other people's machines, read where they lie: each replays as expected, or fails by name. */
#include <dirent.h>
#include "json.h"
#include "made_log.h"

/* Does the replay have exactly the values of {"bank": {"pcr": "hex"}}? */
static bool
replay_is(const struct replay *r, const struct json *want, const char *name)
{
	struct error e = { .code = ERR_NONE };

	for (enum bank b = 0; b < BANK_COUNT; b++) {
		const struct json *values = NULL;

		if (!json_has(want, bank_word(b)) && r->extended[b])
			return printf("%s: %s is extended\n", name, bank_word(b)), false;
		if (!json_has(want, bank_word(b)))
			continue;
		ck_assert(json_sub(want, bank_word(b), &values, &e));
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			char key[8];
			uint8_t value[DIGEST_MAX];

			snprintf(key, sizeof(key), "%u", pcr);
			if (json_has(values, key) != (bool)(r->extended[b] & 1u << pcr))
				return printf("%s: %s:%u: extended or not\n", name, bank_word(b), pcr), false;
			if (json_has(values, key) && (!json_hex(values, key, value, bank_size(b), &e) ||
			    memcmp(value, r->value[b][pcr], bank_size(b))))
				return printf("%s: %s:%u differs %s\n", name, bank_word(b), pcr, e.why), false;
		}
	}
	return true;
}

static bool
log_replays(const char *path, const struct json *want, const char *name)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };
	struct replay r;
	size_t len = 0;
	own(mem) uint8_t *buf = unit_file(path, &len);

	ck_assert_msg(buf != NULL, "%s", path);
	if (!eventlog_parse(buf, len, &log, &e) || !eventlog_replay(&log, &r, &e))
		return printf("%s: %s\n", name, e.why), false;
	return replay_is(&r, want, name);
}

struct tally { unsigned agree, agile, legacy, clean; };

static void
corpus_log(const char *corpus, const char *file, struct tally *t)
{
	char path[1024], format[64], log[512];
	struct error e = { .code = ERR_NONE };
	own(json) struct json *expected = NULL;
	const struct json *want;
	size_t len;
	own(mem) uint8_t *text = NULL;

	snprintf(path, sizeof(path), "%s/expected/tcg-eventlog/%s", corpus, file);
	text = unit_file(path, &len);
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(json_parse((char *)text, len, &expected, &e), "%s: %s", file, e.why);
	ck_assert(json_text(expected, "format", format, sizeof(format), &e) && json_text(expected, "file", log, sizeof(log), &e));
	snprintf(path, sizeof(path), "%s/data/%s", corpus, log);
	ck_assert(json_sub(expected, "replay", &want, &e));
	if (!strcmp(format, "crypto-agile")) {
		t->agile++;
		t->agree += log_replays(path, want, log);
	} else {
		own(eventlog) struct eventlog none = { 0 };
		own(mem) uint8_t *buf = unit_file(path, &len);

		t->legacy++;
		t->clean += !eventlog_parse(buf, len, &none, &e) && strstr(e.why, "legacy SHA-1 log");
	}
}

START_TEST(recorded_logs_replay)
{
	const char *corpus = unit_corpus();
	struct tally t = { 0 };
	char path[1024];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/expected/tcg-eventlog", corpus);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			corpus_log(corpus, d->d_name, &t);
	closedir(dir);
	printf("crypto-agile logs: %u of %u replay as expected; legacy logs: %u of %u named as such\n",
	    t.agree, t.agile, t.clean, t.legacy);
	ck_assert_uint_eq(t.agree, t.agile);
	ck_assert_uint_eq(t.clean, t.legacy);
	ck_assert_uint_gt(t.agile, 0);
}
END_TEST

/* Each made mutant and what its maker expects of a reader. */
static const struct { const char *name; bool accept; int locality; unsigned count; } mutants[] = {
	{ "A-big",               true,  0, 14097 }, { "A-bigevent",          false, 0, 0 },
	{ "A-digestcount-65535", false, 0, 0 },     { "A-duplicate-digest",  false, 0, 0 },
	{ "A-eventsize-ffffffff",false, 0, 0 },     { "A-ff-pad",            true,  0, 97 },
	{ "A-hcrtm",             true,  4, 98 },    { "A-locality-255",      false, 0, 0 },
	{ "A-locality-conflict", false, 0, 0 },     { "A-locality-late",     false, 0, 0 },
	{ "A-locality-nonzero-digest", true, 3, 98 }, { "A-locality-pcr1",   true,  0, 98 },
	{ "A-locality3",         true,  3, 98 },    { "A-locality4",         true,  4, 98 },
	{ "A-noaction-fake-type",true,  0, 98 },    { "A-pcr-minus1-measured", false, 0, 0 },
	{ "A-pcr24",             false, 0, 0 },     { "A-sep-error",         true,  0, 98 },
	{ "A-specid-badsize",    false, 0, 0 },     { "A-specid-nalgs-0",    false, 0, 0 },
	{ "A-specid-nalgs-ffffffff", false, 0, 0 }, { "A-specid-second",     false, 0, 0 },
	{ "A-specid-sig-unterminated", false, 0, 0 }, { "A-trunc-data",      false, 0, 0 },
	{ "A-trunc-digest",      false, 0, 0 },     { "A-trunc-header",      false, 0, 0 },
	{ "A-unknown-alg",       false, 0, 0 },     { "A-zero-pad-then-event", false, 0, 0 },
	{ "A-zero-pad",          true,  0, 97 },
};

START_TEST(mutants_are_taken_or_refused)
{
	const char *corpus = unit_corpus();
	unsigned right = 0;
	struct replay base, r;
	struct error e;

	for (unsigned i = 0; i <= COUNT(mutants); i++) {
		const char *name = i ? mutants[i - 1].name : NULL;
		own(eventlog) struct eventlog log = { 0 };
		own(mem) uint8_t *buf = NULL;
		char path[1024];
		size_t len = 0;
		bool ok;

		snprintf(path, sizeof(path), name ? "%s/data/tcg-eventlog-malformed/synthetic--%s.bin" :
		    "%s/data/tcg-eventlog/tpm2tools--event-moklisttrusted.bin", corpus, name);
		buf = unit_file(path, &len);
		ck_assert_msg(buf != NULL, "%s", path);
		ok = eventlog_parse(buf, len, &log, &e);
		if (!name) {
			ck_assert(ok && eventlog_replay(&log, &base, &e));
			continue;
		}
		ck_assert_msg(ok == mutants[i - 1].accept, "%s: %s", name, ok ? "taken" : e.why);
		right++;
		if (!ok)
			continue;
		ck_assert_msg(log.locality == mutants[i - 1].locality && log.count == mutants[i - 1].count,
		    "%s: locality %d, %u events", name, log.locality, log.count);
		ck_assert(eventlog_replay(&log, &r, &e));
		/* Only a real locality and real events may change a value. */
		if (strstr(name, "pad") || strstr(name, "pcr1") || strstr(name, "noaction"))
			ck_assert_msg(!memcmp(&r, &base, sizeof(r)), "%s changes a PCR", name);
		if (strstr(name, "locality3") || strstr(name, "locality4") || strstr(name, "nonzero"))
			ck_assert_msg(memcmp(r.value[BANK_SHA256][0], base.value[BANK_SHA256][0], 32), "%s", name);
	}
	printf("mutants: %u of %zu as their maker expects\n", right, COUNT(mutants));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, recorded_logs_replay);
	tcase_add_test(tc, mutants_are_taken_or_refused);
}

int
main(void)
{
	if (!unit_corpus()) {
		printf("skipped: no corpus\n");
		return 77;
	}
	return unit_run("corpus", add);
}
