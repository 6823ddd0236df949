/* attestctl doctor, on attestd, the TPM and the verifier: what keeps this host from a verdict. */
#include <fcntl.h>
#include <fts.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <sys/stat.h>
#include "doctor.h"
#include "file.h"
#include "record.h"
#include "scope.h"
#include "ways.h"

enum { TEXT_MAX = 512, TPM_MS = 15000, TPM_TRIES = 5, CMDLINE_FILE_MAX = 64 << 10, GRUB_FILE_MAX = 1 << 20 };

/* A member of attestd's status; "" where it is not there. */
static const char *
said(const struct json *j, const char *key, char out[static TEXT_MAX])
{
	struct error e;

	if (!j || !json_text(j, key, out, TEXT_MAX, &e))
		out[0] = '\0';
	return out;
}

/* --- attestd */

/* A folder that only root, or the user that the gate believes, may write to. */
static void
judge_folder(struct checkup *c, enum finding_code code, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (errno != ENOENT)
			found(c, FOUND_UNLOOKED, "", path, "%s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode))
		found(c, code, "", path, "%s: not a folder", path);
	else if (!owner_trusted(st.st_uid, gate_owner(&c->conf)))
		found(c, code, "", path, "%s: belongs to uid %u, which is neither root nor the owner that gate.conf names", path, (unsigned)st.st_uid);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		found(c, code, "", path, "%s: mode %04o, others may write", path, (unsigned)st.st_mode & 07777);
}

void
look_folders(struct checkup *c)
{
	char theirs[UNDER_MAX];

	judge_folder(c, FOUND_RUN_DIR, c->conf.run_dir);
	judge_folder(c, FOUND_STATE_DIR, c->conf.state_dir);
	under(c, c->attestd.run_dir, theirs);
	if (!c->ctl.run_dir && strcmp(theirs, c->conf.run_dir) != 0)
		found(c, FOUND_FOLDERS, "", c->conf.run_dir, "attestd.conf has run_dir = %s, gate.conf %s", theirs, c->conf.run_dir);
	under(c, c->attestd.state_dir, theirs);
	if (strcmp(theirs, c->conf.state_dir) != 0)
		found(c, FOUND_FOLDERS, "", c->conf.state_dir, "attestd.conf has state_dir = %s, gate.conf %s", theirs, c->conf.state_dir);
}

void
look_attestd(struct checkup *c)
{
	char path[UNDER_MAX];
	struct stat st;

	if (c->status)
		return;
	snprintf(path, sizeof(path), "%.200s/gate.sock", c->conf.run_dir);
	if (lstat(path, &st) < 0 && errno == ENOENT)
		found(c, FOUND_ATTESTD_DOWN, "", path, "%s is not there: attestd was not started, or keeps it elsewhere", path);
	else
		found(c, FOUND_ATTESTD_DOWN, "", path, "%s", c->unanswered.why);
}

/* --- this host */

static bool
armed(const struct checkup *c)
{
	char path[UNDER_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%.200s/armed", c->conf.state_dir);
	return !lstat(path, &st) || errno != ENOENT;
}

static void
judge_verdict(struct checkup *c)
{
	char state[TEXT_MAX], reason[TEXT_MAX], text[TEXT_MAX], ref[TEXT_MAX];
	static const struct { const char *state; enum finding_code code; } codes[] = {
		{ "contraindicated", FOUND_REFUSED }, { "broken", FOUND_BROKEN }, { "none", FOUND_NO_VERDICT } };

	said(c->status, "state", state);
	said(c->status, "reason", reason);
	said(c->status, "text", text);
	said(c->status, "ref", ref);
	for (size_t i = 0; i < COUNT(codes); i++)
		if (!strcmp(codes[i].state, state))
			found(c, codes[i].code, "", "", "%s (%s)%s%s", text, reason, ref[0] ? ", ref " : "", ref);
}

void
look_state(struct checkup *c)
{
	char word[TEXT_MAX];

	if (c->enforced && !armed(c) && !c->conf.arm_always)
		found(c, FOUND_NOT_ARMED, "", "", "%s/armed is not there: this host was never affirming", c->conf.state_dir);
	if (!c->status)
		return;
	said(c->status, "enrollment", word);
	if (!strcmp(word, "none"))
		found(c, FOUND_NOT_ENROLLED, "", "", "this host is not enrolled");
	else if (!strcmp(word, "pending"))
		found(c, FOUND_PENDING, "", "", "this host's enrollment waits for an administrator");
	else
		judge_verdict(c);
	said(c->status, "ceiling", word);
	if (c->enforced && strcmp(word, "enforce") != 0 && word[0])
		found(c, FOUND_CEILING, "", "", "the verifier allows gates of this host no more than %s", word);
}

/* --- the verifier */

/* The host of "https://HOST:PORT", without brackets. */
static bool
url_host(const char *url, char out[static NI_MAXHOST])
{
	const char *at = strstr(url, "://");
	size_t n;

	if (!at)
		return false;
	at += 3;
	if (*at == '[')
		n = strcspn(++at, "]");
	else
		n = strcspn(at, ":/, ");
	if (!n || n >= NI_MAXHOST)
		return false;
	memcpy(out, at, n);
	out[n] = '\0';
	return true;
}

/* Is it an address or a name of this machine? No name is looked up. */
static bool
ours(const char *host)
{
	char name[NI_MAXHOST];
	struct ifaddrs *all, *i;
	bool yes = !strcmp(host, "localhost") || !strncmp(host, "127.", 4);

	if (!gethostname(name, sizeof(name) - 1)) {
		name[sizeof(name) - 1] = '\0';
		/* "att1.example.net" and "att1" are the same machine, whichever of the two it is called. */
		yes |= !strcmp(host, name) || (strcspn(host, ".") == strcspn(name, ".") && (!strchr(host, '.') || !strchr(name, '.')) &&
		    !strncmp(host, name, strcspn(host, ".")));
	}
	if (yes || getifaddrs(&all))
		return yes;
	for (i = all; i; i = i->ifa_next) {
		int family = i->ifa_addr ? i->ifa_addr->sa_family : 0;
		socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

		if ((family == AF_INET || family == AF_INET6) && !getnameinfo(i->ifa_addr, len, name, sizeof(name), NULL, 0, NI_NUMERICHOST))
			yes |= !strcmp(host, name);
	}
	freeifaddrs(all);
	return yes;
}

static void
judge_own_verifier(struct checkup *c, const char *url)
{
	char host[NI_MAXHOST];

	if (c->enforced && !c->root[0] && url_host(url, host) && ours(host))
		found(c, FOUND_VERIFIER_HERE, "", "", "%.200s is this machine: when its verifier is down, who brings it up is asked for its verdict", url);
}

void
look_verifier(struct checkup *c)
{
	char url[TEXT_MAX], state[TEXT_MAX], since[TEXT_MAX], ends[TEXT_MAX];
	const struct json *v;
	struct error e;

	snprintf(url, sizeof(url), "%s", c->attestd.url);
	if (c->status && json_sub(c->status, "verifier", &v, &e)) {
		if (said(v, "url", since)[0])
			snprintf(url, sizeof(url), "%s", since);
		if (!strcmp(said(v, "state", state), "out"))
			found(c, FOUND_VERIFIER_OUT, "", "", "%.200s: no answer since %s; grace ends %s", url, said(v, "since", since),
			    said(v, "grace_ends", ends)[0] ? ends : "at once: there is no good verdict");
	}
	judge_own_verifier(c, url);
}

/* --- ways back in */

/* Whether a way still holds is in the shadow file, which root alone reads: others hear what was written down. */
void
look_rescue(struct checkup *c)
{
	enum finding_code code = c->enforced ? FOUND_NO_RESCUE : FOUND_RESCUE_FIRST;
	struct rescue proved = { 0 };
	struct error e = { .code = ERR_NONE };
	char why[WAY_TEXT];

	if (c->root[0] || !geteuid()) {
		if (!ways_proved(&c->ctl, c->conf.state_dir, why))
			found(c, code, "", "", "%s", why);
	} else if (!rescue_read(c->conf.state_dir, &proved, &e) && e.code != ERR_MISSING) {
		found(c, code, "", "", "%s", e.why);
	} else if (!rescue_newest(&proved, c->now.wall)) {
		found(c, code, "", "", "%s/rescue: no way back in was proved within %d days", c->conf.state_dir, RESCUE_DAYS);
	}
}

void
look_switches(struct checkup *c)
{
	own(mem) uint8_t *text = NULL;
	char path[GATE_PATH_MAX], *save = NULL;
	struct stat st;
	struct error e;
	size_t len;

	if (gate_conf_beside(&c->conf, "DISABLED", path, sizeof(path)) && !lstat(path, &st))
		found(c, FOUND_KILL_SWITCH, "", path, "%s is there", path);
	if (!file_load(c->conf.cmdline, CMDLINE_FILE_MAX, &text, &len, &e))
		return;
	for (char *w = strtok_r((char *)text, " \n", &save); w && strcmp(w, "--") != 0; w = strtok_r(NULL, " \n", &save))
		if (!strcmp(w, "attest=audit"))
			found(c, FOUND_KILL_SWITCH, "", c->conf.cmdline, "the kernel command line has attest=audit");
}

/* --- the clock */

void
look_clock(struct checkup *c)
{
	char text[TEXT_MAX], day[TIME_TEXT];
	struct stat self;
	int64_t issued;

	time_text(c->now.wall, day);
	if (!stat("/proc/self/exe", &self) && c->now.wall / 1000 < self.st_mtime - 86400)
		found(c, FOUND_CLOCK, "", "", "it is %s by this clock, which is before this program was installed", day);
	if (!c->status)
		return;
	if (time_read(said(c->status, "issued", text), &issued) && c->now.wall + 300 * 1000 < issued)
		found(c, FOUND_CLOCK, "", "", "it is %s by this clock, and the last verdict is of %s", day, text);
	/* attestd compares with the signed time of each result. */
	if (!strncmp(said(c->status, "last_error", text), "the verifier's clock", 20))
		found(c, FOUND_CLOCK, "", "", "%s", text);
}

/* --- the TPM and its logs */

/* attestd does one thing at a time with its TPM, and says so. */
static bool
ask_patiently(const struct checkup *c, const struct local_out *o, struct told *told, struct error *e)
{
	for (unsigned tries = 0; tries < TPM_TRIES; tries++) {
		if (tries)
			sleep(1);
		if (!ctl_try(&c->ctl, o, TPM_MS, told, e))
			return false;
		if (told->ok || !strstr(told->error, "under way"))
			break;
	}
	return true;
}

static void
judge_lockout(struct checkup *c)
{
	own(told) struct told told = { 0 };
	struct error e = { .code = ERR_NONE };
	const struct json *l;
	struct local_out o;
	int64_t counter, most;

	local_open(&o);
	local_put(&o, "verb", "tpm");
	local_put_number(&o, "wait_ms", TPM_MS - 1000);
	if (!local_end(&o, &e) || !ask_patiently(c, &o, &told, &e)) {
		found(c, FOUND_UNLOOKED, "", "", "the TPM's lockout counter: %s", e.why);
		return;
	}
	if (!told.ok || !told.json || !json_sub(told.json, "lockout", &l, &e) || !json_int(l, "counter", 0, UINT32_MAX, &counter, &e) ||
	    !json_int(l, "max", 0, UINT32_MAX, &most, &e)) {
		found(c, FOUND_UNLOOKED, "", "", "the TPM's lockout counter: %s", told.ok ? "not in attestd's answer" : told.error);
		return;
	}
	if (counter >= most)
		found(c, FOUND_TPM_LOCKED, "", "", "lockout counter %lld of %lld", (long long)counter, (long long)most);
	else if (counter)
		found(c, FOUND_TPM_COUNTING, "", "", "lockout counter %lld of %lld", (long long)counter, (long long)most);
}

void
look_tpm(struct checkup *c)
{
	char path[UNDER_MAX];
	struct stat st;

	if (!strncmp(c->attestd.tcti, "device:/", 8) && stat(under(c, c->attestd.tcti + 7, path), &st) < 0)
		found(c, FOUND_TPM_GONE, "", path, "%s is not there", path);
	else if (c->status)
		judge_lockout(c);
}

/* Bytes of a file that shows no size, as far as they are of interest: none, or some. -1: e says why. */
static int
some_bytes(const char *path, struct error *e)
{
	own(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char byte;
	ssize_t n = fd < 0 ? -1 : read(fd, &byte, 1);

	if (n >= 0)
		return n > 0;
	err_errno(e, "%s", path);
	e->code = errno == ENOENT || errno == ENOTDIR ? ERR_MISSING : ERR_SYSTEM;
	return -1;
}

/* The UEFI variable: four bytes of attributes, then 0 or 1. */
static bool
secure_boot(const struct checkup *c, bool *on)
{
	own(mem) uint8_t *text = NULL;
	char path[UNDER_MAX];
	struct error e;
	size_t len;

	if (!file_load(under(c, "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", path), 64, &text, &len, &e) ||
	    len != 5)
		return false;
	*on = text[4] == 1;
	return true;
}

/* Why a boot loader hands over no log, as far as this machine shows it. */
static const char *
cause(const struct checkup *c)
{
	own(mem) uint8_t *grub = NULL;
	char path[UNDER_MAX];
	struct stat st;
	struct error e;
	bool on = false;
	size_t len;

	if (stat(under(c, "/sys/firmware/efi", path), &st) < 0)
		return "this machine was not booted by UEFI";
	if (!file_load(under(c, "/boot/grub/grub.cfg", path), GRUB_FILE_MAX, &grub, &len, &e))
		return "its boot loader did not ask the firmware for it";
	if (secure_boot(c, &on) && on)
		return "its boot loader did not ask the firmware for it, though Secure Boot is on";
	if (strstr((const char *)grub, "linuxefi"))
		return "grub.cfg has linuxefi, but this kernel was started otherwise";
	return "Secure Boot is off, and Debian's GRUB then starts the kernel by the old protocol, which leaves the log behind";
}

void
look_boot_log(struct checkup *c)
{
	char path[UNDER_MAX], reason[TEXT_MAX];
	struct error e = { .code = ERR_NONE };
	int some = some_bytes(under(c, c->attestd.boot_log, path), &e);

	if (!strcmp(said(c->status, "reason", reason), "eventlog-unreadable"))
		found(c, FOUND_LOG_UNREADABLE, "", path, "%s: attestd cannot read it", path);
	else if (some == 0)
		found(c, FOUND_LOG_EMPTY, "", path, "%s is empty: %s", path, cause(c));
	else if (some < 0 && e.code == ERR_MISSING)
		found(c, FOUND_LOG_ABSENT, "", path, "%s is not there: %s", path, cause(c));
	else if (some < 0)
		found(c, FOUND_UNLOOKED, "", path, "%s", e.why);
}

void
look_ima(struct checkup *c)
{
	char path[UNDER_MAX], reason[TEXT_MAX];
	struct error e = { .code = ERR_NONE };

	/* Without one there is nothing to say: whether it is wanted is the policy's to know, and its refusal says so. */
	if (!c->attestd.ima_log[0] || some_bytes(under(c, c->attestd.ima_log, path), &e) >= 0)
		return;
	if (!strcmp(said(c->status, "reason", reason), "ima-unreadable"))
		found(c, FOUND_IMA_UNREADABLE, "", path, "%s: attestd cannot read it", path);
	else if (e.code != ERR_MISSING)
		found(c, FOUND_UNLOOKED, "", path, "%s", e.why);
}

/* --- the group of libnss_attest */

/* At most so many files, and so long: a home of millions is not doctor's to walk. */
enum { SETGID_FILES = 200000, SETGID_MS = 3000, SETGID_SHOWN = 8 };

static void
walk(struct checkup *c, char *const *roots)
{
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	int64_t deadline = clock_mono() + SETGID_MS;
	unsigned files = 0, shown = 0;
	FTSENT *f;

	while (tree && (f = fts_read(tree))) {
		if (f->fts_info == FTS_F && (f->fts_statp->st_mode & S_ISGID) && f->fts_statp->st_gid == c->conf.nss_gid && shown++ < SETGID_SHOWN)
			found(c, FOUND_SETGID, "", f->fts_path, "%.200s: setgid, group %s", f->fts_path, c->conf.nss_group);
		if (++files == SETGID_FILES || !clock_left(deadline)) {
			found(c, FOUND_UNLOOKED, "", f->fts_path, "setgid files of group %s: only %u files were looked at", c->conf.nss_group, files);
			break;
		}
	}
	if (tree)
		fts_close(tree);
}

void
look_setgid(struct checkup *c)
{
	char where[5][UNDER_MAX], *roots[6] = { 0 };
	static const char *const folders[] = { "/usr/local", "/opt", "/srv", "/var/tmp", "/home" };
	unsigned n = 0;
	struct stat st;

	for (size_t i = 0; i < COUNT(folders); i++)
		if (!stat(under(c, folders[i], where[n]), &st)) {
			roots[n] = where[n];
			n++;
		}
	if (n && c->conf.nss_gid)
		walk(c, roots);
}
