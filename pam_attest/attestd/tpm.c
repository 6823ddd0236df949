#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "clock.h"
#include "scope.h"
#include "tpm.h"
#include "writer.h"

enum { REPLY_HEAD = 14 };

void
tpm_open(struct tpm *t, const char *program, const char *tcti, bool sandbox)
{
	*t = (struct tpm){ .fd = -1, .pidfd = -1, .sandbox = sandbox };
	snprintf(t->program, sizeof(t->program), "%s", program);
	snprintf(t->tcti, sizeof(t->tcti), "%s", tcti);
}

void
tpm_set_ak(struct tpm *t, const void *blob, size_t len)
{
	t->ak_len = len <= sizeof(t->ak) ? len : 0;
	memcpy(t->ak, blob, t->ak_len);
	t->ak_given = false;
}

static bool
start(struct tpm *t, struct error *e)
{
	own(fd) int ours = -1;
	own(fd) int theirs = -1;
	int pair[2], rc;
	posix_spawn_file_actions_t actions;
	char *argv[] = { (char *)"attestd-tpm", t->tcti, t->sandbox ? NULL : (char *)TPM_NO_SANDBOX, NULL };
	char *env[] = { NULL };

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(e, "socketpair");
	ours = pair[0];
	theirs = pair[1];
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, theirs, TPM_WIRE_FD);
	rc = posix_spawn(&t->pid, t->program, &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		return err_set(e, ERR_SYSTEM, "start %s: %s", t->program, strerror(rc));
	t->pidfd = pidfd_open(t->pid, 0);
	if (t->pidfd < 0) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
		return err_errno(e, "pidfd_open");
	}
	t->fd = give_fd(&ours);
	t->ak_given = false;
	t->child_commands = 0;
	return true;
}

/* Lets the child go; from here on it is only waited for. */
static void
give_up(struct tpm *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	if (t->pidfd >= 0) {
		kill(t->pid, SIGKILL);
		t->dying = true;
	}
}

/* True when there is no old child left. */
static bool
reaped(struct tpm *t, int wait_ms)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };
	siginfo_t info;

	if (!t->dying)
		return true;
	if (poll(&p, 1, wait_ms) <= 0)
		return false;
	waitid(P_PIDFD, (id_t)t->pidfd, &info, WEXITED);
	close(t->pidfd);
	t->pidfd = -1;
	t->dying = false;
	return true;
}

void
tpm_close(struct tpm *t)
{
	give_up(t);
	reaped(t, 1000);
}

static enum reason
lost(struct tpm *t, const char *what, enum reason why, struct error *e)
{
	give_up(t);
	err_set(e, ERR_TIMEOUT, "%s", what);
	return why;
}

/* What a TPM can be the cause of: no verdict, least of all a good one, is the child's to give. */
static bool
is_tpms_reason(enum reason why)
{
	return why == REASON_OK || reason_state(why) == STATE_BROKEN || reason_state(why) == STATE_NONE;
}

/* One request, one reply; *body is what follows the head. */
static enum reason
exchange(struct tpm *t, struct writer *w, int64_t deadline, struct reader *body, struct error *e)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	uint32_t code;
	uint64_t commands;
	enum reason why;
	ssize_t n;

	if (!wr_ok(w, e))
		return REASON_INTERNAL_ERROR;
	if (send(t->fd, w->buf, w->used, MSG_NOSIGNAL) < 0)
		return lost(t, "the TPM process ended", REASON_TPM_ABSENT, e);
	do
		n = poll(&p, 1, clock_left(deadline));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return lost(t, "the TPM did not answer in time", REASON_TPM_BUSY, e);
	n = recv(t->fd, t->reply, sizeof(t->reply), 0);
	if (n < REPLY_HEAD)
		return lost(t, "the TPM process ended", REASON_TPM_ABSENT, e);
	*body = rd_open(t->reply, (size_t)n);
	why = (enum reason)rd_be16(body, "reason");
	code = rd_be32(body, "code");
	commands = rd_be64(body, "commands");
	t->commands += commands - t->child_commands;
	t->child_commands = commands;
	if (!is_tpms_reason(why))
		return lost(t, "the TPM process gave an answer that is not its own", REASON_TPM_ERROR, e);
	if (why != REASON_OK)
		err_set(e, ERR_SYSTEM, "%s (TPM code 0x%x)", reason_text(why), code);
	return why;
}

/* A child that died while nobody asked it anything is no answer to the next question. */
static void
notice_death(struct tpm *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };

	if (t->fd < 0 || poll(&p, 1, 0) <= 0)
		return;
	give_up(t);
	(void)reaped(t, 0);
}

