/*
 * state.h - what attestd keeps in state_dir: who this host is to the verifier, and what was last said.
 *
 * Each file is whole or not there (file_replace, durable), so that a kill between any two leaves a
 * state from which enrollment and attestation go on by themselves.
 */
#ifndef STATE_H
#define STATE_H
#include "api.h"
#include "options.h"
#include "tpm.h"

struct identity {
	char              url[URL_TEXT];          /* given at enrollment; attestd.conf wins */
	bool              has_ak;
	struct tpm_ak     ak;
	struct tpm_name   ak_name, signer;        /* Name, and qualified name under the endorsement hierarchy */
	bool              pending;                /* enrollment under way: id, and secret once proved */
	char              enrollment[BOOT_ID_TEXT];
	bool              proved;
	uint8_t           secret[SECRET_SIZE];
	bool              active;
	char              host_id[BOOT_ID_TEXT], name[HOST_TEXT], token[TOKEN_TEXT];
	struct public_key root;
	struct keyset     keys;
};
/* Reads what is there; a file that cannot be read is an error that names it. */
bool state_load(const char *dir, struct identity *, struct error *) MUST_CHECK;
bool state_save_verifier(const char *dir, const char *url, const char *ca_pem, struct error *) MUST_CHECK;
bool state_save_ak(const char *dir, const struct tpm_ak *, struct identity *, struct error *) MUST_CHECK;
bool state_save_enrollment(const char *dir, const struct identity *, struct error *) MUST_CHECK;
/* Checks the key set against the root in it, then keeps both. */
bool state_save_identity(const char *dir, const struct enrolled *, struct identity *, struct error *) MUST_CHECK;
bool state_save_keys(const char *dir, const char *keyset, struct identity *, struct error *) MUST_CHECK;

/* recovery.key: what recovery codes are checked with, the last one taken, and how many wrong ones since. */
struct recovery_kept {
	char     host_id[BOOT_ID_TEXT];
	uint8_t  key[RECOVERY_KEY_SIZE];
	uint32_t sequence;
	unsigned failures;
};
bool state_load_recovery(const char *dir, struct recovery_kept *, struct error *) MUST_CHECK;   /* ERR_MISSING: there is none */
bool state_save_recovery(const char *dir, const struct recovery_kept *, struct error *) MUST_CHECK;
/* The key that an enrollment brings: a new one starts anew, the one in use goes on where it was. */
bool state_keep_recovery(const char *dir, const struct enrolled *, struct error *) MUST_CHECK;

/*
 * What a gateway that is not enrolled knows of its verifier: root and keys of *id, pinned when first heard. *there is
 * false while nothing is. Save checks the key set against id's root.
 */
bool gateway_load(const char *dir, struct identity *id, bool *there, struct error *) MUST_CHECK;
bool gateway_save(const char *dir, const char *keyset, struct identity *id, struct error *) MUST_CHECK;

/*
 * The last permit and the last refusal: as a record, with what a local quote is compared to. grace builds on the
 * permit while it is an affirming one.
 */
struct kept {
	bool             there;
	struct record    record;
	struct selection selection;
	uint8_t          pcr_digest[DIGEST_MAX];
	size_t           pcr_digest_len;
	uint64_t         tpm_clock;               /* of its quote, ms */
	/* The record's ceiling was set for a while: until when on the wall clock, and which it is then. 0: it stays. */
	int64_t          ceiling_until;
	enum gate_mode   ceiling_then;
	/* Of the permit: the newest boot in which a quote of our own showed the same digest; boot_id "": none did. */
	struct {
		char     boot_id[BOOT_ID_TEXT];
		uint32_t reset_count;
		int64_t  at, age;                 /* on CLOCK_BOOTTIME; how old the permit was then, at the least; ms */
	} seen;
};
#define KEPT_GOOD     "last-good"
#define KEPT_NEGATIVE "last-negative"
/* A file that is there and cannot be read counts as a refusal nobody may forget: the error says so. */
bool kept_load(const char *dir, const char *which, struct kept *, struct error *) MUST_CHECK;
bool kept_save(const char *dir, const char *which, const struct kept *, struct error *) MUST_CHECK;
bool kept_drop(const char *dir, const char *which, struct error *) MUST_CHECK;
bool state_arm(const char *dir, struct error *) MUST_CHECK;
#endif
