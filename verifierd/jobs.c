#include <stdarg.h>
#include "core.h"
#include "json.h"
#include "log.h"
#include "scope.h"

struct job *
job_new(struct core *c, struct channel *asker, struct frame *request)
{
	struct job *j = NULL;

	for (unsigned i = 0; i < JOBS_MAX && c->jobs < JOBS_MAX; i++)
		if (!c->job[(c->serial + i) % JOBS_MAX].id) {
			j = &c->job[(c->serial + i) % JOBS_MAX];
			break;
		}
	if (!j)
		return NULL;
	*j = (struct job){ .id = ++c->serial, .asker = asker, .asker_job = request->job, .request = *request,
	    .deadline = clock_mono() + REQUEST_MS, .older = c->newest };
	*request = (struct frame){ .peer_fd = -1 };
	if (c->newest)
		c->newest->newer = j;
	else
		c->oldest = j;
	c->newest = j;
	c->jobs++;
	return j;
}

void
job_end(struct core *c, struct job *j)
{
	worker_forget(c, j);
	commit_forget(c, j);
	*(j->older ? &j->older->newer : &c->oldest) = j->newer;
	*(j->newer ? &j->newer->older : &c->newest) = j->older;
	c->jobs--;
	if (j->drop_state)
		j->drop_state(j->state);
	free(j->payload);
	frame_free(&j->request);
	*j = (struct job){ .id = 0 };
}

void
job_reply(struct core *c, struct job *j, int status, const char *body, size_t len)
{
	enum message type = j->asker && j->asker->role == ROLE_ADMIN ? MSG_REPLY_ADMIN : MSG_REPLY_HOST;
	size_t size = 2 + len;
	own(mem) uint8_t *payload = NULL;
	struct writer w;

	if (!j->asker) {
		job_end(c, j);
		return;
	}
	if (size > message_max(type)) {
		job_problem(c, j, 503, REASON_VERIFIER_ERROR, "the answer is too large");
		return;
	}
	payload = malloc(size);
	if (payload) {
		w = wr_open(payload, size);
		wr_be16(&w, (uint16_t)status, "status");
		wr_bytes(&w, body, len, "body");
		channel_send(c, j->asker, type, j->asker_job, payload, size);
	}
	job_end(c, j);
}

static void
send_problem(struct core *c, struct job *j, const struct problem *p)
{
	struct error e = { .code = ERR_NONE };
	own(mem) char *text = NULL;
	size_t len = 0;

	if (problem_json(p, &text, &len, &e)) {
		job_reply(c, j, p->status, text, len);
		return;
	}
	log_say(LOG_ERR, "problem: %s", e.why);
	job_reply(c, j, 503, "{}", 2);
}

void
job_problem(struct core *c, struct job *j, int status, enum reason reason, const char *fmt, ...)
{
	struct problem p = { .status = status, .reason = reason };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p.detail, sizeof(p.detail), fmt, ap);
	va_end(ap);
	send_problem(c, j, &p);
}

void
job_need_log(struct core *c, struct job *j)
{
	struct problem p = { .status = 409, .reason = REASON_NEEDS_BOOT_LOG, .need = "boot_log" };

	send_problem(c, j, &p);
}

void
job_need_pcrs(struct core *c, struct job *j)
{
	struct problem p = { .status = 409, .reason = REASON_NEEDS_PCRS, .need = "pcrs" };

	send_problem(c, j, &p);
}

void
job_need_ima(struct core *c, struct job *j, uint64_t from)
{
	struct problem p = { .status = 409, .reason = REASON_NEEDS_IMA, .need = "ima", .from = from };

	send_problem(c, j, &p);
}

void
job_error(struct core *c, struct job *j, const struct error *e)
{
	log_say(LOG_ERR, "%s: %s", message_name(j->request.type), e->why);
	job_problem(c, j, 503, REASON_VERIFIER_ERROR, "%s", err_name(e->code));
}

void
job_reply_json(struct core *c, struct job *j, int status, struct json *tree)
{
	struct error e = { .code = ERR_NONE };
	own(mem) char *text = NULL;
	size_t len = 0;
	bool good = json_print(tree, false, &text, &len, &e);

	json_free(tree);
	if (good)
		job_reply(c, j, status, text, len);
	else
		job_error(c, j, &e);
}

void
jobs_expire(struct core *c, int64_t now)
{
	while (c->oldest && c->oldest->deadline <= now) {
		struct job *j = c->oldest;

		log_say(LOG_WARNING, "%s: no answer in %d s", message_name(j->request.type), REQUEST_MS / 1000);
		if (j->worker)
			worker_kill(c, j->worker, "hangs");         /* ends the job: its answer is lost */
		if (c->oldest == j)
			job_problem(c, j, 503, REASON_VERIFIER_ERROR, "no answer in time");
	}
}

int64_t
jobs_deadline(const struct core *c)
{
	return c->oldest ? c->oldest->deadline : INT64_MAX;
}
