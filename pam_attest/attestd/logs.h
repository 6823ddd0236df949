/*
 * logs.h - the boot log, read whole and hashed at every attestation.
 *
 * securityfs shows neither its size nor a change of it. It is a file of root's: attestd opens it
 * before it drops its rights, and reads it anew through that descriptor.
 */
#ifndef LOGS_H
#define LOGS_H
#include "digest.h"
#include "reason.h"

struct boot_log { uint8_t *bytes; size_t len; uint8_t sha256[SHA256_SIZE]; };
void boot_log_free(struct boot_log *);
static inline void drop_boot_log(struct boot_log *l) { boot_log_free(l); }

/* Opens it; -1 with *absent when there is none, -1 without when it is there and cannot be read. */
int logs_open(const char *path, bool *absent, struct error *);

/*
 * REASON_OK with the log; an absent or empty one is a log of no bytes, for the verifier to judge.
 * eventlog-unreadable when it is there and cannot be read.
 */
enum reason logs_read(int fd, bool absent, struct boot_log *, struct error *);
#endif
