/*
 * Row 21: the module as PAM loads it, and every system call and every allocation of its decision failed in turn, once
 * and for good, those inside libpam and libc among them (syslog, the conversation). A refused host is never let in, a
 * good one is let in or refused, and an answer is there within the deadline.
 */
#include <dlfcn.h>
#include <limits.h>
#include <security/pam_appl.h>
#include "inject.h"
#include "unit.h"
#include "world.h"

#define ENFORCE "[demo]\nmode = enforce\narm = always\ntimeout = 1s\n"
#define OPEN    ENFORCE "sources = exempt cache quote grace [none=permit broken=permit]\n"
#define REFUSED "state=contraindicated reason=cmdline-changed "
#define SAYS_NO "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX"

/* What the stage may end in, with a fault and without: bits of these. */
enum { DENY = 1, PERMIT = 2, IGNORE = 4 };
enum { DISABLED = 1, AUTH = 2, NO_CONF = 4, DROPIN = 8, DEAF_USER = 16, CONSOLE = 32, CUT_NAME = 64, CUT_WORD = 128 };

static const struct stage {
	const char *label, *conf, *record, *attestd;
	const char *service, *user, *args, *lease;
	unsigned flags, clean, faulted;
} stages[] = {
	{ "refused, nobody to ask", ENFORCE, REFUSED, .clean = DENY, .faulted = DENY },
	{ "refused, and by attestd", ENFORCE, REFUSED, SAYS_NO, .clean = DENY, .faulted = DENY },
	{ "refused, in auth", ENFORCE, REFUSED, .flags = AUTH, .clean = DENY, .faulted = DENY },
	{ "refused, none and broken permitted", OPEN, REFUSED, .clean = DENY, .faulted = DENY },
	{ "refused, attestd has no verdict, none permitted", OPEN, REFUSED, "ok=yes state=none reason=verifier-unreachable",
	    .clean = DENY, .faulted = DENY },
	{ "refused, and the kill switch is set", ENFORCE "kill_switch = all\n", REFUSED, .flags = DISABLED, .clean = DENY, .faulted = DENY },
	{ "the same in auth", ENFORCE "kill_switch = all\n", REFUSED, .flags = DISABLED | AUTH, .clean = DENY, .faulted = DENY },
	{ "no verdict, and a word that begins as the kernel's switch", ENFORCE "kill_switch = all\n", NULL, .flags = CUT_WORD, .clean = DENY, .faulted = DENY },
	{ "no record, attestd refuses", ENFORCE, NULL, SAYS_NO, .clean = DENY, .faulted = DENY },
	{ "nobody to ask", ENFORCE, NULL, .clean = DENY, .faulted = DENY },
	{ "a stale record", ENFORCE, "expires_boot=@-1000 expires_wall=@-1000 issued_boot=@-60000 issued_wall=@-60000", .clean = DENY, .faulted = DENY },
	{ "a record of another boot", ENFORCE, "boot_id=deadbeef-0000-4000-8000-000000000002", .clean = DENY, .faulted = DENY },
	{ "no gate.conf", ENFORCE, REFUSED, .flags = NO_CONF, .clean = DENY, .faulted = DENY },
	{ "enforce in a drop-in", "[default]\nmode = audit\n", REFUSED, .flags = DROPIN, .clean = DENY, .faulted = DENY },
	{ "enforce at the end of a long file", NULL, REFUSED, .clean = DENY, .faulted = DENY },
	{ "armed by the first good verdict", "[demo]\nmode = enforce\n", REFUSED, .clean = DENY, .faulted = DENY },
	{ "a user who hears nothing", ENFORCE "explain = yes\n", REFUSED, .args = "debug", .flags = DEAF_USER, .clean = DENY, .faulted = DENY },
	{ "a member's name begins like the user's", ENFORCE, REFUSED, .user = "gle", .flags = CUT_NAME, .clean = DENY, .faulted = DENY },
	{ "good", ENFORCE, "", .clean = PERMIT, .faulted = PERMIT | DENY },
	{ "good by quote", ENFORCE "explain = yes\n", NULL, "ok=yes state=affirming reason=ok ref=7F3K-21QX", .clean = PERMIT, .faulted = PERMIT | DENY },
	{ "good, in auth", ENFORCE, "", .flags = AUTH, .clean = IGNORE, .faulted = IGNORE | DENY },
	{ "grace", ENFORCE, "upstream_out=yes expires_boot=@-1000 expires_wall=@-1000 issued_boot=@-60000 issued_wall=@-60000 "
	    "good_issued=@-60000 good_expires=@-1000", "ok=yes state=none reason=verifier-unreachable", .clean = PERMIT, .faulted = PERMIT | DENY },
	{ "lease", ENFORCE, NULL, .lease = "", .clean = IGNORE, .faulted = IGNORE | DENY },
	{ "a lease that overrules", ENFORCE, REFUSED, .lease = "overrules_refusal=yes", .clean = IGNORE, .faulted = IGNORE | DENY },
	{ "refused, and a lease that does not overrule", ENFORCE, REFUSED, .lease = "", .clean = DENY, .faulted = DENY },
	{ "revoked, and a lease", ENFORCE, "state=contraindicated reason=host-revoked", .lease = "overrules_refusal=yes",
	    .clean = DENY, .faulted = DENY },
	{ "a lease for somebody else", ENFORCE, NULL, .lease = "user=lee", .clean = DENY, .faulted = DENY },
	{ "break-glass", ENFORCE, REFUSED, .user = "glen", .clean = IGNORE, .faulted = IGNORE | DENY },
	{ "root on a console", "[login]\nmode = enforce\narm = always\n", REFUSED, .service = "login", .user = "root", .flags = CONSOLE,
	    .clean = IGNORE, .faulted = IGNORE | DENY },
	{ "audit", "[demo]\nmode = audit\n", REFUSED, .clean = IGNORE, .faulted = IGNORE | DENY },
	{ "no gate.conf, and the line says audit", ENFORCE, REFUSED, .args = "mode=audit", .flags = NO_CONF, .clean = IGNORE, .faulted = IGNORE },
};

