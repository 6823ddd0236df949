#include <string.h>
#include "lines.h"

struct lines
lines_open(const char *text, size_t len, bool joins)
{
	return (struct lines){ .r = rd_open(text, len), .joins = joins };
}

/* One line of the file, without its newline. */
static size_t
physical(struct lines *l, const uint8_t **start)
{
	const uint8_t *newline = memchr(l->r.pos, '\n', l->r.left);
	size_t n = newline ? (size_t)(newline - l->r.pos) : l->r.left;

	*start = rd_bytes(&l->r, n, "line");
	if (newline)
		rd_u8(&l->r, "newline");
	l->at++;
	return *start ? n : 0;
}

bool
lines_next(struct lines *l, char out[static LINE_TEXT], unsigned *number, bool *cut)
{
	size_t used = 0;
	bool more = true;

	if (!rd_more(&l->r))
		return false;
	*number = l->at + 1;
	*cut = false;
	while (more && rd_more(&l->r)) {
		const uint8_t *p;
		size_t n = physical(l, &p);

		more = l->joins && n && p[n - 1] == '\\';
		n -= more;
		if (n >= LINE_TEXT - used || (n && memchr(p, '\0', n))) {
			*cut = true;
			continue;
		}
		if (n)
			memcpy(out + used, p, n);
		used += n;
	}
	if (used && out[used - 1] == '\r')
		used--;
	out[*cut ? 0 : used] = '\0';
	return true;
}

unsigned
line_words(char *line, const char *more, char *word[static WORDS_MAX])
{
	unsigned n = 0;
	char *to;

	while (n < WORDS_MAX) {
		bool quoted = false;

		while (*line == ' ' || *line == '\t' || (*line && strchr(more, *line)))
			line++;
		if (!*line)
			break;
		word[n++] = to = line;
		for (; *line && (quoted || (*line != ' ' && *line != '\t' && !strchr(more, *line))); line++)
			if (*line == '"')
				quoted = !quoted;
			else
				*to++ = *line;
		if (*line)
			line++;
		*to = '\0';
	}
	return n;
}
