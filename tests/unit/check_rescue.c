/* state_dir/rescue: what is a proof, which one counts, and what is no such file. */
#include <sys/stat.h>
#include "clock.h"
#include "file.h"
#include "rescue.h"
#include "unit.h"

#define HEAD "version=1\n"
#define ROOT "proof=2026-11-28T21:00:00Z console decision root\n"

static const struct { const char *label, *text; int n; } files[] = {
	{ "no proof", HEAD "\n", 0 },
	{ "one", HEAD ROOT "\n", 1 },
	{ "two", HEAD ROOT "proof=2026-11-28T21:00:01Z break-glass used eve\n\n", 2 },
	{ "empty", "", -1 },
	{ "no end", HEAD ROOT, -1 },
	{ "something behind the end", HEAD ROOT "\nx", -1 },
	{ "another version", "version=2\n" ROOT "\n", -1 },
	{ "no version", ROOT "\n", -1 },
	{ "no such key", HEAD "proofs=x\n\n", -1 },
	{ "no such route", HEAD "proof=2026-11-28T21:00:00Z window decision root\n\n", -1 },
	{ "no such how", HEAD "proof=2026-11-28T21:00:00Z console guess root\n\n", -1 },
	{ "no time", HEAD "proof=yesterday console decision root\n\n", -1 },
	{ "a word less", HEAD "proof=2026-11-28T21:00:00Z console decision\n\n", -1 },
	{ "a word more", HEAD "proof=2026-11-28T21:00:00Z console decision root toor\n\n", -1 },
	{ "a name that moves the cursor", HEAD "proof=2026-11-28T21:00:00Z console decision r%1Boot\n\n", -1 },
	{ "a name too long", HEAD "proof=2026-11-28T21:00:00Z console decision "
	    "0123456789012345678901234567890123456789012345678901234567890123\n\n", -1 },
};
START_TEST(parses)
{
	struct rescue r = { .n = 99 };
	struct error e;
	bool ok = rescue_parse(files[_i].text, strlen(files[_i].text), &r, &e);

	ck_assert_msg(ok == (files[_i].n >= 0), "%s", files[_i].label);
	ck_assert_msg(r.n == (ok ? (unsigned)files[_i].n : 99), "%s: %u", files[_i].label, r.n);
}
END_TEST

START_TEST(too_many)
{
	char text[4096] = HEAD;
	struct rescue r;
	struct error e;

	for (unsigned i = 0; i <= RESCUE_MAX; i++) {
		ck_assert(i == 0 || rescue_parse(text, strlen(text), &r, &e) == false);
		strcat(text, ROOT);
	}
	strcat(text, "\n");
	ck_assert(!rescue_parse(text, strlen(text), &r, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

static void
prefix(const uint8_t *p, size_t n, void *arg)
{
	struct rescue r;
	struct error e;

	(void)arg;
	ck_assert(!rescue_parse((const char *)p, n, &r, &e));
}
START_TEST(every_prefix)
{
	static const char all[] = HEAD ROOT "\n";

	unit_prefixes((const uint8_t *)all, sizeof(all) - 1, prefix, NULL);
}
END_TEST

#define DAY ((int64_t)24 * 3600 * 1000)
static const struct { const char *label; int64_t wall[2]; int want; } ages[] = {
	{ "none",                       { -1, -1 },                  -1 },
	{ "of today",                   { 200 * DAY, -1 },           0 },
	{ "the last day it counts",     { (200 - RESCUE_DAYS) * DAY, -1 }, 0 },
	{ "a moment too old",           { (200 - RESCUE_DAYS) * DAY - 1, -1 }, -1 },
	{ "of tomorrow",                { 200 * DAY + 1, -1 },       -1 },
	{ "the newer of two",           { 150 * DAY, 160 * DAY },    1 },
	{ "not the one of tomorrow",    { 150 * DAY, 201 * DAY },    0 },
};
START_TEST(newest)
{
	struct rescue r = { 0 };
	const struct rescue_proof *p;

	for (unsigned i = 0; i < 2; i++)
		if (ages[_i].wall[i] >= 0)
			r.proof[r.n++] = (struct rescue_proof){ .wall = ages[_i].wall[i], .user = "root" };
	p = rescue_newest(&r, 200 * DAY);
	ck_assert_msg(p == (ages[_i].want < 0 ? NULL : &r.proof[ages[_i].want]), "%s", ages[_i].label);
}
END_TEST

/* Written, read again; one proof a user and route; the oldest goes; a file that others may write is none. */
START_TEST(keeps)
{
	char dir[] = "/tmp/pam-attest-rescue.XXXXXX", path[64];
	struct rescue r = { 0 }, again;
	struct error e;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert(!rescue_read(dir, &again, &e));
	ck_assert_int_eq(e.code, ERR_MISSING);
	for (unsigned i = 0; i < RESCUE_MAX + 2; i++) {
		struct rescue_proof p = { .wall = (i + 1) * 1000, .route = ROUTE_CONSOLE };

		snprintf(p.user, sizeof(p.user), "user%u", i);
		rescue_add(&r, &p);
		p.route = ROUTE_BREAK_GLASS;
		if (!i)
			rescue_add(&r, &p);
	}
	ck_assert_uint_eq(r.n, RESCUE_MAX);
	for (unsigned i = 0; i < r.n; i++)
		ck_assert_int_ge(r.proof[i].wall, 3000);
	r.proof[3].how = HOW_USED;
	rescue_add(&r, &(struct rescue_proof){ .wall = 5000, .route = r.proof[2].route, .user = "user5" });
	ck_assert_uint_eq(r.n, RESCUE_MAX);
	ck_assert_msg(rescue_write(dir, &r, &e), "%s", e.why);
	ck_assert_msg(rescue_read(dir, &again, &e), "%s", e.why);
	ck_assert_uint_eq(again.n, r.n);
	for (unsigned i = 0; i < r.n; i++) {
		ck_assert_int_eq(again.proof[i].wall, r.proof[i].wall);
		ck_assert_int_eq(again.proof[i].route, r.proof[i].route);
		ck_assert_int_eq(again.proof[i].how, r.proof[i].how);
		ck_assert_str_eq(again.proof[i].user, r.proof[i].user);
	}
	snprintf(path, sizeof(path), "%s/rescue", dir);
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert(!rescue_read(dir, &again, &e));
	ck_assert_int_eq(e.code, ERR_UNTRUSTED);
	unlink(path);
	rmdir(dir);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, parses, 0, COUNT(files));
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, every_prefix);
	tcase_add_loop_test(tc, newest, 0, COUNT(ages));
	tcase_add_test(tc, keeps);
}

int
main(void)
{
	return unit_run("rescue", add);
}
