#include <sys/socket.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "serve.h"
#include "unit.h"

static struct clients all;
static int caller;                         /* the other end of all.list[0] */

/* A client whose peer is `caller`. */
static struct client *
connected(uid_t uid)
{
	int pair[2];

	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	clients_open(&all);
	caller = pair[0];
	all.list[0] = (struct client){ .fd = pair[1], .uid = uid, .deadline = clock_mono() + CLIENT_READ_MS,
		.in = calloc(1, sizeof(struct inbox)) };
	return &all.list[0];
}

static void
say(const char *text, size_t len)
{
	ck_assert_int_eq(send(caller, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Row 12. want: VERB_COUNT for a refusal, whose answer says words. */
static const struct row { const char *label, *text; enum local_verb want; const char *words; } rows[] = {
	{ "ask",               "version=1\nverb=ask\nwait_ms=4800\nservice=sshd\nuser=kim\n\n", VERB_ASK, "" },
	{ "unknown fields",    "version=1\nverb=status\nshoe_size=44\n\n", VERB_STATUS, "" },
	{ "explain",           "version=1\nverb=explain\nref=7f3k-21qx\n\n", VERB_EXPLAIN, "" },
	{ "enroll",            "version=1\nverb=enroll\nurl=https://a\nca=/ca\ntoken=t\nname=n\nowner_auth=o\n\n", VERB_ENROLL, "" },
	{ "unenroll",          "version=1\nverb=unenroll\nowner_auth=o\n\n", VERB_UNENROLL, "" },
	{ "no verb",           "version=1\nuser=kim\n\n", VERB_COUNT, "verb" },
	{ "no such verb",      "version=1\nverb=dance\n\n", VERB_COUNT, "no such verb" },
	{ "no version",        "verb=ask\n\n", VERB_COUNT, "version" },
	{ "version 2",         "version=2\nverb=ask\n\n", VERB_COUNT, "version" },
	{ "no reference",      "version=1\nverb=explain\nref=../../etc\n\n", VERB_COUNT, "ref" },
	{ "two requests",      "version=1\nverb=ask\n\nversion=1\nverb=ask\n\n", VERB_COUNT, "not one request" },
	{ "negative wait",     "version=1\nverb=ask\nwait_ms=-5\n\n", VERB_ASK, "" },
	{ "endless wait",      "version=1\nverb=ask\nwait_ms=99999999999999999999\n\n", VERB_ASK, "" },
	{ "bad escape",        "version=1\nverb=%zz\n\n", VERB_COUNT, "" },
	{ "owner auth too long", "version=1\nverb=enroll\nowner_auth="
	                       "0123456789012345678901234567890123456789012345678901234567890123456789\n\n", VERB_COUNT, "owner_auth" },
};

START_TEST(row)
{
	const struct row *r = &rows[_i];
	struct client *c = connected(0);
	char got[LOCAL_MAX + 1] = "";

	say(r->text, strlen(r->text));
	ck_assert_msg(client_read(c) == (r->want != VERB_COUNT), "%s", r->label);
	if (r->want != VERB_COUNT) {
		ck_assert_msg(c->verb == r->want, "%s", r->label);
		ck_assert_msg(c->deadline <= clock_mono() + CLIENT_MS, "%s: deadline", r->label);
		return;
	}
	ck_assert_msg(recv(caller, got, LOCAL_MAX, 0) > 0, "%s: no answer", r->label);
	ck_assert_msg(strstr(got, "ok=no\n") && strstr(got, r->words), "%s: %s", r->label, got);
	ck_assert_int_lt(c->fd, 0);
}
END_TEST

/* It comes in pieces; no proper prefix is a request. */
START_TEST(byte_by_byte)
{
	const char *text = rows[0].text;
	struct client *c = connected(65534);

	for (size_t i = 0; text[i + 1]; i++) {
		say(text + i, 1);
		ck_assert(!client_read(c));
		ck_assert_int_ge(c->fd, 0);
	}
	say("\n", 1);
	ck_assert(client_read(c));
}
END_TEST

START_TEST(endless_line_is_cut)
{
	static char flood[LOCAL_MAX + 64];
	struct client *c = connected(65534);

	memset(flood, 'x', sizeof(flood));
	memcpy(flood, "version=1\nuser=", 15);
	say(flood, sizeof(flood));
	while (c->fd >= 0)
		ck_assert(!client_read(c));
}
END_TEST

START_TEST(root_alone)
{
	static const char *const verbs[] = { "version=1\nverb=attest\n\n", "version=1\nverb=enroll\nurl=https://a\n\n" };

	for (unsigned i = 0; i < COUNT(verbs); i++) {
		struct client *c = connected(geteuid() ? geteuid() + 1 : 65534);
		char got[LOCAL_MAX + 1] = "";

		say(verbs[i], strlen(verbs[i]));
		ck_assert(!client_read(c));
		ck_assert_int_gt(recv(caller, got, LOCAL_MAX, 0), 0);
		ck_assert(strstr(got, "permission%20denied") || strstr(got, "permission denied"));
	}
}
END_TEST

START_TEST(silent_caller_is_dropped)
{
	struct client *c = connected(0);

	c->deadline = clock_mono() - 1;
	ck_assert_int_eq(clients_expire(&all, NULL, NULL), -1);
	ck_assert_int_lt(c->fd, 0);
}
END_TEST

/* A caller who does not read gets what fits and is dropped; nobody waits. */
START_TEST(answer_never_blocks)
{
	static char json[LOCAL_JSON_MAX];
	struct client *c = connected(0);

	memset(json, ' ', sizeof(json));
	client_answer(c, REASON_OK, "7F3K-21QX", json, sizeof(json));
	ck_assert_int_lt(c->fd, 0);
}
END_TEST

static int
knock(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	return !connect(fd, (const struct sockaddr *)at, sizeof(*at)) ? fd : -1;
}

static unsigned
taken(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		n += all.list[i].fd >= 0;
	return n;
}

/* One user cannot fill the house, and all of them together not root's part of it. */
START_TEST(places)
{
	char dir[] = "/tmp/check_serve.XXXXXX";
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), ready[2], waits;
	pid_t child;
	char byte;

	if (geteuid()) {
		printf("SKIP places: needs root to be somebody else\n");
		return;
	}
	ck_assert(mkdtemp(dir) && !pipe(ready));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", dir);
	ck_assert(!bind(listener, (struct sockaddr *)&at, sizeof(at)) && !listen(listener, 256));
	ck_assert(!chmod(dir, 0755) && !chmod(at.sun_path, 0666));
	child = fork();
	if (!child) {
		/* Ten users with as many connections each as they like. */
		for (uid_t u = 60000; u < 60010; u++) {
			if (seteuid(0) || seteuid(u))
				_exit(1);
			for (int i = 0; i < CLIENTS_PER_UID + 4; i++)
				knock(&at);
		}
		(void)!write(ready[1], "x", 1);
		pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	clients_open(&all);
	clients_accept(&all, listener);
	clients_accept(&all, listener);
	ck_assert_uint_eq(taken(), CLIENTS_MAX - CLIENTS_KEPT_FOR_ROOT);
	for (uid_t u = 60000; u < 60010; u++) {
		unsigned n = 0;

		for (unsigned i = 0; i < CLIENTS_MAX; i++)
			n += all.list[i].fd >= 0 && all.list[i].uid == u;
		ck_assert_uint_le(n, CLIENTS_PER_UID);
	}
	for (unsigned i = 0; i < CLIENTS_KEPT_FOR_ROOT; i++) {
		ck_assert_int_ge(knock(&at), 0);
		clients_accept(&all, listener);
	}
	ck_assert_uint_eq(taken(), CLIENTS_MAX);
	ck_assert(!clients_room(&all));
	/* Root's next one is not sent away: it waits for a place. */
	waits = knock(&at);
	clients_accept(&all, listener);
	ck_assert_int_eq(recv(waits, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	client_drop(&all.list[7]);
	clients_accept(&all, listener);
	ck_assert(all.list[7].fd >= 0 && all.list[7].uid == 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	unlink(at.sun_path);
	rmdir(dir);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, row, 0, COUNT(rows));
	tcase_add_test(tc, byte_by_byte);
	tcase_add_test(tc, endless_line_is_cut);
	tcase_add_test(tc, root_alone);
	tcase_add_test(tc, silent_caller_is_dropped);
	tcase_add_test(tc, answer_never_blocks);
	tcase_add_test(tc, places);
}

int
main(void)
{
	return unit_run("serve", add);
}
