#include <string.h>
#include "incidents.h"
#include "scope.h"

static const struct { const char *word; bool urgent; } kinds[] = {
#define X(name, word, urgent) [INCIDENT_##name] = { word, urgent },
	INCIDENT_KINDS(X)
#undef X
};

const char *
incident_word(enum incident_kind k)
{
	return (unsigned)k < INCIDENT_COUNT ? kinds[k].word : "unknown";
}

bool
incident_find(const char *word, enum incident_kind *out)
{
	for (unsigned i = 0; i < INCIDENT_COUNT; i++)
		if (!strcmp(kinds[i].word, word)) {
			*out = (enum incident_kind)i;
			return true;
		}
	return false;
}

bool
incident_urgent(enum incident_kind k)
{
	return (unsigned)k < INCIDENT_COUNT && kinds[k].urgent;
}

static void
put_time(struct json *j, const char *key, int64_t ms)
{
	char text[TIME_TEXT];

	time_text(ms, text);
	json_put_text(j, key, text);
}

static struct json *
incident_json(const struct incident *v)
{
	struct json *j = json_new();

	json_put_text(j, "kind", incident_word(v->kind));
	json_put_text(j, "service", v->service);
	json_put_text(j, "user", v->user);
	json_put_text(j, "reason", reason_code(v->reason));
	json_put_text(j, "ref", v->ref);
	json_put_int(j, "count", v->count);
	put_time(j, "first", v->first);
	put_time(j, "last", v->last);
	return j;
}

struct json *
incidents_json(const struct incidents *all)
{
	struct json *j = json_new(), *list = json_new_list(), *modes = json_new_list();

	json_put_hex(j, "batch", all->batch, sizeof(all->batch));
	for (unsigned i = 0; i < all->count; i++)
		json_add(list, incident_json(&all->list[i]));
	for (unsigned i = 0; i < all->modes; i++) {
		struct json *m = json_new();

		json_put_text(m, "service", all->mode[i].service);
		json_put_text(m, "mode", mode_word(all->mode[i].mode));
		json_add(modes, m);
	}
	json_put(j, "events", list);
	json_put(j, "modes", modes);
	return j;
}

/* A word of somebody's, on its way into logs and onto terminals. */
static bool
word(const struct json *j, const char *key, char out[static INCIDENT_WORD], struct error *e)
{
	if (!json_text(j, key, out, INCIDENT_WORD, e))
		return false;
	for (const char *p = out; *p; p++)
		if (*p <= ' ' || *p > '~')
			return err_set(e, ERR_FORMAT, "%s: other than printable ASCII", key);
	return true;
}

static bool
time_of(const struct json *j, const char *key, int64_t *out, struct error *e)
{
	char text[TIME_TEXT];

	return json_text(j, key, text, sizeof(text), e) &&
	    (time_read(text, out) || err_set(e, ERR_FORMAT, "%s: not a time", key));
}

static bool
kind_of(const struct json *j, enum incident_kind *out, struct error *e)
{
	char text[24];

	return json_text(j, "kind", text, sizeof(text), e) &&
	    (incident_find(text, out) || err_set(e, ERR_FORMAT, "kind: not a known one"));
}

static bool
incident_read(const struct json *j, struct incident *v, struct error *e)
{
	char reason[REASON_CODE_MAX], ref[REF_TEXT];
	int64_t count;

	if (!kind_of(j, &v->kind, e) || !word(j, "service", v->service, e) || !word(j, "user", v->user, e) ||
	    !json_text(j, "reason", reason, sizeof(reason), e) || !json_text(j, "ref", ref, sizeof(ref), e) ||
	    !json_int(j, "count", 1, UINT32_MAX, &count, e) || !time_of(j, "first", &v->first, e) ||
	    !time_of(j, "last", &v->last, e))
		return false;
	if (!reason_find(reason, &v->reason))
		return err_set(e, ERR_FORMAT, "reason: not a known one");
	if (ref[0] && !ref_read(ref, v->ref))
		return err_set(e, ERR_FORMAT, "ref: not a reference");
	v->count = (uint32_t)count;
	return true;
}

static bool
mode_read(const struct json *j, struct service_mode *m, struct error *e)
{
	char text[16];

	return word(j, "service", m->service, e) && json_text(j, "mode", text, sizeof(text), e) &&
	    (mode_find(text, &m->mode) || err_set(e, ERR_FORMAT, "mode: not a known one"));
}

bool
incidents_read(const struct json *j, struct incidents *out, struct error *e)
{
	own(mem) struct incidents *all = calloc(1, sizeof(*all));

	if (!all)
		return err_set(e, ERR_MEMORY, "events");
	if (!json_hex(j, "batch", all->batch, sizeof(all->batch), e) ||
	    !json_list(j, "events", INCIDENTS_MAX, &all->count, e) || !json_list(j, "modes", INCIDENT_MODES_MAX, &all->modes, e))
		return false;
	for (unsigned i = 0; i < all->count; i++)
		if (!incident_read(json_item(j, "events", i), &all->list[i], e))
			return err_in(e, "events[%u]", i);
	for (unsigned i = 0; i < all->modes; i++)
		if (!mode_read(json_item(j, "modes", i), &all->mode[i], e))
			return err_in(e, "modes[%u]", i);
	*out = *all;
	return true;
}
