/*
 * The module as PAM loads it, where everything around it is against it: each file that it reads in every shape that a file
 * can have (rows 20, 31), and callers with nothing left: no descriptors, no standard ones, alarms all the time, a
 * sandbox as polkit and OpenVPN are in, another time. A refused host stays refused; a good one is let in by one file read,
 * or by one question over a unix socket, and nothing else is needed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "clock.h"
#include "syscalls.h"
#include "unit.h"
#include "world.h"

#define ENFORCE "[demo]\nmode = enforce\narm = always\ntimeout = 1s\n"
#define REFUSED "state=contraindicated reason=cmdline-changed "
#define STACK \
	"account [success=done ignore=ignore default=die] %1$s conf=%2$s/gate.conf\naccount requisite pam_debug.so acct=acct_expired\n"

/* What the stack says: PAM_IGNORE falls through to pam_debug. */
enum { DENIED = PAM_PERM_DENIED, UNKNOWN = PAM_AUTHINFO_UNAVAIL, PERMITTED = PAM_SUCCESS, IGNORED = PAM_ACCT_EXPIRED, SKIPPED = 200, TOOK_LONG, LEFT_SOMETHING };

static struct world w;
static char path[160];                  /* of the file in question */

static int
mute(int n, const struct pam_message **msg, struct pam_response **answers, void *arg)
{
	(void)msg, (void)arg;
	*answers = calloc((size_t)n, sizeof(**answers));
	return *answers ? PAM_SUCCESS : PAM_CONV_ERR;
}

static pam_handle_t *
start(void)
{
	static const struct pam_conv conv = { .conv = mute };
	pam_handle_t *pamh = NULL;
	char dir[128];

	snprintf(dir, sizeof(dir), "%s/pam.d", w.dir);
	ck_assert_int_eq(pam_start_confdir("demo", "kim", &conv, dir, &pamh), PAM_SUCCESS);
	return pamh;
}

static int
decide(void)
{
	pam_handle_t *pamh = start();
	int64_t began = clock_mono();
	int code = pam_acct_mgmt(pamh, 0);

	pam_end(pamh, code);
	return clock_mono() - began > 3000 ? TOOK_LONG : code;
}

static void
stage(const char *conf, const char *record)
{
	char stack[2048];
	const char *build = getenv("top_builddir");
	char module[512];

	snprintf(module, sizeof(module), "%s/.libs/pam_attest.so", build ? build : ".");
	snprintf(stack, sizeof(stack), STACK, module, w.dir);
	world_file(&w, "pam.d/demo", stack);
	world_file(&w, "pam.d/other", "account required pam_deny.so\n");
	world_conf(&w, conf);
	world_file(&w, "state/armed", "");
	if (record)
		world_record(&w, record);
}

/* --- shapes of a file */

static void
rewrite(const void *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert(fd >= 0 && write(fd, text, len) == (ssize_t)len && !fchmod(fd, 0644));
	close(fd);
}

static bool as_is(void) { return true; }
static bool missing(void) { return !unlink(path); }
static bool empty(void) { return !truncate(path, 0); }
static bool others_write(void) { return !chmod(path, 0646); }
static bool group_writes(void) { return !chmod(path, 0664); }
static bool of_somebody(void) { return getuid() == 0 && !chown(path, 1000, 1000); }
static bool of_nobody(void) { return getuid() == 0 && !chown(path, 65534, 65534); }
static bool unreadable(void) { return getuid() != 0 && !chmod(path, 0); }
static bool fifo(void) { return !unlink(path) && !mkfifo(path, 0644); }
static bool folder(void) { return !unlink(path) && !mkdir(path, 0755); }
static bool device(void) { return !unlink(path) && !mknod(path, S_IFCHR | 0644, makedev(1, 5)); }
static bool huge(void) { return !truncate(path, (off_t)1 << 40); }
static bool dangling(void) { return !unlink(path) && !symlink("/nowhere/at/all", path); }
static bool circle(void) { return !unlink(path) && !symlink(path, path); }

static bool
linked(void)
{
	char away[170];

	snprintf(away, sizeof(away), "%s.away", path);
	return !rename(path, away) && !symlink(away, path);
}

