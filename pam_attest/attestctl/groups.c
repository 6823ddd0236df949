#include <stddef.h>
#include <string.h>
#include "conf.h"
#include "file.h"
#include "groups.h"
#include "lines.h"
#include "scope.h"

enum { ORDINARY_UID = 1000, NOBODY_UID = 65534, FIELDS = 7 };

/* The fields of a line, in place; missing ones are "". */
static void
split(char *line, char *field[static FIELDS])
{
	for (unsigned i = 0; i < FIELDS; i++) {
		size_t n = strcspn(line, ":");

		field[i] = line;
		line += n;
		if (*line)
			*line++ = '\0';
	}
}

static unsigned
words_in(const char *list)
{
	unsigned n = 0;

	for (; *list; list += *list == ',') {
		size_t len = strcspn(list, ",");

		n += len > 0;
		list += len;
	}
	return n;
}

bool
group_parse(const char *group, size_t group_len, const char *passwd, size_t passwd_len, const char *name, struct group_facts *out)
{
	struct lines l = lines_open(group, group_len, false);
	char line[LINE_TEXT], *field[FIELDS], gid[16] = "";
	struct group_facts g = { 0 };
	bool cut, whole = true;
	unsigned number, uid;
	struct error e;

	while (lines_next(&l, line, &number, &cut)) {
		whole &= !cut;
		split(line, field);
		if (g.there || strcmp(field[0], name) != 0)
			continue;
		g.there = true;
		g.members = words_in(field[3]);
		snprintf(gid, sizeof(gid), "%.15s", field[2]);
	}
	l = lines_open(passwd, passwd_len, false);
	while (g.there && lines_next(&l, line, &number, &cut)) {
		whole &= !cut;
		split(line, field);
		g.ordinary += !strcmp(field[3], gid) && conf_number(field[2], ORDINARY_UID, NOBODY_UID - 1, &uid, &e);
	}
	*out = g;
	return whole;
}

bool
group_look(const char *group_file, const char *passwd_file, const char *name, struct group_facts *out)
{
	own(mem) uint8_t *group = NULL;
	own(mem) uint8_t *passwd = NULL;
	size_t group_len, passwd_len;
	struct error e;

	return file_load(group_file, GROUP_FILE_MAX, &group, &group_len, &e) &&
	    file_load(passwd_file, GROUP_FILE_MAX, &passwd, &passwd_len, &e) &&
	    group_parse((const char *)group, group_len, (const char *)passwd, passwd_len, name, out);
}
