#include "digest.h"
#include "file.h"
#include "outbox.h"
#include "scope.h"

enum { OUTBOX_FILE_MAX = 64 << 10 };

/* --- the file: {"told":N,"modes":[…],"newest":N,"batch":{…}} */

static bool
read_batch(const struct json *j, struct outbox *o, struct error *e)
{
	const struct json *batch, *last;
	int64_t told, newest;

	if (!json_int(j, "told", 0, INT64_MAX, &told, e) || !json_sub(j, "last", &last, e) || !incidents_read(last, &o->last, e))
		return false;
	o->told = (uint64_t)told;
	if (!json_has(j, "batch"))
		return true;
	if (!json_sub(j, "batch", &batch, e) || !json_int(j, "newest", 0, INT64_MAX, &newest, e) ||
	    !incidents_read(batch, &o->batch, e))
		return false;
	o->batch_newest = (uint64_t)newest;
	o->sealed = true;
	return true;
}

bool
outbox_open(struct outbox *o, const char *state_dir, struct error *e)
{
	own(mem) uint8_t *text = NULL;
	own(json) struct json *j = NULL;
	size_t len;
	bool ok;

	*o = (struct outbox){ .settled = clock_mono() + OUTBOX_SETTLE_MS };
	snprintf(o->path, sizeof(o->path), "%s/outbox", state_dir);
	if (!file_load(o->path, OUTBOX_FILE_MAX, &text, &len, e))
		return e->code == ERR_MISSING;
	ok = json_parse((const char *)text, len, &j, e) && read_batch(j, o, e);
	if (!ok)
		o->told = o->batch_newest = 0, o->sealed = false, o->last = (struct incidents){ 0 };
	o->newest = o->sealed ? o->batch_newest : o->told;
	return ok;
}

static bool
save(const struct outbox *o, struct error *e)
{
	own(json) struct json *j = json_new();
	own(mem) char *text = NULL;
	size_t len;

	json_put_int(j, "told", (int64_t)o->told);
	json_put(j, "last", incidents_json(&o->last));
	if (o->sealed) {
		json_put_int(j, "newest", (int64_t)o->batch_newest);
		json_put(j, "batch", incidents_json(&o->batch));
	}
	return json_print(j, false, &text, &len, e) && file_replace(o->path, text, len, 0600, true, e);
}

/* --- gathering */

/* INCIDENT_COUNT: nobody has to hear of it. Ways past a gate matter where there is one. */
static enum incident_kind
kind_of(const struct decision *d)
{
	if (!d->counts)
		return INCIDENT_COUNT;
	if (d->reason == REASON_BREAK_GLASS && (d->mode == MODE_ENFORCE || d->not_armed || d->killed))
		return INCIDENT_BREAK_GLASS;
	if (d->killed)
		return INCIDENT_KILL_SWITCH;
	if (d->not_armed)
		return INCIDENT_NOT_ARMED;
	if (d->mode != MODE_ENFORCE)
		return INCIDENT_COUNT;
	if (d->access == ACCESS_OPEN)
		return INCIDENT_FAIL_OPEN;
	if (d->access == ACCESS_LEASED)
		return INCIDENT_LEASE;
	if (d->reason == REASON_EXEMPT_USER || d->reason == REASON_EXEMPT_CONSOLE)
		return INCIDENT_EXEMPTION;
	return INCIDENT_COUNT;
}

/* The incident that it belongs to. When there are too many, who it was is given up first, then the service. */
static struct incident *
place_for(struct outbox *o, enum incident_kind kind, const char *service, const char *user)
{
	struct incidents *all = &o->open;
	struct incident *v;

	for (unsigned i = 0; i < all->count; i++)
		if (all->list[i].kind == kind && !strcmp(all->list[i].service, service) && !strcmp(all->list[i].user, user))
			return &all->list[i];
	/* Each kind keeps a place for what is left over. */
	if (all->count >= INCIDENTS_MAX - INCIDENT_COUNT && (strcmp(service, "*") != 0 || strcmp(user, "*") != 0)) {
		o->dropped++;
		return place_for(o, kind, "*", "*");
	}
	v = &all->list[all->count++];
	*v = (struct incident){ .kind = kind };
	snprintf(v->service, sizeof(v->service), "%s", service);
	snprintf(v->user, sizeof(v->user), "%s", user);
	return v;
}

