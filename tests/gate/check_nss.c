/*
 * The group of libnss_attest(8): when there is one, that its three questions always have the same answer, that
 * buffers of every size are kept to, and that no failing call opens what is closed (row 21 for this module).
 *
 * The module's calls are wrapped: /etc/attest is found in the world's folder, and each may fail.
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "unit.h"
#include "world.h"

enum {
	GID = 4242,
#ifdef __SANITIZE_ADDRESS__
	STACK_KIB = 512,        /* its frames are larger */
#else
	STACK_KIB = 64,
#endif
};

nss_getgrnam_r     _nss_attest_getgrnam_r;
nss_getgrgid_r     _nss_attest_getgrgid_r;
nss_initgroups_dyn _nss_attest_initgroups_dyn;

static struct world w;
static int left = -1;           /* calls until the one that fails; -1: none does */
static int with;                /* its errno; 0: it ends early */
static int calls;

static bool
now_fails(void)
{
	calls++;
	if (left < 0 || left--)
		return false;
	errno = with ? with : EIO;
	return true;
}

int     __real_open(const char *, int, ...), __wrap_open(const char *, int, ...);
int     __real_fstat(int, struct stat *), __wrap_fstat(int, struct stat *);
ssize_t __real_read(int, void *, size_t), __wrap_read(int, void *, size_t);
ssize_t __real_getdents64(int, void *, size_t), __wrap_getdents64(int, void *, size_t);
int     __real_clock_gettime(clockid_t, struct timespec *), __wrap_clock_gettime(clockid_t, struct timespec *);
int     __real_close(int), __wrap_close(int);
void   *__real_realloc(void *, size_t), *__wrap_realloc(void *, size_t);

int
__wrap_open(const char *path, int flags, ...)
{
	static const char etc[] = "/etc/attest/";
	char there[256];

	if (now_fails())
		return -1;
	if (strncmp(path, etc, sizeof(etc) - 1) != 0)
		return __real_open(path, flags);
	snprintf(there, sizeof(there), "%s/%s", w.dir, path + sizeof(etc) - 1);
	return __real_open(there, flags);
}

int __wrap_fstat(int fd, struct stat *st) { return now_fails() ? -1 : __real_fstat(fd, st); }
ssize_t __wrap_read(int fd, void *p, size_t n) { return now_fails() ? (with ? -1 : 0) : __real_read(fd, p, n); }
ssize_t __wrap_getdents64(int fd, void *p, size_t n) { return now_fails() ? (with ? -1 : 0) : __real_getdents64(fd, p, n); }
int __wrap_clock_gettime(clockid_t id, struct timespec *t) { return now_fails() ? -1 : __real_clock_gettime(id, t); }
int __wrap_close(int fd) { int rc = __real_close(fd); return now_fails() ? -1 : rc; }
void *__wrap_realloc(void *p, size_t n) { return now_fails() ? NULL : __real_realloc(p, n); }

/* --- is there a group? --- */

struct said { enum nss_status by_name, by_gid, groups; };

static struct said
ask(const char *name, gid_t gid)
{
	long start = 1, size = 2;
	gid_t *list = malloc(2 * sizeof(gid_t));
	struct said s;
	struct group g;
	char buf[256];
	int e;

	list[0] = 7;
	s.by_name = _nss_attest_getgrnam_r(name, &g, buf, sizeof(buf), &e);
	ck_assert(s.by_name != NSS_STATUS_SUCCESS || (!strcmp(g.gr_name, name) && g.gr_gid == gid));
	s.by_gid = _nss_attest_getgrgid_r(gid, &g, buf, sizeof(buf), &e);
	ck_assert(s.by_gid != NSS_STATUS_SUCCESS || (g.gr_gid == gid && !g.gr_mem[0]));
	s.groups = _nss_attest_initgroups_dyn("kim", 1000, &start, &size, &list, -1, &e);
	ck_assert_int_eq(start, s.groups == NSS_STATUS_SUCCESS ? 2 : 1);
	ck_assert(list[0] == 7 && (start == 1 || list[1] == gid));
	free(list);
	return s;
}

