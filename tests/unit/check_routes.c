#include "routes.h"
#include "unit.h"

static const struct {
	const char *label;
	bool admin;
	const char *method, *path;
	enum route_found found;
	enum message message;
	enum admin_op op;
	const char *first, *second;
} cases[] = {
	{ "challenge",        false, "POST", "/v1/challenges", ROUTE_OK, MSG_CHALLENGE, 0, "", "" },
	{ "evidence",         false, "POST", "/v1/evidence", ROUTE_OK, MSG_EVIDENCE, 0, "", "" },
	{ "events",           false, "POST", "/v1/events", ROUTE_OK, MSG_EVENTS, 0, "", "" },
	{ "proof",            false, "POST", "/v1/enrollments/abc/proof", ROUTE_OK, MSG_PROOF, 0, "abc", "" },
	{ "enrolled",         false, "GET",  "/v1/enrollments/abc", ROUTE_OK, MSG_ENROLLED, 0, "abc", "" },
	{ "keys",             false, "GET",  "/.well-known/jwks.json", ROUTE_OK, MSG_KEYS, 0, "", "" },
	{ "orders",           false, "GET",  "/v1/orders/abc/def", ROUTE_OK, MSG_ORDERS, 0, "abc", "def" },
	{ "orders without a nonce", false, "GET", "/v1/orders/abc", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "health",           false, "GET",  "/healthz", ROUTE_HEALTH, 0, 0, "", "" },
	{ "other method",     false, "GET",  "/v1/challenges", ROUTE_NO_METHOD, 0, 0, "", "" },
	{ "health by post",   false, "POST", "/healthz", ROUTE_NO_METHOD, 0, 0, "", "" },
	{ "no such path",     false, "GET",  "/v1/nothing", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "too short",        false, "POST", "/v1", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "too long",         false, "POST", "/v1/challenges/x", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "trailing slash",   false, "POST", "/v1/challenges/", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "double slash",     false, "POST", "//v1/challenges", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "empty parameter",  false, "GET",  "/v1/enrollments/", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "row 32: admin path on the hosts' listener", false, "GET", "/v1/admin/hosts", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "row 32: approve on the hosts' listener", false, "POST", "/v1/admin/hosts/web7/approve", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "hosts",            true,  "GET",  "/v1/admin/hosts", ROUTE_OK, MSG_ADMIN, ADMIN_HOSTS, "", "" },
	{ "approve",          true,  "POST", "/v1/admin/hosts/web7/approve", ROUTE_OK, MSG_ADMIN, ADMIN_APPROVE, "web7", "" },
	{ "encoded name",     true,  "GET",  "/v1/admin/references/a%2f3", ROUTE_OK, MSG_ADMIN, ADMIN_SET, "a/3", "" },
	{ "remove",           true,  "POST", "/v1/admin/hosts/web7/remove", ROUTE_OK, MSG_ADMIN, ADMIN_REMOVE, "web7", "" },
	{ "leases",           true,  "GET",  "/v1/admin/hosts/web7/leases", ROUTE_OK, MSG_ADMIN, ADMIN_LEASES, "web7", "" },
	{ "lease",            true,  "POST", "/v1/admin/hosts/web7/leases", ROUTE_OK, MSG_ADMIN, ADMIN_LEASE, "web7", "" },
	{ "end of a lease",   true,  "POST", "/v1/admin/hosts/web7/leases/end", ROUTE_OK, MSG_ADMIN, ADMIN_LEASE_END, "web7", "" },
	{ "two parameters",   true,  "GET",  "/v1/admin/references/a/diff/b", ROUTE_OK, MSG_ADMIN, ADMIN_SET_DIFF, "a", "b" },
	{ "NUL in a name",    true,  "GET",  "/v1/admin/hosts/a%00b", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "newline in a name", true, "GET",  "/v1/admin/hosts/a%0ab", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "half an escape",   true,  "GET",  "/v1/admin/hosts/a%4", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "no escape",        true,  "GET",  "/v1/admin/hosts/a%zz", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "high byte",        true,  "GET",  "/v1/admin/hosts/a%ff", ROUTE_NO_PATH, 0, 0, "", "" },
	{ "evidence for admins", true, "POST", "/v1/evidence", ROUTE_NO_PATH, 0, 0, "", "" },
};

START_TEST(finds)
{
	struct route r = { 0 };

	ck_assert_msg(route_find(cases[_i].admin, cases[_i].method, cases[_i].path, &r) == cases[_i].found, "%s", cases[_i].label);
	if (cases[_i].found != ROUTE_OK)
		return;
	ck_assert_msg(r.message == cases[_i].message && r.op == cases[_i].op, "%s", cases[_i].label);
	ck_assert_str_eq(r.param[0], cases[_i].first);
	ck_assert_str_eq(r.param[1], cases[_i].second);
}
END_TEST

START_TEST(a_name_has_a_bound)
{
	char path[200] = "/v1/admin/hosts/";
	struct route r;

	memset(path + strlen(path), 'a', NAME_TEXT - 1);
	ck_assert_int_eq(route_find(true, "GET", path, &r), ROUTE_OK);
	strcat(path, "a");
	ck_assert_int_eq(route_find(true, "GET", path, &r), ROUTE_NO_PATH);
}
END_TEST

