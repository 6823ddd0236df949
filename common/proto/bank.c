/* The table of PCR banks; no libcrypto, so that the TPM child can have it without. */
#include <string.h>
#include "digest.h"
#include "scope.h"

static const struct {
	uint16_t    alg;
	uint8_t     size;
	const char *word;
} banks[] = {
#define X(name, id, size, word, ossl) [BANK_##name] = { id, size, word },
	BANKS(X)
#undef X
};

bool
bank_of_alg(uint16_t alg, enum bank *b)
{
	for (unsigned i = 0; i < COUNT(banks); i++)
		if (banks[i].alg == alg) {
			*b = (enum bank)i;
			return true;
		}
	return false;
}

bool
bank_of_word(const char *word, enum bank *b)
{
	for (unsigned i = 0; i < COUNT(banks); i++)
		if (!strcmp(banks[i].word, word)) {
			*b = (enum bank)i;
			return true;
		}
	return false;
}

uint16_t    bank_alg(enum bank b) { return banks[b].alg; }
size_t      bank_size(enum bank b) { return banks[b].size; }
const char *bank_word(enum bank b) { return banks[b].word; }
