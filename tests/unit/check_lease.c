/* Leases as text, and when one counts. NEGATIVE row 38. */
#include "lease.h"
#include "unit.h"

#define BOOT "0b1e7a7e-0000-4000-8000-000000000001"
#define HEAD "version=1\nboot_id=" BOOT "\n"
#define TIMES "issued_boot=1000\nexpires_boot=901000\nissued_wall=5000000\nexpires_wall=5900000\n"
#define ONE(user, services) "id=7F3K-21QX\n" TIMES "overrules_refusal=no\nuser=" user "\nservices=" services "\n"
#define TWO "id=AAAA-BBBB\n" TIMES "overrules_refusal=yes\nuser=\nservices=\n"
#define GOOD HEAD ONE("kim", "sshd sudo")
#define X32 "0123456789abcdef0123456789abcdef"

static const struct {
	const char *label, *text;
	enum err    code;
	const char *why;
} rows[] = {
	{ "good", GOOD, ERR_NONE, NULL },
	{ "two", GOOD TWO, ERR_NONE, NULL },
	{ "eight", HEAD TWO TWO TWO TWO TWO TWO TWO TWO, ERR_NONE, NULL },
	{ "nine", HEAD TWO TWO TWO TWO TWO TWO TWO TWO TWO, ERR_LIMIT, "more than 8 leases" },
	{ "empty", "", ERR_FORMAT, "has none" },
	{ "no lease in it", HEAD, ERR_FORMAT, "has none" },
	{ "another version", "version=2\n", ERR_FORMAT, "line 1: not version=1" },
	{ "no boot", "version=1\n" ONE("", ""), ERR_FORMAT, "line 2: not a boot_id" },
	{ "boot of two words", "version=1\nboot_id=a b\n" ONE("", ""), ERR_FORMAT, "line 2: not a boot_id" },
	{ "boot too long", "version=1\nboot_id=" BOOT "0\n" ONE("", ""), ERR_FORMAT, "line 2: not a boot_id" },
	{ "unknown key", HEAD "trusted=yes\n", ERR_FORMAT, "line 3: not id" },
	{ "another order", HEAD "id=7F3K-21QX\nuser=\n", ERR_FORMAT, "line 4: not issued_boot" },
	{ "key twice", HEAD "id=7F3K-21QX\nid=7F3K-21QX\n", ERR_FORMAT, "line 4: not issued_boot" },
	{ "ends within one", HEAD "id=7F3K-21QX\n" TIMES, ERR_FORMAT, "ends within a lease" },
	{ "no equals sign", HEAD "id\n", ERR_FORMAT, "line 3: no '='" },
	{ "id that is none", HEAD "id=7F3K\n", ERR_FORMAT, "id: bad value" },
	{ "id in another spelling", HEAD "id=7f3k-21qx\n", ERR_FORMAT, "id: bad value" },
	{ "number with a sign", HEAD "id=7F3K-21QX\nissued_boot=-1\n", ERR_FORMAT, "issued_boot: bad value" },
	{ "number over 2^53", HEAD "id=7F3K-21QX\nissued_boot=9007199254740992\n", ERR_FORMAT, "issued_boot: bad value" },
	{ "number over 2^64", HEAD "id=7F3K-21QX\nissued_boot=18446744073709551617\n", ERR_FORMAT, "issued_boot: bad value" },
	{ "neither yes nor no", HEAD "id=7F3K-21QX\n" TIMES "overrules_refusal=1\n", ERR_FORMAT, "overrules_refusal: bad value" },
	{ "user of two words", HEAD ONE("kim lee", ""), ERR_FORMAT, "user: bad value" },
	{ "user too long", HEAD ONE(X32 X32, ""), ERR_FORMAT, "user: bad value" },
	{ "user with a tab", HEAD ONE("kim\t", ""), ERR_FORMAT, "user: bad value" },
	{ "services with two spaces", HEAD ONE("", "sshd  sudo"), ERR_FORMAT, "services: bad value" },
	{ "services behind a space", HEAD ONE("", " sshd"), ERR_FORMAT, "services: bad value" },
	{ "services too long", HEAD ONE("", X32 X32 X32 X32), ERR_FORMAT, "services: bad value" },
	{ "expires before it was issued", HEAD "id=7F3K-21QX\nissued_boot=2\nexpires_boot=1\nissued_wall=1\nexpires_wall=1\n"
	    "overrules_refusal=no\nuser=\nservices=\n", ERR_FORMAT, "before it was issued" },
	{ "lives too long", HEAD "id=7F3K-21QX\nissued_boot=1\nexpires_boot=86400002\nissued_wall=1\nexpires_wall=1\n"
	    "overrules_refusal=no\nuser=\nservices=\n", ERR_LIMIT, "lives over" },
	{ "lives too long by the wall", HEAD "id=7F3K-21QX\nissued_boot=1\nexpires_boot=1\nissued_wall=1\nexpires_wall=86400002\n"
	    "overrules_refusal=no\nuser=\nservices=\n", ERR_LIMIT, "lives over" },
};

START_TEST(parses)
{
	struct error e = { .code = ERR_NONE };
	struct leases all;
	bool ok = leases_parse(rows[_i].text, strlen(rows[_i].text), &all, &e);

	ck_assert_msg(ok == (rows[_i].code == ERR_NONE) && (ok || e.code == rows[_i].code), "%s: got %s (%s)", rows[_i].label,
	    err_name(e.code), e.why);
	ck_assert_msg(!rows[_i].why || strstr(e.why, rows[_i].why), "%s: says \"%s\"", rows[_i].label, e.why);
}
END_TEST

