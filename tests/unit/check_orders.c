/* What a verifier orders, signed, and recovery codes. NEGATIVE rows 22, 35 and 38. */
#include "crockford.h"
#include "orders.h"
#include "recovery.h"
#include "result.h"
#include "unit.h"

static struct sign_key *signer;
static struct keyset keys;
static struct error e;

static void
make_keys(void)
{
	keys.count = 1;
	ck_assert(sign_key_make(&signer, &e) && sign_key_public(signer, &keys.key[0], &e));
}

static void
free_keys(void)
{
	sign_key_free(signer);
}

#define HOST "0b7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a111"

static struct orders
some_orders(void)
{
	return (struct orders){ .host_id = HOST, .nonce = { 9 }, .issued_wall = 1794000000000, .ceiling = MODE_AUDIT,
		.ceiling_left = 3600000, .ceiling_then = MODE_ENFORCE, .codes_void = 7, .next_after = 15000, .count = 2, .order = {
		{ .id = "7F3K-21QX", .remaining = 7200000, .user = "kim", .services = "sshd sudo" },
		{ .id = "AAAA-BBBB", .remaining = 1, .overrules = true } } };
}

START_TEST(verifies_what_was_signed)
{
	struct orders q = some_orders(), again;
	char jws[ORDERS_MAX];
	size_t len;

	ck_assert_msg(orders_sign(&q, signer, jws, sizeof(jws), &len, &e), "%s", e.why);
	ck_assert_msg(orders_verify(jws, len, &keys, &again, &e), "%s", e.why);
	ck_assert(!memcmp(&again.nonce, &q.nonce, sizeof(q.nonce)));
	ck_assert_str_eq(again.host_id, HOST);
	ck_assert(again.issued_wall == q.issued_wall && again.ceiling == MODE_AUDIT && again.codes_void == 7 &&
	    again.next_after == 15000 && again.count == 2);
	ck_assert(again.ceiling_left == 3600000 && again.ceiling_then == MODE_ENFORCE);
	ck_assert_str_eq(again.order[0].id, "7F3K-21QX");
	ck_assert_str_eq(again.order[0].user, "kim");
	ck_assert_str_eq(again.order[0].services, "sshd sudo");
	ck_assert(again.order[0].remaining == 7200000 && !again.order[0].overrules);
	ck_assert(again.order[1].remaining == 1 && again.order[1].overrules && !again.order[1].user[0]);
}
END_TEST

START_TEST(as_many_and_as_large_as_there_may_be)
{
	struct orders q = some_orders(), again;
	char jws[ORDERS_MAX];
	size_t len;

	q.count = LEASES_MAX;
	for (unsigned i = 0; i < LEASES_MAX; i++) {
		q.order[i] = (struct order){ .id = "AAAA-BBBB", .remaining = LEASE_LIFETIME_MAX_MS };
		memset(q.order[i].user, 'u', LEASE_USER_TEXT - 1);
		memset(q.order[i].services, 's', LEASE_SERVICES_TEXT - 1);
	}
	ck_assert_msg(orders_sign(&q, signer, jws, sizeof(jws), &len, &e), "%s", e.why);
	ck_assert_msg(orders_verify(jws, len, &keys, &again, &e), "%s", e.why);
}
END_TEST

START_TEST(row_35_orders_are_no_result_nor_a_result_orders)
{
	struct orders q = some_orders();
	struct result r = { .host = "web-1", .host_id = HOST, .ak = { .size = 34, .bytes = { 0, 0xb, 1 } },
		.boot_id = HOST, .nonce = { 9 }, .pcr_digest = { 8 }, .pcr_digest_len = 32, .state = STATE_AFFIRMING,
		.claim = { 2, 2, 3, 2 }, .policy = "default/3", .nreasons = 1, .reason = { REASON_OK }, .ref = "7F3K-21QX",
		.ceiling = MODE_ENFORCE, .issued_wall = 1794000000000, .expires_wall = 1794000300000 };
	char jws[ORDERS_MAX];
	size_t len;

	ck_assert_msg(orders_sign(&q, signer, jws, sizeof(jws), &len, &e), "%s", e.why);
	ck_assert(!result_verify(jws, len, &keys, RESULT_BY_NONCE, &r, &e) && strstr(e.why, "typ is not eat+jwt"));
	ck_assert_msg(result_sign(&r, signer, jws, sizeof(jws), &len, &e), "%s", e.why);
	ck_assert(!orders_verify(jws, len, &keys, &q, &e) && strstr(e.why, "typ is not attest-orders+jwt"));
}
END_TEST

#define NONCE "\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
#define REST  "\"host_id\":\"h\"," NONCE ",\"iat\":1,\"ceiling\":\"audit\",\"codes_void\":0,\"next_after\":15000"
#define SAYS(leases) "{\"profile\":\"pam-attest/orders/1\"," REST ",\"leases\":[" leases "]}"
#define LEASE(id, remaining, more) "{\"id\":" id ",\"remaining\":" remaining more "}"
#define WHOM ",\"overrules_refusal\":true,\"user\":\"kim\",\"services\":\"sshd\""
#define ONE LEASE("\"7F3K-21QX\"", "1000", WHOM)

