#include <string.h>
#include "framing.h"
#include "unit.h"

enum { BODY_MAX = 1000 };

#define HEAD(lines)  "POST /v1/evidence HTTP/1.1\r\nHost: v\r\n" lines "\r\n"
#define BYTES(text)  text, sizeof(text) - 1

/* status 0: `requests` whole ones and nothing behind them. Else the refusal's status and words. */
static const struct row {
	const char *label, *text;
	size_t      len;
	int         status;
	const char *words;
	unsigned    requests;
} rows[] = {
	{ "GET",                   BYTES("GET /healthz HTTP/1.1\r\nHost: v\r\n\r\n"), 0, "", 1 },
	{ "GET with length 0",     BYTES("GET /h HTTP/1.1\r\nHost: v\r\nContent-Length: 0\r\n\r\n"), 0, "", 1 },
	{ "POST",                  BYTES(HEAD("Content-Length: 3\r\n") "abc"), 0, "", 1 },
	{ "POST without a body",   BYTES(HEAD("Content-Length: 0\r\n")), 0, "", 1 },
	{ "length among blanks",   BYTES(HEAD("Content-Length: \t 3 \t\r\n") "abc"), 0, "", 1 },
	{ "length without blank",  BYTES(HEAD("Content-Length:3\r\n") "abc"), 0, "", 1 },
	{ "leading zeros",         BYTES(HEAD("Content-Length: 0003\r\n") "abc"), 0, "", 1 },
	{ "names in any case",     BYTES("POST / HTTP/1.1\r\nhOST: v\r\nCONTENT-LENGTH: 1\r\n\r\nx"), 0, "", 1 },
	{ "body of anything",      BYTES(HEAD("Content-Length: 4\r\n") "\0\r\n\n"), 0, "", 1 },
	{ "three in a row",        BYTES(HEAD("Content-Length: 1\r\n") "x" HEAD("Content-Length: 0\r\n")
	                           "GET / HTTP/1.1\r\nHost: v\r\n\r\n"), 0, "", 3 },
	{ "empty value",           BYTES("GET / HTTP/1.1\r\nHost: v\r\nX:\r\n\r\n"), 0, "", 1 },
	{ "value with UTF-8",      BYTES("GET / HTTP/1.1\r\nHost: v\r\nX: \xc3\xa9\r\n\r\n"), 0, "", 1 },
	{ "value with a tab",      BYTES("GET / HTTP/1.1\r\nHost: v\r\nX: a\tb\r\n\r\n"), 0, "", 1 },
	{ "name like the length",  BYTES("GET / HTTP/1.1\r\nHost: v\r\nContent-Lengthy: 5\r\n\r\n"), 0, "", 1 },

	{ "two lengths",           BYTES(HEAD("Content-Length: 3\r\nContent-Length: 3\r\n")), 400, "two Content-Length", 0 },
	{ "signed length",         BYTES(HEAD("Content-Length: +3\r\n")), 400, "not a number", 0 },
	{ "negative length",       BYTES(HEAD("Content-Length: -3\r\n")), 400, "not a number", 0 },
	{ "hexadecimal length",    BYTES(HEAD("Content-Length: 0x3\r\n")), 400, "not a number", 0 },
	{ "list of lengths",       BYTES(HEAD("Content-Length: 3, 3\r\n")), 400, "not a number", 0 },
	{ "length in two parts",   BYTES(HEAD("Content-Length: 3 3\r\n")), 400, "not a number", 0 },
	{ "no length",             BYTES(HEAD("Content-Length:\r\n")), 400, "empty", 0 },
	{ "blank length",          BYTES(HEAD("Content-Length:  \r\n")), 400, "empty", 0 },
	{ "length line missing",   BYTES(HEAD("")), 411, "Content-Length", 0 },
	{ "largest length",        BYTES(HEAD("Content-Length: 1001\r\n")), 413, "too large", 0 },
	{ "length over 64 bits",   BYTES(HEAD("Content-Length: 18446744073709551619\r\n")), 413, "too large", 0 },
	{ "length and coding",     BYTES(HEAD("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")), 501, "Transfer-Encoding", 0 },
	{ "coding",                BYTES(HEAD("transfer-encoding: identity\r\n")), 501, "Transfer-Encoding", 0 },
	{ "GET with a body",       BYTES("GET / HTTP/1.1\r\nHost: v\r\nContent-Length: 1\r\n\r\nx"), 400, "GET has no body", 0 },

	{ "bare LF ends a line",   BYTES("GET / HTTP/1.1\r\nHost: v\n\r\n"), 400, "without CR", 0 },
	{ "bare LF ends request",  BYTES("GET / HTTP/1.1\nHost: v\r\n\r\n"), 505, "HTTP/1.1", 0 },
	{ "bare LF ends the head", BYTES("GET / HTTP/1.1\r\nHost: v\r\n\n"), 400, "without CR", 0 },
	{ "bare CR in a value",    BYTES("GET / HTTP/1.1\r\nHost: v\rX: y\r\n\r\n"), 400, "without LF", 0 },
	{ "bare CR at the end",    BYTES("GET / HTTP/1.1\r\nHost: v\r\n\rx"), 400, "without LF", 0 },
	{ "folded line",           BYTES("GET / HTTP/1.1\r\nHost: v\r\n b\r\n\r\n"), 400, "folded", 0 },
	{ "folded by a tab",       BYTES("GET / HTTP/1.1\r\nHost: v\r\n\tb\r\n\r\n"), 400, "folded", 0 },
	{ "space before colon",    BYTES(HEAD("Content-Length : 3\r\n")), 400, "space before a colon", 0 },
	{ "no name",               BYTES("GET / HTTP/1.1\r\nHost: v\r\n: x\r\n\r\n"), 400, "without a name", 0 },
	{ "no colon",              BYTES("GET / HTTP/1.1\r\nHost: v\r\nX\r\n\r\n"), 400, "without a name", 0 },
	{ "no Host",               BYTES("GET / HTTP/1.1\r\nX: v\r\n\r\n"), 400, "no Host", 0 },
	{ "two Hosts",             BYTES("GET / HTTP/1.1\r\nHost: v\r\nHost: w\r\n\r\n"), 400, "two Host", 0 },
	{ "NUL in a value",        BYTES("GET / HTTP/1.1\r\nHost: v\0w\r\n\r\n"), 400, "control character", 0 },
	{ "NUL in a name",         BYTES("GET / HTTP/1.1\r\nHo\0st: v\r\n\r\n"), 400, "without a name", 0 },
	{ "NUL in the path",       BYTES("GET /\0 HTTP/1.1\r\nHost: v\r\n\r\n"), 400, "printable", 0 },
	{ "escape in a value",     BYTES("GET / HTTP/1.1\r\nHost: v\r\nX: \x1b[2J\r\n\r\n"), 400, "control character", 0 },
	{ "DEL in a value",        BYTES("GET / HTTP/1.1\r\nHost: v\r\nX: \x7f\r\n\r\n"), 400, "control character", 0 },

	{ "other method",          BYTES("PUT / HTTP/1.1\r\n"), 501, "GET and POST", 0 },
	{ "method in lower case",  BYTES("get / HTTP/1.1\r\n"), 501, "GET and POST", 0 },
	{ "endless method",        BYTES("GETTTTTTTTTTTTTTTTTTTTTTTTTTTT / HTTP/1.1\r\n"), 501, "GET and POST", 0 },
	{ "no method",             BYTES(" / HTTP/1.1\r\n"), 501, "GET and POST", 0 },
	{ "empty line first",      BYTES("\r\nGET / HTTP/1.1\r\n"), 400, "not HTTP", 0 },
	{ "TLS in TLS",            BYTES("\x16\x03\x01"), 400, "not HTTP", 0 },
	{ "whole URL",             BYTES("GET http://v/ HTTP/1.1\r\n"), 400, "a path is wanted", 0 },
	{ "no path",               BYTES("GET  HTTP/1.1\r\n"), 400, "path", 0 },
	{ "HTTP/1.0",              BYTES("GET / HTTP/1.0\r\n"), 505, "HTTP/1.1", 0 },
	{ "HTTP/2",                BYTES("GET / HTTP/2.0\r\n"), 505, "HTTP/1.1", 0 },
	{ "no version",            BYTES("GET /\r\n"), 400, "printable", 0 },
	{ "something behind it",   BYTES("GET / HTTP/1.1 \r\n"), 505, "HTTP/1.1", 0 },
	{ "other protocol",        BYTES("GET / ICAP/1.0\r\n"), 400, "not HTTP", 0 },
};

