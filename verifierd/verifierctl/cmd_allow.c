/* allow-lists list, set, remove */
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "file.h"
#include "ipc.h"
#include "scope.h"
#include "show.h"

static void
show_lists(const struct json *j)
{
	static const char *const columns[] = { "name", "entries", "created", "author", "digest" };

	show_table(j, "lists", columns, COUNT(columns), "no allow lists");
}

static void
show_list(const struct json *j)
{
	char cell[CELL_TEXT];
	struct error e;
	unsigned n = 0;

	show_line("allow list", show_member(j, "list", cell));
	show_line("entries", show_member(j, "entries", cell));
	show_line("digest", show_member(j, "digest", cell));
	if (json_has(j, "excludes") && json_list(j, "excludes", UINT16_MAX, &n, &e) && n)
		printf("the file leaves out paths; to do so as well, the policy's ima.exclude needs:\n");
	for (unsigned i = 0; i < n; i++)
		if (show_item(json_item(j, "excludes", i), cell))
			printf("  %s\n", cell);
}

static int
set(const struct ctl *ctl, const char *name, const char *path, const char *why, bool dry_run)
{
	own(json) struct json *j = NULL;
	own(mem) uint8_t *text = NULL;
	struct error e = { .code = ERR_NONE };
	struct json *body;
	size_t len;
	int rc;

	if (!file_load(path, ALLOW_FILE_MAX, &text, &len, &e)) {
		fprintf(stderr, "verifierctl: %s\n", e.why);
		return EXIT_REFUSED;
	}
	body = json_new();
	json_put_text(body, "text", (const char *)text);
	json_put_text(body, "reason", why);
	json_put_bool(body, "dry_run", dry_run);
	rc = api_call(ctl, (const char *const[]){ "allow-lists", name, NULL }, body, &j);
	return show_answer(ctl, rc, j, show_list);
}

static int
drop(const struct ctl *ctl, const char *name, const char *why)
{
	own(json) struct json *j = NULL;
	struct json *body = json_new();
	int rc;

	json_put_text(body, "reason", why);
	rc = api_call(ctl, (const char *const[]){ "allow-lists", name, "remove", NULL }, body, &j);
	return show_answer(ctl, rc, j, show_list);
}

int
allow_lists_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL;
	bool dry_run = false;
	const struct arg args[] = { { "reason", &why, NULL }, { "dry-run", NULL, &dry_run } };
	own(json) struct json *j = NULL;
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count < 1)
		return usage_of("allow-lists");
	if (w.count == 1 && !strcmp(w.word[0], "list")) {
		rc = api_call(ctl, (const char *const[]){ "allow-lists", NULL }, NULL, &j);
		return show_answer(ctl, rc, j, show_lists);
	}
	if (w.count == 3 && !strcmp(w.word[0], "set") && why)
		return set(ctl, w.word[1], w.word[2], why, dry_run);
	if (w.count == 2 && !strcmp(w.word[0], "remove") && why)
		return drop(ctl, w.word[1], why);
	return usage_of("allow-lists");
}
