/*
 * Who makes something good, or rules weaker, needs others for it: as many as the policy in force says (POLICY section 2).
 *
 * Each runs the same command; the one that completes the quorum carries it out. What was approved is kept as a text
 * that says all of the change: what differs in a digest is another change, and nobody has approved it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "core.h"
#include "json.h"

enum { APPROVAL_MS = 24 * 3600 * 1000 };

/* A group that is not there has no hosts for which anything could become weaker. */
bool
quorum_of(struct core *c, struct admin_job *a, const char *group, struct error *e)
{
	struct policy_now p;

	if (!policy_of(c, group, &p, e))
		return e->code == ERR_MISSING;
	if (p.policy->quorum > a->quorum)
		a->quorum = p.policy->quorum;
	return true;
}

bool
quorum_change(struct admin_job *a, struct error *e, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(a->change, sizeof(a->change), fmt, ap);
	va_end(ap);
	return (n > 0 && (size_t)n < sizeof(a->change)) || err_set(e, ERR_LIMIT, "a change that takes %d characters to say", n);
}

bool
quorum_met(struct core *c, struct admin_job *a, bool *met, struct error *e)
{
	struct approval_row row = { .at = clock_now().wall, .needed = a->quorum };
	char count[SUBJECT_TEXT];

	if (a->quorum <= 1) {
		*met = true;
		return true;
	}
	if (!*a->change)
		return err_set(e, ERR_SYSTEM, "a change without words cannot be approved");
	memcpy(row.change, a->change, sizeof(row.change));
	memcpy(row.who, a->who, sizeof(row.who));
	if (!store_approvals_purge(c->store, row.at - APPROVAL_MS, e) || !store_approval_put(c->store, &row, e) ||
	    !store_approvals(c->store, a->change, &a->approvals, e))
		return false;
	snprintf(count, sizeof(count), "%u of %u", a->approvals, a->quorum);
	if (!admin_audit(c, a, "approval", a->change, "", count, e))
		return false;
	if (a->approvals < a->quorum) {
		*met = false;
		return true;
	}
	if (!store_approvals_end(c->store, a->change, e))
		return false;
	*met = true;
	return true;
}

void
quorum_reply(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct json *answer = answer_new(a);

	json_put_int(answer, "approvals", a->approvals);
	json_put_int(answer, "needed", a->quorum);
	json_put_text(answer, "change", a->change);
	json_put_text(answer, "expires", a->ask.expires);
	json_put_time(answer, "until", clock_now().wall + APPROVAL_MS);
	job_reply_json(c, j, 202, answer);
}

/* --- what waits: one item a change; the oldest approval is the first to count no more */

struct waiting { struct json *list; struct approval_row first; char who[SUBJECT_TEXT]; unsigned count; };

static void
put_change(struct waiting *w)
{
	struct json *o;

	if (!w->count)
		return;
	o = json_new();
	json_put_text(o, "change", w->first.change);
	json_put_int(o, "approvals", w->count);
	json_put_int(o, "needed", w->first.needed);
	json_put_text(o, "who", w->who);
	json_put_time(o, "since", w->first.at);
	json_put_time(o, "until", w->first.at + APPROVAL_MS);
	json_add(w->list, o);
	w->count = 0;
}

static bool
add_approval(void *arg, const struct approval_row *r, struct error *e)
{
	struct waiting *w = arg;
	size_t used;

	(void)e;
	if (w->count && strcmp(w->first.change, r->change))
		put_change(w);
	if (!w->count) {
		w->first = *r;
		w->who[0] = '\0';
	}
	used = strlen(w->who);
	snprintf(w->who + used, sizeof(w->who) - used, "%s%s", used ? ", " : "", r->who);
	w->first.needed = r->needed > w->first.needed ? r->needed : w->first.needed;
	w->count++;
	return true;
}

void
admin_approvals(struct core *c, struct job *j)
{
	struct waiting w = { .list = json_new_list() };
	struct json *answer = answer_new(admin_of(j));
	struct error e;
	bool good = store_approvals_since(c->store, clock_now().wall - APPROVAL_MS, add_approval, &w, &e);

	put_change(&w);
	json_put(answer, "changes", w.list);
	admin_reply(c, j, answer, good ? NULL : &e);
}
