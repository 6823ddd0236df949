/* The policy that counts for a host, kept unpacked: it is asked for with every challenge and every piece of evidence. */
#include "core.h"
#include "log.h"
#include "scope.h"

enum { HELD_MAX = 8 };

struct held {
	uint64_t       used;
	struct policy_row row;
	struct policy  policy;
	struct ima_use ima;
	unsigned       nlists;              /* allow lists that it names, and their digests when they were joined; zeros: not there */
	char           list[IMA_LISTS_MAX][NAME_TEXT];
	uint8_t        digest[IMA_LISTS_MAX][SHA256_SIZE];
	uint8_t       *joined;              /* rules with these lists, packed; owned; NULL when there are none */
	size_t         joined_len;
};
struct policies { uint64_t tick; struct held *place[HELD_MAX]; };

static void
held_free(struct held *h)
{
	if (h) {
		policy_row_free(&h->row);
		free(h->joined);
	}
	free(h);
}

void
policies_close(struct core *c)
{
	for (unsigned i = 0; c->policies && i < HELD_MAX; i++)
		held_free(c->policies->place[i]);
	free(c->policies);
}

/* A store without a policy gets the default one. On a verifier that lets simulators in, so does it. */
bool
policies_open(struct core *c, struct error *e)
{
	own(mem) struct policy *p = calloc(1, sizeof(*p));
	own(mem) uint8_t *body = malloc(POLICY_PACKED_MAX);
	own(policy_row) struct policy_row there = { 0 };
	struct policy_row row = { .name = "default", .created = clock_now().wall, .author = "verifierd" };

	c->policies = calloc(1, sizeof(*c->policies));
	if (!c->policies || !p || !body)
		return err_set(e, ERR_MEMORY, "policies");
	if (store_policy(c->store, "default", 0, &there, e))
		return true;
	if (e->code != ERR_MISSING)
		return false;
	policy_default(p);
	p->tpm.allow_simulator = c->options.simulator;
	row.body = body;
	if (!policy_seal(p, body, &row.body_len, row.digest, e) || !store_begin(c->store, e))
		return false;
	if (store_policy_add(c->store, &row, &row.version, e))
		return store_commit(c->store, e);
	store_rollback(c->store);
	return false;
}

static bool
same_policy(const struct held *h, const struct policy_row *r)
{
	return h && h->row.version == r->version && !strcmp(h->row.name, r->name) &&
	    !memcmp(h->row.digest, r->digest, sizeof(r->digest));
}

/* A list that is not there permits nothing. */
static bool
join_list(struct core *c, struct held *h, unsigned i, struct ima_rules *rules, struct error *e)
{
	own(allow_row) struct allow_row row = { .body = NULL };
	own(allow_list) struct allow_list list = { .packed = NULL };

	if (!store_allow(c->store, h->list[i], &row, e)) {
		if (e->code == ERR_MISSING)
			log_say(LOG_WARNING, "policy %s/%u: no allow list '%s'", h->row.name, h->row.version, h->list[i]);
		return e->code == ERR_MISSING;
	}
	memcpy(h->digest[i], row.digest, sizeof(h->digest[i]));
	return allow_list_open(row.body, row.body_len, &list, e) && ima_rules_join(rules, &list, e);
}

static bool
pack_joined(struct held *h, const struct ima_rules *rules, struct error *e)
{
	size_t size = ima_rules_packed_size(rules);
	struct writer w;

	h->joined = malloc(size);
	w = wr_open(h->joined, h->joined ? size : 0);
	ima_rules_pack(rules, &w);
	h->joined_len = w.used;
	return wr_ok(&w, e);
}

