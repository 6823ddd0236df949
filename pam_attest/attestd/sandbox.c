#include <elf.h>
#include <link.h>
#include "confine.h"
#include "landlock.h"
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

/* Our own program interpreter, which starts the child too. */
static int
find_loader(struct dl_phdr_info *info, size_t size, void *out)
{
	const char **loader = out;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP)
			*loader = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	return 1;       /* the program itself comes first; libraries do not matter */
}

bool
sandbox_enter(const struct options *o, const char *child, const char **lacks, struct error *e)
{
	const char *loader = child;
	bool files = false, filter = false;

	*lacks = "";
	if (SANITIZED)
		return true;
	dl_iterate_phdr(find_loader, &loader);
	{
		const struct path_rule rules[] = {
			{ o->run_dir, PATH_CHANGE }, { o->state_dir, PATH_CHANGE }, { "/dev", PATH_WRITE },
			{ child, PATH_EXECUTE }, { loader, PATH_EXECUTE },
		};

		if (!landlock_enter(PATH_CHANGE | PATH_FOLDERS | PATH_WRITE | PATH_EXECUTE, rules, COUNT(rules), &files, e))
			return false;
	}
	if (!syscalls_enter(&calls, &filter, e))
		return false;
	*lacks = files && filter ? "" : filter ? "Landlock" : files ? "seccomp" : "Landlock and no seccomp";
	return true;
}
