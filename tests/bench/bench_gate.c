/*
 * What a login pays when the cached verdict answers: pam_sm_acct_mgmt() of the built module, called
 * as libpam calls it. Then what every program pays for a group with libnss_attest. The floor of each is the same
 * system calls with the same arguments in a bare loop.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <security/pam_appl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>
#include "bench.h"
#include "unit.h"
#include "world.h"

enum { CALLS = 2000 };
typedef int entry_fn(pam_handle_t *, int, int, const char **);

static struct world w;
static unsigned rounds;

static int
deaf(int n, const struct pam_message **m, struct pam_response **r, void *arg)
{
	(void)n; (void)m; (void)r; (void)arg;
	return PAM_CONV_ERR;
}

/* --- the floor: what strace shows of one decision, in its order --- */

enum file { GATE_CONF, GATE_CONF_D, BOOT_ID_FILE, VERDICT, GROUP, PASSWD, DECISIONS, FILES };
static const char *const names[FILES] = {
	"gate.conf", "gate.conf.d", "boot_id", "run/verdict", "group", "passwd", "run/decisions.sock",
};
static char paths[FILES][104];

static void
read_file(enum file file, int flags, size_t size, unsigned reads, bool look)
{
	int fd = open(paths[file], O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | flags);
	char buf[32 << 10];
	struct stat st;

	need(fd >= 0);
	if (look)
		need(!fstat(fd, &st));
	for (unsigned i = 0; i < reads; i++)
		need(read(fd, buf, size) >= 0);
	close(fd);
}

static void
read_folder(void)
{
	int fd = open(paths[GATE_CONF_D], O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_DIRECTORY);
	char buf[2048];
	struct stat st;

	need(fd >= 0 && !fstat(fd, &st));
	need(getdents64(fd, buf, sizeof(buf)) > 0 && !getdents64(fd, buf, sizeof(buf)));
	close(fd);
}

static void
log_line(void)
{
	const struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	need(fd >= 0);
	if (!connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		(void)send(fd, "", 0, MSG_NOSIGNAL);
	close(fd);
}

static void
tell(void)
{
	struct ucred who = { .pid = getpid(), .uid = geteuid(), .gid = getegid() };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(who))]; } control = { 0 };
	char text[121] = "";
	struct iovec iov = { text, sizeof(text) };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(who));
	memcpy(CMSG_DATA(c), &who, sizeof(who));
	strcpy(to.sun_path, paths[DECISIONS]);
	(void)sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void
bare_decision(void)
{
	(void)getuid();
	for (unsigned i = 0; i < 4; i++)
		(void)geteuid();
	read_file(GATE_CONF, O_NOFOLLOW, 32 << 10, 2, true);
	read_folder();
	read_file(BOOT_ID_FILE, 0, 36, 1, false);
	read_file(VERDICT, O_NOFOLLOW, 4096, 2, true);
	read_file(GROUP, 0, 1024, 1, true);
	read_file(PASSWD, 0, 1024, 1, true);
	log_line();
	tell();
}

static double
floor_us(void)
{
	double start = bench_cpu();

	for (unsigned i = 0; i < CALLS; i++)
		bare_decision();
	return (bench_cpu() - start) / CALLS;
}

/* --- the module --- */

static double
module_us(entry_fn *entry, pam_handle_t *pamh, const char *conf)
{
	double start = bench_cpu();

	for (unsigned i = 0; i < CALLS; i++)
		need(entry(pamh, 0, 1, &conf) == PAM_SUCCESS);
	return (bench_cpu() - start) / CALLS;
}