static bool
socket_there(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%.100s", path);
	return !unlink(path) && !bind(fd, (struct sockaddr *)&at, sizeof(at));
}

static bool
long_file(void)
{
	static char text[70000];

	memset(text, '\n', sizeof(text));
	rewrite(text, sizeof(text));
	return true;
}

static bool
binary(void)
{
	static uint8_t text[4000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 167 + i / 256);
	rewrite(text, sizeof(text));
	return true;
}

static bool
nonsense(void)
{
	rewrite("\xa0\xb1 nonsense\n=\n%%%\n", 18);
	return true;
}

static bool
zeros(void)
{
	static const uint8_t text[900];

	rewrite(text, sizeof(text));
	return true;
}

#define SHAPES(X) X(as_is) X(missing) X(empty) X(others_write) X(group_writes) X(of_somebody) X(of_nobody) X(unreadable) X(fifo) \
	X(folder) X(device) X(huge) X(dangling) X(circle) X(linked) X(socket_there) X(long_file) X(binary) X(nonsense) X(zeros)
static const struct { const char *name; bool (*make)(void); } shapes[] = {
#define X(name) { #name, name },
	SHAPES(X)
#undef X
};

/*
 * Each file, and what comes of it: as it is, and in all other shapes but those named in `also`, which are as good as it is.
 */
static const struct file {
	const char *label, *name, *conf, *record, *attestd;
	bool        made;               /* it is made first: a lease, or empty */
	int         as_is, else_, also_code;
	const char *also;
} files[] = {
	{ "a good record", "run/verdict", ENFORCE, "", NULL, false, PERMITTED, UNKNOWN, PERMITTED, "" },
	{ "a refusal on record", "run/verdict", ENFORCE, REFUSED, NULL, false, DENIED, UNKNOWN, DENIED, "" },
	{ "a good record, and attestd says no", "run/verdict", ENFORCE, "", "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", false,
	    PERMITTED, DENIED, DENIED, "" },
	{ "no good record, and attestd says yes", "run/verdict", ENFORCE, "boot_id=deadbeef-0000-4000-8000-000000000002", "ok=yes state=affirming reason=ok ref=7F3K-21QX", false,
	    PERMITTED, PERMITTED, PERMITTED, "" },
	{ "gate.conf", "gate.conf", ENFORCE, "", NULL, false, PERMITTED, UNKNOWN, UNKNOWN, "" },
	{ "gate.conf of a refused host", "gate.conf", ENFORCE, REFUSED, NULL, false, DENIED, UNKNOWN, UNKNOWN, "" },
	{ "gate.conf that says audit", "gate.conf", "[demo]\nmode = audit\n", REFUSED, NULL, false, IGNORED, UNKNOWN, UNKNOWN, "" },
	{ "a drop-in", "gate.conf.d/50-x.conf", ENFORCE, "", NULL, true, UNKNOWN, UNKNOWN, PERMITTED, " missing " },
	{ "31: DISABLED", "DISABLED", ENFORCE "kill_switch = all\n", NULL, NULL, true, IGNORED, UNKNOWN, IGNORED, " empty huge long_file binary nonsense zeros " },
	{ "31: DISABLED on a refused host", "DISABLED", ENFORCE "kill_switch = all\n", REFUSED, NULL, true, DENIED, DENIED, DENIED, "" },
	{ "a lease", "run/lease", ENFORCE, NULL, NULL, true, IGNORED, UNKNOWN, UNKNOWN, "" },
	{ "a lease on a good host", "run/lease", ENFORCE, "", NULL, true, IGNORED, PERMITTED, PERMITTED, "" },
	{ "a lease on a refused host", "run/lease", ENFORCE, REFUSED, NULL, true, DENIED, DENIED, DENIED, "" },
	/* Only absence is absence: whatever stands there, this host was affirming once. */
	{ "armed", "state/armed", "[demo]\nmode = enforce\n", REFUSED, NULL, false, DENIED, DENIED, IGNORED, " missing " },
	{ "boot_id of a good host", "boot_id", ENFORCE, "", NULL, false, PERMITTED, UNKNOWN, PERMITTED, " others_write group_writes of_somebody of_nobody linked huge " },
	{ "boot_id of a refused host", "boot_id", ENFORCE, REFUSED, NULL, false, DENIED, DENIED, DENIED, "" },
	{ "/etc/group", "group", ENFORCE, REFUSED, NULL, false, DENIED, DENIED, DENIED, "" },
	{ "/etc/passwd", "passwd", ENFORCE, REFUSED, NULL, false, DENIED, DENIED, DENIED, "" },
	{ "the kernel's command line", "cmdline", ENFORCE "kill_switch = all\n", NULL, NULL, false, UNKNOWN, UNKNOWN, UNKNOWN, "" },
};

