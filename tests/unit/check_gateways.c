/*
 * Who may ask about other hosts, and passports: core with its real workers. NEGATIVE-TESTS row 35: a result is no
 * passport and the reverse; one code at two gateways, twice at one, for another audience or user, and after its time.
 */
#include "clock.h"
#include "core_lab.h"
#include "unit.h"

static struct lab lab;
static struct soft_host a;
static struct reply r;
static struct keyset keys;
static char gate_token[TOKEN_TEXT], other_token[TOKEN_TEXT];

static void
admin(const struct admin_request *q)
{
	lab_admin(&lab, q, &r);
	ck_assert_msg(r.status == 200, "%d %s", r.status, r.body);
}

static void
token_of(char out[static TOKEN_TEXT])
{
	own(json) struct json *j = NULL;
	struct error e;

	ck_assert(json_parse(r.body, strlen(r.body), &j, &e));
	ck_assert_msg(json_text(j, "token", out, TOKEN_TEXT, &e), "%s", e.why);
}

static void
add_gateway(const char *name, const char *audiences, char token[static TOKEN_TEXT])
{
	struct admin_request q = { .op = ADMIN_GATEWAY_ADD, .reason = "test" };

	snprintf(q.gateway, sizeof(q.gateway), "%s", name);
	snprintf(q.audiences, sizeof(q.audiences), "%s", audiences);
	admin(&q);
	token_of(token);
}

static const char *
attest(struct soft_quote *q)
{
	a.purpose = PURPOSE_LOGIN;
	ck_assert_msg(soft_challenge(&lab, &a, q, &r), "challenge: %d %s", r.status, r.body);
	soft_attest(&lab, q, &r);
	return reply_reason(&r);
}

static void
open_lab(void)
{
	struct admin_request capture = { .op = ADMIN_CAPTURE, .set = "base", .reason = "test", .host = "host-a" };
	struct admin_request activate = { .op = ADMIN_ACTIVATE, .set = "base", .reason = "test" };
	struct soft_quote q;

	lab_open(&lab);
	soft_host(&lab, &a, "host-a", "sb-shimgrub-a");
	lab_start(&lab, 1, 1);
	ck_assert_str_eq(attest(&q), "no-reference");
	admin(&capture);
	admin(&activate);
	ck_assert_str_eq(attest(&q), "ok");
	add_gateway("vpn", "vpn.example,ssh.example", gate_token);
	add_gateway("other", "other.example", other_token);
}

static void
close_lab(void)
{
	soft_host_free(&a);
	lab_close(&lab);
}

/* --- results --- */

static const char *
newest(const char *host, const char *token)
{
	struct newest q = { 0 };
	uint8_t buf[512];
	struct writer w = wr_open(buf, sizeof(buf));

	snprintf(q.host, sizeof(q.host), "%s", host);
	snprintf(q.token, sizeof(q.token), "%s", token);
	newest_pack(&q, &w);
	lab_ask(&lab, MSG_NEWEST, buf, w.used, &r);
	return r.status == 200 ? "result" : reply_reason(&r);
}

/* The result in the last reply, and the keys that its signed set has. */
static void
told(struct told_result *out)
{
	struct error e = { .code = ERR_NONE };

	ck_assert_int_eq(r.status, 200);
	ck_assert_msg(told_result_read(r.body, strlen(r.body), out, &e), "%s", e.why);
	ck_assert_msg(keyset_verify(out->keyset, strlen(out->keyset), &out->root, 0, &keys, &e), "%s", e.why);
}

START_TEST(a_gateway_asks_about_any_host)
{
	static struct told_result t;
	struct result res;
	struct error e = { .code = ERR_NONE };

	ck_assert_str_eq(newest("host-a", gate_token), "result");
	told(&t);
	ck_assert_msg(result_verify(t.result, strlen(t.result), &keys, clock_now().wall, &res, &e), "%s", e.why);
	ck_assert_str_eq(res.host, "host-a");
	ck_assert_str_eq(newest(a.id, gate_token), "result");
	ck_assert_str_eq(newest("host-b", gate_token), "peer-unknown");
	ck_assert_int_eq(r.status, 404);
}
END_TEST

/* Whoever takes another's id for a name is neither answered for it, nor hit in its place. */
START_TEST(a_name_that_is_the_id_of_another)
{
	struct admin_request show = { .op = ADMIN_SHOW };
	struct soft_host b = { 0 };

	soft_host(&lab, &b, a.id, "sb-shimgrub-a");
	ck_assert_str_eq(newest(a.id, gate_token), "result");
	ck_assert_str_eq(newest(b.id, gate_token), "not-attested");
	memcpy(show.host, a.id, sizeof(a.id));
	admin(&show);
	ck_assert_ptr_nonnull(strstr(r.body, "\"name\":\"host-a\""));
	soft_host_free(&b);
}
END_TEST

