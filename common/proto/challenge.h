/*
 * challenge.h - what the verifier asks a host to sign, and what the host signs.
 *
 * A challenge is authenticated, not secret: HMAC-SHA-256 over its fields under a key that all
 * replicas share. It is opaque to the host and of one size. Single use is kept by the store.
 */
#ifndef CHALLENGE_H
#define CHALLENGE_H
#include "record.h"
#include "tpm_types.h"

enum {
	CHALLENGE_SIZE     = 256,           /* zero-padded, HMAC last */
	CHALLENGE_LIFE_MS  = 60 * 1000,
	CHALLENGE_ID_SIZE  = 16,
	NONCE_SIZE         = 32,
	/* whom a passport is for: a relying party (letters, digits, '.', '-', '_'), and a user there (printable, no spaces) */
	AUDIENCE_TEXT      = NAME_TEXT,
	PASSPORT_USER_TEXT = 64,
};

#define PURPOSES(X) X(LOGIN, "login") X(EVENTS, "events") X(PASSPORT, "passport")
enum purpose {
#define X(name, word) PURPOSE_##name,
	PURPOSES(X)
#undef X
	PURPOSE_COUNT
};
const char *purpose_word(enum purpose);
bool purpose_find(const char *word, enum purpose *);

struct challenge {
	uint32_t         key_id;            /* which HMAC key; rotated daily */
	uint8_t          id[CHALLENGE_ID_SIZE];
	uint8_t          nonce[NONCE_SIZE];
	struct tpm_name  ak;
	char             boot_id[BOOT_ID_TEXT];
	uint8_t          boot_log[SHA256_SIZE];   /* digest that the host announced */
	uint32_t         policy_version;
	struct selection selection;
	enum purpose     purpose;
	int64_t          expires_wall;
};

bool challenge_seal(const struct challenge *, const uint8_t key[static 32],
    uint8_t out[static CHALLENGE_SIZE], struct error *) MUST_CHECK;

/* The key id of a sealed challenge, to pick the key; nothing else may be believed before open. */
uint32_t challenge_key_id(const uint8_t sealed[static CHALLENGE_SIZE]);

/* ERR_UNTRUSTED when the HMAC differs, ERR_FORMAT when its fields make no sense. Expiry is the caller's. */
bool challenge_open(const uint8_t sealed[static CHALLENGE_SIZE], const uint8_t key[static 32],
    struct challenge *, struct error *) MUST_CHECK;

/* Everything beside the quote that must not be re-paired (PROTOCOL section 1). */
struct context {
	enum purpose purpose;
	const uint8_t *nonce;               /* NONCE_SIZE */
	const char  *host_id;
	const char  *boot_id;
	const uint8_t *boot_log;            /* SHA-256 of the log as sent or as announced */
	uint64_t     ima_from;
	const uint8_t *facts;               /* SHA-256 of part 7, of no bytes when absent */
	const char  *audience, *user;       /* "" when the purpose has none */
};
/* SHA-256 over "pam-attest/1" and the fields in this order, each behind its u32 big-endian length. */
bool context_digest(const struct context *, uint8_t out[static SHA256_SIZE]);
#endif
