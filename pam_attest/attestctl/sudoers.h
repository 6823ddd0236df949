/*
 * sudoers.h - where sudoers(5) lets sudo pass by the account stack: Defaults with !pam_acct_mgmt, for everybody or for some,
 * and the settings that name another PAM service. Rules and aliases are not read.
 */
#ifndef SUDOERS_H
#define SUDOERS_H
#include "lines.h"

enum { SUDOERS_HITS = 16, SUDOERS_PLACE = 160, SUDOERS_WORD = 64 };

enum sudoers_what { SUDOERS_NO_ACCOUNT, SUDOERS_SERVICE, SUDOERS_LOGIN_SERVICE };
struct sudoers_hit {
	enum sudoers_what what;
	char file[SUDOERS_PLACE], scope[SUDOERS_WORD], value[SUDOERS_WORD];   /* scope: ":alice", "@host"; "" for all. value: the service */
	unsigned line;
};
struct sudoers {
	unsigned n;
	struct sudoers_hit hit[SUDOERS_HITS];
	bool     cut;               /* a line that was too long, or more than fits here */
};

/* An include, as the file has it; folder: all of its files but those with '.' or '~'. */
typedef void sudoers_include_fn(void *arg, const char *path, bool folder);
/* One file's text, in the order in which sudo reads them: what a later line of the same scope takes back is no hit. */
void sudoers_take(struct sudoers *, const char *file, const char *text, size_t len, sudoers_include_fn *include, void *arg);
#endif
