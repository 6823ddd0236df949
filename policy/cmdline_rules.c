#include <string.h>
#include "cmdline_rules.h"
#include "scope.h"

static unsigned
hex_value(const char *p, unsigned digits)
{
	unsigned v = 0;

	for (unsigned i = 0; i < digits && p[i]; i++)
		v = v << 4 | (unsigned)(p[i] >= '0' && p[i] <= '9' ? p[i] - '0' : p[i] >= 'a' && p[i] <= 'f' ? p[i] - 'a' + 10 : 0);
	return v;
}

static const char *
skip(const char *p, unsigned n)
{
	while (n && *p)
		p++, n--;
	return p;
}

/* One character as it was before it was escaped; steps over it. What is not ASCII is '?'. */
static char
character(const char **at)
{
	const char *p = *at;
	unsigned v = (unsigned char)*p++;

	if (v == '\\' && *p) {
		unsigned digits = *p == 'x' ? 2 : *p == 'u' ? 4 : 0;

		v = *p == 'n' || *p == 't' ? ' ' : digits ? hex_value(p + 1, digits) : (unsigned char)*p;
		p = skip(p, 1 + digits);
	}
	*at = p;
	return v <= ' ' || v == 0xa0 ? ' ' : v < 0x7f ? (char)v : '?';
}

bool
cmdline_word(const char **at, char out[static CMDLINE_WORD_TEXT])
{
	bool any = false;
	size_t n = 0;

	while (**at) {
		char c = character(at);

		if (c == ' ') {
			if (any)
				break;
			continue;
		}
		any = true;
		if (!strchr("\"'\\", c) && n < CMDLINE_WORD_TEXT - 1)
			out[n++] = c;
	}
	out[n] = '\0';
	return any;
}

static char
fold(char c, bool key)
{
	return key && c == '-' ? '_' : c;
}

/* With one place to go back to: the last '*'. */
static bool
glob(const char *pattern, const char *word)
{
	const char *star = NULL, *from = NULL;
	bool pkey = true, wkey = true, star_pkey = true, from_wkey = true;

	while (*word) {
		if (*pattern == '*') {
			star = ++pattern;
			from = word;
			star_pkey = pkey;
			from_wkey = wkey;
		} else if (*pattern && fold(*pattern, pkey) == fold(*word, wkey)) {
			pkey = pkey && *pattern != '=';
			wkey = wkey && *word != '=';
			pattern++;
			word++;
		} else if (star) {
			from_wkey = from_wkey && *from != '=';
			pattern = star;
			word = ++from;
			pkey = star_pkey;
			wkey = from_wkey;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

bool
pattern_allows(const char *pattern, const char *word)
{
	return glob(pattern, word);
}

static bool
means_no(const char *value)
{
	static const char *const words[] = { "0", "no", "off", "false", "n", "f" };

	for (unsigned i = 0; i < COUNT(words); i++)
		if (!strcasecmp(value, words[i]))
			return true;
	return false;
}

bool
pattern_forbids(const char *pattern, const char *word)
{
	char key[CMDLINE_WORD_TEXT];
	const char *equals = strchr(word, '=');
	size_t n = strlen(pattern);

	if (glob(pattern, word))
		return true;
	if (!equals)
		return false;
	memcpy(key, word, (size_t)(equals - word) + 1);
	key[equals - word + 1] = '\0';
	if (pattern[n - 1] == '=')
		return glob(pattern, key);
	key[equals - word] = '\0';
	return !strchr(pattern, '=') && !means_no(equals + 1) && glob(pattern, key);
}

const char *
patterns_allow(const struct patterns *all, const char *word)
{
	for (unsigned i = 0; i < all->count; i++)
		if (pattern_allows(all->text[i], word))
			return all->text[i];
	return NULL;
}

const char *
patterns_forbid(const struct patterns *all, const char *word)
{
	for (unsigned i = 0; i < all->count; i++)
		if ((all->text[i][0] == '*' || all->text[i][0] == word[0] || all->text[i][0] == '-' || all->text[i][0] == '_') &&
		    pattern_forbids(all->text[i], word))
			return all->text[i];
	return NULL;
}

enum { FILTER_CHARS = 3, FILTER_BITS = 13 };

static unsigned
filter_hash(const char *p)
{
	unsigned h = 0;

	for (unsigned i = 0; i < FILTER_CHARS; i++)
		h = h * 31 + (unsigned char)fold(p[i], true);
	return h & ((1u << FILTER_BITS) - 1);
}

void
forbid_filter_make(const struct patterns *all, struct forbid_filter *f)
{
	memset(f, 0, sizeof(*f));
	for (unsigned i = 0; i < all->count; i++)
		forbid_filter_add(f, all->text[i]);
}

void
forbid_filter_add(struct forbid_filter *f, const char *p)
{
	unsigned h;

	if (strcspn(p, "*=") < FILTER_CHARS) {
		f->always = true;
		return;
	}
	h = filter_hash(p);
	f->bits[h / 8] |= (uint8_t)(1u << h % 8);
}

/* What is quoted or escaped may begin a word, or stand in the first of its characters. */
bool
forbid_filter_passes(const struct forbid_filter *f, const char *text)
{
	size_t n = 0;

	if (f->always)
		return true;
	for (; *text; text++) {
		unsigned h;

		if (*text == ' ') {
			n = 0;
			continue;
		}
		if (*text == '\\' || *text == '"' || *text == '\'') {
			if (text[0] != '\\' || (text[1] != 'n' && text[1] != 't'))
				return true;
			text++;
			n = 0;
			continue;
		}
		if (++n != FILTER_CHARS)
			continue;
		h = filter_hash(text - (FILTER_CHARS - 1));
		if (f->bits[h / 8] & 1u << h % 8)
			return true;
	}
	return false;
}
