#include <string.h>
#include "framing.h"
#include "scope.h"

enum state { IN_METHOD, IN_TARGET, IN_VERSION, IN_REQUEST_LF, IN_NAME, IN_VALUE, IN_VALUE_LF, IN_END_LF, STATE_COUNT };
enum length_part { BEFORE, DIGITS, AFTER };

static bool
refuse(struct framing *f, int status, const char *detail)
{
	f->status = status;
	f->detail = detail;
	return false;
}

static bool
go(struct framing *f, enum state next)
{
	f->state = next;
	f->at = 0;
	return true;
}

static bool
is_token(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Every byte of a line but its end; CR leads to that. */
static bool
line_byte(struct framing *f, uint8_t c, enum state after_cr)
{
	if (c == '\r')
		return go(f, after_cr);
	if (c == '\n')
		return refuse(f, 400, "a line ends without CR");
	return (c >= 0x20 && c != 0x7f) || c == '\t' || refuse(f, 400, "a control character in the head");
}

/* Of names longer than any that matters here the beginning is enough. */
static void
name_byte(struct framing *f, uint8_t c)
{
	if (f->at < FRAMING_NAME - 1) {
		f->name[f->at] = (char)c;
		f->name[f->at + 1] = '\0';
	}
	f->at++;
}

static bool
method(struct framing *f, uint8_t c)
{
	if (c != ' ') {
		name_byte(f, c);
		return is_token(c) || refuse(f, 400, "this is not HTTP");
	}
	f->post = !strcmp(f->name, "POST");
	if (!f->post && strcmp(f->name, "GET") != 0)
		return refuse(f, 501, "GET and POST are served");
	return go(f, IN_TARGET);
}

static bool
target(struct framing *f, uint8_t c)
{
	if (c == ' ' && f->at)
		return go(f, IN_VERSION);
	if (!f->at++ && c != '/')
		return refuse(f, 400, "a path is wanted");
	return (c > 0x20 && c < 0x7f) || refuse(f, 400, "a path of printable characters is wanted");
}

static bool
version(struct framing *f, uint8_t c)
{
	static const char wanted[] = "HTTP/1.1\r";

	if (c != (uint8_t)wanted[f->at])
		return f->at < 5 ? refuse(f, 400, "this is not HTTP") : refuse(f, 505, "HTTP/1.1 is spoken");
	return ++f->at < sizeof(wanted) - 1 || go(f, IN_REQUEST_LF);
}

static bool
line_feed(struct framing *f, uint8_t c)
{
	if (c != '\n')
		return refuse(f, 400, "a CR without LF");
	f->name[0] = '\0';
	return go(f, IN_NAME);
}

static bool
name_known(struct framing *f)
{
	if (!strcmp(f->name, "transfer-encoding"))
		return refuse(f, 501, "Transfer-Encoding is not served: Content-Length is wanted");
	if (!strcmp(f->name, "host") && f->hosts++)
		return refuse(f, 400, "two Host lines");
	if (!strcmp(f->name, "content-length") && f->lengths++)
		return refuse(f, 400, "two Content-Length lines");
	f->length_part = BEFORE;
	return go(f, IN_VALUE);
}

static bool
name(struct framing *f, uint8_t c)
{
	if (!f->at && c == '\r')
		return go(f, IN_END_LF);
	if (!f->at && ++f->lines > FRAMING_LINES_MAX)
		return refuse(f, 431, "too many header lines");
	if (f->at && c == ':')
		return name_known(f);
	if (c == ' ' || c == '\t')
		return refuse(f, 400, f->at ? "space before a colon" : "a folded header line");
	if (!is_token(c))
		return refuse(f, 400, c == '\n' ? "a line ends without CR" : "a header line without a name");
	name_byte(f, c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c);
	return true;
}

/* OWS 1*DIGIT OWS, and no more of it than body_max. */
static bool
length_byte(struct framing *f, uint8_t c)
{
	bool digit = c >= '0' && c <= '9', space = c == ' ' || c == '\t';

	if (c == '\r')
		return f->length_part != BEFORE || refuse(f, 400, "Content-Length is empty");
	if (space) {
		f->length_part = f->length_part == BEFORE ? BEFORE : AFTER;
		return true;
	}
	if (!digit || f->length_part == AFTER)
		return refuse(f, 400, "Content-Length is not a number");
	f->length_part = DIGITS;
	f->body_left = f->body_left * 10 + (c - '0');
	return f->body_left <= f->body_max || refuse(f, 413, "the body is too large");
}

static bool
value(struct framing *f, uint8_t c)
{
	if (!strcmp(f->name, "content-length") && c != '\n' && !length_byte(f, c))
		return false;
	return line_byte(f, c, IN_VALUE_LF);
}

static bool
end(struct framing *f, uint8_t c)
{
	if (c != '\n')
		return refuse(f, 400, "a CR without LF");
	if (!f->hosts)
		return refuse(f, 400, "no Host line");
	if (f->post && !f->lengths)
		return refuse(f, 411, "Content-Length is wanted");
	if (!f->post && f->body_left)
		return refuse(f, 400, "GET has no body");
	f->stage = f->body_left ? FRAMING_BODY : FRAMING_IDLE;
	return true;
}

static bool (*const steps[STATE_COUNT])(struct framing *, uint8_t) = {
	[IN_METHOD] = method, [IN_TARGET] = target, [IN_VERSION] = version, [IN_REQUEST_LF] = line_feed,
	[IN_NAME] = name, [IN_VALUE] = value, [IN_VALUE_LF] = line_feed, [IN_END_LF] = end,
};

struct framing
framing_new(uint64_t body_max)
{
	return (struct framing){ .body_max = body_max };
}

static size_t
read_head(struct framing *f, const uint8_t *p, size_t n)
{
	size_t i = 0;

	if (f->stage == FRAMING_IDLE && n) {
		*f = framing_new(f->body_max);
		f->stage = FRAMING_HEAD;
	}
	while (i < n && f->stage == FRAMING_HEAD) {
		if (++f->head > FRAMING_HEAD_MAX) {
			refuse(f, 431, "the head is too large");
			break;
		}
		if (!steps[f->state](f, p[i++]))
			break;
	}
	return i;
}

size_t
framing_read(struct framing *f, const uint8_t *p, size_t n)
{
	if (f->status)
		return 0;
	if (f->stage != FRAMING_BODY)
		return read_head(f, p, n);
	if (n > f->body_left)
		n = (size_t)f->body_left;
	f->body_left -= n;
	if (!f->body_left)
		f->stage = FRAMING_IDLE;
	return n;
}
