/*
 * doctor.h - what `attestctl doctor` looks at, a row a check; each looks, and says what it found.
 *
 * Every file is looked for below `root`, so that a test can make a small machine of its own. What a check may not look at
 * from here is said as such, never passed over.
 */
#ifndef DOCTOR_H
#define DOCTOR_H
#include "ask.h"
#include "attestd_conf.h"
#include "lint.h"
#include "sshd_conf.h"

struct checkup {
	struct ctl          ctl;            /* with conf and root as the tests want them */
	const char         *root, *pam_dir; /* "" is this machine itself */
	struct gate_conf    conf;           /* [default] */
	struct attestd_conf attestd;
	bool                enforced;       /* some service of gate.conf is */
	const struct json  *status;         /* attestd's; NULL: it did not answer */
	struct error        unanswered;     /* then why */
	struct clock        now;
	struct findings    *all;
};

/* X(function, what it looks at) */
#define CHECKS(X) \
	X(look_conf,     "gate.conf and its drop-ins") \
	X(look_stacks,   "the PAM stacks: where the gate is called, and what stands before it") \
	X(look_sections, "sections of gate.conf that no PAM stack has the name of") \
	X(look_module,   "the module's file: is it there, does it load") \
	X(look_sshd,     "sshd: UsePAM, LoginGraceTime") \
	X(look_sudo,     "sudoers: pam_acct_mgmt, pam_service") \
	X(look_fail2ban, "fail2ban: does a refusal ban its own administrator") \
	X(look_openvpn,  "OpenVPN: does one login stop all tunnels") \
	X(look_polkit,   "polkit: does its helper's sandbox let the gate ask") \
	X(look_folders,  "owner and mode of run_dir and state_dir") \
	X(look_attestd,  "attestd: does it answer") \
	X(look_state,    "this host: enrolled, armed, its verdict, the ceiling") \
	X(look_verifier, "the verifier: does it answer, since when not, is it behind its own gate") \
	X(look_rescue,   "ways back in: was one proved") \
	X(look_switches, "kill switches") \
	X(look_clock,    "the clock") \
	X(look_tpm,      "the TPM: its device, its lockout counter") \
	X(look_boot_log, "the boot log: is it there, and why not") \
	X(look_ima,      "the IMA list: can it be read") \
	X(look_group,    "the attested group: its number, its members, who can see it") \
	X(look_setgid,   "setgid files of the attested group")

#define X(name, what) void name(struct checkup *);
CHECKS(X)
#undef X

/* text: "file:12: what is wrong". service and file as for finding_add. */
void found(struct checkup *, enum finding_code, const char *service, const char *file, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* A path of this machine below root. */
enum { UNDER_MAX = 2 * GATE_PATH_MAX };
const char *under(const struct checkup *, const char *path, char out[static UNDER_MAX]);

/* sshd_config and what it includes; group as sshd_conf has it. */
void read_sshd_conf(const struct checkup *, const char *group, struct sshd_conf *out);

/* Does the account stack of a service call the gate? */
bool hooked(const struct checkup *, const char *service);
#endif
