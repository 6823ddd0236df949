/* Leases: what an administrator permits on a host for a while, how the host hears of it, and codes for one without a network. */
#include <string.h>
#include "conf.h"
#include "core.h"
#include "json.h"
#include "orders.h"
#include "scope.h"

enum {
	LEASE_SHORTEST = 60, LEASE_LONGEST = LEASE_LIFETIME_MAX_MS / 1000, HOUR = 3600, SECOND_MS = 1000,
	SHOWN_LEASES = 50,
	/* How soon a host asks again: one that is refused, one that is not; the first longer while there is much to do. */
	ASK_REFUSED_MS = 15 * 1000, ASK_GOOD_MS = 5 * 60 * 1000, ASK_STRETCH = 8,
	SEQUENCE_MS = 10 * 60 * 1000,
};
static const int64_t sequence_epoch = 1767225600000;    /* 2026-01-01 */

/* --- what a host asks for --- */

static bool
add_order(void *arg, const struct lease_row *r, struct error *e)
{
	struct orders *q = arg;
	int64_t left = r->expires - q->issued_wall;
	struct order *o = &q->order[q->count];

	if (q->count == LEASES_MAX || left <= 0)
		return true;
	/* By a clock that was set back it would live longer than there are leases. */
	*o = (struct order){ .remaining = left < LEASE_LIFETIME_MAX_MS ? left : LEASE_LIFETIME_MAX_MS, .overrules = r->overrules };
	memcpy(o->id, r->id, sizeof(o->id));
	memcpy(o->user, r->user, sizeof(o->user));
	memcpy(o->services, r->services, sizeof(o->services));
	q->count++;
	(void)e;
	return true;
}

static int64_t
next_after(const struct core *c, const struct host_row *h)
{
	if (h->verdict == STATE_AFFIRMING || h->verdict == STATE_WARNING)
		return ASK_GOOD_MS;
	return ASK_REFUSED_MS + (int64_t)ASK_REFUSED_MS * (ASK_STRETCH - 1) * c->jobs / JOBS_MAX;
}

static bool
fill_orders(struct core *c, const struct orders_ask *ask, const struct host_row *h, struct orders *q, struct error *e)
{
	struct policy_now p;
	uint32_t given;

	q->issued_wall = clock_now().wall;
	memcpy(q->host_id, h->id, sizeof(q->host_id));
	memcpy(q->nonce, ask->nonce, sizeof(q->nonce));
	q->next_after = next_after(c, h);
	if (!policy_of(c, h->group, &p, e))
		return false;
	q->ceiling = p.ceiling;
	q->ceiling_left = p.ceiling_until > q->issued_wall ? p.ceiling_until - q->issued_wall : 0;
	q->ceiling_then = p.policy->ceiling;
	return store_lease_codes(c->store, h->id, &given, &q->codes_void, e) &&
	    store_leases_live(c->store, h->id, q->issued_wall, add_order, q, e);
}

/* The token first: without one nobody learns which hosts there are. */
static bool
may_ask(struct core *c, struct job *j, struct orders_ask *ask, struct host_row *h)
{
	struct error e;

	if (!orders_ask_unpack(&j->request.payload, ask, &e)) {
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "%s", e.why);
		return false;
	}
	if (!host_token_right(c, ask->host, ask->token) || !store_host_by_id(c->store, ask->host, h, &e)) {
		job_problem(c, j, 403, REASON_TOKEN_INVALID, "%s", reason_text(REASON_TOKEN_INVALID));
		return false;
	}
	if (h->state == ENROLLMENT_ACTIVE)
		return true;
	job_problem(c, j, 403, REASON_HOST_REVOKED, "%s", reason_text(REASON_HOST_REVOKED));
	return false;
}

void
on_orders(struct core *c, struct job *j)
{
	struct orders q = { .count = 0 };
	struct orders_ask ask;
	struct host_row h;
	char jws[ORDERS_MAX];
	struct json *answer;
	struct error e;
	size_t len;

	if (!may_ask(c, j, &ask, &h))
		return;
	if (!fill_orders(c, &ask, &h, &q, &e) || !orders_sign(&q, c->keys.result, jws, sizeof(jws), &len, &e)) {
		job_error(c, j, &e);
		return;
	}
	answer = json_new();
	json_put_int(answer, "schema", 1);
	json_put_text(answer, "orders", jws);
	job_reply_json(c, j, 200, answer);
}

/* --- what an administrator does --- */

struct wish { struct lease_row row; char code[RECOVERY_CODE_TEXT]; };

