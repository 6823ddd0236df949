#include <stdint.h>
#include <string.h>
#include "conf.h"

static char *
trim(char *s)
{
	char *end;

	s += strspn(s, " \t\r");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r", end[-1]))
		end--;
	*end = '\0';
	return s;
}

static void
cut_comment(char *line)
{
	for (char *p = line; *p; p++)
		if ((*p == ';' || *p == '#') && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			return;
		}
}

/* One line without its newline; section holds the header in force. */
static bool
walk_line(char *line, char section[static CONF_LINE_MAX], unsigned number, conf_fn *fn, void *arg, struct error *e)
{
	char *equals, *key;
	size_t len;

	cut_comment(line);
	line = trim(line);
	len = strlen(line);
	if (!len)
		return true;
	if (line[0] == '[') {
		if (line[len - 1] != ']')
			return err_set(e, ERR_CONFIG, "section header without ']'");
		line[len - 1] = '\0';
		strcpy(section, trim(line + 1));
		if (!section[0])
			return err_set(e, ERR_CONFIG, "empty section name");
		return fn(arg, section, NULL, NULL, number, e);
	}
	equals = strchr(line, '=');
	if (!equals)
		return err_set(e, ERR_CONFIG, "neither [section] nor key = value");
	*equals = '\0';
	key = trim(line);
	if (!key[0])
		return err_set(e, ERR_CONFIG, "value without a key");
	return fn(arg, section, key, trim(equals + 1), number, e);
}

bool
conf_walk(const char *name, const char *text, size_t len, conf_fn *fn, void *arg, struct error *e)
{
	return conf_walk_from(name, 1, text, len, fn, arg, e);
}

bool
conf_walk_from(const char *name, unsigned number, const char *text, size_t len, conf_fn *fn, void *arg,
    struct error *e)
{
	char line[CONF_LINE_MAX], section[CONF_LINE_MAX] = "";

	for (; len; number++) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline - text) : len;

		if (n >= sizeof(line) || memchr(text, '\0', n)) {
			err_set(e, ERR_CONFIG, n >= sizeof(line) ? "line too long" : "NUL byte");
			return err_in(e, "%s:%u", name, number);
		}
		memcpy(line, text, n);
		line[n] = '\0';
		if (!walk_line(line, section, number, fn, arg, e))
			return err_in(e, "%s:%u", name, number);
		n += newline != NULL;
		text += n;
		len -= n;
	}
	return true;
}

/* Decimal digits only; *end is what follows them. */
static bool
digits(const char *value, uint64_t *out, const char **end)
{
	uint64_t n = 0;
	const char *p = value;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (n > UINT32_MAX)
			return false;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	*out = n;
	*end = p;
	return p != value;
}

bool
conf_number(const char *value, unsigned lo, unsigned hi, unsigned *out, struct error *e)
{
	const char *end;
	uint64_t n;

	if (!digits(value, &n, &end) || *end || n < lo || n > hi)
		return err_set(e, ERR_CONFIG, "%.40s: not a number from %u to %u", value, lo, hi);
	*out = (unsigned)n;
	return true;
}

bool
conf_seconds(const char *value, unsigned lo, unsigned hi, unsigned *out, struct error *e)
{
	static const struct { const char *unit; unsigned seconds; } units[] = {
		{ "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 },
	};
	const char *end;
	uint64_t n;

	if (digits(value, &n, &end))
		for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (!strcmp(units[i].unit, end) && n * units[i].seconds >= lo && n * units[i].seconds <= hi) {
				*out = (unsigned)(n * units[i].seconds);
				return true;
			}
	return err_set(e, ERR_CONFIG, "%.40s: not a time from %us to %us (90s, 15m, 24h, 7d)", value, lo, hi);
}

bool
conf_yes_no(const char *value, bool *out, struct error *e)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return err_set(e, ERR_CONFIG, "%.40s: not yes or no", value);
	*out = value[0] == 'y';
	return true;
}

bool
conf_text(const char *value, char *out, size_t size, struct error *e)
{
	size_t len = strlen(value);

	if (len >= size)
		return err_set(e, ERR_CONFIG, "%.40s…: longer than %zu bytes", value, size - 1);
	memcpy(out, value, len + 1);
	return true;
}

bool
conf_path(const char *value, char *out, size_t size, struct error *e)
{
	if (value[0] != '/')
		return err_set(e, ERR_CONFIG, "%.80s: not an absolute path", value);
	return conf_text(value, out, size, e);
}
