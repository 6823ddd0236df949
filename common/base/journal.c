#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "journal.h"
#include "scope.h"

static const char *const ids[] = {
#define X(name, id, subject, text) [MESSAGE_##name] = id,
	MESSAGE_IDS(X)
#undef X
};

const char *
message_id(enum message_id m)
{
	return (unsigned)m < MESSAGE_COUNT ? ids[m] : ids[MESSAGE_REFUSED];
}

void
journal_put(struct journal *j, const char *field, const char *value)
{
	size_t name = strlen(field), n = strlen(value);

	if (j->full || name + n + 2 > sizeof(j->buf) - j->used) {
		j->full = true;
		return;
	}
	memcpy(j->buf + j->used, field, name);
	j->used += name;
	j->buf[j->used++] = '=';
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)value[i];

		j->buf[j->used++] = c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	j->buf[j->used++] = '\n';
}

void
journal_put_number(struct journal *j, const char *field, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	journal_put(j, field, text);
}

void
journal_open_plain(struct journal *j, int facility, int priority, const char *program)
{
	j->used = 0;
	j->full = false;
	journal_put_number(j, "PRIORITY", priority);
	journal_put_number(j, "SYSLOG_FACILITY", facility >> 3);
	journal_put(j, "SYSLOG_IDENTIFIER", program);
	journal_put_number(j, "SYSLOG_PID", getpid());
}

void
journal_open(struct journal *j, enum message_id m, int facility, int priority, const char *program)
{
	journal_open_plain(j, facility, priority, program);
	journal_put(j, "MESSAGE_ID", message_id(m));
}

bool
journal_send(const struct journal *j, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct iovec text = { (void *)j->buf, j->used };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &text, .msg_iovlen = 1 };
	own(fd) int fd = -1;

	if (j->full || strlen(path) >= sizeof(to.sun_path))
		return false;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 && sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)j->used;
}
