/* Allow lists of others: a Keylime runtime policy, and what sha256sum and its like print. */
#include <stdlib.h>
#include <string.h>
#include "allow_list.h"
#include "hex.h"
#include "json.h"
#include "scope.h"

enum { NAME_MAX_TEXT = 4096, DIGESTS_TEXT = 16 << 10, DIGESTS_MAX = 100, EXCLUDES_MAX = 256, REGEX_TEXT = 1024 };

/* Which algorithm has a digest of so many hex digits? */
static bool
alg_of_hex(size_t digits, enum ima_alg *out)
{
	static const enum ima_alg usual[] = { IMA_ALG_SHA256, IMA_ALG_SHA1, IMA_ALG_SHA384, IMA_ALG_SHA512, IMA_ALG_SHA224, IMA_ALG_MD5 };

	for (unsigned i = 0; i < COUNT(usual); i++)
		if (2 * ima_alg_size(usual[i]) == digits) {
			*out = usual[i];
			return true;
		}
	return false;
}

/* A path that means itself, as a pattern. */
static bool
add_plain(struct allow_build *b, const char *hex, size_t digits, const char *path, size_t len, struct error *e)
{
	char pattern[2 * PATTERN_MAX], text[2 * DIGEST_MAX + 1];
	uint8_t digest[DIGEST_MAX];
	enum ima_alg alg;
	size_t n = 0;

	if (!alg_of_hex(digits, &alg))
		return err_set(e, ERR_FORMAT, "digest: %zu digits, as no algorithm has", digits);
	memcpy(text, hex, digits);
	text[digits] = '\0';
	if (!hex_bytes(text, digest, digits / 2))
		return err_set(e, ERR_FORMAT, "digest: not hex");
	if (!len || len > PATTERN_MAX)
		return err_set(e, ERR_LIMIT, "path: not 1 to %d bytes", PATTERN_MAX);
	for (size_t i = 0; i < len; i++) {
		if (strchr("?*\\", path[i]))
			pattern[n++] = '\\';
		pattern[n++] = path[i];
	}
	return allow_build_add(b, false, alg, digest, pattern, n, e);
}

/* --- sha256sum --- */

/* A line that begins with a backslash has \\ and \n in its path. */
static bool
unescape(const char *path, size_t len, char out[static NAME_MAX_TEXT], size_t *outlen, struct error *e)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < NAME_MAX_TEXT; i++) {
		bool backslash = path[i] == '\\';

		if (backslash && ++i == len)
			return err_set(e, ERR_FORMAT, "path: nothing follows its last backslash");
		out[n++] = backslash && path[i] == 'n' ? '\n' : path[i];
	}
	*outlen = n;
	return true;
}

static bool
sum_line(struct allow_build *b, const char *line, size_t len, struct error *e)
{
	char path[NAME_MAX_TEXT];
	bool escaped = len && *line == '\\';
	size_t digits = 0, n;

	line += escaped;
	len -= escaped;
	while (digits < len && line[digits] != ' ')
		digits++;
	if (len < digits + 3 || (line[digits + 1] != ' ' && line[digits + 1] != '*'))
		return err_set(e, ERR_FORMAT, "not a digest, two spaces and a path");
	line += digits + 2;
	n = len - digits - 2;
	if (*line != '/')
		return err_set(e, ERR_FORMAT, "path: not absolute");
	if (!escaped)
		return add_plain(b, line - digits - 2, digits, line, n, e);
	return n < sizeof(path) ? unescape(line, n, path, &n, e) && add_plain(b, line - digits - 2, digits, path, n, e) :
	    err_set(e, ERR_LIMIT, "path: over %d bytes", PATTERN_MAX);
}

static bool
sums_read(struct allow_build *b, const char *text, size_t len, struct error *e)
{
	const char *end = text + len;

	for (unsigned line = 1; text < end; line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		if (!sum_line(b, text, (size_t)(stop - text), e))
			return err_in(e, "line %u", line);
		text = stop + 1;
	}
	return true;
}