/* Starts a child when there is none, tells it which AK to use, then asks. */
static enum reason
ask(struct tpm *t, struct writer *w, bool with_ak, int64_t deadline, struct reader *body, struct error *e)
{
	if (!t->tcti[0]) {
		err_set(e, ERR_CONFIG, "no TPM is configured");
		return REASON_TPM_ABSENT;
	}
	notice_death(t);
	if (!reaped(t, 0)) {
		err_set(e, ERR_TIMEOUT, "the TPM still holds a process that was killed");
		return REASON_TPM_BUSY;
	}
	if (t->fd < 0 && !start(t, e))
		return REASON_TPM_ABSENT;
	if (with_ak && !t->ak_given) {
		uint8_t buf[AK_BLOB_MAX + 8];
		struct writer use = wr_open(buf, sizeof(buf));
		enum reason why;

		wr_u8(&use, TPM_OP_USE_AK, "operation");
		wr_be16(&use, (uint16_t)t->ak_len, "AK handle");
		wr_bytes(&use, t->ak, t->ak_len, "AK handle");
		why = exchange(t, &use, deadline, body, e);
		if (why != REASON_OK)
			return why;
		t->ak_given = true;
	}
	{
		enum reason why = exchange(t, w, deadline, body, e);

		/* A child that lost its device has lost the AK with it. */
		if (why == REASON_TPM_ABSENT)
			t->ak_given = false;
		return why;
	}
}

static size_t
take(struct reader *r, void *out, size_t max, const char *field)
{
	size_t n = rd_be16(r, field);

	if (n > max) {
		r->bad = r->bad ? r->bad : field;
		return 0;
	}
	rd_copy(r, out, n, field);
	return n;
}

/* The child's own words are read as strictly as anybody's. */
static enum reason
whole(const struct reader *r, struct error *e)
{
	return rd_end(r, e) ? REASON_OK : REASON_TPM_ERROR;
}

static void
put_owner(struct writer *w, const char *auth)
{
	size_t n = auth ? strlen(auth) : 0;

	wr_be16(w, (uint16_t)n, "owner auth");
	wr_bytes(w, auth, n, "owner auth");
}

static void
put_selection(struct writer *w, const struct selection *s)
{
	wr_u8(w, (uint8_t)s->count, "selection count");
	for (unsigned i = 0; i < s->count; i++) {
		wr_be16(w, s->bank[i].alg, "bank");
		wr_be32(w, s->bank[i].pcrs, "PCRs");
	}
}

enum reason
tpm_ask_quote(struct tpm *t, const uint8_t nonce[static 32], const struct selection *s, int64_t deadline,
    struct tpm_quoted *out, struct error *e)
{
	uint8_t request[128];
	struct writer w = wr_open(request, sizeof(request));
	struct reader r;
	enum reason why;

	wr_u8(&w, TPM_OP_QUOTE, "operation");
	wr_bytes(&w, nonce, 32, "nonce");
	put_selection(&w, s);
	why = ask(t, &w, true, deadline, &r, e);
	if (why != REASON_OK)
		return why;
	out->attest_len = take(&r, out->attest, sizeof(out->attest), "attest");
	out->signature_len = take(&r, out->signature, sizeof(out->signature), "signature");
	return whole(&r, e);
}

enum reason
tpm_ask_pcrs(struct tpm *t, const struct selection *s, int64_t deadline, uint8_t out[static PCRS_READ_MAX], size_t *len,
    struct error *e)
{
	uint8_t request[128];
	struct writer w = wr_open(request, sizeof(request));
	struct reader r;
	enum reason why;

	wr_u8(&w, TPM_OP_PCRS, "operation");
	put_selection(&w, s);
	why = ask(t, &w, false, deadline, &r, e);
	if (why != REASON_OK)
		return why;
	*len = take(&r, out, PCRS_READ_MAX, "PCR values");
	return whole(&r, e);
}

enum reason
tpm_ask_banks(struct tpm *t, int64_t deadline, uint32_t *banks, struct error *e)
{
	uint8_t request[1];
	struct writer w = wr_open(request, sizeof(request));
	struct reader r;
	enum reason why;

	wr_u8(&w, TPM_OP_BANKS, "operation");
	why = ask(t, &w, false, deadline, &r, e);
	if (why != REASON_OK)
		return why;
	*banks = rd_be32(&r, "banks");
	return whole(&r, e);
}

