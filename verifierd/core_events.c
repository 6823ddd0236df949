/* What hosts tell afterwards: POST /v1/events, and a host's history. */
#include "evidence_job.h"
#include "json.h"
#include "log.h"
#include "parts.h"
#include "scope.h"

/* A host tells a batch a minute, and some more after a restart. One that tells EVENTS_A_SPAN fills journals: it is put off. */
enum { EVENTS_A_HOST = 1000, HISTORY_MAX = 200, SPAN_MS = 60 * 1000, EVENTS_A_SPAN = 8 * INCIDENTS_MAX };

/* The newest use of a way past the verdict is for a person to see, beside the history. */
static void
say(const struct host_row *h, const struct incidents *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		const struct incident *v = &all->list[i];

		log_say(incident_urgent(v->kind) ? LOG_WARNING : LOG_NOTICE, "%s told: %s, %u times, user=%s service=%s reason=%s ref=%s",
		    h->name, incident_word(v->kind), v->count, v->user, v->service, reason_code(v->reason), v->ref);
	}
}

/* A code that let somebody in has been typed. */
static bool
note_leases(struct core *c, const char *host_id, const struct incidents *all, int64_t now, struct error *e)
{
	for (unsigned i = 0; i < all->count; i++)
		if (all->list[i].kind == INCIDENT_LEASE && all->list[i].ref[0] &&
		    !store_lease_used(c->store, host_id, all->list[i].ref, all->list[i].first, now, e))
			return false;
	return true;
}

enum outcome { TAKEN, KNOWN, USED, CHANGED, TOO_MANY };

/* In one transaction: the challenge is used, the host is still the one that was judged, the batch is new. */
static bool
keep(struct core *c, struct evidence_job *ev, const struct incidents *all, enum outcome *out, struct error *e)
{
	int64_t now = clock_now().wall;
	bool first, known;
	unsigned lately;
	struct host_row h;

	if (!store_begin(c->store, e))
		return false;
	if (!store_challenge_use(c->store, ev->challenge.id, ev->challenge.expires_wall, &first, e) ||
	    !store_host_by_id(c->store, ev->host.id, &h, e) || !store_batch_known(c->store, h.id, all->batch, &known, e) ||
	    !store_events_told(c->store, h.id, now - SPAN_MS, now, &lately, e))
		goto undo;
	if (!first)
		*out = USED;
	else if (h.state != ENROLLMENT_ACTIVE || !name_same(&h.key.ak, &ev->host.key.ak))
		*out = CHANGED;
	else if (known)
		*out = KNOWN;
	else
		*out = lately >= EVENTS_A_SPAN ? TOO_MANY : TAKEN;
	if (*out == TAKEN && (!store_batch_add(c->store, h.id, all, now, EVENTS_A_HOST, e) || !note_leases(c, h.id, all, now, e)))
		goto undo;
	return store_commit(c->store, e);
undo:
	store_rollback(c->store);
	return false;
}

static void
taken(struct core *c, struct job *j, const struct incidents *all)
{
	struct evidence_job *ev = j->state;
	struct error e = { .code = ERR_NONE };
	enum outcome outcome = USED;
	struct json *answer;

	if (!keep(c, ev, all, &outcome, &e)) {
		job_error(c, j, &e);
	} else if (outcome == USED) {
		job_problem(c, j, 403, REASON_CHALLENGE_USED, "%s", reason_text(REASON_CHALLENGE_USED));
	} else if (outcome == CHANGED) {
		job_problem(c, j, 503, REASON_VERIFIER_ERROR, "the host's enrollment changed meanwhile");
	} else if (outcome == TOO_MANY) {
		job_problem(c, j, 503, REASON_VERIFIER_ERROR, "events: too many");
	} else {
		if (outcome == TAKEN)
			say(&ev->host, all);
		answer = json_new();
		json_put_int(answer, "schema", 1);
		json_put_int(answer, "taken", outcome == TAKEN ? all->count : 0);
		job_reply_json(c, j, 200, answer);
	}
}

static void
parsed(struct core *c, struct job *j, struct frame *f)
{
	own(mem) struct incidents *all = malloc(sizeof(*all));
	struct error e = { .code = ERR_NONE };
	bool good;

	if (!f || !all) {
		err_set(&e, ERR_SYSTEM, "parse: no answer that can be used");
		job_error(c, j, &e);
		return;
	}
	good = rd_u8(&f->payload, "ok") == 1;
	if (!good) {
		worker_retire(c, ROLE_PARSE, j->by);
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "events: not what attest-protocol(7) says");
	} else if (!incidents_unpack(&f->payload, all, &e)) {
		job_error(c, j, &e);
	} else {
		taken(c, j, all);
	}
}

