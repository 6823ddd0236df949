/*
 * check_ima.h - the entries of an IMA list against a quote and a policy's rules, chunk by chunk. Pure.
 *
 * A quote covers an unknown number of entries. PCR 10 is walked from the accepted position until the
 * quoted composite matches; what was measured after the quote stays pending, for the next one. The
 * accepted position moves only when the composite matched and every entry up to there passed; then
 * nothing before it is ever looked at again in this boot. A bad entry that a quote covered is kept in
 * the state and refuses from then on, until the owner drops the state because its key is another.
 *
 * Until the composite matches nothing of the list is believed, and no finding about an entry counts.
 */
#ifndef CHECK_IMA_H
#define CHECK_IMA_H
#include "ima_rules.h"
#include "tails.h"
#include "verdict.h"

enum {
	IMA_WORK_MAX      = 1 << 20,    /* of one step: hash operations (one more each KiB), a signature counts as 100 */
	IMA_HINT_SLACK    = 64,         /* entries around the hinted count that are tried first */
	IMA_SIGNATURE_WORK = 100,
	IMA_FINDINGS_SHOWN = 8,         /* of each kind in one step; then how many more there are */
	IMA_STATE_PACKED_MAX = 8 << 10,
};

/* What a state belongs to. Another boot, policy or rule: another key, and the list is walked from its start. */
struct ima_boot {
	struct tpm_name ak;
	uint32_t        reset_count, restart_count;
	char            boot_id[BOOT_ID_TEXT];
	uint32_t        policy_version;
	uint8_t         rules[SHA256_SIZE];     /* content digest of the packed rules */
};
bool ima_key_digest(const struct ima_boot *, uint8_t out[static SHA256_SIZE]);

/* PCR values behind some entries, in every way that a bank may still hold them. */
struct ima_position {
	uint64_t entries;
	uint8_t  npcrs;                 /* in value; 0: nothing has been walked yet */
	uint8_t  ways[BANK_COUNT];      /* bit = enum ima_way that is still possible; 0: this bank is not walked */
	uint8_t  value[BANK_COUNT][IMA_PCRS_MAX][IMA_WAY_COUNT][DIGEST_MAX];    /* PCRs in the order of the rules' bits */
};

/* What was found on the way and is not in the position: how many, and the first that refuses. */
struct ima_found {
	uint64_t       judged, excluded, violations, unknown, unsigned_files, bad_signatures, others;
	bool           bad, warned, kexec;
	struct finding first;           /* if bad */
};

/* Starts zeroed, which is the beginning of a boot. */
struct ima_state {
	uint8_t  key[SHA256_SIZE];
	struct ima_position accepted;
	struct ima_found    sure;       /* up to accepted; bad: refused for this boot */
	/* how far the present quote has been walked without a match; nothing of this is believed */
	uint8_t  quote[SHA256_SIZE];    /* its pcrDigest's hash and counters: another quote starts again at accepted */
	struct ima_position walked;
	struct ima_found    maybe;
};

void ima_state_pack(const struct ima_state *, struct writer *);
bool ima_state_unpack(struct reader *, struct ima_state *, struct error *) MUST_CHECK;

struct ima_walk {
	const struct quote     *quote;  /* its rows have held */
	enum bank               scheme; /* hash of the signing scheme */
	const struct eventlog  *log;    /* boot log; NULL when the host gives none: boot_aggregate is not compared then */
	const struct replay    *boot;   /* values of the other PCRs; NULL: as the log gives them */
	const struct ima_rules *rules;
	const uint8_t          *key;    /* ima_key_digest() */
	struct ima_list         list;   /* as it was opened; no entry read */
	uint64_t                hint;   /* entries in the list when the quote was made, as the host says; 0: not said */
	bool                    last;   /* the host has no whole entry behind these */
	uint64_t                work;   /* IMA_WORK_MAX, or less */
};

enum ima_outcome {
	IMA_MORE,       /* no match yet: send from `next` on, under the same quote. Store the state. */
	IMA_MATCHED,    /* the composite matches and all up to there passed. Store the state. */
	IMA_REFUSED,    /* reason says why. Store the state: a bad entry must stick. */
};
struct ima_answer {
	enum ima_outcome outcome;
	enum reason      reason;        /* OK, or a warning, when it matched */
	uint64_t         next;          /* first entry to send: now when MORE, with the next quote otherwise */
	uint64_t         pending;       /* entries of this chunk behind the quote */
	uint8_t          ways[BANK_COUNT];      /* as in ima_position, when it matched */
	struct tails     tails;         /* that the boot log needed, when it matched */
	struct replay    values;        /* PCRs that gave the composite: boot log, tails and IMA; when it matched */
	uint64_t         work;          /* that was done */
};

/*
 * One step. after is a state to store, whatever the outcome; findings are added. The list may begin
 * at or before the position (what is known is skipped over unread); one that begins behind it is
 * answered with MORE and where to begin. False only if memory or libcrypto fails.
 */
bool check_ima(const struct ima_state *before, const struct ima_walk *, struct ima_state *after, struct findings *,
    struct ima_answer *, struct error *) MUST_CHECK;

/* Does the policy judge IMA at all? */
static inline bool ima_wanted(const struct ima_rules *r) { return r && r->mode != IMA_MODE_OFF; }
#endif
