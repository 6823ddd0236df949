#include "api.h"
#include "unit.h"

static struct error e;
static char *text;
static size_t len;

static void
nothing(void)
{
	text = NULL;
	e.code = ERR_NONE;
}

static void
release(void)
{
	free(text);
}

START_TEST(challenge_request)
{
	struct challenge_request q = { .ak = { .size = 34, .bytes = { 0, 0xb, 5 } }, .boot_id = "0b7e-x", .boot_log = { 6 },
		.boot_log_len = 75000, .ima_count = 1000000 }, again;

	ck_assert(challenge_request_json(&q, &text, &len, &e));
	ck_assert_msg(challenge_request_read(text, len, &again, &e), "%s", e.why);
	ck_assert(name_same(&again.ak, &q.ak));
	ck_assert_str_eq(again.boot_id, q.boot_id);
	ck_assert_mem_eq(again.boot_log, q.boot_log, SHA256_SIZE);
	ck_assert_uint_eq(again.boot_log_len, 75000);
	ck_assert_uint_eq(again.ima_count, 1000000);
}
END_TEST

START_TEST(purposes)
{
	struct challenge_request q = { .ak = { .size = 34, .bytes = { 0, 0xb, 5 } }, .boot_id = "0b7e-x" }, again;

	for (unsigned p = 0; p < PURPOSE_COUNT; p++) {
		q.purpose = (enum purpose)p;
		ck_assert(challenge_request_json(&q, &text, &len, &e));
		ck_assert_msg(challenge_request_read(text, len, &again, &e), "%s", e.why);
		ck_assert_int_eq(again.purpose, q.purpose);
		free(give(text));
	}
}
END_TEST

static const struct { const char *label, *text; enum err code; const char *why; } redemptions[] = {
	{ "good",             "{\"code\":\"0123456789ABCDEFGHJKMNPQRS\",\"audience\":\"vpn.example\",\"user\":\"kim\"}", ERR_NONE, "" },
	{ "lower case",       "{\"code\":\"0123456789abcdefghjkmnpqrs\",\"audience\":\"vpn.example\",\"user\":\"kim\"}", ERR_FORMAT, "code: not a code" },
	{ "with dashes",      "{\"code\":\"0123-456789ABCDEFGHJKMNPQR\",\"audience\":\"vpn.example\",\"user\":\"kim\"}", ERR_FORMAT, "code" },
	{ "too short",        "{\"code\":\"0123456789ABCDEFGHJKMNPQR\",\"audience\":\"vpn.example\",\"user\":\"kim\"}", ERR_FORMAT, "code" },
	{ "too long",         "{\"code\":\"0123456789ABCDEFGHJKMNPQRSA\",\"audience\":\"vpn.example\",\"user\":\"kim\"}", ERR_LIMIT, "code" },
	{ "no code",          "{\"audience\":\"vpn.example\",\"user\":\"kim\"}", ERR_FORMAT, "code" },
	{ "audience a path",  "{\"code\":\"0123456789ABCDEFGHJKMNPQRS\",\"audience\":\"vpn/..\",\"user\":\"kim\"}", ERR_FORMAT, "audience" },
	{ "no audience",      "{\"code\":\"0123456789ABCDEFGHJKMNPQRS\",\"audience\":\"\",\"user\":\"kim\"}", ERR_FORMAT, "audience" },
	{ "user with a space","{\"code\":\"0123456789ABCDEFGHJKMNPQRS\",\"audience\":\"vpn.example\",\"user\":\"k m\"}", ERR_FORMAT, "user" },
	{ "user a number",    "{\"code\":\"0123456789ABCDEFGHJKMNPQRS\",\"audience\":\"vpn.example\",\"user\":7}", ERR_FORMAT, "user" },
};

