/*
 * attestd_conf.h - what attestctl wants to know of attestd.conf(5): a few keys, with attestd's defaults. Whether the file is
 * good is for `attestd -t` to say; what it does not understand is passed over here.
 */
#ifndef ATTESTD_CONF_H
#define ATTESTD_CONF_H
#include "gate_conf.h"

struct attestd_conf {
	char     url[GATE_PATH_MAX];      /* as written, several with commas between; "" if none */
	char     tcti[GATE_PATH_MAX], boot_log[GATE_PATH_MAX], ima_log[GATE_PATH_MAX], run_dir[GATE_PATH_MAX], state_dir[GATE_PATH_MAX];
	unsigned renew;                   /* percent of a result's lifetime */
};
/* A missing file is the defaults; so is all that stands behind a line that cannot be read. */
void attestd_conf_read(const char *path, struct attestd_conf *);
void attestd_conf_parse(const char *text, size_t len, struct attestd_conf *);
#endif
