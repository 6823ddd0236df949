#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include "ipc.h"
#include "scope.h"

/* Header: magic u32, type u16, flags u16, job u64, payload length u32, zero u32. */
enum { MAGIC = 0x70616970, FLAG_MEMFD = 1, FLAG_PEER = 2, FLAGS = 3 };
enum { SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL };

static const struct {
	const char *name;
	enum role   from, to;
	uint32_t    max;
} messages[MSG_COUNT] = {
#define X(name, from, to, max) [MSG_##name] = { #name, ROLE_##from, ROLE_##to, max },
	MESSAGES(X)
#undef X
};
#define X(name, from, to, max) \
	_Static_assert((int)(max) <= (int)IPC_PAYLOAD_MAX, "payload of " #name " is over IPC_PAYLOAD_MAX");
MESSAGES(X)
#undef X

static const char *const roles[] = {
#define X(name, word) [ROLE_##name] = word,
	ROLES(X)
#undef X
};

const char *
role_word(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? roles[r] : "unknown role";
}

const char *
message_name(enum message m)
{
	return (unsigned)m < MSG_COUNT ? messages[m].name : "unknown message";
}

enum role
message_from(enum message m)
{
	return (unsigned)m < MSG_COUNT ? messages[m].from : ROLE_COUNT;
}

size_t
message_max(enum message m)
{
	return (unsigned)m < MSG_COUNT ? messages[m].max : 0;
}

static bool
carries_peer(enum message m)
{
	return m == MSG_ADMIN || m == MSG_CHANNEL;
}

void
frame_free(struct frame *f)
{
	if (f->mapped)
		munmap(f->mapped, f->mapped_len);
	free(f->inline_buf);
	if (f->peer_fd >= 0)
		close(f->peer_fd);
	*f = (struct frame){ .peer_fd = -1 };
}

static bool
write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static bool
sealed_copy(const void *p, size_t n, int *out, struct error *e)
{
	own(fd) int fd = memfd_create("pam-attest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || !write_all(fd, p, n) || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return err_errno(e, "sealed memory of %zu bytes", n);
	*out = give_fd(&fd);
	return true;
}

/* Room for IPC_FDS_MAX descriptors, aligned as the kernel wants it. */
union ancillary {
	struct cmsghdr align;
	char           buf[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
};

static void
attach(struct msghdr *m, union ancillary *a, const int *fds, unsigned n)
{
	struct cmsghdr *c;

	*a = (union ancillary){ 0 };
	m->msg_control = a->buf;
	m->msg_controllen = CMSG_SPACE(n * sizeof(int));
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
}

static bool
send_frame(int fd, struct iovec *iov, const int *fds, unsigned nfds, struct error *e)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	union ancillary a;
	ssize_t n;

	if (nfds)
		attach(&m, &a, fds, nfds);
	do
		n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return true;
	if (errno == EAGAIN || errno == ENOBUFS)
		return err_set(e, ERR_LIMIT, "the peer's queue is full");
	return err_errno(e, "send");
}

bool
ipc_send(int fd, enum role from, enum message type, uint64_t job, const void *payload, size_t len,
    int peer_fd, struct error *e)
{
	uint8_t header[IPC_HEADER];
	struct writer w = wr_open(header, sizeof(header));
	bool large = len > IPC_INLINE_MAX;
	struct iovec iov[2] = {
		{ .iov_base = header, .iov_len = sizeof(header) },
		{ .iov_base = large ? NULL : (void *)(uintptr_t)payload, .iov_len = large ? 0 : len },
	};
	own(fd) int memfd = -1;
	int fds[IPC_FDS_MAX];
	unsigned nfds = 0;

	if ((unsigned)type >= MSG_COUNT || messages[type].from != from)
		return err_set(e, ERR_FORMAT, "%s does not send %s", role_word(from), message_name(type));
	if (len > messages[type].max)
		return err_set(e, ERR_FORMAT, "%s of %zu bytes: over %u", messages[type].name, len, messages[type].max);
	if (large && !sealed_copy(payload, len, &memfd, e))
		return false;
	if (large)
		fds[nfds++] = memfd;
	if (peer_fd >= 0)
		fds[nfds++] = peer_fd;
	wr_be32(&w, MAGIC, "magic");
	wr_be16(&w, (uint16_t)type, "type");
	wr_be16(&w, (uint16_t)((large ? FLAG_MEMFD : 0) | (peer_fd >= 0 ? FLAG_PEER : 0)), "flags");
	wr_be64(&w, job, "job");
	wr_be32(&w, (uint32_t)len, "length");
	wr_be32(&w, 0, "zero");
	return wr_ok(&w, e) && send_frame(fd, iov, fds, nfds, e);
}

/* Takes the descriptors out of m; those that nobody asked for are closed. */
static unsigned
detach(struct msghdr *m, int fds[static IPC_FDS_MAX])
{
	unsigned n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (n < IPC_FDS_MAX)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

static bool
map_sealed(int fd, size_t len, struct frame *f, struct error *e)
{
	int seals = fcntl(fd, F_GET_SEALS);
	void *p;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return err_set(e, ERR_UNTRUSTED, "payload memory is not sealed");
	/* Not fstat(3): that may be newfstatat(2), which takes names, and is denied to workers. */
	if (lseek(fd, 0, SEEK_END) != (off_t)len)
		return err_set(e, ERR_UNTRUSTED, "payload memory is not of the announced %zu bytes", len);
	p = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_errno(e, "mmap of %zu bytes", len);
	f->mapped = p;
	f->mapped_len = len;
	f->payload = rd_open(p, len);
	return true;
}

/* Looks at the header and at what came with it; f owns buf already, the descriptors are fds. */
static bool
judge_frame(struct frame *f, size_t len, enum role to, const int *fds, unsigned nfds, struct error *e)
{
	struct reader r = rd_open(f->inline_buf, len);
	uint32_t magic = rd_be32(&r, "magic");
	unsigned type = rd_be16(&r, "type");
	unsigned flags = rd_be16(&r, "flags");
	uint32_t size, zero;
	bool large = flags & FLAG_MEMFD, peer = flags & FLAG_PEER;

	f->job = rd_be64(&r, "job");
	size = rd_be32(&r, "length");
	zero = rd_be32(&r, "zero");
	if (r.bad || magic != MAGIC || zero || flags & ~(unsigned)FLAGS)
		return err_set(e, ERR_UNTRUSTED, "not a frame");
	if (type >= MSG_COUNT || messages[type].to != to)
		return err_set(e, ERR_UNTRUSTED, "%s is not for %s", message_name((enum message)type), role_word(to));
	f->type = (enum message)type;
	if (size > messages[type].max)
		return err_set(e, ERR_UNTRUSTED, "%s of %u bytes: over %u", messages[type].name, size, messages[type].max);
	if (nfds != (unsigned)large + (unsigned)peer || (peer && !carries_peer(f->type)))
		return err_set(e, ERR_UNTRUSTED, "%s with %u descriptors", messages[type].name, nfds);
	if (large && (size <= IPC_INLINE_MAX || r.left))
		return err_set(e, ERR_UNTRUSTED, "%s with a payload in two places", messages[type].name);
	if (large)
		return map_sealed(fds[0], size, f, e);
	if (r.left != size)
		return err_set(e, ERR_UNTRUSTED, "%s: %zu bytes where %u were announced", messages[type].name, r.left, size);
	f->payload = rd_open(r.pos, r.left);
	return true;
}

/* Size of the waiting packet: 0 at the end of the stream, -1 with errno else. */
static ssize_t
waiting(int fd)
{
	ssize_t n;

	do
		n = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool
take(int fd, struct frame *f, size_t len, enum role to, struct error *e)
{
	struct iovec iov = { .iov_base = f->inline_buf, .iov_len = len };
	union ancillary a;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = a.buf, .msg_controllen = sizeof(a.buf) };
	int fds[IPC_FDS_MAX] = { -1, -1 };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	unsigned nfds;
	bool good;

	if (n < 0)
		return err_errno(e, "receive");
	nfds = detach(&m, fds);
	if ((size_t)n != len || m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		good = err_set(e, ERR_UNTRUSTED, "a frame was cut");
	else
		good = judge_frame(f, len, to, fds, nfds, e);
	/* A mapping outlives its descriptor; the peer's is the last one and passes to the frame. */
	if (good && nfds && nfds != (f->mapped ? 1u : 0u))
		f->peer_fd = fds[--nfds];
	for (unsigned i = 0; i < nfds; i++)
		close(fds[i]);
	return good;
}

bool
ipc_receive(int fd, enum role to, struct frame *out, bool *got, struct error *e)
{
	own(frame) struct frame f = { .peer_fd = -1 };
	ssize_t n = waiting(fd);

	if (n < 0 && errno == EAGAIN) {
		*got = false;
		return true;
	}
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return err_set(e, ERR_MISSING, "the peer closed its channel");
	if (n < 0)
		return err_errno(e, "receive");
	if (n > IPC_HEADER + IPC_INLINE_MAX)
		return err_set(e, ERR_UNTRUSTED, "a frame of %zd bytes", n);
	f.inline_buf = malloc((size_t)n);
	if (!f.inline_buf)
		return err_set(e, ERR_MEMORY, "a frame of %zd bytes", n);
	if (!take(fd, &f, (size_t)n, to, e))
		return false;
	*out = f;
	f = (struct frame){ .peer_fd = -1 };
	*got = true;
	return true;
}