START_TEST(redemption_rows)
{
	struct redemption q = { .code = "" };
	bool ok = redemption_read(redemptions[_i].text, strlen(redemptions[_i].text), &q, &e);

	ck_assert_msg(ok == (redemptions[_i].code == ERR_NONE), "%s: %s", redemptions[_i].label, e.why);
	if (ok) {
		ck_assert(redemption_json(&q, &text, &len, &e));
		ck_assert_str_eq(text, redemptions[_i].text);
	} else {
		ck_assert_msg(e.code == redemptions[_i].code && strstr(e.why, redemptions[_i].why), "%s: %s", redemptions[_i].label, e.why);
	}
}
END_TEST

static void
is_no_redemption(const uint8_t *p, size_t n, void *arg)
{
	struct redemption q;

	(void)arg;
	ck_assert(!redemption_read((const char *)p, n, &q, &e));
}

START_TEST(no_part_of_a_redemption)
{
	unit_prefixes((const uint8_t *)redemptions[0].text, strlen(redemptions[0].text), is_no_redemption, NULL);
}
END_TEST

START_TEST(challenge_answer)
{
	struct challenge_answer a = { .challenge = { 1 }, .nonce = { 2 }, .boot_log_known = true, .ima_wanted = true,
		.ima_from = 3, .expires_in = 60000, .selection = { .count = 2, .bank = { { 0x000b, 0x53ff }, { 0x0004, 1 } } } }, again;

	ck_assert_msg(challenge_answer_json(&a, &text, &len, &e), "%s", e.why);
	ck_assert_msg(challenge_answer_read(text, len, &again, &e), "%s", e.why);
	ck_assert_mem_eq(again.challenge, a.challenge, CHALLENGE_SIZE);
	ck_assert_mem_eq(again.nonce, a.nonce, NONCE_SIZE);
	ck_assert(selection_same(&again.selection, &a.selection));
	ck_assert(again.boot_log_known);
	ck_assert(again.ima_wanted);
	ck_assert_uint_eq(again.ima_from, 3);
	ck_assert_int_eq(again.expires_in, 60000);
	free(give(text));
	a.ima_wanted = false;
	ck_assert(challenge_answer_json(&a, &text, &len, &e));
	ck_assert_msg(challenge_answer_read(text, len, &again, &e), "%s", e.why);
	ck_assert(!again.ima_wanted && !again.ima_from);
}
END_TEST

START_TEST(evidence_answer)
{
	struct evidence_answer a = { .result = "a.b.c", .ref = "7F3K-21QX", .next_after = 120000 }, again;
	struct result r = { .state = STATE_WARNING, .nreasons = 1, .reason = { REASON_KEXEC } };

	ck_assert(evidence_answer_json(&a, &r, &text, &len, &e));
	ck_assert(strstr(text, "\"state\":\"warning\",\"reasons\":[\"kexec\"]"));
	ck_assert_msg(evidence_answer_read(text, len, &again, &e), "%s", e.why);
	ck_assert_str_eq(again.result, a.result);
	ck_assert_str_eq(again.ref, a.ref);
	ck_assert_int_eq(again.next_after, 120000);
}
END_TEST

static struct enroll_request *
an_enrollment(void)
{
	struct enroll_request *q = calloc(1, sizeof(*q));

	ck_assert_ptr_nonnull(q);
	strcpy(q->name, "web-1.example_net");
	q->ek_public_len = 314;
	q->ek_public[313] = 7;
	q->ek_cert_len = EK_CERT_MAX;
	q->ak_public_len = 90;
	q->chain_count = 2;
	q->chain_len[0] = 1000;
	q->chain_len[1] = EK_CERT_MAX;
	q->chain[1][EK_CERT_MAX - 1] = 8;
	q->banks = 1u << BANK_SHA256 | 1u << BANK_SHA384;
	strcpy(q->token, "tok-EN_1");
	return q;
}

