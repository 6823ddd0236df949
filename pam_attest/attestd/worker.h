/*
 * worker.h - the one thread that talks to TPM and verifier, so that the loop never waits.
 *
 * Jobs go in and outcomes come out through pipes; a struct belongs to one side at a time, and
 * nothing else is shared. One job at a time: whoever asks while one is under way joins it.
 */
#ifndef WORKER_H
#define WORKER_H
#include <pthread.h>
#include "enrol.h"
#include "fetch_orders.h"

enum job_kind { JOB_ATTEST, JOB_PASSPORT, JOB_ENROLL, JOB_POLL, JOB_TELL, JOB_ORDERS, JOB_TPM };
struct job {
	enum job_kind    kind;
	struct enrol_ask ask;
	struct whom      whom;             /* of JOB_PASSPORT */
	char            *text;             /* of JOB_TELL; the worker's once the job is posted */
	size_t           text_len;
};
struct done {
	enum job_kind  kind;
	struct outcome outcome;            /* of JOB_TPM: only how it went, and how many commands it took */
	struct fetched fetched;            /* of JOB_ORDERS */
	struct lockout lockout;            /* of JOB_TPM */
};

struct worker {
	struct agent agent;                /* the thread's after worker_start */
	pthread_t    thread;
	int          in, out;              /* the loop's ends: jobs are written, outcomes read */
	int          thread_in, thread_out;
	bool         busy;
};
bool worker_start(struct worker *, struct error *) MUST_CHECK;
/* False when one is under way. */
bool worker_post(struct worker *, const struct job *);
/* What has come out; false when nothing has. */
bool worker_take(struct worker *, struct done *);
/* Ends the thread after the job under way. */
void worker_stop(struct worker *);
#endif
