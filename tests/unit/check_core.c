/* verifierd-core with its real workers, and this test in the place of main and net. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "clock.h"
#include "core_lab.h"
#include "unit.h"

static struct lab lab;
static struct soft_host a, b;
static struct reply r;

static void
open_lab(void)
{
	lab_open(&lab);
	soft_host(&lab, &a, "host-a", "sb-shimgrub-a");
	soft_host(&lab, &b, "host-b", "sb-shimgrub-a");
	lab_start(&lab, 1, 1);
}

static void
close_lab(void)
{
	soft_host_free(&a);
	soft_host_free(&b);
	lab_close(&lab);
}

/* One honest attestation; the main reason. */
static const char *
attest(struct soft_host *h)
{
	struct soft_quote q;

	ck_assert_msg(soft_challenge(&lab, h, &q, &r), "challenge: %d %s", r.status, r.body);
	soft_attest(&lab, &q, &r);
	return reply_reason(&r);
}

static void
approve_boot_of(struct soft_host *h)
{
	struct admin_request capture = { .op = ADMIN_CAPTURE, .set = "base", .reason = "test" };
	struct admin_request activate = { .op = ADMIN_ACTIVATE, .set = "base", .reason = "test" };

	ck_assert_str_eq(attest(h), "no-reference");
	strcpy(capture.host, h->name);
	lab_admin(&lab, &capture, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	ck_assert_str_eq(attest(h), "pending-approval");
	lab_admin(&lab, &activate, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
}

START_TEST(a_known_boot_is_good)
{
	approve_boot_of(&a);
	ck_assert_str_eq(attest(&a), "ok");
	ck_assert_int_eq(r.status, 200);
}
END_TEST

/* A retired set permits nothing and can come back; a revoked one is refused until that is taken back. Neither needs a restart to count. */
START_TEST(a_set_that_ended_permits_nothing)
{
	struct admin_request ask = { .set = "base", .reason = "test", .dry_run = true };

	approve_boot_of(&a);
	ck_assert_str_eq(attest(&a), "ok");
	ask.op = ADMIN_RETIRE;
	lab_admin(&lab, &ask, &r);
	ck_assert_msg(r.status == 200 && strstr(r.body, "\"hosts\":1"), "%s", r.body);
	ck_assert_str_eq(attest(&a), "ok");
	ask.dry_run = false;
	lab_admin(&lab, &ask, &r);
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(attest(&a), "no-reference");
	ask.op = ADMIN_ACTIVATE;
	lab_admin(&lab, &ask, &r);
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(attest(&a), "ok");
	ask.op = ADMIN_WITHDRAW;
	ask.reason[0] = '\0';
	lab_admin(&lab, &ask, &r);
	ck_assert_int_eq(r.status, 400);
	strcpy(ask.reason, "test");
	lab_admin(&lab, &ask, &r);
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(attest(&a), "reference-revoked");
	ask.op = ADMIN_ACTIVATE;
	lab_admin(&lab, &ask, &r);
	ck_assert_int_eq(r.status, 409);
	/* it can be taken back, for a reason, and is then an old set like others */
	ask.op = ADMIN_RETIRE;
	ask.reason[0] = '\0';
	lab_admin(&lab, &ask, &r);
	ck_assert_int_eq(r.status, 400);
	strcpy(ask.reason, "a mistake");
	lab_admin(&lab, &ask, &r);
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(attest(&a), "no-reference");
}
END_TEST

START_TEST(row_25_a_candidate_permits_nothing)
{
	approve_boot_of(&a);           /* says pending-approval on its way */
}
END_TEST

START_TEST(row_5_a_reply_is_good_once)
{
	struct soft_quote q;

	approve_boot_of(&a);
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "ok");
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "challenge-used");
}
END_TEST

/* Rows 5 and 46. */
START_TEST(row_5_of_sixteen_at_once_one_passes)
{
	struct soft_quote q;
	own(mem) uint8_t *body = NULL;
	unsigned good = 0, used = 0;
	size_t len;

	approve_boot_of(&a);
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	body = soft_evidence(&q, &len);
	for (unsigned i = 0; i < 16; i++)
		lab_send(&lab, MSG_EVIDENCE, body, len);
	for (unsigned i = 0; i < 16; i++) {
		lab_receive(lab.hosts, &r);
		good += !strcmp(reply_reason(&r), "ok");
		used += !strcmp(reply_reason(&r), "challenge-used");
	}
	ck_assert_uint_eq(good, 1);
	ck_assert_uint_eq(used, 15);
}
END_TEST

