#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <seccomp.h>
#include "confine.h"
#include "ima_signature.h"
#include "kernel.h"
#include "programs.h"
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

/* The link name shows where file is, as a renewed certificate's does. */
static void
point(const char *name, const char *file)
{
	char path[128], to[128];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	snprintf(to, sizeof(to), "%s/%s", top, file);
	unlink(path);
	ck_assert(!symlink(to, path));
}

static void
house(void)
{
	strcpy(top, "/tmp/check_role_sandbox.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	folder("state");
	folder("state/tls");
	folder("state/keys");
	folder("state/logs");
	folder("live");
	folder("archive");
	put("archive/cert1.pem");
	put("archive/cert2.pem");
	put("state/logs/a-log");
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
	point("live/cert.pem", "archive/cert1.pem");
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
static int reads_log(void) { return opens("state/logs/a-log", O_RDONLY); }
static int lists_state(void) { return opens("state", O_RDONLY | O_DIRECTORY); }
static int unix_datagram(void) { return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) < 0 ? errno : 0; }
static int netlink(void) { return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) < 0 ? errno : 0; }
static int types(void) { return ioctl(0, TIOCSTI, "x") < 0 ? errno : 0; }
static int is_traceable(void) { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? errno : 0; }
static int own_space(void) { return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0) < 0 ? errno : 0; }
static int clones_anew(void) { return syscall(SYS_clone3, NULL, 0) < 0 ? errno : 0; }
static int opens_anew(void) { return syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0) < 0 ? errno : 0; }
static int calls_the_future(void) { return syscall(500) < 0 ? errno : 0; }
static int aborts(void) { abort(); }
static int truncates(void) { return truncate("/etc/passwd", -1) < 0 ? errno : 0; }
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
makes_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
}

static int
opens_many(void)
{
	for (int i = 0; i < 64; i++)
		if (fcntl(0, F_DUPFD_CLOEXEC, 0) < 0)
			return errno;
	return 0;
}

/* More sealed memory than a message may have; and no signal about it. */
static int
hoards(void)
{
	own(fd) int fd = memfd_create("x", MFD_CLOEXEC);

	return fd < 0 || lseek(fd, IPC_PAYLOAD_MAX, SEEK_SET) < 0 || write(fd, "x", 1) < 0 ? errno : 0;
}

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

/* A key, security.ima by it over "content", and an appended PKCS#7 over "module". */
static const char signer[] =
	    "-----BEGIN PUBLIC KEY-----\n"
	    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4UhdSvL+P8DyNu9rKNjCTyAd8kKW\n"
	    "YD0qA1mQjyh0nRhzFq9RbSzLYnFhG83ROdIMTGJli8Bb6h2VN891I79K3w==\n"
	    "-----END PUBLIC KEY-----\n";
static const char security_ima[] =
	    "03020468a5075900483046022100960a2fbe51340b30064242893df3fea8a32d5eb100a72b981f84425016f70d010221"
	    "00e4abaf0011722278beb2bb885b2a867fe22c47df534dd0034b97b3be066de16d";
static const char appended[] =
	    "3081c606092a864886f70d010702a081b83081b5020101310d300b0609608648016503040201300b06092a864886f70d"
	    "01070131819330819002010130293011310f300d06035504030c067369676e65720214282a2a945641c75b66bc8f6c57"
	    "213681075943d6300b0609608648016503040201300a06082a8648ce3d04030204473045022020672ec416bafe5e3c8d"
	    "39c1fac2a616c84e2d8a5d22102e5ebccda88f62bd5a022100cc64672a892a1a168bef4b4a9f05fe20fa7edefbdb32e2"
	    "2b85e6f8a9e96f9a82";

/* What a policy with keyrings needs of libcrypto: nothing that was not there before the sandbox. */
static int
checks_signatures(void)
{
	struct ima_key key = { .keyring = ".ima" };
	const struct ima_rules rules = { .mode = IMA_MODE_SIGNATURES, .nkeys = 1, .key = &key };
	own(ima_keys) struct ima_keys keys = { .rules = &rules };
	uint8_t digest[SHA256_SIZE], module[SHA256_SIZE], sig[512], pkcs7[512];
	struct ima_fields f = { .judged = true, .alg = IMA_ALG_SHA256, .digest = digest, .path = "/a", .path_len = 2 };
	unsigned tried = 0;
	struct error e;

	if (!ima_key_read(signer, strlen(signer), &key, &e) || !digest_sha256("content", 7, digest) || !digest_sha256("module", 6, module))
		return 1;
	f.sig = (struct ima_bytes){ sig, unhex(security_ima, sig, sizeof(sig)) };
	if (ima_signature_check(&keys, &f, &tried, &e) != IMA_SIGNED)
		return 2;
	f.sig.len = 0;
	f.modsig = (struct ima_bytes){ pkcs7, unhex(appended, pkcs7, sizeof(pkcs7)) };
	f.modsig_alg = IMA_ALG_SHA256;
	f.modsig_digest = module;
	return ima_signature_check(&keys, &f, &tried, &e) == IMA_SIGNED ? 0 : 3;
}

