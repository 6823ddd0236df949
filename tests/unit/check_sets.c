/* Reference sets in verifierd-core with its real workers: a fleet of one image, files, and what is taken back. */
#include "core_lab.h"
#include "eventlog.h"
#include "unit.h"

static struct lab lab;
static struct soft_host a, b;
static struct reply r;

/* The host measured something else in this PCR: the first event whose words end like this. With -by again the first thing. */
static void
measured_by(struct soft_host *h, uint32_t pcr, const char *ends, int by)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };

	ck_assert(eventlog_parse(h->log, h->log_len, &log, &e));
	for (unsigned i = 0; i < log.count; i++) {
		const struct event *ev = &log.event[i];
		size_t n = strlen(ev->text), m = strlen(ends);
		uint8_t *at;

		if (ev->pcr != pcr || n < m || strcmp(ev->text + n - m, ends))
			continue;
		at = memmem(h->log + ev->offset, h->log_len - ev->offset, ev->digest[BANK_SHA256], 32);
		ck_assert_ptr_nonnull(at);
		at[7] = (uint8_t)(at[7] + by);
		return;
	}
	ck_abort_msg("PCR %u: no event ends in %s", pcr, ends);
}

static void
measured_other(struct soft_host *h, uint32_t pcr, const char *ends)
{
	measured_by(h, pcr, ends, 1);
}

/* Two machines of one image, the second with an initrd of its own. */
static void
open_lab(void)
{
	lab_open(&lab);
	soft_host(&lab, &a, "host-a", "sb-shimgrub-a");
	soft_host(&lab, &b, "host-b", "sb-shimgrub-b");
	measured_other(&b, 9, "/initrd.img");
	lab_start(&lab, 1, 1);
}

static void
close_lab(void)
{
	soft_host_free(&a);
	soft_host_free(&b);
	lab_close(&lab);
}

static const char *
attest(struct soft_host *h)
{
	struct soft_quote q;

	ck_assert_msg(soft_challenge(&lab, h, &q, &r), "challenge: %d %s", r.status, r.body);
	soft_attest(&lab, &q, &r);
	return reply_reason(&r);
}

/* The reference of the answer at hand. */
static const char *
ref_of_reply(void)
{
	static char ref[16];
	own(json) struct json *j = NULL;
	struct error e = { .code = ERR_NONE };

	ck_assert(json_parse(r.body, strlen(r.body), &j, &e) && json_text(j, "ref", ref, sizeof(ref), &e));
	return ref;
}

static int
admin(struct admin_request ask)
{
	if (!*ask.reason)
		strcpy(ask.reason, "test");
	lab_admin(&lab, &ask, &r);
	return r.status;
}

static void
says(const char *words)
{
	ck_assert_msg(r.status == 200 && strstr(r.body, words), "%s: %d %s", words, r.status, r.body);
}

static void
fleet_of_a(void)
{
	ck_assert_str_eq(attest(&a), "no-reference");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_CAPTURE, .host = "host-a", .set = "base" }), 200);
	says("\"components\":[\"firmware\",\"secureboot\",\"loader\",\"boot-entry\"],\"own\":false");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "base" }), 200);
	ck_assert_str_eq(attest(&a), "ok");
}

static void
accept_boot_of_b(void)
{
	struct admin_request ask = { .op = ADMIN_ACCEPT };

	ck_assert_str_eq(attest(&b), "no-reference");
	strcpy(ask.report, ref_of_reply());
	ck_assert_int_eq(admin(ask), 200);
}

/* NEGATIVE row 28: one machine captured serves its group; the second one needs its own part alone. */
START_TEST(row_28_a_second_host_needs_its_own_part)
{
	fleet_of_a();
	accept_boot_of_b();
	says("\"set\":\"base/2\"");
	says("\"components\":[],\"own\":true");
	ck_assert_str_eq(attest(&b), "ok");
	ck_assert_str_eq(attest(&a), "ok");
	/* told from a tampered one: the initrd of neither, and the part that is b's alone */
	measured_other(&b, 9, "/initrd.img");
	ck_assert_str_eq(attest(&b), "kernel-changed");
	measured_other(&a, 9, "/initrd.img");
	ck_assert_str_eq(attest(&a), "kernel-changed");
}
END_TEST

/* Another TPM in a machine of the same model, started from the same image: nothing has to be approved. */
START_TEST(another_tpm_and_the_same_boot)
{
	measured_by(&b, 9, "/initrd.img", -1);
	fleet_of_a();
	ck_assert_str_eq(attest(&b), "ok");
}
END_TEST