START_TEST(row_5_challenge_of_one_host_evidence_of_another)
{
	struct soft_quote q;

	approve_boot_of(&a);
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	q.key = b.key;
	q.signer = b.signer;
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "quote-signature");
	/* and it cost host-a nothing: its challenge was not consumed by a stranger */
	ck_assert_str_eq(attest(&a), "ok");
}
END_TEST

/* Rows 5 and 46: whoever takes over knows what was used. */
START_TEST(row_5_used_stays_used_after_kill_9)
{
	struct soft_quote q;

	approve_boot_of(&a);
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "ok");
	lab_kill_core(&lab);
	lab_start(&lab, 1, 1);
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "challenge-used");
	ck_assert_str_eq(attest(&a), "ok");     /* set, host and log are still there */
}
END_TEST

START_TEST(a_challenge_outlives_a_restart)
{
	struct soft_quote q;

	approve_boot_of(&a);
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	lab_kill_core(&lab);
	lab_start(&lab, 1, 1);
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "ok");
}
END_TEST

START_TEST(row_7_an_unknown_key_gets_no_verdict)
{
	struct soft_host stranger = a;
	struct soft_quote q;

	stranger.ak.bytes[5] ^= 1;
	ck_assert(!soft_challenge(&lab, &stranger, &q, &r));
	ck_assert_str_eq(reply_reason(&r), "not-enrolled");
	ck_assert_ptr_null(strstr(r.body, "\"result\""));
}
END_TEST

/* Each thing that stands beside the quote, changed after it was signed or signed as something else. */
static void purpose(struct soft_quote *q) { q->context.purpose = PURPOSE_EVENTS; }
static void nonce(struct soft_quote *q) { q->nonce[3] ^= 1; }
static void host(struct soft_quote *q) { q->context.host_id = b.id; }
static void boot(struct soft_quote *q) { q->context.boot_id = b.boot_id; }
static void log_digest(struct soft_quote *q) { q->log_digest[0] ^= 1; }
static void ima_signed(struct soft_quote *q) { q->context.ima_from = 1; }
static void ima_sent(struct soft_quote *q) { q->ima_from = 1; }
static void facts_signed(struct soft_quote *q) { q->facts_digest[0] ^= 1; }
static void facts_sent(struct soft_quote *q) { q->facts = "{}"; }
static void audience(struct soft_quote *q) { q->context.audience = "vpn"; }
static void user(struct soft_quote *q) { q->context.user = "kim"; }
static void challenge(struct soft_quote *q) { q->challenge[40] ^= 1; }
static void magic(struct soft_quote *q) { q->magic ^= 1; }
static void type(struct soft_quote *q) { q->type = 0x8019; }
static void signer(struct soft_quote *q) { q->signer = b.signer; }
static void fewer(struct soft_quote *q) { q->selection.bank[0].pcrs &= ~1u; }
static void none(struct soft_quote *q) { q->selection.count = 0; }
static void twice(struct soft_quote *q) { q->selection.bank[1] = q->selection.bank[0]; q->selection.count = 2; }
static void digest_of_others(struct soft_quote *q) { q->pcr_digest[0] ^= 1; }

static const struct { const char *label; void (*change)(struct soft_quote *); const char *reason; } pairs[] = {
	{ "row 39: purpose",            purpose,      "context-differs" },
	{ "row 39: nonce",              nonce,        "context-differs" },
	{ "row 39: host",               host,         "context-differs" },
	{ "row 39: boot",               boot,         "context-differs" },
	{ "row 39: boot log",           log_digest,   "context-differs" },
	{ "row 39: ima_from signed",    ima_signed,   "context-differs" },
	{ "row 39: ima_from sent",      ima_sent,     "context-differs" },
	{ "row 39: facts signed",       facts_signed, "context-differs" },
	{ "row 39: facts sent",         facts_sent,   "context-differs" },
	{ "row 39: audience",           audience,     "context-differs" },
	{ "row 39: user",               user,         "context-differs" },
	{ "row 5: challenge altered",   challenge,    "challenge-invalid" },
	{ "row 1: magic",               magic,        "quote-magic" },
	{ "row 2: type",                type,         "quote-type" },
	{ "signer of another host",     signer,       "signer-differs" },
	{ "row 3: a PCR less",          fewer,        "selection-differs" },
	{ "row 3: no bank",             none,         "selection-differs" },
	{ "row 3: a bank twice",        twice,        "selection-differs" },
	{ "row 9: log does not replay", digest_of_others, "evidence-lost" },
};