void
outbox_add(struct outbox *o, const struct decision *d)
{
	enum incident_kind kind = kind_of(d);
	struct incident *v;

	if (d->number <= o->newest)
		return;
	o->newest = d->number;
	if (kind == INCIDENT_COUNT)
		return;
	v = place_for(o, kind, d->service, d->user);
	v->reason = d->reason;
	if (d->ref[0])
		memcpy(v->ref, d->ref, sizeof(v->ref));
	v->count++;
	v->first = v->first && v->first < d->time ? v->first : d->time;
	v->last = d->time;
	o->urgent = o->urgent || incident_urgent(kind);
}

void
outbox_skip(struct outbox *o)
{
	o->open.count = 0;
	o->urgent = false;
}

/* --- sending */

int
outbox_wait(const struct outbox *o)
{
	return o->sealed || o->urgent ? clock_left(o->next) : -1;
}

static void
put_modes(const struct tally *t, struct incidents *all)
{
	all->modes = 0;
	for (unsigned i = 0; i < t->services && all->modes < INCIDENT_MODES_MAX; i++) {
		struct service_mode *m = &all->mode[all->modes++];

		*m = (struct service_mode){ .mode = t->service[i].mode };
		snprintf(m->service, sizeof(m->service), "%s", t->service[i].name);
	}
}

static bool
same_modes(const struct incidents *a, const struct incidents *b)
{
	if (a->modes != b->modes)
		return false;
	for (unsigned i = 0; i < a->modes; i++) {
		bool found = false;

		for (unsigned k = 0; k < b->modes; k++)
			found = found || (a->mode[i].mode == b->mode[k].mode && !strcmp(a->mode[i].service, b->mode[k].service));
		if (!found)
			return false;
	}
	return true;
}

static bool
seal(struct outbox *o, struct error *e)
{
	o->batch = o->open;
	if (!random_bytes(o->batch.batch, sizeof(o->batch.batch)))
		return err_set(e, ERR_CRYPTO, "no random bytes");
	o->batch_newest = o->newest;
	o->sealed = true;
	if (!save(o, e)) {
		o->sealed = false;      /* told before it is on disk, it might be told twice */
		return false;
	}
	o->open.count = 0;
	o->urgent = false;
	return true;
}

char *
outbox_take(struct outbox *o, const struct tally *t, bool idle, size_t *len, struct error *e)
{
	own(json) struct json *j = NULL;
	char *text = NULL;

	if (clock_left(o->next))
		return NULL;
	put_modes(t, &o->open);
	if (!o->sealed && !o->urgent && !(idle && !clock_left(o->settled) && (o->open.count || !same_modes(&o->open, &o->last))))
		return NULL;
	if (!o->sealed && !seal(o, e)) {
		o->next = clock_mono() + OUTBOX_SPACING_MS;
		return NULL;
	}
	j = incidents_json(&o->batch);
	return json_print(j, false, &text, len, e) ? text : NULL;
}

void
outbox_sent(struct outbox *o, bool taken, struct error *e)
{
	int64_t pause = (int64_t)OUTBOX_SPACING_MS << (o->failures < 6 ? o->failures : 6);

	o->failures = taken ? 0 : o->failures + 1;
	o->next = clock_mono() + (taken ? OUTBOX_SPACING_MS : pause < OUTBOX_PAUSE_MAX_MS ? pause : OUTBOX_PAUSE_MAX_MS);
	if (!taken)
		return;
	o->told = o->batch_newest;
	o->last = o->batch;
	o->last.count = 0;
	o->sealed = false;
	o->batches++;
	(void)save(o, e);               /* a batch that stays on disk is told again, and taken once */
}
