#include <string.h>
#include "found.h"
#include "scope.h"

static const struct { const char *code; enum severity severity; const char *text, *fix; } rows[] = {
#define X(name, code, severity, text, fix) [FOUND_##name] = { code, SEVERITY_##severity, text, fix },
	FINDINGS(X)
#undef X
};
static const char *const severities[] = {
#define X(name, word) [SEVERITY_##name] = word,
	SEVERITIES(X)
#undef X
};

const char *
severity_word(enum severity s)
{
	return (unsigned)s < SEVERITY_COUNT ? severities[s] : severities[SEVERITY_ERROR];
}

const char *
finding_word(enum finding_code c)
{
	return (unsigned)c < FOUND_COUNT ? rows[c].code : "";
}

enum severity
finding_severity(enum finding_code c)
{
	return (unsigned)c < FOUND_COUNT ? rows[c].severity : SEVERITY_ERROR;
}

const char *
finding_meaning(enum finding_code c)
{
	return (unsigned)c < FOUND_COUNT ? rows[c].text : "";
}

/* Names of files are anybody's: none of them moves a cursor. */
static void
make_plain(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* As one word of a shell, for who copies the command. Cut off, it is none. */
static void
put_word(const char *value, char *out, size_t size)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
	bool quoted = value[strspn(value, plain)] != '\0';
	size_t used = 0;

	for (const char *p = value; *p && used < size; p++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", p == value && quoted ? "'" : "",
		    *p == '\'' ? "'\\''" : (char[]){ *p, '\0' });
	if (quoted && used < size)
		used += (size_t)snprintf(out + used, size - used, "'");
	if (used >= size)
		out[0] = '\0';
}

/* The command, with these two words put in. */
static void
fill(const char *fix, const char *service, const char *file, char out[static FINDING_TEXT])
{
	static const char *const words[] = { "SERVICE", "FILE" };
	const char *const values[] = { service, file };
	size_t used = 0;

	while (*fix && used < FINDING_TEXT - 1) {
		size_t w = 0;

		while (w < COUNT(words) && (!values[w][0] || strncmp(fix, words[w], strlen(words[w]))))
			w++;
		if (w == COUNT(words)) {
			out[used++] = *fix++;
			continue;
		}
		put_word(values[w], out + used, FINDING_TEXT - used);
		used += strlen(out + used);
		fix += strlen(words[w]);
	}
	out[used] = '\0';
	make_plain(out);
}

void
finding_add(struct findings *all, enum finding_code code, const char *service, const char *file, const char *text)
{
	enum severity s = finding_severity(code);
	char plain[FINDING_TEXT];
	struct finding *f;

	snprintf(plain, sizeof(plain), "%s", text);
	make_plain(plain);
	/* [default] is read once for each service: say it once. */
	for (unsigned i = 0; i < all->n; i++)
		if (all->item[i].code == code && !strcmp(all->item[i].text, plain))
			return;
	all->errors += s == SEVERITY_ERROR;
	all->warnings += s == SEVERITY_WARNING;
	all->unknown += s == SEVERITY_UNKNOWN;
	if (all->n == FINDINGS_MAX)
		return;
	f = &all->item[all->n++];
	f->code = code;
	strcpy(f->text, plain);
	fill(rows[(unsigned)code < FOUND_COUNT ? code : FOUND_UNLOOKED].fix, service, file, f->fix);
}
