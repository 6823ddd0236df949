#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include "hex.h"
#include "json.h"
#include "tpm_types.h"
#include "unit.h"

/* --- TPMS_ATTEST */

#define HEAD   "ff544347" "8018"
#define SIGNER "0022" "000b" "1111111111111111111111111111111111111111111111111111111111111111"
#define EXTRA  "0004" "c0ffee00"
#define CLOCK  "0000000000004264" "00000007" "00000003"
#define SAFE   "01"
#define FW     "2019102300163636"
#define BANKS1 "00000001" "000b" "03" "958000"
#define DIGEST "0020" "2222222222222222222222222222222222222222222222222222222222222222"
#define ZEROS16 "00000000000000000000000000000000"
#define ZEROS64 ZEROS16 ZEROS16 ZEROS16 ZEROS16

static const struct { const char *label, *hex; enum err code; const char *why; } quotes[] = {
	{ "a quote",            HEAD SIGNER EXTRA CLOCK SAFE FW BANKS1 DIGEST,          ERR_NONE,   "" },
	{ "no extra data",      HEAD SIGNER "0000" CLOCK SAFE FW BANKS1 DIGEST,         ERR_NONE,   "" },
	{ "not safe",           HEAD SIGNER EXTRA CLOCK "00" FW BANKS1 DIGEST,          ERR_NONE,   "" },
	{ "no banks",           HEAD SIGNER EXTRA CLOCK SAFE FW "00000000" DIGEST,      ERR_NONE,   "" },
	{ "unknown bank",       HEAD SIGNER EXTRA CLOCK SAFE FW "00000001" "0027" "03" "010000" DIGEST, ERR_NONE, "" },
	{ "another magic",      "00544347" "8018" SIGNER EXTRA CLOCK SAFE FW BANKS1 DIGEST, ERR_NONE, "" },
	{ "safe is 2",          HEAD SIGNER EXTRA CLOCK "02" FW BANKS1 DIGEST,          ERR_FORMAT, "safe: 2" },
	{ "stray byte",         HEAD SIGNER EXTRA CLOCK SAFE FW BANKS1 DIGEST "00",     ERR_FORMAT, "1 stray byte" },
	{ "signer too long",    HEAD "0043" "000b" ZEROS64 "00" EXTRA CLOCK SAFE FW BANKS1 DIGEST,
	    ERR_FORMAT, "qualified signer" },
	{ "extra data of 65",   HEAD SIGNER "0041" ZEROS64 "00" CLOCK SAFE FW BANKS1 DIGEST, ERR_FORMAT, "extra data" },
	{ "digest of 65",       HEAD SIGNER EXTRA CLOCK SAFE FW BANKS1 "0041" ZEROS64 "00", ERR_FORMAT, "PCR digest" },
	{ "five banks",         HEAD SIGNER EXTRA CLOCK SAFE FW "00000005" DIGEST,      ERR_FORMAT, "selection count" },
	{ "banks of all ones",  HEAD SIGNER EXTRA CLOCK SAFE FW "ffffffff" DIGEST,      ERR_FORMAT, "selection count" },
	{ "select of 2 bytes",  HEAD SIGNER EXTRA CLOCK SAFE FW "00000001" "000b" "02" "9580" DIGEST,
	    ERR_FORMAT, "selection size" },
	{ "select of 4 bytes",  HEAD SIGNER EXTRA CLOCK SAFE FW "00000001" "000b" "04" "95800000" DIGEST,
	    ERR_FORMAT, "selection size" },
	{ "nothing",            "",                                                     ERR_FORMAT, "magic: does not fit" },
};

START_TEST(quote)
{
	struct error e = { .code = ERR_NONE };
	struct quote q;
	uint8_t buf[512];
	size_t len = unhex(quotes[_i].hex, buf, sizeof(buf));
	bool ok = quote_read(buf, len, &q, &e);

	ck_assert_msg(ok == (quotes[_i].code == ERR_NONE) && e.code == quotes[_i].code && strstr(e.why, quotes[_i].why),
	    "%s: %s (%s)", quotes[_i].label, err_name(e.code), e.why);
}
END_TEST

START_TEST(quote_fields)
{
	struct error e = { .code = ERR_NONE };
	struct quote q;
	uint8_t buf[512], wide[TPM_ATTEST_MAX + 1] = { 0 };
	size_t len = unhex(quotes[0].hex, buf, sizeof(buf));

	ck_assert_msg(quote_read(buf, len, &q, &e), "%s", e.why);
	ck_assert(q.magic == TPM_GENERATED && q.type == TPM_ST_ATTEST_QUOTE && q.signer.size == 34 && q.signer.bytes[33] == 0x11);
	ck_assert(q.extra_len == 4 && q.extra[1] == 0xff && q.clock == 0x4264 && q.reset_count == 7 && q.restart_count == 3);
	ck_assert(q.safe && q.firmware == 0x2019102300163636 && q.pcr_digest_len == 32 && q.pcr_digest[31] == 0x22);
	ck_assert(q.selection.count == 1 && q.selection.bank[0].alg == 0x000b);
	ck_assert_uint_eq(q.selection.bank[0].pcrs, 1 << 0 | 1 << 2 | 1 << 4 | 1 << 7 | 1 << 15);
	ck_assert(!quote_read(wide, sizeof(wide), &q, &e) && e.code == ERR_LIMIT);
}
END_TEST

