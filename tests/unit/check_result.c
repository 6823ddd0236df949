#include "forge.h"
#include "result.h"
#include "unit.h"

static struct sign_key *signer;
static struct keyset keys;
static struct error e;
static const int64_t now = 1794000100000;

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

static struct result
a_result(void)
{
	return (struct result){
		.host = "web-1", .host_id = "0b7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a111", .ak = { .size = 34, .bytes = { 0, 0xb, 1 } },
		.boot_id = "1c7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a222", .reset_count = 4000000000u, .restart_count = 2,
		.clock = 123456789012, .nonce = { 9 }, .pcr_digest = { 8 }, .pcr_digest_len = 32,
		.state = STATE_AFFIRMING, .claim = { 2, 2, 3, 2 }, .policy = "default/3", .references = "web/1 web/2",
		.references_digest = { 7 }, .nreasons = 1, .reason = { REASON_OK }, .ref = "7F3K-21QX",
		.ceiling = MODE_AUDIT, .ceiling_until = 1794000200000, .ceiling_then = MODE_ENFORCE, .grace_max = 3600000, .issued_wall = 1794000000000, .expires_wall = 1794000300000,
	};
}

START_TEST(verifies_what_was_signed)
{
	struct result r = a_result(), again;
	char jws[RESULT_MAX];
	size_t len;

	r.state = STATE_CONTRAINDICATED;
	r.nreasons = 2;
	r.reason[0] = REASON_KERNEL_CHANGED;
	r.reason[1] = REASON_CMDLINE_CHANGED;
	r.claim[CLAIM_EXECUTABLES] = 97;
	r.claim[CLAIM_HARDWARE] = 0;
	ck_assert_msg(result_sign(&r, signer, jws, sizeof(jws), &len, &e), "%s", e.why);
	ck_assert_msg(result_verify(jws, len, &keys, now, &again, &e), "%s", e.why);
	/* Who asked for it goes by the nonce, whatever the clocks say; nobody else does. */
	ck_assert(result_verify(jws, len, &keys, RESULT_BY_NONCE, &again, &e));
	ck_assert(!result_verify(jws, len, &keys, r.expires_wall, &again, &e));
	ck_assert(!result_verify(jws, len, &keys, r.issued_wall - RESULT_SKEW_MS - 1, &again, &e));
	ck_assert_str_eq(again.host, r.host);
	ck_assert_str_eq(again.host_id, r.host_id);
	ck_assert(name_same(&again.ak, &r.ak));
	ck_assert_str_eq(again.boot_id, r.boot_id);
	ck_assert_uint_eq(again.reset_count, r.reset_count);
	ck_assert_uint_eq(again.restart_count, r.restart_count);
	ck_assert_uint_eq(again.clock, r.clock);
	ck_assert_mem_eq(again.nonce, r.nonce, NONCE_SIZE);
	ck_assert_uint_eq(again.pcr_digest_len, 32);
	ck_assert_mem_eq(again.pcr_digest, r.pcr_digest, 32);
	ck_assert_uint_eq(again.state, r.state);
	ck_assert_mem_eq(again.claim, r.claim, sizeof(r.claim));
	ck_assert_str_eq(again.policy, r.policy);
	ck_assert_str_eq(again.references, r.references);
	ck_assert_mem_eq(again.references_digest, r.references_digest, SHA256_SIZE);
	ck_assert_uint_eq(again.nreasons, 2);
	ck_assert_uint_eq(again.reason[0], REASON_KERNEL_CHANGED);
	ck_assert_uint_eq(again.reason[1], REASON_CMDLINE_CHANGED);
	ck_assert_str_eq(again.ref, r.ref);
	ck_assert_uint_eq(again.ceiling, r.ceiling);
	ck_assert(again.ceiling_until == r.ceiling_until && again.ceiling_then == r.ceiling_then);
	ck_assert_int_eq(again.grace_max, r.grace_max);
	ck_assert_int_eq(again.issued_wall, r.issued_wall);
	ck_assert_int_eq(again.expires_wall, r.expires_wall);
}
END_TEST

