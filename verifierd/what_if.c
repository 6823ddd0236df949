#include "evidence_job.h"
#include "json.h"
#include "logs.h"
#include "memo.h"
#include "parts.h"
#include "scope.h"
#include "verdict.h"
#include "what_if.h"

/* LOOK_MS: whom there is no time for is unknown; the answer has to come before its request's deadline. */
enum { GROUPS_TOLD = 64, NAMES_TEXT = 96, HOLD_LEAST = 2, LOOK_MS = REQUEST_MS / 2, PCRS_OF_IMA = 1 << 10 };

struct tally { char group[GROUP_TEXT]; unsigned good, turned; };

struct what_if {
	struct supposed supposed;
	struct policy  *policy;             /* the supposed one, unpacked; owned */
	void          (*then)(struct core *, struct job *);
	char          (*host)[BOOT_ID_TEXT];    /* owned */
	unsigned        nhosts, at;
	int64_t         until;              /* CLOCK_MONOTONIC */
	struct evidence_job ev;             /* of the host that is looked at */
	struct json    *changes;            /* owned until it is put */
	unsigned        judged, unknown, turned, ngroups;
	struct tally    group[GROUPS_TOLD];
	char            names[NAMES_TEXT];  /* of those that are turned, as far as they fit */
};

static void
evidence_clear(struct evidence_job *ev)
{
	free(ev->packed);                   /* all that a question about the boot leaves behind */
	memset(ev, 0, sizeof(*ev));
}

void
what_if_free(struct what_if *w)
{
	if (!w)
		return;
	evidence_clear(&w->ev);
	json_free(w->changes);
	free(w->policy);
	free(w->host);
	free(w);
}

/* --- one host --- */

static struct tally *
tally_of(struct what_if *w, const char *group)
{
	unsigned i = 0;

	while (i < w->ngroups && strcmp(w->group[i].group, group))
		i++;
	if (i == GROUPS_TOLD)
		return &w->group[GROUPS_TOLD - 1];      /* the last one stands for the rest */
	if (i == w->ngroups) {
		snprintf(w->group[i].group, sizeof(w->group[i].group), "%s", group);
		w->ngroups++;
	}
	return &w->group[i];
}

static bool
is_good(enum state s)
{
	return s == STATE_AFFIRMING || s == STATE_WARNING;
}

static void
note(struct what_if *w)
{
	const struct host_row *h = &w->ev.host;
	const struct verdict *v = &w->ev.verdict;
	struct tally *t = tally_of(w, h->group);
	size_t at = strlen(w->names);
	struct json *o;

	w->judged++;
	t->good += is_good(h->verdict);
	if (h->verdict == v->state && h->reason == v->reason)
		return;
	o = json_new();
	json_put_text(o, "host", h->name);
	json_put_text(o, "group", h->group);
	json_put_text(o, "was", state_word(h->verdict));
	json_put_text(o, "was_reason", reason_code(h->reason));
	json_put_text(o, "becomes", state_word(v->state));
	json_put_text(o, "reason", reason_code(v->reason));
	json_put_text(o, "text", v->findings.count ? v->findings.list[0].text : "");
	json_add(w->changes, o);
	if (!is_good(h->verdict) || is_good(v->state))
		return;
	t->turned++;
	w->turned++;
	if (at + strlen(h->name) + 3 < sizeof(w->names))
		snprintf(w->names + at, sizeof(w->names) - at, "%s%s", at ? ", " : "", h->name);
}

static void next_host(struct core *, struct job *);

static void
judged(struct core *c, struct job *j, struct frame *f)
{
	struct what_if *w = admin_of(j)->what_if;
	struct reader verdict;
	struct error e;

	/* A list is not kept, and so not walked again: who has to give one is asked for other PCRs, and unknown. */
	if (f) {
		(void)part_take(&f->payload, "IMA");
		(void)part_take(&f->payload, "IMA state");
		verdict = part_take(&f->payload, "verdict");
	}
	if (f && rd_end(&f->payload, &e) && evidence_verdict(&w->ev, verdict, &e))
		note(w);
	else
		w->unknown++;
	w->at++;
	next_host(c, j);
}

