#include "core.h"
#include "log.h"
#include "scope.h"

static void
enqueue(struct queue *q, struct job *j)
{
	j->next_waiting = NULL;
	if (!q->first)
		q->last = &q->first;
	*q->last = j;
	q->last = &j->next_waiting;
}

static void
unqueue(struct queue *q, const struct job *j)
{
	struct job **at = &q->first;

	while (*at && *at != j)
		at = &(*at)->next_waiting;
	if (!*at)
		return;
	*at = j->next_waiting;
	if (!*at)
		q->last = at;
}

static struct channel *
idle(struct core *c, enum role role)
{
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		if (c->channel[i].fd >= 0 && c->channel[i].role == role && !c->channel[i].busy)
			return &c->channel[i];
	return NULL;
}

bool
workers_busy(const struct core *c, enum role role)
{
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		if (c->channel[i].fd >= 0 && c->channel[i].role == role && c->channel[i].busy)
			return true;
	return false;
}

void
workers_feed(struct core *c, enum role role)
{
	struct queue *q = &c->waiting[role];
	struct channel *w;

	while (q->first && (w = idle(c, role))) {
		struct job *j = q->first;
		own(mem) uint8_t *payload = give(j->payload);

		unqueue(q, j);
		j->worker = w;
		w->busy = j;
		w->wanted = j->answer;
		channel_send(c, w, j->question, j->id, payload ? payload : j->lent, j->payload_len);
	}
}

static void
ask(struct core *c, struct job *j, enum role role, enum message question, enum message answer, answer_fn *then)
{
	j->wants = role;
	j->question = question;
	j->answer = answer;
	j->then = then;
	if (j->payload_len > message_max(question)) {
		log_say(LOG_WARNING, "%s of %zu bytes: over %zu", message_name(question), j->payload_len, message_max(question));
		free(give(j->payload));         /* the job may ask again */
		j->then = NULL;
		then(c, j, NULL);
		return;
	}
	enqueue(&c->waiting[role], j);
	workers_feed(c, role);
}

void
worker_ask(struct core *c, struct job *j, enum role role, enum message question, enum message answer, uint8_t *payload,
    size_t len, answer_fn *then)
{
	j->payload = payload;
	j->lent = NULL;
	j->payload_len = len;
	ask(c, j, role, question, answer, then);
}

void
worker_lend(struct core *c, struct job *j, enum role role, enum message question, enum message answer,
    const uint8_t *payload, size_t len, answer_fn *then)
{
	j->payload = NULL;
	j->lent = payload;
	j->payload_len = len;
	ask(c, j, role, question, answer, then);
}

static void
finish(struct core *c, struct job *j, struct frame *answer)
{
	answer_fn *then = j->then;

	j->worker = NULL;
	j->then = NULL;
	then(c, j, answer);
}

void
worker_answer(struct core *c, struct channel *w, struct frame *f)
{
	struct job *j = w->busy;

	if (!j || f->job != j->id || f->type != w->wanted) {
		worker_kill(c, w, "answered what nobody asked");
		return;
	}
	w->busy = NULL;
	if (w->retire || (w->role == ROLE_PARSE && ++w->served >= PARSE_RENEW))
		channel_lost(c, w, "renewed");
	j->by = w->index;
	finish(c, j, f);
	workers_feed(c, ROLE_PARSE);
	workers_feed(c, ROLE_JUDGE);
}

void
worker_lost(struct core *c, struct channel *w)
{
	struct job *j = w->busy;

	w->busy = NULL;
	if (j)
		finish(c, j, NULL);
}

void
worker_forget(struct core *c, struct job *j)
{
	struct channel *w = j->worker;

	unqueue(&c->waiting[j->wants], j);
	if (!w)
		return;
	/* It may still answer, for nobody by then. A worker has one question at a time, so it goes. */
	w->busy = NULL;
	j->worker = NULL;
	worker_kill(c, w, "its job ended first");
}

void
worker_retire(struct core *c, enum role role, uint8_t index)
{
	struct channel *w = channel_find(c, role, index);

	if (!w)
		return;
	w->retire = true;
	if (!w->busy)
		channel_lost(c, w, "renewed");
}

void
worker_kill(struct core *c, struct channel *w, const char *why)
{
	uint8_t which[6];
	struct writer wr = wr_open(which, sizeof(which));

	if (w->fd < 0)
		return;
	wr_u8(&wr, (uint8_t)w->role, "role");
	wr_u8(&wr, w->index, "index");
	wr_be32(&wr, w->generation, "generation");
	channel_send(c, &c->main, MSG_RENEW, 0, which, wr.used);
	channel_lost(c, w, why);
}
