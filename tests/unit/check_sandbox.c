#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "sandbox.h"
#include "unit.h"

/* Inside: may a file be made here? Check runs each test in a process of its own. */
static bool
can_write(const char *dir, const char *name)
{
	char path[128];
	own(fd) int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd >= 0 && write(fd, "x", 1) == 1 && !unlink(path);
}

START_TEST(writes_where_it_has_to)
{
	char top[] = "/tmp/check_sandbox.XXXXXX";
	struct options o = { .timeout = 1 };
	struct error e = { .code = ERR_NONE };
	bool on;
	int null;

	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(o.run_dir, sizeof(o.run_dir), "%s/run", top);
	snprintf(o.state_dir, sizeof(o.state_dir), "%s/state", top);
	ck_assert(!mkdir(o.run_dir, 0700) && !mkdir(o.state_dir, 0700));
	ck_assert(can_write(top, "before"));
	ck_assert(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ck_assert_msg(sandbox_enter(&o, &on, &e), "%s", e.why);
	if (on) {
		ck_assert(can_write(o.run_dir, "verdict"));
		ck_assert(can_write(o.state_dir, "ak"));
		ck_assert(!can_write(top, "elsewhere"));
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		ck_assert_int_ge(null, 0);
		close(null);
	} else {
		printf("SKIP: no Landlock here\n");
	}
	rmdir(o.run_dir);
	rmdir(o.state_dir);
	rmdir(top);
}
END_TEST

START_TEST(no_folder_is_an_error)
{
	struct options o = { .run_dir = "/nonexistent/run", .state_dir = "/tmp" };
	struct error e = { .code = ERR_NONE };
	bool on = true;

	ck_assert(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (sandbox_enter(&o, &on, &e))
		ck_assert(!on);
	else
		ck_assert_msg(strstr(e.why, o.run_dir) != NULL, "%s", e.why);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, writes_where_it_has_to);
	tcase_add_test(tc, no_folder_is_an_error);
}

int
main(void)
{
	return unit_run("sandbox", add);
}
