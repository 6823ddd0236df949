#include "digest.h"
#include "forge.h"
#include "sign.h"
#include "unit.h"

enum { TOKEN_MAX = 4096 };
static struct sign_key *signer, *stranger;
static struct public_key pub, strange;
static struct error e;

static void
keys(void)
{
	ck_assert(sign_key_make(&signer, &e) && sign_key_make(&stranger, &e));
	ck_assert(sign_key_public(signer, &pub, &e) && sign_key_public(stranger, &strange, &e));
}

static void
no_keys(void)
{
	sign_key_free(signer);
	sign_key_free(stranger);
}

START_TEST(verifies_what_was_signed)
{
	struct public_key both[] = { strange, pub };
	char token[TOKEN_MAX], payload[100];
	size_t len, n;

	ck_assert(jws_sign(signer, "t", "{\"a\":1}", 7, token, sizeof(token), &len, &e));
	ck_assert_uint_eq(strlen(token), len);
	ck_assert_msg(jws_verify(token, len, "t", both, 2, payload, sizeof(payload), &n, &e), "%s", e.why);
	ck_assert_str_eq(payload, "{\"a\":1}");
	ck_assert_uint_eq(n, 7);
}
END_TEST

START_TEST(no_prefix_verifies)
{
	char token[TOKEN_MAX], payload[100];
	size_t len, n;

	ck_assert(jws_sign(signer, "t", "{\"a\":1}", 7, token, sizeof(token), &len, &e));
	for (size_t cut = 0; cut < len; cut++) {
		own(mem) char *copy = malloc(cut ? cut : 1);

		memcpy(copy, token, cut);
		ck_assert_msg(!jws_verify(copy, cut, "t", &pub, 1, payload, sizeof(payload), &n, &e), "%zu of %zu", cut, len);
	}
}
END_TEST

/* Every character counts, those of the signature too: no two texts are the same token. */
START_TEST(no_character_may_differ)
{
	char token[TOKEN_MAX], payload[100];
	size_t len, n;

	ck_assert(jws_sign(signer, "t", "{\"a\":1}", 7, token, sizeof(token), &len, &e));
	for (size_t i = 0; i < len; i++) {
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		ck_assert_msg(!jws_verify(token, len, "t", &pub, 1, payload, sizeof(payload), &n, &e), "offset %zu", i);
		token[i] = was;
	}
}
END_TEST

