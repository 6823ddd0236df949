#include <stdio.h>
#include <string.h>
#include "boot_aggregate.h"
#include "hex.h"
#include "ima_judge.h"
#include "scope.h"

enum { PATH_SHOWN = 160, STEPS_IN_A_HASH = 64 };

void
ima_judge_open(struct ima_judge *j, const struct ima_rules *rules, const struct eventlog *log)
{
	*j = (struct ima_judge){ .rules = rules, .log = log, .keys = { .rules = rules } };
}

void
ima_judge_free(struct ima_judge *j)
{
	hashers_free(&j->hashers);
	ima_keys_free(&j->keys);
}

void
ima_judge_again(struct ima_judge *j, const struct ima_found *found)
{
	j->found = *found;
	j->nshown = 0;
}

/* --- words --- */

/* What a kind of finding counts in. */
static uint64_t *
counter_of(struct ima_found *f, enum reason code)
{
	switch (code) {
	case REASON_IMA_UNKNOWN_FILE: return &f->unknown;
	case REASON_IMA_UNSIGNED:     return &f->unsigned_files;
	case REASON_IMA_SIGNATURE:    return &f->bad_signatures;
	case REASON_IMA_VIOLATION:
	case REASON_IMA_UNSTEADY:     return &f->violations;
	default:                      return &f->others;
	}
}

static unsigned
shown_of(const struct ima_judge *j, enum reason code)
{
	unsigned n = 0;

	for (unsigned i = 0; i < j->nshown; i++)
		n += j->shown[i].code == code;
	return n;
}

/* Counts one of its kind and keeps the first ones; NULL when there are enough of them. */
static struct finding *
find(struct ima_judge *j, enum reason code, enum severity severity, const struct ima_entry *x)
{
	struct finding *f;

	++*counter_of(&j->found, code);
	if (j->nshown == IMA_SHOWN_MAX || shown_of(j, code) == IMA_FINDINGS_SHOWN)
		return NULL;
	f = &j->shown[j->nshown++];
	*f = (struct finding){ .code = code, .severity = severity, .claim = CLAIM_EXECUTABLES, .pcr = x->pcr, .event = (uint32_t)x->number };
	return f;
}

/* A finding has its words: the first that refuses is kept for the boot. */
static void
found(struct ima_judge *j, const struct finding *f, enum reason code)
{
	if (reason_state(code) != STATE_CONTRAINDICATED) {
		j->found.warned = true;
		return;
	}
	if (!j->found.bad && f)
		j->found.first = *f;
	j->found.bad = true;
}

static void
put_digest(const struct ima_fields *f, char out[static FINDING_TEXT])
{
	char hex[2 * DIGEST_MAX + 1] = "";

	if (!f->digest)
		return;
	hex_text(f->digest, ima_alg_size(f->alg), hex);
	finding_say(out, "%s%s:%s", f->verity ? "verity:" : "", ima_alg_word(f->alg), hex);
}

static int
path_cut(const struct ima_fields *f)
{
	return f->path_len < PATH_SHOWN ? (int)f->path_len : PATH_SHOWN;
}

void
ima_judge_malformed(struct ima_judge *j, const struct ima_entry *x, const char *why)
{
	struct finding *f;

	if (j->rules->mode == IMA_MODE_OFF)
		return;
	f = find(j, REASON_IMA_MALFORMED, SEVERITY_ALARMING, x);
	if (f)
		finding_say(f->text, "%s: entry %llu: %s", reason_text(f->code), (unsigned long long)x->number, why);
	found(j, f, REASON_IMA_MALFORMED);
}

void
ima_judge_uncovered(struct ima_judge *j, const struct ima_entry *x)
{
	struct finding *f;

	if (j->rules->mode == IMA_MODE_OFF)
		return;
	f = find(j, REASON_IMA_MISMATCH, SEVERITY_ALARMING, x);
	if (f)
		finding_say(f->text, "entry %llu extends PCR %u, which is not among the policy's pcrs for IMA or not in the quote",
		    (unsigned long long)x->number, x->pcr);
	found(j, f, REASON_IMA_MISMATCH);
}

/* --- rows --- */

