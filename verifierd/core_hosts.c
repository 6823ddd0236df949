/*
 * What becomes of a host that was let in: revoked, back again, under another name, forgotten. GATE section 6.
 *
 * To refuse is one person's. Whatever makes a host good again, or takes it out of the sight of its group's quorum, takes that.
 */
#include "core.h"
#include "json.h"
#include "logs.h"
#include "scope.h"

/* Logs that no other host has; the files go when the rows have gone. */
enum { LOGS_GONE_MAX = 64 };
struct gone { unsigned logs; uint8_t log[LOGS_GONE_MAX][SHA256_SIZE]; };

static void
subject_of(const struct admin_job *a, char out[static SUBJECT_TEXT])
{
	snprintf(out, SUBJECT_TEXT, "host %s (%s)", a->host.name, a->host.id);
}

/* The host that is meant; to do that again to it is refused. */
static bool
host_not_yet(struct core *c, struct admin_job *a, enum enrollment already, struct error *e)
{
	return admin_host(c, a->ask.host, &a->host, e) && (a->host.state != already ||
	    err_set(e, ERR_REFUSED, "%s is %s already", a->host.name, enrollment_word(already)));
}

/* --- revoke */

static bool
revoke_host(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	char subject[SUBJECT_TEXT];
	unsigned leases;

	(void)arg;
	subject_of(a, subject);
	return store_host_state(c->store, a->host.id, ENROLLMENT_REVOKED, e) &&
	    store_lease_end(c->store, a->host.id, "", clock_now().wall, &leases, e) &&
	    admin_audit(c, a, "revoke", subject, enrollment_word(a->host.state), "revoked", e);
}

void
admin_revoke(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (host_not_yet(c, a, ENROLLMENT_REVOKED, &e) && admin_change(c, a, revoke_host, NULL, &e))
		admin_reply_host(c, j, ENROLLMENT_REVOKED);
	else
		admin_failed(c, j, &e);
}

/* --- reinstate: its key, its group, its references are what they were; leases that ended stay ended */

static bool
reinstate(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	char subject[SUBJECT_TEXT];

	(void)arg;
	subject_of(a, subject);
	if (!store_host_state(c->store, a->host.id, ENROLLMENT_ACTIVE, e))
		return e->code == ERR_CONFLICT && err_set(e, ERR_CONFLICT, "its name or its TPM is that of another host by now");
	return admin_audit(c, a, "reinstate", subject, "revoked", "active", e);
}

void
admin_reinstate(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (host_not_yet(c, a, ENROLLMENT_ACTIVE, &e) &&
	    (*a->ask.reason || err_set(&e, ERR_FORMAT, "a host is reinstated for a reason: say it with --reason")) &&
	    quorum_of(c, a, a->host.group, &e) && quorum_change(a, &e, "reinstate host %s", a->host.id) &&
	    admin_change(c, a, reinstate, NULL, &e))
		admin_reply_host(c, j, ENROLLMENT_ACTIVE);
	else
		admin_failed(c, j, &e);
}

/* --- rename: gateways know a machine by its name, so that a name is worth what its group is */

static bool
name_is_free(struct core *c, struct admin_job *a, struct error *e)
{
	struct enrollment_row pending;
	struct host_row h = { .state = ENROLLMENT_REVOKED };

	if (!enrol_name_ok(a->ask.name))
		return err_set(e, ERR_FORMAT, "name: letters, digits, '.', '-' and '_' are allowed");
	if (store_enrollment_pending(c->store, a->ask.name, &pending, e))
		return err_set(e, ERR_CONFLICT, "an enrollment of %s waits for approval", pending.name);
	if (e->code != ERR_MISSING)
		return false;
	if (!store_host_by_name(c->store, a->ask.name, &h, e))
		return e->code == ERR_MISSING;
	if (h.state == ENROLLMENT_ACTIVE)
		return err_set(e, ERR_CONFLICT, "%s is another host", h.name);
	return quorum_of(c, a, h.group, e);
}

static bool
rename_host(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	char subject[SUBJECT_TEXT];

	(void)arg;
	subject_of(a, subject);
	return store_host_name(c->store, a->host.id, a->ask.name, e) &&
	    admin_audit(c, a, "rename", subject, a->host.name, a->ask.name, e);
}

void
admin_rename(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (!admin_host(c, a->ask.host, &a->host, &e) || !name_is_free(c, a, &e) || !quorum_of(c, a, a->host.group, &e) ||
	    !quorum_change(a, &e, "rename host %s from %s to %s", a->host.id, a->host.name, a->ask.name) ||
	    !admin_change(c, a, rename_host, NULL, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	memcpy(a->host.name, a->ask.name, sizeof(a->host.name));
	admin_reply_host(c, j, a->host.state);
}

/* --- remove: the trail keeps that it was there */

static bool
drop_logs(struct core *c, const char *host_id, struct gone *gone, struct error *e)
{
	bool orphan;

	while (gone->logs < LOGS_GONE_MAX && store_log_drop(c->store, host_id, 0, gone->log[gone->logs], &orphan, e))
		gone->logs += orphan;
	return gone->logs == LOGS_GONE_MAX ? err_set(e, ERR_LIMIT, "a host with so many logs") : e->code == ERR_MISSING;
}

static bool
forget(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	char subject[SUBJECT_TEXT], before[SUBJECT_TEXT];

	subject_of(a, subject);
	snprintf(before, sizeof(before), "%s, EK %s", enrollment_word(a->host.state), a->host.key.ek);
	return drop_logs(c, a->host.id, arg, e) && store_host_drop(c->store, a->host.id, e) &&
	    admin_audit(c, a, "remove", subject, before, "", e);
}

/* confirm says how many hosts may be refused by it, as with other changes. */
static bool
may_remove(struct core *c, struct admin_job *a, struct error *e)
{
	if (!admin_host(c, a->ask.host, &a->host, e))
		return false;
	if (!*a->ask.reason)
		return err_set(e, ERR_FORMAT, "a host is removed for a reason: say it with --reason");
	return a->host.state != ENROLLMENT_ACTIVE || a->ask.dry_run || !strcmp(a->ask.confirm, "1") ||
	    err_set(e, ERR_REFUSED, "%s is active, and would get no verdict from now on", a->host.name);
}

void
admin_remove(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct gone gone = { .logs = 0 };
	struct json *answer;
	struct error e;

	if (!may_remove(c, a, &e) || !quorum_of(c, a, a->host.group, &e) ||
	    !quorum_change(a, &e, "remove host %s, EK %s", a->host.id, a->host.key.ek) || !admin_change(c, a, forget, &gone, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	for (unsigned i = 0; i < gone.logs; i++)
		logs_drop(c->options.state_dir, gone.log[i]);
	answer = answer_new(a);
	json_put_text(answer, "id", a->host.id);
	json_put_text(answer, "name", a->host.name);
	job_reply_json(c, j, 200, answer);
}