START_TEST(sizes_at_their_largest)
{
	struct result r = a_result(), again;
	char jws[RESULT_MAX];
	size_t len;

	memset(r.host, 'h', sizeof(r.host) - 1);
	memset(r.policy, 'p', sizeof(r.policy) - 1);
	memset(r.references, 'r', sizeof(r.references) - 1);
	r.ak.size = TPM_NAME_MAX;
	r.pcr_digest_len = DIGEST_MAX;
	r.nreasons = RESULT_REASONS_MAX;
	for (unsigned i = 0; i < RESULT_REASONS_MAX; i++)
		r.reason[i] = REASON_ENROLLMENT_REJECTED;
	r.state = STATE_CONTRAINDICATED;
	r.reason[0] = REASON_OPTION_ROM_UNKNOWN;
	ck_assert_msg(result_sign(&r, signer, jws, sizeof(jws), &len, &e), "%s", e.why);
	ck_assert_msg(result_verify(jws, len, &keys, now, &again, &e), "%s", e.why);
}
END_TEST

/* A payload in words, with single parts replaced. */
#define HEAD "\"eat_profile\":\"tag:ietf.org,2026:rats/ear#03\","
#define TIME "\"iat\":1794000000,\"exp\":1794000300,"
#define NONCE "\"eat_nonce\":\"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
#define BY "\"ear_verifier_id\":{\"developer\":\"pam-attest\",\"build\":\"x\"},"
#define STATUS "\"ear_status\":\"affirming\","
#define VECTOR "\"ear_trustworthiness_vector\":{\"instance-identity\":2,\"configuration\":2,\"executables\":3,\"hardware\":2},"
#define POLICY "\"ear_appraisal_policy_ids\":[\"default/3\"],"
#define BECAUSE(code) "\"pam_attest_reasons\":[\"" code "\"],"
#define REASONS_ BECAUSE("ok")
#define REST "\"pam_attest_host\":\"h\",\"pam_attest_host_id\":\"i\",\"pam_attest_ak_name\":\"AAsA\",\"pam_attest_boot_id\":\"b\"," \
	"\"pam_attest_reset_count\":1,\"pam_attest_restart_count\":0,\"pam_attest_clock\":1,\"pam_attest_pcr_digest\":\"AA\"," \
	"\"pam_attest_references\":\"\",\"pam_attest_references_digest\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"," \
	"\"pam_attest_ref\":\"7F3K-21QX\",\"pam_attest_ceiling\":\"enforce\",\"pam_attest_grace_max\":0"
#define EAR(head, time, nonce, by, status, vector, policy, reasons) \
	"{" head time nonce by "\"submods\":{\"host\":{" status vector policy reasons REST "}}}"
#define VALUES(a, b, c, d) "\"ear_trustworthiness_vector\":{\"instance-identity\":" a ",\"configuration\":" b \
	",\"executables\":" c ",\"hardware\":" d "},"

