#include "scope.h"
#include "tally.h"

#define HOUR_MS (3600 * (int64_t)1000)

static struct tally_row *
row_at(const struct tally *t, unsigned i)
{
	return (struct tally_row *)&t->row[(t->first + i) % TALLY_ROWS];
}

static unsigned
service_of(struct tally *t, const char *name)
{
	for (unsigned i = 0; i < t->services; i++)
		if (!strcmp(t->service[i].name, name))
			return i;
	if (t->services == TALLY_SERVICES) {
		strcpy(t->service[TALLY_OTHER].name, "other");
		return TALLY_OTHER;
	}
	strcpy(t->service[t->services].name, name);
	return t->services++;
}

const char *
tally_name(const struct tally *t, unsigned service)
{
	return t->service[service].name;
}

/* The row of this hour; a clock that was set back goes on in the newest. */
static struct tally_row *
row_for(struct tally *t, int64_t hour, unsigned service, const struct decision *d)
{
	struct tally_row *r;

	if (t->rows && row_at(t, t->rows - 1)->hour > hour)
		hour = row_at(t, t->rows - 1)->hour;
	for (unsigned i = t->rows; i-- > 0 && (r = row_at(t, i))->hour == hour;)
		if (r->service == service && r->access == d->access && r->reason == d->reason)
			return r;
	if (t->rows == TALLY_ROWS) {
		t->first = (t->first + 1) % TALLY_ROWS;
		t->rows--;
	}
	r = row_at(t, t->rows++);
	*r = (struct tally_row){ .hour = hour, .service = (uint8_t)service, .access = (uint8_t)d->access,
		.reason = (uint16_t)d->reason };
	return r;
}

void
tally_add(struct tally *t, const struct decision *d, bool fresh)
{
	struct tally_service *s;
	struct tally_row *r;
	unsigned service;

	if (!d->counts)
		return;
	service = service_of(t, d->service);
	s = &t->service[service];
	s->mode = d->mode;
	s->last = d->time;
	if (d->access == ACCESS_PERMITTED && d->mode == MODE_ENFORCE)
		s->last_permit = d->time;
	if (fresh)
		t->total[service][d->access][d->reason]++;
	r = row_for(t, d->time / HOUR_MS, service, d);
	r->count++;
	r->newest = d->time;
	if (d->ref[0])
		memcpy(r->ref, d->ref, sizeof(r->ref));
}

/* --- the report */

struct sums {
	uint64_t         access[TALLY_SERVICES + 1][ACCESS_COUNT];
	struct tally_row reason[TALLY_REASONS];
	unsigned         reasons;
};

/* One more hour of the same; a 129th kind is in the services' counts alone. */
static void
add_reason(struct sums *s, const struct tally_row *r)
{
	struct tally_row *sum;
	unsigned i = 0;

	while (i < s->reasons && (s->reason[i].service != r->service || s->reason[i].access != r->access ||
	    s->reason[i].reason != r->reason))
		i++;
	if (i == TALLY_REASONS)
		return;
	sum = &s->reason[i];
	if (i == s->reasons) {
		s->reasons++;
		*sum = *r;
		return;
	}
	sum->count += r->count;
	sum->newest = r->newest;
	if (r->ref[0])
		memcpy(sum->ref, r->ref, sizeof(sum->ref));
}

static void
put_time(struct json *j, const char *key, int64_t ms)
{
	char text[TIME_TEXT] = "";

	if (ms)
		time_text(ms, text);
	json_put_text(j, key, text);
}

static struct json *
service_json(const struct tally_service *s, const uint64_t count[static ACCESS_COUNT])
{
	struct json *j = json_new();
	uint64_t asked = 0;

	json_put_text(j, "service", s->name);
	json_put_text(j, "mode", mode_word(s->mode));
	for (unsigned i = 0; i < ACCESS_COUNT; i++) {
		json_put_int(j, access_word((enum access)i), (int64_t)count[i]);
		asked += i == ACCESS_OFF ? 0 : count[i];
	}
	json_put_int(j, "asked", (int64_t)asked);
	put_time(j, "last", s->last);
	put_time(j, "last_permit", s->last_permit);
	return j;
}

static struct json *
reason_json(const struct tally *t, const struct tally_row *r)
{
	struct json *j = json_new();

	json_put_text(j, "service", tally_name(t, r->service));
	json_put_text(j, "access", access_word((enum access)r->access));
	json_put_text(j, "reason", reason_code((enum reason)r->reason));
	json_put_int(j, "count", r->count);
	json_put_text(j, "ref", r->ref);
	put_time(j, "last", r->newest);
	return j;
}

static int
by_count(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;

	if (x->service != y->service)
		return x->service < y->service ? -1 : 1;
	return x->count < y->count ? 1 : x->count > y->count ? -1 : 0;
}

bool
tally_json(const struct tally *t, int64_t since, uint64_t lost, char **out, size_t *len, struct error *e)
{
	own(mem) struct sums *s = calloc(1, sizeof(*s));
	own(json) struct json *j = json_new();
	struct json *services = json_new_list(), *reasons = json_new_list();

	for (unsigned i = 0; s && i < t->rows; i++) {
		const struct tally_row *r = row_at(t, i);

		if (r->hour < since / HOUR_MS)
			continue;
		s->access[r->service][r->access] += r->count;
		add_reason(s, r);
	}
	json_put_int(j, "schema", 1);
	put_time(j, "since", since);
	put_time(j, "kept_since", t->rows ? row_at(t, 0)->hour * HOUR_MS : 0);
	json_put_int(j, "lost", (int64_t)lost);
	for (unsigned i = 0; s && i <= TALLY_SERVICES; i++)
		if (t->service[i].name[0])
			json_add(services, service_json(&t->service[i], s->access[i]));
	if (s)
		qsort(s->reason, s->reasons, sizeof(s->reason[0]), by_count);
	for (unsigned i = 0; s && i < s->reasons; i++)
		json_add(reasons, reason_json(t, &s->reason[i]));
	json_put(j, "services", services);
	json_put(j, "reasons", reasons);
	return s ? json_print(j, false, out, len, e) : err_set(e, ERR_MEMORY, "report");
}
