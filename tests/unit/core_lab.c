#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "clock.h"
#include "core_lab.h"
#include "roles.h"
#include "unit.h"

/* --- folder and processes --- */

void
lab_open(struct lab *l)
{
	struct error e = { .code = ERR_NONE };
	char path[128];
	FILE *f;

	*l = (struct lab){ .to_core = -1, .hosts = -1, .admin = -1 };
	snprintf(l->dir, sizeof(l->dir), "/tmp/check_core.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(l->dir));
	snprintf(path, sizeof(path), "%s/roots", l->dir);
	ck_assert(!mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/logs", l->dir);
	ck_assert(!mkdir(path, 0700));
	snprintf(l->conf, sizeof(l->conf), "%s/verifierd.conf", l->dir);
	f = fopen(l->conf, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "[paths]\nstate_dir = %s\nrun_dir = %s\n[enroll]\nek_roots = %s/roots\n", l->dir, l->dir, l->dir);
	fclose(f);
	ck_assert_msg(keys_make(l->dir, &e), "%s", e.why);
	store_close(lab_store(l));
}

struct store *
lab_store(struct lab *l)
{
	struct error e = { .code = ERR_NONE };
	struct store *s = NULL;
	char url[128];

	snprintf(url, sizeof(url), "sqlite:%s/store.db", l->dir);
	ck_assert_msg(store_open(url, &s, &e), "%s", e.why);
	return s;
}

static void
move_fd(int from, int to)
{
	if (from != to && dup2(from, to) < 0)
		_exit(126);
	(void)fcntl(to, F_SETFD, 0);
}

/* As main starts a role; returns when it says that it is ready. */
static pid_t
run_role(const struct lab *l, const char *role, int channel)
{
	const char *build = getenv("top_builddir");
	int ready[2], high[2];
	char path[4096], byte;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/verifierd/verifierd-%s", build ? build : ".", role);
	ck_assert(!pipe2(ready, O_CLOEXEC));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		high[0] = fcntl(ready[1], F_DUPFD, 100);
		high[1] = fcntl(channel, F_DUPFD, 100);
		move_fd(high[0], FD_READY);
		move_fd(high[1], FD_CHANNEL);
		close_range(FD_LISTEN, ~0u, 0);
		execl(path, path, "-c", l->conf, "-f", (char *)NULL);
		_exit(127);
	}
	close(ready[1]);
	ck_assert_msg(read(ready[0], &byte, 1) == 1, "%s does not start", path);
	close(ready[0]);
	return pid;
}

int
lab_channel(struct lab *l, enum role role, uint8_t index)
{
	struct error e = { .code = ERR_NONE };
	uint8_t which[6] = { (uint8_t)role, index };
	int ends[2];

	which[5] = (uint8_t)++l->generation;
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	ck_assert_msg(ipc_send(l->to_core, ROLE_MAIN, MSG_CHANNEL, 0, which, sizeof(which), ends[0], &e), "%s", e.why);
	close(ends[0]);
	return ends[1];
}

static void
add_worker(struct lab *l, unsigned at, enum role role, uint8_t index)
{
	int end = lab_channel(l, role, index);

	l->worker[at] = run_role(l, role_word(role), end);
	close(end);
}

void
lab_start(struct lab *l, unsigned parsers, unsigned judges)
{
	int ends[2];

	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	l->to_core = ends[0];
	l->core = run_role(l, "core", ends[1]);
	close(ends[1]);
	l->hosts = lab_channel(l, ROLE_HOSTS, 0);
	l->admin = lab_channel(l, ROLE_ADMIN, 0);
	for (unsigned i = 0; i < parsers; i++)
		add_worker(l, i, ROLE_PARSE, (uint8_t)i);
	for (unsigned i = 0; i < judges; i++)
		add_worker(l, parsers + i, ROLE_JUDGE, (uint8_t)i);
}

void
lab_kill_core(struct lab *l)
{
	if (!l->core)
		return;
	kill(l->core, SIGKILL);
	waitpid(l->core, NULL, 0);
	l->core = 0;
	close(l->to_core);
	close(l->hosts);
	close(l->admin);
	for (unsigned i = 0; i < LAB_WORKERS; i++)
		if (l->worker[i]) {
			waitpid(l->worker[i], NULL, 0);      /* the end of its channel is its end */
			l->worker[i] = 0;
		}
}

void
lab_close(struct lab *l)
{
	char command[96];

	lab_kill_core(l);
	snprintf(command, sizeof(command), "rm -rf '%s'", l->dir);
	ck_assert_int_eq(system(command), 0);
}

/* --- messages --- */

uint64_t
lab_send(struct lab *l, enum message type, const void *p, size_t len)
{
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(ipc_send(l->hosts, ROLE_HOSTS, type, ++l->job, p, len, -1, &e), "%s", e.why);
	return l->job;
}

void
lab_receive(int channel, struct reply *r)
{
	own(frame) struct frame f = { .peer_fd = -1 };
	struct error e = { .code = ERR_NONE };
	struct pollfd ready = { .fd = channel, .events = POLLIN };
	bool got = false;

	ck_assert_msg(poll(&ready, 1, 20000) == 1, "core does not answer");
	ck_assert_msg(ipc_receive(channel, ROLE_HOSTS, &f, &got, &e) || ipc_receive(channel, ROLE_ADMIN, &f, &got, &e),
	    "%s", e.why);
	ck_assert(got);
	r->status = rd_be16(&f.payload, "status");
	r->job = f.job;
	ck_assert_uint_lt(f.payload.left, sizeof(r->body));
	memcpy(r->body, f.payload.pos, f.payload.left);
	r->body[f.payload.left] = '\0';
}

void
lab_ask(struct lab *l, enum message type, const void *p, size_t len, struct reply *r)
{
	uint64_t job = lab_send(l, type, p, len);

	lab_receive(l->hosts, r);
	ck_assert_uint_eq(r->job, job);
}

void
lab_admin(struct lab *l, const struct admin_request *q, struct reply *r)
{
	own(frame) struct frame f = { .peer_fd = -1 };
	struct pollfd ready = { .fd = l->admin, .events = POLLIN };
	struct error e = { .code = ERR_NONE };
	uint8_t buf[8 << 10];
	struct writer w = wr_open(buf, sizeof(buf));
	int peer[2];
	bool got = false;

	admin_request_pack(q, &w);
	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, peer));
	ck_assert(ipc_send(l->admin, ROLE_ADMIN, MSG_ADMIN, ++l->job, buf, w.used, peer[0], &e));
	close(peer[0]);
	close(peer[1]);
	ck_assert_msg(poll(&ready, 1, 20000) == 1, "core does not answer");
	ck_assert_msg(ipc_receive(l->admin, ROLE_ADMIN, &f, &got, &e) && got, "%s", e.why);
	r->status = rd_be16(&f.payload, "status");
	r->job = f.job;
	ck_assert_uint_lt(f.payload.left, sizeof(r->body));
	memcpy(r->body, f.payload.pos, f.payload.left);
	r->body[f.payload.left] = '\0';
}

