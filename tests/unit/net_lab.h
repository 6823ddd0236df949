/* net_lab.h - verifierd-net in a folder of its own; the test plays core at one end and clients at the other. */
#ifndef NET_LAB_H
#define NET_LAB_H
#include <openssl/ssl.h>
#include <sys/types.h>
#include "ipc.h"

struct net_lab {
	char     dir[64], conf[96], socket[96];
	bool     admin;                     /* a unix socket and no TLS */
	bool     v6, hasty;
	pid_t    net;
	int      core;                      /* core's end of the channel */
	uint16_t port;
};
void net_lab_open(struct net_lab *, bool admin);
void net_lab_open_with(struct net_lab *, bool admin, const char *conf);    /* more lines for verifierd.conf */
/* On ::1, and with clocks that run HASTE times as fast. */
enum { NET_V6 = 1, NET_HASTY = 2, HASTE = 6 };
void net_lab_open_as(struct net_lab *, unsigned how, const char *conf);
void net_lab_certificate(struct net_lab *, const char *name);   /* a fresh one for this name, in place */
int  net_lab_wait(struct net_lab *);                            /* until it has ended: exit status, or -signal */
void net_lab_close(struct net_lab *);

/* The next message for core, within ms; false when none came. */
bool core_take(struct net_lab *, int ms, struct frame *);
void core_reply(struct net_lab *, uint64_t job, int status, const char *json);

struct client { int fd; SSL_CTX *ctx; SSL *ssl; };
struct heard { int status; char head[4096]; char body[64 << 10]; size_t len; };
/* A connection without a word said on it. from: the client's IPv4 address, NULL: any. */
bool client_connect(struct net_lab *, struct client *, const char *from);
bool client_handshake(struct net_lab *, struct client *, int version, const char *ca);
/* Both. False when the handshake fails. version 0: TLS 1.3. ca: PEM file, NULL: the lab's own. */
bool client_open(struct net_lab *, struct client *, int version, const char *ca);
void client_say(struct client *, const void *, size_t);
/* METHOD /path, more header lines ("" or each with CRLF), body. */
void client_ask(struct client *, const char *method, const char *path, const char *lines, const void *body, size_t len);
/* False when no whole answer came within ms, or the connection ended. */
bool client_hear(struct client *, int ms, struct heard *);
/* Has the other end closed it, with nothing left to read, within ms? */
bool client_ended(struct client *, int ms);
void client_close(struct client *);

enum { SOON = 2000 };                /* ms: an answer that waits for nothing */
#define JSON_TYPE     "Content-Type: application/json\r\n"
#define EVIDENCE_TYPE "Content-Type: application/vnd.pam-attest.evidence\r\n"

/* The whole way once: a request that core answers with this body. */
void still_serves(struct net_lab *, struct client *, const char *body);
void is_problem(const struct heard *, int status, const char *reason);
#endif
