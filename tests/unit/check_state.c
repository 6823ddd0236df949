#include <sys/stat.h>
#include "file.h"
#include "publish.h"
#include "scope.h"
#include "unit.h"

static char dir[64];
static struct options opt;

/* The agent of a host that is enrolled, in boot A; good and negative are what the files say. */
enum { A = 'a', B = 'b', LIFE_MS = 700 };
static void
boot(struct agent *a, char which)
{
	*a = (struct agent){ .opt = &opt, .id.active = true };
	snprintf(a->boot_id, sizeof(a->boot_id), "%c0000000-0000-4000-8000-000000000000", which);
	strcpy(a->id.name, "host-a");
}

static struct agent
started(char which)
{
	struct agent a;
	struct error e = { .code = ERR_NONE };

	boot(&a, which);
	ck_assert_msg(publish_start(&a, &e), "%s", e.why);
	return a;
}

static void
publish(struct agent *a, enum reason reason, int64_t life_ms)
{
	static const struct selection pcrs = { .count = 1, .bank[0] = { .alg = 0x000b, .pcrs = 0x91 } };
	struct clock now = clock_now();
	struct error e = { .code = ERR_NONE };
	struct result r = { .state = reason_state(reason), .reason[0] = reason, .ceiling = MODE_ENFORCE,
		.issued_wall = now.wall, .expires_wall = now.wall + life_ms, .pcr_digest_len = 32, .grace_max = 3600 * 1000 };

	strcpy(r.ref, "7F3K-21QX");
	strcpy(r.host, "host-a");
	ck_assert_msg(publish_result(a, &r, "a.b.c", &pcrs, &now, &e), "%s", e.why);
}

static void
fails(struct agent *a, enum reason why)
{
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(publish_failure(a, why, &e), "%s", e.why);
}

static struct record
written(void)
{
	char path[96];
	struct record r;
	struct error e = { .code = ERR_NONE };
	size_t len;
	own(mem) uint8_t *text = NULL;

	snprintf(path, sizeof(path), "%s/verdict", dir);
	text = unit_file(path, &len);
	ck_assert_msg(text && record_parse((const char *)text, len, &r, &e), "%s", e.why);
	return r;
}

static bool
there(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !access(path, F_OK);
}

