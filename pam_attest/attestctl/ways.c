#include <fcntl.h>
#include <pwd.h>
#include <shadow.h>
#include <stdarg.h>
#include <sys/stat.h>
#include "clock.h"
#include "file.h"
#include "scope.h"
#include "ways.h"

enum { SHELLS_MAX = 64 << 10, KEYS_MAX = 1 << 20, DAY_S = 24 * 3600, DEAD_MS = 200 };

/* What an account could show to the modules beside the gate. */
struct account_state { bool absent, password, key; char missing[WAY_TEXT]; };     /* missing "": nothing */

static bool __attribute__((format(printf, 2, 3)))
lacks(struct account_state *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->missing, sizeof(a->missing), fmt, ap);
	va_end(ap);
	return false;
}

/* The file of that name where passwd is. */
static void
beside(const char *passwd, const char *name, char *out, size_t size)
{
	const char *slash = strrchr(passwd, '/');

	snprintf(out, size, "%.*s/%s", slash ? (int)(slash - passwd) : 0, passwd, name);
}

static bool
is_shell(const char *passwd, const char *shell)
{
	own(mem) uint8_t *text = NULL;
	char path[GATE_PATH_MAX + 16], *line, *save = NULL;
	const char *last = strrchr(shell, '/');
	struct error e;
	size_t len;

	/* Some systems list what is no shell. */
	if (!last || !strcmp(last, "/nologin") || !strcmp(last, "/false"))
		return false;
	beside(passwd, "shells", path, sizeof(path));
	if (!file_load(path, SHELLS_MAX, &text, &len, &e))
		return false;
	for (line = strtok_r((char *)text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strcmp(line, shell))
			return true;
	return false;
}

/* A hash that somebody's password may fit: not "!…" or "*" (locked), not "" (none). False: the account has ended. */
static bool
look_at_shadow(const char *passwd, const char *user, struct account_state *a)
{
	char path[GATE_PATH_MAX + 16];
	own(file) FILE *f = NULL;
	struct spwd *s;

	beside(passwd, "shadow", path, sizeof(path));
	f = fopen(path, "re");
	if (!f)
		return lacks(a, "%s: %s", path, strerror(errno));
	while ((s = fgetspent(f)))
		if (!strcmp(s->sp_namp, user)) {
			a->password = s->sp_pwdp[0] && !strchr("!*", s->sp_pwdp[0]);
			if (s->sp_expire > 0 && clock_now().wall / 1000 / DAY_S >= s->sp_expire)
				return lacks(a, "the account has expired");
			return true;
		}
	return true;
}

/*
 * As sshd with StrictModes: the file is the user's or root's, and nobody else writes it. The user may make a FIFO or a device of
 * it meanwhile: what was looked at is what is opened, and nothing else.
 */
static int
open_keys(const char *path, uid_t user)
{
	own(fd) int fd = open(path, O_PATH | O_CLOEXEC);
	char same[40];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & (S_IWGRP | S_IWOTH)) || (st.st_uid && st.st_uid != user))
		return -1;
	snprintf(same, sizeof(same), "/proc/self/fd/%d", fd);
	return open(same, O_RDONLY | O_CLOEXEC);
}