START_TEST(captured_it_is_the_same_part)
{
	fleet_of_a();
	ck_assert_str_eq(attest(&b), "no-reference");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_CAPTURE, .host = "host-b", .set = "b" }), 200);
	says("\"components\":[],\"own\":true");
	ck_assert_str_eq(attest(&b), "pending-approval");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_CAPTURE, .host = "host-b", .set = "b", .scope = "group" }), 200);
	says("\"own\":false");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_CAPTURE, .host = "host-b", .set = "b", .scope = "moon" }), 400);
}
END_TEST

/* The kernel ends for all with the set that grants it. */
START_TEST(own_part_ends_with_the_fleet)
{
	fleet_of_a();
	accept_boot_of_b();
	ck_assert_str_eq(attest(&b), "ok");
	/* Both would be refused: that is held until somebody says so. */
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_RETIRE, .set = "base/1" }), 409);
	ck_assert_ptr_nonnull(strstr(r.body, "held: 2 hosts that are good would be refused (host-a, host-b)"));
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_RETIRE, .set = "base/1", .confirm = "2" }), 200);
	says("\"stragglers\":[\"host-a\",\"host-b\"]");
	ck_assert_str_ne(attest(&b), "ok");
}
END_TEST

/* What is accepted is what was refused: with a new kernel the kernel, for one host alone if so wanted. */
START_TEST(accept_takes_what_was_refused)
{
	struct admin_request ask = { .op = ADMIN_ACCEPT, .scope = "host" };

	fleet_of_a();
	accept_boot_of_b();
	measured_other(&a, 7, "dbx: 1 entry");
	measured_other(&b, 7, "dbx: 1 entry");
	ck_assert_str_eq(attest(&a), "secureboot-changed");
	strcpy(ask.report, ref_of_reply());
	ck_assert_int_eq(admin(ask), 200);
	says("\"components\":[\"secureboot\"],\"own\":true");
	ck_assert_str_eq(attest(&a), "ok");
	ck_assert_str_eq(attest(&b), "secureboot-changed");
	ask.scope[0] = '\0';
	strcpy(ask.report, ref_of_reply());
	ck_assert_int_eq(admin(ask), 200);
	says("\"components\":[\"secureboot\"],\"own\":false");
	ck_assert_str_eq(attest(&b), "ok");
}
END_TEST

static const struct { const char *label, *components, *reason_a, *reason_b; } withdrawals[] = {
	{ "as a whole", "", "reference-revoked", "no-reference" },
	{ "the loader", "loader", "reference-revoked", "reference-revoked" },
	{ "the kernel among others", "secureboot,boot-entry", "reference-revoked", "reference-revoked" },
};

/* Another active set says the same: what is revoked stands above it. */
START_TEST(revoked_beats_every_union)
{
	struct admin_request ask = { .op = ADMIN_WITHDRAW, .set = "base/1", .confirm = "2" };

	fleet_of_a();
	accept_boot_of_b();
	ck_assert_str_eq(attest(&b), "ok");
	if (*withdrawals[_i].components) {
		ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_CAPTURE, .host = "host-a", .set = "again" }), 200);
		ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "again" }), 200);
	}
	strcpy(ask.components, withdrawals[_i].components);
	ck_assert_int_eq(admin(ask), 200);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_HOSTS }), 200);
	says("\"state\":\"contraindicated\",\"reason\":\"reference-revoked\"");
	ck_assert_str_eq(attest(&a), withdrawals[_i].reason_a);
	ck_assert_msg(!strcmp(attest(&b), withdrawals[_i].reason_b), "%s: %s", withdrawals[_i].label, reply_reason(&r));
	strcpy(ask.components, "kernel");
	ck_assert_int_eq(admin(ask), 400);
}
END_TEST

/* --- files --- */

static struct admin_request
import_of(const char *text, const char *name)
{
	struct admin_request ask = { .op = ADMIN_IMPORT, .text = { text, (uint32_t)strlen(text) } };

	strcpy(ask.set, name);
	return ask;
}

/* NEGATIVE row 30: what comes from a file is a candidate, the same to the byte, and says who brought it. */
START_TEST(row_30_imported_is_a_candidate)
{
	own(mem) char *text = NULL;
	struct admin_request ask;

	fleet_of_a();
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_EXPORT, .set = "base" }), 200);
	text = strdup(r.body);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_RETIRE, .set = "base" }), 200);
	ask = import_of(text, "carried");
	ck_assert_int_eq(admin(ask), 200);
	says("\"state\":\"candidate\"");
	says("imported by uid ");
	/* no host: it serves whoever boots the very same */
	ck_assert_str_eq(attest(&a), "pending-approval");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "carried" }), 200);
	ck_assert_str_eq(attest(&a), "ok");
	ck_assert_str_eq(attest(&b), "no-reference");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_RETIRE, .set = "carried" }), 200);
	strcpy(ask.host, "host-a");
	ck_assert_int_eq(admin(ask), 200);
	ck_assert_str_eq(attest(&a), "pending-approval");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "carried/2" }), 200);
	ck_assert_str_eq(attest(&a), "ok");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_EXPORT, .set = "carried/2" }), 200);
	ck_assert_ptr_nonnull(strstr(r.body, strchr(text, '\n')));     /* all but the origin */
}
END_TEST

