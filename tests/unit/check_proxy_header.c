#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "proxy_header.h"
#include "unit.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(text) text, sizeof(text) - 1
#define V4 "\xc0\x00\x02\x07" "\x0a\x00\x00\x01" "\x12\x67" "\x21\x03"
#define V6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07" "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" "\x12\x67" "\x21\x03"

/* words "": good; client "": it names none. */
static const struct row { const char *label, *text; size_t len; const char *client, *words; } rows[] = {
	{ "v1 IPv4",       BYTES("PROXY TCP4 192.0.2.7 10.0.0.1 4711 8451\r\n"), "192.0.2.7", "" },
	{ "v1 IPv6",       BYTES("PROXY TCP6 2001:db8::7 2001:db8::1 4711 8451\r\n"), "2001:db8::7", "" },
	{ "v1 unknown",    BYTES("PROXY UNKNOWN\r\n"), "", "" },
	{ "v1 unknown, more", BYTES("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), "", "" },
	{ "v1 no address", BYTES("PROXY TCP4 web7 10.0.0.1 4711 8451\r\n"), "", "not an IP address" },
	{ "v1 port",       BYTES("PROXY TCP4 192.0.2.7 10.0.0.1 4711 65536\r\n"), "", "PROXY line" },
	{ "v1 short",      BYTES("PROXY TCP4 192.0.2.7 10.0.0.1 4711\r\n"), "", "PROXY line" },
	{ "v1 behind it",  BYTES("PROXY TCP4 192.0.2.7 10.0.0.1 4711 8451 x\r\n"), "", "PROXY line" },
	{ "v1 UDP",        BYTES("PROXY UDP4 192.0.2.7 10.0.0.1 4711 8451\r\n"), "", "PROXY line" },
	{ "v1 bare LF",    BYTES("PROXY TCP4 192.0.2.7 10.0.0.1 4711 8451\n"), "", "PROXY line" },
	{ "v1 NUL",        BYTES("PROXY TCP4 192.0.2.7\0 10.0.0.1 4711 8451\r\n"), "", "PROXY line" },
	{ "v1 endless",    BYTES("PROXY TCP6 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaa"), "", "over 107" },
	{ "v2 IPv4",       BYTES(SIGNATURE "\x21\x11\0\x0c" V4), "192.0.2.7", "" },
	{ "v2 IPv6",       BYTES(SIGNATURE "\x21\x21\0\x24" V6), "2001:db8::7", "" },
	{ "v2 with TLVs",  BYTES(SIGNATURE "\x21\x11\0\x10" V4 "\x04\0\x01x"), "192.0.2.7", "" },
	{ "v2 LOCAL",      BYTES(SIGNATURE "\x20\0\0\0"), "", "" },
	{ "v2 unix",       BYTES(SIGNATURE "\x21\x31\0\x01" "x"), "", "" },
	{ "v2 too short",  BYTES(SIGNATURE "\x21\x11\0\x0b" V4), "", "target" },
	{ "v2 IPv4 as 6",  BYTES(SIGNATURE "\x21\x21\0\x0c" V4), "", "source" },
	{ "v2 version 1",  BYTES(SIGNATURE "\x11\x11\0\x0c" V4), "", "version" },
	{ "v2 command",    BYTES(SIGNATURE "\x22\x11\0\x0c" V4), "", "version" },
	{ "v2 too long",   BYTES(SIGNATURE "\x21\x11\x02\x01" V4), "", "513 bytes" },
	{ "TLS",           BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00"), "", "no PROXY header" },
	{ "HTTP",          BYTES("GET / HTTP/1.1\r\n"), "", "no PROXY header" },
};

/* As it is read: never a byte more than was asked for. True: complete, all of it used. */
static bool
feed(const uint8_t *p, size_t len, bool *known, struct address *client, struct error *e)
{
	size_t n = 0, more = 0;

	while (proxy_header(p, n, &more, known, client, e)) {
		if (!more)
			return n == len || err_set(e, ERR_FORMAT, "%zu of %zu used", n, len);
		if (more > len - n)
			return err_set(e, ERR_MISSING, "wants %zu more", more);
		n += more;
	}
	return false;
}

START_TEST(row)
{
	const struct row *r = &rows[_i];
	struct error e = { .code = ERR_NONE };
	struct address client, want;
	bool known = false;
	bool good = feed((const uint8_t *)r->text, r->len, &known, &client, &e);

	ck_assert_msg(good == !r->words[0], "%s: %s", r->label, e.why);
	if (!good) {
		ck_assert_msg(strstr(e.why, r->words) != NULL, "%s: %s", r->label, e.why);
		return;
	}
	ck_assert_msg(known == !!r->client[0], "%s", r->label);
	ck_assert(!known || (address_read(r->client, &want, &e) && address_same(&client, &want)));
}
END_TEST

static void
wants_more(const uint8_t *p, size_t n, void *arg)
{
	struct error e = { .code = ERR_NONE };
	struct address client;
	bool known;

	(void)arg;
	ck_assert(!feed(p, n, &known, &client, &e));
	ck_assert_msg(e.code == ERR_MISSING, "%zu: %s", n, e.why);
}

START_TEST(every_prefix_wants_more)
{
	unit_prefixes((const uint8_t *)rows[0].text, rows[0].len, wants_more, NULL);
	for (unsigned i = 12; i <= 14; i++)
		unit_prefixes((const uint8_t *)rows[i].text, rows[i].len, wants_more, NULL);
}
END_TEST

START_TEST(addresses)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct addresses all;
	struct address a, b;
	struct error e = { .code = ERR_NONE };

	ck_assert(addresses_read("", &all, &e) && all.count == 0);
	ck_assert(addresses_read(" 192.0.2.1, 2001:db8::5 ,, ::ffff:192.0.2.9", &all, &e) && all.count == 3);
	ck_assert(address_read("192.0.2.9", &a, &e) && address_among(&all, &a));
	ck_assert(address_read("192.0.2.2", &a, &e) && !address_among(&all, &a));
	ck_assert(!addresses_read("192.0.2.1 web7", &all, &e) && strstr(e.why, "'web7'"));
	ck_assert(!addresses_read("1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 "
	    "1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1", &all, &e) && strstr(e.why, "over 16"));
	ck_assert_msg(all.count == 3, "changed although wrong");
	/* An IPv4 client of a listener for both. */
	ck_assert(inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr) == 1 && inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6.sin6_addr) == 1);
	a = address_of((const struct sockaddr *)&v4);
	b = address_of((const struct sockaddr *)&v6);
	ck_assert(address_same(&a, &b));
	/* A site: the whole of an IPv4 address, the upper half of an IPv6 one. */
	ck_assert(address_read("2001:db8::1", &a, &e) && address_read("2001:db8:0:0:ffff::2", &b, &e));
	a = address_site(&a);
	b = address_site(&b);
	ck_assert(address_same(&a, &b));
	ck_assert(address_read("192.0.2.1", &a, &e) && address_read("192.0.2.2", &b, &e));
	a = address_site(&a);
	b = address_site(&b);
	ck_assert(!address_same(&a, &b));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, row, 0, COUNT(rows));
	tcase_add_test(tc, every_prefix_wants_more);
	tcase_add_test(tc, addresses);
}

int main(void) { return unit_run("PROXY header", add); }