enum { LIMIT_MS = 4000 };

static struct world w;
static pam_handle_t *pamh;
static int (*decides[2])(pam_handle_t *, int, int, const char **);

static int
hears(int n, const struct pam_message **msg, struct pam_response **answers, void *arg)
{
	const struct stage *s = arg;

	(void)msg;
	*answers = s->flags & DEAF_USER ? NULL : calloc((size_t)n, sizeof(**answers));
	return *answers ? PAM_SUCCESS : PAM_CONV_ERR;
}

static int
decide(void *arg)
{
	const struct stage *s = arg;
	char conf[128];
	const char *argv[] = { conf, s->args };

	snprintf(conf, sizeof(conf), "conf=%s/gate.conf", w.dir);
	return decides[!!(s->flags & AUTH)](pamh, 0, s->args ? 2 : 1, argv);
}

static bool
judge(void *arg, const struct run *r, const char *what)
{
	const struct stage *s = arg;
	unsigned got = r->result == PAM_SUCCESS ? PERMIT : r->result == PAM_IGNORE ? IGNORE : DENY;

	ck_assert_msg(!r->signal, "%s: signal %d", what, r->signal);
	ck_assert_msg(got & (r->last[0] ? s->faulted : s->clean), "%s: PAM code %d", what, r->result);
	return true;
}

/* A comment that takes more than the first page of reads, then what counts. */
static void
long_conf(void)
{
	static char text[7000];

	memset(text, 'x', sizeof(text) - 200);
	for (size_t i = 0; i < sizeof(text) - 200; i += 100)
		memcpy(text + i, "\n# ", 3);
	strcpy(text + sizeof(text) - 200, "\n[default]\nmode = audit\n" ENFORCE);
	world_conf(&w, text);
}