/* Of other types the type is said and the rest not looked at. */
START_TEST(attest_of_another_type)
{
	struct error e = { .code = ERR_NONE };
	struct quote q;
	uint8_t buf[512];
	size_t len = unhex("ff544347" "8017" SIGNER EXTRA CLOCK SAFE FW "c0ffee", buf, sizeof(buf));

	ck_assert_msg(quote_read(buf, len, &q, &e), "%s", e.why);
	ck_assert(q.type == 0x8017 && !q.selection.count && !q.pcr_digest_len);
}
END_TEST

static void
no_quote(const uint8_t *p, size_t n, void *arg)
{
	struct error e;
	struct quote q;

	(void)arg;
	ck_assert_msg(!quote_read(p, n, &q, &e) && e.code == ERR_FORMAT, "%zu bytes passed", n);
}

static void
no_signature(const uint8_t *p, size_t n, void *arg)
{
	struct error e;
	struct tpm_signature s;

	(void)arg;
	ck_assert_msg(!signature_read(p, n, &s, &e) && e.code == ERR_FORMAT, "%zu bytes passed", n);
}

static void
no_public(const uint8_t *p, size_t n, void *arg)
{
	struct error e;
	struct tpm_public k;

	(void)arg;
	ck_assert_msg(!public_read(p, n, &k, &e) && e.code == ERR_FORMAT, "%zu bytes passed", n);
}

/* --- TPMT_SIGNATURE */

#define RSA2048_SIG "0100" ZEROS64 ZEROS64 ZEROS64 ZEROS64

static const struct { const char *label, *hex; enum err code; const char *why; } signatures[] = {
	{ "ECDSA",              "0018" "000b" "0001" "07" "0002" "0809",    ERR_NONE,   "" },
	{ "ECDSA with SHA-384", "0018" "000c" "0001" "07" "0001" "08",      ERR_NONE,   "" },
	{ "ECDSA with SHA-512", "0018" "000d" "0001" "07" "0001" "08",      ERR_NONE,   "" },
	{ "RSASSA",             "0014" "000b" RSA2048_SIG,                  ERR_NONE,   "" },
	{ "RSAPSS",             "0016" "000b" RSA2048_SIG,                  ERR_NONE,   "" },
	{ "SHA-1",              "0014" "0004" RSA2048_SIG,                  ERR_FORMAT, "signature hash 0x0004" },
	{ "SM3",                "0018" "0012" "0001" "07" "0001" "08",      ERR_FORMAT, "signature hash 0x0012" },
	{ "no hash",            "0018" "0010" "0001" "07" "0001" "08",      ERR_FORMAT, "signature hash 0x0010" },
	{ "null",               "0010" "000b",                              ERR_FORMAT, "signature algorithm 0x0010" },
	{ "HMAC",               "0005" "000b" "0020" ZEROS16 ZEROS16,       ERR_FORMAT, "signature algorithm 0x0005" },
	{ "ECDAA",              "001a" "000b" "0001" "07" "0001" "08",      ERR_FORMAT, "signature algorithm 0x001a" },
	{ "SM2",                "001b" "000b" "0001" "07" "0001" "08",      ERR_FORMAT, "signature algorithm 0x001b" },
	{ "stray byte",         "0018" "000b" "0001" "07" "0001" "08" "00", ERR_FORMAT, "1 stray byte" },
	{ "r too long",         "0018" "000b" "0043" ZEROS64 "000000" "0001" "08", ERR_FORMAT, "signature r" },
	{ "RSA too long",       "0014" "000b" "0201" ZEROS64,               ERR_FORMAT, "signature" },
};

START_TEST(signature)
{
	struct error e = { .code = ERR_NONE };
	struct tpm_signature s;
	uint8_t buf[512];
	size_t len = unhex(signatures[_i].hex, buf, sizeof(buf));
	bool ok = signature_read(buf, len, &s, &e);

	ck_assert_msg(ok == (signatures[_i].code == ERR_NONE) && e.code == signatures[_i].code &&
	    strstr(e.why, signatures[_i].why), "%s: %s (%s)", signatures[_i].label, err_name(e.code), e.why);
}
END_TEST

/* --- TPMT_PUBLIC */

#define ONES32  "11111111111111111111111111111111" "11111111111111111111111111111111"
#define POINT   "0020" ONES32 "0020" ONES32
#define AK_ATTR "00050472"
#define MOD2047 "0100" "4f" ONES32 ONES32 ONES32 ONES32 ONES32 ONES32 ONES32 "11111111111111111111111111111111" \
    "111111111111111111111111111111"
#define MOD2048 "0100" "cf" ONES32 ONES32 ONES32 ONES32 ONES32 ONES32 ONES32 "11111111111111111111111111111111" \
    "111111111111111111111111111111"

