/* Reference sets: shown, compared, captured from a report, activated; and accept, which is the last two in one. */
#include "core.h"
#include "json.h"
#include "evidence.h"
#include "gathered.h"
#include "hex.h"
#include "log.h"
#include "logs.h"
#include "parts.h"
#include "rules.h"
#include "scope.h"
#include "what_if.h"

enum { DIGEST_PREFIX_MIN = 8 };

/* "name" (version 0: the newest) or "name/version". */
static bool
read_label(const char *text, char name[static SET_NAME_TEXT], uint32_t *version, struct error *e)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long v = 0;

	if (!n || n >= SET_NAME_TEXT)
		return err_set(e, ERR_FORMAT, "'%.60s' is no name of a reference set", text);
	if (slash) {
		size_t digits = strspn(slash + 1, "0123456789");

		if (!digits || digits > 9 || slash[1 + digits] || !(v = strtoul(slash + 1, NULL, 10)))
			return err_set(e, ERR_FORMAT, "'%.60s': NAME/VERSION is wanted", text);
	}
	memcpy(name, text, n);
	name[n] = '\0';
	*version = (uint32_t)v;
	return true;
}

bool
admin_set_find(struct core *c, const char *text, struct set_row *out, struct error *e)
{
	char name[SET_NAME_TEXT];
	uint32_t version;

	if (!read_label(text, name, &version, e))
		return false;
	return store_set(c->store, name, version, out, e) || (e->code == ERR_MISSING &&
	    err_set(e, ERR_MISSING, "no reference set '%.60s'", text));
}

bool
admin_set_name(const char *text, char name[static SET_NAME_TEXT], struct error *e)
{
	uint32_t version;

	if (!read_label(text, name, &version, e))
		return false;
	return version == 0 || err_set(e, ERR_FORMAT, "'%.60s': a name without version is wanted", text);
}

bool
admin_expires(const struct admin_job *a, int64_t *out, struct error *e)
{
	*out = 0;
	if (!*a->ask.expires)
		return true;
	if (!time_read(a->ask.expires, out))
		return err_set(e, ERR_FORMAT, "expires: '%s' is no time like 2026-11-23T09:12:44Z", a->ask.expires);
	return *out > clock_now().wall || err_set(e, ERR_REFUSED, "expires: %s is past", a->ask.expires);
}

static void
put_set(struct json *o, const struct set_row *s)
{
	char text[TIME_TEXT], digest[2 * SHA256_SIZE + 1];

	hex_text(s->digest, sizeof(s->digest), digest);
	json_put_text(o, "name", s->name);
	json_put_int(o, "version", s->version);
	json_put_text(o, "state", set_state_word(s->state));
	json_put_text(o, "origin", s->origin);
	json_put_text(o, "digest", digest);
	json_put_text(o, "group", s->group);
	json_put_bool(o, "own", s->own);
	json_put_text(o, "report", s->report);
	time_text(s->created, text);
	json_put_text(o, "created", text);
	if (s->expires) {
		time_text(s->expires, text);
		json_put_text(o, "expires", text);
	} else {
		json_put_null(o, "expires");
	}
}

struct lines { struct core *core; struct json *list; };

static bool
add_set(void *arg, const struct set_row *s, struct error *e)
{
	struct lines *l = arg;
	struct json *o = json_new();
	char label[LABEL_TEXT];
	uint32_t hosts;

	set_label(s, label);
	if (!store_set_hosts(l->core->store, label, &hosts, e)) {
		json_free(o);
		return false;
	}
	put_set(o, s);
	json_put_int(o, "entries", s->entries);
	json_put_int(o, "hosts", hosts);
	json_add(l->list, o);
	return true;
}

void
admin_sets(struct core *c, struct job *j)
{
	struct lines l = { .core = c, .list = json_new_list() };
	struct json *answer = answer_new(admin_of(j));
	struct error e;
	bool good = store_sets(c->store, add_set, &l, &e);

	json_put(answer, "sets", l.list);
	admin_reply(c, j, answer, good ? NULL : &e);
}

/* --- one set, or two: the judge alone can read them --- */