/* result: an errno, 0 when it works, -N when signal N ends the process. */
static const struct { enum role role; const char *what; int (*act)(void); int result; } tries[] = {
#define COMMON(role) \
	{ role, "makes code of memory", makes_code, EPERM }, { role, "asks for routes", netlink, EPERM }, \
	{ role, "types into a terminal", types, EPERM }, { role, "becomes traceable", is_traceable, EPERM }, \
	{ role, "forks into a namespace", own_space, EPERM }, { role, "tries clone3 first", clones_anew, ENOSYS }, \
	{ role, "tries openat2 first", opens_anew, ENOSYS }, { role, "tries a call of the future", calls_the_future, ENOSYS }, \
	{ role, "aborts", aborts, -SIGABRT }, { role, "empties a file by its name", truncates, EPERM }
#define EACH(role, result) \
	{ role, "works on", works, 0 }, { role, "executes", execs, -SIGSYS }, { role, "traces", traces, -SIGSYS }, \
	{ role, "mounts", mounts, -SIGSYS }, { role, "leaves its namespace", unshares, -SIGSYS }, \
	{ role, "becomes root", becomes, -SIGSYS }, { role, "forks", forks, EPERM }, { role, "kills", kills, EPERM }, \
	{ role, "opens TCP", tcp, EPERM }, { role, "opens TCP over IPv6", tcp6, EPERM }, { role, "sees packets", packet, EPERM }, \
	{ role, "maps code", maps_code, EPERM }, { role, "makes a file elsewhere", makes_elsewhere, result }, \
	COMMON(role), \
	{ role, "reads /etc/passwd", reads_passwd, role == ROLE_ADMIN ? EPERM : EACCES }
#define WORKER(role) \
	{ role, "works on", works, 0 }, { role, "executes", execs, -SIGSYS }, { role, "traces", traces, -SIGSYS }, \
	{ role, "mounts", mounts, -SIGSYS }, { role, "leaves its namespace", unshares, -SIGSYS }, \
	{ role, "becomes root", becomes, -SIGSYS }, { role, "forks", forks, EPERM }, { role, "kills", kills, EPERM }, \
	{ role, "opens TCP", tcp, EPERM }, { role, "opens TCP over IPv6", tcp6, EPERM }, { role, "opens unix", unix_socket, EPERM }, \
	{ role, "maps code", maps_code, EPERM }, { role, "opens a file", reads_passwd, EPERM }, \
	{ role, "opens the store", reads_store, EPERM }, { role, "makes a file", makes_state, EPERM }, \
	{ role, "takes a gigabyte", takes_memory, ENOMEM }, { role, "opens many descriptors", opens_many, EMFILE }, \
	{ role, "opens a datagram socket", unix_datagram, EPERM }, { role, "hoards memory", hoards, EFBIG }, COMMON(role)
	EACH(ROLE_CORE, EACCES),
	{ ROLE_CORE, "reads the store", reads_store, 0 },
	{ ROLE_CORE, "writes the store", writes_store, 0 },
	{ ROLE_CORE, "makes a file of the state", makes_state, 0 },
	{ ROLE_CORE, "reads a log", reads_log, 0 },
	{ ROLE_CORE, "lists the state", lists_state, 0 },
	{ ROLE_CORE, "reads the result key again", reads_result_key, EACCES },
	{ ROLE_CORE, "reads the root key", reads_root_key, EACCES },
	{ ROLE_CORE, "reads the CA's key", reads_ca_key, EACCES },
	{ ROLE_CORE, "reads the TLS key", reads_tls_key, EACCES },
	{ ROLE_CORE, "opens unix", unix_socket, EPERM },
	{ ROLE_CORE, "finds syslog again", unix_datagram, 0 },
	{ ROLE_SETUP, "works on", works, 0 },
	{ ROLE_SETUP, "executes", execs, -SIGSYS },
	{ ROLE_SETUP, "forks", forks, EPERM },
	{ ROLE_SETUP, "traces", traces, -SIGSYS },
	{ ROLE_SETUP, "reads the root key", reads_root_key, 0 },
	{ ROLE_SETUP, "writes the store", writes_store, 0 },
	{ ROLE_SETUP, "makes a file elsewhere", makes_elsewhere, EACCES },
	{ ROLE_SETUP, "opens TCP", tcp, 0 },
	{ ROLE_SETUP, "sees packets", packet, EPERM },
	EACH(ROLE_HOSTS, EPERM),
	{ ROLE_HOSTS, "lists the state", lists_state, EACCES },
	{ ROLE_HOSTS, "hoards memory", hoards, EFBIG },
	{ ROLE_HOSTS, "reads the TLS key again", reads_tls_key, 0 },
	{ ROLE_HOSTS, "writes the TLS key", writes_tls_key, EPERM },
	{ ROLE_HOSTS, "reads the store", reads_store, EACCES },
	{ ROLE_HOSTS, "reads the result key", reads_result_key, EACCES },
	{ ROLE_HOSTS, "reads the root key", reads_root_key, EACCES },
	{ ROLE_HOSTS, "reads the CA's key", reads_ca_key, EACCES },
	{ ROLE_HOSTS, "makes a file of the state", makes_state, EPERM },
	{ ROLE_HOSTS, "opens unix", unix_socket, EPERM },
	EACH(ROLE_ADMIN, EPERM),
	{ ROLE_ADMIN, "reads the TLS key", reads_tls_key, EPERM },
	{ ROLE_ADMIN, "reads the store", reads_store, EPERM },
	{ ROLE_ADMIN, "reads the result key", reads_result_key, EPERM },
	{ ROLE_ADMIN, "opens unix", unix_socket, EPERM },
	WORKER(ROLE_PARSE),
	WORKER(ROLE_JUDGE),
	{ ROLE_PARSE, "reads keys", checks_signatures, 0 },
	{ ROLE_JUDGE, "checks signatures of files", checks_signatures, 0 },
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
		traces, forks, kills, maps_code, takes_memory, makes_code, netlink, is_traceable, opens_many, hoards, unix_datagram };

	for (unsigned i = 0; i < COUNT(acts); i++)
		ck_assert_msg(inside(ROLE_PARSE, acts[i], true) == 0, "%u", i);
}
END_TEST