#define GOOD   "[nss]\ngid = 4242\n"
#define WARNED "state=warning reason=kexec"
#define ROOT   "root:x:0:\n"

static const struct row {
	const char *label, *conf, *record;      /* NULL: no file */
	const char *group;                      /* NULL: the world's */
	bool        yes;
	const char *name;                       /* NULL: attested */
} rows[] = {
	{ "good", GOOD, "", NULL, true, NULL },
	{ "another name", "[nss]\ngroup = proved\ngid = 4242\n", "", NULL, true, "proved" },
	{ "the name that it has not", "[nss]\ngroup = proved\ngid = 4242\n", "", NULL, false, NULL },
	{ "no gid", "[nss]\ngroup = attested\n", "", NULL, false, NULL },
	{ "no [nss]", "", "", NULL, false, NULL },
	{ "no name", "[nss]\ngroup =\ngid = 4242\n", "", NULL, false, "" },
	{ "a gid of the system's", "[nss]\ngid = 42\n", "", NULL, false, NULL },
	{ "a gid that is no number", "[nss]\ngid = 4242x\n", "", NULL, false, NULL },

	{ "warning", GOOD, WARNED, NULL, false, NULL },
	{ "warning counts", GOOD "warning = yes\n", WARNED, NULL, true, NULL },
	{ "grace does not", GOOD "warning = yes\n", "state=warning reason=grace", NULL, false, NULL },
	{ "refused", GOOD "warning = yes\n", "state=contraindicated reason=cmdline-changed", NULL, false, NULL },
	{ "no verdict", GOOD, "state=none reason=verifier-unreachable issued_boot=0 expires_boot=0", NULL, false, NULL },
	{ "broken", GOOD, "state=broken reason=tpm-absent issued_boot=0 expires_boot=0", NULL, false, NULL },
	{ "expired on one clock", GOOD, "expires_boot=@-1", NULL, false, NULL },
	{ "and on the other", GOOD, "expires_wall=@-1", NULL, false, NULL },
	{ "of the future", GOOD, "issued_boot=@60000", NULL, false, NULL },
	{ "the clock was set back", GOOD, "issued_wall=@60000", NULL, false, NULL },
	{ "slept", GOOD, "asleep=@-1500", NULL, false, NULL },
	{ "of another boot", GOOD, "boot_id=0b1e7a7e-0000-4000-8000-000000000002", NULL, false, NULL },
	{ "lives too long", GOOD, "expires_boot=@90000000", NULL, false, NULL },
	{ "ceiling off: the group is no gate", GOOD, "ceiling=off", NULL, true, NULL },
	{ "no record", GOOD, NULL, NULL, false, NULL },

	{ "no gate.conf", NULL, "", NULL, false, NULL },
	{ "a bad line of [nss]", GOOD "colour = red\n", "", NULL, false, NULL },
	{ "a bad line of [paths]", "colour = red\n" GOOD, "", NULL, false, NULL },
	{ "a header that nobody can read", GOOD "[nss\n", "", NULL, false, NULL },
	{ "bad lines of services", "[default]\nmode = loud\n[sshd]\n= 1\nnonsense\n" GOOD, "", NULL, true, NULL },
	{ "off for every service", GOOD "[default]\nmode = off\n", "", NULL, true, NULL },

	{ "reserved", GOOD, "", ROOT "attested:x:4242:\n", true, NULL },
	{ "row 45: the gid is another group's", GOOD, "", ROOT "docker:x:4242:ada\n", false, NULL },
	{ "in the last line, without its end", GOOD, "", ROOT "docker:x:4242", false, NULL },
	{ "the name has another gid", GOOD, "", ROOT "attested:x:4243:\n", false, NULL },
	{ "twice, once otherwise", GOOD, "", "attested:x:4242:\n" ROOT "attested:x:4243:\n", false, NULL },
	{ "the gid has both names", GOOD, "", "attested:x:4242:\n" ROOT "docker:x:4242:\n", false, NULL },
	{ "behind blanks", GOOD, "", ROOT " \tattested:x:4243:\n", false, NULL },
	{ "the same number in other digits", GOOD, "", ROOT "docker:x:04242:\n", false, NULL },
	{ "a number that others may read", GOOD, "", ROOT "docker:x:+4242:\n", false, NULL },
	{ "the name without a number", GOOD, "", ROOT "attested:x::\n", false, NULL },
	{ "lines of nsswitch's compat", GOOD, "", ROOT "+:::\n+@all\n\n", true, NULL },
	{ "a group that goes on", GOOD, "", ROOT "attested2:x:4243:\nattest:x:42420:\n", true, NULL },
	{ "an empty file", GOOD, "", "", true, NULL },
};

