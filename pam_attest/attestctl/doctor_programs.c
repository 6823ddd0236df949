/* attestctl doctor, on the programs that ask PAM: what in their own configuration takes the gate away. */
#include <dlfcn.h>
#include <glob.h>
#include <sys/stat.h>
#include "doctor.h"
#include "file.h"
#include "lines.h"
#include "program.h"
#include "scope.h"
#include "sshd_conf.h"
#include "sudoers.h"

#define GATE_MODULE "pam_attest.so"

enum { SSHD_MS = 5000 };

static bool
there(const struct checkup *c, const char *path)
{
	char full[UNDER_MAX];
	struct stat st;

	return !stat(under(c, path, full), &st);
}

bool
hooked(const struct checkup *c, const char *service)
{
	static struct stack s;
	struct error e;

	if (!stack_read(c->pam_dir, service, STACK_ACCOUNT, &s, &e))
		return false;
	for (unsigned i = 0; i < s.n; i++)
		if (s.line[i].kind == KIND_MODULE && !strcmp(s.line[i].name, GATE_MODULE))
			return true;
	return false;
}

/* Is this service meant to be gated? Others may be configured as they like. */
static bool
gated(const struct checkup *c, const char *service)
{
	struct gate_conf one;

	ctl_conf(&c->ctl, service, &one);
	return hooked(c, service) || (one.named && one.mode != MODE_OFF);
}

void
look_conf(struct checkup *c)
{
	/* cmd_doctor.c has begun with it: the services that it names are what others look at. */
	if (c->conf.unreadable && !c->conf.bad)
		found(c, FOUND_CONF, "", c->ctl.conf, "%s cannot be read", c->ctl.conf);
}

void
look_stacks(struct checkup *c)
{
	lint_stacks(&c->ctl, c->pam_dir, c->all);
}

void
look_sections(struct checkup *c)
{
	for (unsigned i = 0; i < c->all->services; i++) {
		char file[UNDER_MAX + GATE_NAME_MAX], vendor[UNDER_MAX];
		const char *name = c->all->service[i];
		struct stat st;

		snprintf(file, sizeof(file), "%s/%s", c->pam_dir, name);
		snprintf(vendor, sizeof(vendor), "%s/usr/lib/pam.d/%s", c->root, name);
		if (stat(file, &st) < 0 && stat(vendor, &st) < 0)
			found(c, FOUND_NO_SERVICE, name, file, "gate.conf has a section [%s], and there is no %s", name, file);
	}
}

void
look_module(struct checkup *c)
{
	static const char path[] = PAM_MODULE_DIR "/" GATE_MODULE;
	struct stack_files files;
	bool used = false;
	void *loaded;

	stack_list(c->pam_dir, &files);
	for (unsigned i = 0; i < files.n && !used; i++)
		used = hooked(c, files.name[i]);
	if (!used)
		return;
	if (!there(c, path)) {
		found(c, FOUND_MODULE_GONE, "", path, "%s%s is not there, and PAM stacks call it", c->root, path);
		return;
	}
	/* Another machine's module is not ours to run. */
	loaded = c->root[0] ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!loaded && !c->root[0])
		found(c, FOUND_MODULE_GONE, "", path, "%s", dlerror());
	if (loaded)
		dlclose(loaded);
}

/* --- sshd */

struct sshd_reading { const struct checkup *c; struct sshd_conf conf; unsigned depth, files; };

static void read_sshd(struct sshd_reading *, const char *path);

static void
include_sshd(void *arg, const char *pattern)
{
	struct sshd_reading *r = arg;
	char full[UNDER_MAX];
	glob_t g;

	snprintf(full, sizeof(full), "%s%s%.200s", r->c->root, pattern[0] == '/' ? "" : "/etc/ssh/", pattern);
	if (r->depth == LINES_DEPTH || glob(full, 0, NULL, &g))
		return;
	r->depth++;
	for (size_t i = 0; i < g.gl_pathc; i++)
		read_sshd(r, g.gl_pathv[i]);
	r->depth--;
	globfree(&g);
}

static void
read_sshd(struct sshd_reading *r, const char *path)
{
	own(mem) uint8_t *text = NULL;
	struct error e;
	size_t len;

	if (r->files++ == LINES_FILES)
		r->conf.cut = true;
	if (r->files > LINES_FILES)
		return;
	if (file_load(path, LINES_FILE_MAX, &text, &len, &e))
		sshd_conf_take(&r->conf, path, (const char *)text, len, include_sshd, r);
	else
		r->conf.cut = true;
}

void
read_sshd_conf(const struct checkup *c, const char *group, struct sshd_conf *out)
{
	struct sshd_reading r = { .c = c };
	char path[UNDER_MAX];

	sshd_conf_open(&r.conf);
	r.conf.group = group;
	read_sshd(&r, under(c, "/etc/ssh/sshd_config", path));
	*out = r.conf;
}