static const struct { const char *label, *payload; enum err code; const char *why; } payloads[] = {
	{ "whole", EAR(HEAD, TIME, NONCE, BY, STATUS, VECTOR, POLICY, REASONS_), ERR_NONE, "" },
	{ "with a claim more", EAR(HEAD, TIME "\"sub\":\"x\",", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_), ERR_NONE, "" },
	{ "no profile", EAR("", TIME, NONCE, BY, STATUS, VECTOR, POLICY, REASONS_), ERR_FORMAT, "eat_profile: missing" },
	{ "older profile", EAR("\"eat_profile\":\"tag:github.com,2023:veraison/ear\",", TIME, NONCE, BY, STATUS, VECTOR, POLICY,
	    REASONS_), ERR_FORMAT, "eat_profile: not tag:ietf.org" },
	{ "no exp", EAR(HEAD, "\"iat\":1794000000,", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_), ERR_FORMAT, "exp: missing" },
	{ "exp a float", EAR(HEAD, "\"iat\":1794000000,\"exp\":1794000300.5,", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_),
	    ERR_FORMAT, "exp: not an integer" },
	{ "exp a float without fraction", EAR(HEAD, "\"iat\":1794000000,\"exp\":1794000300.0,", NONCE, BY, STATUS, VECTOR, POLICY,
	    REASONS_), ERR_FORMAT, "exp: not an integer" },
	{ "exp with an exponent", EAR(HEAD, "\"iat\":1794000000,\"exp\":2e9,", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_),
	    ERR_FORMAT, "exp: not an integer" },
	{ "exp a string", EAR(HEAD, "\"iat\":1794000000,\"exp\":\"1794000300\",", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_),
	    ERR_FORMAT, "exp: not an integer" },
	{ "exp past every clock", EAR(HEAD, "\"iat\":1794000000,\"exp\":9223372036854775807,", NONCE, BY, STATUS, VECTOR, POLICY,
	    REASONS_), ERR_FORMAT, "exp: not from" },
	{ "exp past int64", EAR(HEAD, "\"iat\":1794000000,\"exp\":99999999999999999999,", NONCE, BY, STATUS, VECTOR, POLICY,
	    REASONS_), ERR_LIMIT, "number beyond 64 bits" },
	{ "exp twice", EAR(HEAD, TIME "\"exp\":1894000300,", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_), ERR_FORMAT,
	    "exp: given twice" },
	{ "iat a float", EAR(HEAD, "\"iat\":1794000000.1,\"exp\":1794000300,", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_),
	    ERR_FORMAT, "iat: not an integer" },
	{ "expired", EAR(HEAD, "\"iat\":1794000000,\"exp\":1794000100,", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_),
	    ERR_MISMATCH, "expired" },
	{ "from the future", EAR(HEAD, "\"iat\":1794000401,\"exp\":1794000900,", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_),
	    ERR_MISMATCH, "in the future" },
	{ "within the skew", EAR(HEAD, "\"iat\":1794000400,\"exp\":1794000900,", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_),
	    ERR_NONE, "" },
	{ "ends before it begins", EAR(HEAD, "\"iat\":1794000300,\"exp\":1794000300,", NONCE, BY, STATUS, VECTOR, POLICY,
	    REASONS_), ERR_FORMAT, "ends before" },
	{ "nonce too short", EAR(HEAD, TIME, "\"eat_nonce\":\"CQAA\",", BY, STATUS, VECTOR, POLICY, REASONS_), ERR_FORMAT,
	    "eat_nonce: not 32 bytes" },
	{ "no verifier", EAR(HEAD, TIME, NONCE, "", STATUS, VECTOR, POLICY, REASONS_), ERR_FORMAT, "ear_verifier_id: missing" },
	{ "no build", EAR(HEAD, TIME, NONCE, "\"ear_verifier_id\":{\"developer\":\"d\"},", STATUS, VECTOR, POLICY, REASONS_),
	    ERR_FORMAT, "build: missing" },
	{ "status a number", EAR(HEAD, TIME, NONCE, BY, "\"ear_status\":2,", VECTOR, POLICY, REASONS_), ERR_FORMAT,
	    "ear_status: not a string" },
	{ "status none", EAR(HEAD, TIME, NONCE, BY, "\"ear_status\":\"none\",", VALUES("0", "0", "0", "0"), POLICY, REASONS_),
	    ERR_FORMAT, "status none" },
	{ "status broken", EAR(HEAD, TIME, NONCE, BY, "\"ear_status\":\"broken\",", VECTOR, POLICY, REASONS_), ERR_FORMAT,
	    "status broken" },
	{ "no vector", EAR(HEAD, TIME, NONCE, BY, STATUS, "", POLICY, REASONS_), ERR_FORMAT, "ear_trustworthiness_vector: missing" },
	{ "vector of words", EAR(HEAD, TIME, NONCE, BY, STATUS, VALUES("\"affirming\"", "2", "2", "2"), POLICY, REASONS_),
	    ERR_FORMAT, "not an integer" },
	{ "value out of range", EAR(HEAD, TIME, NONCE, BY, STATUS, VALUES("2", "2", "2", "258"), POLICY, REASONS_), ERR_FORMAT,
	    "not from -128 to 127" },
	{ "refused, and ok", EAR(HEAD, TIME, NONCE, BY, "\"ear_status\":\"contraindicated\",", VECTOR, POLICY, REASONS_), ERR_UNTRUSTED,
	    "status contraindicated for ok" },
	{ "warning, and ok", EAR(HEAD, TIME, NONCE, BY, "\"ear_status\":\"warning\",", VECTOR, POLICY, REASONS_), ERR_UNTRUSTED,
	    "status warning for ok" },
	{ "good, and refused", EAR(HEAD, TIME, NONCE, BY, STATUS, VECTOR, POLICY, BECAUSE("host-revoked")), ERR_UNTRUSTED,
	    "status affirming for host-revoked" },
	{ "better than a warning", EAR(HEAD, TIME, NONCE, BY, STATUS, VALUES("2", "2", "33", "2"), POLICY, REASONS_),
	    ERR_UNTRUSTED, "better than its executables 33" },
	{ "better than a private value", EAR(HEAD, TIME, NONCE, BY, STATUS, VALUES("2", "-97", "3", "2"), POLICY, REASONS_),
	    ERR_UNTRUSTED, "better than its configuration -97" },
	{ "last private value that affirms", EAR(HEAD, TIME, NONCE, BY, STATUS, VALUES("31", "-2", "-32", "2"), POLICY, REASONS_),
	    ERR_NONE, "" },
	{ "first private value that warns", EAR(HEAD, TIME, NONCE, BY, STATUS, VALUES("2", "2", "-33", "2"), POLICY, REASONS_),
	    ERR_UNTRUSTED, "better than its executables -33" },
	{ "last private value that warns", EAR(HEAD, TIME, NONCE, BY, "\"ear_status\":\"warning\",",
	    VALUES("95", "-96", "3", "2"), POLICY, BECAUSE("kexec")), ERR_NONE, "" },
	{ "first private value that condemns", EAR(HEAD, TIME, NONCE, BY, "\"ear_status\":\"warning\",",
	    VALUES("2", "-97", "3", "2"), POLICY, REASONS_), ERR_UNTRUSTED, "better than its configuration -97" },
	{ "warning better than 96", EAR(HEAD, TIME, NONCE, BY, "\"ear_status\":\"warning\",", VALUES("96", "2", "3", "2"), POLICY,
	    REASONS_), ERR_UNTRUSTED, "better than its instance-identity 96" },
	{ "better than a claim not known here", EAR(HEAD, TIME, NONCE, BY, STATUS,
	    "\"ear_trustworthiness_vector\":{\"instance-identity\":2,\"configuration\":2,\"executables\":3,\"hardware\":2,"
	    "\"runtime-opaque\":96},", POLICY, REASONS_), ERR_UNTRUSTED, "better than its runtime-opaque 96" },
	{ "affirming without a claim", EAR(HEAD, TIME, NONCE, BY, STATUS, VALUES("2", "2", "0", "2"), POLICY, REASONS_),
	    ERR_UNTRUSTED, "without a claim of executables" },
	{ "affirming beside a malfunction", EAR(HEAD, TIME, NONCE, BY, STATUS, VALUES("-1", "2", "2", "2"), POLICY, REASONS_),
	    ERR_UNTRUSTED, "without a claim of instance-identity" },
	{ "no policy", EAR(HEAD, TIME, NONCE, BY, STATUS, VECTOR, "\"ear_appraisal_policy_ids\":[],", REASONS_), ERR_FORMAT,
	    "ear_appraisal_policy_ids: none" },
	{ "policy as one text", EAR(HEAD, TIME, NONCE, BY, STATUS, VECTOR, "\"ear_appraisal_policy_ids\":\"p\",", REASONS_),
	    ERR_FORMAT, "ear_appraisal_policy_ids: not a list" },
	{ "no reason", EAR(HEAD, TIME, NONCE, BY, STATUS, VECTOR, POLICY, "\"pam_attest_reasons\":[],"), ERR_FORMAT, "0 reasons" },
	{ "unknown reason", EAR(HEAD, TIME, NONCE, BY, STATUS, VECTOR, POLICY, "\"pam_attest_reasons\":[\"fine\"],"), ERR_FORMAT,
	    "no such reason: fine" },
	{ "no host", "{" HEAD TIME NONCE BY "\"submods\":{}}", ERR_FORMAT, "host: missing" },
	{ "host a list", "{" HEAD TIME NONCE BY "\"submods\":{\"host\":[]}}", ERR_FORMAT, "host: not an object" },
};

