/* gate_option.h - the table of gate.conf's keys and of the module's options, for those who walk files and arguments. */
#ifndef GATE_OPTION_H
#define GATE_OPTION_H
#include "gate_conf.h"

/* Where a key may stand. */
enum { IN_PATHS = 1, IN_NSS = 2, IN_SERVICE = 4, IN_LINE = 8 };

void gate_option_defaults(struct gate_conf *);

/*
 * Sets one key. *seen has a bit for each key that this section of this file has had already: a
 * second time is an error. On failure the field keeps its value.
 */
bool gate_option_set(struct gate_conf *, unsigned place, const char *key, const char *value, uint64_t *seen,
    struct error *e) MUST_CHECK;
#endif
