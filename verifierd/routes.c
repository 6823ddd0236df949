#include <ctype.h>
#include "hex.h"
#include "json.h"
#include "routes.h"
#include "scope.h"

#define EVIDENCE_TYPE "application/vnd.pam-attest.evidence"

static const struct row {
	const char   *method, *path;
	enum message  message;
	enum admin_op op;
} host_rows[] = {
	{ "POST", "/v1/challenges",             MSG_CHALLENGE, 0 },
	{ "POST", "/v1/evidence",               MSG_EVIDENCE,  0 },
	{ "POST", "/v1/events",                 MSG_EVENTS,    0 },
	{ "POST", "/v1/enrollments",            MSG_ENROLL,    0 },
	{ "POST", "/v1/enrollments/{id}/proof", MSG_PROOF,     0 },
	{ "GET",  "/v1/enrollments/{id}",       MSG_ENROLLED,  0 },
	{ "GET",  "/v1/results/{host}",         MSG_NEWEST,    0 },
	{ "POST", "/v1/passports",              MSG_PASSPORT,  0 },
	{ "POST", "/v1/passports/redemptions",  MSG_REDEEM,    0 },
	{ "GET",  "/v1/orders/{host}/{nonce}",  MSG_ORDERS,    0 },
	{ "GET",  "/.well-known/jwks.json",     MSG_KEYS,      0 },
}, admin_rows[] = {
#define X(name, method, path, args) { method, path, MSG_ADMIN, ADMIN_##name },
	ADMIN_OPS(X)
#undef X
};

/* One segment, percent-decoded: printable ASCII, at most NAME_TEXT - 1. */
static bool
decode(const char *p, size_t len, char out[static NAME_TEXT])
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)p[i];

		if (c == '%') {
			char pair[3] = { 0 };

			if (len - i < 3)
				return false;
			memcpy(pair, p + i + 1, 2);
			if (!hex_bytes(pair, &c, 1))
				return false;
			i += 2;
		}
		if (c <= ' ' || c > '~' || n == NAME_TEXT - 1)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return n > 0;
}

static bool
matches(const char *pattern, const char *path, struct route *r)
{
	unsigned params = 0;

	while (*pattern == '/' && *path == '/') {
		size_t want = strcspn(++pattern, "/"), have = strcspn(++path, "/");

		if (*pattern == '{') {
			if (params == ROUTE_PARAMS || !decode(path, have, r->param[params++]))
				return false;
		} else if (want != have || memcmp(pattern, path, want)) {
			return false;
		}
		pattern += want;
		path += have;
	}
	return !*pattern && !*path;
}

enum route_found
route_find(bool admin, const char *method, const char *path, struct route *out)
{
	const struct row *rows = admin ? admin_rows : host_rows;
	size_t count = admin ? COUNT(admin_rows) : COUNT(host_rows);
	bool path_known = !strcmp(path, "/healthz");

	if (path_known && !strcmp(method, "GET"))
		return ROUTE_HEALTH;
	for (size_t i = 0; i < count; i++) {
		struct route r = { .message = rows[i].message, .op = rows[i].op };

		if (!matches(rows[i].path, path, &r))
			continue;
		path_known = true;
		if (strcmp(rows[i].method, method))
			continue;
		*out = r;
		return ROUTE_OK;
	}
	return path_known ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
}

static bool
refuse(struct problem *p, int status, enum reason why, const char *detail)
{
	*p = (struct problem){ .status = status, .reason = why };
	snprintf(p->detail, sizeof(p->detail), "%s", detail);
	return false;
}

static bool
typed(const struct body *b, const char *want)
{
	size_t n = strlen(want);

	return b->type && !strncasecmp(b->type, want, n) && (!b->type[n] || b->type[n] == ';' || b->type[n] == ' ');
}

/* An enrollment's id: what credential_make's answer gave out, a UUID. */
static bool
put_proof(const struct route *r, const uint8_t secret[static SECRET_SIZE], struct writer *w, struct problem *p)
{
	struct proof proof = { 0 };

	if (strlen(r->param[0]) >= sizeof(proof.id))
		return refuse(p, 404, REASON_NOT_ENROLLED, "no such enrollment");
	strcpy(proof.id, r->param[0]);
	memcpy(proof.secret, secret, sizeof(proof.secret));
	proof_pack(&proof, w);
	explicit_bzero(&proof, sizeof(proof));
	return true;
}

