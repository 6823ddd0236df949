/* gathered.h - the reference sets that a judgement of one host looks at, on their way to the judge. */
#ifndef GATHERED_H
#define GATHERED_H
#include "core.h"

struct gathered {
	struct set_row set[SETS_MAX];       /* owned */
	unsigned       count;
	size_t         bytes;               /* that sets_put() writes at most */
	uint8_t        digest[SHA256_SIZE]; /* of what decides: active and revoked sets */
};
/* The caller sets count to 0 before, as drop_gathered() wants it, and frees *g whatever the answer: 50 KiB are not cleared. */
bool sets_gather(struct core *, const struct host_row *, struct gathered *g, struct error *) MUST_CHECK;
void sets_put(struct writer *, const struct gathered *, const struct host_row *);
void gathered_free(struct gathered *);
static inline void drop_gathered(struct gathered *g) { gathered_free(g); }
#endif
