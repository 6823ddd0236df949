/*
 * verifierd: makes the sockets, starts every role as an executable of its own, and starts those
 * again that died. It holds no key and reads nothing from outside but its configuration.
 */
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "clock.h"
#include "confine.h"
#include "kernel.h"
#include "listen.h"
#include "log.h"
#include "notify.h"
#include "programs.h"
#include "roles.h"
#include "scope.h"
#include "syscalls.h"

enum {
	PLACES_MAX = 2 + 3 * WORKERS_MAX,
	SETUP_MS = 60 * 1000,               /* first start makes keys, certificates and the schema */
	START_MS = 20 * 1000,
	STOP_MS = 6 * 1000,                 /* for each half of the way down */
	STEADY_MS = 10 * 1000,              /* who ran so long has not failed at its start */
	BACKOFF_MS = 100, BACKOFF_MAX_MS = 1000,
	TAKE_OVER_MS = 3000, TRY_AGAIN_MS = 50,
	SAFE_FD = 64,                       /* above every descriptor that a role expects */
};

/* One role's place: whoever is in it now, and when the next one may come. */
struct place {
	enum role role;
	uint8_t   index;
	uint32_t  generation;
	pid_t     pid;                      /* 0: empty */
	int       ready;                    /* our end of its pipe; -1 when it has spoken */
	bool      up;
	int64_t   started, next;            /* CLOCK_MONOTONIC */
	unsigned  failures;
};

enum phase { STARTING, SERVING, STOP_NET, STOP_CORE, STOP_ALL };

struct daemon {
	struct options options;
	const char *conf;
	char        libexec[OPTION_PATH];
	bool        foreground;
	int         hosts, admin, signals;  /* listening sockets; signalfd */
	int         core;                   /* our end of the channel to core */
	struct place place[PLACES_MAX];
	unsigned    places;
	enum phase  phase;
	int64_t     phase_until;
	bool        was_ready, restart_all, failed;
};

/* --- starting one --- */

static const char *const programs[ROLE_COUNT] = {
	[ROLE_CORE] = "core", [ROLE_HOSTS] = "net", [ROLE_ADMIN] = "net", [ROLE_PARSE] = "parse", [ROLE_JUDGE] = "judge",
};

/*
 * Runs in the child: descriptors at their numbers, signals as usual, and away. Never returns. Roles end with
 * main, however it ends: nobody else would start or stop them.
 */
static void
become(const struct daemon *d, const char *program, const char *word, const int fds[3], pid_t parent)
{
	char path[OPTION_PATH + 32];
	char *argv[9];
	unsigned n = 0;
	sigset_t none;
	int high[3];

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(126);
	for (int i = 0; i < 3; i++)
		high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD, SAFE_FD);
	for (int i = 0; i < 3; i++)
		if (high[i] >= 0 && dup2(high[i], FD_READY + i) < 0)
			_exit(126);
	if (close_range(fds[2] >= 0 ? FD_ROLE_END : fds[1] >= 0 ? FD_LISTEN : FD_CHANNEL, ~0u, 0) < 0)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(path, sizeof(path), "%s/verifierd-%s", d->libexec, program);
	argv[n++] = path;
	if (d->conf) {
		argv[n++] = (char *)(uintptr_t)"-c";
		argv[n++] = (char *)(uintptr_t)d->conf;
	}
	if (d->foreground)
		argv[n++] = (char *)(uintptr_t)"-f";
	if (!d->options.sandbox)
		argv[n++] = (char *)(uintptr_t)"-n";
	if (word)
		argv[n++] = (char *)(uintptr_t)word;
	argv[n] = NULL;
	execv(path, argv);
	fprintf(stderr, "verifierd: %s: %s\n", path, strerror(errno));
	_exit(127);
}

static bool
spawn(struct daemon *d, const char *program, const char *word, int channel, int listener, pid_t *pid, int *ready,
    struct error *e)
{
	own(fd) int ours = -1, theirs = -1;
	int ends[2];
	pid_t child, self = getpid();

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno(e, "pipe");
	ours = ends[0];
	theirs = ends[1];
	child = fork();
	if (child < 0)
		return err_errno(e, "fork");
	if (!child)
		become(d, program, word, (const int[3]){ theirs, channel, listener }, self);
	*pid = child;
	*ready = give_fd(&ours);
	return true;
}

