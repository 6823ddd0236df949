/* address.h - who is at the other end of a connection: IPv6, and IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
#ifndef ADDRESS_H
#define ADDRESS_H
#include <stdint.h>
#include "error.h"

struct sockaddr;

struct address { uint8_t ip[16]; };

enum { ADDRESSES_MAX = 16 };
struct addresses {
	struct address list[ADDRESSES_MAX];
	unsigned       count;
};

/* Zeros for anything but IPv4 and IPv6. */
struct address address_of(const struct sockaddr *);
/* "192.0.2.1" or "2001:db8::1". */
bool address_read(const char *text, struct address *, struct error *) MUST_CHECK;
/* Several, with spaces or commas between them; none is well too. */
bool addresses_read(const char *text, struct addresses *, struct error *) MUST_CHECK;
/* As addresses_read() takes it, with spaces; "" for none. */
enum { ADDRESSES_TEXT = ADDRESSES_MAX * 48 };
void addresses_text(const struct addresses *, char out[static ADDRESSES_TEXT]);
bool address_among(const struct addresses *, const struct address *);

/* What one customer of a network has: an IPv4 address, 64 bits of an IPv6 one. The rest is zero. */
struct address address_site(const struct address *);
bool address_same(const struct address *, const struct address *);
#endif