START_TEST(agrees)
{
	const struct row *r = &rows[_i];
	struct said s;
	char path[128];

	if (r->conf)
		world_conf(&w, r->conf);
	if (r->record)
		world_record(&w, r->record);
	if (r->group)
		world_file(&w, "group", r->group);
	s = ask(r->name ? r->name : "attested", GID);
	ck_assert_msg(s.by_name == (r->yes ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND), "%s: by name %d", r->label, s.by_name);
	/* A name that it has not is no question of the others'. */
	if (!r->conf || !strstr(r->conf, "proved") || r->yes) {
		ck_assert_msg(s.by_gid == s.by_name, "%s: by gid %d", r->label, s.by_gid);
		ck_assert_msg(s.groups == s.by_name, "%s: groups %d", r->label, s.groups);
	}
	if (!r->yes || r->group)
		return;
	/* Whose file of groups cannot be believed has no room for ours. */
	snprintf(path, sizeof(path), "%s/group", w.dir);
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert_int_eq(ask(r->name ? r->name : "attested", GID).by_name, NSS_STATUS_NOTFOUND);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(ask(r->name ? r->name : "attested", GID).groups, NSS_STATUS_NOTFOUND);
}
END_TEST

static bool
there(void)
{
	struct said s = ask("attested", GID);

	ck_assert(s.by_name == s.by_gid && s.by_gid == s.groups);
	return s.by_name == NSS_STATUS_SUCCESS;
}

START_TEST(drop_ins)
{
	char path[128];

	world_conf(&w, "[nss]\ngroup = other\ngid = 100\n");
	world_record(&w, "");
	world_file(&w, "gate.conf.d/50-nss.conf", "[sshd]\nmode = enforce\n[nss]\ngroup = attested\ngid = 4242\n");
	ck_assert(there());
	world_file(&w, "gate.conf.d/60-nss.conf", "[nss]\ngid = 4242 4243\n");
	ck_assert(!there());
	world_file(&w, "gate.conf.d/60-nss.conf", "[sshd]\ngid = 1\n");
	ck_assert(there());
	snprintf(path, sizeof(path), "%s/gate.conf.d/60-nss.conf", w.dir);
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert(!there());
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("50-nss.conf", path), 0);
	ck_assert(!there());
}
END_TEST

/* As the package has it that brings the group alone. */
START_TEST(drop_in_alone)
{
	char path[128], dropin[128];

	world_conf(&w, GOOD);
	world_record(&w, "");
	snprintf(path, sizeof(path), "%s/gate.conf", w.dir);
	snprintf(dropin, sizeof(dropin), "%s/gate.conf.d/nss.conf", w.dir);
	ck_assert_int_eq(rename(path, dropin), 0);
	ck_assert(there());
	ck_assert_int_eq(symlink(dropin, path), 0);
	ck_assert(!there());            /* one that is there and cannot be believed */
	ck_assert_int_eq(unlink(path), 0);
	world_file(&w, "gate.conf", "");
	ck_assert(!there());
}
END_TEST

static void
verdict(char path[static 128])
{
	snprintf(path, 128, "%s/run/verdict", w.dir);
}