/* core learns of the other end before the role can say anything. */
static bool
tell_core(struct daemon *d, const struct place *p, int end, struct error *e)
{
	uint8_t which[6];
	struct writer w = wr_open(which, sizeof(which));

	wr_u8(&w, (uint8_t)p->role, "role");
	wr_u8(&w, p->index, "index");
	wr_be32(&w, p->generation, "generation");
	return ipc_send(d->core, ROLE_MAIN, MSG_CHANNEL, 0, which, w.used, end, e);
}

static bool
start_role(struct daemon *d, struct place *p, struct error *e)
{
	own(fd) int ours = -1, theirs = -1;
	int ends[2];
	int listener = p->role == ROLE_HOSTS ? d->hosts : p->role == ROLE_ADMIN ? d->admin : -1;
	const char *word = p->role == ROLE_HOSTS ? "hosts" : p->role == ROLE_ADMIN ? "admin" : NULL;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(e, "socketpair");
	ours = ends[0];
	theirs = ends[1];
	p->generation++;
	if (p->role == ROLE_CORE) {
		if (d->core >= 0)
			close(d->core);
		d->core = give_fd(&ours);
	} else if (!tell_core(d, p, ours, e)) {
		return false;
	}
	return spawn(d, programs[p->role], word, theirs, listener, &p->pid, &p->ready, e);
}

static void
later(struct place *p, int64_t now)
{
	int64_t wait = (int64_t)BACKOFF_MS << (p->failures < 5 ? p->failures : 5);

	p->failures++;
	p->next = now + (wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS);
}

static void
start_places(struct daemon *d, int64_t now)
{
	for (unsigned i = 0; i < d->places; i++) {
		struct place *p = &d->place[i];
		struct error e;

		if (p->pid || p->next > now)
			continue;
		if (p->role != ROLE_CORE && !d->place[0].pid)
			continue;
		p->started = now;
		if (!start_role(d, p, &e)) {
			log_say(LOG_ERR, "%s %u: %s", role_word(p->role), p->index, e.why);
			later(p, now);
		}
	}
}

/* --- what happens --- */

static struct place *
place_of(struct daemon *d, pid_t pid)
{
	for (unsigned i = 0; i < d->places; i++)
		if (d->place[i].pid == pid)
			return &d->place[i];
	return NULL;
}

static void
signal_roles(const struct daemon *d, enum role role, int sig)
{
	for (unsigned i = 0; i < d->places; i++)
		if (d->place[i].pid && (role == ROLE_COUNT || d->place[i].role == role))
			kill(d->place[i].pid, sig);
}

static bool
anybody(const struct daemon *d, enum role role)
{
	for (unsigned i = 0; i < d->places; i++)
		if (d->place[i].pid && (role == ROLE_COUNT || d->place[i].role == role))
			return true;
	return false;
}

static void
ended(struct daemon *d, struct place *p, int status, int64_t now)
{
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool stopping = d->phase >= STOP_NET;

	if (p->ready >= 0)
		close(p->ready);
	if (!clean && !stopping && !d->restart_all)
		log_say(LOG_WARNING, "%s %u %s %d", role_word(p->role), p->index,
		    WIFSIGNALED(status) ? "was ended by signal" : "exited with status",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (now - p->started >= STEADY_MS)
		p->failures = 0;
	p->next = now;
	if (!(clean && p->up))
		later(p, now);
	/* Who cannot start at all the first time will not the second: say so and end. */
	if (!d->was_ready && !stopping && !p->up)
		d->failed = true;
	p->pid = 0;
	p->ready = -1;
	p->up = false;
	/* Nothing survives core: it alone knows what the others were doing. */
	if (p->role == ROLE_CORE && !stopping) {
		d->restart_all = true;
		signal_roles(d, ROLE_COUNT, SIGKILL);
	}
}

static void
reap(struct daemon *d, int64_t now)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct place *p = place_of(d, pid);

		if (p)
			ended(d, p, status, now);
	}
	if (d->restart_all && !anybody(d, ROLE_COUNT)) {
		d->restart_all = false;
		log_say(LOG_WARNING, "core ended: all roles start again");
	}
}