START_TEST(enroll_request)
{
	own(mem) struct enroll_request *q = an_enrollment();
	own(mem) struct enroll_request *again = calloc(1, sizeof(*again));

	ck_assert(enroll_request_json(q, &text, &len, &e));
	ck_assert_msg(enroll_request_read(text, len, again, &e), "%s", e.why);
	ck_assert_str_eq(again->name, q->name);
	ck_assert_uint_eq(again->ek_public_len, 314);
	ck_assert_mem_eq(again->ek_public, q->ek_public, 314);
	ck_assert_uint_eq(again->ek_cert_len, EK_CERT_MAX);
	ck_assert_uint_eq(again->chain_count, 2);
	ck_assert_uint_eq(again->chain_len[1], EK_CERT_MAX);
	ck_assert_mem_eq(again->chain[1], q->chain[1], EK_CERT_MAX);
	ck_assert_uint_eq(again->banks, q->banks);
	ck_assert_str_eq(again->token, q->token);
}
END_TEST

START_TEST(enroll_request_without_what_may_lack)
{
	own(mem) struct enroll_request *q = an_enrollment();
	own(mem) struct enroll_request *again = calloc(1, sizeof(*again));

	q->ek_cert_len = 0;
	q->chain_count = 0;
	*q->token = '\0';
	ck_assert(enroll_request_json(q, &text, &len, &e));
	ck_assert_ptr_null(strstr(text, "token"));
	ck_assert_msg(enroll_request_read(text, len, again, &e), "%s", e.why);
	ck_assert_uint_eq(again->ek_cert_len + again->chain_count, 0);
	ck_assert_str_eq(again->token, "");
}
END_TEST

START_TEST(enroll_answer_and_proof)
{
	struct enroll_answer a = { .id = "0b7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a111", .credential = { 1 }, .credential_len = 68,
		.secret = { 2 }, .secret_len = 258 }, again;
	uint8_t secret[SECRET_SIZE] = { 9, 8 }, back[SECRET_SIZE];

	ck_assert(enroll_answer_json(&a, &text, &len, &e));
	ck_assert_msg(enroll_answer_read(text, len, &again, &e), "%s", e.why);
	ck_assert_str_eq(again.id, a.id);
	ck_assert_uint_eq(again.credential_len, 68);
	ck_assert_uint_eq(again.secret_len, 258);
	free(give(text));
	ck_assert(proof_json(secret, &text, &len, &e) && proof_read(text, len, back, &e));
	ck_assert_mem_eq(back, secret, SECRET_SIZE);
}
END_TEST

START_TEST(enrolled)
{
	struct sign_key *key = NULL;
	own(mem) struct enrolled *h = calloc(1, sizeof(*h));
	own(mem) struct enrolled *again = calloc(1, sizeof(*again));

	strcpy(h->host_id, "id-1");
	strcpy(h->name, "web-1");
	strcpy(h->state, "pending");
	strcpy(h->token, "secret");
	ck_assert(enrolled_json(h, &text, &len, &e));
	ck_assert_ptr_null(strstr(text, "token"));        /* nothing is given away before approval */
	ck_assert_msg(enrolled_read(text, len, again, &e), "%s", e.why);
	ck_assert_str_eq(again->state, "pending");
	free(give(text));

	strcpy(h->state, "active");
	strcpy(h->keyset, "a.b.c");
	ck_assert(sign_key_make(&key, &e) && sign_key_public(key, &h->root, &e));
	sign_key_free(key);
	ck_assert_msg(enrolled_json(h, &text, &len, &e), "%s", e.why);
	ck_assert_msg(enrolled_read(text, len, again, &e), "%s", e.why);
	ck_assert_mem_eq(&again->root, &h->root, sizeof(h->root));
	ck_assert_str_eq(again->keyset, "a.b.c");
	ck_assert_str_eq(again->token, "secret");
	ck_assert(!again->has_recovery);
	free(give(text));

	h->has_recovery = true;
	memset(h->recovery, 7, sizeof(h->recovery));
	ck_assert(enrolled_json(h, &text, &len, &e) && enrolled_read(text, len, again, &e) && again->has_recovery);
	ck_assert_mem_eq(again->recovery, h->recovery, sizeof(h->recovery));
}
END_TEST

