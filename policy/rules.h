/*
 * rules.h - a policy's rules on one boot that replayed to its quote: each is judged, each says what it found.
 *
 * They permit on facts alone that a digest binds. What only the log says can but lower trust.
 */
#ifndef RULES_H
#define RULES_H
#include "appraise.h"

struct rules_case {
	const struct policy     *policy;
	const struct eventlog   *log;
	const struct quote      *quote;
	const struct host_facts *host;
	enum bank                bank;
	uint32_t                 pcrs;          /* that were quoted in it */
	const struct pcr_values *values;        /* where there is no log */
};

/* Adds a finding for each breach and moves its claim. True if there is none, else *reason is the main one. */
bool rules_judge(const struct rules_case *, struct verdict *, enum reason *);

/* The same of the rules that need no log: on the TPM, and on values of PCRs, which the host gave beside. */
bool rules_judge_unlogged(const struct rules_case *, struct verdict *, enum reason *);

/* Is this the reason of a rule? Then no reference can make it good. */
bool rules_reason(enum reason);
#endif