START_TEST(what_is_re_paired_is_refused)
{
	struct soft_quote q;

	approve_boot_of(&a);
	for (unsigned i = 0; i < COUNT(pairs); i++) {
		ck_assert(soft_challenge(&lab, &a, &q, &r));
		pairs[i].change(&q);
		soft_attest(&lab, &q, &r);
		ck_assert_msg(!strcmp(reply_reason(&r), pairs[i].reason), "%s: %s", pairs[i].label, r.body);
		ck_assert_msg(!strstr(r.body, "\"affirming\""), "%s", pairs[i].label);
	}
	ck_assert_str_eq(attest(&a), "ok");
}
END_TEST

START_TEST(a_worker_that_dies_costs_one_request)
{
	struct soft_quote q;
	char byte[16];
	int parse;
	uint64_t job;

	lab_kill_core(&lab);
	lab_start(&lab, 0, 1);
	parse = lab_channel(&lab, ROLE_PARSE, 0);
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	{
		own(mem) uint8_t *body = NULL;
		size_t len;

		body = soft_evidence(&q, &len);
		job = lab_send(&lab, MSG_EVIDENCE, body, len);
	}
	ck_assert(recv(parse, byte, sizeof(byte), MSG_PEEK) > 0);       /* it has the log ... */
	close(parse);                                                   /* ... and dies of it */
	lab_receive(lab.hosts, &r);
	ck_assert_uint_eq(r.job, job);
	ck_assert_msg(r.status >= 500, "%d %s", r.status, r.body);
	ck_assert_str_eq(reply_reason(&r), "verifier-error");
}
END_TEST

START_TEST(row_33_a_parser_that_lies_is_no_pass)
{
	struct soft_quote q;
	uint8_t junk[64] = { 1, 2, 3 };
	struct error e;
	own(frame) struct frame f = { .peer_fd = -1 };
	bool got = false;
	int parse;

	lab_kill_core(&lab);
	lab_start(&lab, 0, 1);
	parse = lab_channel(&lab, ROLE_PARSE, 0);
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	{
		own(mem) uint8_t *body = NULL;
		size_t len;

		body = soft_evidence(&q, &len);
		lab_send(&lab, MSG_EVIDENCE, body, len);
	}
	ck_assert(recv(parse, junk + 32, 1, MSG_PEEK) > 0);
	ck_assert_msg(ipc_receive(parse, ROLE_PARSE, &f, &got, &e) && got, "%s", e.why);
	ck_assert(ipc_send(parse, ROLE_PARSE, MSG_PARSED_LOG, f.job, junk, 32, -1, &e));
	lab_receive(lab.hosts, &r);
	ck_assert_msg(r.status >= 500 || !strcmp(reply_reason(&r), "eventlog-malformed") ||
	    !strcmp(reply_reason(&r), "eventlog-mismatch"), "%d %s", r.status, r.body);
	ck_assert_ptr_null(strstr(r.body, "\"affirming\""));
	close(parse);
}
END_TEST

/* The only judge hangs: all who wait hear so in time, and none gets a pass. */
START_TEST(a_hundred_wait_for_a_worker_that_hangs)
{
	enum { WAITING = 100, JUDGE = 1, IN_TIME_MS = 12 * 1000 };
	int64_t began;

	approve_boot_of(&a);
	kill(lab.worker[JUDGE], SIGSTOP);
	began = clock_mono();
	for (int i = 0; i < WAITING; i++) {
		own(mem) uint8_t *body = NULL;
		struct soft_quote q;
		size_t len;

		ck_assert(soft_challenge(&lab, &a, &q, &r));
		body = soft_evidence(&q, &len);
		lab_send(&lab, MSG_EVIDENCE, body, len);
	}
	for (int i = 0; i < WAITING; i++) {
		lab_receive(lab.hosts, &r);
		ck_assert_msg(r.status == 503, "%d: %d %s", i, r.status, r.body);
		ck_assert_str_eq(reply_reason(&r), "verifier-error");
	}
	ck_assert_int_lt(clock_mono() - began, IN_TIME_MS);
	kill(lab.worker[JUDGE], SIGKILL);
}
END_TEST