START_TEST(problem)
{
	struct problem p = { .status = 409, .reason = REASON_NEEDS_BOOT_LOG, .detail = "send \"it\"\n\x1b[31m\xff", .need = "boot_log" },
		again;

	ck_assert(problem_json(&p, &text, &len, &e));
	ck_assert_ptr_null(strpbrk(text, "\n\x1b\xff"));
	ck_assert_msg(problem_read(text, len, &again, &e), "%s", e.why);
	ck_assert_int_eq(again.status, 409);
	ck_assert_uint_eq(again.reason, REASON_NEEDS_BOOT_LOG);
	ck_assert_str_eq(again.need, "boot_log");
	ck_assert_str_eq(again.ref, "");
}
END_TEST

#define CHALLENGE(ak, boot, log) "{\"ak_name\":" ak ",\"boot_id\":" boot ",\"boot_log\":" log ",\"boot_log_length\":1,\"ima_count\":0}"
#define LOG "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
static const struct { const char *label, *text, *why; } requests[] = {
	{ "good",                 CHALLENGE("\"AAsA\"", "\"b-1\"", LOG), NULL },
	{ "empty AK name",        CHALLENGE("\"\"", "\"b\"", LOG), "ak_name: empty" },
	{ "AK name not text",     CHALLENGE("1", "\"b\"", LOG), "ak_name: not a string" },
	{ "AK name not base64",   CHALLENGE("\"AA==\"", "\"b\"", LOG), "ak_name: not base64url" },
	{ "boot id with a line",  CHALLENGE("\"AAsA\"", "\"b\\n\"", LOG), "boot_id: other than letters" },
	{ "boot id of 37",        CHALLENGE("\"AAsA\"", "\"0123456789012345678901234567890123456\"", LOG), "boot_id: longer than 36" },
	{ "boot log too short",   CHALLENGE("\"AAsA\"", "\"b\"", "\"AA\""), "boot_log: not 32 bytes" },
	{ "negative length",      "{\"ak_name\":\"AAsA\",\"boot_id\":\"b\",\"boot_log\":" LOG ",\"boot_log_length\":-1,\"ima_count\":0}",
	    "boot_log_length: not from" },
	{ "missing",              "{}", "ak_name: missing" },
	{ "not an object",        "[]", "not a JSON object" },
	{ "empty",                "", "not a JSON object" },
	{ "trailing",             CHALLENGE("\"AAsA\"", "\"b-1\"", LOG) "x", "not JSON" },
};

START_TEST(challenge_request_rows)
{
	struct challenge_request q;
	bool ok = challenge_request_read(requests[_i].text, strlen(requests[_i].text), &q, &e);

	ck_assert_msg(ok == !requests[_i].why && (ok || strstr(e.why, requests[_i].why)), "%s: %s", requests[_i].label,
	    ok ? "read" : e.why);
}
END_TEST

#define ENROLL(name, more) "{\"name\":" name ",\"ek_public\":\"AA\",\"ak_public\":\"AA\"" more "}"
#define TEN "\"AA\",\"AA\",\"AA\",\"AA\",\"AA\",\"AA\",\"AA\",\"AA\",\"AA\""
static const struct { const char *label, *text, *why; } enrollments[] = {
	{ "good",                  ENROLL("\"h\"", ",\"banks\":[\"sha256\",\"sm3_256\"]"), NULL },
	{ "no name",               ENROLL("\"\"", ",\"banks\":[]"), "name: empty" },
	{ "name with a slash",     ENROLL("\"../h\"", ",\"banks\":[]"), "name: other than letters" },
	{ "name with an escape",   ENROLL("\"\\u001b[0m\"", ",\"banks\":[]"), "name: other than letters" },
	{ "name not ASCII",        ENROLL("\"h\xc3\xb6\"", ",\"banks\":[]"), "name: other than letters" },
	{ "no banks",              ENROLL("\"h\"", ""), "banks: missing" },
	{ "banks as numbers",      ENROLL("\"h\"", ",\"banks\":[11]"), "banks: list element: not a string" },
	{ "nine in the chain",     ENROLL("\"h\"", ",\"banks\":[],\"ek_chain\":[" TEN "]"), "ek_chain: over 8" },
	{ "nothing in the chain",  ENROLL("\"h\"", ",\"banks\":[],\"ek_chain\":[\"AA\",\"\"]"), "ek_chain: not base64url" },
	{ "chain not base64url",   ENROLL("\"h\"", ",\"banks\":[],\"ek_chain\":[\"+\"]"), "ek_chain: not base64url" },
	{ "token with a line",     ENROLL("\"h\"", ",\"banks\":[],\"token\":\"a\\r\\nb\""), "token: other than letters" },
	{ "empty certificate",     ENROLL("\"h\"", ",\"banks\":[],\"ek_certificate\":\"\""), "ek_certificate: empty" },
};

