/* verifierd-core, parse and judge on IMA lists: parts of one list, what is new, other boots and policies, amnesty. */
#include <signal.h>
#include "core_lab.h"
#include "hex.h"
#include "ima_rules.h"
#include "policy_json.h"
#include "unit.h"

enum { FIRST = 40 };                    /* entries of the list at first, boot_aggregate among them */

static struct lab lab;
static struct soft_host a;
static struct reply r;

/* --- the policy: IMA in this mode; files "known N" as /usr/bin/tool-N, and perhaps one as /usr/bin/new */

enum { FILES = 3000, RULES_ROOM = 1 << 20 };

static size_t
put_line(char *out, const char *content, const char *path)
{
	char hex[2 * SHA256_SIZE + 1];
	uint8_t is[SHA256_SIZE];

	soft_ima_digest(content, is);
	hex_text(is, sizeof(is), hex);
	return (size_t)sprintf(out, "sha256:%s %s\n", hex, path);
}

/* What `allow-lists set test FILE` leaves in the store. */
static void
put_list(struct store *s, const char *extra)
{
	own(allow_list) struct allow_list list = { .packed = NULL };
	own(mem) char *text = malloc(RULES_ROOM);
	struct allow_row row = { .name = "test", .created = 1, .author = "test" };
	struct error e = { .code = ERR_NONE };
	char content[32], path[64];
	size_t at = (size_t)sprintf(text, "attest-allow-list 1\n");

	for (unsigned i = 0; i < FILES; i++) {
		sprintf(content, "known %u", i);
		sprintf(path, "/usr/bin/tool-%u", i);
		at += put_line(text + at, content, path);
	}
	if (extra)
		at += put_line(text + at, extra, "/usr/bin/new");
	ck_assert_msg(allow_list_read(text, at, &list, &e), "%s", e.why);
	row.entries = list.count;
	row.body = (uint8_t *)(uintptr_t)list.packed;
	row.body_len = list.packed_len;
	ck_assert(digest_sha256(row.body, row.body_len, row.digest));
	ck_assert_msg(store_begin(s, &e) && store_allow_put(s, &row, &e) && store_commit(s, &e), "%s", e.why);
}

/* And `policies set FILE`. */
static void
put_policy(const char *mode, const char *extra)
{
	own(json) struct json *tree = NULL;
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF };
	own(mem) struct policy *p = calloc(1, sizeof(*p));
	own(mem) uint8_t *body = malloc(POLICY_PACKED_MAX), *ima = NULL;
	struct policy_row row = { .name = "default", .created = 1, .author = "test", .body = body };
	struct error e = { .code = ERR_NONE };
	struct store *s = lab_store(&lab);
	char text[128];

	put_list(s, extra);
	sprintf(text, "{\"mode\":\"%s\",\"violations\":\"warn\",\"allow_lists\":[\"test\"]}", mode);
	ck_assert_msg(json_parse(text, strlen(text), &tree, &e) && ima_rules_read(tree, &rules, &e), "%s", e.why);
	policy_default(p);
	p->tpm.allow_simulator = p->ima = true;
	p->ima_judged = strcmp(mode, "off") != 0;
	ck_assert_msg(policy_ima_pack(p, &rules, &ima, &row.ima_len, &e) && digest_sha256(ima, row.ima_len, p->ima_digest), "%s", e.why);
	row.ima = ima;
	ck_assert_msg(policy_seal(p, body, &row.body_len, row.digest, &e), "%s", e.why);
	ck_assert_msg(store_begin(s, &e) && store_policy_add(s, &row, &row.version, &e) && store_commit(s, &e), "%s", e.why);
	store_close(s);
}

/* The list alone. */
static void
put_files(const char *extra)
{
	struct store *s = lab_store(&lab);

	put_list(s, extra);
	store_close(s);
}

/* --- the host */

static void
measure(struct soft_host *h, unsigned files)
{
	if (!h->ima.entries)
		soft_ima_aggregate(&h->ima, h->log, h->log_len);
	for (unsigned i = 0; i < files; i++) {
		char path[64], content[32];

		sprintf(path, "/usr/bin/tool-%u", h->ima.entries);
		sprintf(content, "known %u", h->ima.entries);
		soft_ima_file(&h->ima, path, content);
	}
	h->ima_covered = h->ima.entries;
}