/* sshd's own word for it, where it can be asked: it knows the defaults that it was built with. */
static void
ask_sshd(struct sshd_conf *conf)
{
	static const char *const argv[] = { "/usr/sbin/sshd", "-T", NULL };
	own(mem) char *text = NULL;
	struct sshd_conf effective;
	struct error e;
	size_t len;

	if (!program_output(argv, LINES_FILE_MAX, SSHD_MS, &text, &len, &e))
		return;
	sshd_conf_open(&effective);
	sshd_conf_take(&effective, "sshd -T", text, len, NULL, NULL);
	if (effective.use_pam_at[0])
		conf->use_pam = effective.use_pam;
	if (effective.login_grace_at[0])
		conf->login_grace = effective.login_grace;
	conf->cut &= !effective.use_pam_at[0];
}

void
look_sshd(struct checkup *c)
{
	struct sshd_conf conf;
	struct gate_conf one;
	char path[UNDER_MAX], file[UNDER_MAX];
	const char *at;

	if (!there(c, "/etc/ssh/sshd_config") || !gated(c, "sshd"))
		return;
	under(c, "/etc/ssh/sshd_config", path);
	read_sshd_conf(c, NULL, &conf);
	if (!c->root[0] && geteuid() == 0)
		ask_sshd(&conf);
	if (conf.cut)
		found(c, FOUND_UNLOOKED, "", path, "%s, or what it includes, cannot be read whole", path);
	at = conf.use_pam_at[0] ? conf.use_pam_at : path;
	snprintf(file, sizeof(file), "%.*s", (int)strcspn(at + strlen(c->root), ":") + (int)strlen(c->root), at);
	if (!conf.use_pam && !conf.cut)
		found(c, FOUND_USEPAM, "sshd", file, "%s: %s", at, conf.use_pam_at[0] ? "UsePAM no" : "UsePAM is not set, which is no");
	ctl_conf(&c->ctl, "sshd", &one);
	if (conf.login_grace && (int64_t)conf.login_grace * 1000 <= one.timeout)
		found(c, FOUND_LOGIN_GRACE, "sshd", path, "%s: LoginGraceTime %u s, and the gate may take %lld s",
		    conf.login_grace_at[0] ? conf.login_grace_at : path, conf.login_grace, (long long)one.timeout / 1000);
}

/* --- sudo */

struct sudo_reading { const struct checkup *c; struct sudoers all; unsigned depth, files; bool unread; };

static void read_sudoers(struct sudo_reading *, const char *path);

static void
include_sudoers(void *arg, const char *path, bool folder)
{
	struct sudo_reading *r = arg;
	char full[UNDER_MAX];
	glob_t g;

	if (r->depth == LINES_DEPTH || strchr(path, '%')) {      /* %h: another file on each host */
		r->unread = true;
		return;
	}
	snprintf(full, sizeof(full), "%s%s%.200s%s", r->c->root, path[0] == '/' ? "" : "/etc/", path, folder ? "/*" : "");
	r->depth++;
	if (!folder) {
		read_sudoers(r, full);
	} else if (!glob(full, 0, NULL, &g)) {
		for (size_t i = 0; i < g.gl_pathc; i++) {
			const char *name = strrchr(g.gl_pathv[i], '/') + 1;

			if (!strchr(name, '.') && name[strlen(name) - 1] != '~')
				read_sudoers(r, g.gl_pathv[i]);
		}
		globfree(&g);
	}
	r->depth--;
}

static void
read_sudoers(struct sudo_reading *r, const char *path)
{
	own(mem) uint8_t *text = NULL;
	struct error e;
	size_t len;

	if (r->files++ < LINES_FILES && file_load(path, LINES_FILE_MAX, &text, &len, &e))
		sudoers_take(&r->all, path, (const char *)text, len, include_sudoers, r);
	else
		r->unread = true;
}

void
look_sudo(struct checkup *c)
{
	static struct sudo_reading r;
	char path[UNDER_MAX];

	if (!there(c, "/etc/sudoers") || !(gated(c, "sudo") || gated(c, "sudo-i")))
		return;
	r = (struct sudo_reading){ .c = c };
	read_sudoers(&r, under(c, "/etc/sudoers", path));
	if (r.unread || r.all.cut)
		found(c, FOUND_UNLOOKED, "sudo", path, "%s, or what it includes, cannot be read whole", path);
	for (unsigned i = 0; i < r.all.n; i++) {
		const struct sudoers_hit *h = &r.all.hit[i];

		if (h->what == SUDOERS_NO_ACCOUNT)
			found(c, FOUND_SUDO_ACCOUNT, "sudo", h->file, "%s:%u: Defaults%s !pam_acct_mgmt", h->file, h->line, h->scope);
		else if (!hooked(c, h->value))
			found(c, FOUND_SUDO_SERVICE, h->value, h->file, "%s:%u: sudo asks the PAM stack of %s, which does not call " GATE_MODULE,
			    h->file, h->line, h->value);
	}
}

/* --- fail2ban, OpenVPN, polkit */

typedef void judge_file(struct checkup *, const char *path, const char *text, size_t len, void *arg);

