#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include "clock.h"
#include "program.h"
#include "scope.h"

/* Its standard output is the pipe; the rest is /dev/null. */
static bool
start(const char *const *argv, int out, pid_t *pid, struct error *e)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *env[] = { path, locale, NULL };
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	rc = posix_spawn(pid, argv[0], &actions, NULL, (char *const *)argv, env);
	posix_spawn_file_actions_destroy(&actions);
	return !rc || err_set(e, ERR_SYSTEM, "%s: %s", argv[0], strerror(rc));
}

/* All that comes, until the other end is closed. */
static bool
drain(int fd, char *text, size_t max, int64_t deadline, size_t *len, struct error *e)
{
	for (*len = 0;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, clock_left(deadline)) <= 0)
			return err_set(e, ERR_TIMEOUT, "it did not end in time");
		n = read(fd, text + *len, max - *len);
		if (n <= 0)
			return !n || err_errno(e, "read");
		*len += (size_t)n;
		if (*len == max)
			return err_set(e, ERR_LIMIT, "over %zu bytes", max);
	}
}

bool
program_output(const char *const *argv, size_t max, int wait_ms, char **out, size_t *len, struct error *e)
{
	own(mem) char *text = malloc(max + 1);
	own(fd) int ours = -1;
	own(fd) int theirs = -1;
	int pair[2], status = -1;
	bool good;
	pid_t pid;

	if (!text)
		return err_set(e, ERR_MEMORY, "%s", argv[0]);
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_errno(e, "pipe");
	ours = pair[0];
	theirs = pair[1];
	if (!start(argv, theirs, &pid, e))
		return false;
	close(give_fd(&theirs));
	good = drain(ours, text, max, clock_mono() + wait_ms, len, e);
	if (!good)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!good)
		return err_in(e, "%s", argv[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(e, ERR_REFUSED, "%s: it failed", argv[0]);
	text[*len] = '\0';
	*out = give(text);
	return true;
}