static const struct { const char *label, *hex; enum err code; const char *why; } publics[] = {
	{ "P-256 AK",            "0023" "000b" AK_ATTR "0000" "0010" "0018" "000b" "0003" "0010" POINT, ERR_NONE, "" },
	{ "short coordinate",    "0023" "000b" AK_ATTR "0000" "0010" "0018" "000b" "0003" "0010" "0001" "05" "0020" ONES32,
	    ERR_NONE, "" },
	{ "P-256 EK",            "0023" "000b" "000300b2" "0000" "0006" "0080" "0043" "0010" "0003" "0010" POINT, ERR_NONE, "" },
	{ "RSA-2048 AK",         "0001" "000b" AK_ATTR "0000" "0010" "0014" "000b" "0800" "00000000" MOD2048, ERR_NONE, "" },
	{ "exponent written out", "0001" "000b" AK_ATTR "0000" "0010" "0014" "000b" "0800" "00010001" MOD2048, ERR_NONE, "" },
	{ "exponent 3",          "0001" "000b" AK_ATTR "0000" "0010" "0014" "000b" "0800" "00000003" MOD2048,
	    ERR_FORMAT, "exponent 3" },
	{ "modulus of 2047 bits", "0001" "000b" AK_ATTR "0000" "0010" "0014" "000b" "0800" "00000000" MOD2047,
	    ERR_FORMAT, "modulus" },
	{ "RSA-1024",            "0001" "000b" AK_ATTR "0000" "0010" "0014" "000b" "0400" "00000000" MOD2048,
	    ERR_FORMAT, "modulus" },
	{ "bits beside modulus", "0001" "000b" AK_ATTR "0000" "0010" "0014" "000b" "0c00" "00000000" MOD2048,
	    ERR_FORMAT, "modulus" },
	{ "P-521",               "0023" "000b" AK_ATTR "0000" "0010" "0018" "000b" "0005" "0010" POINT,
	    ERR_FORMAT, "curve 0x0005" },
	{ "P-224",               "0023" "000b" AK_ATTR "0000" "0010" "0018" "000b" "0002" "0010" POINT,
	    ERR_FORMAT, "curve 0x0002" },
	{ "BN-256",              "0023" "000b" AK_ATTR "0000" "0010" "0018" "000b" "0010" "0010" POINT,
	    ERR_FORMAT, "curve 0x0010" },
	{ "a KDF",               "0023" "000b" AK_ATTR "0000" "0010" "0018" "000b" "0003" "0020" POINT, ERR_FORMAT, "kdf 0x0020" },
	{ "coordinate too long", "0023" "000b" AK_ATTR "0000" "0010" "0018" "000b" "0003" "0010" "0021" "00" ONES32 "0020" ONES32,
	    ERR_FORMAT, "x" },
	{ "keyed hash",          "0008" "000b" AK_ATTR "0000" "0010" "0000", ERR_FORMAT, "key type 0x0008" },
	{ "policy too long",     "0023" "000b" AK_ATTR "0041" ZEROS64 "00", ERR_FORMAT, "policy" },
	{ "stray byte",          "0023" "000b" AK_ATTR "0000" "0010" "0018" "000b" "0003" "0010" POINT "00",
	    ERR_FORMAT, "1 stray byte" },
};

START_TEST(public_area)
{
	struct error e = { .code = ERR_NONE };
	struct tpm_public k;
	uint8_t buf[512];
	size_t len = unhex(publics[_i].hex, buf, sizeof(buf));
	bool ok = public_read(buf, len, &k, &e);

	ck_assert_msg(ok == (publics[_i].code == ERR_NONE) && e.code == publics[_i].code && strstr(e.why, publics[_i].why),
	    "%s: %s (%s)", publics[_i].label, err_name(e.code), e.why);
	ck_assert(!ok || k.type != TPM_ALG_RSA || k.exponent == 65537);
}
END_TEST

START_TEST(short_coordinates_are_padded)
{
	struct error e = { .code = ERR_NONE };
	struct tpm_public k;
	uint8_t buf[512];
	size_t len = unhex(publics[1].hex, buf, sizeof(buf));

	ck_assert_msg(public_read(buf, len, &k, &e), "%s", e.why);
	ck_assert(k.xy_len == 32 && !k.x[0] && !k.x[30] && k.x[31] == 5 && k.y[0] == 0x11);
}
END_TEST

START_TEST(a_point_off_its_curve_is_no_key)
{
	struct error e = { .code = ERR_NONE };
	struct tpm_public k;
	uint8_t buf[512], der[TPM_PUBLIC_MAX];
	size_t len = unhex(publics[0].hex, buf, sizeof(buf)), n;

	ck_assert_msg(public_read(buf, len, &k, &e), "%s", e.why);
	ck_assert(!public_spki(&k, der, sizeof(der), &n, &e) && e.code == ERR_CRYPTO);
}
END_TEST

START_TEST(no_prefix_is_whole)
{
	uint8_t buf[512];

	unit_prefixes(buf, unhex(quotes[0].hex, buf, sizeof(buf)), no_quote, NULL);
	unit_prefixes(buf, unhex(signatures[0].hex, buf, sizeof(buf)), no_signature, NULL);
	unit_prefixes(buf, unhex(signatures[3].hex, buf, sizeof(buf)), no_signature, NULL);
	unit_prefixes(buf, unhex(publics[0].hex, buf, sizeof(buf)), no_public, NULL);
	unit_prefixes(buf, unhex(publics[3].hex, buf, sizeof(buf)), no_public, NULL);
}
END_TEST

