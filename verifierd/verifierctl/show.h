/* show.h - answers as text for a person at three in the morning. */
#ifndef SHOW_H
#define SHOW_H
#include "json.h"

enum { CELL_TEXT = 1024 };

/* Words of files, certificates and other people: nothing in them moves the cursor or colours a line. In place. */
char *show_plain(char *text);
/* A member as text: strings as they are, numbers in digits, "-" when null or missing. */
const char *show_member(const struct json *, const char *key, char cell[static CELL_TEXT]);
/* The same of an item that is text; false for another. */
bool show_item(const struct json *, char cell[static CELL_TEXT]) MUST_CHECK;
/* A member of a member: show_sub(j, "ek", "fingerprint", …). */
const char *show_sub(const struct json *, const char *object, const char *key, char cell[static CELL_TEXT]);
/* "label  value", one line; nothing when the value is "-" or empty. */
void show_line(const char *label, const char *value);
/* A list of objects as aligned columns with these member names as its head. */
void show_table(const struct json *, const char *list, const char *const *columns, unsigned ncolumns, const char *none);
/* What a change would make of hosts, cmd_groups.c. */
void show_changes(const struct json *);
void show_findings(const struct json *, const char *list);
#endif
