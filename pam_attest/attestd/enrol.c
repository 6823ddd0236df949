#include "enrol.h"
#include "file.h"
#include "hex.h"
#include "publish.h"
#include "scope.h"

enum { POLL_MS = 2000, CA_FILE_MAX = 64 << 10 };
#define CA_KEPT  "ca.pem"
#define CA_TRIED "ca.new"

/* What attestd.conf names beats both arguments. */
static void
use_verifier(const struct options *o, const char *url, const char *ca, struct upstream *up)
{
	up->urls = o->urls;
	memcpy(up->url, o->url, sizeof(o->url));
	if (!o->urls && url[0]) {
		snprintf(up->url[0], sizeof(up->url[0]), "%s", url);
		up->urls = 1;
	}
	if (up->current >= up->urls)
		up->current = 0;
	if (o->ca_file[0])
		snprintf(up->ca_file, sizeof(up->ca_file), "%s", o->ca_file);
	else
		snprintf(up->ca_file, sizeof(up->ca_file), "%.*s/%s", PATH_TEXT - 8, o->state_dir, ca);
}

void
enrol_verifier(const struct options *o, const char *url, struct upstream *up)
{
	use_verifier(o, url, CA_KEPT, up);
}

void
enrol_use_verifier(struct agent *a)
{
	a->up.current = 0;
	enrol_verifier(a->opt, a->id.url, &a->up);
}

static enum reason
find_ca(const struct agent *a, const struct enrol_ask *ask, char **pem, struct error *e)
{
	uint8_t pin[SHA256_SIZE], *text = NULL;
	size_t len;

	if (ask->ca_file[0]) {
		if (!file_load(ask->ca_file, CA_FILE_MAX, &text, &len, e))
			return REASON_CONFIG_ERROR;
		*pem = (char *)text;
		return REASON_OK;
	}
	if (!hex_bytes(ask->ca_sha256, pin, sizeof(pin)))
		return err_set(e, ERR_CONFIG, "neither a CA file nor its SHA-256 was given"), REASON_CONFIG_ERROR;
	if (!upstream_fetch_ca(ask->url, pin, a->opt->timeout, pem, e))
		return e->code == ERR_UNTRUSTED ? REASON_VERIFIER_UNTRUSTED : REASON_VERIFIER_UNREACHABLE;
	return REASON_OK;
}

/* The new verifier on trial: what is kept of the one in force stays until this one has taken us. */
static enum reason
try_verifier(struct agent *a, const struct enrol_ask *ask, char **pem, int64_t deadline, struct error *e)
{
	own(answer) struct answer got = { 0 };
	struct problem problem;
	char path[PATH_TEXT + 16];
	enum reason why;

	if (strncmp(ask->url, "https://", 8))
		return err_set(e, ERR_CONFIG, "%.80s: not https://HOST:PORT", ask->url), REASON_CONFIG_ERROR;
	why = find_ca(a, ask, pem, e);
	if (why != REASON_OK)
		return why;
	snprintf(path, sizeof(path), "%s/" CA_TRIED, a->opt->state_dir);
	if (!file_replace(path, *pem, strlen(*pem), 0644, false, e) || !upstream_renew(&a->up, e))
		return REASON_INTERNAL_ERROR;
	a->up.current = 0;
	use_verifier(a->opt, ask->url, CA_TRIED, &a->up);
	/* Before the TPM makes a key for nobody. */
	return upstream_ask(&a->up, &(struct request){ .path = "/healthz" }, deadline, &got, &problem, e);
}

/* A key for the new enrollment, beside the one in use; where both need one configured handle the old one goes first. */
static enum reason
make_ak(struct agent *a, const struct enrol_ask *ask, int64_t deadline, struct tpm_ak *ak, struct error *e)
{
	struct error ignored = { .code = ERR_NONE };

	if (a->opt->ak && a->id.has_ak && a->id.ak.handle == a->opt->ak) {
		if (!kept_drop(a->opt->state_dir, "identity", e))
			return REASON_INTERNAL_ERROR;
		a->id.active = false;
		tpm_ask_evict(&a->tpm, a->id.ak.blob, a->id.ak.blob_len, ask->owner_auth, deadline, &ignored);
	}
	return tpm_ask_create_ak(&a->tpm, a->opt->ak, ask->owner_auth, deadline, ak, e);
}

