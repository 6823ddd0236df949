/*
 * Who makes something good, or rules weaker, needs others for it: as many as the policy in force says (POLICY section 2).
 *
 * Each runs the same command; the one that completes the quorum carries it out. What was approved is kept as a text
 * that says all of the change: what differs in a digest is another change, and nobody has approved it.
 */
#include <stdarg.h>
#include <stdio.h>
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
	int64_t now = clock_now().wall;
	char count[SUBJECT_TEXT];

	if (a->quorum <= 1) {
		*met = true;
		return true;
	}
	if (!*a->change)
		return err_set(e, ERR_SYSTEM, "a change without words cannot be approved");
	if (!store_approvals_purge(c->store, now - APPROVAL_MS, e) || !store_approval_put(c->store, a->change, a->who, now, e) ||
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
