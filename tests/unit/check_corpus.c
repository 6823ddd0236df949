/* Logs of other people's machines, read where they lie: each replays as expected, or fails by name. */
#include <dirent.h>
#include "bound_text.h"
#include "facts.h"
#include "json.h"
#include "made_log.h"
#include "tails.h"

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

/* Expected values that are wrong, each with the reason. */
static const struct { const char *log, *why; } wrong[] = {
	{ NULL, NULL },                 /* none so far */
};

static const char *
wrong_because(const char *log)
{
	for (unsigned i = 0; i < COUNT(wrong); i++)
		if (wrong[i].log && !strcmp(wrong[i].log, log))
			return wrong[i].why;
	return NULL;
}

struct tally { unsigned agree, excused, all; };

static struct json *
expected_of(const char *path)
{
	struct error e = { .code = ERR_NONE };
	struct json *expected = NULL;
	size_t len = 0;
	own(mem) uint8_t *text = unit_file(path, &len);

	ck_assert_msg(text && json_parse((char *)text, len, &expected, &e), "%s: %s", path, e.why);
	return expected;
}

static void
corpus_log(const char *corpus, const char *file, struct tally *t)
{
	char path[1024], log[512];
	struct error e = { .code = ERR_NONE };
	own(json) struct json *expected = NULL;
	const struct json *want;

	snprintf(path, sizeof(path), "%s/expected/tcg-eventlog/%s", corpus, file);
	expected = expected_of(path);
	ck_assert(json_text(expected, "file", log, sizeof(log), &e) && json_sub(expected, "replay", &want, &e));
	snprintf(path, sizeof(path), "%s/data/%s", corpus, log);
	t->all++;
	if (log_replays(path, want, log))
		t->agree++;
	else if (wrong_because(log)) {
		printf("%s: %s\n", log, wrong_because(log));
		t->excused++;
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
	printf("tcg-eventlog: %u of %u agree, %u expected values are wrong\n", t.agree, t.all, t.excused);
	ck_assert_uint_eq(t.agree + t.excused, t.all);
	ck_assert_uint_gt(t.all, 0);
}
END_TEST

/* Each damaged or odd log, and what its maker expects of a reader. */
#define BASE_EVENTS 97
enum outcome {
	REFUSED,
	SAME,           /* taken, and no PCR changes */
	MORE,           /* taken; what was added is measured */
	FROM_PCR0,      /* taken; only PCR 0's start value changes */
	LAST_LOG,       /* taken: what stands before the second header does not count, and that is said */
	NOTHING,        /* taken: nothing is measured, and that is said */
	ON_ITS_OWN,     /* taken; it is not made of the base */
};
static const struct { const char *name; enum outcome outcome; int locality; unsigned count; } mutants[] = {
	{ "synthetic--A-big.bin",               MORE,      0, 14097 },
	{ "synthetic--A-bigevent.bin",          REFUSED,   0, 0 },
	{ "synthetic--A-digestcount-65535.bin", REFUSED,   0, 0 },
	{ "synthetic--A-duplicate-digest.bin",  REFUSED,   0, 0 },
	{ "synthetic--A-eventsize-ffffffff.bin", REFUSED,  0, 0 },
	{ "synthetic--A-ff-pad.bin",            SAME,      0, BASE_EVENTS },
	{ "synthetic--A-hcrtm.bin",             FROM_PCR0, 4, 98 },
	{ "synthetic--A-locality-255.bin",      REFUSED,   0, 0 },
	{ "synthetic--A-locality-conflict.bin", REFUSED,   0, 0 },
	{ "synthetic--A-locality-late.bin",     REFUSED,   0, 0 },
	{ "synthetic--A-locality-nonzero-digest.bin", FROM_PCR0, 3, 98 },
	{ "synthetic--A-locality-pcr1.bin",     SAME,      0, 98 },
	{ "synthetic--A-locality3.bin",         FROM_PCR0, 3, 98 },
	{ "synthetic--A-locality4.bin",         FROM_PCR0, 4, 98 },
	{ "synthetic--A-noaction-fake-type.bin", SAME,     0, 98 },
	{ "synthetic--A-pcr-minus1-measured.bin", REFUSED, 0, 0 },
	{ "synthetic--A-pcr24.bin",             REFUSED,   0, 0 },
	{ "synthetic--A-sep-error.bin",         MORE,      0, 98 },
	{ "synthetic--A-specid-badsize.bin",    REFUSED,   0, 0 },
	{ "synthetic--A-specid-nalgs-0.bin",    REFUSED,   0, 0 },
	{ "synthetic--A-specid-nalgs-ffffffff.bin", REFUSED, 0, 0 },
	{ "synthetic--A-specid-second.bin",     LAST_LOG,  0, 88 },
	{ "synthetic--A-specid-sig-unterminated.bin", REFUSED, 0, 0 },
	{ "synthetic--A-trunc-data.bin",        REFUSED,   0, 0 },
	{ "synthetic--A-trunc-digest.bin",      REFUSED,   0, 0 },
	{ "synthetic--A-trunc-header.bin",      REFUSED,   0, 0 },
	{ "synthetic--A-unknown-alg.bin",       REFUSED,   0, 0 },
	{ "synthetic--A-zero-pad-then-event.bin", REFUSED, 0, 0 },
	{ "synthetic--A-zero-pad.bin",          SAME,      0, BASE_EVENTS },
	{ "goattest--short_no_action_eventlog", NOTHING,   3, 1 },
	{ "intelsecl--uefi_event_log_invalid.bin", ON_ITS_OWN, 0, 116 },
	{ "tpm2tools--specid-vendordata.bin",   REFUSED,   0, 0 },
};

/* Which PCRs of SHA-256 have another value than in the base log? */
static uint32_t
changed(const struct replay *r, const struct replay *base)
{
	uint32_t pcrs = 0;

	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (memcmp(r->value[BANK_SHA256][pcr], base->value[BANK_SHA256][pcr], SHA256_SIZE))
			pcrs |= 1u << pcr;
	return pcrs;
}

static bool
outcome_is(enum outcome outcome, const struct eventlog *log, const struct replay *r, const struct replay *base)
{
	switch (outcome) {
	case REFUSED:    return false;
	case SAME:       return log->logs == 1 && !changed(r, base);
	case MORE:       return log->logs == 1 && changed(r, base) != 0;
	case FROM_PCR0:  return log->logs == 1 && changed(r, base) == 1;
	case LAST_LOG:   return log->logs == 2 && changed(r, base) == (1u << 0 | 1u << 7);
	case NOTHING:    return !r->extended[BANK_SHA1] && !r->extended[BANK_SHA256];
	case ON_ITS_OWN: return true;
	}
	return false;
}

/* Is a file of this folder taken as expected? The base log is the first of them. */
static bool
mutant_ends(const char *corpus, unsigned i, const struct replay *base)
{
	own(eventlog) struct eventlog log = { 0 };
	own(mem) uint8_t *buf = NULL;
	struct error e = { .code = ERR_NONE };
	struct replay r;
	char path[1024];
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/data/tcg-eventlog-malformed/%s", corpus, mutants[i].name);
	buf = unit_file(path, &len);
	ck_assert_msg(buf != NULL, "%s", path);
	if (!eventlog_parse(buf, len, &log, &e)) {
		printf("%s: %s\n", mutants[i].name, e.why);
		return mutants[i].outcome == REFUSED && *e.why;
	}
	ck_assert(eventlog_replay(&log, &r, &e));
	if (log.locality == mutants[i].locality && log.count == mutants[i].count &&
	    outcome_is(mutants[i].outcome, &log, &r, base))
		return true;
	printf("%s: locality %d, %u events, %u logs, changes PCRs 0x%x\n", mutants[i].name, log.locality, log.count,
	    log.logs, changed(&r, base));
	return false;
}

static unsigned
files_in(const char *corpus, const char *folder)
{
	char path[1024];
	unsigned n = 0;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", corpus, folder);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((d = readdir(dir)))
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* "sha256:1:13": bank, kind of register (1 a PCR, 108 a confidential VM's), index. */
static bool
cel_value_is(const struct eventlog *log, const struct replay *r, const char *key, const struct json *values)
{
	char bank_name[16];
	unsigned kind, index;
	uint8_t value[DIGEST_MAX];
	struct error e;
	enum bank b;

	ck_assert_int_eq(sscanf(key, "%15[^:]:%u:%u", bank_name, &kind, &index), 3);
	ck_assert(bank_of_word(bank_name, &b) && index < PCR_COUNT && json_hex(values, key, value, bank_size(b), &e));
	return log->registers == (kind == 108 ? REGISTERS_RTMR : REGISTERS_PCR) && r->extended[b] & 1u << index &&
	    !memcmp(r->value[b][index], value, bank_size(b));
}

/* Does the log hold what is expected of it: so many records, every digest that of its content, these registers? */
static bool
cel_is(const struct eventlog *log, const struct json *want)
{
	struct error e = { .code = ERR_NONE };
	const struct json *values, *value;
	unsigned bound = 0, banks, extended = 0, n = 0;
	int64_t records, digests;
	struct replay r;
	const char *key;

	ck_assert(json_int(want, "records", 1, EVENTS_MAX, &records, &e) && json_int(want, "digest_ok", 0, EVENTS_MAX, &digests, &e));
	ck_assert(json_sub(want, "replay", &values, &e) && json_list(want, "digests", BANK_COUNT, &banks, &e));
	if (!eventlog_replay(log, &r, &e) || log->form != LOG_CEL_TLV || log->count != records)
		return false;
	for (unsigned i = 0; i < log->count; i++)
		bound += log->event[i].binding == BOUND_DIGEST;
	for (; json_member(values, n, &key, &value); n++)
		if (!cel_value_is(log, &r, key, values))
			return false;
	for (enum bank b = 0; b < BANK_COUNT; b++)
		extended += (unsigned)__builtin_popcount(r.extended[b]);
	return n == extended && bound * banks == digests;
}

/* PCR 7 of one record of systemd, extended from where it stood. */
static bool
systemd_is(const struct eventlog *log, const struct json *want)
{
	uint8_t before[SHA256_SIZE], after[SHA256_SIZE];
	struct error e;

	ck_assert(json_hex(want, "before", before, sizeof(before), &e) && json_hex(want, "after", after, sizeof(after), &e));
	return log->form == LOG_SYSTEMD && log->count == 1 && log->event[0].pcr == 7 && log->event[0].banks == 1u << BANK_SHA256 &&
	    digest_extend(BANK_SHA256, before, log->event[0].digest[BANK_SHA256]) && !memcmp(before, after, sizeof(after));
}

/* The specification's own example: its digests are not those of its data, and are read as they stand. */
static bool
spec_json_is(const struct eventlog *log, const struct json *want)
{
	(void)want;
	return log->form == LOG_CEL_JSON && log->count == 3 && log->event[2].binding == BOUND_NOT &&
	    !strcmp(log->event[2].text, "Dell Configuration Information 2");
}

/* The same two events in CBOR and as a firmware log. */
static bool
spec_cbor_is(const struct eventlog *log, const struct json *want)
{
	own(eventlog) struct eventlog other = { 0 };
	own(mem) uint8_t *buf = NULL;
	struct replay a, b;
	struct error e;
	char path[1024];
	size_t len = 0;

	(void)want;
	snprintf(path, sizeof(path), "%s/data/cel/celspec--pcclient_example.tcg2.bin", unit_corpus());
	buf = unit_file(path, &len);
	ck_assert(buf && eventlog_parse(buf, len, &other, &e) && eventlog_replay(&other, &b, &e));
	return eventlog_replay(log, &a, &e) && log->count == 2 && other.count == 2 && log->event[1].type == other.event[1].type &&
	    !strcmp(log->event[1].text, other.event[1].text) && !memcmp(&a, &b, sizeof(a));
}

static const struct { const char *name; bool (*is)(const struct eventlog *, const struct json *); } cels[] = {
	{ "celspec--pcclient_example.cbor", spec_cbor_is },
	{ "celspec--pcclient_example.tcg2.bin", spec_cbor_is },
	{ "celspec--v1.0-5.3-example.json", spec_json_is },
	{ "gotpmtools--agent-cel.bin", cel_is },
	{ "layr--gcp-shielded-vm-debug-no-extra-data.cel.bin", cel_is },
	{ "layr--gcp-shielded-vm-debug-with-extra-data.cel.bin", cel_is },
	{ "layr--gcp-shielded-vm-hardened-no-extra-data.cel.bin", cel_is },
	{ "layr--gcp-shielded-vm-hardened-with-extra-data.cel.bin", cel_is },
	{ "layr--intel-tdx-debug-no-extra-data.cel.bin", cel_is },
	{ "systemd--os-separator-record.json", systemd_is },
};

START_TEST(canonical_logs_agree)
{
	const char *corpus = unit_corpus();
	own(json) struct json *expected = NULL;
	unsigned agree = 0, all = files_in(corpus, "data/cel");
	char path[1024];

	snprintf(path, sizeof(path), "%s/expected/cel/cel.json", corpus);
	expected = expected_of(path);
	for (unsigned i = 0; i < COUNT(cels); i++) {
		own(eventlog) struct eventlog log = { 0 };
		own(mem) uint8_t *buf = NULL;
		const struct json *want = NULL;
		struct error e = { .code = ERR_NONE };
		size_t len = 0;

		snprintf(path, sizeof(path), "%s/data/cel/%s", corpus, cels[i].name);
		buf = unit_file(path, &len);
		ck_assert_msg(buf != NULL, "%s", path);
		if (json_has(expected, cels[i].name))
			ck_assert(json_sub(expected, cels[i].name, &want, &e));
		if (eventlog_parse(buf, len, &log, &e) && cels[i].is(&log, want))
			agree++;
		else
			printf("%s: %s\n", cels[i].name, *e.why ? e.why : "another content");
	}
	printf("cel: %u of %u agree\n", agree, all);
	ck_assert_uint_eq(agree, all);
}
END_TEST

/* PCR values that were read from the TPM beside a log; here those that the log rightly does not give. */
static const struct { const char *log; enum bank bank; uint32_t pcrs; } differ[] = {
	{ "tcg-eventlog/guardoss--failed-1.bin", BANK_SHA256, 1u << 0 },        /* two of its quotes have another PCR 0 than its log gives */
};

static uint32_t
differs_by_right(const char *log, enum bank b)
{
	for (unsigned i = 0; i < COUNT(differ); i++)
		if (!strcmp(differ[i].log, log) && differ[i].bank == b)
			return differ[i].pcrs;
	return 0;
}

static void
values_from(const struct json *pcrs, struct pcr_values *out)
{
	*out = (struct pcr_values){ .there = { 0 } };
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		const struct json *of;
		struct error e;

		if (!json_has(pcrs, bank_word(b)) || !json_sub(pcrs, bank_word(b), &of, &e))
			continue;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			char key[8];

			snprintf(key, sizeof(key), "%u", pcr);
			if (json_has(of, key) && json_hex(of, key, out->value[b][pcr], bank_size(b), &e))
				out->there[b] |= 1u << pcr;
		}
	}
}

struct seen { unsigned sets, verified, mismatch, unlogged, wrong, capped, tails; };

static void
states_of(const char *log, const struct replay *r, const struct json *pcrs, struct seen *t)
{
	struct replay_states s;
	struct pcr_values v;
	struct error e;

	values_from(pcrs, &v);
	ck_assert(replay_states_compare(r, &v, &s, &e));
	t->sets++;
	t->capped += s.tails.capped != 0;
	t->tails += s.tails.exit_boot || s.tails.phases;
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		uint32_t mismatch = 0;

		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			t->verified += s.state[b][pcr] == PCR_VERIFIED;
			t->unlogged += s.state[b][pcr] == PCR_NOT_LOGGED;
			mismatch |= s.state[b][pcr] == PCR_MISMATCH ? 1u << pcr : 0;
		}
		t->mismatch += (unsigned)__builtin_popcount(mismatch);
		if (mismatch & ~differs_by_right(log, b)) {
			printf("%s: %s: mismatch 0x%x\n", log, bank_word(b), mismatch);
			t->wrong++;
		}
	}
}

