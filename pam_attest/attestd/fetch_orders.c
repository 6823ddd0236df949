#include "fetch_orders.h"
#include "publish.h"
#include "round.h"
#include "scope.h"

static enum reason
ask(struct agent *a, const uint8_t nonce[static NONCE_SIZE], int64_t deadline, char jws[static ORDERS_MAX], struct error *e)
{
	own(answer) struct answer got = { 0 };
	struct problem problem;
	char path[160], text[48];
	enum reason why;

	if (!base64url_text(nonce, NONCE_SIZE, text, sizeof(text)))
		return err_set(e, ERR_LIMIT, "nonce"), REASON_INTERNAL_ERROR;
	snprintf(path, sizeof(path), "/v1/orders/%s/%s", a->id.host_id, text);
	why = upstream_ask(&a->up, &(struct request){ .path = path, .bearer = a->id.token }, deadline, &got, &problem, e);
	if (why != REASON_OK)
		return why;
	return orders_answer_read(got.body, got.len, jws, e) ? REASON_OK : REASON_RESULT_INVALID;
}

/* Signed by a key of the verifier's, for this host, and in answer to this question. */
static bool
believe(struct agent *a, const char *jws, const uint8_t nonce[static NONCE_SIZE], struct orders *out, struct error *e)
{
	struct orders q;

	if (!orders_verify(jws, strlen(jws), &a->id.keys, &q, e))
		return false;
	if (strcmp(q.host_id, a->id.host_id) != 0 || !same_bytes(q.nonce, nonce, NONCE_SIZE))
		return err_set(e, ERR_MISMATCH, "the orders are for another host or question");
	*out = q;
	return true;
}

static enum reason
fetch(struct agent *a, struct fetched *f, struct error *e)
{
	int64_t deadline = clock_mono() + ORDERS_MS;
	uint8_t nonce[NONCE_SIZE];
	char jws[ORDERS_MAX];
	struct error ignored = { .code = ERR_NONE };
	enum reason why;

	if (!a->id.active)
		return REASON_NOT_ENROLLED;
	if (!random_bytes(nonce, sizeof(nonce)))
		return err_set(e, ERR_CRYPTO, "no random bytes"), REASON_INTERNAL_ERROR;
	f->asked = clock_now();
	why = ask(a, nonce, deadline, jws, e);
	if (why != REASON_OK)
		return why;
	/* Keys are rotated under the root that was pinned. */
	if (believe(a, jws, nonce, &f->orders, e) ||
	    (round_refresh(a, deadline, &ignored) && believe(a, jws, nonce, &f->orders, e)))
		return REASON_OK;
	return REASON_RESULT_INVALID;
}

void
fetch_orders(struct agent *a, struct fetched *f, struct outcome *o)
{
	struct error e = { .code = ERR_NONE }, written = { .code = ERR_NONE };
	bool ok = true;

	f->reason = fetch(a, f, &e);
	if (f->reason == REASON_OK)
		ok = publish_ceiling(a, f->orders.ceiling, f->orders.ceiling_left ? f->asked.wall + f->orders.ceiling_left : 0,
		    f->orders.ceiling_then, &written);
	else if (f->reason == REASON_HOST_REVOKED)
		ok = publish_failure(a, REASON_HOST_REVOKED, &written);
	snprintf(f->why, sizeof(f->why), "%s", ok ? e.why : written.why);
	agent_outcome(a, f->reason, ok ? &e : &written, 0, o);
}