/* The attempt failed: its key leaves the TPM, and the verifier and key in force are used again. */
static void
take_back(struct agent *a, const struct enrol_ask *ask, const struct tpm_ak *ak, int64_t deadline)
{
	struct error ignored = { .code = ERR_NONE };

	if (ak->blob_len)
		tpm_ask_evict(&a->tpm, ak->blob, ak->blob_len, ask->owner_auth, deadline, &ignored);
	tpm_set_ak(&a->tpm, a->id.ak.blob, a->id.ak.blob_len);
	enrol_use_verifier(a);
	(void)!upstream_renew(&a->up, &ignored);
}

/* From here on this host is not the one it was: the old identity goes first, its key gives its place back last. */
static enum reason
commit(struct agent *a, const struct enrol_ask *ask, const char *pem, const struct tpm_ak *ak, const char *enrollment,
    int64_t deadline, struct error *e)
{
	const char *dir = a->opt->state_dir;
	struct error ignored = { .code = ERR_NONE };
	struct tpm_ak old = a->id.ak;
	bool had = a->id.has_ak && old.handle != ak->handle;

	if (!kept_drop(dir, "identity", e) || !kept_drop(dir, "recovery.key", e))
		return REASON_INTERNAL_ERROR;
	a->id.active = a->id.proved = false;
	a->id.pending = true;
	strcpy(a->id.enrollment, enrollment);
	snprintf(a->id.url, sizeof(a->id.url), "%s", ask->url);
	if (!state_save_verifier(dir, ask->url, pem, e) || !state_save_ak(dir, ak, &a->id, e) ||
	    !state_save_enrollment(dir, &a->id, e) || !kept_drop(dir, CA_TRIED, e))
		return REASON_INTERNAL_ERROR;
	enrol_use_verifier(a);
	if (had)
		tpm_ask_evict(&a->tpm, old.blob, old.blob_len, ask->owner_auth, deadline, &ignored);
	tpm_set_ak(&a->tpm, ak->blob, ak->blob_len);
	return REASON_OK;
}

static enum reason
describe(struct agent *a, const struct enrol_ask *ask, struct enroll_request *q, struct tpm_ak *ak, int64_t deadline,
    struct error *e)
{
	enum reason why = tpm_ask_banks(&a->tpm, deadline, &q->banks, e);

	if (why == REASON_OK && !(q->banks & (1u << BANK_SHA256 | 1u << BANK_SHA384)))
		return err_set(e, ERR_MISSING, "no SHA-256 and no SHA-384 bank"), REASON_BANK_UNSUPPORTED;
	if (why == REASON_OK)
		why = tpm_ask_ek(&a->tpm, deadline, q, e);
	if (why == REASON_OK)
		why = make_ak(a, ask, deadline, ak, e);
	if (why != REASON_OK)
		return why;
	strcpy(q->token, ask->token);
	if (ask->name[0])
		strcpy(q->name, ask->name);
	else if (gethostname(q->name, sizeof(q->name) - 1) < 0)
		return err_errno(e, "host name"), REASON_INTERNAL_ERROR;
	memcpy(q->ak_public, ak->public, ak->public_len);
	q->ak_public_len = ak->public_len;
	return REASON_OK;
}

static enum reason
post(struct agent *a, const char *path, const char *body, size_t len, int64_t deadline, struct answer *got,
    struct error *e)
{
	struct problem problem;

	return upstream_ask(&a->up, &(struct request){ .path = path, .type = "application/json", .body = body,
	    .len = len }, deadline, got, &problem, e);
}

