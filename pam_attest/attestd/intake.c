/* intake.c - what gates decided, from decisions.sock to all who keep it: memory, files, counters, verifier, audit trail. */
#include <string.h>
#include <sys/socket.h>
#include "clock.h"
#include "daemon.h"
#include "log.h"

static void
recall(void *arg, const struct decision *decision)
{
	struct daemon *d = arg;

	decisions_remember(&d->decisions, decision);
	tally_add(&d->tally, decision, false);
	outbox_add(&d->outbox, decision);
}

void
intake_open(struct daemon *d)
{
	struct error e = { .code = ERR_NONE };
	bool known = outbox_open(&d->outbox, d->opt.state_dir, &e);

	if (!known)
		log_say(LOG_WARNING, "what the verifier was told last is not known, and not told again: %s", e.why);
	if (!diary_open(&d->diary, d->opt.state_dir, clock_now().wall, recall, d, &e))
		log_say(LOG_WARNING, "decisions are not kept: %s", e.why);
	/* Numbers go on where the verifier was told of them, whatever became of the file. */
	if (!known)
		outbox_skip(&d->outbox);
	if (d->diary.last < d->outbox.newest)
		d->diary.last = d->outbox.newest;
}

static void
take_decision(struct daemon *d, uid_t sender, const char *datagram, size_t len)
{
	struct decision *decision = decisions_take(&d->decisions, sender, clock_now().wall, datagram, len);

	if (!decision)
		return;
	diary_add(&d->diary, decision);
	tally_add(&d->tally, decision, true);
	outbox_add(&d->outbox, decision);
	trail_add(&d->trail, decision);
}

static void
receive(struct daemon *d)
{
	for (unsigned i = 0; i < 64; i++) {
		char buf[DECISION_MAX + 1];
		union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(struct ucred))]; } control;
		struct iovec iov = { buf, sizeof(buf) };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(d->decisions_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
		struct ucred who;

		if (n <= 0)
			return;
		if (!h || h->cmsg_type != SCM_CREDENTIALS || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
			continue;
		memcpy(&who, CMSG_DATA(h), sizeof(who));
		/* What root's processes say counts; in a set-up that runs as somebody else, so does our own uid. */
		take_decision(d, who.uid == geteuid() ? 0 : who.uid, buf, (size_t)n);
	}
}

/* What waits is written, once for all that came together. A disk that is full is told when it begins, and when it is over. */
static void
keep(struct daemon *d)
{
	struct error e = { .code = ERR_NONE };
	bool ok = diary_flush(&d->diary, clock_now().wall, &e);

	if (!ok && !d->diary_fails)
		log_say(LOG_WARNING, "decisions are not kept: %s", e.why);
	else if (ok && d->diary_fails)
		log_say(LOG_NOTICE, "decisions are kept again; %llu are lost", (unsigned long long)d->diary.lost);
	d->diary_fails = !ok;
}

void
intake_take(struct daemon *d)
{
	receive(d);
	keep(d);
}
