#include "decisions.h"
#include "local.h"
#include "scope.h"

static bool
copy(char *out, size_t size, const char *value)
{
	snprintf(out, size, "%s", value);
	return true;
}

static bool
field(void *arg, const char *key, const char *value, struct error *e)
{
	struct decision *d = arg;

	(void)e;
	if (!strcmp(key, "time"))
		return (d->time = strtoll(value, NULL, 10)) > 0;
	if (!strcmp(key, "service"))
		return copy(d->service, sizeof(d->service), value);
	if (!strcmp(key, "user"))
		return copy(d->user, sizeof(d->user), value);
	if (!strcmp(key, "decision"))
		return copy(d->decision, sizeof(d->decision), value);
	if (!strcmp(key, "state"))
		return copy(d->state, sizeof(d->state), value);
	if (!strcmp(key, "reason"))
		return copy(d->reason, sizeof(d->reason), value);
	if (!strcmp(key, "ref"))
		return copy(d->ref, sizeof(d->ref), value);
	if (!strcmp(key, "mode"))
		return copy(d->mode, sizeof(d->mode), value);
	return true;                    /* a newer module may say more */
}

void
decisions_take(struct decisions *all, uid_t sender, const char *datagram, size_t len)
{
	struct decision d = { 0 };
	struct error e = { .code = ERR_NONE };

	if (sender != 0 || len > DECISION_MAX || !local_walk(datagram, len, field, &d, &e) || !d.time)
		return;
	all->list[all->next] = d;
	all->next = (all->next + 1) % DECISIONS_KEPT;
	all->seen++;
}

const struct decision *
decisions_find(const struct decisions *all, const char *ref)
{
	for (unsigned i = 1; i <= DECISIONS_KEPT; i++) {
		const struct decision *d = &all->list[(all->next + DECISIONS_KEPT - i) % DECISIONS_KEPT];

		if (d->time && !strcmp(d->ref, ref))
			return d;
	}
	return NULL;
}

struct json *
decision_json(const struct decision *d)
{
	struct json *j = json_new();

	json_put_time(j, "time", d->time);
	json_put_text(j, "service", d->service);
	json_put_text(j, "user", d->user);
	json_put_text(j, "decision", d->decision);
	json_put_text(j, "state", d->state);
	json_put_text(j, "reason", d->reason);
	json_put_text(j, "ref", d->ref);
	json_put_text(j, "mode", d->mode);
	return j;
}
