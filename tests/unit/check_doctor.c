/* Other programs' files, as doctor and lint read them: lines and words, sshd_config, sudoers, group, attestd.conf. */
#include <stdarg.h>
#include "attestd_conf.h"
#include "found.h"
#include "groups.h"
#include "lines.h"
#include "origins.h"
#include "sshd_conf.h"
#include "staged.h"
#include "sudoers.h"
#include "unit.h"

static char seen[4096];

static void __attribute__((format(printf, 1, 2)))
see(const char *fmt, ...)
{
	size_t used = strlen(seen);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(seen + used, sizeof(seen) - used, fmt, ap);
	va_end(ap);
}

/* --- lines and words */

static const struct { const char *label, *text; bool joins; const char *want; } line_rows[] = {
	{ "nothing", "", true, "" },
	{ "one without a newline", "a b", true, "1 a,b|" },
	{ "empty ones are given", "\n\na", false, "1 |2 |3 a|" },
	{ "carriage returns", "a\r\nb\r\n", false, "1 a|2 b|" },
	{ "joined", "a \\\n b\nc", true, "1 a,b|3 c|" },
	{ "not joined", "a \\\n b", false, "1 a,\\|2 b|" },
	{ "a backslash at the end", "a\\", true, "1 a|" },
	{ "quotes", "a \"b c\" d\"e f\"g \"", false, "1 a,b c,de fg,|" },
	{ "bytes that split", "a=b = c", false, "1 a,b,c|" },
};

static void
see_lines(const char *text, size_t len, bool joins)
{
	struct lines l = lines_open(text, len, joins);
	char line[LINE_TEXT], *word[WORDS_MAX];
	unsigned number;
	bool cut;

	while (lines_next(&l, line, &number, &cut)) {
		unsigned n = line_words(line, "=", word);

		see("%u %s", number, cut ? "cut" : "");
		for (unsigned i = 0; i < n; i++)
			see("%s%s", i ? "," : "", word[i]);
		see("|");
	}
}

START_TEST(reads_lines)
{
	seen[0] = '\0';
	see_lines(line_rows[_i].text, strlen(line_rows[_i].text), line_rows[_i].joins);
	ck_assert_msg(!strcmp(seen, line_rows[_i].want), "%s: saw %s", line_rows[_i].label, seen);
}
END_TEST

START_TEST(limits_of_lines)
{
	char text[2 * LINE_TEXT + 8], *word[WORDS_MAX];

	/* The longest, one more, and one that is that long in pieces. */
	memset(text, 'a', sizeof(text));
	memcpy(text + LINE_TEXT - 1, "\nb\n", 3);
	seen[0] = '\0';
	see_lines(text, LINE_TEXT + 2, true);
	ck_assert_str_eq(seen + strlen(seen) - 5, "|2 b|");
	memset(text, 'a', sizeof(text));
	memcpy(text + LINE_TEXT, "\nb\n", 3);
	seen[0] = '\0';
	see_lines(text, LINE_TEXT + 3, true);
	ck_assert_str_eq(seen, "1 cut|2 b|");
	memset(text, 'a', sizeof(text));
	memcpy(text + LINE_TEXT / 2, "\\\n", 2);
	memcpy(text + LINE_TEXT + 4, "\nb\n", 3);
	seen[0] = '\0';
	see_lines(text, LINE_TEXT + 7, true);
	ck_assert_str_eq(seen, "1 cut|3 b|");
	seen[0] = '\0';
	see_lines("a\0b\nc", 5, true);
	ck_assert_str_eq(seen, "1 cut|2 c|");
	/* More words than there is room for. */
	memset(text, 'a', sizeof(text));
	for (size_t i = 1; i < 64; i += 2)
		text[i] = ' ';
	text[64] = '\0';
	ck_assert_uint_eq(line_words(text, "", word), WORDS_MAX);
}
END_TEST

/* --- sshd_config */