static void
go(struct daemon *d, enum phase phase, int64_t now)
{
	d->phase = phase;
	d->phase_until = now + STOP_MS;
	if (phase == STOP_NET) {
		notify("STOPPING=1");
		log_say(LOG_NOTICE, "stopping");
		signal_roles(d, ROLE_HOSTS, SIGTERM);
		signal_roles(d, ROLE_ADMIN, SIGTERM);
	} else if (phase == STOP_CORE) {
		signal_roles(d, ROLE_HOSTS, SIGKILL);
		signal_roles(d, ROLE_ADMIN, SIGKILL);
		signal_roles(d, ROLE_CORE, SIGTERM);
	} else if (phase == STOP_ALL) {
		signal_roles(d, ROLE_COUNT, SIGKILL);
	}
}

/* The way down: first nobody new comes in, then what is under way ends, then the rest. */
static void
step_down(struct daemon *d, int64_t now)
{
	if (d->phase == STOP_NET && (now >= d->phase_until || (!anybody(d, ROLE_HOSTS) && !anybody(d, ROLE_ADMIN))))
		go(d, STOP_CORE, now);
	if (d->phase == STOP_CORE && (now >= d->phase_until || !anybody(d, ROLE_CORE)))
		go(d, STOP_ALL, now);
}

static void
reload(struct daemon *d)
{
	struct options fresh;
	struct error e;

	if (!options_read(d->conf, &fresh, &e)) {
		log_say(LOG_ERR, "not reloaded: %s", e.why);
		return;
	}
	signal_roles(d, ROLE_CORE, SIGHUP);
	signal_roles(d, ROLE_HOSTS, SIGHUP);
	signal_roles(d, ROLE_ADMIN, SIGHUP);
}

static void
take_signal(struct daemon *d, int64_t now)
{
	struct signalfd_siginfo s;

	while (read(d->signals, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGCHLD)
			reap(d, now);
		else if (s.ssi_signo == SIGHUP)
			reload(d);
		else if (d->phase < STOP_NET)
			go(d, STOP_NET, now);
	}
}

static void
take_ready(struct place *p)
{
	char byte;

	p->up = read(p->ready, &byte, 1) == 1;
	close(p->ready);
	p->ready = -1;
}

/* core asks for another worker: only if that very process is still in its place. */
static void
take_core(struct daemon *d)
{
	own(frame) struct frame f = { .peer_fd = -1 };
	struct error e;
	bool got;
	uint8_t role, index;
	uint32_t generation;

	if (!ipc_receive(d->core, ROLE_MAIN, &f, &got, &e)) {
		close(d->core);
		d->core = -1;
		signal_roles(d, ROLE_CORE, SIGKILL);
		return;
	}
	if (!got)
		return;
	role = rd_u8(&f.payload, "role");
	index = rd_u8(&f.payload, "index");
	generation = rd_be32(&f.payload, "generation");
	for (unsigned i = 0; rd_end(&f.payload, &e) && i < d->places; i++) {
		struct place *p = &d->place[i];

		if (p->role != ROLE_CORE && p->role == (enum role)role && p->index == index &&
		    p->generation == generation && p->pid)
			kill(p->pid, SIGKILL);
	}
}

static void
say_ready(struct daemon *d)
{
	if (d->phase != STARTING || d->restart_all)
		return;
	for (unsigned i = 0; i < d->places; i++)
		if (!d->place[i].up)
			return;
	d->phase = SERVING;
	d->was_ready = true;
	notify("READY=1");
	log_say(LOG_NOTICE, "ready: hosts on %s, administrators on %s", d->options.hosts, d->options.admin);
}

/* --- the loop --- */

