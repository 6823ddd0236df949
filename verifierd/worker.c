#include <poll.h>
#include "log.h"
#include "roles.h"
#include "scope.h"
#include "worker.h"

/* core takes what comes at once; a queue that stays full means that it is gone or stuck. */
static bool
send_all(enum role role, enum message type, uint64_t job, const uint8_t *p, size_t len, struct error *e)
{
	struct pollfd ready = { .fd = FD_CHANNEL, .events = POLLOUT };

	while (!ipc_send(FD_CHANNEL, role, type, job, p, len, -1, e))
		if (e->code != ERR_LIMIT || (poll(&ready, 1, -1) < 0 && errno != EINTR))
			return false;
	return true;
}

static bool
one(enum role role, worker_fn *fn, void *state, bool *got, struct error *e)
{
	own(frame) struct frame f = { .peer_fd = -1 };
	own(mem) uint8_t *out = NULL;
	enum message answer;
	size_t len = 0;

	*got = false;
	if (!ipc_receive(FD_CHANNEL, role, &f, got, e) || !*got)
		return !*got && e->code == ERR_NONE;
	return fn(state, &f, &answer, &out, &len, e) &&
	    (answer == MSG_COUNT || send_all(role, answer, f.job, out, len, e));
}

int
worker_loop(enum role role, worker_fn *fn, void *state)
{
	struct pollfd ready = { .fd = FD_CHANNEL, .events = POLLIN };
	struct error e = { .code = ERR_NONE };
	bool got = false;

	while ((poll(&ready, 1, -1) > 0 || errno == EINTR) && one(role, fn, state, &got, &e))
		;
	if (e.code == ERR_MISSING || e.code == ERR_NONE)
		return 0;
	log_say(LOG_ERR, "%s", e.why);
	return 1;
}

bool
worker_refusal(const struct error *why, uint8_t **out, size_t *len, struct error *e)
{
	size_t n = strlen(why->why);
	uint8_t *p = malloc(1 + n);

	if (!p)
		return err_set(e, ERR_MEMORY, "answer");
	p[0] = 0;
	memcpy(p + 1, why->why, n);
	*out = p;
	*len = 1 + n;
	return true;
}