static const struct { const char *label, *text; bool pam; const char *at; unsigned grace; const char *included; } sshd_rows[] = {
	{ "nothing: no, two minutes", "", false, "", 120, "" },
	{ "yes", "UsePAM yes\n", true, "f:1", 120, "" },
	{ "as sshd -T prints it", "port 22\nusepam yes\nlogingracetime 30\n", true, "f:2", 30, "" },
	{ "the first counts", "usepam no\nUsePAM yes\n", false, "f:1", 120, "" },
	{ "an equals sign, quotes", "UsePAM = \"yes\"\n", true, "f:1", 120, "" },
	{ "a comment", "#UsePAM yes\n", false, "", 120, "" },
	{ "in a Match block it is nobody's", "Match User git\nUsePAM yes\n", false, "", 120, "" },
	{ "Match all ends one", "Match User git\nMatch all\nUsePAM yes\n", true, "f:3", 120, "" },
	{ "times", "LoginGraceTime 1h30m\n", false, "", 5400, "" },
	{ "for ever", "LoginGraceTime 0\n", false, "", 0, "" },
	{ "no time", "LoginGraceTime soon\nLoginGraceTime 9\n", false, "", 9, "" },
	{ "too long a time", "LoginGraceTime 99999999999999999999w\n", false, "", 120, "" },
	{ "includes", "Include a b\nMatch user x\ninclude c\n", false, "", 120, "a b " },
	{ "no value", "UsePAM\n", false, "", 120, "" },
};

static void
see_include(void *arg, const char *pattern)
{
	(void)arg;
	see("%s ", pattern);
}

START_TEST(reads_sshd_config)
{
	struct sshd_conf c;

	seen[0] = '\0';
	sshd_conf_open(&c);
	sshd_conf_take(&c, "f", sshd_rows[_i].text, strlen(sshd_rows[_i].text), see_include, NULL);
	ck_assert_msg(c.use_pam == sshd_rows[_i].pam && !strcmp(c.use_pam_at, sshd_rows[_i].at) &&
	    c.login_grace == sshd_rows[_i].grace && !strcmp(seen, sshd_rows[_i].included) && !c.cut,
	    "%s: pam %d at %s, grace %u, includes %s", sshd_rows[_i].label, c.use_pam, c.use_pam_at, c.login_grace, seen);
}
END_TEST

static const struct { const char *text, *at; } allowed[] = {
	{ "AllowGroups wheel attested\n", "f:1" },
	{ "# none\nallowgroups=attested\nAllowGroups attested\n", "f:2" },
	{ "AllowGroups \"attested\"\n", "f:1" },
	{ "AllowGroups attested2 un-attested ATTESTED\n", "" },
	{ "DenyGroups attested\nAllowUsers attested\n#AllowGroups attested\n", "" },
	{ "Match User kim\nAllowGroups attested\n", "" },
};

START_TEST(finds_the_group)
{
	struct sshd_conf c;

	sshd_conf_open(&c);
	sshd_conf_take(&c, "f", allowed[_i].text, strlen(allowed[_i].text), NULL, NULL);
	ck_assert_str_eq(c.group_at, "");
	c.group = "attested";
	sshd_conf_take(&c, "f", allowed[_i].text, strlen(allowed[_i].text), NULL, NULL);
	ck_assert_msg(!strcmp(c.group_at, allowed[_i].at), "%s: at \"%s\"", allowed[_i].text, c.group_at);
}
END_TEST

/* --- sudoers */

static const struct { const char *label, *text, *want; } sudo_rows[] = {
	{ "nothing", "", "" },
	{ "everybody", "Defaults !pam_acct_mgmt", "1 0  |" },
	{ "among others", "Defaults env_reset,!pam_acct_mgmt , insults", "1 0  |" },
	{ "a user", "Defaults:kim !pam_acct_mgmt", "1 0 :kim |" },
	{ "a blank before the user", "Defaults: kim !pam_acct_mgmt", "1 0 :kim |" },
	{ "two users", "Defaults:kim, lee !pam_acct_mgmt", "1 0 :kim, lee |" },
	{ "a host, a command, a target", "Defaults@web !pam_acct_mgmt\nDefaults!CMD !pam_acct_mgmt\nDefaults>root !pam_acct_mgmt",
	    "1 0 @web |2 0 !CMD |3 0 >root |" },
	{ "taken back", "Defaults !pam_acct_mgmt\nDefaults pam_acct_mgmt", "" },
	{ "taken back in one line", "Defaults !pam_acct_mgmt, pam_acct_mgmt", "" },
	{ "and again", "Defaults pam_acct_mgmt\nDefaults !pam_acct_mgmt", "2 0  |" },
	{ "twice negated", "Defaults !!pam_acct_mgmt", "" },
	{ "thrice", "Defaults ! ! !pam_acct_mgmt", "1 0  |" },
	{ "another word", "Defaults !pam_acct_mgmts\nDefaultss !pam_acct_mgmt\nxDefaults !pam_acct_mgmt", "" },
	{ "a comment", "#Defaults !pam_acct_mgmt\nDefaults env_reset # , !pam_acct_mgmt", "" },
	{ "a uid is no comment", "Defaults:#1000 !pam_acct_mgmt", "1 0 :#1000 |" },
	{ "in quotes", "Defaults passprompt=\"a, !pam_acct_mgmt\"", "" },
	{ "services", "Defaults pam_service = x, pam_login_service=\"y z\"", "1 1  x|1 2  y z|" },
	{ "sudo's own", "Defaults pam_service=sudo, pam_login_service=sudo-i", "" },
	{ "in two lines", "Defaults \\\n !pam_acct_mgmt\nDefaults:x !pam_acct_mgmt", "1 0  |3 0 :x |" },
	{ "includes", "@include /a b\n#include c\n@includedir d\n#includedir /e\n#included x\n", "+/a +c +d/ +/e/ " },
	{ "include in quotes", "@include \"/a b\"\n", "+/a b " },
};

