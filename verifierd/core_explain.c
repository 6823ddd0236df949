/* explain: a report in words, and what its boot log says the machine did. */
#include "core.h"
#include "json.h"
#include "logs.h"
#include "parts.h"
#include "scope.h"

/* facts: {"facts":{...}}, or NULL: no log that replayed is kept, or it cannot be read any more. */
static void
reply(struct core *c, struct job *j, const struct json *facts)
{
	struct admin_job *a = admin_of(j);
	struct json *answer = answer_new(a);
	const struct json *of = NULL;
	struct error e;

	if (!explain_report(&a->report, a->host.name, answer, &e)) {
		json_free(answer);
		job_error(c, j, &e);
		return;
	}
	if (facts && json_sub(facts, "facts", &of, &e))
		json_put_copy(answer, "facts", of);
	else
		json_put_null(answer, "facts");
	job_reply_json(c, j, 200, answer);
}

static void
facts_known(struct core *c, struct job *j, struct frame *f)
{
	own(json) struct json *facts = NULL;
	struct error e;

	if (f && rd_u8(&f->payload, "ok") == 1 && json_parse((const char *)f->payload.pos, f->payload.left, &facts, &e))
		reply(c, j, facts);
	else
		reply(c, j, NULL);
}

/* bank, pcrs, parsed log */
static void
log_parsed(struct core *c, struct job *j, struct frame *f)
{
	struct admin_job *a = admin_of(j);
	size_t size = 16 + (f ? f->payload.left : 0);
	uint8_t *payload = f && f->payload.left ? malloc(size) : NULL;
	struct writer w = wr_open(payload, payload ? size : 0);

	if (!payload) {
		reply(c, j, NULL);
		return;
	}
	wr_u8(&w, (uint8_t)a->report.bank, "bank");
	wr_be32(&w, a->report.pcrs, "pcrs");
	part_put(&w, f->payload.pos, f->payload.left, "log");
	worker_ask(c, j, ROLE_JUDGE, MSG_JUDGE_FACTS, MSG_SHOWN, payload, w.used, facts_known);
}

void
admin_explain(struct core *c, struct job *j)
{
	struct admin_job *a = admin_of(j);
	uint8_t *log = NULL;
	struct error e;
	size_t len = 0;

	if (!admin_report(c, a->ask.report, &a->report, &e) || !store_host_by_id(c->store, a->report.host_id, &a->host, &e)) {
		admin_failed(c, j, &e);
		return;
	}
	if (a->report.replayed && a->report.has_log && logs_load(c->options.state_dir, a->report.log, &log, &len, &e))
		worker_ask(c, j, ROLE_PARSE, MSG_PARSE_LOG, MSG_PARSED_LOG, log, len, log_parsed);
	else
		reply(c, j, NULL);
}
