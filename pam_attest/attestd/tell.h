/* tell.h - one batch of the outbox to the verifier, under a quote of purpose events. The worker's. */
#ifndef TELL_H
#define TELL_H
#include "agent.h"

void tell_verifier(struct agent *, const char *text, size_t len, struct outcome *);
#endif