static bool
has_key(const char *root, const struct passwd *who)
{
	own(mem) uint8_t *text = NULL;
	own(fd) int fd = -1;
	char path[4096], *line, *save = NULL;
	struct error e;
	size_t len;

	if ((size_t)snprintf(path, sizeof(path), "%s%s/.ssh/authorized_keys", root, who->pw_dir) >= sizeof(path) ||
	    (fd = open_keys(path, who->pw_uid)) < 0 || !file_load_fd(fd, path, KEYS_MAX, &text, &len, &e))
		return false;
	for (line = strtok_r((char *)text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (line[strspn(line, " \t\r")] && line[strspn(line, " \t\r")] != '#')
			return true;
	return false;
}

static bool
look_at_account(const char *root, const char *passwd, const char *user, struct account_state *a)
{
	own(file) FILE *f = fopen(passwd, "re");
	struct passwd *who = NULL;

	*a = (struct account_state){ .password = false };
	if (!f)
		return lacks(a, "%s: %s", passwd, strerror(errno));
	while ((who = fgetpwent(f)) && strcmp(who->pw_name, user) != 0)
		;
	a->absent = !who;
	if (!who)
		return lacks(a, "no such user in %s; one of a directory server is no way back in", passwd);
	if (!is_shell(passwd, who->pw_shell))
		return lacks(a, "%s is no shell of /etc/shells", who->pw_shell);
	a->key = has_key(root, who);
	return look_at_shadow(passwd, user, a);
}

/* The gate's answer to that access, were enforce in force and every file of attestd's gone. */
static enum reason
decide_dead(const struct ctl *ctl, const char *service, const char *user, const char *rhost, const char *tty)
{
	struct gate_request q = { .user = user, .rhost = rhost, .tty = tty, .phase = PHASE_ACCOUNT };
	struct gate_decision d;
	struct gate_conf c;

	ctl_conf(ctl, service, &c);
	strcpy(c.run_dir, "/nonexistent/attest");
	strcpy(c.state_dir, "/nonexistent/attest");
	c.mode = MODE_ENFORCE;
	c.arm_always = true;
	c.until = 0;
	c.kill_all = false;
	c.timeout = DEAD_MS;
	gate_decide(&c, &q, &d);
	return d.outcome == OUTCOME_EXEMPT ? d.reason : REASON_ATTESTD_DOWN;
}

static void __attribute__((format(printf, 3, 4)))
set(struct way *w, bool holds, const char *fmt, ...)
{
	va_list ap;

	w->holds = holds;
	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
}

/* tty1, or one of console_ttys: the first that the gate lets pass. */
static bool
console_of(const struct ctl *ctl, const char *user, char tty[static GATE_LIST_MAX])
{
	char list[GATE_LIST_MAX + 8], *word, *save = NULL;
	struct gate_conf c;

	ctl_conf(ctl, "login", &c);
	snprintf(list, sizeof(list), "tty1 %s", c.console_ttys);
	for (word = strtok_r(list, " \t", &save); word; word = strtok_r(NULL, " \t", &save))
		if (decide_dead(ctl, "login", user, "", word) == REASON_EXEMPT_CONSOLE) {
			snprintf(tty, GATE_LIST_MAX, "%s", word);
			return true;
		}
	return false;
}

void
ways_try(const struct ctl *ctl, const char *user, struct way way[static ROUTE_COUNT])
{
	enum reason ssh = decide_dead(ctl, "sshd", user, "192.0.2.1", "ssh");
	char tty[GATE_LIST_MAX];
	bool console = console_of(ctl, user, tty);
	struct account_state a;
	struct gate_conf c;

	ctl_conf(ctl, "sshd", &c);
	look_at_account(ctl->root ? ctl->root : "", c.passwd, user, &a);
	for (unsigned r = 0; a.absent && r < ROUTE_COUNT; r++)
		set(&way[r], false, "%.190s", a.missing);
	if (a.absent)
		return;
	if (!console)
		set(&way[ROUTE_CONSOLE], false, "the gate asks for a verdict: not root, nor in sudo or wheel");
	else if (a.missing[0] || !a.password)
		set(&way[ROUTE_CONSOLE], false, "%.190s", a.missing[0] ? a.missing : "no password that can be typed there");
	else
		set(&way[ROUTE_CONSOLE], true, "passes on %.60s without any daemon; has a password", tty);
	for (unsigned r = ROUTE_BREAK_GLASS; r <= ROUTE_EXEMPT_USER; r++) {
		bool glass = r == ROUTE_BREAK_GLASS;

		if (ssh != (glass ? REASON_BREAK_GLASS : REASON_EXEMPT_USER))
			set(&way[r], false, glass ? "the gate asks for a verdict: not in the group %.64s" : "the gate asks for a verdict: not in exempt_user of sshd%.0s",
			    c.breakglass_group);
		else if (a.missing[0] || (!a.password && !a.key))
			set(&way[r], false, "%.190s", a.missing[0] ? a.missing : "neither a password nor a key");
		else
			set(&way[r], true, "passes sshd without any daemon; has %s", !a.key ? "a password" : a.password ? "a key and a password" : "a key");
	}
}

bool
ways_proved(const struct ctl *ctl, const char *state_dir, char why[static WAY_TEXT])
{
	const struct rescue_proof *p;
	struct way way[ROUTE_COUNT];
	struct rescue r = { 0 };
	struct error e = { .code = ERR_NONE };

	if (!rescue_read(state_dir, &r, &e) && e.code != ERR_MISSING) {
		snprintf(why, WAY_TEXT, "%.190s", e.why);
		return false;
	}
	if (e.code == ERR_MISSING || !r.n) {
		snprintf(why, WAY_TEXT, "no way back in was proved");
		return false;
	}
	snprintf(why, WAY_TEXT, "no way back in was proved within %d days", RESCUE_DAYS);
	while ((p = rescue_newest(&r, clock_now().wall))) {
		ways_try(ctl, p->user, way);
		if (way[p->route].holds)
			return true;
		snprintf(why, WAY_TEXT, "%s of %s was proved, and holds no more: %.100s", rescue_route_word(p->route), p->user,
		    way[p->route].text);
		r.proof[p - r.proof] = r.proof[r.n - 1];
		r.n--;
	}
	return false;
}

void
ways_console(const struct ctl *ctl, char *out, size_t size)
{
	own(file) FILE *f = fopen("/sys/class/tty/console/active", "re");
	char line[256], *word, *save = NULL;
	struct gate_conf c;

	out[0] = '\0';
	if (!f || !fgets(line, sizeof(line), f))
		return;
	ctl_conf(ctl, "login", &c);
	for (word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		bool known = (!strncmp(word, "tty", 3) && word[3] >= '0' && word[3] <= '9') || gate_list_has(c.console_ttys, word);

		if (!known) {
			snprintf(out, size, "%s", word);
			return;
		}
	}
}
