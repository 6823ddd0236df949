/*
 * What a TPM signs and says of its keys: the first byte picks the structure. What is taken must
 * keep the promises that tpm_types.h makes of it, and go through a signature check.
 */
#include <stdlib.h>
#include <string.h>
#include "scope.h"
#include "tpm_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
quote(const uint8_t *p, size_t n)
{
	struct error e;
	struct selection again;
	struct quote q;
	char text[512];
	bool known = true;
	enum bank b;

	if (!quote_read(p, n, &q, &e))
		return;
	if (q.signer.size > TPM_NAME_MAX || q.extra_len > sizeof(q.extra) || q.pcr_digest_len > DIGEST_MAX ||
	    q.selection.count > TPM_SELECTIONS_MAX || !selection_text(&q.selection, text, sizeof(text)))
		abort();
	for (unsigned i = 0; i < q.selection.count; i++)
		known &= bank_of_alg(q.selection.bank[i].alg, &b);
	if (q.selection.count && known &&
	    (!selection_parse(text, &again, &e) || !selection_same(&q.selection, &again)))
		abort();
}

/* A signature, tried on a key that did not make it. */
static void
signature(const uint8_t *p, size_t n)
{
	static const char ecc[] = "-----BEGIN PUBLIC KEY-----\n"
	    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
	    "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
	    "-----END PUBLIC KEY-----\n";        /* P-256's generator */
	struct verify_key *key = NULL;
	struct tpm_signature s;
	struct error e;

	if (!signature_read(p, n, &s, &e))
		return;
	if (s.r_len > sizeof(s.r) || s.s_len > sizeof(s.s) || s.rsa_len > sizeof(s.rsa))
		abort();
	if (!verify_key_open_pem(ecc, sizeof(ecc) - 1, &key, &e) || verify_key_check(key, &s, "x", 1, &e))
		abort();
	verify_key_free(key);
}

static void
public_area(const uint8_t *p, size_t n)
{
	struct verify_key *key = NULL;
	uint8_t spki[TPM_PUBLIC_MAX];
	struct tpm_public k;
	struct tpm_name name;
	struct error e;
	size_t len;

	if (!public_read(p, n, &k, &e))
		return;
	if (k.xy_len > sizeof(k.x) || k.modulus_len > sizeof(k.modulus) || k.policy_len > sizeof(k.policy))
		abort();
	if (public_name(p, n, &name, &e) && !name_qualify(&name, TPM_RH_ENDORSEMENT, &name))
		abort();
	if (public_spki(&k, spki, sizeof(spki), &len, &e)) {
		if (!verify_key_open(spki, len, &key, &e))
			abort();
		verify_key_free(key);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static void (*const kinds[])(const uint8_t *, size_t) = { quote, signature, public_area };

	if (n)
		kinds[p[0] % COUNT(kinds)](p + 1, n - 1);
	return 0;
}
