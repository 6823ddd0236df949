/* Enrollment: from the request to an approved host. */
#include "audit.h"
#include "core.h"
#include "credential.h"
#include "log.h"
#include "parts.h"
#include "scope.h"

enum { UNPROVED_LIFE_MS = 3600 * 1000 };

bool
enrol_name_ok(const char *s)
{
	static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	return *s && *s != '.' && *s != '-' && strspn(s, may) == strlen(s);
}

static bool
uuid_make(char out[static BOOT_ID_TEXT])
{
	uint8_t b[16];

	if (!random_bytes(b, sizeof(b)))
		return false;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(out, BOOT_ID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
	    b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return true;
}

static void
refuse(struct core *c, struct job *j, const struct error *e)
{
	if (e->code == ERR_CONFLICT)
		job_problem(c, j, 409, REASON_NAME_IN_USE, "%s", e->why);
	else
		job_error(c, j, e);
}

/* --- POST /v1/enrollments --- */

struct enroll_job { struct enroll_request ask; bool has_token; uint8_t token[SHA256_SIZE]; };

static void
drop_enroll_job(void *p)
{
	free(p);
}

/* An enrollment token is checked now and spent with the proof. */
static bool
take_token(struct core *c, struct job *j, struct enroll_job *x)
{
	struct error e = { .code = ERR_NONE };
	bool good = false;

	x->has_token = *x->ask.token;
	if (!x->has_token && c->options.mode != ENROLL_TOKEN)
		return true;
	if (x->has_token && (!digest_sha256(x->ask.token, strlen(x->ask.token), x->token) ||
	    !store_token_good(c->store, x->token, clock_now().wall, &good, &e))) {
		job_error(c, j, &e);
		return false;
	}
	if (!good)
		job_problem(c, j, 403, REASON_TOKEN_INVALID, "%s", reason_text(REASON_TOKEN_INVALID));
	return good;
}

static void enroll_parsed(struct core *, struct job *, struct frame *);

static void
ask_enroll(struct core *c, struct job *j, const struct reader *request)
{
	size_t size = 64 + request->left + c->ek_roots_len;
	uint8_t *payload = malloc(size);
	struct writer w = wr_open(payload, payload ? size : 0);

	wr_be64(&w, (uint64_t)clock_now().wall, "now");
	wr_u8(&w, c->options.simulator, "simulator");
	part_put(&w, request->pos, request->left, "request");
	part_put(&w, c->ek_roots, c->ek_roots_len, "roots");
	worker_ask(c, j, ROLE_PARSE, MSG_PARSE_ENROLL, MSG_PARSED_ENROLL, payload, w.used, enroll_parsed);
}

void
on_enroll(struct core *c, struct job *j)
{
	struct enroll_job *x = calloc(1, sizeof(*x));
	struct reader request = j->request.payload;
	struct error e;

	if (!x) {
		err_set(&e, ERR_MEMORY, "enrollment");
		job_error(c, j, &e);
		return;
	}
	j->state = x;
	j->drop_state = drop_enroll_job;
	if (!enroll_request_unpack(&j->request.payload, &x->ask, &e)) {
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "%s", e.why);
		return;
	}
	if (!enrol_name_ok(x->ask.name)) {
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "name: letters, digits, '.', '-' and '_' are allowed");
		return;
	}
	if (!(x->ask.banks & (1u << BANK_SHA256 | 1u << BANK_SHA384))) {
		job_problem(c, j, 403, REASON_BANK_UNSUPPORTED, "%s", reason_text(REASON_BANK_UNSUPPORTED));
		return;
	}
	if (take_token(c, j, x))
		ask_enroll(c, j, &request);
}

/* A missing row is no error here. */
static bool
looked(bool found, struct error *e, bool *there)
{
	*there = found;
	return found || e->code == ERR_MISSING;
}

/*
 * Is there room for this name, EK and AK? REASON_OK if so. host_id is that of the active host
 * whose TPM and name these are, when it enrolls again; else it stays as it is.
 */
