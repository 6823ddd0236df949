#include <stdlib.h>
#include <string.h>
#include "gathered.h"
#include "parts.h"

struct gathering { struct gathered *to; struct hasher *hash; };

static bool
add_one(void *arg, const struct set_row *row, struct error *e)
{
	struct gathering *of = arg;
	struct gathered *g = of->to;
	uint8_t *body;

	if (g->count == SETS_MAX)
		return true;
	body = malloc(row->body_len ? row->body_len : 1);
	if (!body)
		return err_set(e, ERR_MEMORY, "reference set");
	memcpy(body, row->body, row->body_len);
	g->set[g->count] = *row;
	g->set[g->count].body = body;
	g->count++;
	g->bytes += row->body_len + LABEL_TEXT + 32;
	if (row->state == SET_CANDIDATE)
		return true;
	return (hasher_add(of->hash, row->digest, sizeof(row->digest)) &&
	    (row->state == SET_ACTIVE || hasher_add(of->hash, &row->revoked, sizeof(row->revoked)))) ||
	    err_set(e, ERR_CRYPTO, "no hash");
}

bool
sets_gather(struct core *c, const struct host_row *host, struct gathered *g, struct error *e)
{
	/* cppcheck-suppress ctuuninitvar; it is for this function to fill */
	struct gathering of = { g, hasher_new(BANK_SHA256) };
	bool good;

	g->count = 0;
	g->bytes = 0;
	if (!of.hash)
		return err_set(e, ERR_CRYPTO, "no hash");
	good = store_sets_of(c->store, host->group, host->id, clock_now().wall, add_one, &of, e);
	if (good && !hasher_end(of.hash, g->digest))
		good = err_set(e, ERR_CRYPTO, "no hash");
	hasher_free(of.hash);
	return good;
}

void
gathered_free(struct gathered *g)
{
	for (unsigned i = 0; i < g->count; i++)
		set_row_free(&g->set[i]);
	g->count = 0;
}

void
sets_put(struct writer *w, const struct gathered *g, const struct host_row *host)
{
	wr_u8(w, (uint8_t)g->count, "sets");
	for (unsigned i = 0; i < g->count; i++) {
		const struct set_row *s = &g->set[i];
		char label[LABEL_TEXT];

		set_label(s, label);
		part_put(w, label, strlen(label), "label");
		wr_u8(w, s->state == SET_ACTIVE, "active");
		wr_u8(w, !strcmp(s->host_id, host->id), "own host");
		wr_u8(w, s->state == SET_REVOKED, "revoked");
		wr_be32(w, s->revoked, "revoked parts");
		part_put(w, s->body, s->body_len, "set");
	}
}
