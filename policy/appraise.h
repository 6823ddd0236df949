/*
 * appraise.h - (evidence, host record, references, policy, now) -> verdict. Pure.
 *
 * A verdict starts as not trusted; every row of a table must hold. Appraisal has two halves with
 * one table each, because no log is touched before the quote's rows hold: appraise_quote() in the
 * judge before parse has run, appraise_boot() after. A verdict is good only if both are.
 *
 * Read this second (ARCHITECTURE section 3).
 */
#ifndef APPRAISE_H
#define APPRAISE_H
#include "challenge.h"
#include "evidence.h"
#include "finding.h"
#include "policy.h"
#include "reference.h"

enum { EK_SUBJECT_TEXT = 200 };

/* What evidence a host can give of its boot, as an approver has said. It is moot once a log of it has replayed. */
#define EVIDENCE_CLASSES(X) \
	X(LOG,        "log") \
	X(NO_LOG,     "no-log")             /* its firmware or boot loader keeps none */ \
	X(NO_REPLAY,  "does-not-replay")    /* something extends PCRs and does not log it */
enum evidence_class {
#define X(name, word) CLASS_##name,
	EVIDENCE_CLASSES(X)
#undef X
	CLASS_COUNT
};
const char *evidence_class_word(enum evidence_class);

/* What the store knows of the host whose AK the challenge names. */
struct host_facts {
	bool            known, active, revoked;
	uint8_t         spki[TPM_PUBLIC_MAX];
	size_t          spki_len;
	struct tpm_name signer;                 /* qualified name expected in every quote */
	/* the last accepted quote of this AK; seen is false before the first */
	bool            seen;
	char            last_boot_id[BOOT_ID_TEXT];
	uint32_t        last_reset, last_restart;
	uint64_t        last_clock;
	bool            gave_log;               /* a log of this host has replayed before */
	enum evidence_class class;
	char            ek_subject[EK_SUBJECT_TEXT];   /* of the EK certificate: maker, model, version */
	bool            gave_ima;               /* and an IMA list has met its quote */
};

/* What the verifier asked for. */
struct expectation {
	uint8_t          extra[SHA256_SIZE];    /* context_digest() */
	struct selection selection;
	char             boot_id[BOOT_ID_TEXT];
};

/* What the replay says of the judged bank's PCRs, each a bit: nothing when it could not be told. */
struct replayed_pcrs {
	enum bank bank;
	uint32_t  verified;             /* the log gives the quoted value */
	uint32_t  mismatch;             /* it gives another */
	uint32_t  not_logged;           /* quoted, and the log has nothing for it */
};

struct verdict {
	enum state      state;                  /* starts CONTRAINDICATED/POLICY_FAILED: never by default good */
	enum reason     reason;                 /* the main one */
	struct findings findings;
	int8_t          claim[CLAIM_COUNT];
	bool            replayed;               /* quote and log agree: may be captured */
	uint16_t        values_len;             /* the PCR values that came beside, where they are those that were quoted */
	uint8_t         values[PCR_COUNT * DIGEST_MAX];
	struct replayed_pcrs pcrs;
	char            references[REFERENCES_TEXT];  /* sets that matched */
	char            nearest[NAME_TEXT];     /* the closest known set, when refused */
	unsigned        differs;                /* events that differ from it */
};

/*
 * Rows in PROTOCOL's order: sizes, magic, type, AK known and active, signature, signer, context,
 * selection, counters. Stops at the first that fails. quote is filled as far as it was read.
 * key is the decoded spki (cached by the judge); NULL fails the signature row.
 */
bool appraise_quote(const void *attest, size_t attest_len, const void *signature, size_t signature_len,
    const struct host_facts *, struct verify_key *key, const struct expectation *, struct quote *,
    struct verdict *);

/* What came of the IMA list. A walk that has not met the quote yet is no evidence: more is asked for first. */
struct ima_answer;                              /* check_ima.h */
struct ima_evidence {
	bool                     sent;
	const char              *error;         /* it could not be read: why; else NULL */
	const struct ima_answer *answer;        /* of check_ima(), when it was sent and read */
	bool                     by_values;     /* which went by PCR values, values_as_boot(), and says nothing of the log */
};

/* What the parse worker made of the log. */
struct boot_evidence {
	bool                   log_sent;        /* a log part (or a known log) was there at all */
	size_t                 log_len;
	const struct eventlog *log;             /* NULL when it could not be read */
	const char            *log_error;       /* then: why */
	struct part            pcr_values;      /* as the host gave them, in the order of the quoted selection */
	const struct ima_evidence *ima;         /* NULL: the policy does not judge it */
	bool                   replayed;        /* this log gave this quote when it came, with an IMA list or not: it is judged again */
};

/*
 * Log there, log readable, replays to the quote (with the known constant tails of PCR 11, and with the
 * IMA list when the policy judges it), then references by component and the policy's rules, all of
 * them: a rule that does not hold beats a reference that does; then the files that IMA measured. The
 * quote's rows must have held. A warning from appraise_quote (kexec) stays in the verdict. No policy
 * refuses everything.
 */
void appraise_boot(const struct boot_evidence *, const struct quote *, enum bank scheme,
    const struct host_facts *, const struct policy *, const struct known_set *sets, unsigned nsets, struct verdict *);

/*
 * A host without a log that can be used, judged by the values of PCR 0, 2 and 7 or of 0 and 2 alone, as the policy says,
 * against sets of raw values. why is what is wrong with its log. Called by appraise_boot().
 */
void appraise_values(const struct boot_evidence *, const struct quote *, enum bank scheme,
    const struct host_facts *, const struct policy *, const struct known_set *sets, unsigned nsets, enum reason why, struct verdict *);

/* Fills nearest, differs and the findings of the event-level diff. Also `references diff`. */
void diff_log(const struct eventlog *, enum bank, uint32_t pcrs, const struct known_set *, struct verdict *);
void diff_sets(const struct reference_set *from, const struct reference_set *to, struct findings *);

void verdict_pack(const struct verdict *, struct writer *);
bool verdict_unpack(struct reader *, struct verdict *, struct error *) MUST_CHECK;
#endif
