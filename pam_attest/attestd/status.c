#include "scope.h"
#include "status.h"

enum reason
status_reason_now(const struct outcome *last, const char *boot_id)
{
	const struct record *r = &last->record;
	struct clock now = clock_now();
	enum reason says = record_says(r, boot_id, &now);
	bool spent = says != r->reason && says != REASON_GRACE;

	/* Why there is no newer one says more than that the last one has run out. */
	if (spent && (reason_state(last->reason) == STATE_NONE || reason_state(last->reason) == STATE_BROKEN))
		return last->reason;
	return says;
}

static struct json *
boot_json(const struct record *r, const char *boot_id)
{
	struct json *j = json_new();

	json_put_text(j, "boot_id", boot_id);
	json_put_int(j, "reset_count", r->reset_count);
	json_put_int(j, "restart_count", r->restart_count);
	return j;
}

static struct json *
counters_json(const struct counters *c)
{
	struct json *j = json_new();

	json_put_int(j, "quotes", (int64_t)c->quotes);
	json_put_int(j, "tpm_commands", (int64_t)c->tpm_commands);
	json_put_int(j, "asks", (int64_t)c->asks);
	return j;
}

static struct json *
verifier_json(const struct outcome *last)
{
	const struct record *r = &last->record;
	struct json *j = json_new();

	json_put_text(j, "url", last->url);
	json_put_text(j, "state", r->upstream_out ? "out" : "ok");
	json_put_time(j, "since", r->upstream_since_wall);
	json_put_time(j, "grace_ends", record_grace_ends(r));
	json_put_time(j, "answered", last->answered_wall);
	json_put_words(j, "standby", last->standby);
	return j;
}

/* Of which source gates have what lets people in; a lease comes first. */
static const char *
source_now(const struct book *leases, enum reason now)
{
	struct clock clock = clock_now();

	if (now != REASON_HOST_REVOKED && book_counts(leases, &clock, reason_state(now) == STATE_CONTRAINDICATED))
		return "lease";
	return now == REASON_GRACE ? "grace" : "cache";
}

bool
status_tpm_json(const struct lockout *l, char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();
	struct json *lockout = json_new();

	json_put_int(lockout, "counter", l->counter);
	json_put_int(lockout, "max", l->max);
	json_put_int(lockout, "interval", l->interval);
	json_put_int(lockout, "recovery", l->recovery);
	json_put_int(j, "schema", 1);
	json_put(j, "lockout", lockout);
	return json_print(j, false, out, len, e);
}

bool
status_json(const struct outcome *last, const struct counters *c, const char *boot_id, const struct decision *d,
    bool root, const struct book *leases, char **out, size_t *len, struct error *e)
{
	const struct record *r = &last->record;
	enum reason now = status_reason_now(last, boot_id);
	struct clock clock = clock_now();
	own(json) struct json *j = json_new();
	char next[REASON_ADVICE_TEXT];

	json_put_int(j, "schema", 1);
	json_put_text(j, "state", state_word(reason_state(now)));
	json_put_text(j, "reason", reason_code(now));
	json_put_text(j, "text", reason_text(now));
	reason_advice(now, r->ref, last->host, next);
	json_put_text(j, "next", next);
	json_put_text(j, "ref", r->ref);
	json_put_time(j, "issued", r->issued_wall);
	json_put_time(j, "expires", r->expires_wall);
	json_put_time(j, "renews", last->enrolled || last->pending ? last->renews_wall : 0);
	json_put_text(j, "host", last->host[0] ? last->host : r->host);
	json_put_text(j, "policy", r->policy);
	json_put_words(j, "references", r->references);
	json_put(j, "boot", boot_json(r, boot_id));
	json_put_text(j, "source", source_now(leases, now));
	json_put_text(j, "enrollment", last->enrolled ? "active" : last->pending ? "pending" : "none");
	json_put_text(j, "ceiling", mode_word(r->ceiling));
	json_put(j, "lease", book_json(leases, &clock));
	json_put(j, "verifier", verifier_json(last));
	if (last->why[0])
		json_put_text(j, "last_error", last->why);
	json_put(j, "counters", counters_json(c));
	if (d)
		json_put(j, "decision", decision_json(d, root));
	return json_print(j, false, out, len, e);
}
