/*
 * record.h - the verdict record, /run/attest/verdict: all that a gate needs to decide.
 *
 * attest-record(5). Lines "key=value", version first, at most RECORD_MAX bytes, each key once,
 * unknown keys refused. attestd writes it, after it has verified the signed result; everybody
 * may read it; a gate believes it only if root or the attest user alone could have written it.
 */
#ifndef RECORD_H
#define RECORD_H
#include <stddef.h>
#include <stdint.h>
#include "clock.h"
#include "error.h"
#include "reason.h"
#include "ref.h"

enum {
	RECORD_MAX      = 4096,
	RECORD_VERSION  = 1,
	BOOT_ID_TEXT    = 37,        /* a UUID and its NUL */
	NAME_TEXT       = 64,        /* host, policy: with NUL */
	REFERENCES_TEXT = 256,
	/* No verdict counts longer than this, whatever it says of itself. */
	RECORD_LIFETIME_MAX_MS = 24 * 3600 * 1000,
};

#define GATE_MODES(X) X(OFF, "off") X(AUDIT, "audit") X(ENFORCE, "enforce")
enum gate_mode {
#define X(name, word) MODE_##name,
	GATE_MODES(X)
#undef X
	MODE_COUNT
};
const char *mode_word(enum gate_mode);
bool        mode_find(const char *word, enum gate_mode *);

struct record {
	char           boot_id[BOOT_ID_TEXT];
	enum state     state;
	enum reason    reason;
	char           ref[REF_TEXT];            /* "" when there is none */
	enum gate_mode ceiling;                  /* the most a gate may do; MODE_ENFORCE when unsaid */
	int64_t        issued_boot, expires_boot;   /* ms of CLOCK_BOOTTIME; both 0 without a verdict */
	int64_t        issued_wall, expires_wall;   /* ms since 1970 */
	int64_t        asleep;                   /* BOOTTIME - MONOTONIC when it was written, ms */
	uint32_t       reset_count, restart_count;
	char           host[NAME_TEXT], policy[NAME_TEXT];
	char           references[REFERENCES_TEXT];  /* "name/version name/version" */

	/* For grace: is the verifier out of reach, since when, and what held last. */
	bool           upstream_out;
	int64_t        upstream_since_wall;
	int64_t        good_issued_wall, good_expires_wall;  /* 0: never affirming, or not in this boot */
	bool           good_this_boot;           /* the last good result is of this boot, or its PCR digest was seen again */
	int64_t        grace_max;                /* ms, signed by the verifier */
};

/* buf holds text, not necessarily terminated. ERR_FORMAT or ERR_LIMIT, naming the line. */
bool record_parse(const char *buf, size_t len, struct record *, struct error *) MUST_CHECK;

/* Writes the text form, NUL-terminated. */
bool record_format(const struct record *, char *buf, size_t size, size_t *len, struct error *) MUST_CHECK;

/*
 * Is it of this boot and inside both of its lifetimes? REASON_OK if so, else the reason:
 * verdict-other-boot, verdict-expired (also after a suspend), not-attested. PROTOCOL section 4.
 */
enum reason record_usable(const struct record *, const char *boot_id, const struct clock *now);

/* When the last good result ceases to bridge an outage, ms since 1970; 0: it does not. Gates bound it by their own `grace` as well. */
int64_t     record_grace_ends(const struct record *);
/* What holds now, by the record alone: its own reason while it is usable, a refusal always, grace, else why it is not usable. */
enum reason record_says(const struct record *, const char *boot_id, const struct clock *now);
#endif
