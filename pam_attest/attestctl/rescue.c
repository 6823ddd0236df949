#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "file.h"
#include "local.h"
#include "rescue.h"
#include "scope.h"

static const struct { const char *word, *text; } routes[] = {
#define X(name, word, text) [ROUTE_##name] = { word, text },
	RESCUE_ROUTES(X)
#undef X
};
static const char *const hows[] = {
#define X(name, word) [HOW_##name] = word,
	RESCUE_HOWS(X)
#undef X
};

const char *
rescue_route_word(enum rescue_route r)
{
	return (unsigned)r < ROUTE_COUNT ? routes[r].word : "none";
}

const char *
rescue_route_text(enum rescue_route r)
{
	return (unsigned)r < ROUTE_COUNT ? routes[r].text : "none";
}

const char *
rescue_how_word(enum rescue_how h)
{
	return (unsigned)h < HOW_COUNT ? hows[h] : "none";
}

bool
rescue_user_ok(const char *user)
{
	size_t n = 0;

	for (; user[n]; n++)
		if (user[n] <= ' ' || user[n] > '~')
			return false;
	return n && n < RESCUE_USER_MAX;
}

/* "TIME ROUTE HOW USER", one blank between. */
static bool
parse_proof(const char *value, struct rescue_proof *out)
{
	char text[LOCAL_VALUE_MAX], *word[4], *save = NULL;
	struct rescue_proof p = { .route = ROUTE_COUNT, .how = HOW_COUNT };

	snprintf(text, sizeof(text), "%s", value);
	for (size_t i = 0; i < COUNT(word); i++)
		if (!(word[i] = strtok_r(i ? NULL : text, " ", &save)))
			return false;
	if (strtok_r(NULL, " ", &save) || !time_read(word[0], &p.wall) || !rescue_user_ok(word[3]))
		return false;
	for (unsigned i = 0; i < ROUTE_COUNT; i++)
		if (!strcmp(routes[i].word, word[1]))
			p.route = (enum rescue_route)i;
	for (unsigned i = 0; i < HOW_COUNT; i++)
		if (!strcmp(hows[i], word[2]))
			p.how = (enum rescue_how)i;
	strcpy(p.user, word[3]);
	*out = p;
	return p.route != ROUTE_COUNT && p.how != HOW_COUNT;
}

static bool
take(void *arg, const char *key, const char *value, struct error *e)
{
	struct rescue *r = arg;

	if (strcmp(key, "proof") != 0)
		return err_set(e, ERR_FORMAT, "%s: unknown key", key);
	if (r->n == RESCUE_MAX)
		return err_set(e, ERR_LIMIT, "more than %d proofs", RESCUE_MAX);
	if (!parse_proof(value, &r->proof[r->n]))
		return err_set(e, ERR_FORMAT, "proof %u: not TIME ROUTE HOW USER", r->n + 1);
	r->n++;
	return true;
}

bool
rescue_parse(const char *text, size_t len, struct rescue *out, struct error *e)
{
	struct rescue r = { 0 };
	size_t used;

	if (!local_whole(text, len, &used, e))
		return false;
	if (!used || used != len)
		return err_set(e, ERR_FORMAT, "cut, or something behind the empty line");
	if (!local_walk(text, len, take, &r, e))
		return false;
	*out = r;
	return true;
}

static void
path_of(const char *state_dir, char *out, size_t size)
{
	snprintf(out, size, "%s/rescue", state_dir);
}

bool
rescue_read(const char *state_dir, struct rescue *out, struct error *e)
{
	char path[4096], text[LOCAL_MAX];
	size_t len;

	path_of(state_dir, path, sizeof(path));
	if (!file_read_trusted(path, geteuid(), text, sizeof(text), &len, e))
		return false;
	return rescue_parse(text, len, out, e) || err_in(e, "%s", path);
}

const struct rescue_proof *
rescue_newest(const struct rescue *r, int64_t now)
{
	const struct rescue_proof *best = NULL;

	for (unsigned i = 0; i < r->n; i++) {
		const struct rescue_proof *p = &r->proof[i];

		if (p->wall <= now && now - p->wall <= (int64_t)RESCUE_DAYS * 24 * 3600 * 1000 && (!best || p->wall > best->wall))
			best = p;
	}
	return best;
}

void
rescue_add(struct rescue *r, const struct rescue_proof *p)
{
	unsigned at = r->n;

	for (unsigned i = 0; i < r->n; i++)
		if (r->proof[i].route == p->route && !strcmp(r->proof[i].user, p->user))
			at = i;
	for (unsigned i = 0; at == RESCUE_MAX && i < r->n; i++) {
		unsigned older = 0;

		for (unsigned k = 0; k < r->n; k++)
			older += r->proof[k].wall < r->proof[i].wall;
		if (!older)
			at = i;
	}
	r->proof[at] = *p;
	r->n += at == r->n;
}

bool
rescue_write(const char *state_dir, const struct rescue *r, struct error *e)
{
	char path[4096], value[LOCAL_VALUE_MAX], when[TIME_TEXT];
	struct local_out o;

	local_open(&o);
	for (unsigned i = 0; i < r->n; i++) {
		const struct rescue_proof *p = &r->proof[i];

		time_text(p->wall, when);
		snprintf(value, sizeof(value), "%s %s %s %s", when, rescue_route_word(p->route), rescue_how_word(p->how), p->user);
		local_put(&o, "proof", value);
	}
	path_of(state_dir, path, sizeof(path));
	return local_end(&o, e) && file_replace(path, o.buf, o.used, 0644, true, e);
}
