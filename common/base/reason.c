#include <string.h>
#include "reason.h"
#include "scope.h"

static const struct {
	const char *code, *text, *next;
	enum state  state;
} reasons[] = {
#define X(name, code, state, text, next) [REASON_##name] = { code, text, next, STATE_##state },
	REASONS(X)
#undef X
};

#define X(name, code, state, text, next) \
	_Static_assert(sizeof(code) <= REASON_CODE_MAX, "reason code too long: " code);
REASONS(X)
#undef X

static const char *const states[] = {
#define X(name, word) [STATE_##name] = word,
	STATES(X)
#undef X
};

static enum reason
known(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? r : REASON_INTERNAL_ERROR;
}

const char *reason_code(enum reason r) { return reasons[known(r)].code; }
enum state  reason_state(enum reason r) { return reasons[known(r)].state; }
const char *reason_text(enum reason r) { return reasons[known(r)].text; }
const char *reason_next(enum reason r) { return reasons[known(r)].next; }

void
reason_advice(enum reason r, const char *ref, const char *host, char out[static REASON_ADVICE_TEXT])
{
	const struct { const char *word, *value; } places[] = { { "REF", ref }, { "HOST", host } };
	const char *text = reason_next(r);
	size_t used = 0;

	while (*text && used < REASON_ADVICE_TEXT - 1) {
		const char *put = NULL;

		for (unsigned i = 0; i < COUNT(places) && !put; i++)
			if (!strncmp(text, places[i].word, strlen(places[i].word)) && places[i].value[0]) {
				put = places[i].value;
				text += strlen(places[i].word);
			}
		if (!put) {
			out[used++] = *text++;
			continue;
		}
		while (*put && used < REASON_ADVICE_TEXT - 1)
			out[used++] = *put++;
	}
	out[used] = '\0';
}

bool
reason_find(const char *code, enum reason *r)
{
	for (unsigned i = 0; i < COUNT(reasons); i++)
		if (!strcmp(reasons[i].code, code)) {
			*r = (enum reason)i;
			return true;
		}
	return false;
}

bool
reason_outage(enum reason r)
{
	switch (r) {
	case REASON_VERIFIER_UNREACHABLE:
	case REASON_VERIFIER_ERROR:
	case REASON_ATTESTD_DOWN:
	case REASON_ATTESTD_TIMEOUT:
	case REASON_TPM_ABSENT:
	case REASON_TPM_BUSY:
	case REASON_TPM_LOCKOUT:
	case REASON_TPM_ERROR:
		return true;
	default:
		return false;
	}
}

const char *
state_word(enum state s)
{
	return (unsigned)s < STATE_COUNT ? states[s] : states[STATE_NONE];
}

bool
state_find(const char *word, enum state *s)
{
	for (unsigned i = 0; i < COUNT(states); i++)
		if (!strcmp(states[i], word)) {
			*s = (enum state)i;
			return true;
		}
	return false;
}
