/* evidence_job.h - one piece of evidence on its way through core: from core_evidence.c to commit.c. */
#ifndef EVIDENCE_JOB_H
#define EVIDENCE_JOB_H
#include "core.h"

struct evidence_job {
	struct evidence  parts;                 /* in the job's request */
	struct challenge challenge;
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
	/* what the judge said */
	bool             quote_held;
	struct quote     quote;
	uint8_t         *packed;                /* the verdict as it came; owned */
	size_t           packed_len;
	uint8_t          references_digest[SHA256_SIZE];
	/* of the policy that it is judged by */
	char             policy[NAME_TEXT];
	int64_t          lifetime, grace_max;
	enum gate_mode   ceiling;
	int64_t          ceiling_until;
	/* set by commit.c */
	char             ref[REF_TEXT];
	char             jws[RESULT_MAX];
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
#endif
