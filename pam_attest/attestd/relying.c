#include <fcntl.h>
#include "clock.h"
#include "enrol.h"
#include "file.h"
#include "pipe.h"
#include "relying.h"
#include "scope.h"
#include "state.h"

bool
relying_token(struct relying *r, const char *path, struct error *e)
{
	own(mem) uint8_t *text = NULL;
	size_t len, n;

	r->token[0] = '\0';
	if (!path[0])
		return true;
	if (!file_load(path, 2 * TOKEN_TEXT, &text, &len, e))
		return false;
	n = strcspn((const char *)text, " \t\r\n");
	if (!n || n >= TOKEN_TEXT || n > len)
		return err_set(e, ERR_CONFIG, "%s: no token", path);
	memcpy(r->token, text, n);
	r->token[n] = '\0';
	explicit_bzero(text, len);
	return true;
}

/* Whose word counts: a host's verifier is that of its enrollment, another gateway's the one that it pinned. */
struct standing {
	struct identity id;
	bool            pinned;
};

static bool
load_standing(const char *state_dir, struct standing *s, struct error *e)
{
	if (!state_load(state_dir, &s->id, e))
		return false;
	s->pinned = s->id.active;
	return s->id.active || gateway_load(state_dir, &s->id, &s->pinned, e);
}

/*
 * The keys that came beside the answer, if the root that is pinned signed them; the first root that we see is. A host's
 * identity is the other thread's to write: there they count for this answer.
 */
static bool
learn_keys(const char *state_dir, struct standing *s, const struct told_result *t, struct error *e)
{
	if (s->id.active)
		return keyset_verify(t->keyset, strlen(t->keyset), &s->id.root, s->id.keys.serial, &s->id.keys, e);
	if (!s->pinned)
		s->id.root = t->root;
	return gateway_save(state_dir, t->keyset, &s->id, e);
}

static bool
verified(const struct relying_ask *q, const struct standing *s, const struct told_result *t, struct result *res, struct error *e)
{
	size_t len = strlen(t->result);

	/* It was asked for just now; whether it still counts is asked below, where the clock may be wrong by some minutes. */
	if (q->redeem)
		return passport_verify(t->result, len, &s->id.keys, RESULT_BY_NONCE, q->audience, q->user, res, e);
	return result_verify(t->result, len, &s->id.keys, RESULT_BY_NONCE, res, e) && (!strcmp(res->host, q->peer) ||
	    err_set(e, ERR_MISMATCH, "the result is about %.60s", res->host));
}

/* What a result that is signed and about the right machine is worth now. A refusal counts until there is a newer one. */
static enum reason
worth(const struct relying_ask *q, const struct result *res, int64_t now, struct error *e)
{
	if (res->state == STATE_CONTRAINDICATED)
		return res->reason[0];
	if (res->issued_wall > now + RESULT_SKEW_MS)
		return err_set(e, ERR_MISMATCH, "the result is of a time to come: compare clocks"), REASON_RESULT_INVALID;
	if (now >= res->expires_wall || (q->max_age && now - res->issued_wall > q->max_age))
		return q->redeem ? REASON_PASSPORT_INVALID : REASON_PEER_STALE;
	return reason_state(res->reason[0]) == res->state ? res->reason[0] : REASON_RESULT_INVALID;
}

/* Signed by a key that is known, or by one that came with the answer and leads to the root. */
static bool
believe(const char *state_dir, const struct relying_ask *q, const struct told_result *t, struct result *res, struct error *e)
{
	own(mem) struct standing *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, ERR_MEMORY, "result");
	if (!load_standing(state_dir, s, e))
		return false;
	return (s->pinned && verified(q, s, t, res, e)) || (learn_keys(state_dir, s, t, e) && verified(q, s, t, res, e));
}

enum reason
relying_read(const char *state_dir, const struct relying_ask *q, const char *body, size_t len, struct relying_said *out,
    struct error *e)
{
	own(mem) struct told_result *t = calloc(1, sizeof(*t));
	struct result res;

	if (!t)
		return err_set(e, ERR_MEMORY, "result"), REASON_INTERNAL_ERROR;
	if (!told_result_read(body, len, t, e) || !believe(state_dir, q, t, &res, e))
		return REASON_RESULT_INVALID;
	e->code = ERR_NONE;             /* of the files that were not there, say */
	strcpy(out->ref, res.ref);
	strcpy(out->peer, res.host);
	return worth(q, &res, clock_now().wall, e);
}

/* A 4xx in words about the machine that is asked about. Without a signature nothing is good. */
static enum reason
refusal(enum reason why)
{
	switch (why) {
	case REASON_NOT_ATTESTED:  return REASON_PEER_STALE;
	case REASON_TOKEN_INVALID: return REASON_NOT_GATEWAY;
	default:
		return reason_state(why) == STATE_AFFIRMING || reason_state(why) == STATE_WARNING ? REASON_RESULT_INVALID : why;
	}
}

