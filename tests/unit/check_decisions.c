/* What gates tell, from the datagram to the file and the report. */
#include <sys/stat.h>
#include "diary.h"
#include "local.h"
#include "tally.h"
#include "trail.h"
#include "unit.h"

enum { NOW_S = 1764000000 };
#define NOW ((int64_t)NOW_S * 1000)
static char dir[64];
static struct decisions all;
static struct diary di;
static struct tally tally;

static void
setup(void)
{
	strcpy(dir, "/tmp/check_decisions.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memset(&all, 0, sizeof(all));
	memset(&tally, 0, sizeof(tally));
}

static const char *
in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
teardown(void)
{
	unlink(in_dir("decisions"));
	unlink(in_dir("decisions.1"));
	rmdir(in_dir("decisions"));
	rmdir(dir);
}

/* --- datagrams */

#define HEAD "version=1\ntime=1763999999000\nservice=sshd\nuser=kim\n"
static const struct { const char *label, *text; uid_t uid; bool taken; } datagrams[] = {
	{ "whole", HEAD "access=refused\nphase=account\nstate=none\nreason=attestd-down\nref=L-7F3K-21QX\nmode=enforce\nsource=none\n\n", 0, true },
	{ "a newer module's key", HEAD "access=permitted\nweather=fine\n\n", 0, true },
	{ "from somebody else", HEAD "access=refused\n\n", 1000, false },
	{ "no access", HEAD "\n", 0, false },
	{ "no such access", HEAD "access=perhaps\n\n", 0, false },
	{ "no such reason", HEAD "access=refused\nreason=weather\n\n", 0, false },
	{ "no service", "version=1\ntime=1\naccess=refused\n\n", 0, false },
	{ "no time", "version=1\nservice=sshd\naccess=refused\n\n", 0, false },
	{ "no end", HEAD "access=refused\n", 0, false },
	{ "nothing", "", 0, false },
};

START_TEST(takes)
{
	const struct decision *d = decisions_take(&all, datagrams[_i].uid, NOW, datagrams[_i].text, strlen(datagrams[_i].text));

	ck_assert_msg((d != NULL) == datagrams[_i].taken, "%s", datagrams[_i].label);
	ck_assert_uint_eq(all.seen, datagrams[_i].taken);
}
END_TEST

static void
prefix(const uint8_t *p, size_t n, void *arg)
{
	(void)arg;
	ck_assert_ptr_null(decisions_take(&all, 0, NOW, (const char *)p, n));
}

START_TEST(every_prefix_of_a_datagram)
{
	unit_prefixes((const uint8_t *)datagrams[0].text, strlen(datagrams[0].text), prefix, NULL);
}
END_TEST

/* What strangers type neither ends a line nor makes another word, and a clock ahead of ours is none. */
START_TEST(words_are_cleaned)
{
	static const char text[] = "version=1\ntime=9999999999999\nservice=sshd\nuser=kim%0a1 2 3%ff\naccess=open\n\n";
	const struct decision *d = decisions_take(&all, 0, NOW, text, sizeof(text) - 1);

	ck_assert_ptr_nonnull(d);
	ck_assert_str_eq(d->user, "kim?1?2?3?");
	ck_assert_int_eq(d->time, NOW);
}
END_TEST

/* --- the file */

static struct decision
made(const char *service, enum access access, enum reason reason, int64_t time)
{
	struct decision d = { .time = time, .access = access, .reason = reason, .state = reason_state(reason), .counts = true,
		.mode = access == ACCESS_WOULD_REFUSE ? MODE_AUDIT : MODE_ENFORCE };

	snprintf(d.service, sizeof(d.service), "%s", service);
	strcpy(d.user, "kim");
	strcpy(d.source, "cache");
	return d;
}

struct seen { unsigned count; struct decision last; };

static void
see(void *arg, const struct decision *d)
{
	struct seen *s = arg;

	s->count++;
	s->last = *d;
}

static struct seen
opened(int64_t now)
{
	struct seen s = { 0 };
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(diary_open(&di, dir, now, see, &s, &e), "%s", e.why);
	return s;
}

static void
keep(struct decision d)
{
	struct error e = { .code = ERR_NONE };

	diary_add(&di, &d);
	ck_assert_msg(diary_flush(&di, d.time, &e), "%s", e.why);
}

static void
append(const char *text)
{
	FILE *f = fopen(in_dir("decisions"), "a");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(outlives_restarts)
{
	struct decision d = made("sshd", ACCESS_WOULD_REFUSE, REASON_DBX_TOO_OLD, NOW), found;
	struct stat st;

	ck_assert_uint_eq(opened(NOW).count, 0);
	strcpy(d.ref, "7F3K-21QX");
	d.not_armed = true;
	keep(d);
	keep(made("sudo", ACCESS_PERMITTED, REASON_OK, NOW + 1));
	for (unsigned i = 0; i < 2; i++) {
		struct seen s = opened(NOW + 2);

		ck_assert_uint_eq(s.count, 2);
		ck_assert_str_eq(s.last.service, "sudo");
		ck_assert_uint_eq(s.last.number, 2);
		ck_assert_int_eq(s.last.access, ACCESS_PERMITTED);
		}
	opened(NOW + 3);
	ck_assert(diary_find(&di, "7F3K-21QX", &found) && found.not_armed && found.number == 1);
	ck_assert(!diary_find(&di, "7F3K-21QY", &found));
	ck_assert(!stat(in_dir("decisions"), &st) && (st.st_mode & 0777) == 0600);
}
END_TEST

/* Killed in the middle of a write: that line is lost, the next one is not, and numbers go on. */
START_TEST(a_torn_line_is_no_line)
{
	struct seen s;

	opened(NOW);
	keep(made("sshd", ACCESS_PERMITTED, REASON_OK, NOW));
	append("1 2 17640000000");
	ck_assert_uint_eq(opened(NOW).count, 1);
	keep(made("sudo", ACCESS_REFUSED, REASON_ATTESTD_DOWN, NOW));
	append("nonsense\n\n\n1 \n");
	s = opened(NOW);
	ck_assert_uint_eq(s.count, 2);
	ck_assert_str_eq(s.last.service, "sudo");
}
END_TEST

START_TEST(pages_are_turned)
{
	struct decision d = made("sshd", ACCESS_PERMITTED, REASON_OK, NOW);
	struct error e = { .code = ERR_NONE };
	struct stat st, older;
	unsigned count = 0;

	opened(NOW);
	while (stat(in_dir("decisions.1"), &older)) {
		for (unsigned i = 0; i < 200; i++, count++)
			diary_add(&di, &d);
		ck_assert(diary_flush(&di, NOW, &e));
		ck_assert_uint_lt(count, 100000);
	}
	ck_assert(!stat(in_dir("decisions"), &st) && st.st_size < DIARY_BUFFER);
	ck_assert(older.st_size >= DIARY_FILE_MAX && older.st_size < DIARY_FILE_MAX + DIARY_BUFFER);
	ck_assert_uint_eq(opened(NOW).count, count);
	/* A month later the page is turned however little is on it. */
	keep(made("sshd", ACCESS_PERMITTED, REASON_OK, NOW));
	keep(made("sshd", ACCESS_PERMITTED, REASON_OK, NOW + (DIARY_DAYS + 1) * (int64_t)86400000));
	ck_assert_uint_eq(opened(NOW).last.number, count + 2);
	ck_assert(!stat(in_dir("decisions.1"), &st) && st.st_size < DIARY_BUFFER);
}
END_TEST

/* More than the buffer holds, and a folder in the file's place: counted as lost, and nothing else happens. */
START_TEST(what_cannot_be_kept_is_counted)
{
	struct decision d = made("sshd", ACCESS_PERMITTED, REASON_OK, NOW);
	struct seen s = { 0 };
	struct error e = { .code = ERR_NONE };

	opened(NOW);
	for (unsigned i = 0; i < 10000; i++)
		diary_add(&di, &d);
	ck_assert_uint_gt(di.lost, 0);
	ck_assert(diary_flush(&di, NOW, &e));
	ck_assert_uint_eq(opened(NOW).count + (10000 - di.last), 10000);
	ck_assert(!unlink(in_dir("decisions")) && !mkdir(in_dir("decisions"), 0700));
	ck_assert(!diary_open(&di, dir, NOW, see, &s, &e));
	diary_add(&di, &d);
	ck_assert(!diary_flush(&di, NOW, &e));
	ck_assert_uint_eq(di.lost, 1);
	ck_assert(!rmdir(in_dir("decisions")));
	keep(d);                                        /* by itself, once it can */
}
END_TEST

#define LINE "1 7 1764000000000 sshd kim would_refuse account contraindicated dbx-too-old 7F3K-21QX audit cache -\n"
static const struct { const char *label, *line, *why; } lines[] = {
	{ "whole", LINE, NULL },
	{ "both flags", "1 7 1 sshd - off beside none mode-off - off none not-armed,kill-switch\n", NULL },
	{ "another version", "2 7 1 sshd - off beside none mode-off - off none -\n", "version" },
	{ "no number", "1 x 1 sshd - off beside none mode-off - off none -\n", "number" },
	{ "number 0", "1 0 1 sshd - off beside none mode-off - off none -\n", "number, time or service" },
	{ "no service", "1 1 1 - - off beside none mode-off - off none -\n", "number, time or service" },
	{ "two spaces", "1 7  1 sshd - off beside none mode-off - off none -\n", "time" },
	{ "no such access", "1 7 1 sshd - maybe beside none mode-off - off none -\n", "access" },
	{ "no such reason", "1 7 1 sshd - off beside none weather - off none -\n", "reason" },
	{ "no reference", "1 7 1 sshd - off beside none mode-off 7F off none -\n", "reference" },
	{ "one more word", "1 7 1 sshd - off beside none mode-off - off none - x\n", "end of line" },
	{ "a control character", "1 7 1 ss\thd - off beside none mode-off - off none -\n", "service" },
	{ "a service that is too long", "1 7 1 0123456789012345678901234567890123456789012345678 - off beside none mode-off - off none -\n", "service" },
};

START_TEST(reads_lines)
{
	struct error e = { .code = ERR_NONE };
	struct decision d;
	char again[DIARY_LINE_MAX];
	bool ok = diary_read(lines[_i].line, strlen(lines[_i].line), &d, &e);

	ck_assert_msg(ok == !lines[_i].why && (ok || !strcmp(e.why, lines[_i].why)), "%s: %s", lines[_i].label, e.why);
	if (ok) {
		size_t n = diary_line(&d, again);

		ck_assert_msg(n == strlen(lines[_i].line) && !memcmp(again, lines[_i].line, n), "%s", lines[_i].label);
	}
}
END_TEST

static void
line_prefix(const uint8_t *p, size_t n, void *arg)
{
	struct decision d;
	struct error e;

	(void)arg;
	ck_assert(!diary_read((const char *)p, n, &d, &e));
}

START_TEST(every_prefix_of_a_line)
{
	unit_prefixes((const uint8_t *)LINE, strlen(LINE), line_prefix, NULL);
}
END_TEST

START_TEST(for_the_audit_trail)
{
	struct decision d = made("sshd", ACCESS_REFUSED, REASON_ATTESTD_DOWN, NOW);
	char text[TRAIL_TEXT];

	strcpy(d.ref, "L-7F3K-21QX");
	trail_text(&d, text);
	ck_assert_str_eq(text, "op=attest decision=refused service=sshd acct=\"kim\" state=none reason=attestd-down ref=L-7F3K-21QX "
	    "mode=enforce source=cache");
	/* At its longest it is whole. */
	memset(d.service, 's', sizeof(d.service) - 1);
	memset(d.user, 'u', sizeof(d.user) - 1);
	d.not_armed = d.killed = true;
	trail_text(&d, text);
	ck_assert_ptr_nonnull(strstr(text, " not_armed=1 kill_switch=1"));
}
END_TEST

/* --- the report */

static struct json *
report(int64_t since)
{
	own(mem) char *text = NULL;
	struct error e = { .code = ERR_NONE };
	struct json *j;
	size_t len;

	ck_assert_msg(tally_json(&tally, since, 0, &text, &len, &e), "%s", e.why);
	ck_assert_msg(json_parse(text, len, &j, &e), "%s", e.why);
	return j;
}

static int64_t
count(const struct json *j, unsigned service, const char *key)
{
	struct error e = { .code = ERR_NONE };
	int64_t n;

	ck_assert_msg(json_int(json_item(j, "services", service), key, 0, INT64_MAX, &n, &e), "%s", e.why);
	return n;
}

START_TEST(counts_by_what_verdicts_were)
{
	own(json) struct json *j = NULL, *later = NULL;
	char text[64];
	struct decision d;
	struct error e;
	unsigned n;
	int64_t hits;

	for (unsigned i = 0; i < 809; i++) {
		d = made("sshd", ACCESS_PERMITTED, REASON_OK, NOW + i);
		d.mode = MODE_AUDIT;
		tally_add(&tally, &d, true);
	}
	for (unsigned i = 0; i < 3; i++) {
		d = made("sshd", ACCESS_WOULD_REFUSE, REASON_DBX_TOO_OLD, NOW + 2 * 3600000 * (int64_t)i);
		strcpy(d.ref, i == 2 ? "7F3K-21QX" : "7F3K-21QY");
		tally_add(&tally, &d, true);
	}
	d = made("sudo", ACCESS_PERMITTED, REASON_OK, NOW + 5);
	d.counts = false;                               /* of the auth stack, beside the one that counts */
	tally_add(&tally, &d, true);
	d.counts = true;
	tally_add(&tally, &d, true);
	j = report(0);
	ck_assert_int_eq(count(j, 0, "asked"), 812);
	ck_assert_int_eq(count(j, 0, "permitted"), 809);
	ck_assert_int_eq(count(j, 0, "would_refuse"), 3);
	ck_assert_int_eq(count(j, 0, "refused"), 0);
	ck_assert_int_eq(count(j, 1, "asked"), 1);
	/* Under audit nobody was let in by a verdict that would have kept him out. */
	ck_assert(json_text(json_item(j, "services", 0), "last_permit", text, sizeof(text), &e) && !text[0]);
	ck_assert(json_text(json_item(j, "services", 1), "last_permit", text, sizeof(text), &e));
	ck_assert_str_eq(text, "2025-11-24T16:00:00Z");
	ck_assert(json_list(j, "reasons", 16, &n, &e) && n == 3);
	ck_assert(json_text(json_item(j, "reasons", 1), "ref", text, sizeof(text), &e));
	ck_assert_str_eq(text, "7F3K-21QX");
	ck_assert(json_int(json_item(j, "reasons", 1), "count", 0, 9, &hits, &e) && hits == 3);
	later = report(NOW + 3600000);
	ck_assert_int_eq(count(later, 0, "asked"), 2);
}
END_TEST

/* Whatever is asked, the size is the same. */
START_TEST(many_services_and_hours)
{
	own(json) struct json *j = NULL;
	struct error e;
	unsigned n;

	for (unsigned i = 0; i < 3 * TALLY_ROWS; i++) {
		char name[16];
		struct decision d;

		snprintf(name, sizeof(name), "s%u", i % 40);
		d = made(name, ACCESS_REFUSED, (enum reason)(i % REASON_COUNT), NOW + 60000 * (int64_t)i);
		tally_add(&tally, &d, true);
	}
	j = report(0);
	ck_assert(json_list(j, "services", 64, &n, &e) && n == TALLY_SERVICES + 1);
	ck_assert_int_gt(count(j, TALLY_OTHER, "asked"), 0);
	ck_assert(json_list(j, "reasons", TALLY_REASONS, &n, &e) && n == TALLY_REASONS);
}
END_TEST

static void
add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, takes, 0, COUNT(datagrams));
	tcase_add_test(t, every_prefix_of_a_datagram);
	tcase_add_test(t, words_are_cleaned);
	tcase_add_test(t, outlives_restarts);
	tcase_add_test(t, a_torn_line_is_no_line);
	tcase_add_test(t, pages_are_turned);
	tcase_add_test(t, what_cannot_be_kept_is_counted);
	tcase_add_loop_test(t, reads_lines, 0, COUNT(lines));
	tcase_add_test(t, every_prefix_of_a_line);
	tcase_add_test(t, for_the_audit_trail);
	tcase_add_test(t, counts_by_what_verdicts_were);
	tcase_add_test(t, many_services_and_hours);
}

int
main(void)
{
	return unit_run("decisions", add);
}
