/* pki.h - the CA and the server certificate that verifierd makes for itself on its first start. */
#ifndef PKI_H
#define PKI_H
#include <stdint.h>
#include "error.h"

/*
 * Makes what is not there yet: below dir ca.pem, server-key.pem and server.pem, which those that
 * serve TLS read; below keys, which they cannot, ca-key.pem (P-256; keys 0600). names: comma-separated DNS names and addresses for the server certificate, "" for
 * host name, FQDN, localhost, 127.0.0.1 and ::1. A server certificate that has expired, or soon
 * will, or has other names, is made anew under the same CA.
 */
bool pki_prepare(const char *dir, const char *keys, const char *names, int64_t now_wall, struct error *) MUST_CHECK;
#endif
