#include <glob.h>
#include "conf.h"
#include "file.h"
#include "origins.h"
#include "scope.h"

/* Values of [default] and of the service's own sections are kept apart until all files are read. */
static const char base[] = "base";

struct walk {
	struct origins *all;
	const char     *file, *service;
	const char     *section;              /* of the line at hand; NULL: one that says nothing of this service */
	unsigned        line;
	bool            fresh[ORIGINS_MAX];   /* set by this file */
};

static const char *
section_word(const char *header, const char *service)
{
	if (!strcmp(header, "paths"))
		return "paths";
	if (!strcmp(header, "nss"))
		return "nss";
	if (!strcmp(header, "default"))
		return base;
	return gate_list_has(header, service) ? "service" : NULL;
}

static void
put(struct walk *w, const char *section, const char *key)
{
	struct origins *o = w->all;
	unsigned i = 0;

	while (i < o->n && (strcmp(o->item[i].section, section) != 0 || strcmp(o->item[i].key, key) != 0))
		i++;
	if (i == ORIGINS_MAX || strlen(key) >= sizeof(o->item[i].key) || (i < o->n && w->fresh[i]))
		return;
	if (i == o->n) {
		snprintf(o->item[i].section, sizeof(o->item[i].section), "%s", section);
		strcpy(o->item[i].key, key);
		o->n++;
	}
	w->fresh[i] = true;
	snprintf(o->item[i].at, ORIGIN_PLACE, "%.140s:%u", w->file, w->line);
}

static bool
take(void *arg, const char *header, const char *key, const char *value, unsigned line, struct error *e)
{
	struct walk *w = arg;

	(void)value, (void)e;
	w->line = line;
	if (!key)
		w->section = section_word(header, w->service);
	else if (w->section)
		put(w, w->section, key);
	return true;
}

void
origins_take(struct origins *o, const char *file, const char *text, size_t len, const char *service)
{
	struct walk w = { .all = o, .file = file, .service = service };

	/* Line by line, as the gate does: what follows a bad one still counts. */
	for (unsigned number = 1; len; number++) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline - text) + 1 : len;
		struct error e;

		if (!conf_walk_from(file, number, text, n, take, &w, &e))
			w.section = text[strspn(text, " \t")] == '[' ? NULL : w.section;
		text += n;
		len -= n;
	}
}

static void
read_file(struct origins *o, const char *path, const char *service)
{
	own(mem) uint8_t *text = NULL;
	struct error e;
	size_t len;

	if (file_load(path, GATE_FILE_MAX, &text, &len, &e))
		origins_take(o, path, (const char *)text, len, service);
}

void
origins_read(const char *conf, const char *service, struct origins *o)
{
	char pattern[GATE_PATH_MAX + 16];
	glob_t g;

	*o = (struct origins){ 0 };
	read_file(o, conf, service);
	snprintf(pattern, sizeof(pattern), "%s.d/*.conf", conf);
	if (glob(pattern, 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc && i < GATE_DROPINS_MAX; i++)
		read_file(o, g.gl_pathv[i], service);
	globfree(&g);
}

static const char *
find(const struct origins *o, const char *section, const char *key)
{
	for (unsigned i = 0; i < o->n; i++)
		if (!strcmp(o->item[i].section, section) && !strcmp(o->item[i].key, key))
			return o->item[i].at;
	return NULL;
}

const char *
origins_of(const struct origins *o, const char *section, const char *key)
{
	const char *at = find(o, section, key);

	if (!at && !strcmp(section, "service"))
		at = find(o, base, key);
	return at ? at : "";
}
