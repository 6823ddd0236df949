/* Policies, groups and ceilings in verifierd-core with its real workers. NEGATIVE rows 25, 34, 48. */
#include "core_lab.h"
#include "unit.h"

enum { HOSTS = 3 };

static struct lab lab;
static struct soft_host host[HOSTS];
static struct reply r;

static void
open_lab(void)
{
	static const char *const names[HOSTS] = { "host-a", "host-b", "host-c" };

	lab_open(&lab);
	for (unsigned i = 0; i < HOSTS; i++)
		soft_host(&lab, &host[i], names[i], "sb-shimgrub-a");
	lab_start(&lab, 1, 1);
}

static void
close_lab(void)
{
	for (unsigned i = 0; i < HOSTS; i++)
		soft_host_free(&host[i]);
	lab_close(&lab);
}

static const char *
attest(struct soft_host *h)
{
	struct soft_quote q;

	ck_assert_msg(soft_challenge(&lab, h, &q, &r), "challenge: %d %s", r.status, r.body);
	soft_attest(&lab, &q, &r);
	return reply_reason(&r);
}

static int
admin(struct admin_request ask)
{
	if (!*ask.reason)
		strcpy(ask.reason, "test");
	lab_admin(&lab, &ask, &r);
	return r.status;
}

/* What this host measured is good for it. */
static void
approve(struct soft_host *h)
{
	struct admin_request capture = { .op = ADMIN_CAPTURE }, activate = { .op = ADMIN_ACTIVATE };

	(void)attest(h);
	snprintf(capture.host, sizeof(capture.host), "%s", h->name);
	snprintf(capture.set, sizeof(capture.set), "set-%.40s", h->name);
	memcpy(activate.set, capture.set, sizeof(activate.set));
	ck_assert_msg(admin(capture) == 200, "%s", r.body);
	ck_assert_msg(admin(activate) == 200, "%s", r.body);
	ck_assert_str_eq(attest(h), "ok");
}

#define PCRS "\"pcrs\":{\"0\":\"events\",\"2\":\"events\",\"4\":\"events\",\"7\":\"events\",\"8\":\"events\",\"9\":\"events\"," \
	"\"11\":\"events\",\"12\":\"events\",\"14\":\"events\"}"
#define POLICY(name, more) "{\"schema\":1,\"name\":\"" name "\"," PCRS "," more "}"
#define FORBIDS POLICY("default", "\"cmdline\":{\"forbid\":[\"ima_policy=*\"]}")
#define LIFETIME(s) POLICY("default", "\"lifetime\":\"" s "\"")

static int
set_policy(const char *text, const char *confirm, bool dry_run)
{
	struct admin_request ask = { .op = ADMIN_POLICY_SET, .dry_run = dry_run, .text = { text, (uint32_t)strlen(text) } };

	snprintf(ask.confirm, sizeof(ask.confirm), "%s", confirm);
	return admin(ask);
}

/* The payload of the signed result in the reply at hand, as text. */
static const char *
result(void)
{
	static char payload[RESULT_MAX];
	static struct evidence_answer answer;
	struct error e = { .code = ERR_NONE };
	const char *from, *to;
	size_t len;

	ck_assert_msg(evidence_answer_read(r.body, strlen(r.body), &answer, &e), "%s", e.why);
	from = strchr(answer.result, '.') + 1;
	to = strchr(from, '.');
	ck_assert(base64url_bytes(from, (size_t)(to - from), (uint8_t *)payload, sizeof(payload) - 1, &len));
	payload[len] = '\0';
	return payload;
}

static int64_t
lifetime(void)
{
	own(json) struct json *j = NULL;
	struct error e;
	int64_t iat, until;

	ck_assert(json_parse(result(), strlen(result()), &j, &e) && json_int(j, "iat", 0, INT64_MAX, &iat, &e) &&
	    json_int(j, "exp", 0, INT64_MAX, &until, &e));
	return until - iat;
}

