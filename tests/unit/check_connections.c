#include <sys/resource.h>
#include "clock.h"
#include "confine.h"
#include "conn.h"
#include "net_lab.h"
#include "unit.h"

static struct net_lab lab;
static struct heard heard;

static void hosts_up(void) { net_lab_open(&lab, false); }
static void down(void) { net_lab_close(&lab); }

/* --- slow senders --- */

/* Each part of a request comes at a byte a second, or not at all; after `limit` seconds it is over. */
static const struct { const char *label, *first, *rest; bool tls; int limit; const char *from; } slow[] = {
	{ "nothing at all",     "", "", false, 5, NULL },
	{ "handshake",          "", "\x16\x03\x01\x02\x10\x01\x01\x01\x0c\x03\x03", false, 5, NULL },
	{ "a balancer's header", "", "PROXY TCP4 192.0.2.7", false, 5, "127.0.0.9" },
	{ "no request",         "", "", true, 10, NULL },
	{ "head",               "G", "ET /.well-known/jwks.json", true, 5, NULL },
	{ "body",               "POST /v1/challenges HTTP/1.1\r\nHost: v\r\n" JSON_TYPE "Content-Length: 200\r\n\r\n",
	                        "{                      ", true, 10, NULL },
};
enum { LATE_MS = 5000 };                 /* how much later a loaded machine may see it */

START_TEST(slow_senders_are_timed_out)
{
	struct client c[COUNT(slow)], other;
	int64_t began, ended[COUNT(slow)] = { 0 };

	net_lab_close(&lab);
	net_lab_open_with(&lab, false, "[listen]\nbalancers = 127.0.0.9\n");
	began = clock_mono();
	for (unsigned i = 0; i < COUNT(slow); i++) {
		ck_assert(slow[i].tls ? client_open(&lab, &c[i], 0, NULL) : client_connect(&lab, &c[i], slow[i].from));
		client_say(&c[i], slow[i].first, strlen(slow[i].first));
	}
	ck_assert(client_open(&lab, &other, 0, NULL));
	for (unsigned second = 0; clock_mono() - began < 10 * 1000 + LATE_MS; second++) {
		unsigned left = 0;

		for (unsigned i = 0; i < COUNT(slow); i++) {
			if (!ended[i] && client_ended(&c[i], 0))
				ended[i] = clock_mono() - began;
			else if (!ended[i] && second < strlen(slow[i].rest))
				client_say(&c[i], slow[i].rest + second, 1);
			left += !ended[i];
		}
		if (!left)
			break;
		still_serves(&lab, &other, "{}");
		usleep(1000 * 1000);
	}
	for (unsigned i = 0; i < COUNT(slow); i++) {
		ck_assert_msg(ended[i] >= slow[i].limit * 1000 - 500 && ended[i] <= slow[i].limit * 1000 + LATE_MS, "%s: %lld ms",
		    slow[i].label, (long long)ended[i]);
		client_close(&c[i]);
	}
	client_close(&other);
}
END_TEST

/* Who is quick with every part is let go all the same, once: what he holds is others' as well. */
START_TEST(no_connection_lives_for_ever)
{
	struct client c;
	int64_t began, lived;
	bool open = false;

	if (SANITIZED) {
		printf("SKIP: a sanitizer wants to be preloaded first\n");
		return;
	}
	net_lab_close(&lab);
	net_lab_open_as(&lab, NET_HASTY, "");
	for (int i = 0; i < 5 && !open; i++) {
		began = clock_mono();
		open = client_open(&lab, &c, 0, NULL);
		if (!open)
			client_close(&c);
	}
	ck_assert(open);
	do {
		usleep(200 * 1000);
		client_ask(&c, "GET", "/healthz", "", NULL, 0);
		lived = (clock_mono() - began) * HASTE;
	} while (client_hear(&c, SOON, &heard) && lived < 2 * CONN_TOTAL_MS);
	ck_assert_msg(lived >= CONN_TOTAL_MS - 5000 && lived <= CONN_TOTAL_MS + LATE_MS * HASTE, "%lld ms", (long long)lived);
	client_close(&c);
	ck_assert(client_open(&lab, &c, 0, NULL));
	client_close(&c);
}
END_TEST

/* --- many connections --- */

static unsigned
open_many(struct client *c, unsigned n, const char *from)
{
	unsigned good = 0;

	for (unsigned i = 0; i < n; i++)
		good += client_connect(&lab, &c[i], from) && client_handshake(&lab, &c[i], 0, NULL);
	return good;
}

static void
close_many(struct client *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		client_close(&c[i]);
}