/* A host asks for itself alone until an administrator names it, and again when that is taken back. */
START_TEST(a_host_asks_about_itself_alone)
{
	struct admin_request add = { .op = ADMIN_GATEWAY_ADD, .gateway = "gw", .host = "host-a", .reason = "test" };
	struct admin_request drop = { .op = ADMIN_GATEWAY_DROP, .gateway = "gw", .reason = "test" };
	struct admin_request revoke = { .op = ADMIN_REVOKE, .host = "host-a", .reason = "stolen" };
	struct soft_host b = { 0 };
	struct error e;
	struct keys k;
	struct store *s;
	char token[HOST_TOKEN_TEXT];
	struct clock now = clock_now();

	s = lab_store(&lab);
	ck_assert(keys_open(lab.dir, s, &now, &k, &e));
	store_close(s);
	ck_assert(keys_host_token(&k, a.id, token));
	keys_close(&k);
	soft_host(&lab, &b, "host-b", "sb-shimgrub-a");
	ck_assert_str_eq(newest(a.id, token), "result");
	ck_assert_str_eq(newest(b.id, token), "not-a-gateway");
	ck_assert_str_eq(newest("host-a", "guess"), "not-a-gateway");
	admin(&add);
	ck_assert_ptr_nonnull(strstr(r.body, "\"token\":\"\""));
	ck_assert_str_eq(newest("host-b", token), "not-attested");
	admin(&drop);
	ck_assert_str_eq(newest("host-b", token), "not-a-gateway");
	admin(&add);
	admin(&revoke);
	ck_assert_str_eq(newest("host-b", token), "not-a-gateway");
	ck_assert_str_eq(newest("host-a", gate_token), "host-revoked");
	soft_host_free(&b);
}
END_TEST

static const struct { const char *label; struct admin_request ask; int status; } changes[] = {
	{ "no reason",    { .op = ADMIN_GATEWAY_ADD, .gateway = "gw" }, 400 },
	{ "a bad name",   { .op = ADMIN_GATEWAY_ADD, .gateway = "g w", .reason = "test" }, 400 },
	{ "bad audience", { .op = ADMIN_GATEWAY_ADD, .gateway = "gw", .audiences = "a/b", .reason = "test" }, 400 },
	{ "no such host", { .op = ADMIN_GATEWAY_ADD, .gateway = "gw", .host = "host-z", .reason = "test" }, 404 },
	{ "taken",        { .op = ADMIN_GATEWAY_ADD, .gateway = "vpn", .reason = "test" }, 409 },
	{ "not there",    { .op = ADMIN_GATEWAY_DROP, .gateway = "gw", .reason = "test" }, 404 },
	{ "drop: why",    { .op = ADMIN_GATEWAY_DROP, .gateway = "vpn" }, 400 },
	{ "dry run",      { .op = ADMIN_GATEWAY_ADD, .gateway = "gw", .reason = "test", .dry_run = true }, 200 },
};

START_TEST(gateways_change_for_a_reason)
{
	const struct admin_request list = { .op = ADMIN_GATEWAYS }, trail = { .op = ADMIN_AUDIT };

	lab_admin(&lab, &changes[_i].ask, &r);
	ck_assert_msg(r.status == changes[_i].status, "%s: %d %s", changes[_i].label, r.status, r.body);
	admin(&list);
	ck_assert_ptr_nonnull(strstr(r.body, "\"vpn.example ssh.example\""));
	ck_assert_ptr_null(strstr(r.body, "\"gw\""));
	ck_assert_ptr_null(strstr(r.body, "token"));
	admin(&trail);
	ck_assert_ptr_nonnull(strstr(r.body, "gateway vpn"));
}
END_TEST

/* --- passports --- */

static void
ask_passport(const char *audience, const char *user)
{
	struct soft_quote q;
	own(mem) uint8_t *body = NULL;
	size_t len;

	a.purpose = PURPOSE_PASSPORT;
	ck_assert_msg(soft_challenge(&lab, &a, &q, &r), "challenge: %d %s", r.status, r.body);
	q.context.audience = q.sent_audience = audience;
	q.context.user = q.sent_user = user;
	body = soft_evidence(&q, &len);
	lab_ask(&lab, MSG_PASSPORT, body, len, &r);
}

