/* POST /v1/events: what a host tells afterwards, in core with its real workers. */
#include "clock.h"
#include "core_lab.h"
#include "unit.h"

static struct lab lab;
static struct soft_host a;
static struct reply r;

static void
open_lab(void)
{
	lab_open(&lab);
	soft_host(&lab, &a, "host-a", "sb-shimgrub-a");
	lab_start(&lab, 1, 1);
}

static void
close_lab(void)
{
	soft_host_free(&a);
	lab_close(&lab);
}

#define BATCH(n) "\"batch\":\"0000000000000000000000000000000" #n "\""
#define EVENT(kind, user, count) "{\"kind\":\"" kind "\",\"service\":\"sshd\",\"user\":\"" user "\",\"reason\":\"break-glass\"," \
	"\"ref\":\"\",\"count\":" #count ",\"first\":\"2026-11-24T09:00:00Z\",\"last\":\"2026-11-24T10:00:00Z\"}"
#define MODES "\"modes\":[{\"service\":\"sshd\",\"mode\":\"enforce\"},{\"service\":\"sudo\",\"mode\":\"audit\"}]"
#define BODY(n, events) "{" BATCH(n) ",\"events\":[" events "]," MODES "}"

static bool
challenged(enum purpose purpose, struct soft_quote *q)
{
	struct challenge_request ask;
	struct challenge_answer answer;
	struct error e = { .code = ERR_NONE };
	uint8_t buf[4096];
	struct writer w = wr_open(buf, sizeof(buf));

	soft_ask(&a, &ask);
	ask.purpose = purpose;
	challenge_request_pack(&ask, &w);
	lab_ask(&lab, MSG_CHALLENGE, buf, w.used, &r);
	if (r.status != 200)
		return false;
	ck_assert_msg(challenge_answer_read(r.body, strlen(r.body), &answer, &e), "%s", e.why);
	soft_quote(&a, &answer, q);
	q->context.purpose = purpose;
	return true;
}

static void
say(struct soft_quote *q, const char *text)
{
	q->with_log = q->with_values = false;
	q->facts = text;
	ck_assert(digest_sha256(text, strlen(text), q->facts_digest));
}

static void
post(const struct soft_quote *q, enum message type)
{
	own(mem) uint8_t *body = NULL;
	size_t len;

	body = soft_evidence(q, &len);
	lab_ask(&lab, type, body, len, &r);
}

static int
told(const char *text)
{
	struct soft_quote q;

	ck_assert_msg(challenged(PURPOSE_EVENTS, &q), "%s", r.body);
	say(&q, text);
	post(&q, MSG_EVENTS);
	return r.status;
}

static struct json *
asked(enum admin_op op)
{
	struct admin_request q = { .op = op, .host = "host-a" };
	struct error e = { .code = ERR_NONE };
	struct json *j;

	lab_admin(&lab, &q, &r);
	ck_assert_msg(r.status == 200 && json_parse(r.body, strlen(r.body), &j, &e), "%d %s", r.status, r.body);
	return j;
}

static unsigned
history(void)
{
	own(json) struct json *j = asked(ADMIN_HISTORY);
	struct error e;
	unsigned n;

	ck_assert(json_list(j, "history", 1000, &n, &e));
	return n;
}

START_TEST(what_is_told_is_kept)
{
	own(json) struct json *j = NULL, *show = NULL;
	const struct json *item, *modes;
	struct error e;
	char text[64];
	int64_t count;

	ck_assert_msg(told(BODY(1, EVENT("break-glass", "kim", 3))) == 200, "%s", r.body);
	j = asked(ADMIN_HISTORY);
	item = json_item(j, "history", 0);
	ck_assert(json_text(item, "kind", text, sizeof(text), &e) && !strcmp(text, "break-glass"));
	ck_assert(json_text(item, "user", text, sizeof(text), &e) && !strcmp(text, "kim"));
	ck_assert(json_text(item, "at", text, sizeof(text), &e) && !strcmp(text, "2026-11-24T10:00:00Z"));
	ck_assert(json_int(item, "count", 0, 9, &count, &e) && count == 3);
	show = asked(ADMIN_SHOW);
	ck_assert(json_sub(show, "modes", &modes, &e));
	ck_assert(json_text(modes, "sshd", text, sizeof(text), &e) && !strcmp(text, "enforce"));
	ck_assert(json_text(modes, "sudo", text, sizeof(text), &e) && !strcmp(text, "audit"));
	ck_assert(json_int(json_item(show, "events", 0), "count", 0, 9, &count, &e) && count == 3);
	/* An answer that was lost makes the host tell it again, under another challenge: once is enough. */
	ck_assert_int_eq(told(BODY(1, EVENT("break-glass", "kim", 3))), 200);
	ck_assert_msg(strstr(r.body, "\"taken\":0"), "%s", r.body);
	ck_assert_uint_eq(history(), 1);
	/* The next batch is another. Modes take the place of those before. */
	ck_assert_int_eq(told("{" BATCH(2) ",\"events\":[" EVENT("fail-open", "eve", 1) "],\"modes\":[]}"), 200);
	ck_assert_uint_eq(history(), 2);
	json_free(show);
	show = asked(ADMIN_SHOW);
	ck_assert(json_sub(show, "modes", &modes, &e) && !json_has(modes, "sshd"));
}
END_TEST