START_TEST(every_shape)
{
	const struct file *f = &files[_i];
	unsigned made = 0;

	for (unsigned i = 0; i < COUNT(shapes); i++) {
		char word[40];
		int code, want;

		world_close(&w);
		world_open(&w);
		stage(f->conf, f->record);
		if (f->attestd)
			world_attestd(&w, f->attestd);
		snprintf(path, sizeof(path), "%s/%s", w.dir, f->name);
		if (f->made && !strcmp(f->name, "run/lease"))
			world_lease(&w, "");
		else if (f->made)
			world_file(&w, f->name, "");
		if (!shapes[i].make())
			continue;
		made++;
		snprintf(word, sizeof(word), " %s ", shapes[i].name);
		want = !i ? f->as_is : strstr(f->also, word) ? f->also_code : f->else_;
		code = decide();
		ck_assert_msg(code == want, "%s: %s: PAM code %d, wanted %d", f->label, shapes[i].name, code, want);
	}
	ck_assert_uint_ge(made, 14);
}
END_TEST

/* Cut anywhere: a record that is not whole is none, and a refusal that was whole stays one. */
START_TEST(cut_anywhere)
{
	uint8_t *text;
	size_t len;

	stage(ENFORCE, _i ? REFUSED : "");
	snprintf(path, sizeof(path), "%s/run/verdict", w.dir);
	text = unit_file(path, &len);
	ck_assert(text && len > 300);
	for (size_t n = 0; n < len; n++) {
		rewrite(text, n);
		ck_assert_msg(decide() == UNKNOWN, "%zu of %zu bytes", n, len);
	}
	rewrite(text, len);
	ck_assert_int_eq(decide(), _i ? DENIED : PERMITTED);
	free(text);
}
END_TEST

/* --- run_dir itself */

static const struct { const char *label; int shape; } folders[] = { { "is gone", 0 }, { "is a file", 1 }, { "is a FIFO", 2 }, { "cannot be entered", 3 }, { "is a circle", 4 } };

START_TEST(run_dir)
{
	char run[128], away[128];

	stage(ENFORCE, "");
	snprintf(run, sizeof(run), "%s/run", w.dir);
	snprintf(away, sizeof(away), "%s/away", w.dir);
	ck_assert(!rename(run, away));
	switch (folders[_i].shape) {
	case 1: world_file(&w, "run", "x"); break;
	case 2: ck_assert(!mkfifo(run, 0644)); break;
	case 3: ck_assert(!mkdir(run, 0)); break;
	case 4: ck_assert(!symlink(run, run)); break;
	default: break;
	}
	ck_assert_msg(decide() == UNKNOWN, "run_dir %s", folders[_i].label);
}
END_TEST

/* --- callers who have made it hard: each in a child of its own. False: it cannot be made so here. */

static volatile sig_atomic_t alarms;
static void on_alarm(int sig) { (void)sig; alarms++; }

static bool usual(void) { return true; }
static bool no_standard_files(void) { close(0), close(1), close(2); return true; }
static bool no_input(void) { close(0); return true; }
static bool pipe_signal(void) { return signal(SIGPIPE, SIG_DFL) != SIG_ERR; }
static bool no_mask(void) { umask(0); return true; }
static bool all_masked(void) { umask(0777); return true; }

static bool
limit(__rlimit_resource_t which, rlim_t most)
{
	const struct rlimit r = { most, most };

	return !setrlimit(which, &r);
}