static void
judge(const char *label, const char *jws, size_t len, enum err code, const char *why)
{
	struct result r;
	bool ok;

	e.code = ERR_NONE;
	ok = result_verify(jws, len, &keys, now, &r, &e);
	ck_assert_msg(ok == (code == ERR_NONE) && e.code == code && (ok || strstr(e.why, why)), "%s: %s (%s)", label,
	    err_name(e.code), e.code == ERR_NONE ? "" : e.why);
}

START_TEST(payload)
{
	char jws[RESULT_MAX];
	size_t len;

	ck_assert(jws_sign(signer, "eat+jwt", payloads[_i].payload, strlen(payloads[_i].payload), jws, sizeof(jws), &len, &e));
	judge(payloads[_i].label, jws, len, payloads[_i].code, payloads[_i].why);
}
END_TEST

static const char whole[] = EAR(HEAD, TIME, NONCE, BY, STATUS, VECTOR, POLICY, REASONS_);

/* NEGATIVE-TESTS row 22: alg none, HS256 with the public key, another kid, an audience's token, exp. */
START_TEST(test_row_22_token_confusion)
{
	char jws[RESULT_MAX], header[200];
	const struct public_key *pub = &keys.key[0];
	size_t len;

	snprintf(header, sizeof(header), "{\"alg\":\"none\",\"typ\":\"eat+jwt\",\"kid\":\"%s\"}", pub->kid);
	len = forge(signer, header, whole, jws, sizeof(jws));
	judge("alg none", jws, len, ERR_UNTRUSTED, "alg is not ES256");
	len = (size_t)(strrchr(jws, '.') - jws) + 1;
	judge("alg none, unsigned", jws, len, ERR_UNTRUSTED, "alg is not ES256");

	snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"typ\":\"eat+jwt\",\"kid\":\"%s\"}", pub->kid);
	len = forge_hs256(pub, header, whole, jws, sizeof(jws));
	judge("HS256 with the public key", jws, len, ERR_UNTRUSTED, "alg is not ES256");
	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"typ\":\"eat+jwt\",\"kid\":\"%s\"}", pub->kid);
	len = forge_hs256(pub, header, whole, jws, sizeof(jws));
	judge("an HMAC called ES256", jws, len, ERR_FORMAT, "signature: not base64url of 64 bytes");

	len = forge(signer, "{\"alg\":\"ES256\",\"typ\":\"eat+jwt\",\"kid\":\"other\"}", whole, jws, sizeof(jws));
	judge("other kid", jws, len, ERR_UNTRUSTED, "kid is none of the keys");
	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"typ\":\"attest-keys+jwt\",\"kid\":\"%s\"}", pub->kid);
	len = forge(signer, header, whole, jws, sizeof(jws));
	judge("a token of another kind", jws, len, ERR_UNTRUSTED, "typ is not eat+jwt");
}
END_TEST