START_TEST(one_address_has_its_share)
{
	struct client c[40], other;

	net_lab_close(&lab);
	net_lab_open_with(&lab, false, "[listen]\nper_address = 30\nconnections = 60\n");
	ck_assert_uint_eq(open_many(c, 40, "127.0.0.2"), 30);
	still_serves(&lab, &c[0], "{\"first\":1}");
	ck_assert(client_connect(&lab, &other, "127.0.0.3") && client_handshake(&lab, &other, 0, NULL));
	still_serves(&lab, &other, "{\"other\":1}");
	/* The others' share, and the whole of the process. */
	close_many(c + 30, 10);
	ck_assert_uint_eq(open_many(c + 30, 10, "127.0.0.4"), 10);
	client_close(&other);
	close_many(c, 40);
	usleep(100 * 1000);
	ck_assert_uint_eq(open_many(c, 40, "127.0.0.2"), 30);
	close_many(c, 40);
}
END_TEST

START_TEST(two_thousand_connections)
{
	enum { CLIENTS = 2000 };
	static struct client c[CLIENTS];
	struct rlimit files = { 0 };
	struct client other;

	ck_assert(!getrlimit(RLIMIT_NOFILE, &files));
	files.rlim_cur = files.rlim_max;
	ck_assert(!setrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur > CLIENTS + 200);
	net_lab_close(&lab);
	net_lab_open_with(&lab, false, "[listen]\nper_address = 2000\n");
	for (int i = 0; i < CLIENTS; i++)
		ck_assert_msg(client_connect(&lab, &c[i], "127.0.0.2"), "%d", i);
	ck_assert(client_open(&lab, &other, 0, NULL));
	still_serves(&lab, &other, "{\"among\":2000}");
	/* They say nothing, and are let go; nothing of them remains. */
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_msg(client_ended(&c[i], 8000), "%d", i);
		client_close(&c[i]);
	}
	client_close(&other);
	ck_assert(client_open(&lab, &other, 0, NULL));
	still_serves(&lab, &other, "{\"after\":1}");
	client_close(&other);
}
END_TEST

/* As many that are served, each again and again, so that none of them is idle. */
START_TEST(two_thousand_are_served)
{
	enum { CLIENTS = 2000, ROUND = 250 };
	static struct client c[CLIENTS];
	struct rlimit files = { 0 };
	struct client other;

	ck_assert(!getrlimit(RLIMIT_NOFILE, &files));
	files.rlim_cur = files.rlim_max;
	ck_assert(!setrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur > CLIENTS + 200);
	net_lab_close(&lab);
	net_lab_open_with(&lab, false, "[listen]\nper_address = 2000\n");
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_msg(client_connect(&lab, &c[i], "127.0.0.2") && client_handshake(&lab, &c[i], 0, NULL), "%d", i);
		for (int k = 0; k <= i && (i + 1) % ROUND == 0; k++) {
			client_ask(&c[k], "GET", "/healthz", "", NULL, 0);
			ck_assert_msg(client_hear(&c[k], SOON, &heard) && heard.status == 200, "%d of %d", k, i);
		}
	}
	ck_assert(client_open(&lab, &other, 0, NULL));
	still_serves(&lab, &other, "{\"among\":2000}");
	client_close(&other);
	close_many(c, CLIENTS);
	ck_assert(client_open(&lab, &other, 0, NULL));
	still_serves(&lab, &other, "{\"after\":1}");
	client_close(&other);
}
END_TEST

/* Bodies that are announced and do not come keep others of that address out, not the rest of the world. */
START_TEST(bodies_on_their_way_have_a_budget)
{
	static const char head[] = "POST /v1/evidence HTTP/1.1\r\nHost: v\r\n" EVIDENCE_TYPE "Content-Length: 8388608\r\n\r\nx";
	struct client c[3], other;

	for (int i = 0; i < 3; i++) {
		ck_assert(client_connect(&lab, &c[i], "127.0.0.2") && client_handshake(&lab, &c[i], 0, NULL));
		client_say(&c[i], head, sizeof(head) - 1);
	}
	ck_assert(client_hear(&c[2], SOON, &heard));
	is_problem(&heard, 503, "verifier-error");
	ck_assert_ptr_nonnull(strstr(heard.head, "Retry-After: "));
	ck_assert(client_ended(&c[2], SOON));
	ck_assert(client_open(&lab, &other, 0, NULL));
	client_ask(&other, "POST", "/v1/evidence", EVIDENCE_TYPE, head, sizeof(head));
	still_serves(&lab, &other, "{}");
	client_close(&other);
	close_many(c, 3);
}
END_TEST

/* --- balancers --- */

