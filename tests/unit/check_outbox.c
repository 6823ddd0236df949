/* What waits for the verifier: gathered, sealed, sent until it is taken, and not told again. */
#include "outbox.h"
#include "unit.h"

static char dir[64];
static struct outbox o;
static struct tally tally;
static uint64_t number;
static struct error e;

static void
reopen(void)
{
	e.code = ERR_NONE;
	ck_assert_msg(outbox_open(&o, dir, &e), "%s", e.why);
	o.settled = 0;
}

static void
setup(void)
{
	strcpy(dir, "/tmp/check_outbox.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memset(&tally, 0, sizeof(tally));
	number = 0;
	reopen();
}

static void
teardown(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/outbox", dir);
	unlink(path);
	rmdir(dir);
}

static struct decision
made(const char *user, enum access access, enum reason reason)
{
	struct decision d = { .number = number + 1, .time = 1764000000000 + (int64_t)number * 1000, .service = "sshd",
		.access = access, .reason = reason, .counts = true, .mode = MODE_ENFORCE };

	number++;
	snprintf(d.user, sizeof(d.user), "%s", user);
	return d;
}

static void
use(const char *user)
{
	struct decision d = made(user, ACCESS_EXEMPTED, REASON_BREAK_GLASS);

	outbox_add(&o, &d);
}

/* What would be sent now; count: of incidents, -1 when nothing is. */
static int
taken(bool idle, struct incidents *out)
{
	own(json) struct json *j = NULL;
	own(mem) char *text = NULL;
	size_t len;

	text = outbox_take(&o, &tally, idle, &len, &e);
	if (!text)
		return -1;
	ck_assert_uint_lt(len, 16 << 10);
	ck_assert_msg(json_parse(text, len, &j, &e) && incidents_read(j, out, &e), "%s", e.why);
	return (int)out->count;
}

static const struct { const char *label; enum access access; enum reason reason; enum gate_mode mode; bool not_armed, killed; enum incident_kind kind; } kinds[] = {
	{ "break-glass",              ACCESS_EXEMPTED,     REASON_BREAK_GLASS,    MODE_ENFORCE, false, false, INCIDENT_BREAK_GLASS },
	{ "break-glass, not armed",   ACCESS_EXEMPTED,     REASON_BREAK_GLASS,    MODE_AUDIT,   true,  false, INCIDENT_BREAK_GLASS },
	{ "the group under audit",    ACCESS_EXEMPTED,     REASON_BREAK_GLASS,    MODE_AUDIT,   false, false, INCIDENT_COUNT },
	{ "a bracket",                ACCESS_OPEN,         REASON_ATTESTD_DOWN,   MODE_ENFORCE, false, false, INCIDENT_FAIL_OPEN },
	{ "a bracket under audit",    ACCESS_OPEN,         REASON_ATTESTD_DOWN,   MODE_AUDIT,   false, false, INCIDENT_COUNT },
	{ "a lease",                  ACCESS_LEASED,       REASON_OK,             MODE_ENFORCE, false, false, INCIDENT_LEASE },
	{ "not armed",                ACCESS_WOULD_REFUSE, REASON_NOT_ENROLLED,   MODE_AUDIT,   true,  false, INCIDENT_NOT_ARMED },
	{ "a kill switch",            ACCESS_WOULD_REFUSE, REASON_ATTESTD_DOWN,   MODE_AUDIT,   false, true,  INCIDENT_KILL_SWITCH },
	{ "exempt_user",              ACCESS_EXEMPTED,     REASON_EXEMPT_USER,    MODE_ENFORCE, false, false, INCIDENT_EXEMPTION },
	{ "root's own sudo",          ACCESS_EXEMPTED,     REASON_EXEMPT_ROOT,    MODE_ENFORCE, false, false, INCIDENT_COUNT },
	{ "a verdict",                ACCESS_PERMITTED,    REASON_OK,             MODE_ENFORCE, false, false, INCIDENT_COUNT },
	{ "a refusal",                ACCESS_REFUSED,      REASON_ATTESTD_DOWN,   MODE_ENFORCE, false, false, INCIDENT_COUNT },
};

START_TEST(what_is_worth_telling)
{
	struct decision d = made("kim", kinds[_i].access, kinds[_i].reason);
	struct incidents got = { .count = 0 };

	d.mode = kinds[_i].mode;
	d.not_armed = kinds[_i].not_armed;
	d.killed = kinds[_i].killed;
	outbox_add(&o, &d);
	if (kinds[_i].kind == INCIDENT_COUNT) {
		ck_assert_msg(taken(true, &got) == -1, "%s", kinds[_i].label);
		return;
	}
	/* What is not urgent waits until nobody does. */
	ck_assert_msg(taken(false, &got) == (incident_urgent(kinds[_i].kind) ? 1 : -1), "%s", kinds[_i].label);
	ck_assert_int_eq(taken(true, &got), 1);
	ck_assert_msg(got.list[0].kind == kinds[_i].kind, "%s", kinds[_i].label);
}
END_TEST

START_TEST(sealed_until_it_is_taken)
{
	struct incidents first, again;

	use("eve");
	use("eve");
	ck_assert_int_eq(taken(false, &first), 1);
	ck_assert_uint_eq(first.list[0].count, 2);
	use("eve");                                     /* too late for this batch */
	for (unsigned i = 0; i < 3; i++) {
		outbox_sent(&o, false, &e);
		ck_assert_int_gt(outbox_wait(&o), 0);
		ck_assert_int_eq(taken(false, &again), -1);
		reopen();                               /* as after kill -9: the same batch, the same words */
		ck_assert_int_eq(taken(false, &again), 1);
		ck_assert(!memcmp(&first, &again, sizeof(first)));
	}
	number = 0;
	use("eve");
	use("eve");                                     /* kept decisions come by once more: they are in it */
	use("eve");                                     /* and this one is not */
	outbox_sent(&o, true, &e);
	o.next = 0;
	ck_assert_int_eq(taken(false, &again), 1);
	ck_assert_uint_eq(again.list[0].count, 1);
	ck_assert(memcmp(first.batch, again.batch, BATCH_SIZE) != 0);
	outbox_sent(&o, true, &e);
	reopen();
	number = 0;
	use("eve");
	ck_assert_int_eq(taken(true, &again), -1);
}
END_TEST

/* A thousand users are one batch of bounded size, in which nobody's use is missing. */
START_TEST(a_flood)
{
	struct incidents got;
	uint64_t sum = 0;

	for (unsigned i = 0; i < 1000; i++) {
		char user[WORD_TEXT];

		snprintf(user, sizeof(user), "u%u-0123456789012345678901234567890123456789", i);
		use(user);
	}
	ck_assert_int_le(taken(false, &got), INCIDENTS_MAX);
	for (unsigned i = 0; i < got.count; i++)
		sum += got.list[i].count;
	ck_assert_uint_eq(sum, 1000);
	ck_assert_str_eq(got.list[got.count - 1].user, "*");
	outbox_sent(&o, true, &e);
	use("eve");
	ck_assert_int_eq(taken(false, &got), -1);
	ck_assert_int_gt(outbox_wait(&o), OUTBOX_SPACING_MS / 2);
}
END_TEST

/* "*" is what a user may be called, and takes no place that a kind keeps for what is left over. */
START_TEST(a_flood_of_stars)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct decision d = made(i % 2 ? "*" : "u", ACCESS_EXEMPTED, i % 3 ? REASON_BREAK_GLASS : REASON_EXEMPT_USER);

		snprintf(d.service, sizeof(d.service), "s%u", i);
		outbox_add(&o, &d);
		ck_assert_uint_le(o.open.count, INCIDENTS_MAX);
	}
}
END_TEST

