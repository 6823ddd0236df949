/*
 * Row 21: every function that the gate calls and that can fail does so, one after the other and with each errno
 * that matters, under enforce and on a host that is refused, unknown, or good. Never a permit that the same stage
 * without a fault would not have given; and no fault at all opens a refused host.
 *
 * The linker puts __wrap_X in the place of X in the module's own code (--wrap): what the kernel is not asked for
 * (clocks, random bytes) and what is libpam's fails here too. needed.sh sees to it that none is forgotten.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <security/pam_appl.h>
#include <security/pam_modules.h>
#include <security/pam_ext.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "unit.h"
#include "world.h"

static int left = -1;           /* calls until the one that fails; -1: none does */
static int with;                /* its errno; 0: it ends early, as at the end of a file */
static int calls;

static bool
now_fails(void)
{
	calls++;
	if (left < 0 || left--)
		return false;
	errno = with;
	return true;
}

int     __real_open(const char *, int, ...), __wrap_open(const char *, int, ...);
int     __real_fstat(int, struct stat *), __wrap_fstat(int, struct stat *);
ssize_t __real_read(int, void *, size_t), __wrap_read(int, void *, size_t);
ssize_t __real_getdents64(int, void *, size_t), __wrap_getdents64(int, void *, size_t);
int     __real_socket(int, int, int), __wrap_socket(int, int, int);
int     __real_connect(int, const struct sockaddr *, socklen_t), __wrap_connect(int, const struct sockaddr *, socklen_t);
int     __real_getsockopt(int, int, int, void *, socklen_t *), __wrap_getsockopt(int, int, int, void *, socklen_t *);
int     __real_setsockopt(int, int, int, const void *, socklen_t), __wrap_setsockopt(int, int, int, const void *, socklen_t);
ssize_t __real_send(int, const void *, size_t, int), __wrap_send(int, const void *, size_t, int);
ssize_t __real_recv(int, void *, size_t, int), __wrap_recv(int, void *, size_t, int);
int     __real_poll(struct pollfd *, nfds_t, int), __wrap_poll(struct pollfd *, nfds_t, int);
int     __real_clock_gettime(clockid_t, struct timespec *), __wrap_clock_gettime(clockid_t, struct timespec *);
ssize_t __real_getrandom(void *, size_t, unsigned), __wrap_getrandom(void *, size_t, unsigned);
ssize_t __real_sendmsg(int, const struct msghdr *, int), __wrap_sendmsg(int, const struct msghdr *, int);
int     __real_close(int), __wrap_close(int);
int     __real_pam_get_item(const pam_handle_t *, int, const void **), __wrap_pam_get_item(const pam_handle_t *, int, const void **);
int     __real_pam_get_user(pam_handle_t *, const char **, const char *), __wrap_pam_get_user(pam_handle_t *, const char **, const char *);
int     __wrap_pam_prompt(pam_handle_t *, int, char **, const char *, ...);
void    __wrap_pam_syslog(const pam_handle_t *, int, const char *, ...);

/* A call that ends early gives 0 where it counts bytes, and fails with EIO elsewhere. */
#define FAILS(end) do { if (now_fails()) { if (with) return -1; errno = EIO; return end; } } while (0)

int __wrap_open(const char *path, int flags, ...) { FAILS(-1); return __real_open(path, flags); }
int __wrap_fstat(int fd, struct stat *st) { FAILS(-1); return __real_fstat(fd, st); }
ssize_t __wrap_read(int fd, void *p, size_t n) { FAILS(0); return __real_read(fd, p, n); }
ssize_t __wrap_getdents64(int fd, void *p, size_t n) { FAILS(0); return __real_getdents64(fd, p, n); }
int __wrap_socket(int a, int b, int c) { FAILS(-1); return __real_socket(a, b, c); }
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t n) { FAILS(-1); return __real_connect(fd, a, n); }
int __wrap_getsockopt(int fd, int a, int b, void *p, socklen_t *n) { FAILS(-1); return __real_getsockopt(fd, a, b, p, n); }
ssize_t __wrap_send(int fd, const void *p, size_t n, int f) { FAILS(0); return __real_send(fd, p, n, f); }
ssize_t __wrap_recv(int fd, void *p, size_t n, int f) { FAILS(0); return __real_recv(fd, p, n, f); }
int __wrap_setsockopt(int fd, int a, int b, const void *p, socklen_t n) { FAILS(-1); return __real_setsockopt(fd, a, b, p, n); }
int __wrap_poll(struct pollfd *p, nfds_t n, int t) { FAILS(0); return __real_poll(p, n, t); }
int __wrap_clock_gettime(clockid_t id, struct timespec *t) { FAILS(-1); return __real_clock_gettime(id, t); }
ssize_t __wrap_getrandom(void *p, size_t n, unsigned f) { FAILS(0); return __real_getrandom(p, n, f); }
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int f) { FAILS(0); return __real_sendmsg(fd, m, f); }
static int lines;               /* that syslog has */
void __wrap_pam_syslog(const pam_handle_t *h, int p, const char *f, ...) { (void)h, (void)p, (void)f, lines++, (void)now_fails(); }

