/*
 * worker.h - the loop of parse and judge: one message in, one out, until the channel ends.
 *
 * Pure: no files, no sockets beyond the channel, no clock.
 */
#ifndef WORKER_H
#define WORKER_H
#include "ipc.h"

/*
 * Answers one message: writes the answer into a buffer of its own, to be freed. False (e set) when
 * the message itself breaks the rules, which ends the worker. An answer of MSG_COUNT is none.
 */
typedef bool worker_fn(void *state, struct frame *, enum message *answer, uint8_t **out, size_t *len, struct error *);

/* The exit status of the role. */
int worker_loop(enum role, worker_fn *, void *state);

/* An answer of ok=0 and a sentence. */
bool worker_refusal(const struct error *why, uint8_t **out, size_t *len, struct error *) MUST_CHECK;
#endif
