#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "call.h"
#include "inject.h"
#include "scope.h"

#if defined(__SANITIZE_ADDRESS__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#ifdef __GLIBC__
#define OWN_MALLOC 1
#else
#define OWN_MALLOC 0
#endif
#endif

/* The calls of a clean run, by their numbers: what is worth failing with what. */
enum { CALLS_MAX = 4096 };
static long made_calls[CALLS_MAX];

/* Shared with the child, whose memory we do not see. */
static struct shared {
	unsigned allocs, fail_at;
	bool     stays;
} *shared;
static bool counts;             /* in the child, while fn runs */

#if OWN_MALLOC
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static bool
no_memory(void)
{
	unsigned n;

	if (!counts)
		return false;
	n = ++shared->allocs;
	if (!shared->fail_at || n < shared->fail_at || (n > shared->fail_at && !shared->stays))
		return false;
	errno = ENOMEM;
	return true;
}

/* In the place of libc's, for the libraries too. */
#pragma GCC visibility push(default)
void *malloc(size_t n) { return no_memory() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return no_memory() ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return no_memory() ? NULL : __libc_realloc(p, n); }
#pragma GCC visibility pop
#endif

bool
inject_allocs(void)
{
	return OWN_MALLOC;
}

static bool
moves_bytes(long nr)
{
	switch (nr) {
	case SYS_read: case SYS_write: case SYS_pread64: case SYS_pwrite64: case SYS_sendto: case SYS_recvfrom:
		return true;
	default:
		return false;
	}
}

/* What returns 0 where time or data has ended. */
static bool
may_end(long nr)
{
	switch (nr) {
	case SYS_readv: case SYS_writev: case SYS_sendmsg: case SYS_recvmsg: case SYS_ppoll:
#ifdef SYS_poll
	case SYS_poll:
#endif
		return true;
	default:
		return moves_bytes(nr);
	}
}

/* What waits for somebody, and so may be interrupted or told to come again. */
static bool
may_wait(long nr)
{
	switch (nr) {
	case SYS_connect: case SYS_accept4: case SYS_openat: case SYS_getrandom: case SYS_futex: case SYS_fsync:
		return true;
	default:
		return may_end(nr);
	}
}

/* A sanitizer makes these between the calls of the program, and ends it when they fail. */
static bool
sanitizers_own(long nr)
{
	return !OWN_MALLOC && (nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mremap || nr == SYS_madvise || nr == SYS_sigaltstack);
}

static bool
plausible(long nr, int error)
{
	if (sanitizers_own(nr))
		return false;
	switch (error) {
	case FAULT_SHORT: return moves_bytes(nr);
	case FAULT_CUT:   return nr == SYS_read;
	case FAULT_END:   return may_end(nr);
	case EINTR:
	case EAGAIN:      return may_wait(nr);
	default:          return true;
	}
}

enum deed { LEFT_ALONE, SKIPPED };

static enum deed
fail_call(pid_t pid, long nr, int error, struct run *out)
{
	if (call_spared(nr) || !plausible(nr, error))
		return LEFT_ALONE;
	snprintf(out->last, sizeof(out->last), "system call %ld", nr);
	if (error == FAULT_SHORT || error == FAULT_CUT) {
		call_count(pid, error == FAULT_SHORT ? 1 : CUT_AT);
		return LEFT_ALONE;
	}
	call_skip(pid);
	return SKIPPED;
}

static void
follow(pid_t pid, const struct fault *f, struct run *out)
{
	enum deed deed = LEFT_ALONE;
	int status, deliver = 0;

	for (;;) {
		struct __ptrace_syscall_info info = { .op = 0 };

		/* Behind the one that failed nothing needs to be looked at. */
		bool over = f->at && (f->alloc || (out->calls >= f->at + (f->error == FAULT_CUT) && !f->stays)) && deed == LEFT_ALONE;

		if (ptrace(over ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, deliver) < 0 || waitpid(pid, &status, 0) < 0)
			return;
		deliver = 0;
		if (WIFEXITED(status)) {
			out->result = WEXITSTATUS(status);
			return;
		}
		if (WIFSIGNALED(status)) {
			out->signal = WTERMSIG(status);
			return;
		}
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			deliver = WSTOPSIG(status);
			continue;
		}
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			long nr = (long)info.entry.nr;

			if (!f->at && out->calls < CALLS_MAX)
				made_calls[out->calls] = nr;
			out->calls += !call_spared(nr);
			deed = LEFT_ALONE;
			if (!f->alloc && f->at && (out->calls == f->at || (f->stays && out->calls > f->at)))
				deed = fail_call(pid, nr, f->error, out);
			else if (f->error == FAULT_CUT && out->calls == f->at + 1 && out->last[0])
				deed = fail_call(pid, nr, FAULT_END, out);
		} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && deed == SKIPPED) {
			call_result(pid, f->error < 0 ? 0 : -(long)f->error);
			deed = LEFT_ALONE;
		}
	}
}

