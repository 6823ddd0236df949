/*
 * outbox.h - what the verifier has to hear afterwards, until it has: state_dir/outbox.
 *
 * Decisions worth telling are gathered, uses of one kind by one user through one service as one incident with a count.
 * A batch is sealed, written to disk with the number of the newest decision in it, and sent until the verifier has
 * taken it; only then is the next one sealed. So nothing is told twice, and what was kept of decisions (diary.h) is
 * told after a restart. A batch costs one quote, and there is one in OUTBOX_SPACING_MS at most: no flood of accesses
 * becomes one of TPM commands.
 */
#ifndef OUTBOX_H
#define OUTBOX_H
#include "decisions.h"
#include "incidents.h"
#include "options.h"
#include "tally.h"

enum { OUTBOX_SPACING_MS = 60 * 1000, OUTBOX_PAUSE_MAX_MS = 3600 * 1000, OUTBOX_SETTLE_MS = 300 * 1000 };

struct outbox {
	char             path[PATH_TEXT + 32];
	struct incidents open;             /* being gathered; its modes are those of the tally when it is sealed */
	uint64_t         newest;           /* number of the newest decision that was looked at */
	bool             urgent;
	bool             sealed;           /* the batch below is on its way */
	struct incidents batch;
	uint64_t         batch_newest, told;   /* newest decision of the batch; of the last one that was taken */
	struct incidents last;             /* the modes that were told */
	int64_t          next;             /* ms of CLOCK_MONOTONIC before which nothing is sent */
	int64_t          settled;          /* and before which nothing is that is not urgent */
	unsigned         failures;         /* in a row */
	uint64_t         batches, dropped; /* taken; incidents beyond INCIDENTS_MAX that were counted with others */
};
/* False: there is a file that cannot be read. Nothing is known to have been told then: see outbox_skip(). */
bool outbox_open(struct outbox *, const char *state_dir, struct error *) MUST_CHECK;
/* One decision, of now or kept before; those told already are passed over. */
void outbox_add(struct outbox *, const struct decision *);
/* All that was added is taken as told. */
void outbox_skip(struct outbox *);
/* When urgent news may be sent: ms from now, -1: there are none. */
int outbox_wait(const struct outbox *);
/*
 * The body to send now, to free; NULL: nothing, or not yet. idle: nobody waits for the TPM or the verifier, so that news
 * that are not urgent and changed modes may go too.
 */
char *outbox_take(struct outbox *, const struct tally *, bool idle, size_t *len, struct error *);
/* What came of it. */
void outbox_sent(struct outbox *, bool taken, struct error *);
#endif
