#include <sys/socket.h>
#include "scope.h"
#include "serve.h"

static const struct { const char *word; bool root_only; } verbs[] = {
#define ANY  false
#define ROOT true
#define X(name, verb, who, help) [VERB_##name] = { verb, who },
	LOCAL_VERBS(X)
#undef X
#undef ANY
#undef ROOT
};

void
clients_open(struct clients *all)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		all->list[i] = (struct client){ .fd = -1 };
}

void
client_drop(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->in)
		explicit_bzero(c->in, sizeof(*c->in));
	free(c->in);
	c->in = NULL;
	c->fd = -1;
	c->waiting = false;
}

void
clients_close(struct clients *all)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		client_drop(&all->list[i]);
}

/* A free slot that this uid may have, or NULL. Our own uid counts as root: attestd's administrator runs it. */
static struct client *
slot_for(struct clients *all, uid_t uid)
{
	unsigned taken = 0, same = 0;
	struct client *free_slot = NULL;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &all->list[i];

		if (c->fd < 0) {
			free_slot = free_slot ? free_slot : c;
			continue;
		}
		taken++;
		same += c->uid == uid;
	}
	if (uid != 0 && (same >= CLIENTS_PER_UID || taken >= CLIENTS_MAX - CLIENTS_KEPT_FOR_ROOT))
		return NULL;
	return free_slot;
}

bool
clients_room(const struct clients *all)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (all->list[i].fd < 0)
			return true;
	return false;
}

void
clients_accept(struct clients *all, int listener)
{
	for (unsigned i = 0; i < CLIENTS_MAX && clients_room(all); i++) {
		own(fd) int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		own(mem) struct inbox *in = NULL;
		struct ucred peer;
		socklen_t len = sizeof(peer);
		struct client *c;

		if (fd < 0)
			return;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || !(c = slot_for(all, peer.uid)) ||
		    !(in = calloc(1, sizeof(*in))))
			continue;
		*c = (struct client){ .fd = give_fd(&fd), .uid = peer.uid, .deadline = clock_mono() + CLIENT_READ_MS,
			.in = give(in) };
	}
}

unsigned
clients_poll(const struct clients *all, struct pollfd *pfd, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CLIENTS_MAX && n < max; i++)
		if (all->list[i].fd >= 0)
			pfd[n++] = (struct pollfd){ .fd = all->list[i].fd, .events = all->list[i].waiting ? 0 : POLLIN };
	return n;
}

struct client *
clients_of(struct clients *all, int fd)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (all->list[i].fd == fd)
			return &all->list[i];
	return NULL;
}

int
clients_expire(struct clients *all, void (*late)(struct client *, void *), void *arg)
{
	int next = -1;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &all->list[i];
		int left = c->fd < 0 ? -1 : clock_left(c->deadline);

		if (c->fd < 0)
			continue;
		if (!left && c->waiting)
			late(c, arg);
		if (!left)
			client_drop(c);
		else if (next < 0 || left < next)
			next = left;
	}
	return next;
}

static bool
text(char *out, size_t size, const char *key, const char *value, struct error *e)
{
	if (strlen(value) >= size)
		return err_set(e, ERR_LIMIT, "%s: longer than %zu bytes", key, size - 1);
	strcpy(out, value);
	return true;
}

enum { MAX_AGE_S = 7 * 86400 };            /* longer than any verdict lives */

