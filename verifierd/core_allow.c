/* Allow lists for IMA: by name, for policies that name them. A list that is set anew counts at once. */
#include "core.h"
#include "hex.h"
#include "json.h"
#include "parts.h"
#include "scope.h"

static bool
add_list(void *list, const struct allow_row *r, struct error *e)
{
	struct json *o = json_new();

	(void)e;
	json_put_text(o, "name", r->name);
	json_put_int(o, "entries", r->entries);
	json_put_hex(o, "digest", r->digest, sizeof(r->digest));
	json_put_time(o, "created", r->created);
	json_put_text(o, "author", r->author);
	json_add(list, o);
	return true;
}

void
admin_allow_lists(struct core *c, struct job *j)
{
	struct json *answer = answer_new(admin_of(j)), *list = json_new_list();
	struct error e;
	bool good = store_allows(c->store, add_list, list, &e);

	json_put(answer, "lists", list);
	admin_reply(c, j, answer, good ? NULL : &e);
}

static bool
may_change(const struct admin_job *a, struct error *e)
{
	const char *name = a->ask.list;
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	if (!n || name[n] || *name == '-' || *name == '.')
		return err_set(e, ERR_FORMAT, "'%.60s': letters, digits, '.', '-' and '_' make the name of an allow list", name);
	return *a->ask.reason || err_set(e, ERR_FORMAT, "an allow list is changed for a reason: say it with --reason");
}

/* --- set --- */

static void
describe(const struct allow_row *r, char out[static SUBJECT_TEXT])
{
	char digest[2 * SHA256_SIZE + 1];

	hex_text(r->digest, sizeof(r->digest), digest);
	snprintf(out, SUBJECT_TEXT, "%u entries, digest %s", r->entries, digest);
}

static bool
is_usable(void *core, const struct group_row *g, struct error *e)
{
	return policy_usable(core, g->name, e);
}

static bool
put_list(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	own(allow_row) struct allow_row before = { .body = NULL };
	char subject[SUBJECT_TEXT], was[SUBJECT_TEXT] = "", becomes[SUBJECT_TEXT];

	(void)arg;
	if (store_allow(c->store, a->allow.name, &before, e))
		describe(&before, was);
	else if (e->code != ERR_MISSING)
		return false;
	describe(&a->allow, becomes);
	snprintf(subject, sizeof(subject), "allow list %s", a->allow.name);
	return store_allow_put(c->store, &a->allow, e) && store_groups(c->store, is_usable, c, e) &&
	    admin_audit(c, a, "allow-list", subject, was, becomes, e);
}

/* Does the newest version of a policy, which is the one that counts? */
static bool
names_list(struct core *c, const char *policy, const char *list, bool *yes, struct error *e)
{
	own(policy_row) struct policy_row r = { 0 };
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF };
	struct reader packed;

	*yes = false;
	if (!store_policy(c->store, policy, 0, &r, e))
		return e->code == ERR_MISSING;
	packed = rd_open(r.ima, r.ima_len);
	if (r.ima_len && !ima_rules_unpack(&packed, &rules, e))
		return false;
	for (unsigned i = 0; i < rules.nlists; i++)
		*yes = *yes || !strcmp(rules.list[i], list);
	return true;
}

struct naming { struct core *core; struct admin_job *a; };

static bool
add_quorum(void *arg, const struct group_row *g, struct error *e)
{
	struct naming *n = arg;
	bool names;

	return names_list(n->core, g->policy, n->a->allow.name, &names, e) && (!names || quorum_of(n->core, n->a, g->name, e));
}

/* It counts for all groups whose policy names the list. */
static bool
list_quorum(struct core *c, struct admin_job *a, struct error *e)
{
	struct naming n = { c, a };
	char digest[2 * SHA256_SIZE + 1];

	hex_text(a->allow.digest, sizeof(a->allow.digest), digest);
	return store_groups(c->store, add_quorum, &n, e) && quorum_change(a, e, "allow list %s, digest %s", a->allow.name, digest);
}

static bool
take_list(struct admin_job *a, struct reader *r, struct reader *excludes, struct error *e)
{
	struct allow_row *row = &a->allow;

	*row = (struct allow_row){ .entries = rd_be32(r, "entries"), .created = clock_now().wall };
	*excludes = part_take(r, "excludes");
	if (!rd_ok(r, e))
		return false;
	memcpy(row->name, a->ask.list, sizeof(row->name));
	memcpy(row->author, a->who, sizeof(row->author));
	row->body = malloc(r->left ? r->left : 1);
	if (!row->body)
		return err_set(e, ERR_MEMORY, "allow list");
	if (r->left)
		memcpy(row->body, r->pos, r->left);
	row->body_len = r->left;
	return digest_sha256(row->body, row->body_len, row->digest) || err_set(e, ERR_CRYPTO, "no hash");
}

/* What the file of another program leaves out belongs into the policy: a list cannot say it. */
static struct json *
lines_json(const struct reader *text)
{
	struct json *list = json_new_list();
	const char *p = (const char *)text->pos, *end = p + text->left;

	while (p && p < end) {
		const char *line_end = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((line_end ? line_end : end) - p);
		own(mem) char *line = strndup(p, n);

		if (line)
			json_add_text(list, line);
		p += n + 1;
	}
	return list;
}

