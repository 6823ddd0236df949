/* The record as text, and when it counts. */
#include "record.h"
#include "unit.h"

#define BOOT "0b1e7a7e-0000-4000-8000-000000000001"
#define HEAD "version=1\nboot_id=" BOOT "\n"
#define STATE "state=affirming\nreason=ok\nref=7F3K-21QX\nceiling=enforce\n"
#define TIMES "issued_boot=1000\nexpires_boot=901000\nissued_wall=5000000\nexpires_wall=5900000\nasleep=10\n"
#define REST "reset_count=7\nrestart_count=0\nhost=alpha\npolicy=default/3\nreferences=debian12/14\nupstream_out=no\nupstream_since=0\n" \
	"good_issued=5000000\ngood_expires=5900000\ngood_this_boot=yes\ngrace_max=86400000\n"
#define GOOD HEAD STATE TIMES REST

static const struct {
	const char *label, *text;
	enum err    code;
	const char *why;
} rows[] = {
	{ "good", GOOD, ERR_NONE, NULL },
	{ "empty", "", ERR_FORMAT, "boot_id is missing" },
	{ "another version", "version=2\n", ERR_FORMAT, "line 1: not version=1" },
	{ "version not first", "state=none\n" GOOD, ERR_FORMAT, "line 1: not version=1" },
	{ "unknown key", HEAD "trusted=yes\n" STATE TIMES REST, ERR_FORMAT, "line 3: unknown key" },
	{ "key twice", GOOD "state=affirming\n", ERR_FORMAT, "state given twice" },
	{ "key missing", HEAD TIMES REST, ERR_FORMAT, "state is missing" },
	{ "no equals sign", HEAD "state\n", ERR_FORMAT, "line 3: no '='" },
	{ "last line cut", HEAD "state=affirm", ERR_FORMAT, "line 3: cut off" },
	{ "state that is none", HEAD "state=good\n", ERR_FORMAT, "state: bad value" },
	{ "reason of another state", HEAD "state=affirming\nreason=kernel-changed\nref=\nceiling=enforce\n" TIMES REST, ERR_FORMAT, "does not mean affirming" },
	{ "number with a sign", HEAD STATE "issued_boot=-1\n", ERR_FORMAT, "issued_boot: bad value" },
	{ "number with a leading zero", HEAD STATE "issued_boot=01\n", ERR_FORMAT, "issued_boot: bad value" },
	{ "number over 2^53", HEAD STATE "issued_boot=9007199254740992\n", ERR_FORMAT, "issued_boot: bad value" },
	{ "number with a tail", HEAD STATE "issued_boot=1 \n", ERR_FORMAT, "issued_boot: bad value" },
	{ "expires before it was issued", HEAD STATE "issued_boot=2\nexpires_boot=1\nissued_wall=1\nexpires_wall=1\nasleep=0\n" REST, ERR_FORMAT, "before it was issued" },
	{ "lives too long", HEAD STATE "issued_boot=1\nexpires_boot=86400002\nissued_wall=1\nexpires_wall=1\nasleep=0\n" REST, ERR_LIMIT, "lifetime" },
	{ "control character", "version=1\nboot_id=a\tb\n", ERR_FORMAT, "boot_id: bad value" },
	{ "text too long", "version=1\nboot_id=" BOOT "0\n", ERR_FORMAT, "boot_id: bad value" },
};

START_TEST(parses)
{
	struct error e = { .code = ERR_NONE };
	struct record r;
	bool ok = record_parse(rows[_i].text, strlen(rows[_i].text), &r, &e);

	ck_assert_msg(ok == (rows[_i].code == ERR_NONE) && (ok || e.code == rows[_i].code), "%s: got %s (%s)", rows[_i].label, err_name(e.code), e.why);
	ck_assert_msg(!rows[_i].why || strstr(e.why, rows[_i].why), "%s: says \"%s\"", rows[_i].label, e.why);
}
END_TEST

static void
prefix(const uint8_t *buf, size_t len, void *arg)
{
	struct error e;
	struct record r;

	(void)arg;
	ck_assert_msg(!record_parse((const char *)buf, len, &r, &e), "the first %zu bytes pass", len);
}

START_TEST(no_prefix_passes)
{
	unit_prefixes((const uint8_t *)GOOD, strlen(GOOD), prefix, NULL);
}
END_TEST

