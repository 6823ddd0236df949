/* Reference sets as files: written for people, git and other verifiers, and read as candidates. */
#include "core.h"
#include "hex.h"
#include "json.h"
#include "parts.h"
#include "scope.h"

static void
exported(struct core *c, struct job *j, struct frame *f)
{
	struct error e = { .code = ERR_NONE };

	if (f && rd_u8(&f->payload, "ok") == 1 && f->payload.left) {
		job_reply(c, j, 200, (const char *)f->payload.pos, f->payload.left);
		return;
	}
	err_set(&e, ERR_SYSTEM, "judge: the set cannot be written");
	job_error(c, j, &e);
}

void
admin_export(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;
	uint8_t *payload;
	struct writer w;
	size_t size;

	if (!admin_set_find(c, a->ask.set, &a->set, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	size = sizeof(a->set.origin) + 16 + a->set.body_len;
	payload = malloc(size);
	w = wr_open(payload, payload ? size : 0);
	part_put(&w, a->set.origin, strlen(a->set.origin), "origin");
	part_put(&w, a->set.body, a->set.body_len, "set");
	worker_ask(c, j, ROLE_JUDGE, MSG_JUDGE_EXPORT, MSG_EXPORTED, payload, w.used, exported);
}

/* --- import --- */

static struct json *
new_set_json(const struct admin_job *a)
{
	struct json *o = json_new();
	char label[LABEL_TEXT];

	set_label(&a->set, label);
	json_put_text(o, "set", label);
	json_put_text(o, "state", set_state_word(a->set.state));
	json_put_hex(o, "digest", a->set.digest, sizeof(a->set.digest));
	json_put_text(o, "group", a->set.group);
	admin_put_new(o, a, &a->set);
	return o;
}

static void
reply_imported(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct json *answer = answer_new(a), *remarks = json_new_list();

	json_put(answer, "sets", give(a->sets));
	for (char *line = a->remarks; *line;) {
		size_t n = strcspn(line, "\n");
		bool more = line[n];

		line[n] = '\0';
		json_add_text(remarks, line);
		line += n + more;
	}
	json_put(answer, "remarks", remarks);
	job_reply_json(c, j, 200, answer);
}

/* What it says of its origin is kept, and who brought it. */
static bool
take_imported(struct admin_job *a, struct reader *r, struct error *e)
{
	struct set_row *s = &a->set;

	set_row_free(s);
	*s = (struct set_row){ .state = SET_CANDIDATE, .created = clock_now().wall, .expires = a->expires };
	s->entries = rd_be32(r, "entries");
	a->parts = rd_u8(r, "parts");
	s->own = rd_u8(r, "own") == 1;
	if (!rd_ok(r, e))
		return false;
	memcpy(s->name, a->name, sizeof(s->name));
	memcpy(s->host_id, a->host.id, sizeof(s->host_id));
	snprintf(s->group, sizeof(s->group), "%s", *a->ask.group ? a->ask.group : *a->host.id ? a->host.group : "default");
	snprintf(s->origin, sizeof(s->origin), "imported by %s: %.120s", a->who, a->origin);
	return set_row_fill(s, r, e);
}

static bool
add_imported(struct core *c, struct admin_job *a, struct error *e)
{
	struct set_row *s = &a->set;
	char subject[SUBJECT_TEXT], digest[2 * SHA256_SIZE + 1];

	if (!store_set_add(c->store, s, &s->version, e))
		return false;
	hex_text(s->digest, sizeof(s->digest), digest);
	snprintf(subject, sizeof(subject), "set %s/%u, digest %s", s->name, s->version, digest);
	return admin_audit(c, a, "import", subject, s->origin, set_state_word(s->state), e);
}

/* All sets of one file, or none. */
static bool
add_all(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	struct reader *r = arg;
	unsigned count;

	part_text(r, a->origin, sizeof(a->origin), "origin");
	part_text(r, a->remarks, sizeof(a->remarks), "remarks");
	count = rd_u8(r, "count");
	if (!rd_ok(r, e))
		return false;
	a->sets = json_new_list();
	for (unsigned i = 0; i < count; i++) {
		struct reader one = part_take(r, "set");

		if (!rd_ok(r, e) || !take_imported(a, &one, e) || (c && !add_imported(c, a, e)))
			return false;
		json_add(a->sets, new_set_json(a));
	}
	return rd_end(r, e);
}

static void
imported(struct core *c, struct job *j, struct frame *f)
{
	struct admin_job *a = admin_of(j);
	struct error e = { .code = ERR_NONE };

	if (!f || !f->payload.left) {
		err_set(&e, ERR_SYSTEM, "parse: no answer");
		job_error(c, j, &e);
	} else if (rd_u8(&f->payload, "ok") != 1) {
		err_set(&e, ERR_FORMAT, "%.*s", (int)(f->payload.left < 180 ? f->payload.left : 180), (const char *)f->payload.pos);
		admin_failed(c, j, &e);
	} else if (a->ask.dry_run ? !add_all(NULL, a, &f->payload, &e) : !admin_change(c, a, add_all, &f->payload, &e)) {
		admin_failed(c, j, &e);
	} else {
		reply_imported(c, j);
	}
}

/* A file names no host: what serves one alone needs to be told which. */
static bool
may_import(struct core *c, struct admin_job *a, struct error *e)
{
	if (!a->ask.text.len)
		return err_set(e, ERR_FORMAT, "text: a file is wanted");
	if (!*a->ask.reason)
		return err_set(e, ERR_FORMAT, "a set is imported for a reason: say it with --reason");
	return admin_set_name(a->ask.set, a->name, e) && admin_expires(a, &a->expires, e) &&
	    (!*a->ask.host || admin_host(c, a->ask.host, &a->host, e));
}

void
admin_import(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;
	uint8_t *payload;

	if (!may_import(c, a, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	payload = malloc(a->ask.text.len);
	if (payload)
		memcpy(payload, a->ask.text.p, a->ask.text.len);
	worker_ask(c, j, ROLE_PARSE, MSG_PARSE_SET, MSG_PARSED_SET, payload, payload ? a->ask.text.len : 0, imported);
}
