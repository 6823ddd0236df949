/* gateways list, add, remove */
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "scope.h"
#include "show.h"

static void
show_gateways(const struct json *j)
{
	static const char *const columns[] = { "name", "host", "audiences", "created" };

	show_table(j, "gateways", columns, COUNT(columns), "no gateways: hosts may ask about themselves alone");
}

/* The token alone on standard output, for a file. */
static void
show_gateway(const struct json *j)
{
	char cell[CELL_TEXT];

	show_member(j, "token", cell);
	if (*cell && strcmp(cell, "-"))
		printf("%s\n", cell);
	else
		show_line("gateway", show_member(j, "name", cell));
}

static int
change(const struct ctl *ctl, const char *const path[], struct json *body, const char *why)
{
	own(json) struct json *j = NULL;
	int rc;

	json_put_text(body, "reason", why);
	rc = api_call(ctl, path, body, &j);
	return show_answer(ctl, rc, j, show_gateway);
}

int
gateways_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL, *host = NULL, *audience = NULL;
	bool dry_run = false;
	const struct arg args[] = {
		{ "host", &host, NULL }, { "audience", &audience, NULL }, { "reason", &why, NULL }, { "dry-run", NULL, &dry_run },
	};
	own(json) struct json *j = NULL;
	struct json *body;
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w))
		return usage_of("gateways");
	if (!w.count || (w.count == 1 && !strcmp(w.word[0], "list"))) {
		rc = api_call(ctl, (const char *const[]){ "gateways", NULL }, NULL, &j);
		return show_answer(ctl, rc, j, show_gateways);
	}
	if (w.count != 2 || !why)
		return usage_of("gateways");
	body = json_new();
	json_put_bool(body, "dry_run", dry_run);
	if (!strcmp(w.word[0], "add")) {
		if (host)
			json_put_text(body, "host", host);
		if (audience)
			json_put_text(body, "audiences", audience);
		return change(ctl, (const char *const[]){ "gateways", w.word[1], NULL }, body, why);
	}
	if (!strcmp(w.word[0], "remove"))
		return change(ctl, (const char *const[]){ "gateways", w.word[1], "remove", NULL }, body, why);
	json_free(body);
	return usage_of("gateways");
}
