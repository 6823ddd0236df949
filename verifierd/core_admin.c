/* What an administrator may do with hosts, tokens and the trail; references are in core_sets.c, what becomes of a host later in core_hosts.c. */
#include <sys/socket.h>
#include "audit.h"
#include "core.h"
#include "json.h"
#include "hex.h"
#include "log.h"
#include "scope.h"
#include "what_if.h"

enum { GROUPS_MAX = 256, SHOWN_REPORTS = 20, TOKEN_LIFE_MS = 24 * 3600 * 1000 };

static void
drop_admin_job(void *p)
{
	struct admin_job *a = p;

	report_row_free(&a->report);
	set_row_free(&a->set);
	set_row_free(&a->other);
	policy_row_free(&a->policy);
	allow_row_free(&a->allow);
	free(a->groups);
	what_if_free(a->what_if);
	json_free(a->sets);
	free(a);
}

struct admin_job *
admin_of(struct job *j)
{
	return j->state;
}

struct json *
answer_new(const struct admin_job *a)
{
	struct json *o = json_new();

	json_put_int(o, "schema", 1);
	if (a->ask.dry_run)
		json_put_bool(o, "dry_run", true);
	return o;
}

void
admin_failed(struct core *c, struct job *j, const struct error *e)
{
	if (admin_of(j)->waits) {
		quorum_reply(c, j);
		return;
	}
	switch (e->code) {
	case ERR_MISSING:
		job_problem(c, j, 404, REASON_REQUEST_INVALID, "%s", e->why);
		break;
	case ERR_CONFLICT:
	case ERR_REFUSED:
		job_problem(c, j, 409, REASON_REQUEST_INVALID, "%s", e->why);
		break;
	case ERR_MISMATCH:
		job_problem(c, j, 409, REASON_EK_MISMATCH, "%s", e->why);
		break;
	case ERR_FORMAT:
	case ERR_CONFIG:
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "%s", e->why);
		break;
	default:
		/* Who administers may know what a host may not: that the disk is full, say. */
		log_say(LOG_ERR, "%s: %s", message_name(j->request.type), e->why);
		job_problem(c, j, 503, REASON_VERIFIER_ERROR, "%s", e->why);
	}
}

void
admin_reply(struct core *c, struct job *j, struct json *answer, const struct error *failed)
{
	if (!failed) {
		job_reply_json(c, j, 200, answer);
		return;
	}
	json_free(answer);
	admin_failed(c, j, failed);
}

/* --- who asks --- */

static bool
in_admin_group(const struct core *c, int fd, gid_t primary)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (c->admin_group == (gid_t)-1)
		return false;
	if (primary == c->admin_group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (unsigned i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == c->admin_group)
			return true;
	return false;
}

/* By the kernel's word on the connection that net passed on; nothing in the message counts. */
static bool
may_administer(const struct core *c, int fd, char who[static WHO_TEXT])
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || len != sizeof(peer))
		return false;
	snprintf(who, WHO_TEXT, "uid %u", (unsigned)peer.uid);
	return peer.uid == 0 || peer.uid == getuid() || in_admin_group(c, fd, peer.gid);
}

bool
admin_audit(struct core *c, const struct admin_job *a, const char *action, const char *subject, const char *before,
    const char *after, struct error *e)
{
	struct audit_row row = { .at = clock_now().wall };

	memcpy(row.who, a->who, sizeof(row.who));
	snprintf(row.action, sizeof(row.action), "%s", action);
	snprintf(row.subject, sizeof(row.subject), "%s", subject);
	snprintf(row.why, sizeof(row.why), "%s", a->ask.reason);
	snprintf(row.before, sizeof(row.before), "%s", before);
	snprintf(row.after, sizeof(row.after), "%s", after);
	log_say(LOG_NOTICE, "%s: %s %s", row.who, row.action, row.subject);
	return audit_add(c->store, &row, e);
}

/* --- finding what is meant --- */