static const struct { const char *label, *payload, *why; } rows[] = {
	{ "none", SAYS(""), NULL },
	{ "one", SAYS(ONE), NULL },
	{ "another profile", "{\"profile\":\"pam-attest/orders/2\"," REST ",\"leases\":[]}", "profile is not" },
	{ "no profile", "{" REST ",\"leases\":[]}", "profile: missing" },
	{ "nine", SAYS(ONE "," ONE "," ONE "," ONE "," ONE "," ONE "," ONE "," ONE "," ONE), "leases: over 8" },
	{ "no list", "{\"profile\":\"pam-attest/orders/1\"," REST "}", "leases: missing" },
	{ "a lease that is none", SAYS("7"), "lease 0" },
	{ "22: a float", SAYS(LEASE("\"7F3K-21QX\"", "1000.0", WHOM)), "remaining: not an integer" },
	{ "over", SAYS(LEASE("\"7F3K-21QX\"", "0", WHOM)), "remaining: not from 1" },
	{ "for longer than there are leases", SAYS(LEASE("\"7F3K-21QX\"", "86400001", WHOM)), "remaining: not from 1" },
	{ "no time", SAYS("{\"id\":\"7F3K-21QX\"" WHOM "}"), "remaining: missing" },
	{ "id in another spelling", SAYS(LEASE("\"7f3k-21qx\"", "1", WHOM)), "id: not a reference" },
	{ "overrules as text", SAYS(LEASE("\"7F3K-21QX\"", "1", ",\"overrules_refusal\":\"true\",\"user\":\"\",\"services\":\"\"")),
	    "overrules_refusal: not" },
	{ "overrules unsaid", SAYS(LEASE("\"7F3K-21QX\"", "1", ",\"user\":\"\",\"services\":\"\"")), "overrules_refusal: missing" },
	{ "a user with a line", SAYS(LEASE("\"7F3K-21QX\"", "1", ",\"overrules_refusal\":true,\"user\":\"a\\nb\",\"services\":\"\"")),
	    "more than words" },
	{ "services unsaid", SAYS(LEASE("\"7F3K-21QX\"", "1", ",\"overrules_refusal\":true,\"user\":\"\"")), "services: missing" },
	{ "short nonce", "{\"profile\":\"pam-attest/orders/1\",\"host_id\":\"h\",\"nonce\":\"AA\",\"iat\":1,\"ceiling\":\"audit\","
	    "\"codes_void\":0,\"next_after\":1,\"leases\":[]}", "nonce: not 32" },
	{ "a ceiling that is none", "{\"profile\":\"pam-attest/orders/1\",\"host_id\":\"h\"," NONCE ",\"iat\":1,\"ceiling\":\"none\","
	    "\"codes_void\":0,\"next_after\":1,\"leases\":[]}", "ceiling: no such mode" },
	{ "a ceiling that ended", "{\"profile\":\"pam-attest/orders/1\",\"ceiling_left\":0,\"ceiling_then\":\"enforce\"," REST ",\"leases\":[]}",
	    "ceiling_left: not from" },
	{ "an end, and nothing then", "{\"profile\":\"pam-attest/orders/1\",\"ceiling_left\":9," REST ",\"leases\":[]}", "ceiling_then: missing" },
	{ "nonsense then", "{\"profile\":\"pam-attest/orders/1\",\"ceiling_left\":9,\"ceiling_then\":\"on\"," REST ",\"leases\":[]}",
	    "ceiling_then: no such mode" },
	{ "ask never again", "{\"profile\":\"pam-attest/orders/1\",\"host_id\":\"h\"," NONCE ",\"iat\":1,\"ceiling\":\"audit\","
	    "\"codes_void\":0,\"next_after\":9999999999,\"leases\":[]}", "next_after: not from" },
};

START_TEST(payloads)
{
	char jws[ORDERS_MAX];
	struct orders q;
	size_t len;
	bool ok;

	ck_assert(jws_sign(signer, "attest-orders+jwt", rows[_i].payload, strlen(rows[_i].payload), jws, sizeof(jws), &len, &e));
	ok = orders_verify(jws, len, &keys, &q, &e);
	ck_assert_msg(ok == !rows[_i].why && (ok || strstr(e.why, rows[_i].why)), "%s: %s", rows[_i].label, ok ? "read" : e.why);
}
END_TEST

static void
prefix(const uint8_t *buf, size_t len, void *arg)
{
	struct orders q;

	(void)arg;
	ck_assert_msg(!orders_verify((const char *)buf, len, &keys, &q, &e), "the first %zu bytes pass", len);
}

START_TEST(no_prefix_passes)
{
	struct orders q = some_orders();
	struct sign_key *stranger;
	struct keyset others = { .count = 1 };
	char jws[ORDERS_MAX];
	size_t len;

	ck_assert(orders_sign(&q, signer, jws, sizeof(jws), &len, &e));
	unit_prefixes((const uint8_t *)jws, len, prefix, NULL);
	ck_assert(sign_key_make(&stranger, &e) && sign_key_public(stranger, &others.key[0], &e));
	ck_assert(!orders_verify(jws, len, &others, &q, &e));
	sign_key_free(stranger);
}
END_TEST