static const char *
lease_state(const struct lease_row *r, int64_t now)
{
	if (r->ended)
		return "ended";
	if (!r->expires)
		return "code";
	return r->expires > now ? "in-force" : "expired";
}

static struct json *
lease_json(const struct lease_row *r)
{
	struct json *o = json_new();

	json_put_text(o, "id", r->id);
	json_put_text(o, "state", lease_state(r, clock_now().wall));
	json_put_time(o, "created", r->created);
	json_put_time(o, "expires", r->expires);
	json_put_int(o, "seconds", r->seconds);
	json_put_int(o, "sequence", r->sequence);
	json_put_bool(o, "overrules_refusal", r->overrules);
	json_put_text(o, "user", r->user);
	json_put_text(o, "services", r->services);
	json_put_text(o, "who", r->who);
	json_put_text(o, "why", r->why);
	json_put_time(o, "ended", r->ended);
	return o;
}

static struct json *
host_answer(const struct admin_job *a)
{
	struct json *answer = answer_new(a);

	json_put_text(answer, "id", a->host.id);
	json_put_text(answer, "name", a->host.name);
	return answer;
}

static bool
add_lease(void *list, const struct lease_row *r, struct error *e)
{
	(void)e;
	json_add(list, lease_json(r));
	return true;
}

