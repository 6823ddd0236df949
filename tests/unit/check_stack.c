/* Lines of pam.d: what each answer of a module does, as Linux-PAM 1.5 reads them. */
#include "stack.h"
#include "unit.h"

static char seen[4096];

static char
letter(enum stack_act a)
{
	return "iodbxrj"[a];    /* ignore ok done bad die(x) reset jump */
}

/* "3 account pam_a.so odibbb j0": success, new_authtok_reqd, ignore, perm_denied, authinfo_unavail, module_unknown. */
static void
take(void *arg, const struct stack_line *l)
{
	static const char *const kinds[] = { "", "include ", "substack ", "bad" };
	size_t used = strlen(seen);

	(void)arg;
	if (l->kind == KIND_BAD) {
		snprintf(seen + used, sizeof(seen) - used, "%u bad|", l->number);
		return;
	}
	used += (size_t)snprintf(seen + used, sizeof(seen) - used, "%u %s %s%s", l->number, stack_type_word(l->type), kinds[l->kind], l->name);
	if (l->kind == KIND_MODULE) {
		seen[used++] = ' ';
		for (size_t i = 0; i < ANSWER_COUNT; i++)
			seen[used++] = letter(l->on[i]);
		used += (size_t)snprintf(seen + used, sizeof(seen) - used, " %u", l->jump);
	}
	snprintf(seen + used, sizeof(seen) - used, "|");
}

static const struct { const char *label, *text, *want; } files[] = {
	{ "nothing", "", "" },
	{ "blank and comments", "\n \t\n# account required pam_a.so\n", "" },
	{ "required", "account required pam_a.so\n", "1 account pam_a.so ooibbb 0|" },
	{ "requisite", "auth requisite pam_a.so", "1 auth pam_a.so ooixxx 0|" },
	{ "sufficient", "auth\tsufficient\tpam_a.so nullok\n", "1 auth pam_a.so ddiiii 0|" },
	{ "optional, capitals, a dash", "-Session OPTIONAL pam_a.so\n", "1 session pam_a.so ooiiii 0|" },
	{ "the line of the gate", "account [success=ok ignore=ignore module_unknown=ignore default=die] pam_attest.so\n", "1 account pam_attest.so oxixxi 0|" },
	{ "answers without default are bad", "account [success=ok] pam_a.so\n", "1 account pam_a.so obbbbb 0|" },
	{ "default before the named", "account [default=ignore perm_denied=bad] pam_a.so\n", "1 account pam_a.so iiibii 0|" },
	{ "jumps: the longest counts", "account [success=1 user_unknown=3 default=ignore] pam_a.so\n", "1 account pam_a.so jiiiii 3|" },
	{ "a jump past everything", "account [success=4294967297] pam_a.so\n", "1 account pam_a.so jbbbbb 128|" },
	{ "no blank behind the bracket", "account [success=done]pam_a.so\n", "1 account pam_a.so dbbbbb 0|" },
	{ "a folder", "account required /lib/security/pam_a.so\n", "1 account pam_a.so ooibbb 0|" },
	{ "comment behind", "account required pam_a.so # here\n", "1 account pam_a.so ooibbb 0|" },
	{ "Debian's include", "@include common-account\n", "1 every include common-account|" },
	{ "include and substack", "account include a\naccount substack b\n", "1 account include a|2 account substack b|" },
	{ "a line in two", "account \\\n required \\\n pam_a.so\nauth required pam_b.so\n", "1 account pam_a.so ooibbb 0|4 auth pam_b.so ooibbb 0|" },
	{ "no joining in a comment", "# a \\\naccount required pam_a.so\n", "2 account pam_a.so ooibbb 0|" },
	{ "a backslash at the end", "account required pam_a.so \\", "1 account pam_a.so ooibbb 0|" },
	{ "no such type", "accounts required pam_a.so\n", "1 bad|" },
	{ "no such word", "account requires pam_a.so\n", "1 bad|" },
	{ "no such action", "account [success=yes] pam_a.so\n", "1 bad|" },
	{ "no end of the bracket", "account [success=ok pam_a.so\n", "1 bad|" },
	{ "jump of nothing", "account [success=0] pam_a.so\n", "1 bad|" },
	{ "no module", "account required\n", "1 bad|" },
	{ "nothing to include", "@include\n", "1 bad|" },
	{ "type alone", "account\n", "1 bad|" },
};