static enum reason
ask(struct relying *r, const struct relying_ask *q, const char *token, struct answer *got, struct error *e)
{
	struct redemption redemption;
	struct problem problem = { 0 };
	own(mem) char *body = NULL;
	char path[32 + NAME_TEXT];
	enum reason why;
	size_t len = 0;

	if (!q->redeem) {
		snprintf(path, sizeof(path), "/v1/results/%s", q->peer);
		why = upstream_ask(&r->up, &(struct request){ .path = path, .bearer = token }, q->deadline, got, &problem, e);
		return why == REASON_OK ? why : refusal(why);
	}
	memcpy(redemption.code, q->code, sizeof(redemption.code));
	memcpy(redemption.audience, q->audience, sizeof(redemption.audience));
	memcpy(redemption.user, q->user, sizeof(redemption.user));
	if (!redemption_json(&redemption, &body, &len, e))
		return REASON_INTERNAL_ERROR;
	why = upstream_ask(&r->up, &(struct request){ .path = "/v1/passports/redemptions", .type = "application/json",
	    .body = body, .len = len, .bearer = token }, q->deadline, got, &problem, e);
	return why == REASON_OK ? why : refusal(why);
}

/* What can be no name, code, audience or user of the verifier's is not sent to it. */
static enum reason
sensible(const struct relying_ask *q, struct error *e)
{
	char code[CODE_TEXT];

	if (!q->redeem)
		return audience_ok(q->peer) ? REASON_OK : (err_set(e, ERR_FORMAT, "no host can have this name"), REASON_PEER_UNKNOWN);
	if (!audience_ok(q->audience) || !passport_user_ok(q->user))
		return err_set(e, ERR_FORMAT, "audience or user: not one that can be"), REASON_PASSPORT_INVALID;
	return code_read(q->code, code) ? REASON_OK : REASON_PASSPORT_INVALID;
}

/* Until somebody has answered, or nobody does; what that is worth comes after. */
static enum reason
ask_verifier(struct relying *r, const struct relying_ask *q, struct answer *got, struct error *e)
{
	own(mem) struct identity *id = calloc(1, sizeof(*id));
	const char *token;
	enum reason why;

	if (!id || !state_load(r->opt->state_dir, id, e))
		return REASON_INTERNAL_ERROR;
	token = r->token[0] ? r->token : id->token;
	if (!token[0])
		return err_set(e, ERR_CONFIG, "neither enrolled nor a token_file"), REASON_NOT_GATEWAY;
	if (clock_mono() < r->out_until)
		return err_set(e, ERR_TIMEOUT, "nobody answered just now"), r->out_why;
	enrol_verifier(r->opt, id->url, &r->up);
	e->code = ERR_NONE;
	why = ask(r, q, token, got, e);
	if (reason_is_outage(why)) {
		r->out_until = clock_mono() + RELYING_OUT_MS;
		r->out_why = why;
	}
	explicit_bzero(id, sizeof(*id));
	return why;
}

/* One question from top to bottom. */
static void
answer_one(struct relying *r, const struct relying_ask *q, struct relying_said *out)
{
	own(answer) struct answer got = { 0 };
	struct error e = { .code = ERR_NONE };
	enum reason why;

	*out = (struct relying_said){ .number = q->number };
	strcpy(out->peer, q->redeem ? "" : q->peer);
	why = sensible(q, &e);
	if (why == REASON_OK)
		why = ask_verifier(r, q, &got, &e);
	if (why == REASON_OK)
		why = relying_read(r->opt->state_dir, q, got.body, got.len, out, &e);
	out->reason = why;
	if (reason_state(why) != STATE_AFFIRMING && e.code != ERR_NONE)
		snprintf(out->why, sizeof(out->why), "%s", e.why);
}

/* --- the thread */

static void *
work(void *arg)
{
	struct relying *r = arg;
	struct relying_ask *q;

	while ((q = pipe_take(r->thread_in))) {
		struct relying_said *said = calloc(1, sizeof(*said));

		if (said && clock_left(q->deadline))
			answer_one(r, q, said);
		else if (said)
			*said = (struct relying_said){ .number = q->number, .reason = REASON_ATTESTD_TIMEOUT };
		explicit_bzero(q, sizeof(*q));
		free(q);
		if (!said || !pipe_put(r->thread_out, said)) {
			free(said);
			break;
		}
	}
	close(r->thread_out);
	return NULL;
}

bool
relying_start(struct relying *r, const struct options *o, struct error *e)
{
	int in[2], out[2], rc;

	r->opt = o;
	if (!upstream_open(&r->up, o->timeout, e))
		return false;
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return err_errno(e, "pipe");
	r->thread_in = in[0];
	r->in = in[1];
	r->out = out[0];
	r->thread_out = out[1];
	rc = pthread_create(&r->thread, NULL, work, r);
	return !rc || err_set(e, ERR_SYSTEM, "thread: %s", strerror(rc));
}

bool
relying_post(struct relying *r, const struct relying_ask *q)
{
	struct relying_ask *copy = r->waiting < RELYING_WAITING ? malloc(sizeof(*copy)) : NULL;

	if (!copy)
		return false;
	*copy = *q;
	if (pipe_put(r->in, copy)) {
		r->waiting++;
		return true;
	}
	free(copy);
	return false;
}

bool
relying_take(struct relying *r, struct relying_said *out)
{
	struct relying_said *said = pipe_take(r->out);

	if (!said)
		return false;
	r->waiting--;
	*out = *said;
	free(said);
	return true;
}

void
relying_stop(struct relying *r)
{
	close(r->in);
	pthread_join(r->thread, NULL);
	close(r->out);
	close(r->thread_in);
	upstream_close(&r->up);
}
