/*
 * tls_tap LISTEN-PORT CONNECT-PORT CERT KEY FOLDER: stands between a host and its verifier with the verifier's own key.
 * Each body of POST /v1/evidence is FOLDER/PID.N.body before the verifier has it whole, each answer to one
 * FOLDER/PID.N.answer, with its status line, before the host has it. A process a connection; both ports on 127.0.0.1.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_MAX = 9 << 20 };

/* One direction: the message that is arriving. */
struct side { SSL *ssl; char *text; size_t len; };

static const char *folder;
static unsigned requests;
static int evidence;                    /* the last request was one */

static void
record(const char *suffix, const char *p, size_t n)
{
	char path[512], whole[520];
	FILE *f;

	snprintf(whole, sizeof(whole), "%s/%d.%u.%s", folder, (int)getpid(), requests, suffix);
	snprintf(path, sizeof(path), "%s/%d.part", folder, (int)getpid());
	f = fopen(path, "we");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f) || rename(path, whole))
		_exit(3);
}

/* Length of the whole message at the start of s, 0 while it is not there; *head is that of its header. */
static size_t
message(const struct side *s, size_t *head)
{
	const char *end = memmem(s->text, s->len, "\r\n\r\n", 4), *length;
	size_t body = 0;

	if (!end)
		return 0;
	*head = (size_t)(end - s->text) + 4;
	length = memmem(s->text, *head, "Content-Length:", 15);
	if (length)
		body = strtoul(length + 15, NULL, 10);
	return s->len - *head >= body ? *head + body : 0;
}

static void
look(struct side *s, int from_host)
{
	size_t head, n;

	while ((n = message(s, &head))) {
		if (from_host) {
			requests++;
			evidence = !strncmp(s->text, "POST /v1/evidence ", 18);
			if (evidence)
				record("body", s->text + head, n - head);
		} else if (evidence && strncmp(s->text, "HTTP/1.1 100", 12) != 0) {
			record("answer", s->text, n);
		}
		s->len -= n;
		memmove(s->text, s->text + n, s->len);
	}
}

/* What has arrived goes on; 0 when that side has ended. */
static int
pass(struct side *from, SSL *to, int from_host)
{
	do {
		char buf[16 << 10];
		int n = SSL_read(from->ssl, buf, sizeof(buf));

		if (n <= 0)
			return SSL_get_error(from->ssl, n) == SSL_ERROR_WANT_READ;
		if (from->len + (size_t)n > MESSAGE_MAX)
			return 0;
		memcpy(from->text + from->len, buf, (size_t)n);
		from->len += (size_t)n;
		look(from, from_host);
		if (SSL_write(to, buf, n) != n)
			return 0;
	} while (SSL_pending(from->ssl));
	return 1;
}

static struct sockaddr_in
loopback(const char *port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)atoi(port)) };
}

static void
relay(int host, SSL_CTX *server, const char *port)
{
	struct sockaddr_in a = loopback(port);
	int verifier = socket(AF_INET, SOCK_STREAM, 0);
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	struct side in = { SSL_new(server), malloc(MESSAGE_MAX), 0 }, out = { SSL_new(client), malloc(MESSAGE_MAX), 0 };
	struct pollfd p[2] = { { .fd = host, .events = POLLIN }, { .fd = verifier, .events = POLLIN } };

	SSL_clear_mode(in.ssl, SSL_MODE_AUTO_RETRY);
	SSL_clear_mode(out.ssl, SSL_MODE_AUTO_RETRY);
	/* A verifier that is not there is nobody to shake hands with. */
	if (connect(verifier, (struct sockaddr *)&a, sizeof(a)) || !SSL_set_fd(out.ssl, verifier) ||
	    SSL_connect(out.ssl) != 1 || !SSL_set_fd(in.ssl, host) || SSL_accept(in.ssl) != 1)
		return;
	while (poll(p, 2, -1) > 0)
		if ((p[0].revents && !pass(&in, out.ssl, 1)) || (p[1].revents && !pass(&out, in.ssl, 0)))
			return;
}

int
main(int argc, char **argv)
{
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	struct sockaddr_in a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pid_t parent = getpid();

	if (argc != 6 || SSL_CTX_use_certificate_chain_file(server, argv[3]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(server, argv[4], SSL_FILETYPE_PEM) != 1)
		return 2;
	folder = argv[5];
	a = loopback(argv[1]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 64)) {
		perror("tls_tap");
		return 1;
	}
	for (;;) {
		int host = accept(fd, NULL, NULL);

		if (host >= 0 && fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() == parent)
				relay(host, server, argv[2]);
			_exit(0);
		}
		close(host);
	}
}
