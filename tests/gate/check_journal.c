/* What journald gets of a decision: the line that syslog would have, fields that nobody but the gate writes, one id a kind. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include "gate.h"
#include "journal.h"
#include "log.h"
#include "unit.h"

static char dir[64];
static struct gate_conf c;
static int fd;
static char entry[8192];

static void
setup(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	strcpy(dir, "/tmp/check_journal.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memset(&c, 0, sizeof(c));
	snprintf(c.journal, sizeof(c.journal), "%s/socket", dir);
	strcpy(c.service, "sshd");
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", dir);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)));
}

static void
teardown(void)
{
	close(fd);
	unlink(c.journal);
	rmdir(dir);
}

static bool
sent(const struct gate_request *q, const struct gate_decision *d)
{
	char line[GATE_LINE_MAX];
	bool ok;
	ssize_t n;

	gate_log_text(&c, q, d, line, sizeof(line));
	ok = gate_journal(&c, q, d, "sshd", LOG_NOTICE, line);
	n = recv(fd, entry, sizeof(entry) - 1, 0);
	ck_assert(ok == (n > 0));
	entry[n > 0 ? n : 0] = '\0';
	return ok;
}

/* The value of a field, of which there is one. */
static const char *
field(const char *name)
{
	static char value[2048];
	unsigned count = 0;

	value[0] = '\0';
	for (const char *p = entry; *p; p += strcspn(p, "\n") + 1) {
		size_t n = strlen(name), len = strcspn(p, "\n");

		ck_assert_msg(memchr(p, '=', len), "no field: %.*s", (int)len, p);
		if (strncmp(p, name, n) != 0 || p[n] != '=')
			continue;
		count++;
		snprintf(value, sizeof(value), "%.*s", (int)(len - n - 1), p + n + 1);
	}
	ck_assert_msg(count == 1, "%s: %u times in\n%s", name, count, entry);
	return value;
}

static const struct gate_request kim = { .user = "kim", .rhost = "192.0.2.7", .tty = "ssh", .phase = PHASE_ACCOUNT };
static const struct gate_decision refused = { .outcome = OUTCOME_DENY, .judged = OUTCOME_DENY, .state = STATE_CONTRAINDICATED,
	.reason = REASON_FIRMWARE_CHANGED, .ref = "7F3K-21QX", .mode = MODE_ENFORCE, .source = SOURCE_COUNT, .age = 42000, .took = 3 };

START_TEST(as_syslog_has_it)
{
	ck_assert(sent(&kim, &refused));
	ck_assert_str_eq(field("MESSAGE"), "pam_attest(sshd:account): refused user=kim rhost=192.0.2.7 service=sshd reason=firmware-changed "
	    "ref=7F3K-21QX mode=enforce age=42s ms=3 state=contraindicated source=none");
	ck_assert_str_eq(field("PRIORITY"), "5");
	ck_assert_str_eq(field("SYSLOG_FACILITY"), "10");
	ck_assert_str_eq(field("SYSLOG_IDENTIFIER"), program_invocation_short_name);
	ck_assert_int_eq(atoi(field("SYSLOG_PID")), getpid());
	ck_assert_str_eq(field("MESSAGE_ID"), "29f476b2bf704b5b848fe5ad0b26595c");
	ck_assert_str_eq(field("ATTEST_DECISION"), "refused");
	ck_assert_str_eq(field("ATTEST_REASON"), "firmware-changed");
	ck_assert_str_eq(field("ATTEST_REF"), "7F3K-21QX");
	ck_assert_str_eq(field("ATTEST_SERVICE"), "sshd");
	ck_assert_str_eq(field("ATTEST_USER"), "kim");
	ck_assert_str_eq(field("ATTEST_RHOST"), "192.0.2.7");
	ck_assert_str_eq(field("ATTEST_MODE"), "enforce");
	ck_assert_str_eq(field("ATTEST_STATE"), "contraindicated");
	ck_assert_str_eq(field("ATTEST_SOURCE"), "none");
	ck_assert_str_eq(field("ATTEST_AGE_SEC"), "42");
}
END_TEST

/* A name that strangers type makes no field, and no second line. */
START_TEST(no_name_makes_a_field)
{
	static const char *const names[] = { "kim\nMESSAGE=permitted user=root\nPRIORITY=7", "kim\nATTEST_DECISION=permitted",
		"=\n\n=", "\x01\x7f\xff\r\n_UID=0", "kim MESSAGE=x" };

	for (size_t i = 0; i < COUNT(names); i++) {
		struct gate_request q = { .user = names[i], .rhost = names[i], .tty = "", .phase = PHASE_ACCOUNT };

		struct gate_decision d = refused;

		snprintf(d.peer, sizeof(d.peer), "%s", names[i]);
		ck_assert(sent(&q, &d));
		ck_assert_str_eq(field("ATTEST_DECISION"), "refused");
		ck_assert_str_eq(field("PRIORITY"), "5");
		ck_assert_ptr_null(strpbrk(field("ATTEST_PEER"), " =\r\x01"));
		ck_assert_ptr_null(strstr(entry, "\n_UID"));
		ck_assert_ptr_null(strpbrk(field("ATTEST_USER"), " =\r\x01"));
		field("MESSAGE");
	}
}
END_TEST