START_TEST(walks)
{
	seen[0] = '\0';
	stack_walk(files[_i].text, strlen(files[_i].text), take, NULL);
	ck_assert_msg(!strcmp(seen, files[_i].want), "%s: saw %s, wanted %s", files[_i].label, seen, files[_i].want);
}
END_TEST

START_TEST(long_lines)
{
	char text[3 * STACK_TEXT_MAX], *at;

	/* One word that no buffer has room for, and a good line behind it. */
	memset(text, 'a', 2 * STACK_TEXT_MAX);
	strcpy(text + 2 * STACK_TEXT_MAX, "\naccount required pam_a.so\n");
	seen[0] = '\0';
	stack_walk(text, strlen(text), take, NULL);
	ck_assert_str_eq(seen, "1 bad|2 account pam_a.so ooibbb 0|");
	/* The same in pieces; and a module's name that is too long. */
	for (at = text + 60; at < text + 2 * STACK_TEXT_MAX; at += 60)
		memcpy(at, "\\\n", 2);
	seen[0] = '\0';
	stack_walk(text, strlen(text), take, NULL);
	ck_assert_str_eq(seen, "1 bad|36 account pam_a.so ooibbb 0|");
	snprintf(text, sizeof(text), "account required %0*d\n", STACK_NAME_MAX, 0);
	seen[0] = '\0';
	stack_walk(text, strlen(text), take, NULL);
	ck_assert_str_eq(seen, "1 bad|");
}
END_TEST

static void
prefix(const uint8_t *p, size_t n, void *arg)
{
	(void)arg;
	seen[0] = '\0';
	stack_walk((const char *)p, n, take, NULL);
}

START_TEST(every_prefix)
{
	static const char all[] = "@include common-auth\naccount [success=1 default=bad] \\\n/a/pam_a.so x # c\n-session substack b\n";

	unit_prefixes((const uint8_t *)all, sizeof(all) - 1, prefix, NULL);
}
END_TEST

/* Files that include each other, in their place; substacks one level down; what is missing is told. */
START_TEST(reads_folders)
{
	static const struct { const char *name, *text; } made[] = {
		{ "sshd", "auth required pam_1.so\naccount required pam_2.so\n@include common\naccount substack below\naccount required pam_5.so\n" },
		{ "common", "account required pam_3.so\nauth required pam_x.so\n" },
		{ "below", "account required pam_4.so\naccount include none\n" },
		{ "loop", "account required pam_l.so\naccount include loop\n" },
	};
	char folder[] = "/tmp/pam-attest-stack.XXXXXX", path[128];
	static struct stack s;
	struct error e;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (size_t i = 0; i < COUNT(made); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", folder, made[i].name);
		f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		fputs(made[i].text, f);
		ck_assert_int_eq(fclose(f), 0);
	}
	ck_assert(stack_read(folder, "sshd", STACK_ACCOUNT, &s, &e));
	ck_assert_uint_eq(s.n, 4);
	for (unsigned i = 0; i < s.n; i++) {
		ck_assert_int_eq(s.line[i].name[4], (int)('2' + i));
		ck_assert_uint_eq(s.line[i].level, i == 2);
	}
	ck_assert_str_eq(s.line[1].file, "common");
	ck_assert_str_eq(s.missing, "none");
	ck_assert(!s.cut);
	ck_assert(stack_read(folder, "loop", STACK_ACCOUNT, &s, &e) && s.cut && s.n == STACK_DEPTH_MAX);
	ck_assert(!stack_read(folder, "nobody", STACK_ACCOUNT, &s, &e) && e.code == ERR_MISSING);
	for (size_t i = 0; i < COUNT(made); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, made[i].name);
		ck_assert_int_eq(unlink(path), 0);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, walks, 0, COUNT(files));
	tcase_add_test(tc, long_lines);
	tcase_add_test(tc, every_prefix);
	tcase_add_test(tc, reads_folders);
}

int
main(void)
{
	return unit_run("stack", add);
}
