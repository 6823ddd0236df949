/* gate_ask.h - one question of a source to attestd. attest-local(7). */
#ifndef GATE_ASK_H
#define GATE_ASK_H
#include "local.h"
#include "sources.h"

struct reply {
	bool        ok, has_state, has_reason;
	enum state  state;
	enum reason reason;
	char        ref[REF_TEXT], error[160];
	char        peer[GATE_NAME_MAX];      /* the machine that it is about, "" for this host */
};

/* Opens the question: verb, how long we wait, and whose access it is. */
void gate_ask_open(const struct facts *, const char *verb, struct local_out *);

/*
 * Sends it and waits until f->deadline. What attestd says must fit together, or it said nothing: a permit only with
 * ok=yes and a state that is its reason's. On failure the reason why, and f->detail.
 */
enum reason gate_ask(struct facts *, struct local_out *, struct reply *);
#endif