enum reason
tpm_ask_lockout(struct tpm *t, int64_t deadline, struct lockout *out, struct error *e)
{
	uint8_t request[1];
	struct writer w = wr_open(request, sizeof(request));
	struct lockout l;
	struct reader r;
	enum reason why;

	wr_u8(&w, TPM_OP_LOCKOUT, "operation");
	why = ask(t, &w, false, deadline, &r, e);
	if (why != REASON_OK)
		return why;
	l.counter = rd_be32(&r, "counter");
	l.max = rd_be32(&r, "max");
	l.interval = rd_be32(&r, "interval");
	l.recovery = rd_be32(&r, "recovery");
	why = whole(&r, e);
	if (why == REASON_OK)
		*out = l;
	return why;
}

enum reason
tpm_ask_ek(struct tpm *t, int64_t deadline, struct enroll_request *out, struct error *e)
{
	uint8_t request[1];
	struct writer w = wr_open(request, sizeof(request));
	struct reader r;
	enum reason why;

	wr_u8(&w, TPM_OP_READ_EK, "operation");
	why = ask(t, &w, false, deadline, &r, e);
	if (why != REASON_OK)
		return why;
	out->ek_public_len = take(&r, out->ek_public, sizeof(out->ek_public), "EK");
	out->ek_cert_len = take(&r, out->ek_cert, sizeof(out->ek_cert), "EK certificate");
	out->chain_count = rd_u8(&r, "chain count");
	if (out->chain_count > EK_CHAIN_MAX)
		return err_set(e, ERR_LIMIT, "chain of %u", out->chain_count), REASON_TPM_ERROR;
	for (unsigned i = 0; i < out->chain_count; i++)
		out->chain_len[i] = take(&r, out->chain[i], sizeof(out->chain[i]), "chain");
	return whole(&r, e);
}

enum reason
tpm_ask_create_ak(struct tpm *t, uint32_t handle, const char *owner_auth, int64_t deadline, struct tpm_ak *out,
    struct error *e)
{
	uint8_t request[128], unique[32];
	struct writer w = wr_open(request, sizeof(request));
	struct reader r;
	enum reason why;

	if (!random_bytes(unique, sizeof(unique)))
		return err_set(e, ERR_CRYPTO, "no random bytes"), REASON_INTERNAL_ERROR;
	wr_u8(&w, TPM_OP_CREATE_AK, "operation");
	wr_bytes(&w, unique, sizeof(unique), "unique");
	wr_be32(&w, handle, "handle");
	put_owner(&w, owner_auth);
	why = ask(t, &w, false, deadline, &r, e);
	if (why != REASON_OK)
		return why;
	out->blob_len = take(&r, out->blob, sizeof(out->blob), "AK handle");
	out->public_len = take(&r, out->public, sizeof(out->public), "AK");
	out->handle = rd_be32(&r, "handle");
	why = whole(&r, e);
	if (why == REASON_OK) {
		tpm_set_ak(t, out->blob, out->blob_len);
		t->ak_given = true;
	}
	return why;
}

enum reason
tpm_ask_evict(struct tpm *t, const void *blob, size_t len, const char *owner_auth, int64_t deadline, struct error *e)
{
	uint8_t request[AK_BLOB_MAX + 128];
	struct writer w = wr_open(request, sizeof(request));
	struct reader r;

	wr_u8(&w, TPM_OP_EVICT, "operation");
	wr_be16(&w, (uint16_t)len, "AK handle");
	wr_bytes(&w, blob, len, "AK handle");
	put_owner(&w, owner_auth);
	t->ak_given = false;
	return ask(t, &w, false, deadline, &r, e);
}

enum reason
tpm_ask_activate(struct tpm *t, const struct enroll_answer *a, int64_t deadline, uint8_t secret[static SECRET_SIZE],
    struct error *e)
{
	uint8_t request[CREDENTIAL_MAX + sizeof(a->secret) + 16];
	struct writer w = wr_open(request, sizeof(request));
	struct reader r;
	enum reason why;

	wr_u8(&w, TPM_OP_ACTIVATE, "operation");
	wr_be16(&w, (uint16_t)a->credential_len, "credential");
	wr_bytes(&w, a->credential, a->credential_len, "credential");
	wr_be16(&w, (uint16_t)a->secret_len, "secret");
	wr_bytes(&w, a->secret, a->secret_len, "secret");
	why = ask(t, &w, true, deadline, &r, e);
	if (why != REASON_OK)
		return why;
	if (take(&r, secret, SECRET_SIZE, "secret") != SECRET_SIZE)
		return err_set(e, ERR_FORMAT, "secret of another size"), REASON_PROOF_FAILED;
	return whole(&r, e);
}