/* Row 39: a quote counts for the purpose that it was made for, and for no other. */
START_TEST(row_39_a_quote_for_events_is_no_attestation)
{
	struct soft_quote q;

	/* ... offered with its own challenge, */
	ck_assert(challenged(PURPOSE_EVENTS, &q));
	q.with_log = true;
	post(&q, MSG_EVIDENCE);
	ck_assert_int_eq(r.status, 403);
	ck_assert_str_eq(reply_reason(&r), "challenge-invalid");
	/* ... made for events over a challenge for logins, */
	ck_assert(challenged(PURPOSE_LOGIN, &q));
	q.context.purpose = PURPOSE_EVENTS;
	post(&q, MSG_EVIDENCE);
	ck_assert_str_eq(reply_reason(&r), "context-differs");
	/* ... for a passport neither. */
	ck_assert(challenged(PURPOSE_PASSPORT, &q));
	post(&q, MSG_EVIDENCE);
	ck_assert_str_eq(reply_reason(&r), "challenge-invalid");
}
END_TEST

START_TEST(row_39_an_attestation_tells_no_events)
{
	struct soft_quote q;

	ck_assert(challenged(PURPOSE_LOGIN, &q));
	say(&q, BODY(1, EVENT("break-glass", "kim", 1)));
	post(&q, MSG_EVENTS);
	ck_assert_int_eq(r.status, 403);
	ck_assert_str_eq(reply_reason(&r), "challenge-invalid");
	ck_assert(challenged(PURPOSE_EVENTS, &q));
	q.context.purpose = PURPOSE_LOGIN;
	say(&q, BODY(1, EVENT("break-glass", "kim", 1)));
	post(&q, MSG_EVENTS);
	ck_assert_int_eq(r.status, 403);
	ck_assert_str_eq(reply_reason(&r), "context-differs");
	ck_assert_uint_eq(history(), 0);
}
END_TEST

/* The quote is over these words alone, and a challenge is good once. */
START_TEST(other_words_under_the_same_quote)
{
	struct soft_quote q;

	ck_assert(challenged(PURPOSE_EVENTS, &q));
	say(&q, BODY(1, EVENT("break-glass", "kim", 1)));
	q.facts = BODY(1, "");
	post(&q, MSG_EVENTS);
	ck_assert_str_eq(reply_reason(&r), "context-differs");
	q.facts = BODY(1, EVENT("break-glass", "kim", 1));
	post(&q, MSG_EVENTS);
	ck_assert_int_eq(r.status, 200);
	post(&q, MSG_EVENTS);
	ck_assert_int_eq(r.status, 403);
	ck_assert_str_eq(reply_reason(&r), "challenge-used");
	q.facts = NULL;
	post(&q, MSG_EVENTS);
	ck_assert_int_eq(r.status, 400);
	ck_assert_uint_eq(history(), 1);
}
END_TEST

static const char *const wrong[] = {
	"{}", "[]", "nonsense", "{" BATCH(1) "}", "{" BATCH(1) ",\"events\":{},\"modes\":[]}", BODY(1, "7"),
	BODY(1, EVENT("free-beer", "kim", 1)), BODY(1, EVENT("break-glass", "k m", 1)),
	BODY(1, EVENT("break-glass", "k\\u001bm", 1)), BODY(1, EVENT("break-glass", "kim", 0)),
	BODY(1, EVENT("break-glass", "kim", 5000000000)),
	BODY(1, EVENT("break-glass", "0123456789012345678901234567890123456789012345678", 1)),
	"{\"batch\":\"00\",\"events\":[],\"modes\":[]}",
	"{" BATCH(1) ",\"events\":[],\"modes\":[{\"service\":\"sshd\",\"mode\":\"perhaps\"}]}",
};

