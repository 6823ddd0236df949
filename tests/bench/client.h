/* client.h - a host's way to the verifier as the benchmarks go it: TLS 1.3, a full handshake for every connection. */
#ifndef CLIENT_H
#define CLIENT_H
#include <openssl/ssl.h>
#include <stdint.h>

enum { HEARD_MAX = 64 << 10 };

/* An answer as it came: head, then body. */
struct heard { int status; char raw[HEARD_MAX]; size_t len; const char *body; size_t body_len; };

SSL_CTX *client_new(const char *ca);
/* From 127.0.0.<from>, so that a limit on one address is none on the benchmark. */
SSL *client_connect(SSL_CTX *, uint16_t port, unsigned from);
void client_post(SSL *, const char *path, const char *type, const void *body, size_t len, struct heard *);
void client_end(SSL *);
#endif
