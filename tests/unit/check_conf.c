/* INI files and their values. */
#include "conf.h"
#include "unit.h"

static char seen[2048];

static bool
take(void *arg, const char *section, const char *key, const char *value, unsigned line, struct error *e)
{
	char one[256];

	(void)arg;
	if (key && !strcmp(key, "stop"))
		return err_set(e, ERR_CONFIG, "stopped");
	snprintf(one, sizeof(one), "%u[%s]%s=%s|", line, section, key ? key : "", value ? value : "");
	strcat(seen, one);
	return true;
}

static const struct { const char *label, *text, *want, *why; } files[] = {
	{ "nothing", "", "", NULL },
	{ "blank and comments", "\n  \n; a\n\t# b\n", "", NULL },
	{ "section and key", "[a b]\nk = v w\n", "1[a b]=|2[a b]k=v w|", NULL },
	{ "before any section", "k=v\n", "1[]k=v|", NULL },
	{ "comment behind white space only", "u = a#b;c ; d\n", "1[]u=a#b;c|", NULL },
	{ "no newline at the end, and a CR", "[a]\r\nk = v", "1[a]=|2[a]k=v|", NULL },
	{ "empty value, equals sign in it", "k =\nl = a=b\n", "1[]k=|2[]l=a=b|", NULL },
	{ "header without an end", "k=v\n[a\n", "1[]k=v|", "x.conf:2: section header without ']'" },
	{ "header without a name", "[ ]\n", "", "x.conf:1: empty section name" },
	{ "no key", "= v\n", "", "x.conf:1: value without a key" },
	{ "neither", "[a]\nwords\n", "1[a]=|", "x.conf:2: neither" },
	{ "stopped", "a=1\nstop=1\nb=2\n", "1[]a=1|", "x.conf:2: stopped" },
};

START_TEST(walks)
{
	struct error e = { 0 };
	bool ok;

	seen[0] = '\0';
	ok = conf_walk("x.conf", files[_i].text, strlen(files[_i].text), take, NULL, &e);
	ck_assert_msg(ok == !files[_i].why && (ok || strstr(e.why, files[_i].why)), "%s: %s", files[_i].label, e.why);
	ck_assert_msg(!strcmp(seen, files[_i].want), "%s: saw %s", files[_i].label, seen);
}
END_TEST

START_TEST(limits)
{
	char text[CONF_LINE_MAX + 8];
	struct error e;

	memset(text, 'a', sizeof(text));
	ck_assert(!conf_walk("x.conf", text, sizeof(text), take, NULL, &e));
	ck_assert_ptr_nonnull(strstr(e.why, "line too long"));
	ck_assert(!conf_walk("x.conf", "a=\0b\n", 5, take, NULL, &e));
	ck_assert_ptr_nonnull(strstr(e.why, "NUL"));
	ck_assert(!conf_walk_from("x.conf", 41, "k=v\n[a\n", 7, take, NULL, &e));
	ck_assert_ptr_nonnull(strstr(e.why, "x.conf:42:"));
}
END_TEST

static const struct { const char *text; bool ok; unsigned want; } seconds[] = {
	{ "90", true, 90 }, { "90s", true, 90 }, { "15m", true, 900 }, { "24h", true, 86400 }, { "1d", true, 86400 },
	{ "2d", false, 0 }, { "0", false, 0 }, { "", false, 0 }, { "m", false, 0 }, { "1w", false, 0 }, { "-1", false, 0 },
	{ "1 m", false, 0 }, { "1.5h", false, 0 }, { "99999999999999999999", false, 0 }, { "4294967297", false, 0 },
};

START_TEST(reads_seconds)
{
	struct error e;
	unsigned n = 0;

	ck_assert_msg(conf_seconds(seconds[_i].text, 1, 86400, &n, &e) == seconds[_i].ok && n == seconds[_i].want, "%s: %u", seconds[_i].text, n);
}
END_TEST

START_TEST(reads_values)
{
	struct error e;
	unsigned n = 0;
	char text[8];
	bool flag = false;

	ck_assert(conf_number("7", 7, 7, &n, &e) && n == 7);
	ck_assert(!conf_number("8", 7, 7, &n, &e) && !conf_number("7x", 7, 7, &n, &e) && n == 7);
	ck_assert(conf_yes_no("yes", &flag, &e) && flag && conf_yes_no("no", &flag, &e) && !flag);
	ck_assert(!conf_yes_no("Yes", &flag, &e) && !conf_yes_no("1", &flag, &e));
	ck_assert(conf_path("/a/b/c", text, sizeof(text), &e));
	ck_assert(!conf_path("a/b", text, sizeof(text), &e) && !conf_path("/a/b/c/d", text, sizeof(text), &e));
	ck_assert_str_eq(text, "/a/b/c");
	ck_assert(conf_text("1234567", text, sizeof(text), &e) && !conf_text("12345678", text, sizeof(text), &e));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, walks, 0, COUNT(files));
	tcase_add_test(tc, limits);
	tcase_add_loop_test(tc, reads_seconds, 0, COUNT(seconds));
	tcase_add_test(tc, reads_values);
}

int
main(void)
{
	return unit_run("conf", add);
}
