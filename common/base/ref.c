#include <string.h>
#include "crockford.h"
#include "ref.h"

enum { REF_CHARS = 8, REF_DASH = 4 };

static void
write_ref(const char chars[static REF_CHARS], bool local, char out[static REF_TEXT])
{
	if (local) {
		*out++ = 'L';
		*out++ = '-';
	}
	memcpy(out, chars, REF_DASH);
	out[REF_DASH] = '-';
	memcpy(out + REF_DASH + 1, chars + REF_DASH, REF_CHARS - REF_DASH);
	out[REF_CHARS + 1] = '\0';
}

void
ref_make(uint64_t random, bool local, char out[static REF_TEXT])
{
	char chars[REF_CHARS];

	for (unsigned i = 0; i < REF_CHARS; i++, random >>= 5)
		chars[i] = crockford_alphabet[random & 31];
	write_ref(chars, local, out);
}

bool
ref_read(const char *typed, char out[static REF_TEXT])
{
	bool local = (typed[0] == 'L' || typed[0] == 'l') && typed[1] == '-';
	char chars[REF_CHARS];
	const char *begin = local ? typed + 2 : typed;
	unsigned n = 0;

	for (const char *p = begin; *p; p++) {
		if (p == begin + REF_DASH && *p == '-')
			continue;
		if (n == REF_CHARS || !(chars[n] = crockford_fold(*p)))
			return false;
		n++;
	}
	if (n != REF_CHARS)
		return false;
	write_ref(chars, local, out);
	return true;
}

void
code_make(const uint8_t random[static CODE_CHARS], char out[static CODE_TEXT])
{
	for (unsigned i = 0; i < CODE_CHARS; i++)
		out[i] = crockford_alphabet[random[i] & 31];
	out[CODE_CHARS] = '\0';
}

bool
code_read(const char *typed, char out[static CODE_TEXT])
{
	unsigned n = 0;

	for (const char *p = typed; *p; p++) {
		if (*p == '-' || *p == ' ')
			continue;
		if (n == CODE_CHARS || !(out[n] = crockford_fold(*p)))
			return false;
		n++;
	}
	out[n] = '\0';
	return n == CODE_CHARS;
}