/* A nonce in the path is what makes the answer fresh. */
static bool
put_orders(const struct route *r, const struct body *b, struct writer *w, struct problem *p)
{
	struct orders_ask ask = { .host = "" };
	size_t len;

	if (strlen(r->param[0]) >= sizeof(ask.host) || strlen(b->bearer) >= sizeof(ask.token))
		return refuse(p, 403, REASON_TOKEN_INVALID, "no such host, or not its token");
	if (!base64url_bytes(r->param[1], strlen(r->param[1]), ask.nonce, sizeof(ask.nonce), &len) || len != sizeof(ask.nonce))
		return refuse(p, 400, REASON_REQUEST_INVALID, "nonce: not 32 bytes");
	strcpy(ask.host, r->param[0]);
	strcpy(ask.token, b->bearer);
	orders_ask_pack(&ask, w);
	return true;
}

static bool
bearer_payload(const struct route *r, const struct body *b, struct writer *w, struct problem *p)
{
	uint8_t secret[SECRET_SIZE];
	struct newest newest = { 0 };
	size_t len;

	if (!b->bearer)
		return refuse(p, 401, REASON_TOKEN_INVALID, "Authorization: Bearer is missing");
	if (r->message == MSG_ENROLLED)
		return base64url_bytes(b->bearer, strlen(b->bearer), secret, sizeof(secret), &len) && len == sizeof(secret) ?
		    put_proof(r, secret, w, p) : refuse(p, 403, REASON_TOKEN_INVALID, "not the secret of an enrollment");
	if (r->message == MSG_ORDERS)
		return put_orders(r, b, w, p);
	if (strlen(r->param[0]) >= sizeof(newest.host) || strlen(b->bearer) >= sizeof(newest.token))
		return refuse(p, 403, REASON_TOKEN_INVALID, "no such host, or not its token");
	strcpy(newest.host, r->param[0]);
	strcpy(newest.token, b->bearer);
	newest_pack(&newest, w);
	return true;
}

static bool
redeem_payload(const struct body *b, struct writer *w, struct problem *p)
{
	struct redemption asked;
	struct redeem redeem = { 0 };
	struct error e = { .code = ERR_NONE };

	if (!b->bearer)
		return refuse(p, 401, REASON_TOKEN_INVALID, "Authorization: Bearer is missing");
	if (strlen(b->bearer) >= sizeof(redeem.token))
		return refuse(p, 403, REASON_NOT_GATEWAY, "not a gateway's token");
	if (!redemption_read(b->p, b->len, &asked, &e))
		return refuse(p, 400, REASON_REQUEST_INVALID, e.why);
	strcpy(redeem.code, asked.code);
	strcpy(redeem.audience, asked.audience);
	strcpy(redeem.user, asked.user);
	strcpy(redeem.token, b->bearer);
	redeem_pack(&redeem, w);
	explicit_bzero(&redeem, sizeof(redeem));
	explicit_bzero(&asked, sizeof(asked));
	return true;
}

static bool
enroll_payload(const struct body *b, struct writer *w, struct error *e)
{
	own(mem) struct enroll_request *q = malloc(sizeof(*q));

	if (!q)
		return err_set(e, ERR_MEMORY, "enrollment");
	if (!enroll_request_read(b->p, b->len, q, e))
		return false;
	enroll_request_pack(q, w);
	return true;
}

static bool
host_payload(const struct route *r, const struct body *b, struct writer *w, struct problem *p)
{
	struct error e = { .code = ERR_NONE };
	struct challenge_request challenge;
	uint8_t secret[SECRET_SIZE];

	if (r->message == MSG_ENROLLED || r->message == MSG_NEWEST || r->message == MSG_ORDERS)
		return bearer_payload(r, b, w, p);
	if (r->message == MSG_KEYS)
		return true;
	if (r->message == MSG_EVIDENCE || r->message == MSG_PASSPORT || r->message == MSG_EVENTS) {
		if (!typed(b, EVIDENCE_TYPE))
			return refuse(p, 415, REASON_REQUEST_INVALID, "Content-Type is not " EVIDENCE_TYPE);
		return b->len <= message_max(r->message) || refuse(p, 413, REASON_REQUEST_INVALID, "body is too large");
	}
	if (!typed(b, "application/json"))
		return refuse(p, 415, REASON_REQUEST_INVALID, "Content-Type is not application/json");
	if (b->len > API_BODY_MAX)
		return refuse(p, 413, REASON_REQUEST_INVALID, "body is too large");
	switch (r->message) {
	case MSG_REDEEM:
		return redeem_payload(b, w, p);
	case MSG_CHALLENGE:
		if (!challenge_request_read(b->p, b->len, &challenge, &e))
			break;
		challenge_request_pack(&challenge, w);
		return true;
	case MSG_ENROLL:
		if (!enroll_payload(b, w, &e))
			break;
		return true;
	case MSG_PROOF:
		if (!proof_read(b->p, b->len, secret, &e))
			break;
		return put_proof(r, secret, w, p);
	default:
		return refuse(p, 500, REASON_INTERNAL_ERROR, "no such message");
	}
	return refuse(p, e.code == ERR_LIMIT ? 413 : 400, REASON_REQUEST_INVALID, e.why);
}

