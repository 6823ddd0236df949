#include "challenge.h"
#include "unit.h"

static const uint8_t key[32] = "a key that all replicas share...", other[32] = "another key, as of tomorrow....";

static struct challenge
largest(void)
{
	struct challenge c = {
		.key_id = 0x01020304, .id = { 1 }, .nonce = { 2 }, .ak = { .size = TPM_NAME_MAX, .bytes = { 0, 0xd } },
		.boot_id = "0b7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a111", .boot_log = { 3 }, .policy_version = 7,
		.selection = { .count = TPM_SELECTIONS_MAX },
		.purpose = PURPOSE_PASSPORT, .expires_wall = 1794000000123,
	};

	for (unsigned i = 0; i < TPM_SELECTIONS_MAX; i++) {
		c.selection.bank[i].alg = bank_alg((enum bank)i);
		c.selection.bank[i].pcrs = 0xffffff;
	}
	return c;
}

static void
sealed(const struct challenge *c, uint8_t out[static CHALLENGE_SIZE])
{
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(challenge_seal(c, key, out, &e), "%s", e.why);
}

START_TEST(opens_what_was_sealed)
{
	struct error e = { .code = ERR_NONE };
	struct challenge c = largest(), again;
	uint8_t bytes[CHALLENGE_SIZE];

	sealed(&c, bytes);
	ck_assert_uint_eq(challenge_key_id(bytes), 0x01020304);
	ck_assert_msg(challenge_open(bytes, key, &again, &e), "%s", e.why);
	ck_assert_mem_eq(again.id, c.id, sizeof(c.id));
	ck_assert_mem_eq(again.nonce, c.nonce, sizeof(c.nonce));
	ck_assert(name_same(&again.ak, &c.ak));
	ck_assert_str_eq(again.boot_id, c.boot_id);
	ck_assert_mem_eq(again.boot_log, c.boot_log, sizeof(c.boot_log));
	ck_assert(selection_same(&again.selection, &c.selection));
	ck_assert_uint_eq(again.policy_version, 7);
	ck_assert_uint_eq(again.purpose, PURPOSE_PASSPORT);
	ck_assert_int_eq(again.expires_wall, 1794000000123);
}
END_TEST

