#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <seccomp.h>
#include "confine.h"
#include "sandbox.h"
#include "unit.h"

static char top[] = "/tmp/check_role_sandbox.XXXXXX";
static struct options options;

static void
put(const char *name)
{
	char path[128];
	own(fd) int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert(fd >= 0 && write(fd, "x", 1) == 1);
}

static void
folder(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	ck_assert(!mkdir(path, 0700));
}

static void
house(void)
{
	strcpy(top, "/tmp/check_role_sandbox.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	folder("state");
	folder("state/tls");
	folder("state/keys");
	put("state/store.db");
	put("state/keys/result.pem");
	put("state/keys/root.pem");
	put("state/keys/ca-key.pem");
	put("state/tls/server-key.pem");
	options = (struct options){ .sandbox = true };
	snprintf(options.state_dir, sizeof(options.state_dir), "%s/state", top);
	snprintf(options.store, sizeof(options.store), "sqlite:%s/state/store.db", top);
	snprintf(options.cert_file, sizeof(options.cert_file), "%s/state/tls/server.pem", top);
	snprintf(options.key_file, sizeof(options.key_file), "%s/state/tls/server-key.pem", top);
	snprintf(options.ca_file, sizeof(options.ca_file), "%s/state/tls/ca.pem", top);
	strcpy(options.ek_roots, "/nonexistent/ek-roots.d");
}

static void
no_house(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	ck_assert(!system(command));
}

/* --- what is tried: 0 when it works, else the errno --- */

static int
opens(const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s%s%s", *name == '/' ? "" : top, *name == '/' ? "" : "/", name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	return fd < 0 ? errno : 0;
}

static int reads_passwd(void) { return opens("/etc/passwd", O_RDONLY); }
static int reads_store(void) { return opens("state/store.db", O_RDONLY); }
static int reads_result_key(void) { return opens("state/keys/result.pem", O_RDONLY); }
static int reads_root_key(void) { return opens("state/keys/root.pem", O_RDONLY); }
static int reads_ca_key(void) { return opens("state/keys/ca-key.pem", O_RDONLY); }
static int reads_tls_key(void) { return opens("state/tls/server-key.pem", O_RDONLY); }
static int writes_store(void) { return opens("state/store.db", O_WRONLY); }
static int writes_tls_key(void) { return opens("state/tls/server-key.pem", O_WRONLY); }
static int makes_state(void) { return opens("state/new", O_WRONLY | O_CREAT); }
static int makes_elsewhere(void) { return opens("elsewhere", O_WRONLY | O_CREAT); }
static int socket_of(int domain) { return socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ? errno : 0; }
static int tcp(void) { return socket_of(AF_INET); }
static int tcp6(void) { return socket_of(AF_INET6); }
static int unix_socket(void) { return socket_of(AF_UNIX); }
static int packet(void) { return socket_of(AF_PACKET); }
static int execs(void) { return execl("/bin/true", "true", (char *)NULL) < 0 ? errno : 0; }
static int traces(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? errno : 0; }
static int mounts(void) { return mount("none", top, "tmpfs", 0, NULL) < 0 ? errno : 0; }
static int unshares(void) { return unshare(CLONE_NEWUSER) < 0 ? errno : 0; }
static int becomes(void) { return setuid(0) < 0 ? errno : 0; }
static int kills(void) { return kill(getppid(), 0) < 0 ? errno : 0; }

static int
forks(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static int
maps_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static int
takes_memory(void)
{
	return mmap(NULL, 1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED ? errno : 0;
}

/* What it must be able to do all its life. */
static int
works(void)
{
	own(fd) int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	own(mem) char *p = malloc(1 << 20);

	if (fd < 0 || !p || write(fd, "x", 1) != 1 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0)
		return errno ? errno : EINVAL;
	return 0;
}

/* result: an errno, 0 when it works, -N when signal N ends the process. */
static const struct { enum role role; const char *what; int (*act)(void); int result; } tries[] = {
#define EACH(role) \
	{ role, "works on", works, 0 }, { role, "executes", execs, -SIGSYS }, { role, "traces", traces, -SIGSYS }, \
	{ role, "mounts", mounts, -SIGSYS }, { role, "leaves its namespace", unshares, -SIGSYS }, \
	{ role, "becomes root", becomes, -SIGSYS }, { role, "forks", forks, EPERM }, { role, "kills", kills, EPERM }, \
	{ role, "opens TCP", tcp, EPERM }, { role, "opens TCP over IPv6", tcp6, EPERM }, { role, "sees packets", packet, EPERM }, \
	{ role, "maps code", maps_code, EPERM }, { role, "makes a file elsewhere", makes_elsewhere, EACCES }, \
	{ role, "reads /etc/passwd", reads_passwd, EACCES }
#define WORKER(role) \
	{ role, "works on", works, 0 }, { role, "executes", execs, -SIGSYS }, { role, "traces", traces, -SIGSYS }, \
	{ role, "mounts", mounts, -SIGSYS }, { role, "leaves its namespace", unshares, -SIGSYS }, \
	{ role, "becomes root", becomes, -SIGSYS }, { role, "forks", forks, EPERM }, { role, "kills", kills, EPERM }, \
	{ role, "opens TCP", tcp, EPERM }, { role, "opens TCP over IPv6", tcp6, EPERM }, { role, "opens unix", unix_socket, EPERM }, \
	{ role, "maps code", maps_code, EPERM }, { role, "opens a file", reads_passwd, EPERM }, \
	{ role, "opens the store", reads_store, EPERM }, { role, "makes a file", makes_state, EPERM }, \
	{ role, "takes a gigabyte", takes_memory, ENOMEM }
	EACH(ROLE_CORE),
	{ ROLE_CORE, "reads the store", reads_store, 0 },
	{ ROLE_CORE, "writes the store", writes_store, 0 },
	{ ROLE_CORE, "makes a file of the state", makes_state, 0 },
	{ ROLE_CORE, "reads the result key", reads_result_key, 0 },
	EACH(ROLE_HOSTS),
	{ ROLE_HOSTS, "reads the TLS key again", reads_tls_key, 0 },
	{ ROLE_HOSTS, "writes the TLS key", writes_tls_key, EACCES },
	{ ROLE_HOSTS, "reads the store", reads_store, EACCES },
	{ ROLE_HOSTS, "reads the result key", reads_result_key, EACCES },
	{ ROLE_HOSTS, "reads the root key", reads_root_key, EACCES },
	{ ROLE_HOSTS, "reads the CA's key", reads_ca_key, EACCES },
	{ ROLE_HOSTS, "makes a file of the state", makes_state, EACCES },
	{ ROLE_HOSTS, "opens unix", unix_socket, EPERM },
	EACH(ROLE_ADMIN),
	{ ROLE_ADMIN, "reads the TLS key", reads_tls_key, EACCES },
	{ ROLE_ADMIN, "reads the store", reads_store, EACCES },
	{ ROLE_ADMIN, "reads the result key", reads_result_key, EACCES },
	{ ROLE_ADMIN, "opens unix", unix_socket, EPERM },
	WORKER(ROLE_PARSE),
	WORKER(ROLE_JUDGE),
};

enum { NOT_ENTERED = 200 };

/* In a process of its own: the role's sandbox, then the act. */
static int
inside(enum role role, int (*act)(void), bool unlimited)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		struct role_start s = { .foreground = true, .no_sandbox = unlimited };
		struct error e;

		_exit(confine_process(&e) && sandbox_enter(role, &s, &options, &e) ? act() : NOT_ENTERED);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

START_TEST(row)
{
	int got = inside(tries[_i].role, tries[_i].act, false);

	ck_assert_msg(got == tries[_i].result, "%s %s: %d %s", role_word(tries[_i].role), tries[_i].what, got,
	    got > 0 ? strerror(got) : "");
}
END_TEST

/* The same acts work without it: else the table above would prove nothing. */
START_TEST(works_without)
{
	static int (*const acts[])(void) = { reads_passwd, reads_store, reads_result_key, makes_elsewhere, tcp, unix_socket, execs,
		traces, forks, kills, maps_code, takes_memory };

	for (unsigned i = 0; i < COUNT(acts); i++)
		ck_assert_msg(inside(ROLE_PARSE, acts[i], true) == 0, "%u", i);
}
END_TEST

/* An old kernel: a filter of the test's own says that there is no such call. A line in the log, and the rest goes on. */
static int
enter_without_landlock(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	struct role_start s = { .foreground = true };
	struct error e;

	if (!f || seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0) < 0 || seccomp_load(f) < 0)
		return NOT_ENTERED;
	seccomp_release(f);
	if (!sandbox_enter(ROLE_PARSE, &s, NULL, &e))
		return NOT_ENTERED + 1;
	return reads_passwd();
}

START_TEST(without_landlock)
{
	ck_assert_int_eq(inside(ROLE_PARSE, enter_without_landlock, true), EPERM);
}
END_TEST

START_TEST(a_missing_folder_is_an_error)
{
	struct role_start s = { .foreground = true };
	struct error e = { .code = ERR_NONE };

	ck_assert(confine_process(&e));
	strcpy(options.state_dir, "/nonexistent");
	ck_assert(!sandbox_enter(ROLE_CORE, &s, &options, &e));
	ck_assert_msg(strstr(e.why, "/nonexistent") != NULL, "%s", e.why);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, house, no_house);
	tcase_add_loop_test(tc, row, 0, COUNT(tries));
	tcase_add_test(tc, works_without);
	tcase_add_test(tc, without_landlock);
	tcase_add_test(tc, a_missing_folder_is_an_error);
}

int
main(void)
{
	if (SANITIZED) {
		printf("SKIP: sanitizers cannot live in a sandbox\n");
		return 77;
	}
	return unit_run("sandboxes of verifierd", add);
}