/* Beside a test, because what makes the folder is the tests' own. */
START_TEST(cached)
{
	const struct pam_conv conv = { .conv = deaf };
	struct figure f = { .name = "a cached decision, CPU", .unit = "us", .aim = 60, .aim_ratio = 1.3 };
	double own_us[ROUNDS_MAX], bare_us[ROUNDS_MAX];
	char path[4096], conf[128], dir[128];
	pam_handle_t *pamh;
	entry_fn *entry;
	void *so;

	world_open(&w);
	for (unsigned i = 0; i < FILES; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", w.dir, names[i]);
	world_conf(&w, "[demo]\nmode = enforce\narm = always\n");
	world_record(&w, "");
	world_file(&w, "pam.d/demo", "account required pam_permit.so\n");
	snprintf(path, sizeof(path), "%s/.libs/pam_attest.so", getenv("top_builddir"));
	snprintf(conf, sizeof(conf), "conf=%s/gate.conf", w.dir);
	snprintf(dir, sizeof(dir), "%s/pam.d", w.dir);
	so = dlopen(path, RTLD_NOW);
	ck_assert_msg(so, "%s", dlerror());
	*(void **)&entry = dlsym(so, "pam_sm_acct_mgmt");
	ck_assert(entry);
	ck_assert_int_eq(pam_start_confdir("demo", "kim", &conv, dir, &pamh), PAM_SUCCESS);
	for (unsigned i = 0; i < rounds; i++) {
		own_us[i] = module_us(entry, pamh, conf);
		bare_us[i] = floor_us();
	}
	f.value = bench_median(own_us, rounds);
	f.floor = bench_median(bare_us, rounds);
	bench_title("pam_attest.so");
	bench_say(&f);
	pam_end(pamh, PAM_SUCCESS);
	dlclose(so);
	world_close(&w);
}
END_TEST

/* --- the group --- */

nss_initgroups_dyn _nss_attest_initgroups_dyn;
nss_getgrgid_r     _nss_attest_getgrgid_r;
int __real_open(const char *, int, ...), __wrap_open(const char *, int, ...);

/* The module knows one gate.conf; here that is ours. */
int
__wrap_open(const char *path, int flags, ...)
{
	if (!strncmp(path, "/etc/attest/", 12))
		path = paths[path[21] ? GATE_CONF_D : GATE_CONF];
	return __real_open(path, flags);
}

/* Every login, and every `id`. */
static void
member(void)
{
	gid_t list[4], *all = list;
	long start = 0, size = COUNT(list);
	int e;

	need(_nss_attest_initgroups_dyn("kim", 1000, &start, &size, &all, -1, &e) == NSS_STATUS_SUCCESS && start == 1);
}

/* Every other group that /etc/group does not know. */
static void
stranger(void)
{
	struct group g;
	char buf[64];
	int e;

	need(_nss_attest_getgrgid_r(1234, &g, buf, sizeof(buf), &e) == NSS_STATUS_NOTFOUND);
}

static void
bare_stranger(void)
{
	for (unsigned i = 0; i < 2; i++)
		(void)geteuid();
	read_file(GATE_CONF, O_NOFOLLOW, 32 << 10, 2, true);
	read_folder();
}

static void
bare_member(void)
{
	bare_stranger();
	for (unsigned i = 0; i < 2; i++)
		(void)geteuid();
	read_file(PASSWD, 0, 1024, 1, true);
	read_file(BOOT_ID_FILE, 0, 36, 1, false);
	read_file(VERDICT, O_NOFOLLOW, 4096, 2, true);
	read_file(GROUP, 0, 1024, 2, true);
}

static double
us(void (*fn)(void))
{
	double start = bench_cpu();

	for (unsigned i = 0; i < CALLS; i++)
		fn();
	return (bench_cpu() - start) / CALLS;
}

static void
compare(struct figure *f, void (*fn)(void), void (*bare)(void))
{
	double own_us[ROUNDS_MAX], bare_us[ROUNDS_MAX];

	for (unsigned i = 0; i < rounds; i++) {
		own_us[i] = us(fn);
		bare_us[i] = us(bare);
	}
	f->value = bench_median(own_us, rounds);
	f->floor = bench_median(bare_us, rounds);
	bench_say(f);
}

/* gate.conf at its limit: services that nobody here asks about. */
static void
largest_conf(const char *begins)
{
	enum { LIMIT = 32 << 10 };
	char *all = malloc(LIMIT);
	size_t n = (size_t)snprintf(all, LIMIT, "%s", begins);

	for (unsigned i = 0; n < LIMIT - 200; i++)
		n += (size_t)snprintf(all + n, LIMIT - n, "[service-%u]   ; of somebody\nmode = enforce\nsources = exempt cache quote grace\n", i);
	world_file(&w, "gate.conf", all);
	free(all);
}

START_TEST(group)
{
	struct figure m = { .name = "a login's groups, CPU", .unit = "us", .aim = 40, .aim_ratio = 1.4 };
	struct figure o = { .name = "another group, CPU", .unit = "us", .aim = 15, .aim_ratio = 1.5 };
	struct figure l = { .name = "another, gate.conf of 32 KB", .unit = "us", .aim = 100 };

	world_open(&w);
	for (unsigned i = 0; i < FILES; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", w.dir, names[i]);
	w.owner_name = "root";
	world_conf(&w, "[default]\nmode = audit\n[sshd sudo]\nmode = enforce\n[nss]\ngid = 4242\n");
	world_record(&w, "");
	bench_title("libnss_attest.so.2");
	compare(&m, member, bare_member);
	compare(&o, stranger, bare_stranger);
	largest_conf("[nss]\ngid = 4242\n");
	compare(&l, stranger, bare_stranger);
	world_close(&w);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, cached);
	tcase_add_test(tc, group);
}

int
main(int argc, char **argv)
{
	rounds = bench_rounds(argc, argv, 9);
	return unit_run("gate", add);
}
