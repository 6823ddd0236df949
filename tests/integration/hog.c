/*
 * hog SOCKET COUNT UID [TEXT]: as that user COUNT connections to a unix socket, each of them made again as soon as it is
 * hung up on; on each TEXT and an empty line, lines of it divided by commas. Says "there" once all were tried. Ends when
 * standard input does.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { COUNT_MAX = 1000, AGAIN_MS = 20 };

static struct sockaddr_un at = { .sun_family = AF_UNIX };
static struct pollfd p[1 + COUNT_MAX];
static char text[256];

static void
dial(struct pollfd *c)
{
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	c->events = POLLIN;
	if (c->fd >= 0 && !connect(c->fd, (struct sockaddr *)&at, sizeof(at)) &&
	    (!*text || send(c->fd, text, strlen(text), MSG_NOSIGNAL) > 0))
		return;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	uid_t uid = argc > 3 ? (uid_t)atoi(argv[3]) : 0;
	char rest[512];

	if (!count || count > COUNT_MAX || !uid || strlen(argv[1]) >= sizeof(at.sun_path) ||
	    (argc > 4 && snprintf(text, sizeof(text), "%s\n\n", argv[4]) >= (int)sizeof(text)))
		return 2;
	strcpy(at.sun_path, argv[1]);
	for (char *c = text; *c; c++)
		*c = *c == ',' ? '\n' : *c;
	if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		return 1;
	p[0] = (struct pollfd){ .fd = 0, .events = POLLIN };
	for (unsigned i = 1; i <= count; i++)
		p[i].fd = -1;
	for (int said = 0;; said = 1) {
		for (unsigned i = 1; i <= count; i++)
			if (p[i].fd < 0)
				dial(&p[i]);
		if (!said) {
			puts("there");
			fflush(stdout);
		}
		usleep(AGAIN_MS * 1000);
		if (poll(p, 1 + count, 0) < 0 && errno != EINTR)
			return 1;
		if (p[0].revents)
			return 0;
		for (unsigned i = 1; i <= count; i++)
			if (p[i].fd >= 0 && p[i].revents && recv(p[i].fd, rest, sizeof(rest), 0) <= 0) {
				close(p[i].fd);
				p[i].fd = -1;
			}
	}
}
