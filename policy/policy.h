/*
 * policy.h - what a group of hosts must be like, beyond its reference sets. POLICY section 2, attest-policy(5).
 *
 * A policy is a value without pointers. Its packed form is deterministic; the SHA-256 of that is the
 * policy's content digest, by which it is shown and which belongs to every key that a judgement is
 * kept under. People write it as JSON (policy_json.h). A policy that would judge nothing, or let all
 * pass by an empty list, is not valid: policy_check() is asked by whoever reads one.
 */
#ifndef POLICY_H
#define POLICY_H
#include "digest.h"
#include "reader.h"
#include "record.h"
#include "tpm_types.h"
#include "writer.h"

enum {
	POLICY_PACKED_MAX   = 128 << 10,
	POLICY_NAME_MAX     = NAME_TEXT - 1 - 11,   /* with "/version" it is a name again */
	POLICY_PATTERN_TEXT = 160,              /* one word of a command line, with NUL */
	POLICY_PATTERNS_MAX = 128,
	POLICY_DIGESTS_MAX  = 64,               /* certificates, drivers, option ROMs: each list */
	POLICY_PINS_MAX     = 8,                /* values of one PCR */
	POLICY_VENDORS_MAX  = 16,
	POLICY_VENDOR_TEXT  = 12,
	POLICY_QUORUM_MAX   = 8,
	POLICY_LIFETIME_MIN = 10,               /* seconds */
	POLICY_LIFETIME_MAX = 24 * 3600,
	POLICY_GRACE_MAX    = 30 * 24 * 3600,
};

/*
 * How a PCR is judged. All but NONE are asked for and must replay.
 * RULES (PCR 8 and 12): every text that its digest binds, whatever its label says, by the command-line rules.
 */
#define PCR_MODES(X) \
	X(NONE,   "none") \
	X(EVENTS, "events")     /* by reference sets */ \
	X(VALUE,  "value")      /* one of the values here */ \
	X(RULES,  "rules") \
	X(IGNORE, "ignore")
enum pcr_mode {
#define X(name, word) PCR_MODE_##name,
	PCR_MODES(X)
#undef X
	PCR_MODE_COUNT
};
const char *pcr_mode_word(enum pcr_mode);

struct pin { enum bank bank; uint8_t digest[DIGEST_MAX]; };
struct pcr_rule { enum pcr_mode mode; unsigned npins; struct pin pin[POLICY_PINS_MAX]; };

/* A word of a command line; '*' stands for anything. '-' and '_' are the same before its '='. */
struct patterns { unsigned count; char text[POLICY_PATTERNS_MAX][POLICY_PATTERN_TEXT]; };

struct digests { unsigned count; uint8_t digest[POLICY_DIGESTS_MAX][SHA256_SIZE]; };

/* What the firmware may load before the boot loader. */
#define LOAD_RULES(X) X(ANY, "any") X(NONE, "none") X(LISTED, "listed")
enum load_rule {
#define X(name, word) LOAD_##name,
	LOAD_RULES(X)
#undef X
	LOAD_RULE_COUNT
};
const char *load_rule_word(enum load_rule);
struct loads { enum load_rule rule; struct digests allow; };      /* Authenticode SHA-256 */

/* Classes of known-vulnerable TPMs, tpms.h. */
#define TPM_FLAWS(X) X(ROCA, "roca") X(TPM_FAIL, "tpm-fail") X(FAULTPM, "faultpm")
enum tpm_flaw {
#define X(name, word) FLAW_##name,
	TPM_FLAWS(X)
#undef X
	TPM_FLAW_COUNT
};
const char *tpm_flaw_word(enum tpm_flaw);

/* What becomes of a host that gives no log, or one that does not replay. */
#define NO_LOG_CLASSES(X) X(REFUSE, "refuse") X(PINS, "pins") X(FIRMWARE_ONLY, "firmware-only")
enum no_log {
#define X(name, word) NO_LOG_##name,
	NO_LOG_CLASSES(X)
#undef X
	NO_LOG_COUNT
};
const char *no_log_word(enum no_log);

struct tpm_vendor { char vendor[POLICY_VENDOR_TEXT]; uint64_t min_firmware; };   /* firmware 0: any */

struct policy {
	char            name[NAME_TEXT];
	struct pcr_rule pcr[PCR_COUNT];
	struct {
		bool           required;
		struct digests keys;            /* certificates that may vouch for what was loaded; none: any */
		uint32_t       min_dbx;         /* entries */
		uint32_t       sbat;            /* least SbatLevel, as 2024010900 */
	} secure_boot;
	struct { struct patterns allow, forbid; } cmdline;
	struct loads    drivers, option_roms;
	struct {
		unsigned          count;        /* 0: any vendor */
		struct tpm_vendor vendor[POLICY_VENDORS_MAX];
		uint8_t           allow_flaws;  /* bit = enum tpm_flaw */
		bool              allow_simulator;
	} tpm;
	bool            ima;                    /* it has rules for IMA: ima_rules.h, packed beside this */
	bool            ima_judged;             /* and their mode is not off */
	uint8_t         ima_digest[SHA256_SIZE];    /* of them, so that this one's digest covers both; else zeros */
	bool            require_lockdown;
	enum no_log     no_log;
	int64_t         lifetime, grace_max;    /* ms; 0: as verifierd.conf says */
	enum gate_mode  ceiling;
	unsigned        quorum;                 /* approvals that a change needs */
};

/* The policy that is there from the start. */
void policy_default(struct policy *);

/* ERR_CONFIG: what would judge nothing, or pass everything by an empty list. */
bool policy_check(const struct policy *, struct error *) MUST_CHECK;

/* PCRs of one mode; of all that are asked for. */
uint32_t policy_pcrs(const struct policy *, enum pcr_mode);
uint32_t policy_selected(const struct policy *);

/* Firmware measures drivers and option ROMs there, and nowhere else. */
enum { PCR_DRIVERS = 2 };
/* What a host with these banks is asked to quote: SHA-256, or SHA-384 where there is none. False: it has neither. */
bool policy_selection(const struct policy *, uint32_t banks, struct selection *);

void policy_pack(const struct policy *, struct writer *);
/* Takes what policy_check() takes, nothing else. */
bool policy_unpack(struct reader *, struct policy *, struct error *) MUST_CHECK;
/* Packs into buf, which has POLICY_PACKED_MAX bytes; *digest names the content. */
bool policy_seal(const struct policy *, uint8_t *buf, size_t *len, uint8_t digest[static SHA256_SIZE],
    struct error *) MUST_CHECK;
#endif
