/* A challenge under a good HMAC, which is made here: what its fields may be. What is taken can be sealed, and opens again. */
#include <stdlib.h>
#include <string.h>
#include "challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { BODY = CHALLENGE_SIZE - SHA256_SIZE };

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t key[32] = { 1 };
	static const char domain[] = "pam-attest/challenge/1";
	uint8_t sealed[CHALLENGE_SIZE] = { 0 }, tagged[sizeof(domain) + BODY];
	struct challenge c, again;
	struct error e;

	memcpy(sealed, p, n < BODY ? n : BODY);
	memcpy(tagged, domain, sizeof(domain));
	memcpy(tagged + sizeof(domain), sealed, BODY);
	if (!hmac_sha256(key, tagged, sizeof(tagged), sealed + BODY))
		abort();
	if (!challenge_open(sealed, key, &c, &e)) {
		if (e.code == ERR_UNTRUSTED)
			abort();        /* it never came as far as the fields */
		return 0;
	}
	if (!challenge_seal(&c, key, sealed, &e) || !challenge_open(sealed, key, &again, &e) ||
	    challenge_key_id(sealed) != c.key_id || strcmp(c.boot_id, again.boot_id) != 0 ||
	    !selection_same(&c.selection, &again.selection) || c.expires_wall != again.expires_wall)
		abort();
	return 0;
}
