/* gate.conf: what is in force for a service, which lines are wrong, and whom that concerns. */
#include <sys/stat.h>
#include "gate_conf.h"
#include "unit.h"

static char dir[64];

static void
put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(path, 0644), 0);
}

static void
before(void)
{
	char path[128];

	strcpy(dir, "/tmp/check_gate_conf.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/gate.conf.d", dir);
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void
after(void)
{
	static const char *const names[] = { "gate.conf", "gate.conf.d/10-a.conf", "gate.conf.d/9-b.conf", "gate.conf.d/c.txt" };
	char path[128];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/gate.conf.d", dir);
	rmdir(path);
	rmdir(dir);
}

static unsigned reported;

static void
report(void *arg, const struct error *e)
{
	(void)arg;
	(void)e;
	reported++;
}

/* Reads gate.conf for service with at most one more option. */
static void
read_conf(struct gate_conf *c, const char *service, const char *option)
{
	char conf[128];
	const char *const argv[] = { conf, option };

	snprintf(conf, sizeof(conf), "conf=%s/gate.conf", dir);
	reported = 0;
	gate_conf_read(c, service, option ? 2 : 1, argv, report, NULL);
}

struct want { const char *key, *value; char found[1024]; };

static void
find(void *arg, const char *section, const char *key, const char *value)
{
	struct want *w = arg;

	if (strcmp(section, "nss") != 0 && !strcmp(key, w->key))
		strcpy(w->found, value);
}

static const struct { const char *label, *text, *service, *option, *key, *value; } rows[] = {
	{ "nothing said: audit", "[nss]\n", "sshd", NULL, "mode", "audit" },
	{ "the service's own", "[sshd]\nmode = enforce\n", "sshd", NULL, "mode", "enforce" },
	{ "not another's", "[sshd]\nmode = enforce\n", "sshd2", NULL, "mode", "audit" },
	{ "one of several names", "[sudo\tsudo-i  su]\nmode = enforce\n", "sudo-i", NULL, "mode", "enforce" },
	{ "[default]", "[default]\nmode = off\n", "sshd", NULL, "mode", "off" },
	{ "[default] below the section", "[sshd]\nmode = enforce\n[default]\nmode = off\n", "sshd", NULL, "mode", "enforce" },
	{ "the line beats the file", "[sshd]\nmode = enforce\n", "sshd", "mode=off", "mode", "off" },
	{ "time units", "[default]\ngrace = 2h\n", "sshd", NULL, "grace", "7200s" },
	{ "brackets", "[default]\nsources = cache [warning=deny none=permit] quote\n", "sshd", NULL, "sources", "cache [none=permit warning=deny] quote" },
	{ "brackets that change nothing", "[default]\nsources = cache [ affirming=permit ] exempt\n", "sshd", NULL, "sources", "cache exempt" },
	{ "until", "[default]\nuntil = 2026-11-23T09:12:44Z\n", "sshd", NULL, "until", "2026-11-23T09:12:44Z" },
	{ "paths", "[paths]\nrun_dir = /x/y\n", "sshd", NULL, "run_dir", "/x/y" },
	{ "group of [paths], not of [nss]", "[nss]\ngroup = a\n[paths]\ngroup = /g\n", "sshd", NULL, "group", "/g" },
	{ "message", "[sshd]\nmessage = Call 4242; ask for Ada ; not me\n", "sshd", NULL, "message", "Call 4242; ask for Ada" },
};

START_TEST(in_force)
{
	struct want w = { .key = rows[_i].key };
	struct gate_conf c;

	put("gate.conf", rows[_i].text);
	read_conf(&c, rows[_i].service, rows[_i].option);
	ck_assert_msg(!c.bad, "%s: %s", rows[_i].label, c.error.why);
	gate_conf_each(&c, find, &w);
	ck_assert_msg(!strcmp(w.found, rows[_i].value), "%s: %s", rows[_i].label, w.found);
}
END_TEST

static const struct { const char *label, *text, *why; } wrong[] = {
	{ "unknown key", "[sshd]\nmoode = x\n", "gate.conf:2: moode: no such key" },
	{ "key of [paths]", "[sshd]\nrun_dir = /x\n", "gate.conf:2: run_dir: no such key" },
	{ "option of the PAM line", "[sshd]\nconf = /x\n", "gate.conf:2: conf: no such key" },
	{ "before any section", "mode = off\n[sshd]\n", "gate.conf:1: mode stands before" },
	{ "twice", "[sshd]\ngrace = 1h\ngrace = 1h\n", "gate.conf:3: grace: given twice" },
	{ "no source", "[sshd]\nsources =\n", "sources: no source" },
	{ "unknown source", "[sshd]\nsources = cache cash\n", "'cash' is no source" },
	{ "nine sources", "[sshd]\nsources = cache cache cache cache cache cache cache cache cache\n", "more than 8" },
	{ "bracket first", "[sshd]\nsources = [none=permit] cache\n", "a bracket stands behind its source" },
	{ "bracket open", "[sshd]\nsources = cache [none=permit\n", "'[' without ']'" },
	{ "no action", "[sshd]\nsources = cache [none]\n", "state=action is wanted" },
	{ "unknown state", "[sshd]\nsources = cache [good=permit]\n", "'good' is no state" },
	{ "unknown action", "[sshd]\nsources = cache [none=allow]\n", "'allow' is no action" },
	{ "contraindicated", "[sshd]\nsources = cache [contraindicated=permit]\n", "cannot be permitted" },
	{ "unknown mode", "[sshd]\nmode = on\n", "off, audit or enforce is wanted" },
	{ "timeout of nothing", "[sshd]\ntimeout = 0\n", "timeout: 0: not a time" },
	{ "a day that is none", "[sshd]\nuntil = 2026-02-30T00:00:00Z\n", "not a time like" },
	{ "a time without a zone", "[sshd]\nuntil = 2026-02-03T00:00:00\n", "not a time like" },
	{ "relative path", "[paths]\nrun_dir = run\n", "not an absolute path" },
	{ "[default] concerns all", "[default]\narm = maybe\n", "first-good or always is wanted" },
	{ "a header without an end", "[sshd\nmode = off\n", "gate.conf:1: section header without" },
	{ "empty file", "", "is empty" },
};

START_TEST(is_wrong)
{
	struct gate_conf c;

	put("gate.conf", wrong[_i].text);
	read_conf(&c, "sshd", NULL);
	ck_assert_msg(c.bad && reported > 0, "%s: taken", wrong[_i].label);
	ck_assert_msg(strstr(c.error.why, wrong[_i].why) != NULL, "%s: says \"%s\"", wrong[_i].label, c.error.why);
	ck_assert_msg(c.nsources > 0 && c.timeout >= 1000, "%s: not fit to decide with", wrong[_i].label);
}
END_TEST

/* What a power cut may leave behind the first block of a file, or of a drop-in: it may have said "enforce". */
START_TEST(zeros)
{
	static const char audit[] = "[default]\nmode = audit\n\0\0\0\0";
	struct gate_conf c;
	char path[128];
	FILE *f;

	for (unsigned i = 0; i < 2; i++) {
		put("gate.conf", "[default]\nmode = audit\n");
		snprintf(path, sizeof(path), "%s/%s", dir, i ? "gate.conf.d/10-a.conf" : "gate.conf");
		ck_assert_ptr_nonnull(f = fopen(path, "w"));
		ck_assert_uint_eq(fwrite(audit, 1, sizeof(audit), f), sizeof(audit));
		ck_assert_int_eq(fclose(f), 0);
		ck_assert_int_eq(chmod(path, 0644), 0);
		read_conf(&c, "sshd", NULL);
		ck_assert(c.bad && c.unreadable && c.mode == MODE_ENFORCE);
		ck_assert_msg(strstr(c.error.why, "NUL") != NULL, "says \"%s\"", c.error.why);
	}
}
END_TEST

START_TEST(bad_lines_stay_in_their_section)
{
	struct gate_conf c;

	put("gate.conf", "[sshd]\nnonsense\nmode = enforce\nmood = x\narm = always\n[sudo]\nmode = enforce\n");
	read_conf(&c, "sudo", NULL);
	ck_assert(!c.bad && c.named && c.mode == MODE_ENFORCE);
	read_conf(&c, "sshd", NULL);
	ck_assert(c.bad && c.arm_always && c.mode == MODE_ENFORCE);
	ck_assert_uint_eq(reported, 2);
	put("gate.conf", "[sshd]\nmode = audit\nmode = off\n");
	read_conf(&c, "sshd", NULL);
	ck_assert(c.bad && c.mode == MODE_ENFORCE);
}
END_TEST

/* "moode = enforce" was to say something: what is built in is for who said nothing. */
START_TEST(bad_and_no_mode_said_is_the_strict_one)
{
	struct gate_conf c;

	put("gate.conf", "[sshd]\nmoode = enforce\n");
	read_conf(&c, "sshd", NULL);
	ck_assert(c.bad && !c.unreadable && c.mode == MODE_ENFORCE);
	read_conf(&c, "sshd", "mode=audit");
	ck_assert(c.bad && c.mode == MODE_AUDIT);
	read_conf(&c, "sudo", NULL);
	ck_assert(!c.bad && c.mode == MODE_AUDIT);
	read_conf(&c, "sudo", "mood=audit");
	ck_assert(c.bad && c.mode == MODE_ENFORCE);
	put("gate.conf", "[sshd\nmode = audit\n");
	read_conf(&c, "sudo", NULL);
	ck_assert(c.bad && c.mode == MODE_ENFORCE);
	put("gate.conf", "[sshd]\nmoode = enforce\n[default]\nmode = audit\n");
	read_conf(&c, "sshd", NULL);
	ck_assert(c.bad && c.mode == MODE_AUDIT);
	put("gate.conf.d/9-b.conf", "[sshd]\nmode = off\n");
	read_conf(&c, "sshd", NULL);
	ck_assert(c.bad && c.mode == MODE_OFF);
}
END_TEST

START_TEST(drop_ins)
{
	char path[128];
	struct gate_conf c;

	put("gate.conf", "[sshd]\nmode = audit\ngrace = 1h\n");
	put("gate.conf.d/9-b.conf", "[sshd]\nmode = off\n");
	put("gate.conf.d/10-a.conf", "[sshd]\nmode = enforce\n[default]\ngrace = 3h\n");
	put("gate.conf.d/c.txt", "[sshd]\nmode = nonsense\n");
	read_conf(&c, "sshd", NULL);
	ck_assert(!c.bad);
	ck_assert_int_eq(c.mode, MODE_OFF);              /* "10-a" sorts before "9-b" */
	ck_assert_int_eq(c.grace, 3600 * 1000);          /* the section beats [default], in whatever file */
	snprintf(path, sizeof(path), "%s/gate.conf.d/9-b.conf", dir);
	ck_assert_int_eq(chmod(path, 0666), 0);
	read_conf(&c, "sshd", NULL);
	ck_assert(c.bad && c.unreadable && c.mode == MODE_ENFORCE);
}
END_TEST

static void
count(void *arg, const char *service)
{
	ck_assert(service[0]);
	++*(unsigned *)arg;
}

START_TEST(not_to_be_trusted)
{
	char path[128];
	struct gate_conf c;
	struct error e;
	unsigned services = 0;

	read_conf(&c, "sshd", NULL);
	ck_assert(c.bad && c.unreadable && c.mode == MODE_ENFORCE);
	read_conf(&c, "sshd", "mode=audit");
	ck_assert(c.bad && c.mode == MODE_AUDIT);
	put("gate.conf", "[default]\nmode = off\n[a b]\n[paths]\n[c]\n");
	ck_assert(gate_conf_services(c.file, count, &services, &e));
	ck_assert_uint_eq(services, 3);
	snprintf(path, sizeof(path), "%s/gate.conf", dir);
	ck_assert_int_eq(chmod(path, 0664), 0);
	read_conf(&c, "sshd", NULL);
	ck_assert(c.bad && c.unreadable && c.mode == MODE_ENFORCE);
	read_conf(&c, "sshd", "mode=anything");
	ck_assert(c.bad && c.mode == MODE_ENFORCE);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, before, after);
	tcase_add_loop_test(tc, in_force, 0, COUNT(rows));
	tcase_add_loop_test(tc, is_wrong, 0, COUNT(wrong));
	tcase_add_test(tc, zeros);
	tcase_add_test(tc, bad_lines_stay_in_their_section);
	tcase_add_test(tc, bad_and_no_mode_said_is_the_strict_one);
	tcase_add_test(tc, drop_ins);
	tcase_add_test(tc, not_to_be_trusted);
}

int
main(void)
{
	return unit_run("gate_conf", add);
}
