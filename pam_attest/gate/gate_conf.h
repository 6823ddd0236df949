/*
 * gate_conf.h - what gate.conf(5) and the module's own options say for one service.
 *
 * [paths], [nss] and [default] first, then the sections that name the service, then drop-ins in
 * name order, then the options of the PAM line: one table reads them all. No allocation: this
 * runs in other people's processes. A bad line never widens what a gate lets through: it is
 * remembered (`bad`), and the gate has no verdict for that service.
 */
#ifndef GATE_CONF_H
#define GATE_CONF_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "error.h"
#include "reason.h"
#include "record.h"

#define GATE_CONF_FILE "/etc/attest/gate.conf"

enum {
	GATE_PATH_MAX    = 256,
	GATE_LIST_MAX    = 256,     /* words with spaces between */
	GATE_NAME_MAX    = 64,
	GATE_MESSAGE_MAX = 160,
	GATE_SOURCES_MAX = 8,
	GATE_FILE_MAX    = 32 << 10,    /* gate.conf, and each drop-in */
	GATE_DROPINS_MAX = 32,
};

/* X(NAME, word): who is asked. */
#define GATE_SOURCES(X) \
	X(EXEMPT,   "exempt")   \
	X(LEASE,    "lease")    \
	X(CACHE,    "cache")    \
	X(QUOTE,    "quote")    \
	X(GRACE,    "grace")    \
	X(PEER,     "peer")     \
	X(PASSPORT, "passport")

enum source {
#define X(name, word) SOURCE_##name,
	GATE_SOURCES(X)
#undef X
	SOURCE_COUNT
};
const char *source_word(enum source);   /* "none" outside the table */

#define GATE_ACTIONS(X) X(DENY, "deny") X(PERMIT, "permit") X(CONTINUE, "continue")
enum action {
#define X(name, word) ACTION_##name,
	GATE_ACTIONS(X)
#undef X
	ACTION_COUNT
};
const char *action_word(enum action);

/* One word of `sources`, with the brackets behind it. */
struct source_rule {
	enum source source;
	enum action action[STATE_COUNT];
};

struct gate_conf {
	/* [paths] */
	char   run_dir[GATE_PATH_MAX], state_dir[GATE_PATH_MAX], boot_id[GATE_PATH_MAX];
	char   passwd[GATE_PATH_MAX], group[GATE_PATH_MAX], cmdline[GATE_PATH_MAX], journal[GATE_PATH_MAX];
	char   owner[GATE_NAME_MAX];        /* a uid, or a name of the passwd file */

	/* [nss] */
	char     nss_group[GATE_NAME_MAX];
	unsigned nss_gid;                   /* 0: not set */
	bool     nss_warning;

	/* The service's section over [default] */
	enum gate_mode     mode;
	struct source_rule sources[GATE_SOURCES_MAX];
	unsigned           nsources;
	int64_t            max_age, grace, timeout;    /* ms; max_age 0: as long as the verdict itself */
	bool               arm_always;
	int64_t            until;                      /* ms since 1970, 0: for good; then enforce acts as audit */
	char               exempt_user[GATE_LIST_MAX], console_ttys[GATE_LIST_MAX];
	char               breakglass_group[GATE_NAME_MAX];
	bool               kill_all, success_ok, explain;
	char               message[GATE_MESSAGE_MAX];
	bool               peer_prompt;                /* the service answers "attest-peer: " with a name that it has authenticated */
	char               audience[GATE_NAME_MAX];    /* of passports, "" for none */

	/* Only on the PAM line */
	char file[GATE_PATH_MAX];
	char service[GATE_NAME_MAX];                   /* "": the one that PAM says */
	bool silent, debug;

	/* How the reading went */
	bool named;          /* a section names this service */
	bool consoles;       /* and it sets console_ttys: it is a console service */
	bool moded;          /* a mode was read for it, in whatever place */
	bool unreadable;     /* gate.conf or a drop-in is not there, empty, or not to be trusted */
	bool bad;            /* any error that counts for this service; the first is in `error` */
	struct error error;
};

/* Called for each thing that is wrong; for attestctl lint. */
typedef void gate_conf_report(void *arg, const struct error *);

/*
 * Everything for one service: built-in defaults, the file (its options conf=, service= say which
 * file and section), then argv. Never fails: *c is always fit to decide with. report may be NULL.
 */
void gate_conf_read(struct gate_conf *c, const char *service, int argc, const char *const *argv,
    gate_conf_report *report, void *arg);

/* [paths] and [nss] alone, for who asks about no service. False if a file cannot be had, or a line of these cannot be used. */
bool gate_conf_read_nss(struct gate_conf *c, const char *file) MUST_CHECK;

/* Is word one of the words in list, "a b c"? */
bool gate_list_has(const char *list, const char *word);

/* Calls fn with each key and its value in force, in the table's order; section "paths", "nss" or "service". */
void gate_conf_each(const struct gate_conf *c,
    void (*fn)(void *arg, const char *section, const char *key, const char *value), void *arg);

/* Calls fn for every service that a section of the file or of a drop-in names, once for each mention. */
bool gate_conf_services(const char *file, void (*fn)(void *arg, const char *service), void *arg,
    struct error *e) MUST_CHECK;

/* Writes the path of a file that lies beside gate.conf ("DISABLED"); false if it does not fit. */
bool gate_conf_beside(const struct gate_conf *c, const char *name, char *out, size_t size);
#endif