static const struct {
	const char *label, *method, *path, *type, *bearer, *body;
	bool        admin;
	int         status;             /* 0: good */
	const char *detail;
} bodies[] = {
	{ "not JSON",       "POST", "/v1/challenges", "application/json", NULL, "{", false, 400, "" },
	{ "wrong type",     "POST", "/v1/challenges", "text/plain", NULL, "{}", false, 415, "application/json" },
	{ "no type",        "POST", "/v1/challenges", NULL, NULL, "{}", false, 415, "" },
	{ "empty object",   "POST", "/v1/challenges", "application/json", NULL, "{}", false, 400, "missing" },
	{ "given twice",    "POST", "/v1/challenges", "application/json", NULL, "{\"ak\":1,\"ak\":2}", false, 400, "given twice" },
	{ "evidence type",  "POST", "/v1/evidence", "application/json", NULL, "x", false, 415, "evidence" },
	{ "evidence",       "POST", "/v1/evidence", "application/vnd.pam-attest.evidence", NULL, "x", false, 0, "" },
	{ "no bearer",      "GET",  "/v1/results/abc", NULL, NULL, "", false, 401, "Bearer" },
	{ "bad bearer",     "GET",  "/v1/enrollments/abc", NULL, "!!", "", false, 403, "" },
	{ "bearer",         "GET",  "/v1/results/abc", NULL, "token", "", false, 0, "" },
	{ "admin, no body", "POST", "/v1/admin/hosts/a/approve", NULL, NULL, "", true, 0, "" },
	{ "admin, body",    "POST", "/v1/admin/hosts/a/revoke", NULL, NULL, "{\"reason\":\"x\",\"dry_run\":true}", true, 0, "" },
	{ "admin, bad ref", "GET",  "/v1/admin/reports/UUUU", NULL, NULL, "", true, 400, "not a reference" },
	{ "admin, ref",     "GET",  "/v1/admin/reports/7f3k21qx", NULL, NULL, "", true, 0, "" },
	{ "admin, number",  "POST", "/v1/admin/hosts/a/revoke", NULL, NULL, "{\"reason\":3}", true, 400, "reason: not a string" },
};

START_TEST(payloads)
{
	static uint8_t out[4096];
	struct writer w = wr_open(out, sizeof(out));
	struct route r;
	struct problem p = { 0 };
	struct body b = { bodies[_i].type, bodies[_i].bearer, bodies[_i].body, strlen(bodies[_i].body) };
	bool ok;

	ck_assert_int_eq(route_find(bodies[_i].admin, bodies[_i].method, bodies[_i].path, &r), ROUTE_OK);
	ok = route_payload(&r, &b, &w, &p);
	ck_assert_msg(ok == !bodies[_i].status && p.status == bodies[_i].status, "%s: %d %s", bodies[_i].label, p.status, p.detail);
	ck_assert_msg(strstr(p.detail, bodies[_i].detail), "%s: %s", bodies[_i].label, p.detail);
}
END_TEST

START_TEST(admin_arguments_arrive)
{
	static uint8_t out[4096];
	struct writer w = wr_open(out, sizeof(out));
	const char *json = "{\"digest\":\"d1\",\"reason\":\"CHG-1\",\"dry_run\":true}";
	struct body b = { "application/json", NULL, json, strlen(json) };
	struct admin_request q;
	struct error e = { .code = ERR_NONE };
	struct problem p;
	struct reader in;
	struct route r;

	ck_assert_int_eq(route_find(true, "POST", "/v1/admin/references/debian12%2F4/activate", &r), ROUTE_OK);
	ck_assert(route_payload(&r, &b, &w, &p));
	in = rd_open(out, w.used);
	ck_assert_msg(admin_request_unpack(&in, &q, &e), "%s", e.why);
	ck_assert_int_eq(q.op, ADMIN_ACTIVATE);
	ck_assert_str_eq(q.set, "debian12/4");
	ck_assert_str_eq(q.digest, "d1");
	ck_assert_str_eq(q.reason, "CHG-1");
	ck_assert(q.dry_run);
}
END_TEST

/* Net reads as much as the largest message needs; what is more than its own is refused here, with the right word. */
START_TEST(bodies_have_their_own_bounds)
{
	static const struct { const char *path; enum message message; } calls[] = {
		{ "/v1/events", MSG_EVENTS }, { "/v1/evidence", MSG_EVIDENCE }, { "/v1/passports", MSG_PASSPORT },
	};
	struct body b = { "application/vnd.pam-attest.evidence", NULL, "x", message_max(calls[_i].message) };
	struct writer w = wr_open(NULL, 0);
	struct problem p = { 0 };
	struct route r;

	ck_assert_int_eq(route_find(false, "POST", calls[_i].path, &r), ROUTE_OK);
	ck_assert(route_payload(&r, &b, &w, &p));
	b.len++;
	ck_assert(!route_payload(&r, &b, &w, &p) && p.status == 413);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, finds, 0, COUNT(cases));
	tcase_add_test(tc, a_name_has_a_bound);
	tcase_add_loop_test(tc, payloads, 0, COUNT(bodies));
	tcase_add_loop_test(tc, bodies_have_their_own_bounds, 0, 3);
	tcase_add_test(tc, admin_arguments_arrive);
}

int main(void) { return unit_run("routes", add); }
