/*
 * tap LISTEN CONNECT: stands between a program and a software TPM, and prints the code of every command that passes,
 * one a line. LISTEN.ctrl and CONNECT.ctrl, the control channel, are passed on unread.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAIRS_MAX = 8, HEADER = 10 };

/* One connection; commands are framed by {tag u16, size u32, code u32}, big-endian. */
static struct pair {
	int      program, tpm;             /* 0: free */
	int      counted;
	uint8_t  head[HEADER];
	size_t   have, left;               /* bytes of head; bytes until the next one */
} pairs[PAIRS_MAX];

static struct sockaddr_un
address(const char *path, const char *suffix)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s%s", path, suffix);
	return a;
}

static int
listen_on(const char *path, const char *suffix)
{
	struct sockaddr_un a = address(path, suffix);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(a.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8)) {
		perror(a.sun_path);
		_exit(1);
	}
	return fd;
}

static void
count(struct pair *p, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p->left) {
			p->left--;
			continue;
		}
		p->head[p->have++] = bytes[i];
		if (p->have < HEADER)
			continue;
		p->left = ((size_t)p->head[2] << 24 | (size_t)p->head[3] << 16 | (size_t)p->head[4] << 8 | p->head[5]) - HEADER;
		p->have = 0;
		printf("0x%02x%02x%02x%02x\n", p->head[6], p->head[7], p->head[8], p->head[9]);
		fflush(stdout);
	}
}

static void
take(int listener, const char *to, const char *suffix, int counted)
{
	struct sockaddr_un a = address(to, suffix);
	int program = accept(listener, NULL, NULL), tpm = socket(AF_UNIX, SOCK_STREAM, 0);

	for (int i = 0; i < PAIRS_MAX; i++)
		if (!pairs[i].program && !connect(tpm, (struct sockaddr *)&a, sizeof(a))) {
			pairs[i] = (struct pair){ .program = program, .tpm = tpm, .counted = counted };
			return;
		}
	close(program);
	close(tpm);
}

/* False when one side has gone. */
static int
pass(struct pair *p, int from, int to)
{
	uint8_t buf[4096];
	ssize_t n = read(from, buf, sizeof(buf));

	if (n <= 0)
		return 0;
	if (p->counted && from == p->program)
		count(p, buf, (size_t)n);
	return send(to, buf, (size_t)n, MSG_NOSIGNAL) == n;
}

int
main(int argc, char **argv)
{
	int data, ctrl;

	if (argc != 3)
		return 2;
	data = listen_on(argv[1], "");
	ctrl = listen_on(argv[1], ".ctrl");
	for (;;) {
		struct pollfd p[2 + 2 * PAIRS_MAX] = { { .fd = data, .events = POLLIN }, { .fd = ctrl, .events = POLLIN } };

		for (int i = 0; i < PAIRS_MAX; i++) {
			p[2 + 2 * i] = (struct pollfd){ .fd = pairs[i].program ? pairs[i].program : -1, .events = POLLIN };
			p[3 + 2 * i] = (struct pollfd){ .fd = pairs[i].program ? pairs[i].tpm : -1, .events = POLLIN };
		}
		if (poll(p, 2 + 2 * PAIRS_MAX, -1) < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < PAIRS_MAX; i++) {
			struct pair *x = &pairs[i];

			if ((p[2 + 2 * i].revents && !pass(x, x->program, x->tpm)) ||
			    (p[3 + 2 * i].revents && !pass(x, x->tpm, x->program))) {
				close(x->program);
				close(x->tpm);
				*x = (struct pair){ 0 };
			}
		}
		if (p[0].revents)
			take(data, argv[2], "", 1);
		if (p[1].revents)
			take(ctrl, argv[2], ".ctrl", 0);
	}
}