/* Prompts are answered with a peer's name, and with what can be a passport. */
int
__wrap_pam_prompt(pam_handle_t *h, int style, char **answer, const char *f, ...)
{
	va_list ap;

	(void)h;
	if (now_fails())
		return PAM_CONV_ERR;
	if (style != PAM_PROMPT_ECHO_ON || !answer)
		return PAM_SUCCESS;
	va_start(ap, f);
	*answer = strdup(strstr(va_arg(ap, const char *), "passport") ? "0123456789ABCDEFGHJKMNPQRS" : "laptop7");
	va_end(ap);
	return PAM_SUCCESS;
}

int
__wrap_close(int fd)
{
	int rc = __real_close(fd);      /* on Linux it is closed whatever close says */

	FAILS(-1);
	return rc;
}

int
__wrap_pam_get_item(const pam_handle_t *h, int which, const void **out)
{
	return now_fails() ? PAM_SYSTEM_ERR : __real_pam_get_item(h, which, out);
}

int
__wrap_pam_get_user(pam_handle_t *h, const char **out, const char *prompt)
{
	return now_fails() ? PAM_CONV_ERR : __real_pam_get_user(h, out, prompt);
}

#define ENFORCE "[demo]\nmode = enforce\narm = always\ntimeout = 1s\n"
static const struct { const char *label, *conf, *record, *attestd; bool permits; const char *service; } stages[] = {
	{ "refused on record, nobody to ask", ENFORCE, "state=contraindicated reason=cmdline-changed", NULL, .permits = false },
	{ "refused on record and by attestd", ENFORCE, "state=contraindicated reason=cmdline-changed",
	    "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", .permits = false },
	{ "no record, attestd refuses", ENFORCE, NULL, "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", .permits = false },
	{ "no verdict", ENFORCE, NULL, "ok=yes state=none reason=verifier-unreachable", .permits = false },
	{ "of another boot", ENFORCE, "boot_id=deadbeef-0000-4000-8000-000000000002", "ok=yes state=none reason=not-enrolled", .permits = false },
	{ "grace is over", ENFORCE, "upstream_out=yes expires_boot=@-1000 expires_wall=@-1000 issued_boot=@-60000 issued_wall=@-60000 "
	    "good_issued=@-60000 good_expires=@-1000 grace_max=500", "ok=yes state=none reason=verifier-unreachable", .permits = false },
	{ "good", ENFORCE, "", NULL, .permits = true },
	{ "good by quote", ENFORCE, NULL, "ok=yes state=affirming reason=ok ref=7F3K-21QX", .permits = true },
	{ "armed by first-good", "[demo]\nmode = enforce\ntimeout = 1s\n", "state=contraindicated reason=cmdline-changed", NULL, .permits = false },
	{ "root from afar who says tty1", "[login]\nmode = enforce\narm = always\ntimeout = 1s\n", "state=contraindicated reason=cmdline-changed", NULL,
	    .service = "login" },
	{ "a bad peer", ENFORCE "sources = peer\npeer_prompt = yes\n", "", "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX peer=laptop7", .permits = false },
	{ "a peer that nobody knows", ENFORCE "sources = peer\npeer_prompt = yes\n", "", "ok=yes state=none reason=peer-unknown ref= peer=laptop7", .permits = false },
	{ "a good peer", ENFORCE "sources = peer\npeer_prompt = yes\n", "", "ok=yes state=affirming reason=ok ref=7F3K-21QX peer=laptop7", .permits = true },
	{ "a bad passport", ENFORCE "sources = passport\naudience = vpn.example\n", "", "ok=yes state=contraindicated reason=passport-invalid ref= peer=", .permits = false },
	{ "audit for the others", "[default]\nmode = audit\n" ENFORCE, "state=contraindicated reason=cmdline-changed", NULL, .permits = false },
};
static const int errors[] = { 0, EIO, EACCES, EMFILE, ENOMEM, EAGAIN };

