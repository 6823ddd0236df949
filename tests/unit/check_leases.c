/* Leases and recovery codes as an administrator gives them, and orders as a host gets them. NEGATIVE row 38. */
#include "clock.h"
#include "core_lab.h"
#include "orders.h"
#include "unit.h"

static struct lab lab;
static struct soft_host a, b;
static struct reply r;
static struct orders orders;
static struct error e;
static struct keys keys;        /* the two secrets alone */

static void
open_lab(void)
{
	struct store *s;

	lab_open(&lab);
	soft_host(&lab, &a, "host-a", "sb-shimgrub-a");
	soft_host(&lab, &b, "host-b", "sb-shimgrub-a");
	lab_start(&lab, 1, 1);
	s = lab_store(&lab);
	ck_assert(store_begin(s, &e) && store_secret(s, "host-token", keys.token_key, &e) &&
	    store_secret(s, "recovery", keys.recovery_key, &e) && store_commit(s, &e));
	store_close(s);
}

static void
close_lab(void)
{
	soft_host_free(&a);
	soft_host_free(&b);
	lab_close(&lab);
}

static int
admin(struct admin_request ask)
{
	if (ask.op != ADMIN_LEASES && !*ask.reason)
		strcpy(ask.reason, "test");
	lab_admin(&lab, &ask, &r);
	return r.status;
}

static void
member(const char *object, const char *key, char *out, size_t size)
{
	own(json) struct json *j = NULL;
	const struct json *sub;

	ck_assert_msg(json_parse(r.body, strlen(r.body), &j, &e), "%s", r.body);
	sub = j;
	ck_assert_msg((!object || json_sub(j, object, &sub, &e)) && json_text(sub, key, out, size, &e), "%s: %s", key, r.body);
}

/* The host of `who` asks, by the token of `by`; the signature is looked at. Gives the status. */
static int
ask_as(const struct soft_host *who, const struct soft_host *by)
{
	struct orders_ask ask = { .nonce = { 4, 2 } };
	struct keyset set;
	uint8_t buf[256];
	struct writer w = wr_open(buf, sizeof(buf));
	char jws[ORDERS_MAX];

	strcpy(ask.host, who->id);
	ck_assert(keys_host_token(&keys, by->id, ask.token));
	orders_ask_pack(&ask, &w);
	lab_ask(&lab, MSG_KEYS, NULL, 0, &r);
	ck_assert(jwks_read(r.body, strlen(r.body), &set, &e));
	lab_ask(&lab, MSG_ORDERS, buf, w.used, &r);
	if (r.status != 200)
		return r.status;
	ck_assert_msg(orders_answer_read(r.body, strlen(r.body), jws, &e) && orders_verify(jws, strlen(jws), &set, &orders, &e),
	    "%s", e.why);
	ck_assert_str_eq(orders.host_id, who->id);
	ck_assert(!memcmp(orders.nonce, ask.nonce, NONCE_SIZE));
	return 200;
}

static int
ask(const struct soft_host *who)
{
	return ask_as(who, who);
}

START_TEST(a_lease_reaches_its_host_and_no_other)
{
	struct admin_request allow = { .op = ADMIN_LEASE, .host = "host-a", .duration = "2h", .user = "kim", .services = "sshd,sudo" };

	ck_assert_int_eq(ask(&a), 200);
	ck_assert(orders.count == 0 && orders.ceiling == MODE_ENFORCE && orders.next_after >= 15000 && orders.next_after < 20000);
	ck_assert_msg(admin(allow) == 200, "%s", r.body);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.count, 1);
	ck_assert_str_eq(orders.order[0].user, "kim");
	ck_assert_str_eq(orders.order[0].services, "sshd sudo");
	ck_assert(!orders.order[0].overrules);
	ck_assert(orders.order[0].remaining <= 7200000 && orders.order[0].remaining > 7100000);
	ck_assert_int_eq(ask(&b), 200);
	ck_assert_uint_eq(orders.count, 0);
	ck_assert_int_eq(ask_as(&a, &b), 403);
	ck_assert_str_eq(reply_reason(&r), "token-invalid");
}
END_TEST

