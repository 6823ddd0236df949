#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "listen.h"
#include "scope.h"

static void
drop_addrinfo(struct addrinfo **a)
{
	if (*a)
		freeaddrinfo(*a);
}

static bool
resolve(const char *address, struct addrinfo **out, struct error *e)
{
	const struct addrinfo want = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(address, ':');
	size_t n = colon ? (size_t)(colon - address) : 0;
	char host[64];

	if (n >= 2 && address[0] == '[' && colon[-1] == ']') {
		address++;
		n -= 2;
	}
	if (!colon || !n || n >= sizeof(host) || !colon[1])
		return err_set(e, ERR_CONFIG, "'%.60s': ADDRESS:PORT is wanted, as in 0.0.0.0:8451 or [::]:8451", address);
	memcpy(host, address, n);
	host[n] = '\0';
	if (getaddrinfo(host, colon + 1, &want, out) != 0)
		return err_set(e, ERR_CONFIG, "%s port %.20s: numbers are wanted, not names", host, colon + 1);
	return true;
}

bool
listen_check(const char *address, struct error *e)
{
	own(addrinfo) struct addrinfo *a = NULL;

	return resolve(address, &a, e);
}

bool
listen_tcp(const char *address, int *out, struct error *e)
{
	own(addrinfo) struct addrinfo *a = NULL;
	own(fd) int fd = -1;
	int on = 1, off = 0;

	if (!resolve(address, &a, e))
		return false;
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (a->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0) ||
	    bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
		err_errno(e, "listen on %.60s", address);
		if (errno == EADDRINUSE)
			e->code = ERR_CONFLICT;
		return false;
	}
	*out = give_fd(&fd);
	return true;
}

static bool
answers(const struct sockaddr_un *a)
{
	own(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && (connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 || errno == EAGAIN);
}

/* The folder is the daemon's user's and this is still root: a mode given to the name might reach another file. */
static bool
bind_for_all(int fd, const struct sockaddr_un *a)
{
	mode_t was = umask(0);
	bool good = !fchmod(fd, 0666) && !bind(fd, (const struct sockaddr *)a, sizeof(*a));

	umask(was);
	return good;
}

bool
listen_unix(const char *path, int *out, struct error *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	own(fd) int fd = -1;

	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(e, ERR_CONFIG, "%.120s: too long for a socket", path);
	memcpy(a.sun_path, path, strlen(path));
	if (answers(&a))
		return err_set(e, ERR_CONFLICT, "%.120s: another verifierd serves here", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(e, "%.120s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !bind_for_all(fd, &a) || listen(fd, LISTEN_BACKLOG) < 0)
		return err_errno(e, "listen on %.120s", path);
	*out = give_fd(&fd);
	return true;
}
