#include "metrics.h"
#include "scope.h"

enum metric {
#define X(id, name, type, help) METRIC_##id,
	METRICS(X)
#undef X
	METRIC_COUNT
};

static const struct { const char *name, *type, *help; } table[METRIC_COUNT] = {
#define X(id, name, type, help) [METRIC_##id] = { name, type, help },
	METRICS(X)
#undef X
};

/* A sample with up to three labels: pairs of name and value, the last NULL. */
static void
add(struct json *samples[static METRIC_COUNT], enum metric m, int64_t value, const char *const *labels)
{
	struct json *o = json_new(), *l = json_new();

	for (; labels && labels[0]; labels += 2)
		json_put_text(l, labels[0], labels[1]);
	json_put(o, "labels", l);
	json_put_int(o, "value", value);
	json_add(samples[m], o);
}

#define LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
add_host(const struct metrics *m, struct json **s)
{
	const struct record *r = &m->last->record;
	enum state now = reason_state(m->now);

	add(s, METRIC_BUILD_INFO, 1, LABELS("version", PACKAGE_VERSION));
	for (unsigned i = 0; i < STATE_COUNT; i++)
		add(s, METRIC_STATE, i == (unsigned)now, LABELS("state", state_word((enum state)i)));
	add(s, METRIC_REASON, 1, LABELS("reason", reason_code(m->now)));
	if (r->expires_wall)
		add(s, METRIC_EXPIRY, r->expires_wall / 1000, NULL);
	if (r->upstream_out && r->good_issued_wall && r->grace_max)
		add(s, METRIC_GRACE, (r->good_issued_wall + r->grace_max) / 1000, NULL);
	if (m->last_quote)
		add(s, METRIC_LAST_QUOTE, m->last_quote / 1000, NULL);
	if (m->last->url[0])
		add(s, METRIC_VERIFIER_UP, !r->upstream_out, LABELS("url", m->last->url));
	add(s, METRIC_QUOTES, (int64_t)m->counters->quotes, NULL);
	add(s, METRIC_TPM_COMMANDS, (int64_t)m->counters->tpm_commands, NULL);
	for (unsigned i = 0; i < REASON_COUNT; i++)
		if (reason_state((enum reason)i) == STATE_BROKEN)
			add(s, METRIC_TPM_ERRORS, m->tpm_errors[i], LABELS("kind", reason_code((enum reason)i)));
	if (m->lockout)
		add(s, METRIC_TPM_LOCKOUT, m->lockout->counter, NULL);
	add(s, METRIC_ASKS, (int64_t)m->counters->asks, NULL);
}

static void
add_service(const struct tally *t, unsigned service, struct json **s, unsigned *room, int64_t *breakglass)
{
	const char *name = tally_name(t, service);
	int64_t open = 0;

	for (unsigned a = 0; a < ACCESS_COUNT; a++)
		for (unsigned r = 0; r < REASON_COUNT; r++) {
			uint32_t n = t->total[service][a][r];

			open += a == ACCESS_OPEN ? n : 0;
			*breakglass += a == ACCESS_EXEMPTED && r == REASON_BREAK_GLASS ? n : 0;
			if (!n || !*room)
				continue;
			--*room;
			add(s, METRIC_PAM_DECISIONS, n, LABELS("service", name, "result", access_word((enum access)a),
			    "reason", reason_code((enum reason)r)));
		}
	add(s, METRIC_FAIL_OPEN, open, LABELS("service", name));
	add(s, METRIC_SERVICE_MODE, 1, LABELS("service", name, "mode", mode_word(t->service[service].mode)));
}

static void
add_accesses(const struct metrics *m, struct json **s)
{
	unsigned room = METRIC_SAMPLES_MAX;
	int64_t breakglass = 0, waiting = m->outbox->open.count + (m->outbox->sealed ? m->outbox->batch.count : 0);

	for (unsigned i = 0; i <= TALLY_SERVICES; i++)
		if (tally_name(m->tally, i)[0])
			add_service(m->tally, i, s, &room, &breakglass);
	add(s, METRIC_DECISIONS, (int64_t)m->told, NULL);
	add(s, METRIC_LOST, (int64_t)m->lost, NULL);
	add(s, METRIC_AUDIT_FAILED, (int64_t)m->audit_failed, NULL);
	add(s, METRIC_BREAKGLASS, breakglass, NULL);
	add(s, METRIC_EVENTS_WAITING, waiting, NULL);
	add(s, METRIC_EVENTS_BATCHES, (int64_t)m->outbox->batches, NULL);
}

bool
metrics_json(const struct metrics *m, char **out, size_t *len, struct error *e)
{
	own(json) struct json *j = json_new();
	struct json *list = json_new_list(), *samples[METRIC_COUNT];

	for (unsigned i = 0; i < METRIC_COUNT; i++)
		samples[i] = json_new_list();
	add_host(m, samples);
	add_accesses(m, samples);
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		struct json *o = json_new();

		json_put_text(o, "name", table[i].name);
		json_put_text(o, "type", table[i].type);
		json_put_text(o, "help", table[i].help);
		json_put(o, "samples", samples[i]);
		json_add(list, o);
	}
	json_put_int(j, "schema", 1);
	json_put(j, "metrics", list);
	return json_print(j, false, out, len, e);
}