static struct world w;

static int
decide(pam_handle_t *pamh)
{
	char conf[128];
	const char *argv[] = { conf };

	snprintf(conf, sizeof(conf), "conf=%s/gate.conf", w.dir);
	return pam_sm_acct_mgmt(pamh, 0, 1, argv);
}

static bool
opens(int code)
{
	return code == PAM_SUCCESS || code == PAM_IGNORE;
}

static pam_handle_t *
start(const char *service)
{
	static const struct pam_conv nobody;
	pam_handle_t *pamh;

	ck_assert_int_eq(pam_start(service ? service : "demo", service ? "root" : "kim", &nobody, &pamh), PAM_SUCCESS);
	if (service)
		ck_assert(!pam_set_item(pamh, PAM_RHOST, "192.0.2.7") && !pam_set_item(pamh, PAM_TTY, "tty1"));
	return pamh;
}

START_TEST(no_fault_opens)
{
	pam_handle_t *pamh = start(stages[_i].service);
	int total;

	world_conf(&w, stages[_i].conf);
	world_file(&w, "state/armed", "");
	if (stages[_i].record)
		world_record(&w, stages[_i].record);
	if (stages[_i].attestd)
		world_attestd(&w, stages[_i].attestd);
	calls = 0;
	ck_assert_msg(opens(decide(pamh)) == stages[_i].permits, "%s", stages[_i].label);
	total = calls;
	ck_assert_int_gt(total, 20);
	for (size_t k = 0; k < COUNT(errors); k++)
		for (int at = 0; at < total; at++) {
			int code;

			with = errors[k];
			left = at;
			code = decide(pamh);
			left = -1;
			ck_assert_msg(stages[_i].permits || !opens(code), "%s: call %d of %d fails with %s: %s", stages[_i].label, at, total,
			    with ? strerror(with) : "an early end", pam_strerror(pamh, code));
		}
	printf("%s: %d calls, %zu kinds of failure\n", stages[_i].label, total, COUNT(errors));
	pam_end(pamh, PAM_SUCCESS);
}
END_TEST

/* Bound in the journal's place; -1 is not. */
static int
journal(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/journal", w.dir);
	ck_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)));
	return fd;
}

static int
entries(int fd)
{
	char entry[8192];
	int count = 0;

	while (recv(fd, entry, sizeof(entry), 0) > 0)
		count++;
	return count;
}

/* Whatever fails: the journal has the line, or syslog, and never both. */
START_TEST(one_line_a_decision)
{
	pam_handle_t *pamh = start(NULL);
	int fd = journal(), total;

	world_conf(&w, ENFORCE);
	world_record(&w, "state=contraindicated reason=cmdline-changed");
	calls = lines = 0;
	decide(pamh);
	total = calls;
	ck_assert_int_eq(entries(fd), 1);
	ck_assert_int_eq(lines, 0);
	for (int at = 0; at < total; at++) {
		int journaled;

		lines = 0;
		with = ENOBUFS;
		left = at;
		decide(pamh);
		left = -1;
		journaled = entries(fd);
		ck_assert_msg(lines + journaled == 1, "call %d of %d fails: %d lines, %d entries", at, total, lines, journaled);
	}
	/* Nobody reads, and the queue is full: nobody waits for it. */
	lines = 0;
	for (int i = 0; i < 2000 && lines < 10; i++)
		decide(pamh);
	ck_assert_int_eq(lines, 10);
	close(fd);
	pam_end(pamh, PAM_SUCCESS);
}
END_TEST

static void before(void) { world_open(&w); }
static void after(void) { left = -1; world_close(&w); }

static void
add(TCase *tc)
{
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, before, after);
	tcase_add_loop_test(tc, no_fault_opens, 0, COUNT(stages));
	tcase_add_test(tc, one_line_a_decision);
}

int
main(void)
{
	return unit_run("faults", add);
}
