/* The policy that counts for a host, kept unpacked: it is asked for with every challenge and every piece of evidence. */
#include "core.h"
#include "scope.h"

enum { HELD_MAX = 8 };

struct held { uint64_t used; struct policy_row row; struct policy policy; struct ima_use ima; };
struct policies { uint64_t tick; struct held *place[HELD_MAX]; };

static void
held_free(struct held *h)
{
	if (h)
		policy_row_free(&h->row);
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

/* Of the packed rules nothing is kept but what core itself has to know. */
static bool
use_ima(struct held *h, struct error *e)
{
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF };
	struct reader packed = rd_open(h->row.ima, h->row.ima_len);

	if (!h->row.ima_len)
		return true;
	if (!ima_rules_unpack(&packed, &rules, e) || !rd_end(&packed, e))
		return err_in(e, "IMA rules");
	h->ima = (struct ima_use){ .on = rules.mode != IMA_MODE_OFF, .pcrs = rules.pcrs, .policy_version = h->row.version };
	return digest_sha256(h->row.ima, h->row.ima_len, h->ima.rules) || err_set(e, ERR_CRYPTO, "no hash");
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
		if (policy_unpack(&packed, &h->policy, e) && use_ima(h, e)) {
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

		if (same_policy(*at, which)) {
			*out = *at;
			return true;
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
		.packed_len = h->row.body_len, .ima = h->row.ima, .ima_len = h->row.ima_len, .ima_use = h->ima,
		.ceiling = h->policy.ceiling };
	snprintf(out->label, sizeof(out->label), "%.*s/%u", POLICY_NAME_MAX, row.name, row.version);
	memcpy(out->digest, row.digest, sizeof(out->digest));
	if (g.ceiling_until > clock_now().wall && g.ceiling < out->ceiling) {
		out->ceiling = g.ceiling;
		out->ceiling_until = g.ceiling_until;
	}
	return true;
}
