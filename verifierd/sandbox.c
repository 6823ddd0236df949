#include <limits.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "confine.h"
#include "landlock.h"
#include "programs.h"
#include "sandbox.h"
#include "scope.h"
#include "syscalls.h"

enum { PATHS_MAX = 12, LITTLE_MEMORY = 512 << 20 };

/*
 * X(ROLE, more kinds of calls, calls, descriptors (0: as many as there are), memory (0: the same)).
 * parse and judge have nothing but their channel. net only accepts: it can connect to nobody. core finds
 * its way back to a syslog that was restarted, for what it says there is part of the audit.
 */
#define NET_CALLS \
	"accept4 getpeername getsockname getsockopt setsockopt shutdown epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 "
#define CORE_CALLS \
	"epoll_create1 epoll_ctl epoll_wait epoll_pwait signalfd4 getsockopt socketpair " \
	"openat newfstatat stat lstat statx access faccessat faccessat2 readlink readlinkat getdents64 getcwd " \
	"unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir link linkat fchmod fchmodat fchown chmod umask " \
	"fsync fdatasync pread64 pwrite64 ftruncate fallocate flock getuid geteuid getgid getegid utimensat fstatfs statfs"
/* setup asks for the names of this machine, with whatever the system has for that. */
#define SETUP_KINDS (CALLS_UNIX | CALLS_INET | CALLS_MEMORY_CODE)
#define ROWS(X) \
	X(SETUP,  SETUP_KINDS,     CORE_CALLS " uname sysinfo select pselect6", 0, 0) \
	X(CORE,   CALLS_LOG,       CORE_CALLS,             0,  0) \
	X(HOSTS,  CALLS_OPEN_READ, NET_CALLS "newfstatat", 0,  0) \
	X(ADMIN,  0,               NET_CALLS,              0,  0) \
	X(PARSE,  0,               "",                     32, LITTLE_MEMORY) \
	X(JUDGE,  0,               "",                     32, LITTLE_MEMORY)

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

/*
 * No process; no sealed memory larger than a message, which counts as a file and as nobody's memory; the
 * workers no more memory and descriptors than a log needs. A log on stderr that is a large file already
 * costs the line then, not the role.
 */
static bool
limits(const struct row *r, bool writes_files, struct error *e)
{
	signal(SIGXFSZ, SIG_IGN);
	return limit(RLIMIT_NPROC, 0, e) && (writes_files || limit(RLIMIT_FSIZE, IPC_PAYLOAD_MAX, e)) &&
	    (!r->files || limit(RLIMIT_NOFILE, r->files, e)) && (!r->memory || limit(RLIMIT_AS, r->memory, e));
}

struct rules {
	struct path_rule rule[PATHS_MAX];
	char             path[PATHS_MAX][PATH_MAX];
	unsigned         count;
};

static void
add(struct rules *l, const char *path, const char *behind, unsigned rights)
{
	char *room = l->path[l->count];

	snprintf(room, PATH_MAX, "%s%s", path, behind);
	l->rule[l->count++] = (struct path_rule){ room, rights };
}

/*
 * The file's folder, for what is replaced by a rename is another file each time; and the folder it
 * really is in, for certificates are often links to a name that changes.
 */
static void
add_folder(struct rules *l, const char *file, unsigned rights)
{
	char real[PATH_MAX];

	add(l, file, "", rights);
	*strrchr(l->path[l->count - 1], '/') = '\0';
	if (!*l->path[l->count - 1])
		strcpy(l->path[l->count - 1], "/");
	add(l, folder_of(file, real), "", rights | PATH_MAY_LACK);
}

/* Its keys are in core's memory by now, and the root key and the CA's were never its: it reads no file of keys/. */
static void
core_paths(struct rules *l, const struct options *o)
{
	const char *store = o->store + strlen("sqlite:");

	add(l, o->state_dir, "", PATH_CHANGE | PATH_FOLDERS | PATH_LIST);
	add(l, o->state_dir, "/logs", PATH_READ);
	add_folder(l, store, PATH_CHANGE | PATH_LIST);
	add(l, store, "", PATH_READ);
	add(l, store, "-wal", PATH_READ | PATH_MAY_LACK);
	add(l, store, "-shm", PATH_READ | PATH_MAY_LACK);
	add(l, o->ek_roots, "", PATH_READ | PATH_MAY_LACK);
	if (*o->ek_allow)
		add_folder(l, o->ek_allow, PATH_READ | PATH_MAY_LACK);
	add(l, "/dev/urandom", "", PATH_READ | PATH_MAY_LACK);
}

static bool
paths(enum role role, const struct options *o, struct error *e)
{
	own(mem) struct rules *l = calloc(1, sizeof(*l));

	if (!l)
		return err_set(e, ERR_MEMORY, "sandbox");
	if (role == ROLE_HOSTS) {
		add_folder(l, o->cert_file, PATH_READ);
		add_folder(l, o->key_file, PATH_READ);
	} else if (role == ROLE_CORE) {
		core_paths(l, o);
	} else if (role == ROLE_SETUP) {
		add(l, "/", "", PATH_READ);
		add(l, o->state_dir, "", PATH_CHANGE | PATH_FOLDERS);
		add_folder(l, o->store + strlen("sqlite:"), PATH_CHANGE);
	}
	return landlock_enter(PATH_EVERYTHING, l->rule, l->count, e);
}

/* What libraries read when they are first used: libcrypto its configuration with its providers, syslog(3) the time zone. */
static bool
warm_up(struct error *e)
{
	tzset();
	return OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL) == 1 ||
	    err_set(e, ERR_CRYPTO, "libcrypto could not start");
}

bool
sandbox_enter(enum role role, const struct role_start *s, const struct options *o, struct error *e)
{
	const struct row *r = &rows[role];

	if (s->no_sandbox || SANITIZED)
		return true;
	return warm_up(e) && limits(r, role == ROLE_CORE || role == ROLE_SETUP, e) && paths(role, o, e) &&
	    syscalls_enter(&r->calls, e);
}
