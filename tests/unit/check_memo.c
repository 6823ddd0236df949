/*
 * verifierd-core with its real judge; this test is main, net, and the parse worker: an honest one, or one that a host
 * has subverted (row 33). What a parser said of a log is kept; what was judged by it is not (row 34).
 */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "clock.h"
#include "core_lab.h"
#include "eventlog.h"
#include "unit.h"

static struct lab lab;
static struct soft_host a, b, twin;     /* twin's is another one of the same boot */
static struct reply r;
static int parser;
enum { PADDING = 64 };
static unsigned asked;                  /* times the parser was */

static void
open_lab(void)
{
	lab_open(&lab);
	soft_host(&lab, &a, "host-a", "sb-shimgrub-a");
	soft_host(&lab, &b, "host-b", "sb-shimgrub-a");
	soft_host(&lab, &twin, "host-c", "sb-shimgrub-a");
	twin.log = realloc(twin.log, twin.log_len + PADDING);
	ck_assert_ptr_nonnull(twin.log);
	memset(twin.log + twin.log_len, 0, PADDING);
	twin.log_len += PADDING;
	lab_start(&lab, 1, 1);
	parser = -1;
}

static void
close_lab(void)
{
	if (parser >= 0)
		close(parser);
	soft_host_free(&a);
	soft_host_free(&b);
	soft_host_free(&twin);
	lab_close(&lab);
}

static void
another_parser(void)
{
	if (parser >= 0)
		close(parser);
	parser = lab_channel(&lab, ROLE_PARSE, 0);
}

/* --- the parser */

enum manner { HONEST, GARBAGE, EMPTY, WRONG_JOB, WRONG_TYPE, LACKS_AN_EVENT, ALTERS_A_DIGEST, COUNTS_TOO_MANY, SAYS_NO, DIES, HANGS };

/* The last event whose PCR the default policy looks at. */
static struct event *
last_measured(const struct eventlog *log)
{
	for (unsigned i = log->count; i--;)
		if (log->event[i].pcr == 4 || log->event[i].pcr == 8 || log->event[i].pcr == 9)
			return &log->event[i];
	ck_abort_msg("a log without a boot loader");
	return NULL;
}

static void
lie(struct eventlog *log, enum manner m)
{
	struct event *e = last_measured(log);

	if (m == LACKS_AN_EVENT)
		*e = log->event[--log->count];
	if (m == ALTERS_A_DIGEST)
		for (unsigned bank = 0; bank < COUNT(e->digest); bank++)
			e->digest[bank][0] ^= 1;
}

static size_t
parsed(const uint8_t *bytes, size_t len, enum manner m, uint8_t *out, size_t size)
{
	own(eventlog) struct eventlog log = { .event = NULL };
	struct writer w = wr_open(out, size);
	struct error e;

	ck_assert_msg(eventlog_parse(bytes, len, &log, &e), "%s", e.why);
	lie(&log, m);
	wr_u8(&w, 1, "ok");
	eventlog_pack(&log, &w);
	ck_assert(wr_ok(&w, &e));
	/* The first field behind banks and locality is the count. */
	if (m == COUNTS_TOO_MANY)
		memset(out + 3, 0xff, 4);
	return w.used;
}

static void
answer(enum manner m)
{
	static uint8_t out[4 << 20];
	own(frame) struct frame f = { .peer_fd = -1 };
	struct error e = { .code = ERR_NONE };
	enum message type = MSG_PARSED_LOG;
	bool got = false;
	size_t len;

	if (!ipc_receive(parser, ROLE_PARSE, &f, &got, &e) || !got) {
		close(parser);          /* core has given it up */
		parser = -1;
		return;
	}
	asked++;
	len = parsed(f.payload.pos, f.payload.left, m, out, sizeof(out));
	switch (m) {
	case HANGS:
		return;
	case DIES:
		close(parser);
		parser = -1;
		return;
	case GARBAGE:
		memset(out + 1, 0xa5, len - 1);
		break;
	case EMPTY:
		len = 1;
		break;
	case SAYS_NO:
		out[0] = 0;
		len = 6;
		memcpy(out + 1, "never", 5);
		break;
	case WRONG_TYPE:
		type = MSG_PARSED_ENROLL;
		len = 64;
		break;
	default:
		break;
	}
	ck_assert_msg(ipc_send(parser, ROLE_PARSE, type, f.job + (m == WRONG_JOB), out, len, -1, &e), "%s", e.why);
}

/* --- a host */

