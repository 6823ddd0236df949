#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bench.h"
#include "client.h"

SSL_CTX *
client_new(const char *ca)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	need(c && SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1);
	need(SSL_CTX_load_verify_locations(c, ca, NULL) == 1);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	return c;
}

SSL *
client_connect(SSL_CTX *c, uint16_t port, unsigned from)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + from) };
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *s = SSL_new(c);

	need(fd >= 0 && s);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){ 1 }, sizeof(int));
	need(!bind(fd, (struct sockaddr *)&here, sizeof(here)));
	need(!connect(fd, (struct sockaddr *)&there, sizeof(there)));
	need(SSL_set_fd(s, fd) == 1 && SSL_set1_host(s, "127.0.0.1") == 1 && SSL_connect(s) == 1);
	return s;
}

/* As much as there is; true when the answer is whole. */
static bool
take(SSL *s, struct heard *h)
{
	int n = SSL_read(s, h->raw + h->len, (int)(sizeof(h->raw) - 1 - h->len));
	const char *end, *length;

	need(n > 0);
	h->len += (size_t)n;
	h->raw[h->len] = '\0';
	end = strstr(h->raw, "\r\n\r\n");
	length = strcasestr(h->raw, "\r\nContent-Length: ");
	if (!end)
		return false;
	need(length && length < end);
	h->body = end + 4;
	h->body_len = strtoul(length + 18, NULL, 10);
	return h->len >= (size_t)(h->body - h->raw) + h->body_len;
}

void
client_post(SSL *s, const char *path, const char *type, const void *body, size_t len, struct heard *h)
{
	size_t size = len + 512;
	char *text = malloc(size);
	int head;

	need(text);
	head = snprintf(text, size, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
	    path, type, len);
	memcpy(text + head, body, len);
	need(SSL_write(s, text, head + (int)len) == head + (int)len);
	free(text);
	h->len = 0;
	while (!take(s, h))
		;
	need(sscanf(h->raw, "HTTP/1.1 %d ", &h->status) == 1);
}

void
client_end(SSL *s)
{
	int fd = SSL_get_fd(s);

	SSL_shutdown(s);
	SSL_free(s);
	close(fd);
}