static void
see_sudo_include(void *arg, const char *path, bool folder)
{
	(void)arg;
	see("+%s%s ", path, folder ? "/" : "");
}

static void
see_sudoers(const char *text, size_t len)
{
	static struct sudoers s;

	s = (struct sudoers){ 0 };
	seen[0] = '\0';
	sudoers_take(&s, "f", text, len, see_sudo_include, NULL);
	ck_assert_uint_le(s.n, SUDOERS_HITS);
	for (unsigned i = 0; i < s.n; i++)
		see("%u %d %s %s|", s.hit[i].line, s.hit[i].what, s.hit[i].scope, s.hit[i].value);
	if (s.cut)
		see("cut");
}

START_TEST(reads_sudoers)
{
	see_sudoers(sudo_rows[_i].text, strlen(sudo_rows[_i].text));
	ck_assert_msg(!strcmp(seen, sudo_rows[_i].want), "%s: saw %s", sudo_rows[_i].label, seen);
}
END_TEST

/* More than there is room for is told, and nothing is written behind the last. */
START_TEST(many_sudoers)
{
	char text[4096] = "";

	for (unsigned i = 0; i <= SUDOERS_HITS; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "Defaults:u%u !pam_acct_mgmt\n", i);
	see_sudoers(text, strlen(text));
	ck_assert_str_eq(seen + strlen(seen) - 3, "cut");
	memset(text, 'x', sizeof(text));
	memcpy(text, "Defaults:", 9);
	memcpy(text + 1500, " !pam_acct_mgmt\n", 16);
	see_sudoers(text, 1516);
	ck_assert_uint_eq(strlen(seen), strlen("1 0 ") + SUDOERS_WORD - 1 + strlen(" |"));
}
END_TEST

/* --- group, attestd.conf */

static const struct { const char *label, *group, *passwd, *name; bool there; unsigned members, ordinary; } group_rows[] = {
	{ "nothing", "", "", "g", false, 0, 0 },
	{ "empty", "g:x:9:\n", "", "g", true, 0, 0 },
	{ "members", "f:x:8:z\ng:x:9:a,b\n", "", "g", true, 2, 0 },
	{ "an own group", "g:x:9:\n", "a:x:1000:9::/:\nb:x:999:9::/:\nc:x:65534:9::/:\nd:x:1001:90::/:\n", "g", true, 0, 1 },
	{ "the first line counts", "g:x:9:a\ng:x:8:b,c\n", "", "g", true, 1, 0 },
	{ "too few fields", "g\n", "x\n", "g", true, 0, 0 },
};

START_TEST(reads_groups)
{
	struct group_facts g;

	ck_assert(group_parse(group_rows[_i].group, strlen(group_rows[_i].group), group_rows[_i].passwd, strlen(group_rows[_i].passwd),
	    group_rows[_i].name, &g));
	ck_assert_msg(g.there == group_rows[_i].there && g.members == group_rows[_i].members && g.ordinary == group_rows[_i].ordinary,
	    "%s: %d %u %u", group_rows[_i].label, g.there, g.members, g.ordinary);
}
END_TEST