/* Nanoseconds on a CPU. */
static unsigned long long
cpu_of(pid_t pid)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "re");
	ck_assert(f && fscanf(f, "%llu", &ns) == 1);
	fclose(f);
	return ns;
}

/* What does not fit into a frame goes as sealed memory, which sandboxed workers have to be able to take. */
START_TEST(a_log_that_fills_no_frame)
{
	enum { LARGE = 3 * IPC_INLINE_MAX };

	a.log = realloc(a.log, LARGE);
	ck_assert_ptr_nonnull(a.log);
	memset(a.log + a.log_len, 0, LARGE - a.log_len);        /* as firmware pads */
	a.log_len = LARGE;
	approve_boot_of(&a);
	ck_assert_str_eq(attest(&a), "ok");
}
END_TEST

/* A signature that does not hold buys nobody a look at four megabytes of log. */
START_TEST(row_47_a_bad_signature_brings_no_log_to_parse)
{
	enum { PARSER = 0 };
	own(mem) uint8_t *large = calloc(1, BOOT_LOG_MAX);
	unsigned long long before;
	struct soft_quote q;

	approve_boot_of(&a);
	before = cpu_of(lab.worker[PARSER]);
	for (int i = 0; i < 10; i++) {
		ck_assert(soft_challenge(&lab, &a, &q, &r));
		q.key = b.key;
		q.log = large;
		q.log_len = BOOT_LOG_MAX;
		q.with_log = true;
		ck_assert(digest_sha256(large, BOOT_LOG_MAX, q.log_digest));
		soft_attest(&lab, &q, &r);
		ck_assert_str_eq(reply_reason(&r), "quote-signature");
	}
	ck_assert_msg(cpu_of(lab.worker[PARSER]) == before, "the parser has worked");
}
END_TEST

/* The listener for hosts was taken over, and speaks as others do: as an administrator with a face, a worker, main itself. */
static const struct { enum message type; enum role from; } claims[] = {
	{ MSG_ADMIN, ROLE_ADMIN }, { MSG_JUDGED_QUOTE, ROLE_JUDGE }, { MSG_JUDGED_BOOT, ROLE_JUDGE }, { MSG_PARSED_LOG, ROLE_PARSE },
	{ MSG_CHANNEL, ROLE_MAIN },
};

START_TEST(row_32_a_listener_for_hosts_is_nobody_else)
{
	struct admin_request revoke = { .op = ADMIN_REVOKE, .host = "host-a", .reason = "stolen" };
	const uint8_t channel[6] = { ROLE_ADMIN, 9, 0, 0, 0, 1 };
	uint8_t payload[1024];
	struct writer w = wr_open(payload, sizeof(payload));
	own(frame) struct frame f = { .peer_fd = -1 };
	struct pollfd core = { .events = POLLIN };
	struct error e = { .code = ERR_NONE };
	bool is_admin = claims[_i].type == MSG_ADMIN, is_main = claims[_i].type == MSG_CHANNEL, got = false;
	int face[2];

	approve_boot_of(&a);
	admin_request_pack(&revoke, &w);
	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, face));       /* whose user is root */
	ck_assert_msg(ipc_send(lab.hosts, claims[_i].from, claims[_i].type, 1, is_main ? channel : payload,
	    is_main ? sizeof(channel) : w.used, is_admin || is_main ? face[0] : -1, &e), "%s", e.why);
	core.fd = lab.hosts;
	ck_assert_int_eq(poll(&core, 1, 5000), 1);
	ck_assert_int_eq(recv(lab.hosts, payload, sizeof(payload), MSG_DONTWAIT), 0);
	/* and main is asked for another one */
	core.fd = lab.to_core;
	ck_assert_int_eq(poll(&core, 1, 5000), 1);
	ck_assert_msg(ipc_receive(lab.to_core, ROLE_MAIN, &f, &got, &e) && got, "%s", e.why);
	ck_assert(f.type == MSG_RENEW && rd_u8(&f.payload, "role") == ROLE_HOSTS);
	close(lab.hosts);
	close(face[0]);
	close(face[1]);
	lab.hosts = lab_channel(&lab, ROLE_HOSTS, 0);
	ck_assert_str_eq(attest(&a), "ok");
}
END_TEST