START_TEST(what_cannot_be_read_is_refused)
{
	ck_assert_msg(told(wrong[_i]) == 400, "%s: %d %s", wrong[_i], r.status, r.body);
	ck_assert_uint_eq(history(), 0);
}
END_TEST

START_TEST(a_revoked_host_is_not_heard)
{
	struct admin_request revoke = { .op = ADMIN_REVOKE, .host = "host-a", .reason = "stolen" };

	lab_admin(&lab, &revoke, &r);
	ck_assert_int_eq(r.status, 200);
	ck_assert_int_eq(told(BODY(1, EVENT("break-glass", "kim", 1))), 403);
	ck_assert_str_eq(reply_reason(&r), "host-revoked");
}
END_TEST

/* Nor is a journal one host's to fill. What was taken before is no new batch, whenever it comes. */
START_TEST(who_tells_too_much_is_put_off)
{
	static struct incidents all = { .count = INCIDENTS_MAX };
	struct error e = { .code = ERR_NONE };
	struct store *s;

	ck_assert_int_eq(told(BODY(1, EVENT("break-glass", "kim", 1))), 200);
	for (unsigned i = 0; i < INCIDENTS_MAX; i++)
		strcpy(all.list[i].service, "sshd");
	s = lab_store(&lab);
	ck_assert(store_begin(s, &e));
	for (unsigned i = 0; i < 8; i++) {
		all.batch[0] = (uint8_t)(i + 1);
		ck_assert_msg(store_batch_add(s, a.id, &all, clock_now().wall, 1000, &e), "%s", e.why);
	}
	ck_assert(store_commit(s, &e));
	store_close(s);
	ck_assert_int_eq(told(BODY(2, EVENT("break-glass", "kim", 1))), 503);
	ck_assert_int_eq(told(BODY(1, EVENT("break-glass", "kim", 1))), 200);
}
END_TEST

START_TEST(a_great_number_does_not_wrap)
{
	own(json) struct json *show = NULL;
	struct error e = { .code = ERR_NONE };
	int64_t count;

	ck_assert_int_eq(told(BODY(1, EVENT("lease", "kim", 4294967295) "," EVENT("lease", "lee", 2))), 200);
	show = asked(ADMIN_SHOW);
	ck_assert(json_int(json_item(show, "events", 0), "count", 0, INT64_MAX / 1024, &count, &e) && count == UINT32_MAX);
}
END_TEST

/* What one host can make the verifier keep is bounded. */
START_TEST(a_flood_is_bounded)
{
	static struct incidents all = { .count = INCIDENTS_MAX };
	struct error e = { .code = ERR_NONE };
	struct store *s;

	ck_assert_int_eq(told(BODY(1, "")), 200);
	for (unsigned i = 0; i < INCIDENTS_MAX; i++) {
		strcpy(all.list[i].service, "sshd");
		all.list[i].count = 1;
	}
	s = lab_store(&lab);
	ck_assert(store_begin(s, &e));
	for (unsigned i = 0; i < 100; i++) {
		all.batch[0] = (uint8_t)(i + 1);
		ck_assert_msg(store_batch_add(s, a.id, &all, 1, 1000, &e), "%s", e.why);
	}
	ck_assert(store_commit(s, &e));
	store_close(s);
	ck_assert_uint_eq(history(), 200);
	ck_assert_int_eq(told(BODY(2, EVENT("break-glass", "kim", 1))), 200);
	{
		own(json) struct json *show = asked(ADMIN_SHOW);
		int64_t count;

		ck_assert(json_int(json_item(show, "events", 0), "count", 0, 2000, &count, &e) && count == 1000);
	}
}
END_TEST

static void
add(TCase *t)
{
	tcase_add_checked_fixture(t, open_lab, close_lab);
	tcase_add_test(t, what_is_told_is_kept);
	tcase_add_test(t, row_39_a_quote_for_events_is_no_attestation);
	tcase_add_test(t, row_39_an_attestation_tells_no_events);
	tcase_add_test(t, other_words_under_the_same_quote);
	tcase_add_loop_test(t, what_cannot_be_read_is_refused, 0, COUNT(wrong));
	tcase_add_test(t, a_revoked_host_is_not_heard);
	tcase_add_test(t, who_tells_too_much_is_put_off);
	tcase_add_test(t, a_great_number_does_not_wrap);
	tcase_add_test(t, a_flood_is_bounded);
}

int main(void) { return unit_run("events", add); }