/* A result for one audience (a redeemed passport) lets nobody in elsewhere. */
START_TEST(test_row_22_other_audience)
{
	static const char text[] = EAR(HEAD, TIME "\"aud\":\"https://other.example\",", NONCE, BY, STATUS, VECTOR, POLICY, REASONS_);
	char jws[RESULT_MAX];
	size_t len;

	ck_assert(jws_sign(signer, "eat+jwt", text, strlen(text), jws, sizeof(jws), &len, &e));
	judge("aud", jws, len, ERR_UNTRUSTED, "made for an audience");
}
END_TEST

/* Row 35: what is for an audience is for that one and that user, and what is for none is for none. */
START_TEST(test_row_35_passports)
{
	struct result r = a_result(), again;
	char jws[RESULT_MAX];
	size_t len;

	ck_assert(result_sign(&r, signer, jws, sizeof(jws), &len, &e));
	ck_assert(!passport_verify(jws, len, &keys, now, "vpn.example", "kim", &again, &e) && e.code == ERR_UNTRUSTED);
	strcpy(r.audience, "vpn.example");
	strcpy(r.user, "kim");
	ck_assert(result_sign(&r, signer, jws, sizeof(jws), &len, &e));
	ck_assert_msg(passport_verify(jws, len, &keys, now, "vpn.example", "kim", &again, &e), "%s", e.why);
	ck_assert_str_eq(again.audience, "vpn.example");
	ck_assert_str_eq(again.user, "kim");
	ck_assert(!passport_verify(jws, len, &keys, now, "vpn.exampl", "kim", &again, &e) && e.code == ERR_MISMATCH);
	ck_assert(!passport_verify(jws, len, &keys, now, "vpn.example", "", &again, &e) && e.code == ERR_MISMATCH);
	ck_assert(!passport_verify(jws, len, &keys, r.expires_wall, "vpn.example", "kim", &again, &e));
	ck_assert(!result_verify(jws, len, &keys, now, &again, &e) && e.code == ERR_UNTRUSTED);
}
END_TEST