START_TEST(a_revoked_host_is_refused_at_once)
{
	struct admin_request revoke = { .op = ADMIN_REVOKE, .host = "host-a", .reason = "stolen" };

	approve_boot_of(&a);
	ck_assert_str_eq(attest(&a), "ok");
	lab_admin(&lab, &revoke, &r);
	ck_assert_int_eq(r.status, 200);
	{
		struct soft_quote q;

		if (soft_challenge(&lab, &a, &q, &r))
			soft_attest(&lab, &q, &r);
	}
	ck_assert_str_eq(reply_reason(&r), "host-revoked");
	ck_assert_str_eq(attest(&b), "ok");               /* the other host is judged for itself */
}
END_TEST

/* Its challenge is refused, or what answers it; the main reason. */
static const char *
asks(struct soft_host *h)
{
	struct soft_quote q;

	if (soft_challenge(&lab, h, &q, &r))
		soft_attest(&lab, &q, &r);
	return reply_reason(&r);
}

static int
change(enum admin_op op, const char *host, const char *name, const char *confirm)
{
	struct admin_request ask = { .op = op, .reason = "test" };

	snprintf(ask.host, sizeof(ask.host), "%s", host);
	snprintf(ask.name, sizeof(ask.name), "%s", name);
	snprintf(ask.confirm, sizeof(ask.confirm), "%s", confirm);
	lab_admin(&lab, &ask, &r);
	return r.status;
}
#define CHANGES(code, ...) ck_assert_msg(change(__VA_ARGS__) == (code), "%d %s", r.status, r.body)

START_TEST(a_revoked_host_is_reinstated)
{
	struct admin_request silent = { .op = ADMIN_REINSTATE, .host = "host-a" };

	approve_boot_of(&a);
	CHANGES(409, ADMIN_REINSTATE, "host-a", "", "");
	CHANGES(200, ADMIN_REVOKE, "host-a", "", "");
	CHANGES(409, ADMIN_REVOKE, "host-a", "", "");
	ck_assert_str_eq(asks(&a), "host-revoked");
	lab_admin(&lab, &silent, &r);
	ck_assert_int_eq(r.status, 400);
	CHANGES(200, ADMIN_REINSTATE, "host-a", "", "");
	ck_assert_str_eq(asks(&a), "ok");
	CHANGES(200, ADMIN_AUDIT, "", "", "");
	ck_assert_ptr_nonnull(strstr(r.body, "\"action\":\"reinstate\""));
}
END_TEST

START_TEST(a_name_is_one_hosts)
{
	approve_boot_of(&a);
	CHANGES(409, ADMIN_RENAME, "host-a", "host-b", "");
	CHANGES(400, ADMIN_RENAME, "host-a", "host a", "");
	CHANGES(400, ADMIN_RENAME, "host-a", "", "");
	CHANGES(404, ADMIN_RENAME, "host-x", "host-z", "");
	CHANGES(200, ADMIN_RENAME, "host-a", "host-z", "");
	ck_assert_ptr_nonnull(strstr(r.body, "\"name\":\"host-z\""));
	CHANGES(404, ADMIN_SHOW, "host-a", "", "");
	ck_assert_str_eq(asks(&a), "ok");
	CHANGES(200, ADMIN_REVOKE, "host-z", "", "");
	CHANGES(200, ADMIN_RENAME, "host-b", "host-z", "");
	CHANGES(409, ADMIN_REINSTATE, a.id, "", "");     /* its name is another's by now */
	CHANGES(200, ADMIN_RENAME, a.id, "host-a", "");
	CHANGES(200, ADMIN_REINSTATE, a.id, "", "");
	ck_assert_str_eq(asks(&a), "ok");
}
END_TEST

