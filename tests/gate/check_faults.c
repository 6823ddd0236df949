/*
 * Row 21: every system call of the gate fails, one after the other and with each errno that matters,
 * under enforce and on a host that is refused, unknown, or good. Never a permit that the same stage
 * without a fault would not have given; and no fault at all opens a refused host.
 *
 * The linker puts __wrap_X in the place of X in the gate's own code (--wrap).
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "gate.h"
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
ssize_t __real_send(int, const void *, size_t, int), __wrap_send(int, const void *, size_t, int);
ssize_t __real_recv(int, void *, size_t, int), __wrap_recv(int, void *, size_t, int);
int     __real_poll(struct pollfd *, nfds_t, int), __wrap_poll(struct pollfd *, nfds_t, int);
int     __real_clock_gettime(clockid_t, struct timespec *), __wrap_clock_gettime(clockid_t, struct timespec *);
ssize_t __real_getrandom(void *, size_t, unsigned), __wrap_getrandom(void *, size_t, unsigned);

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
int __wrap_poll(struct pollfd *p, nfds_t n, int t) { FAILS(0); return __real_poll(p, n, t); }
int __wrap_clock_gettime(clockid_t id, struct timespec *t) { FAILS(-1); return __real_clock_gettime(id, t); }
ssize_t __wrap_getrandom(void *p, size_t n, unsigned f) { FAILS(0); return __real_getrandom(p, n, f); }

#define ENFORCE "[demo]\nmode = enforce\narm = always\ntimeout = 1s\n"
static const struct { const char *label, *conf, *record, *attestd; bool permits; } stages[] = {
	{ "refused on record, nobody to ask", ENFORCE, "state=contraindicated reason=cmdline-changed", NULL, false },
	{ "refused on record and by attestd", ENFORCE, "state=contraindicated reason=cmdline-changed",
	    "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", false },
	{ "no record, attestd refuses", ENFORCE, NULL, "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", false },
	{ "no verdict", ENFORCE, NULL, "ok=yes state=none reason=verifier-unreachable", false },
	{ "of another boot", ENFORCE, "boot_id=deadbeef-0000-4000-8000-000000000002", "ok=yes state=none reason=not-enrolled", false },
	{ "grace is over", ENFORCE, "upstream_out=yes expires_boot=@-1000 expires_wall=@-1000 issued_boot=@-60000 issued_wall=@-60000 "
	    "good_issued=@-60000 good_expires=@-1000 grace_max=500", "ok=yes state=none reason=verifier-unreachable", false },
	{ "good", ENFORCE, "", NULL, true },
	{ "good by quote", ENFORCE, NULL, "ok=yes state=affirming reason=ok ref=7F3K-21QX", true },
	{ "armed by first-good", "[demo]\nmode = enforce\ntimeout = 1s\n", "state=contraindicated reason=cmdline-changed", NULL, false },
};
static const int errors[] = { 0, EIO, EACCES, EMFILE, ENOMEM, EAGAIN };

static struct world w;

static enum gate_code
decide(struct gate_decision *d)
{
	const struct gate_request q = { .user = "kim", .rhost = "", .tty = "", .phase = PHASE_ACCOUNT, .ruid = 1000 };
	char conf[128];
	const char *const argv[] = { conf };
	struct gate_conf c;

	snprintf(conf, sizeof(conf), "conf=%s/gate.conf", w.dir);
	gate_conf_read(&c, "demo", 1, argv, NULL, NULL);
	gate_decide(&c, &q, d);
	gate_tell(&c, &q, d);
	return gate_code(&c, d, PHASE_ACCOUNT);
}

static bool
opens(enum gate_code code)
{
	return code == CODE_SUCCESS || code == CODE_IGNORE;
}

START_TEST(no_fault_opens)
{
	struct gate_decision d;
	int total;

	world_conf(&w, stages[_i].conf);
	world_file(&w, "state/armed", "");
	if (stages[_i].record)
		world_record(&w, stages[_i].record);
	if (stages[_i].attestd)
		world_attestd(&w, stages[_i].attestd);
	calls = 0;
	ck_assert_msg(opens(decide(&d)) == stages[_i].permits, "%s: %s", stages[_i].label, reason_code(d.reason));
	total = calls;
	ck_assert_int_gt(total, 20);
	for (size_t k = 0; k < COUNT(errors); k++)
		for (int at = 0; at < total; at++) {
			enum gate_code code;

			with = errors[k];
			left = at;
			code = decide(&d);
			left = -1;
			ck_assert_msg(stages[_i].permits || !opens(code), "%s: call %d of %d fails with %s: %s (%s, %s)", stages[_i].label, at, total,
			    with ? strerror(with) : "an early end", code_word(code), reason_code(d.reason), d.detail.why);
		}
	printf("%s: %d calls, %zu kinds of failure\n", stages[_i].label, total, COUNT(errors));
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
}

int
main(void)
{
	return unit_run("faults", add);
}
