/*
 * Signed tokens. 't': a token as it came. 'r', 'k', 'o': the payload of a result, of a key set, of orders, which is
 * signed here, so that what lies behind the signature is reached. 'j': a JWKS file. 'c': a recovery code as it was typed.
 */
#include "orders.h"
#include "recovery.h"
#include "result.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct sign_key *key;

static void
payload(const char *typ, const char *text, size_t n, const struct keyset *keys)
{
	static char jws[JWS_MAX];
	struct result r;
	struct orders orders;
	struct keyset set;
	struct error e;
	size_t len;

	if (!jws_sign(key, typ, text, n, jws, sizeof(jws), &len, &e))
		return;
	/* What is taken says of itself what can be signed. */
	if (result_verify(jws, len, keys, 1794000100000, &r, &e) && !result_sign(&r, key, jws, sizeof(jws), &len, &e))
		abort();
	if (orders_verify(jws, len, keys, &orders, &e) && !orders_sign(&orders, key, jws, sizeof(jws), &len, &e))
		abort();
	if (keyset_verify(jws, len, &keys->key[0], 0, &set, &e) && !keyset_sign(key, &set, jws, sizeof(jws), &len, &e))
		abort();
}

/* None is a code of this host's but the one whose HMAC somebody guesses. */
static void
typed(const char *text, size_t n)
{
	static const uint8_t secret[RECOVERY_KEY_SIZE] = { 4, 2 };
	struct recovery q;
	struct error e;
	char line[128];

	snprintf(line, sizeof(line), "%.*s", (int)(n < 100 ? n : 100), text);
	if (recovery_read(secret, "0b7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a111", line, &q, &e))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct keyset keys = { .count = 1 };
	const char *text = (const char *)p + 1;
	struct keyset set;
	struct result r;
	struct error e;

	if (!key && (!sign_key_make(&key, &e) || !sign_key_public(key, &keys.key[0], &e)))
		abort();
	if (!n)
		return 0;
	switch (p[0]) {
	case 't':
		if (result_verify(text, n - 1, &keys, 1794000100000, &r, &e))
			abort();        /* its key was made a moment ago */
		break;
	case 'r': payload("eat+jwt", text, n - 1, &keys); break;
	case 'o': payload("attest-orders+jwt", text, n - 1, &keys); break;
	case 'c': typed(text, n - 1); break;
	case 'k': payload("attest-keys+jwt", text, n - 1, &keys); break;
	case 'j': (void)!jwks_read(text, n - 1, &set, &e); break;
	default: break;
	}
	return 0;
}