static void
list_read(struct core *c, struct job *j, struct frame *f)
{
	struct admin_job *a = admin_of(j);
	struct error e = { .code = ERR_NONE };
	struct reader excludes;
	struct json *answer;

	if (!f || !f->payload.left) {
		err_set(&e, ERR_SYSTEM, "parse: no answer");
		job_error(c, j, &e);
		return;
	}
	if (rd_u8(&f->payload, "ok") != 1) {
		err_set(&e, ERR_FORMAT, "%.*s", (int)(f->payload.left < 180 ? f->payload.left : 180), (const char *)f->payload.pos);
		admin_failed(c, j, &e);
		return;
	}
	if (!take_list(a, &f->payload, &excludes, &e) || !list_quorum(c, a, &e) || !admin_change(c, a, put_list, NULL, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	json_put_text(answer, "list", a->allow.name);
	json_put_int(answer, "entries", a->allow.entries);
	json_put_hex(answer, "digest", a->allow.digest, sizeof(a->allow.digest));
	json_put(answer, "excludes", lines_json(&excludes));
	job_reply_json(c, j, 200, answer);
}

void
admin_allow_set(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;
	uint8_t *payload;

	if (!may_change(a, &e) || (!a->ask.text.len && !err_set(&e, ERR_FORMAT, "text: a file is wanted"))) {
		admin_failed(c, j, &e);
		return;
	}
	payload = malloc(a->ask.text.len);
	if (payload)
		memcpy(payload, a->ask.text.p, a->ask.text.len);
	worker_ask(c, j, ROLE_PARSE, MSG_PARSE_ALLOW, MSG_PARSED_ALLOW, payload, payload ? a->ask.text.len : 0, list_read);
}

/* --- remove --- */

/* Rows come by name and version. */
struct policy_names { unsigned count, room; char (*name)[NAME_TEXT]; };

static bool
add_name(void *arg, const struct policy_row *r, struct error *e)
{
	struct policy_names *all = arg;

	if (all->count && !strcmp(all->name[all->count - 1], r->name))
		return true;
	if (all->count == all->room) {
		unsigned room = all->room ? 2 * all->room : 16;
		char (*more)[NAME_TEXT] = realloc(all->name, room * sizeof(*more));

		if (!more)
			return err_set(e, ERR_MEMORY, "policies");
		all->name = more;
		all->room = room;
	}
	memcpy(all->name[all->count++], r->name, sizeof(r->name));
	return true;
}

static bool
drop_list(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const struct policy_names *all = arg;
	char subject[SUBJECT_TEXT];
	bool used;

	for (unsigned i = 0; i < all->count; i++) {
		if (!names_list(c, all->name[i], a->ask.list, &used, e))
			return false;
		if (used)
			return err_set(e, ERR_CONFLICT, "policy %.60s names this list", all->name[i]);
	}
	snprintf(subject, sizeof(subject), "allow list %s", a->ask.list);
	return store_allow_drop(c->store, a->ask.list, e) && admin_audit(c, a, "allow-list", subject, "there", "removed", e);
}

void
admin_allow_drop(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct policy_names all = { .count = 0 };
	struct error e;
	bool good = may_change(a, &e) && store_policies(c->store, add_name, &all, &e) && admin_change(c, a, drop_list, &all, &e);
	struct json *answer;

	free(all.name);
	if (!good) {
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	json_put_text(answer, "list", a->ask.list);
	job_reply_json(c, j, 200, answer);
}

/* --- for policies --- */

bool
allow_lists_there(struct core *c, const uint8_t *ima, size_t len, struct error *e)
{
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF };
	struct reader packed = rd_open(ima, len);
	uint8_t digest[SHA256_SIZE];

	if (!len)
		return true;
	if (!ima_rules_unpack(&packed, &rules, e))
		return false;
	for (unsigned i = 0; i < rules.nlists; i++)
		if (!store_allow_digest(c->store, rules.list[i], digest, e))
			return e->code == ERR_MISSING ? err_set(e, ERR_MISSING, "no allow list '%.60s': set it first", rules.list[i]) : false;
	return true;
}

bool
policy_content(struct core *c, const struct policy_row *r, char out[static 2 * SHA256_SIZE + 1], struct error *e)
{
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF };
	struct reader packed = rd_open(r->ima, r->ima_len);
	uint8_t all[1 + IMA_LISTS_MAX][SHA256_SIZE] = { { 0 } }, sum[SHA256_SIZE];   /* zeros: a list that is not there */

	memcpy(all[0], r->digest, sizeof(all[0]));
	if (r->ima_len && !ima_rules_unpack(&packed, &rules, e))
		return false;
	for (unsigned i = 0; i < rules.nlists; i++)
		if (!store_allow_digest(c->store, rules.list[i], all[1 + i], e) && e->code != ERR_MISSING)
			return false;
	if (!digest_sha256(all, (1 + rules.nlists) * sizeof(all[0]), sum))
		return err_set(e, ERR_CRYPTO, "no hash");
	hex_text(sum, sizeof(sum), out);
	return true;
}
