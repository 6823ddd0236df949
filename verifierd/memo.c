#include "memo.h"
#include "scope.h"

/* The logs of a fleet, not of 64 hosts: one of 75 KB takes about 20. A digest has WAYS places, of which the oldest goes. */
enum { SETS = 256, WAYS = 8, PLACES = SETS * WAYS, BYTES_MAX = 16 << 20 };

struct memo {
	uint64_t tick;
	size_t   bytes;
	struct place { uint64_t used; uint8_t log[SHA256_SIZE]; size_t log_len; uint8_t *p; size_t len; } place[PLACES];
};

struct memo *
memo_new(void)
{
	return calloc(1, sizeof(struct memo));
}

void
memo_free(struct memo *m)
{
	for (unsigned i = 0; m && i < PLACES; i++)
		free(m->place[i].p);
	free(m);
}

static struct place *
places_of(struct memo *m, const uint8_t log[static SHA256_SIZE])
{
	return &m->place[log[0] % SETS * WAYS];
}

static struct place *
find(struct memo *m, const uint8_t log[static SHA256_SIZE])
{
	struct place *of = places_of(m, log);

	for (unsigned i = 0; i < WAYS; i++)
		if (of[i].p && !memcmp(of[i].log, log, SHA256_SIZE))
			return &of[i];
	return NULL;
}

const uint8_t *
memo_get(struct memo *m, const uint8_t log[static SHA256_SIZE], size_t *len, size_t *log_len)
{
	struct place *at = m ? find(m, log) : NULL;

	if (!at)
		return NULL;
	at->used = ++m->tick;
	*len = at->len;
	*log_len = at->log_len;
	return at->p;
}

/* Of n places, the one that is empty or was used longest ago. */
static struct place *
oldest(struct place *of, unsigned n)
{
	struct place *at = of;

	for (unsigned i = 1; i < n; i++)
		if (of[i].used < at->used)
			at = &of[i];
	return at;
}

/* The same of all places, but only of those that hold something. */
static struct place *
oldest_held(struct memo *m)
{
	struct place *at = NULL;

	for (unsigned i = 0; i < PLACES; i++)
		if (m->place[i].p && (!at || m->place[i].used < at->used))
			at = &m->place[i];
	return at;
}

static void
drop(struct memo *m, struct place *at)
{
	m->bytes -= at->len;
	free(at->p);
	*at = (struct place){ .used = 0 };
}

void
memo_put(struct memo *m, const uint8_t log[static SHA256_SIZE], size_t log_len, const void *p, size_t len)
{
	struct place *at;
	uint8_t *copy;

	if (!m || len > BYTES_MAX / 4)
		return;
	copy = malloc(len ? len : 1);
	if (!copy)
		return;
	memcpy(copy, p, len);
	at = find(m, log);
	if (!at)
		at = oldest(places_of(m, log), WAYS);
	drop(m, at);
	while (m->bytes + len > BYTES_MAX)
		drop(m, oldest_held(m));
	*at = (struct place){ .used = ++m->tick, .log_len = log_len, .p = copy, .len = len };
	memcpy(at->log, log, SHA256_SIZE);
	m->bytes += len;
}

void
memo_drop(struct memo *m, const uint8_t log[static SHA256_SIZE])
{
	struct place *at = m ? find(m, log) : NULL;

	if (at)
		drop(m, at);
}
