#include <stdio.h>
#include <string.h>
#include "conf.h"
#include "gate_ask.h"

static bool
take_field(void *arg, const char *key, const char *value, struct error *e)
{
	struct reply *r = arg;

	if (!strcmp(key, "ok"))
		return conf_yes_no(value, &r->ok, e);
	if (!strcmp(key, "state"))
		r->has_state = state_find(value, &r->state);
	if (!strcmp(key, "reason"))
		r->has_reason = reason_find(value, &r->reason);
	if (!strcmp(key, "error"))
		snprintf(r->error, sizeof(r->error), "%s", value);
	if (!strcmp(key, "peer"))
		snprintf(r->peer, sizeof(r->peer), "%s", value);
	if (!strcmp(key, "ref") && value[0] && !ref_read(value, r->ref))
		return err_set(e, ERR_FORMAT, "ref: not a reference");
	return true;
}

static enum reason
no_answer(const struct error *e)
{
	switch (e->code) {
	case ERR_TIMEOUT: return REASON_ATTESTD_TIMEOUT;
	case ERR_LIMIT:
	case ERR_FORMAT:  return REASON_INTERNAL_ERROR;
	default:          return REASON_ATTESTD_DOWN;
	}
}

void
gate_ask_open(const struct facts *f, const char *verb, struct local_out *ask)
{
	const struct gate_request *q = f->request;
	int left = clock_left(f->deadline);

	local_open(ask);
	local_put(ask, "verb", verb);
	/* A little less than we have, so that attestd's own word for the delay still arrives. */
	local_put_number(ask, "wait_ms", left > 400 ? left - 200 : left / 2);
	local_put(ask, "service", f->conf->service);
	local_put(ask, "user", q->user);
	local_put(ask, "rhost", q->rhost);
	if (f->conf->max_age)
		local_put_number(ask, "max_age", f->conf->max_age / 1000);
}

enum reason
gate_ask(struct facts *f, struct local_out *ask, struct reply *r)
{
	char path[GATE_PATH_MAX + 16];
	struct local_answer answer;
	struct error e = { 0 };

	*r = (struct reply){ 0 };
	snprintf(path, sizeof(path), "%s/gate.sock", f->conf->run_dir);
	if (!local_end(ask, &e) || !local_exchange(path, f->owner, ask, f->deadline, &answer, NULL, &e) ||
	    !local_walk(answer.buf, answer.head, take_field, r, &e)) {
		f->detail = e;
		return no_answer(&e);
	}
	if (!r->has_state || !r->has_reason || reason_state(r->reason) != r->state) {
		err_set(&f->detail, ERR_REFUSED, "attestd: %s", r->error[0] ? r->error : "no state that fits its reason");
		return REASON_INTERNAL_ERROR;
	}
	/* A permit that attestd itself takes back is none. */
	if (!r->ok && (r->state == STATE_AFFIRMING || r->state == STATE_WARNING))
		return REASON_INTERNAL_ERROR;
	return r->reason;
}
