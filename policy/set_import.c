#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "scope.h"
#include "set_import.h"

/* A bundle of .pcrlock files has a member each; the texts are within SET_JSON_MAX as a whole. */
enum { MEMBERS_MAX = 16 + SET_ENTRIES_MAX * 8 };

void
imported_free(struct imported *i)
{
	while (i->count)
		set_free(&i->set[--i->count]);
}

void
import_remark(struct imported *i, const char *fmt, ...)
{
	char line[256];
	size_t used = strlen(i->remarks);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *p = line; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	if (used + strlen(line) + 2 <= sizeof(i->remarks))
		snprintf(i->remarks + used, sizeof(i->remarks) - used, "%s%s", used ? "\n" : "", line);
}

struct reference_set *
import_set(struct imported *i, unsigned entries, struct error *e)
{
	struct reference_set *set = &i->set[i->count];

	if (i->count == IMPORT_SETS_MAX || !entries || entries > SET_ENTRIES_MAX) {
		(void)err_set(e, ERR_LIMIT, "%u sets of %u entries: at most %d of %d, and none is empty", i->count + 1, entries,
		    IMPORT_SETS_MAX, SET_ENTRIES_MAX);
		return NULL;
	}
	*set = (struct reference_set){ .bank = BANK_SHA256, .entry = calloc(entries, sizeof(*set->entry)) };
	if (!set->entry) {
		(void)err_set(e, ERR_MEMORY, "set of %u entries", entries);
		return NULL;
	}
	i->count++;
	return set;
}

void
import_entry(struct reference_set *set, enum component c, unsigned pcr, uint32_t type, const uint8_t *digest, const char *text)
{
	struct set_entry *x = &set->entry[set->count++];

	*x = (struct set_entry){ .component = c, .scope = scope_in(set, c, pcr), .pcr = (uint8_t)pcr, .type = type };
	memcpy(x->digest, digest, bank_size(set->bank));
	snprintf(x->text, sizeof(x->text), "%.*s", SET_TEXT - 1, text);
	for (char *p = x->text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
}

static bool
own_read(const char *text, size_t len, struct imported *i, struct error *e)
{
	if (!set_json_read(text, len, i->origin, &i->set[0], e))
		return false;
	i->count = 1;
	return true;
}

/* One .pcrlock file by itself: the text is its own only file. */
static bool
lone_read(const char *text, struct imported *i, struct error *e)
{
	own(json) struct json *bundle = json_new();
	struct json *files = json_new_list(), *file = json_new();
	own(json) struct json *back = NULL;
	own(mem) char *printed = NULL;
	size_t len;

	json_put_text(file, "path", "000-file.pcrlock");
	json_put_text(file, "text", text);
	json_add(files, file);
	json_put(bundle, "files", files);
	/* Printed and parsed again, so that what the reader sees is always what a strict reader let through. */
	return json_print(bundle, false, &printed, &len, e) && json_parse(printed, len, &back, e) && pcrlock_read(back, i, e);
}

bool
import_read(const char *text, size_t len, struct imported *out, struct error *e)
{
	own(imported) struct imported i = { .count = 0 };
	own(json) struct json *o = NULL;
	size_t space = strspn(text, " \t\r\n");
	bool good;

	if (len > SET_JSON_MAX)
		return err_set(e, ERR_LIMIT, "a file is at most %d bytes", SET_JSON_MAX);
	if (text[space] == '[') {
		good = lone_read(text, &i, e);
	} else {
		if (!json_parse_file(text, len, MEMBERS_MAX, &o, e))
			return false;
		good = json_has(o, "files") ? pcrlock_read(o, &i, e) : json_has(o, "records") ? lone_read(text, &i, e) :
		    json_has(o, "scrtm_and_bios") || json_has(o, "kernels") ? keylime_boot_read(o, &i, e) :
		    own_read(text, len, &i, e);
	}
	if (!good)
		return false;
	for (unsigned k = 0; k < i.count; k++)
		if (!set_whole(&i.set[k], e))
			return false;
	*out = i;
	i.count = 0;
	return true;
}