/* --- selections as text */

static const struct { const char *text; bool ok; const char *again; } selections[] = {
	{ "sha256:0,2,4,7",        true,  "sha256:0,2,4,7" },
	{ "sha256:7,4,2,0+sha1:23", true, "sha256:0,2,4,7+sha1:23" },
	{ "sha384:",               true,  "sha384:" },
	{ "",                      false, "empty selection" },
	{ "sha256",                false, "not bank:pcr" },
	{ "sha256:24",             false, "not bank:pcr" },
	{ "sha256:0,0",            false, "not bank:pcr" },
	{ "sha256:0,",             false, "not bank:pcr" },
	{ "sha256:,0",             false, "not bank:pcr" },
	{ "sha256: 0",             false, "not bank:pcr" },
	{ "sha256:-1",             false, "not bank:pcr" },
	{ "sha256:007",            false, "not bank:pcr" },
	{ "md5:0",                 false, "not bank:pcr" },
	{ "SHA256:0",              false, "not bank:pcr" },
	{ ":0",                    false, "not bank:pcr" },
	{ "sha256:0+",             false, "ends in '+'" },
	{ "+sha256:0",             false, "not bank:pcr" },
	{ "sha256:0sha1:0",        false, "not bank:pcr" },
	{ "sha1:0+sha256:0+sha384:0+sha512:0+sm3_256:0", false, "over 4 banks" },
};

START_TEST(selection)
{
	struct error e = { .code = ERR_NONE };
	struct selection s, same;
	char text[128];
	bool ok = selection_parse(selections[_i].text, &s, &e);

	ck_assert_msg(ok == selections[_i].ok, "%s: %s", selections[_i].text, e.why);
	if (!ok) {
		ck_assert_msg(strstr(e.why, selections[_i].again), "%s: %s", selections[_i].text, e.why);
		return;
	}
	ck_assert(selection_text(&s, text, sizeof(text)));
	ck_assert_str_eq(text, selections[_i].again);
	ck_assert(selection_parse(text, &same, &e) && selection_same(&s, &same));
	same.bank[0].pcrs ^= 1u << 16;
	ck_assert(!selection_same(&s, &same));
	for (size_t size = 1; size <= strlen(text); size++)
		ck_assert_msg(!selection_text(&s, text, size), "%zu bytes for %s", size, selections[_i].again);
}
END_TEST

/* --- keys made here */

static struct verify_key *
opened(EVP_PKEY *key, struct error *e)
{
	struct verify_key *k = NULL;
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	ck_assert_int_gt(len, 0);
	if (!verify_key_open(der, (size_t)len, &k, e))
		k = NULL;
	OPENSSL_free(der);
	return k;
}

static EVP_PKEY *
rsa_key(unsigned bits, unsigned exponent)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n = BN_new();
	EVP_PKEY *key = NULL;

	ck_assert(ctx && n && BN_set_word(n, exponent) && EVP_PKEY_keygen_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) == 1 && EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, n) == 1 &&
	    EVP_PKEY_generate(ctx, &key) == 1);
	BN_free(n);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

