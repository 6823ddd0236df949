#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include "clock.h"
#include "net_lab.h"
#include "unit.h"

/* A job of verifierd-net lives 10 s; it looks every quarter of a second. */
enum { DEADLINE = 10 * 1000, SLACK = 1500 };

static struct net_lab lab;
static struct heard heard;

static void hosts_up(void) { net_lab_open(&lab, false); }
static void admin_up(void) { net_lab_open(&lab, true); }
static void down(void) { net_lab_close(&lab); }

/* --- TLS --- */

START_TEST(only_tls_1_3)
{
	struct client c;

	ck_assert(!client_open(&lab, &c, TLS1_2_VERSION, NULL));
	client_close(&c);
	ck_assert(client_open(&lab, &c, TLS1_3_VERSION, NULL));
	ck_assert_int_eq(SSL_version(c.ssl), TLS1_3_VERSION);
	still_serves(&lab, &c, "{}");
	client_close(&c);
}
END_TEST

START_TEST(another_ca_does_not_vouch_for_it)
{
	struct net_lab other;
	struct client c;
	char ca[128];

	net_lab_open(&other, false);
	snprintf(ca, sizeof(ca), "%s/tls/ca.pem", other.dir);
	ck_assert(!client_open(&lab, &c, 0, ca));
	client_close(&c);
	net_lab_close(&other);
	ck_assert(client_open(&lab, &c, 0, NULL));
	client_close(&c);
}
END_TEST

static bool
served_for(const char *name)
{
	struct client c;
	bool is;

	ck_assert(client_open(&lab, &c, 0, NULL));
	is = X509_check_host(SSL_get0_peer_certificate(c.ssl), name, 0, 0, NULL) == 1;
	client_close(&c);
	return is;
}

/* Connections under the old certificate go on; a certificate that cannot be read changes nothing. */
START_TEST(hangup_reads_the_certificate_again)
{
	struct client c;
	char path[128];
	bool is = false;
	FILE *f;

	ck_assert(client_open(&lab, &c, 0, NULL));
	ck_assert(!served_for("new.example"));
	net_lab_certificate(&lab, "new.example");
	kill(lab.net, SIGHUP);
	for (int i = 0; i < 50 && !is; i++, usleep(50 * 1000))
		is = served_for("new.example");
	ck_assert(is);
	still_serves(&lab, &c, "{\"old\":1}");
	snprintf(path, sizeof(path), "%s/tls/server.pem", lab.dir);
	f = fopen(path, "w");
	fputs("damaged", f);
	fclose(f);
	kill(lab.net, SIGHUP);
	usleep(200 * 1000);
	ck_assert(served_for("new.example"));
	client_close(&c);
}
END_TEST

/* Without TCP_NODELAY each pair waits 40 ms for a delayed acknowledgement. */
START_TEST(two_requests_do_not_wait_for_each_other)
{
	enum { PAIRS = 25 };
	struct client c;
	int64_t began, took;

	ck_assert(client_open(&lab, &c, 0, NULL));
	still_serves(&lab, &c, "{}");
	began = clock_mono();
	for (int i = 0; i < 2 * PAIRS; i++)
		still_serves(&lab, &c, "{\"keys\":[]}");
	took = clock_mono() - began;
	ck_assert_msg(took < 20 * PAIRS, "%lld ms for %d pairs", (long long)took, PAIRS);
	client_close(&c);
}
END_TEST

/* --- requests and answers --- */