static void
reboot(struct soft_host *h)
{
	soft_ima_free(&h->ima);
	h->boot_id[0] ^= 3;             /* '1' and '2' */
	h->reset_count++;
	measure(h, FIRST - 1);
}

static void
open_lab(void)
{
	lab_open(&lab);
	soft_host(&lab, &a, "host-a", "sb-shimgrub-a");
	put_policy("allow-list", NULL);
	measure(&a, FIRST - 1);
	lab_start(&lab, 2, 2);
}

static void
close_lab(void)
{
	soft_host_free(&a);
	lab_close(&lab);
}

/* --- steps */

static void
challenge(struct soft_quote *q)
{
	ck_assert_msg(soft_challenge(&lab, &a, q, &r), "challenge: %d %s", r.status, r.body);
}

static const char *
send(const struct soft_quote *q)
{
	soft_attest(&lab, q, &r);
	return reply_reason(&r);
}

/* One honest attestation, as attestd does it: sends what is asked for, all of it at once. */
static const char *
attest(void)
{
	struct soft_quote q;
	const char *why;

	challenge(&q);
	q.with_values = false;
	why = send(&q);
	for (unsigned i = 0; i < 5 && r.status == 409; i++) {
		struct problem p;
		struct error e;

		ck_assert_msg(problem_read(r.body, strlen(r.body), &p, &e), "%s", e.why);
		if (!strcmp(p.need, "boot_log")) {
			q.with_log = true;
		} else if (!strcmp(p.need, "pcrs")) {
			q.with_values = true;
			soft_values(&a, &q);
		} else
			q.ima_at = p.from < a.ima.entries ? (unsigned)p.from : a.ima.entries;
		why = send(&q);
	}
	return why;
}

