/*
 * found.h - what `attestctl lint` and `doctor` can find: each with its code, how bad it is, what it means, and the command
 * that ends it. attest-doctor(7) has the same rows.
 */
#ifndef FOUND_H
#define FOUND_H
#include <stdbool.h>
#include "gate_conf.h"

#define SEVERITIES(X) \
	X(ERROR,   "error")     /* the gate does not do what it is meant to, or locks people out */ \
	X(WARNING, "warning")   \
	X(UNKNOWN, "unknown")   /* could not be looked at from here */

enum severity {
#define X(name, word) SEVERITY_##name,
	SEVERITIES(X)
#undef X
	SEVERITY_COUNT
};
const char *severity_word(enum severity);

/*
 * X(NAME, code, severity, what it means, the command that ends it). In the command SERVICE and FILE are the finding's own; where
 * there is no single command it is the first thing to do. Codes are never renamed.
 */
#define FINDINGS(X) \
/* gate.conf */ \
X(CONF,            "conf",               ERROR,   "a line of gate.conf cannot be used", "edit the line that is named, then: attestctl lint") \
X(CACHE_AND_PEER,  "cache-and-peer",     ERROR,   "cache judges this host, peer and passport the connecting one", "keep one kind in the service's sources line") \
X(PEER_TYPED,      "peer-typed",         ERROR,   "people answer the prompts of this service, and could name any machine", "use passport instead of peer in the service's sources line") \
X(PEER_UNNAMED,    "peer-unnamed",       ERROR,   "peer asks about nobody while the service does not say which machine connects", "map attest-peer to COMMONNAME in the plugin line, and set peer_prompt = yes: attest-vpn(7)") \
X(NO_AUDIENCE,     "no-audience",        ERROR,   "passports are for an audience, and this service has none", "set audience in the service's section, as verifierctl gateways has it") \
X(OPENS,           "opens",              WARNING, "an attacker can bring about none and broken, and a bracket permits them", "take the bracket out of the service's sources line") \
X(NO_EXEMPT,       "no-exempt",          WARNING, "without exempt there is no way in when everything else is down", "put exempt first in the service's sources line") \
X(MAX_AGE,         "max-age-short",      WARNING, "a verdict is renewed later than max_age asks for, so that accesses wait for a quote", "raise max_age, or lower renew in attestd.conf") \
X(KILL_ALL,        "kill-switch-all",    WARNING, "whoever can write one file or the kernel command line opens this service", "take kill_switch = all out") \
X(SUCCESS_OK,      "success-ok",         WARNING, "in an auth stack a verdict on the machine may log a user in", "take success_ok out") \
X(TRIAL_OVER,      "trial-over",         WARNING, "until has passed, and enforce acts as audit", "attestctl enforce SERVICE --trial 10m") \
X(OWNER,           "record-owner",       WARNING, "[paths] owner is no user of this host, and only a record of root's counts", "create the user, or correct owner") \
X(GLASS_MISSING,   "break-glass-missing", WARNING, "the break-glass group is not in the group file: it lets nobody in", "groupadd --system attest-breakglass") \
X(GLASS_EMPTY,     "break-glass-empty",  WARNING, "the break-glass group has no member in the group file", "gpasswd -a USER attest-breakglass") \
X(GLASS_WIDE,      "break-glass-wide",   ERROR,   "the break-glass group lets in ordinary users", "name a group of its own in breakglass_group") \
X(PATTERN,         "pattern",            ERROR,   "a list takes names and nothing else: no pattern, no %group, no !", "write the names themselves") \
X(CONSOLE_ROOT,    "console-pattern",    WARNING, "a terminal that people get from the network counts as a console", "take it out of console_ttys") \
X(NO_SERVICE,      "no-such-service",    WARNING, "no PAM stack has the name of this section", "correct the section's name, or: attestctl hook SERVICE") \
/* the PAM stacks */ \
X(NOT_HOOKED,      "not-hooked",         ERROR,   "gate.conf enforces a service whose account stack does not call the gate", "attestctl hook SERVICE") \
X(AUTH_ONLY,       "auth-only",          ERROR,   "public keys, a cached sudo and NOPASSWD do not pass the auth stack", "attestctl hook SERVICE") \
X(SESSION_ONLY,    "session-only",       ERROR,   "sshd does not heed a refusal of the session stack", "attestctl hook SERVICE") \
X(UNHEARD,         "refusal-unheard",    ERROR,   "a refusal counts for nothing under this control word", "attestctl hook SERVICE writes the right one") \
X(IGNORE_COUNTS,   "ignore-counts",      ERROR,   "exemptions and mode = audit are answered with PAM_IGNORE, which this control word hears", "attestctl hook SERVICE writes the right one") \
X(PASSES_BELOW,    "passes-below",       WARNING, "a good verdict passes over what stands below, and it is about the machine alone", "attestctl hook SERVICE writes the right one") \
X(SETUID_OPEN,     "setuid-open",        ERROR,   "whoever calls a setuid program can make the loading of the module fail", "attestctl hook SERVICE writes it without module_unknown=ignore") \
X(FILE_GONE,       "locks-when-gone",    WARNING, "without module_unknown=ignore nobody comes in once the module's file is gone", "attestctl hook SERVICE writes the right one") \
X(BEFORE,          "passed-over",        ERROR,   "a line before the gate can let people in", "attestctl hook SERVICE puts the gate first") \
X(BEFORE_AUTH,     "passed-over-auth",   WARNING, "a line before the gate can let people past it in the auth stack", "attestctl hook SERVICE puts the gate into account") \
X(ALONE,           "only-module",        ERROR,   "PAM turns the PAM_IGNORE of an only module into a refusal", "put account required pam_unix.so below it") \
X(PASSWORD,        "in-password",        ERROR,   "the gate has no part in changing passwords", "take the line out") \
X(COMMON,          "in-common",          ERROR,   "cron, systemd --user and greeters include this file", "take the line out, and hook each service by itself: attestctl hook sshd") \
X(STACK_LINE,      "stack-line",         ERROR,   "PAM does not understand a line of a gated stack", "correct the line") \
X(STACK_INCLUDE,   "stack-include",      WARNING, "a file that a gated stack includes cannot be read", "see whether it is there, and its rights") \
X(STACK_LONG,      "stack-long",         WARNING, "a stack is longer than lint reads", "look at it yourself") \
X(MODULE_GONE,     "module-missing",     ERROR,   "PAM stacks name a module that is not there or cannot be loaded", "reinstall libpam-attest") \
/* programs that ask PAM */ \
X(USEPAM,          "sshd-usepam-off",    ERROR,   "sshd asks no PAM stack, and no gate", "set UsePAM yes in FILE, then: sshd -t && systemctl reload ssh") \
X(LOGIN_GRACE,     "sshd-grace-short",   WARNING, "sshd hangs up before the gate has its answer", "raise LoginGraceTime in FILE, or lower timeout in gate.conf") \
X(SUDO_ACCOUNT,    "sudo-skips-account", ERROR,   "sudo does not ask the account stack", "take !pam_acct_mgmt out: visudo -f FILE") \
X(SUDO_SERVICE,    "sudo-other-service", WARNING, "sudo asks another PAM stack", "attestctl hook SERVICE") \
X(FAIL2BAN,        "fail2ban-bans",      WARNING, "fail2ban takes a refusal of the gate for an attack and bans the administrator", "install the rule: see attest-deploy(7)") \
X(OPENVPN_WAITS,   "openvpn-waits",      WARNING, "all tunnels stand still while the gate of one waits", "add setenv deferred_auth_pam yes to FILE") \
X(POLKIT_BOX,      "polkit-sandbox",     WARNING, "the sandbox of polkit's helper keeps the gate from attestd", "systemctl edit polkit-agent-helper@: RestrictAddressFamilies=AF_UNIX") \
/* attestd and this host */ \
X(ATTESTD_DOWN,    "attestd-down",       ERROR,   "attestd does not answer", "systemctl start attestd") \
X(RUN_DIR,         "run-dir-open",       ERROR,   "others could write what the gate believes", "chown root:root FILE && chmod 0755 FILE, then restart attestd") \
X(STATE_DIR,       "state-dir-open",     ERROR,   "others could write what attestd and the gate believe", "chown attest: FILE && chmod 0755 FILE, then restart attestd") \
X(FOLDERS,         "folders-differ",     ERROR,   "attestd writes where the gate does not look", "give both files the same [paths]") \
X(NOT_ENROLLED,    "not-enrolled",       WARNING, "no verifier knows this host", "attestctl enroll --url URL --ca FILE") \
X(PENDING,         "enrollment-pending", WARNING, "an administrator has not approved this host yet", "verifierctl approve HOST, where the verifier runs") \
X(NOT_ARMED,       "not-armed",          WARNING, "enforce acts as audit until this host has been affirming once", "attestctl attest") \
X(REFUSED,         "refused",            ERROR,   "this host is refused", "attestctl explain, then as it says") \
X(NO_VERDICT,      "no-verdict",         WARNING, "there is no verdict on this host", "attestctl attest") \
X(BROKEN,          "broken",             ERROR,   "this machine cannot produce evidence", "attestctl explain, then as it says") \
X(CEILING,         "ceiling",            WARNING, "the verifier's ceiling keeps gates below enforce", "verifierctl ceiling enforce, where the verifier runs") \
X(KILL_SWITCH,     "kill-switch-on",     WARNING, "a kill switch turns enforce into audit", "remove FILE, or boot without attest=audit") \
X(VERIFIER_OUT,    "verifier-out",       WARNING, "no verifier answers", "look at network and verifierd before grace ends") \
X(VERIFIER_HERE,   "verifier-here",      WARNING, "the verifier runs behind the gate that it opens", "keep one service of this host in audit, or another verifier in url") \
X(NO_RESCUE,       "no-rescue",          ERROR,   "no way back in was proved, and a service is enforced", "attestctl rescue test USER") \
X(RESCUE_FIRST,    "rescue-untested",    WARNING, "no way back in was proved yet", "attestctl rescue test USER, before anything is enforced") \
X(CLOCK,           "clock-wrong",        WARNING, "this host's clock is wrong", "see timedatectl; results and certificates go by it") \
X(TPM_GONE,        "tpm-missing",        ERROR,   "there is no TPM device", "turn the TPM on in the firmware setup; see tcti in attestd.conf") \
X(TPM_LOCKED,      "tpm-lockout",        ERROR,   "the TPM is in dictionary-attack lockout", "tpm2_dictionarylockout --clear-lockout, with the lockout password") \
X(TPM_COUNTING,    "tpm-lockout-near",   WARNING, "somebody gave the TPM wrong passwords, or power was cut often", "find out who; it counts down by itself") \
X(LOG_EMPTY,       "boot-log-empty",     ERROR,   "the boot loader handed no boot log to the kernel", "turn Secure Boot on, or use linuxefi and initrdefi in grub.cfg; else: verifierctl class HOST no-log --reason TEXT") \
X(LOG_ABSENT,      "boot-log-absent",    ERROR,   "the kernel shows no boot log", "boot by UEFI with the TPM on; else: verifierctl class HOST no-log --reason TEXT") \
X(LOG_UNREADABLE,  "boot-log-unreadable", ERROR,  "attestd cannot read the boot log", "mount -t securityfs none /sys/kernel/security; start attestd as root") \
X(IMA_UNREADABLE,  "ima-unreadable",     ERROR,   "attestd cannot read the IMA list", "start attestd as root; see ima_log in attestd.conf") \
X(GROUP_SILENT,    "group-silent",       WARNING, "nsswitch.conf asks for the attested group, and the module has none to give", "see libnss_attest(8): a number in [nss] that is nobody else's") \
X(GROUP_UNASKED,   "group-unasked",      ERROR,   "sshd lets in by the attested group, and nsswitch.conf does not ask the module for it", "add attest behind files to the line group: of /etc/nsswitch.conf") \
X(GROUP_MEMBERS,   "group-members",      WARNING, "users are in the attested group whatever this host booted", "gpasswd -M '' FILE; and usermod -g OTHER for those who have it as their own") \
X(GROUP_UNSEEN,    "group-unseen",       WARNING, "programs that do not run as root see no attested group", "chmod a+rX FILE") \
X(SETGID,          "setgid-files",       WARNING, "a setgid file of the attested group outlives the verdict", "chmod g-s FILE") \
/* what could not be looked at */ \
X(UNLOOKED,        "not-looked-at",      UNKNOWN, "doctor may not or cannot look there", "run it as root")

enum finding_code {
#define X(name, code, severity, text, fix) FOUND_##name,
	FINDINGS(X)
#undef X
	FOUND_COUNT
};
const char   *finding_word(enum finding_code);        /* "not-hooked" */
enum severity finding_severity(enum finding_code);
const char   *finding_meaning(enum finding_code);

enum { FINDINGS_MAX = 128, SERVICES_MAX = 128, FINDING_TEXT = 512, FINDING_PLACE = 256 };

struct finding {
	enum finding_code code;
	char text[FINDING_TEXT];        /* the sentence, with file and line */
	char fix[FINDING_TEXT];         /* with SERVICE and FILE in their places */
};
struct findings {
	unsigned n, errors, warnings, unknown;           /* errors and the like count what did not fit, too */
	struct finding item[FINDINGS_MAX];
	unsigned services;                               /* that sections of gate.conf name */
	char     service[SERVICES_MAX][GATE_NAME_MAX];
};

/*
 * Says each thing once, in characters that show. service, file: what SERVICE and FILE are in the command, where they are put
 * in as a word of the shell; "" leaves the word.
 */
void finding_add(struct findings *, enum finding_code, const char *service, const char *file, const char *text);
#endif
