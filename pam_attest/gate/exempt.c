/* The source `exempt`: what is never asked of a host, so that a way in stays open. Needs no daemon. */
#include <string.h>
#include "accounts.h"
#include "scope.h"
#include "sources.h"

static const char *const never_gated[] = {
	"cron", "crond", "atd", "systemd-user", "gdm-launch-environment", "gdm-autologin",
	"runuser", "runuser-l", "chfn", "chsh", "passwd", "other",
};
/* Here PAM_TTY is the caller's word, and anybody may be the caller. */
static const char *const never_console[] = { "sshd", "sudo", "sudo-i", "su", "su-l" };
/* Root's cron jobs and maintainer scripts use these to become somebody else. */
static const char *const root_own[] = { "sudo", "sudo-i", "su", "su-l" };
static const char *const admin_groups[] = { "sudo", "wheel" };

static bool
among(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

bool
gate_never_gates(const char *service)
{
	return among(service, never_gated, COUNT(never_gated));
}

/* tty1 to tty63: the kernel's own virtual consoles. */
static bool
virtual_console(const char *tty)
{
	if (strncmp(tty, "tty", 3) != 0)
		return false;
	tty += 3;
	if (tty[0] < '1' || tty[0] > '9')
		return false;
	if (!tty[1])
		return true;
	return tty[1] >= '0' && tty[1] <= '9' && !tty[2] && (tty[0] - '0') * 10 + (tty[1] - '0') <= 63;
}

/* The program that asks, and not whose section it is given: every sshd is root. */
static const char *
asker(const struct facts *f)
{
	return f->request->asker ? f->request->asker : f->conf->service;
}

bool
facts_console(const struct facts *f)
{
	const struct gate_request *q = f->request;
	const char *service = f->conf->service;
	const char *tty = strncmp(q->tty, "/dev/", 5) ? q->tty : q->tty + 5;

	if (q->ruid != 0 || q->rhost[0] || among(service, never_console, COUNT(never_console)) ||
	    among(asker(f), never_console, COUNT(never_console)))
		return false;
	if (strcmp(service, "login") != 0 && !f->conf->consoles)
		return false;
	return virtual_console(tty) || gate_list_has(f->conf->console_ttys, tty);
}

static bool
administrator(const struct facts *f)
{
	const struct gate_conf *c = f->conf;
	struct account who;

	if (!strcmp(f->request->user, "root") || (account_find(c->passwd, f->request->user, &who) && who.uid == 0))
		return true;
	for (size_t i = 0; i < COUNT(admin_groups); i++)
		if (account_in_group(c->passwd, c->group, f->request->user, admin_groups[i]))
			return true;
	return false;
}

/* REASON_OK: not exempt. */
enum reason
exempt_reason(const struct facts *f)
{
	const struct gate_conf *c = f->conf;
	const struct gate_request *q = f->request;

	if (!c->named && gate_never_gates(c->service) && gate_never_gates(asker(f)))
		return REASON_EXEMPT_SERVICE;
	if (q->ruid == 0 && among(asker(f), root_own, COUNT(root_own)))
		return REASON_EXEMPT_ROOT;
	if (gate_list_has(c->exempt_user, q->user))
		return REASON_EXEMPT_USER;
	if (facts_console(f) && administrator(f))
		return REASON_EXEMPT_CONSOLE;
	if (account_in_group(c->passwd, c->group, q->user, c->breakglass_group))
		return REASON_BREAK_GLASS;
	return REASON_OK;
}
