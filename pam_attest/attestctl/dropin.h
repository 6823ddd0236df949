/*
 * dropin.h - the mode of one service as attestctl writes it: gate.conf.d/90-attestctl-SERVICE.conf, beside what people wrote.
 * gate.conf(5), attestctl(8) enforce.
 */
#ifndef DROPIN_H
#define DROPIN_H
#include "gate_conf.h"

enum { DROPIN_PATH_MAX = GATE_PATH_MAX + GATE_NAME_MAX + 32 };

/* A file and line in which a section that names the service sets a key. place "": nowhere. */
struct said { char place[DROPIN_PATH_MAX]; char value[GATE_NAME_MAX]; };

/* ERR_LIMIT: the service's name is too long for a file's. */
bool dropin_path(const char *conf, const char *service, char out[static DROPIN_PATH_MAX], struct error *) MUST_CHECK;

/*
 * What gate.conf and the drop-ins say that are not attestctl's: the last word on a key that is read before attestctl's file, and
 * after it. Files that cannot be read say nothing here; whoever asks has looked at that.
 */
bool dropin_look(const char *conf, const char *service, const char *key, struct said *before, struct said *after,
    struct error *) MUST_CHECK;

/* What the file says now. ERR_MISSING: there is none. since: ms since 1970 when it was written; until 0: none. */
struct dropin { enum gate_mode mode; int64_t until, since; };
bool dropin_read(const char *conf, const char *service, struct dropin *, struct error *) MUST_CHECK;

/* Puts it in place, durable, with its folder. command: for its first line. ERR_LIMIT: as many files as the gate reads are there. */
bool dropin_write(const char *conf, const char *service, const char *command, enum gate_mode, int64_t until,
    struct error *) MUST_CHECK;
#endif
