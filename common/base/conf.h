/*
 * conf.h - the INI files of pam-attest: [section], key = value, ';' or '#' comments.
 *
 * No allocation: the gate reads its file in other people's processes. A comment starts at the
 * first ';' or '#' of a line or after white space. There are no quotes and no continuation lines.
 */
#ifndef CONF_H
#define CONF_H
#include <stddef.h>
#include "error.h"

enum { CONF_LINE_MAX = 1024, CONF_FILE_MAX = 64 << 10 };

/* section is "" before the first header; line counts from 1. Return false (e set) to stop. */
typedef bool conf_fn(void *arg, const char *section, const char *key, const char *value,
    unsigned line, struct error *e);

/*
 * Walks the text of a file. name is only used in errors: "gate.conf:12: …". A section header
 * is reported with key and value NULL, so that an empty section is seen.
 */
bool conf_walk(const char *name, const char *text, size_t len, conf_fn *fn, void *arg,
    struct error *e) MUST_CHECK;

/* The same for a piece of a file that starts at line `number`: whoever wants to go on after a bad section. */
bool conf_walk_from(const char *name, unsigned number, const char *text, size_t len, conf_fn *fn, void *arg,
    struct error *e) MUST_CHECK;

/* Values that more than one file has. Each names what it wanted when it fails. */
bool conf_seconds(const char *value, unsigned lo, unsigned hi, unsigned *out, struct error *) MUST_CHECK; /* 90 90s 15m 24h 7d */
bool conf_number(const char *value, unsigned lo, unsigned hi, unsigned *out, struct error *) MUST_CHECK;
bool conf_yes_no(const char *value, bool *out, struct error *) MUST_CHECK;
bool conf_path(const char *value, char *out, size_t size, struct error *) MUST_CHECK;    /* absolute */
bool conf_text(const char *value, char *out, size_t size, struct error *) MUST_CHECK;
#endif