static void
shown(struct core *c, struct job *j, struct frame *f)
{
	struct admin_job *a = admin_of(j);
	struct json *answer = NULL;
	struct error e = { .code = ERR_NONE };
	char label[LABEL_TEXT];

	if (!f || rd_u8(&f->payload, "ok") != 1 || f->payload.bad) {
		err_set(&e, ERR_SYSTEM, "judge: %.*s", f ? (int)(f->payload.left < 150 ? f->payload.left : 150) : 9,
		    f && f->payload.left ? (const char *)f->payload.pos : "no answer");
		job_error(c, j, &e);
		return;
	}
	if (!json_parse((const char *)f->payload.pos, f->payload.left, &answer, &e)) {
		job_error(c, j, &e);
		return;
	}
	json_put_int(answer, "schema", 1);
	if (a->other.body) {
		set_label(&a->set, label);
		json_put_text(answer, "from", label);
		set_label(&a->other, label);
		json_put_text(answer, "to", label);
	} else {
		put_set(answer, &a->set);
	}
	job_reply_json(c, j, 200, answer);
}

static void
ask_show(struct core *c, struct job *j, const struct set_row *one, const struct set_row *two)
{
	size_t size = 16 + one->body_len + (two ? two->body_len : 0);
	uint8_t *payload = malloc(size);
	struct writer w = wr_open(payload, payload ? size : 0);

	wr_u8(&w, two ? 2 : 1, "count");
	part_put(&w, one->body, one->body_len, "set");
	if (two)
		part_put(&w, two->body, two->body_len, "set");
	worker_ask(c, j, ROLE_JUDGE, MSG_JUDGE_SHOW, MSG_SHOWN, payload, w.used, shown);
}

void
admin_set(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (admin_set_find(c, a->ask.set, &a->set, &e))
		ask_show(c, j, &a->set, NULL);
	else
		admin_failed(c, j, &e);
}

void
admin_set_diff(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (admin_set_find(c, a->ask.set, &a->set, &e) && admin_set_find(c, a->ask.other, &a->other, &e))
		ask_show(c, j, &a->set, &a->other);
	else
		admin_failed(c, j, &e);
}

/* --- activate --- */

static bool
is_digest(const struct set_row *s, const char *typed, struct error *e)
{
	char digest[2 * SHA256_SIZE + 1];
	size_t n = strlen(typed);

	hex_text(s->digest, sizeof(s->digest), digest);
	if (!n || (n >= DIGEST_PREFIX_MIN && n < sizeof(digest) && !strncasecmp(typed, digest, n)))
		return true;
	return err_set(e, ERR_REFUSED, "%s/%u has the digest %s", s->name, s->version, digest);
}

/* It was looked at, and hosts were judged with it: what somebody else did to it meanwhile is not undone unseen. */
static bool
as_it_was(struct core *c, const struct set_row *s, struct error *e)
{
	own(set_row) struct set_row now = { .body = NULL };

	if (!store_set(c->store, s->name, s->version, &now, e))
		return false;
	return (now.state == s->state && now.revoked == s->revoked) ||
	    err_set(e, ERR_CONFLICT, "%s/%u became %s meanwhile", s->name, s->version, set_state_word(now.state));
}

static bool
activate(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const struct set_row *s = arg;
	char subject[SUBJECT_TEXT], digest[2 * SHA256_SIZE + 1];

	if (!as_it_was(c, s, e))
		return false;
	hex_text(s->digest, sizeof(s->digest), digest);
	snprintf(subject, sizeof(subject), "set %s/%u, digest %s", s->name, s->version, digest);
	return store_set_state(c->store, s->name, s->version, SET_ACTIVE, 0, e) &&
	    (!a->expires || store_set_expires(c->store, s->name, s->version, a->expires, e)) &&
	    admin_audit(c, a, "activate", subject, set_state_word(s->state), "active", e);
}

/* A host's own sets serve it wherever it is now. */
static bool
set_quorum(struct core *c, struct admin_job *a, struct error *e)
{
	const struct set_row *s = &a->set;
	struct host_row h;

	if (!quorum_of(c, a, s->group, e))
		return false;
	if (!s->own)
		return true;
	return store_host_by_id(c->store, s->host_id, &h, e) ? quorum_of(c, a, h.group, e) : e->code == ERR_MISSING;
}