static void
log_states(const char *corpus, const char *file, struct seen *t)
{
	own(eventlog) struct eventlog log = { 0 };
	own(json) struct json *expected = NULL;
	own(mem) uint8_t *buf = NULL;
	char path[1024], name[512], kind[128];
	unsigned count;
	struct replay r;
	struct error e;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/expected/tcg-eventlog/%s", corpus, file);
	expected = expected_of(path);
	ck_assert(json_text(expected, "file", name, sizeof(name), &e) && json_list(expected, "source_values", 64, &count, &e));
	snprintf(path, sizeof(path), "%s/data/%s", corpus, name);
	buf = unit_file(path, &len);
	ck_assert(buf && eventlog_parse(buf, len, &log, &e) && eventlog_replay(&log, &r, &e));
	for (unsigned i = 0; i < count; i++) {
		const struct json *from = json_item(expected, "source_values", i), *pcrs;

		if (json_text(from, "kind", kind, sizeof(kind), &e) && !strncmp(kind, "PCRs read", 9) && json_sub(from, "pcrs", &pcrs, &e))
			states_of(name, &r, pcrs, t);
	}
}

START_TEST(states_of_recorded_pcrs)
{
	const char *corpus = unit_corpus();
	struct seen t = { 0 };
	char path[1024];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/expected/tcg-eventlog", corpus);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			log_states(corpus, d->d_name, &t);
	closedir(dir);
	printf("PCRs read beside logs: %u sets, %u verified, %u mismatch (all by right but %u), %u not logged; %u banks capped, %u with tails\n",
	    t.sets, t.verified, t.mismatch, t.wrong, t.unlogged, t.capped, t.tails);
	ck_assert_uint_eq(t.wrong, 0);
	ck_assert_uint_gt(t.verified, 0);
	ck_assert_uint_gt(t.mismatch, 0);
	ck_assert_uint_eq(t.capped, 1);
}
END_TEST

