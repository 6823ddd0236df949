/* The boot's rows: is there a log, does it replay to the quote, is all that it measured known? */
#include <stdio.h>
#include <string.h>
#include "check_ima.h"
#include "claims.h"
#include "diff.h"
#include "nearest.h"
#include "rules.h"
#include "scope.h"
#include "verdict.h"

struct boot_case {
	const struct boot_evidence *evidence;
	const struct quote         *quote;
	enum bank                   scheme;
	const struct host_facts    *host;
	const struct policy        *policy;
	const struct known_set     *sets;
	unsigned                    nsets;
	struct verdict             *verdict;
	enum bank                   bank;       /* in which measurements are judged */
	uint32_t                    pcrs;
	uint32_t                    by_events;  /* of them: those that references speak of */
};

static bool
row_log_there(struct boot_case *c, struct error *e)
{
	(void)e;
	return c->evidence->log_sent && c->evidence->log_len > 0;
}

static bool
row_log_readable(struct boot_case *c, struct error *e)
{
	return c->evidence->log || err_set(e, ERR_FORMAT, "%s",
	    c->evidence->log_error ? c->evidence->log_error : "nothing could be read");
}

static bool
row_ima_there(struct boot_case *c, struct error *e)
{
	(void)e;
	return !c->evidence->ima || c->evidence->ima->sent;
}

static bool
row_ima_readable(struct boot_case *c, struct error *e)
{
	const struct ima_evidence *ima = c->evidence->ima;

	return !ima || ima->answer || err_set(e, ERR_FORMAT, "%s", ima->error ? ima->error : "nothing could be read");
}

static bool
row_log_replays(struct boot_case *c, struct error *e)
{
	if (c->evidence->log->logs > 1)
		finding_say(finding_add(&c->verdict->findings, REASON_OK, SEVERITY_INFO, CLAIM_EXECUTABLES)->text,
		    "the host sent %u logs behind each other; the last one counts", c->evidence->log->logs);
	if (c->evidence->ima && c->evidence->ima->by_values)
		return err_set(e, ERR_MISMATCH, "the list was read beside the PCRs' values");
	if (c->evidence->replayed)
		return true;
	if (c->evidence->ima)
		return check_replay_with_ima(c->evidence->ima->answer, c->quote, c->verdict);
	return check_replay(c->evidence, c->quote, c->scheme, c->verdict, e);
}

/*
 * One bank is judged, the first that is not SHA-1; what another bank selects beside it would be
 * quoted and replayed but never compared, so that is not accepted.
 */
static bool
row_one_bank(struct boot_case *c, struct error *e)
{
	const struct selection *s = &c->quote->selection;
	unsigned best = 0;

	for (unsigned i = s->count; i-- > 0;)
		if (s->bank[i].alg != bank_alg(BANK_SHA1))
			best = i;
	if (!s->count || !bank_of_alg(s->bank[best].alg, &c->bank))
		return err_set(e, ERR_MISSING, "no bank to judge");
	c->pcrs = s->bank[best].pcrs;
	for (unsigned i = 0; i < s->count; i++)
		if (s->bank[i].pcrs & ~c->pcrs)
			return err_set(e, ERR_CONFIG, "the selection has PCRs that %s lacks", bank_word(c->bank));
	return c->pcrs != 0 || err_set(e, ERR_MISSING, "no PCR to judge");
}

/* PCRs that were quoted for IMA's sake: the policy does not name them, and no event of the boot log is in them. */
static uint32_t
imas_own(const struct boot_case *c)
{
	uint32_t pcrs = c->evidence->ima || c->evidence->replayed ? c->pcrs & ~policy_selected(c->policy) : 0;

	for (unsigned i = 0; pcrs && i < c->evidence->log->count; i++)
		if (event_counts(&c->evidence->log->event[i], c->bank, pcrs))
			pcrs &= ~(1u << c->evidence->log->event[i].pcr);
	return pcrs;
}

/* A PCR that was quoted although the policy does not name it is judged all the same. */
static bool
row_policy_covered(struct boot_case *c, struct error *e)
{
	uint32_t others;

	if (!c->policy)
		return err_set(e, ERR_MISSING, "no policy");
	others = policy_pcrs(c->policy, PCR_MODE_VALUE) | policy_pcrs(c->policy, PCR_MODE_RULES) |
	    policy_pcrs(c->policy, PCR_MODE_IGNORE);
	c->by_events = c->pcrs & ~others & ~imas_own(c);
	return !(policy_selected(c->policy) & ~c->pcrs) ||
	    err_set(e, ERR_MISMATCH, "the policy %s judges PCRs that were not quoted", c->policy->name);
}

static bool
use_active(const struct known_set *s, const void *arg)
{
	(void)arg;
	return s->active;
}

