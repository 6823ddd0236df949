#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "appraise.h"
#include "file.h"
#include "json.h"
#include "reference_json.h"
#include "scope.h"
#include "tpms.h"
#include "vectors.h"
#include "verdict.h"

enum { VECTORS_MAX = 1024, VECTORS_FILE_MAX = 1 << 20, PATH_TEXT = 1024, SETS_OF_ONE = 16, REASONS_MAX = 16 };

/* One vector as it is run. */
struct vector {
	const struct policy *policy;
	const char          *folder;
	const struct json   *o;
	char                 name[NAME_TEXT];
	uint8_t             *raw;       /* owned: what the log points into */
	struct eventlog      log;
	struct quote         quote;
	struct host_facts    host;
	unsigned             nsets;
	struct known_set     set[SETS_OF_ONE];
	struct verdict       verdict;
};

static void
vector_free(struct vector *v)
{
	eventlog_free(&v->log);
	free(v->raw);
	v->raw = NULL;
	for (unsigned i = 0; i < v->nsets; i++)
		set_free(&v->set[i].set);
	v->nsets = 0;
}

/* --- what it is made of --- */

static bool
load(const struct vector *v, const char *name, size_t max, uint8_t **buf, size_t *len, struct error *e)
{
	char path[PATH_TEXT];

	if (snprintf(path, sizeof(path), "%s%s", *name == '/' ? "" : v->folder, name) >= (int)sizeof(path))
		return err_set(e, ERR_LIMIT, "%.40s: a long path", name);
	return file_load(path, max, buf, len, e);
}

/* The log points into its bytes. */
static bool
load_log(const struct vector *v, const char *name, uint8_t **raw, struct eventlog *out, struct error *e)
{
	size_t len;

	return load(v, name, EVENTLOG_LEN_MAX, raw, &len, e) && (eventlog_parse(*raw, len, out, e) || err_in(e, "%.40s", name));
}

/* What a TPM would quote after that boot, if asked for what the policy asks. */
static bool
make_quote(struct vector *v, struct error *e)
{
	struct replay r;

	if (!eventlog_replay(&v->log, &r, e))
		return false;
	if (!policy_selection(v->policy, v->log.banks, &v->quote.selection))
		return err_set(e, ERR_MISMATCH, "the log has neither a SHA-256 nor a SHA-384 bank");
	return replay_digest(&r, &v->quote.selection, BANK_SHA256, v->quote.pcr_digest, &v->quote.pcr_digest_len, e);
}

static bool
take_quote(struct vector *v, struct error *e)
{
	own(mem) uint8_t *buf = NULL;
	char name[PATH_TEXT];
	size_t len;

	if (!json_has(v->o, "quote"))
		return make_quote(v, e);
	return json_text(v->o, "quote", name, sizeof(name), e) && load(v, name, TPM_ATTEST_MAX, &buf, &len, e) &&
	    quote_read(buf, len, &v->quote, e);
}

static struct known_set *
next_set(struct vector *v, const char *name)
{
	struct known_set *s = &v->set[v->nsets];

	*s = (struct known_set){ .active = true, .own_host = true };
	snprintf(s->label, sizeof(s->label), "%.*s", NAME_TEXT - 1, name);
	return s;
}

/* Every set is the host's own and active: of one log that is good, or a file of references. */
static bool
take_sets(struct vector *v, const char *key, bool captured, struct error *e)
{
	char name[PATH_TEXT], origin[SET_ORIGIN_TEXT];
	unsigned count;
	enum bank bank;

	if (!json_has(v->o, key))
		return true;
	if (!json_list(v->o, key, SETS_OF_ONE / 2, &count, e) || !bank_of_alg(v->quote.selection.bank[0].alg, &bank))
		return false;
	for (unsigned i = 0; i < count; i++) {
		own(mem) uint8_t *text = NULL;
		own(eventlog) struct eventlog log = { 0 };
		struct known_set *s;
		size_t len;

		if (!json_item_text(json_item(v->o, key, i), name, sizeof(name), e))
			return err_in(e, "%s[%u]", key, i);
		s = next_set(v, name);
		if (captured ? !load_log(v, name, &text, &log, e) || !set_capture(&log, bank, v->quote.selection.bank[0].pcrs, &s->set, e) :
		    !load(v, name, SET_JSON_MAX, &text, &len, e) || !set_json_read((char *)text, len, origin, &s->set, e))
			return err_in(e, "%s[%u]", key, i);
		v->nsets++;
	}
	return true;
}

static bool
take_tpm(struct vector *v, struct error *e)
{
	char version[FIRMWARE_TEXT];

	v->host = (struct host_facts){ .known = true, .active = true };
	if (json_has(v->o, "tpm") && !json_text(v->o, "tpm", v->host.ek_subject, sizeof(v->host.ek_subject), e))
		return false;
	if (!json_has(v->o, "firmware"))
		return true;
	return json_text(v->o, "firmware", version, sizeof(version), e) &&
	    (firmware_read(version, &v->quote.firmware) || err_set(e, ERR_FORMAT, "firmware: not a version like 7.85.4555.0"));
}

static bool
known_members(const struct json *o, struct error *e)
{
	static const char *const keys[] = { "name", "log", "captured", "sets", "quote", "tpm", "firmware", "expect", NULL };

	return json_only(o, keys, e);
}

/* --- the verdict, and what was expected --- */

static void
judge(struct vector *v)
{
	struct boot_evidence boot = { .log_sent = true, .log_len = 1, .log = &v->log };

	verdict_start(&v->verdict);
	v->verdict.claim[CLAIM_INSTANCE_IDENTITY] = TRUST_GENUINE;      /* the quote's own rows are no policy's */
	appraise_boot(&boot, &v->quote, BANK_SHA256, &v->host, v->policy, v->set, v->nsets, &v->verdict);
}