static int
wait_ms(const struct daemon *d)
{
	int64_t at = d->phase >= STOP_NET ? d->phase_until : INT64_MAX;

	for (unsigned i = 0; i < d->places && d->phase < STOP_NET; i++)
		if (!d->place[i].pid && d->place[i].next < at)
			at = d->place[i].next;
	return at == INT64_MAX ? -1 : clock_left(at);
}

static bool
turn(struct daemon *d)
{
	struct pollfd fds[PLACES_MAX + 2] = {
		{ .fd = d->signals, .events = POLLIN }, { .fd = d->core, .events = POLLIN },
	};
	int64_t now;

	for (unsigned i = 0; i < d->places; i++)
		fds[2 + i] = (struct pollfd){ .fd = d->place[i].ready, .events = POLLIN };
	if (poll(fds, 2 + d->places, wait_ms(d)) < 0 && errno != EINTR)
		return false;
	for (unsigned i = 0; i < d->places; i++)
		if (fds[2 + i].revents && d->place[i].ready == fds[2 + i].fd)
			take_ready(&d->place[i]);
	if (fds[1].revents && d->core >= 0)
		take_core(d);
	now = clock_mono();
	if (fds[0].revents)
		take_signal(d, now);
	if (d->failed)
		go(d, STOP_ALL, now);
	step_down(d, now);
	if (d->phase < STOP_NET && !d->restart_all)
		start_places(d, now);
	say_ready(d);
	return d->phase < STOP_NET || anybody(d, ROLE_COUNT);
}

/* --- from the start to the loop --- */

static void
add_places(struct daemon *d, enum role role, unsigned count)
{
	for (unsigned i = 0; i < count && d->places < PLACES_MAX; i++)
		d->place[d->places++] = (struct place){ .role = role, .index = (uint8_t)i, .ready = -1 };
}

/*
 * Where the roles are: as configured; else as installed when this is the installed program; else
 * beside this program, which is where a build tree has them.
 */
static bool
find_libexec(struct daemon *d, struct error *e)
{
	char self[OPTION_PATH];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (*d->options.libexec) {
		memcpy(d->libexec, d->options.libexec, sizeof(d->libexec));
		return true;
	}
	if (n < 0)
		return err_errno(e, "/proc/self/exe");
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	snprintf(d->libexec, sizeof(d->libexec), "%s", strcmp(self, SBINDIR) != 0 ? self : PKGLIBEXECDIR);
	return true;
}

static bool
folder(const char *path, mode_t mode, const struct passwd *owner, struct error *e)
{
	if (mkdir(path, mode) < 0) {
		if (errno == EEXIST)
			return true;
		return err_errno(e, "%.150s", path);
	}
	return !owner || chown(path, owner->pw_uid, owner->pw_gid) == 0 || err_errno(e, "%.150s", path);
}

static bool
drop_to(const struct passwd *pw, struct error *e)
{
	if (!pw)
		return true;
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)
		return err_errno(e, "become user %s", pw->pw_name);
	return setuid(0) < 0 || err_set(e, ERR_SYSTEM, "user %s can become root again", pw->pw_name);
}

/* The roles of a main that was killed this instant may still be on their way out. */
static bool
listen_all(struct daemon *d, struct error *e)
{
	int64_t until = clock_mono() + TAKE_OVER_MS;

	for (;;) {
		if ((d->hosts >= 0 || listen_tcp(d->options.hosts, &d->hosts, e)) &&
		    (d->admin >= 0 || listen_unix(d->options.admin, &d->admin, e)))
			return true;
		if (e->code != ERR_CONFLICT || !clock_left(until))
			return false;
		poll(NULL, 0, TRY_AGAIN_MS);
	}
}

/* Everything that may need root, then no root any more. */
static bool
prepare(struct daemon *d, struct error *e)
{
	const struct options *o = &d->options;
	bool drops = geteuid() == 0 && *o->user && strcmp(o->user, "root") != 0;
	const struct passwd *pw = drops ? getpwnam(o->user) : NULL;
	struct rlimit files;

	if (drops && !pw)
		return err_set(e, ERR_CONFIG, "[process] user: there is no user %s", o->user);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	return folder(o->run_dir, 0755, pw, e) && folder(o->state_dir, 0700, pw, e) &&
	    listen_all(d, e) && drop_to(pw, e);
}

