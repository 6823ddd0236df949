/* options.h - verifierd.conf(5): one table is the parser, the defaults and the man page's list. */
#ifndef OPTIONS_H
#define OPTIONS_H
#include <stdint.h>
#include "address.h"

enum { OPTION_PATH = 256, OPTION_TEXT = 256, WORKERS_MAX = 64 };

#define ENROLL_MODES(X) X(APPROVE, "approve") X(EK_ALLOW_LIST, "ek-allow-list") X(TOKEN, "token")
enum enroll_mode {
#define X(name, word) ENROLL_##name,
	ENROLL_MODES(X)
#undef X
	ENROLL_MODE_COUNT
};

struct options {
	char hosts[OPTION_TEXT];            /* "[::]:8451" */
	char admin[OPTION_PATH];            /* unix socket; unset: run_dir/admin.sock */
	char web[OPTION_TEXT], metrics[OPTION_TEXT];   /* names that are fixed; nothing listens there yet */
	unsigned connections, per_address;  /* at once, of each net process; of one IPv4 address, IPv6 /64 or local user */
	struct addresses balancers;         /* addresses that send a PROXY header first */
	char cert_file[OPTION_PATH], key_file[OPTION_PATH], ca_file[OPTION_PATH];   /* unset: state_dir/tls/{server,server-key,ca}.pem */
	char names[OPTION_TEXT];            /* of the certificate that verifierd makes; unset: host name, FQDN, localhost, 127.0.0.1 */
	char store[OPTION_PATH];            /* unset: sqlite:state_dir/store.db */
	int64_t retain_reports;             /* ms */
	char state_dir[OPTION_PATH], run_dir[OPTION_PATH];
	enum enroll_mode mode;
	char ek_roots[OPTION_PATH], ek_allow[OPTION_PATH];
	bool simulator;
	int64_t lifetime, grace_max;        /* ms */
	unsigned hold_share;                /* percent of a group's good hosts that a change may refuse unconfirmed */
	char user[64];                      /* "" or "root": privileges are kept */
	unsigned workers;                   /* of each kind; "auto": one a core, resolved here */
	unsigned net;                       /* processes that serve hosts; "auto": one for two cores */
	bool sandbox;
	char libexec[OPTION_PATH];          /* where the roles' executables are; unset: main finds them */
};

#define DEFAULT_CONF "/attest/verifierd.conf"    /* below sysconfdir */

/*
 * path NULL: the default file, and the defaults when there is none. Errors name file and line.
 * What depends on another option is filled in at the end.
 */
bool options_read(const char *path, struct options *, struct error *) MUST_CHECK;

/* Every value in force, in the table's order, as the file would have it; NULL: a path that is not set. */
typedef void options_fn(void *arg, const char *section, const char *key, const char *value);
void options_each(const struct options *, options_fn *, void *arg);

/* Is the server certificate the one that verifierd made for itself? */
bool options_own_tls(const struct options *);
#endif
