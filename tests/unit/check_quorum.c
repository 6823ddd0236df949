/* Changes that take several administrators, in verifierd-core with its real workers. NEGATIVE row 49. */
#include "clock.h"
#include "core_lab.h"
#include "unit.h"

enum { HOSTS = 2, DAY_MS = 24 * 3600 * 1000 };

static struct lab lab;
static struct soft_host host[HOSTS];
static struct reply r;

#define POLICY(name, more) "{\"schema\":1,\"name\":\"" name "\",\"pcrs\":{\"0\":\"events\",\"4\":\"events\",\"7\":\"events\"," \
	"\"8\":\"events\",\"9\":\"events\",\"14\":\"events\"}," more "}"
#define LIST_NAMED "\"ima\":{\"mode\":\"allow-list\",\"allow_lists\":[\"files\"]}"

static int
admin(struct admin_request ask)
{
	if (!*ask.reason)
		strcpy(ask.reason, "test");
	lab_admin(&lab, &ask, &r);
	return r.status;
}

static struct admin_request
policy(const char *text)
{
	return (struct admin_request){ .op = ADMIN_POLICY_SET, .text = { text, (uint32_t)strlen(text) } };
}

static void
open_lab(void)
{
	lab_open(&lab);
	soft_host(&lab, &host[0], "host-a", "sb-shimgrub-a");
	soft_host(&lab, &host[1], "host-b", "sb-shimgrub-a");
	lab_start(&lab, 1, 1);
	ck_assert_int_eq(admin(policy(POLICY("default", "\"quorum\":2"))), 200);        /* one is enough until now */
}

static void
close_lab(void)
{
	for (unsigned i = 0; i < HOSTS; i++)
		soft_host_free(&host[i]);
	lab_close(&lab);
}

static int64_t
number(const char *key)
{
	own(json) struct json *j = NULL;
	struct error e = { .code = ERR_NONE };
	int64_t n;

	ck_assert_msg(json_parse(r.body, strlen(r.body), &j, &e) && json_int(j, key, 0, INT32_MAX, &n, &e), "%s: %s", key, r.body);
	return n;
}

static void
get_text(const char *key, char *out, size_t size)
{
	own(json) struct json *j = NULL;
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(json_parse(r.body, strlen(r.body), &j, &e) && json_text(j, key, out, size, &e), "%s: %s", key, r.body);
}

/* What somebody else's call leaves in the store, of the change in the reply at hand. */
static void
another_approves(int64_t ago)
{
	struct error e = { .code = ERR_NONE };
	struct store *s = lab_store(&lab);
	struct approval_row row = { .who = "uid 4242", .at = clock_now().wall - ago, .needed = 2 };

	get_text("change", row.change, sizeof(row.change));
	ck_assert_msg(store_begin(s, &e) && store_approval_put(s, &row, &e) &&
	    store_commit(s, &e), "%s", e.why);
	store_close(s);
}

#define WAITS(ask) do { \
	ck_assert_msg(admin(ask) == 202, "%d %s", r.status, r.body); \
	ck_assert_int_eq(number("approvals"), 1); \
	ck_assert_int_eq(number("needed"), 2); \
} while (0)

/* One alone does not get there, however often; with another one it is done. */
#define TAKES_TWO(ask) do { \
	WAITS(ask); \
	WAITS(ask); \
	another_approves(0); \
	ck_assert_msg(admin(ask) == 200, "%d %s", r.status, r.body); \
} while (0)

#define IS_ENOUGH(ask) ck_assert_msg(admin(ask) == 200, "%d %s", r.status, r.body)

static const char *
attest(struct soft_host *h)
{
	struct soft_quote q;

	ck_assert_msg(soft_challenge(&lab, h, &q, &r), "challenge: %d %s", r.status, r.body);
	soft_attest(&lab, &q, &r);
	return reply_reason(&r);
}

static bool
answers(struct admin_request ask, const char *text)
{
	ck_assert_int_eq(admin(ask), 200);
	return strstr(r.body, text) != NULL;
}