/* --- administration */

struct argument { const char *key; size_t at, size; };
#define ARGUMENT(key) { #key, offsetof(struct admin_request, key), sizeof(((struct admin_request *)0)->key) }
static const struct argument arguments[] = {
	ARGUMENT(host), ARGUMENT(report), ARGUMENT(set), ARGUMENT(other), ARGUMENT(digest), ARGUMENT(ek), ARGUMENT(reason),
	ARGUMENT(group), ARGUMENT(scope), ARGUMENT(components), ARGUMENT(expires), ARGUMENT(class),
	ARGUMENT(list), ARGUMENT(policy), ARGUMENT(ceiling), ARGUMENT(duration), ARGUMENT(confirm), ARGUMENT(gateway),
	ARGUMENT(name), ARGUMENT(audiences),
	ARGUMENT(user), ARGUMENT(services), ARGUMENT(lease),
};
static const struct { const char *key; size_t at; } flags[] = {
#define FLAG(key) { #key, offsetof(struct admin_request, key) }
	FLAG(dry_run), FLAG(overrule_refusal), FLAG(code),
};

static const struct argument *
argument(const char *key, size_t len)
{
	for (unsigned i = 0; i < COUNT(arguments); i++)
		if (strlen(arguments[i].key) == len && !memcmp(arguments[i].key, key, len))
			return &arguments[i];
	return NULL;
}

/* "report" is a reference in whatever spelling; the rest is plain text within its bounds. */
static bool
set_argument(struct admin_request *q, const struct argument *a, const char *value, struct error *e)
{
	char *at = (char *)q + a->at;

	if (a->at == offsetof(struct admin_request, report) || a->at == offsetof(struct admin_request, lease))
		return ref_read(value, at) || err_set(e, ERR_FORMAT, "%.40s: not a reference", value);
	if (strlen(value) >= a->size)
		return err_set(e, ERR_LIMIT, "%s: longer than %zu bytes", a->key, a->size - 1);
	strcpy(at, value);
	return true;
}

/* Fills what the path names: {host}, {set}, … in their order. */
static bool
from_path(const struct route *r, const char *path, struct admin_request *q, struct error *e)
{
	unsigned n = 0;

	for (const char *p = strchr(path, '{'); p; p = strchr(p, '{')) {
		size_t len = strcspn(++p, "}");
		const struct argument *a = argument(p, len);

		if (!a)
			return err_set(e, ERR_FORMAT, "no such argument");
		if (!set_argument(q, a, r->param[n++], e))
			return false;
	}
	return true;
}

/* The long text stays where it is, in the tree. */
static bool
from_tree(const struct json *j, struct admin_request *q, struct error *e)
{
	const char *text;
	size_t len;

	if (json_has(j, "text")) {
		if (!json_text_whole(j, "text", &text, &len, e))
			return false;
		q->text = (struct long_text){ text, (uint32_t)len };
	}
	for (unsigned i = 0; i < COUNT(arguments); i++) {
		char value[REASON_TEXT];

		if (!json_has(j, arguments[i].key))
			continue;
		if (!json_text(j, arguments[i].key, value, sizeof(value), e) || (value[0] && !set_argument(q, &arguments[i], value, e)))
			return false;
	}
	for (unsigned i = 0; i < COUNT(flags); i++)
		if (json_has(j, flags[i].key) && !json_flag(j, flags[i].key, (bool *)((char *)q + flags[i].at), e))
			return false;
	return true;
}

static bool
admin_payload(const struct route *r, const struct body *b, struct writer *w, struct problem *p)
{
	struct admin_request q = { .op = r->op };
	struct error e = { .code = ERR_NONE };
	own(json) struct json *tree = NULL;

	if (!from_path(r, admin_rows[r->op].path, &q, &e) ||
	    (b->len && (!json_parse(b->p, b->len, &tree, &e) || !from_tree(tree, &q, &e))))
		return refuse(p, 400, REASON_REQUEST_INVALID, e.why);
	admin_request_pack(&q, w);
	return true;
}

bool
route_payload(const struct route *r, const struct body *b, struct writer *w, struct problem *p)
{
	struct error e = { .code = ERR_NONE };

	if (!(r->message == MSG_ADMIN ? admin_payload(r, b, w, p) : host_payload(r, b, w, p)))
		return false;
	return wr_ok(w, &e) || refuse(p, 413, REASON_REQUEST_INVALID, e.why);
}