bool
admin_report(struct core *c, const char *text, struct report_row *out, struct error *e)
{
	char ref[REF_TEXT];

	if (!ref_read(text, ref))
		return err_set(e, ERR_FORMAT, "'%.20s' is no reference like 7F3K-21QX", text);
	return store_report(c->store, ref, out, e) || (e->code == ERR_MISSING &&
	    err_set(e, ERR_MISSING, "no report has the reference %s", ref));
}

bool
admin_host(struct core *c, const char *text, struct host_row *out, struct error *e)
{
	own(report) struct report_row r = { .verdict = NULL };
	char ref[REF_TEXT];

	/* The id first: a host chooses its name, which may look like the id of another. */
	if (store_host_by_id(c->store, text, out, e))
		return true;
	if (e->code != ERR_MISSING)
		return false;
	if (store_host_by_name(c->store, text, out, e))
		return true;
	if (e->code != ERR_MISSING)
		return false;
	if (ref_read(text, ref) && store_report(c->store, ref, &r, e))
		return store_host_by_id(c->store, r.host_id, out, e);
	return err_set(e, ERR_MISSING, "no host '%.60s'", text);
}

static bool
find_pending(struct core *c, const char *text, struct enrollment_row *r, struct error *e)
{
	struct host_row h;

	if (store_enrollment_pending(c->store, text, r, e))
		return true;
	if (e->code != ERR_MISSING)
		return false;
	if (store_enrollment(c->store, text, r, e) && r->state == ENROLLMENT_PENDING)
		return true;
	if (store_host_by_name(c->store, text, &h, e))
		return err_set(e, ERR_REFUSED, "%.60s is %s already, and nothing new waits for approval", h.name,
		    enrollment_word(h.state));
	return err_set(e, ERR_MISSING, "no enrollment of '%.60s' waits for approval", text);
}

/* --- rows as JSON --- */

static void
put_time(struct json *o, const char *key, int64_t at)
{
	char text[TIME_TEXT];

	if (!at) {
		json_put_null(o, key);
		return;
	}
	time_text(at, text);
	json_put_text(o, key, text);
}

static void
put_key(struct json *o, const struct identity *k)
{
	struct json *ek = json_new();

	json_put_text(ek, "fingerprint", k->ek);
	json_put_text(ek, "subject", k->ek_subject);
	put_time(ek, "not_after", k->ek_not_after);
	json_put(o, "ek", ek);
	json_put_hex(o, "ak", k->ak.bytes, k->ak.size);
}

static void
put_host(struct json *o, const struct host_row *h)
{
	json_put_text(o, "id", h->id);
	json_put_text(o, "name", h->name);
	json_put_text(o, "group", h->group);
	json_put_text(o, "enrollment", enrollment_word(h->state));
	json_put_text(o, "state", state_word(h->verdict));
	json_put_text(o, "reason", reason_code(h->state == ENROLLMENT_REVOKED ? REASON_HOST_REVOKED : h->reason));
	json_put_text(o, "ref", h->ref);
	put_time(o, "last_report", h->at);
}

static void
put_pending(struct json *o, const struct enrollment_row *r)
{
	json_put_text(o, "id", r->id);
	json_put_text(o, "name", r->name);
	json_put_text(o, "group", "default");
	json_put_text(o, "enrollment", enrollment_word(r->state));
	json_put_text(o, "state", state_word(STATE_NONE));
	json_put_text(o, "reason", reason_code(REASON_ENROLLMENT_PENDING));
	json_put_text(o, "ref", "");
	put_time(o, "last_report", 0);
}

/* --- the operations --- */

static bool
add_host(void *list, const struct host_row *h, struct error *e)
{
	struct json *o = json_new();

	(void)e;
	put_host(o, h);
	json_add(list, o);
	return true;
}

static bool
add_pending(void *list, const struct enrollment_row *r, struct error *e)
{
	struct json *o = json_new();

	(void)e;
	put_pending(o, r);
	json_add(list, o);
	return true;
}

static void
admin_hosts(struct core *c, struct job *j)
{
	struct json *answer = answer_new(admin_of(j)), *list = json_new_list();
	struct error e;
	bool good = store_hosts(c->store, add_host, list, &e) && store_enrollments_pending(c->store, add_pending, list, &e);

	json_put(answer, "hosts", list);
	admin_reply(c, j, answer, good ? NULL : &e);
}

