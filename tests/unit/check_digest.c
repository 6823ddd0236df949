#include <string.h>
#include "digest.h"
#include "hex.h"
#include "unit.h"

/* "abc" by each bank's hash: FIPS 180-4 examples, GB/T 32905. */
static const struct { enum bank bank; uint16_t alg; const char *word, *abc; } banks[] = {
	{ BANK_SHA1,   0x0004, "sha1",    "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ BANK_SHA256, 0x000b, "sha256",  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ BANK_SHA384, 0x000c, "sha384",  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	    "8086072ba1e7cc2358baeca134c825a7" },
	{ BANK_SHA512, 0x000d, "sha512",  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ BANK_SM3,    0x0012, "sm3_256", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" },
};
_Static_assert(COUNT(banks) == BANK_COUNT, "every bank has a row");

START_TEST(known_answers)
{
	uint8_t out[DIGEST_MAX], running[DIGEST_MAX];
	char text[2 * DIGEST_MAX + 1];
	struct hasher *h = hasher_new(banks[_i].bank);
	enum bank b = BANK_COUNT;

	ck_assert(digest(banks[_i].bank, "abc", 3, out));
	hex_text(out, bank_size(banks[_i].bank), text);
	ck_assert_str_eq(text, banks[_i].abc);
	ck_assert(h && hasher_add(h, "a", 1) && hasher_add(h, "", 0) && hasher_add(h, "bc", 2) && hasher_end(h, running));
	ck_assert_mem_eq(running, out, bank_size(banks[_i].bank));
	hasher_free(h);
	ck_assert(bank_of_alg(banks[_i].alg, &b) && b == banks[_i].bank && bank_alg(b) == banks[_i].alg);
	b = BANK_COUNT;
	ck_assert(bank_of_word(banks[_i].word, &b) && b == banks[_i].bank && !strcmp(bank_word(b), banks[_i].word));
}
END_TEST

START_TEST(no_such_bank)
{
	enum bank b = BANK_COUNT;

	ck_assert(!bank_of_alg(0x0010, &b) && !bank_of_alg(0x0027, &b) && !bank_of_word("", &b) && !bank_of_word("SHA256", &b));
	ck_assert_uint_eq(b, BANK_COUNT);
}
END_TEST

/* A PCR of zeros, extended with the SHA-256 of a separator: what most machines' PCRs 1 to 6 have seen. */
START_TEST(extend)
{
	uint8_t pcr[SHA256_SIZE] = { 0 }, with[SHA256_SIZE], both[2 * SHA256_SIZE] = { 0 }, expected[SHA256_SIZE];
	char text[2 * SHA256_SIZE + 1];

	ck_assert(digest_sha256("\0\0\0\0", 4, with) && digest_extend(BANK_SHA256, pcr, with));
	hex_text(pcr, sizeof(pcr), text);
	ck_assert_str_eq(text, "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969");
	memcpy(both, pcr, SHA256_SIZE);
	memcpy(both + SHA256_SIZE, with, SHA256_SIZE);
	ck_assert(digest_sha256(both, sizeof(both), expected) && digest_extend(BANK_SHA256, pcr, with));
	ck_assert_mem_eq(pcr, expected, SHA256_SIZE);
}
END_TEST

/* RFC 4231 has keys of other sizes; its test case 1 with the key filled up by zeros is the same HMAC. */
START_TEST(hmac)
{
	uint8_t key[32] = { 0 }, out[32];
	char text[65];

	memset(key, 0x0b, 20);
	ck_assert(hmac_sha256(key, "Hi There", 8, out));
	hex_text(out, sizeof(out), text);
	ck_assert_str_eq(text, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}
END_TEST

START_TEST(random_and_same)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	ck_assert(same_bytes(a, b, sizeof(a)) && random_bytes(a, sizeof(a)) && random_bytes(b, sizeof(b)));
	ck_assert(!same_bytes(a, b, sizeof(a)) && same_bytes(a, b, 0));
}
END_TEST

/* RFC 4648 section 10 without padding, and what must not be read; hex "-" is a refusal. */
static const struct { const char *text, *hex; } codes[] = {
	{ "",         "" },
	{ "Zg",       "66" },
	{ "Zm8",      "666f" },
	{ "Zm9v",     "666f6f" },
	{ "Zm9vYg",   "666f6f62" },
	{ "Zm9vYmE",  "666f6f6261" },
	{ "Zm9vYmFy", "666f6f626172" },
	{ "-_-_",     "fbffbf" },
	{ "Zg==",     "-" },
	{ "Zm8=",     "-" },
	{ "+/+/",     "-" },
	{ "Z",        "-" },
	{ "Zm9vY",    "-" },
	{ "Zh",       "-" },      /* bits left over that are not zero */
	{ "Zm9",      "-" },
	{ "Zm 9v",    "-" },
	{ "Zm9v\n",   "-" },
	{ "Zm\xc3\xa9", "-" },
};

START_TEST(base64url)
{
	size_t textlen = strlen(codes[_i].text), len = 99, n;
	uint8_t out[16], expected[16];
	char again[32];
	bool ok = base64url_bytes(codes[_i].text, textlen, out, sizeof(out), &len);

	ck_assert_msg(ok == (codes[_i].hex[0] != '-'), "%s", codes[_i].text);
	if (!ok) {
		ck_assert_uint_eq(len, 99);
		return;
	}
	n = unhex(codes[_i].hex, expected, sizeof(expected));
	ck_assert_uint_eq(len, n);
	ck_assert_mem_eq(out, expected, n);
	ck_assert_uint_eq(base64url_text(out, len, again, sizeof(again)), textlen);
	ck_assert_str_eq(again, codes[_i].text);
	if (n) {
		ck_assert_msg(!base64url_bytes(codes[_i].text, textlen, out, n - 1, &len), "%s: one byte too many", codes[_i].text);
		ck_assert_msg(!base64url_text(expected, n, again, textlen), "%s: no room for the NUL", codes[_i].text);
		ck_assert(base64url_text(expected, n, again, textlen + 1) == textlen);
	}
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, known_answers, 0, (int)COUNT(banks));
	tcase_add_test(tc, no_such_bank);
	tcase_add_test(tc, extend);
	tcase_add_test(tc, hmac);
	tcase_add_test(tc, random_and_same);
	tcase_add_loop_test(tc, base64url, 0, (int)COUNT(codes));
}

int
main(void)
{
	return unit_run("digest", add);
}
