#include "claims.h"
#include "scope.h"

enum { CLAIM_FOUND = CLAIM_COUNT };

static const struct { enum reason reason; int claim; int8_t value; } moves[] = {
#define X(name, claim, value) { REASON_##name, CLAIM_##claim, value },
	CLAIM_MOVES(X)
#undef X
};

bool
claim_move(const struct finding *f, enum trust_claim *claim, int8_t *value)
{
	for (unsigned i = 0; i < COUNT(moves); i++)
		if (moves[i].reason == f->code) {
			*claim = moves[i].claim == CLAIM_FOUND ? f->claim : (enum trust_claim)moves[i].claim;
			*value = moves[i].claim == CLAIM_FOUND && f->claim == CLAIM_HARDWARE ? TRUST_UNRECOGNISED : moves[i].value;
			return true;
		}
	return false;
}

void
claims_derive(struct verdict *v)
{
	for (unsigned i = 0; i < v->findings.count; i++) {
		enum trust_claim claim;
		int8_t value;

		if (v->findings.list[i].severity == SEVERITY_INFO || !claim_move(&v->findings.list[i], &claim, &value))
			continue;
		/* What a verdict lets pass is said beside it, and moves nothing: its status may not be better than its vector. */
		if (v->state == STATE_AFFIRMING || (v->state == STATE_WARNING && value >= TRUST_BAD))
			continue;
		v->findings.list[i].claim = claim;
		if (value > v->claim[claim])
			v->claim[claim] = value;
	}
}