START_TEST(reads_attestd_conf)
{
	static const char text[] = "[verifier]\nurl = https://a:1, https://b:2\n[cache]\nrenew = 30%\n[logs]\nima_log =\n[tpm]\ntcti = device:/x\n";
	struct attestd_conf c;

	attestd_conf_parse("", 0, &c);
	ck_assert_uint_eq(c.renew, 66);
	ck_assert_str_eq(c.run_dir, "/run/attest");
	attestd_conf_parse(text, sizeof(text) - 1, &c);
	ck_assert_uint_eq(c.renew, 30);
	ck_assert_str_eq(c.url, "https://a:1, https://b:2");
	ck_assert_str_eq(c.ima_log, "");
	ck_assert_str_eq(c.tcti, "device:/x");
	attestd_conf_parse("[cache]\nrenew = 300%\n", 21, &c);
	ck_assert_uint_eq(c.renew, 66);
}
END_TEST

/* --- where values come from */

START_TEST(finds_origins)
{
	static const char first[] = "[default]\nmode = audit\nmode = off\n[sshd sudo]\nmode = enforce\n[paths]\nowner = 0\n[sudo]\ngrace = 1h\n";
	static const char second[] = "[sshd\nmode = off\n[default]\nmode = off\ngrace = 2h\n";
	struct origins o = { 0 };

	origins_take(&o, "a", first, sizeof(first) - 1, "sshd");
	ck_assert_str_eq(origins_of(&o, "service", "mode"), "a:5");
	ck_assert_str_eq(origins_of(&o, "service", "grace"), "");
	ck_assert_str_eq(origins_of(&o, "paths", "owner"), "a:7");
	/* A later file beats an earlier one, and never a service's own section; nothing stands in a section that is broken. */
	origins_take(&o, "b", second, sizeof(second) - 1, "sshd");
	ck_assert_str_eq(origins_of(&o, "service", "mode"), "a:5");
	ck_assert_str_eq(origins_of(&o, "service", "grace"), "b:5");
	o = (struct origins){ 0 };
	origins_take(&o, "a", first, sizeof(first) - 1, "login");
	ck_assert_str_eq(origins_of(&o, "service", "mode"), "a:2");
}
END_TEST

/* --- what boots next */

static const struct { const char *label, *files, *running, *want; } kernels[] = {
	{ "the newest runs",          "vmlinuz-6.1.0-28-amd64 vmlinuz-6.1.0-9-amd64",                      "6.1.0-28-amd64", "" },
	{ "a newer one waits",        "vmlinuz-6.1.0-9-amd64 vmlinuz-6.1.0-28-amd64 initrd.img-7",          "6.1.0-9-amd64",  "6.1.0-28-amd64" },
	{ "the running one is not there", "vmlinuz-6.1.0-28-amd64",                                         "6.1.0-9-amd64",  "" },
	{ "what packages leave behind", "vmlinuz-6.1.0-9-amd64 vmlinuz-6.1.0-28-amd64.dpkg-bak vmlinuz",   "6.1.0-9-amd64",  "" },
	{ "nothing",                  "",                                                                  "6.1.0-9-amd64",  "" },
};

START_TEST(finds_staged_kernels)
{
	char folder[] = "/tmp/pam-attest-boot.XXXXXX", names[256], path[160], got[RELEASE_TEXT] = "";

	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (int making = 1; making >= 0; making--) {
		snprintf(names, sizeof(names), "%s", kernels[_i].files);
		for (char *save, *n = strtok_r(names, " ", &save); n; n = strtok_r(NULL, " ", &save)) {
			snprintf(path, sizeof(path), "%s/%.100s", folder, n);
			if (making)
				fclose(fopen(path, "w"));
			else
				unlink(path);
		}
		if (making)
			ck_assert_msg(staged_kernel(folder, kernels[_i].running, got) == (kernels[_i].want[0] != 0) &&
			    !strcmp(got, kernels[_i].want), "%s: %s", kernels[_i].label, got);
	}
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert(!staged_kernel(folder, "x", got));
}
END_TEST

/* --- findings */

START_TEST(findings_are_said_once)
{
	static struct findings all;

	finding_add(&all, FOUND_NOT_HOOKED, "sshd", "/f", "x");
	finding_add(&all, FOUND_NOT_HOOKED, "sshd", "/f", "x");
	finding_add(&all, FOUND_USEPAM, "sshd", "/f", "x");
	ck_assert_uint_eq(all.n, 2);
	ck_assert_uint_eq(all.errors, 2);
	ck_assert_str_eq(all.item[0].fix, "attestctl hook sshd");
	ck_assert_str_eq(all.item[1].fix, "set UsePAM yes in /f, then: sshd -t && systemctl reload ssh");
	for (unsigned i = 0; i < FINDINGS_MAX + 2; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%u", i);
		finding_add(&all, FOUND_CLOCK, "", "", text);
	}
	ck_assert_uint_eq(all.n, FINDINGS_MAX);
	ck_assert_uint_eq(all.warnings, FINDINGS_MAX + 2);
}
END_TEST