START_TEST(a_challenge_request_arrives_as_a_frame)
{
	struct challenge_request q = { .ak = { .size = 34 }, .boot_id = "5a0b2c1e-0f5e-4a8e-9a52-000000000001",
		.boot_log_len = 75000, .ima_count = 7 }, got;
	struct error e = { .code = ERR_NONE };
	own(mem) char *json = NULL;
	struct client c;
	struct frame f;
	size_t len;

	q.ak.bytes[1] = 0x0b;
	memset(q.boot_log, 0xb0, sizeof(q.boot_log));
	ck_assert_msg(challenge_request_json(&q, &json, &len, &e), "%s", e.why);
	ck_assert(client_open(&lab, &c, 0, NULL));
	client_ask(&c, "POST", "/v1/challenges", JSON_TYPE, json, len);
	ck_assert(core_take(&lab, SOON, &f));
	ck_assert_int_eq(f.type, MSG_CHALLENGE);
	ck_assert_int_eq(f.peer_fd, -1);
	ck_assert_msg(challenge_request_unpack(&f.payload, &got, &e), "%s", e.why);
	ck_assert(name_same(&q.ak, &got.ak));
	ck_assert_str_eq(got.boot_id, q.boot_id);
	ck_assert_mem_eq(got.boot_log, q.boot_log, sizeof(q.boot_log));
	ck_assert_uint_eq(got.boot_log_len, q.boot_log_len);
	ck_assert_uint_eq(got.ima_count, q.ima_count);
	core_reply(&lab, f.job, 200, "{\"challenge\":\"c\"}");
	frame_free(&f);
	ck_assert(client_hear(&c, SOON, &heard));
	ck_assert_int_eq(heard.status, 200);
	ck_assert_ptr_nonnull(strstr(heard.head, "Content-Type: application/json"));
	ck_assert_str_eq(heard.body, "{\"challenge\":\"c\"}");
	client_close(&c);
}
END_TEST

/* Inline and as sealed memory, with every byte there is; a 409 passes as core said it. */
START_TEST(evidence_passes_unread)
{
	const size_t len = _i ? 3 * IPC_INLINE_MAX : 1000;
	own(mem) uint8_t *body = malloc(len);
	struct client c;
	struct frame f;

	for (size_t i = 0; i < len; i++)
		body[i] = (uint8_t)(i * 7 + i / 256);
	ck_assert(client_open(&lab, &c, 0, NULL));
	client_ask(&c, "POST", "/v1/evidence", EVIDENCE_TYPE, body, len);
	ck_assert(core_take(&lab, SOON, &f));
	ck_assert_int_eq(f.type, MSG_EVIDENCE);
	ck_assert_uint_eq(f.payload.left, len);
	ck_assert_mem_eq(f.payload.pos, body, len);
	core_reply(&lab, f.job, 409, "{\"status\":409,\"reason\":\"needs-boot-log\",\"need\":\"boot_log\"}");
	frame_free(&f);
	ck_assert(client_hear(&c, SOON, &heard));
	is_problem(&heard, 409, "needs-boot-log");
	client_close(&c);
}
END_TEST