/* --- Secure Boot: the column of the manifest --- */

/* Where the firmware's variable says on, and the rules say something else: by right. */
static const struct { const char *log; enum secure_boot_state state; const char *why; } not_on[] = {
	{ "tcg-eventlog/secboot--eventlog2.bin", SECURE_BOOT_OFF, "MokSBState" },
	{ "tcg-eventlog/secboot--eventlog_sb_no_shim_verification.bin", SECURE_BOOT_OFF, "MokSBState" },
	{ "tcg-eventlog/tpm2tools--event-uefivar.bin", SECURE_BOOT_UNKNOWN, "exactly one separator" },  /* two events of a log */
};

struct keys_seen { unsigned all, agree, on, held, rtmr, texts, bound; };

/* What GRUB ran and every kernel was given. Windows' tags in PCR 12 are no texts. */
static void
texts_of_log(const struct eventlog *log, enum bank bank, struct keys_seen *t)
{
	own(text_walk) struct text_walk w = { .log = log, .bank = bank };
	struct bound_text text;

	while (bound_text_next(&w, &text))
		if (text.event->pcr != 11 && text.event->type == EV_IPL) {
			t->texts++;
			t->bound += text.bound;
		}
}

static bool
variable_is(const char *word, const struct boot_facts *f)
{
	const struct fact_flag *v = &f->secure_boot.variable;

	if (!strcmp(word, "n/a"))
		return v->at.binding == FACT_ABSENT;
	return v->at.binding != FACT_ABSENT && v->set == !strcmp(word, "on");
}

