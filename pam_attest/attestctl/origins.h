/*
 * origins.h - from which line of gate.conf or a drop-in a value in force comes: for `attestctl config`.
 *
 * The same rules as the gate's own reading (gate_load.c): a service's sections over [default], a later file over an
 * earlier one, the first line of a file over a second one.
 */
#ifndef ORIGINS_H
#define ORIGINS_H
#include "gate_conf.h"

enum { ORIGINS_MAX = 96, ORIGIN_PLACE = 160 };
struct origins {
	unsigned n;
	struct { char section[8], key[32], at[ORIGIN_PLACE]; } item[ORIGINS_MAX];     /* section: as gate_conf_each says it */
};
void origins_read(const char *conf, const char *service, struct origins *);
/* One file's text, in their order; a NUL stands behind it. */
void origins_take(struct origins *, const char *file, const char *text, size_t len, const char *service);
/* "gate.conf:12"; "" for a built-in default. */
const char *origins_of(const struct origins *, const char *section, const char *key);
#endif
