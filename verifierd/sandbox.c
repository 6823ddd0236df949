#include <libgen.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "confine.h"
#include "landlock.h"
#include "log.h"
#include "sandbox.h"
#include "scope.h"
#include "syscalls.h"

enum { PATHS_MAX = 8, LITTLE_MEMORY = 512 << 20 };

/*
 * X(ROLE, more kinds of calls, calls, descriptors (0: as many as there are), memory (0: the same)).
 * parse and judge have nothing but their channel. net only accepts: it can connect to nobody.
 */
#define NET_CALLS \
	"accept4 getpeername getsockname getsockopt setsockopt shutdown epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 " \
	"openat newfstatat"
#define CORE_CALLS \
	"epoll_create1 epoll_ctl epoll_wait epoll_pwait signalfd4 getsockopt socketpair " \
	"openat newfstatat stat lstat statx access faccessat faccessat2 readlink readlinkat getdents64 getcwd " \
	"unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir link linkat fchmod fchmodat fchown chmod umask " \
	"fsync fdatasync pread64 pwrite64 ftruncate fallocate flock getuid geteuid getgid getegid utimensat fstatfs statfs"
#define ROWS(X) \
	X(CORE,   CALLS_UNIX, CORE_CALLS, 0,  0) \
	X(HOSTS,  0,          NET_CALLS,  0,  0) \
	X(ADMIN,  0,          NET_CALLS,  0,  0) \
	X(PARSE,  0,          "",         32, LITTLE_MEMORY) \
	X(JUDGE,  0,          "",         32, LITTLE_MEMORY)

static const struct row {
	struct syscalls calls;
	rlim_t          files, memory;
} rows[ROLE_COUNT] = {
#define X(role, more, calls, files, memory) [ROLE_##role] = { { calls, more }, files, memory },
	ROWS(X)
#undef X
};

static bool
limit(__rlimit_resource_t what, rlim_t n, struct error *e)
{
	const struct rlimit l = { n, n };

	return !setrlimit(what, &l) || err_errno(e, "sandbox: limit");
}

/* No process, no file larger than a message; the workers no more memory and files than a log needs. */
static bool
limits(const struct row *r, bool writes_files, struct error *e)
{
	return limit(RLIMIT_NPROC, 0, e) && (writes_files || limit(RLIMIT_FSIZE, IPC_PAYLOAD_MAX, e)) &&
	    (!r->files || limit(RLIMIT_NOFILE, r->files, e)) && (!r->memory || limit(RLIMIT_AS, r->memory, e));
}

/* The folder, for what is replaced by a rename is another file each time. */
static void
add_folder(struct path_rule *rules, unsigned *n, char room[static OPTION_PATH], const char *file, unsigned rights)
{
	snprintf(room, OPTION_PATH, "%s", file);
	rules[(*n)++] = (struct path_rule){ dirname(room), rights };
}

static bool
paths(enum role role, const struct options *o, bool *on, struct error *e)
{
	struct path_rule rules[PATHS_MAX];
	char room[PATHS_MAX][OPTION_PATH];
	unsigned n = 0;

	if (role == ROLE_HOSTS) {
		add_folder(rules, &n, room[0], o->cert_file, PATH_READ);
		add_folder(rules, &n, room[1], o->key_file, PATH_READ);
	} else if (role == ROLE_CORE) {
		rules[n++] = (struct path_rule){ o->state_dir, PATH_READ | PATH_CHANGE | PATH_FOLDERS };
		add_folder(rules, &n, room[0], o->store + strlen("sqlite:"), PATH_READ | PATH_CHANGE);
		add_folder(rules, &n, room[1], o->ca_file, PATH_READ | PATH_MAY_LACK);
		rules[n++] = (struct path_rule){ o->ek_roots, PATH_READ | PATH_MAY_LACK };
		if (*o->ek_allow)
			add_folder(rules, &n, room[2], o->ek_allow, PATH_READ | PATH_MAY_LACK);
		rules[n++] = (struct path_rule){ "/dev/urandom", PATH_READ | PATH_MAY_LACK };
	}
	return landlock_enter(PATH_EVERYTHING, rules, n, on, e);
}

bool
sandbox_enter(enum role role, const struct role_start *s, const struct options *o, struct error *e)
{
	const struct row *r = &rows[role];
	bool files_on = false, calls_on = false;

	if (s->no_sandbox || SANITIZED)
		return true;
	tzset();        /* syslog(3) reads the time zone's file the first time */
	if (!limits(r, role == ROLE_CORE, e) || !paths(role, o, &files_on, e) || !syscalls_enter(&r->calls, &calls_on, e))
		return false;
	if (!files_on || !calls_on)
		log_say(LOG_WARNING, "this kernel has no %s%s%s: %s runs without", files_on ? "" : "Landlock",
		    files_on || calls_on ? "" : " and no ", calls_on ? "" : "seccomp", role_word(role));
	return true;
}