/* The active sets, and this candidate. */
static bool
use_with(const struct known_set *s, const void *arg)
{
	return s->active || s == arg;
}

/* Labels of the sets that were used, each once. */
static void
say_references(struct verdict *v, const struct known_set *sets, const struct match *m)
{
	int used[COMPONENT_COUNT + 1];
	size_t at = 0;

	memcpy(used, m->set, sizeof(m->set));
	used[COMPONENT_COUNT] = m->host_part;
	for (unsigned i = 0; i < COUNT(used); i++) {
		const char *label = used[i] == NO_SET ? "" : sets[used[i]].label;
		bool said = used[i] == NO_SET;

		for (unsigned before = 0; before < i; before++)
			said = said || used[before] == used[i];
		if (said || strlen(label) + 2 > sizeof(v->references) - at)
			continue;
		at += (size_t)snprintf(v->references + at, sizeof(v->references) - at, "%s%s", at ? " " : "", label);
	}
}

/* A candidate that would make all of it known: what lacks is its activation. */
static const struct known_set *
matching_candidate(const struct boot_case *c, const struct measured *m)
{
	struct match match;

	for (unsigned i = 0; i < c->nsets; i++) {
		if (c->sets[i].active || c->sets[i].revoked)
			continue;
		match_log(m, c->sets, c->nsets, use_with, &c->sets[i], &match);
		if (match.all)
			return &c->sets[i];
	}
	return NULL;
}

/* A reason that says nothing of an event: why, in a sentence. */
static void
say_why(struct verdict *v, enum reason reason, const struct known_set *candidate, const struct nearest *near,
    const struct difference *d)
{
	struct finding *f = verdict_refuse(v, reason, CLAIM_EXECUTABLES);

	f->severity = SEVERITY_UNKNOWN;
	if (candidate)
		finding_say(f->text, "%s: %s", reason_text(reason), candidate->label);
	else if (d->foreign)
		finding_say(f->text, "%s: the nearest, %s, was captured from another host, "
		    "which says nothing about this one's boot loader configuration", reason_text(reason), near->known.label);
}

/* What differs, why the verdict is what it is, and which set comes nearest. */
static bool
explain(struct boot_case *c, const struct measured *m, const struct match *match, bool any_active, struct error *e)
{
	struct verdict *v = c->verdict;
	const struct known_set *candidate = matching_candidate(c, m);
	own(nearest) struct nearest near = { .first = NO_SET };
	enum reason reason = any_active ? REASON_POLICY_FAILED : REASON_NO_REFERENCE;
	struct difference d = { 0 };

	if (!nearest_find(m, c->sets, c->nsets, match, &near, e))
		return false;
	if (near.first != NO_SET && &c->sets[near.first] != candidate) {
		if (!diff_measured(m, near.pcrs, &near.known, &v->findings, &d, e))
			return false;
		snprintf(v->nearest, sizeof(v->nearest), "%s", near.known.label);
		v->differs = d.count;
		if (any_active)
			reason = d.count ? d.reason : REASON_NO_REFERENCE;
	}
	if (candidate)
		reason = REASON_PENDING_APPROVAL;
	if (candidate || reason == REASON_NO_REFERENCE || reason == REASON_POLICY_FAILED)
		say_why(v, reason, candidate, &near, &d);
	v->state = reason_state(reason);
	v->reason = reason;
	findings_lead(&v->findings, reason);
	return true;
}

/* What an approver has taken back is refused, whatever other sets say of it. */
static void
refuse_revoked(struct verdict *v, const struct known_set *set)
{
	struct finding *f = verdict_refuse(v, REASON_REFERENCE_REVOKED, CLAIM_EXECUTABLES);
	char parts[64] = "";
	size_t at = 0;

	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (set->revoked_parts & 1u << c)
			at += (size_t)snprintf(parts + at, sizeof(parts) - at, "%s%s", at ? ", " : "", component_word((enum component)c));
	finding_say(f->text, "%s: %s%s%s", reason_text(REASON_REFERENCE_REVOKED), set->label, at ? ", its " : "", parts);
	snprintf(v->nearest, sizeof(v->nearest), "%s", set->label);
}

/* All that the quoted PCRs hold is known, component by component; else explain() has the last word. */
static bool
row_known_boot(struct boot_case *c, struct error *e)
{
	own(measured) struct measured m = { 0 };
	struct match match;
	bool any_active = false;
	int revoked;

	if (!c->by_events)              /* policy_check() has seen to it that values are judged then */
		return true;
	if (!measured_open(c->evidence->log, c->bank, c->by_events, &m, e))
		return false;
	if (!m.total)
		return err_set(e, ERR_MISSING, "nothing was measured");
	revoked = match_revoked(&m, c->sets, c->nsets);
	if (revoked != NO_SET) {
		refuse_revoked(c->verdict, &c->sets[revoked]);
		return false;
	}
	match_log(&m, c->sets, c->nsets, use_active, NULL, &match);
	if (match.all) {
		say_references(c->verdict, c->sets, &match);
		return true;
	}
	for (unsigned i = 0; i < c->nsets; i++)
		any_active = any_active || (c->sets[i].active && c->sets[i].set.bank == c->bank);
	if (!explain(c, &m, &match, any_active, e))
		return err_in(e, "the difference cannot be told");
	return false;
}