const char *
reply_reason(const struct reply *r)
{
	static char text[64];
	own(json) struct json *j = NULL;
	const struct json *list;
	struct error e;
	unsigned n;

	snprintf(text, sizeof(text), "nothing");
	if (!json_parse(r->body, strlen(r->body), &j, &e))
		return text;
	if (json_text(j, "reason", text, sizeof(text), &e))
		return text;
	if (json_list(j, "reasons", 32, &n, &e) && n && (list = json_item(j, "reasons", 0)))
		ck_assert(json_item_text(list, text, sizeof(text), &e));
	return text;
}

/* --- a host --- */

static void
name_of_key(EVP_PKEY *key, struct tpm_name *ak, uint8_t *spki, size_t *spki_len)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	ck_assert(n > 0 && n <= TPM_PUBLIC_MAX);
	memcpy(spki, der, (size_t)n);
	*spki_len = (size_t)n;
	ak->size = 34;
	ak->bytes[0] = 0;
	ak->bytes[1] = 0x0b;
	ck_assert(digest_sha256(der, (size_t)n, ak->bytes + 2));
	OPENSSL_free(der);
}

void
soft_host(struct lab *l, struct soft_host *h, const char *name, const char *boot)
{
	static unsigned count;
	struct host_row row = { .state = ENROLLMENT_ACTIVE, .enrolled = 1, .group = "default",
		.key = { .hash = 0x000b, .banks = 1u << BANK_SHA256, .ek_subject = "software" } };
	struct error e = { .code = ERR_NONE };
	struct store *s = lab_store(l);
	char path[256];

	*h = (struct soft_host){ .clock = 1000 };
	count++;
	snprintf(h->name, sizeof(h->name), "%s", name);
	snprintf(h->id, sizeof(h->id), "00000000-0000-4000-8000-%012u", count);
	snprintf(h->boot_id, sizeof(h->boot_id), "11111111-1111-4111-8111-%012u", count);
	h->key = EVP_EC_gen("P-256");
	ck_assert_ptr_nonnull(h->key);
	name_of_key(h->key, &row.key.ak, row.key.spki, &row.key.spki_len);
	ck_assert(name_qualify(&row.key.ak, TPM_RH_ENDORSEMENT, &row.key.signer));
	h->ak = row.key.ak;
	h->signer = row.key.signer;
	snprintf(row.key.ek, sizeof(row.key.ek), "%064u", count);
	memcpy(row.id, h->id, sizeof(row.id));
	memcpy(row.name, h->name, sizeof(row.name));
	ck_assert_msg(store_begin(s, &e) && store_host_put(s, &row, &e) && store_commit(s, &e), "%s", e.why);
	store_close(s);
	snprintf(path, sizeof(path), "tests/data/vm/%s/binary_bios_measurements", boot);
	h->log = unit_file(path, &h->log_len);
	ck_assert_msg(h->log, "no %s", path);
}

