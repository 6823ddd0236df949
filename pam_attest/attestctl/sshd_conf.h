/*
 * sshd_conf.h - what sshd_config(5), or the output of `sshd -T`, says of the settings that a gate depends on.
 *
 * The first value of a keyword counts. Match blocks are passed over: neither keyword may be set in one. sshd's own defaults
 * hold where nothing is said.
 */
#ifndef SSHD_CONF_H
#define SSHD_CONF_H
#include "lines.h"

enum { SSHD_PLACE = 160 };
struct sshd_conf {
	bool     use_pam;              /* "no" where nobody says it */
	unsigned login_grace;          /* s; 0: for ever */
	char     use_pam_at[SSHD_PLACE], login_grace_at[SSHD_PLACE];   /* "file:line"; "": nowhere */
	const char *group;             /* to be looked for in AllowGroups, by its name; NULL: none */
	char     group_at[SSHD_PLACE];
	bool     cut;                  /* a line was too long to be read */
};
void sshd_conf_open(struct sshd_conf *);

/* Include, with a pattern as the file has it. */
typedef void sshd_include_fn(void *arg, const char *pattern);
/* One file's text. include may be NULL. */
void sshd_conf_take(struct sshd_conf *, const char *file, const char *text, size_t len, sshd_include_fn *include, void *arg);
#endif