START_TEST(records_that_are_none)
{
	char path[128], there_path[140], *big;

	verdict(path);
	snprintf(there_path, sizeof(there_path), "%s.real", path);
	world_conf(&w, GOOD);
	world_record(&w, "");
	ck_assert(there());
	ck_assert_int_eq(chmod(path, 0664), 0);
	ck_assert(!there());
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(rename(path, there_path), 0);
	ck_assert_int_eq(symlink(there_path, path), 0);
	ck_assert(!there());
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0644), 0);
	ck_assert(!there());
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	ck_assert(!there());
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert(big = calloc(1, 64 << 10));
	memset(big, 'a', (64 << 10) - 1);
	world_file(&w, "run/verdict", big);
	free(big);
	ck_assert(!there());
	world_file(&w, "run/verdict", "");
	ck_assert(!there());
}
END_TEST

START_TEST(records_of_others)
{
	char path[128];

	if (getuid())
		return;                 /* only root gives files away; the system test runs as root */
	verdict(path);
	w.owner_name = "ada";
	world_conf(&w, GOOD);
	world_record(&w, "");
	ck_assert(there());             /* root's */
	ck_assert_int_eq(chown(path, 1001, 0), 0);
	ck_assert(there());             /* ada's, by the passwd file */
	ck_assert_int_eq(chown(path, 1000, 0), 0);
	ck_assert(!there());
	w.owner_name = "nobody-there";
	world_conf(&w, GOOD);
	ck_assert_int_eq(chown(path, 1001, 0), 0);
	ck_assert(!there());
}
END_TEST

/* --- buffers, errno --- */

static bool
inside(const void *p, const char *buf, size_t size)
{
	return (const char *)p >= buf && (const char *)p < buf + size;
}

START_TEST(every_size)
{
	const size_t most = 3 * sizeof(char *) + sizeof("attested") + sizeof("*");
	size_t fitted[sizeof(char *)] = { 0 };

	world_conf(&w, GOOD);
	world_record(&w, "");
	for (size_t off = 0; off < sizeof(char *); off++)
		for (size_t size = 0; size <= most; size++) {
			char *block = malloc(off + size), *buf = block + off;
			struct group g = { .gr_name = block }, same = g;
			int e = 0;
			enum nss_status s;

			errno = E2BIG;
			s = size % 2 ? _nss_attest_getgrnam_r("attested", &g, buf, size, &e) : _nss_attest_getgrgid_r(GID, &g, buf, size, &e);
			ck_assert_int_eq(errno, E2BIG);
			if (s == NSS_STATUS_SUCCESS) {
				ck_assert_int_eq(e, 0);
				ck_assert(inside(g.gr_name, buf, size) && inside(g.gr_passwd, buf, size) && inside(g.gr_mem, buf, size));
				ck_assert(!((uintptr_t)g.gr_mem % sizeof(char *)) && !g.gr_mem[0]);
				ck_assert(!strcmp(g.gr_name, "attested") && !strcmp(g.gr_passwd, "*") && g.gr_gid == GID);
				if (!fitted[off])
					fitted[off] = size;
			} else {
				ck_assert(s == NSS_STATUS_TRYAGAIN && e == ERANGE && !fitted[off]);
				ck_assert(!memcmp(&g, &same, sizeof(g)));
			}
			free(block);
		}
	for (size_t off = 0; off < sizeof(char *); off++)
		ck_assert_uint_gt(fitted[off], 0);
	ck_assert_uint_eq(fitted[0], sizeof(char *) + sizeof("attested") + sizeof("*"));
}
END_TEST

