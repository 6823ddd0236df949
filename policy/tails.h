/*
 * tails.h - what a log says of each quoted PCR, with what is known to be measured behind its end.
 *
 * Some measurements are constants that no log, or only part of it, records: the firmware's words at
 * ExitBootServices, the boot phases of systemd 252, Windows' cap on a bank that it does not use
 * (FACTS 4.12, 6.2). A replay that does not give the quoted value is tried again with each of them.
 * They are constants, so an attacker who is given them gains nothing; the verdict says which one
 * was needed.
 */
#ifndef TAILS_H
#define TAILS_H
#include "eventlog.h"

enum { TAIL_EXTENDS_MAX = 4 };

struct tail {
	uint8_t     pcr;
	const char *extends[TAIL_EXTENDS_MAX];  /* strings that are hashed and extended; NULL ends them */
	const char *words;                      /* "PCR 5 also holds …": what stands for the dots */
	unsigned    from;                       /* boot phases that the log must have recorded before */
};

/*
 * Which boot phase does this event of systemd's log measure into PCR 11? 1 is the first, 0 none of them. By its
 * digests, not its words.
 */
unsigned tails_phase(const struct event *);

/* The tails that a quote needs beside the log. Zeroed: none. */
struct tails {
	const struct tail *exit_boot;           /* PCR 5 */
	const struct tail *phases;              /* PCR 11 */
	uint8_t            capped;              /* bit = bank that was capped with zeros */
};

/* Every set of tails that may be missing from the log and would change what this selection covers, the fewest first. */
enum { TAILS_SETS_MAX = 132 };
unsigned tails_sets(const struct replay *, const struct selection *, struct tails out[static TAILS_SETS_MAX]);
/* What the PCRs hold with them. False only if libcrypto fails. */
bool tails_apply(struct replay *, const struct tails *) MUST_CHECK;

/*
 * Does the log, with some of the tails, give the quoted digest? The fewest tails come first. ERR_MISMATCH
 * when none of them does; other errors as replay_digest().
 */
bool tails_find(const struct replay *, const struct selection *, enum bank scheme, const uint8_t *pcr_digest,
    size_t len, struct tails *, struct error *) MUST_CHECK;

/* PCR values from beside a quote; there: bit = PCR. */
struct pcr_values {
	uint32_t there[BANK_COUNT];
	uint8_t  value[BANK_COUNT][PCR_COUNT][DIGEST_MAX];
};

/*
 * The values behind each other in the order of the selection, as a TPM hashes them. Only what hashes
 * to the quoted digest is taken: ERR_MISMATCH, or ERR_FORMAT when the length is wrong.
 */
bool pcr_values_read(const void *p, size_t len, const struct selection *, enum bank scheme, const uint8_t *pcr_digest,
    size_t digest_len, struct pcr_values *, struct error *) MUST_CHECK;

#define PCR_STATES(X) \
	X(NOT_QUOTED, "not-quoted") \
	X(NOT_LOGGED, "not-logged")     /* quoted, and the log has nothing for it */ \
	X(VERIFIED,   "verified")       /* the log gives the quoted value, if need be with a tail */ \
	X(MISMATCH,   "mismatch")
enum pcr_state {
#define X(name, word) PCR_##name,
	PCR_STATES(X)
#undef X
	PCR_STATE_COUNT
};
const char *pcr_state_word(enum pcr_state);

struct replay_states {
	enum pcr_state state[BANK_COUNT][PCR_COUNT];
	uint32_t       differs[BANK_COUNT];     /* bit = PCR with another value than the log gives, logged or not */
	struct tails   tails;
};
/* What holds when tails_find() was true. */
void replay_states_held(const struct replay *, const struct selection *, struct replay_states *);
/* PCR by PCR. A tail is taken where it gives the value. False only if libcrypto fails. */
bool replay_states_compare(const struct replay *, const struct pcr_values *, struct replay_states *, struct error *) MUST_CHECK;
#endif
