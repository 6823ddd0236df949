/* Recovery codes as attestd takes them, and the leases that it keeps. NEGATIVE row 38. */
#include <sys/stat.h>
#include "file.h"
#include "leases.h"
#include "recover.h"
#include "unit.h"

#define HOST   "0b7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a111"
#define BOOT   "1c7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a222"
#define BOOT_2 "2d7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a333"

static struct options opt;
static struct guesses guesses;
static struct recovery got;
static struct error e;
static const uint8_t key[RECOVERY_KEY_SIZE] = { 7 }, other_key[RECOVERY_KEY_SIZE] = { 8 };

static bool
keep(const char *host, const uint8_t *with)
{
	static struct enrolled en;

	strcpy(en.host_id, host);
	en.has_recovery = true;
	memcpy(en.recovery, with, sizeof(en.recovery));
	return state_keep_recovery(opt.state_dir, &en, &e);
}

static void
open_dir(void)
{
	strcpy(opt.run_dir, "/tmp/check-recover-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(opt.run_dir));
	strcpy(opt.state_dir, opt.run_dir);
	guesses = (struct guesses){ .counted = false };
	ck_assert(keep(HOST, key));
}

static void
close_dir(void)
{
	char command[PATH_TEXT + 16];

	snprintf(command, sizeof(command), "rm -rf '%s'", opt.run_dir);
	ck_assert_int_eq(system(command), 0);
}

static const char *
code_of(uint32_t sequence, const uint8_t *with)
{
	static char code[RECOVERY_CODE_TEXT];
	struct recovery q = { .sequence = sequence, .hours = 2 };

	ck_assert(recovery_code(with, HOST, &q, code, &e));
	return code;
}

static bool
take(const char *code, bool root, int64_t now)
{
	return recover_take(opt.state_dir, &guesses, root, code, now, &got, &e);
}

START_TEST(each_once_and_upwards)
{
	ck_assert_msg(take(code_of(2, key), false, 1000), "%s", e.why);
	ck_assert(got.sequence == 2 && got.hours == 2);
	ck_assert(!take(code_of(2, key), true, 1000) && e.code == ERR_REFUSED);
	ck_assert(!take(code_of(1, key), true, 1000) && e.code == ERR_REFUSED);
	guesses = (struct guesses){ .counted = false };         /* a restart */
	ck_assert(!take(code_of(2, key), true, 1000) && e.code == ERR_REFUSED);
	ck_assert(take(code_of(9, key), true, 1000));
	ck_assert(recover_void(opt.state_dir, 12, &e) && recover_void(opt.state_dir, 3, &e));
	ck_assert(!take(code_of(12, key), true, 1000) && e.code == ERR_REFUSED);
	ck_assert(take(code_of(13, key), true, 1000));
}
END_TEST

START_TEST(another_hosts_code_and_another_key)
{
	ck_assert(!take(code_of(1, other_key), true, 1000) && e.code == ERR_REFUSED);
	/* The same enrollment again changes nothing; a new one begins anew. */
	ck_assert(take(code_of(5, key), true, 1000) && keep(HOST, key));
	ck_assert(!take(code_of(5, key), true, 1000));
	ck_assert(keep(HOST, other_key) && !take(code_of(6, key), true, 1000) && take(code_of(1, other_key), true, 1000));
}
END_TEST

START_TEST(without_a_key)
{
	ck_assert(kept_drop(opt.state_dir, "recovery.key", &e));
	ck_assert(!take(code_of(1, key), true, 1000) && e.code == ERR_MISSING && strstr(e.why, "no key for recovery codes yet"));
	ck_assert(recover_void(opt.state_dir, 5, &e));
}
END_TEST

START_TEST(a_key_that_cannot_be_read_takes_none)
{
	static const char short_key[] = "{\"host_id\":\"" HOST "\",\"key\":\"AAAA\",\"sequence\":0,\"failures\":0}";
	char path[PATH_TEXT + 16];

	snprintf(path, sizeof(path), "%s/recovery.key", opt.state_dir);
	ck_assert(file_replace(path, short_key, sizeof(short_key) - 1, 0600, false, &e));
	ck_assert(!take(code_of(1, key), true, 1000));
}
END_TEST

/* A thousand, one every second: few of them are looked at, a restart does not help, and one of root's is not put off. */
START_TEST(row_38_a_thousand_guesses)
{
	char wrong[RECOVERY_CODE_TEXT];
	unsigned looked = 0, put_off = 0;
	int64_t now = 1000;

	strcpy(wrong, code_of(1, other_key));
	for (unsigned i = 0; i < 1000; i++, now += 1000) {
		ck_assert(!take(wrong, false, now));
		looked += e.code == ERR_REFUSED;
		put_off += e.code == ERR_TIMEOUT;
		if (i % 100 == 99)
			guesses = (struct guesses){ .counted = false };
	}
	ck_assert_msg(looked + put_off == 1000 && looked >= 10 && looked < 30, "%u were looked at", looked);
	ck_assert(!take(wrong, false, now) && e.code == ERR_TIMEOUT);
	ck_assert_msg(!take(code_of(1, key), false, now) && e.code == ERR_TIMEOUT, "a right one is put off as well");
	ck_assert(take(code_of(1, key), true, now));
	ck_assert(take(code_of(2, key), false, now));           /* it was right: the count is over */
}
END_TEST

START_TEST(typing_mistakes_cost_nothing)
{
	for (unsigned i = 0; i < 100; i++)
		ck_assert(!take("7F3K", false, 1000) && e.code == ERR_FORMAT);
	ck_assert(take(code_of(1, key), false, 1000));
}
END_TEST

/* --- the book */

static struct book book;
static struct clock now;

static bool
published(struct leases *out)
{
	char path[PATH_TEXT + 16], text[LEASE_FILE_MAX];
	size_t len;

	snprintf(path, sizeof(path), "%s/lease", opt.run_dir);
	return file_read_trusted(path, geteuid(), text, sizeof(text), &len, &e) && leases_parse(text, len, out, &e);
}

static struct orders
ordered(const char *id, int64_t remaining)
{
	struct orders q = { .host_id = HOST, .count = 1, .order[0] = { .remaining = remaining, .overrules = true, .user = "kim" } };

	strcpy(q.order[0].id, id);
	return q;
}

static void
open_book(void)
{
	open_dir();
	now = clock_now();
	ck_assert_msg(book_open(&book, &opt, BOOT, &e), "%s", e.why);
}

START_TEST(what_is_ordered_is_published_until_it_is_not)
{
	struct orders q = ordered("AAAA-BBBB", 60000), none = { .host_id = HOST };
	struct leases all;
	bool changed;

	ck_assert(!published(&all));
	ck_assert(book_order(&book, &q, &now, &changed, &e) && changed && published(&all));
	ck_assert(all.count == 1 && all.lease[0].overrules && all.lease[0].expires_boot == now.boot + 60000);
	ck_assert_str_eq(all.boot_id, BOOT);
	/* The same again, a little later, is the same lease. */
	q.order[0].remaining = 59000;
	ck_assert(book_order(&book, &q, &now, &changed, &e) && !changed && published(&all));
	ck_assert(all.lease[0].expires_boot == now.boot + 60000);
	ck_assert(book_counts(&book, &now, true));
	ck_assert(book_order(&book, &none, &now, &changed, &e) && changed && !published(&all));
	ck_assert(!book_counts(&book, &now, false));
}
END_TEST

START_TEST(it_runs_out)
{
	struct orders q = ordered("AAAA-BBBB", 60000);
	struct clock later = now, back = now;
	struct leases all;
	bool changed;
	int left;

	ck_assert(book_order(&book, &q, &now, &changed, &e));
	left = book_expire(&book, &now);
	ck_assert_msg(left > 59000 && left <= 60000, "%d ms", left);
	later.boot += 60000;
	ck_assert(book_expire(&book, &later) == -1 && !published(&all) && !book.all.count);
	/* Row 38: the wall clock set back does not make it live on. */
	ck_assert(book_order(&book, &q, &now, &changed, &e));
	back.boot += 60000;
	back.wall -= 3600000;
	ck_assert(book_expire(&book, &back) == -1 && !published(&all));
}
END_TEST

START_TEST(a_restart_keeps_it_and_a_reboot_does_not)
{
	struct orders q = ordered("AAAA-BBBB", 60000);
	struct recovery code = { .sequence = 3, .hours = 1, .id = "CCCC-DDDD" };
	struct leases all;
	char path[PATH_TEXT + 16];
	bool changed;

	ck_assert(book_order(&book, &q, &now, &changed, &e) && book_code(&book, &code, &now, &e));
	snprintf(path, sizeof(path), "%s/lease", opt.run_dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(book_open(&book, &opt, BOOT, &e) && published(&all) && all.count == 2);
	ck_assert_str_eq(book.code, "CCCC-DDDD");
	ck_assert(book_open(&book, &opt, BOOT_2, &e) && !published(&all));
	ck_assert(book_open(&book, &opt, BOOT, &e) && !published(&all));        /* nor does it come back */
}
END_TEST

START_TEST(a_code_stays_beside_orders_until_it_is_void)
{
	struct recovery code = { .sequence = 3, .hours = 1, .id = "CCCC-DDDD" }, next = { .sequence = 4, .hours = 2, .id = "EEEE-FFFF" };
	struct orders q = ordered("AAAA-BBBB", 60000);
	struct leases all;
	bool changed;

	ck_assert(book_code(&book, &code, &now, &e) && published(&all) && all.count == 1 && !all.lease[0].overrules);
	ck_assert(all.lease[0].expires_boot == now.boot + 3600000);
	q.codes_void = 2;
	ck_assert(book_order(&book, &q, &now, &changed, &e) && published(&all) && all.count == 2);
	ck_assert(book_code(&book, &next, &now, &e) && published(&all) && all.count == 2);      /* in its place */
	ck_assert_str_eq(all.lease[0].id, "EEEE-FFFF");
	q.codes_void = 4;
	ck_assert(book_order(&book, &q, &now, &changed, &e) && changed && published(&all) && all.count == 1);
	ck_assert_str_eq(all.lease[0].id, "AAAA-BBBB");
	book_void(&book);
	ck_assert(!published(&all));
}
END_TEST

/* Full: what a person typed on this host comes before the last of the orders. */
START_TEST(no_more_than_a_file_has_room_for)
{
	struct recovery code = { .sequence = 3, .hours = 1, .id = "CCCC-DDDD" };
	struct orders q = ordered("AAAA-BBB0", 60000);
	struct leases all;
	bool changed;

	for (q.count = 0; q.count < LEASES_MAX; q.count++) {
		q.order[q.count] = q.order[0];
		q.order[q.count].id[8] = (char)('0' + q.count);
	}
	ck_assert(book_order(&book, &q, &now, &changed, &e) && published(&all) && all.count == LEASES_MAX);
	ck_assert(book_code(&book, &code, &now, &e) && published(&all) && all.count == LEASES_MAX);
	ck_assert_str_eq(all.lease[0].id, "CCCC-DDDD");
	ck_assert(book_order(&book, &q, &now, &changed, &e) && !changed);
}
END_TEST

/* A run folder that cannot be written: what was open is closed. */
START_TEST(what_cannot_be_written_is_not_left_standing)
{
	struct orders q = ordered("AAAA-BBBB", 60000);
	struct leases all;
	bool changed;

	ck_assert(book_order(&book, &q, &now, &changed, &e) && published(&all));
	q.order[0].remaining = LEASE_LIFETIME_MAX_MS + 1;       /* no file may say so */
	strcpy(q.order[0].id, "GGGG-HHHH");
	ck_assert(!book_order(&book, &q, &now, &changed, &e) && !published(&all));
	ck_assert(!book_order(&book, &q, &now, &changed, &e));  /* nor is it forgotten */
}
END_TEST

/* A state folder that is full: gates hear of it all the same, it is tried again, and what was kept before does not come back. */
START_TEST(what_cannot_be_kept_lets_people_in)
{
	struct orders old = ordered("AAAA-BBBB", 60000), q = ordered("CCCC-DDDD", 60000);
	char path[PATH_TEXT + 32], away[PATH_TEXT + 40];
	struct leases all;
	bool changed;

	ck_assert(book_order(&book, &old, &now, &changed, &e));
	snprintf(path, sizeof(path), "%s/leases", opt.state_dir);
	snprintf(away, sizeof(away), "%s.away", path);
	ck_assert(!unlink(path) && !mkdir(path, 0700));          /* nothing takes a folder's place */
	ck_assert(book_order(&book, &q, &now, &changed, &e) && changed && published(&all));
	ck_assert(all.count == 1 && !strcmp(all.lease[0].id, "CCCC-DDDD") && book.unwritten);
	ck_assert(book_order(&book, &q, &now, &changed, &e) && !changed && published(&all) && book.unwritten);
	ck_assert(!rename(path, away) && !rmdir(away));
	ck_assert(book_order(&book, &q, &now, &changed, &e) && !changed && !book.unwritten);
	ck_assert(book_open(&book, &opt, BOOT, &e) && published(&all) && !strcmp(all.lease[0].id, "CCCC-DDDD"));
}
END_TEST

static void
add_book(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_book, close_dir);
	tcase_add_test(tc, what_is_ordered_is_published_until_it_is_not);
	tcase_add_test(tc, it_runs_out);
	tcase_add_test(tc, what_cannot_be_kept_lets_people_in);
	tcase_add_test(tc, a_restart_keeps_it_and_a_reboot_does_not);
	tcase_add_test(tc, a_code_stays_beside_orders_until_it_is_void);
	tcase_add_test(tc, no_more_than_a_file_has_room_for);
	tcase_add_test(tc, what_cannot_be_written_is_not_left_standing);
}

static void
add_codes(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_dir, close_dir);
	tcase_add_test(tc, each_once_and_upwards);
	tcase_add_test(tc, another_hosts_code_and_another_key);
	tcase_add_test(tc, without_a_key);
	tcase_add_test(tc, a_key_that_cannot_be_read_takes_none);
	tcase_add_test(tc, row_38_a_thousand_guesses);
	tcase_add_test(tc, typing_mistakes_cost_nothing);
}

int
main(void)
{
	int codes = unit_run("recovery codes", add_codes), leases = unit_run("book of leases", add_book);

	return codes ? codes : leases;
}
