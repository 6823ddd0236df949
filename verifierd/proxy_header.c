#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "proxy_header.h"
#include "reader.h"

enum { FIRST = 12, FIXED = 16, LINE_MAX_V1 = 107 };

static const uint8_t signature[FIRST] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

/* "PROXY TCP4 192.0.2.1 192.0.2.9 4711 8451\r\n" */
static bool
line(const char *text, bool *known, struct address *client, struct error *e)
{
	char family[8], source[INET6_ADDRSTRLEN], target[INET6_ADDRSTRLEN], rest;
	unsigned from, to;
	struct address other;

	if (!strncmp(text, "PROXY UNKNOWN", 13) && (text[13] == ' ' || text[13] == '\r')) {
		*known = false;
		return true;
	}
	if (sscanf(text, "PROXY %7s %45s %45s %5u %5u%c", family, source, target, &from, &to, &rest) != 6 || rest != '\r' ||
	    (strcmp(family, "TCP4") && strcmp(family, "TCP6")) || from > 65535 || to > 65535)
		return err_set(e, ERR_FORMAT, "PROXY line");
	*known = true;
	return address_read(target, &other, e) && address_read(source, client, e);
}

static bool
version_1(const uint8_t *p, size_t n, size_t *more, bool *known, struct address *client, struct error *e)
{
	char text[LINE_MAX_V1 + 1];

	if (p[n - 1] != '\n') {
		*more = 1;
		return n < LINE_MAX_V1 || err_set(e, ERR_LIMIT, "PROXY line of over %d bytes", LINE_MAX_V1);
	}
	if (n > LINE_MAX_V1 || p[n - 2] != '\r')
		return err_set(e, ERR_FORMAT, "PROXY line");
	for (size_t i = 0; i < n - 2; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return err_set(e, ERR_FORMAT, "PROXY line");
	memcpy(text, p, n);
	text[n] = '\0';
	*more = 0;
	return line(text, known, client, e);
}

static bool
version_2(const uint8_t *p, size_t n, size_t *more, bool *known, struct address *client, struct error *e)
{
	struct reader r = rd_open(p, n);
	uint8_t command, family;
	uint16_t len;

	if (n < FIXED) {
		*more = FIXED - n;
		return true;
	}
	(void)rd_bytes(&r, FIRST, "signature");
	command = rd_u8(&r, "command");
	family = rd_u8(&r, "family");
	len = rd_be16(&r, "length");
	if (command >> 4 != 2 || (command & 15) > 1)
		return err_set(e, ERR_FORMAT, "PROXY version and command 0x%02x", command);
	if (len > PROXY_HEADER_MAX - FIXED)
		return err_set(e, ERR_LIMIT, "PROXY header of %u bytes", len);
	if (r.left < len) {
		*more = len - r.left;
		return true;
	}
	*more = 0;
	*known = (command & 15) == 1 && (family == 0x11 || family == 0x21);
	if (!*known)
		return true;
	*client = (struct address){ .ip = { [10] = 0xff, [11] = 0xff } };
	if (family == 0x11)
		rd_copy(&r, client->ip + 12, 4, "source");
	else
		rd_copy(&r, client->ip, 16, "source");
	(void)rd_bytes(&r, family == 0x11 ? 8 : 20, "target and ports");
	return rd_ok(&r, e);
}

bool
proxy_header(const uint8_t *p, size_t n, size_t *more, bool *known, struct address *client, struct error *e)
{
	static const char word[] = "PROXY ";

	if (n < FIRST) {
		*more = FIRST - n;
		return true;
	}
	if (!memcmp(p, signature, FIRST))
		return version_2(p, n, more, known, client, e);
	if (!memcmp(p, word, sizeof(word) - 1))
		return version_1(p, n, more, known, client, e);
	return err_set(e, ERR_FORMAT, "no PROXY header");
}
