/* Path patterns of allow lists and excludes: ?, * and **, and a backslash before what is meant as it stands. */
#include <string.h>
#include "allow_list.h"

struct spot { const char *pattern, *path; };

/* One character of the pattern that is no star; *p moves behind it. */
static bool
same_one(const char **p, char c)
{
	const char *at = *p;

	if (*at == '?') {
		*p = at + 1;
		return c != '/';
	}
	if (*at == '\\')
		at++;
	if (!*at || *at != c)
		return false;
	*p = at + 1;
	return true;
}

/* A longer stretch for the last star, or else for the last double one. */
static bool
stretch(struct spot *star, struct spot *deep, const char *end, struct spot *now)
{
	if (star->pattern && star->path < end && *star->path != '/') {
		star->path++;
		*now = *star;
		return true;
	}
	if (!deep->pattern || deep->path >= end)
		return false;
	*star = (struct spot){ NULL, NULL };
	deep->path++;
	*now = *deep;
	return true;
}

bool
pattern_matches(const char *pattern, const char *path, size_t len)
{
	uint64_t steps = 0;

	return pattern_matches_in(pattern, path, len, &steps);
}

bool
pattern_matches_in(const char *pattern, const char *path, size_t len, uint64_t *steps)
{
	struct spot star = { NULL, NULL }, deep = { NULL, NULL }, now = { pattern, path };
	const char *end = path + len;

	for (unsigned i = 0; i < PATTERN_STEPS_MAX; i++, ++*steps) {
		if (!strncmp(now.pattern, "**", 2)) {
			now.pattern += 2;
			star = (struct spot){ NULL, NULL };
			deep = now;
		} else if (*now.pattern == '*') {
			now.pattern++;
			star = now;
		} else if (now.path == end && !*now.pattern) {
			return true;
		} else if (now.path < end && same_one(&now.pattern, *now.path)) {
			now.path++;
		} else if (!stretch(&star, &deep, end, &now)) {
			return false;
		}
	}
	return false;
}

bool
pattern_check(const char *pattern, size_t len, struct error *e)
{
	if (!len || len > PATTERN_MAX)
		return err_set(e, ERR_LIMIT, "path: not 1 to %d bytes", PATTERN_MAX);
	for (size_t i = 0; i < len; i++) {
		if (pattern[i] == '\\' && ++i == len)
			return err_set(e, ERR_FORMAT, "path: nothing follows its last backslash");
		if ((unsigned char)pattern[i] < 0x20 || pattern[i] == 0x7f)
			return err_set(e, ERR_FORMAT, "path: a control character");
	}
	return true;
}
