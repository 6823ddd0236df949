#include <stdio.h>
#include <string.h>
#include "scope.h"
#include "show.h"

enum { COLUMNS_MAX = 10, LIST_MAX = 100000, DETAILS_SHOWN = 5 };

/* Control characters, and those of 0x80 to 0x9f in UTF-8. */
char *
show_plain(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (*p < ' ' || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = '?';
	return text;
}

bool
show_item(const struct json *item, char cell[static CELL_TEXT])
{
	struct error e;

	if (!json_item_text(item, cell, CELL_TEXT, &e))
		return false;
	show_plain(cell);
	return true;
}

const char *
show_member(const struct json *j, const char *key, char cell[static CELL_TEXT])
{
	struct error e;
	int64_t n;
	bool flag;

	if (json_text(j, key, cell, CELL_TEXT, &e))
		return show_plain(cell);
	if (json_int(j, key, INT64_MIN, INT64_MAX, &n, &e))
		snprintf(cell, CELL_TEXT, "%lld", (long long)n);
	else if (json_flag(j, key, &flag, &e))
		snprintf(cell, CELL_TEXT, "%s", flag ? "yes" : "no");
	else
		strcpy(cell, "-");
	return cell;
}

const char *
show_sub(const struct json *j, const char *object, const char *key, char cell[static CELL_TEXT])
{
	const struct json *sub;
	struct error e;

	if (json_sub(j, object, &sub, &e))
		return show_member(sub, key, cell);
	strcpy(cell, "-");
	return cell;
}

void
show_line(const char *label, const char *value)
{
	if (value[0] && strcmp(value, "-"))
		printf("%-14s%s\n", label, value);
}

void
show_table(const struct json *j, const char *list, const char *const *columns, unsigned ncolumns, const char *none)
{
	size_t width[COLUMNS_MAX];
	char cell[CELL_TEXT];
	unsigned count = 0;
	struct error e;

	if (!json_list(j, list, LIST_MAX, &count, &e) || !count) {
		printf("%s\n", none);
		return;
	}
	for (unsigned c = 0; c < ncolumns; c++) {
		width[c] = strlen(columns[c]);
		for (unsigned i = 0; i < count; i++) {
			size_t n = strlen(show_member(json_item(j, list, i), columns[c], cell));

			width[c] = n > width[c] ? n : width[c];
		}
	}
	for (unsigned c = 0; c < ncolumns; c++)
		printf("%-*s%s", (int)(c + 1 < ncolumns ? width[c] : 0), columns[c], c + 1 < ncolumns ? "  " : "\n");
	for (unsigned i = 0; i < count; i++)
		for (unsigned c = 0; c < ncolumns; c++)
			printf("%-*s%s", (int)(c + 1 < ncolumns ? width[c] : 0),
			    show_member(json_item(j, list, i), columns[c], cell), c + 1 < ncolumns ? "  " : "\n");
}

/* The first few; --json has them all. */
static void
show_details(const struct json *f)
{
	unsigned count = 0;
	char line[CELL_TEXT];
	struct error e;

	if (!json_has(f, "details") || !json_list(f, "details", LIST_MAX, &count, &e))
		return;
	for (unsigned i = 0; i < count && i < DETAILS_SHOWN; i++)
		if (show_item(json_item(f, "details", i), line))
			printf("    %s\n", line);
	if (count > DETAILS_SHOWN)
		printf("    and %u more\n", count - DETAILS_SHOWN);
}

static void
show_finding(const struct json *f)
{
	char cell[CELL_TEXT];
	struct error e;
	int64_t pcr, event;

	printf("  %s", show_member(f, "code", cell));
	printf(" (%s)", show_member(f, "severity", cell));
	if (json_int(f, "pcr", 0, 23, &pcr, &e))
		printf("  PCR %lld", (long long)pcr);
	if (json_int(f, "event", 1, INT32_MAX, &event, &e))
		printf(" event %lld", (long long)event);
	putchar('\n');
	show_member(f, "text", cell);
	if (cell[0] && strcmp(cell, "-"))
		printf("    %s\n", cell);
	show_member(f, "expected", cell);
	if (cell[0] && strcmp(cell, "-"))
		printf("    expected  %s\n", cell);
	show_member(f, "seen", cell);
	if (cell[0] && strcmp(cell, "-"))
		printf("    seen      %s\n", cell);
	show_details(f);
}

void
show_findings(const struct json *j, const char *list)
{
	unsigned count = 0;
	struct error e;

	if (!json_list(j, list, LIST_MAX, &count, &e))
		return;
	for (unsigned i = 0; i < count; i++)
		show_finding(json_item(j, list, i));
}