START_TEST(modes_are_told_when_they_change)
{
	struct decision d = made("kim", ACCESS_PERMITTED, REASON_OK);
	struct incidents got;

	tally_add(&tally, &d, true);
	ck_assert_int_eq(taken(false, &got), -1);
	ck_assert_int_eq(taken(true, &got), 0);
	ck_assert(got.modes == 1 && got.mode[0].mode == MODE_ENFORCE && !strcmp(got.mode[0].service, "sshd"));
	outbox_sent(&o, true, &e);
	reopen();
	ck_assert_int_eq(taken(true, &got), -1);
	d.mode = MODE_AUDIT;
	tally_add(&tally, &d, true);
	ck_assert_int_eq(taken(true, &got), 0);
	ck_assert_int_eq(got.mode[0].mode, MODE_AUDIT);
}
END_TEST

START_TEST(a_file_that_cannot_be_read)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/outbox", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs("{\"told\":3,\"last\":{}}", f);
	fclose(f);
	ck_assert(!outbox_open(&o, dir, &e));
	ck_assert(!o.sealed && !o.told);
}
END_TEST

static void
add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, what_is_worth_telling, 0, COUNT(kinds));
	tcase_add_test(t, sealed_until_it_is_taken);
	tcase_add_test(t, a_flood);
	tcase_add_test(t, a_flood_of_stars);
	tcase_add_test(t, modes_are_told_when_they_change);
	tcase_add_test(t, a_file_that_cannot_be_read);
}

int main(void) { return unit_run("outbox", add); }