static const struct {
	const char *label, *method, *path, *lines, *body;
	int         status;
} refused[] = {
	{ "no such path",           "GET",  "/v1/nothing",      "", "", 404 },
	{ "administration",         "GET",  "/v1/admin/hosts",  "", "", 404 },
	{ "approval",               "POST", "/v1/admin/hosts/web7/approve", JSON_TYPE, "{}", 404 },
	{ "query",                  "GET",  "/.well-known/jwks.json?x", "", "", 404 },
	{ "method of another path", "GET",  "/v1/challenges",   "", "", 405 },
	{ "not JSON",               "POST", "/v1/challenges",   JSON_TYPE, "{", 400 },
	{ "markup in a member",     "POST", "/v1/challenges",   JSON_TYPE, "{\"boot_id\":\"<script>\"}", 400 },
	{ "type",                   "POST", "/v1/evidence",     JSON_TYPE, "x", 415 },
	{ "no bearer",              "GET",  "/v1/results/h",    "", "", 401 },
	{ "endless bearer",         "GET",  "/v1/results/h",    "Authorization: Bearer 00000000000000000000000000000000000000000000"
	    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\r\n", "", 401 },
};

/* Core hears of none of them, and the connection serves on. */
START_TEST(refused_without_core)
{
	struct client c;
	struct frame f;

	ck_assert(client_open(&lab, &c, 0, NULL));
	client_ask(&c, refused[_i].method, refused[_i].path, refused[_i].lines, refused[_i].body, strlen(refused[_i].body));
	ck_assert_msg(client_hear(&c, SOON, &heard), "%s: no answer", refused[_i].label);
	ck_assert_msg(heard.status == refused[_i].status, "%s: %d", refused[_i].label, heard.status);
	ck_assert_msg(strstr(heard.head, "application/problem+json"), "%s: %s", refused[_i].label, heard.head);
	ck_assert_msg(!strchr(heard.body, '<'), "%s: %s", refused[_i].label, heard.body);
	ck_assert(!core_take(&lab, 50, &f));
	still_serves(&lab, &c, "{}");
	client_close(&c);
}
END_TEST

/* What a 401 and a 405 must say beside their status, RFC 9110 sections 11.6.1 and 15.5.6. */
START_TEST(refusals_say_what_would_do)
{
	struct client c;

	ck_assert(client_open(&lab, &c, 0, NULL));
	client_ask(&c, "GET", "/v1/results/h", "", NULL, 0);
	ck_assert(client_hear(&c, SOON, &heard));
	ck_assert_ptr_nonnull(strstr(heard.head, "WWW-Authenticate: Bearer\r\n"));
	client_ask(&c, "GET", "/v1/challenges", "", NULL, 0);
	ck_assert(client_hear(&c, SOON, &heard));
	ck_assert_ptr_nonnull(strstr(heard.head, "Allow: POST\r\n"));
	client_ask(&c, "POST", "/healthz", "", NULL, 0);
	ck_assert(client_hear(&c, SOON, &heard));
	ck_assert_ptr_nonnull(strstr(heard.head, "Allow: GET\r\n"));
	client_close(&c);
}
END_TEST

/* A length over the limit is refused before the body is there; so are headers without an end. */
START_TEST(too_large)
{
	static const char body[] = "POST /v1/evidence HTTP/1.1\r\nHost: v\r\n" EVIDENCE_TYPE "Content-Length: 8388609\r\n\r\n";
	static char head[20 << 10] = "GET /healthz HTTP/1.1\r\nX: ";
	struct client c;
	struct frame f;

	memset(head + strlen(head), 'a', sizeof(head) - strlen(head) - 1);
	for (int i = 0; i < 2; i++) {
		ck_assert(client_open(&lab, &c, 0, NULL));
		client_say(&c, i ? head : body, i ? sizeof(head) - 1 : sizeof(body) - 1);
		if (client_hear(&c, SOON, &heard))
			ck_assert_int_eq(heard.status, i ? 431 : 413);
		client_close(&c);
	}
	ck_assert(!core_take(&lab, 50, &f));
	ck_assert(client_open(&lab, &c, 0, NULL));
	still_serves(&lab, &c, "{}");
	client_close(&c);
}
END_TEST

/* What two readers could understand differently (RFC 9112, sections 2.2, 3.2, 5, 6.3). The unit tables have them all. */
#define EVIL(lines) "POST /v1/challenges HTTP/1.1\r\nHost: v\r\n" JSON_TYPE lines
static const struct { const char *label, *text; size_t len; int status; } malformed[] = {
#define X(label, text, status) { label, text, sizeof(text) - 1, status }
	X("two lengths",        EVIL("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), 400),
	X("signed length",      EVIL("Content-Length: +2\r\n\r\n{}"), 400),
	X("length and coding",  EVIL("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"), 501),
	X("bare LF",            "POST /v1/challenges HTTP/1.1\r\nHost: v\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}", 400),
	X("folded line",        EVIL("X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}"), 400),
	X("space before colon", EVIL("Content-Length : 2\r\n\r\n{}"), 400),
	X("no Host",            "POST /v1/challenges HTTP/1.1\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}", 400),
	X("NUL",                EVIL("X: a\0b\r\nContent-Length: 2\r\n\r\n{}"), 400),
#undef X
};

static void
malformed_ends(unsigned i, bool byte_by_byte)
{
	struct client c;
	struct frame f;

	ck_assert(client_open(&lab, &c, 0, NULL));
	for (size_t at = 0; at < malformed[i].len; at += byte_by_byte ? 1 : malformed[i].len)
		client_say(&c, malformed[i].text + at, byte_by_byte ? 1 : malformed[i].len);
	ck_assert_msg(client_hear(&c, SOON, &heard), "%s: no answer", malformed[i].label);
	ck_assert_msg(heard.status == malformed[i].status, "%s: %d", malformed[i].label, heard.status);
	is_problem(&heard, malformed[i].status, "request-invalid");
	ck_assert_msg(client_ended(&c, SOON), "%s: stays open", malformed[i].label);
	ck_assert_msg(!core_take(&lab, 50, &f), "%s: came through", malformed[i].label);
	client_close(&c);
}

START_TEST(malformed_framing_ends_the_connection)
{
	struct client c;

	malformed_ends((unsigned)_i, false);
	malformed_ends((unsigned)_i, true);
	ck_assert(client_open(&lab, &c, 0, NULL));
	still_serves(&lab, &c, "{}");
	client_close(&c);
}
END_TEST

/* Nothing of what is behind a good request gets to core. */
START_TEST(malformed_behind_a_good_one)
{
	static const char text[] = "GET /healthz HTTP/1.1\r\nHost: v\r\n\r\nGET /.well-known/jwks.json HTTP/1.1\r\nHost : v\r\n\r\n";
	struct client c;
	struct frame f;

	ck_assert(client_open(&lab, &c, 0, NULL));
	client_say(&c, text, sizeof(text) - 1);
	ck_assert(!core_take(&lab, 300, &f));
	client_close(&c);
	ck_assert(client_open(&lab, &c, 0, NULL));
	still_serves(&lab, &c, "{}");
	client_close(&c);
}
END_TEST

/* --- time and full queues --- */

/* A hundred wait while nobody answers: each is told so in time, others are served meanwhile, late replies are for nobody. */
START_TEST(a_hundred_wait_in_vain)
{
	enum { CLIENTS = 100 };
	struct client c[CLIENTS], other;
	uint64_t job[CLIENTS];
	int64_t began = clock_mono(), asked;

	for (int i = 0; i < CLIENTS; i++) {
		struct frame f;

		ck_assert(client_open(&lab, &c[i], 0, NULL));
		client_ask(&c[i], "POST", "/v1/evidence", EVIDENCE_TYPE, "x", 1);
		ck_assert(core_take(&lab, SOON, &f));
		job[i] = f.job;
		frame_free(&f);
	}
	asked = clock_mono();
	ck_assert(client_open(&lab, &other, 0, NULL));
	still_serves(&lab, &other, "{\"meanwhile\":1}");
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_msg(client_hear(&c[i], DEADLINE + SLACK, &heard), "%d: no answer", i);
		ck_assert_int_ge(clock_mono() - began, DEADLINE - 100);
		is_problem(&heard, 503, "verifier-error");
		ck_assert_ptr_nonnull(strstr(heard.head, "Retry-After: "));
	}
	ck_assert_int_lt(clock_mono() - asked, DEADLINE + 2 * SLACK);
	for (int i = 0; i < CLIENTS; i++)
		core_reply(&lab, job[i], 200, "{\"late\":1}");
	for (int i = 0; i < CLIENTS; i++) {
		still_serves(&lab, &c[i], "{\"again\":1}");
		client_close(&c[i]);
	}
	client_close(&other);
}
END_TEST

/* Core's socket holds two bodies of this size. The others wait, and each gets its own answer in the end. */
START_TEST(core_is_slow)
{
	enum { CLIENTS = 24, LEN = 100 << 10 };
	own(mem) uint8_t *body = calloc(1, LEN);
	struct client c[CLIENTS];
	char json[32];
	struct frame f;

	for (int i = 0; i < CLIENTS; i++) {
		body[0] = (uint8_t)i;
		ck_assert(client_open(&lab, &c[i], 0, NULL));
		client_ask(&c[i], "POST", "/v1/evidence", EVIDENCE_TYPE, body, LEN);
	}
	ck_assert(!client_hear(&c[0], 300, &heard));
	/* Half of them give up. */
	for (int i = CLIENTS / 2; i < CLIENTS; i++)
		client_close(&c[i]);
	usleep(100 * 1000);
	while (core_take(&lab, 300, &f)) {
		ck_assert_uint_eq(f.payload.left, LEN);
		snprintf(json, sizeof(json), "{\"n\":%u}", f.payload.pos[0]);
		core_reply(&lab, f.job, 200, json);
		frame_free(&f);
	}
	for (int i = 0; i < CLIENTS / 2; i++) {
		snprintf(json, sizeof(json), "{\"n\":%d}", i);
		ck_assert(client_hear(&c[i], SOON, &heard));
		ck_assert_str_eq(heard.body, json);
	}
	still_serves(&lab, &c[0], "{\"again\":1}");
	for (int i = 0; i < CLIENTS / 2; i++)
		client_close(&c[i]);
}
END_TEST

/* Sixty-four megabytes under way are enough: who brings more is told so at once. */
START_TEST(memory_has_a_bound)
{
	enum { CLIENTS = 8, LEN = 8 << 20 };
	own(mem) uint8_t *body = calloc(1, LEN);
	struct client c[CLIENTS], more;
	struct frame f[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		ck_assert(client_open(&lab, &c[i], 0, NULL));
		client_ask(&c[i], "POST", "/v1/evidence", EVIDENCE_TYPE, body, LEN);
		ck_assert(core_take(&lab, SOON, &f[i]));
	}
	ck_assert(client_open(&lab, &more, 0, NULL));
	client_ask(&more, "POST", "/v1/evidence", EVIDENCE_TYPE, body, 1);
	ck_assert(client_hear(&more, SOON, &heard));
	is_problem(&heard, 503, "verifier-error");
	ck_assert_ptr_nonnull(strstr(heard.head, "Retry-After: "));
	for (int i = 0; i < CLIENTS; i++) {
		core_reply(&lab, f[i].job, 200, "{}");
		frame_free(&f[i]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert(client_hear(&c[i], SOON, &heard));
		client_close(&c[i]);
	}
	still_serves(&lab, &more, "{\"again\":1}");
	client_close(&more);
}
END_TEST

/* Clients that hang up while core thinks: the reply goes nowhere, and nobody is hurt. */
START_TEST(client_is_gone)
{
	enum { CLIENTS = 8 };
	const struct linger reset = { .l_onoff = 1 };
	struct client c[CLIENTS], other;
	struct frame f[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		ck_assert(client_open(&lab, &c[i], 0, NULL));
		client_ask(&c[i], "POST", "/v1/evidence", EVIDENCE_TYPE, "x", 1);
		ck_assert(core_take(&lab, SOON, &f[i]));
	}
	for (int i = 0; i < CLIENTS; i++) {
		if (i % 2)
			setsockopt(c[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		else
			SSL_shutdown(c[i].ssl);
		client_close(&c[i]);
	}
	ck_assert(client_open(&lab, &other, 0, NULL));
	still_serves(&lab, &other, "{\"between\":1}");
	for (int i = 0; i < CLIENTS; i++) {
		core_reply(&lab, f[i].job, 200, "{\"for\":\"nobody\"}");
		frame_free(&f[i]);
	}
	still_serves(&lab, &other, "{\"after\":1}");
	client_close(&other);
}
END_TEST

/* --- the end --- */

START_TEST(term_answers_what_is_under_way)
{
	struct client c, late;
	struct frame f;

	ck_assert(client_open(&lab, &c, 0, NULL));
	client_ask(&c, "GET", "/.well-known/jwks.json", "", NULL, 0);
	ck_assert(core_take(&lab, SOON, &f));
	kill(lab.net, SIGTERM);
	usleep(300 * 1000);
	ck_assert_msg(!client_open(&lab, &late, 0, NULL), "still accepts");
	client_close(&late);
	core_reply(&lab, f.job, 200, "{\"last\":1}");
	frame_free(&f);
	ck_assert(client_hear(&c, SOON, &heard));
	ck_assert_str_eq(heard.body, "{\"last\":1}");
	ck_assert_int_eq(net_lab_wait(&lab), 0);
	client_close(&c);
}
END_TEST

START_TEST(without_core_it_ends)
{
	struct client c;
	struct frame f;

	ck_assert(client_open(&lab, &c, 0, NULL));
	client_ask(&c, "GET", "/.well-known/jwks.json", "", NULL, 0);
	ck_assert(core_take(&lab, SOON, &f));
	frame_free(&f);
	close(lab.core);
	lab.core = -1;
	ck_assert_int_eq(net_lab_wait(&lab), 0);
	client_close(&c);
}
END_TEST

/* Core that says what it may not say has lost net's trust. */
START_TEST(core_breaks_the_rules)
{
	ck_assert_int_eq(write(lab.core, "nonsense", 8), 8);
	ck_assert_int_eq(net_lab_wait(&lab), 0);
}
END_TEST

/* --- administrators --- */

START_TEST(an_administrator_comes_with_a_face)
{
	static const char json[] = "{\"reason\":\"CHG-1\"}";
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	struct admin_request q;
	struct error e;
	struct client c;
	struct frame f;

	ck_assert(client_open(&lab, &c, 0, NULL));
	client_ask(&c, "POST", "/v1/admin/hosts/web7/revoke", JSON_TYPE, json, strlen(json));
	ck_assert(core_take(&lab, SOON, &f));
	ck_assert_int_eq(f.type, MSG_ADMIN);
	ck_assert_int_ge(f.peer_fd, 0);
	ck_assert(!getsockopt(f.peer_fd, SOL_SOCKET, SO_PEERCRED, &who, &len));
	ck_assert_int_eq(who.pid, getpid());
	ck_assert_uint_eq(who.uid, getuid());
	ck_assert(admin_request_unpack(&f.payload, &q, &e));
	ck_assert_int_eq(q.op, ADMIN_REVOKE);
	ck_assert_str_eq(q.host, "web7");
	ck_assert_str_eq(q.reason, "CHG-1");
	core_reply(&lab, f.job, 200, "{\"schema\":1}");
	frame_free(&f);
	ck_assert(client_hear(&c, SOON, &heard));
	ck_assert_str_eq(heard.body, "{\"schema\":1}");
	client_ask(&c, "POST", "/v1/evidence", EVIDENCE_TYPE, "x", 1);
	ck_assert(client_hear(&c, SOON, &heard));
	is_problem(&heard, 404, "request-invalid");
	still_serves(&lab, &c, "{\"hosts\":[]}");
	client_close(&c);
}
END_TEST

/* What administrators send is read as strictly. Their shares of connections: tests/integration/hogs.sh. */
START_TEST(local_framing_is_as_strict)
{
	malformed_ends((unsigned)_i, true);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, hosts_up, down);
	tcase_add_test(tc, only_tls_1_3);
	tcase_add_test(tc, another_ca_does_not_vouch_for_it);
	tcase_add_test(tc, hangup_reads_the_certificate_again);
	tcase_add_test(tc, two_requests_do_not_wait_for_each_other);
	tcase_add_test(tc, a_challenge_request_arrives_as_a_frame);
	tcase_add_loop_test(tc, evidence_passes_unread, 0, 2);
	tcase_add_loop_test(tc, refused_without_core, 0, COUNT(refused));
	tcase_add_test(tc, refusals_say_what_would_do);
	tcase_add_test(tc, too_large);
	tcase_add_loop_test(tc, malformed_framing_ends_the_connection, 0, COUNT(malformed));
	tcase_add_test(tc, malformed_behind_a_good_one);
	tcase_add_test(tc, a_hundred_wait_in_vain);
	tcase_add_test(tc, core_is_slow);
	tcase_add_test(tc, memory_has_a_bound);
	tcase_add_test(tc, client_is_gone);
	tcase_add_test(tc, term_answers_what_is_under_way);
	tcase_add_test(tc, without_core_it_ends);
	tcase_add_test(tc, core_breaks_the_rules);
}

static void
add_admin(TCase *tc)
{
	tcase_add_checked_fixture(tc, admin_up, down);
	tcase_add_test(tc, an_administrator_comes_with_a_face);
	tcase_add_loop_test(tc, local_framing_is_as_strict, 0, COUNT(malformed));
}

int main(void) { return unit_run("net", add) | unit_run("net, administrators", add_admin); }
