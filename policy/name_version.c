#include <string.h>
#include "name_version.h"
#include "scope.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Digits, a dot and a digit, not in the middle of a word. */
static bool
begins_version(const char *s, const char *from)
{
	const char *p = s;

	if (!is_digit(*s) || (s > from && s[-1] != '-' && s[-1] != '_' && s[-1] != ' '))
		return false;
	while (is_digit(*p))
		p++;
	return p[0] == '.' && is_digit(p[1]);
}

static size_t
without_suffix(const char *s, size_t n)
{
	static const char *const suffixes[] = { ".efi", ".EFI", ".img", ".signed" };

	for (unsigned i = 0; i < COUNT(suffixes); i++) {
		size_t k = strlen(suffixes[i]);

		if (n > k && !memcmp(s + n - k, suffixes[i], k))
			return n - k;
	}
	return n;
}

bool
name_version(const char *path, char *out, size_t size)
{
	const char *end = path + strlen(path);

	*out = '\0';
	while (end > path) {
		const char *from = end;

		while (from > path && !is_slash(from[-1]))
			from--;
		for (const char *s = from; s < end; s++) {
			size_t n;

			if (!begins_version(s, from))
				continue;
			n = without_suffix(s, (size_t)(end - s));
			if (n >= size)
				return false;
			memcpy(out, s, n);
			out[n] = '\0';
			return true;
		}
		end = from > path ? from - 1 : path;
	}
	return false;
}
