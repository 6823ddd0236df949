/*
 * what_if.h - what a change would make of the hosts that it reaches, before it is made.
 *
 * The newest evidence of each host is judged again, as if the change were there: its quote's rows held
 * when it came, its log is read again. Who has no such evidence, or would be asked for other PCRs, or
 * is one of more than there is time for, is counted as unknown. POLICY section 2: a change that turns more than a share of a group from good to
 * refused is held until somebody confirms the very number of hosts.
 */
#ifndef WHAT_IF_H
#define WHAT_IF_H
#include "core.h"

/* What is supposed beside what is stored; what is NULL or "" is as it stands. */
struct supposed {
	const uint8_t *policy;              /* packed; of all hosts in question */
	size_t         policy_len;
	char           group[GROUP_TEXT];   /* the host's */
	char           set[LABEL_TEXT];     /* this set is in that state */
	enum set_state state;
	uint32_t       revoked;             /* then: components of it that are, 0 for all of it */
};

/*
 * Judges the active hosts for which `of` says so, one after the other, then calls `then`. The job's
 * admin_job has the outcome until it ends. policy must live as long.
 */
typedef bool host_wanted(const struct admin_job *, const struct host_row *);
void what_if(struct core *, struct job *, const struct supposed *, host_wanted *of, void (*then)(struct core *, struct job *));
void what_if_free(struct what_if *);

/* "changes", "judged", "unknown", "turned", "held" into an answer. */
void what_if_put(const struct core *, const struct admin_job *, struct json *answer);
/* ERR_REFUSED when it is held and not confirmed. */
bool what_if_allows(const struct core *, const struct admin_job *, struct error *) MUST_CHECK;
#endif
