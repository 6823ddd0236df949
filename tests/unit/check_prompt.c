/* NEGATIVE-TESTS row 35: a helper that is asked for a foreign audience, or by somebody else. */
#include "prompt.h"
#include "unit.h"

static const struct { const char *label, *text; bool good; } prompts[] = {
	{ "as ssh shows it",  "(kim@gw.example) attest-passport vpn.example for kim: ", true },
	{ "without a space",  "(kim@gw.example) attest-passport vpn.example for kim:", true },
	{ "no bracket",       "attest-passport vpn.example for kim: ", false },
	{ "a password",       "(kim@gw.example) Password: ", false },
	{ "empty",            "", false },
	{ "a bracket alone",  "(", false },
	{ "no host",          "(kim) attest-passport vpn.example for kim: ", false },
	{ "an empty host",    "(kim@) attest-passport vpn.example for kim: ", false },
	{ "no audience",      "(kim@gw.example) attest-passport  for kim: ", false },
	{ "a bad audience",   "(kim@gw.example) attest-passport vpn/example for kim: ", false },
	{ "no user",          "(kim@gw.example) attest-passport vpn.example for : ", false },
	{ "two users",        "(kim@gw.example) attest-passport vpn.example for kim lee: ", false },
	{ "another user",     "(lee@gw.example) attest-passport vpn.example for kim: ", false },
	{ "a longer user",    "(kim@gw.example) attest-passport vpn.example for kim2: ", false },
	{ "a shorter user",   "(kim2@gw.example) attest-passport vpn.example for kim: ", false },
	{ "nobody",           "(@gw.example) attest-passport vpn.example for kim: ", false },
	{ "a realm",          "(kim@realm@gw.example) attest-passport vpn.example for kim: ", false },
	{ "words behind it",  "(kim@gw.example) attest-passport vpn.example for kim: now", false },
	{ "a bracket inside", "(kim@evil.example) (kim@gw.example) attest-passport vpn.example for kim: ", false },
	{ "ours in brackets", "(kim@evil.example)) attest-passport vpn.example for kim: ", false },
};

START_TEST(prompts_are_read)
{
	struct prompt p = { .host = "" };
	bool ok = prompt_read(prompts[_i].text, &p);

	ck_assert_msg(ok == prompts[_i].good, "%s", prompts[_i].label);
	if (!ok)
		return;
	ck_assert_str_eq(p.host, "gw.example");
	ck_assert_str_eq(p.audience, "vpn.example");
	ck_assert_str_eq(p.user, "kim");
}
END_TEST

START_TEST(no_part_of_one_is_too_long)
{
	char text[2 * PROMPT_MAX];
	struct prompt p;

	for (unsigned n = 0; n < PROMPT_MAX; n++) {
		snprintf(text, sizeof(text), "(kim@%*s) attest-passport a for kim: ", (int)n, "h");
		(void)!prompt_read(text, &p);
		snprintf(text, sizeof(text), "(kim@h) attest-passport %0*d for kim: ", (int)n, 1);
		ck_assert(prompt_read(text, &p) == (n < AUDIENCE_TEXT));
		snprintf(text, sizeof(text), "(%0*d@h) attest-passport a for %0*d: ", (int)n, 1, (int)n, 1);
		ck_assert(prompt_read(text, &p) == (n < PASSPORT_USER_TEXT));
	}
}
END_TEST

static const struct { const char *label, *file; bool good; } lists[] = {
	{ "empty",             "", false },
	{ "the host named",    "vpn.example gw.example\n", true },
	{ "one of many",       "# mine\n\nother gw.example\nvpn.example a b\tgw.example c\n", true },
	{ "no newline",        "vpn.example gw.example", true },
	{ "line ends of DOS",  "vpn.example gw.example\r\n", true },
	{ "no host",           "vpn.example\n", false },
	{ "another host",      "vpn.example evil.example\n", false },
	{ "another audience",  "ssh.example gw.example\n", false },
	{ "part of a name",    "vpn.example gw.example.evil\n", false },
	{ "a longer audience", "vpn.example.evil gw.example\n", false },
	{ "host as audience",  "gw.example vpn.example\n", false },
	{ "in a comment",      "# vpn.example gw.example\n", false },
	{ "behind a comment",  "vpn.example # gw.example\n", false },
	{ "over two lines",    "vpn.example\ngw.example\n", false },
};

START_TEST(a_list_allows)
{
	const struct prompt p = { .host = "gw.example", .audience = "vpn.example", .user = "kim" };

	ck_assert_msg(prompt_allowed(lists[_i].file, strlen(lists[_i].file), &p) == lists[_i].good, "%s", lists[_i].label);
}
END_TEST

START_TEST(an_audience_alone_is_for_the_host_of_its_name)
{
	static const char list[] = "vpn.example\n";
	struct prompt p = { .host = "vpn.example", .audience = "vpn.example", .user = "kim" };

	ck_assert(prompt_allowed(list, strlen(list), &p));
	strcpy(p.host, "vpn.example.evil");
	ck_assert(!prompt_allowed(list, strlen(list), &p));
}
END_TEST

static void
try_prefix(const uint8_t *p, size_t n, void *arg)
{
	const struct prompt *q = arg;
	char text[256];
	struct prompt out;

	(void)prompt_allowed((const char *)p, n, q);
	memcpy(text, p, n);
	text[n] = '\0';
	ck_assert(!prompt_read(text, &out) || text[n - 1] == ':');
}

START_TEST(no_prefix_is_one)
{
	static const char text[] = "(kim@gw.example) attest-passport vpn.example for kim: ";
	struct prompt q = { .host = "gw.example", .audience = "(kim@gw.example)", .user = "kim" };

	unit_prefixes((const uint8_t *)text, strlen(text), try_prefix, &q);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, prompts_are_read, 0, COUNT(prompts));
	tcase_add_test(tc, no_part_of_one_is_too_long);
	tcase_add_loop_test(tc, a_list_allows, 0, COUNT(lists));
	tcase_add_test(tc, an_audience_alone_is_for_the_host_of_its_name);
	tcase_add_test(tc, no_prefix_is_one);
}

int main(void) { return unit_run("prompt", add); }
