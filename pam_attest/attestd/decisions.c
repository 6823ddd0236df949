#include "decisions.h"
#include "local.h"
#include "scope.h"

/* What somebody typed, fit to stand in a line and in JSON as it is: no spaces, quotes, control characters. Cut where it is too long. */
static bool
copy(char *out, size_t size, const char *value)
{
	size_t n = 0;

	for (; n < size - 1 && value[n]; n++)
		out[n] = value[n] > ' ' && value[n] <= '~' && value[n] != '"' && value[n] != '\\' ? value[n] : '?';
	out[n] = '\0';
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
	if (!strcmp(key, "source"))
		return copy(d->source, sizeof(d->source), value);
	if (!strcmp(key, "access"))
		return access_find(value, &d->access);
	if (!strcmp(key, "phase"))
		d->counts = !strcmp(value, "account");
	if (!strcmp(key, "not_armed"))
		d->not_armed = true;
	if (!strcmp(key, "kill_switch"))
		d->killed = true;
	if (!strcmp(key, "state"))
		return state_find(value, &d->state);
	if (!strcmp(key, "reason"))
		return reason_find(value, &d->reason);
	if (!strcmp(key, "ref"))
		return !value[0] || ref_read(value, d->ref);
	if (!strcmp(key, "mode"))
		return mode_find(value, &d->mode);
	return true;                    /* a newer module may say more */
}

void
decisions_remember(struct decisions *all, const struct decision *d)
{
	all->list[all->next] = *d;
	all->next = (all->next + 1) % DECISIONS_KEPT;
}

struct decision *
decisions_take(struct decisions *all, uid_t sender, int64_t now, const char *datagram, size_t len)
{
	struct decision d = { .access = ACCESS_COUNT, .counts = true };
	struct error e = { .code = ERR_NONE };

	if (sender != 0 || len > DECISION_MAX || !local_walk(datagram, len, field, &d, &e) || !d.time ||
	    d.access == ACCESS_COUNT || !d.service[0])
		return NULL;
	if (d.time > now)
		d.time = now;           /* one clock for all of them */
	decisions_remember(all, &d);
	all->seen++;
	return &all->list[(all->next + DECISIONS_KEPT - 1) % DECISIONS_KEPT];
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

/* As the gate answered PAM. */
static const char *
answer_word(const struct decision *d)
{
	if (d->access == ACCESS_REFUSED)
		return "deny";
	return d->access == ACCESS_PERMITTED && d->mode == MODE_ENFORCE ? "permit" : "ignore";
}

struct json *
decision_json(const struct decision *d, bool whole)
{
	struct json *j = json_new();

	json_put_time(j, "time", d->time);
	json_put_text(j, "service", d->service);
	if (whole)
		json_put_text(j, "user", d->user);
	json_put_text(j, "decision", answer_word(d));
	json_put_text(j, "access", access_word(d->access));
	json_put_text(j, "state", state_word(d->state));
	json_put_text(j, "reason", reason_code(d->reason));
	json_put_text(j, "ref", d->ref);
	json_put_text(j, "mode", mode_word(d->mode));
	json_put_text(j, "source", d->source);
	return j;
}
