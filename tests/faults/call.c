#include <elf.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include "call.h"

#if defined(__x86_64__)
static void
poke(pid_t pid, size_t at, long value)
{
	ptrace(PTRACE_POKEUSER, pid, at, value);
}

void call_skip(pid_t pid) { poke(pid, offsetof(struct user_regs_struct, orig_rax), -1); }
void call_count(pid_t pid, long n) { poke(pid, offsetof(struct user_regs_struct, rdx), n); }
void call_result(pid_t pid, long value) { poke(pid, offsetof(struct user_regs_struct, rax), value); }
#elif defined(__aarch64__)
static void
set_register(pid_t pid, unsigned which, long value)
{
	struct user_regs_struct regs;
	struct iovec v = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) < 0)
		return;
	regs.regs[which] = (unsigned long long)value;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v);
}

void
call_skip(pid_t pid)
{
	int none = -1;
	struct iovec v = { &none, sizeof(none) };

	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &v);
}

void call_count(pid_t pid, long n) { set_register(pid, 2, n); }
void call_result(pid_t pid, long value) { set_register(pid, 0, value); }
#else
void call_skip(pid_t pid) { (void)pid; }
void call_count(pid_t pid, long n) { (void)pid, (void)n; }
void call_result(pid_t pid, long value) { (void)pid, (void)value; }
#endif

bool
call_spared(long nr)
{
	return nr == SYS_exit_group || nr == SYS_exit || nr == SYS_rt_sigreturn;
}