START_TEST(row_49_the_quorum_is_not_dropped_by_one)
{
	struct admin_request weaker = policy(POLICY("default", "\"quorum\":1")), dry = weaker, other;

	dry.dry_run = true;
	IS_ENOUGH(dry);
	WAITS(weaker);
	WAITS(weaker);
	IS_ENOUGH(dry);
	WAITS(weaker);
	ck_assert(!answers((struct admin_request){ .op = ADMIN_POLICIES }, "\"version\":3"));
	WAITS(weaker);
	another_approves(0);
	/* Another's word for one change is no word for another. */
	other = policy(POLICY("default", "\"quorum\":1,\"lifetime\":\"60s\""));
	WAITS(other);
	IS_ENOUGH(weaker);
	ck_assert(answers((struct admin_request){ .op = ADMIN_POLICIES }, "\"version\":3"));
	ck_assert(answers((struct admin_request){ .op = ADMIN_AUDIT }, "\"action\":\"approval\",\"subject\":\"policy default, content "));
	ck_assert_ptr_nonnull(strstr(r.body, "\"after\":\"1 of 2\""));
	ck_assert_ptr_nonnull(strstr(r.body, "\"after\":\"2 of 2\""));
	IS_ENOUGH(other);
}
END_TEST

START_TEST(an_approval_ends_with_its_day_and_with_its_change)
{
	struct admin_request strict = policy(POLICY("default", "\"quorum\":2,\"lifetime\":\"60s\"")),
	    back = policy(POLICY("default", "\"quorum\":2"));

	WAITS(strict);
	another_approves(DAY_MS);
	WAITS(strict);
	another_approves(DAY_MS - 60 * 1000);
	IS_ENOUGH(strict);
	TAKES_TWO(back);
	WAITS(strict);                                  /* what was approved once is not approved for ever */
}
END_TEST

/* Ordered by the first approval; what is done or a day old does not wait. */
START_TEST(what_waits_is_listed)
{
	struct admin_request list = { .op = ADMIN_APPROVALS }, weaker = policy(POLICY("default", "\"quorum\":1")),
	    token = { .op = ADMIN_TOKEN };

	ck_assert(answers(list, "\"changes\":[]"));
	WAITS(weaker);
	WAITS(token);
	another_approves(DAY_MS / 2);
	ck_assert(answers(list, "\"changes\":[{\"change\":\"token\",\"approvals\":2,\"needed\":2,\"who\":\"uid 4242, uid "));
	ck_assert_ptr_nonnull(strstr(r.body, "{\"change\":\"policy default, content "));
	IS_ENOUGH(token);
	ck_assert(!answers(list, "token"));
	WAITS(weaker);
	another_approves(DAY_MS);
	ck_assert(answers(list, "\"approvals\":1,\"needed\":2,\"who\":\"uid "));
	WAITS(weaker);
	another_approves(0);
	IS_ENOUGH(weaker);
	ck_assert(answers(list, "\"changes\":[]"));
}
END_TEST

START_TEST(references_take_the_quorum)
{
	struct admin_request activate = { .op = ADMIN_ACTIVATE, .set = "base" }, retire = { .op = ADMIN_RETIRE, .set = "base/1" },
	    revoke = { .op = ADMIN_WITHDRAW, .set = "base/1" }, part = revoke, accept = { .op = ADMIN_ACCEPT };

	strcpy(part.components, "loader");
	ck_assert_str_eq(attest(&host[0]), "no-reference");
	IS_ENOUGH(((struct admin_request){ .op = ADMIN_CAPTURE, .host = "host-a", .set = "base" }));
	WAITS(activate);
	ck_assert_str_eq(attest(&host[0]), "pending-approval");
	TAKES_TWO(activate);
	ck_assert_str_eq(attest(&host[0]), "ok");
	strcpy(activate.expires, "2099-12-31T00:00:00Z");
	WAITS(activate);                                /* it would last longer */
	IS_ENOUGH(revoke);                              /* to refuse is one's own */
	TAKES_TWO(part);
	strcpy(part.components, "loader,firmware");
	IS_ENOUGH(part);
	WAITS(revoke);
	TAKES_TWO(retire);                              /* takes the revocation back */
	ck_assert_str_ne(attest(&host[0]), "ok");
	get_text("ref", accept.report, sizeof(accept.report));
	strcpy(accept.scope, "host");
	TAKES_TWO(accept);
	get_text("set", retire.set, sizeof(retire.set));
	ck_assert_str_eq(attest(&host[0]), "ok");
	IS_ENOUGH(retire);
}
END_TEST

