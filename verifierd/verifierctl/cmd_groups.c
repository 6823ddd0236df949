/* groups, move, ceiling: which policy counts for whom, and the most that gates may do for a while. */
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "scope.h"
#include "show.h"

void
show_changes(const struct json *j)
{
	static const char *const columns[] = { "host", "group", "was", "was_reason", "becomes", "reason" };
	char cell[CELL_TEXT];

	show_table(j, "changes", columns, COUNT(columns), "no host would change");
	printf("judged again   %s", show_member(j, "judged", cell));
	printf(", without evidence that can be: %s\n", show_member(j, "unknown", cell));
	if (!strcmp(show_member(j, "held", cell), "yes")) {
		show_member(j, "turned", cell);
		printf("held: so many hosts that are good would be refused; with --confirm %s it goes through\n", cell);
	}
}

static void
show_groups(const struct json *j)
{
	static const char *const columns[] = { "name", "policy", "hosts", "ceiling", "ceiling_until" };

	show_table(j, "groups", columns, COUNT(columns), "no groups");
}

static void
show_group(const struct json *j)
{
	char cell[CELL_TEXT];

	printf("group %s", show_member(j, "group", cell));
	printf(" follows policy %s\n", show_member(j, "policy", cell));
	show_changes(j);
}

static void
show_move(const struct json *j)
{
	char cell[CELL_TEXT];

	printf("%s", show_member(j, "name", cell));
	printf(" goes from group %s", show_member(j, "from", cell));
	printf(" to %s\n", show_member(j, "group", cell));
	show_changes(j);
}

static void
show_ceiling(const struct json *j)
{
	char cell[CELL_TEXT];

	printf("ceiling %s", show_member(j, "ceiling", cell));
	show_member(j, "until", cell);
	printf("%s%s", strcmp(cell, "-") ? " until " : "", strcmp(cell, "-") ? cell : "");
	printf("; each host hears of it with its next result\n");
}

int
groups_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *policy = NULL, *why = NULL, *confirm = NULL;
	bool dry_run = false, yes = false, create;
	const struct arg args[] = { { "policy", &policy, NULL }, { "reason", &why, NULL }, { "confirm", &confirm, NULL },
		{ "dry-run", NULL, &dry_run }, { "yes", NULL, &yes } };
	own(json) struct json *j = NULL;
	struct json *body;
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count > 2 || (w.count == 1 && strcmp(w.word[0], "list")))
		return usage_of("groups");
	if (w.count < 2) {
		rc = api_call(ctl, (const char *const[]){ "groups", NULL }, NULL, &j);
		return show_answer(ctl, rc, j, show_groups);
	}
	create = !strcmp(w.word[0], "create");
	if (!create && (strcmp(w.word[0], "set") || !policy))
		return usage_of("groups");
	if (!dry_run && !args_confirm(yes, create ? "Make this group?" : "Judge this group by that policy from now on?"))
		return EXIT_USAGE;
	body = json_new();
	if (policy)
		json_put_text(body, "policy", policy);
	if (why)
		json_put_text(body, "reason", why);
	if (confirm)
		json_put_text(body, "confirm", confirm);
	json_put_bool(body, "dry_run", dry_run);
	rc = api_call(ctl, (const char *const[]){ "groups", w.word[1], NULL }, body, &j);
	return show_answer(ctl, rc, j, show_group);
}

int
move_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL;
	bool dry_run = false, yes = false;
	const struct arg args[] = { { "reason", &why, NULL }, { "dry-run", NULL, &dry_run }, { "yes", NULL, &yes } };
	own(json) struct json *j = NULL;
	struct json *body;
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 2)
		return usage_of("move");
	if (!dry_run && !args_confirm(yes, "Judge this host as one of that group from now on?"))
		return EXIT_USAGE;
	body = json_new();
	json_put_text(body, "group", w.word[1]);
	if (why)
		json_put_text(body, "reason", why);
	json_put_bool(body, "dry_run", dry_run);
	rc = api_call(ctl, (const char *const[]){ "hosts", w.word[0], "move", NULL }, body, &j);
	return show_answer(ctl, rc, j, show_move);
}

int
ceiling_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *group = NULL, *duration = NULL, *why = NULL;
	bool all = false, dry_run = false;
	const struct arg args[] = { { "group", &group, NULL }, { "for", &duration, NULL }, { "reason", &why, NULL },
		{ "all", NULL, &all }, { "dry-run", NULL, &dry_run } };
	own(json) struct json *j = NULL;
	struct json *body;
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 1 || all == (group != NULL) || !why)
		return usage_of("ceiling");
	body = json_new();
	json_put_text(body, "ceiling", w.word[0]);
	if (duration)
		json_put_text(body, "duration", duration);
	json_put_text(body, "reason", why);
	json_put_bool(body, "dry_run", dry_run);
	rc = api_call(ctl, all ? (const char *const[]){ "ceiling", NULL } : (const char *const[]){ "groups", group, "ceiling", NULL },
	    body, &j);
	return show_answer(ctl, rc, j, show_ceiling);
}