/* status 0: the connection ends unanswered. */
static const struct { const char *label, *header; size_t len; bool served; } proxied[] = {
#define X(label, header, served) { label, header, sizeof(header) - 1, served }
	X("version 1", "PROXY TCP4 192.0.2.7 10.0.0.1 4711 8451\r\n", true),
	X("version 2", "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x08\x0a\0\0\x01\x12\x67\x21\x03", true),
	X("health check", "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", true),
	X("none", "", false),
	X("not one", "PROXY TCP4 nobody\r\n", false),
#undef X
};

START_TEST(balancers_name_their_clients)
{
	net_lab_close(&lab);
	net_lab_open_with(&lab, false, "[listen]\nbalancers = 127.0.0.9\nper_address = 1\n");
	for (unsigned i = 0; i < COUNT(proxied); i++) {
		struct client c;

		ck_assert(client_connect(&lab, &c, "127.0.0.9"));
		for (size_t at = 0; at < proxied[i].len; at++)
			client_say(&c, proxied[i].header + at, 1);
		ck_assert_msg(client_handshake(&lab, &c, 0, NULL) == proxied[i].served, "%s", proxied[i].label);
		if (proxied[i].served)
			still_serves(&lab, &c, "{}");
		client_close(&c);
	}
}
END_TEST

/* The share is that of the client, not of the balancer; and nobody else may speak for others. */
START_TEST(shares_behind_a_balancer)
{
	struct client c[4];
	char header[80];

	net_lab_close(&lab);
	net_lab_open_with(&lab, false, "[listen]\nbalancers = 127.0.0.9\nper_address = 1\n");
	for (int i = 0; i < 4; i++) {
		snprintf(header, sizeof(header), "PROXY TCP4 192.0.2.%d 10.0.0.1 4711 8451\r\n", i % 2);
		ck_assert(client_connect(&lab, &c[i], "127.0.0.9"));
		client_say(&c[i], header, strlen(header));
		ck_assert_int_eq(client_handshake(&lab, &c[i], 0, NULL), i < 2);
	}
	close_many(c, 4);
	ck_assert(client_connect(&lab, &c[0], "127.0.0.8"));
	client_say(&c[0], header, strlen(header));
	ck_assert(!client_handshake(&lab, &c[0], 0, NULL));
	client_close(&c[0]);
}
END_TEST

/* Of IPv6 a site is what one customer has: a /64. An IPv4 address is the same one however it is written. */
static const struct { const char *header; size_t len; bool served; } sites[] = {
#define X(header, served) { header, sizeof(header) - 1, served }
#define V2(source) "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24" source "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" "\x12\x67\x21\x03"
	X("PROXY TCP6 2001:db8:0:1::7 2001:db8::1 4711 8451\r\n", true),
	X("PROXY TCP6 2001:db8:0:1:ffff::8 2001:db8::1 4711 8451\r\n", false),
	X("PROXY TCP6 2001:db8:0:2::7 2001:db8::1 4711 8451\r\n", true),
	X(V2("\x20\x01\x0d\xb8\0\0\0\x02\0\0\0\0\0\0\0\x09"), false),
	X(V2("\x20\x01\x0d\xb8\0\0\0\x03\0\0\0\0\0\0\0\x09"), true),
	X("PROXY TCP4 192.0.2.7 10.0.0.1 4711 8451\r\n", true),
	X("PROXY TCP6 ::ffff:192.0.2.7 2001:db8::1 4711 8451\r\n", false),
#undef V2
#undef X
};

START_TEST(shares_of_ipv6)
{
	struct client c[COUNT(sites)], own[5];

	net_lab_close(&lab);
	net_lab_open_as(&lab, NET_V6, "[listen]\nper_address = 3\n");
	ck_assert_uint_eq(open_many(own, 5, NULL), 3);
	still_serves(&lab, &own[0], "{}");
	close_many(own, 5);
	net_lab_close(&lab);
	net_lab_open_as(&lab, NET_V6, "[listen]\nbalancers = ::1\nper_address = 1\n");
	for (unsigned i = 0; i < COUNT(sites); i++) {
		ck_assert(client_connect(&lab, &c[i], NULL));
		client_say(&c[i], sites[i].header, sites[i].len);
		ck_assert_msg(client_handshake(&lab, &c[i], 0, NULL) == sites[i].served, "%u", i);
	}
	close_many(c, COUNT(sites));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, hosts_up, down);
	tcase_add_test(tc, slow_senders_are_timed_out);
	tcase_add_test(tc, no_connection_lives_for_ever);
	tcase_add_test(tc, one_address_has_its_share);
	tcase_add_test(tc, two_thousand_connections);
	tcase_add_test(tc, two_thousand_are_served);
	tcase_add_test(tc, bodies_on_their_way_have_a_budget);
	tcase_add_test(tc, balancers_name_their_clients);
	tcase_add_test(tc, shares_behind_a_balancer);
	tcase_add_test(tc, shares_of_ipv6);
}

int main(void) { return unit_run("connections", add); }