static bool
room_for(struct core *c, const char *name, const struct identity *key, enum reason *reason,
    char host_id[static BOOT_ID_TEXT], struct error *e)
{
	struct enrollment_row pending;
	struct host_row h;
	bool there;

	*reason = REASON_OK;
	if (!looked(store_host_by_name(c->store, name, &h, e), e, &there))
		return false;
	if (there && h.state == ENROLLMENT_ACTIVE) {
		if (strcmp(h.key.ek, key->ek) != 0)
			*reason = REASON_NAME_IN_USE;
		else
			memcpy(host_id, h.id, BOOT_ID_TEXT);
	}
	if (!looked(store_enrollment_pending(c->store, name, &pending, e), e, &there))
		return false;
	if (there && strcmp(pending.key.ek, key->ek) != 0)
		*reason = REASON_NAME_IN_USE;
	if (!looked(store_host_by_ek(c->store, key->ek, &h, e), e, &there))
		return false;
	if (there && h.state == ENROLLMENT_ACTIVE && strcmp(h.name, name) != 0)
		*reason = REASON_EK_IN_USE;
	if (!looked(store_host_by_ak(c->store, &key->ak, &h, e), e, &there))
		return false;
	if (there && strcmp(h.id, host_id) != 0)
		*reason = h.state == ENROLLMENT_REVOKED ? REASON_HOST_REVOKED : REASON_EK_IN_USE;
	return true;
}

static void
identity_of(const struct enroll_facts *f, uint32_t banks, struct identity *k)
{
	*k = (struct identity){ .ek_not_after = f->ek_not_after, .ak = f->ak, .signer = f->signer,
		.spki_len = f->ak_spki_len, .hash = f->ak_scheme_hash, .banks = banks };
	memcpy(k->ek, f->ek_fingerprint, sizeof(k->ek));
	memcpy(k->ek_subject, f->ek_subject, sizeof(k->ek_subject));
	memcpy(k->spki, f->ak_spki, sizeof(k->spki));
}

static bool
make_enrollment(struct core *c, const struct enroll_job *x, const struct enroll_facts *f, struct enrollment_row *r,
    struct enroll_answer *a, enum reason *reason, struct error *e)
{
	uint8_t secret[SECRET_SIZE];
	bool good;

	*r = (struct enrollment_row){ .state = ENROLLMENT_PROOF, .has_token = x->has_token, .created = clock_now().wall };
	memcpy(r->name, x->ask.name, sizeof(r->name));
	memcpy(r->token, x->token, sizeof(r->token));
	identity_of(f, x->ask.banks, &r->key);
	if (!uuid_make(r->id) || !random_bytes(secret, sizeof(secret)))
		return err_set(e, ERR_CRYPTO, "no random bytes");
	memcpy(r->host_id, r->id, sizeof(r->host_id));
	memcpy(a->id, r->id, sizeof(a->id));
	if (!room_for(c, r->name, &r->key, reason, r->host_id, e))
		return false;
	good = *reason != REASON_OK || (credential_make(&f->ek, &f->ak, secret, a, e) &&
	    (digest_sha256(secret, sizeof(secret), r->secret) || err_set(e, ERR_CRYPTO, "no hash")));
	explicit_bzero(secret, sizeof(secret));
	return good;
}

static bool
store_enrollment_new(struct core *c, const struct enrollment_row *r, struct error *e)
{
	if (!store_begin(c->store, e))
		return false;
	if (store_enrollments_purge(c->store, r->created - UNPROVED_LIFE_MS, e) && store_enrollment_add(c->store, r, e))
		return store_commit(c->store, e);
	store_rollback(c->store);
	return false;
}