/* Each file of a service that a pattern names, whole. */
static void
each_file(struct checkup *c, const char *service, const char *pattern, judge_file *judge, void *arg)
{
	char full[UNDER_MAX];
	glob_t g;

	if (glob(under(c, pattern, full), 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc && i < LINES_FILES; i++) {
		own(mem) uint8_t *text = NULL;
		struct error e;
		size_t len;

		if (file_load(g.gl_pathv[i], LINES_FILE_MAX, &text, &len, &e))
			judge(c, g.gl_pathv[i], (const char *)text, len, arg);
		else
			found(c, FOUND_UNLOOKED, service, g.gl_pathv[i], "%s", e.why);
	}
	globfree(&g);
}

struct mention { const char *word; bool seen; };

static void
judge_mention(struct checkup *c, const char *path, const char *text, size_t len, void *arg)
{
	struct mention *m = arg;

	(void)c, (void)path, (void)len;
	m->seen |= strstr(text, m->word) != NULL;
}

/* Does one of the files have this word? */
static bool
mentioned(struct checkup *c, const char *pattern, const char *word)
{
	struct mention m = { .word = word };

	each_file(c, "sshd", pattern, judge_mention, &m);
	return m.seen;
}

void
look_fail2ban(struct checkup *c)
{
	if (!there(c, "/usr/bin/fail2ban-server") || !there(c, "/etc/fail2ban/filter.d/sshd.conf") || !gated(c, "sshd"))
		return;
	/* The rule goes by the gate's own name, in a filter or a jail of either kind. */
	if (!mentioned(c, "/etc/fail2ban/filter.d/*.local", "attest") && !mentioned(c, "/etc/fail2ban/filter.d/*attest*", "attest") &&
	    !mentioned(c, "/etc/fail2ban/jail.d/*", "attest") && !mentioned(c, "/etc/fail2ban/jail.local", "attest"))
		found(c, FOUND_FAIL2BAN, "sshd", "", "%s/etc/fail2ban: no rule for pam_attest in filter.d or jail.d", c->root);
}

/* One configuration of a server: does it ask PAM, and wait for it? */
static void
judge_openvpn(struct checkup *c, const char *path, const char *text, size_t len, void *arg)
{
	struct lines l = lines_open(text, len, false);
	char line[LINE_TEXT], *word[WORDS_MAX], service[GATE_NAME_MAX] = "";
	bool cut, deferred = false;
	unsigned number, at = 0;

	(void)arg;
	while (lines_next(&l, line, &number, &cut)) {
		unsigned n = line_words(line, "", word);

		if (n > 2 && !strcmp(word[0], "plugin") && strstr(word[1], "auth-pam")) {
			snprintf(service, sizeof(service), "%.*s", (int)strcspn(word[2], " "), word[2]);
			at = number;
		}
		deferred |= n > 2 && !strcmp(word[0], "setenv") && !strcmp(word[1], "deferred_auth_pam");
	}
	if (service[0] && !deferred && gated(c, service))
		found(c, FOUND_OPENVPN_WAITS, service, path, "%s:%u: the PAM plugin without setenv deferred_auth_pam", path, at);
}

void
look_openvpn(struct checkup *c)
{
	each_file(c, "openvpn", "/etc/openvpn/*.conf", judge_openvpn, NULL);
	each_file(c, "openvpn", "/etc/openvpn/server/*.conf", judge_openvpn, NULL);
}

struct families { bool limited, local; };

/* The last RestrictAddressFamilies of a unit's file: does it leave AF_UNIX? An empty one takes all limits away. */
static void
judge_families(struct checkup *c, const char *path, const char *text, size_t len, void *arg)
{
	struct lines l = lines_open(text, len, true);
	char line[LINE_TEXT], *word[WORDS_MAX];
	struct families *f = arg;
	unsigned number;
	bool cut;

	(void)c, (void)path;
	while (lines_next(&l, line, &number, &cut)) {
		unsigned n = line_words(line, "=", word);

		if (!n || strcmp(word[0], "RestrictAddressFamilies") != 0)
			continue;
		if (n == 1)
			f->limited = f->local = false;
		for (unsigned i = 1; i < n; i++) {
			f->limited |= word[i][0] != '~';
			f->local |= !strcmp(word[i], "AF_UNIX");
		}
	}
}

void
look_polkit(struct checkup *c)
{
	static const char *const units[] = { "/usr/lib/systemd/system/polkit-agent-helper@.service",
		"/etc/systemd/system/polkit-agent-helper@.service", "/etc/systemd/system/polkit-agent-helper@.service.d/*.conf" };
	struct families f = { 0 };
	char full[UNDER_MAX];

	if (!gated(c, "polkit-1"))
		return;
	for (size_t i = 0; i < COUNT(units); i++)
		each_file(c, "polkit-1", units[i], judge_families, &f);
	if (f.limited && !f.local)
		found(c, FOUND_POLKIT_BOX, "polkit-1", under(c, units[0], full), "polkit-agent-helper@.service: RestrictAddressFamilies without AF_UNIX");
}