static bool
ask_judge(struct core *c, struct job *j, const uint8_t *parsed, size_t len, struct error *e)
{
	struct what_if *w = admin_of(j)->what_if;
	uint8_t *payload;
	size_t n;

	if (!evidence_question(c, &w->ev, parsed, len, &w->supposed, &payload, &n, e))
		return false;
	worker_ask(c, j, ROLE_JUDGE, MSG_JUDGE_BOOT, MSG_JUDGED_BOOT, payload, n, judged);
	return true;
}

static void
parsed(struct core *c, struct job *j, struct frame *f)
{
	struct what_if *w = admin_of(j)->what_if;
	struct error e;

	if (f && f->payload.left && ask_judge(c, j, f->payload.pos, f->payload.left, &e))
		return;
	w->unknown++;
	w->at++;
	next_host(c, j);
}

/* As it was before the log was looked at; what the quote's rows warned of stays. */
static void
start_verdict(struct evidence_job *ev, const struct verdict *was)
{
	verdict_start(&ev->verdict);
	ev->verdict.claim[CLAIM_INSTANCE_IDENTITY] = TRUST_GENUINE;
	ev->verdict.replayed = true;
	for (unsigned i = 0; i < was->findings.count; i++)
		if (was->findings.list[i].code == REASON_KEXEC) {
			*finding_add(&ev->verdict.findings, REASON_KEXEC, SEVERITY_UNKNOWN, CLAIM_EXECUTABLES) = was->findings.list[i];
			ev->verdict.claim[CLAIM_EXECUTABLES] = TRUST_UNSAFE_MEMORY;
		}
}

/* Whether a file passes now cannot be told without the list. */
static bool
of_ima(enum reason reason)
{
	return reason == REASON_BOOT_AGGREGATE || !strncmp(reason_code(reason), "ima-", 4);
}

static bool
take_report(struct core *c, struct evidence_job *ev, struct error *e)
{
	own(report) struct report_row r = { 0 };
	own(mem) struct verdict *was = calloc(1, sizeof(*was));
	struct reader quote, verdict;

	if (!was)
		return err_set(e, ERR_MEMORY, "verdict");
	if (!store_report(c->store, ev->host.ref, &r, e))
		return false;
	if (!r.replayed || !r.has_log || !r.quote_len || of_ima(r.reason))
		return err_set(e, ERR_MISSING, "no evidence to judge again");
	quote = rd_open(r.quote, r.quote_len);
	verdict = rd_open(r.verdict, r.verdict_len);
	if (!quote_unpack(&quote, &ev->quote, e) || !verdict_unpack(&verdict, was, e))
		return false;
	memcpy(ev->log_digest, r.log, sizeof(ev->log_digest));
	ev->quote_held = true;
	start_verdict(ev, was);
	return true;
}

/*
 * Would this host be asked for what its evidence has? IMA lists are not kept: with the PCR that they extend beside
 * the others the boot is judged as if its files passed again.
 */
static bool
same_pcrs(struct core *c, const struct what_if *w, struct error *e)
{
	const char *group = *w->supposed.group ? w->supposed.group : w->ev.host.group;
	const struct policy *p = w->policy;
	struct policy_now now;
	struct selection want;

	if (!p && !policy_of(c, group, &now, e))
		return false;
	p = p ? p : now.policy;
	if (!policy_selection(p, w->ev.host.key.banks, &want) || (p->ima && !(w->ev.quote.selection.bank[0].pcrs & PCRS_OF_IMA)))
		return false;
	want.bank[0].pcrs |= w->ev.quote.selection.bank[0].pcrs & PCRS_OF_IMA;
	return selection_same(&want, &w->ev.quote.selection);
}