static void
enroll_parsed(struct core *c, struct job *j, struct frame *frame)
{
	const struct enroll_job *x = j->state;
	struct enroll_answer a = { .credential_len = 0 };
	struct enroll_facts f;
	struct enrollment_row r;
	struct error e = { .code = ERR_NONE };
	own(mem) char *text = NULL;
	enum reason reason = REASON_INTERNAL_ERROR;
	size_t len;

	if (!frame || !enroll_facts_unpack(&frame->payload, &f, &e)) {
		if (!frame)
			err_set(&e, ERR_SYSTEM, "parse: no answer that can be used");
		job_error(c, j, &e);
		return;
	}
	if (f.reason != REASON_OK) {
		worker_retire(c, ROLE_PARSE, j->by);
		log_say(LOG_NOTICE, "enrollment of %s refused: %s, %s", x->ask.name, reason_code(f.reason), f.why);
		job_problem(c, j, 403, f.reason, "%s", f.why);
		return;
	}
	if (!make_enrollment(c, x, &f, &r, &a, &reason, &e)) {
		job_error(c, j, &e);
		return;
	}
	if (reason != REASON_OK) {
		job_problem(c, j, 409, reason, "%s", reason_text(reason));
		return;
	}
	if (store_enrollment_new(c, &r, &e) && enroll_answer_json(&a, &text, &len, &e))
		job_reply(c, j, 200, text, len);
	else
		refuse(c, j, &e);
}

/* --- the proof, and what comes after it --- */

bool
enrol_admit(struct core *c, const struct enrollment_row *r, struct error *e)
{
	struct host_row h = { .state = ENROLLMENT_ACTIVE, .key = r->key, .enrolled = clock_now().wall, .group = "default" };

	memcpy(h.id, r->host_id, sizeof(h.id));
	memcpy(h.name, r->name, sizeof(h.name));
	return store_host_put(c->store, &h, e) && store_enrollment_state(c->store, r->id, ENROLLMENT_ACTIVE, e);
}

static bool
audit_admission(struct core *c, const struct enrollment_row *r, const char *by, struct error *e)
{
	struct audit_row a = { .at = clock_now().wall, .action = "admit", .before = "proof", .after = "active" };

	snprintf(a.who, sizeof(a.who), "verifierd");
	snprintf(a.subject, sizeof(a.subject), "host %s (%s)", r->name, r->host_id);
	snprintf(a.why, sizeof(a.why), "%s, EK %s", by, r->key.ek);
	return audit_add(c->store, &a, e);
}

/* Lets in without an administrator: never a host that was there before, nor a TPM that was revoked. */
static bool
admits_itself(struct core *c, const struct enrollment_row *r, const char **by, struct error *e)
{
	struct host_row h;
	bool there, used = false;

	*by = NULL;
	if (!looked(store_host_by_ek(c->store, r->key.ek, &h, e), e, &there))
		return false;
	if (there)
		return true;
	if (r->has_token) {
		if (!store_token_use(c->store, r->token, clock_now().wall, r->id, &used, e))
			return false;
		if (used)
			*by = "enrollment token";
	} else if (c->options.mode == ENROLL_EK_ALLOW_LIST && ek_allowed(c, r->key.ek)) {
		*by = "EK allow list";
	}
	return true;
}

/* An older request of the same TPM and name gives way: it would be approved by mistake. */
static bool
supersede(struct core *c, const struct enrollment_row *r, struct error *e)
{
	struct enrollment_row older;
	bool there;

	if (!looked(store_enrollment_pending(c->store, r->name, &older, e), e, &there))
		return false;
	return !there || store_enrollment_state(c->store, older.id, ENROLLMENT_REJECTED, e);
}

static bool
prove(struct core *c, struct enrollment_row *r, enum reason *reason, struct error *e)
{
	const char *by;

	if (!room_for(c, r->name, &r->key, reason, r->host_id, e) || *reason != REASON_OK)
		return *reason != REASON_OK;
	if (!supersede(c, r, e) || !admits_itself(c, r, &by, e))
		return false;
	r->state = by ? ENROLLMENT_ACTIVE : ENROLLMENT_PENDING;
	if (by)
		return enrol_admit(c, r, e) && audit_admission(c, r, by, e);
	return store_enrollment_state(c->store, r->id, ENROLLMENT_PENDING, e);
}