static bool
add_report_line(void *list, const struct report_row *r, struct error *e)
{
	struct json *o = json_new();

	(void)e;
	json_put_text(o, "ref", r->ref);
	put_time(o, "at", r->at);
	json_put_text(o, "state", state_word(r->state));
	json_put_text(o, "reason", reason_code(r->reason));
	json_add(list, o);
	return true;
}

static void
put_waiting(struct core *c, struct json *answer, const char *name)
{
	struct enrollment_row r;
	struct error e;
	struct json *o;

	if (!store_enrollment_pending(c->store, name, &r, &e)) {
		json_put_null(answer, "pending");
		return;
	}
	o = json_new();
	json_put_text(o, "id", r.id);
	put_key(o, &r.key);
	put_time(o, "since", r.created);
	json_put(answer, "pending", o);
}

static void
show_pending(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct enrollment_row r;
	struct error e;
	struct json *answer;

	if (!find_pending(c, a->ask.host, &r, &e)) {
		err_set(&e, ERR_MISSING, "no host '%.60s'", a->ask.host);
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	put_pending(answer, &r);
	put_key(answer, &r.key);
	put_waiting(c, answer, r.name);
	job_reply_json(c, j, 200, answer);
}

/* How far the host's IMA list was accepted in its boot; null before a list met its quote. */
static bool
put_ima(struct core *c, struct json *answer, const char *host_id, struct error *e)
{
	own(ima_row) struct ima_row row = { .state = NULL };
	struct json *ima;

	if (!store_ima(c->store, host_id, &row, e)) {
		json_put_null(answer, "ima");
		return e->code == ERR_MISSING;
	}
	ima = json_new();
	json_put_int(ima, "entries", (int64_t)row.entries);
	json_put_int(ima, "violations", (int64_t)row.violations);
	json_put_int(ima, "pending", (int64_t)row.pending);
	json_put_bool(ima, "refused", row.refused);
	json_put(answer, "ima", ima);
	return true;
}

/* What it is judged by, and the most that its gates may do at this moment. */
static bool
put_policy(struct core *c, struct json *o, const char *group, struct error *e)
{
	struct policy_now p;

	if (!policy_of(c, group, &p, e))
		return false;
	json_put_text(o, "policy", p.label);
	json_put_text(o, "ceiling", mode_word(p.ceiling));
	return true;
}

static void
admin_show(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct json *answer, *boot, *list;
	unsigned leases = 0;
	struct error e;
	bool good;

	if (!admin_host(c, a->ask.host, &a->host, &e)) {
		if (e.code == ERR_MISSING)
			show_pending(c, j);
		else
			admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	put_host(answer, &a->host);
	put_key(answer, &a->host.key);
	put_time(answer, "enrolled", a->host.enrolled);
	boot = json_new();
	json_put_text(boot, "boot_id", a->host.boot_id);
	json_put_int(boot, "reset_count", a->host.reset_count);
	json_put_int(boot, "restart_count", a->host.restart_count);
	json_put(answer, "boot", boot);
	json_put_text(answer, "references", a->host.references);
	json_put_text(answer, "class", evidence_class_word(a->host.class));
	list = json_new_list();
	good = lease_count(c, &a->host, &leases, &e) && put_policy(c, answer, a->host.group, &e) && put_ima(c, answer, a->host.id, &e) && events_put(c, answer, a->host.id, &e) &&
	    store_reports(c->store, a->host.id, SHOWN_REPORTS, add_report_line, list, &e);
	json_put_int(answer, "leases", leases);
	json_put(answer, "reports", list);
	put_waiting(c, answer, a->host.name);
	admin_reply(c, j, answer, good ? NULL : &e);
}

static void
reply_enrollment(struct core *c, struct job *j, const char *id, const char *name, enum enrollment state,
    const struct identity *key)
{
	struct json *answer = answer_new(admin_of(j));

	json_put_text(answer, "id", id);
	json_put_text(answer, "name", name);
	json_put_text(answer, "enrollment", enrollment_word(state));
	put_key(answer, key);
	job_reply_json(c, j, 200, answer);
}

bool
admin_change(struct core *c, struct admin_job *a, change_fn *fn, void *arg, struct error *e)
{
	bool met = false;

	if (a->ask.dry_run)
		return true;
	if (!store_begin(c->store, e))
		return false;
	if (!quorum_met(c, a, &met, e) || (met && !fn(c, a, arg, e))) {
		store_rollback(c->store);
		return false;
	}
	if (!store_commit(c->store, e))
		return false;
	a->waits = !met;
	return met || err_set(e, ERR_REFUSED, "%u of %u approvals", a->approvals, a->quorum);
}

static bool
approve(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const struct enrollment_row *r = arg;
	struct host_row old;
	char subject[SUBJECT_TEXT], before[SUBJECT_TEXT] = "pending", after[SUBJECT_TEXT];

	if (store_host_by_id(c->store, r->host_id, &old, e))
		snprintf(before, sizeof(before), "active, EK %s", old.key.ek);
	else if (e->code != ERR_MISSING)
		return false;
	snprintf(subject, sizeof(subject), "host %s (%s)", r->name, r->host_id);
	snprintf(after, sizeof(after), "active, EK %s", r->key.ek);
	return enrol_admit(c, r, e) && admin_audit(c, a, "approve", subject, before, after, e);
}

static bool
quorum_there(struct core *c, struct admin_job *a, bool there, const char *group, struct error *e)
{
	return there ? quorum_of(c, a, group, e) : e->code == ERR_MISSING;
}

/*
 * The group where it will be decides; so does that of a host which had its TPM or its name, revoked or not: to revoke is
 * one person's, and must be no way out of a group.
 */
static bool
approve_quorum(struct core *c, struct admin_job *a, const struct enrollment_row *r, struct error *e)
{
	struct host_row h = { .group = "default" };

	if (!store_host_by_id(c->store, r->host_id, &h, e) && e->code != ERR_MISSING)
		return false;
	return quorum_of(c, a, h.group, e) && quorum_there(c, a, store_host_by_ek(c->store, r->key.ek, &h, e), h.group, e) &&
	    quorum_there(c, a, store_host_by_name(c->store, r->name, &h, e), h.group, e) &&
	    quorum_change(a, e, "approve enrollment %s, EK %s, of host %s", r->id, r->key.ek, r->name);
}

static void
admin_approve(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct enrollment_row r;
	struct error e;

	if (!find_pending(c, a->ask.host, &r, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	if (*a->ask.ek && strcasecmp(a->ask.ek, r.key.ek) != 0) {
		err_set(&e, ERR_MISMATCH, "the EK that waits is %s", r.key.ek);
		admin_failed(c, j, &e);
		return;
	}
	if (!approve_quorum(c, a, &r, &e) || !admin_change(c, a, approve, &r, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	reply_enrollment(c, j, r.host_id, r.name, ENROLLMENT_ACTIVE, &r.key);
}

static bool
reject(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const struct enrollment_row *r = arg;
	char subject[SUBJECT_TEXT];

	snprintf(subject, sizeof(subject), "host %s (%s), EK %s", r->name, r->host_id, r->key.ek);
	return store_enrollment_state(c->store, r->id, ENROLLMENT_REJECTED, e) &&
	    admin_audit(c, a, "reject", subject, "pending", "rejected", e);
}

static void
admin_reject(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct enrollment_row r;
	struct error e;

	if (find_pending(c, a->ask.host, &r, &e) && admin_change(c, a, reject, &r, &e))
		reply_enrollment(c, j, r.id, r.name, ENROLLMENT_REJECTED, &r.key);
	else
		admin_failed(c, j, &e);
}

void
admin_reply_host(struct core *c, struct job *j, enum enrollment state)
{
	const struct host_row *h = &admin_of(j)->host;

	reply_enrollment(c, j, h->id, h->name, state, &h->key);
}

/* --- what evidence a host can give --- */

static bool
read_class(const char *word, enum evidence_class *out, struct error *e)
{
	for (unsigned i = 0; i < CLASS_COUNT; i++)
		if (!strcmp(word, evidence_class_word((enum evidence_class)i))) {
			*out = (enum evidence_class)i;
			return true;
		}
	return err_set(e, ERR_FORMAT, "class: '%s' is none of log, no-log, does-not-replay", word);
}

static bool
set_class(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const enum evidence_class *class = arg;
	char subject[SUBJECT_TEXT];

	snprintf(subject, sizeof(subject), "host %s (%s)", a->host.name, a->host.id);
	return store_host_class(c->store, a->host.id, *class, e) &&
	    admin_audit(c, a, "class", subject, evidence_class_word(a->host.class), evidence_class_word(*class), e);
}

/* Who gave a log that replayed has no excuse for giving none: that would make lacking evidence a way down. */
static bool
may_class(struct core *c, struct admin_job *a, enum evidence_class *class, struct error *e)
{
	if (!read_class(a->ask.class, class, e) || !admin_host(c, a->ask.host, &a->host, e))
		return false;
	if (*class != CLASS_LOG && a->host.gave_log)
		return err_set(e, ERR_REFUSED, "%s has given a boot log that replayed, so it has to go on; "
		    "if its firmware really gives none any more, revoke it and enroll it anew", a->host.name);
	return *a->ask.reason || err_set(e, ERR_FORMAT, "a class is set for a reason: say it with --reason");
}

/* Back to a log is stricter. */
static bool
class_quorum(struct core *c, struct admin_job *a, enum evidence_class class, struct error *e)
{
	return class == CLASS_LOG || (quorum_of(c, a, a->host.group, e) &&
	    quorum_change(a, e, "class %s of host %s", evidence_class_word(class), a->host.id));
}

void
admin_class(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	enum evidence_class class = CLASS_LOG;
	struct json *answer;
	struct error e;

	if (!may_class(c, a, &class, &e) || !class_quorum(c, a, class, &e) || !admin_change(c, a, set_class, &class, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	json_put_text(answer, "id", a->host.id);
	json_put_text(answer, "name", a->host.name);
	json_put_text(answer, "class", evidence_class_word(class));
	job_reply_json(c, j, 200, answer);
}

struct new_token { uint8_t hash[SHA256_SIZE]; int64_t expires; };

static bool
add_token(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const struct new_token *t = arg;
	char until[TIME_TEXT], after[SUBJECT_TEXT];

	time_text(t->expires, until);
	snprintf(after, sizeof(after), "good once, until %s", until);
	return store_token_add(c->store, t->hash, t->expires, e) &&
	    admin_audit(c, a, "token", "enrollment token", "", after, e);
}

static void
admin_token(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct new_token t = { .expires = clock_now().wall + TOKEN_LIFE_MS };
	char text[TOKEN_TEXT];
	uint8_t random[32];
	struct json *answer;
	struct error e;

	if (!random_bytes(random, sizeof(random)) || !base64url_text(random, sizeof(random), text, sizeof(text)) ||
	    !digest_sha256(text, strlen(text), t.hash)) {
		err_set(&e, ERR_CRYPTO, "no token");
		job_error(c, j, &e);
		return;
	}
	/* It lets any host in, and new ones are in that group. */
	if (!quorum_of(c, a, "default", &e) || !quorum_change(a, &e, "token") || !admin_change(c, a, add_token, &t, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	json_put_text(answer, "token", a->ask.dry_run ? "" : text);
	put_time(answer, "expires", t.expires);
	explicit_bzero(text, sizeof(text));
	job_reply_json(c, j, 200, answer);
}

struct trail { struct json *list; struct audit_row last; bool any, broken; };

static bool
add_audit_line(void *arg, const struct audit_row *r, struct error *e)
{
	struct trail *t = arg;
	struct json *o = json_new();

	(void)e;
	if (!audit_follows(r, t->any ? &t->last : NULL))
		t->broken = true;
	t->any = true;
	t->last = *r;
	json_put_int(o, "number", r->number);
	put_time(o, "at", r->at);
	json_put_text(o, "who", r->who);
	json_put_text(o, "action", r->action);
	json_put_text(o, "subject", r->subject);
	json_put_text(o, "why", r->why);
	json_put_text(o, "before", r->before);
	json_put_text(o, "after", r->after);
	json_put_hex(o, "hash", r->hash, sizeof(r->hash));
	json_add(t->list, o);
	return true;
}

static void
admin_audit_list(struct core *c, struct job *j)
{
	struct trail t = { .list = json_new_list() };
	struct json *answer = answer_new(admin_of(j));
	struct error e;
	bool good = store_audit(c->store, add_audit_line, &t, &e);

	json_put(answer, "entries", t.list);
	json_put_bool(answer, "intact", !t.broken);
	admin_reply(c, j, answer, good ? NULL : &e);
}

static void (*const operations[ADMIN_COUNT])(struct core *, struct job *) = {
	[ADMIN_HOSTS] = admin_hosts,
	[ADMIN_SHOW] = admin_show,
	[ADMIN_HISTORY] = admin_history,
	[ADMIN_APPROVE] = admin_approve,
	[ADMIN_REJECT] = admin_reject,
	[ADMIN_REVOKE] = admin_revoke,
	[ADMIN_REINSTATE] = admin_reinstate,
	[ADMIN_RENAME] = admin_rename,
	[ADMIN_REMOVE] = admin_remove,
	[ADMIN_CLASS] = admin_class,
	[ADMIN_SETS] = admin_sets,
	[ADMIN_SET] = admin_set,
	[ADMIN_SET_DIFF] = admin_set_diff,
	[ADMIN_CAPTURE] = admin_capture,
	[ADMIN_ACTIVATE] = admin_activate,
	[ADMIN_RETIRE] = admin_retire,
	[ADMIN_WITHDRAW] = admin_withdraw,
	[ADMIN_EXPORT] = admin_export,
	[ADMIN_IMPORT] = admin_import,
	[ADMIN_ACCEPT] = admin_accept,
	[ADMIN_POLICIES] = admin_policies,
	[ADMIN_POLICY] = admin_policy,
	[ADMIN_POLICY_SET] = admin_policy_set,
	[ADMIN_ALLOW_LISTS] = admin_allow_lists,
	[ADMIN_ALLOW_SET] = admin_allow_set,
	[ADMIN_ALLOW_DROP] = admin_allow_drop,
	[ADMIN_GROUPS] = admin_groups,
	[ADMIN_GROUP_SET] = admin_group_set,
	[ADMIN_CEILING] = admin_ceiling,
	[ADMIN_CEILING_ALL] = admin_ceiling,
	[ADMIN_MOVE] = admin_move,
	[ADMIN_LEASES] = admin_leases,
	[ADMIN_LEASE] = admin_lease,
	[ADMIN_LEASE_END] = admin_lease_end,
	[ADMIN_EXPLAIN] = admin_explain,
	[ADMIN_TOKEN] = admin_token,
	[ADMIN_GATEWAYS] = admin_gateways,
	[ADMIN_GATEWAY_ADD] = admin_gateway_add,
	[ADMIN_GATEWAY_DROP] = admin_gateway_drop,
	[ADMIN_APPROVALS] = admin_approvals,
	[ADMIN_AUDIT] = admin_audit_list,
};

void
on_admin(struct core *c, struct job *j)
{
	struct admin_job *a = calloc(1, sizeof(*a));
	struct error e;

	if (!a) {
		err_set(&e, ERR_MEMORY, "request");
		job_error(c, j, &e);
		return;
	}
	j->state = a;
	j->drop_state = drop_admin_job;
	if (!may_administer(c, j->request.peer_fd, a->who)) {
		log_say(LOG_WARNING, "%s may not administer", *a->who ? a->who : "a peer without credentials");
		job_problem(c, j, 403, REASON_PERMISSION_DENIED, "%s", reason_text(REASON_PERMISSION_DENIED));
		return;
	}
	if (!admin_request_unpack(&j->request.payload, &a->ask, &e)) {
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "%s", e.why);
		return;
	}
	operations[a->ask.op](c, j);
}