static const char *
send_quote(const struct soft_quote *q, enum manner m)
{
	own(mem) uint8_t *body = NULL;
	struct pollfd p[2] = { { .fd = lab.hosts, .events = POLLIN }, { .fd = parser, .events = POLLIN } };
	size_t len;
	uint64_t job;

	body = soft_evidence(q, &len);
	job = lab_send(&lab, MSG_EVIDENCE, body, len);
	for (;;) {
		p[1].fd = parser;
		ck_assert_msg(poll(p, 2, 20000) > 0, "core does not answer");
		if (p[0].revents)
			break;
		answer(m);
	}
	lab_receive(lab.hosts, &r);
	ck_assert_uint_eq(r.job, job);
	return reply_reason(&r);
}

static const char *
attest(struct soft_host *h, enum manner m)
{
	struct soft_quote q;

	ck_assert_msg(soft_challenge(&lab, h, &q, &r), "challenge: %d %s", r.status, r.body);
	return send_quote(&q, m);
}

/* a has booted again, alike, and its log of it is as good and not the same: more padding behind it. */
static void
boot_again(void)
{
	uint8_t *log = a.log;
	size_t len = a.log_len;

	a.log = twin.log;
	a.log_len = twin.log_len;
	twin.log = log;
	twin.log_len = len;
}

/* Approved with the real parser; then this test takes its place. */
static void
approve_boot(void)
{
	struct admin_request capture = { .op = ADMIN_CAPTURE, .set = "base", .reason = "test", .host = "host-a" };
	struct admin_request activate = { .op = ADMIN_ACTIVATE, .set = "base", .reason = "test" };

	ck_assert_str_eq(attest(&a, HONEST), "no-reference");
	lab_admin(&lab, &capture, &r);
	ck_assert_msg(r.status == 200, "%s", reply_reason(&r));
	lab_admin(&lab, &activate, &r);
	ck_assert_msg(r.status == 200, "%s", reply_reason(&r));
	kill(lab.worker[0], SIGKILL);
	waitpid(lab.worker[0], NULL, 0);
	lab.worker[0] = 0;
	another_parser();
	asked = 0;
	ck_assert_str_eq(attest(&a, HONEST), "ok");
	ck_assert_str_eq(attest(&b, HONEST), "ok");             /* the set is a's, and so is the boot, to the last digest */
	ck_assert_uint_eq(asked, 0);            /* from the memo, for both */
}

/* --- row 33 */

static const struct { const char *label; enum manner manner; const char *reason; } lies[] = {
	{ "garbage", GARBAGE, "evidence-lost" },
	{ "an empty log", EMPTY, "evidence-lost" },
	{ "an answer to another job", WRONG_JOB, "verifier-error" },
	{ "an answer of another kind", WRONG_TYPE, "verifier-error" },
	{ "a log that lacks an event", LACKS_AN_EVENT, "evidence-lost" },
	{ "a log with an altered digest", ALTERS_A_DIGEST, "evidence-lost" },
	{ "a log that counts more than it has", COUNTS_TOO_MANY, "evidence-lost" },
	{ "it says that the log is malformed", SAYS_NO, "evidence-lost" },
	{ "it dies", DIES, "verifier-error" },
	{ "it hangs", HANGS, "verifier-error" },
};

START_TEST(row_33_a_subverted_parser_does_not_outlive_its_host)
{
	const char *reason;

	approve_boot();
	boot_again();
	reason = attest(&a, lies[_i].manner);
	ck_assert_msg(!strcmp(reason, lies[_i].reason), "%s: %s", lies[_i].label, reply_reason(&r));
	ck_assert_msg(!strstr(r.body, "\"affirming\"") && !strstr(r.body, "\"warning\""), "%s", lies[_i].label);
	ck_assert_uint_eq(asked, 1);
	/* Whose log is known is served meanwhile. */
	ck_assert_msg(!strcmp(attest(&b, HONEST), "ok"), "%s: another host: %s", lies[_i].label, reply_reason(&r));
	ck_assert_uint_eq(asked, 1);
	/* No memo: the next parser is asked, and its word counts. */
	another_parser();
	ck_assert_msg(!strcmp(attest(&a, HONEST), "ok"), "%s: afterwards: %s", lies[_i].label, reply_reason(&r));
	ck_assert_uint_eq(asked, 2);
}
END_TEST

static void
replayed(const struct soft_host *h, enum manner m, struct soft_quote *q)
{
	own(eventlog) struct eventlog log = { .event = NULL };
	static struct replay values;
	uint8_t digest[DIGEST_MAX];
	struct error e;
	size_t n;

	ck_assert(eventlog_parse(h->log, h->log_len, &log, &e));
	lie(&log, m);
	ck_assert(eventlog_replay(&log, &values, &e) && replay_digest(&values, &q->selection, BANK_SHA256, digest, &n, &e));
	memcpy(q->pcr_digest, digest, sizeof(q->pcr_digest));
}

