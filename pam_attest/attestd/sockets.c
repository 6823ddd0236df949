#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "scope.h"
#include "sockets.h"

enum { PASSED_FIRST = 3, PASSED_MAX = 16 };

static bool
is_bound_to(int fd, const char *path, int type)
{
	struct sockaddr_un at = { 0 };
	socklen_t len = sizeof(at) - 1, type_len = sizeof(int);
	int seen = 0;

	return !getsockname(fd, (struct sockaddr *)&at, &len) && at.sun_family == AF_UNIX && !strcmp(at.sun_path, path) &&
	    !getsockopt(fd, SOL_SOCKET, SO_TYPE, &seen, &type_len) && seen == type;
}

/* The one of that path among those that systemd passed, or -1. It may have been made to block. */
static int
passed(const char *path, int type)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int count = fds ? atoi(fds) : 0;

	if (!pid || atoi(pid) != getpid())
		return -1;
	for (int fd = PASSED_FIRST; fd - PASSED_FIRST < count && fd < PASSED_MAX; fd++)
		if (is_bound_to(fd, path, type))
			return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -1 : fd;
	return -1;
}

/*
 * The folder is our user's and this is still root: the mode is given to the socket, for by then its name may be a link to
 * something else.
 */
static bool
bind_with(int fd, mode_t mode, const struct sockaddr_un *at)
{
	mode_t was = umask(0);
	bool good = !fchmod(fd, mode) && !bind(fd, (const struct sockaddr *)at, sizeof(*at));

	umask(was);
	return good;
}

int
socket_make(const char *dir, const char *name, int type, mode_t mode, struct error *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	own(fd) int fd = -1;
	int n = snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", dir, name);

	if (n < 0 || (size_t)n >= sizeof(at.sun_path))
		return err_set(e, ERR_LIMIT, "%s/%s: too long for a socket", dir, name), -1;
	fd = passed(at.sun_path, type);
	if (fd >= 0)
		return give_fd(&fd);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(at.sun_path);
	if (fd < 0 || !bind_with(fd, mode, &at) || (type == SOCK_STREAM && listen(fd, 256) < 0))
		return err_errno(e, "%s", at.sun_path), -1;
	return give_fd(&fd);
}

int64_t
watchdog_ms(void)
{
	const char *pid = getenv("WATCHDOG_PID"), *usec = getenv("WATCHDOG_USEC");
	int64_t ms = usec && (!pid || atoi(pid) == getpid()) ? strtoll(usec, NULL, 10) / 2000 : 0;

	return ms < 0 ? 0 : ms;
}

/* sd_notify(3), without the library: one datagram to the socket that NOTIFY_SOCKET names. */
void
notify(const char *what)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	own(fd) int fd = -1;

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(at.sun_path))
		return;
	memcpy(at.sun_path, path, strlen(path));
	if (at.sun_path[0] == '@')
		at.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)!sendto(fd, what, strlen(what), MSG_NOSIGNAL, (struct sockaddr *)&at,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
}