/* A violation's name is in no PCR: it is what the host says, and excludes do not help it. */
static void
violation(struct ima_judge *j, const struct ima_entry *x, const struct ima_fields *fields)
{
	enum reason code = j->rules->violations == IMA_VIOLATION_REFUSE ? REASON_IMA_VIOLATION : REASON_IMA_UNSTEADY;
	struct finding *f;

	if (j->rules->violations == IMA_VIOLATION_IGNORE) {
		j->found.violations++;
		return;
	}
	f = find(j, code, SEVERITY_UNKNOWN, x);
	if (f)
		finding_say(f->text, "%s; the host says: %.*s", reason_text(code), fields && fields->path ? path_cut(fields) : 1,
		    fields && fields->path ? fields->path : "?");
	found(j, f, code);
}

static void
aggregate_refused(struct ima_judge *j, const struct ima_entry *x, const struct ima_fields *fields, const char *why)
{
	struct finding *f = find(j, REASON_BOOT_AGGREGATE, SEVERITY_ALARMING, x);

	if (f) {
		finding_say(f->text, "%s: %s", reason_text(f->code), why);
		if (fields)
			put_digest(fields, f->seen);
	}
	found(j, f, REASON_BOOT_AGGREGATE);
}

static bool
is_named(const struct ima_fields *f, const char *name)
{
	return f->path_len == strlen(name) && !memcmp(f->path, name, f->path_len);
}

/*
 * The first entry, and one more behind each kexec that carried the list over. Whoever runs a file from a mount that no
 * path leads to names its entry so as well: without a log to compare it with, only the first can be the kernel's.
 */
static void
aggregate(struct ima_judge *j, const struct ima_entry *x, const struct ima_fields *fields)
{
	struct boot_aggregate is;
	struct error e = { .code = ERR_NONE };

	if (!is_named(fields, "boot_aggregate"))
		aggregate_refused(j, x, fields, "the first entry is of a file");
	else if (!j->log && x->number)
		aggregate_refused(j, x, fields, "a second one, and no boot log that it could be compared with");
	else if (j->log && !boot_aggregate_check(fields, j->log, &is, &e))
		aggregate_refused(j, x, fields, e.why);
	if (x->number)
		j->found.kexec = true;
}

/* The host chooses the path: a pattern may take long on it, and that counts as work. */
static bool
excluded(const struct ima_rules *r, const struct ima_fields *f, uint64_t *work)
{
	uint64_t steps = 0;
	bool is = false;

	for (unsigned i = 0; i < r->nexcludes && !is; i++)
		is = pattern_matches_in(r->exclude[i], f->path, f->path_len, &steps);
	*work += steps / STEPS_IN_A_HASH;
	return is;
}

static void
on_allow_list(struct ima_judge *j, const struct ima_entry *x, const struct ima_fields *fields, uint64_t *work)
{
	uint64_t steps = 0;
	enum allowed is = allow_list_holds(&j->rules->allow, fields, &steps);
	char want[ALLOWED_TEXT];
	struct finding *f;

	*work += steps / STEPS_IN_A_HASH;
	if (is == ALLOWED)
		return;
	f = find(j, REASON_IMA_UNKNOWN_FILE, SEVERITY_UNKNOWN, x);
	if (f) {
		put_digest(fields, f->seen);
		if (allow_list_of_path(&j->rules->allow, fields->path, fields->path_len, want))
			finding_say(f->expected, "%s", want);
		finding_say(f->text, "%.*s %s", path_cut(fields), fields->path,
		    is == ALLOWED_ELSEWHERE ? "has a known content, but under another path" :
		    *f->expected ? "has another content than is known" : "is not on the allow list");
	}
	found(j, f, REASON_IMA_UNKNOWN_FILE);
}

/* The number of keys that were tried. */
static unsigned
is_signed(struct ima_judge *j, const struct ima_entry *x, const struct ima_fields *fields)
{
	struct error why = { .code = ERR_NONE };
	unsigned tried = 0;
	enum ima_signed is = ima_signature_check(&j->keys, fields, &tried, &why);
	enum reason code = is == IMA_SIGNED_BADLY ? REASON_IMA_SIGNATURE : REASON_IMA_UNSIGNED;
	struct finding *f;

	if (is == IMA_SIGNED)
		return tried;
	f = find(j, code, is == IMA_SIGNED_BADLY ? SEVERITY_ALARMING : SEVERITY_UNKNOWN, x);
	if (f) {
		put_digest(fields, f->seen);
		finding_say(f->text, "%.*s: %s", path_cut(fields), fields->path, is == IMA_SIGNED_NOT ? "not signed" : why.why);
	}
	found(j, f, code);
	return tried;
}

