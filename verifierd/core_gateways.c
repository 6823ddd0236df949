/*
 * Results for those who rely on them: of a host for itself; of other hosts for gateways, which administrators name; and
 * passports, which a host asks for with its evidence and a gateway redeems once.
 */
#include "core.h"
#include "evidence_job.h"
#include "json.h"
#include "log.h"
#include "scope.h"

enum { PASSPORT_MS = 60 * 1000 };

/* --- who asks --- */

bool
host_token_right(const struct core *c, const char *host_id, const char *token)
{
	char right[HOST_TOKEN_TEXT];
	size_t n;

	if (strlen(host_id) >= BOOT_ID_TEXT || !keys_host_token(&c->keys, host_id, right))
		return false;
	n = strlen(right);
	return strlen(token) == n && same_bytes(token, right, n);
}

/* REASON_OK with the gateway that has this token; one that is a host only while it is enrolled. */
static enum reason
find_gateway(struct core *c, const char *token, struct gateway_row *out, struct error *e)
{
	uint8_t hash[SHA256_SIZE];
	struct host_row h;

	if (!digest_sha256(token, strlen(token), hash))
		return err_set(e, ERR_CRYPTO, "no hash"), REASON_VERIFIER_ERROR;
	if (!store_gateway_by_token(c->store, hash, out, e))
		return e->code == ERR_MISSING ? REASON_NOT_GATEWAY : REASON_VERIFIER_ERROR;
	if (!out->host_id[0])
		return REASON_OK;
	if (!store_host_by_id(c->store, out->host_id, &h, e))
		return e->code == ERR_MISSING ? REASON_NOT_GATEWAY : REASON_VERIFIER_ERROR;
	return h.state == ENROLLMENT_ACTIVE ? REASON_OK : REASON_NOT_GATEWAY;
}

/* The answer to who may not, or to whom we cannot say. */
static void
refuse(struct core *c, struct job *j, int status, enum reason why, const struct error *e)
{
	if (why == REASON_VERIFIER_ERROR)
		job_error(c, j, e);
	else
		job_problem(c, j, status, why, "%s", reason_text(why));
}

static bool
is_among(const char *word, const char *list)
{
	size_t len = strlen(word);

	for (size_t n; *list; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == len && !memcmp(list, word, n))
			return true;
	}
	return false;
}

static void
answer(struct core *c, struct job *j, const char *jws)
{
	own(mem) struct told_result *told = calloc(1, sizeof(*told));
	own(mem) char *text = NULL;
	struct error e;
	size_t len;

	if (!told) {
		err_set(&e, ERR_MEMORY, "result");
		job_error(c, j, &e);
		return;
	}
	snprintf(told->result, sizeof(told->result), "%s", jws);
	told->root = c->keys.root;
	memcpy(told->keyset, c->keys.keyset, sizeof(told->keyset));
	if (told_result_json(told, &text, &len, &e))
		job_reply(c, j, 200, text, len);
	else
		job_error(c, j, &e);
}

/* --- GET /v1/results/{host} --- */

/* A host by its id and token, or any by name or id for a gateway. Without a token nobody learns which hosts there are. */
static enum reason
find_asked(struct core *c, const struct newest *q, struct host_row *h, struct error *e)
{
	struct gateway_row gateway;
	enum reason why;

	if (host_token_right(c, q->host, q->token)) {
		if (store_host_by_id(c->store, q->host, h, e))
			return REASON_OK;
		return e->code == ERR_MISSING ? REASON_NOT_GATEWAY : REASON_VERIFIER_ERROR;
	}
	why = find_gateway(c, q->token, &gateway, e);
	if (why != REASON_OK)
		return why;
	/* The id first: a host chooses its name, which may look like the id of another. */
	if (store_host_by_id(c->store, q->host, h, e))
		return REASON_OK;
	if (e->code == ERR_MISSING && store_host_by_name(c->store, q->host, h, e))
		return REASON_OK;
	return e->code == ERR_MISSING ? REASON_PEER_UNKNOWN : REASON_VERIFIER_ERROR;
}

void
on_newest(struct core *c, struct job *j)
{
	struct newest q;
	struct host_row h;
	struct error e = { .code = ERR_NONE };
	char jws[RESULT_MAX];
	enum reason why;

	if (!newest_unpack(&j->request.payload, &q, &e)) {
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "%s", e.why);
		return;
	}
	why = find_asked(c, &q, &h, &e);
	if (why != REASON_OK) {
		refuse(c, j, why == REASON_PEER_UNKNOWN ? 404 : 403, why, &e);
		return;
	}
	if (h.state != ENROLLMENT_ACTIVE) {
		refuse(c, j, 403, REASON_HOST_REVOKED, &e);
		return;
	}
	if (store_newest(c->store, h.id, jws, sizeof(jws), &e))
		answer(c, j, jws);
	else if (e.code != ERR_MISSING)
		job_error(c, j, &e);
	/* What it rested on was revoked: its result is gone, and it counts as refused. */
	else if (h.verdict == STATE_CONTRAINDICATED)
		refuse(c, j, 403, h.reason, &e);
	else
		refuse(c, j, 404, REASON_NOT_ATTESTED, &e);
}

