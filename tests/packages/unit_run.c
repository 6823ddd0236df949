/*
 * unit_run: what systemd does for a unit, as far as a test needs it and a machine without systemd has it.
 *
 *   unit_run manage DIR COMMAND...   holds DIR/gate.sock and DIR/decisions.sock and starts COMMAND with them, and again
 *                                    whenever it ends; writes what it says to NOTIFY_SOCKET to stdout. SIGTERM ends both.
 *   unit_run enter CALLS COMMAND...  becomes COMMAND, with the system calls alone that the file CALLS names, sockets of the
 *                                    units' families, and no memory that is both written and run. No new privileges.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST = 3, AGAIN_MS = 100 };

static _Noreturn void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- enter --- */

static void
allow(scmp_filter_ctx f, const char *name)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	int call = seccomp_syscall_resolve_name(name);

	if (call < 0)
		return;
	if (!strcmp(name, "socket")) {
		for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
			if (seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0)))
				die(name);
	} else if (!strcmp(name, "mmap")) {
		static const scmp_datum_t both = PROT_WRITE | PROT_EXEC, fine[] = { 0, PROT_WRITE, PROT_EXEC };

		for (size_t i = 0; i < 3; i++)
			if (seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, both, fine[i])))
				die(name);
	} else if (!strcmp(name, "mprotect")) {
		if (seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)))
			die(name);
	} else if (seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 0)) {
		die(name);
	}
}

static _Noreturn void
enter(const char *calls, char **command)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	FILE *names = fopen(calls, "r");
	char name[64];

	if (!f || !names)
		die(calls);
	while (fscanf(names, "%63s", name) == 1)
		allow(f, name);
	fclose(names);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || seccomp_load(f))
		die("seccomp");
	execv(command[0], command);
	die(command[0]);
}

/* --- manage --- */

static void
make(const char *dir, const char *name, int type, int at)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", dir, name);
	unlink(a.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || chmod(a.sun_path, 0666) ||
	    (type == SOCK_STREAM ? listen(fd, 256) : setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int))))
		die(a.sun_path);
	if (fd != at && (dup2(fd, at) < 0 || close(fd)))
		die("dup2");
}

static pid_t
start(char **command)
{
	pid_t pid = fork();
	char text[16];
	sigset_t none;

	if (pid)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("WATCHDOG_PID", text, 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	execvp(command[0], command);
	die(command[0]);
}

static _Noreturn void
manage(const char *dir, char **command)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	sigset_t set;
	pid_t pid;
	int said, signals;

	make(dir, "gate.sock", SOCK_STREAM, FIRST);
	make(dir, "decisions.sock", SOCK_DGRAM, FIRST + 1);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/notify", dir);
	unlink(at.sun_path);
	said = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (said < 0 || bind(said, (struct sockaddr *)&at, sizeof(at)) || chmod(at.sun_path, 0666))
		die(at.sun_path);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	pid = start(command);
	for (;;) {
		struct pollfd p[2] = { { .fd = said, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
		struct signalfd_siginfo s;
		char word[256];
		ssize_t n;

		poll(p, 2, -1);
		if (p[0].revents && (n = recv(said, word, sizeof(word), 0)) > 0) {
			printf("%.*s\n", (int)n, word);
			fflush(stdout);
		}
		if (!p[1].revents || read(signals, &s, sizeof(s)) != sizeof(s))
			continue;
		if (s.ssi_signo == SIGTERM) {
			kill(pid, SIGTERM);
			waitpid(pid, NULL, 0);
			exit(0);
		}
		if (waitpid(pid, NULL, WNOHANG) == pid) {
			printf("ENDED\n");
			fflush(stdout);
			poll(NULL, 0, AGAIN_MS);
			pid = start(command);
		}
	}
}

int
main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "enter"))
		enter(argv[2], argv + 3);
	if (argc > 3 && !strcmp(argv[1], "manage"))
		manage(argv[2], argv + 3);
	return 2;
}