static const struct { const char *label; enum outcome outcome, judged; enum reason reason; bool killed, not_armed, alert; enum message_id is; } kinds[] = {
	{ "refused",      OUTCOME_DENY,   OUTCOME_DENY,   REASON_ATTESTD_DOWN,  false, false, false, MESSAGE_REFUSED },
	{ "would refuse", OUTCOME_PASS,   OUTCOME_DENY,   REASON_ATTESTD_DOWN,  false, false, false, MESSAGE_WOULD_REFUSE },
	{ "permitted",    OUTCOME_PERMIT, OUTCOME_PERMIT, REASON_OK,            false, false, false, MESSAGE_PERMITTED },
	{ "leased",       OUTCOME_LEASE,  OUTCOME_LEASE,  REASON_OK,            false, false, false, MESSAGE_LEASED },
	{ "exempted",     OUTCOME_EXEMPT, OUTCOME_EXEMPT, REASON_EXEMPT_USER,   false, false, false, MESSAGE_EXEMPTED },
	{ "break-glass",  OUTCOME_EXEMPT, OUTCOME_EXEMPT, REASON_BREAK_GLASS,   false, false, true,  MESSAGE_BREAK_GLASS },
	{ "fail-open",    OUTCOME_OPEN,   OUTCOME_OPEN,   REASON_ATTESTD_DOWN,  false, false, false, MESSAGE_FAIL_OPEN },
	{ "kill switch",  OUTCOME_PASS,   OUTCOME_DENY,   REASON_ATTESTD_DOWN,  true,  false, true,  MESSAGE_KILL_SWITCH },
	{ "not armed",    OUTCOME_PASS,   OUTCOME_DENY,   REASON_NOT_ENROLLED,  false, true,  true,  MESSAGE_NOT_ARMED },
	{ "off",          OUTCOME_PASS,   OUTCOME_PASS,   REASON_MODE_OFF,      false, false, false, MESSAGE_EXEMPTED },
};

START_TEST(one_id_a_kind)
{
	struct gate_decision d = { .outcome = kinds[_i].outcome, .judged = kinds[_i].judged, .reason = kinds[_i].reason,
		.killed = kinds[_i].killed, .not_armed = kinds[_i].not_armed, .alert = kinds[_i].alert, .age = -1 };

	ck_assert(sent(&kim, &d));
	ck_assert_msg(!strcmp(field("MESSAGE_ID"), message_id(kinds[_i].is)), "%s", kinds[_i].label);
	ck_assert_ptr_null(strstr(entry, "ATTEST_AGE_SEC"));
}
END_TEST

START_TEST(ids_are_ids)
{
	for (unsigned i = 0; i < MESSAGE_COUNT; i++) {
		ck_assert_uint_eq(strspn(message_id((enum message_id)i), "0123456789abcdef"), 32);
		for (unsigned k = 0; k < i; k++)
			ck_assert_str_ne(message_id((enum message_id)i), message_id((enum message_id)k));
	}
}
END_TEST

/* A verifier's words, say, on the way into a log of lines. */
START_TEST(a_line_is_one)
{
	char got[256] = "";
	int pair[2], was = dup(STDERR_FILENO);

	ck_assert(was >= 0 && !pipe(pair) && dup2(pair[1], STDERR_FILENO) == STDERR_FILENO);
	log_open("program", true);
	log_say(LOG_INFO, "HTTP 403: %s", "no\nprogram: affirming\r\033[2J\177 \303\244");
	ck_assert(dup2(was, STDERR_FILENO) == STDERR_FILENO);
	ck_assert_int_gt(read(pair[0], got, sizeof(got) - 1), 0);
	ck_assert_str_eq(got, "program: HTTP 403: no?program: affirming??[2J? \303\244\n");
}
END_TEST

START_TEST(nobody_there)
{
	struct journal j;
	char large[JOURNAL_MAX];

	unlink(c.journal);
	ck_assert(!sent(&kim, &refused));
	memset(c.journal, 'x', sizeof(c.journal) - 1);
	ck_assert(!sent(&kim, &refused));
	/* What does not fit is not cut. */
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	journal_open(&j, MESSAGE_REFUSED, LOG_AUTHPRIV, LOG_NOTICE, "x");
	journal_put(&j, "MESSAGE", large);
	journal_put(&j, "A", "b");
	ck_assert(j.full && !journal_send(&j, "/nonexistent"));
}
END_TEST

static void
add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, as_syslog_has_it);
	tcase_add_test(t, a_line_is_one);
	tcase_add_test(t, no_name_makes_a_field);
	tcase_add_loop_test(t, one_id_a_kind, 0, COUNT(kinds));
	tcase_add_test(t, ids_are_ids);
	tcase_add_test(t, nobody_there);
}

int
main(void)
{
	return unit_run("journal", add);
}
