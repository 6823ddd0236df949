/*
 * recover.h - recovery codes that somebody types: each once, in rising sequence. attestctl recover(8).
 *
 * Whoever has a shell may try; so wrong ones cost everybody but root a pause that doubles, and that outlives a restart.
 */
#ifndef RECOVER_H
#define RECOVER_H
#include "state.h"

enum { GUESSES_FREE = 3, GUESS_FIRST_MS = 1000, GUESS_LAST_MS = 60 * 1000 };

struct guesses {
	bool    counted;                   /* those of before the start are in it */
	int64_t not_before;                /* ms of CLOCK_MONOTONIC */
};

/*
 * ERR_FORMAT: no code at all; ERR_TIMEOUT: too many wrong ones of late; ERR_REFUSED: wrong, or used; ERR_MISSING: this host
 * has no key for them. When it is true the sequence is on disk, and this code is used.
 */
bool recover_take(const char *dir, struct guesses *, bool root, const char *typed, int64_t now_mono, struct recovery *,
    struct error *) MUST_CHECK;

/* The verifier's word that codes up to this one are none any more. */
bool recover_void(const char *dir, uint32_t sequence, struct error *) MUST_CHECK;
#endif