START_TEST(enroll_request_rows)
{
	own(mem) struct enroll_request *q = calloc(1, sizeof(*q));
	bool ok = enroll_request_read(enrollments[_i].text, strlen(enrollments[_i].text), q, &e);

	ck_assert_msg(ok == !enrollments[_i].why && (ok || strstr(e.why, enrollments[_i].why)), "%s: %s",
	    enrollments[_i].label, ok ? "read" : e.why);
}
END_TEST

static const struct { const char *label, *text, *why; } problems[] = {
	{ "good",           "{\"status\":400,\"reason\":\"request-invalid\",\"detail\":\"\"}", NULL },
	{ "status of good", "{\"status\":200,\"reason\":\"request-invalid\",\"detail\":\"\"}", "status: not from 400" },
	{ "unknown reason", "{\"status\":400,\"reason\":\"fine\",\"detail\":\"\"}", "reason: no such code" },
	{ "ref with a line","{\"status\":400,\"reason\":\"request-invalid\",\"detail\":\"\",\"ref\":\"a\\nb\"}", "ref: other than" },
	{ "entries wanted", "{\"status\":409,\"reason\":\"needs-ima\",\"detail\":\"\",\"need\":\"ima\",\"from\":7}", NULL },
	{ "from nowhere",   "{\"status\":409,\"reason\":\"needs-ima\",\"detail\":\"\",\"need\":\"ima\"}", "from: missing" },
	{ "from below 0",   "{\"status\":409,\"reason\":\"needs-ima\",\"detail\":\"\",\"need\":\"ima\",\"from\":-1}", "from: not from 0" },
};

START_TEST(problem_rows)
{
	struct problem p;
	bool ok = problem_read(problems[_i].text, strlen(problems[_i].text), &p, &e);

	ck_assert_msg(ok == !problems[_i].why && (ok || strstr(e.why, problems[_i].why)), "%s: %s", problems[_i].label,
	    ok ? "read" : e.why);
}
END_TEST

START_TEST(body_over_its_limit)
{
	own(mem) struct enroll_request *q = calloc(1, sizeof(*q));
	own(mem) char *body = calloc(1, API_BODY_MAX + 2);

	memset(body, ' ', API_BODY_MAX + 1);
	ck_assert(!enroll_request_read(body, API_BODY_MAX + 1, q, &e));
	ck_assert_uint_eq(e.code, ERR_LIMIT);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, nothing, release);
	tcase_add_test(tc, challenge_request);
	tcase_add_test(tc, purposes);
	tcase_add_loop_test(tc, redemption_rows, 0, (int)COUNT(redemptions));
	tcase_add_test(tc, no_part_of_a_redemption);
	tcase_add_test(tc, challenge_answer);
	tcase_add_test(tc, evidence_answer);
	tcase_add_test(tc, enroll_request);
	tcase_add_test(tc, enroll_request_without_what_may_lack);
	tcase_add_test(tc, enroll_answer_and_proof);
	tcase_add_test(tc, enrolled);
	tcase_add_test(tc, problem);
	tcase_add_loop_test(tc, challenge_request_rows, 0, (int)COUNT(requests));
	tcase_add_loop_test(tc, enroll_request_rows, 0, (int)COUNT(enrollments));
	tcase_add_loop_test(tc, problem_rows, 0, (int)COUNT(problems));
	tcase_add_test(tc, body_over_its_limit);
}

int
main(void)
{
	return unit_run("api", add);
}
