/* ima_judge.h - one IMA entry after another against a policy's rules: what was found, and the words for it. */
#ifndef IMA_JUDGE_H
#define IMA_JUDGE_H
#include "check_ima.h"
#include "ima_signature.h"

enum { IMA_SHOWN_MAX = 48 };

struct ima_judge {
	const struct ima_rules *rules;
	const struct eventlog  *log;            /* NULL: boot_aggregate is not compared */
	struct hashers          hashers;
	struct ima_keys         keys;
	struct ima_found        found;          /* since the boot began */
	unsigned                nshown;         /* in this step */
	struct finding          shown[IMA_SHOWN_MAX];
};
void ima_judge_open(struct ima_judge *, const struct ima_rules *, const struct eventlog *);
void ima_judge_free(struct ima_judge *);

/* Forgets the entries since that was found. */
void ima_judge_again(struct ima_judge *, const struct ima_found *);

/* An entry and what its fields say; NULL: they cannot be read, as why says. The work that it took. */
uint64_t ima_judge_entry(struct ima_judge *, const struct ima_entry *, const struct ima_fields *, const char *why);
/* An entry that cannot be hashed; one that extends a PCR which the quote does not cover or the policy does not list. */
void ima_judge_malformed(struct ima_judge *, const struct ima_entry *, const char *why);
void ima_judge_uncovered(struct ima_judge *, const struct ima_entry *);

/* As findings: the first that refuses, the others that are shown, and how many more there are. */
void ima_judge_say(const struct ima_judge *, struct findings *);
#endif
