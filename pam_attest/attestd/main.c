/* main.c - attestd's options and its loop. attestd(8); daemon.h says which file does what. */
#include <signal.h>
#include <sys/signalfd.h>
#include "clock.h"
#include "daemon.h"
#include "log.h"
#include "scope.h"
#include "sockets.h"

/* X(letter, argument, help): the options, their help, and what attestd(8) is checked against. */
#define OPTIONS(X)                                                     \
	X('c', "FILE", "configuration; default " SYSCONFDIR "/attest/attestd.conf") \
	X('f', "",     "stay in the foreground, one line a state change on stderr") \
	X('t', "",     "check the configuration and exit: 0 good, 2 not")  \
	X('h', "",     "this help")

enum {
	DRAIN_MS = 12 * 1000,
	FIXED_FDS = 5,                         /* in the list that is polled, before the clients' */
};

static void
reload(struct daemon *d)
{
	struct options fresh;
	struct error e = { .code = ERR_NONE };

	/* Only checked here: what is in use belongs to the worker. A change takes a restart, which costs no login. */
	if (options_load(d->conf, &fresh, &e))
		log_say(LOG_NOTICE, "configuration is good; attesting anew (restart to apply changes)");
	else
		log_say(LOG_ERR, "%s", e.why);
	d->next_round = clock_mono();
}

static void
take_signal(struct daemon *d)
{
	struct signalfd_siginfo s;

	while (read(d->signal_fd, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGHUP)
			reload(d);
		else
			d->stopping = true;
	}
}

/* To systemd, when it is time: the loop still turns. Returns ms until the next word; -1: there is none. */
static int
say_alive(struct daemon *d)
{
	if (!d->watchdog)
		return -1;
	if (!clock_left(d->next_word)) {
		notify("WATCHDOG=1");
		d->next_word = clock_mono() + d->watchdog;
	}
	return clock_left(d->next_word);
}

static bool
turn(struct daemon *d)
{
	struct pollfd p[FIXED_FDS + CLIENTS_MAX] = {
		{ .fd = clients_room(&d->clients) ? d->gate_fd : -1, .events = POLLIN }, { .fd = d->decisions_fd, .events = POLLIN },
		{ .fd = d->signal_fd, .events = POLLIN }, { .fd = d->worker.out, .events = POLLIN },
		{ .fd = d->relying.out, .events = POLLIN },
	};
	unsigned n = FIXED_FDS + clients_poll(&d->clients, p + FIXED_FDS, CLIENTS_MAX);
	int wait = sooner(jobs_next(d), clients_expire(&d->clients, caller_late, d));
	struct clock now = clock_now();

	wait = sooner(wait, book_expire(&d->leases, &now));
	wait = sooner(wait, passports_due(d));
	if (poll(p, n, sooner(wait, say_alive(d))) < 0)
		return errno == EINTR;
	if (p[4].revents)
		callers_told(d);
	if (p[3].revents)
		jobs_finished(d);
	if (p[2].revents)
		take_signal(d);
	if (p[1].revents)
		intake_take(d);
	for (unsigned i = FIXED_FDS; i < n; i++) {
		struct client *c = p[i].revents ? clients_of(&d->clients, p[i].fd) : NULL;

		if (!c)
			continue;
		if (c->waiting) {       /* hung up */
			caller_forget(d, c);
			client_drop(c);
		} else if (client_read(c)) {
			caller_request(d, c);
		}
	}
	if (p[0].revents)
		clients_accept(&d->clients, d->gate_fd);
	passports_start(d);
	jobs_start_due(d);
	return true;
}

/* No new callers; those who wait get their answer. */
static void
drain(struct daemon *d)
{
	int64_t until = clock_mono() + DRAIN_MS;

	notify("STOPPING=1");
	d->worker.agent.ending = true;
	while (d->worker.busy && clock_left(until)) {
		struct pollfd p = { .fd = d->worker.out, .events = POLLIN };

		if (poll(&p, 1, clock_left(until)) > 0)
			jobs_finished(d);
	}
	worker_stop(&d->worker);
	relying_stop(&d->relying);
	intake_take(d);
	clients_close(&d->clients);
}

static int
usage(FILE *to, int status)
{
	fputs("usage: attestd [-c FILE] [-f] [-t]\n", to);
#define X(letter, argument, help) fprintf(to, "  -%c %-5s %s\n", letter, argument, help);
	OPTIONS(X)
#undef X
	return status;
}

int
main(int argc, char **argv)
{
	static struct daemon d;
	struct error e = { .code = ERR_NONE };
	bool foreground = false, test = false;
	int o;

	snprintf(d.conf, sizeof(d.conf), "%s/attest/attestd.conf", SYSCONFDIR);
	if (argc > 1 && !strcmp(argv[1], "--help"))
		return usage(stdout, 0);
	while ((o = getopt(argc, argv, "c:fth")) != -1)
		switch (o) {
		case 'c': snprintf(d.conf, sizeof(d.conf), "%s", optarg); break;
		case 'f': foreground = true; break;
		case 't': test = true; break;
		case 'h': return usage(stdout, 0);
		default:  return usage(stderr, 2);
		}
	log_open("attestd", foreground || test);
	if (!options_load(d.conf, &d.opt, &e)) {
		log_say(LOG_ERR, "%s", e.why);
		return 2;
	}
	if (test)
		return 0;
	if (!foreground && !getenv("NOTIFY_SOCKET") && daemon(0, 0) < 0)
		return 1;
	if (!daemon_start(&d, &e)) {
		log_say(LOG_ERR, "%s", e.why);
		return 1;
	}
	log_say(LOG_NOTICE, "started: %s", reason_code(d.last.record.reason));
	d.watchdog = watchdog_ms();
	notify("READY=1");
	while (!d.stopping && turn(&d))
		;
	drain(&d);
	log_say(LOG_NOTICE, "stopped");
	return 0;
}
