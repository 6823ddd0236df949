/* The local protocol: messages both ways, and the exchange with somebody who is not attestd, or is slow. */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "clock.h"
#include "local.h"
#include "unit.h"

static char seen[LOCAL_MAX];

static bool
take(void *arg, const char *key, const char *value, struct error *e)
{
	(void)arg;
	(void)e;
	strcat(strcat(strcat(strcat(seen, key), "="), value), "|");
	return true;
}

static const struct { const char *label, *text, *want, *why; } rows[] = {
	{ "ask", "version=1\nverb=ask\nuser=kim\n\n", "verb=ask|user=kim|", NULL },
	{ "only a version", "version=1\n\n", "", NULL },
	{ "encoded", "version=1\na=%25x%0a%ff\n\n", "a=%x\n\xff|", NULL },
	{ "empty value", "version=1\na=\n\n", "a=|", NULL },
	{ "no version", "verb=ask\n\n", "", "line 1: not version=1" },
	{ "another version", "version=2\n\n", "", "line 1: not version=1" },
	{ "empty", "\n\n", "", "line 1: not key=value" },
	{ "no end", "version=1\nverb=ask\n", "", "not one whole message" },
	{ "more behind it", "version=1\n\nx", "", "not one whole message" },
	{ "no equals sign", "version=1\nverb\n\n", "", "line 2: not key=value" },
	{ "key with a capital", "version=1\nVerb=ask\n\n", "", "line 2: not key=value" },
	{ "a code cut short", "version=1\na=%4\n\n", "", "line 2: a: '%' without two digits" },
	{ "no code", "version=1\na=%zz\n\n", "", "line 2: a: '%' without two digits" },
	{ "NUL", "version=1\na=%00\n\n", "", "or a NUL" },
	{ "not encoded", "version=1\na=\x80\n\n", "", "byte 0x80 is not encoded" },
};

START_TEST(walks)
{
	struct error e = { 0 };
	bool ok;

	seen[0] = '\0';
	ok = local_walk(rows[_i].text, strlen(rows[_i].text), take, NULL, &e);
	ck_assert_msg(ok == !rows[_i].why && (ok || strstr(e.why, rows[_i].why)), "%s: %s", rows[_i].label, e.why);
	ck_assert_msg(!ok || !strcmp(seen, rows[_i].want), "%s: saw %s", rows[_i].label, seen);
}
END_TEST

static void
prefix(const uint8_t *buf, size_t len, void *arg)
{
	struct error e;
	size_t used;

	(void)arg;
	ck_assert_msg(!local_walk((const char *)buf, len, take, NULL, &e), "the first %zu bytes pass", len);
	ck_assert(local_whole((const char *)buf, len, &used, &e) && !used);
}

START_TEST(no_prefix_passes)
{
	static const char text[] = "version=1\nverb=ask\nuser=k%25m\nwait_ms=100\n\n";

	seen[0] = '\0';
	unit_prefixes((const uint8_t *)text, sizeof(text) - 1, prefix, NULL);
}
END_TEST

START_TEST(limits)
{
	char large[LOCAL_MAX + 1], value[LOCAL_VALUE_MAX + 1];
	struct local_out o;
	struct error e;
	size_t used;

	memset(large, 'a', sizeof(large));
	ck_assert(!local_whole(large, LOCAL_MAX, &used, &e) && e.code == ERR_LIMIT);
	memset(value, 'v', sizeof(value));
	value[LOCAL_VALUE_MAX] = '\0';
	local_open(&o);
	local_put(&o, "a", value);
	ck_assert(local_end(&o, &e));
	ck_assert(!local_walk(o.buf, o.used, take, NULL, &e) && e.code == ERR_LIMIT);
	local_open(&o);
	for (int i = 0; i < 5; i++)
		local_put(&o, "a", value);
	ck_assert(!local_end(&o, &e) && e.code == ERR_LIMIT);
}
END_TEST

/* Talks to a child that answers as told; the deadline is 300 ms. */
static bool
exchange(const char *answer, uid_t owner, struct local_answer *a, struct error *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct local_out ask;
	pid_t child;
	bool ok;

	snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/check_local.%ld", (long)getpid());
	unlink(at.sun_path);
	ck_assert(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 1) == 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (!child) {
		int c = accept(fd, NULL, NULL);
		char text[LOCAL_MAX];

		if (recv(c, text, sizeof(text), 0) > 0)
			dprintf(c, "%s", answer);
		usleep(answer[0] ? 0 : 1000000);
		_exit(0);
	}
	close(fd);
	local_open(&ask);
	local_put(&ask, "verb", "ask");
	ok = local_end(&ask, e) && local_exchange(at.sun_path, owner, &ask, clock_mono() + 300, a, NULL, e);
	unlink(at.sun_path);
	waitpid(child, NULL, 0);
	return ok;
}

START_TEST(exchanges)
{
	struct local_answer a;
	struct error e;
	int64_t start;

	ck_assert(exchange("version=1\nok=yes\n\n{}", getuid(), &a, &e));
	ck_assert_uint_eq(a.head, 18);
	ck_assert_uint_eq(a.len, 20);
	ck_assert(!exchange("version=1\nok=yes\n", getuid(), &a, &e));
	ck_assert_int_eq(e.code, ERR_FORMAT);
	start = clock_mono();
	ck_assert(!exchange("", getuid(), &a, &e));
	ck_assert_int_eq(e.code, ERR_TIMEOUT);
	ck_assert_int_lt(clock_mono() - start, 3000);
	ck_assert(!local_exchange("/tmp/check_local.nobody", getuid(), &(struct local_out){ .used = 0 }, clock_mono() + 100, &a, NULL, &e));
	ck_assert_int_eq(e.code, ERR_MISSING);
	if (getuid() == 0 && !seteuid(65534)) {
		/* Whoever answers is not root, nor the attest user. */
		ck_assert(!exchange("version=1\nok=yes\n\n", 12345, &a, &e));
		ck_assert_int_eq(e.code, ERR_UNTRUSTED);
		/* A changed uid makes a process undumpable, and the leak checker wants to look into it. */
		ck_assert(!seteuid(0) && !prctl(PR_SET_DUMPABLE, 1));
	}
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, walks, 0, COUNT(rows));
	tcase_add_test(tc, no_prefix_passes);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, exchanges);
}

int
main(void)
{
	return unit_run("local", add);
}