/* Active, pending or rejected, as the verifier says it. */
static enum reason
settle(struct agent *a, const struct answer *got, struct error *e)
{
	own(mem) struct enrolled *en = calloc(1, sizeof(*en));

	if (!en || !enrolled_read(got->body, got->len, en, e))
		return REASON_RESULT_INVALID;
	snprintf(a->id.name, sizeof(a->id.name), "%s", en->name);
	if (!strcmp(en->state, "pending"))
		return REASON_ENROLLMENT_PENDING;
	if (strcmp(en->state, "active"))
		return REASON_ENROLLMENT_REJECTED;
	if (state_save_identity(a->opt->state_dir, en, &a->id, e))
		return REASON_OK;
	/* A full disk is not the verifier's fault; what is not kept is asked for again. */
	return e->code == ERR_SYSTEM ? REASON_INTERNAL_ERROR : REASON_RESULT_INVALID;
}

static enum reason
look(struct agent *a, int64_t deadline, struct error *e)
{
	own(answer) struct answer got = { 0 };
	struct problem problem;
	char path[64], bearer[64];
	enum reason why;

	snprintf(path, sizeof(path), "/v1/enrollments/%s", a->id.enrollment);
	base64url_text(a->id.secret, sizeof(a->id.secret), bearer, sizeof(bearer));
	why = upstream_ask(&a->up, &(struct request){ .path = path, .bearer = bearer }, deadline, &got, &problem, e);
	return why == REASON_OK ? settle(a, &got, e) : why;
}

/* The credential that only this TPM can open, opened and shown. */
static enum reason
prove(struct agent *a, const struct enroll_answer *answer, int64_t deadline, struct error *e)
{
	own(answer) struct answer got = { 0 };
	own(mem) char *body = NULL;
	char path[80];
	size_t len;
	enum reason why = tpm_ask_activate(&a->tpm, answer, deadline, a->id.secret, e);

	if (why != REASON_OK)
		return why;
	a->id.proved = true;
	if (!state_save_enrollment(a->opt->state_dir, &a->id, e) || !proof_json(a->id.secret, &body, &len, e))
		return REASON_INTERNAL_ERROR;
	snprintf(path, sizeof(path), "/v1/enrollments/%s/proof", a->id.enrollment);
	why = post(a, path, body, len, deadline, &got, e);
	return why == REASON_OK ? look(a, deadline, e) : why;
}

/* Asks the verifier to take this TPM and a new key of it; *answer holds the credential to open. */
static enum reason
apply(struct agent *a, const struct enrol_ask *ask, char **pem, struct tpm_ak *ak, struct enroll_answer *answer,
    int64_t deadline, struct error *e)
{
	own(mem) struct enroll_request *q = calloc(1, sizeof(*q));
	own(answer) struct answer got = { 0 };
	own(mem) char *body = NULL;
	size_t len;
	enum reason why;

	if (!q)
		return err_set(e, ERR_MEMORY, "enrollment"), REASON_INTERNAL_ERROR;
	why = try_verifier(a, ask, pem, deadline, e);
	if (why == REASON_OK)
		why = describe(a, ask, q, ak, deadline, e);
	if (why != REASON_OK)
		return why;
	if (!enroll_request_json(q, &body, &len, e))
		return REASON_INTERNAL_ERROR;
	why = post(a, "/v1/enrollments", body, len, deadline, &got, e);
	if (why != REASON_OK)
		return why;
	return enroll_answer_read(got.body, got.len, answer, e) ? REASON_OK : REASON_RESULT_INVALID;
}

static enum reason
enroll(struct agent *a, const struct enrol_ask *ask, int64_t deadline, struct error *e)
{
	own(mem) struct enroll_answer *answer = calloc(1, sizeof(*answer));
	own(mem) char *pem = NULL;
	struct tpm_ak ak = { .blob_len = 0 };
	enum reason why;

	if (!answer)
		return err_set(e, ERR_MEMORY, "enrollment"), REASON_INTERNAL_ERROR;
	why = apply(a, ask, &pem, &ak, answer, deadline, e);
	if (why != REASON_OK) {
		take_back(a, ask, &ak, deadline);
		return why;
	}
	why = commit(a, ask, pem, &ak, answer->id, deadline, e);
	return why == REASON_OK ? prove(a, answer, deadline, e) : why;
}

