#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "address.h"

static struct address
mapped(const struct in_addr *v4)
{
	struct address a = { .ip = { [10] = 0xff, [11] = 0xff } };

	memcpy(a.ip + 12, v4, 4);
	return a;
}

struct address
address_of(const struct sockaddr *sa)
{
	struct address a = { { 0 } };

	if (sa->sa_family == AF_INET)
		return mapped(&((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	if (sa->sa_family == AF_INET6)
		memcpy(a.ip, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, sizeof(a.ip));
	return a;
}

bool
address_read(const char *text, struct address *out, struct error *e)
{
	struct in_addr v4;
	struct address a;

	if (inet_pton(AF_INET, text, &v4) == 1)
		a = mapped(&v4);
	else if (inet_pton(AF_INET6, text, a.ip) != 1)
		return err_set(e, ERR_FORMAT, "'%.60s' is not an IP address", text);
	*out = a;
	return true;
}

bool
addresses_read(const char *text, struct addresses *out, struct error *e)
{
	struct addresses all = { .count = 0 };
	char word[INET6_ADDRSTRLEN];

	for (text += strspn(text, " \t,"); *text; text += strspn(text, " \t,")) {
		size_t n = strcspn(text, " \t,");

		if (all.count == ADDRESSES_MAX)
			return err_set(e, ERR_LIMIT, "over %d addresses", ADDRESSES_MAX);
		snprintf(word, sizeof(word), "%.*s", (int)(n < sizeof(word) ? n : sizeof(word)), text);
		if (!address_read(word, &all.list[all.count++], e))
			return false;
		text += n;
	}
	*out = all;
	return true;
}

bool
address_same(const struct address *a, const struct address *b)
{
	return !memcmp(a->ip, b->ip, sizeof(a->ip));
}

void
addresses_text(const struct addresses *a, char out[static ADDRESSES_TEXT])
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < a->count; i++) {
		char text[INET6_ADDRSTRLEN] = "";
		struct in6_addr ip;

		memcpy(&ip, a->list[i].ip, sizeof(ip));
		if (IN6_IS_ADDR_V4MAPPED(&ip))
			inet_ntop(AF_INET, ip.s6_addr + 12, text, sizeof(text));
		else
			inet_ntop(AF_INET6, &ip, text, sizeof(text));
		used += (size_t)snprintf(out + used, ADDRESSES_TEXT - used, "%s%s", i ? " " : "", text);
	}
}

bool
address_among(const struct addresses *all, const struct address *a)
{
	for (unsigned i = 0; i < all->count; i++)
		if (address_same(&all->list[i], a))
			return true;
	return false;
}

struct address
address_site(const struct address *a)
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };
	struct address site = *a;

	if (memcmp(a->ip, v4, sizeof(v4)) != 0)
		memset(site.ip + 8, 0, 8);
	return site;
}