static bool
activate_quorum(struct core *c, struct admin_job *a, struct error *e)
{
	char digest[2 * SHA256_SIZE + 1], label[LABEL_TEXT];

	hex_text(a->set.digest, sizeof(a->set.digest), digest);
	set_label(&a->set, label);
	return set_quorum(c, a, e) && quorum_change(a, e, "activate digest %s, expires %s, set %s", digest,
	    *a->ask.expires ? a->ask.expires : "as it was", label);
}

/* The set is not there yet: it will have the next version of this name. */
static bool
accept_quorum(struct core *c, struct admin_job *a, struct error *e)
{
	char digest[2 * SHA256_SIZE + 1];

	if (!a->accept)
		return true;
	hex_text(a->set.digest, sizeof(a->set.digest), digest);
	return set_quorum(c, a, e) && quorum_change(a, e, "accept digest %s of host %s for %s %s, expires %s, set %s", digest,
	    a->host.id, a->set.own ? "itself in" : "group", a->set.group, *a->ask.expires ? a->ask.expires : "never", a->set.name);
}

struct members { struct json *list; const char *group; };

static bool
add_member(void *arg, const struct host_row *h, struct error *e)
{
	struct members *m = arg;

	(void)e;
	if (h->state == ENROLLMENT_ACTIVE && !strcmp(h->group, m->group))
		json_add_text(m->list, h->name);
	return true;
}

/* What a report makes good, the alarming first: that is how its findings stand. */
static void
put_admits(struct json *answer, const struct admin_job *a, const struct verdict *v)
{
	admin_put_new(answer, a, &a->set);
	json_put_text(answer, "report", a->report.ref);
	json_put(answer, "admits", findings_json(&v->findings));
}

static void
reply_active(struct core *c, struct job *j, const struct set_row *s)
{
	struct admin_job *a = admin_of(j);
	struct members m = { .list = json_new_list(), .group = s->group };
	struct json *answer = answer_new(a);
	char label[LABEL_TEXT], digest[2 * SHA256_SIZE + 1];
	own(mem) struct verdict *v = NULL;
	struct reader packed;
	struct error e = { .code = ERR_NONE };
	bool good = store_hosts(c->store, add_member, &m, &e);

	set_label(s, label);
	hex_text(s->digest, sizeof(s->digest), digest);
	json_put_text(answer, "set", label);
	json_put_text(answer, "state", "active");
	json_put_text(answer, "digest", digest);
	json_put_text(answer, "group", s->group);
	json_put(answer, "hosts", m.list);
	what_if_put(c, a, answer);
	if (good && a->accept) {
		v = calloc(1, sizeof(*v));
		packed = rd_open(a->report.verdict, a->report.verdict_len);
		good = v && verdict_unpack(&packed, v, &e);
		if (good)
			put_admits(answer, a, v);
	}
	if (good) {
		job_reply_json(c, j, 200, answer);
		return;
	}
	json_free(answer);
	job_error(c, j, &e);
}

/* Whom a set reaches. */
static bool
in_its_group(const struct admin_job *a, const struct host_row *h)
{
	return !strcmp(a->set.group, h->group) && (!a->set.own || !strcmp(a->set.host_id, h->id));
}

static void
what_if_set(struct core *c, struct job *j, enum set_state to, uint32_t parts, void (*then)(struct core *, struct job *))
{
	struct supposed s = { .state = to, .revoked = parts };

	set_label(&admin_of(j)->set, s.set);
	what_if(c, j, &s, in_its_group, then);
}

static void
activated(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (what_if_allows(c, a, &e) && activate_quorum(c, a, &e) && admin_change(c, a, activate, &a->set, &e))
		reply_active(c, j, &a->set);
	else
		admin_failed(c, j, &e);
}