/* A user may name a setgid file; an administrator copies the command. */
static const struct { const char *file, *fix; } names[] = {
	{ "/home/kim/a,b:c-d_e@f+1%.x=", "chmod g-s /home/kim/a,b:c-d_e@f+1%.x=" },
	{ "/home/kim/a b", "chmod g-s '/home/kim/a b'" },
	{ "/home/kim/$(reboot)", "chmod g-s '/home/kim/$(reboot)'" },
	{ "/home/kim/';reboot;'", "chmod g-s '/home/kim/'\\'';reboot;'\\'''" },
	{ "/home/kim/\033]0;x\a\n\302\233", "chmod g-s '/home/kim/?]0;x???" "?'" },
};

START_TEST(names_are_words_and_move_no_cursor)
{
	static struct findings all;

	all.n = 0;
	finding_add(&all, FOUND_SETGID, "", names[_i].file, names[_i].file);
	finding_add(&all, FOUND_SETGID, "", names[_i].file, names[_i].file);
	ck_assert_uint_eq(all.n, 1);
	ck_assert_str_eq(all.item[0].fix, names[_i].fix);
	for (const char *p = all.item[0].text; *p; p++)
		ck_assert(*p >= ' ' && *p <= '~');
}
END_TEST

/* Part of a name is another name. */
START_TEST(a_name_too_long_is_left_out)
{
	static struct findings all;
	char file[2 * FINDING_TEXT];

	for (unsigned n = 1; n < sizeof(file); n++) {
		const char *put = all.item[0].fix + strlen("chmod g-s ");

		memset(file, n % 2 ? '\'' : 'a', n);
		file[n] = '\0';
		all.n = 0;
		finding_add(&all, FOUND_SETGID, "", file, "x");
		ck_assert(!strncmp(all.item[0].fix, "chmod g-s ", strlen("chmod g-s ")));
		ck_assert(!put[0] || (strlen(put) >= n && put[0] == file[0] && put[strlen(put) - 1] == file[0]));
		ck_assert(put[0] || n > FINDING_TEXT / 5);
	}
}
END_TEST

static void
prefix(const uint8_t *p, size_t n, void *arg)
{
	struct sshd_conf c;
	struct attestd_conf a;
	struct group_facts g;
	struct origins o = { 0 };

	(void)arg;
	origins_take(&o, "f", (const char *)p, n, "sshd");
	see_sudoers((const char *)p, n);
	sshd_conf_open(&c);
	sshd_conf_take(&c, "f", (const char *)p, n, see_include, NULL);
	attestd_conf_parse((const char *)p, n, &a);
	ck_assert(group_parse((const char *)p, n, (const char *)p, n, "g", &g));
}

START_TEST(every_prefix)
{
	static const char all[] = "Defaults:kim, lee env_reset, !pam_acct_mgmt # c\n@includedir \"/a\"\nInclude b\nLoginGraceTime 1h2m\n"
	    "UsePAM=yes\n[cache]\nrenew = 20%\ng:x:9:a,b\na:x:1000:9::/:\n";

	unit_prefixes((const uint8_t *)all, sizeof(all) - 1, prefix, NULL);
}
END_TEST

static void
add(TCase *t)
{
	tcase_add_loop_test(t, reads_lines, 0, COUNT(line_rows));
	tcase_add_test(t, limits_of_lines);
	tcase_add_loop_test(t, reads_sshd_config, 0, COUNT(sshd_rows));
	tcase_add_loop_test(t, finds_the_group, 0, COUNT(allowed));
	tcase_add_loop_test(t, reads_sudoers, 0, COUNT(sudo_rows));
	tcase_add_test(t, many_sudoers);
	tcase_add_loop_test(t, reads_groups, 0, COUNT(group_rows));
	tcase_add_test(t, reads_attestd_conf);
	tcase_add_test(t, finds_origins);
	tcase_add_loop_test(t, finds_staged_kernels, 0, COUNT(kernels));
	tcase_add_test(t, findings_are_said_once);
	tcase_add_loop_test(t, names_are_words_and_move_no_cursor, 0, COUNT(names));
	tcase_add_test(t, a_name_too_long_is_left_out);
	tcase_add_test(t, every_prefix);
}

int
main(void)
{
	return unit_run("doctor", add);
}