START_TEST(a_removed_host_is_a_stranger)
{
	approve_boot_of(&a);
	ck_assert_str_eq(attest(&b), "ok");
	CHANGES(409, ADMIN_REMOVE, "host-a", "", "");
	ck_assert_ptr_nonnull(strstr(r.body, "is active"));
	CHANGES(200, ADMIN_REMOVE, "host-a", "", "1");
	CHANGES(404, ADMIN_SHOW, "host-a", "", "");
	ck_assert_str_eq(asks(&a), "not-enrolled");
	ck_assert_str_eq(asks(&b), "ok");                 /* the group's set stays good */
	CHANGES(200, ADMIN_REVOKE, "host-b", "", "");
	CHANGES(200, ADMIN_REMOVE, "host-b", "", "");
	CHANGES(200, ADMIN_AUDIT, "", "", "");
	ck_assert_ptr_nonnull(strstr(r.body, "\"action\":\"remove\""));
	ck_assert_ptr_nonnull(strstr(r.body, "\"intact\":true"));
}
END_TEST

/* --- what administrators do while a judge has the question --- */

enum { SLOW_JUDGE = 1 };

/* Two judges, of which the first is asked first and answers when it is let. */
static void
hold_a_judge(void)
{
	lab_kill_core(&lab);
	lab_start(&lab, 1, 2);
	ck_assert_str_eq(attest(&a), "ok");
	ck_assert(!kill(lab.worker[SLOW_JUDGE], SIGSTOP));
}

static void
send_attest(struct soft_host *h)
{
	own(mem) uint8_t *body = NULL;
	struct soft_quote q;
	size_t len;

	ck_assert(soft_challenge(&lab, h, &q, &r));
	body = soft_evidence(&q, &len);
	(void)lab_send(&lab, MSG_EVIDENCE, body, len);
}

static void
let_go(void)
{
	ck_assert(!kill(lab.worker[SLOW_JUDGE], SIGCONT));
}