static const struct { const char *label; struct admin_request ask; int status; } rows[] = {
	{ "no time", { .duration = "" }, 400 },
	{ "half a minute", { .duration = "30s" }, 400 },
	{ "a day", { .duration = "24h" }, 200 },
	{ "more than a day", { .duration = "25h" }, 400 },
	{ "two users", { .duration = "1h", .user = "kim lee" }, 400 },
	{ "nonsense for a service", { .duration = "1h", .services = "sshd,,sudo" }, 400 },
	{ "no such host", { .duration = "1h", .host = "host-c" }, 404 },
	{ "overruling", { .duration = "1h", .overrule_refusal = true }, 200 },
	{ "nothing done", { .duration = "1h", .dry_run = true }, 200 },
	{ "code of an hour", { .duration = "1h", .code = true }, 200 },
	{ "code of half an hour", { .duration = "30m", .code = true }, 400 },
	{ "code for one user", { .duration = "1h", .code = true, .user = "kim" }, 400 },
	{ "code for one service", { .duration = "1h", .code = true, .services = "sshd" }, 400 },
};

START_TEST(wishes)
{
	struct admin_request wish = rows[_i].ask;
	bool given = rows[_i].status == 200 && !wish.dry_run;

	wish.op = ADMIN_LEASE;
	if (!*wish.host)
		strcpy(wish.host, "host-a");
	ck_assert_msg(admin(wish) == rows[_i].status, "%s: %d %s", rows[_i].label, r.status, r.body);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_msg(orders.count == (given && !wish.code), "%s: %u orders", rows[_i].label, orders.count);
	ck_assert(!orders.count || orders.order[0].overrules == wish.overrule_refusal);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_LEASES, .host = "host-a" }), 200);
	ck_assert_msg(!strstr(r.body, "\"leases\":[]") == given, "%s: %s", rows[_i].label, r.body);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_AUDIT }), 200);
	ck_assert_msg(!!strstr(r.body, "\"action\":\"allow\"") == given, "%s", rows[_i].label);
}
END_TEST

START_TEST(a_reason_is_wanted)
{
	struct admin_request allow = { .op = ADMIN_LEASE, .host = "host-a", .duration = "1h" };

	lab_admin(&lab, &allow, &r);
	ck_assert_int_eq(r.status, 400);
}
END_TEST

START_TEST(one_that_is_ended_is_not_ordered)
{
	struct admin_request allow = { .op = ADMIN_LEASE, .host = "host-a", .duration = "2h" },
	    end = { .op = ADMIN_LEASE_END, .host = "host-a" };

	ck_assert_int_eq(admin(allow), 200);
	member("lease", "id", end.lease, sizeof(end.lease));
	ck_assert_int_eq(admin(allow), 200);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.count, 2);
	ck_assert_int_eq(admin(end), 200);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.count, 1);
	ck_assert_str_ne(orders.order[0].id, end.lease);
	ck_assert_int_eq(admin(end), 404);
	end.lease[0] = '\0';
	ck_assert_int_eq(admin(end), 200);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.count, 0);
	ck_assert_int_eq(admin(end), 404);
}
END_TEST

START_TEST(so_many_and_no_more)
{
	struct admin_request allow = { .op = ADMIN_LEASE, .host = "host-a", .duration = "1h" };

	for (unsigned i = 0; i < LEASES_MAX; i++)
		ck_assert_int_eq(admin(allow), 200);
	ck_assert_int_eq(admin(allow), 409);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.count, LEASES_MAX);
}
END_TEST

START_TEST(row_38_a_revoked_host_gets_none)
{
	struct admin_request allow = { .op = ADMIN_LEASE, .host = "host-a", .duration = "1h", .overrule_refusal = true };
	struct store *s;

	ck_assert_int_eq(admin(allow), 200);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_REVOKE, .host = "host-a" }), 200);
	ck_assert_int_eq(ask(&a), 403);
	ck_assert_str_eq(reply_reason(&r), "host-revoked");
	ck_assert_int_eq(admin(allow), 409);
	allow.code = true;
	ck_assert_int_eq(admin(allow), 409);
	/* Nor does an old one come back with the host. */
	s = lab_store(&lab);
	ck_assert(store_begin(s, &e) && store_host_state(s, a.id, ENROLLMENT_ACTIVE, &e) && store_commit(s, &e));
	store_close(s);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.count, 0);
}
END_TEST