/*
 * References and rules, all of them, so that one report tells everything. A rule that does not hold
 * is the reason, even where references hold, and where they do not: no reference can make it good.
 */
static bool
row_rules(struct boot_case *c, struct error *e)
{
	const struct rules_case rules = { .policy = c->policy, .log = c->evidence->log, .quote = c->quote, .host = c->host,
		.bank = c->bank, .pcrs = c->pcrs };
	enum reason reason;

	(void)e;
	if (rules_judge(&rules, c->verdict, &reason))
		return true;
	c->verdict->reason = reason;
	c->verdict->state = reason_state(reason);
	findings_lead(&c->verdict->findings, reason);
	return false;
}

/* Every file that was measured passed; check_ima() has the findings of those that did not. */
static bool
row_ima_passed(struct boot_case *c, struct error *e)
{
	(void)e;
	return !c->evidence->ima || c->evidence->ima->answer->outcome == IMA_MATCHED;
}

/* What a host that gave it before and now does not has lost. */
enum given { GIVEN_NOTHING, GIVEN_LOG, GIVEN_IMA };

static const struct boot_row {
	const char *name;
	bool      (*holds)(struct boot_case *, struct error *);
	enum reason reason;             /* of a row about IMA, check_ima() may know better */
	enum trust_claim claim;         /* of codes that may be about anything, see claims.h */
	enum given  given;
	bool        go_on;              /* the rows behind it are judged as well */
} rows[] = {
	{ "log there",    row_log_there,    REASON_EVENTLOG_MISSING,   CLAIM_EXECUTABLES, GIVEN_LOG, false },
	{ "log readable", row_log_readable, REASON_EVENTLOG_MALFORMED, CLAIM_EXECUTABLES, GIVEN_LOG, false },
	{ "IMA there",    row_ima_there,    REASON_IMA_MISSING,        CLAIM_EXECUTABLES, GIVEN_IMA, false },
	{ "IMA readable", row_ima_readable, REASON_IMA_MALFORMED,      CLAIM_EXECUTABLES, GIVEN_IMA, false },
	{ "log replays",  row_log_replays,  REASON_EVENTLOG_MISMATCH,  CLAIM_EXECUTABLES, GIVEN_LOG, false },
	{ "one bank",     row_one_bank,     REASON_POLICY_FAILED,      CLAIM_CONFIGURATION, GIVEN_NOTHING, false },
	{ "policy covered", row_policy_covered, REASON_SELECTION_DIFFERS, CLAIM_CONFIGURATION, GIVEN_NOTHING, false },
	{ "known boot",   row_known_boot,   REASON_POLICY_FAILED,      CLAIM_EXECUTABLES, GIVEN_NOTHING, true },
	{ "rules",        row_rules,        REASON_POLICY_FAILED,      CLAIM_CONFIGURATION, GIVEN_NOTHING, true },
	{ "IMA passed",   row_ima_passed,   REASON_POLICY_FAILED,      CLAIM_EXECUTABLES, GIVEN_NOTHING, false },
};
enum { ROW_IMA_THERE = 2, ROW_IMA_READABLE = 3, ROW_REPLAYS = 4, ROW_IMA_PASSED = 9 };

/* The verdict when every row held: good, or a warning that was left on the way. */
static void
approve(const struct boot_evidence *evidence, struct verdict *v)
{
	enum reason reason = evidence->ima ? evidence->ima->answer->reason : REASON_OK;

	for (unsigned i = 0; i < v->findings.count; i++)
		if (v->findings.list[i].code == REASON_KEXEC)
			reason = REASON_KEXEC;
	v->claim[CLAIM_HARDWARE] = TRUST_GENUINE;
	v->claim[CLAIM_CONFIGURATION] = TRUST_GENUINE;
	if (reason == REASON_OK)
		v->claim[CLAIM_EXECUTABLES] = evidence->ima ? TRUST_APPROVED_RUN : TRUST_APPROVED_BOOT;
	v->reason = reason;
	v->state = reason_state(reason);
	findings_lead(&v->findings, reason);
}

static bool
has_lost(enum given what, const struct host_facts *host)
{
	return (what == GIVEN_LOG && host->gave_log) || (what == GIVEN_IMA && host->gave_ima);
}

