/* Policies, groups and ceilings, as administrators see and change them. */
#include "conf.h"
#include "core.h"
#include "hex.h"
#include "json.h"
#include "parts.h"
#include "policy_json.h"
#include "scope.h"
#include "what_if.h"

enum { CEILING_DEFAULT = 4 * 3600, CEILING_LONGEST = 7 * 24 * 3600, SECOND_MS = 1000 };

/* --- policies --- */

static void
put_policy(struct json *o, const struct policy_row *r)
{
	json_put_text(o, "name", r->name);
	json_put_int(o, "version", r->version);
	json_put_hex(o, "digest", r->digest, sizeof(r->digest));
	json_put_time(o, "created", r->created);
	json_put_text(o, "author", r->author);
}

static bool
add_policy(void *list, const struct policy_row *r, struct error *e)
{
	struct json *o = json_new();

	(void)e;
	put_policy(o, r);
	json_add(list, o);
	return true;
}

void
admin_policies(struct core *c, struct job *j)
{
	struct json *answer = answer_new(admin_of(j)), *list = json_new_list();
	struct error e;
	bool good = store_policies(c->store, add_policy, list, &e);

	json_put(answer, "policies", list);
	admin_reply(c, j, answer, good ? NULL : &e);
}

/* "web" is the newest, "web/3" that version. */
static bool
find_policy(struct core *c, const char *text, struct policy_row *out, struct error *e)
{
	const char *slash = strchr(text, '/');
	char name[NAME_TEXT];
	unsigned version = 0;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "/"), text);
	if (slash && !conf_number(slash + 1, 1, INT32_MAX, &version, e))
		return err_set(e, ERR_FORMAT, "'%.60s': NAME/VERSION is wanted", text);
	return store_policy(c->store, name, version, out, e) ||
	    (e->code == ERR_MISSING && err_set(e, ERR_MISSING, "no policy '%.60s'", text));
}