static void
judged(struct core *c, struct job *j, struct frame *f)
{
	struct evidence_job *ev = j->state;
	struct error e = { .code = ERR_NONE };

	if (!f)
		err_set(&e, ERR_SYSTEM, "judge: no answer that can be used");
	if (!f || !evidence_take_quote(ev, f, &e))
		job_error(c, j, &e);
	else if (!ev->quote_held)
		job_problem(c, j, 403, ev->verdict.reason, "%s", reason_text(ev->verdict.reason));
	else
		worker_lend(c, j, ROLE_PARSE, MSG_PARSE_EVENTS, MSG_PARSED_EVENTS, ev->parts.facts.p, ev->parts.facts.len, parsed);
}

void
on_events(struct core *c, struct job *j)
{
	struct evidence_job *ev = evidence_begin(c, j, PURPOSE_EVENTS);

	if (!ev)
		return;
	if (!ev->parts.facts.there || !ev->parts.facts.len) {
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "part 7, the events, is missing");
		return;
	}
	memcpy(ev->log_digest, ev->challenge.boot_log, sizeof(ev->log_digest));   /* as it was announced: none is sent */
	evidence_facts(ev);
	evidence_ask_quote(c, j, judged);
}

/* --- for administrators --- */

static void
put_time(struct json *o, const char *key, int64_t at)
{
	char text[TIME_TEXT];

	time_text(at, text);
	json_put_text(o, key, text);
}

struct modes { struct json *list; int64_t told; };

static bool
add_mode(void *arg, const struct service_mode *m, int64_t told, struct error *e)
{
	struct modes *all = arg;

	(void)e;
	json_put_text(all->list, m->service, mode_word(m->mode));
	all->told = told;
	return true;
}

static bool
add_sum(void *list, const struct incident_row *r, struct error *e)
{
	struct json *o = json_new();

	(void)e;
	json_put_text(o, "kind", incident_word(r->event.kind));
	json_put_int(o, "count", r->event.count);
	put_time(o, "last", r->event.last);
	json_add(list, o);
	return true;
}

bool
events_put(struct core *c, struct json *answer, const char *host_id, struct error *e)
{
	struct modes modes = { json_new(), 0 };
	struct json *sums = json_new_list();
	bool good = store_modes(c->store, host_id, add_mode, &modes, e) && store_incident_sums(c->store, host_id, add_sum, sums, e);

	json_put(answer, "modes", modes.list);
	if (modes.told)
		put_time(answer, "modes_at", modes.told);
	json_put(answer, "events", sums);
	return good;
}

/* Reports and events, to be told in the order in which they happened. */
struct line { int64_t at; struct json *o; };
struct history { unsigned count; struct line line[2 * HISTORY_MAX]; };

static bool
add_line(struct history *h, int64_t at, struct json *o)
{
	put_time(o, "at", at);
	h->line[h->count++] = (struct line){ at, o };
	return true;
}

static bool
add_report(void *arg, const struct report_row *r, struct error *e)
{
	struct json *o = json_new();

	(void)e;
	json_put_text(o, "kind", "attested");
	json_put_text(o, "state", state_word(r->state));
	json_put_text(o, "reason", reason_code(r->reason));
	json_put_text(o, "ref", r->ref);
	return add_line(arg, r->at, o);
}

static bool
add_event(void *arg, const struct incident_row *r, struct error *e)
{
	const struct incident *v = &r->event;
	struct json *o = json_new();

	(void)e;
	json_put_text(o, "kind", incident_word(v->kind));
	json_put_text(o, "service", v->service);
	json_put_text(o, "user", v->user);
	json_put_text(o, "reason", reason_code(v->reason));
	json_put_text(o, "ref", v->ref);
	json_put_int(o, "count", v->count);
	put_time(o, "first", v->first);
	put_time(o, "told", r->told);
	return add_line(arg, v->last, o);
}

static int
newest_first(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->at < y->at ? 1 : x->at > y->at ? -1 : 0;
}

void
admin_history(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	own(mem) struct history *h = calloc(1, sizeof(*h));
	struct json *answer, *list;
	struct error e = { .code = ERR_NONE };
	bool good;

	if (!h)
		err_set(&e, ERR_MEMORY, "history");
	if (!h || !admin_host(c, a->ask.host, &a->host, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	list = json_new_list();
	json_put_text(answer, "name", a->host.name);
	good = store_reports(c->store, a->host.id, HISTORY_MAX, add_report, h, &e) &&
	    store_incidents(c->store, a->host.id, HISTORY_MAX, add_event, h, &e);
	qsort(h->line, h->count, sizeof(h->line[0]), newest_first);
	for (unsigned i = 0; i < h->count; i++)
		json_add(list, h->line[i].o);
	json_put(answer, "history", list);
	admin_reply(c, j, answer, good ? NULL : &e);
}
