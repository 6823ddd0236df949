/* options.h - attestd.conf(5). */
#ifndef OPTIONS_H
#define OPTIONS_H
#include "error.h"

enum { PATH_TEXT = 256, URLS_MAX = 4, URL_TEXT = 256 };

struct options {
	char     url[URLS_MAX][URL_TEXT];
	unsigned urls;
	char     ca_file[PATH_TEXT];
	unsigned timeout;                /* seconds, one HTTP request */
	char     token_file[PATH_TEXT];  /* of a gateway that is not enrolled; "" */
	char     tcti[PATH_TEXT];        /* "none": this host makes no evidence of its own */
	unsigned ak;                     /* persistent handle, 0: a free one */
	char     boot_log[PATH_TEXT], ima_log[PATH_TEXT];
	char     run_dir[PATH_TEXT], state_dir[PATH_TEXT], boot_id[PATH_TEXT];
	unsigned renew;                  /* percent of a result's lifetime */
	char     user[64];
	bool     sandbox;
};

/* A missing file is the defaults. Errors name file and line. */
bool options_load(const char *path, struct options *, struct error *) MUST_CHECK;
#endif
