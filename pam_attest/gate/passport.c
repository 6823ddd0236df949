/*
 * The source `passport`: the machine that connects shows a code that it got for this audience and user, by a quote made
 * for nothing else. The code is asked for in the conversation: OpenVPN's plugin answers with the static challenge's
 * response, ssh with its askpass program. Account asks for it itself, so that nothing has to be remembered from auth.
 */
#include <stdio.h>
#include <string.h>
#include "gate_ask.h"

enum { PROMPT_MAX = 32 + GATE_NAME_MAX + 64, TYPED_MAX = 64 };

/* A program that answers knows for whom by these words: they are fixed. */
static bool
ask_code(struct facts *f, char code[static CODE_TEXT], enum reason *why)
{
	const struct gate_request *q = f->request;
	char prompt[PROMPT_MAX], typed[TYPED_MAX];
	bool read;

	*why = REASON_PASSPORT_MISSING;
	if (q->phase != PHASE_ACCOUNT || !f->conf->audience[0] || !q->ask ||
	    snprintf(prompt, sizeof(prompt), "attest-passport %s for %s: ", f->conf->audience, q->user) >= PROMPT_MAX)
		return false;
	read = q->ask(q->ask_arg, prompt, typed, sizeof(typed)) && typed[0];
	/* A person may take a while: what is left to do has its whole time again. */
	f->now = clock_now();
	f->deadline = f->now.mono + f->conf->timeout;
	if (!read)
		return false;
	*why = REASON_PASSPORT_INVALID;
	read = code_read(typed, code);
	explicit_bzero(typed, sizeof(typed));
	return read;
}

void
ask_passport(struct facts *f, struct answer *a)
{
	char code[CODE_TEXT];
	struct local_out ask;
	struct reply r;
	enum reason why;

	if (!ask_code(f, code, &why)) {
		answer_say(a, why, "", -1);
		return;
	}
	gate_ask_open(f, "redeem", &ask);
	local_put(&ask, "code", code);
	local_put(&ask, "audience", f->conf->audience);
	why = gate_ask(f, &ask, &r);
	explicit_bzero(code, sizeof(code));
	explicit_bzero(&ask, sizeof(ask));
	answer_say(a, why, r.ref, -1);
	snprintf(a->peer, sizeof(a->peer), "%s", r.peer);
}
