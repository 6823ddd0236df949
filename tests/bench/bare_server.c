#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bare_server.h"
#include "bench.h"

enum { READ_SIZE = 16 << 10, HEAD_MAX = 1024 };

/* left: of the request's body; head is what came before it is known. */
struct connection { SSL *ssl; size_t have, left; bool in_body, evidence; char head[HEAD_MAX + 1]; };

struct server {
	SSL_CTX *tls;
	int      epoll, listener;
	struct canned challenge, evidence;
	EVP_PKEY *key;
	uint8_t  signature[128];
	size_t   signature_len;
};

static const char text[] = "what is signed, and what is verified";

static size_t
sign(EVP_PKEY *key, uint8_t *out, size_t size)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	need(md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1);
	need(EVP_DigestSign(md, out, &size, (const uint8_t *)text, sizeof(text)) == 1);
	EVP_MD_CTX_free(md);
	return size;
}

static void
verify(const struct server *s)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	need(md && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, s->key) == 1);
	need(EVP_DigestVerify(md, s->signature, s->signature_len, (const uint8_t *)text, sizeof(text)) == 1);
	EVP_MD_CTX_free(md);
}

static void
answer(const struct server *s, struct connection *c)
{
	const struct canned *with = c->evidence ? &s->evidence : &s->challenge;
	uint8_t out[128];

	if (c->evidence) {
		verify(s);
		need(sign(s->key, out, sizeof(out)));
	}
	need(SSL_write(c->ssl, with->p, (int)with->len) == (int)with->len);
	c->have = 0;
	c->in_body = false;
}

/* Bytes of a request; the answer when that was the last of it. */
static void
took(const struct server *s, struct connection *c, const char *p, size_t n)
{
	const char *end;
	size_t head;

	if (c->in_body) {
		need(n <= c->left);
		c->left -= n;
	} else {
		need(c->have + n <= READ_SIZE);
		head = n < HEAD_MAX - c->have ? n : HEAD_MAX - c->have;
		memcpy(c->head + c->have, p, head);
		c->head[c->have + head] = '\0';
		end = strstr(c->head, "\r\n\r\n");
		c->have += n;
		if (!end)
			return;
		c->in_body = true;
		c->evidence = !strncmp(c->head, "POST /v1/evidence", 17);
		c->left = strtoul(strstr(c->head, "Content-Length: ") + 16, NULL, 10) + (size_t)(end + 4 - c->head) - c->have;
	}
	if (!c->left)
		answer(s, c);
}

static void
ready(struct server *s, struct connection *c)
{
	char buf[READ_SIZE];
	int n;

	while ((n = SSL_read(c->ssl, buf, sizeof(buf))) > 0)
		took(s, c, buf, (size_t)n);
	if (SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
		return;
	close(SSL_get_fd(c->ssl));
	SSL_free(c->ssl);
	free(c);
}

static void
accept_one(struct server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *c = fd < 0 ? NULL : calloc(1, sizeof(*c));
	struct epoll_event ev = { .events = EPOLLIN, .data = { .ptr = c } };

	if (!c)
		return;
	c->ssl = SSL_new(s->tls);
	need(c->ssl && SSL_set_fd(c->ssl, fd) == 1);
	SSL_set_accept_state(c->ssl);
	need(!epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev));
}

static void __attribute__((noreturn))
serve(struct server *s)
{
	struct epoll_event ev[64];

	for (;;) {
		int n = epoll_wait(s->epoll, ev, 64, -1);

		for (int i = 0; i < n; i++)
			if (ev[i].data.ptr)
				ready(s, ev[i].data.ptr);
			else
				accept_one(s);
	}
}

static void
prepare(struct server *s, const char *dir)
{
	char file[256];

	s->tls = SSL_CTX_new(TLS_server_method());
	need(s->tls && SSL_CTX_set_min_proto_version(s->tls, TLS1_3_VERSION) == 1);
	SSL_CTX_set_mode(s->tls, SSL_MODE_RELEASE_BUFFERS);
	snprintf(file, sizeof(file), "%s/tls/server.pem", dir);
	need(SSL_CTX_use_certificate_chain_file(s->tls, file) == 1);
	snprintf(file, sizeof(file), "%s/tls/server-key.pem", dir);
	need(SSL_CTX_use_PrivateKey_file(s->tls, file, SSL_FILETYPE_PEM) == 1);
	s->key = EVP_EC_gen("P-256");
	need(s->key);
	s->signature_len = sign(s->key, s->signature, sizeof(s->signature));
}

static void
listen_on(struct server *s, uint16_t *port)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event ev = { .events = EPOLLIN, .data = { .ptr = NULL } };
	socklen_t len = sizeof(here);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	need(s->listener >= 0 && s->epoll >= 0);
	setsockopt(s->listener, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	need(!bind(s->listener, (struct sockaddr *)&here, sizeof(here)) && !listen(s->listener, 128));
	need(!getsockname(s->listener, (struct sockaddr *)&here, &len));
	need(!epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &ev));
	*port = ntohs(here.sin_port);
}

pid_t
bare_server(const char *dir, struct canned challenge, struct canned evidence, uint16_t *port)
{
	struct server s = { .challenge = challenge, .evidence = evidence };
	pid_t pid;

	prepare(&s, dir);
	listen_on(&s, port);
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "bare_server");
		signal(SIGPIPE, SIG_IGN);
		serve(&s);
	}
	close(s.listener);
	close(s.epoll);
	SSL_CTX_free(s.tls);
	EVP_PKEY_free(s.key);
	return pid;
}