static const struct { const char *text; bool audience, user; } names[] = {
	{ "vpn.example", true, true }, { "", false, false }, { "a b", false, false }, { "kim@example", false, true }, { "../x", false, true },
	{ "-x", false, true }, { "a\tb", false, false }, { "k\xc3\xb6", false, false },
	{ "012345678901234567890123456789012345678901234567890123456789012", true, true },
	{ "0123456789012345678901234567890123456789012345678901234567890123", false, false },
};

START_TEST(names_of_audiences_and_users)
{
	ck_assert_msg(audience_ok(names[_i].text) == names[_i].audience, "%s", names[_i].text);
	ck_assert_msg(passport_user_ok(names[_i].text) == names[_i].user, "%s", names[_i].text);
}
END_TEST

START_TEST(nonsense_is_not_signed)
{
	struct result r = a_result();
	char jws[RESULT_MAX];
	size_t len;

	r.claim[CLAIM_CONFIGURATION] = 96;
	ck_assert(!result_sign(&r, signer, jws, sizeof(jws), &len, &e));
	r = a_result();
	r.reason[0] = REASON_KEXEC;
	ck_assert(!result_sign(&r, signer, jws, sizeof(jws), &len, &e));
	r = a_result();
	r.nreasons = 0;
	ck_assert(!result_sign(&r, signer, jws, sizeof(jws), &len, &e));
	r = a_result();
	r.state = STATE_NONE;
	ck_assert(!result_sign(&r, signer, jws, sizeof(jws), &len, &e));
	r = a_result();
	r.expires_wall = r.issued_wall;
	ck_assert(!result_sign(&r, signer, jws, sizeof(jws), &len, &e));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_keys, free_keys);
	tcase_add_test(tc, verifies_what_was_signed);
	tcase_add_test(tc, sizes_at_their_largest);
	tcase_add_loop_test(tc, payload, 0, (int)COUNT(payloads));
	tcase_add_test(tc, test_row_22_token_confusion);
	tcase_add_test(tc, test_row_22_other_audience);
	tcase_add_test(tc, test_row_35_passports);
	tcase_add_loop_test(tc, names_of_audiences_and_users, 0, (int)COUNT(names));
	tcase_add_test(tc, nonsense_is_not_signed);
}

int
main(void)
{
	return unit_run("result", add);
}
