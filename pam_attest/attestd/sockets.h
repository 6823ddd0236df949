/* sockets.h - the sockets of run_dir, made here or by systemd; and the word to systemd that they are served. */
#ifndef SOCKETS_H
#define SOCKETS_H
#include <stdint.h>
#include <sys/types.h>
#include "error.h"

/*
 * DIR/NAME, SOCK_STREAM (listening) or SOCK_DGRAM, not blocking; mode: who may connect or send. One with that path which
 * systemd passed (sd_listen_fds(3)) is taken as it is, else a file of that name is replaced. -1 with e set.
 */
int socket_make(const char *dir, const char *name, int type, mode_t mode, struct error *e);

/* ms between two words of "WATCHDOG=1" that systemd wants to hear (sd_watchdog_enabled(3)), with as much to spare; 0: none. */
int64_t watchdog_ms(void);

/* sd_notify(3): "READY=1", "STOPPING=1"; nothing happens when nobody wants to know. */
void notify(const char *what);
#endif