static void
get_passport(char code[static CODE_TEXT])
{
	static struct evidence_answer answer;
	struct error e = { .code = ERR_NONE };

	ask_passport("vpn.example", "kim");
	ck_assert_int_eq(r.status, 200);
	ck_assert_msg(evidence_answer_read(r.body, strlen(r.body), &answer, &e), "%s", e.why);
	ck_assert_uint_eq(strlen(answer.passport), CODE_CHARS);
	memcpy(code, answer.passport, CODE_TEXT);
}

static const char *
redeem(const char *code, const char *audience, const char *user, const char *token)
{
	struct redeem q = { 0 };
	uint8_t buf[512];
	struct writer w = wr_open(buf, sizeof(buf));

	snprintf(q.code, sizeof(q.code), "%s", code);
	snprintf(q.audience, sizeof(q.audience), "%s", audience);
	snprintf(q.user, sizeof(q.user), "%s", user);
	snprintf(q.token, sizeof(q.token), "%s", token);
	redeem_pack(&q, &w);
	lab_ask(&lab, MSG_REDEEM, buf, w.used, &r);
	return r.status == 200 ? "redeemed" : reply_reason(&r);
}

START_TEST(row_35_a_passport_is_good_once)
{
	static struct told_result t;
	char code[CODE_TEXT];
	struct result res;
	struct error e = { .code = ERR_NONE };
	int64_t now = clock_now().wall;

	get_passport(code);
	ck_assert_str_eq(redeem(code, "vpn.example", "kim", gate_token), "redeemed");
	told(&t);
	ck_assert_msg(passport_verify(t.result, strlen(t.result), &keys, now, "vpn.example", "kim", &res, &e), "%s", e.why);
	ck_assert_str_eq(res.host, "host-a");
	ck_assert(!passport_verify(t.result, strlen(t.result), &keys, now, "vpn.example", "lee", &res, &e));
	ck_assert(!passport_verify(t.result, strlen(t.result), &keys, now, "ssh.example", "kim", &res, &e));
	ck_assert(!result_verify(t.result, strlen(t.result), &keys, now, &res, &e));
	ck_assert_int_eq(e.code, ERR_UNTRUSTED);
	ck_assert_str_eq(redeem(code, "vpn.example", "kim", gate_token), "passport-invalid");
	/* The newest result is still one for nobody in particular. */
	ck_assert_str_eq(newest("host-a", gate_token), "result");
	told(&t);
	ck_assert(result_verify(t.result, strlen(t.result), &keys, now, &res, &e));
	ck_assert(!passport_verify(t.result, strlen(t.result), &keys, now, "vpn.example", "kim", &res, &e));
}
END_TEST

/* What is shown wrongly is spent: it has been seen by somebody else. Only who may not redeem at all spends nothing. */
static const struct { const char *label, *audience, *user; bool other, spent; const char *why; } shown[] = {
	{ "another user",     "vpn.example",   "lee", false, true,  "passport-invalid" },
	{ "another audience", "ssh.example",   "kim", false, true,  "passport-invalid" },
	{ "another gateway",  "other.example", "kim", true,  true,  "passport-invalid" },
	{ "foreign audience", "other.example", "kim", false, false, "not-a-gateway" },
	{ "foreign gateway",  "vpn.example",   "kim", true,  false, "not-a-gateway" },
};

START_TEST(row_35_a_passport_shown_wrongly)
{
	char code[CODE_TEXT];

	get_passport(code);
	ck_assert_msg(!strcmp(redeem(code, shown[_i].audience, shown[_i].user, shown[_i].other ? other_token : gate_token),
	    shown[_i].why), "%s: %s", shown[_i].label, r.body);
	ck_assert_str_eq(redeem(code, "vpn.example", "kim", gate_token), shown[_i].spent ? "passport-invalid" : "redeemed");
}
END_TEST

static void
age_passports(void)
{
	struct store *s = lab_store(&lab);
	struct passport_row row = { .host_id = "", .audience = "vpn.example", .user = "kim", .result = "x.y.z" };
	struct error e;

	memcpy(row.host_id, a.id, sizeof(row.host_id));
	row.expires = clock_now().wall - 1;
	ck_assert(digest_sha256("ZZZZZZZZZZZZZZZZZZZZZZZZZZ", CODE_CHARS, row.code));
	ck_assert(store_begin(s, &e) && store_passport_add(s, &row, &e) && store_commit(s, &e));
	store_close(s);
}