/* With the variable on, all rules hold; or that which does not is one that is known not to. */
static bool
state_is(const char *log, const char *word, const struct secure_boot *s, struct keys_seen *t)
{
	if (strcmp(word, "on"))
		return s->state != SECURE_BOOT_ON;
	t->on++;
	t->held += s->state == SECURE_BOOT_ON && s->binding == FACT_BOUND;
	for (unsigned i = 0; i < COUNT(not_on); i++)
		if (!strcmp(not_on[i].log, log))
			return s->state == not_on[i].state && strstr(s->why, not_on[i].why);
	return s->state == SECURE_BOOT_ON && s->binding == FACT_BOUND;
}

static void
keys_of_log(const char *corpus, const char *name, const char *word, struct keys_seen *t)
{
	own(eventlog) struct eventlog log = { 0 };
	own(mem) struct boot_facts *f = malloc(sizeof(*f));
	own(mem) uint8_t *buf = NULL;
	enum bank bank = BANK_SHA256;
	char path[1024];
	struct error e;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/data/%s", corpus, name);
	buf = unit_file(path, &len);
	ck_assert(f && buf && eventlog_parse(buf, len, &log, &e));
	t->all++;
	if (log.registers == REGISTERS_RTMR) {
		t->rtmr++;
		return;
	}
	if (!(log.banks & ~(1u << BANK_SHA1)))
		bank = BANK_SHA1;
	while (!(log.banks & 1u << bank))
		bank++;
	texts_of_log(&log, bank, t);
	boot_facts_read(&log, bank, (1u << PCR_COUNT) - 1, f);
	if (variable_is(word, f) && state_is(name, word, &f->secure_boot, t))
		t->agree++;
	else
		printf("%s: %s, but %s: %s\n", name, word, secure_boot_word(f->secure_boot.state), f->secure_boot.why);
}

