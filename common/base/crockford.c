#include <string.h>
#include "crockford.h"

const char crockford_alphabet[33] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

char
crockford_fold(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		return '0';
	if (c == 'I' || c == 'L')
		return '1';
	return c && strchr(crockford_alphabet, c) ? c : '\0';
}

void
crockford_text(const uint8_t *p, size_t n, char *out)
{
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 5; have -= 5)
			*out++ = crockford_alphabet[bits >> (have - 5) & 31];
		bits &= (1u << have) - 1;
	}
	if (have)
		*out++ = crockford_alphabet[bits << (5 - have) & 31];
	*out = '\0';
}

bool
crockford_bytes(const char *typed, uint8_t *out, size_t n)
{
	size_t chars = 0, bytes = 0;
	unsigned bits = 0, have = 0;

	for (; *typed; typed++) {
		char c = crockford_fold(*typed);

		if (*typed == '-' || *typed == ' ')
			continue;
		if (!c || ++chars > CROCKFORD_CHARS(n))
			return false;
		bits = bits << 5 | (unsigned)(strchr(crockford_alphabet, c) - crockford_alphabet);
		have += 5;
		if (have >= 8) {
			have -= 8;
			out[bytes++] = (uint8_t)(bits >> have);
		}
		bits &= (1u << have) - 1;
	}
	/* What is left over is padding, of one form. */
	return chars == CROCKFORD_CHARS(n) && bytes == n && !bits;
}
