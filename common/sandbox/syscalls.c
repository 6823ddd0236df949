#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "kernel.h"
#include "scope.h"
#include "syscalls.h"

/* Memory, time, waiting, and what is already open. mmap, mprotect, ioctl and tgkill have rules of their own. */
static const char basic[] =
	"brk munmap mremap madvise futex membarrier rseq set_robust_list set_tid_address "
	"exit exit_group rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending sigaltstack restart_syscall "
	"clock_gettime clock_getres gettimeofday time clock_nanosleep nanosleep sched_yield getrandom "
	"read write readv writev close poll ppoll lseek fstat getpid gettid "
	"recvmsg sendmsg recvfrom sendto memfd_create fcntl";

/* Attacks on other processes, on the kernel, on the machine. None of ours makes these, whatever it has become. */
static const char hostile[] =
	"ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd "
	"mount umount2 move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr pivot_root chroot "
	"setns unshare bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register "
	"init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff "
	"add_key request_key keyctl personality iopl ioperm modify_ldt acct quotactl syslog "
	"open_by_handle_at name_to_handle_at fanotify_init vhangup sethostname setdomainname "
	"settimeofday clock_settime adjtimex clock_adjtime";
/* What a libc may try before an older call. clone3 keeps its flags in memory, where no filter looks. */
static const char newer[] = "clone3 openat2 faccessat2 fchmodat2 epoll_pwait2 close_range futex_waitv pidfd_spawn cachestat "
	"map_shadow_stack futex_wake futex_wait futex_requeue mseal setxattrat getxattrat";
/* New calls get the next numbers, the same on all architectures; those of 2019 began at 424. */
enum { NUMBERS_FROM = 424, NUMBERS_TO = 560 };

static const char starting[] = "execve execveat";
static const char becoming[] = "setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset";

static const char threads[] = "sched_getaffinity sched_setaffinity sched_getscheduler sched_getparam";
/* What is started needs the loader's calls, and makes its own sandbox. */
static const char processes[] = "execve vfork wait4 waitid pidfd_open pidfd_send_signal kill pipe2 dup dup2 dup3 socketpair "
	"arch_prctl access prctl prlimit64 close_range seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self";
static const char sockets[] = "connect bind getsockname getpeername getsockopt setsockopt shutdown sendmmsg";

enum { SOCKET_TYPE = 0xf };                 /* the rest of that argument is flags */
#define NEW_NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static void
drop_filter(scmp_filter_ctx *f)
{
	if (*f)
		seccomp_release(*f);
}

/* A name that this architecture or this libseccomp does not know needs no rule. */
static bool
each(scmp_filter_ctx f, uint32_t action, const char *names)
{
	char name[40];

	for (names += strspn(names, " "); *names; names += strspn(names, " ")) {
		size_t n = strcspn(names, " ");
		int call;

		if (n >= sizeof(name))
			return false;
		memcpy(name, names, n);
		name[n] = '\0';
		names += n;
		call = seccomp_syscall_resolve_name(name);
		if (call >= 0 && seccomp_rule_add(f, action, call, 0) < 0)
			return false;
	}
	return true;
}

/* Is this call among those that were allowed? libseccomp would take a second rule for a contradiction. */
static bool
named(const char *names, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = strstr(names, name); at; at = strstr(at + n, name))
		if ((at == names || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

/* "No such call", where there is another way. */
static bool
send_back(scmp_filter_ctx f, const struct syscalls *s)
{
	for (int call = NUMBERS_FROM; call < NUMBERS_TO; call++) {
		own(mem) char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
		bool ours = name && (named(s->names, name) || named(basic, name) ||
		    (s->more & CALLS_PROCESSES && named(processes, name)));

		if ((!name || (named(newer, name) && !ours)) && seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), call, 0) < 0)
			return false;
	}
	return true;
}

static bool
allow_if(scmp_filter_ctx f, int call, struct scmp_arg_cmp condition)
{
	return !seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 1, &condition);
}