static void __attribute__((noreturn))
child(int (*fn)(void *), void *arg, int limit_ms)
{
	const struct itimerval limit = { .it_value = { limit_ms / 1000, limit_ms % 1000 * 1000 } };
	int result;

	signal(SIGALRM, SIG_DFL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	setitimer(ITIMER_REAL, &limit, NULL);
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
		_exit(255);
	kill(getpid(), SIGSTOP);
	counts = true;
	result = fn(arg);
	counts = false;
	_exit(result);
}

void
inject(int (*fn)(void *), void *arg, const struct fault *f, int limit_ms, struct run *out)
{
	pid_t pid;
	int status;

	*out = (struct run){ .result = -1, .alloc = f->alloc, .stays = f->stays };
	if (!shared)
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	*shared = (struct shared){ .fail_at = f->alloc ? f->at : 0, .stays = f->stays };
	fflush(stdout);
	pid = fork();
	if (!pid)
		child(fn, arg, limit_ms);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
		return;
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	follow(pid, f, out);
	out->allocs = shared->allocs;
	if (f->alloc)
		snprintf(out->last, sizeof(out->last), "allocation");
}

static int
probe(void *arg)
{
	(void)arg;
	return (int)syscall(SYS_getppid) == -1 && errno == ENOSYS ? 7 : 8;
}

bool
inject_possible(const char **why)
{
	struct run r;

	if (!CALL_KNOWN) {
		*why = "not for this kind of processor";
		return false;
	}
	inject(probe, NULL, &(struct fault){ .at = 1, .error = ENOSYS }, 5000, &r);
	*why = "ptrace is not allowed here";
	return r.result == 7;
}

/* --- all of them in turn */

/* Those that some code treats apart are always tried; the others with FAULTS=all in the environment. */
static const struct { int error; bool stays, always; } errors[] = {
	{ ENOMEM, .always = true }, { ENOMEM, .stays = true, .always = true }, { EINTR, .always = true }, { EAGAIN, .always = true },
	{ FAULT_END, .always = true }, { FAULT_SHORT, .always = true }, { FAULT_CUT, .always = true },
	{ EIO, .stays = false }, { EIO, .stays = true }, { EMFILE, .stays = false }, { EMFILE, .stays = true }, { EACCES, .stays = false },
	{ EACCES, .stays = true },
};

static const char *
error_word(int error)
{
	return error == FAULT_END ? "an early end" : error == FAULT_SHORT ? "one byte" : error == FAULT_CUT ? "a part" :
	    strerror(error);
}

static unsigned
one(const struct sweep *s, const struct fault *f)
{
	struct run r;
	char what[160];

	if (s->before)
		s->before(s->arg);
	inject(s->fn, s->arg, f, s->limit_ms, &r);
	if (!r.last[0] && !r.signal)
		return 0;               /* nothing was there to fail */
	snprintf(what, sizeof(what), "%s: %s %u%s fails with %s", s->label, r.last, f->at, f->stays ? " and every later one" : "",
	    error_word(f->error));
	if (!s->judge(s->arg, &r, what))
		abort();
	return 1;
}

unsigned
inject_sweep(const struct sweep *s)
{
	const char *which = getenv("FAULTS");
	bool everything = which && !strcmp(which, "all");
	struct run clean;
	char what[160];
	unsigned made = 0;

	if (s->before)
		s->before(s->arg);
	inject(s->fn, s->arg, &(struct fault){ .at = 0 }, s->limit_ms, &clean);
	snprintf(what, sizeof(what), "%s: nothing fails", s->label);
	if (!s->judge(s->arg, &clean, what))
		abort();
	for (size_t k = 0; k < COUNT(errors); k++)
		for (unsigned at = 1; at <= clean.calls && at <= CALLS_MAX && (everything || errors[k].always); at++)
			if (plausible(made_calls[at - 1], errors[k].error))
				made += one(s, &(struct fault){ .at = at, .error = errors[k].error, .stays = errors[k].stays });
	for (unsigned stays = 0; stays <= (everything ? 1 : 0); stays++)
		for (unsigned at = 1; inject_allocs() && at <= clean.allocs; at++)
			made += one(s, &(struct fault){ .alloc = true, .at = at, .error = ENOMEM, .stays = stays });
	printf("%s: %u system calls, %u allocations, %u faults\n", s->label, clean.calls, clean.allocs, made);
	return made;
}
