/* A request as net takes it apart: listener, method, path, type and bearer on a line each, then the body. */
#include <stdlib.h>
#include "routes.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The next line, ended by a NUL; NULL behind the last. */
static char *
line(char **rest)
{
	char *at = *rest, *end = at ? strchr(at, '\n') : NULL;

	*rest = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t payload[128 << 10];
	own(mem) char *text = malloc(n + 1);
	char *rest = text, *path, *type, *bearer;
	struct writer w = wr_open(payload, sizeof(payload));
	struct problem problem = { .status = 0 };
	struct route route;
	struct body body;
	bool admin, post;

	if (!text || n < 2)
		return 0;
	memcpy(text, p, n);
	text[n] = '\0';
	admin = *rest++ & 1;
	post = *rest++ & 1;
	path = line(&rest);
	type = rest ? line(&rest) : NULL;
	bearer = rest ? line(&rest) : NULL;
	if (route_find(admin, post ? "POST" : "GET", path, &route) != ROUTE_OK)
		return 0;
	if (message_from(route.message) != (admin ? ROLE_ADMIN : ROLE_HOSTS))
		abort();                        /* a listener of one class speaks for the other */
	if (bearer && strlen(bearer) >= BEARER_TEXT)
		bearer = NULL;
	body = (struct body){ .type = type, .bearer = bearer, .p = rest ? rest : "", .len = rest ? n - (size_t)(rest - text) : 0 };
	if (!route_payload(&route, &body, &w, &problem) && (problem.status < 400 || problem.status > 599))
		abort();
	return 0;
}