/* The first lease alone is a file of its own; nothing else that was cut is. */
static void
prefix(const uint8_t *buf, size_t len, void *arg)
{
	struct error e;
	struct leases all;

	(void)arg;
	ck_assert_msg(!leases_parse((const char *)buf, len, &all, &e) || len == strlen(GOOD), "the first %zu bytes pass", len);
}

START_TEST(no_prefix_passes)
{
	unit_prefixes((const uint8_t *)GOOD TWO, strlen(GOOD TWO), prefix, NULL);
}
END_TEST

START_TEST(too_large)
{
	char text[LEASE_FILE_MAX + 1];
	struct error e;
	struct leases all;

	memset(text, 'a', sizeof(text));
	ck_assert(!leases_parse(text, sizeof(text), &all, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

static const struct {
	const char  *label;
	struct clock now;
	bool         lives;
} when[] = {
	{ "now", { 2000, 1990, 5001000 }, true },
	{ "when it was issued", { 1000, 990, 5000000 }, true },
	{ "after a suspend", { 800000, 2000, 5799000 }, true },
	{ "out, by the boot's clock", { 901000, 900990, 5001000 }, false },
	{ "38: out, by the boot's clock, and the wall set back", { 901000, 900990, 5000001 }, false },
	{ "38: the wall set back behind it", { 2000, 1990, 4999999 }, false },
	{ "out, by the wall", { 2000, 1990, 5900000 }, false },
	{ "of this boot's future", { 999, 990, 5001000 }, false },
};

START_TEST(lives)
{
	struct error e;
	struct leases all;

	ck_assert(leases_parse(GOOD, strlen(GOOD), &all, &e));
	ck_assert_msg(lease_lives(&all.lease[0], &when[_i].now) == when[_i].lives, "%s", when[_i].label);
}
END_TEST

static const struct { const char *user, *services, *asks, *at; bool covers; } whom[] = {
	{ "", "", "kim", "sshd", true },
	{ "kim", "", "kim", "sshd", true },
	{ "kim", "", "ki", "sshd", false },
	{ "kim", "", "kimberly", "sshd", false },
	{ "kim", "", "", "sshd", false },
	{ "", "sshd", "kim", "sshd", true },
	{ "", "sshd sudo su-l", "kim", "sudo", true },
	{ "", "sshd sudo su-l", "kim", "su-l", true },
	{ "", "sshd sudo su-l", "kim", "su", false },
	{ "", "sshd", "kim", "ssh", false },
	{ "", "sshd", "kim", "", false },
	{ "", "sshd sudo", "kim", "sshd sudo", false },
	{ "kim", "sshd", "lee", "sshd", false },
	{ "kim", "sshd", "kim", "login", false },
};

START_TEST(covers)
{
	struct lease l = { .overrules = false };

	strcpy(l.user, whom[_i].user);
	strcpy(l.services, whom[_i].services);
	ck_assert_msg(lease_covers(&l, whom[_i].at, whom[_i].asks) == whom[_i].covers, "row %d", _i);
}
END_TEST

START_TEST(round_trip)
{
	char text[LEASE_FILE_MAX];
	struct error e;
	struct leases all;
	size_t len;

	ck_assert(leases_parse(GOOD TWO, strlen(GOOD TWO), &all, &e));
	ck_assert_uint_eq(all.count, 2);
	ck_assert_str_eq(all.lease[0].user, "kim");
	ck_assert(!all.lease[0].overrules && all.lease[1].overrules);
	ck_assert(leases_format(&all, text, sizeof(text), &len, &e));
	ck_assert_str_eq(text, GOOD TWO);
	ck_assert(!leases_format(&all, text, 100, &len, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	/* What no gate would read is not written. */
	all.lease[1].expires_boot += LEASE_LIFETIME_MAX_MS;
	ck_assert(!leases_format(&all, text, sizeof(text), &len, &e));
	all.count = 0;
	ck_assert(!leases_format(&all, text, sizeof(text), &len, &e));
}
END_TEST

/* As many as there may be, each as long as it may be, fit into the file. */
START_TEST(the_largest_fits)
{
	static const struct lease largest = { .id = "L-7F3K-21QX", .issued_boot = (1LL << 53) - 2, .expires_boot = (1LL << 53) - 1,
		.issued_wall = (1LL << 53) - 2, .expires_wall = (1LL << 53) - 1, .overrules = true, .user = X32 "0123456789abcdef0123456789abcde",
		.services = X32 X32 X32 "0123456789abcdef0123456789abcde" };
	struct leases all = { .boot_id = BOOT, .count = LEASES_MAX };
	char text[LEASE_FILE_MAX];
	struct error e;
	size_t len;

	for (unsigned i = 0; i < LEASES_MAX; i++)
		all.lease[i] = largest;
	ck_assert_msg(leases_format(&all, text, sizeof(text), &len, &e), "%s", e.why);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, parses, 0, COUNT(rows));
	tcase_add_test(tc, no_prefix_passes);
	tcase_add_test(tc, too_large);
	tcase_add_loop_test(tc, lives, 0, COUNT(when));
	tcase_add_loop_test(tc, covers, 0, COUNT(whom));
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, the_largest_fits);
}

int
main(void)
{
	return unit_run("lease", add);
}