/* A host quotes the very PCRs that its parser lies about, so that the lie replays, and is kept for that log. */
START_TEST(row_33_a_lie_that_replays_refuses_nobody_else)
{
	struct soft_quote q;

	approve_boot();
	boot_again();
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	replayed(&a, LACKS_AN_EVENT, &q);
	ck_assert_msg(strcmp(send_quote(&q, LACKS_AN_EVENT), "ok") != 0, "%s", reply_reason(&r));
	ck_assert_ptr_null(strstr(r.body, "\"affirming\""));
	ck_assert_uint_eq(asked, 1);
	another_parser();
	ck_assert_msg(!strcmp(attest(&a, HONEST), "ok"), "%s", reply_reason(&r));
	ck_assert_uint_eq(asked, 2);
	ck_assert_str_eq(attest(&a, HONEST), "ok");
	ck_assert_uint_eq(asked, 2);            /* the truth is in its place */
}
END_TEST

/* --- row 34: the memo is warm, and something that the verdict depends on changes */

static void
state_of_set(enum set_state s)
{
	own(store) struct store *st = lab_store(&lab);
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(store_begin(st, &e) && store_set_state(st, "base", 1, s, 0, &e) && store_commit(st, &e), "%s", e.why);
}

static void retired(struct soft_quote *q) { (void)q; state_of_set(SET_RETIRED); }
static void revoked(struct soft_quote *q) { (void)q; state_of_set(SET_REVOKED); }
static void candidate(struct soft_quote *q) { (void)q; state_of_set(SET_CANDIDATE); }

/* The same content, active, and over, or another group's. */
static void
replace_set(int64_t expires, const char *group)
{
	own(store) struct store *st = lab_store(&lab);
	own(set_row) struct set_row row = { .body = NULL };
	struct error e = { .code = ERR_NONE };
	uint32_t version;

	ck_assert(store_set(st, "base", 1, &row, &e));
	row.expires = expires;
	snprintf(row.group, sizeof(row.group), "%s", group);
	ck_assert_msg(store_begin(st, &e) && store_set_state(st, "base", 1, SET_RETIRED, 0, &e) &&
	    store_set_add(st, &row, &version, &e) && store_commit(st, &e), "%s", e.why);
}

static void expired(struct soft_quote *q) { (void)q; replace_set(clock_now().wall - 1000, "default"); }
static void other_group(struct soft_quote *q) { (void)q; replace_set(0, "databases"); }
static void fewer(struct soft_quote *q) { q->selection.bank[0].pcrs &= ~(1u << 9); replayed(&a, HONEST, q); }
static void other_bank(struct soft_quote *q) { q->selection.bank[0].alg = 0x0004; }
static void other_pcrs(struct soft_quote *q) { q->pcr_digest[0] ^= 1; }
static void other_key(struct soft_quote *q) { q->key = b.key; }
static void back_in_time(struct soft_quote *q) { q->clock = 1; }

static const struct { const char *label; void (*change)(struct soft_quote *); const char *reason; unsigned parses; } changes[] = {
	{ "the set is retired", retired, "no-reference", 0 },
	{ "the set is revoked", revoked, "reference-revoked", 0 },
	{ "the set is a candidate again", candidate, "pending-approval", 0 },
	{ "the set has expired", expired, "no-reference", 0 },
	{ "the set is for another group", other_group, "no-reference", 0 },
	{ "fewer PCRs are quoted", fewer, "selection-differs", 0 },
	{ "another bank is quoted", other_bank, "selection-differs", 0 },
	{ "other values of the PCRs", other_pcrs, "evidence-lost", 1 },
	{ "another key signs", other_key, "quote-signature", 0 },
	{ "a TPM clock that went back", back_in_time, "clock-backwards", 0 },
};

START_TEST(row_34_a_known_log_is_appraised_again)
{
	struct soft_quote q;

	approve_boot();
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	changes[_i].change(&q);
	send_quote(&q, HONEST);
	ck_assert_msg(!strcmp(reply_reason(&r), changes[_i].reason), "%s: %s", changes[_i].label, reply_reason(&r));
	ck_assert_msg(!strstr(r.body, "\"affirming\"") && !strstr(r.body, "\"warning\""), "%s", changes[_i].label);
	ck_assert_uint_eq(asked, changes[_i].parses);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_lab, close_lab);
	tcase_add_loop_test(tc, row_33_a_subverted_parser_does_not_outlive_its_host, 0, COUNT(lies));
	tcase_add_test(tc, row_33_a_lie_that_replays_refuses_nobody_else);
	tcase_add_loop_test(tc, row_34_a_known_log_is_appraised_again, 0, COUNT(changes));
}

int
main(void)
{
	return unit_run("memo", add);
}