/* Of the packed rules nothing is kept but what core itself has to know, and the form in which judges have them. */
static bool
use_ima(struct core *c, struct held *h, struct error *e)
{
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF };
	struct reader packed = rd_open(h->row.ima, h->row.ima_len);

	if (!h->row.ima_len)
		return true;
	if (!ima_rules_unpack(&packed, &rules, e) || !rd_end(&packed, e))
		return err_in(e, "IMA rules");
	h->nlists = rules.nlists;
	for (unsigned i = 0; i < rules.nlists; i++) {
		memcpy(h->list[i], rules.list[i], sizeof(h->list[i]));
		if (!join_list(c, h, i, &rules, e))
			return err_in(e, "allow list %.60s", h->list[i]);
	}
	if (rules.nlists && !pack_joined(h, &rules, e))
		return err_in(e, "IMA rules");
	h->ima = (struct ima_use){ .on = rules.mode != IMA_MODE_OFF, .pcrs = rules.pcrs, .policy_version = h->row.version };
	return digest_sha256(h->joined ? h->joined : h->row.ima, h->joined ? h->joined_len : h->row.ima_len, h->ima.rules) ||
	    err_set(e, ERR_CRYPTO, "no hash");
}

/* Are its allow lists still those that were joined? */
static bool
same_lists(struct core *c, const struct held *h)
{
	struct error e;

	for (unsigned i = 0; i < h->nlists; i++) {
		uint8_t now[SHA256_SIZE] = { 0 };

		if (!store_allow_digest(c->store, h->list[i], now, &e) && e.code != ERR_MISSING)
			return false;
		if (memcmp(now, h->digest[i], sizeof(now)))
			return false;
	}
	return true;
}

static bool
load(struct core *c, const struct policy_row *which, struct held **out, struct error *e)
{
	struct held *h = calloc(1, sizeof(*h));
	struct reader packed;

	if (!h)
		return err_set(e, ERR_MEMORY, "policy");
	if (store_policy(c->store, which->name, which->version, &h->row, e)) {
		packed = rd_open(h->row.body, h->row.body_len);
		if (policy_unpack(&packed, &h->policy, e) && use_ima(c, h, e)) {
			*out = h;
			return true;
		}
	}
	held_free(h);
	return false;
}

/* The one that is held, or in the place of what was used longest ago. */
static bool
hold(struct core *c, const struct policy_row *which, struct held **out, struct error *e)
{
	struct held **oldest = &c->policies->place[0];

	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held **at = &c->policies->place[i];

		if (same_policy(*at, which) && same_lists(c, *at)) {
			*out = *at;
			return true;
		}
		if (same_policy(*at, which)) {
			oldest = at;
			break;
		}
		if (*oldest && (!*at || (*at)->used < (*oldest)->used))
			oldest = at;
	}
	if (!load(c, which, out, e))
		return false;
	held_free(*oldest);
	*oldest = *out;
	return true;
}

bool
policy_of(struct core *c, const char *group, struct policy_now *out, struct error *e)
{
	struct group_row g;
	struct policy_row row;
	struct held *h = NULL;

	if (!store_policy_of(c->store, group, &g, &row, e) || !hold(c, &row, &h, e))
		return err_in(e, "policy of group %.40s", group);
	h->used = ++c->policies->tick;
	*out = (struct policy_now){ .policy = &h->policy, .version = row.version, .packed = h->row.body,
		.packed_len = h->row.body_len, .ima = h->joined ? h->joined : h->row.ima,
		.ima_len = h->joined ? h->joined_len : h->row.ima_len, .ima_use = h->ima,
		.ceiling = h->policy.ceiling };
	snprintf(out->label, sizeof(out->label), "%.*s/%u", POLICY_NAME_MAX, row.name, row.version);
	memcpy(out->digest, row.digest, sizeof(out->digest));
	if (g.ceiling_until > clock_now().wall && g.ceiling < out->ceiling) {
		out->ceiling = g.ceiling;
		out->ceiling_until = g.ceiling_until;
	}
	return true;
}

bool
policy_usable(struct core *c, const char *group, struct error *e)
{
	struct policy_now now;

	if (policy_of(c, group, &now, e))
		return true;
	if (e->code == ERR_LIMIT)
		e->code = ERR_REFUSED;          /* the asker's to change, not an outage */
	return false;
}