/* The code in the reply, as host h reads it. */
static bool
reads(const struct soft_host *h, struct recovery *out)
{
	uint8_t key[RECOVERY_KEY_SIZE];
	char code[RECOVERY_CODE_TEXT];

	member(NULL, "code", code, sizeof(code));
	ck_assert(keys_recovery(&keys, h->id, &h->ak, key));
	return recovery_read(key, h->id, code, out, &e);
}

START_TEST(codes_count_upwards)
{
	struct admin_request print = { .op = ADMIN_LEASE, .host = "host-a", .duration = "3h", .code = true, .overrule_refusal = true },
	    end = { .op = ADMIN_LEASE_END, .host = "host-a" };
	struct recovery q;
	char id[REF_TEXT];
	uint32_t first, last;

	ck_assert_int_eq(admin(print), 200);
	ck_assert(reads(&a, &q) && q.sequence > 1 && q.hours == 3 && q.overrules);
	first = q.sequence;
	member("lease", "id", id, sizeof(id));
	ck_assert_str_eq(id, q.id);
	ck_assert(!reads(&b, &q) && e.code == ERR_REFUSED);
	ck_assert_int_eq(admin(print), 200);
	ck_assert(reads(&a, &q) && q.sequence > first);
	last = q.sequence;
	/* To end one ends those before it. */
	member("lease", "id", end.lease, sizeof(end.lease));
	ck_assert_int_eq(ask(&a), 200);
	ck_assert(orders.count == 0 && orders.codes_void == 0);
	ck_assert_int_eq(admin(print), 200);
	ck_assert_int_eq(admin(end), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"ended\":2"));
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.codes_void, last);
	ck_assert_int_eq(admin(print), 200);
	ck_assert(reads(&a, &q) && q.sequence >= last + 2);
}
END_TEST

/* A backup that was put back knows nothing of codes that were given out since; hosts do, and take none twice. */
START_TEST(a_store_that_was_put_back_gives_no_sequence_again)
{
	struct admin_request print = { .op = ADMIN_LEASE, .host = "host-a", .duration = "3h", .code = true };
	const int64_t hour_ago = clock_now().wall - 3600 * 1000;
	struct lease_row old = { .created = hour_ago, .seconds = 3600, .sequence = 7, .id = "0000-0007", .who = "uid 0", .why = "test" };
	struct recovery q;
	struct store *s = lab_store(&lab);

	memcpy(old.host_id, a.id, sizeof(old.host_id));
	ck_assert(store_begin(s, &e) && store_lease_add(s, &old, &e) && store_commit(s, &e));
	store_close(s);
	ck_assert_int_eq(admin(print), 200);
	/* Above any that was made an hour ago by the clock, whatever is known of it. */
	ck_assert(reads(&a, &q));
	ck_assert_int_gt(q.sequence, (hour_ago - 1767225600000) / 600000);
	/* And a clock that goes wrong does no harm to the order. */
	old.sequence = RECOVERY_SEQUENCE_MAX - 2;
	strcpy(old.id, "0000-0008");
	s = lab_store(&lab);
	ck_assert(store_begin(s, &e) && store_lease_add(s, &old, &e) && store_commit(s, &e));
	store_close(s);
	ck_assert_int_eq(admin(print), 200);
	ck_assert(reads(&a, &q) && q.sequence == RECOVERY_SEQUENCE_MAX - 1);
}
END_TEST

