#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "clock.h"
#include "file.h"
#include "hex.h"
#include "local.h"
#include "scope.h"

bool
local_whole(const char *buf, size_t len, size_t *used, struct error *e)
{
	const char *end = len ? memmem(buf, len, "\n\n", 2) : NULL;

	*used = 0;
	if (end && (size_t)(end - buf) + 2 <= LOCAL_MAX) {
		*used = (size_t)(end - buf) + 2;
		return true;
	}
	if (end || len >= LOCAL_MAX)
		return err_set(e, ERR_LIMIT, "message of more than %d bytes", LOCAL_MAX);
	return true;
}

/* "%41" -> 'A'; everything that had to be encoded and was not is refused: one form for each value. */
static bool
decode(const char *text, size_t len, char out[static LOCAL_VALUE_MAX], struct error *e)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++, n++) {
		unsigned char c = (unsigned char)text[i];

		if (n == LOCAL_VALUE_MAX - 1)
			return err_set(e, ERR_LIMIT, "value of more than %d bytes", LOCAL_VALUE_MAX - 1);
		if (c == '%') {
			char pair[3] = { 0 };

			if (len - i < 3)
				return err_set(e, ERR_FORMAT, "'%%' without two digits");
			memcpy(pair, text + i + 1, 2);
			if (!hex_bytes(pair, &c, 1) || !c)
				return err_set(e, ERR_FORMAT, "'%%' without two digits, or a NUL");
			i += 2;
		} else if (c < ' ' || c > '~') {
			return err_set(e, ERR_FORMAT, "byte 0x%02x is not encoded", c);
		}
		out[n] = (char)c;
	}
	out[n] = '\0';
	return true;
}

static bool
key_ok(const char *key, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(key[i] >= 'a' && key[i] <= 'z') && !(key[i] >= '0' && key[i] <= '9') && key[i] != '_')
			return false;
	return len && len < 32;
}

static bool
walk_line(const char *line, size_t len, bool first, local_fn *fn, void *arg, struct error *e)
{
	const char *equals = memchr(line, '=', len);
	char key[32], value[LOCAL_VALUE_MAX];
	size_t klen = equals ? (size_t)(equals - line) : 0;

	if (!equals || !key_ok(line, klen))
		return err_set(e, ERR_FORMAT, "not key=value");
	memcpy(key, line, klen);
	key[klen] = '\0';
	if (!decode(equals + 1, len - klen - 1, value, e))
		return err_in(e, "%s", key);
	if (first)
		return (!strcmp(key, "version") && !strcmp(value, "1")) ||
		    err_set(e, ERR_FORMAT, "not version=%d", LOCAL_VERSION);
	return fn(arg, key, value, e);
}

bool
local_walk(const char *buf, size_t len, local_fn *fn, void *arg, struct error *e)
{
	size_t used;

	if (!local_whole(buf, len, &used, e))
		return false;
	if (!used || used != len)
		return err_set(e, ERR_FORMAT, "not one whole message");
	for (unsigned n = 1; len > 1; n++) {
		const char *newline = memchr(buf, '\n', len);
		size_t line = (size_t)(newline - buf);

		if (!walk_line(buf, line, n == 1, fn, arg, e))
			return err_in(e, "line %u", n);
		buf += line + 1;
		len -= line + 1;
	}
	return true;
}

void
local_open(struct local_out *o)
{
	o->used = 0;
	o->full = false;
	local_put_number(o, "version", LOCAL_VERSION);
}

static void
put(struct local_out *o, const char *p, size_t n)
{
	if (o->full || n > sizeof(o->buf) - o->used) {
		o->full = true;
		return;
	}
	memcpy(o->buf + o->used, p, n);
	o->used += n;
}

void
local_put(struct local_out *o, const char *key, const char *value)
{
	put(o, key, strlen(key));
	put(o, "=", 1);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		char code[4] = "%";

		if (*p >= ' ' && *p <= '~' && *p != '%') {
			put(o, (const char *)p, 1);
			continue;
		}
		hex_text(p, 1, code + 1);
		put(o, code, 3);
	}
	put(o, "\n", 1);
}

void
local_put_number(struct local_out *o, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	local_put(o, key, text);
}

bool
local_end(struct local_out *o, struct error *e)
{
	put(o, "\n", 1);
	return !o->full || err_set(e, ERR_LIMIT, "message of more than %d bytes", LOCAL_MAX);
}

/* Waits until fd is ready for events or the deadline has passed. */
static bool
ready(int fd, short events, int64_t deadline, struct error *e)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n, left;

	do {
		left = clock_left(deadline);
		n = poll(&p, 1, left);
	} while (n < 0 && errno == EINTR && left);
	if (n < 0)
		return err_errno(e, "poll");
	return n > 0 || err_set(e, ERR_TIMEOUT, "attestd did not answer in time");
}

static bool
peer_trusted(int fd, uid_t owner, struct error *e)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return err_errno(e, "SO_PEERCRED");
	return owner_trusted(peer.uid, owner) ||
	    err_set(e, ERR_UNTRUSTED, "uid %u answers in attestd's place", (unsigned)peer.uid);
}

/* A full backlog gives EAGAIN at once on a unix socket: try again until the deadline. */
static bool
dial(int fd, const char *path, int64_t deadline, struct error *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(to.sun_path))
		return err_set(e, ERR_LIMIT, "%s: too long for a socket", path);
	strcpy(to.sun_path, path);
	for (;;) {
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			return true;
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_set(e, ERR_MISSING, "nobody listens on %s", path);
		if (errno != EAGAIN && errno != EINTR)
			return err_errno(e, "connect to %s", path);
		if (!clock_left(deadline))
			return err_set(e, ERR_TIMEOUT, "attestd is too busy to be asked");
		poll(NULL, 0, 5);
	}
}

static bool
send_all(int fd, const char *p, size_t n, int64_t deadline, struct error *e)
{
	while (n) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (done > 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN) {
			if (!ready(fd, POLLOUT, deadline, e))
				return false;
		} else if (errno != EINTR) {
			return err_errno(e, "send to attestd");
		}
	}
	return true;
}

static bool
receive(int fd, struct local_answer *a, int64_t deadline, struct error *e)
{
	a->head = a->len = 0;
	while (!a->head) {
		ssize_t n;

		if (!ready(fd, POLLIN, deadline, e))
			return false;
		n = recv(fd, a->buf + a->len, sizeof(a->buf) - a->len, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN) && clock_left(deadline))
			continue;
		if (n < 0)
			return err_errno(e, "receive from attestd");
		if (!n)
			return err_set(e, ERR_FORMAT, "attestd hung up in the middle of its answer");
		a->len += (size_t)n;
		if (!local_whole(a->buf, a->len, &a->head, e))
			return false;
		/* Who sends a byte at a time does not get more time for it. */
		if (!a->head && !clock_left(deadline))
			return err_set(e, ERR_TIMEOUT, "attestd did not finish its answer in time");
	}
	return true;
}

bool
local_exchange(const char *path, uid_t owner, const struct local_out *ask, int64_t deadline,
    struct local_answer *answer, int *want_fd, struct error *e)
{
	own(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_errno(e, "socket");
	if (!dial(fd, path, deadline, e) || !peer_trusted(fd, owner, e) ||
	    !send_all(fd, ask->buf, ask->used, deadline, e) || !receive(fd, answer, deadline, e))
		return false;
	if (want_fd)
		*want_fd = give_fd(&fd);
	return true;
}
