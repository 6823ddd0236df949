/*
 * fail_daemon CONTROL PROGRAM ARGUMENT...: runs a program and makes one of its system calls fail, when told to.
 *
 * CONTROL is a file that holds "AT ERRNO", and is read at each SIGUSR1: from then on the calls of all threads (not of
 * child processes) are counted, and call AT fails; 0: none. The number counted before is written to CONTROL.calls.
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include "call.h"
#include "scope.h"

static volatile sig_atomic_t told;
static pid_t program;

static void hear(int sig) { told = sig; }
static void pass_on(int sig) { kill(program, sig); }

struct plan { unsigned calls, at; int error; };

static void
read_control(const char *control, struct plan *p)
{
	char path[4096];
	own(file) FILE *in = fopen(control, "re");
	own(file) FILE *out = NULL;

	snprintf(path, sizeof(path), "%s.calls", control);
	out = fopen(path, "we");
	if (out)
		fprintf(out, "%u\n", p->calls);
	*p = (struct plan){ .calls = 0 };
	if (!in || fscanf(in, "%u %d", &p->at, &p->error) != 2)
		p->at = 0;
}

/* Threads whose call is being failed: few at once. */
enum { SKIPPED_MAX = 16 };
static pid_t skipped[SKIPPED_MAX];

static bool
take_skipped(pid_t tid, pid_t put)
{
	for (unsigned i = 0; i < SKIPPED_MAX; i++)
		if (skipped[i] == tid) {
			skipped[i] = put;
			return true;
		}
	return false;
}

static void
at_call(pid_t tid, struct plan *p)
{
	struct __ptrace_syscall_info info = { .op = 0 };

	ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		if (call_spared((long)info.entry.nr) || ++p->calls != p->at)
			return;
		call_skip(tid);
		take_skipped(0, tid);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && take_skipped(tid, 0)) {
		call_result(tid, -(long)p->error);
	}
}

/* The program's status. */
static int
follow(const char *control)
{
	struct plan p = { .calls = 0 };
	int status;

	for (;;) {
		pid_t tid = waitpid(-1, &status, __WALL);
		int deliver = 0;

		if (told) {
			told = 0;
			read_control(control, &p);
		}
		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			return 1;
		if (tid == program && WIFEXITED(status))
			return WEXITSTATUS(status);
		if (tid == program && WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		if (!WIFSTOPPED(status))
			continue;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			at_call(tid, &p);
		else if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != SIGTRAP)
			deliver = WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, tid, 0, deliver);
	}
}

int
main(int argc, char **argv)
{
	const struct sigaction on_told = { .sa_handler = hear }, on_end = { .sa_handler = pass_on };
	int status;

	if (argc < 3) {
		fputs("usage: fail_daemon CONTROL PROGRAM ARGUMENT...\n", stderr);
		return 2;
	}
	if (!CALL_KNOWN) {
		fputs("fail_daemon: not for this kind of processor\n", stderr);
		return 77;
	}
	program = fork();
	if (!program) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
			_exit(77);
		raise(SIGSTOP);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	sigaction(SIGUSR1, &on_told, NULL);
	sigaction(SIGTERM, &on_end, NULL);
	if (program < 0 || waitpid(program, &status, 0) < 0 || !WIFSTOPPED(status))
		return 77;
	ptrace(PTRACE_SETOPTIONS, program, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE);
	ptrace(PTRACE_SYSCALL, program, 0, 0);
	return follow(argv[1]);
}