START_TEST(words_for_errno)
{
	long start = 0, size = 1;
	gid_t one = 7, *list = &one;
	struct group g;
	char buf[256];
	int e = 0;

	world_conf(&w, GOOD);
	/* Where errnop is errno, as glibc has it, the word for "no" stands there in the end. */
	ck_assert_int_eq(_nss_attest_getgrnam_r("attested", &g, buf, sizeof(buf), &errno), NSS_STATUS_NOTFOUND);
	ck_assert_int_eq(errno, ENOENT);
	errno = E2BIG;
	ck_assert_int_eq(_nss_attest_getgrgid_r(GID, &g, buf, 0, &e), NSS_STATUS_NOTFOUND);
	ck_assert(e == ENOENT && errno == E2BIG);
	ck_assert_int_eq(_nss_attest_initgroups_dyn("kim", 1, &start, &size, &list, -1, &e), NSS_STATUS_NOTFOUND);
	ck_assert(e == ENOENT && errno == E2BIG && !start && list == &one);
	world_record(&w, "");
	errno = E2BIG;
	ck_assert_int_eq(_nss_attest_getgrnam_r("attested", &g, buf, sizeof(buf), &errno), NSS_STATUS_SUCCESS);
	ck_assert_int_eq(errno, E2BIG);
	/* Others' names and numbers; nobody may ask for "any group" by gid 0. */
	ck_assert_int_eq(_nss_attest_getgrnam_r("root", &g, buf, 0, &e), NSS_STATUS_NOTFOUND);
	ck_assert_int_eq(_nss_attest_getgrnam_r("", &g, buf, 0, &e), NSS_STATUS_NOTFOUND);
	ck_assert_int_eq(_nss_attest_getgrgid_r(0, &g, buf, 0, &e), NSS_STATUS_NOTFOUND);
	ck_assert_int_eq(_nss_attest_getgrgid_r((gid_t)-1, &g, buf, 0, &e), NSS_STATUS_NOTFOUND);
}
END_TEST

static const struct list {
	const char *label;
	long  start, size, limit;
	gid_t primary;
	bool  no_memory;
	enum nss_status status;
	long  after, size_after;
} lists[] = {
	{ "room",                   2, 4, -1, 1000, false, NSS_STATUS_SUCCESS,  3, 4 },
	{ "full: doubled",          4, 4, -1, 1000, false, NSS_STATUS_SUCCESS,  5, 8 },
	{ "full, no limit as 0",    4, 4,  0, 1000, false, NSS_STATUS_SUCCESS,  5, 8 },
	{ "up to the limit",        4, 4,  6, 1000, false, NSS_STATUS_SUCCESS,  5, 6 },
	{ "at the limit",           4, 4,  4, 1000, false, NSS_STATUS_NOTFOUND, 4, 4 },
	{ "beyond it",              4, 4,  3, 1000, false, NSS_STATUS_NOTFOUND, 4, 4 },
	{ "of nothing",             0, 0, -1, 1000, false, NSS_STATUS_SUCCESS,  1, 1 },
	{ "no memory",              4, 4, -1, 1000, true,  NSS_STATUS_TRYAGAIN, 4, 4 },
	{ "room, and no memory",    3, 4, -1, 1000, true,  NSS_STATUS_SUCCESS,  4, 4 },
	{ "the primary group",      2, 4, -1, GID,  false, NSS_STATUS_NOTFOUND, 2, 4 },
};

START_TEST(grows)
{
	const struct list *l = &lists[_i];
	long start = l->start, size = l->size;
	gid_t *list = malloc((size_t)(size ? size : 1) * sizeof(gid_t));
	int e = 0, before;
	enum nss_status s;

	world_conf(&w, GOOD);
	world_record(&w, "");
	for (long i = 0; i < start; i++)
		list[i] = (gid_t)(100 + i);
	calls = 0;
	ck_assert(there());
	before = calls / 3;             /* the calls of one question */
	with = ENOMEM;
	left = l->no_memory ? before : -1;
	s = _nss_attest_initgroups_dyn("kim", l->primary, &start, &size, &list, l->limit, &e);
	left = -1;
	ck_assert_msg(s == l->status, "%s: %d", l->label, s);
	ck_assert_msg(start == l->after && size == l->size_after, "%s: %ld of %ld", l->label, start, size);
	ck_assert_int_eq(e, s == NSS_STATUS_SUCCESS ? 0 : s == NSS_STATUS_TRYAGAIN ? ENOMEM : ENOENT);
	for (long i = 0; i < l->start; i++)
		ck_assert_uint_eq(list[i], (gid_t)(100 + i));
	ck_assert(start == l->start || list[start - 1] == GID);
	free(list);
}
END_TEST