/* Captured where one is enough, and made good where the host has gone since. */
START_TEST(an_own_set_asks_the_group_where_its_host_is)
{
	struct admin_request move = { .op = ADMIN_MOVE, .host = "host-a", .group = "lab" };

	IS_ENOUGH(policy(POLICY("weak", "\"quorum\":1")));
	IS_ENOUGH(((struct admin_request){ .op = ADMIN_GROUP_SET, .group = "lab", .policy = "weak" }));
	TAKES_TWO(move);
	(void)attest(&host[0]);
	IS_ENOUGH(((struct admin_request){ .op = ADMIN_CAPTURE, .host = "host-a", .set = "own", .scope = "host" }));
	strcpy(move.group, "default");
	TAKES_TWO(move);
	TAKES_TWO(((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "own" }));
	ck_assert_str_eq(attest(&host[0]), "ok");
}
END_TEST

START_TEST(groups_and_ceilings_take_the_quorum)
{
	struct admin_request lower = { .op = ADMIN_CEILING_ALL, .ceiling = "audit", .duration = "1h" },
	    raise = { .op = ADMIN_CEILING, .group = "default", .ceiling = "enforce" },
	    move = { .op = ADMIN_MOVE, .host = "host-a", .group = "lab" },
	    back = { .op = ADMIN_MOVE, .host = "host-a", .group = "default" },
	    follow = { .op = ADMIN_GROUP_SET, .group = "default", .policy = "weak" };

	IS_ENOUGH(policy(POLICY("weak", "\"quorum\":1")));
	IS_ENOUGH(((struct admin_request){ .op = ADMIN_GROUP_SET, .group = "lab", .policy = "weak" }));
	TAKES_TWO(lower);
	strcpy(lower.duration, "10m");
	IS_ENOUGH(lower);                               /* as low, for a shorter time */
	strcpy(lower.duration, "2h");
	WAITS(lower);
	IS_ENOUGH(raise);
	strcpy(lower.duration, "1h");
	WAITS(lower);
	IS_ENOUGH(((struct admin_request){ .op = ADMIN_CEILING, .group = "lab", .ceiling = "off" }));
	TAKES_TWO(move);                                /* out of it */
	TAKES_TWO(back);                                /* and into it */
	WAITS(follow);
	another_approves(0);
	IS_ENOUGH(policy(POLICY("weak", "\"quorum\":1,\"ceiling\":\"off\"")));
	WAITS(follow);                                  /* not what the other has seen */
	TAKES_TWO(follow);
	IS_ENOUGH(policy(POLICY("weak", "\"quorum\":1")));
}
END_TEST

/* A host of that name and number has proved its key; ek is another one's, or NULL. */
static void
waits_for_approval(const char *name, unsigned number_of, const char *ek)
{
	struct enrollment_row pending = { .state = ENROLLMENT_PENDING, .created = clock_now().wall };
	struct error e = { .code = ERR_NONE };
	struct store *s = lab_store(&lab);
	struct soft_host fresh;
	struct host_row row;

	soft_host_new(&fresh, name, number_of, &row);
	soft_host_free(&fresh);
	pending.key = row.key;
	memcpy(pending.name, row.name, sizeof(pending.name));
	memcpy(pending.id, row.id, sizeof(pending.id));
	memcpy(pending.host_id, row.id, sizeof(pending.host_id));
	if (ek)
		snprintf(pending.key.ek, sizeof(pending.key.ek), "%s", ek);
	ck_assert_msg(store_begin(s, &e) && store_enrollment_add(s, &pending, &e) && store_commit(s, &e), "%s", e.why);
	store_close(s);
}

