/* listen.h - the sockets that main makes before it gives up root. */
#ifndef LISTEN_H
#define LISTEN_H
#include "error.h"

enum { LISTEN_BACKLOG = 1024 };

/* "HOST:PORT" or "[HOST]:PORT", numbers only; [::] also takes IPv4. Non-blocking, close-on-exec. */
bool listen_tcp(const char *address, int *fd, struct error *) MUST_CHECK;
/* Is it one? For -t. */
bool listen_check(const char *address, struct error *) MUST_CHECK;

/*
 * A unix socket that everybody may connect to: who may do what is decided by peer credentials. One
 * that is left of an earlier run is replaced; one that answers is not (ERR_CONFLICT).
 */
bool listen_unix(const char *path, int *fd, struct error *) MUST_CHECK;
#endif
