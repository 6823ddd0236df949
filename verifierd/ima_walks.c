#include "ima_walks.h"
#include "scope.h"

struct ima_walks {
	struct walk { uint8_t id[CHALLENGE_ID_SIZE]; int64_t expires; uint8_t *state; size_t len; } walk[IMA_WALKS_MAX];
};

struct ima_walks *
ima_walks_new(void)
{
	return calloc(1, sizeof(struct ima_walks));
}

void
ima_walks_free(struct ima_walks *all)
{
	for (unsigned i = 0; all && i < IMA_WALKS_MAX; i++)
		free(all->walk[i].state);
	free(all);
}

static unsigned
find(const struct ima_walks *all, const uint8_t id[static CHALLENGE_ID_SIZE])
{
	unsigned i = 0;

	while (i < IMA_WALKS_MAX && !(all->walk[i].state && !memcmp(all->walk[i].id, id, CHALLENGE_ID_SIZE)))
		i++;
	return i;
}

static void
drop(struct walk *w)
{
	free(w->state);
	*w = (struct walk){ .state = NULL };
}

const uint8_t *
ima_walks_get(const struct ima_walks *all, const uint8_t id[static CHALLENGE_ID_SIZE], int64_t now, size_t *len)
{
	unsigned at = all ? find(all, id) : IMA_WALKS_MAX;

	if (at == IMA_WALKS_MAX || all->walk[at].expires <= now)
		return NULL;
	*len = all->walk[at].len;
	return all->walk[at].state;
}

void
ima_walks_put(struct ima_walks *all, const uint8_t id[static CHALLENGE_ID_SIZE], int64_t now, int64_t expires,
    const void *state, size_t len)
{
	uint8_t *copy = all && len && len <= IMA_WALK_STATE_MAX ? malloc(len) : NULL;
	unsigned at;

	if (!copy)
		return;
	memcpy(copy, state, len);
	for (unsigned i = 0; i < IMA_WALKS_MAX; i++)
		if (all->walk[i].state && all->walk[i].expires <= now)
			drop(&all->walk[i]);
	at = find(all, id);
	/* A free place expires first of all. */
	for (unsigned i = 0; at == IMA_WALKS_MAX && i < IMA_WALKS_MAX; i++)
		if (!all->walk[i].state)
			at = i;
	if (at == IMA_WALKS_MAX) {
		at = 0;
		for (unsigned i = 1; i < IMA_WALKS_MAX; i++)
			if (all->walk[i].expires < all->walk[at].expires)
				at = i;
	}
	drop(&all->walk[at]);
	all->walk[at] = (struct walk){ .expires = expires, .state = copy, .len = len };
	memcpy(all->walk[at].id, id, CHALLENGE_ID_SIZE);
}

void
ima_walks_drop(struct ima_walks *all, const uint8_t id[static CHALLENGE_ID_SIZE])
{
	unsigned at = all ? find(all, id) : IMA_WALKS_MAX;

	if (at < IMA_WALKS_MAX)
		drop(&all->walk[at]);
}
