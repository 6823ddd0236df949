/*
 * bare_server.h - the floor under a verifier: an epoll loop around OpenSSL that takes in the same
 * bytes and gives the same bytes back, with one P-256 verification and one signature for each
 * evidence. It parses, stores and judges nothing.
 */
#ifndef BARE_SERVER_H
#define BARE_SERVER_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct canned { const char *p; size_t len; };
/* Starts it, with certificate and key of a verifierd in dir/tls. challenge, evidence: whole answers. */
pid_t bare_server(const char *dir, struct canned challenge, struct canned evidence, uint16_t *port);
#endif
