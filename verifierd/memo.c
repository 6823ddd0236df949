#include "memo.h"
#include "scope.h"

enum { PLACES = 64, BYTES_MAX = 64 << 20 };

struct memo {
	uint64_t tick;
	size_t   bytes;
	struct { uint64_t used; uint8_t log[SHA256_SIZE]; size_t log_len; uint8_t *p; size_t len; } place[PLACES];
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

const uint8_t *
memo_get(struct memo *m, const uint8_t log[static SHA256_SIZE], size_t *len, size_t *log_len)
{
	for (unsigned i = 0; m && i < PLACES; i++)
		if (m->place[i].p && !memcmp(m->place[i].log, log, SHA256_SIZE)) {
			m->place[i].used = ++m->tick;
			*len = m->place[i].len;
			*log_len = m->place[i].log_len;
			return m->place[i].p;
		}
	return NULL;
}

static unsigned
oldest(const struct memo *m)
{
	unsigned at = 0;

	for (unsigned i = 1; i < PLACES; i++)
		if (m->place[i].used < m->place[at].used)
			at = i;
	return at;
}

static void
drop(struct memo *m, unsigned at)
{
	m->bytes -= m->place[at].len;
	free(m->place[at].p);
	m->place[at].p = NULL;
	m->place[at].len = 0;
	m->place[at].used = 0;
}

/* Empties the place that was used longest ago, until another len bytes fit; the place. */
static unsigned
make_room(struct memo *m, size_t len)
{
	unsigned at;

	do {
		at = oldest(m);
		drop(m, at);
		m->place[at].used = m->bytes + len > BYTES_MAX ? ++m->tick : 0;
	} while (m->bytes + len > BYTES_MAX);
	return at;
}

void
memo_put(struct memo *m, const uint8_t log[static SHA256_SIZE], size_t log_len, const void *p, size_t len)
{
	uint8_t *copy;
	unsigned at;

	if (!m || len > BYTES_MAX / 4)
		return;
	copy = malloc(len ? len : 1);
	if (!copy)
		return;
	memcpy(copy, p, len);
	for (unsigned i = 0; i < PLACES; i++)
		if (m->place[i].p && !memcmp(m->place[i].log, log, SHA256_SIZE))
			drop(m, i);
	at = make_room(m, len);
	memcpy(m->place[at].log, log, SHA256_SIZE);
	m->place[at].log_len = log_len;
	m->place[at].p = copy;
	m->place[at].len = len;
	m->place[at].used = ++m->tick;
	m->bytes += len;
}
