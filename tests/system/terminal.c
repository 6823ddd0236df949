/*
 * terminal [-n NAME] COMMAND...: runs it on a terminal of its own, in a session of its own. NAME, "/dev/tty1", is what
 * the terminal is called there (a file that is made, and bound to it). Lines of standard input are typed one at a time,
 * whenever something is shown that ends like a question: "Password: ". Prints what is shown; exits as COMMAND did.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void __attribute__((noreturn))
broken(const char *what)
{
	perror(what);
	exit(125);
}

static int
open_master(const char *name, char path[static 64])
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, path, 64))
		broken("pseudo-terminal");
	if (!name)
		return fd;
	close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	if (mount(path, name, NULL, MS_BIND, NULL) < 0 || strlen(name) >= 64)
		broken(name);
	strcpy(path, name);
	return fd;
}

static void __attribute__((noreturn))
run(const char *path, char **argv)
{
	int fd;

	setsid();
	fd = open(path, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0)
		broken(path);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
	execvp(argv[0], argv);
	broken(argv[0]);
}

/* Whoever asks turns the echo off, and throws away what was typed before. */
static void
type(int master)
{
	struct termios t;
	char line[256];

	if (!fgets(line, sizeof(line), stdin))
		return;
	for (int i = 0; i < 200 && !tcgetattr(master, &t) && (t.c_lflag & ECHO); i++)
		usleep(10000);
	if (write(master, line, strlen(line)) < 0)
		broken("write");
}

/* Shows what has come; false when nobody will say more. */
static bool
show(int master, bool *asked)
{
	char buf[1024];
	ssize_t n = read(master, buf, sizeof(buf));

	if (n <= 0)
		return false;
	*asked = n >= 2 && !memcmp(buf + n - 2, ": ", 2);
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != '\r')
			putchar(buf[i]);
	fflush(stdout);
	return true;
}

int
main(int argc, char **argv)
{
	const char *name = NULL;
	struct pollfd p = { .events = POLLIN };
	char path[64];
	bool asked = false;
	int status = 0;
	pid_t pid;

	if (argc > 2 && !strcmp(argv[1], "-n")) {
		name = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: terminal [-n NAME] COMMAND...\n");
		return 2;
	}
	p.fd = open_master(name, path);
	pid = fork();
	if (pid < 0)
		broken("fork");
	if (!pid)
		run(path, argv + 1);
	/* Something that COMMAND left behind may keep the terminal: its own end is the end. */
	for (bool ended = false; !ended;) {
		ended = waitpid(pid, &status, WNOHANG) == pid;
		while (poll(&p, 1, ended ? 0 : 20) > 0 && show(p.fd, &asked))
			if (asked)
				type(p.fd);
		if (p.revents & POLLHUP && !ended)
			ended = waitpid(pid, &status, 0) == pid;
	}
	if (name)
		umount2(name, MNT_DETACH);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
