#include <string.h>
#include "json.h"
#include "orders.h"
#include "recovery.h"
#include "scope.h"

#define ORDERS_TYP     "attest-orders+jwt"
#define ORDERS_PROFILE "pam-attest/orders/1"
enum { NEXT_MAX_MS = 3600 * 1000 };

static const int64_t whole_max = (int64_t)1 << 53;

static struct json *
order_json(const struct order *o)
{
	struct json *j = json_new();

	json_put_text(j, "id", o->id);
	json_put_int(j, "remaining", o->remaining);
	json_put_bool(j, "overrules_refusal", o->overrules);
	json_put_text(j, "user", o->user);
	json_put_text(j, "services", o->services);
	return j;
}

bool
orders_sign(const struct orders *q, const struct sign_key *key, char *out, size_t size, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();
	own(mem) char *text = NULL;
	struct json *leases = json_new_list();
	size_t n;

	for (unsigned i = 0; i < q->count && i < LEASES_MAX; i++)
		json_add(leases, order_json(&q->order[i]));
	json_put_text(j, "profile", ORDERS_PROFILE);
	json_put_text(j, "host_id", q->host_id);
	json_put_bytes(j, "nonce", q->nonce, NONCE_SIZE);
	json_put_int(j, "iat", q->issued_wall / 1000);
	json_put_text(j, "ceiling", mode_word(q->ceiling));
	if (q->ceiling_left > 0) {
		json_put_int(j, "ceiling_left", q->ceiling_left);
		json_put_text(j, "ceiling_then", mode_word(q->ceiling_then));
	}
	json_put_int(j, "codes_void", q->codes_void);
	json_put_int(j, "next_after", q->next_after);
	json_put(j, "leases", leases);
	return json_print(j, false, &text, &n, e) && jws_sign(key, ORDERS_TYP, text, n, out, size, len, e);
}

static bool
order_read(const struct json *j, struct order *o, struct error *e)
{
	char id[REF_TEXT];

	if (!json_text(j, "id", o->id, sizeof(o->id), e) ||
	    !json_int(j, "remaining", 1, LEASE_LIFETIME_MAX_MS, &o->remaining, e) ||
	    !json_flag(j, "overrules_refusal", &o->overrules, e) || !json_text(j, "user", o->user, sizeof(o->user), e) ||
	    !json_text(j, "services", o->services, sizeof(o->services), e))
		return false;
	if (!ref_read(o->id, id) || strcmp(id, o->id) != 0)
		return err_set(e, ERR_FORMAT, "id: not a reference");
	return (lease_user_fits(o->user) && lease_services_fit(o->services)) ||
	    err_set(e, ERR_FORMAT, "user or services: more than words");
}

static bool
leases_read(const struct json *j, struct orders *q, struct error *e)
{
	if (!json_list(j, "leases", LEASES_MAX, &q->count, e))
		return false;
	for (unsigned i = 0; i < q->count; i++) {
		const struct json *item = json_item(j, "leases", i);

		if (!order_read(item, &q->order[i], e))
			return err_in(e, "lease %u", i);
	}
	return true;
}

static bool
mode(const struct json *j, const char *key, enum gate_mode *out, struct error *e)
{
	char text[12];

	return json_text(j, key, text, sizeof(text), e) &&
	    (mode_find(text, out) || err_set(e, ERR_FORMAT, "%s: no such mode", key));
}

static bool
read_ceiling(const struct json *j, struct orders *q, struct error *e)
{
	if (!mode(j, "ceiling", &q->ceiling, e))
		return false;
	return !json_has(j, "ceiling_left") ||
	    (json_int(j, "ceiling_left", 1, whole_max, &q->ceiling_left, e) && mode(j, "ceiling_then", &q->ceiling_then, e));
}

static bool
read_rest(const struct json *j, struct orders *q, struct error *e)
{
	int64_t codes, iat;
	size_t n;

	if (!json_text(j, "host_id", q->host_id, sizeof(q->host_id), e) ||
	    !json_bytes(j, "nonce", q->nonce, sizeof(q->nonce), &n, e) || !json_int(j, "iat", 1, whole_max / 1000, &iat, e) ||
	    !read_ceiling(j, q, e) ||
	    !json_int(j, "codes_void", 0, RECOVERY_SEQUENCE_MAX, &codes, e) ||
	    !json_int(j, "next_after", 1, NEXT_MAX_MS, &q->next_after, e))
		return false;
	if (n != NONCE_SIZE)
		return err_set(e, ERR_FORMAT, "nonce: not %d bytes", NONCE_SIZE);
	q->issued_wall = iat * 1000;
	q->codes_void = (uint32_t)codes;
	return true;
}

bool
orders_verify(const char *jws, size_t len, const struct keyset *keys, struct orders *out, struct error *e)
{
	own(json) struct json *j = NULL;
	struct orders q = { .count = 0 };
	char text[ORDERS_MAX], profile[32];
	size_t n;

	if (len > ORDERS_MAX)
		return err_set(e, ERR_LIMIT, "orders: over %d bytes", ORDERS_MAX);
	if (!jws_verify(jws, len, ORDERS_TYP, keys->key, keys->count, text, sizeof(text), &n, e) ||
	    !json_parse(text, n, &j, e) || !json_text(j, "profile", profile, sizeof(profile), e))
		return err_in(e, "orders");
	if (strcmp(profile, ORDERS_PROFILE))
		return err_set(e, ERR_FORMAT, "orders: profile is not " ORDERS_PROFILE);
	if (!read_rest(j, &q, e) || !leases_read(j, &q, e))
		return err_in(e, "orders");
	*out = q;
	return true;
}

bool
orders_answer_read(const char *text, size_t len, char out[static ORDERS_MAX], struct error *e)
{
	own(json) struct json *j = NULL;

	return json_parse(text, len, &j, e) && json_text(j, "orders", out, ORDERS_MAX, e);
}