/* %s is the right kid. */
static const struct { const char *header; enum err code; const char *why; } headers[] = {
	{ "{\"alg\":\"ES256\",\"typ\":\"t\",\"kid\":\"%s\"}", ERR_NONE, "" },
	{ "{ \"kid\" : \"%s\", \"typ\":\"t\", \"alg\":\"ES256\" }", ERR_NONE, "" },
	{ "{\"alg\":\"none\",\"typ\":\"t\",\"kid\":\"%s\"}", ERR_UNTRUSTED, "alg is not ES256" },
	{ "{\"alg\":\"HS256\",\"typ\":\"t\",\"kid\":\"%s\"}", ERR_UNTRUSTED, "alg is not ES256" },
	{ "{\"alg\":\"es256\",\"typ\":\"t\",\"kid\":\"%s\"}", ERR_UNTRUSTED, "alg is not ES256" },
	{ "{\"typ\":\"t\",\"kid\":\"%s\"}", ERR_FORMAT, "alg: missing" },
	{ "{\"alg\":[\"ES256\"],\"typ\":\"t\",\"kid\":\"%s\"}", ERR_FORMAT, "alg: not a string" },
	{ "{\"alg\":\"ES256\",\"typ\":\"u\",\"kid\":\"%s\"}", ERR_UNTRUSTED, "typ is not t" },
	{ "{\"alg\":\"ES256\",\"kid\":\"%s\"}", ERR_FORMAT, "typ: missing" },
	{ "{\"alg\":\"ES256\",\"typ\":\"t\"}", ERR_FORMAT, "kid: missing" },
	{ "{\"alg\":\"ES256\",\"typ\":\"t\",\"kid\":\"other\"}", ERR_UNTRUSTED, "kid is none of the keys" },
	{ "{\"alg\":\"ES256\",\"typ\":\"t\",\"kid\":\"%s\",\"crit\":[\"exp\"]}", ERR_UNTRUSTED, "member crit" },
	{ "{\"alg\":\"ES256\",\"typ\":\"t\",\"kid\":\"%s\",\"jwk\":{}}", ERR_UNTRUSTED, "member jwk" },
	{ "{\"alg\":\"ES256\",\"typ\":\"t\",\"kid\":\"%s\",\"jku\":\"u\"}", ERR_UNTRUSTED, "member jku" },
	{ "{\"alg\":\"ES256\",\"typ\":\"t\",\"kid\":\"%s\",\"x5c\":[]}", ERR_UNTRUSTED, "member x5c" },
	{ "{\"alg\":\"ES256\",\"typ\":\"t\",\"kid\":\"%s\",\"x5u\":\"u\"}", ERR_UNTRUSTED, "member x5u" },
	{ "{\"alg\":\"none\",\"alg\":\"ES256\",\"typ\":\"t\",\"kid\":\"%s\"}", ERR_FORMAT, "alg: given twice" },
	{ "[]", ERR_FORMAT, "not a JSON object" },
	{ "", ERR_FORMAT, "token's header" },
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"    /* the table above is the format */
static void
header_of(unsigned i, const char *kid, char *out, size_t size)
{
	snprintf(out, size, headers[i].header, kid);
}
#pragma GCC diagnostic pop

START_TEST(header)
{
	char text[300], token[TOKEN_MAX], payload[100];
	size_t len, n;
	bool ok;

	header_of((unsigned)_i, pub.kid, text, sizeof(text));
	len = forge(signer, text, "{}", token, sizeof(token));
	e.code = ERR_NONE;
	ok = jws_verify(token, len, "t", &pub, 1, payload, sizeof(payload), &n, &e);
	ck_assert_msg(ok == (headers[_i].code == ERR_NONE) && e.code == headers[_i].code &&
	    (ok || strstr(e.why, headers[_i].why)), "%s: %s (%s)", headers[_i].header, err_name(e.code), e.why);
}
END_TEST

/* A key of the same kid, which is not the signer's. */
START_TEST(another_key)
{
	struct public_key named = strange;
	char token[TOKEN_MAX], payload[100];
	size_t len, n;

	memcpy(named.kid, pub.kid, sizeof(pub.kid));
	ck_assert(jws_sign(signer, "t", "{}", 2, token, sizeof(token), &len, &e));
	ck_assert(!jws_verify(token, len, "t", &named, 1, payload, sizeof(payload), &n, &e));
	ck_assert_uint_eq(e.code, ERR_UNTRUSTED);
	ck_assert_str_eq(e.why, "token's signature does not verify");
}
END_TEST

static const struct { const char *label, *tail; } tails[] = {
	{ "padding", "=" }, { "white space", "\n" }, { "fourth part", ".AA" }, { "plain base64", "+" }, { "one more byte", "AA" },
};

START_TEST(tail)
{
	char token[TOKEN_MAX], payload[100];
	size_t len, n;

	ck_assert(jws_sign(signer, "t", "{}", 2, token, sizeof(token), &len, &e));
	strcat(token, tails[_i].tail);
	ck_assert_msg(!jws_verify(token, strlen(token), "t", &pub, 1, payload, sizeof(payload), &n, &e), "%s", tails[_i].label);
	ck_assert_uint_eq(e.code, ERR_FORMAT);
}
END_TEST

START_TEST(sizes)
{
	char token[TOKEN_MAX], payload[7];
	size_t len, n;

	ck_assert(jws_sign(signer, "t", "{\"a\":1}", 7, token, sizeof(token), &len, &e));
	ck_assert(!jws_verify(token, len, "t", &pub, 1, payload, sizeof(payload), &n, &e));
	ck_assert(!jws_sign(signer, "t", "{\"a\":1}", 7, token, len, &len, &e));
	ck_assert_uint_eq(e.code, ERR_LIMIT);
}
END_TEST

START_TEST(pem_and_jwk)
{
	char pem[1024], jwk[512];
	struct sign_key *again = NULL;
	struct public_key read;
	size_t len;

	ck_assert(sign_key_pem(signer, pem, sizeof(pem), &len, &e));
	ck_assert(sign_key_read_pem(pem, len, &again, &e));
	ck_assert(sign_key_public(again, &read, &e));
	ck_assert_mem_eq(&read, &pub, sizeof(pub));
	sign_key_free(again);
	ck_assert(public_key_json(&pub, jwk, sizeof(jwk), &e));
	ck_assert_msg(public_key_read(jwk, strlen(jwk), &read, &e), "%s", e.why);
	ck_assert_mem_eq(&read, &pub, sizeof(pub));
	ck_assert(!sign_key_read_pem("no PEM", 6, &again, &e));
}
END_TEST

/* RFC 7515 appendix A.3's key; its thumbprint computed from RFC 7638's rule. */
#define A3_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define A3_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define A3_KID "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
#define JWK(kid, more) "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\",\"kid\":\"" kid "\"" more "}"

static const struct { const char *label, *text, *why; } jwks[] = {
	{ "RFC 7515's",    JWK(A3_KID, ""), NULL },
	{ "with more",     JWK(A3_KID, ",\"use\":\"sig\""), NULL },
	{ "other kid",     JWK("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-V", ""), "kid is not the key's thumbprint" },
	{ "private",       JWK(A3_KID, ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\""), "a private one" },
	{ "not on curve",  "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X "\",\"y\":\"" A3_X "\",\"kid\":\"k\"}", "no point of P-256" },
	{ "P-384",         "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" A3_X "\",\"y\":\"" A3_Y "\",\"kid\":\"k\"}", "not P-256" },
	{ "short x",       "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"" A3_Y "\",\"kid\":\"k\"}", "x: not 32 bytes" },
};

START_TEST(jwk)
{
	struct public_key read;
	bool ok = public_key_read(jwks[_i].text, strlen(jwks[_i].text), &read, &e);

	ck_assert_msg(ok == !jwks[_i].why && (ok || strstr(e.why, jwks[_i].why)), "%s: %s", jwks[_i].label, ok ? "read" : e.why);
}
END_TEST

START_TEST(keyset)
{
	struct keyset set = { .serial = 5, .count = 2, .key = { pub, strange } }, again;
	char token[JWS_MAX];
	size_t len;

	ck_assert_msg(keyset_sign(signer, &set, token, sizeof(token), &len, &e), "%s", e.why);
	ck_assert_msg(keyset_verify(token, len, &pub, 5, &again, &e), "%s", e.why);
	ck_assert_uint_eq(again.serial, 5);
	ck_assert_uint_eq(again.count, 2);
	ck_assert_mem_eq(&again.key[1], &strange, sizeof(strange));
	ck_assert(!keyset_verify(token, len, &pub, 6, &again, &e));
	ck_assert_uint_eq(e.code, ERR_MISMATCH);
	ck_assert(!keyset_verify(token, len, &strange, 0, &again, &e));
	ck_assert_uint_eq(e.code, ERR_UNTRUSTED);
	/* A result is no key set, though the same key should have signed it. */
	ck_assert(jws_sign(signer, "eat+jwt", "{\"serial\":9,\"keys\":[]}", 22, token, sizeof(token), &len, &e));
	ck_assert(!keyset_verify(token, len, &pub, 0, &again, &e));
	set.count = KEYSET_KEYS_MAX + 1;
	ck_assert(!keyset_sign(signer, &set, token, sizeof(token), &len, &e));
}
END_TEST

START_TEST(jwks_file)
{
	struct keyset set = { .count = 2, .key = { pub, strange } }, again;
	char text[2048];

	ck_assert(jwks_json(&set, text, sizeof(text), &e));
	ck_assert_msg(jwks_read(text, strlen(text), &again, &e), "%s", e.why);
	ck_assert_uint_eq(again.count, 2);
	ck_assert_mem_eq(&again.key[0], &pub, sizeof(pub));
	ck_assert(!jwks_read("{\"keys\":[]}", 11, &again, &e));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, keys, no_keys);
	tcase_add_test(tc, verifies_what_was_signed);
	tcase_add_test(tc, no_prefix_verifies);
	tcase_add_test(tc, no_character_may_differ);
	tcase_add_loop_test(tc, header, 0, (int)COUNT(headers));
	tcase_add_test(tc, another_key);
	tcase_add_loop_test(tc, tail, 0, (int)COUNT(tails));
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, pem_and_jwk);
	tcase_add_loop_test(tc, jwk, 0, (int)COUNT(jwks));
	tcase_add_test(tc, keyset);
	tcase_add_test(tc, jwks_file);
}

int
main(void)
{
	return unit_run("sign", add);
}
