/* The trustworthiness vector: what each finding moves, and that every reason to refuse or warn moves something. */
#include "claims.h"
#include "unit.h"

/* Reasons that are not of an appraisal: enrollment, which ends without a result, and what a host says of itself. */
static const enum reason elsewhere[] = {
	REASON_EK_UNTRUSTED, REASON_EK_MISMATCH, REASON_EK_MISSING, REASON_EK_IN_USE, REASON_AK_ATTRIBUTES, REASON_PROOF_FAILED,
	REASON_NAME_IN_USE, REASON_TOKEN_INVALID, REASON_PASSPORT_INVALID, REASON_GRACE,
};

static bool
is_elsewhere(enum reason r)
{
	for (unsigned i = 0; i < COUNT(elsewhere); i++)
		if (elsewhere[i] == r)
			return true;
	return false;
}

/* A status is not better than its vector, nor worse than all of it. */
START_TEST(every_reason_moves_a_claim)
{
	for (unsigned r = 0; r < REASON_COUNT; r++) {
		struct finding f = { .code = (enum reason)r, .claim = CLAIM_CONFIGURATION };
		enum state state = reason_state((enum reason)r);
		enum trust_claim claim;
		int8_t value = 0;
		bool moves = claim_move(&f, &claim, &value);

		if (state == STATE_CONTRAINDICATED && !is_elsewhere((enum reason)r))
			ck_assert_msg(moves && value >= 96, "%s: %d", reason_code((enum reason)r), value);
		else if (state == STATE_WARNING && !is_elsewhere((enum reason)r))
			ck_assert_msg(moves && value >= 32 && value < 96, "%s: %d", reason_code((enum reason)r), value);
		else
			ck_assert_msg(!moves, "%s", reason_code((enum reason)r));
	}
}
END_TEST

struct said { enum reason code; enum severity severity; enum trust_claim claim; };
static const struct { const char *label; enum reason reason; struct said said[3]; int8_t vector[CLAIM_COUNT]; } cases[] = {
	/* instance-identity, configuration, executables, hardware */
	{ "the quote", REASON_QUOTE_SIGNATURE, { { REASON_QUOTE_SIGNATURE, SEVERITY_ALARMING, CLAIM_INSTANCE_IDENTITY } }, { 99, 0, 0, 0 } },
	{ "revoked", REASON_HOST_REVOKED, { { REASON_HOST_REVOKED, SEVERITY_ALARMING, CLAIM_INSTANCE_IDENTITY } }, { 96, 0, 0, 0 } },
	{ "a benign change is a change", REASON_KERNEL_CHANGED, { { REASON_KERNEL_CHANGED, SEVERITY_BENIGN_LIKELY, CLAIM_EXECUTABLES } }, { 0, 0, 96, 0 } },
	{ "several", REASON_FIRMWARE_CHANGED, { { REASON_FIRMWARE_CHANGED, SEVERITY_UNKNOWN, CLAIM_HARDWARE },
	    { REASON_CMDLINE_CHANGED, SEVERITY_ALARMING, CLAIM_CONFIGURATION } }, { 0, 96, 0, 97 } },
	{ "the worst counts", REASON_EVENTLOG_MISMATCH, { { REASON_EVENTLOG_MISSING, SEVERITY_ALARMING, CLAIM_EXECUTABLES },
	    { REASON_EVENTLOG_MISMATCH, SEVERITY_ALARMING, CLAIM_EXECUTABLES }, { REASON_BOOT_CHANGED, SEVERITY_UNKNOWN, CLAIM_EXECUTABLES } }, { 0, 0, 99, 0 } },
	{ "more in the firmware", REASON_EVENT_UNEXPECTED, { { REASON_EVENT_UNEXPECTED, SEVERITY_UNKNOWN, CLAIM_HARDWARE } }, { 0, 0, 0, 97 } },
	{ "more elsewhere", REASON_EVENT_UNEXPECTED, { { REASON_EVENT_UNEXPECTED, SEVERITY_UNKNOWN, CLAIM_CONFIGURATION } }, { 0, 96, 0, 0 } },
	{ "kexec warns", REASON_KEXEC, { { REASON_KEXEC, SEVERITY_UNKNOWN, CLAIM_EXECUTABLES } }, { 0, 0, 33, 0 } },
	{ "what a warning lets pass", REASON_KEXEC, { { REASON_KEXEC, SEVERITY_UNKNOWN, CLAIM_EXECUTABLES },
	    { REASON_FIRMWARE_CHANGED, SEVERITY_UNKNOWN, CLAIM_HARDWARE } }, { 0, 0, 33, 0 } },
	{ "said beside a good one", REASON_OK, { { REASON_FIRMWARE_CHANGED, SEVERITY_UNKNOWN, CLAIM_HARDWARE } }, { 0, 0, 0, 0 } },
	{ "for information", REASON_NO_REFERENCE, { { REASON_BOOT_CHANGED, SEVERITY_INFO, CLAIM_EXECUTABLES } }, { 0, 0, 0, 0 } },
};

START_TEST(findings_make_the_vector)
{
	struct verdict *v = malloc(sizeof(*v));

	ck_assert_ptr_nonnull(v);
	verdict_start(v);
	v->reason = cases[_i].reason;
	v->state = reason_state(v->reason);
	for (unsigned i = 0; i < 3 && cases[_i].said[i].code; i++)
		(void)finding_add(&v->findings, cases[_i].said[i].code, cases[_i].said[i].severity, cases[_i].said[i].claim);
	claims_derive(v);
	for (unsigned c = 0; c < CLAIM_COUNT; c++)
		ck_assert_msg(v->claim[c] == cases[_i].vector[c], "%s: claim %u is %d", cases[_i].label, c, v->claim[c]);
	free(v);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, every_reason_moves_a_claim);
	tcase_add_loop_test(tc, findings_make_the_vector, 0, COUNT(cases));
}

int main(void) { return unit_run("claims", add); }