static bool
says(const struct verdict *v, enum reason r)
{
	for (unsigned i = 0; i < v->findings.count; i++)
		if (v->findings.list[i].code == r && v->findings.list[i].severity > SEVERITY_INFO)
			return true;
	return v->reason == r;
}

/* The first reason is the main one; all others are among them, and no more than them. */
static bool
compare(const struct vector *v, struct error *e)
{
	enum reason expected[REASONS_MAX];
	const struct json *want;
	char word[REASON_CODE_MAX];
	unsigned count;

	if (!json_sub(v->o, "expect", &want, e) || !json_text(want, "state", word, sizeof(word), e))
		return false;
	if (strcmp(word, state_word(v->verdict.state)))
		return err_set(e, ERR_MISMATCH, "%s, %s; expected %s: %.100s", state_word(v->verdict.state),
		    reason_code(v->verdict.reason), word, v->verdict.findings.count ? v->verdict.findings.list[0].text : "");
	if (!json_list(want, "reasons", REASONS_MAX, &count, e) || !count)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!json_item_text(json_item(want, "reasons", i), word, sizeof(word), e) || !reason_find(word, &expected[i]))
			return err_set(e, ERR_FORMAT, "reasons[%u]: not a reason", i);
		if (!says(&v->verdict, expected[i]) || (!i && v->verdict.reason != expected[i]))
			return err_set(e, ERR_MISMATCH, "%s; expected %s", reason_code(v->verdict.reason), word);
	}
	for (unsigned i = 0; i < v->verdict.findings.count; i++) {
		const struct finding *f = &v->verdict.findings.list[i];
		unsigned k = 0;

		while (k < count && expected[k] != f->code)
			k++;
		if (k == count && f->severity > SEVERITY_INFO)
			return err_set(e, ERR_MISMATCH, "%s was not expected: %.100s", reason_code(f->code), f->text);
	}
	return true;
}

static bool
run_one(struct vector *v, struct error *e)
{
	char log[PATH_TEXT];

	if (!json_text(v->o, "name", v->name, sizeof(v->name), e) || !known_members(v->o, e) ||
	    !json_text(v->o, "log", log, sizeof(log), e) || !load_log(v, log, &v->raw, &v->log, e) || !take_quote(v, e) ||
	    !take_sets(v, "captured", true, e) || !take_sets(v, "sets", false, e) || !take_tpm(v, e))
		return false;
	judge(v);
	return compare(v, e);
}

/* --- all of them --- */

static bool
run_each(const struct policy *p, const char *folder, const struct json *file, unsigned count, struct json *list, unsigned *held)
{
	struct vector *v = calloc(1, sizeof(*v));

	if (!v)
		return false;
	for (unsigned i = 0; i < count; i++) {
		struct error e = { .code = ERR_NONE };
		struct json *o = json_new();
		bool good;

		*v = (struct vector){ .policy = p, .folder = folder, .o = json_item(file, "vectors", i) };
		good = run_one(v, &e);
		*held += good;
		json_put_text(o, "name", v->name);
		json_put_bool(o, "ok", good);
		json_put_text(o, "state", state_word(v->verdict.state));
		json_put_text(o, "reason", reason_code(v->verdict.reason));
		json_put_text(o, "why", good ? "" : e.why);
		json_add(list, o);
		vector_free(v);
	}
	free(v);
	return true;
}

static void
print_each(const struct json *j, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct json *o = json_item(j, "vectors", i);
		char name[NAME_TEXT] = "?", why[256] = "";
		struct error e;
		bool ok = false;

		(void)(json_text(o, "name", name, sizeof(name), &e) && json_flag(o, "ok", &ok, &e) &&
		    json_text(o, "why", why, sizeof(why), &e));
		printf("%-6s %s%s%s\n", ok ? "ok" : "FAILED", name, *why ? ": " : "", why);
	}
}

static bool
open_file(const char *path, struct json **out, unsigned *count, struct error *e)
{
	own(mem) uint8_t *text = NULL;
	int64_t schema;
	size_t len;

	return file_load(path, VECTORS_FILE_MAX, &text, &len, e) &&
	    json_parse_file((char *)text, len, VECTORS_MAX * 10, out, e) && json_int(*out, "schema", 1, 1, &schema, e) &&
	    json_list(*out, "vectors", VECTORS_MAX, count, e) && (*count || err_set(e, ERR_FORMAT, "vectors: none"));
}

int
vectors_run(const struct ctl *ctl, const struct policy *p, const char *path)
{
	own(json) struct json *file = NULL;
	own(json) struct json *answer = json_new();
	struct json *list = json_new_list();
	struct error e = { .code = ERR_NONE };
	char folder[PATH_TEXT];
	const char *slash = strrchr(path, '/');
	unsigned count, held = 0;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 0, path);
	if (!open_file(path, &file, &count, &e) || (!run_each(p, folder, file, count, list, &held) && !err_set(&e, ERR_MEMORY, "vectors"))) {
		json_free(list);
		fprintf(stderr, "verifierctl: %s: %s\n", path, e.why);
		return EXIT_REFUSED;
	}
	json_put_int(answer, "schema", 1);
	json_put_bool(answer, "ok", held == count);
	json_put_int(answer, "held", held);
	json_put(answer, "vectors", list);
	if (ctl->json)
		(void)api_print(answer);
	else if (!ctl->quiet)
		print_each(answer, count);
	return held == count ? EXIT_DONE : EXIT_REFUSED;
}
