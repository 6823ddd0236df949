#include <string.h>
#include "prompt.h"
#include "result.h"

static bool
copy(char *out, size_t size, const char *p, size_t n)
{
	if (!n || n >= size)
		return false;
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}

bool
prompt_read(const char *text, struct prompt *out)
{
	static const char begin[] = ") attest-passport ", between[] = " for ";
	struct prompt p = { .host = "" };
	const char *close, *at, *audience, *user, *end;

	/* The first bracket is ssh's: what it shows of a server's words comes behind it. */
	if (text[0] != '(' || strlen(text) > PROMPT_MAX || !(close = strchr(text, ')')) || strncmp(close, begin, strlen(begin)))
		return false;
	at = memrchr(text, '@', (size_t)(close - text));
	audience = close + strlen(begin);
	user = strstr(audience, between);
	if (!at || !user || !copy(p.host, sizeof(p.host), at + 1, (size_t)(close - at - 1)) ||
	    !copy(p.audience, sizeof(p.audience), audience, (size_t)(user - audience)))
		return false;
	user += strlen(between);
	end = strchr(user, ':');
	if (!end || end[1 + strspn(end + 1, " ")] || !copy(p.user, sizeof(p.user), user, (size_t)(end - user)) ||
	    !audience_ok(p.audience) || !passport_user_ok(p.user))
		return false;
	/* A code for somebody else could be shown by the server elsewhere, where it is somebody else. */
	if (strlen(p.user) != (size_t)(at - text - 1) || memcmp(p.user, text + 1, strlen(p.user)))
		return false;
	*out = p;
	return true;
}

static bool
is_word(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && !memcmp(p, word, n);
}

/* One word of what is left of a line; 0 at its end. */
static size_t
next_word(const char **p, const char *end)
{
	size_t n = 0;

	while (*p < end && (**p == ' ' || **p == '\t' || **p == '\r'))
		(*p)++;
	while (*p + n < end && !strchr(" \t\r", (*p)[n]) && (*p)[n])
		n++;
	return n;
}

static bool
line_allows(const char *p, const char *end, const struct prompt *q)
{
	size_t n = next_word(&p, end);
	bool any = false;

	if (!n || !is_word(p, n, q->audience))
		return false;
	for (p += n; (n = next_word(&p, end)); p += n) {
		any = true;
		if (is_word(p, n, q->host))
			return true;
	}
	return !any && !strcmp(q->audience, q->host);
}

bool
prompt_allowed(const char *file, size_t len, const struct prompt *q)
{
	const char *end = file + len;

	while (file < end) {
		const char *newline = memchr(file, '\n', (size_t)(end - file)), *stop = newline ? newline : end;
		const char *comment = memchr(file, '#', (size_t)(stop - file));

		if (line_allows(file, comment ? comment : stop, q))
			return true;
		file = newline ? newline + 1 : end;
	}
	return false;
}