/*
 * What the kernel measured that is no file: a keyring's key, a command line for kexec. It has no signature, so
 * the allow list must know it. No path is so named, and the digest is that of the buffer beside it.
 */
static bool
is_buffer(struct ima_judge *j, const struct ima_fields *f)
{
	uint8_t is[DIGEST_MAX];
	enum bank b;

	return f->buf.p && f->path_len && f->path[0] != '/' && bank_of_word(ima_alg_word(f->alg), &b) &&
	    hashers_digest(&j->hashers, b, f->buf.p, f->buf.len, is) && !memcmp(is, f->digest, bank_size(b));
}

uint64_t
ima_judge_entry(struct ima_judge *j, const struct ima_entry *x, const struct ima_fields *f, const char *why)
{
	const struct ima_rules *r = j->rules;
	uint64_t work = 1 + r->nexcludes / 32;

	if (r->mode == IMA_MODE_OFF)
		return 0;
	j->found.judged++;
	if (x->violation && !x->number)
		aggregate_refused(j, x, NULL, "the first entry is a violation");
	else if (x->violation)
		violation(j, x, f);
	else if (!f)
		ima_judge_malformed(j, x, why);
	else if (!f->judged)
		ima_judge_malformed(j, x, "its template does not begin with a digest and a name");
	else if (!x->number || is_named(f, "boot_aggregate"))
		aggregate(j, x, f);
	else if (excluded(r, f, &work))
		j->found.excluded++;
	else {
		bool buffer = r->mode != IMA_MODE_ALLOW_LIST && is_buffer(j, f);

		if (r->mode != IMA_MODE_SIGNATURES || buffer)
			on_allow_list(j, x, f, &work);
		if (r->mode != IMA_MODE_ALLOW_LIST && !buffer)
			work += (uint64_t)IMA_SIGNATURE_WORK * is_signed(j, x, f);
	}
	return work;
}

/* --- findings --- */

static void
say_rest(const struct ima_judge *j, enum reason code, uint64_t all, const char *what, struct findings *out)
{
	unsigned shown = shown_of(j, code);
	struct finding *f;

	if (all <= shown)
		return;
	f = finding_add(out, code, SEVERITY_INFO, CLAIM_EXECUTABLES);
	finding_say(f->text, "%llu %s in this boot%s", (unsigned long long)all, what, shown ? "; the first of this report are shown" : "");
}

void
ima_judge_say(const struct ima_judge *j, struct findings *out)
{
	const struct ima_found *f = &j->found;
	enum reason violations = j->rules->violations == IMA_VIOLATION_REFUSE ? REASON_IMA_VIOLATION : REASON_IMA_UNSTEADY;
	bool first_shown = !f->bad;

	for (unsigned i = 0; i < j->nshown && !first_shown; i++)
		first_shown = j->shown[i].code == f->first.code && j->shown[i].event == f->first.event;
	if (!first_shown)
		*finding_add(out, f->first.code, f->first.severity, f->first.claim) = f->first;
	for (unsigned i = 0; i < j->nshown; i++)
		*finding_add(out, j->shown[i].code, j->shown[i].severity, j->shown[i].claim) = j->shown[i];
	say_rest(j, REASON_IMA_UNKNOWN_FILE, f->unknown, "measurements are of files that the allow list does not know", out);
	say_rest(j, REASON_IMA_UNSIGNED, f->unsigned_files, "measurements are of files without a signature of a known key", out);
	say_rest(j, REASON_IMA_SIGNATURE, f->bad_signatures, "measurements are of files whose signature does not verify", out);
	if (j->rules->violations != IMA_VIOLATION_IGNORE)
		say_rest(j, violations, f->violations, "violations are in the list", out);
	if (f->kexec)
		finding_say(finding_add(out, REASON_KEXEC, SEVERITY_UNKNOWN, CLAIM_EXECUTABLES)->text,
		    "%s: the list has a second boot_aggregate", reason_text(REASON_KEXEC));
}