static bool no_file_size(void) { signal(SIGXFSZ, SIG_DFL); return limit(RLIMIT_FSIZE, 0); }
static bool no_processes(void) { return limit(RLIMIT_NPROC, 0); }
static bool no_locked_memory(void) { return limit(RLIMIT_MEMLOCK, 0); }
static bool small_stack(void) { return limit(RLIMIT_STACK, 256 << 10); }

static bool
alarms_all_the_time(void)
{
	const struct sigaction act = { .sa_handler = on_alarm };   /* no SA_RESTART: every call is interrupted */
	const struct itimerval often = { { 0, 300 }, { 0, 300 } };

	return !sigaction(SIGALRM, &act, NULL) && !setitimer(ITIMER_REAL, &often, NULL);
}

static bool
children_ignored(void)
{
	return signal(SIGCHLD, SIG_IGN) != SIG_ERR && signal(SIGHUP, SIG_IGN) != SIG_ERR;
}

/* As PrivateNetwork=, PrivateDevices=, RestrictAddressFamilies=AF_UNIX and a filter do, without a right left. */
static bool
sandbox(void)
{
	struct error e;
	static const struct syscalls few = { "getuid geteuid getgid getegid getpid newfstatat lseek access faccessat faccessat2 getdents64 "
	    "socket connect getsockopt setsockopt sendto sendmsg recvfrom poll ppoll prlimit64 uname", CALLS_OPEN_READ | CALLS_UNIX | CALLS_LOG | CALLS_MEMORY_CODE };

	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0 || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/dev", "tmpfs", 0, NULL) < 0 || mount("none", "/proc", "tmpfs", 0, NULL) < 0)
		return false;
	if (!limit(RLIMIT_NPROC, 10) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return false;
	return syscalls_enter(&few, &e);
}

static bool
no_proc(void)
{
	return !unshare(CLONE_NEWNS) && !mount("", "/", "", MS_REC | MS_PRIVATE, NULL) && !mount("none", "/proc", "tmpfs", 0, NULL);
}

static const struct caller {
	const char *label;
	bool      (*make)(void);
} callers[] = {
	{ "as usual", usual },
	{ "without descriptors 0 to 2", no_standard_files },
	{ "without descriptor 0", no_input },
	{ "SIGPIPE ends it", pipe_signal },
	{ "umask 0", no_mask },
	{ "umask 0777", all_masked },
	{ "no file may be written", no_file_size },
	{ "no process may be started", no_processes },
	{ "no memory may be locked", no_locked_memory },
	{ "256 KiB of stack", small_stack },
	{ "alarms all the time", alarms_all_the_time },
	{ "children are not waited for", children_ignored },
	{ "in a sandbox", sandbox },
	{ "no /proc", no_proc },
};

static unsigned
entries(const char *name)
{
	char folder_path[128];
	unsigned n = 0;
	DIR *d;

	snprintf(folder_path, sizeof(folder_path), "%s/%s", w.dir, name);
	d = opendir(folder_path);
	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* The lowest descriptor that is free, before and after: nothing is left open. */
static int
lowest(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int
as_caller(const struct caller *c)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		pam_handle_t *pamh = start();
		int code, before, after;

		(void)!pam_acct_mgmt(pamh, 0);          /* libpam has loaded what it loads, syslog is connected */
		if (!c->make())
			_exit(SKIPPED);
		before = lowest();
		code = pam_acct_mgmt(pamh, 0);
		after = lowest();
		_exit(before == after ? code : LEFT_SOMETHING);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "%s: ended by signal %d", c->label, WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* By the record alone, and by a question to attestd. */
static const struct { const char *record, *attestd; int code; } hosts[] = {
	{ "", NULL, PERMITTED },
	{ REFUSED, NULL, DENIED },
	{ NULL, "ok=yes state=affirming reason=ok ref=7F3K-21QX", PERMITTED },
	{ NULL, "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", DENIED },
	{ NULL, "hangup", UNKNOWN },
	{ NULL, NULL, UNKNOWN },
};

START_TEST(every_caller)
{
	const struct caller *c = &callers[_i];

	for (unsigned i = 0; i < COUNT(hosts); i++) {
		unsigned had;
		int code;

		world_close(&w);
		world_open(&w);
		stage(ENFORCE, hosts[i].record);
		if (hosts[i].attestd)
			world_attestd(&w, hosts[i].attestd);
		had = entries("run") + entries("state") + entries(".");
		code = as_caller(c);
		if (code == SKIPPED) {
			printf("SKIP: %s: cannot be made here\n", c->label);
			return;
		}
		ck_assert_msg(code == hosts[i].code, "%s, host %u: PAM code %d, wanted %d", c->label, i, code, hosts[i].code);
		ck_assert_msg(entries("run") + entries("state") + entries(".") == had, "%s: something was written", c->label);
	}
}
END_TEST

/* Descriptors run out at every number: a good host is let in or not, a refused one is refused. */
START_TEST(few_descriptors)
{
	static const struct { const char *conf, *record; } refused[] = {
		{ ENFORCE, REFUSED }, { "[demo]\nmode = enforce\n", REFUSED }, { "[default]\nmode = audit\n" ENFORCE, REFUSED },
		{ ENFORCE "sources = exempt cache quote grace [none=permit broken=permit]\n", REFUSED },
	};

	for (unsigned i = 0; i < COUNT(refused); i++) {
		world_close(&w);
		world_open(&w);
		stage(refused[i].conf, refused[i].record);
		for (rlim_t most = 0; most < 16; most++) {
			int status;
			pid_t pid = fork();

			ck_assert_int_ge(pid, 0);
			if (!pid) {
				pam_handle_t *pamh = start();

				(void)!pam_acct_mgmt(pamh, 0);
				_exit(limit(RLIMIT_NOFILE, most) ? pam_acct_mgmt(pamh, 0) : SKIPPED);
			}
			ck_assert_int_eq(waitpid(pid, &status, 0), pid);
			ck_assert(WIFEXITED(status));
			/* libpam has refusals of its own for it. */
			ck_assert_msg(WEXITSTATUS(status) != PERMITTED && WEXITSTATUS(status) != IGNORED && WEXITSTATUS(status) != SKIPPED, "refused host %u, %lu descriptors: PAM code %d", i,
			    (unsigned long)most, WEXITSTATUS(status));
		}
	}
}
END_TEST

/* Row 37: in another time namespace, which is how a machine that slept, and one that hibernated, looks. */
static const struct { const char *label, *offsets; int code; } times[] = {
	{ "the same time", "", PERMITTED },
	{ "it slept for five seconds", "boottime 5 0\n", UNKNOWN },
	{ "it slept for a day", "boottime 86400 0\n", UNKNOWN },
	{ "up a day longer", "boottime 86400 0\nmonotonic 86400 0\n", UNKNOWN },
};

START_TEST(row_37_other_times)
{
	pid_t pid;
	int status;

	stage(ENFORCE, "");
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		FILE *f = unshare(CLONE_NEWTIME) ? NULL : fopen("/proc/self/timens_offsets", "we");
		pid_t inner;

		if (!f || fputs(times[_i].offsets, f) < 0 || fclose(f))
			_exit(SKIPPED);
		inner = fork();
		if (!inner)
			_exit(decide());
		_exit(inner < 0 || waitpid(inner, &status, 0) != inner || !WIFEXITED(status) ? 99 : WEXITSTATUS(status));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		printf("SKIP: %s: no time namespace here\n", times[_i].label);
	else
		ck_assert_msg(WEXITSTATUS(status) == times[_i].code, "%s: PAM code %d", times[_i].label, WEXITSTATUS(status));
}
END_TEST

static void before(void) { world_open(&w); }
static void after(void) { world_close(&w); }

static void
add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, before, after);
	tcase_add_loop_test(tc, every_shape, 0, COUNT(files));
	tcase_add_loop_test(tc, cut_anywhere, 0, 2);
	tcase_add_loop_test(tc, run_dir, 0, COUNT(folders));
	tcase_add_loop_test(tc, every_caller, 0, COUNT(callers));
	tcase_add_test(tc, few_descriptors);
	tcase_add_loop_test(tc, row_37_other_times, 0, COUNT(times));
}

int
main(void)
{
	return unit_run("hostile", add);
}