void
soft_host_free(struct soft_host *h)
{
	EVP_PKEY_free(h->key);
	free(h->log);
}

static void
replayed_digest(const uint8_t *log_bytes, size_t len, const struct selection *sel, uint8_t out[static 32])
{
	own(eventlog) struct eventlog log = { .event = NULL };
	static struct replay r;
	struct error e = { .code = ERR_NONE };
	uint8_t digest[DIGEST_MAX];
	size_t n;

	ck_assert_msg(eventlog_parse(log_bytes, len, &log, &e) && eventlog_replay(&log, &r, &e) &&
	    replay_digest(&r, sel, BANK_SHA256, digest, &n, &e), "%s", e.why);
	ck_assert_uint_eq(n, 32);
	memcpy(out, digest, 32);
}

bool
soft_challenge(struct lab *l, struct soft_host *h, struct soft_quote *q, struct reply *r)
{
	struct challenge_request ask = { .ak = h->ak, .boot_log_len = h->log_len };
	struct challenge_answer a;
	struct error e = { .code = ERR_NONE };
	uint8_t buf[4096];
	struct writer w = wr_open(buf, sizeof(buf));

	memcpy(ask.boot_id, h->boot_id, sizeof(ask.boot_id));
	ck_assert(digest_sha256(h->log, h->log_len, ask.boot_log));
	challenge_request_pack(&ask, &w);
	lab_ask(l, MSG_CHALLENGE, buf, w.used, r);
	if (r->status != 200)
		return false;
	ck_assert_msg(challenge_answer_read(r->body, strlen(r->body), &a, &e), "%s", e.why);
	*q = (struct soft_quote){
		.magic = TPM_GENERATED, .type = TPM_ST_ATTEST_QUOTE, .signer = h->signer, .selection = a.selection,
		.reset_count = 7, .clock = ++h->clock, .key = h->key, .log = h->log, .log_len = h->log_len,
		.with_log = !a.boot_log_known, .ima_from = -1,
	};
	memcpy(q->challenge, a.challenge, sizeof(q->challenge));
	memcpy(q->nonce, a.nonce, sizeof(q->nonce));
	memcpy(q->log_digest, ask.boot_log, sizeof(q->log_digest));
	ck_assert(digest_sha256("", 0, q->facts_digest));
	q->context = (struct context){ .purpose = PURPOSE_LOGIN, .nonce = q->nonce, .host_id = h->id, .boot_id = h->boot_id,
		.boot_log = q->log_digest, .facts = q->facts_digest, .audience = "", .user = "" };
	replayed_digest(h->log, h->log_len, &q->selection, q->pcr_digest);
	return true;
}