/* In pieces of at most `step` bytes; *requests: how many were complete. */
static struct framing
feed(const uint8_t *p, size_t n, size_t step, unsigned *requests)
{
	struct framing f = framing_new(BODY_MAX);

	*requests = 0;
	while (n && !f.status) {
		size_t piece = n < step ? n : step, used = framing_read(&f, p, piece);

		ck_assert(used <= piece && (used || f.status));
		p += used;
		n -= used;
		*requests += !f.status && f.stage == FRAMING_IDLE;
	}
	return f;
}

START_TEST(row)
{
	const struct row *r = &rows[_i];
	static const size_t steps[] = { 1, 2, 7, 1 << 20 };

	for (unsigned i = 0; i < COUNT(steps); i++) {
		unsigned requests;
		struct framing f = feed((const uint8_t *)r->text, r->len, steps[i], &requests);

		ck_assert_msg(f.status == r->status, "%s in %zus: %d %s", r->label, steps[i], f.status, f.detail ? f.detail : "");
		if (r->status)
			ck_assert_msg(strstr(f.detail, r->words) != NULL, "%s: %s", r->label, f.detail);
		else
			ck_assert_msg(f.stage == FRAMING_IDLE && requests == r->requests, "%s: %u", r->label, requests);
	}
}
END_TEST

