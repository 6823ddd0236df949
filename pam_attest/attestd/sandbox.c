#include <limits.h>
#include "confine.h"
#include "landlock.h"
#include "programs.h"
#include "sandbox.h"
#include "scope.h"
#include "syscalls.h"

static const struct syscalls calls = {
	"openat newfstatat stat lstat statx access faccessat faccessat2 readlink readlinkat getdents64 getcwd "
	"unlink unlinkat rename renameat renameat2 mkdir mkdirat fsync fdatasync pread64 pwrite64 ftruncate fchmod fchmodat umask "
	"epoll_create1 epoll_ctl epoll_wait epoll_pwait select pselect6 accept4 signalfd4 eventfd2 timerfd_create timerfd_settime "
	"getuid geteuid getgid getegid getppid getresuid getresgid uname sysinfo statfs fstatfs flock",
	CALLS_MEMORY_CODE | CALLS_THREADS | CALLS_PROCESSES | CALLS_UNIX | CALLS_INET,
};

bool
sandbox_enter(const struct options *o, const char *child, struct error *e)
{
	char room[2][PATH_MAX];
	const struct path_rule rules[] = {
		{ o->run_dir, PATH_CHANGE }, { o->state_dir, PATH_CHANGE }, { "/dev", PATH_WRITE },
		{ folder_of(child, room[0]), PATH_EXECUTE }, { folder_of(program_loader(), room[1]), PATH_EXECUTE },
	};

	return SANITIZED ||
	    (landlock_enter(PATH_CHANGE | PATH_FOLDERS | PATH_WRITE | PATH_EXECUTE, rules, COUNT(rules), e) &&
	    syscalls_enter(&calls, e));
}
