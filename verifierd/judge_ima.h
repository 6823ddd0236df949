/*
 * judge_ima.h - the judge's part in IMA: rules that it keeps by digest, and one step of a walk.
 *
 * Rules with their allow lists are megabytes, so they come once and not with each question. A judge
 * that lacks them says so.
 */
#ifndef JUDGE_IMA_H
#define JUDGE_IMA_H
#include "check_ima.h"
#include "ipc.h"

enum { RULES_KEPT = 4 };

struct judge_rules {
	uint64_t tick;
	struct kept_rules { uint64_t used; uint8_t digest[SHA256_SIZE]; struct frame frame; struct ima_rules rules; } kept[RULES_KEPT];
};
void judge_rules_free(struct judge_rules *);
/* Takes the frame of a JUDGE_RULES: the rules point into it. */
bool judge_rules_keep(struct judge_rules *, struct frame *, struct error *) MUST_CHECK;

/* What a question has of IMA, and what comes of it. */
struct ima_case {
	struct ima_ask      ask;
	struct reader       state, list;        /* as core has them: a state of ours, and what parse said */
	struct ima_said     said;
	struct ima_state    after;              /* to be kept, unless said.step is NONE or RULES */
	struct ima_answer   answer;
	struct ima_evidence evidence;
	struct error        why;
};
/* NULL when the list is not wanted; free it. Its parts point into the question. */
bool ima_case_take(struct reader *, struct ima_case **, struct error *) MUST_CHECK;
/* Walks the list, if there is one to be walked: c->said, and evidence for appraise_boot(). */
bool ima_case_walk(struct judge_rules *, struct ima_case *, const struct quote *, enum bank scheme, const struct boot_evidence *,
    const struct host_facts *, struct findings *, struct error *) MUST_CHECK;
/* struct ima_said and the state, as an answer has them. Takes NULL. */
void ima_case_put(const struct ima_case *, struct writer *);
#endif