/* Runs to its end before anybody serves. */
static bool
run_setup(struct daemon *d, struct error *e)
{
	int64_t until = clock_mono() + SETUP_MS;
	own(fd) int ready = -1;
	int status = -1;
	pid_t pid;
	char byte;

	if (!spawn(d, "setup", NULL, -1, -1, &pid, &ready, e))
		return false;
	for (;;) {
		struct pollfd end = { .fd = ready, .events = POLLIN };

		if (poll(&end, 1, clock_left(until)) != 0 && (end.revents & POLLHUP || read(ready, &byte, 1) == 0))
			break;
		if (clock_mono() >= until) {
			kill(pid, SIGKILL);
			break;
		}
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || err_set(e, ERR_SYSTEM, "verifierd-setup failed");
}

static bool
open_signals(struct daemon *d, struct error *e)
{
	static const int wanted[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (unsigned i = 0; i < COUNT(wanted); i++)
		sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signals >= 0 || err_errno(e, "signalfd");
}

/* What no role needs is given up here already, for all of them; the rest is each role's own, sandbox.c. */
static bool
confine(const struct daemon *d, struct error *e)
{
	char core[OPTION_PATH + 32], lacks[80];

	if (!confine_capabilities(CONFINE_ALL, e) || !confine_process(e))
		return false;
	if (!d->options.sandbox || SANITIZED)
		return true;
	if (kernel_lacks(lacks, sizeof(lacks)))
		log_say(LOG_WARNING, "%s: verifierd and its roles run without", lacks);
	snprintf(core, sizeof(core), "%s/verifierd-core", d->libexec);
	return programs_only_with(core, e) && syscalls_enter(NULL, e);
}

static int
run(struct daemon *d)
{
	struct error e = { .code = ERR_NONE };

	if (!find_libexec(d, &e) || !prepare(d, &e) || !confine(d, &e) || !open_signals(d, &e) || !run_setup(d, &e)) {
		log_say(LOG_ERR, "%s", e.why);
		return e.code == ERR_CONFIG ? 2 : 1;
	}
	add_places(d, ROLE_CORE, 1);
	add_places(d, ROLE_HOSTS, d->options.net);
	add_places(d, ROLE_ADMIN, 1);
	add_places(d, ROLE_PARSE, d->options.workers);
	add_places(d, ROLE_JUDGE, d->options.workers);
	start_places(d, clock_mono());
	while (turn(d))
		;
	unlink(d->options.admin);
	log_say(LOG_NOTICE, "stopped");
	return d->failed;
}

static const char usage_text[] =
	"usage: verifierd [-f] [-t] [-c FILE]\n"
	"  -c FILE   configuration; otherwise " SYSCONFDIR DEFAULT_CONF "\n"
	"  -f        stay in the foreground and speak on stderr\n"
	"  -t        check the configuration and exit: 0 good, 2 not\n"
	"  -h, --help\n";

static int
check(const struct daemon *d, struct error *e)
{
	if (listen_check(d->options.hosts, e))
		return 0;
	fprintf(stderr, "verifierd: [listen] hosts: %s\n", e->why);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option words[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	static struct daemon d = { .hosts = -1, .admin = -1, .signals = -1, .core = -1 };
	struct error e = { .code = ERR_NONE };
	bool only_check = false;
	int c;

	while ((c = getopt_long(argc, argv, "c:fth", words, NULL)) != -1) {
		if (c == 'c') {
			d.conf = optarg;
		} else if (c == 'f') {
			d.foreground = true;
		} else if (c == 't') {
			only_check = true;
		} else {
			fputs(usage_text, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 64;
		}
	}
	log_open("verifierd", d.foreground || only_check);
	if (!options_read(d.conf, &d.options, &e)) {
		fprintf(stderr, "verifierd: %s\n", e.why);
		return 2;
	}
	c = check(&d, &e);
	return only_check || c ? c : run(&d);
}