/* --- calls that fail --- */

static const struct { const char *label, *record, *group; bool yes; } stages[] = {
	{ "good", "", NULL, true },
	{ "refused", "state=contraindicated reason=cmdline-changed", NULL, false },
	{ "expired", "expires_boot=@-1", NULL, false },
	{ "slept", "asleep=@-60000", NULL, false },
	{ "the gid is another group's", "", ROOT "docker:x:4242:\n", false },
};

START_TEST(no_fault_opens)
{
	static const int errors[] = { 0, EIO, EACCES, EMFILE, ENOMEM };
	int total;

	w.owner_name = "ada";
	world_conf(&w, GOOD);
	world_file(&w, "gate.conf.d/50.conf", "[nss]\nwarning = no\n");
	world_record(&w, stages[_i].record);
	if (stages[_i].group)
		world_file(&w, "group", stages[_i].group);
	calls = 0;
	ck_assert(there() == stages[_i].yes);
	total = calls;
	ck_assert_int_gt(total, 50);
	for (size_t k = 0; k < COUNT(errors); k++)
		for (int at = 0; at < total; at++) {
			struct said s;

			with = errors[k];
			left = at;
			s = ask("attested", GID);
			left = -1;
			ck_assert_msg(stages[_i].yes || (s.by_name == NSS_STATUS_NOTFOUND && s.by_gid == NSS_STATUS_NOTFOUND &&
			    s.groups == NSS_STATUS_NOTFOUND), "%s: call %d of %d fails with %d", stages[_i].label, at, total, with);
			ck_assert_int_ne(s.by_name, NSS_STATUS_TRYAGAIN);
		}
	printf("%s: %d calls, %zu kinds of failure\n", stages[_i].label, total, COUNT(errors));
}
END_TEST

/* --- threads, with a stack that is small --- */

static void *
look(void *arg)
{
	struct group g;
	char buf[64];
	int e;

	(void)arg;
	for (unsigned i = 0; i < 500; i++)
		if (_nss_attest_getgrnam_r("attested", &g, buf, sizeof(buf), &e) != NSS_STATUS_SUCCESS || strcmp(g.gr_name, "attested") != 0)
			return &w;
	return NULL;
}

START_TEST(threads)
{
	pthread_attr_t attr;
	pthread_t t[4];
	void *bad;

	world_conf(&w, GOOD);
	world_record(&w, "");
	ck_assert(!pthread_attr_init(&attr) && !pthread_attr_setstacksize(&attr, STACK_KIB << 10));
	for (unsigned i = 0; i < COUNT(t); i++)
		ck_assert(!pthread_create(&t[i], &attr, look, NULL));
	for (unsigned i = 0; i < COUNT(t); i++)
		ck_assert(!pthread_join(t[i], &bad) && !bad);
	pthread_attr_destroy(&attr);
}
END_TEST

static void before(void) { world_open(&w); }
static void after(void) { left = -1; world_close(&w); }

static void
add(TCase *tc)
{
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, before, after);
	tcase_add_loop_test(tc, agrees, 0, COUNT(rows));
	tcase_add_test(tc, drop_ins);
	tcase_add_test(tc, drop_in_alone);
	tcase_add_test(tc, records_that_are_none);
	tcase_add_test(tc, records_of_others);
	tcase_add_test(tc, every_size);
	tcase_add_test(tc, words_for_errno);
	tcase_add_loop_test(tc, grows, 0, COUNT(lists));
	tcase_add_loop_test(tc, no_fault_opens, 0, COUNT(stages));
	tcase_add_test(tc, threads);
}

int
main(void)
{
	return unit_run("nss", add);
}