static bool
allow_memory(scmp_filter_ctx f, bool code)
{
	if (code)
		return each(f, SCMP_ACT_ALLOW, "mmap mprotect");
	return allow_if(f, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) &&
	    allow_if(f, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* abort(3) and raise(3); FIONREAD of libevent, FIONBIO, and isatty(3) of stdio. */
static bool
allow_own(scmp_filter_ctx f)
{
	return allow_if(f, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)) &&
	    allow_if(f, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0)) &&
	    allow_if(f, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, FIONBIO, 0)) &&
	    allow_if(f, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, TCGETS, 0));
}

static bool
allow_sockets(scmp_filter_ctx f, unsigned more)
{
	static const int inet[] = { AF_INET, AF_INET6, AF_NETLINK };     /* getaddrinfo(3) asks the kernel for its addresses */
	const struct scmp_arg_cmp log[] = { SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0),
		SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPE, SOCK_DGRAM) };

	if (!(more & (CALLS_UNIX | CALLS_INET | CALLS_LOG)))
		return true;
	if (more & CALLS_LOG && !(more & CALLS_UNIX) &&
	    seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), COUNT(log), log) < 0)
		return false;
	for (unsigned i = 0; more & CALLS_INET && i < COUNT(inet); i++)
		if (!allow_if(f, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)inet[i], 0)))
			return false;
	if (more & CALLS_UNIX && !allow_if(f, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0)))
		return false;
	return each(f, SCMP_ACT_ALLOW, sockets);
}

/* Without a flag that writes, makes or empties. */
static bool
allow_open(scmp_filter_ctx f, unsigned more)
{
	const scmp_datum_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

	return !(more & CALLS_OPEN_READ) || allow_if(f, SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, writing, 0));
}

static bool
allow_clone(scmp_filter_ctx f, unsigned more)
{
	if (!(more & (CALLS_THREADS | CALLS_PROCESSES)))
		return true;
	return allow_if(f, SCMP_SYS(clone), more & CALLS_PROCESSES ? SCMP_A0(SCMP_CMP_MASKED_EQ, NEW_NAMESPACES, 0)
	                                                        : SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) &&
	    each(f, SCMP_ACT_ALLOW, threads) && (!(more & CALLS_PROCESSES) || each(f, SCMP_ACT_ALLOW, processes));
}

static bool
fill(scmp_filter_ctx f, const struct syscalls *s)
{
	bool starts = !s || s->more & CALLS_PROCESSES;

	if (!each(f, SCMP_ACT_KILL_PROCESS, hostile) || (!starts && !each(f, SCMP_ACT_KILL_PROCESS, starting)))
		return false;
	if (!s)
		return true;
	return each(f, SCMP_ACT_KILL_PROCESS, becoming) && each(f, SCMP_ACT_ALLOW, basic) && each(f, SCMP_ACT_ALLOW, s->names) &&
	    allow_memory(f, s->more & CALLS_MEMORY_CODE) && allow_own(f) && allow_open(f, s->more) && allow_sockets(f, s->more) &&
	    allow_clone(f, s->more) && send_back(f, s);
}

bool
syscalls_enter(const struct syscalls *s, struct error *e)
{
	own(filter) scmp_filter_ctx f = seccomp_init(s ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	int rc;

	if (!kernel_seccomp())
		return true;
	/* A binary tree over the calls instead of a list; the kernel's own errors; another architecture's calls are nobody's. */
	if (!f || seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0 || seccomp_attr_set(f, SCMP_FLTATR_API_SYSRAWRC, 1) < 0 ||
	    seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) < 0 || !fill(f, s))
		return err_set(e, ERR_SYSTEM, "sandbox: no filter of system calls could be made");
	rc = seccomp_load(f);
	return rc >= 0 || err_set(e, ERR_SYSTEM, "sandbox: %s", strerror(-rc));
}