START_TEST(no_bit_may_differ)
{
	struct challenge c = largest(), again;
	uint8_t bytes[CHALLENGE_SIZE];

	sealed(&c, bytes);
	for (unsigned bit = 0; bit < 8 * CHALLENGE_SIZE; bit++) {
		struct error e = { .code = ERR_NONE };

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_msg(!challenge_open(bytes, key, &again, &e) && e.code == ERR_UNTRUSTED, "bit %u", bit);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
END_TEST

START_TEST(another_key_opens_nothing)
{
	struct error e = { .code = ERR_NONE };
	struct challenge c = largest(), again;
	uint8_t bytes[CHALLENGE_SIZE];

	sealed(&c, bytes);
	ck_assert(!challenge_open(bytes, other, &again, &e));
	ck_assert_uint_eq(e.code, ERR_UNTRUSTED);
}
END_TEST

/* As challenge_seal() makes the HMAC; written down again, so that the format cannot change unseen. */
static void
reseal(uint8_t bytes[static CHALLENGE_SIZE])
{
	enum { BODY = CHALLENGE_SIZE - SHA256_SIZE };
	static const char domain[] = "pam-attest/challenge/1";
	uint8_t tagged[sizeof(domain) + BODY];

	memcpy(tagged, domain, sizeof(domain));
	memcpy(tagged + sizeof(domain), bytes, BODY);
	ck_assert(hmac_sha256(key, tagged, sizeof(tagged), bytes + BODY));
}

/* Offsets of a challenge with an AK name, a boot id and one bank of the sizes below. */
static const struct { const char *label; size_t at; uint8_t value; const char *why; } fields[] = {
	{ "later version",      0,   2,   "version 2" },
	{ "AK name too long",   53,  67,  "AK name: 67 bytes" },
	{ "boot id too long",   88,  37,  "boot id: 37 bytes" },
	{ "too many banks",     125 + 32 + 4, 5, "selection: 5 banks" },
	{ "no such purpose",    125 + 32 + 4 + 1 + 5, PURPOSE_COUNT, "purpose 3" },
	{ "padding in use",     223, 1,   "padding is not zero" },
};

START_TEST(sense_is_wanted_too)
{
	struct error e = { .code = ERR_NONE };
	struct challenge c = largest(), again;
	uint8_t bytes[CHALLENGE_SIZE];

	c.ak.size = 34;
	c.selection.count = 1;
	sealed(&c, bytes);
	bytes[fields[_i].at] = fields[_i].value;
	reseal(bytes);
	ck_assert_msg(!challenge_open(bytes, key, &again, &e) && e.code == ERR_FORMAT && strstr(e.why, fields[_i].why),
	    "%s: %s (%s)", fields[_i].label, err_name(e.code), e.why);
}
END_TEST

START_TEST(nonsense_is_not_sealed)
{
	struct error e = { .code = ERR_NONE };
	struct challenge c = largest();
	uint8_t bytes[CHALLENGE_SIZE];

	c.selection.bank[0].pcrs = 1u << PCR_COUNT;
	ck_assert(!challenge_seal(&c, key, bytes, &e));
	c = largest();
	c.purpose = PURPOSE_COUNT;
	ck_assert(!challenge_seal(&c, key, bytes, &e));
	c = largest();
	c.ak.size = TPM_NAME_MAX + 1;
	ck_assert(!challenge_seal(&c, key, bytes, &e));
}
END_TEST

static const uint8_t zeros[SHA256_SIZE], ones[SHA256_SIZE] = { 1 };

static struct context
a_context(void)
{
	return (struct context){ .purpose = PURPOSE_LOGIN, .nonce = zeros, .host_id = "h", .boot_id = "b", .boot_log = zeros,
		.facts = zeros, .audience = "", .user = "" };
}

/* One changed field each: every one of them must reach the digest. */
START_TEST(each_field_is_bound)
{
	struct context all[10];
	uint8_t digests[COUNT(all)][SHA256_SIZE];

	for (unsigned i = 0; i < COUNT(all); i++)
		all[i] = a_context();
	all[1].purpose = PURPOSE_EVENTS;
	all[2].nonce = ones;
	all[3].host_id = "hb";          /* with the next: lengths keep fields apart */
	all[3].boot_id = "";
	all[4].boot_id = "c";
	all[5].boot_log = ones;
	all[6].ima_from = 1;
	all[7].facts = ones;
	all[8].audience = "x";
	all[9].user = "x";
	for (unsigned i = 0; i < COUNT(all); i++) {
		ck_assert(context_digest(&all[i], digests[i]));
		for (unsigned k = 0; k < i; k++)
			ck_assert_msg(memcmp(digests[i], digests[k], SHA256_SIZE), "contexts %u and %u", k, i);
	}
}
END_TEST

/* sha256 over the items with their lengths, made by hand from attest-protocol(7). */
START_TEST(digest_is_as_specified)
{
	struct context c = { .purpose = PURPOSE_LOGIN, .nonce = zeros, .host_id = "h", .boot_id = "b", .boot_log = zeros,
		.ima_from = 258, .facts = zeros, .audience = "a", .user = "u" };
	uint8_t by_hand[256], want[SHA256_SIZE], got[SHA256_SIZE];
	size_t n = unhex("0000000c 70616d2d6174746573742f31" "00000005 6c6f67696e" "00000020"
	    "0000000000000000000000000000000000000000000000000000000000000000" "00000001 68" "00000001 62" "00000020"
	    "0000000000000000000000000000000000000000000000000000000000000000" "00000008 0000000000000102" "00000020"
	    "0000000000000000000000000000000000000000000000000000000000000000" "00000001 61" "00000001 75",
	    by_hand, sizeof(by_hand));

	ck_assert(digest_sha256(by_hand, n, want) && context_digest(&c, got));
	ck_assert_mem_eq(got, want, SHA256_SIZE);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, opens_what_was_sealed);
	tcase_add_test(tc, no_bit_may_differ);
	tcase_add_test(tc, another_key_opens_nothing);
	tcase_add_loop_test(tc, sense_is_wanted_too, 0, (int)COUNT(fields));
	tcase_add_test(tc, nonsense_is_not_sealed);
	tcase_add_test(tc, each_field_is_bound);
	tcase_add_test(tc, digest_is_as_specified);
}

int
main(void)
{
	return unit_run("challenge", add);
}