/* The boot is approved, and the first list accepted. */
static void
settle(void)
{
	struct admin_request capture = { .op = ADMIN_CAPTURE, .set = "base", .reason = "test", .host = "host-a" };
	struct admin_request activate = { .op = ADMIN_ACTIVATE, .set = "base", .reason = "test" };

	ck_assert_str_eq(attest(), "no-reference");
	lab_admin(&lab, &capture, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	lab_admin(&lab, &activate, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	ck_assert_msg(!strcmp(attest(), "ok"), "%s", r.body);
}

/* What 409 asks for. */
static unsigned
wanted(void)
{
	struct problem p;
	struct error e;

	ck_assert_msg(r.status == 409 && problem_read(r.body, strlen(r.body), &p, &e), "%d %s", r.status, r.body);
	ck_assert_str_eq(p.need, "ima");
	ck_assert(p.reason == REASON_NEEDS_IMA);
	return (unsigned)p.from;
}

/* "ima" of `verifierctl show`. */
static void
is_shown(int64_t entries, int64_t violations, int64_t pending, bool refused)
{
	struct admin_request show = { .op = ADMIN_SHOW, .host = "host-a" };
	own(json) struct json *j = NULL;
	const struct json *ima;
	struct error e = { .code = ERR_NONE };
	int64_t n[3] = { 0 };
	bool is = false;

	lab_admin(&lab, &show, &r);
	ck_assert_msg(r.status == 200 && json_parse(r.body, strlen(r.body), &j, &e) && json_sub(j, "ima", &ima, &e), "%s", r.body);
	ck_assert(json_int(ima, "entries", 0, 1 << 20, &n[0], &e) && json_int(ima, "violations", 0, 1 << 20, &n[1], &e) &&
	    json_int(ima, "pending", 0, 1 << 20, &n[2], &e) && json_flag(ima, "refused", &is, &e));
	ck_assert_msg(n[0] == entries && n[1] == violations && n[2] == pending && is == refused,
	    "entries %d, violations %d, pending %d, refused %d", (int)n[0], (int)n[1], (int)n[2], is);
}

START_TEST(only_what_is_new_is_asked_for)
{
	struct soft_quote q;

	settle();
	is_shown(FIRST, 0, 0, false);
	challenge(&q);
	ck_assert(q.ima_from == FIRST && q.ima_at == FIRST && q.ima_to == FIRST);
	ck_assert_str_eq(send(&q), "ok");               /* nothing new */
	measure(&a, 3);
	challenge(&q);
	ck_assert_int_eq(q.ima_from, FIRST);
	ck_assert_str_eq(send(&q), "ok");
	is_shown(FIRST + 3, 0, 0, false);
	ck_assert_str_eq(attest(), "ok");
}
END_TEST

START_TEST(what_came_after_the_quote_waits)
{
	struct soft_quote q;

	settle();
	measure(&a, 5);
	a.ima_covered -= 2;
	ck_assert_str_eq(attest(), "ok");
	is_shown(FIRST + 3, 0, 2, false);
	a.ima_covered = a.ima.entries;
	challenge(&q);
	ck_assert_int_eq(q.ima_from, FIRST + 3);
	ck_assert_str_eq(send(&q), "ok");
	is_shown(FIRST + 5, 0, 0, false);
}
END_TEST

START_TEST(a_list_in_parts)
{
	struct soft_quote q;

	settle();
	measure(&a, 1000);
	challenge(&q);
	q.ima_to = FIRST + 300;
	send(&q);
	ck_assert_uint_eq(wanted(), FIRST + 300);
	is_shown(FIRST, 0, 0, false);                   /* nothing of it is believed yet */
	q.ima_at = FIRST + 300;
	q.ima_to = FIRST + 999;
	send(&q);
	ck_assert_uint_eq(wanted(), FIRST + 999);
	send(&q);                                       /* the same again moves nothing */
	ck_assert_uint_eq(wanted(), FIRST + 999);
	q.ima_at = FIRST + 999;
	q.ima_to = a.ima.entries;
	ck_assert_str_eq(send(&q), "ok");               /* and a 409 consumed no challenge */
	is_shown(FIRST + 1000, 0, 0, false);
	ck_assert_str_eq(send(&q), "challenge-used");
}
END_TEST

START_TEST(a_part_that_is_missing_is_asked_for)
{
	struct soft_quote q;

	settle();
	measure(&a, 100);
	challenge(&q);
	q.ima_at = FIRST + 50;
	send(&q);
	ck_assert_uint_eq(wanted(), FIRST);
	q.ima_at = FIRST;
	ck_assert_str_eq(send(&q), "ok");
	/* More than was asked for does no harm. */
	measure(&a, 1);
	challenge(&q);
	q.ima_at = FIRST + 7;
	ck_assert_str_eq(send(&q), "ok");
}
END_TEST

START_TEST(a_list_that_never_meets_its_quote)
{
	struct soft_quote q;

	settle();
	measure(&a, 20);
	challenge(&q);
	q.pcr_digest[0] ^= 1;
	send(&q);
	ck_assert_uint_eq(wanted(), FIRST + 20);
	q.ima_at = q.ima_to;                            /* there is no more */
	ck_assert_msg(!strcmp(send(&q), "evidence-lost"), "%s", r.body);
	is_shown(FIRST, 0, 0, false);
	ck_assert_str_eq(attest(), "ok");               /* and it did not cost an honest quote anything */
}
END_TEST

/* Row 40. */
START_TEST(row_40_a_bad_entry_sticks_for_the_boot)
{
	settle();
	soft_ima_file(&a.ima, "/usr/bin/evil", "evil");
	measure(&a, 2);
	ck_assert_msg(!strcmp(attest(), "ima-unknown-file"), "%s", r.body);
	measure(&a, 5);
	ck_assert_str_eq(attest(), "ima-unknown-file");
	ck_assert_str_eq(attest(), "ima-unknown-file");
	lab_kill_core(&lab);
	lab_start(&lab, 2, 2);
	ck_assert_str_eq(attest(), "ima-unknown-file");
	reboot(&a);
	ck_assert_msg(!strcmp(attest(), "ok"), "%s", r.body);
}
END_TEST

START_TEST(row_40_another_allow_list_looks_at_everything_again)
{
	struct soft_quote q;

	settle();
	soft_ima_file(&a.ima, "/usr/bin/new", "not yet known");
	measure(&a, 2);
	ck_assert_str_eq(attest(), "ima-unknown-file");
	put_files("not yet known");
	challenge(&q);
	ck_assert_int_eq(q.ima_from, 0);
	ck_assert_msg(!strcmp(attest(), "ok"), "%s", r.body);
	is_shown(FIRST + 3, 0, 0, false);
	/* And what was good is not good for ever: */
	put_files(NULL);
	ck_assert_str_eq(attest(), "ima-unknown-file");
	put_policy("allow-list", "not yet known");      /* the next version of the same policy */
	challenge(&q);
	ck_assert_int_eq(q.ima_from, 0);
	ck_assert_str_eq(attest(), "ok");
}
END_TEST

/* Row 40 and 14: all counters start anew, the boot does not. */
START_TEST(row_40_tpm2_clear)
{
	struct soft_quote q;

	settle();
	soft_ima_file(&a.ima, "/usr/bin/evil", "evil");
	measure(&a, 1);
	ck_assert_str_eq(attest(), "ima-unknown-file");
	a.reset_count = 0;
	challenge(&q);
	send(&q);
	ck_assert_uint_eq(wanted(), 0);
	q.ima_at = 0;
	ck_assert_str_eq(send(&q), "ima-unknown-file");
}
END_TEST

START_TEST(row_15_a_reboot_starts_from_the_beginning)
{
	struct soft_quote q;

	settle();
	measure(&a, 10);
	ck_assert_str_eq(attest(), "ok");
	reboot(&a);
	challenge(&q);
	ck_assert_int_eq(q.ima_from, 0);
	ck_assert_msg(!strcmp(attest(), "ok"), "%s", r.body);
	is_shown(FIRST, 0, 0, false);
	/* The boot is told by the quote: an empty list on top of the position of the boot before is nothing. */
	reboot(&a);
	challenge(&q);
	q.ima_from = q.ima_at = FIRST;
	q.context.ima_from = FIRST;
	send(&q);
	ck_assert_uint_eq(wanted(), 0);
}
END_TEST

START_TEST(row_39_the_beginning_is_bound)
{
	struct soft_quote q;

	settle();
	challenge(&q);
	q.ima_from = 0;
	ck_assert_str_eq(send(&q), "context-differs");
	challenge(&q);
	q.ima_from = -1;
	q.ima = NULL;
	ck_assert_str_eq(send(&q), "context-differs");
	ck_assert_str_eq(attest(), "ok");
}
END_TEST

START_TEST(row_43_a_list_that_is_withheld)
{
	struct soft_quote q;

	challenge(&q);
	q.ima = NULL;
	q.ima_from = -1;
	q.context.ima_from = 0;
	ck_assert_msg(!strcmp(send(&q), "ima-missing"), "%s", r.body);
	settle();
	challenge(&q);
	q.ima = NULL;
	q.ima_from = -1;
	q.context.ima_from = 0;
	ck_assert_msg(!strcmp(send(&q), "evidence-lost"), "%s", r.body);
}
END_TEST

START_TEST(a_list_that_cannot_be_read)
{
	struct soft_quote q;

	settle();
	measure(&a, 3);
	challenge(&q);
	a.ima.buf[a.ima.offset[FIRST + 1] + 26] = 0xff;   /* the length of a template's name */
	ck_assert_msg(!strcmp(send(&q), "evidence-lost") && !strstr(r.body, "affirming"), "%s", r.body);
}
END_TEST

START_TEST(row_24_kill_9_between_parts_and_commits)
{
	struct soft_quote q;

	settle();
	measure(&a, 100);
	challenge(&q);
	q.ima_to = FIRST + 60;
	send(&q);
	ck_assert_uint_eq(wanted(), FIRST + 60);
	lab_kill_core(&lab);
	lab_start(&lab, 2, 2);
	q.ima_at = FIRST + 60;
	q.ima_to = a.ima.entries;
	send(&q);
	ck_assert_uint_eq(wanted(), FIRST);             /* what came before is lost, and asked for */
	q.ima_at = FIRST;
	ck_assert_str_eq(send(&q), "ok");
	lab_kill_core(&lab);
	lab_start(&lab, 2, 2);
	challenge(&q);
	ck_assert_int_eq(q.ima_from, FIRST + 100);      /* what was answered is there */
	ck_assert_str_eq(send(&q), "ok");
}
END_TEST

/* A list that a policy names and that is not there permits nothing. */
START_TEST(an_allow_list_that_is_gone)
{
	struct admin_request drop = { .op = ADMIN_ALLOW_DROP, .list = "test", .reason = "test" };
	struct error e;
	struct store *s;

	settle();
	lab_admin(&lab, &drop, &r);
	ck_assert_msg(r.status == 409 && strstr(r.body, "policy default names this list"), "%d %s", r.status, r.body);
	s = lab_store(&lab);
	ck_assert(store_begin(s, &e) && store_allow_drop(s, "test", &e) && store_commit(s, &e));
	store_close(s);
	ck_assert_msg(!strcmp(attest(), "ima-unknown-file"), "%s", r.body);
	lab_admin(&lab, &drop, &r);
	ck_assert_int_eq(r.status, 409);
}
END_TEST

START_TEST(lists_come_and_go)
{
	struct admin_request set = { .op = ADMIN_ALLOW_SET, .list = "small", .reason = "test" };
	struct admin_request drop = { .op = ADMIN_ALLOW_DROP, .list = "small", .reason = "test" };
	struct admin_request list = { .op = ADMIN_ALLOW_LISTS };
	char text[256];
	size_t n = (size_t)sprintf(text, "attest-allow-list 1\n");

	n += put_line(text + n, "one", "/usr/bin/one");
	set.text = (struct long_text){ text, (uint32_t)n };
	lab_admin(&lab, &set, &r);
	ck_assert_msg(r.status == 200 && strstr(r.body, "\"entries\":1"), "%d %s", r.status, r.body);
	lab_admin(&lab, &list, &r);
	ck_assert_msg(strstr(r.body, "\"name\":\"small\"") && strstr(r.body, "\"name\":\"test\""), "%s", r.body);
	set.text.len = 3;
	lab_admin(&lab, &set, &r);
	ck_assert_int_eq(r.status, 400);
	strcpy(set.list, "../small");
	lab_admin(&lab, &set, &r);
	ck_assert_int_eq(r.status, 400);
	lab_admin(&lab, &drop, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	lab_admin(&lab, &drop, &r);
	ck_assert_int_eq(r.status, 404);
}
END_TEST

/* Paths of a kilobyte: two such lists together are over the limit. */
static void
set_list(const char *name, unsigned entries)
{
	struct admin_request set = { .op = ADMIN_ALLOW_SET, .reason = "test" };
	own(mem) char *text = malloc(64 + (size_t)entries * 1200);
	size_t n = (size_t)sprintf(text, "attest-allow-list 1\n");

	strcpy(set.list, name);
	for (unsigned i = 0; i < entries; i++) {
		char content[64], path[1024];

		sprintf(content, "%s %u", name, i);
		sprintf(path, "/%01000u", i);
		n += put_line(text + n, content, path);
	}
	set.text = (struct long_text){ text, (uint32_t)n };
	lab_admin(&lab, &set, &r);
}

static void
name_lists(const char *names)
{
	char text[512];
	struct admin_request set = { .op = ADMIN_POLICY_SET, .reason = "test" };

	set.text = (struct long_text){ text, (uint32_t)sprintf(text, "{\"schema\":1,\"name\":\"default\","
	    "\"pcrs\":{\"0\":\"events\",\"2\":\"events\",\"4\":\"events\",\"7\":\"events\",\"8\":\"events\",\"9\":\"events\","
	    "\"11\":\"events\",\"12\":\"events\",\"14\":\"events\"},\"tpm\":{\"allow_simulator\":true},"
	    "\"ima\":{\"mode\":\"allow-list\",\"allow_lists\":[%s]}}", names) };
	lab_admin(&lab, &set, &r);
}

/* Lists that are too large together would leave the group without a policy: none of its hosts could be judged. */
START_TEST(lists_that_do_not_go_together)
{
	enum { MANY = 6800 };

	settle();
	set_list("one", MANY);
	ck_assert_msg(r.status == 200, "%d %s", r.status, r.body);
	set_list("two", 1);
	ck_assert_msg(r.status == 200, "%d %s", r.status, r.body);
	set_list("apart", MANY);
	ck_assert_msg(r.status == 200, "%d %s", r.status, r.body);
	name_lists("\"test\",\"one\",\"two\"");
	ck_assert_msg(r.status == 200, "%d %s", r.status, r.body);
	ck_assert_msg(!strcmp(attest(), "ok"), "%s", r.body);
	set_list("two", MANY);
	ck_assert_msg(r.status == 409 && strstr(r.body, "group default"), "%d %s", r.status, r.body);
	name_lists("\"test\",\"one\",\"apart\"");
	ck_assert_msg(r.status == 409 && strstr(r.body, "group default"), "%d %s", r.status, r.body);
	ck_assert_msg(!strcmp(attest(), "ok"), "%s", r.body);
}
END_TEST

/* A host whose firmware keeps no log: its boot by approved values, and its list beside them. */
START_TEST(a_list_without_a_log)
{
	struct admin_request class = { .op = ADMIN_CLASS, .host = "host-a", .class = "no-log", .reason = "test" };
	struct admin_request capture = { .op = ADMIN_CAPTURE, .set = "pins", .reason = "test", .host = "host-a" };
	struct admin_request activate = { .op = ADMIN_ACTIVATE, .set = "pins", .reason = "test" };
	struct soft_quote q;

	a.gives_no_log = true;
	ck_assert_str_eq(attest(), "eventlog-missing");
	lab_admin(&lab, &class, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	ck_assert_msg(!strcmp(attest(), "no-reference"), "%s", r.body);
	lab_admin(&lab, &capture, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	lab_admin(&lab, &activate, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	ck_assert_msg(!strcmp(attest(), "ok"), "%s", r.body);
	is_shown(FIRST, 0, 0, false);
	measure(&a, 7);
	ck_assert_msg(!strcmp(attest(), "ok"), "%s", r.body);
	is_shown(FIRST + 7, 0, 0, false);
	challenge(&q);                                  /* values that were not quoted are none */
	soft_values(&a, &q);
	q.values[5] ^= 1;
	ck_assert_msg(!strcmp(send(&q), "pcrs-unproven"), "%s", r.body);
	challenge(&q);
	soft_values(&a, &q);
	q.ima = NULL;
	q.ima_from = -1;
	q.context.ima_from = 0;
	ck_assert_msg(!strcmp(send(&q), "evidence-lost"), "%s", r.body);
	soft_ima_file(&a.ima, "/usr/bin/evil", "evil");
	measure(&a, 1);
	ck_assert_msg(!strcmp(attest(), "ima-unknown-file"), "%s", r.body);
	ck_assert_str_eq(attest(), "ima-unknown-file");
}
END_TEST

START_TEST(violations_are_counted)
{
	settle();
	soft_ima_violation(&a.ima, "/usr/bin/tool-1");
	measure(&a, 1);
	ck_assert_msg(!strcmp(attest(), "ima-unsteady"), "%s", r.body);
	is_shown(FIRST + 2, 1, 0, false);
}
END_TEST

START_TEST(a_policy_that_begins_to_ask)
{
	struct soft_quote q;

	put_policy("off", NULL);
	challenge(&q);
	ck_assert(q.ima_from == -1 && !(q.selection.bank[0].pcrs & 1u << 10));
	put_policy("allow-list", NULL);
	ck_assert_msg(!strcmp(send(&q), "challenge-expired"), "%s", r.body);
	settle();
	put_policy("off", NULL);
	ck_assert_str_eq(attest(), "ok");
}
END_TEST

/* References speak of the boot: they are as good with IMA's PCR beside it as without. */
START_TEST(references_from_before_ima_was_asked)
{
	put_policy("off", NULL);
	settle();
	put_policy("allow-list", NULL);
	ck_assert_str_eq(attest(), "ok");
	ck_assert_str_eq(attest(), "ok");
}
END_TEST

/* What a change would make of a host whose list is not kept: its boot is judged again, its files are as they were. */
START_TEST(what_if_with_ima)
{
	static const char text[] = "{\"schema\":1,\"name\":\"default\",\"pcrs\":{\"0\":\"events\",\"2\":\"events\",\"4\":\"events\","
	    "\"7\":\"events\",\"8\":\"events\",\"9\":\"events\",\"11\":\"events\",\"12\":\"events\",\"14\":\"events\"},"
	    "\"cmdline\":{\"forbid\":[\"ima_policy=*\"]},\"ima\":{\"mode\":\"allow-list\",\"allow_lists\":[\"test\"]}}";
	struct admin_request ask = { .op = ADMIN_POLICY_SET, .dry_run = true, .text = { text, sizeof(text) - 1 } };

	settle();
	lab_admin(&lab, &ask, &r);
	ck_assert_msg(r.status == 200 && strstr(r.body, "\"becomes\":\"contraindicated\",\"reason\":\"cmdline-forbidden\""), "%s", r.body);
	ck_assert_ptr_nonnull(strstr(r.body, "\"judged\":1,\"unknown\":0"));
	soft_ima_file(&a.ima, "/usr/bin/bad", "bad");
	a.ima_covered = a.ima.entries;
	ck_assert_str_eq(attest(), "ima-unknown-file");
	lab_admin(&lab, &ask, &r);
	ck_assert_msg(r.status == 200 && strstr(r.body, "\"judged\":0,\"unknown\":1"), "%s", r.body);
}
END_TEST

/* Nanoseconds on a CPU. */
static unsigned long long
cpu_of(pid_t pid)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "re");
	ck_assert(f && fscanf(f, "%llu", &ns) == 1);
	fclose(f);
	return ns;
}

/* Bytes that a process has written into files and sealed memory. */
static unsigned long long
written_by(pid_t pid)
{
	unsigned long long n = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	f = fopen(path, "re");
	ck_assert(f && fscanf(f, "rchar: %*u wchar: %llu", &n) == 1);
	fclose(f);
	return n;
}

/* The rules are far larger than what one attestation leaves in the store. */
START_TEST(a_judge_hears_the_rules_once)
{
	enum { RULES_LEAST = 32 * FILES };
	unsigned long long before;

	settle();
	before = written_by(lab.core);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_str_eq(attest(), "ok");
		ck_assert_msg(written_by(lab.core) - before < RULES_LEAST, "%llu bytes", written_by(lab.core) - before);
		before = written_by(lab.core);
	}
	put_files("one more");
	ck_assert_str_eq(attest(), "ok");
	ck_assert_msg(written_by(lab.core) - before > RULES_LEAST, "other rules: %llu bytes", written_by(lab.core) - before);
}
END_TEST

START_TEST(row_47_a_bad_signature_brings_no_list_to_parse)
{
	enum { PARSER = 0 };
	struct soft_host b;
	unsigned long long before;
	struct soft_quote q;

	lab_kill_core(&lab);
	soft_host(&lab, &b, "host-b", "sb-shimgrub-a");
	lab_start(&lab, 2, 2);
	settle();
	measure(&a, 50000);
	before = cpu_of(lab.worker[PARSER]);
	for (unsigned i = 0; i < 5; i++) {
		challenge(&q);
		q.key = b.key;
		ck_assert_str_eq(send(&q), "quote-signature");
	}
	ck_assert_msg(cpu_of(lab.worker[PARSER]) == before, "the parser has worked");
	is_shown(FIRST, 0, 0, false);
	soft_host_free(&b);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_lab, close_lab);
	tcase_add_test(tc, only_what_is_new_is_asked_for);
	tcase_add_test(tc, what_came_after_the_quote_waits);
	tcase_add_test(tc, a_list_in_parts);
	tcase_add_test(tc, a_part_that_is_missing_is_asked_for);
	tcase_add_test(tc, a_list_that_never_meets_its_quote);
	tcase_add_test(tc, row_40_a_bad_entry_sticks_for_the_boot);
	tcase_add_test(tc, row_40_another_allow_list_looks_at_everything_again);
	tcase_add_test(tc, row_40_tpm2_clear);
	tcase_add_test(tc, row_15_a_reboot_starts_from_the_beginning);
	tcase_add_test(tc, row_39_the_beginning_is_bound);
	tcase_add_test(tc, row_43_a_list_that_is_withheld);
	tcase_add_test(tc, a_list_that_cannot_be_read);
	tcase_add_test(tc, row_24_kill_9_between_parts_and_commits);
	tcase_add_test(tc, an_allow_list_that_is_gone);
	tcase_add_test(tc, lists_that_do_not_go_together);
	tcase_add_test(tc, lists_come_and_go);
	tcase_add_test(tc, a_list_without_a_log);
	tcase_add_test(tc, violations_are_counted);
	tcase_add_test(tc, a_policy_that_begins_to_ask);
	tcase_add_test(tc, references_from_before_ima_was_asked);
	tcase_add_test(tc, what_if_with_ima);
	tcase_add_test(tc, a_judge_hears_the_rules_once);
	tcase_add_test(tc, row_47_a_bad_signature_brings_no_list_to_parse);
}

int main(void) { return unit_run("core_ima", add); }
