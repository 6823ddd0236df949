#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "clock.h"
#include "net_lab.h"
#include "pki.h"
#include "roles.h"
#include "unit.h"

/* --- verifierd-net --- */

void
net_lab_certificate(struct net_lab *l, const char *name)
{
	struct error e = { .code = ERR_NONE };
	char tls[80];

	snprintf(tls, sizeof(tls), "%s/tls", l->dir);
	ck_assert_msg(pki_prepare(tls, l->dir, name, clock_now().wall, &e), "%s", e.why);
}

static int
listen_on(struct net_lab *l)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(in), len6 = sizeof(in6);
	int fd = socket(l->admin ? AF_UNIX : l->v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (l->admin) {
		snprintf(l->socket, sizeof(l->socket), "%s/admin.sock", l->dir);
		strcpy(un.sun_path, l->socket);
		ck_assert(!bind(fd, (struct sockaddr *)&un, sizeof(un)));
	} else if (l->v6) {
		ck_assert(!bind(fd, (struct sockaddr *)&in6, sizeof(in6)) && !getsockname(fd, (struct sockaddr *)&in6, &len6));
		l->port = ntohs(in6.sin6_port);
	} else {
		ck_assert(!bind(fd, (struct sockaddr *)&in, sizeof(in)) && !getsockname(fd, (struct sockaddr *)&in, &len));
		l->port = ntohs(in.sin_port);
	}
	ck_assert(!listen(fd, 1024));
	return fd;
}

static void
hurry(const char *build)
{
	char path[4096], haste[16];

	snprintf(path, sizeof(path), "%s/tests/integration/.libs/libshift.so", build);
	snprintf(haste, sizeof(haste), "%d", HASTE);
	if (access(path, R_OK) < 0 || setenv("LD_PRELOAD", path, 1) < 0 || setenv("HASTE", haste, 1) < 0)
		_exit(125);
}

/* As main starts it: the descriptors of roles.h and no other. */
static void
start(struct net_lab *l, int channel, int listener)
{
	const char *build = getenv("top_builddir");
	int ready[2];
	char path[4096], byte;

	snprintf(path, sizeof(path), "%s/verifierd/verifierd-net", build ? build : ".");
	ck_assert(!pipe2(ready, O_CLOEXEC));
	l->net = fork();
	ck_assert_int_ge(l->net, 0);
	if (!l->net) {
		const int have[] = { ready[1], channel, listener };

		for (int i = 0; i < 3; i++)
			if (dup2(have[i], 100 + i) < 0)
				_exit(126);
		for (int i = 0; i < 3; i++)
			if (dup2(100 + i, FD_READY + i) < 0)
				_exit(126);
		close_range(FD_ROLE_END, ~0u, 0);
		if (l->hasty)
			hurry(build ? build : ".");
		execl(path, path, "-c", l->conf, "-f", l->admin ? "admin" : "hosts", (char *)NULL);
		_exit(127);
	}
	close(ready[1]);
	ck_assert_msg(read(ready[0], &byte, 1) == 1, "%s does not start", path);
	close(ready[0]);
}

void
net_lab_open(struct net_lab *l, bool admin)
{
	net_lab_open_with(l, admin, "");
}