START_TEST(row_35_a_passport_that_is_too_old)
{
	age_passports();
	ck_assert_str_eq(redeem("ZZZZZZZZZZZZZZZZZZZZZZZZZZ", "vpn.example", "kim", gate_token), "passport-invalid");
	ck_assert_str_eq(redeem("00000000000000000000000000", "vpn.example", "kim", gate_token), "passport-invalid");
	ck_assert_str_eq(redeem("00000000000000000000000000", "vpn.example", "kim", "guess"), "not-a-gateway");
}
END_TEST

START_TEST(a_host_that_was_revoked_since)
{
	struct admin_request revoke = { .op = ADMIN_REVOKE, .host = "host-a", .reason = "stolen" };
	char code[CODE_TEXT];

	get_passport(code);
	admin(&revoke);
	ck_assert_str_eq(redeem(code, "vpn.example", "kim", gate_token), "host-revoked");
}
END_TEST

/* A bad host gets its verdict, and no code. */
START_TEST(a_refused_host_gets_none)
{
	struct admin_request revoke = { .op = ADMIN_WITHDRAW, .set = "base", .reason = "bad" };

	admin(&revoke);
	ask_passport("vpn.example", "kim");
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(reply_reason(&r), "reference-revoked");
	ck_assert_ptr_null(strstr(r.body, "passport"));
}
END_TEST

/* The quote binds purpose, audience and user: none of them can be exchanged beside it. */
static const struct { const char *label, *audience, *user, *sent_audience, *sent_user; enum purpose asked, quoted; enum message call; const char *why; } paired[] = {
	{ "audience",      "a.example", "kim", "b.example", "kim", PURPOSE_PASSPORT, PURPOSE_PASSPORT, MSG_PASSPORT, "context-differs" },
	{ "user",          "a.example", "kim", "a.example", "lee", PURPOSE_PASSPORT, PURPOSE_PASSPORT, MSG_PASSPORT, "context-differs" },
	{ "quoted login",  "a.example", "kim", "a.example", "kim", PURPOSE_PASSPORT, PURPOSE_LOGIN,    MSG_PASSPORT, "context-differs" },
	{ "for a login",   "a.example", "kim", "a.example", "kim", PURPOSE_LOGIN,    PURPOSE_PASSPORT, MSG_PASSPORT, "challenge-invalid" },
	{ "to a login",    "",          "",    "",          "",    PURPOSE_PASSPORT, PURPOSE_PASSPORT, MSG_EVIDENCE, "challenge-invalid" },
	{ "login with it", "a.example", "kim", "a.example", "kim", PURPOSE_LOGIN,    PURPOSE_LOGIN,    MSG_EVIDENCE, "request-invalid" },
	{ "no audience",   "",          "kim", "",          "kim", PURPOSE_PASSPORT, PURPOSE_PASSPORT, MSG_PASSPORT, "request-invalid" },
	{ "bad user",      "a.example", "k m", "a.example", "k m", PURPOSE_PASSPORT, PURPOSE_PASSPORT, MSG_PASSPORT, "request-invalid" },
};

START_TEST(row_35_what_is_re_paired_is_refused)
{
	struct soft_quote q;
	own(mem) uint8_t *body = NULL;
	size_t len;

	a.purpose = paired[_i].asked;
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	q.context.purpose = paired[_i].quoted;
	q.context.audience = paired[_i].audience;
	q.context.user = paired[_i].user;
	q.sent_audience = paired[_i].sent_audience;
	q.sent_user = paired[_i].sent_user;
	body = soft_evidence(&q, &len);
	lab_ask(&lab, paired[_i].call, body, len, &r);
	ck_assert_msg(!strcmp(reply_reason(&r), paired[_i].why), "%s: %s", paired[_i].label, r.body);
	ck_assert_ptr_null(strstr(r.body, "\"passport\""));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_lab, close_lab);
	tcase_add_test(tc, a_gateway_asks_about_any_host);
	tcase_add_test(tc, a_name_that_is_the_id_of_another);
	tcase_add_test(tc, a_host_asks_about_itself_alone);
	tcase_add_loop_test(tc, gateways_change_for_a_reason, 0, COUNT(changes));
	tcase_add_test(tc, row_35_a_passport_is_good_once);
	tcase_add_loop_test(tc, row_35_a_passport_shown_wrongly, 0, COUNT(shown));
	tcase_add_test(tc, row_35_a_passport_that_is_too_old);
	tcase_add_test(tc, a_host_that_was_revoked_since);
	tcase_add_test(tc, a_refused_host_gets_none);
	tcase_add_loop_test(tc, row_35_what_is_re_paired_is_refused, 0, COUNT(paired));
}

int main(void) { return unit_run("gateways", add); }
