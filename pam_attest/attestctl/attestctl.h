/* attestctl.h - what every command of attestctl(8) has: the global options, and how it ends. */
#ifndef ATTESTCTL_H
#define ATTESTCTL_H
#include "gate.h"

/* attestctl(8), exit status; scripts depend on them. */
enum exit_code {
	EXIT_GOOD            = 0,    /* affirming or warning, or done */
	EXIT_CONTRAINDICATED = 1,
	EXIT_USAGE           = 2,
	EXIT_NOT_RUNNING     = 3,    /* no attestd */
	EXIT_NONE            = 4,
	EXIT_BROKEN          = 5,
	EXIT_NOT_ENROLLED    = 6,
	EXIT_PERMISSION      = 7,
};

/* The global options, which stand before the command. */
struct ctl {
	const char *conf;        /* gate.conf */
	const char *run_dir;     /* NULL: as gate.conf says */
	const char *root;        /* NULL, or what stands before every path of gate.conf */
	bool        json, quiet;
	enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } colour;
	const char *command, *args, *help;     /* of the command: its row in the table */
};

/* argv[0] is the command's name; the result is the exit code. */
typedef int command_fn(const struct ctl *, int argc, char **argv);
command_fn cmd_attest, cmd_audit, cmd_check, cmd_config, cmd_doctor, cmd_enforce, cmd_enroll, cmd_explain, cmd_hook, cmd_is_attested;
command_fn cmd_lint, cmd_metrics, cmd_off, cmd_passport, cmd_recover, cmd_report, cmd_rescue, cmd_seal_image, cmd_status;
command_fn cmd_unenroll, cmd_unhook, cmd_watch;

/* gate.conf for one service, with --run-dir over it. "" is a service that no section names. */
void ctl_conf(const struct ctl *, const char *service, struct gate_conf *);
/* The same, and report hears of all that is wrong. */
void ctl_conf_report(const struct ctl *, const char *service, struct gate_conf *, gate_conf_report *report, void *arg);

/* The services that gate.conf and its drop-ins name, each once, in their order. cut: there are more. */
enum { SERVICES_LISTED = 128 };
struct services { unsigned n; bool cut; char name[SERVICES_LISTED][GATE_NAME_MAX]; };
bool ctl_services(const struct ctl *, struct services *, struct error *) MUST_CHECK;

/* The record on this host, as a gate would believe it; ERR_MISSING: there is none. */
bool ctl_record(const struct gate_conf *, struct record *, struct error *) MUST_CHECK;

int  ctl_exit(enum reason);                      /* the code that a host's state stands for */

/* Prints "attestctl COMMAND: …" on stderr, and gives back code. */
int  ctl_wrong(const struct ctl *, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Options of a command: the one table is parser, `attestctl COMMAND --help`, the shells' completion and what attestctl(8) is
 * checked against. A row is {"--name", where its value goes, what the value is, help}. Without an argument (NULL) the option is
 * a switch: *value becomes its name. The argument's word says what a shell offers: SERVICE, USER, FILE, DIR, one of "a|b|c";
 * for other words nothing.
 */
struct ctl_option { const char *name; const char **value; const char *argument, *help; };

/*
 * Every command calls this first, and does nothing before: --help and completion end the program in it.
 * Words that are no option go to rest[], which has a place for each word of the command's `args`; behind the last one given
 * it keeps what it had (NULL). With rest NULL every such word is wrong. False: said on stderr.
 */
bool ctl_options(const struct ctl *, int argc, char **argv, const struct ctl_option *, unsigned count,
    const char **rest);
#endif
