#include "reason.h"
#include "ref.h"
#include "unit.h"

START_TEST(codes_lead_back)
{
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		enum reason r = REASON_INTERNAL_ERROR;

		ck_assert(reason_find(reason_code((enum reason)i), &r));
		ck_assert_msg(r == (enum reason)i, "%s stands twice", reason_code(r));
		ck_assert(reason_text(r)[0] && reason_next(r)[0]);
	}
	ck_assert_str_eq(reason_code((enum reason)9999), "internal-error");
}
END_TEST

START_TEST(only_ok_is_affirming)
{
	for (unsigned i = 0; i < REASON_COUNT; i++)
		ck_assert_int_eq(reason_state((enum reason)i) == STATE_AFFIRMING, i == REASON_OK);
	ck_assert_int_eq(reason_state((enum reason)9999), STATE_NONE);
	ck_assert_int_eq((enum state)0, STATE_NONE);
}
END_TEST

static const struct { enum reason r; const char *ref, *host, *text; } advice[] = {
	{ REASON_CMDLINE_CHANGED, "7F3K-21QX", "web7", "if it was you: verifierctl accept 7F3K-21QX" },
	{ REASON_CMDLINE_CHANGED, "", "web7", "if it was you: verifierctl accept REF" },
	{ REASON_ENROLLMENT_PENDING, "", "web7", "verifierctl approve web7" },
	{ REASON_NO_REFERENCE, "AAAA-BBBB", "", "verifierctl accept AAAA-BBBB, once you have read verifierctl explain AAAA-BBBB" },
	{ REASON_OK, "AAAA-BBBB", "web7", "nothing to do" },
};

START_TEST(advice_can_be_pasted)
{
	char out[REASON_ADVICE_TEXT];

	reason_advice(advice[_i].r, advice[_i].ref, advice[_i].host, out);
	ck_assert_str_eq(out, advice[_i].text);
}
END_TEST

START_TEST(advice_keeps_its_bound)
{
	char out[REASON_ADVICE_TEXT], host[400];

	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	reason_advice(REASON_ENROLLMENT_PENDING, "", host, out);
	ck_assert_uint_eq(strlen(out), REASON_ADVICE_TEXT - 1);
}
END_TEST

static const struct { const char *typed, *ref; } refs[] = {
	{ "7F3K-21QX", "7F3K-21QX" }, { "7f3k21qx", "7F3K-21QX" }, { "L-7F3K-21QX", "L-7F3K-21QX" }, { "l-7f3k21qx", "L-7F3K-21QX" },
	{ "OOOO-IL11", "0000-1111" }, { "7F3K-21Q", NULL }, { "7F3K-21QXX", NULL }, { "7F3K--21QX", NULL }, { "UUUU-UUUU", NULL },
	{ "", NULL }, { "7F3K 21QX", NULL }, { "-7F3K21QX", NULL },
};

START_TEST(references_as_people_type_them)
{
	char out[REF_TEXT];

	ck_assert_msg(ref_read(refs[_i].typed, out) == (refs[_i].ref != NULL), "%s", refs[_i].typed);
	if (refs[_i].ref)
		ck_assert_str_eq(out, refs[_i].ref);
}
END_TEST

START_TEST(references_read_back)
{
	char out[REF_TEXT], again[REF_TEXT];

	for (uint64_t i = 0; i < 2000; i++) {
		ref_make(i * 0x9e3779b97f4a7c15, i & 1, out);
		ck_assert_msg(ref_read(out, again) && !strcmp(out, again), "%s", out);
	}
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, codes_lead_back);
	tcase_add_test(tc, only_ok_is_affirming);
	tcase_add_loop_test(tc, advice_can_be_pasted, 0, COUNT(advice));
	tcase_add_test(tc, advice_keeps_its_bound);
	tcase_add_loop_test(tc, references_as_people_type_them, 0, COUNT(refs));
	tcase_add_test(tc, references_read_back);
}

int main(void) { return unit_run("reason", add); }