static size_t
put_attest(const struct soft_quote *q, uint8_t *buf, size_t size)
{
	struct writer w = wr_open(buf, size);
	struct context ctx = q->context;
	uint8_t extra[32];

	ctx.nonce = q->nonce;
	ctx.boot_log = q->log_digest;
	ctx.facts = q->facts_digest;
	ck_assert(context_digest(&ctx, extra));
	wr_be32(&w, q->magic, "magic");
	wr_be16(&w, q->type, "type");
	wr_be16(&w, q->signer.size, "signer");
	wr_bytes(&w, q->signer.bytes, q->signer.size, "signer");
	wr_be16(&w, 32, "extra");
	wr_bytes(&w, extra, 32, "extra");
	wr_be64(&w, q->clock, "clock");
	wr_be32(&w, q->reset_count, "reset");
	wr_be32(&w, q->restart_count, "restart");
	wr_u8(&w, 1, "safe");
	wr_be64(&w, 0x2017000000000000, "firmware");
	wr_be32(&w, q->selection.count, "selections");
	for (unsigned i = 0; i < q->selection.count; i++) {
		wr_be16(&w, q->selection.bank[i].alg, "alg");
		wr_u8(&w, 3, "size");
		for (unsigned byte = 0; byte < 3; byte++)
			wr_u8(&w, (uint8_t)(q->selection.bank[i].pcrs >> 8 * byte), "bits");
	}
	wr_be16(&w, 32, "digest");
	wr_bytes(&w, q->pcr_digest, 32, "digest");
	ck_assert(!w.bad);
	return w.used;
}

static size_t
put_signature(EVP_PKEY *key, const uint8_t *attest, size_t len, uint8_t *buf, size_t size)
{
	struct writer w = wr_open(buf, size);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t der[128], part[32];
	const uint8_t *at = der;
	size_t n = sizeof(der);
	const BIGNUM *r, *s;
	ECDSA_SIG *sig;

	ck_assert(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 && EVP_DigestSign(md, der, &n, attest, len) == 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)n);
	ck_assert_ptr_nonnull(sig);
	ECDSA_SIG_get0(sig, &r, &s);
	wr_be16(&w, TPM_ALG_ECDSA, "alg");
	wr_be16(&w, 0x000b, "hash");
	wr_be16(&w, 32, "r");
	ck_assert_int_eq(BN_bn2binpad(r, part, 32), 32);
	wr_bytes(&w, part, 32, "r");
	wr_be16(&w, 32, "s");
	ck_assert_int_eq(BN_bn2binpad(s, part, 32), 32);
	wr_bytes(&w, part, 32, "s");
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(md);
	return w.used;
}

uint8_t *
soft_evidence(const struct soft_quote *q, size_t *len)
{
	uint8_t attest[TPM_ATTEST_MAX], signature[TPM_SIGNATURE_MAX], from[8] = { 0 };
	struct evidence ev = { .challenge = { q->challenge, sizeof(q->challenge), true } };
	struct error e = { .code = ERR_NONE };
	uint8_t *body = malloc(EVIDENCE_MAX);
	struct writer w = wr_open(body, EVIDENCE_MAX);

	ck_assert_ptr_nonnull(body);
	ev.attest = (struct part){ attest, put_attest(q, attest, sizeof(attest)), true };
	ev.signature = (struct part){ signature, put_signature(q->key, attest, ev.attest.len, signature, sizeof(signature)), true };
	if (q->with_log)
		ev.boot_log = (struct part){ q->log, q->log_len, true };
	from[7] = (uint8_t)q->ima_from;
	if (q->ima_from >= 0)
		ev.ima_from = (struct part){ from, sizeof(from), true };
	if (q->facts)
		ev.facts = (struct part){ (const uint8_t *)q->facts, strlen(q->facts), true };
	ck_assert_msg(evidence_write(&ev, &w, &e), "%s", e.why);
	*len = w.used;
	return body;
}

void
soft_attest(struct lab *l, const struct soft_quote *q, struct reply *r)
{
	own(mem) uint8_t *body = NULL;
	size_t len;

	body = soft_evidence(q, &len);
	lab_ask(l, MSG_EVIDENCE, body, len, r);
}
