/* verifierctl.h - what every command gets, and the commands. verifierctl(8). */
#ifndef VERIFIERCTL_H
#define VERIFIERCTL_H
#include <stdbool.h>

/* Exit codes, GATE section 6. */
enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_DOWN = 3, EXIT_PERMISSION = 7, EXIT_WAITS = 8 };

struct ctl {
	const char *conf;                  /* NULL: the default */
	const char *socket;                /* of verifierd's admin listener */
	bool        json, quiet;
	unsigned    wait_s;                /* how long verifierd may take to answer; 0: the usual time */
};

/*
 * X(name, arguments, help, function)
 * argv[0] is the command's name. The table is dispatch, --help, and what verifierctl(8) is checked against.
 */
#define COMMANDS(X) \
X("hosts",      "",                                     "list enrolled hosts and their state", hosts_main) \
X("show",       "HOST",                                 "one host: keys, boot, reports, pending enrollment", show_main) \
X("history",    "HOST",                                 "what a host reported, and told afterwards: who came in without a verdict", history_main) \
X("approve",    "HOST [--ek FPR] [--yes]",              "let a pending host in", approve_main) \
X("reject",     "HOST [--reason T]",                    "refuse a pending host", reject_main) \
X("class",      "HOST log|no-log|does-not-replay --reason T", "what evidence a host can give of its boot", class_main) \
X("revoke",     "HOST --reason T",                      "take a host's trust away, at once", revoke_main) \
X("reinstate",  "HOST --reason T",                      "let a revoked host be good again", reinstate_main) \
X("rename",     "HOST NAME --reason T",                 "give a host another name", rename_main) \
X("remove",     "HOST --reason T [--dry-run] [--yes]",  "forget a host: its name and its TPM may enroll anew", remove_main) \
X("references", "list | show N | diff A B | capture HOST --name N [--report REF] [--host|--group] [--expires WHEN] [--reason T] | activate N[@DIGEST] [--expires WHEN] [--confirm N] [--dry-run] | retire N [--confirm N] | revoke N [--component C,...] [--confirm N] --reason T | export N [--out FILE] | import FILE [--name N] [--group G] [--host H] [--expires WHEN] --reason T", \
                                                        "golden measurements", references_main) \
X("allow-lists", "list | set N FILE --reason T [--dry-run] | remove N --reason T", \
                                                        "files that IMA may have measured, for policies that name the list", allow_lists_main) \
X("policies",   "list | show N[/VERSION] | set FILE --reason T [--confirm N] [--dry-run] [--yes] | what-if FILE | test FILE [--vectors FILE]", \
                                                        "what hosts must be like", policies_main) \
X("groups",     "[list] | create G [--policy N] [--yes] | set G --policy N [--reason T] [--confirm N] [--dry-run] [--yes]", \
                                                        "groups of hosts and the policies that they follow", groups_main) \
X("move",       "HOST GROUP [--reason T] [--dry-run] [--yes]", "put a host into another group", move_main) \
X("ceiling",    "off|audit|enforce --all|--group G [--for 4h] --reason T [--dry-run]", \
                                                        "the most that gates may do, for a while", ceiling_main) \
X("allow",      "HOST --for 2h --reason T [--user U] [--service S,...] [--overrule-refusal] [--print] [--dry-run] | HOST --list | HOST --end [ID] [--reason T]", \
                                                        "let people in for a while, whatever is measured", allow_main) \
X("accept",     "REF|HOST --reason T [--host|--group] [--expires WHEN] [--dry-run] [--yes]", "make exactly what one refused report measured good", accept_main) \
X("explain",    "REF",                                  "why a report was judged as it was, in words", explain_main) \
X("inspect",    "eventlog FILE [--quote F] [--pcrs F] | ima FILE [--log F] | allow-list FILE | quote --attest F --signature F --ak PEM [--nonce HEX] [--selection S] | result FILE --jwks FILE", \
                                                        "look into evidence and results, without a daemon", inspect_main) \
X("enroll-line","[--url URL]",                          "print the one command to run on a host", enroll_line_main) \
X("tokens",     "create [--reason T]",                  "make an enrollment token", tokens_main) \
X("gateways",   "[list] | add NAME [--host HOST] [--audience A,...] --reason T [--dry-run] | remove NAME --reason T [--dry-run]", \
                                                        "who may ask about other hosts, and redeem their passports", gateways_main) \
X("approvals",  "",                                     "changes that wait for other administrators", approvals_main) \
X("audit",      "list",                                 "who changed what, and why", audit_main) \
X("config",     "",                                     "effective configuration", config_main) \
X("lint",       "",                                     "check verifierd.conf", lint_main)

#define X(name, args, help, run) int run(const struct ctl *, int argc, char **argv);
COMMANDS(X)
#undef X

/* "usage: verifierctl NAME ARGUMENTS" on stderr, a line for each form; gives EXIT_USAGE. */
int usage_of(const char *command);
#endif