/* --- Keylime --- */

static bool
is_text(const char *value, size_t len, const char *text)
{
	return strlen(text) == len && !memcmp(value, text, len);
}

/* ["12ab…", …] of one path */
static bool
keylime_path(struct allow_build *b, const char *path, const char *value, size_t len, struct error *e)
{
	own(json) struct json *j = NULL;
	char text[DIGESTS_TEXT], hex[2 * DIGEST_MAX + 2];
	unsigned count;

	if (!strcmp(path, "boot_aggregate"))    /* that is held against the boot log */
		return true;
	if (len + 16 > sizeof(text))
		return err_set(e, ERR_LIMIT, "%.100s: too many digests", path);
	snprintf(text, sizeof(text), "{\"digests\":%.*s}", (int)len, value);
	if (!json_parse(text, strlen(text), &j, e) || !json_list(j, "digests", DIGESTS_MAX, &count, e))
		return err_in(e, "%.100s", path);
	for (unsigned i = 0; i < count; i++)
		if (!json_item_text(json_item(j, "digests", i), hex, sizeof(hex), e) || !add_plain(b, hex, strlen(hex), path, strlen(path), e))
			return err_in(e, "%.100s[%u]", path, i);
	return true;
}

static bool
keylime_digests(struct allow_build *b, const char *value, size_t len, struct error *e)
{
	struct json_walk w = json_walk_open(value, len);
	char path[NAME_MAX_TEXT];
	bool more = true;

	while (more) {
		const char *digests;
		size_t n;

		if (!json_walk_next(&w, path, sizeof(path), &digests, &n, &more, e) || (more && !keylime_path(b, path, digests, n, e)))
			return err_in(e, "digests");
	}
	return true;
}

/* A part of a regular expression that a pattern can say: where it ends, and what the pattern says. NULL: none. */
static const char *
regex_part(const char *re, const char **pattern)
{
	static const struct { const char *re, *pattern; } parts[] = {
		{ "(/.*)?", "**" }, { "(.*)", "**" }, { ".*", "**" }, { "[^/]*", "*" }, { "[^/]+", "?*" }, { ".+", "?**" },
	};

	for (unsigned i = 0; i < COUNT(parts); i++)
		if (!strncmp(re, parts[i].re, strlen(parts[i].re))) {
			*pattern = parts[i].pattern;
			return re + strlen(parts[i].re);
		}
	return NULL;
}

/*
 * Keylime matches a regular expression from the start of a path, and lets it end where it likes. What a pattern cannot
 * say is refused; where it says less, less is excluded.
 */
static bool
regex_pattern(const char *re, char out[static 2 * REGEX_TEXT], struct error *e)
{
	const char *pattern, *rest;
	size_t n = 0;
	bool ends = false;

	re += *re == '^';
	while (*re && !ends) {
		rest = regex_part(re, &pattern);
		if (rest) {
			n += (size_t)snprintf(out + n, 2 * REGEX_TEXT - n, "%s", pattern);
			re = rest;
		} else if (!strcmp(re, "$")) {
			ends = true;
		} else if (*re == '\\' && re[1] && strchr(".-_/+()[]{}^$|", re[1])) {
			out[n++] = re[1];
			re += 2;
		} else if (strchr("\\()[]{}^$|*+?", *re) || (*re == '.' && re[1] && strchr("?{", re[1]))) {
			return err_set(e, ERR_FORMAT, "'%.60s' is no pattern: say it by hand", re);
		} else {
			out[n++] = *re == '.' ? '?' : *re;
			re++;
		}
	}
	snprintf(out + n, 2 * REGEX_TEXT - n, "%s", ends || (n >= 2 && !memcmp(out + n - 2, "**", 2)) ? "" : "**");
	return pattern_check(out, strlen(out), e);
}

