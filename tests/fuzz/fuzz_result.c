/*
 * Signed tokens. 't': a token as it came. 'r', 'k': the payload of a result, of a key set, which is
 * signed here, so that what lies behind the signature is reached. 'j': a JWKS file.
 */
#include "result.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct sign_key *key;

static void
payload(const char *typ, const char *text, size_t n, const struct keyset *keys)
{
	static char jws[JWS_MAX];
	struct result r;
	struct keyset set;
	struct error e;
	size_t len;

	if (!jws_sign(key, typ, text, n, jws, sizeof(jws), &len, &e))
		return;
	/* What is taken says of itself what can be signed. */
	if (result_verify(jws, len, keys, 1794000100000, &r, &e) && !result_sign(&r, key, jws, sizeof(jws), &len, &e))
		abort();
	if (keyset_verify(jws, len, &keys->key[0], 0, &set, &e) && !keyset_sign(key, &set, jws, sizeof(jws), &len, &e))
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
	case 'k': payload("attest-keys+jwt", text, n - 1, &keys); break;
	case 'j': (void)!jwks_read(text, n - 1, &set, &e); break;
	default: break;
	}
	return 0;
}
