/* evidence_job.h - one piece of evidence on its way through core: from core_evidence.c to commit.c. */
#ifndef EVIDENCE_JOB_H
#define EVIDENCE_JOB_H
#include "core.h"

/* core_ima.c: the IMA list of this evidence, a part of it or nothing. */
struct ima_job {
	struct ima_use   use;
	bool             sent;
	struct ima_place place;
	bool             had;                   /* a list of this host has met its quote before: */
	struct ima_row   stored;                /* its position, perhaps of another boot */
	struct frame     parsed;                /* ok u8 and the rest; empty for a part without bytes */
	unsigned         taught;                /* judges that were given the rules for this job */
	/* what the judge said */
	struct ima_said  said;
	uint8_t         *state;                 /* owned */
	size_t           state_len;
};

struct evidence_job {
	struct evidence  parts;                 /* in the job's request */
	struct challenge challenge;
	enum purpose     purpose;               /* that the call has; a challenge for another is none */
	char             audience[AUDIENCE_TEXT], user[PASSPORT_USER_TEXT];     /* of a passport; else "" */
	struct host_row  host;
	struct host_facts facts;
	/* the boot log: part 4, or the one of that digest that this host sent before */
	uint8_t          log_digest[SHA256_SIZE];
	const uint8_t   *log;                   /* NULL while the memo's records of it do */
	size_t           log_len;
	uint8_t         *log_file;              /* owned; NULL unless log was read from its file */
	/* what the parse worker made of it: ok u8 and the rest */
	struct frame     from_parse;            /* owned */
	const uint8_t   *parsed;                /* in it */
	size_t           parsed_len;
	uint8_t          parser;
	bool             memo_doubted;          /* its records of this log are not to be used */
	struct ima_job   ima;
	/* what the judge said */
	bool             quote_held;
	struct quote     quote;
	uint8_t         *packed;                /* the verdict as it came; owned */
	size_t           packed_len;
	uint8_t          references_digest[SHA256_SIZE];
	/* of the policy that it is judged by */
	char             policy[NAME_TEXT];
	uint8_t          policy_digest[SHA256_SIZE];    /* as the challenge was answered for */
	int64_t          changes;               /* audit rows before anything was looked up: more of them, and it is looked up again */
	int64_t          lifetime, grace_max;
	enum gate_mode   ceiling;
	int64_t          ceiling_until;
	enum gate_mode   ceiling_then;
	/* set by commit.c */
	char             ref[REF_TEXT];
	char             jws[RESULT_MAX];
	char             passport[CODE_TEXT];   /* that was granted; else "" */
	struct result    result;
	struct verdict   verdict;               /* the last: see evidence_job_new() */
};

/* --- core_evidence.c, for who judges evidence again: what_if.c --- */
struct supposed;
void evidence_facts(struct evidence_job *);         /* of its host */
/* A question about the boot, with what is stored and what is supposed. */
bool evidence_question(struct core *, struct evidence_job *, const uint8_t *parsed, size_t, const struct supposed *, uint8_t **,
    size_t *, struct error *) MUST_CHECK;
/* A verdict from the judge. What is not one of the three words, or not earned, is no verdict. */
bool evidence_verdict(struct evidence_job *, struct reader, struct error *) MUST_CHECK;

/* The beginning, for each purpose: frame, challenge of that purpose, host. NULL: the job was answered. */
struct evidence_job *evidence_begin(struct core *, struct job *, enum purpose);
/* Asks the judge for the quote's rows alone, and what it said. */
void evidence_ask_quote(struct core *, struct job *, answer_fn *);
bool evidence_take_quote(struct evidence_job *, struct frame *, struct error *) MUST_CHECK;

/* --- core_gateways.c --- */
/* Inside the verdict's transaction, after its result: a code for it, if the verdict is a good one. */
bool passport_grant(struct core *, struct evidence_job *, int64_t now, struct error *) MUST_CHECK;

/* --- core_ima.c --- */
/* Where the list of this host would be asked for: 0 in another boot, or under another policy. */
bool ima_position(struct core *, const struct host_row *, const struct ima_use *, const char *boot_id, uint64_t *from,
    struct error *) MUST_CHECK;
/* What the store and the evidence say. False: the job was answered. */
bool ima_begin(struct core *, struct job *);
/* Is there something for parse to do? */
bool ima_unparsed(const struct evidence_job *);
/* The parts of a judge's question and answer that are about IMA. */
size_t ima_question_size(const struct evidence_job *);
void ima_question(struct core *, const struct evidence_job *, struct writer *);
bool ima_take(struct evidence_job *, struct reader *, struct error *) MUST_CHECK;
/* Gives that judge the rules. False: the job was answered. */
bool ima_teach(struct core *, struct job *);
/* The walk has not met the quote: keeps its state and asks for more, which answers the job. */
void ima_more(struct core *, struct job *);
/* The next part begins with nothing but what is stored. */
void ima_forget(struct core *, const struct evidence_job *);
/* Inside the verdict's transaction. */
bool ima_commit(struct core *, const struct evidence_job *, struct error *) MUST_CHECK;
void ima_job_free(struct ima_job *);
#endif