START_TEST(a_policy_that_is_set_counts)
{
	approve(&host[0]);
	ck_assert_ptr_nonnull(strstr(result(), "\"default/1\""));
	ck_assert_int_eq(set_policy(FORBIDS, "", true), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"becomes\":\"contraindicated\",\"reason\":\"cmdline-forbidden\""));
	ck_assert_ptr_nonnull(strstr(r.body, "\"turned\":1"));
	ck_assert_str_eq(attest(&host[0]), "ok");
	ck_assert_msg(set_policy(FORBIDS, "", false) == 200, "%s", r.body);
	ck_assert_ptr_nonnull(strstr(r.body, "default/2"));
	ck_assert_str_eq(attest(&host[0]), "cmdline-forbidden");
	ck_assert_ptr_nonnull(strstr(result(), "\"default/2\""));
	ck_assert_int_eq(set_policy(FORBIDS, "", false), 200);          /* says the same already */
	ck_assert_ptr_nonnull(strstr(r.body, "\"changed\":false"));
	ck_assert_int_eq(set_policy(POLICY("default", "\"quorum\":1"), "", false), 200);
	ck_assert_str_eq(attest(&host[0]), "ok");
	ck_assert_ptr_nonnull(strstr(result(), "\"default/3\""));
}
END_TEST

/* NEGATIVE row 18 at the API: what is wrong is an error with its line, and nothing changes. */
START_TEST(row_18_a_wrong_policy_changes_nothing)
{
	ck_assert_int_eq(set_policy("{\"schema\":1,\n\"name\":\"default\",\n\"pcrs\":{}}", "", false), 400);
	ck_assert_ptr_nonnull(strstr(r.body, "line 3: pcrs: none is judged"));
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_POLICIES }), 200);
	ck_assert(strstr(r.body, "\"version\":1") && !strstr(r.body, "\"version\":2"));
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_POLICY, .policy = "default" }), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"forbid\":[\"init=*\""));
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_POLICY, .policy = "default/2" }), 404);
}
END_TEST

/* A quote for the PCRs of one policy is never judged by another. */
START_TEST(row_34_evidence_for_an_older_policy)
{
	struct soft_quote q;

	approve(&host[0]);
	ck_assert(soft_challenge(&lab, &host[0], &q, &r));
	ck_assert_int_eq(set_policy(LIFETIME("60s"), "", false), 200);
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "challenge-expired");
	ck_assert_str_eq(attest(&host[0]), "ok");
	ck_assert_int_eq(lifetime(), 60);
}
END_TEST

/* Two policies with one version number: the host is judged again by the one that it follows now. */
START_TEST(row_34_two_policies_of_one_version)
{
	struct soft_quote q;

	approve(&host[0]);
	ck_assert_int_eq(set_policy(POLICY("other", "\"cmdline\":{\"forbid\":[\"console=*\"]}"), "", false), 200);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_GROUP_SET, .group = "lab", .policy = "other" }), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"created\":true"));
	ck_assert(soft_challenge(&lab, &host[0], &q, &r));
	/* The same PCRs and the same version: only the policy is another. */
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_MOVE, .host = "host-a", .group = "lab" }), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"from\":\"default\""));
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "cmdline-forbidden");
	ck_assert_ptr_nonnull(strstr(result(), "\"other/1\""));
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_MOVE, .host = "host-a", .group = "default" }), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"becomes\":\"affirming\""));
	ck_assert_str_eq(attest(&host[0]), "ok");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_MOVE, .host = "host-a", .group = "nowhere" }), 404);
}
END_TEST

/* A policy for other PCRs asks for other PCRs; what-if says that it cannot tell. */
START_TEST(row_34_other_pcrs)
{
	static const char other[] = "{\"schema\":1,\"name\":\"default\",\"pcrs\":{\"0\":\"events\",\"7\":\"events\"}}";
	struct soft_quote q;

	approve(&host[0]);
	ck_assert_int_eq(set_policy(other, "", true), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"unknown\":3"));
	ck_assert_int_eq(set_policy(other, "", false), 200);
	ck_assert(soft_challenge(&lab, &host[0], &q, &r));
	ck_assert_uint_eq(q.selection.bank[0].pcrs, 0x81);
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "ok");
}
END_TEST

/* What would refuse more than a share of a group waits for somebody who says how many. */
START_TEST(a_change_that_refuses_many_is_held)
{
	for (unsigned i = 0; i < HOSTS; i++)
		approve(&host[i]);
	ck_assert_int_eq(set_policy(FORBIDS, "", true), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"held\":true"));
	ck_assert_int_eq(set_policy(FORBIDS, "", false), 409);
	ck_assert_ptr_nonnull(strstr(r.body, "3 hosts that are good would be refused (host-a, host-b, host-c)"));
	ck_assert_int_eq(set_policy(FORBIDS, "2", false), 409);
	ck_assert_str_eq(attest(&host[0]), "ok");
	ck_assert_int_eq(set_policy(FORBIDS, "3", false), 200);
	ck_assert_str_eq(attest(&host[0]), "cmdline-forbidden");
	ck_assert_int_eq(set_policy(FORBIDS, "", false), 200);
}
END_TEST