static void
is_unfinished(const uint8_t *p, size_t n, void *arg)
{
	unsigned requests;
	struct framing f = feed(p, n, 1 << 20, &requests);

	(void)arg;
	ck_assert_int_eq(f.status, 0);
	ck_assert(requests == 0 && (f.stage != FRAMING_IDLE || n == 0));
}

START_TEST(every_prefix_waits_for_more)
{
	static const char text[] = HEAD("Content-Type: application/json\r\nContent-Length: 20\r\n") "{\"boot_id\":\"aaaaaaa\"}";

	unit_prefixes((const uint8_t *)text, sizeof(text) - 2, is_unfinished, NULL);
}
END_TEST

/* Of head and lines what is allowed, and one more. */
START_TEST(limits)
{
	static char head[FRAMING_HEAD_MAX + 64];
	unsigned requests;

	for (unsigned over = 0; over < 2; over++) {
		size_t n = (size_t)snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: v\r\nX: ");
		struct framing f;

		memset(head + n, 'a', FRAMING_HEAD_MAX + over - n - 4);
		memcpy(head + FRAMING_HEAD_MAX + over - 4, "\r\n\r\n", 4);
		f = feed((uint8_t *)head, FRAMING_HEAD_MAX + over, 1000, &requests);
		ck_assert_int_eq(f.status, over ? 431 : 0);

		n = (size_t)snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: v\r\n");
		for (unsigned i = 1; i < FRAMING_LINES_MAX + over; i++)
			n += (size_t)snprintf(head + n, sizeof(head) - n, "A: b\r\n");
		n += (size_t)snprintf(head + n, sizeof(head) - n, "\r\n");
		f = feed((uint8_t *)head, n, 1000, &requests);
		ck_assert_int_eq(f.status, over ? 431 : 0);
	}
}
END_TEST

START_TEST(nothing_after_a_refusal)
{
	struct framing f = framing_new(BODY_MAX);

	framing_read(&f, (const uint8_t *)"PUT / ", 6);
	ck_assert_int_eq(f.status, 501);
	ck_assert_uint_eq(framing_read(&f, (const uint8_t *)"GET", 3), 0);
	ck_assert_int_eq(f.status, 501);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, row, 0, COUNT(rows));
	tcase_add_test(tc, every_prefix_waits_for_more);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, nothing_after_a_refusal);
}

int main(void) { return unit_run("framing", add); }