void
admin_leases(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct json *answer, *list;
	struct error e;
	bool good;

	if (!admin_host(c, a->ask.host, &a->host, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = host_answer(a);
	list = json_new_list();
	good = store_leases(c->store, a->host.id, SHOWN_LEASES, add_lease, list, &e);
	json_put(answer, "leases", list);
	admin_reply(c, j, answer, good ? NULL : &e);
}

static bool
count_lease(void *arg, const struct lease_row *r, struct error *e)
{
	(void)r, (void)e;
	++*(unsigned *)arg;
	return true;
}

bool
lease_count(struct core *c, const struct host_row *h, unsigned *count, struct error *e)
{
	*count = 0;
	return store_leases_live(c->store, h->id, clock_now().wall, count_lease, count, e);
}

/* What a code has no room for: it says how long, and whether it overrules. */
static bool
code_fits(const struct admin_job *a, unsigned seconds, struct error *e)
{
	if (*a->ask.user || *a->ask.services)
		return err_set(e, ERR_FORMAT, "a printed code is for everybody at every service");
	return seconds % HOUR == 0 || err_set(e, ERR_FORMAT, "a printed code is for whole hours");
}

static bool
read_wish(const struct admin_job *a, struct wish *w, struct error *e)
{
	struct lease_row *r = &w->row;

	if (!*a->ask.reason)
		return err_set(e, ERR_FORMAT, "a lease is given for a reason: say it with --reason");
	if (!conf_seconds(a->ask.duration, LEASE_SHORTEST, LEASE_LONGEST, &r->seconds, e))
		return err_in(e, "duration");
	if (a->ask.code && !code_fits(a, r->seconds, e))
		return false;
	snprintf(r->user, sizeof(r->user), "%s", a->ask.user);
	snprintf(r->services, sizeof(r->services), "%s", a->ask.services);
	for (char *comma = r->services; (comma = strchr(comma, ',')); )
		*comma = ' ';
	if (!lease_user_fits(r->user) || !lease_services_fit(r->services))
		return err_set(e, ERR_FORMAT, "a user is one word, services are words with commas between");
	snprintf(r->why, sizeof(r->why), "%s", a->ask.reason);
	memcpy(r->who, a->who, sizeof(r->who));
	memcpy(r->host_id, a->host.id, sizeof(r->host_id));
	r->overrules = a->ask.overrule_refusal;
	return true;
}

static bool
may_have(struct core *c, const struct admin_job *a, struct error *e)
{
	unsigned live;

	if (a->host.state != ENROLLMENT_ACTIVE)
		return err_set(e, ERR_REFUSED, "%s is revoked: no lease lets anybody in there", a->host.name);
	if (a->ask.code)
		return true;
	if (!lease_count(c, &a->host, &live, e))
		return false;
	return live < LEASES_MAX || err_set(e, ERR_REFUSED, "%s has %u leases in force: end one first", a->host.name, live);
}

/* It takes the checks away for a while: so it takes the group's quorum. To end it is one person's. */
static bool
lease_quorum(struct core *c, struct admin_job *a, const struct lease_row *r, struct error *e)
{
	return quorum_of(c, a, a->host.group, e) &&
	    quorum_change(a, e, "lease%s for %u s on host %s%s, user '%s', services '%s'", a->ask.code ? " by code" : "",
	    r->seconds, a->host.id, r->overrules ? ", overruling a refusal" : "", r->user, r->services);
}

/*
 * Above every one that was given out; also above those that a database which was put back has forgotten, for hosts remember
 * them: so it follows the clock, ten minutes each. 24 bits last until 2344.
 */
static uint32_t
next_sequence(uint32_t given, int64_t now)
{
	int64_t by_clock = (now - sequence_epoch) / SEQUENCE_MS;

	return by_clock > given && by_clock <= RECOVERY_SEQUENCE_MAX ? (uint32_t)by_clock : given + 1;
}

static bool
make_code(struct core *c, const struct admin_job *a, struct wish *w, struct error *e)
{
	struct recovery q = { .hours = w->row.seconds / HOUR, .overrules = w->row.overrules };
	uint8_t key[RECOVERY_KEY_SIZE];
	uint32_t ended;
	bool good;

	if (!store_lease_codes(c->store, a->host.id, &q.sequence, &ended, e))
		return false;
	q.sequence = next_sequence(q.sequence, w->row.created);
	good = keys_recovery(&c->keys, a->host.id, &a->host.key.ak, key) || err_set(e, ERR_CRYPTO, "no recovery key");
	good = good && recovery_code(key, a->host.id, &q, w->code, e);
	explicit_bzero(key, sizeof(key));
	if (!good)
		return false;
	w->row.sequence = q.sequence;
	memcpy(w->row.id, q.id, sizeof(w->row.id));
	return store_lease_add(c->store, &w->row, e);
}

static bool
make_order(struct core *c, struct wish *w, struct error *e)
{
	uint64_t random;

	w->row.expires = w->row.created + (int64_t)w->row.seconds * SECOND_MS;
	for (unsigned i = 0; i < REF_TRIES; i++) {
		if (!random_bytes(&random, sizeof(random)))
			return err_set(e, ERR_CRYPTO, "no random bytes");
		ref_make(random, false, w->row.id);
		if (store_lease_add(c->store, &w->row, e))
			return true;
		if (e->code != ERR_CONFLICT)
			return false;
	}
	return false;
}

static bool
give_lease(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	struct wish *w = arg;
	char subject[SUBJECT_TEXT], after[SUBJECT_TEXT], at[TIME_TEXT];

	w->row.created = clock_now().wall;
	if (!(a->ask.code ? make_code(c, a, w, e) : make_order(c, w, e)))
		return false;
	time_text(w->row.expires, at);
	snprintf(subject, sizeof(subject), "host %s (%s)", a->host.name, a->host.id);
	snprintf(after, sizeof(after), "%s %s%s, user %.40s, services %.60s%s", w->row.id, a->ask.code ? "by code" : "until ",
	    a->ask.code ? "" : at, *w->row.user ? w->row.user : "any", *w->row.services ? w->row.services : "any",
	    w->row.overrules ? ", overrules a refusal" : "");
	return admin_audit(c, a, "allow", subject, "", after, e);
}

void
admin_lease(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct wish w = { .code = "" };
	struct json *answer;
	struct error e;

	if (!admin_host(c, a->ask.host, &a->host, &e) || !may_have(c, a, &e) || !read_wish(a, &w, &e) ||
	    !lease_quorum(c, a, &w.row, &e) || !admin_change(c, a, give_lease, &w, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = host_answer(a);
	json_put(answer, "lease", lease_json(&w.row));
	if (*w.code)
		json_put_text(answer, "code", w.code);
	explicit_bzero(w.code, sizeof(w.code));
	job_reply_json(c, j, 200, answer);
}

static bool
end_lease(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	char subject[SUBJECT_TEXT], after[SUBJECT_TEXT];
	unsigned *count = arg;

	if (!store_lease_end(c->store, a->host.id, a->ask.lease, clock_now().wall, count, e))
		return false;
	if (!*count)
		return err_set(e, ERR_MISSING, "%s has no lease%s%s to end", a->host.name, *a->ask.lease ? " " : "", a->ask.lease);
	snprintf(subject, sizeof(subject), "host %s (%s)", a->host.name, a->host.id);
	snprintf(after, sizeof(after), "%u ended", *count);
	return admin_audit(c, a, "allow-end", subject, *a->ask.lease ? a->ask.lease : "all", after, e);
}

void
admin_lease_end(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct json *answer;
	struct error e;
	unsigned count = 0;

	if (!admin_host(c, a->ask.host, &a->host, &e) || !admin_change(c, a, end_lease, &count, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = host_answer(a);
	json_put_int(answer, "ended", count);
	job_reply_json(c, j, 200, answer);
}
