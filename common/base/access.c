#include <string.h>
#include "access.h"

static const char *const words[] = {
#define X(name, word) [ACCESS_##name] = word,
	ACCESSES(X)
#undef X
};

const char *
access_word(enum access a)
{
	return (unsigned)a < ACCESS_COUNT ? words[a] : words[ACCESS_REFUSED];
}

bool
access_find(const char *word, enum access *out)
{
	for (unsigned i = 0; i < ACCESS_COUNT; i++)
		if (!strcmp(words[i], word)) {
			*out = (enum access)i;
			return true;
		}
	return false;
}