static void
finish(struct agent *a, enum reason why, struct error *e, struct outcome *o)
{
	struct error written = { .code = ERR_NONE };
	struct clock now = clock_now();

	a->id.pending = a->id.pending && why != REASON_OK && why != REASON_ENROLLMENT_REJECTED;
	/* A usable verdict of the old enrollment is not taken away by a failed attempt at a new one. */
	if (why == REASON_OK || why == REASON_ENROLLMENT_PENDING || why == REASON_ENROLLMENT_REJECTED) {
		if (record_usable(&a->record, a->boot_id, &now) != REASON_OK &&
		    !publish_failure(a, why == REASON_OK ? REASON_NOT_ATTESTED : why, &written))
			e = &written;
	}
	agent_outcome(a, why, e, why == REASON_OK ? 0 : POLL_MS, o);
}

/*
 * What makes this host one that a verifier knows goes first, the key last: killed between, it is one that is not enrolled. A
 * refusal on record stays: it was about the machine, and only a newer verdict takes it back.
 */
static enum reason
forget(struct agent *a, const struct enrol_ask *ask, int64_t deadline, struct error *e)
{
	static const char *const files[] = { "identity", "enrollment", "recovery.key", KEPT_GOOD, "ak", "verifier", CA_KEPT };
	struct tpm_ak old = a->id.ak;
	bool had = a->id.has_ak;

	for (size_t i = 0; i < COUNT(files); i++)
		if (!kept_drop(a->opt->state_dir, files[i], e))
			return REASON_INTERNAL_ERROR;
	a->id = (struct identity){ .has_ak = false };
	a->good = (struct kept){ .there = false };
	a->record = (struct record){ .state = STATE_NONE };
	tpm_set_ak(&a->tpm, a->id.ak.blob, 0);
	enrol_use_verifier(a);
	if (had && tpm_ask_evict(&a->tpm, old.blob, old.blob_len, ask->owner_auth, deadline, e) != REASON_OK)
		err_in(e, "forgotten, but its key 0x%08x is still in the TPM", (unsigned)old.handle);
	return REASON_NOT_ENROLLED;
}

static void
start_anew(struct agent *a, const struct enrol_ask *ask, struct outcome *o)
{
	struct error e = { .code = ERR_NONE }, written = { .code = ERR_NONE };
	enum reason why = forget(a, ask, clock_mono() + ENROL_MS, &e);

	if (!publish_failure(a, why, &written))
		e = written;
	agent_outcome(a, why, &e, POLL_MS, o);
}

void
enrol_start(struct agent *a, const struct enrol_ask *ask, struct outcome *o)
{
	struct error e = { .code = ERR_NONE };

	if (ask->forget) {
		start_anew(a, ask, o);
		return;
	}
	if (!strcmp(a->opt->tcti, "none")) {
		err_set(&e, ERR_CONFIG, "tcti = none: this attestd has no TPM to enroll with, and judges other machines alone");
		finish(a, REASON_TPM_ABSENT, &e, o);
		return;
	}
	finish(a, enroll(a, ask, clock_mono() + ENROL_MS, &e), &e, o);
}

void
enrol_poll(struct agent *a, struct outcome *o)
{
	struct error e = { .code = ERR_NONE };

	/* Killed between the credential and its proof: the secret never left the TPM, so begin anew. */
	if (!a->id.proved) {
		err_set(&e, ERR_REFUSED, "enrollment was interrupted; run attestctl enroll again");
		a->id.pending = false;
		agent_outcome(a, REASON_NOT_ENROLLED, &e, 0, o);
		return;
	}
	finish(a, look(a, clock_mono() + ENROL_MS, &e), &e, o);
}
