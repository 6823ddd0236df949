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