START_TEST(too_large)
{
	char text[RECORD_MAX + 1];
	struct error e;
	struct record r;

	memset(text, 'a', sizeof(text));
	ck_assert(!record_parse(text, sizeof(text), &r, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

/* GOOD lives from 1000 to 901000 of the boot, from 5000000 to 5900000 of the wall; asleep 10 then. */
static const struct {
	const char  *label, *boot_id;
	struct clock now;
	enum reason  want;
} when[] = {
	{ "now", BOOT, { 2000, 1990, 5001000 }, REASON_OK },
	{ "when it was issued", BOOT, { 1000, 990, 5000000 }, REASON_OK },
	{ "20: another boot", "0b1e7a7e-0000-4000-8000-000000000002", { 2000, 1990, 5001000 }, REASON_VERDICT_OTHER_BOOT },
	{ "20: boot unknown", "", { 2000, 1990, 5001000 }, REASON_VERDICT_OTHER_BOOT },
	{ "37: before it was issued, by the boot's clock", BOOT, { 999, 989, 5001000 }, REASON_VERDICT_EXPIRED },
	{ "37: before it was issued, by the wall", BOOT, { 2000, 1990, 4999999 }, REASON_VERDICT_EXPIRED },
	{ "37: out, by the boot's clock", BOOT, { 901000, 900990, 5001000 }, REASON_VERDICT_EXPIRED },
	{ "37: out, by the wall", BOOT, { 2000, 1990, 5900000 }, REASON_VERDICT_EXPIRED },
	{ "37: wall a day ahead", BOOT, { 2000, 1990, 5001000 + 86400000 }, REASON_VERDICT_EXPIRED },
	{ "37: slept two seconds", BOOT, { 4000, 1990, 5003000 }, REASON_VERDICT_EXPIRED },
	{ "37: a second's slack", BOOT, { 3000, 1990, 5002000 }, REASON_OK },
};

START_TEST(counts)
{
	struct error e;
	struct record r;
	enum reason got;

	ck_assert(record_parse(GOOD, strlen(GOOD), &r, &e));
	got = record_usable(&r, when[_i].boot_id, &when[_i].now);
	ck_assert_msg(got == when[_i].want, "%s: %s", when[_i].label, reason_code(got));
}
END_TEST

/* What a record says without attestd: while it counts, its own word; then a refusal still, grace in an outage, or why it is over. */
static const struct { const char *label; enum reason reason; bool spent, out, good_here; int64_t since_good; enum reason want; } says[] = {
	{ "good",                          REASON_OK,               false, false, true,  0,    REASON_OK },
	{ "good, and the verifier away",   REASON_OK,               false, true,  true,  0,    REASON_OK },
	{ "spent",                         REASON_OK,               true,  false, true,  0,    REASON_VERDICT_EXPIRED },
	{ "spent in an outage",            REASON_OK,               true,  true,  true,  10,   REASON_GRACE },
	{ "at the end of grace",           REASON_OK,               true,  true,  true,  3600, REASON_VERDICT_EXPIRED },
	{ "good in another boot",          REASON_OK,               true,  true,  false, 10,   REASON_VERDICT_EXPIRED },
	{ "good in time to come",          REASON_OK,               true,  true,  true,  -10,  REASON_VERDICT_EXPIRED },
	{ "a refusal",                     REASON_FIRMWARE_CHANGED, false, false, false, 0,    REASON_FIRMWARE_CHANGED },
	{ "a refusal that is spent",       REASON_FIRMWARE_CHANGED, true,  false, false, 0,    REASON_FIRMWARE_CHANGED },
	{ "broken",                        REASON_TPM_BUSY,         true,  false, false, 0,    REASON_TPM_BUSY },
};

START_TEST(says_what_holds)
{
	struct record r;
	struct error e;
	struct clock now;
	enum reason got;

	ck_assert(record_parse(GOOD, strlen(GOOD), &r, &e));
	now = (struct clock){ .boot = r.issued_boot + 1, .mono = r.issued_boot + 1 - r.asleep, .wall = r.issued_wall + 1 };
	r.reason = says[_i].reason;
	r.state = reason_state(r.reason);
	if (says[_i].spent)
		r.expires_boot = now.boot;
	r.upstream_out = says[_i].out;
	r.good_this_boot = says[_i].good_here;
	r.good_issued_wall = now.wall - says[_i].since_good * 1000;
	r.grace_max = 3600 * 1000;
	got = record_says(&r, r.boot_id, &now);
	ck_assert_msg(got == says[_i].want, "%s: %s", says[_i].label, reason_code(got));
}
END_TEST

START_TEST(round_trip)
{
	char text[RECORD_MAX], again[RECORD_MAX];
	struct error e;
	struct record r;
	size_t len;

	ck_assert(record_parse(GOOD, strlen(GOOD), &r, &e));
	ck_assert(record_format(&r, text, sizeof(text), &len, &e));
	ck_assert_str_eq(text, GOOD);
	ck_assert(!record_format(&r, again, 100, &len, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	/* What no gate would read is not written. */
	r.reason = REASON_KERNEL_CHANGED;
	ck_assert(!record_format(&r, again, sizeof(again), &len, &e));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, parses, 0, COUNT(rows));
	tcase_add_test(tc, no_prefix_passes);
	tcase_add_test(tc, too_large);
	tcase_add_loop_test(tc, counts, 0, COUNT(when));
	tcase_add_loop_test(tc, says_what_holds, 0, COUNT(says));
	tcase_add_test(tc, round_trip);
}

int
main(void)
{
	return unit_run("record", add);
}