START_TEST(a_verdict_on_a_set_that_was_revoked_meanwhile_is_none)
{
	struct admin_request revoke = { .op = ADMIN_WITHDRAW, .set = "base", .reason = "stolen key", .confirm = "1" };
	struct error e = { .code = ERR_NONE };
	struct host_row h;
	struct store *s;

	approve_boot_of(&a);
	hold_a_judge();
	send_attest(&a);
	lab_admin(&lab, &revoke, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	let_go();
	lab_receive(lab.hosts, &r);
	ck_assert_msg(r.status == 403 && !strcmp(reply_reason(&r), "challenge-expired"), "%d %s", r.status, r.body);
	lab_kill_core(&lab);
	s = lab_store(&lab);
	ck_assert(store_host_by_name(s, "host-a", &h, &e));
	ck_assert_str_eq(reason_code(h.reason), "reference-revoked");
	store_close(s);
	lab_start(&lab, 1, 1);
	ck_assert_str_eq(attest(&a), "reference-revoked");
}
END_TEST

START_TEST(a_verdict_by_what_no_longer_counts_is_none)
{
	static const struct admin_request changes[] = {
		{ .op = ADMIN_CEILING, .group = "default", .ceiling = "audit", .duration = "1h", .reason = "test" },
		{ .op = ADMIN_TOKEN },          /* changes nothing for this host */
	};

	approve_boot_of(&a);
	hold_a_judge();
	send_attest(&a);
	lab_admin(&lab, &changes[_i], &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	let_go();
	lab_receive(lab.hosts, &r);
	ck_assert_str_eq(reply_reason(&r), _i ? "ok" : "challenge-expired");
	ck_assert_str_eq(attest(&a), "ok");
}
END_TEST

/* Sent after a later one it would be refused; judged beside it, it does not take its place. */
START_TEST(a_quote_that_was_overtaken_is_none)
{
	struct error e = { .code = ERR_NONE };
	struct host_row h;
	struct store *s;

	approve_boot_of(&a);
	hold_a_judge();
	send_attest(&a);
	ck_assert_str_eq(attest(&a), "ok");
	let_go();
	lab_receive(lab.hosts, &r);
	ck_assert_msg(r.status == 403 && !strcmp(reply_reason(&r), "challenge-expired"), "%d %s", r.status, r.body);
	lab_kill_core(&lab);
	s = lab_store(&lab);
	ck_assert(store_host_by_name(s, "host-a", &h, &e));
	ck_assert_uint_eq(h.clock, a.clock);
	store_close(s);
}
END_TEST

/* The others whose verdicts are written with it are not held up. */
START_TEST(a_verdict_on_a_host_that_was_removed_meanwhile_is_none)
{
	approve_boot_of(&a);
	hold_a_judge();
	send_attest(&a);
	CHANGES(200, ADMIN_REMOVE, "host-a", "", "1");
	let_go();
	lab_receive(lab.hosts, &r);
	ck_assert_msg(r.status == 503 && strstr(r.body, "enrollment changed meanwhile"), "%d %s", r.status, r.body);
	ck_assert_str_eq(asks(&a), "not-enrolled");
	ck_assert_str_eq(attest(&b), "ok");
}
END_TEST

/* While hosts are judged with the set that one wants back, another one revokes it. */
START_TEST(a_set_that_was_revoked_meanwhile_is_not_made_active)
{
	struct admin_request retire = { .op = ADMIN_RETIRE, .set = "base", .reason = "test", .confirm = "1" };
	struct admin_request slow = { .op = _i ? ADMIN_RETIRE : ADMIN_ACTIVATE, .set = "base", .reason = "test", .confirm = "1" };
	struct admin_request revoke = { .op = ADMIN_WITHDRAW, .set = "base", .reason = "stolen key", .confirm = "1" };

	approve_boot_of(&a);
	hold_a_judge();
	if (!_i) {
		let_go();
		lab_admin(&lab, &retire, &r);
		ck_assert_msg(r.status == 200, "%s", r.body);
		ck_assert(!kill(lab.worker[SLOW_JUDGE], SIGSTOP));
	}
	lab_admin_send(&lab, &slow);
	lab_admin(&lab, &revoke, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	let_go();
	lab_admin_receive(&lab, &r);
	ck_assert_msg(r.status == 409 && strstr(r.body, "revoked meanwhile"), "%d %s", r.status, r.body);
	ck_assert_str_eq(attest(&a), "reference-revoked");
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_lab, close_lab);
	tcase_add_test(tc, a_known_boot_is_good);
	tcase_add_test(tc, a_set_that_ended_permits_nothing);
	tcase_add_test(tc, row_25_a_candidate_permits_nothing);
	tcase_add_test(tc, row_5_a_reply_is_good_once);
	tcase_add_test(tc, row_5_of_sixteen_at_once_one_passes);
	tcase_add_test(tc, row_5_challenge_of_one_host_evidence_of_another);
	tcase_add_test(tc, row_5_used_stays_used_after_kill_9);
	tcase_add_test(tc, a_challenge_outlives_a_restart);
	tcase_add_test(tc, row_7_an_unknown_key_gets_no_verdict);
	tcase_add_test(tc, what_is_re_paired_is_refused);
	tcase_add_test(tc, a_worker_that_dies_costs_one_request);
	tcase_add_test(tc, row_33_a_parser_that_lies_is_no_pass);
	tcase_add_test(tc, a_hundred_wait_for_a_worker_that_hangs);
	tcase_add_test(tc, a_log_that_fills_no_frame);
	tcase_add_test(tc, row_47_a_bad_signature_brings_no_log_to_parse);
	tcase_add_loop_test(tc, row_32_a_listener_for_hosts_is_nobody_else, 0, COUNT(claims));
	tcase_add_test(tc, a_revoked_host_is_refused_at_once);
	tcase_add_test(tc, a_revoked_host_is_reinstated);
	tcase_add_test(tc, a_name_is_one_hosts);
	tcase_add_test(tc, a_removed_host_is_a_stranger);
	tcase_add_test(tc, a_verdict_on_a_set_that_was_revoked_meanwhile_is_none);
	tcase_add_loop_test(tc, a_verdict_by_what_no_longer_counts_is_none, 0, 2);
	tcase_add_test(tc, a_quote_that_was_overtaken_is_none);
	tcase_add_test(tc, a_verdict_on_a_host_that_was_removed_meanwhile_is_none);
	tcase_add_loop_test(tc, a_set_that_was_revoked_meanwhile_is_not_made_active, 0, 2);
}

int main(void) { return unit_run("core", add); }