START_TEST(bad_files_are_answered_with_line_and_key)
{
	static const struct { const char *text, *says; } bad[] = {
		{ "", "text" }, { "{", "line 1" }, { "{}", "schema: missing" }, { "[]", "no record is of use" },
		{ "{\"schema\":1,\n\"origin\":\"o\",\"bank\":\"sha256\",\"pcrs\":[0],\"components\":[\"firmware\"],\"host_only\":false,\"kind\":\"events\",\n"
		    "\"entries\":[\n{\"component\":\"firmware\"}]}", "line 4: entries[0]: scope: missing" },
	};

	for (unsigned i = 0; i < COUNT(bad); i++) {
		ck_assert_int_eq(admin(import_of(bad[i].text, "bad")), 400);
		ck_assert_msg(strstr(r.body, bad[i].says), "%s: %s", bad[i].text, r.body);
	}
	ck_assert_int_eq(admin(import_of("{}", "with/3")), 400);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_SETS }), 200);
	says("\"sets\":[]");
}
END_TEST

/* --- when --- */

START_TEST(sets_expire)
{
	fleet_of_a();
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "base", .expires = "2020-01-01T00:00:00Z" }), 409);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "base", .expires = "tomorrow" }), 400);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "base", .expires = "2099-02-30T00:00:00Z" }), 400);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "base", .expires = "2099-02-28T00:00:00Z" }), 200);
	ck_assert_str_eq(attest(&a), "ok");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_SETS }), 200);
	says("\"expires\":\"2099-02-28T00:00:00Z\"");
}
END_TEST

/* NEGATIVE row 30: a newer report between show and capture. What was looked at is named, by reference and digest. */
START_TEST(row_30_what_was_shown_is_taken)
{
	struct admin_request capture = { .op = ADMIN_CAPTURE, .host = "host-a", .set = "base" };
	struct admin_request activate = { .op = ADMIN_ACTIVATE, .set = "base", .digest = "00000000" };
	own(json) struct json *j = NULL;
	struct error e = { .code = ERR_NONE };

	ck_assert_str_eq(attest(&a), "no-reference");
	strcpy(capture.report, ref_of_reply());
	measured_other(&a, 9, "/initrd.img");
	ck_assert_str_eq(attest(&a), "no-reference");
	ck_assert_int_eq(admin(capture), 200);
	says(capture.report);
	ck_assert_int_eq(admin(activate), 409);
	ck_assert_int_eq(admin(capture), 200);
	ck_assert(json_parse(r.body, strlen(r.body), &j, &e) && json_text(j, "digest", activate.digest, sizeof(activate.digest), &e));
	*capture.report = '\0';
	ck_assert_int_eq(admin(capture), 200);              /* base/3 is what it boots now */
	ck_assert_int_eq(admin(activate), 409);
	strcpy(activate.set, "base/2");
	ck_assert_int_eq(admin(activate), 200);
	ck_assert_str_ne(attest(&a), "ok");
}
END_TEST

/* --- hosts without a usable log --- */

/* As attestd does: the PCR values when they are asked for. */
static const char *
attest_by_values(struct soft_host *h)
{
	struct soft_quote q;

	ck_assert(soft_challenge(&lab, h, &q, &r));
	q.with_values = false;
	soft_attest(&lab, &q, &r);
	if (strcmp(reply_reason(&r), "needs-pcrs"))
		return reply_reason(&r);
	ck_assert_msg(r.status == 409 && strstr(r.body, "\"need\":\"pcrs\""), "%s", r.body);
	q.with_values = true;
	soft_values(h, &q);
	soft_attest(&lab, &q, &r);
	return reply_reason(&r);
}

static int
set_class(const char *host, const char *class)
{
	struct admin_request ask = { .op = ADMIN_CLASS };

	strcpy(ask.host, host);
	strcpy(ask.class, class);
	return admin(ask);
}