/* A group file whose first page of reads ends in the middle of "glen". */
static void
cut_name(void)
{
	static const char begin[] = "root:x:0:\nattest-breakglass:x:90:";
	char text[1100];
	size_t used = sizeof(begin) - 1;

	memcpy(text, begin, used);
	while (used < 1021) {
		size_t n = 1021 - used < 16 ? 1021 - used : 8;

		memset(text + used, 'm', n - 1);
		text[used + n - 1] = ',';
		used += n;
	}
	strcpy(text + used, "glen\n");
	world_file(&w, "group", text);
}

/* A kernel command line whose first CUT_AT bytes end behind "attest=audit" of a longer word. */
static void
cut_word(void)
{
	static const char switched[] = " attest=audit";
	char text[CUT_AT + 20];

	memset(text, 'x', CUT_AT);
	strcpy(text + CUT_AT - (sizeof(switched) - 1), switched);
	strcat(text, "-only quiet\n");
	world_file(&w, "cmdline", text);
}

static void
set_stage(const struct stage *s)
{
	char path[128];

	if (s->conf)
		world_conf(&w, s->conf);
	else
		long_conf();
	world_file(&w, "state/armed", "");
	if (s->record)
		world_record(&w, s->record);
	if (s->lease)
		world_lease(&w, s->lease);
	if (s->attestd)
		world_attestd(&w, s->attestd);
	if (s->flags & CUT_NAME)
		cut_name();
	if (s->flags & CUT_WORD)
		cut_word();
	if (s->flags & DISABLED)
		world_file(&w, "DISABLED", "");
	if (s->flags & DROPIN)
		world_file(&w, "gate.conf.d/50-trial.conf", ENFORCE);
	snprintf(path, sizeof(path), "%s/gate.conf", w.dir);
	if (s->flags & NO_CONF)
		unlink(path);
}

static void
load_module(void)
{
	const char *build = getenv("top_builddir");
	char path[PATH_MAX];
	void *module;

	snprintf(path, sizeof(path), "%s/.libs/pam_attest.so", build ? build : ".");
	module = dlopen(path, RTLD_NOW);
	ck_assert_msg(module != NULL, "%s", dlerror());
	for (int i = 0; i < 2; i++) {
		*(void **)&decides[i] = dlsym(module, i ? "pam_sm_authenticate" : "pam_sm_acct_mgmt");
		ck_assert_ptr_nonnull(decides[i]);
	}
}

START_TEST(no_fault_opens)
{
	const struct stage *s = &stages[_i];
	const struct pam_conv conv = { hears, (void *)(uintptr_t)s };
	const struct sweep all = { s->label, decide, (void *)(uintptr_t)s, NULL, judge, LIMIT_MS };
	unsigned made;

	if ((s->flags & CONSOLE) && getuid() != 0) {
		printf("SKIP: %s: needs root\n", s->label);
		return;
	}
	load_module();
	set_stage(s);
	ck_assert_int_eq(pam_start(s->service ? s->service : "demo", s->user ? s->user : "kim", &conv, &pamh), PAM_SUCCESS);
	if (s->flags & CONSOLE)
		ck_assert_int_eq(pam_set_item(pamh, PAM_TTY, "tty1"), PAM_SUCCESS);
	made = inject_sweep(&all);
	ck_assert_uint_gt(made, 80);
	pam_end(pamh, PAM_SUCCESS);
}
END_TEST

static void before(void) { world_open(&w); }
static void after(void) { world_close(&w); }

static void
add(TCase *tc)
{
	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, before, after);
	tcase_add_loop_test(tc, no_fault_opens, 0, COUNT(stages));
}

int
main(void)
{
	const char *why;

	if (!inject_possible(&why)) {
		printf("SKIP: %s\n", why);
		return 77;
	}
	return unit_run("gate faults", add);
}