/* --- passports --- */

static bool
hash_code(const char *code, uint8_t out[static SHA256_SIZE])
{
	return digest_sha256(code, strlen(code), out);
}

/* The same verdict once more, for one audience and user; and a code that stands for it. */
bool
passport_grant(struct core *c, struct evidence_job *ev, int64_t now, struct error *e)
{
	struct passport_row row = { .expires = now + PASSPORT_MS };
	struct result r = ev->result;
	uint8_t random[CODE_CHARS];
	size_t len;

	if (ev->purpose != PURPOSE_PASSPORT || (r.state != STATE_AFFIRMING && r.state != STATE_WARNING))
		return true;
	memcpy(r.audience, ev->audience, sizeof(r.audience));
	memcpy(r.user, ev->user, sizeof(r.user));
	memcpy(row.host_id, ev->host.id, sizeof(row.host_id));
	memcpy(row.audience, ev->audience, sizeof(row.audience));
	memcpy(row.user, ev->user, sizeof(row.user));
	if (!random_bytes(random, sizeof(random)))
		return err_set(e, ERR_CRYPTO, "no random bytes");
	code_make(random, ev->passport);
	explicit_bzero(random, sizeof(random));
	return (hash_code(ev->passport, row.code) || err_set(e, ERR_CRYPTO, "no hash")) &&
	    result_sign(&r, c->keys.result, row.result, sizeof(row.result), &len, e) &&
	    store_passport_add(c->store, &row, e);
}

/* Is the host of a passport still one that gets any? */
static bool
still_good(struct core *c, const struct passport_row *p, enum reason *why, struct error *e)
{
	struct host_row h;

	if (!store_host_by_id(c->store, p->host_id, &h, e))
		return false;
	if (h.state != ENROLLMENT_ACTIVE)
		*why = REASON_HOST_REVOKED;
	else if (h.verdict == STATE_CONTRAINDICATED)
		*why = h.reason;
	return true;
}

/* In a transaction: shown once, whoever shows it and for whom, a code is spent. */
static bool
redeem(struct core *c, const struct redeem *q, struct passport_row *p, enum reason *why, struct error *e)
{
	uint8_t code[SHA256_SIZE];

	*why = REASON_OK;
	if (!hash_code(q->code, code))
		return err_set(e, ERR_CRYPTO, "no hash");
	if (!store_passport_take(c->store, code, p, e)) {
		*why = REASON_PASSPORT_INVALID;
		return e->code == ERR_MISSING;
	}
	if (strcmp(p->audience, q->audience) || strcmp(p->user, q->user) || clock_now().wall >= p->expires) {
		*why = REASON_PASSPORT_INVALID;
		return true;
	}
	return still_good(c, p, why, e);
}

static bool
redeem_once(struct core *c, const struct redeem *q, struct passport_row *p, enum reason *why, struct error *e)
{
	if (!store_begin(c->store, e))
		return false;
	if (redeem(c, q, p, why, e))
		return store_commit(c->store, e);
	store_rollback(c->store);
	return false;
}

void
on_redeem(struct core *c, struct job *j)
{
	struct redeem q;
	struct gateway_row gateway;
	struct passport_row p = { .expires = 0 };
	struct error e = { .code = ERR_NONE };
	enum reason why;

	if (!redeem_unpack(&j->request.payload, &q, &e)) {
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "%s", e.why);
		return;
	}
	why = find_gateway(c, q.token, &gateway, &e);
	if (why == REASON_OK && !is_among(q.audience, gateway.audiences))
		why = REASON_NOT_GATEWAY;
	if (why != REASON_OK) {
		refuse(c, j, 403, why, &e);
		return;
	}
	if (!redeem_once(c, &q, &p, &why, &e)) {
		job_error(c, j, &e);
		return;
	}
	log_say(LOG_INFO, "passport for %s at %s, of host %s: %s", q.audience, gateway.name, p.host_id[0] ? p.host_id : "?",
	    reason_code(why));
	if (why == REASON_OK)
		answer(c, j, p.result);
	else
		refuse(c, j, 403, why, &e);
}

/* --- administration --- */

static bool
add_gateway(void *list, const struct gateway_row *r, struct error *e)
{
	struct json *o = json_new();

	(void)e;
	json_put_text(o, "name", r->name);
	json_put_text(o, "host", r->host_id);
	json_put_text(o, "audiences", r->audiences);
	json_put_time(o, "created", r->created);
	json_add(list, o);
	return true;
}