/* Field i of a line of tab-separated fields. */
static bool
field(const char *line, unsigned i, char *out, size_t size)
{
	size_t n;

	for (; i; i--) {
		line = strchr(line, '\t');
		if (!line++)
			return false;
	}
	n = strcspn(line, "\t\n");
	snprintf(out, size, "%.*s", (int)n, line);
	return true;
}

START_TEST(secure_boot_agrees)
{
	enum { FILE_FIELD = 0, SECURE_BOOT_FIELD = 9 };
	const char *corpus = unit_corpus();
	own(mem) uint8_t *text = NULL;
	struct keys_seen t = { 0 };
	char path[1024], name[512], word[32];
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/MANIFEST.tsv", corpus);
	text = unit_file(path, &len);
	ck_assert_ptr_nonnull(text);
	text[len - 1] = '\0';
	for (const char *line = (const char *)text; line; line = strchr(line, '\n'), line += line != NULL)
		if (!strncmp(line, "tcg-eventlog/", 13) && field(line, FILE_FIELD, name, sizeof(name)) &&
		    field(line, SECURE_BOOT_FIELD, word, sizeof(word)))
			keys_of_log(corpus, name, word, &t);
	printf("Secure Boot: %u of %u logs agree, %u are of confidential VMs; all rules hold in %u of %u that have it on\n",
	    t.agree, t.all, t.rtmr, t.held, t.on);
	printf("texts of PCR 8 and 12: %u of %u are bound\n", t.bound, t.texts);
	ck_assert_uint_eq(t.agree + t.rtmr, t.all);
	ck_assert_uint_eq(t.bound, t.texts);
	ck_assert_uint_eq(t.held + COUNT(not_on), t.on);
	ck_assert_uint_gt(t.held, 0);
}
END_TEST

START_TEST(mutants_are_taken_or_refused)
{
	const char *corpus = unit_corpus();
	own(eventlog) struct eventlog log = { 0 };
	own(mem) uint8_t *buf = NULL;
	struct replay base;
	unsigned right = 0;
	struct error e;
	char path[1024];
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/data/tcg-eventlog/tpm2tools--event-moklisttrusted.bin", corpus);
	buf = unit_file(path, &len);
	ck_assert(buf && eventlog_parse(buf, len, &log, &e) && eventlog_replay(&log, &base, &e));
	for (unsigned i = 0; i < COUNT(mutants); i++)
		right += mutant_ends(corpus, i, &base);
	printf("tcg-eventlog-malformed: %u of %u end as their maker expects\n", right,
	    files_in(corpus, "data/tcg-eventlog-malformed"));
	ck_assert_uint_eq(right, files_in(corpus, "data/tcg-eventlog-malformed"));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, recorded_logs_replay);
	tcase_add_test(tc, states_of_recorded_pcrs);
	tcase_add_test(tc, canonical_logs_agree);
	tcase_add_test(tc, secure_boot_agrees);
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
