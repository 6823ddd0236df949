#include <stdio.h>
#include <string.h>
#include "sudoers.h"

static const struct { const char *name; enum sudoers_what what; } settings[] = {
	{ "pam_acct_mgmt", SUDOERS_NO_ACCOUNT }, { "pam_service", SUDOERS_SERVICE }, { "pam_login_service", SUDOERS_LOGIN_SERVICE },
};

/* sudo's own names, under which the gate's line stands. */
static bool
usual(enum sudoers_what what, const char *value)
{
	return !strcmp(value, what == SUDOERS_SERVICE ? "sudo" : "sudo-i");
}

static void
forget(struct sudoers *s, enum sudoers_what what, const char *scope)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->hit[i].what == what && !strcmp(s->hit[i].scope, scope)) {
			memmove(&s->hit[i], &s->hit[i + 1], (s->n - i - 1) * sizeof(s->hit[0]));
			s->n--;
			i--;
		}
}

static void
remember(struct sudoers *s, enum sudoers_what what, const char *scope, const char *value, const char *file, unsigned line)
{
	struct sudoers_hit *h;

	if (s->n == SUDOERS_HITS) {
		s->cut = true;
		return;
	}
	h = &s->hit[s->n++];
	*h = (struct sudoers_hit){ .what = what, .line = line };
	snprintf(h->file, sizeof(h->file), "%s", file);
	snprintf(h->scope, sizeof(h->scope), "%s", scope);
	snprintf(h->value, sizeof(h->value), "%s", value);
}

/* "!pam_acct_mgmt", "pam_service = x" */
static void
setting(struct sudoers *s, char *text, const char *scope, const char *file, unsigned line)
{
	char *word[WORDS_MAX];
	bool negated = false;
	unsigned n;

	for (text += strspn(text, " \t"); *text == '!'; text += strspn(text, " \t")) {
		negated = !negated;
		text++;
	}
	n = line_words(text, "=", word);
	for (size_t i = 0; n && i < sizeof(settings) / sizeof(settings[0]); i++) {
		enum sudoers_what what = settings[i].what;

		if (strcmp(settings[i].name, word[0]) != 0)
			continue;
		forget(s, what, scope);
		if (what == SUDOERS_NO_ACCOUNT ? negated : n > 1 && !usual(what, word[1]))
			remember(s, what, scope, n > 1 ? word[1] : "", file, line);
	}
}

/* Behind "Defaults": a scope, then settings with commas between; a comma inside quotes is none. */
static void
defaults(struct sudoers *s, char *at, const char *file, unsigned line)
{
	char scope[SUDOERS_WORD] = "";

	if (*at && strchr("@:!>", *at)) {
		char *who = at + 1 + strspn(at + 1, " \t");       /* "Defaults: alice" is as good as "Defaults:alice" */
		size_t n = 0;

		do {
			n += strspn(who + n, " \t");
			n += strcspn(who + n, " \t");
		} while (n && who[n - 1] == ',' && who[n]);
		snprintf(scope, sizeof(scope), "%c%.*s", *at, (int)(n < SUDOERS_WORD - 2 ? n : SUDOERS_WORD - 2), who);
		at = who + n;
	}
	while (*at) {
		char *start = at;
		bool quoted = false, end;

		for (; *at && (quoted || *at != ','); at++)
			if (*at == '"')
				quoted = !quoted;
		end = !*at;
		*at = '\0';
		setting(s, start, scope, file, line);
		at += !end;
	}
}

/* "@include x", "#includedir x": the path, or NULL. */
static char *
included(char *line, bool *folder)
{
	char *word[WORDS_MAX];
	unsigned n;

	if ((*line != '@' && *line != '#') || strncmp(line + 1, "include", 7))
		return NULL;
	*folder = !strncmp(line + 8, "dir", 3);
	if (!strchr(" \t", line[*folder ? 11 : 8]))
		return NULL;
	n = line_words(line, "", word);
	return n > 1 ? word[1] : NULL;
}

/* A comment begins at '#', unless a uid does. */
static void
cut_comment(char *line)
{
	for (char *p = line; (p = strchr(p, '#')); p++)
		if (p == line || p[-1] == ' ' || p[-1] == '\t' || p[1] < '0' || p[1] > '9') {
			*p = '\0';
			return;
		}
}

void
sudoers_take(struct sudoers *s, const char *file, const char *text, size_t len, sudoers_include_fn *include, void *arg)
{
	struct lines l = lines_open(text, len, true);
	char line[LINE_TEXT];
	unsigned number;
	bool cut, folder;

	while (lines_next(&l, line, &number, &cut)) {
		char *start = line + strspn(line, " \t"), *path = included(start, &folder);

		s->cut |= cut;
		if (path) {
			if (include)
				include(arg, path, folder);
			continue;
		}
		cut_comment(start);
		if (!strncmp(start, "Defaults", 8) && (!start[8] || strchr(" \t@:!>", start[8])))
			defaults(s, start + 8, file, number);
	}
}
