/* What attestd reads of this machine's users. 'r': a request on gate.sock; 'd': what a gate has decided. */
#include <stdlib.h>
#include <sys/socket.h>
#include "decisions.h"
#include "scope.h"
#include "serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
request(const uint8_t *p, size_t n, uid_t uid)
{
	static struct clients all;
	struct client *c = &all.list[0];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	clients_open(&all);
	*c = (struct client){ .fd = pair[1], .uid = uid, .deadline = clock_mono() + CLIENT_READ_MS,
		.in = calloc(1, sizeof(*c->in)) };
	if (!c->in || (n && send(pair[0], p, n, MSG_NOSIGNAL) != (ssize_t)n))
		abort();
	close(pair[0]);
	while (c->fd >= 0)
		if (client_read(c)) {
			if ((unsigned)c->verb >= VERB_COUNT || c->deadline > clock_mono() + CLIENT_MS || c->max_age < 0 ||
			    ((c->verb == VERB_ATTEST || c->verb == VERB_ENROLL) && uid != 0 && uid != geteuid()))
				abort();
			break;
		}
	client_drop(c);
}

static void
decision(const uint8_t *p, size_t n)
{
	static struct decisions all;
	const struct decision *d;

	all = (struct decisions){ .next = 0 };
	decisions_take(&all, 0, 1764000000000, (const char *)p, n);
	if (all.seen > 1)
		abort();
	d = &all.list[0];
	if (all.seen && (d->time <= 0 || decisions_find(&all, d->ref) != d))
		abort();
	json_free(decision_json(d, true));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n > 1 && p[0] == 'r' && n < LOCAL_MAX * 2)
		request(p + 2, n - 2, p[1] & 1 ? 60001 : 0);
	else if (n && p[0] == 'd')
		decision(p + 1, n - 1);
	return 0;
}