static void
open_lab(struct net_lab *l, const char *conf)
{
	int ends[2], listener;
	FILE *f;

	strcpy(l->dir, "/tmp/check_net.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(l->dir));
	snprintf(l->conf, sizeof(l->conf), "%s/verifierd.conf", l->dir);
	f = fopen(l->conf, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "[paths]\nstate_dir = %s\nrun_dir = %s\n%s", l->dir, l->dir, conf);
	fclose(f);
	net_lab_certificate(l, "127.0.0.1");
	listener = listen_on(l);
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	l->core = ends[0];
	start(l, ends[1], listener);
	close(ends[1]);
	close(listener);
}

void
net_lab_open_with(struct net_lab *l, bool admin, const char *conf)
{
	*l = (struct net_lab){ .admin = admin };
	open_lab(l, conf);
}

void
net_lab_open_as(struct net_lab *l, unsigned how, const char *conf)
{
	*l = (struct net_lab){ .v6 = how & NET_V6, .hasty = how & NET_HASTY };
	open_lab(l, conf);
}

int
net_lab_wait(struct net_lab *l)
{
	int status = 0;

	ck_assert_int_eq(waitpid(l->net, &status, 0), l->net);
	l->net = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void
net_lab_close(struct net_lab *l)
{
	static const char *const files[] = { "tls/ca.pem", "ca-key.pem", "tls/server.pem", "tls/server-key.pem", "tls",
		"admin.sock", "verifierd.conf" };
	char path[128];

	if (l->core >= 0)
		close(l->core);
	l->core = -1;
	if (l->net)
		ck_assert_int_eq(net_lab_wait(l), 0);       /* without core it has nothing to do */
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", l->dir, files[i]);
		(void)remove(path);
	}
	rmdir(l->dir);
}

/* --- core --- */

bool
core_take(struct net_lab *l, int ms, struct frame *f)
{
	struct pollfd p = { .fd = l->core, .events = POLLIN };
	struct error e = { .code = ERR_NONE };
	bool got = false;

	*f = (struct frame){ .peer_fd = -1 };
	if (poll(&p, 1, ms) == 1)
		ck_assert_msg(ipc_receive(l->core, ROLE_CORE, f, &got, &e), "%s", e.why);
	if (got)
		ck_assert_int_eq(message_from(f->type), l->admin ? ROLE_ADMIN : ROLE_HOSTS);
	return got;
}

void
core_reply(struct net_lab *l, uint64_t job, int status, const char *json)
{
	static uint8_t buf[1 << 20];
	struct writer w = wr_open(buf, sizeof(buf));
	struct error e = { .code = ERR_NONE };

	wr_be16(&w, (uint16_t)status, "status");
	wr_bytes(&w, json, strlen(json), "body");
	ck_assert_msg(wr_ok(&w, &e) && ipc_send(l->core, ROLE_CORE, l->admin ? MSG_REPLY_ADMIN : MSG_REPLY_HOST, job, buf, w.used,
	    -1, &e), "%s", e.why);
}

/* --- clients --- */

bool
client_handshake(struct net_lab *l, struct client *c, int version, const char *ca)
{
	char own_ca[128];

	snprintf(own_ca, sizeof(own_ca), "%s/tls/ca.pem", l->dir);
	c->ctx = SSL_CTX_new(TLS_client_method());
	ck_assert(SSL_CTX_set_min_proto_version(c->ctx, TLS1_VERSION) == 1);
	ck_assert(SSL_CTX_set_max_proto_version(c->ctx, version ? version : TLS1_3_VERSION) == 1);
	SSL_CTX_clear_mode(c->ctx, SSL_MODE_AUTO_RETRY);    /* a session ticket is no answer to wait behind */
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	ck_assert(SSL_CTX_load_verify_file(c->ctx, ca ? ca : own_ca) == 1);
	c->ssl = SSL_new(c->ctx);
	ck_assert(c->ssl && SSL_set_fd(c->ssl, c->fd) == 1);
	return SSL_connect(c->ssl) == 1;
}

bool
client_connect(struct net_lab *l, struct client *c, const char *from)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(l->port) };
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = from ? inet_addr(from) : 0 };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback, .sin6_port = htons(l->port) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = 20 };

	*c = (struct client){ .fd = socket(l->admin ? AF_UNIX : l->v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	strcpy(un.sun_path, l->socket);
	signal(SIGPIPE, SIG_IGN);
	ck_assert(!setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	if (l->admin)
		return !connect(c->fd, (struct sockaddr *)&un, sizeof(un));
	if (l->v6)
		return !connect(c->fd, (struct sockaddr *)&in6, sizeof(in6));
	return !bind(c->fd, (struct sockaddr *)&own, sizeof(own)) && !connect(c->fd, (struct sockaddr *)&in, sizeof(in));
}

bool
client_open(struct net_lab *l, struct client *c, int version, const char *ca)
{
	return client_connect(l, c, NULL) && (l->admin || client_handshake(l, c, version, ca));
}

/* What does not get through shows in the answer, or in there being none. */
void
client_say(struct client *c, const void *p, size_t n)
{
	if (c->ssl)
		(void)SSL_write(c->ssl, p, (int)n);
	else
		(void)!write(c->fd, p, n);
}

void
client_ask(struct client *c, const char *method, const char *path, const char *lines, const void *body, size_t len)
{
	size_t size = len + strlen(path) + strlen(lines) + 256;
	own(mem) char *text = malloc(size);
	int n = snprintf(text, size, "%s %s HTTP/1.1\r\nHost: verifier\r\nContent-Length: %zu\r\n%s\r\n", method, path, len, lines);

	ck_assert(n > 0 && (size_t)n + len <= size);
	if (len)
		memcpy(text + n, body, len);
	client_say(c, text, (size_t)n + len);
}

/* The next bytes; 0 when only TLS had something to say, -1 when there are none in time. */
static ssize_t
some(struct client *c, void *p, size_t n, int64_t until)
{
	struct pollfd ready = { .fd = c->fd, .events = POLLIN };
	int got;

	if (!(c->ssl && SSL_pending(c->ssl)) && poll(&ready, 1, clock_left(until)) != 1)
		return -1;
	if (!c->ssl) {
		ssize_t plain = read(c->fd, p, n);

		return plain > 0 ? plain : -1;
	}
	got = SSL_read(c->ssl, p, (int)n);
	return got > 0 ? got : SSL_get_error(c->ssl, got) == SSL_ERROR_WANT_READ ? 0 : -1;
}

bool
client_hear(struct client *c, int ms, struct heard *h)
{
	static char all[80 << 10];
	int64_t until = clock_mono() + ms;
	size_t have = 0, head, want;
	char *end, *length;

	*h = (struct heard){ 0 };
	for (;;) {
		ssize_t n = some(c, all + have, sizeof(all) - 1 - have, until);

		if (n < 0)
			return false;
		have += (size_t)n;
		all[have] = '\0';
		end = strstr(all, "\r\n\r\n");
		length = strcasestr(all, "\r\nContent-Length: ");
		if (!end || !length || length > end)
			continue;
		head = (size_t)(end - all) + 4;
		want = strtoul(length + 18, NULL, 10);
		if (have - head < want)
			continue;
		ck_assert(head < sizeof(h->head) && want < sizeof(h->body) && have == head + want);
		memcpy(h->head, all, head);
		memcpy(h->body, all + head, want);
		h->len = want;
		return sscanf(all, "HTTP/1.1 %d ", &h->status) == 1;
	}
}

bool
client_ended(struct client *c, int ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int64_t until = clock_mono() + ms;
	char left[512];

	/* Session tickets may be in the way. */
	while (poll(&p, 1, clock_left(until)) == 1)
		if (c->ssl ? SSL_read(c->ssl, left, sizeof(left)) <= 0 && SSL_get_error(c->ssl, -1) != SSL_ERROR_WANT_READ
		           : read(c->fd, left, sizeof(left)) <= 0)
			return true;
	return false;
}

void
client_close(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	close(c->fd);
}

void
still_serves(struct net_lab *l, struct client *c, const char *body)
{
	static struct heard heard;
	struct frame f;

	client_ask(c, "GET", l->admin ? "/v1/admin/hosts" : "/.well-known/jwks.json", "", NULL, 0);
	ck_assert(core_take(l, SOON, &f));
	core_reply(l, f.job, 200, body);
	frame_free(&f);
	ck_assert(client_hear(c, SOON, &heard));
	ck_assert_int_eq(heard.status, 200);
	ck_assert_str_eq(heard.body, body);
}

void
is_problem(const struct heard *h, int status, const char *reason)
{
	char want[64];

	snprintf(want, sizeof(want), "\"reason\":\"%s\"", reason);
	ck_assert_int_eq(h->status, status);
	ck_assert_msg(strstr(h->head, "application/problem+json"), "%s", h->head);
	ck_assert_msg(strstr(h->body, want), "%s", h->body);
}