static bool
field(void *arg, const char *key, const char *value, struct error *e)
{
	struct client *c = arg;
	struct enrol_ask *a = &c->in->ask;
	struct relying_ask *q = &c->in->about;

	if (!strcmp(key, "verb")) {
		for (unsigned i = 0; i < COUNT(verbs); i++)
			if (!strcmp(verbs[i].word, value)) {
				c->verb = (enum local_verb)i;
				return true;
			}
		return err_set(e, ERR_FORMAT, "verb: no such verb");
	}
	if (!strcmp(key, "wait_ms")) {
		long ms = strtol(value, NULL, 10);

		c->deadline = clock_mono() + (ms < 0 ? 0 : ms < CLIENT_MS ? ms : CLIENT_MS);
		return true;
	}
	if (!strcmp(key, "max_age")) {
		long seconds = strtol(value, NULL, 10);

		c->max_age = seconds <= 0 ? 0 : seconds < MAX_AGE_S ? seconds * 1000 : MAX_AGE_S * 1000;
		return true;
	}
	if (!strcmp(key, "since")) {
		long long ms = strtoll(value, NULL, 10);

		c->since = ms > 0 ? ms : 0;
		return true;
	}
	if (!strcmp(key, "peer"))
		return text(q->peer, sizeof(q->peer), key, value, e);
	if (!strcmp(key, "audience"))
		return text(q->audience, sizeof(q->audience), key, value, e);
	if (!strcmp(key, "code"))
		return code_read(value, q->code) || err_set(e, ERR_FORMAT, "code: not one");
	if (!strcmp(key, "user") && strlen(value) < sizeof(q->user))
		strcpy(q->user, value);         /* of ask it is for logs, and may be any */
	if (!strcmp(key, "ref"))
		return !value[0] || ref_read(value, c->ref) || err_set(e, ERR_FORMAT, "ref: not a reference");
	if (!strcmp(key, "recovery"))
		return text(c->in->recovery, sizeof(c->in->recovery), key, value, e);
	if (!strcmp(key, "url"))
		return text(a->url, sizeof(a->url), key, value, e);
	if (!strcmp(key, "ca"))
		return text(a->ca_file, sizeof(a->ca_file), key, value, e);
	if (!strcmp(key, "ca_sha256"))
		return text(a->ca_sha256, sizeof(a->ca_sha256), key, value, e);
	if (!strcmp(key, "token"))
		return text(a->token, sizeof(a->token), key, value, e);
	if (!strcmp(key, "name"))
		return text(a->name, sizeof(a->name), key, value, e);
	if (!strcmp(key, "owner_auth"))
		return text(a->owner_auth, sizeof(a->owner_auth), key, value, e);
	return true;                    /* service, user and the like: for logs of newer versions */
}

bool
client_read(struct client *c)
{
	struct error e = { .code = ERR_NONE };
	struct inbox *in = c->in;
	size_t used = 0;
	ssize_t n = recv(c->fd, in->buf + in->len, sizeof(in->buf) - in->len, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		client_drop(c);
		return false;
	}
	in->len += (size_t)n;
	if (!local_whole(in->buf, in->len, &used, &e)) {
		client_refuse(c, e.why);
		return false;
	}
	if (!used)
		return false;
	c->verb = VERB_COUNT;
	c->deadline = clock_mono() + CLIENT_MS;
	if (used != in->len || !local_walk(in->buf, used, field, c, &e) || c->verb == VERB_COUNT) {
		client_refuse(c, e.code ? e.why : "not one request with a verb");
		return false;
	}
	if (verbs[c->verb].root_only && c->uid != 0 && c->uid != geteuid()) {
		client_refuse(c, "permission denied");
		return false;
	}
	return true;
}

/* One send: an answer fits into the socket's buffer, or its reader does not deserve to be waited for. */
static void
send_and_drop(struct client *c, struct local_out *o, const char *json, size_t len)
{
	struct error e = { .code = ERR_NONE };

	if (local_end(o, &e) && send(c->fd, o->buf, o->used, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)o->used && len)
		(void)!send(c->fd, json, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	client_drop(c);
}

void
client_answer(struct client *c, enum reason why, const char *ref, const char *json, size_t json_len)
{
	struct local_out o;

	local_open(&o);
	local_put(&o, "ok", "yes");
	local_put(&o, "state", state_word(reason_state(why)));
	local_put(&o, "reason", reason_code(why));
	local_put(&o, "ref", ref);
	if (json)
		local_put_number(&o, "length", (int64_t)json_len);
	send_and_drop(c, &o, json, json ? json_len : 0);
}

void
client_answer_with(struct client *c, enum reason why, const char *ref, const char *key, const char *value)
{
	struct local_out o;

	local_open(&o);
	local_put(&o, "ok", "yes");
	local_put(&o, "state", state_word(reason_state(why)));
	local_put(&o, "reason", reason_code(why));
	local_put(&o, "ref", ref);
	local_put(&o, key, value);
	send_and_drop(c, &o, NULL, 0);
	explicit_bzero(&o, sizeof(o));
}

void
client_refuse(struct client *c, const char *why)
{
	struct local_out o;

	local_open(&o);
	local_put(&o, "ok", "no");
	local_put(&o, "error", why);
	send_and_drop(c, &o, NULL, 0);
}
