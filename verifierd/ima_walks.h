/*
 * ima_walks.h - IMA lists on their way: a long one comes in several parts under one challenge, and its appraisal
 * goes on from the state that the part before left. That state is kept here by challenge, in memory alone: until the
 * quoted PCRs are met nothing of it is believed, and who finds it gone sends the list again.
 */
#ifndef IMA_WALKS_H
#define IMA_WALKS_H
#include "challenge.h"

enum { IMA_WALKS_MAX = 256, IMA_WALK_STATE_MAX = 16 << 10 };

struct ima_walks;
struct ima_walks *ima_walks_new(void);              /* NULL: out of memory; every verb takes that */
void ima_walks_free(struct ima_walks *);
/* Borrowed until the next put or drop; NULL when it is not there, or its challenge has expired. */
const uint8_t *ima_walks_get(const struct ima_walks *, const uint8_t id[static CHALLENGE_ID_SIZE], int64_t now, size_t *len);
/* In the place of what is kept for that challenge, else of one that has expired, else of the one that expires first. */
void ima_walks_put(struct ima_walks *, const uint8_t id[static CHALLENGE_ID_SIZE], int64_t now, int64_t expires,
    const void *state, size_t len);
void ima_walks_drop(struct ima_walks *, const uint8_t id[static CHALLENGE_ID_SIZE]);
#endif
