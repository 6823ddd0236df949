#include <stdio.h>
#include "cmdline.h"
#include "unit.h"

static const struct { const char *was, *is, *words; bool alarming; } cases[] = {
	{ "kernel_cmdline: /vmlinuz root=a quiet", "kernel_cmdline: /vmlinuz root=a quiet init=/bin/bash", "+ init=/bin/bash", true },
	{ "root=a ro quiet", "root=a ro", "- quiet", false },
	{ "root=a ro", "ro root=a", "", false },
	{ "root=a  ro ", "root=a ro", "", false },
	{ "a a", "a", "- a", false },
	{ "a", "a a a", "+ a + a", false },
	{ "vmlinuz-6.1.0-27 quiet", "vmlinuz-6.1.0-28 quiet", "+ vmlinuz-6.1.0-28 - vmlinuz-6.1.0-27", false },
	{ "quiet", "quiet systemd.debug_shell", "+ systemd.debug_shell", true },
	{ "quiet", "quiet systemd.debug-shell", "+ systemd.debug-shell", true },
	{ "quiet", "quiet rd.break=pre-mount", "+ rd.break=pre-mount", true },
	{ "quiet", "quiet initcall_debug", "+ initcall_debug", false },
	{ "quiet", "quiet single", "+ single", true },
	{ "quiet lockdown=integrity", "quiet", "- lockdown=integrity", true },
	/* a menu's text, as a log's words have it: line breaks part words, an escaped backslash does not */
	{ "menuentry x {\\n  linux /v ro\\n}", "menuentry x {\\n  linux /v ro quiet\\n}", "+ quiet", false },
	{ "x {\\n\\tlinux ro\\n}", "x {\\n\\tlinux ro\\ninit=/bin/sh\\n}", "+ init=/bin/sh", true },
	{ "a", "a path=c:\\\\new", "+ path=c:\\\\new", false },
	{ "a", "a\\", "+ a\\ - a", false },
	{ "", "", "", false },
};

START_TEST(words_that_came_and_went)
{
	char out[256];
	bool alarming = cmdline_diff(cases[_i].was, cases[_i].is, out, sizeof(out));

	ck_assert_str_eq(out, cases[_i].words);
	ck_assert_msg(alarming == cases[_i].alarming, "%s", cases[_i].is);
}
END_TEST

START_TEST(never_past_its_end)
{
	for (size_t size = 1; size < 40; size++) {
		own(mem) char *out = malloc(size);

		cmdline_diff("a b c", "init=/bin/sh d e f g", out, size);
		ck_assert_uint_lt(strlen(out), size);
	}
}
END_TEST

/* More words than are compared: the rest is not looked at, and nothing breaks. */
START_TEST(many_words)
{
	static char was[8192], is[8192];
	char out[64];

	for (unsigned i = 0; i < 2000; i++)
		strcat(was, "x "), strcat(is, "y ");
	cmdline_diff(was, is, out, sizeof(out));
	ck_assert_uint_eq(strlen(out), sizeof(out) - 1);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, words_that_came_and_went, 0, COUNT(cases));
	tcase_add_test(tc, never_past_its_end);
	tcase_add_test(tc, many_words);
}

int main(void) { return unit_run("cmdline", add); }
