#include <sys/epoll.h>
#include <sys/socket.h>
#include "core.h"
#include "log.h"
#include "scope.h"

bool
channel_watch(struct core *c, const struct channel *ch, bool out, bool add)
{
	struct epoll_event ev = { .events = EPOLLIN | (out ? EPOLLOUT : 0u), .data = { .ptr = (void *)(uintptr_t)ch } };

	return epoll_ctl(c->epoll, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, ch->fd, &ev) == 0;
}

struct channel *
channel_find(struct core *c, enum role role, uint8_t index)
{
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		if (c->channel[i].fd >= 0 && c->channel[i].role == role && c->channel[i].index == index)
			return &c->channel[i];
	return NULL;
}

static struct channel *
free_slot(struct core *c)
{
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		if (c->channel[i].fd < 0)
			return &c->channel[i];
	return NULL;
}

bool
channel_open(struct core *c, int fd, enum role role, uint8_t index, uint32_t generation, struct error *e)
{
	struct channel *ch = channel_find(c, role, index);
	int room = 4 << 20;

	if (ch)
		channel_lost(c, ch, "replaced by a new process");
	ch = free_slot(c);
	if (!ch)
		return err_set(e, ERR_LIMIT, "more than %d channels", CHANNELS_MAX);
	*ch = (struct channel){ .fd = fd, .role = role, .index = index, .generation = generation };
	ch->last = &ch->first;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));   /* what the system allows of it */
	if (!channel_watch(c, ch, false, true)) {
		ch->fd = -1;
		return err_errno(e, "epoll");
	}
	if (role == ROLE_PARSE || role == ROLE_JUDGE)
		workers_feed(c, role);
	return true;
}

static void
drop_outgoing(struct channel *ch)
{
	for (struct outgoing *o = ch->first, *next; o; o = next) {
		next = o->next;
		free(o);
	}
	ch->first = NULL;
	ch->last = &ch->first;
	ch->waiting = 0;
}

void
channel_lost(struct core *c, struct channel *ch, const char *why)
{
	if (ch->fd < 0)
		return;
	if (!c->draining)
		log_say(LOG_NOTICE, "%s %u: %s", role_word(ch->role), ch->index, why);
	close(ch->fd);
	ch->fd = -1;
	drop_outgoing(ch);
	for (struct job *j = c->oldest; j; j = j->newer)
		if (j->asker == ch)
			j->asker = NULL;
	worker_lost(c, ch);
}

static void
keep(struct core *c, struct channel *ch, enum message type, uint64_t job, const void *p, size_t len)
{
	struct outgoing *o = ch->waiting < OUT_FRAMES_MAX ? malloc(sizeof(*o) + len) : NULL;

	if (!o) {
		channel_lost(c, ch, "does not take its answers");
		return;
	}
	*o = (struct outgoing){ .type = type, .job = job, .len = len };
	if (len)
		memcpy(o->payload, p, len);
	*ch->last = o;
	ch->last = &o->next;
	if (!ch->waiting++)
		(void)channel_watch(c, ch, true, false);
}

void
channel_send(struct core *c, struct channel *ch, enum message type, uint64_t job, const void *p, size_t len)
{
	struct error e = { .code = ERR_NONE };

	if (ch->fd < 0)
		return;
	if (ch->first) {
		keep(c, ch, type, job, p, len);
		return;
	}
	if (ipc_send(ch->fd, ROLE_CORE, type, job, p, len, -1, &e))
		return;
	if (e.code == ERR_LIMIT)
		keep(c, ch, type, job, p, len);
	else
		channel_lost(c, ch, e.why);
}

/* What waited goes out, as far as the peer takes it. False when the channel is lost. */
bool
channel_flush(struct core *c, struct channel *ch)
{
	struct error e = { .code = ERR_NONE };

	while (ch->first) {
		struct outgoing *o = ch->first;

		if (!ipc_send(ch->fd, ROLE_CORE, o->type, o->job, o->payload, o->len, -1, &e)) {
			if (e.code == ERR_LIMIT)
				return true;
			channel_lost(c, ch, e.why);
			return false;
		}
		ch->first = o->next;
		ch->waiting--;
		free(o);
	}
	ch->last = &ch->first;
	(void)channel_watch(c, ch, false, false);
	return true;
}