void
admin_activate(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (!admin_set_find(c, a->ask.set, &a->set, &e) || !is_digest(&a->set, a->ask.digest, &e) ||
	    !admin_expires(a, &a->expires, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	if (a->set.state == SET_REVOKED) {
		err_set(&e, ERR_REFUSED, "%s/%u is revoked", a->set.name, a->set.version);
		admin_failed(c, j, &e);
		return;
	}
	if (a->set.state == SET_ACTIVE && !a->expires)
		reply_active(c, j, &a->set);
	else
		what_if_set(c, j, SET_ACTIVE, 0, activated);
}

/* --- retire and revoke: what rested on the set is judged anew with the host's next evidence --- */

struct ending { const char *action; enum set_state to; uint32_t parts; };
static const struct ending retirement = { "retire", SET_RETIRED, 0 }, withdrawal = { "revoke-set", SET_REVOKED, 0 };

/* "loader,boot-entry" */
static bool
read_components(const char *text, uint32_t *parts, struct error *e)
{
	*parts = 0;
	while (*text) {
		size_t n = strcspn(text, ",");
		unsigned c = 0;

		while (c < COMPONENT_COUNT && (strlen(component_word((enum component)c)) != n ||
		    memcmp(component_word((enum component)c), text, n)))
			c++;
		if (c == COMPONENT_COUNT)
			return err_set(e, ERR_FORMAT, "'%.*s' is no component", (int)(n < 40 ? n : 40), text);
		*parts |= 1u << c;
		text += n + (text[n] == ',');
	}
	return true;
}

static bool
end_set(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const struct ending *end = arg;
	const struct set_row *s = &a->set;
	char subject[SUBJECT_TEXT], digest[2 * SHA256_SIZE + 1], label[LABEL_TEXT], after[SUBJECT_TEXT];

	if (!as_it_was(c, s, e))
		return false;
	set_label(s, label);
	hex_text(s->digest, sizeof(s->digest), digest);
	snprintf(subject, sizeof(subject), "set %s, digest %s", label, digest);
	snprintf(after, sizeof(after), "%s%s%s", set_state_word(end->to), end->parts ? ": " : "", end->parts ? a->ask.components : "");
	return store_set_state(c->store, s->name, s->version, end->to, end->parts, e) &&
	    (end->to != SET_REVOKED || store_set_mark(c->store, label, REASON_REFERENCE_REVOKED, e)) &&
	    admin_audit(c, a, end->action, subject, set_state_word(s->state), after, e);
}

/* What is revoked is refused wherever it stands; both that and taking it back need a reason that is kept. */
static bool
may_end(const struct admin_job *a, struct ending *end, struct error *e)
{
	if (!is_digest(&a->set, a->ask.digest, e) || !read_components(a->ask.components, &end->parts, e))
		return false;
	if (end->parts && end->to != SET_REVOKED)
		return err_set(e, ERR_FORMAT, "a set is retired as a whole");
	return (end->to != SET_REVOKED && a->set.state != SET_REVOKED) || *a->ask.reason ||
	    err_set(e, ERR_FORMAT, "%s for a reason: say it with --reason",
	    end->to == SET_REVOKED ? "a set is revoked" : "a revocation is lifted");
}

/* To end a set is one person's; to refuse less than its revocation does is not. */
static bool
end_quorum(struct core *c, struct admin_job *a, const struct ending *end, struct error *e)
{
	const struct set_row *s = &a->set;
	char label[LABEL_TEXT];

	if (s->state != SET_REVOKED || (end->to == SET_REVOKED &&
	    (end->parts == s->revoked || (s->revoked && !(s->revoked & ~end->parts)))))
		return true;
	set_label(s, label);
	return set_quorum(c, a, e) && quorum_change(a, e, "revocation of components %x becomes %s of %x, set %s", s->revoked,
	    set_state_word(end->to), end->parts, label);
}

struct stragglers { struct json *list; const char *label; };

/* Is the label one of the words of the host's references? */
static bool
add_straggler(void *arg, const struct host_row *h, struct error *e)
{
	struct stragglers *s = arg;
	size_t n = strlen(s->label);

	(void)e;
	for (const char *at = strstr(h->references, s->label); at; at = strstr(at + 1, s->label))
		if (h->state == ENROLLMENT_ACTIVE && (at == h->references || at[-1] == ' ') && (!at[n] || at[n] == ' ')) {
			json_add_text(s->list, h->name);
			break;
		}
	return true;
}

/* Who rests on it is told as it was before. */
static void
ended(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct json *answer = answer_new(a);
	struct ending to = a->ask.op == ADMIN_RETIRE ? retirement : withdrawal;
	char label[LABEL_TEXT], digest[2 * SHA256_SIZE + 1];
	struct stragglers s = { json_new_list(), label };
	uint32_t hosts = 0;
	struct error e;
	bool good = may_end(a, &to, &e) && what_if_allows(c, a, &e);

	set_label(&a->set, label);
	good = good && store_set_hosts(c->store, label, &hosts, &e) && store_hosts(c->store, add_straggler, &s, &e);
	json_put(answer, "stragglers", s.list);
	good = good && end_quorum(c, a, &to, &e);
	if (!good || ((a->set.state != to.to || a->set.revoked != to.parts) && !admin_change(c, a, end_set, &to, &e))) {
		json_free(answer);
		admin_failed(c, j, &e);
		return;
	}
	hex_text(a->set.digest, sizeof(a->set.digest), digest);
	json_put_text(answer, "set", label);
	json_put_text(answer, "state", set_state_word(to.to));
	json_put_text(answer, "digest", digest);
	json_put_text(answer, "group", a->set.group);
	json_put_int(answer, "hosts", hosts);
	what_if_put(c, a, answer);
	job_reply_json(c, j, 200, answer);
}

static void
end(struct core *c, struct job *j, struct ending to)
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (admin_set_find(c, a->ask.set, &a->set, &e) && may_end(a, &to, &e))
		what_if_set(c, j, to.to, to.parts, ended);
	else
		admin_failed(c, j, &e);
}

void
admin_retire(struct core *c, struct job *j)
{
	end(c, j, retirement);
}

void
admin_withdraw(struct core *c, struct job *j)
{
	end(c, j, withdrawal);
}

/* --- capture and accept --- */

static bool
add_captured(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	struct set_row *s = arg;
	char subject[SUBJECT_TEXT], digest[2 * SHA256_SIZE + 1], before[SUBJECT_TEXT];

	if (!store_set_add(c->store, s, &s->version, e))
		return false;
	hex_text(s->digest, sizeof(s->digest), digest);
	snprintf(subject, sizeof(subject), "set %s/%u, digest %s", s->name, s->version, digest);
	snprintf(before, sizeof(before), "report %s: %s", a->report.ref, reason_code(a->report.reason));
	return admin_audit(c, a, a->accept ? "accept" : "capture", subject, before, set_state_word(s->state), e);
}

void
admin_put_new(struct json *answer, const struct admin_job *a, const struct set_row *s)
{
	struct json *parts = json_new_list();

	json_put_int(answer, "entries", s->entries);
	for (unsigned i = 0; i < COMPONENT_COUNT; i++)
		if (a->parts & 1u << i)
			json_add_text(parts, component_word((enum component)i));
	json_put(answer, "components", parts);
	json_put_bool(answer, "own", s->own);
	json_put_text(answer, "origin", s->origin);
}

static void
reply_candidate(struct core *c, struct job *j, const struct set_row *s)
{
	struct admin_job *a = admin_of(j);
	struct json *answer = answer_new(a);
	char label[LABEL_TEXT], digest[2 * SHA256_SIZE + 1];
	own(mem) struct verdict *v = calloc(1, sizeof(*v));
	struct reader packed = rd_open(a->report.verdict, a->report.verdict_len);
	struct error e = { .code = ERR_NONE };

	set_label(s, label);
	hex_text(s->digest, sizeof(s->digest), digest);
	json_put_text(answer, "set", label);
	json_put_text(answer, "state", set_state_word(s->state));
	json_put_text(answer, "digest", digest);
	if (v && verdict_unpack(&packed, v, &e)) {
		put_admits(answer, a, v);
		job_reply_json(c, j, 200, answer);
		return;
	}
	json_free(answer);
	job_error(c, j, &e);
}

bool
set_row_fill(struct set_row *s, const struct reader *r, struct error *e)
{
	if (!digest_sha256(r->pos, r->left, s->digest))
		return err_set(e, ERR_CRYPTO, "no hash");
	s->body = malloc(r->left ? r->left : 1);
	if (!s->body)
		return err_set(e, ERR_MEMORY, "set");
	memcpy(s->body, r->pos, r->left);
	s->body_len = r->left;
	return true;
}

static bool
take_captured(struct admin_job *a, struct reader *r, struct error *e)
{
	struct set_row *s = &a->set;

	*s = (struct set_row){ .state = a->accept ? SET_ACTIVE : SET_CANDIDATE, .created = clock_now().wall, .expires = a->expires };
	s->entries = rd_be32(r, "entries");
	a->parts = rd_u8(r, "parts");
	s->own = rd_u8(r, "own") == 1;
	if (!rd_ok(r, e))
		return false;
	memcpy(s->name, a->name, sizeof(s->name));
	memcpy(s->group, a->host.group, sizeof(s->group));
	memcpy(s->host_id, a->host.id, sizeof(s->host_id));
	memcpy(s->report, a->report.ref, sizeof(s->report));
	snprintf(s->origin, sizeof(s->origin), "captured from host %s, report %s, by %s", a->host.name, a->report.ref, a->who);
	return set_row_fill(s, r, e);
}

static void
captured(struct core *c, struct job *j, struct frame *f)
{
	struct admin_job *a = admin_of(j);
	struct error e = { .code = ERR_NONE };

	if (!f || !f->payload.left) {
		err_set(&e, ERR_SYSTEM, "judge: no answer");
		job_error(c, j, &e);
		return;
	}
	if (rd_u8(&f->payload, "ok") != 1) {
		err_set(&e, ERR_REFUSED, "this report makes no set: %.*s",
		    (int)(f->payload.left < 120 ? f->payload.left : 120), (const char *)f->payload.pos);
		admin_failed(c, j, &e);
		return;
	}
	if (!take_captured(a, &f->payload, &e) || !accept_quorum(c, a, &e) || !admin_change(c, a, add_captured, &a->set, &e))
		admin_failed(c, j, &e);
	else if (a->accept)
		reply_active(c, j, &a->set);
	else
		reply_candidate(c, j, &a->set);
}

static void
ask_capture(struct core *c, struct job *j, const struct gathered *g, const void *p, size_t len)
{
	struct admin_job *a = admin_of(j);
	size_t size = 32 + len + g->bytes;
	uint8_t *payload = malloc(size);
	struct writer w = wr_open(payload, payload ? size : 0);

	wr_u8(&w, (uint8_t)a->report.bank, "bank");
	wr_be32(&w, a->report.pcrs, "pcrs");
	wr_u8(&w, (uint8_t)a->how, "how");
	part_put(&w, p, len, "log");
	sets_put(&w, g, &a->host);
	worker_ask(c, j, ROLE_JUDGE, MSG_JUDGE_CAPTURE, MSG_CAPTURED, payload, w.used, captured);
}

static void
log_read(struct core *c, struct job *j, struct frame *f)
{
	struct admin_job *a = admin_of(j);
	own(gathered) struct gathered g = { .count = 0 };
	struct error e = { .code = ERR_NONE };

	if (!f || !f->payload.left || f->payload.pos[0] != 1) {
		err_set(&e, ERR_SYSTEM, "the kept log cannot be read");
		job_error(c, j, &e);
		return;
	}
	if (!sets_gather(c, &a->host, &g, &e)) {
		job_error(c, j, &e);
		return;
	}
	ask_capture(c, j, &g, f->payload.pos, f->payload.left);
}

/* Values that the judge found to be those that were quoted stand in the report's verdict. */
static bool
has_values(const struct admin_job *a, struct verdict *v)
{
	struct reader packed = rd_open(a->report.verdict, a->report.verdict_len);
	struct error e;

	return !a->report.replayed && a->host.class != CLASS_LOG && !a->host.gave_log && verdict_unpack(&packed, v, &e) && v->values_len;
}

static void
capture_values(struct core *c, struct job *j, const struct verdict *v)
{
	struct admin_job *a = admin_of(j);
	struct gathered none = { .count = 0 };

	a->how = a->how == CAPTURE_HOST ? CAPTURE_VALUES_HOST : CAPTURE_VALUES;
	ask_capture(c, j, &none, v->values, v->values_len);
}

/* Only what a genuine quote vouches for can become a reference. */
static bool
may_capture(const struct admin_job *a, bool values, struct error *e)
{
	if (!values && (!a->report.replayed || !a->report.has_log))
		return err_set(e, ERR_REFUSED, "report %s: its quote and boot log do not agree, so nothing can be made of it",
		    a->report.ref);
	if (a->report.state == STATE_CONTRAINDICATED && !*a->ask.reason)
		return err_set(e, ERR_FORMAT, "report %s was refused (%s): say why with --reason", a->report.ref,
		    reason_code(a->report.reason));
	return true;
}

static void
capture(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e = { .code = ERR_NONE };
	own(mem) struct verdict *v = calloc(1, sizeof(*v));
	bool values = v && has_values(a, v);
	uint8_t *log = NULL;
	size_t len = 0;

	if (!may_capture(a, values, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	if (values) {
		capture_values(c, j, v);
		return;
	}
	if (!logs_load(c->options.state_dir, a->report.log, &log, &len, &e)) {
		if (e.code == ERR_MISSING)
			err_set(&e, ERR_MISSING, "the boot log of report %s is no longer kept: take a newer report",
			    a->report.ref);
		admin_failed(c, j, &e);
		return;
	}
	worker_ask(c, j, ROLE_PARSE, MSG_PARSE_LOG, MSG_PARSED_LOG, log, len, log_read);
}

/* "" is what the verb does by itself. */
static bool
read_scope(struct admin_job *a, enum capture_how usual, enum capture_how group, struct error *e)
{
	a->how = usual;
	if (!strcmp(a->ask.scope, "host"))
		a->how = CAPTURE_HOST;
	else if (!strcmp(a->ask.scope, "group"))
		a->how = group;
	else if (*a->ask.scope)
		return err_set(e, ERR_FORMAT, "scope: '%s' is neither host nor group", a->ask.scope);
	return admin_expires(a, &a->expires, e);
}

static bool
capture_from(struct core *c, struct admin_job *a, struct error *e)
{
	if (!admin_host(c, a->ask.host, &a->host, e) || !admin_set_name(a->ask.set, a->name, e) ||
	    !read_scope(a, CAPTURE_BOOT, CAPTURE_WHOLE, e))
		return false;
	if (!*a->ask.report && a->host.class != CLASS_LOG && !a->host.gave_log && *a->host.ref)
		return store_report(c->store, a->host.ref, &a->report, e);
	if (!*a->ask.report)
		return store_report_replayed(c->store, a->host.id, &a->report, e) || (e->code == ERR_MISSING &&
		    err_set(e, ERR_MISSING, "%s has sent no evidence whose quote and boot log agree", a->host.name));
	if (!admin_report(c, a->ask.report, &a->report, e))
		return false;
	return !strcmp(a->report.host_id, a->host.id) ||
	    err_set(e, ERR_REFUSED, "report %s is not of %s", a->report.ref, a->host.name);
}

void
admin_capture(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (capture_from(c, a, &e))
		capture(c, j);
	else
		admin_failed(c, j, &e);
}

/* The new set takes the name of the nearest one, so that what belongs together stands together. */
static bool
accept_from(struct core *c, struct admin_job *a, struct error *e)
{
	own(mem) struct verdict *v = calloc(1, sizeof(*v));
	struct reader packed;
	uint32_t version;

	if (!v)
		return err_set(e, ERR_MEMORY, "report");
	if (!admin_report(c, a->ask.report, &a->report, e) || !store_host_by_id(c->store, a->report.host_id, &a->host, e))
		return false;
	if (a->report.state != STATE_CONTRAINDICATED)
		return err_set(e, ERR_REFUSED, "report %s was not refused: nothing to accept", a->report.ref);
	if (rules_reason(a->report.reason))
		return err_set(e, ERR_REFUSED, "report %s was refused by a rule of the policy (%s): no reference makes it good",
		    a->report.ref, reason_code(a->report.reason));
	packed = rd_open(a->report.verdict, a->report.verdict_len);
	if (!verdict_unpack(&packed, v, e))
		return false;
	a->accept = true;
	return read_scope(a, CAPTURE_UNKNOWN, CAPTURE_UNKNOWN, e) && read_label(*v->nearest ? v->nearest : a->host.group, a->name, &version, e);
}

void
admin_accept(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct error e;

	if (accept_from(c, a, &e))
		capture(c, j);
	else
		admin_failed(c, j, &e);
}
