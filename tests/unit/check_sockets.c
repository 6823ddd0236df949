#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "sockets.h"
#include "unit.h"

static char dir[] = "/tmp/check_sockets.XXXXXX";

static struct sockaddr_un
in_dir(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", dir, name);
	return at;
}

/* What systemd does: a blocking socket on descriptor fd, and the environment that says so. */
static void
pass(int fd, const char *name, int type, pid_t to)
{
	struct sockaddr_un at = in_dir(name);
	int made = socket(AF_UNIX, type, 0);
	char text[16];

	unlink(at.sun_path);
	ck_assert(!bind(made, (struct sockaddr *)&at, sizeof(at)) && (type != SOCK_STREAM || !listen(made, 4)));
	ck_assert_int_eq(dup2(made, fd), fd);
	close(made);
	snprintf(text, sizeof(text), "%d", (int)to);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", "2", 1);
}

START_TEST(made)
{
	struct error e = { .code = ERR_NONE };
	struct sockaddr_un at = in_dir("gate.sock");
	struct stat st;
	mode_t was = umask(077);
	int fd = socket_make(dir, "gate.sock", SOCK_STREAM, 0666, &e), client = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_uint_eq(umask(was), 077);
	ck_assert_msg(fd >= 0, "%s", e.why);
	ck_assert(!stat(at.sun_path, &st) && (st.st_mode & 07777) == 0666);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ck_assert(!connect(client, (struct sockaddr *)&at, sizeof(at)));
	at = in_dir("decisions.sock");
	ck_assert_int_ge(socket_make(dir, "decisions.sock", SOCK_DGRAM, 0600, &e), 0);
	ck_assert(!stat(at.sun_path, &st) && (st.st_mode & 07777) == 0600);
	/* A file that a killed attestd left is replaced. */
	ck_assert_int_ge(socket_make(dir, "gate.sock", SOCK_STREAM, 0666, &e), 0);
}
END_TEST

START_TEST(too_long)
{
	struct error e = { .code = ERR_NONE };
	char name[128];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(socket_make(dir, name, SOCK_STREAM, 0666, &e), -1);
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

START_TEST(passed_by_systemd)
{
	struct error e = { .code = ERR_NONE };
	int first = open("/dev/null", O_RDONLY), second = open("/dev/null", O_RDONLY);

	/* Whatever Check keeps open on 3 and 4 makes room in this process alone. */
	ck_assert(first >= 0 && second >= 0);
	pass(4, "gate.sock", SOCK_STREAM, getpid());
	ck_assert_int_eq(socket_make(dir, "gate.sock", SOCK_STREAM, 0666, &e), 4);
	ck_assert(fcntl(4, F_GETFL) & O_NONBLOCK && fcntl(4, F_GETFD) & FD_CLOEXEC);
	/* Another path, another kind, another process: made anew. */
	ck_assert_int_gt(socket_make(dir, "decisions.sock", SOCK_DGRAM, 0600, &e), 4);
	pass(4, "gate.sock", SOCK_DGRAM, getpid());
	ck_assert_int_gt(socket_make(dir, "gate.sock", SOCK_STREAM, 0666, &e), 4);
	pass(4, "gate.sock", SOCK_STREAM, getppid());
	ck_assert_int_gt(socket_make(dir, "gate.sock", SOCK_STREAM, 0666, &e), 4);
}
END_TEST

START_TEST(notified)
{
	struct sockaddr_un at = in_dir("notify");
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char got[32] = "";

	notify("READY=1");                       /* to nobody */
	ck_assert(!bind(fd, (struct sockaddr *)&at, sizeof(at)));
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	notify("READY=1");
	ck_assert_int_eq(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 7);
	ck_assert_str_eq(got, "READY=1");
	setenv("NOTIFY_SOCKET", "relative", 1);
	notify("READY=1");
	ck_assert_int_lt(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 0);
}
END_TEST

START_TEST(notified_without_a_file)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char name[64], got[32] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	size_t n = (size_t)snprintf(name, sizeof(name), "@check_sockets.%d", (int)getpid());

	memcpy(at.sun_path + 1, name + 1, n - 1);
	ck_assert(!bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)));
	setenv("NOTIFY_SOCKET", name, 1);
	notify("STOPPING=1");
	ck_assert_int_eq(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 10);
}
END_TEST

START_TEST(watched)
{
	char pid[16];

	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	ck_assert_int_eq(watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "60000000", 1);
	ck_assert_int_eq(watchdog_ms(), 30000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	ck_assert_int_eq(watchdog_ms(), 30000);
	setenv("WATCHDOG_PID", "1", 1);          /* somebody else is */
	ck_assert_int_eq(watchdog_ms(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "-5000000", 1);
	ck_assert_int_eq(watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "soon", 1);
	ck_assert_int_eq(watchdog_ms(), 0);
}
END_TEST

static void
clean(void)
{
	static const char *const names[] = { "gate.sock", "decisions.sock", "notify" };

	for (unsigned i = 0; i < COUNT(names); i++)
		unlink(in_dir(names[i]).sun_path);
}

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, clean, clean);
	tcase_add_test(tc, made);
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, passed_by_systemd);
	tcase_add_test(tc, notified);
	tcase_add_test(tc, notified_without_a_file);
	tcase_add_test(tc, watched);
}

int
main(void)
{
	int rc;

	unsetenv("NOTIFY_SOCKET");
	if (!mkdtemp(dir))
		return 99;
	rc = unit_run("sockets", add);
	rmdir(dir);
	return rc;
}
