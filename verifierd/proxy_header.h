/*
 * proxy_header.h - what a balancer says before the first byte of its client: the PROXY protocol,
 * versions 1 and 2 (haproxy.org, proxy-protocol.txt, sections 2.1 and 2.2). Only the source address
 * is of use here.
 */
#ifndef PROXY_HEADER_H
#define PROXY_HEADER_H
#include <stddef.h>
#include "address.h"

enum { PROXY_HEADER_MAX = 16 + 512 };

/*
 * Of a header the first n bytes. *more: how many more to read before asking again, never beyond the
 * header's end; 0: it is complete, and *known says whether it names a client (health checks of the
 * balancer itself do not), whose address is *client then.
 */
bool proxy_header(const uint8_t *p, size_t n, size_t *more, bool *known, struct address *client, struct error *) MUST_CHECK;
#endif