/* An old kernel: a filter of the test's own says that there is no such call. The rest goes on. */
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
	return kernel_landlock() ? NOT_ENTERED : reads_passwd();
}

START_TEST(without_landlock)
{
	ck_assert_int_eq(inside(ROLE_PARSE, enter_without_landlock, true), EPERM);
}
END_TEST

/* A certificate that is a link, shown to a new file after the sandbox was entered: SIGHUP must find it. */
static int
reads_renewed(void)
{
	struct role_start s = { .foreground = true };
	struct error e;
	int ready[2], went[2];
	pid_t pid;
	char byte;

	if (pipe(ready) < 0 || pipe(went) < 0 || (pid = fork()) < 0)
		return NOT_ENTERED;
	if (!pid) {
		(void)!read(ready[0], &byte, 1);
		point("live/cert.pem", "archive/cert2.pem");
		_exit(write(went[1], "x", 1) != 1);
	}
	snprintf(options.cert_file, sizeof(options.cert_file), "%s/live/cert.pem", top);
	if (!sandbox_enter(ROLE_HOSTS, &s, &options, &e) || write(ready[1], "x", 1) != 1 || read(went[0], &byte, 1) != 1)
		return NOT_ENTERED + 1;
	return opens("live/cert.pem", O_RDONLY);
}

START_TEST(a_renewed_certificate_is_read)
{
	ck_assert_int_eq(inside(ROLE_HOSTS, reads_renewed, true), 0);
}
END_TEST

/* main: its own programs, also one that an update has put in the place of the old; nothing else. */
static int
runs(const char *path)
{
	int status = 0;
	pid_t pid = vfork();

	if (!pid) {
		execl(path, path, (char *)NULL);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int
runs_its_own(void)
{
	char ours[80], fresh[90];
	struct error e;

	snprintf(ours, sizeof(ours), "%s/live/verifierd-core", top);
	snprintf(fresh, sizeof(fresh), "%s.new", ours);
	if (!programs_only_with(ours, &e) || runs(ours) != 0)
		return NOT_ENTERED + 1;
	if (runs("/bin/true") != EACCES || runs("/bin/sh") != EACCES)
		return NOT_ENTERED + 2;
	return rename(fresh, ours) ? errno : runs(ours);
}

START_TEST(main_runs_its_own_programs)
{
	char command[256];

	if (!kernel_landlock()) {
		printf("SKIP: no Landlock here\n");
		return;
	}
	snprintf(command, sizeof(command), "cd %s/live && cp /bin/true verifierd-core && cp /bin/true verifierd-core.new", top);
	ck_assert(!system(command));
	ck_assert_int_eq(inside(ROLE_CORE, runs_its_own, true), 0);
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
	tcase_add_test(tc, a_renewed_certificate_is_read);
	tcase_add_test(tc, main_runs_its_own_programs);
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