static int
ceiling(const char *group, const char *mode, const char *duration)
{
	struct admin_request ask = { .op = *group ? ADMIN_CEILING : ADMIN_CEILING_ALL };

	strcpy(ask.group, group);
	strcpy(ask.ceiling, mode);
	strcpy(ask.duration, duration);
	return admin(ask);
}

START_TEST(a_ceiling_is_signed_and_ends)
{
	struct admin_request silent = { .op = ADMIN_CEILING_ALL, .ceiling = "audit" };

	approve(&host[0]);
	ck_assert_ptr_nonnull(strstr(result(), "ceiling\":\"enforce\""));
	ck_assert_int_eq(ceiling("", "audit", "2m"), 200);
	ck_assert_str_eq(attest(&host[0]), "ok");
	ck_assert_ptr_nonnull(strstr(result(), "ceiling\":\"audit\""));
	ck_assert_int_le(lifetime(), 120);              /* the result ends with the ceiling */
	ck_assert_int_eq(ceiling("default", "off", ""), 200);
	(void)attest(&host[0]);
	ck_assert_ptr_nonnull(strstr(result(), "ceiling\":\"off\""));
	ck_assert_int_eq(ceiling("default", "enforce", ""), 200);
	(void)attest(&host[0]);
	ck_assert_ptr_nonnull(strstr(result(), "ceiling\":\"enforce\""));
	ck_assert_int_eq(lifetime(), 15 * 60);
	ck_assert_int_eq(ceiling("default", "full", ""), 400);
	ck_assert_int_eq(ceiling("default", "audit", "30d"), 400);
	ck_assert_int_eq(ceiling("nowhere", "audit", ""), 404);
	lab_admin(&lab, &silent, &r);                   /* without a reason */
	ck_assert_int_eq(r.status, 400);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_GROUPS }), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"policy\":\"default\",\"hosts\":3,\"ceiling\":\"\""));
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_AUDIT }), 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"action\":\"ceiling\""));
}
END_TEST

/* NEGATIVE row 25: a gentle policy makes gates gentle, never a verdict good. */
START_TEST(row_25_audit_makes_nothing_good)
{
	(void)attest(&host[0]);
	ck_assert_int_eq(set_policy(POLICY("default", "\"ceiling\":\"audit\""), "", false), 200);
	ck_assert_str_eq(attest(&host[0]), "no-reference");
	ck_assert_ptr_nonnull(strstr(result(), "ceiling\":\"audit\""));
	ck_assert_ptr_nonnull(strstr(result(), "\"contraindicated\""));
	ck_assert_ptr_nonnull(strstr(result(), "\"executables\":96"));
	/* And a ceiling that was set cannot raise what the policy says. */
	ck_assert_int_eq(ceiling("", "enforce", ""), 200);
	(void)attest(&host[0]);
	ck_assert_ptr_nonnull(strstr(result(), "ceiling\":\"audit\""));
}
END_TEST

/* NEGATIVE row 48: a kexec stays a warning at best, whatever the policy, and what-if keeps it. */
START_TEST(row_48_kexec_stays)
{
	approve(&host[0]);
	host[0].boot_id[0] = '2';
	ck_assert_str_eq(attest(&host[0]), "kexec");
	ck_assert_int_eq(set_policy(POLICY("default", "\"lifetime\":\"60s\""), "", true), 200);
	ck_assert_ptr_null(strstr(r.body, "affirming"));
	ck_assert_int_eq(set_policy(POLICY("default", "\"require_lockdown\":true,\"lifetime\":\"60s\""), "", false), 200);
	host[0].boot_id[0] = '3';
	ck_assert_str_eq(attest(&host[0]), "kexec");    /* Secure Boot is on: locked down */
}
END_TEST

static void
add(TCase *c)
{
	tcase_add_checked_fixture(c, open_lab, close_lab);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, a_policy_that_is_set_counts);
	tcase_add_test(c, row_18_a_wrong_policy_changes_nothing);
	tcase_add_test(c, row_34_evidence_for_an_older_policy);
	tcase_add_test(c, row_34_two_policies_of_one_version);
	tcase_add_test(c, row_34_other_pcrs);
	tcase_add_test(c, a_change_that_refuses_many_is_held);
	tcase_add_test(c, a_ceiling_is_signed_and_ends);
	tcase_add_test(c, row_25_audit_makes_nothing_good);
	tcase_add_test(c, row_48_kexec_stays);
}

int
main(void)
{
	return unit_run("groups", add);
}