void
admin_policy(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	own(mem) struct policy *p = calloc(1, sizeof(*p));
	own(policy_row) struct policy_row r = { 0 };
	own(ima_rules) struct ima_rules ima = { 0 };
	struct error e = { .code = ERR_MEMORY, .why = "policy" };
	struct reader packed;
	struct json *answer;

	if (!p || !find_policy(c, a->ask.policy, &r, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	packed = rd_open(r.body, r.body_len);
	if (!policy_unpack(&packed, p, &e) || !policy_ima_unpack(p, r.ima, r.ima_len, &ima, &e)) {
		job_error(c, j, &e);
		return;
	}
	answer = answer_new(a);
	put_policy(answer, &r);
	json_put(answer, "policy", policy_json_tree(p, &ima));
	job_reply_json(c, j, 200, answer);
}

/* --- a new version of a policy --- */

static bool
follows_policy(const struct admin_job *a, const struct host_row *h)
{
	for (unsigned i = 0; i < a->ngroups; i++)
		if (!strcmp(a->groups[i], h->group))
			return true;
	return false;
}

static bool
add_follower(void *arg, const struct group_row *g, struct error *e)
{
	struct admin_job *a = arg;
	char (*more)[GROUP_TEXT];

	if (strcmp(g->policy, a->policy.name))
		return true;
	more = realloc(a->groups, (a->ngroups + 1) * sizeof(*more));
	if (!more)
		return err_set(e, ERR_MEMORY, "groups");
	a->groups = more;
	memcpy(a->groups[a->ngroups++], g->name, sizeof(g->name));
	return true;
}

static bool
add_version(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const struct policy_row *before = arg;
	char subject[SUBJECT_TEXT], digest[2 * SHA256_SIZE + 1], was[SUBJECT_TEXT] = "";

	if (!store_policy_add(c->store, &a->policy, &a->policy.version, e))
		return false;
	for (unsigned i = 0; i < a->ngroups; i++)
		if (!policy_usable(c, a->groups[i], e))
			return false;
	hex_text(a->policy.digest, sizeof(a->policy.digest), digest);
	snprintf(subject, sizeof(subject), "policy %s/%u, digest %s", a->policy.name, a->policy.version, digest);
	if (before->version)
		snprintf(was, sizeof(was), "%s/%u", before->name, before->version);
	return admin_audit(c, a, "policy", subject, was, "counts", e);
}

static void
reply_policy(struct core *c, struct job *j, bool changed)
{
	struct admin_job *a = admin_of(j);
	struct json *answer = answer_new(a), *groups = json_new_list();
	char label[LABEL_TEXT + 12];

	snprintf(label, sizeof(label), "%s/%u", a->policy.name, a->policy.version);
	json_put_text(answer, "policy", label);
	json_put_hex(answer, "digest", a->policy.digest, sizeof(a->policy.digest));
	json_put_bool(answer, "changed", changed);
	for (unsigned i = 0; i < a->ngroups; i++)
		json_add_text(groups, a->groups[i]);
	json_put(answer, "groups", groups);
	what_if_put(c, a, answer);
	job_reply_json(c, j, 200, answer);
}

/* The newest of that name, if there is one. */
static bool
newest(struct core *c, const char *name, struct policy_row *out, struct error *e)
{
	return store_policy(c->store, name, 0, out, e) || e->code == ERR_MISSING;
}

/* Whoever follows it decides by what counts now: lowering the quorum takes the quorum. */
static bool
policy_quorum(struct core *c, struct admin_job *a, struct error *e)
{
	char content[2 * SHA256_SIZE + 1];

	for (unsigned i = 0; i < a->ngroups; i++)
		if (!quorum_of(c, a, a->groups[i], e))
			return false;
	return policy_content(c, &a->policy, content, e) &&
	    quorum_change(a, e, "policy %s, content %s", a->policy.name, content);
}

static void
set_policy(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	own(policy_row) struct policy_row before = { 0 };
	struct error e = { .code = ERR_NONE };

	a->policy.version = 0;
	if (!newest(c, a->policy.name, &before, &e) || !what_if_allows(c, a, &e) || !policy_quorum(c, a, &e) ||
	    !admin_change(c, a, add_version, &before, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	if (a->ask.dry_run)
		a->policy.version = before.version + 1;
	reply_policy(c, j, true);
}

static bool
copy(const struct reader *from, uint8_t **out, size_t *len, struct error *e)
{
	*out = malloc(from->left ? from->left : 1);
	if (!*out)
		return err_set(e, ERR_MEMORY, "policy");
	if (from->left)
		memcpy(*out, from->pos, from->left);
	*len = from->left;
	return true;
}

/* ok u8 is read: the name, the packed policy, its packed rules for IMA. */
static bool
take_policy(struct core *c, struct admin_job *a, struct reader *r, struct error *e)
{
	struct policy_row *p = &a->policy;
	struct reader body, ima;

	part_text(r, p->name, sizeof(p->name), "name");
	body = part_take(r, "policy");
	ima = part_take(r, "ima");
	if (!rd_ok(r, e))
		return false;
	if (!digest_sha256(body.pos, body.left, p->digest))
		return err_set(e, ERR_CRYPTO, "no hash");
	if (!allow_lists_there(c, ima.pos, ima.left, e))
		return false;
	if (!copy(&body, &p->body, &p->body_len, e) || !copy(&ima, &p->ima, &p->ima_len, e))
		return false;
	p->created = clock_now().wall;
	memcpy(p->author, a->who, sizeof(p->author));
	return true;
}

static void
policy_read(struct core *c, struct job *j, struct frame *f)
{
	struct admin_job *a = admin_of(j);
	own(policy_row) struct policy_row before = { 0 };
	struct error e = { .code = ERR_NONE };

	if (!f || !f->payload.left) {
		err_set(&e, ERR_SYSTEM, "parse: no answer");
		job_error(c, j, &e);
	} else if (rd_u8(&f->payload, "ok") != 1) {
		err_set(&e, ERR_FORMAT, "%.*s", (int)(f->payload.left < 180 ? f->payload.left : 180), (const char *)f->payload.pos);
		admin_failed(c, j, &e);
	} else if (!take_policy(c, a, &f->payload, &e) || !newest(c, a->policy.name, &before, &e) ||
	    !store_groups(c->store, add_follower, a, &e)) {
		admin_failed(c, j, &e);
	} else if (before.version && !memcmp(before.digest, a->policy.digest, sizeof(before.digest))) {
		a->policy.version = before.version;
		reply_policy(c, j, false);
	} else {
		what_if(c, j, &(struct supposed){ .policy = a->policy.body, .policy_len = a->policy.body_len }, follows_policy,
		    set_policy);
	}
}

void
admin_policy_set(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;
	uint8_t *payload;

	if (!a->ask.text.len || (!*a->ask.reason && !a->ask.dry_run)) {
		err_set(&e, ERR_FORMAT, "a policy is set by a file and for a reason: say it with --reason");
		admin_failed(c, j, &e);
		return;
	}
	payload = malloc(a->ask.text.len);
	if (payload)
		memcpy(payload, a->ask.text.p, a->ask.text.len);
	worker_ask(c, j, ROLE_PARSE, MSG_PARSE_POLICY, MSG_PARSED_POLICY, payload, payload ? a->ask.text.len : 0, policy_read);
}

/* --- groups --- */

static bool
add_group(void *list, const struct group_row *g, struct error *e)
{
	struct json *o = json_new();
	bool set = g->ceiling_until > clock_now().wall;

	(void)e;
	json_put_text(o, "name", g->name);
	json_put_text(o, "policy", g->policy);
	json_put_int(o, "hosts", g->hosts);
	json_put_text(o, "ceiling", set ? mode_word(g->ceiling) : "");
	json_put_time(o, "ceiling_until", set ? g->ceiling_until : 0);
	json_add(list, o);
	return true;
}

void
admin_groups(struct core *c, struct job *j)
{
	struct json *answer = answer_new(admin_of(j)), *list = json_new_list();
	struct error e;
	bool good = store_groups(c->store, add_group, list, &e);

	json_put(answer, "groups", list);
	admin_reply(c, j, answer, good ? NULL : &e);
}

static bool
is_group_name(const char *name, struct error *e)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return (n && !name[n] && *name != '-' && *name != '.') ||
	    err_set(e, ERR_FORMAT, "'%.60s': letters, digits, '.', '-' and '_' make the name of a group", name);
}

/* The group as it stands, or a new one under the default policy; *fresh says which. */
static bool
find_group(struct core *c, const char *name, struct group_row *g, bool *fresh, struct error *e)
{
	*fresh = !store_group(c->store, name, g, e);
	if (!*fresh)
		return true;
	*g = (struct group_row){ .policy = "default", .ceiling = MODE_ENFORCE };
	snprintf(g->name, sizeof(g->name), "%s", name);
	return e->code == ERR_MISSING && is_group_name(name, e);
}

static bool
put_group(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const struct group_row *was = arg;
	struct group_row g = *was;
	char subject[SUBJECT_TEXT];

	snprintf(g.policy, sizeof(g.policy), "%s", a->policy.name);
	snprintf(subject, sizeof(subject), "group %s", g.name);
	return store_group_put(c->store, &g, e) && policy_usable(c, g.name, e) &&
	    admin_audit(c, a, "group", subject, a->fresh ? "" : was->policy, g.policy, e);
}

/* Digest of what the policy of that name permits now. */
static bool
content_of(struct core *c, const char *policy, char out[static 2 * SHA256_SIZE + 1], struct error *e)
{
	own(policy_row) struct policy_row r = { 0 };

	return store_policy(c->store, policy, 0, &r, e) && policy_content(c, &r, out, e);
}

static bool
group_quorum(struct core *c, struct admin_job *a, struct error *e)
{
	char content[2 * SHA256_SIZE + 1];

	return quorum_of(c, a, a->ask.group, e) && content_of(c, a->policy.name, content, e) &&
	    quorum_change(a, e, "group %s follows policy %s, content %s", a->ask.group, a->policy.name, content);
}

static void
group_set(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct json *answer;
	struct group_row g;
	struct error e;

	if (!find_group(c, a->ask.group, &g, &a->fresh, &e) || !what_if_allows(c, a, &e) || !group_quorum(c, a, &e) ||
	    !admin_change(c, a, put_group, &g, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	json_put_text(answer, "group", g.name);
	json_put_text(answer, "policy", a->policy.name);
	json_put_bool(answer, "created", a->fresh);
	what_if_put(c, a, answer);
	job_reply_json(c, j, 200, answer);
}

static bool
in_group(const struct admin_job *a, const struct host_row *h)
{
	return !strcmp(a->ask.group, h->group);
}

void
admin_group_set(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct group_row g;
	struct error e;

	if (strchr(a->ask.policy, '/')) {
		err_set(&e, ERR_FORMAT, "a group follows a policy by its name; its newest version counts");
		admin_failed(c, j, &e);
	} else if (!find_group(c, a->ask.group, &g, &a->fresh, &e) ||
	    !find_policy(c, *a->ask.policy ? a->ask.policy : g.policy, &a->policy, &e)) {
		admin_failed(c, j, &e);
	} else {
		what_if(c, j, &(struct supposed){ .policy = a->policy.body, .policy_len = a->policy.body_len }, in_group, group_set);
	}
}

/* --- a host's group --- */

static bool
is_moved(const struct admin_job *a, const struct host_row *h)
{
	return !strcmp(a->host.id, h->id);
}

static bool
move(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	char subject[SUBJECT_TEXT];

	(void)arg;
	snprintf(subject, sizeof(subject), "host %s (%s)", a->host.name, a->host.id);
	return store_host_group(c->store, a->host.id, a->ask.group, e) &&
	    admin_audit(c, a, "move", subject, a->host.group, a->ask.group, e);
}

/* The group that it leaves decides, and the one that it comes to. */
static bool
move_quorum(struct core *c, struct admin_job *a, struct error *e)
{
	char content[2 * SHA256_SIZE + 1];
	struct group_row to;

	return store_host_by_id(c->store, a->host.id, &a->host, e) && store_group(c->store, a->ask.group, &to, e) &&
	    quorum_of(c, a, a->host.group, e) && quorum_of(c, a, to.name, e) && content_of(c, to.policy, content, e) &&
	    quorum_change(a, e, "move host %s from %s to %s with policy %s, content %s", a->host.id, a->host.group, to.name,
	    to.policy, content);
}

static void
moved(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct json *answer;
	struct error e;

	if (!move_quorum(c, a, &e) || !admin_change(c, a, move, NULL, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	json_put_text(answer, "id", a->host.id);
	json_put_text(answer, "name", a->host.name);
	json_put_text(answer, "group", a->ask.group);
	json_put_text(answer, "from", a->host.group);
	what_if_put(c, a, answer);
	job_reply_json(c, j, 200, answer);
}

void
admin_move(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct supposed s = { .policy = NULL };
	struct group_row g;
	struct error e;

	if (!admin_host(c, a->ask.host, &a->host, &e)) {
		admin_failed(c, j, &e);
	} else if (!store_group(c->store, a->ask.group, &g, &e)) {
		if (e.code == ERR_MISSING)
			err_set(&e, ERR_MISSING, "no group '%.60s': verifierctl groups create makes one", a->ask.group);
		admin_failed(c, j, &e);
	} else {
		snprintf(s.group, sizeof(s.group), "%s", a->ask.group);
		what_if(c, j, &s, is_moved, moved);
	}
}

/* --- the panic button: the most that gates may do, for a while --- */

struct ceiling { enum gate_mode mode; unsigned seconds; int64_t until; };

static bool
read_ceiling(const struct admin_job *a, struct ceiling *out, struct error *e)
{
	out->seconds = CEILING_DEFAULT;
	if (!*a->ask.reason)
		return err_set(e, ERR_FORMAT, "a ceiling is set for a reason: say it with --reason");
	if (!mode_find(a->ask.ceiling, &out->mode))
		return err_set(e, ERR_FORMAT, "'%.15s': off, audit or enforce is wanted", a->ask.ceiling);
	if (*a->ask.duration && !conf_seconds(a->ask.duration, 60, CEILING_LONGEST, &out->seconds, e))
		return false;
	out->until = out->mode == MODE_ENFORCE ? 0 : clock_now().wall + (int64_t)out->seconds * SECOND_MS;
	return true;
}

static bool
collect(void *arg, const struct group_row *g, struct error *e)
{
	struct admin_job *a = arg;
	char (*more)[GROUP_TEXT];

	if (*a->ask.group && strcmp(a->ask.group, g->name))
		return true;
	more = realloc(a->groups, (a->ngroups + 1) * sizeof(*more));
	if (!more)
		return err_set(e, ERR_MEMORY, "groups");
	a->groups = more;
	memcpy(a->groups[a->ngroups++], g->name, sizeof(g->name));
	return true;
}

/* Unless the one that is set is as low and lasts as long. */
static bool
lowers(const struct group_row *g, const struct ceiling *to)
{
	bool set = g->ceiling_until > clock_now().wall;

	return to->mode != MODE_ENFORCE && (!set || to->mode < g->ceiling || to->until > g->ceiling_until);
}

/* It weakens all gates of a group, so it takes the group's quorum; to end it is one person's. */
static bool
ceiling_quorum(struct core *c, struct admin_job *a, const struct ceiling *to, struct error *e)
{
	for (unsigned i = 0; i < a->ngroups; i++) {
		struct group_row g;

		if (!store_group(c->store, a->groups[i], &g, e) || (lowers(&g, to) && !quorum_of(c, a, g.name, e)))
			return false;
	}
	return quorum_change(a, e, "ceiling %s for %u s of %s%s", mode_word(to->mode), to->seconds,
	    *a->ask.group ? "group " : "all groups", a->ask.group);
}

static bool
set_ceilings(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const struct ceiling *to = arg;
	char subject[SUBJECT_TEXT], after[SUBJECT_TEXT], at[TIME_TEXT];

	time_text(to->until, at);
	for (unsigned i = 0; i < a->ngroups; i++) {
		struct group_row g;
		const char *was;

		if (!store_group(c->store, a->groups[i], &g, e))
			return false;
		was = g.ceiling_until > clock_now().wall ? mode_word(g.ceiling) : "the policy's";
		g.ceiling = to->mode;
		g.ceiling_until = to->until;
		snprintf(subject, sizeof(subject), "group %s", g.name);
		snprintf(after, sizeof(after), "%s%s%s", to->until ? mode_word(to->mode) : "the policy's", to->until ? " until " : "",
		    to->until ? at : "");
		if (!store_group_put(c->store, &g, e) || !admin_audit(c, a, "ceiling", subject, was, after, e))
			return false;
	}
	return true;
}

void
admin_ceiling(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct json *answer, *groups;
	struct ceiling to;
	struct error e;

	if (!read_ceiling(a, &to, &e) || !store_groups(c->store, collect, a, &e) ||
	    (!a->ngroups && !err_set(&e, ERR_MISSING, "no group '%.60s'", a->ask.group)) ||
	    !ceiling_quorum(c, a, &to, &e) || !admin_change(c, a, set_ceilings, &to, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	groups = json_new_list();
	for (unsigned i = 0; i < a->ngroups; i++)
		json_add_text(groups, a->groups[i]);
	json_put_text(answer, "ceiling", mode_word(to.mode));
	json_put_time(answer, "until", to.until);
	json_put(answer, "groups", groups);
	job_reply_json(c, j, 200, answer);
}
