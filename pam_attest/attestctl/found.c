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
		used += (size_t)snprintf(out + used, FINDING_TEXT - used, "%s", values[w]);
		fix += strlen(words[w]);
	}
	out[used < FINDING_TEXT ? used : FINDING_TEXT - 1] = '\0';
}

void
finding_add(struct findings *all, enum finding_code code, const char *service, const char *file, const char *text)
{
	enum severity s = finding_severity(code);
	struct finding *f;

	/* [default] is read once for each service: say it once. */
	for (unsigned i = 0; i < all->n; i++)
		if (all->item[i].code == code && !strcmp(all->item[i].text, text))
			return;
	all->errors += s == SEVERITY_ERROR;
	all->warnings += s == SEVERITY_WARNING;
	all->unknown += s == SEVERITY_UNKNOWN;
	if (all->n == FINDINGS_MAX)
		return;
	f = &all->item[all->n++];
	f->code = code;
	snprintf(f->text, sizeof(f->text), "%s", text);
	fill(rows[(unsigned)code < FOUND_COUNT ? code : FOUND_UNLOOKED].fix, service, file, f->fix);
}