/* In a transaction: two proofs at once are one. */
static bool
prove_once(struct core *c, struct enrollment_row *r, enum reason *reason, struct error *e)
{
	if (!store_begin(c->store, e))
		return false;
	if (prove(c, r, reason, e) && *reason == REASON_OK)
		return store_commit(c->store, e);
	store_rollback(c->store);
	return *reason != REASON_OK;
}

static bool
fill_enrolled(struct core *c, const struct enrollment_row *r, struct enrolled *out, struct error *e)
{
	const char *state = enrollment_word(r->state);
	struct host_row h;
	bool there;

	memcpy(out->host_id, r->host_id, sizeof(out->host_id));
	memcpy(out->name, r->name, sizeof(out->name));
	if (r->state == ENROLLMENT_ACTIVE) {
		if (!looked(store_host_by_id(c->store, r->host_id, &h, e), e, &there))
			return false;
		if (!there || h.state == ENROLLMENT_REVOKED)
			state = "revoked";
		else if (!name_same(&h.key.ak, &r->key.ak))
			state = "rejected";             /* the host enrolled again since, with another key */
	}
	snprintf(out->state, sizeof(out->state), "%s", state);
	if (strcmp(state, "active") != 0)
		return true;
	out->root = c->keys.root;
	memcpy(out->keyset, c->keys.keyset, sizeof(out->keyset));
	out->has_recovery = keys_recovery(&c->keys, r->host_id, &r->key.ak, out->recovery);
	if (!out->has_recovery)
		return err_set(e, ERR_CRYPTO, "no recovery key");
	return keys_host_token(&c->keys, r->host_id, out->token) || err_set(e, ERR_CRYPTO, "no token");
}

static bool
knows_secret(const struct enrollment_row *r, const uint8_t secret[static SECRET_SIZE])
{
	uint8_t hash[SHA256_SIZE];

	return digest_sha256(secret, SECRET_SIZE, hash) && same_bytes(hash, r->secret, sizeof(hash));
}

/* POST …/proof and GET are one: whoever knows the secret has proved it, however often he asks. */
void
on_proof(struct core *c, struct job *j)
{
	struct enrolled out = { .state = "" };
	struct proof p;
	struct enrollment_row r;
	struct error e = { .code = ERR_NONE };
	enum reason reason = REASON_OK;
	own(mem) char *text = NULL;
	size_t len;

	if (!proof_unpack(&j->request.payload, &p, &e)) {
		job_problem(c, j, 400, REASON_REQUEST_INVALID, "%s", e.why);
		return;
	}
	if (!store_enrollment(c->store, p.id, &r, &e)) {
		if (e.code == ERR_MISSING)
			job_problem(c, j, 404, REASON_NOT_ENROLLED, "no such enrollment");
		else
			job_error(c, j, &e);
		return;
	}
	if (!knows_secret(&r, p.secret)) {
		job_problem(c, j, 403, REASON_PROOF_FAILED, "%s", reason_text(REASON_PROOF_FAILED));
		return;
	}
	if (r.state == ENROLLMENT_PROOF && !prove_once(c, &r, &reason, &e)) {
		refuse(c, j, &e);
		return;
	}
	if (reason != REASON_OK) {
		job_problem(c, j, 409, reason, "%s", reason_text(reason));
		return;
	}
	if (fill_enrolled(c, &r, &out, &e) && enrolled_json(&out, &text, &len, &e))
		job_reply(c, j, 200, text, len);
	else
		job_error(c, j, &e);
}

/* --- what anybody may read --- */

void
on_keys(struct core *c, struct job *j)
{
	job_reply(c, j, 200, c->keys.jwks, strlen(c->keys.jwks));
}