void
admin_gateways(struct core *c, struct job *j)
{
	struct json *answer = answer_new(admin_of(j)), *list = json_new_list();
	struct error e;
	bool good = store_gateways(c->store, add_gateway, list, &e);

	json_put(answer, "gateways", list);
	admin_reply(c, j, answer, good ? NULL : &e);
}

/* "a.example, b.example" becomes "a.example b.example". */
static bool
read_audiences(const char *typed, char out[static AUDIENCES_TEXT], struct error *e)
{
	char copy[AUDIENCES_TEXT], *save = NULL;
	size_t used = 0;

	snprintf(copy, sizeof(copy), "%s", typed);
	out[0] = '\0';
	for (char *w = strtok_r(copy, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
		if (!audience_ok(w))
			return err_set(e, ERR_FORMAT, "'%.60s': letters, digits, '.', '-' and '_' make an audience", w);
		used += (size_t)snprintf(out + used, AUDIENCES_TEXT - used, "%s%s", used ? " " : "", w);
	}
	return true;
}

static bool
may_change(const struct admin_job *a, struct error *e)
{
	if (!audience_ok(a->ask.gateway))
		return err_set(e, ERR_FORMAT, "'%.60s': letters, digits, '.', '-' and '_' make the name of a gateway", a->ask.gateway);
	return *a->ask.reason || err_set(e, ERR_FORMAT, "who may ask about all hosts is changed for a reason: say it with --reason");
}

/* An enrolled host shows the token that it has; any other gateway gets one. */
static bool
new_token(struct core *c, struct admin_job *a, struct gateway_row *r, char token[static TOKEN_TEXT], struct error *e)
{
	uint8_t random[32];

	if (*a->ask.host) {
		if (!admin_host(c, a->ask.host, &a->host, e))
			return false;
		if (a->host.state != ENROLLMENT_ACTIVE)
			return err_set(e, ERR_REFUSED, "%s is revoked", a->host.name);
		memcpy(r->host_id, a->host.id, sizeof(r->host_id));
		if (!keys_host_token(&c->keys, a->host.id, token))
			return err_set(e, ERR_CRYPTO, "no token");
	} else if (!random_bytes(random, sizeof(random)) || !base64url_text(random, sizeof(random), token, TOKEN_TEXT)) {
		return err_set(e, ERR_CRYPTO, "no token");
	}
	return digest_sha256(token, strlen(token), r->token) || err_set(e, ERR_CRYPTO, "no hash");
}

static bool
put_gateway(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	const struct gateway_row *r = arg;
	char subject[SUBJECT_TEXT], after[SUBJECT_TEXT];

	snprintf(subject, sizeof(subject), "gateway %s", r->name);
	snprintf(after, sizeof(after), "asks about any host, as %.40s; passports for: %.100s", *r->host_id ? a->host.name :
	    "holder of a token", *r->audiences ? r->audiences : "nobody");
	if (!store_gateway_add(c->store, r, e))
		return e->code == ERR_CONFLICT ? err_set(e, ERR_CONFLICT, "there is a gateway %s, or one that is this host", r->name) : false;
	return admin_audit(c, a, "gateway", subject, "", after, e);
}

void
admin_gateway_add(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct gateway_row r = { .created = clock_now().wall };
	char token[TOKEN_TEXT] = "";
	struct json *answer;
	struct error e = { .code = ERR_NONE };

	memcpy(r.name, a->ask.gateway, sizeof(r.name));
	if (!may_change(a, &e) || !read_audiences(a->ask.audiences, r.audiences, &e) || !new_token(c, a, &r, token, &e) ||
	    !quorum_of(c, a, "default", &e) ||
	    !quorum_change(a, &e, "gateway %s of host %s for %s", r.name, r.host_id, r.audiences) ||
	    !admin_change(c, a, put_gateway, &r, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	json_put_text(answer, "name", r.name);
	json_put_text(answer, "host", r.host_id);
	json_put_text(answer, "audiences", r.audiences);
	json_put_text(answer, "token", *r.host_id || a->ask.dry_run ? "" : token);
	explicit_bzero(token, sizeof(token));
	job_reply_json(c, j, 200, answer);
}

static bool
drop_gateway(struct core *c, struct admin_job *a, void *arg, struct error *e)
{
	char subject[SUBJECT_TEXT];

	(void)arg;
	snprintf(subject, sizeof(subject), "gateway %s", a->ask.gateway);
	return store_gateway_drop(c->store, a->ask.gateway, e) &&
	    admin_audit(c, a, "gateway", subject, "asks about any host", "", e);
}

void
admin_gateway_drop(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	struct json *answer;
	struct error e = { .code = ERR_NONE };

	if (!may_change(a, &e) || !admin_change(c, a, drop_gateway, NULL, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	answer = answer_new(a);
	json_put_text(answer, "name", a->ask.gateway);
	job_reply_json(c, j, 200, answer);
}
