#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "complete.h"
#include "scope.h"
#include "show.h"

enum { TOKENS_MAX = 48, TOKEN_TEXT = 48, WHAT_MAX = 32 };

/* One way to write a command: "capture HOST --name N [--report REF]", in words without their brackets. */
struct form { unsigned n; char token[TOKENS_MAX][TOKEN_TEXT]; };

/* Where names come from: a list of objects that the administration API answers with. command NULL: with any. */
static const struct source { const char *command, *what, *path, *list, *member; } sources[] = {
	{ NULL,          "HOST",  "hosts",       "hosts",    "name" },
	{ "references",  "H",     "hosts",       "hosts",    "name" },
	{ NULL,          "REF",   "hosts",       "hosts",    "ref" },
	{ "references",  "N",     "references",  "sets",     "name" },
	{ "references",  "A",     "references",  "sets",     "name" },
	{ "references",  "B",     "references",  "sets",     "name" },
	{ "allow-lists", "N",     "allow-lists", "lists",    "name" },
	{ "policies",    "N",     "policies",    "policies", "name" },
	{ "groups",      "N",     "policies",    "policies", "name" },
	{ NULL,          "G",     "groups",      "groups",   "name" },
	{ NULL,          "GROUP", "groups",      "groups",   "name" },
	{ "gateways",    "NAME",  "gateways",    "gateways", "name" },
};
static const char *const files[] = { "FILE", "F", "PEM" };

void
complete_word(const char *begun, const char *word, const char *help)
{
	if (!word[0] || strncmp(begun, word, strlen(begun)))
		return;
	printf(help[0] ? "%s\t%s\n" : "%s\n", word, help);
}

/* The next form of "list | show N | diff A B"; false behind the last. */
static bool
next_form(const char **args, struct form *f)
{
	const char *p = *args;

	f->n = 0;
	if (!*p)
		return false;
	while (*p) {
		size_t len;

		p += strspn(p, " [");
		if (*p == '|') {
			p++;
			break;
		}
		len = strcspn(p, " ");
		if (len && f->n < TOKENS_MAX) {
			/* "N[@DIGEST]" is N, "C,..." is C, "N]" is the end of what may be left out. */
			size_t n = 0;

			while (n < len && !strchr("[],", p[n]))
				n++;
			snprintf(f->token[f->n++], TOKEN_TEXT, "%.*s", (int)n, p);
		}
		p += len;
	}
	*args = p;
	return true;
}

static bool
is_option(const char *token)
{
	return token[0] == '-';
}

/* Small letters are the word itself; digits are an example of what somebody would type. */
static bool
is_literal(const char *token)
{
	return token[0] >= 'a' && token[0] <= 'z';
}

/* Is `word` one of "a|b|c"? */
static bool
among(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list; list += *list == '|') {
		size_t n = strcspn(list, "|");

		if (n == len && !strncmp(list, word, n))
			return true;
		list += n;
	}
	return false;
}

/* Does that option of the form take a value, and what? NULL: there is no such option; "": it is a switch. */
static const char *
value_of(const struct form *f, const char *option)
{
	for (unsigned i = 0; i < f->n; i++)
		if (is_option(f->token[i]) && among(f->token[i], option))
			return i + 1 < f->n && !is_option(f->token[i + 1]) && !is_literal(f->token[i + 1]) ? f->token[i + 1] : "";
	return NULL;
}

/* Word number n of the form that is no option and no option's value; NULL behind the last. */
static const char *
place(const struct form *f, unsigned n)
{
	for (unsigned i = 0; i < f->n; i++) {
		if (is_option(f->token[i])) {
			i += value_of(f, f->token[i]) && value_of(f, f->token[i])[0];
			continue;
		}
		if (!n--)
			return f->token[i];
	}
	return NULL;
}

static void
ask(const struct ctl *ctl, const struct source *s, const char *begun)
{
	own(json) struct json *j = NULL;
	char cell[CELL_TEXT];
	unsigned count;
	struct error e;

	if (api_call(ctl, (const char *const[]){ s->path, NULL }, NULL, &j) || !json_list(j, s->list, 100000, &count, &e))
		return;
	for (unsigned i = 0; i < count; i++)
		if (strcmp(show_member(json_item(j, s->list, i), s->member, cell), "-") != 0)
			complete_word(begun, cell, "");
}

/* All that may stand for a word: "HOST", "REF|HOST", "off|audit|enforce". */
static int
complete_what(const struct ctl *ctl, const char *command, const char *what, const char *begun)
{
	int code = COMPLETE_ALL;

	for (; *what; what += *what == '|') {
		size_t n = strcspn(what, "|");
		char one[TOKEN_TEXT];

		snprintf(one, sizeof(one), "%.*s", (int)n, what);
		what += n;
		if (is_literal(one) || is_option(one))
			complete_word(begun, one, "");
		for (size_t i = 0; i < COUNT(files); i++)
			if (!strcmp(files[i], one))
				code = COMPLETE_FILES;
		for (size_t i = 0; i < COUNT(sources); i++)
			if (!strcmp(sources[i].what, one) && (!sources[i].command || !strcmp(sources[i].command, command)))
				ask(ctl, &sources[i], begun);
	}
	return code;
}

/* What of this form may stand in the last place; *code as for all of them. */
static void
complete_form(const struct ctl *ctl, const char *command, const struct form *f, int argc, char **argv, int *code)
{
	const char *begun = argv[argc - 1], *what;
	unsigned words = 0;

	for (int i = 0; i < argc - 1; i++) {
		if (is_option(argv[i])) {
			what = value_of(f, argv[i]);
			if (!what)
				return;
			if (what[0] && ++i == argc - 1) {
				*code |= complete_what(ctl, command, what, begun);
				return;
			}
			continue;
		}
		what = place(f, words++);
		if (!what || (is_literal(what) && !among(what, argv[i])))
			return;
	}
	if (is_option(begun)) {
		for (unsigned i = 0; i < f->n; i++)
			if (is_option(f->token[i]))
				*code |= complete_what(ctl, command, f->token[i], begun);
		return;
	}
	what = place(f, words);
	if (what)
		*code |= complete_what(ctl, command, what, begun);
}

int
complete_command(const struct ctl *ctl, const char *command, const char *args, int argc, char **argv)
{
	int code = COMPLETE_ALL;
	struct form f;

	while (next_form(&args, &f))
		complete_form(ctl, command, &f, argc, argv, &code);
	if (is_option(argv[argc - 1])) {
		complete_word(argv[argc - 1], "--help", "");
		complete_word(argv[argc - 1], "--json", "");
	}
	return code;
}