/* NEGATIVE row 9: only by an explicit class, and then by values that somebody approved. */
START_TEST(row_9_no_log_needs_a_class_and_pins)
{
	struct soft_quote q;

	a.gives_no_log = true;
	ck_assert_str_eq(attest_by_values(&a), "eventlog-missing");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_CAPTURE, .host = "host-a", .set = "pins" }), 404);
	ck_assert_int_eq(set_class("host-a", "no-lag"), 400);
	ck_assert_int_eq(set_class("host-a", "no-log"), 200);
	ck_assert_str_eq(attest_by_values(&a), "no-reference");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_CAPTURE, .host = "host-a", .set = "pins" }), 200);
	says("\"entries\":3,\"components\":[\"firmware\",\"secureboot\"],\"own\":false");
	ck_assert_str_eq(attest_by_values(&a), "pending-approval");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "pins" }), 200);
	ck_assert_str_eq(attest_by_values(&a), "ok");
	/* no values, others than were quoted, and those of another boot */
	ck_assert_str_eq(attest(&a), "pcrs-unproven");
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	soft_values(&a, &q);
	q.values[3] ^= 1;
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "pcrs-unproven");
	measured_other(&a, 9, "/initrd.img");
	ck_assert_str_eq(attest_by_values(&a), "ok");       /* what is not pinned is not judged */
	measured_other(&a, 7, "dbx: 1 entry");
	ck_assert_str_eq(attest_by_values(&a), "secureboot-changed");
	ck_assert_int_eq(set_class("host-a", "log"), 200);
	ck_assert_str_eq(attest_by_values(&a), "eventlog-missing");
}
END_TEST

START_TEST(pins_of_one_host_end)
{
	struct admin_request ask = { .op = ADMIN_ACCEPT, .scope = "host" };

	a.gives_no_log = b.gives_no_log = true;
	ck_assert_int_eq(set_class("host-a", "does-not-replay"), 200);
	ck_assert_int_eq(set_class("host-b", "no-log"), 200);
	ck_assert_str_eq(attest_by_values(&a), "no-reference");
	strcpy(ask.report, ref_of_reply());
	ck_assert_int_eq(admin(ask), 200);
	says("\"own\":true");
	ck_assert_str_eq(attest_by_values(&a), "ok");
	ck_assert_str_eq(attest_by_values(&b), "no-reference");
	strcpy(ask.report, ref_of_reply());
	ask.scope[0] = '\0';
	ck_assert_int_eq(admin(ask), 200);
	ck_assert_str_eq(attest_by_values(&b), "ok");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_WITHDRAW, .set = "default/2", .components = "firmware" }), 200);
	ck_assert_str_eq(attest_by_values(&a), "reference-revoked");
	ck_assert_str_eq(attest_by_values(&b), "reference-revoked");
}
END_TEST

/* NEGATIVE row 43: TPM driver blocked, log omitted, a golden log over other PCRs, on a host that gave a replaying log. */
START_TEST(row_43_who_gave_a_log_goes_on_giving_it)
{
	struct soft_quote q;

	fleet_of_a();
	ck_assert_int_eq(set_class("host-a", "no-log"), 409);
	a.gives_no_log = true;
	ck_assert_str_eq(attest_by_values(&a), "evidence-lost");
	/* the class was there before the log */
	ck_assert_int_eq(set_class("host-b", "no-log"), 200);
	b.gives_no_log = true;
	ck_assert_str_eq(attest_by_values(&b), "no-reference");
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_CAPTURE, .host = "host-b", .set = "pins" }), 200);
	ck_assert_int_eq(admin((struct admin_request){ .op = ADMIN_ACTIVATE, .set = "pins" }), 200);
	ck_assert_str_eq(attest_by_values(&b), "ok");
	b.gives_no_log = false;
	ck_assert_str_eq(attest_by_values(&b), "no-reference");
	b.gives_no_log = true;
	ck_assert_str_eq(attest_by_values(&b), "evidence-lost");
	/* last: main would start another parser now */
	a.gives_no_log = false;
	ck_assert(soft_challenge(&lab, &a, &q, &r));
	q.pcr_digest[0] ^= 1;
	soft_attest(&lab, &q, &r);
	ck_assert_str_eq(reply_reason(&r), "evidence-lost");
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_lab, close_lab);
	tcase_add_test(tc, row_28_a_second_host_needs_its_own_part);
	tcase_add_test(tc, another_tpm_and_the_same_boot);
	tcase_add_test(tc, captured_it_is_the_same_part);
	tcase_add_test(tc, own_part_ends_with_the_fleet);
	tcase_add_test(tc, accept_takes_what_was_refused);
	tcase_add_loop_test(tc, revoked_beats_every_union, 0, COUNT(withdrawals));
	tcase_add_test(tc, row_30_imported_is_a_candidate);
	tcase_add_test(tc, bad_files_are_answered_with_line_and_key);
	tcase_add_test(tc, sets_expire);
	tcase_add_test(tc, row_30_what_was_shown_is_taken);
	tcase_add_test(tc, row_9_no_log_needs_a_class_and_pins);
	tcase_add_test(tc, pins_of_one_host_end);
	tcase_add_test(tc, row_43_who_gave_a_log_goes_on_giving_it);
}

int main(void) { return unit_run("sets", add); }