static void
clean(void)
{
	static const char *const names[] = { "verdict", "result.jwt", "armed", KEPT_GOOD, KEPT_NEGATIVE, "ak", "identity" };
	char path[96];

	for (unsigned i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
}

/* Row 27: a refusal outlives expiry, restart, reboot and outage; only a newer signed permit ends it. */
START_TEST(refusal_is_kept)
{
	struct agent a = started(A);

	publish(&a, REASON_CMDLINE_CHANGED, LIFE_MS);
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert_uint_eq(written().reason, REASON_CMDLINE_CHANGED);
	usleep((LIFE_MS + 20) * 1000);
	fails(&a, REASON_TPM_BUSY);
	ck_assert_uint_eq(written().reason, REASON_CMDLINE_CHANGED);
	a = started(A);
	ck_assert_uint_eq(written().reason, REASON_CMDLINE_CHANGED);
	a = started(B);
	ck_assert_uint_eq(written().reason, REASON_CMDLINE_CHANGED);
	ck_assert_str_eq(written().boot_id, a.boot_id);
	ck_assert_str_eq(written().ref, "7F3K-21QX");
	fails(&a, REASON_VERIFIER_ERROR);
	fails(&a, REASON_VERIFIER_UNTRUSTED);
	ck_assert_uint_eq(written().state, STATE_CONTRAINDICATED);
	publish(&a, REASON_OK, 60000);
	ck_assert_uint_eq(written().reason, REASON_OK);
	ck_assert(!there(KEPT_NEGATIVE));
	started(B);
	ck_assert_uint_eq(written().reason, REASON_OK);
}
END_TEST

START_TEST(refusal_without_a_result_is_kept_too)
{
	struct agent a = started(A);

	publish(&a, REASON_OK, 60000);
	fails(&a, REASON_HOST_REVOKED);
	ck_assert_uint_eq(written().reason, REASON_HOST_REVOKED);
	a = started(B);
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert_uint_eq(written().reason, REASON_HOST_REVOKED);
}
END_TEST

START_TEST(unreadable_refusal_is_no_permit)
{
	struct agent a;
	struct error e = { .code = ERR_NONE };
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" KEPT_NEGATIVE, dir);
	f = fopen(path, "we");
	ck_assert(f && fputs("{", f) >= 0);
	fclose(f);
	boot(&a, A);
	ck_assert(!publish_start(&a, &e));
	ck_assert_msg(strstr(e.why, KEPT_NEGATIVE) != NULL, "%s", e.why);
}
END_TEST

/* Outage: the verdict counts until it ends, then the record says no verdict, and what grace needs. */
START_TEST(outage)
{
	struct agent a = started(A);
	struct record r;

	publish(&a, REASON_OK, LIFE_MS);
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert_uint_eq(written().reason, REASON_OK);
	ck_assert(written().upstream_out);
	usleep((LIFE_MS + 20) * 1000);
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	r = written();
	ck_assert_uint_eq(r.reason, REASON_VERIFIER_UNREACHABLE);
	ck_assert(r.upstream_out && r.good_this_boot && r.good_issued_wall && r.grace_max == 3600 * 1000);
	/* Another boot, not compared yet. */
	a = started(B);
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	r = written();
	ck_assert(r.upstream_out && !r.good_this_boot);
	strcpy(a.good.seen.boot_id, a.boot_id);
	a.good.seen.at = clock_now().boot;
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert(written().good_this_boot);
}
END_TEST

/* Row 42, and a TPM that never was good in this boot. */
static const struct { enum reason why; bool out; } classes[] = {
	{ REASON_VERIFIER_UNREACHABLE, true }, { REASON_VERIFIER_ERROR, true },
	{ REASON_VERIFIER_UNTRUSTED, false }, { REASON_RESULT_INVALID, false }, { REASON_REQUEST_INVALID, false },
	{ REASON_CHALLENGE_EXPIRED, false }, { REASON_NOT_ENROLLED, false }, { REASON_TPM_BUSY, false },
	{ REASON_EVENTLOG_UNREADABLE, false }, { REASON_BOOT_UNCONFIRMED, true },
};
START_TEST(outage_class)
{
	struct agent a = started(B);

	fails(&a, classes[_i].why);
	ck_assert_msg(written().upstream_out == classes[_i].out, "%s", reason_code(classes[_i].why));
	ck_assert_uint_eq(written().reason, classes[_i].why);
}
END_TEST

START_TEST(broken_in_a_good_boot)
{
	struct agent a = started(A);

	publish(&a, REASON_OK, LIFE_MS);
	usleep((LIFE_MS + 20) * 1000);
	fails(&a, REASON_TPM_BUSY);
	ck_assert(written().upstream_out && written().good_this_boot);
	ck_assert_uint_eq(written().reason, REASON_TPM_BUSY);
}
END_TEST

START_TEST(armed_by_the_first_permit)
{
	struct agent a = started(A);

	publish(&a, REASON_CMDLINE_CHANGED, 60000);
	ck_assert(!there("armed"));
	publish(&a, REASON_KEXEC, 60000);
	ck_assert(!there("armed"));
	publish(&a, REASON_OK, 60000);
	ck_assert(there("armed"));
}
END_TEST

/* Row 42: a warning is a permit, but grace never builds on it, nor on what was good before it. */
START_TEST(warning_is_no_ground_for_grace)
{
	struct agent a = started(A);

	publish(&a, REASON_OK, 60000);
	publish(&a, REASON_KEXEC, LIFE_MS);
	ck_assert_uint_eq(written().state, STATE_WARNING);
	ck_assert_int_eq(written().good_issued_wall, 0);
	a = started(A);
	ck_assert_uint_eq(written().reason, REASON_KEXEC);      /* a restart does not bring back the better one */
	usleep((LIFE_MS + 20) * 1000);
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert(written().upstream_out && !written().good_this_boot);
	ck_assert_int_eq(written().good_issued_wall, 0);
}
END_TEST

/* Row 42: a TPM that is not ours, or a log that cannot be read, is broken and yet no outage. */
START_TEST(not_every_broken_one_is_out)
{
	static const enum reason others[] = { REASON_AK_CHANGED, REASON_EVENTLOG_UNREADABLE };
	struct agent a = started(A);

	publish(&a, REASON_OK, 60000);
	for (unsigned i = 0; i < COUNT(others); i++) {
		fails(&a, others[i]);
		ck_assert_msg(!written().upstream_out, "%s", reason_code(others[i]));
	}
}
END_TEST

/* Row 42: the wall clock, which gates go by, may be set back; grace_max ends by the boot's clock too. */
START_TEST(grace_ends_by_the_boots_clock)
{
	enum { MOST = 3600 * 1000 };
	struct agent a = started(A);

	publish(&a, REASON_OK, LIFE_MS);
	usleep((LIFE_MS + 20) * 1000);
	a.good.record.issued_boot = clock_now().boot - MOST + 5000;
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert(written().good_this_boot);
	a.good.record.issued_boot = clock_now().boot - MOST;
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert(written().good_issued_wall && !written().good_this_boot);
	/* The same where it was seen again: what was over by then, and what has passed since. */
	a = started(B);
	strcpy(a.good.seen.boot_id, a.boot_id);
	a.good.seen.at = clock_now().boot - 1000;
	a.good.seen.age = MOST - 5000;
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert(written().good_this_boot);
	a.good.seen.age = MOST - 1000;
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert(!written().good_this_boot);
}
END_TEST

/* The panic button: what was signed last holds after a reboot too, while no verifier can be asked. */
START_TEST(ceiling_outlives_a_reboot)
{
	static const struct selection pcrs = { .count = 1, .bank[0] = { .alg = 0x000b, .pcrs = 0x91 } };
	static const enum reason permits[] = { REASON_OK, REASON_KEXEC };

	for (unsigned i = 0; i < COUNT(permits); i++) {
		struct agent a = started(A);
		struct clock now = clock_now();
		struct error e = { .code = ERR_NONE };
		struct result r = { .state = reason_state(permits[i]), .reason[0] = permits[i], .ceiling = MODE_AUDIT,
			.issued_wall = now.wall, .expires_wall = now.wall + 60000, .pcr_digest_len = 32 };

		strcpy(r.ref, "7F3K-21QX");
		strcpy(r.host, "host-a");
		ck_assert_msg(publish_result(&a, &r, "a.b.c", &pcrs, &now, &e), "%s", e.why);
		ck_assert_int_eq(written().ceiling, MODE_AUDIT);
		a = started(B);
		ck_assert_int_eq(written().ceiling, MODE_AUDIT);
		fails(&a, REASON_VERIFIER_UNREACHABLE);
		ck_assert_int_eq(written().ceiling, MODE_AUDIT);
		ck_assert_str_eq(written().boot_id, a.boot_id);
	}
}
END_TEST

/* What a quote of our own has shown outlives a restart of attestd. */
START_TEST(what_was_seen_is_kept)
{
	struct agent a = started(A);
	struct kept back;
	struct error e = { .code = ERR_NONE };

	publish(&a, REASON_OK, 60000);
	a.good.tpm_clock = 77;
	strcpy(a.good.seen.boot_id, "b0000000-0000-4000-8000-000000000000");
	a.good.seen.reset_count = 9;
	a.good.seen.at = clock_now().boot;
	a.good.seen.age = 4;
	ck_assert(kept_save(dir, KEPT_GOOD, &a.good, &e) && kept_load(dir, KEPT_GOOD, &back, &e));
	ck_assert_uint_eq(back.tpm_clock, 77);
	ck_assert_str_eq(back.seen.boot_id, a.good.seen.boot_id);
	ck_assert_uint_eq(back.seen.reset_count, 9);
	ck_assert_int_eq(back.seen.at, a.good.seen.at);
	ck_assert_int_eq(back.seen.age, 4);
	a = started(B);
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert(written().good_this_boot);
	a = started('c');
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert(!written().good_this_boot);
}
END_TEST

/* No signed word makes it count longer than a record may. */
START_TEST(life_is_bounded)
{
	struct agent a = started(A);
	struct record r;

	publish(&a, REASON_OK, (int64_t)365 * 24 * 3600 * 1000);
	r = written();
	ck_assert_int_le(r.expires_boot - r.issued_boot, RECORD_LIFETIME_MAX_MS);
	ck_assert_int_le(r.expires_wall - r.issued_wall, RECORD_LIFETIME_MAX_MS);
}
END_TEST

START_TEST(record_that_cannot_be_written_is_gone)
{
	struct agent a = started(A);
	struct error e = { .code = ERR_NONE };

	publish(&a, REASON_OK, 60000);
	ck_assert(there("verdict"));
	memset(a.record.host, 'x', sizeof(a.record.host) - 1);
	a.record.host[0] = '\n';                 /* a record cannot hold it */
	ck_assert(!publish_failure(&a, REASON_VERIFIER_UNREACHABLE, &e));
	ck_assert(!there("verdict"));
}
END_TEST

/* A full disk, here a folder where the file should be: the news is told all the same, and the failure too. */
START_TEST(what_cannot_be_kept_is_told)
{
	static const struct selection pcrs = { .count = 1, .bank[0] = { .alg = 0x000b, .pcrs = 0x91 } };
	struct agent a = started(A);
	struct clock now = clock_now();
	struct result r = { .state = STATE_CONTRAINDICATED, .reason[0] = REASON_CMDLINE_CHANGED, .issued_wall = now.wall,
		.expires_wall = now.wall + 60000, .pcr_digest_len = 32 };
	struct error e = { .code = ERR_NONE };
	char negative[96], good[96];

	snprintf(negative, sizeof(negative), "%s/" KEPT_NEGATIVE, dir);
	snprintf(good, sizeof(good), "%s/" KEPT_GOOD, dir);
	strcpy(r.ref, "7F3K-21QX");
	publish(&a, REASON_OK, 60000);
	ck_assert_int_eq(mkdir(negative, 0700), 0);
	ck_assert(!publish_result(&a, &r, "a.b.c", &pcrs, &now, &e));
	ck_assert_msg(strstr(e.why, KEPT_NEGATIVE) != NULL, "%s", e.why);
	ck_assert_uint_eq(written().reason, REASON_CMDLINE_CHANGED);
	e.why[0] = '\0';
	ck_assert(!publish_failure(&a, REASON_HOST_REVOKED, &e));
	ck_assert_msg(strstr(e.why, KEPT_NEGATIVE) != NULL, "%s", e.why);
	ck_assert_uint_eq(written().reason, REASON_HOST_REVOKED);
	ck_assert_int_eq(rmdir(negative), 0);
	fails(&a, REASON_VERIFIER_UNREACHABLE);
	ck_assert_uint_eq(written().reason, REASON_HOST_REVOKED);

	unlink(good);
	ck_assert_int_eq(mkdir(good, 0700), 0);
	r.state = STATE_AFFIRMING;
	r.reason[0] = REASON_OK;
	ck_assert(!publish_result(&a, &r, "a.b.c", &pcrs, &now, &e));
	ck_assert_msg(strstr(e.why, KEPT_GOOD) != NULL, "%s", e.why);
	ck_assert_uint_eq(written().reason, REASON_OK);
	ck_assert_int_eq(rmdir(good), 0);
}
END_TEST

/* What an attestd of an older version kept says nothing of the TPM's clock. It is no reason not to start. */
START_TEST(what_an_older_version_kept)
{
	own(mem) uint8_t *text = NULL;
	struct agent a = started(A);
	struct error e = { .code = ERR_NONE };
	struct kept back;
	char path[96], *at;
	size_t len;

	publish(&a, REASON_OK, 60000);
	snprintf(path, sizeof(path), "%s/" KEPT_GOOD, dir);
	ck_assert(file_load(path, 64 << 10, &text, &len, &e));
	at = memmem(text, len, "\"tpm_clock\"", 11);
	ck_assert_ptr_nonnull(at);
	at[1] = '_';
	ck_assert(file_replace(path, text, len, 0600, false, &e));
	ck_assert_msg(kept_load(dir, KEPT_GOOD, &back, &e), "%s", e.why);
	ck_assert(back.there && !back.tpm_clock);
	a = started(A);
	ck_assert_uint_eq(written().reason, REASON_OK);
}
END_TEST

/* Row 32: who stands in the way may show any key set; only one that the pinned root signed, and none older, is kept. */
START_TEST(row_32_a_key_set_of_another_root)
{
	struct keyset mine = { .serial = 5, .count = 1 }, theirs = { .serial = 9, .count = 1 };
	struct sign_key *root = NULL, *other = NULL;
	struct identity id = { .active = true };
	struct error e = { .code = ERR_NONE };
	char set[JWS_MAX];
	size_t len;

	ck_assert(sign_key_make(&root, &e) && sign_key_make(&other, &e));
	ck_assert(sign_key_public(root, &id.root, &e) && sign_key_public(root, &mine.key[0], &e));
	ck_assert(sign_key_public(other, &theirs.key[0], &e));
	ck_assert(keyset_sign(root, &mine, set, sizeof(set), &len, &e));
	ck_assert_msg(state_save_keys(dir, set, &id, &e), "%s", e.why);
	ck_assert_uint_eq(id.keys.serial, 5);
	ck_assert(keyset_sign(other, &theirs, set, sizeof(set), &len, &e) && !state_save_keys(dir, set, &id, &e));
	ck_assert_int_eq(e.code, ERR_UNTRUSTED);
	/* An old one, with a key that has been withdrawn since. */
	theirs.serial = 4;
	ck_assert(keyset_sign(root, &theirs, set, sizeof(set), &len, &e) && !state_save_keys(dir, set, &id, &e));
	ck_assert_int_eq(e.code, ERR_MISMATCH);
	ck_assert_uint_eq(id.keys.serial, 5);
	ck_assert_mem_eq(&id.keys.key[0], &mine.key[0], sizeof(mine.key[0]));
	sign_key_free(root);
	sign_key_free(other);
}
END_TEST

/* The verifier's newest word on the ceiling is in the record at once, and in what is published after an outage or a start. */
START_TEST(a_ceiling_reaches_a_refused_host)
{
	struct agent a = started(A);
	struct error e = { .code = ERR_NONE };

	publish(&a, REASON_CMDLINE_CHANGED, LIFE_MS);
	ck_assert_int_eq(written().ceiling, MODE_ENFORCE);
	ck_assert(publish_ceiling(&a, MODE_AUDIT, 0, MODE_OFF, &e));
	ck_assert(written().ceiling == MODE_AUDIT && written().state == STATE_CONTRAINDICATED);
	ck_assert(publish_failure(&a, REASON_VERIFIER_UNREACHABLE, &e));
	ck_assert(written().ceiling == MODE_AUDIT && written().state == STATE_CONTRAINDICATED);
	a = started(A);
	ck_assert(written().ceiling == MODE_AUDIT && written().state == STATE_CONTRAINDICATED);
	ck_assert(publish_ceiling(&a, MODE_ENFORCE, 0, MODE_OFF, &e));
	ck_assert(written().ceiling == MODE_ENFORCE && written().state == STATE_CONTRAINDICATED);
	a = started(A);
	ck_assert_int_eq(written().ceiling, MODE_ENFORCE);
}
END_TEST

/* A ceiling for a while, and then the verifier cannot be reached: it ends nevertheless, refused or not. */
START_TEST(a_ceiling_for_a_while_ends)
{
	static const struct { enum reason reason; bool by_orders; } rows[] = {
		{ REASON_CMDLINE_CHANGED, true }, { REASON_CMDLINE_CHANGED, false }, { REASON_HOST_REVOKED, true }, { REASON_OK, false },
	};
	static const struct selection pcrs = { .count = 1, .bank[0] = { .alg = 0x000b, .pcrs = 0x91 } };
	struct clock now = clock_now();
	struct result r = { .state = reason_state(rows[_i].reason), .reason[0] = rows[_i].reason, .issued_wall = now.wall - 7000000,
		.expires_wall = now.wall - 7000000 + 300, .pcr_digest_len = 32, .ref = "7F3K-21QX" };
	struct agent a = started(A);
	struct error e = { .code = ERR_NONE };

	if (!rows[_i].by_orders)
		r.ceiling = MODE_OFF, r.ceiling_until = r.issued_wall + 300, r.ceiling_then = MODE_AUDIT;
	if (rows[_i].reason == REASON_HOST_REVOKED)
		ck_assert(publish_failure(&a, REASON_HOST_REVOKED, &e));
	else
		ck_assert_msg(publish_result(&a, &r, "a.b.c", &pcrs, &now, &e), "%s", e.why);
	if (rows[_i].by_orders)
		ck_assert(publish_ceiling(&a, MODE_OFF, now.wall + 300, MODE_AUDIT, &e));
	ck_assert_int_eq(written().ceiling, MODE_OFF);
	a = started(A);
	if (rows[_i].reason != REASON_OK)
		ck_assert_int_eq(written().ceiling, MODE_OFF);
	usleep(400 * 1000);
	ck_assert(publish_failure(&a, REASON_VERIFIER_UNREACHABLE, &e));
	ck_assert_int_eq(written().ceiling, MODE_AUDIT);
	a = started(A);
	ck_assert_int_eq(written().ceiling, MODE_AUDIT);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, clean, clean);
	tcase_add_test(tc, refusal_is_kept);
	tcase_add_test(tc, refusal_without_a_result_is_kept_too);
	tcase_add_test(tc, unreadable_refusal_is_no_permit);
	tcase_add_test(tc, outage);
	tcase_add_loop_test(tc, outage_class, 0, COUNT(classes));
	tcase_add_test(tc, broken_in_a_good_boot);
	tcase_add_test(tc, armed_by_the_first_permit);
	tcase_add_test(tc, warning_is_no_ground_for_grace);
	tcase_add_test(tc, not_every_broken_one_is_out);
	tcase_add_test(tc, grace_ends_by_the_boots_clock);
	tcase_add_test(tc, what_was_seen_is_kept);
	tcase_add_test(tc, ceiling_outlives_a_reboot);
	tcase_add_test(tc, life_is_bounded);
	tcase_add_test(tc, record_that_cannot_be_written_is_gone);
	tcase_add_test(tc, what_cannot_be_kept_is_told);
	tcase_add_test(tc, what_an_older_version_kept);
	tcase_add_test(tc, a_ceiling_reaches_a_refused_host);
	tcase_add_loop_test(tc, a_ceiling_for_a_while_ends, 0, 4);
	tcase_add_test(tc, row_32_a_key_set_of_another_root);
}

int
main(void)
{
	int rc;

	strcpy(dir, "/tmp/check_state.XXXXXX");
	if (!mkdtemp(dir))
		return 99;
	strcpy(opt.state_dir, dir);
	strcpy(opt.run_dir, dir);
	rc = unit_run("state", add);
	rmdir(dir);
	return rc;
}
