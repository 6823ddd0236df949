/* start.c - what only root may open is opened; then attestd becomes its user, shuts itself in, and reads what it knows. */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "confine.h"
#include "daemon.h"
#include "file.h"
#include "kernel.h"
#include "log.h"
#include "publish.h"
#include "round.h"
#include "sandbox.h"
#include "scope.h"
#include "sockets.h"

static bool
make_folder(const char *path, mode_t mode, const struct passwd *pw, struct error *e)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_errno(e, "mkdir %s", path);
	if (pw && chown(path, pw->pw_uid, pw->pw_gid) < 0)
		return err_errno(e, "chown %s", path);
	return true;
}

/* Group tss opens /dev/tpmrm0 on Debian; every other group of root's is given up. */
static bool
drop_to(const struct passwd *pw, struct error *e)
{
	const struct group *tss = getgrnam("tss");
	gid_t groups[2] = { pw->pw_gid, tss ? tss->gr_gid : pw->pw_gid };

	/* What is not kept goes with confine_capabilities(). */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(tss ? 2 : 1, groups) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return err_errno(e, "become %s", pw->pw_name);
	return true;
}

/* attestd-tpm: beside us when run from a build tree, else where it was installed. */
static void
find_child(char out[static PATH_TEXT])
{
	char self[PATH_TEXT];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
		if (slash && snprintf(out, PATH_TEXT, "%.200s/attestd-tpm", self) > 0 && !access(out, X_OK))
			return;
	}
	snprintf(out, PATH_TEXT, "%s/attestd-tpm", PKGLIBEXECDIR);
}

/* Before rights are dropped: sockets and the logs that only root may open. */
static bool
open_all(struct daemon *d, const struct passwd *pw, struct error *e)
{
	struct agent *a = &d->worker.agent;

	if (!make_folder(d->opt.run_dir, 0755, pw, e) || !make_folder(d->opt.state_dir, 0755, pw, e))
		return false;
	d->gate_fd = socket_make(d->opt.run_dir, "gate.sock", SOCK_STREAM, 0666, e);
	if (d->gate_fd < 0)
		return false;
	/* What others say is not counted; their place in the queue would be somebody's. */
	d->decisions_fd = socket_make(d->opt.run_dir, "decisions.sock", SOCK_DGRAM, 0600, e);
	if (d->decisions_fd < 0 || setsockopt(d->decisions_fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) < 0)
		return false;
	if (!relying_token(&d->relying, d->opt.token_file, e))
		return false;
	if (!strcmp(d->opt.tcti, "none"))
		log_say(LOG_NOTICE, "tcti = none: this host makes no evidence, and asks about other machines alone");
	a->log_fd = logs_open(d->opt.boot_log, &a->log_absent, e);
	if (a->log_fd < 0 && !a->log_absent)
		log_say(LOG_WARNING, "%s", e->why);
	ima_open(d->opt.ima_log, &a->ima, e);
	if (a->ima.fd < 0 && !a->ima.absent)
		log_say(LOG_WARNING, "%s", e->why);
	return true;
}

static bool
start_agent(struct daemon *d, struct error *e)
{
	struct agent *a = &d->worker.agent;
	struct error lease;

	a->opt = &d->opt;
	file_sweep(d->opt.run_dir);
	file_sweep(d->opt.state_dir);
	tpm_open(&a->tpm, d->tpm_program, d->opt.tcti, d->opt.sandbox);
	if (!round_boot_id(a, a->boot_id, e) || !state_load(d->opt.state_dir, &a->id, e) ||
	    !upstream_open(&a->up, d->opt.timeout, e))
		return false;
	strcpy(d->boot_id, a->boot_id);
	enrol_use_verifier(a);
	if (a->id.has_ak)
		tpm_set_ak(&a->tpm, a->id.ak.blob, a->id.ak.blob_len);
	if (!publish_start(a, e))
		return false;
	if (!book_open(&d->leases, &d->opt, a->boot_id, &lease))
		log_say(LOG_WARNING, "leases: %s", lease.why);
	agent_outcome(a, a->record.reason, &(struct error){ .code = ERR_NONE }, 0, &d->last);
	return worker_start(&d->worker, e) && relying_start(&d->relying, &d->opt, e);
}

static bool
start_signals(struct daemon *d, struct error *e)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_errno(e, "signals");
	d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signal_fd >= 0 || err_errno(e, "signalfd");
}

bool
daemon_start(struct daemon *d, struct error *e)
{
	const struct passwd *pw = NULL;
	char lacks[80];

	if (geteuid() == 0 && d->opt.user[0] && strcmp(d->opt.user, "root")) {
		pw = getpwnam(d->opt.user);
		if (!pw)
			return err_set(e, ERR_CONFIG, "[process] user = %s: no such user", d->opt.user);
	}
	if (!open_all(d, pw, e) || (pw && !drop_to(pw, e)))
		return false;
	if (!confine_capabilities(CAP_AUDIT_WRITE, e) || !confine_process(e))
		return false;
	trail_open(&d->trail);
	find_child(d->tpm_program);
	if (d->opt.sandbox && kernel_lacks(lacks, sizeof(lacks)))
		log_say(LOG_WARNING, "%s: attestd runs without", lacks);
	if (d->opt.sandbox && !sandbox_enter(&d->opt, d->tpm_program, e))
		return false;
	clients_open(&d->clients);
	intake_open(d);
	e->why[0] = '\0';
	return start_signals(d, e) && start_agent(d, e);
}
