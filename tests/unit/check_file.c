#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "file.h"
#include "unit.h"

static const struct { const char *label; uid_t uid, owner; bool trusted; } owners[] = {
	{ "root's", 0, 990, true },
	{ "the owner's", 990, 990, true },
	{ "another's", 991, 990, false },
	{ "44: the overflow uid's", 65534, 990, false },
	{ "44: the overflow uid's, when that is who is asked for", 65534, 65534, false },
	{ "44: root's, when that is who is asked for", 0, 65534, true },
};
START_TEST(whose)
{
	ck_assert_msg(owner_trusted(owners[_i].uid, owners[_i].owner) == owners[_i].trusted, "%s", owners[_i].label);
}
END_TEST

/* A process killed between mkostemp() and rename(): what it left goes, and nothing else does. */
START_TEST(sweep)
{
	static const struct { const char *name; bool goes; } entries[] = {
		{ "verdict", false }, { "verdict.new.a1B2c3", true }, { ".new.a1B2c3", false },
		{ "verdict.new.a1B2c", false }, { "verdict.new.a1B2c34", false }, { "ca.new", false },
	};
	char dir[] = "/tmp/check_file.XXXXXX", path[96];
	struct error e;

	ck_assert(mkdtemp(dir));
	for (unsigned i = 0; i < COUNT(entries); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i].name);
		ck_assert_msg(file_replace(path, "x", 1, 0600, false, &e), "%s", e.why);
	}
	file_sweep(dir);
	for (unsigned i = 0; i < COUNT(entries); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i].name);
		ck_assert_msg(access(path, F_OK) == (entries[i].goes ? -1 : 0), "%s", entries[i].name);
		unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);        /* file_replace() left nothing itself */
	file_sweep(dir);                        /* none there: nothing to do */
}
END_TEST

START_TEST(sweep_of_one)
{
	static const struct { const char *name; bool goes; } entries[] = {
		{ "sshd", false }, { "sshd.new.a1B2c3", true }, { "sshd.new.zzzzzz", true }, { "su.new.a1B2c3", false },
		{ "xsshd.new.a1B2c3", false }, { "sshd2.new.a1B2c3", false }, { "sshd.new.a1B2c34", false },
	};
	char dir[] = "/tmp/check_file.XXXXXX", path[96];
	struct error e;

	ck_assert(mkdtemp(dir));
	for (unsigned i = 0; i < COUNT(entries); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i].name);
		ck_assert_msg(file_replace(path, "x", 1, 0600, false, &e), "%s", e.why);
	}
	snprintf(path, sizeof(path), "%s/sshd", dir);
	file_sweep_of(path);
	for (unsigned i = 0; i < COUNT(entries); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i].name);
		ck_assert_msg(access(path, F_OK) == (entries[i].goes ? -1 : 0), "%s", entries[i].name);
		unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* A file that takes another's place has its mode and its attributes, and nothing is left beside it. */
START_TEST(replaces_as)
{
	char dir[] = "/tmp/check_file.XXXXXX", path[64], value[8] = "";
	own(fd) int fd = -1;
	bool attributes;
	struct error e;
	struct stat st;

	ck_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sshd", dir);
	ck_assert(file_replace(path, "old", 3, 0640, false, &e));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	attributes = setxattr(path, "user.label", "kept", 4, 0) == 0;
	ck_assert(attributes || errno == ENOTSUP);
	ck_assert_msg(file_replace_as(path, fd, "newer", 5, &e), "%s", e.why);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 5);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert(!attributes || getxattr(path, "user.label", value, sizeof(value)) == 4);
	ck_assert_str_eq(value, attributes ? "kept" : "");
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, sweep);
	tcase_add_test(tc, sweep_of_one);
	tcase_add_test(tc, replaces_as);
	tcase_add_loop_test(tc, whose, 0, COUNT(owners));
}

int
main(void)
{
	return unit_run("file", add);
}
