#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "confine.h"
#include "kernel.h"
#include "sandbox.h"
#include "tpm_sandbox.h"
#include "unit.h"

static char top[64], child[96];
static struct options o;

static void
house(void)
{
	char command[1400];

	strcpy(top, "/tmp/check_sandbox.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(child, sizeof(child), "%s/libexec/attestd-tpm", top);
	snprintf(o.run_dir, sizeof(o.run_dir), "%s/run", top);
	snprintf(o.state_dir, sizeof(o.state_dir), "%s/state", top);
	snprintf(command, sizeof(command), "mkdir %s/libexec %s %s && cp /bin/true %s && cp /bin/true %s.new && cp /bin/true %s/program",
	    top, o.run_dir, o.state_dir, child, child, o.state_dir);
	ck_assert(!system(command));
}

static void
no_house(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	ck_assert(!system(command));
}

/* --- what is tried: 0 when it works, else the errno --- */

static int
makes(const char *dir, const char *name)
{
	char path[128];
	own(fd) int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 || write(fd, "x", 1) != 1 || unlink(path) ? errno : 0;
}

static int
runs(const char *program)
{
	int status;
	pid_t pid = vfork();

	if (!pid) {
		execl(program, program, (char *)NULL);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int
opens(const char *path, int flags)
{
	own(fd) int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

static int
has_socket(int domain)
{
	own(fd) int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : 0;
}

static int writes_run(void) { return makes(o.run_dir, "verdict"); }
static int writes_state(void) { return makes(o.state_dir, "ak"); }
static int writes_elsewhere(void) { return makes(top, "elsewhere"); }
static int writes_etc(void) { return makes("/etc", "pam-attest-test"); }
static int opens_null(void) { return opens("/dev/null", O_RDWR); }
static int reads_passwd(void) { return opens("/etc/passwd", O_RDONLY); }
static int reads_library(void) { return opens("/etc/ld.so.cache", O_RDONLY); }
static int runs_child(void) { return runs(child); }
/* As an update leaves it, while attestd runs: another file in the same place. */
static int
runs_new_child(void)
{
	char fresh[sizeof(child) + 4];

	snprintf(fresh, sizeof(fresh), "%s.new", child);
	return runs(fresh);
}

static int
runs_own_file(void)
{
	char written[sizeof(o.state_dir) + 16];

	snprintf(written, sizeof(written), "%s/program", o.state_dir);
	return runs(written);
}

static int runs_shell(void) { return runs("/bin/sh"); }
static int runs_another(void) { return runs("/bin/true"); }
static int tcp(void) { return has_socket(AF_INET); }
static int unix_socket(void) { return has_socket(AF_UNIX); }
static int packet(void) { return has_socket(AF_PACKET); }
static int signals(void) { return kill(getppid(), 0) < 0 ? errno : 0; }
static int traces(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? errno : 0; }
static int mounts(void) { return mount("none", top, "tmpfs", 0, NULL) < 0 ? errno : 0; }
static int unshares(void) { return unshare(CLONE_NEWUSER) < 0 ? errno : 0; }
static int becomes(void) { return setuid(0) < 0 ? errno : 0; }

static int
takes_memory(void)
{
	return mmap(NULL, 1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED ? errno : 0;
}

static int
opens_many(void)
{
	for (int i = 0; i < 64; i++)
		if (fcntl(0, F_DUPFD_CLOEXEC, 0) < 0)
			return errno;
	return 0;
}

static int
forks(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static bool
as_attestd(struct error *e)
{
	return sandbox_enter(&o, child, e);
}
static bool as_tpm_of_device(struct error *e) { return tpm_sandbox_enter("device:/dev/tpmrm0", e); }
static bool as_tpm_of_swtpm(struct error *e) { return tpm_sandbox_enter("swtpm:path=/run/x", e); }
static bool as_nobody(struct error *e) { (void)e; return true; }

/* result: an errno, 0 when it works, -N when signal N ends the process. */
static const struct { const char *who; bool (*enter)(struct error *); const char *what; int (*act)(void); int result; } tries[] = {
#define WHO() "attestd", as_attestd
	{ WHO(), "writes run_dir", writes_run, 0 },
	{ WHO(), "writes state_dir", writes_state, 0 },
	{ WHO(), "writes elsewhere", writes_elsewhere, EACCES },
	{ WHO(), "writes /etc", writes_etc, EACCES },
	{ WHO(), "opens a device", opens_null, 0 },
	{ WHO(), "starts its TPM child", runs_child, 0 },
	{ WHO(), "starts its TPM child after an update", runs_new_child, 0 },
	{ WHO(), "starts another program", runs_another, EACCES },
	{ WHO(), "starts what is in state_dir", runs_own_file, EACCES },
	{ WHO(), "starts a shell", runs_shell, EACCES },
	{ WHO(), "opens TCP", tcp, 0 },
	{ WHO(), "opens unix", unix_socket, 0 },
	{ WHO(), "sees packets", packet, EPERM },
	{ WHO(), "signals who started it", signals, EPERM },
	{ WHO(), "traces", traces, -SIGSYS },
	{ WHO(), "mounts", mounts, -SIGSYS },
	{ WHO(), "leaves its namespace", unshares, -SIGSYS },
	{ WHO(), "becomes root", becomes, -SIGSYS },
#undef WHO
#define WHO() "TPM child of a device", as_tpm_of_device
	{ WHO(), "opens a device", opens_null, 0 },
	{ WHO(), "finds libraries", reads_library, 0 },
	{ WHO(), "reads /etc/passwd", reads_passwd, EACCES },
	{ WHO(), "writes run_dir", writes_run, EACCES },
	{ WHO(), "writes /etc", writes_etc, EACCES },
	{ WHO(), "starts another program", runs_another, EPERM },
	{ WHO(), "opens TCP", tcp, EPERM },
	{ WHO(), "opens unix", unix_socket, EPERM },
	{ WHO(), "traces", traces, -SIGSYS },
	{ WHO(), "mounts", mounts, -SIGSYS },
	{ WHO(), "becomes root", becomes, -SIGSYS },
	{ WHO(), "forks", forks, EPERM },
	{ WHO(), "takes a gigabyte", takes_memory, ENOMEM },
	{ WHO(), "opens many descriptors", opens_many, EMFILE },
#undef WHO
#define WHO() "TPM child of a simulator", as_tpm_of_swtpm
	{ WHO(), "opens unix", unix_socket, 0 },
	{ WHO(), "sees packets", packet, EPERM },
	{ WHO(), "reads /etc/passwd", reads_passwd, EACCES },
	{ WHO(), "starts another program", runs_another, EPERM },
#undef WHO
#define WHO() "nobody", as_nobody
	{ WHO(), "writes elsewhere", writes_elsewhere, 0 },
	{ WHO(), "opens TCP", tcp, 0 },
	{ WHO(), "starts another program", runs_another, 0 },
	{ WHO(), "traces", traces, 0 },
	{ WHO(), "forks", forks, 0 },
	{ WHO(), "takes a gigabyte", takes_memory, 0 },
	{ WHO(), "opens many descriptors", opens_many, 0 },
#undef WHO
};

enum { NOT_ENTERED = 200 };

START_TEST(row)
{
	int status, got;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		struct error e = { .code = ERR_NONE };
		bool in = confine_process(&e) && tries[_i].enter(&e);

		if (!in)
			fprintf(stderr, "%s\n", e.why);
		_exit(in ? (uint8_t)tries[_i].act() : NOT_ENTERED);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (tries[_i].act == signals && kernel_landlock() < 6) {
		printf("SKIP: %s %s: no such rule in this kernel's Landlock\n", tries[_i].who, tries[_i].what);
		return;
	}
	got = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
	ck_assert_msg(got == tries[_i].result, "%s %s: %d %s", tries[_i].who, tries[_i].what, got, got > 0 ? strerror(got) : "");
}
END_TEST

START_TEST(no_folder_is_an_error)
{
	struct options wrong = { .run_dir = "/nonexistent/run", .state_dir = "/tmp" };
	struct error e = { .code = ERR_NONE };

	ck_assert(confine_process(&e));
	if (sandbox_enter(&wrong, child, &e))
		ck_assert_int_eq(kernel_landlock(), 0);
	else
		ck_assert_msg(strstr(e.why, wrong.run_dir) != NULL, "%s", e.why);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, house, no_house);
	tcase_add_loop_test(tc, row, 0, COUNT(tries));
	tcase_add_test(tc, no_folder_is_an_error);
}

int
main(void)
{
	if (SANITIZED) {
		printf("SKIP: sanitizers cannot live in a sandbox\n");
		return 77;
	}
	return unit_run("sandboxes of attestd", add);
}
