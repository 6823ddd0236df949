/*
 * leases.h - what an administrator lets people in by: orders as they came, and one recovery code. The loop's own.
 *
 * What is in force is in run_dir/lease, which gates read (attest-lease(5)), and in state_dir/leases for a restart in the same
 * boot. A reboot ends a code; what was ordered is ordered again.
 */
#ifndef LEASES_H
#define LEASES_H
#include "json.h"
#include "lease.h"
#include "options.h"
#include "orders.h"
#include "recovery.h"

struct book {
	const struct options *opt;
	struct leases   all;               /* in force; count may be 0 */
	char            code[REF_TEXT];    /* id of the one that a code gave; "": none */
	uint32_t        sequence;          /* of that code */
	bool            unwritten;         /* one of the files says something else: to be tried again */
};

/* At start: what of this boot is still in force, and no file where nothing is. */
bool book_open(struct book *, const struct options *, const char *boot_id, struct error *) MUST_CHECK;

/* What the verifier orders now, of a question that was asked then: what it does not name any more has ended. *changed: say so. */
bool book_order(struct book *, const struct orders *, const struct clock *asked, bool *changed, struct error *) MUST_CHECK;
/* In the place of an older code's. */
bool book_code(struct book *, const struct recovery *, const struct clock *now, struct error *) MUST_CHECK;
/* Nothing is in force any more. */
void book_void(struct book *);
/* Drops what has run out; ms until the next does, -1 if there is none. */
int  book_expire(struct book *, const struct clock *now);

/* The list "lease" of `attestctl status --json`. */
struct json *book_json(const struct book *, const struct clock *now);
/* Does one let anybody in at this moment, who is not refused, or is refused? */
bool book_counts(const struct book *, const struct clock *now, bool refused);
#endif