START_TEST(hosts_take_the_quorum)
{
	struct admin_request class = { .op = ADMIN_CLASS, .host = "host-b", .class = "no-log" };

	waits_for_approval("host-n", 99, NULL);
	TAKES_TWO(((struct admin_request){ .op = ADMIN_APPROVE, .host = "host-n" }));
	TAKES_TWO(((struct admin_request){ .op = ADMIN_TOKEN }));
	TAKES_TWO(class);
	strcpy(class.class, "log");
	IS_ENOUGH(class);
	IS_ENOUGH(((struct admin_request){ .op = ADMIN_REVOKE, .host = "host-n" }));
	TAKES_TWO(((struct admin_request){ .op = ADMIN_REINSTATE, .host = "host-n" }));
	TAKES_TWO(((struct admin_request){ .op = ADMIN_RENAME, .host = "host-n", .name = "host-m" }));
	TAKES_TWO(((struct admin_request){ .op = ADMIN_REMOVE, .host = "host-m", .confirm = "1" }));
}
END_TEST

/* One person revokes it, and it comes back into a group that wants less: the group that it had is asked. */
START_TEST(a_revoked_host_does_not_leave_its_group)
{
	struct error e = { .code = ERR_NONE };
	struct store *s = lab_store(&lab);
	struct host_row was;

	ck_assert_msg(store_host_by_name(s, "host-b", &was, &e), "%s", e.why);
	store_close(s);
	IS_ENOUGH(policy(POLICY("two", "\"quorum\":2")));
	IS_ENOUGH(((struct admin_request){ .op = ADMIN_GROUP_SET, .group = "strict", .policy = "two" }));
	TAKES_TWO(((struct admin_request){ .op = ADMIN_MOVE, .host = "host-b", .group = "strict" }));
	TAKES_TWO(policy(POLICY("default", "\"quorum\":1")));
	waits_for_approval("host-n", 97, NULL);
	IS_ENOUGH(((struct admin_request){ .op = ADMIN_APPROVE, .host = "host-n" }));
	IS_ENOUGH(((struct admin_request){ .op = ADMIN_REVOKE, .host = "host-b" }));
	waits_for_approval("host-c", 98, was.key.ek);
	WAITS(((struct admin_request){ .op = ADMIN_APPROVE, .host = "host-c" }));
	waits_for_approval("host-b", 99, NULL);
	WAITS(((struct admin_request){ .op = ADMIN_APPROVE, .host = "host-b" }));
	WAITS(((struct admin_request){ .op = ADMIN_REMOVE, .host = "host-b" }));        /* nor by being forgotten */
	WAITS(((struct admin_request){ .op = ADMIN_REINSTATE, .host = "host-b" }));
	IS_ENOUGH(((struct admin_request){ .op = ADMIN_RENAME, .host = "host-n", .name = "host-d" }));
	TAKES_TWO(((struct admin_request){ .op = ADMIN_APPROVE, .host = "host-b" }));
}
END_TEST

/* A list that nobody's policy names makes nothing good; what it says is part of what is approved with the policy. */
START_TEST(allow_lists_take_the_quorum)
{
	static const char one[] = "attest-allow-list 1\nsha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff /bin/one\n",
	    two[] = "attest-allow-list 1\nsha256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff /bin/two\n";
	struct admin_request list = { .op = ADMIN_ALLOW_SET, .list = "files", .text = { one, sizeof(one) - 1 } },
	    named = policy(POLICY("default", "\"quorum\":2," LIST_NAMED));

	IS_ENOUGH(list);
	WAITS(named);
	another_approves(0);
	list.text = (struct long_text){ two, sizeof(two) - 1 };
	IS_ENOUGH(list);
	WAITS(named);
	TAKES_TWO(named);
	list.text = (struct long_text){ one, sizeof(one) - 1 };
	TAKES_TWO(list);
}
END_TEST

static void
add(TCase *c)
{
	tcase_add_checked_fixture(c, open_lab, close_lab);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, row_49_the_quorum_is_not_dropped_by_one);
	tcase_add_test(c, an_approval_ends_with_its_day_and_with_its_change);
	tcase_add_test(c, what_waits_is_listed);
	tcase_add_test(c, references_take_the_quorum);
	tcase_add_test(c, an_own_set_asks_the_group_where_its_host_is);
	tcase_add_test(c, groups_and_ceilings_take_the_quorum);
	tcase_add_test(c, hosts_take_the_quorum);
	tcase_add_test(c, a_revoked_host_does_not_leave_its_group);
	tcase_add_test(c, allow_lists_take_the_quorum);
}

int
main(void)
{
	return unit_run("quorum", add);
}