START_TEST(a_code_is_known_to_be_used_once_the_host_tells)
{
	int64_t now = clock_now().wall;
	struct store *s;
	struct recovery q;
	char id[REF_TEXT], state[32];

	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_LEASE, .host = "host-a", .duration = "3h", .code = true }), 200);
	ck_assert(reads(&a, &q));
	member("lease", "id", id, sizeof(id));
	member("lease", "state", state, sizeof(state));
	ck_assert_str_eq(state, "code");
	s = lab_store(&lab);
	/* By another host's word nothing, and by a clock that is off no more than may be. */
	ck_assert(store_begin(s, &e) && store_lease_used(s, b.id, id, now, now, &e) &&
	    store_lease_used(s, a.id, id, now + 86400000, now, &e) && store_lease_used(s, a.id, id, 1, now, &e) && store_commit(s, &e));
	store_close(s);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_LEASES, .host = "host-a" }), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"state\":\"in-force\""));
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.count, 0);             /* it is the host's own */
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_LEASE_END, .host = "host-a" }), 200);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.codes_void, q.sequence);
}
END_TEST

static void
another_approves(void)
{
	struct store *s = lab_store(&lab);
	struct approval_row row = { .who = "uid 4242", .at = clock_now().wall, .needed = 2 };

	member(NULL, "change", row.change, sizeof(row.change));
	ck_assert_msg(store_begin(s, &e) && store_approval_put(s, &row, &e) && store_commit(s, &e),
	    "%s", e.why);
	store_close(s);
}

START_TEST(row_49_a_lease_takes_the_quorum)
{
	static const char policy[] = "{\"schema\":1,\"name\":\"default\",\"pcrs\":{\"0\":\"events\",\"4\":\"events\",\"7\":\"events\","
	    "\"8\":\"events\",\"9\":\"events\",\"14\":\"events\"},\"quorum\":2}";
	struct admin_request allow = { .op = ADMIN_LEASE, .host = "host-a", .duration = "1h" }, more;

	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_POLICY_SET, .text = { policy, sizeof(policy) - 1 } }), 200);
	ck_assert_int_eq(admin(allow), 202);
	another_approves();
	more = allow;
	more.overrule_refusal = true;
	ck_assert_int_eq(admin(more), 202);             /* another change */
	more = allow;
	more.code = true;
	ck_assert_int_eq(admin(more), 202);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.count, 0);
	ck_assert_int_eq(admin(allow), 200);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.count, 1);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_LEASE_END, .host = "host-a" }), 200);   /* one's own */
}
END_TEST

START_TEST(a_ceiling_travels_with_the_orders)
{
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_CEILING_ALL, .ceiling = "audit", .duration = "1h" }), 200);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert(orders.ceiling == MODE_AUDIT && orders.ceiling_then == MODE_ENFORCE);
	ck_assert(orders.ceiling_left > 3500000 && orders.ceiling_left <= 3600000);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_CEILING_ALL, .ceiling = "enforce" }), 200);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert(orders.ceiling == MODE_ENFORCE && !orders.ceiling_left);
}
END_TEST

/* Leases outlive core. */
START_TEST(after_a_kill_it_is_there)
{
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_LEASE, .host = "host-a", .duration = "1h" }), 200);
	lab_kill_core(&lab);
	lab_start(&lab, 1, 1);
	ck_assert_int_eq(ask(&a), 200);
	ck_assert_uint_eq(orders.count, 1);
}
END_TEST

static void
add(TCase *c)
{
	tcase_add_checked_fixture(c, open_lab, close_lab);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, a_lease_reaches_its_host_and_no_other);
	tcase_add_loop_test(c, wishes, 0, (int)COUNT(rows));
	tcase_add_test(c, a_reason_is_wanted);
	tcase_add_test(c, one_that_is_ended_is_not_ordered);
	tcase_add_test(c, so_many_and_no_more);
	tcase_add_test(c, row_38_a_revoked_host_gets_none);
	tcase_add_test(c, codes_count_upwards);
	tcase_add_test(c, a_code_is_known_to_be_used_once_the_host_tells);
	tcase_add_test(c, a_store_that_was_put_back_gives_no_sequence_again);
	tcase_add_test(c, row_49_a_lease_takes_the_quorum);
	tcase_add_test(c, a_ceiling_travels_with_the_orders);
	tcase_add_test(c, after_a_kill_it_is_there);
}

int
main(void)
{
	return unit_run("leases", add);
}
