/* Reports and findings as JSON for people and scripts. */
#include "core.h"
#include "json.h"
#include "hex.h"
#include "scope.h"
#include "tails.h"

static const char *const claims[] = {
#define X(name, word) [CLAIM_##name] = word,
	TRUST_CLAIMS(X)
#undef X
};

static const char *const severities[] = {
#define X(name, word) [SEVERITY_##name] = word,
	SEVERITIES(X)
#undef X
};

static struct json *
finding_json(const struct finding *f)
{
	struct json *o = json_new();

	json_put_text(o, "code", reason_code(f->code));
	json_put_text(o, "severity", (unsigned)f->severity < SEVERITY_COUNT ? severities[f->severity] : "unknown");
	json_put_text(o, "claim", (unsigned)f->claim < CLAIM_COUNT ? claims[f->claim] : "");
	if (f->pcr == FINDING_NO_PCR)
		json_put_null(o, "pcr");
	else
		json_put_int(o, "pcr", f->pcr);
	json_put_int(o, "event", f->event);
	json_put_text(o, "expected", f->expected);
	json_put_text(o, "seen", f->seen);
	json_put_text(o, "text", f->text);
	return o;
}

struct json *
findings_json(const struct findings *all)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < all->count && i < FINDINGS_MAX; i++) {
		struct json *o = finding_json(&all->list[i]), *details = json_new_list();

		for (unsigned k = 0; k < all->ndetails; k++)
			if (all->detail[k].finding == i)
				json_add_text(details, all->detail[k].text);
		json_put(o, "details", details);
		json_add(list, o);
	}
	return list;
}

/*
 * Is what changed like an update or like an attack? By the classes of what was found against a known
 * set. Where it is like an attack, the advice that fits an update does not stand beside it.
 */
static const char *
judgement(const struct report_row *r, const struct verdict *v, char next[static REASON_ADVICE_TEXT])
{
	unsigned n[SEVERITY_COUNT] = { 0 };

	for (unsigned i = 0; i < v->findings.count; i++)
		n[v->findings.list[i].severity]++;
	if (!*v->nearest || v->reason == REASON_REFERENCE_REVOKED)
		return "";
	if (n[SEVERITY_ALARMING] && strstr(next, "verifierctl accept "))
		snprintf(next, REASON_ADVICE_TEXT, "once you know who did it, and why: verifierctl accept %s", r->ref);
	if (n[SEVERITY_ALARMING])
		return "; this is not how an update looks: find out who did it";
	if (n[SEVERITY_BENIGN_LIKELY] && !n[SEVERITY_UNKNOWN])
		return "; this looks like an update";
	if (n[SEVERITY_BENIGN_LIKELY])
		return "; part of it looks like an update, the rest cannot be told from an attack from here";
	return "; it cannot be told from here whether this is an update or an attack";
}

/* The first sentence is the answer: what changed, what it is like, what to do. */
static void
put_summary(const struct report_row *r, const struct verdict *v, const char *host, struct json *into)
{
	char text[3 * FINDING_TEXT], next[REASON_ADVICE_TEXT];
	const char *what = v->findings.count && v->findings.list[0].code == r->reason ? v->findings.list[0].text :
	    reason_text(r->reason), *like;

	reason_advice(r->reason, r->ref, host, next);
	like = judgement(r, v, next);
	if (r->state == STATE_AFFIRMING)
		snprintf(text, sizeof(text), "%s is good: %s.", host, reason_text(r->reason));
	else if (r->state == STATE_WARNING)
		snprintf(text, sizeof(text), "%s is good, with a warning: %s; %s.", host, what, next);
	else
		snprintf(text, sizeof(text), "%s was refused: %s%s; %s.", host, what, like, next);
	json_put_text(into, "summary", text);
	json_put_text(into, "next", next);
}

static void
put_nearest(const struct verdict *v, struct json *into)
{
	struct json *near;

	if (!*v->nearest) {
		json_put_null(into, "nearest");
		return;
	}
	near = json_new();
	json_put_text(near, "set", v->nearest);
	json_put_int(near, "differs", v->differs);
	json_put(into, "nearest", near);
}

static struct json *
list_json(uint32_t pcrs)
{
	struct json *list = json_new_list();

	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (pcrs & 1u << pcr)
			json_add_int(list, pcr);
	return list;
}

/* What the replay says of each quoted PCR; null when it could not be told. */
static void
put_pcrs(const struct replayed_pcrs *p, struct json *into)
{
	struct json *o;

	if (!(p->verified | p->mismatch | p->not_logged)) {
		json_put_null(into, "pcrs");
		return;
	}
	o = json_new();
	json_put_text(o, "bank", bank_word(p->bank));
	json_put(o, pcr_state_word(PCR_VERIFIED), list_json(p->verified));
	json_put(o, pcr_state_word(PCR_MISMATCH), list_json(p->mismatch));
	json_put(o, pcr_state_word(PCR_NOT_LOGGED), list_json(p->not_logged));
	json_put(into, "pcrs", o);
}

bool
explain_report(const struct report_row *r, const char *host, struct json *into, struct error *e)
{
	own(mem) struct verdict *v = calloc(1, sizeof(*v));
	struct reader packed = rd_open(r->verdict, r->verdict_len);
	char at[TIME_TEXT], log[2 * SHA256_SIZE + 1];

	if (!v || !verdict_unpack(&packed, v, e))
		return v ? err_in(e, "report %s", r->ref) : err_set(e, ERR_MEMORY, "report");
	time_text(r->at, at);
	hex_text(r->log, sizeof(r->log), log);
	json_put_text(into, "ref", r->ref);
	json_put_text(into, "host", host);
	json_put_text(into, "at", at);
	json_put_text(into, "state", state_word(r->state));
	json_put_text(into, "reason", reason_code(r->reason));
	put_summary(r, v, host, into);
	json_put(into, "findings", findings_json(&v->findings));
	put_nearest(v, into);
	json_put_text(into, "references", v->references);
	json_put_text(into, "log", r->has_log ? log : "");
	json_put_bool(into, "replayed", r->replayed);
	put_pcrs(&v->pcrs, into);
	json_put_bool(into, "vouched", r->vouched);
	json_put_text(into, "boot_id", r->boot_id);
	return true;
}