/* Patterns, a newline behind each. */
static bool
keylime_excludes(const char *value, size_t len, char **out, struct error *e)
{
	own(json) struct json *j = NULL;
	own(mem) char *wrapped = malloc(len + 32), *all = malloc(EXCLUDES_MAX * (PATTERN_MAX + 1) + 1);
	char re[REGEX_TEXT], pattern[2 * REGEX_TEXT];
	size_t used = 0;
	unsigned count;

	if (!wrapped || !all)
		return err_set(e, ERR_MEMORY, "excludes");
	snprintf(wrapped, len + 32, "{\"excludes\":%.*s}", (int)len, value);
	if (!json_parse(wrapped, strlen(wrapped), &j, e) || !json_list(j, "excludes", EXCLUDES_MAX, &count, e))
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!json_item_text(json_item(j, "excludes", i), re, sizeof(re), e) || !regex_pattern(re, pattern, e))
			return err_in(e, "excludes[%u]", i);
		if (strcmp(pattern, "boot_aggregate**") != 0)
			used += (size_t)sprintf(all + used, "%s\n", pattern);
	}
	all[used] = '\0';
	free(*out);
	*out = give(all);
	return true;
}

/* Members that say nothing of files, and those that must say nothing at all. */
static bool
keylime_other(const char *name, const char *value, size_t len, struct error *e)
{
	static const char *const ignored[] = { "meta", "release", "ima" };
	static const char *const empty[] = { "keyrings", "ima-buf", "verification-keys" };

	for (unsigned i = 0; i < COUNT(ignored); i++)
		if (!strcmp(name, ignored[i]))
			return true;
	for (unsigned i = 0; i < COUNT(empty); i++)
		if (!strcmp(name, empty[i]))
			return is_text(value, len, "{}") || is_text(value, len, "[]") || is_text(value, len, "\"\"") || is_text(value, len, "\"[]\"") ||
			    is_text(value, len, "null") || err_set(e, ERR_FORMAT, "%s: not empty; say it in the policy's member ima", name);
	return err_set(e, ERR_FORMAT, "%.40s: no such member", name);
}

static bool
keylime_read(struct allow_build *b, const char *text, size_t len, char **excludes, struct error *e)
{
	struct json_walk w = json_walk_open(text, len);
	char name[64];
	bool more = true, digests = false;

	while (more) {
		const char *value;
		size_t n;

		if (!json_walk_next(&w, name, sizeof(name), &value, &n, &more, e))
			return false;
		if (!more)
			break;
		digests = digests || !strcmp(name, "digests");
		if (!strcmp(name, "digests") ? !keylime_digests(b, value, n, e) :
		    !strcmp(name, "excludes") ? !keylime_excludes(value, n, excludes, e) : !keylime_other(name, value, n, e))
			return false;
	}
	return digests || err_set(e, ERR_FORMAT, "digests: missing");
}

bool
allow_list_import(const char *text, size_t len, struct allow_list *out, char **excludes, struct error *e)
{
	own(allow_build) struct allow_build b = { .count = 0 };
	own(mem) char *copy = NULL, *patterns = NULL;
	size_t space = 0;
	bool read;

	if (len > ALLOW_TEXT_MAX || !len)
		return err_set(e, ERR_LIMIT, "an allow list of %zu bytes: not 1 to %d", len, ALLOW_TEXT_MAX);
	if (memchr(text, '\0', len))
		return err_set(e, ERR_FORMAT, "a NUL byte");
	copy = strndup(text, len);
	patterns = strdup("");
	if (!copy || !patterns)
		return err_set(e, ERR_MEMORY, "allow list");
	space = strspn(copy, " \t\r\n");
	if (!strncmp(copy, "attest-allow-list ", 18))
		read = allow_list_read(copy, len, out, e);
	else
		read = (copy[space] == '{' ? keylime_read(&b, copy, len, &patterns, e) : sums_read(&b, copy, len, e)) && allow_build_end(&b, out, e);
	if (!read)
		return false;
	*excludes = give(patterns);
	return true;
}
