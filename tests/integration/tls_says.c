/*
 * tls_says PORT CERT KEY FILE: a server on 127.0.0.1 that answers every request with the bytes of FILE, over TLS 1.3,
 * and hangs up. Who it is, CERT says.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 64 << 10, REQUEST_MAX = 16 << 10 };

static void
serve(SSL_CTX *server, int fd, const char *answer, size_t len)
{
	SSL *ssl = SSL_new(server);
	char request[REQUEST_MAX];

	if (ssl && SSL_set_fd(ssl, fd) && SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0 &&
	    SSL_write(ssl, answer, (int)len) > 0)
		SSL_shutdown(ssl);
	SSL_free(ssl);
}

int
main(int argc, char **argv)
{
	static char answer[ANSWER_MAX];
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	FILE *f = argc == 5 ? fopen(argv[4], "re") : NULL;
	size_t len = f ? fread(answer, 1, sizeof(answer), f) : 0;

	if (!len || SSL_CTX_use_certificate_chain_file(server, argv[2]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(server, argv[3], SSL_FILETYPE_PEM) != 1)
		return 2;
	a.sin_port = htons((uint16_t)atoi(argv[1]));
	signal(SIGPIPE, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 64)) {
		perror("tls_says");
		return 1;
	}
	for (;;) {
		int host = accept(fd, NULL, NULL);

		if (host >= 0)
			serve(server, host, answer, len);
		close(host);
	}
}