START_TEST(keys_that_may_not_vouch)
{
	EVP_PKEY *keys[] = { EVP_EC_gen("P-521"), EVP_EC_gen("secp256k1"), rsa_key(1024, 65537), rsa_key(2048, 3),
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
	struct error e = { .code = ERR_NONE };

	for (unsigned i = 0; i < COUNT(keys); i++) {
		ck_assert_msg(!opened(keys[i], &e) && e.code == ERR_FORMAT && strstr(e.why, "key is not RSA-2048"), "key %u: %s",
		    i, e.why);
		EVP_PKEY_free(keys[i]);
	}
}
END_TEST

static const uint8_t said[] = "what the TPM says";

/* TPMs differ in the salt: as long as the digest (FIPS), or as long as fits. */
START_TEST(pss_with_any_salt)
{
	static const int salts[] = { RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX, 0 };
	EVP_PKEY *key = rsa_key(2048, 65537);
	struct error e = { .code = ERR_NONE };
	struct verify_key *k = opened(key, &e);

	ck_assert_msg(k, "%s", e.why);
	for (unsigned i = 0; i < COUNT(salts); i++) {
		struct tpm_signature s = { .alg = TPM_ALG_RSAPSS, .hash = BANK_SHA384, .rsa_len = sizeof(s.rsa) };
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		EVP_PKEY_CTX *pctx;

		ck_assert(EVP_DigestSignInit(ctx, &pctx, EVP_sha384(), NULL, key) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salts[i]) == 1 &&
		    EVP_DigestSign(ctx, s.rsa, &s.rsa_len, said, sizeof(said)) == 1);
		EVP_MD_CTX_free(ctx);
		ck_assert_msg(verify_key_check(k, &s, said, sizeof(said), &e), "salt %d: %s", salts[i], e.why);
		s.alg = TPM_ALG_RSASSA;
		ck_assert_msg(!verify_key_check(k, &s, said, sizeof(said), &e) && e.code == ERR_MISMATCH, "as RSASSA");
		s.alg = TPM_ALG_RSAPSS;
		s.hash = BANK_SHA256;
		ck_assert_msg(!verify_key_check(k, &s, said, sizeof(said), &e) && e.code == ERR_MISMATCH, "as SHA-256");
	}
	verify_key_free(k);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(signatures_that_fit_no_key)
{
	EVP_PKEY *ec = EVP_EC_gen("P-384"), *rsa = rsa_key(2048, 65537);
	struct error e = { .code = ERR_NONE };
	struct verify_key *on_ec = opened(ec, &e), *on_rsa = opened(rsa, &e);
	struct tpm_signature s = { .alg = TPM_ALG_ECDSA, .hash = BANK_SHA256 };

	ck_assert_msg(on_ec && on_rsa, "%s", e.why);
	ck_assert_msg(!verify_key_check(on_ec, &s, said, sizeof(said), &e) && e.code == ERR_MISMATCH, "r = s = 0, no bytes");
	s.r_len = s.s_len = 66;
	ck_assert_msg(!verify_key_check(on_ec, &s, said, sizeof(said), &e) && e.code == ERR_MISMATCH, "r = s = 0");
	memset(s.r, 0xff, sizeof(s.r));
	memset(s.s, 0xff, sizeof(s.s));
	ck_assert_msg(!verify_key_check(on_ec, &s, said, sizeof(said), &e) && e.code == ERR_MISMATCH, "over the order");
	ck_assert_msg(!verify_key_check(on_rsa, &s, said, sizeof(said), &e) && strstr(e.why, "does not fit"), "ECDSA, RSA key");
	s = (struct tpm_signature){ .alg = TPM_ALG_RSASSA, .hash = BANK_SHA256 };
	ck_assert_msg(!verify_key_check(on_rsa, &s, said, sizeof(said), &e) && e.code == ERR_MISMATCH, "no bytes");
	ck_assert_msg(!verify_key_check(on_ec, &s, said, sizeof(said), &e) && strstr(e.why, "does not fit"), "RSASSA, EC key");
	verify_key_free(on_ec);
	verify_key_free(on_rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
}
END_TEST

START_TEST(no_stray_byte_behind_a_key)
{
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	struct error e = { .code = ERR_NONE };
	struct verify_key *k = NULL;
	uint8_t der[200], *p = der;
	int len = i2d_PUBKEY(ec, &p);

	ck_assert(verify_key_open(der, (size_t)len, &k, &e));
	verify_key_free(k);
	der[len] = 0;
	ck_assert(!verify_key_open(der, (size_t)len + 1, &k, &e) && strstr(e.why, "stray bytes"));
	ck_assert(!verify_key_open_pem("-----BEGIN", 10, &k, &e) && e.code == ERR_FORMAT);
	EVP_PKEY_free(ec);
}
END_TEST

/* --- recorded quotes */

/* A key, what it signed and the signature: does it verify, and does it not when one bit differs? */
static bool
verifies(struct verify_key *key, const struct tpm_signature *s, uint8_t *data, size_t len)
{
	struct error e = { .code = ERR_NONE };
	bool ok = verify_key_check(key, s, data, len, &e);

	data[len / 2] ^= 1;
	ck_assert_msg(!verify_key_check(key, s, data, len, &e) && e.code == ERR_MISMATCH, "one bit made no difference");
	data[len / 2] ^= 1;
	return ok;
}

struct boot { const char *dir, *alg; };

static uint8_t *
boot_file(const struct boot *b, const char *before, const char *after, size_t *len)
{
	char path[2048];

	snprintf(path, sizeof(path), "%s/q/%s%s%s", b->dir, before, b->alg, after);
	return unit_file(path, len);
}

static void
check_boot(const struct boot *b)
{
	size_t pem_len, attest_len, sig_len, text_len;
	own(mem) uint8_t *pem = boot_file(b, "ak-", ".pem", &pem_len);
	own(mem) uint8_t *attest = boot_file(b, "quote-", ".attest", &attest_len);
	own(mem) uint8_t *sig = boot_file(b, "quote-", ".sig", &sig_len);
	const struct boot plain = { b->dir, "" };
	own(mem) uint8_t *nonce = boot_file(&plain, "nonce.hex", "", &text_len);
	own(mem) uint8_t *text = boot_file(&plain, "selection", "", &text_len);
	struct error e = { .code = ERR_NONE };
	struct verify_key *key = NULL;
	struct tpm_signature s;
	struct selection wanted;
	struct quote q;
	uint8_t extra[64];

	ck_assert_msg(pem && attest && sig && nonce && text, "%s: incomplete", b->dir);
	text[strcspn((char *)text, "\n")] = '\0';
	ck_assert_msg(verify_key_open_pem((char *)pem, pem_len, &key, &e) && quote_read(attest, attest_len, &q, &e) &&
	    signature_read(sig, sig_len, &s, &e) && selection_parse((char *)text, &wanted, &e), "%s: %s", b->dir, e.why);
	ck_assert_msg(verifies(key, &s, attest, attest_len), "%s: %s signature", b->dir, b->alg);
	ck_assert(q.magic == TPM_GENERATED && q.type == TPM_ST_ATTEST_QUOTE && q.safe);
	ck_assert_msg(selection_same(&q.selection, &wanted), "%s: selection", b->dir);
	ck_assert_uint_eq(q.extra_len, unhex((char *)nonce, extra, sizeof(extra)));
	ck_assert_mem_eq(q.extra, extra, q.extra_len);
	verify_key_free(key);
}

/* Name, qualified name and key of the AK as the TPM gave them, where they were recorded. */
static bool
check_boot_key(const struct boot *b)
{
	size_t tpm2b_len, name_len, qname_len, attest_len, sig_len, spki_len;
	own(mem) uint8_t *tpm2b = boot_file(b, "ak-", ".tpm2b", &tpm2b_len);
	own(mem) uint8_t *name = boot_file(b, "ak-", ".name", &name_len);
	own(mem) uint8_t *qname = boot_file(b, "ak-", ".qname", &qname_len);
	own(mem) uint8_t *attest = boot_file(b, "quote-", ".attest", &attest_len);
	own(mem) uint8_t *sig = boot_file(b, "quote-", ".sig", &sig_len);
	struct error e = { .code = ERR_NONE };
	struct tpm_public ak;
	struct tpm_name is, qualified;
	struct tpm_signature s;
	struct verify_key *key = NULL;
	struct quote q;
	uint8_t spki[TPM_PUBLIC_MAX];

	if (!tpm2b || !name || !qname)
		return false;
	ck_assert(attest && sig && quote_read(attest, attest_len, &q, &e) && signature_read(sig, sig_len, &s, &e));
	ck_assert_msg(public_read(tpm2b + 2, tpm2b_len - 2, &ak, &e) && public_name(tpm2b + 2, tpm2b_len - 2, &is, &e),
	    "%s: %s", b->dir, e.why);
	ck_assert(is.size == name_len && !memcmp(is.bytes, name, name_len));
	ck_assert(q.signer.size == qname_len && !memcmp(q.signer.bytes, qname, qname_len));
	/* tpm2_createak makes it a child of the EK, whose name it is qualified by: not that of a primary. */
	ck_assert(name_qualify(&is, TPM_RH_ENDORSEMENT, &qualified) && !name_same(&qualified, &q.signer));
	ck_assert_msg(public_spki(&ak, spki, sizeof(spki), &spki_len, &e) && verify_key_open(spki, spki_len, &key, &e) &&
	    verify_key_check(key, &s, attest, attest_len, &e), "%s: %s", b->dir, e.why);
	verify_key_free(key);
	return true;
}

static void
each_boot(const char *root, unsigned *boots, unsigned *keys)
{
	DIR *dir = opendir(root);
	struct dirent *d;

	*boots = *keys = 0;
	ck_assert_msg(dir, "%s: no such folder", root);
	while ((d = readdir(dir))) {
		char path[1024];
		struct boot ecc = { path, "ecc" }, rsa = { path, "rsa" };
		size_t len;

		snprintf(path, sizeof(path), "%s/%.200s", root, d->d_name);
		own(mem) uint8_t *there = boot_file(&ecc, "quote-", ".attest", &len);
		if (d->d_name[0] == '.' || !there)
			continue;
		check_boot(&ecc);
		check_boot(&rsa);
		*keys += check_boot_key(&ecc) + check_boot_key(&rsa);
		++*boots;
	}
	closedir(dir);
}

START_TEST(recorded_boots)
{
	own(mem) char *top = realpath(getenv("top_srcdir") ? getenv("top_srcdir") : ".", NULL);
	char root[1024];
	unsigned boots, keys;

	ck_assert_ptr_nonnull(top);
	snprintf(root, sizeof(root), "%s/tests/data/vm", top);
	each_boot(root, &boots, &keys);
	ck_assert_uint_gt(boots, 0);
	printf("recorded boots: ECC and RSA quotes of %u verify\n", boots);
	if (!unit_corpus()) {
		printf("skipped: the larger set, CORPUS is not there\n");
		return;
	}
	snprintf(root, sizeof(root), "%s/vm", unit_corpus());
	each_boot(root, &boots, &keys);
	ck_assert_uint_gt(boots, 0);
	ck_assert_uint_eq(keys, 2 * boots);
	printf("recorded boots of the corpus: ECC and RSA quotes of %u verify, %u AKs as the TPM says\n", boots, keys);
}
END_TEST

/* --- quotes of other projects, against what was decoded elsewhere */

static bool
has_text(const struct json *j, const char *key, char *out, size_t size)
{
	struct error e;

	*out = '\0';
	return json_has(j, key) && json_text(j, key, out, size, &e);
}

/* A member in hex against bytes. */
static void
same_hex(const struct json *j, const char *name, const char *key, const uint8_t *p, size_t n)
{
	char text[300], mine[300];

	ck_assert_msg(n < sizeof(mine) / 2 && json_has(j, key), "%s: %s", name, key);
	has_text(j, key, text, sizeof(text));
	hex_text(p, n, mine);
	ck_assert_msg(!strcmp(text, mine), "%s: %s is %s, not %s", name, key, mine, text);
}

static void
same_number(const struct json *j, const char *name, const char *key, uint64_t is)
{
	struct error e = { .code = ERR_NONE };
	int64_t v;

	ck_assert_msg(json_int(j, key, 0, INT64_MAX, &v, &e) && (uint64_t)v == is, "%s: %s is %llu (%s)", name, key,
	    (unsigned long long)is, e.why);
}

/* "pcrSelect": [["sha256", [0, 1]]]; a list in a list, which the getters of members do not reach: as text. */
static void
same_selection(const struct json *j, const char *name, const struct selection *s)
{
	own(json) struct json *mine = json_new();
	own(mem) char *is = NULL;
	own(mem) char *should = NULL;
	struct json *banks = json_new_list();
	struct error e = { .code = ERR_NONE };
	size_t len;

	for (unsigned i = 0; i < s->count; i++) {
		struct json *one = json_new_list(), *pcrs = json_new_list();
		enum bank b;

		ck_assert(bank_of_alg(s->bank[i].alg, &b));
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
			if (s->bank[i].pcrs & 1u << pcr)
				json_add_int(pcrs, pcr);
		json_add_text(one, bank_word(b));
		json_add(one, pcrs);
		json_add(banks, one);
	}
	json_put(mine, "pcrSelect", banks);
	ck_assert(json_print(j, false, &should, &len, &e) && json_print(mine, false, &is, &len, &e));
	is[len - 1] = '\0';
	ck_assert_msg(strstr(should, is + 1), "%s: %s", name, is + 1);
}

static void
same_quote(const struct json *j, const char *name, const struct quote *q)
{
	uint8_t fw[8];

	for (unsigned i = 0; i < sizeof(fw); i++)
		fw[i] = (uint8_t)(q->firmware >> 8 * (7 - i));
	ck_assert_msg(q->magic == TPM_GENERATED && q->type == TPM_ST_ATTEST_QUOTE, "%s: magic or type", name);
	same_hex(j, name, "qualifiedSigner", q->signer.bytes, q->signer.size);
	same_hex(j, name, "extraData", q->extra, q->extra_len);
	same_hex(j, name, "pcrDigest", q->pcr_digest, q->pcr_digest_len);
	same_hex(j, name, "firmwareVersion", fw, sizeof(fw));
	same_number(j, name, "clock", q->clock);
	same_number(j, name, "resetCount", q->reset_count);
	same_number(j, name, "restartCount", q->restart_count);
	same_number(j, name, "safe", q->safe);
	same_selection(j, name, &q->selection);
}

static uint8_t *
sample(const char *name, const char *ending, size_t *len)
{
	char path[2048];

	snprintf(path, sizeof(path), "%s/data/quotes/%s%s", unit_corpus(), name, ending);
	return unit_file(path, len);
}

/* The AK beside a quote, as TPMT_PUBLIC, SubjectPublicKeyInfo or PEM; quotes of several banks share one. */
static bool
sample_key(const char *name, struct verify_key **key)
{
	struct error e = { .code = ERR_NONE };
	struct tpm_public ak;
	uint8_t spki[TPM_PUBLIC_MAX];
	char base[256];
	size_t len, n;

	snprintf(base, sizeof(base), "%s", name);
	if (strrchr(base, '.'))
		*strrchr(base, '.') = '\0';
	own(mem) uint8_t *bin = sample(base, ".akpub.bin", &len);
	if (bin)
		return public_read(bin, len, &ak, &e) && public_spki(&ak, spki, sizeof(spki), &n, &e) &&
		    verify_key_open(spki, n, key, &e);
	own(mem) uint8_t *der = sample(base, ".akpub.der", &len);
	if (der)
		return verify_key_open(der, len, key, &e);
	own(mem) uint8_t *pem = sample(base, ".akpub.pem", &len);
	return pem && verify_key_open_pem((char *)pem, len, key, &e);
}

/* Azure's vTPM: its AK is a JWK in the HCL report, its signature comes without TPM structure around it. */
static struct verify_key *
jwk_key(void)
{
	own(json) struct json *all = NULL;
	struct error e = { .code = ERR_NONE };
	struct tpm_public ak = { .type = TPM_ALG_RSA, .rsa_bits = 2048, .exponent = 65537 };
	struct verify_key *key = NULL;
	uint8_t spki[TPM_PUBLIC_MAX];
	size_t len, n;
	own(mem) uint8_t *text = sample("trustee--az-snp-vtpm", ".hcl-runtime.json", &len);

	ck_assert_msg(text && json_parse((char *)text, len, &all, &e) &&
	    json_bytes(json_item(all, "keys", 0), "n", ak.modulus, sizeof(ak.modulus), &ak.modulus_len, &e) &&
	    public_spki(&ak, spki, sizeof(spki), &n, &e) && verify_key_open(spki, n, &key, &e), "HCL report: %s", e.why);
	return key;
}

static bool
bare_signature_verifies(const char *name, uint8_t *attest, size_t attest_len)
{
	struct tpm_signature s = { .alg = TPM_ALG_RSASSA, .hash = BANK_SHA256 };
	struct verify_key *key = jwk_key();
	own(mem) uint8_t *raw = sample(name, ".rawsig.bin", &s.rsa_len);
	bool ok;

	ck_assert_msg(raw && s.rsa_len <= sizeof(s.rsa), "%s: no bare signature", name);
	memcpy(s.rsa, raw, s.rsa_len);
	ok = verifies(key, &s, attest, attest_len);
	verify_key_free(key);
	return ok;
}

struct tally { unsigned all, fields, signatures, verified, weak; };

static void
check_sample_signature(const struct json *j, const char *name, uint8_t *attest, size_t attest_len, struct tally *t)
{
	struct error e = { .code = ERR_NONE };
	struct verify_key *key = NULL;
	struct tpm_signature s;
	char alg[16], hash[16], verdict[64];
	size_t len;
	own(mem) uint8_t *sig = sample(name, ".sig.bin", &len);
	bool read;

	if (!has_text(j, "sigAlg", alg, sizeof(alg)) || !has_text(j, "sigHash", hash, sizeof(hash))) {
		if (has_text(j, "verify", verdict, sizeof(verdict))) {
			ck_assert_msg(bare_signature_verifies(name, attest, attest_len) == !strncmp(verdict, "ok ", 3), "%s: not %s",
			    name, verdict);
			t->verified++;
		}
		return;
	}
	ck_assert_msg(sig, "%s: no signature", name);
	read = signature_read(sig, len, &s, &e);
	if (!strcmp(hash, "sha1")) {
		ck_assert_msg(!read && strstr(e.why, "signature hash 0x0004"), "%s: SHA-1 taken", name);
		t->weak++;
		return;
	}
	ck_assert_msg(read && !strcmp(hash, bank_word(s.hash)) && s.alg == (!strcmp(alg, "ECDSA") ? TPM_ALG_ECDSA : TPM_ALG_RSASSA),
	    "%s: %s", name, e.why);
	t->signatures++;
	if (!has_text(j, "verify", verdict, sizeof(verdict)))
		return;
	ck_assert_msg(sample_key(name, &key), "%s: no key", name);
	ck_assert_msg(verifies(key, &s, attest, attest_len) == !strncmp(verdict, "ok ", 3), "%s: not %s", name, verdict);
	t->verified++;
	verify_key_free(key);
}

static void
check_sample(const struct json *j, const char *name, struct tally *t)
{
	struct error e = { .code = ERR_NONE };
	struct quote q;
	size_t len;
	own(mem) uint8_t *attest = sample(name, ".quote.bin", &len);

	ck_assert_msg(attest, "%s: no quote", name);
	t->all++;
	if (json_has(j, "error")) {      /* a TPM 1.2 quote */
		ck_assert_msg(!quote_read(attest, len, &q, &e) || q.magic != TPM_GENERATED, "%s: taken", name);
		t->fields++;
		return;
	}
	ck_assert_msg(quote_read(attest, len, &q, &e), "%s: %s", name, e.why);
	same_quote(j, name, &q);
	t->fields++;
	check_sample_signature(j, name, attest, len, t);
}

START_TEST(quotes_of_others)
{
	own(json) struct json *all = NULL;
	struct error e = { .code = ERR_NONE };
	struct tally t = { 0 };
	const struct json *one;
	const char *name;
	char path[1024];
	size_t len;

	if (!unit_corpus()) {
		printf("skipped: quotes of other projects, CORPUS is not there\n");
		return;
	}
	snprintf(path, sizeof(path), "%s/expected/quotes/quotes.json", unit_corpus());
	own(mem) uint8_t *text = unit_file(path, &len);
	ck_assert_msg(text && json_parse((char *)text, len, &all, &e), "%s: %s", path, e.why);
	for (unsigned i = 0; json_member(all, i, &name, &one); i++)
		check_sample(one, name, &t);
	printf("quotes of other projects: fields of %u of %u agree; %u signatures read, %u with SHA-1 refused, "
	    "%u verdicts of keys agree\n", t.fields, t.all, t.signatures, t.weak, t.verified);
	ck_assert_uint_gt(t.all, 0);
	ck_assert_uint_eq(t.fields, t.all);
	ck_assert_uint_gt(t.verified, 0);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, quote, 0, (int)COUNT(quotes));
	tcase_add_test(tc, quote_fields);
	tcase_add_test(tc, attest_of_another_type);
	tcase_add_loop_test(tc, signature, 0, (int)COUNT(signatures));
	tcase_add_loop_test(tc, public_area, 0, (int)COUNT(publics));
	tcase_add_test(tc, short_coordinates_are_padded);
	tcase_add_test(tc, a_point_off_its_curve_is_no_key);
	tcase_add_test(tc, no_prefix_is_whole);
	tcase_add_loop_test(tc, selection, 0, (int)COUNT(selections));
	tcase_add_test(tc, keys_that_may_not_vouch);
	tcase_add_test(tc, pss_with_any_salt);
	tcase_add_test(tc, signatures_that_fit_no_key);
	tcase_add_test(tc, no_stray_byte_behind_a_key);
	tcase_add_test(tc, recorded_boots);
	tcase_add_test(tc, quotes_of_others);
}

int
main(void)
{
	return unit_run("tpm_types", add);
}
