/*
 * ima_rules.h - what a policy says of IMA. POLICY section 2; attest-ima(5).
 *
 * {"mode":"off"|"allow-list"|"signatures"|"both", "violations":"refuse"|"warn"|"ignore", "pcrs":[10],
 *  "exclude":["/var/log/" and a pattern…], "allow_lists":["debian12"…], "allow":[{"digest":"sha256:…","path":"…"}…],
 *  "keyrings":{".ima":["-----BEGIN…"…]}}; all but mode may be absent. Keys are certificates or public keys (PEM),
 * or {"pem":…, "id":"8 hex digits"} where signatures name one by another id.
 * "both" wants a known digest and a good signature of every file.
 */
#ifndef IMA_RULES_H
#define IMA_RULES_H
#include "allow_list.h"
#include "json.h"
#include "record.h"

enum {
	IMA_EXCLUDES_MAX = 256,
	IMA_KEYS_MAX     = 64,
	IMA_KEY_MAX      = 1024,        /* SubjectPublicKeyInfo, bytes */
	IMA_LISTS_MAX    = 16,
	IMA_ALLOW_INLINE = 64,          /* entries that stand in the policy itself */
	IMA_PCRS_MAX     = 4,           /* that entries may extend */
	IMA_RULES_PACKED_MAX = ALLOW_PACKED_MAX + (1 << 20),
};

#define IMA_MODES(X) X(OFF, "off") X(ALLOW_LIST, "allow-list") X(SIGNATURES, "signatures") X(BOTH, "both")
enum ima_mode {
#define X(name, word) IMA_MODE_##name,
	IMA_MODES(X)
#undef X
	IMA_MODE_COUNT
};
#define IMA_ON_VIOLATIONS(X) X(REFUSE, "refuse") X(WARN, "warn") X(IGNORE, "ignore")
enum ima_on_violation {
#define X(name, word) IMA_VIOLATION_##name,
	IMA_ON_VIOLATIONS(X)
#undef X
	IMA_VIOLATION_COUNT
};

/* id: the last bytes of the certificate's subject key identifier, or of SHA-1 of the key; what a signature names. */
struct ima_key { char keyring[NAME_TEXT]; uint8_t id[4]; uint8_t spki[IMA_KEY_MAX]; size_t spki_len; };

struct ima_rules {
	enum ima_mode         mode;     /* zeroed: off */
	enum ima_on_violation violations;
	uint32_t              pcrs;     /* bit = PCR that entries may extend; 1 << 10 unless the policy says otherwise */
	unsigned              nexcludes;
	const char           *exclude[IMA_EXCLUDES_MAX];    /* patterns */
	char                 *exclude_text;             /* owns them */
	unsigned              nkeys;
	struct ima_key       *key;
	unsigned              nlists;   /* allow lists that the policy names; whoever has them joins them into `allow` */
	char                  list[IMA_LISTS_MAX][NAME_TEXT];
	struct allow_list     allow;
};
void ima_rules_free(struct ima_rules *);
static inline void drop_ima_rules(struct ima_rules *r) { ima_rules_free(r); }   /* own(ima_rules) struct ima_rules r = { 0 }; */

/* Reads the value of a policy's member "ima"; what is not understood is refused: "exclude[3]: …". No list is joined yet. */
bool ima_rules_read(const struct json *ima, struct ima_rules *, struct error *) MUST_CHECK;
/* The same rules always give the same value. Rules into which no list was joined; keys come as public keys. */
struct json *ima_rules_json(const struct ima_rules *);

/* A certificate or public key in PEM: RSA from 2048 bits, P-256, P-384 or P-521. */
bool ima_key_read(const char *pem, size_t len, struct ima_key *, struct error *) MUST_CHECK;
/* As a public key in PEM; free it. */
bool ima_key_pem(const struct ima_key *, char **pem, struct error *) MUST_CHECK;
/* The id that a key has by itself, whatever a certificate says. */
bool ima_key_own_id(const struct ima_key *, uint8_t id[static 4]);
bool ima_rules_exclude(struct ima_rules *, const char *pattern, size_t len, struct error *) MUST_CHECK;

/* Joins the entries of a list that the policy names. */
bool ima_rules_join(struct ima_rules *, const struct allow_list *, struct error *) MUST_CHECK;

/* Packed, deterministic; its SHA-256 is the rules' content digest. Unpacked rules point into the packed bytes for their allow list. */
size_t ima_rules_packed_size(const struct ima_rules *);
void   ima_rules_pack(const struct ima_rules *, struct writer *);
bool   ima_rules_unpack(struct reader *, struct ima_rules *, struct error *) MUST_CHECK;
#endif
