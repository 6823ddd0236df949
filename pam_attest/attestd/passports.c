/* passports.c - one at a time, each with a quote of its own, and none more often than verdicts are made for anybody. */
#include "clock.h"
#include "daemon.h"

/* Does a come before b? Who was served last lets the others go first, so that no user fills the queue; else the longest wait counts. */
static bool
goes_first(const struct daemon *d, const struct client *a, const struct client *b)
{
	bool again = a->uid == d->served, other = b->uid == d->served;

	return again != other ? other : a->deadline < b->deadline;
}

static struct client *
next_traveller(struct daemon *d)
{
	struct client *first = NULL;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &d->clients.list[i];

		if (c->fd >= 0 && c->waiting && c->verb == VERB_PASSPORT && (!first || goes_first(d, c, first)))
			first = c;
	}
	return first;
}

int
passports_due(struct daemon *d)
{
	if (d->worker.busy || !next_traveller(d))
		return -1;
	return d->last_round ? clock_left(d->last_round + SPACING_MS) : 0;
}

void
passports_start(struct daemon *d)
{
	struct client *c = passports_due(d) == 0 ? next_traveller(d) : NULL;
	struct job j = { .kind = JOB_PASSPORT };

	if (!c)
		return;
	memcpy(j.whom.audience, c->in->about.audience, sizeof(j.whom.audience));
	memcpy(j.whom.user, c->in->about.user, sizeof(j.whom.user));
	d->served = c->uid;
	if (jobs_post(d, &j))
		d->traveller = c;
	else
		caller_not_begun(d, c);
}

void
passports_hand_over(struct daemon *d, struct outcome *o)
{
	struct client *c = d->traveller;

	d->traveller = NULL;
	if (c && o->passport[0])
		client_answer_with(c, o->reason, o->record.ref, "code", o->passport);
	else if (c)
		client_answer(c, o->reason, reason_state(o->reason) == STATE_CONTRAINDICATED ? o->record.ref : "", NULL, 0);
	explicit_bzero(o->passport, sizeof(o->passport));
}

void
passports_ask(struct daemon *d, struct client *c)
{
	const struct relying_ask *q = &c->in->about;

	if (!audience_ok(q->audience) || !passport_user_ok(q->user))
		client_refuse(c, "audience: letters, digits, '.', '-', '_'; user: printable, without spaces");
	else if (!d->last.enrolled)
		client_answer(c, d->last.reason, "", NULL, 0);
	else
		c->waiting = true;
}
