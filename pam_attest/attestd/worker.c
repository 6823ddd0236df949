#include <fcntl.h>
#include "pipe.h"
#include "round.h"
#include "scope.h"
#include "tell.h"
#include "worker.h"

enum { LOCKOUT_MS = 10 * 1000 };

static void
read_lockout(struct agent *a, struct done *d)
{
	struct error e = { .code = ERR_NONE };
	enum reason why = tpm_ask_lockout(&a->tpm, clock_mono() + LOCKOUT_MS, &d->lockout, &e);

	agent_outcome(a, why, &e, 0, &d->outcome);
}

static void
run(struct agent *a, const struct job *j, struct done *d)
{
	struct outcome *o = &d->outcome;

	switch (j->kind) {
	case JOB_ATTEST: round_attest(a, NULL, o); return;
	case JOB_PASSPORT: round_attest(a, &j->whom, o); return;
	case JOB_ENROLL: enrol_start(a, &j->ask, o); return;
	case JOB_POLL:   enrol_poll(a, o); return;
	case JOB_TELL:   tell_verifier(a, j->text, j->text_len, o); return;
	case JOB_ORDERS: fetch_orders(a, &d->fetched, o); return;
	case JOB_TPM:    read_lockout(a, d); return;
	}
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct job *j;

	while ((j = pipe_take(w->thread_in))) {
		struct done *d = calloc(1, sizeof(*d));

		if (d) {
			d->kind = j->kind;
			run(&w->agent, j, d);
		}
		free(j->text);
		free(j);
		if (!d || !pipe_put(w->thread_out, d)) {
			free(d);
			break;
		}
	}
	close(w->thread_out);
	return NULL;
}

bool
worker_start(struct worker *w, struct error *e)
{
	int in[2], out[2], rc;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return err_errno(e, "pipe");
	w->thread_in = in[0];
	w->in = in[1];
	w->out = out[0];
	w->thread_out = out[1];
	rc = pthread_create(&w->thread, NULL, work, w);
	return !rc || err_set(e, ERR_SYSTEM, "thread: %s", strerror(rc));
}

bool
worker_post(struct worker *w, const struct job *j)
{
	struct job *copy = w->busy ? NULL : malloc(sizeof(*copy));

	if (!copy)
		return false;
	*copy = *j;
	w->busy = pipe_put(w->in, copy);
	if (!w->busy)
		free(copy);
	return w->busy;
}

bool
worker_take(struct worker *w, struct done *out)
{
	struct done *d = pipe_take(w->out);

	w->busy = false;
	if (!d)
		return false;
	*out = *d;
	free(d);
	return true;
}

void
worker_stop(struct worker *w)
{
	close(w->in);
	pthread_join(w->thread, NULL);
	close(w->out);
	close(w->thread_in);
	tpm_close(&w->agent.tpm);
	upstream_close(&w->agent.up);
}
