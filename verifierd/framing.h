/*
 * framing.h - where a request of HTTP/1.1 begins and ends (RFC 9112), decided before anybody else
 * reads it. What two readers of one stream could understand differently is refused rather than
 * repaired: bare CR or LF, folded lines, space before a colon, control characters, no Host or two,
 * a Content-Length that is twice there or more than digits, any Transfer-Encoding.
 */
#ifndef FRAMING_H
#define FRAMING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAMING_HEAD_MAX = 16 << 10, FRAMING_LINES_MAX = 64, FRAMING_NAME = 20 };

/* What comes next: a new request, more of its head, more of its body. */
enum framing_stage { FRAMING_IDLE, FRAMING_HEAD, FRAMING_BODY };

struct framing {
	enum framing_stage stage;
	uint64_t    body_left, body_max;

	/* The answer that ends this connection, 0 while all is well, and why. */
	int         status;
	const char *detail;

	/* Of the head that is being read. */
	unsigned    state, at, length_part;
	size_t      head;
	unsigned    lines, hosts, lengths;
	bool        post;
	char        name[FRAMING_NAME];      /* of the method or the line; cut; ends in a NUL */
};

struct framing framing_new(uint64_t body_max);

/*
 * Reads at most n bytes, and not over the end of a head or of a body; says how many. A request is
 * complete when stage is FRAMING_IDLE afterwards. After a refusal nothing more is read.
 */
size_t framing_read(struct framing *, const uint8_t *, size_t n);
#endif