/* True when somebody was asked; the answer goes on. */
static bool
look_at(struct core *c, struct job *j, struct error *e)
{
	struct what_if *w = admin_of(j)->what_if;
	struct evidence_job *ev = &w->ev;
	const uint8_t *kept;
	uint8_t *log;
	size_t len, log_len;

	evidence_clear(ev);
	if (!store_host_by_id(c->store, w->host[w->at], &ev->host, e) || !take_report(c, ev, e) || !same_pcrs(c, w, e))
		return false;
	evidence_facts(ev);
	kept = memo_get(c->memo, ev->log_digest, &len, &ev->log_len);
	if (kept)
		return ask_judge(c, j, kept, len, e);
	if (!logs_load(c->options.state_dir, ev->log_digest, &log, &log_len, e))
		return false;
	ev->log_len = log_len;
	worker_ask(c, j, ROLE_PARSE, MSG_PARSE_LOG, MSG_PARSED_LOG, log, log_len, parsed);
	return true;
}

static void
next_host(struct core *c, struct job *j)
{
	struct what_if *w = admin_of(j)->what_if;
	struct error e = { .code = ERR_NONE };

	for (; w->at < w->nhosts; w->at++) {
		if (clock_mono() < w->until && look_at(c, j, &e))
			return;
		w->unknown++;
	}
	evidence_clear(&w->ev);
	w->then(c, j);
}

/* --- all of them --- */

struct gathering { const struct admin_job *a; struct what_if *w; host_wanted *of; unsigned room; };

static bool
add_host(void *arg, const struct host_row *h, struct error *e)
{
	struct gathering *g = arg;

	if (h->state != ENROLLMENT_ACTIVE || !g->of(g->a, h))
		return true;
	if (g->w->nhosts == g->room) {
		unsigned room = g->room ? 2 * g->room : 64;
		char (*more)[BOOT_ID_TEXT] = realloc(g->w->host, room * sizeof(*more));

		if (!more)
			return err_set(e, ERR_MEMORY, "%u hosts", room);
		g->w->host = more;
		g->room = room;
	}
	memcpy(g->w->host[g->w->nhosts++], h->id, sizeof(h->id));
	return true;
}

static bool
prepare(struct core *c, struct admin_job *a, const struct supposed *s, host_wanted *of, struct error *e)
{
	struct what_if *w = calloc(1, sizeof(*w));
	struct gathering g = { a, w, of, 0 };
	struct reader packed;

	what_if_free(a->what_if);
	a->what_if = w;
	if (!w)
		return err_set(e, ERR_MEMORY, "what if");
	w->supposed = *s;
	w->until = clock_mono() + LOOK_MS;
	w->changes = json_new_list();
	if (s->policy) {
		w->policy = calloc(1, sizeof(*w->policy));
		packed = rd_open(s->policy, s->policy_len);
		if (!w->policy)
			return err_set(e, ERR_MEMORY, "policy");
		if (!policy_unpack(&packed, w->policy, e))
			return false;
	}
	return store_hosts(c->store, add_host, &g, e);
}

void
what_if(struct core *c, struct job *j, const struct supposed *s, host_wanted *of, void (*then)(struct core *, struct job *))
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (!prepare(c, a, s, of, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	a->what_if->then = then;
	next_host(c, j);
}

/* --- what comes of it --- */

static bool
held(const struct core *c, const struct what_if *w)
{
	for (unsigned i = 0; i < w->ngroups; i++)
		if (w->group[i].turned >= HOLD_LEAST && w->group[i].turned * 100 > w->group[i].good * c->options.hold_share)
			return true;
	return false;
}

void
what_if_put(const struct core *c, const struct admin_job *a, struct json *answer)
{
	struct what_if *w = a->what_if;

	if (!w)
		return;
	json_put(answer, "changes", w->changes);
	w->changes = NULL;
	json_put_int(answer, "judged", w->judged);
	json_put_int(answer, "unknown", w->unknown);
	json_put_int(answer, "turned", w->turned);
	json_put_bool(answer, "held", held(c, w));
}

bool
what_if_allows(const struct core *c, const struct admin_job *a, struct error *e)
{
	const struct what_if *w = a->what_if;

	if (!w || a->ask.dry_run || !held(c, w) || strtoul(a->ask.confirm, NULL, 10) == w->turned)
		return true;
	return err_set(e, ERR_REFUSED, "held: %u hosts that are good would be refused (%s): look at --dry-run, then --confirm %u",
	    w->turned, w->names, w->turned);
}