/* --- recovery codes */

static const uint8_t key[RECOVERY_KEY_SIZE] = { 1, 2, 3 }, other_key[RECOVERY_KEY_SIZE] = { 1, 2, 4 };

START_TEST(a_code_is_read_as_it_was_made)
{
	struct recovery q = { .sequence = 70000, .hours = 8, .overrules = true }, back;
	char code[RECOVERY_CODE_TEXT], typed[2 * RECOVERY_CODE_TEXT] = "";
	static const char *const aloud[] = { "", "-", " " };

	ck_assert_msg(recovery_code(key, HOST, &q, code, &e), "%s", e.why);
	ck_assert_uint_eq(strlen(code), 26);
	ck_assert_msg(recovery_read(key, HOST, code, &back, &e), "%s", e.why);
	ck_assert(back.sequence == 70000 && back.hours == 8 && back.overrules);
	ck_assert_str_eq(back.id, q.id);
	/* As people type it: with dashes and spaces, small, O and L for digits. */
	for (unsigned i = 0; code[i]; i++) {
		char c = code[i] == '0' ? 'o' : code[i] == '1' ? 'l' : code[i] >= 'A' ? (char)(code[i] + 32) : code[i];

		snprintf(typed + strlen(typed), 3, "%c%s", c, aloud[i % 3]);
	}
	ck_assert_msg(recovery_read(key, HOST, typed, &back, &e), "%s: %s", typed, e.why);
	ck_assert(!recovery_read(other_key, HOST, code, &back, &e) && e.code == ERR_REFUSED);
	ck_assert(!recovery_read(key, "0b7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a112", code, &back, &e) && e.code == ERR_REFUSED);
}
END_TEST

START_TEST(row_38_a_code_with_one_bit_changed_is_none)
{
	struct recovery q = { .sequence = 1, .hours = 1 }, back;
	char code[RECOVERY_CODE_TEXT], changed[RECOVERY_CODE_TEXT];
	uint8_t bytes[RECOVERY_CODE_BYTES];

	ck_assert(recovery_code(key, HOST, &q, code, &e) && crockford_bytes(code, bytes, sizeof(bytes)));
	for (unsigned bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		crockford_text(bytes, sizeof(bytes), changed);
		ck_assert_msg(!recovery_read(key, HOST, changed, &back, &e) && e.code == ERR_REFUSED, "bit %u", bit);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned len = 0; len < 26; len++) {
		snprintf(changed, sizeof(changed), "%.*s", (int)len, code);
		ck_assert_msg(!recovery_read(key, HOST, changed, &back, &e) && e.code == ERR_FORMAT, "%u characters", len);
	}
	/* The last character has two bits of padding. */
	strcpy(changed, code);
	changed[25] = crockford_alphabet[(strchr(crockford_alphabet, code[25]) - crockford_alphabet) | 1];
	ck_assert(!recovery_read(key, HOST, changed, &back, &e) && e.code == ERR_FORMAT);
	ck_assert(!recovery_read(key, HOST, "U0000000000000000000000000", &back, &e) && e.code == ERR_FORMAT);
}
END_TEST

START_TEST(codes_that_are_not_made)
{
	static const struct recovery bad[] = { { 0, 1, false, "" }, { 1u << 24, 1, false, "" }, { 1, 0, false, "" }, { 1, 25, false, "" } };
	char code[RECOVERY_CODE_TEXT];

	for (unsigned i = 0; i < COUNT(bad); i++) {
		struct recovery q = bad[i];

		ck_assert_msg(!recovery_code(key, HOST, &q, code, &e), "row %u", i);
	}
}
END_TEST

START_TEST(base32)
{
	uint8_t bytes[16], back[16];
	char text[27];

	for (size_t n = 1; n <= sizeof(bytes); n++) {
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)(0xff - 37 * i * n);
		crockford_text(bytes, n, text);
		ck_assert_uint_eq(strlen(text), CROCKFORD_CHARS(n));
		ck_assert(crockford_bytes(text, back, n) && !memcmp(bytes, back, n));
		ck_assert(n == 1 || !crockford_bytes(text, back, n - 1));
	}
	crockford_text((const uint8_t[]){ 0xff, 0, 0xff, 0, 0xff }, 5, text);
	ck_assert_str_eq(text, "ZW0FY07Z");
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_keys, free_keys);
	tcase_add_test(tc, verifies_what_was_signed);
	tcase_add_test(tc, as_many_and_as_large_as_there_may_be);
	tcase_add_test(tc, row_35_orders_are_no_result_nor_a_result_orders);
	tcase_add_loop_test(tc, payloads, 0, (int)COUNT(rows));
	tcase_add_test(tc, no_prefix_passes);
	tcase_add_test(tc, a_code_is_read_as_it_was_made);
	tcase_add_test(tc, row_38_a_code_with_one_bit_changed_is_none);
	tcase_add_test(tc, codes_that_are_not_made);
	tcase_add_test(tc, base32);
}

int
main(void)
{
	return unit_run("orders", add);
}