static void
refuse(const struct boot_row *row, const struct host_facts *host, const struct error *e, struct verdict *v)
{
	enum reason reason = has_lost(row->given, host) ? REASON_EVIDENCE_LOST : row->reason;
	struct finding *f = verdict_refuse(v, reason, row->claim);

	if (reason != row->reason)
		finding_say(f->text, "%s: %s%s%s", reason_text(reason), reason_text(row->reason),
		    e->code ? ": " : "", e->code ? e->why : "");
	else if (e->code)
		finding_say(f->text, "%s: %s", reason_text(reason), e->why);
	findings_lead(&v->findings, reason);
}

/* What check_ima() refused, with the findings that it left. What it passed cannot be why: then the row's own reason is. */
static void
refuse_ima(const struct boot_row *row, const struct boot_case *c, const struct error *e)
{
	struct verdict *v = c->verdict;
	struct boot_row with = *row;
	struct error none = { .code = ERR_NONE };

	with.reason = c->evidence->ima->answer->reason;
	if (reason_state(with.reason) != STATE_CONTRAINDICATED) {
		refuse(row, c->host, e, v);
		return;
	}
	with.given = with.reason == REASON_IMA_MISMATCH ? GIVEN_LOG :
	    with.reason == REASON_IMA_MISSING || with.reason == REASON_IMA_MALFORMED ? GIVEN_IMA : GIVEN_NOTHING;
	if (has_lost(with.given, c->host)) {
		refuse(&with, c->host, &none, v);
		return;
	}
	v->state = reason_state(with.reason);
	v->reason = with.reason;
	findings_lead(&v->findings, with.reason);
}

/* A host without a usable log: its boot by the values of PCRs, and then its list, which went by them as well. */
static void
judge_by_values(struct boot_case *c, enum reason why)
{
	const struct ima_evidence *ima = c->evidence->ima;
	struct error e = { .code = ERR_NONE };
	struct verdict *v = c->verdict;

	appraise_values(c->evidence, c->quote, c->scheme, c->host, c->policy, c->sets, c->nsets, why, v);
	if (!ima || (v->state != STATE_AFFIRMING && v->state != STATE_WARNING))
		return;
	if (!row_ima_there(c, &e)) {
		refuse(&rows[ROW_IMA_THERE], c->host, &e, v);
	} else if (!row_ima_readable(c, &e) || !ima->by_values) {
		refuse(&rows[ROW_IMA_READABLE], c->host, &e, v);
	} else if (!row_ima_passed(c, &e)) {
		refuse_ima(&rows[ROW_IMA_PASSED], c, &e);
	} else if (v->reason == REASON_OK && ima->answer->reason != REASON_OK) {
		v->reason = ima->answer->reason;
		v->state = reason_state(v->reason);
		findings_lead(&v->findings, v->reason);
	}
}

static void
judge_boot(const struct boot_evidence *evidence, const struct quote *quote, enum bank scheme,
    const struct host_facts *host, const struct policy *policy, const struct known_set *sets, unsigned nsets,
    struct verdict *v)
{
	struct boot_case c = { .evidence = evidence, .quote = quote, .scheme = scheme, .host = host,
		.policy = policy, .sets = sets, .nsets = nsets < SETS_MAX ? nsets : SETS_MAX, .verdict = v };
	bool good = true;

	/* The quote's rows have not held: nothing can make this verdict better. */
	if (v->claim[CLAIM_INSTANCE_IDENTITY] != TRUST_GENUINE || v->reason != REASON_POLICY_FAILED)
		return;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct error e = { .code = ERR_NONE };

		if (rows[i].holds(&c, &e)) {
			if (i == ROW_REPLAYS)
				v->replayed = true;
			continue;
		}
		good = false;
		if (rows[i].given == GIVEN_LOG && policy && host->class != CLASS_LOG && !host->gave_log) {
			judge_by_values(&c, rows[i].reason);
			return;
		}
		if (v->reason == REASON_POLICY_FAILED && evidence->ima && (i == ROW_REPLAYS || i == ROW_IMA_PASSED))
			refuse_ima(&rows[i], &c, &e);
		else if (v->reason == REASON_POLICY_FAILED)      /* unless the row has said it */
			refuse(&rows[i], host, &e, v);
		if (!rows[i].go_on)
			return;
	}
	if (good)
		approve(evidence, v);
}

void
appraise_boot(const struct boot_evidence *evidence, const struct quote *quote, enum bank scheme,
    const struct host_facts *host, const struct policy *policy, const struct known_set *sets, unsigned nsets,
    struct verdict *v)
{
	judge_boot(evidence, quote, scheme, host, policy, sets, nsets, v);
	claims_derive(v);
}
