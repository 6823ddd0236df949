/* allow: leases of a host, and codes that carry one to a host without a network */
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "scope.h"
#include "show.h"

static void
show_leases(const struct json *j)
{
	static const char *const columns[] = { "id", "state", "created", "expires", "user", "services", "overrules_refusal", "who", "why" };

	show_table(j, "leases", columns, COUNT(columns), "no leases");
}

/* In groups, as it is read out. */
static void
show_code(const char *code)
{
	for (size_t i = 0; code[i]; i++)
		printf("%s%c", i && i % 4 == 0 ? "-" : "", code[i]);
	printf("\n");
}

static void
show_lease(const struct json *j)
{
	char host[CELL_TEXT], cell[CELL_TEXT];
	const struct json *lease;
	struct error e;

	show_member(j, "name", host);
	if (!json_sub(j, "lease", &lease, &e))
		return;
	if (json_has(j, "code")) {
		printf("on %s, where anybody may type it:\n\n  attestctl recover ", host);
		show_code(show_member(j, "code", cell));
		printf("\n");
	} else {
		printf("%s lets people in as soon as it hears of it, within seconds while it is refused\n", host);
		show_line("until", show_member(lease, "expires", cell));
	}
	show_line("lease", show_member(lease, "id", cell));
	show_line("user", show_member(lease, "user", cell));
	show_line("services", show_member(lease, "services", cell));
	if (!strcmp(show_member(lease, "overrules_refusal", cell), "yes"))
		printf("it beats a refusal as well\n");
	else
		printf("a refusal of the host still stands: --overrule-refusal lets people in nevertheless\n");
}

static void
show_ended(const struct json *j)
{
	char cell[CELL_TEXT];

	printf("ended %s", show_member(j, "ended", cell));
	printf(" on %s\n", show_member(j, "name", cell));
}

struct wish { const char *time, *user, *services, *why; bool overrule, code, dry_run; };

static int
give_lease(const struct ctl *ctl, const char *host, const struct wish *w)
{
	own(json) struct json *j = NULL;
	struct json *body = json_new();
	int rc;

	json_put_text(body, "duration", w->time);
	json_put_text(body, "reason", w->why);
	json_put_text(body, "user", w->user ? w->user : "");
	json_put_text(body, "services", w->services ? w->services : "");
	json_put_bool(body, "overrule_refusal", w->overrule);
	json_put_bool(body, "code", w->code);
	json_put_bool(body, "dry_run", w->dry_run);
	rc = api_call(ctl, (const char *const[]){ "hosts", host, "leases", NULL }, body, &j);
	return show_answer(ctl, rc, j, show_lease);
}

static int
end_lease(const struct ctl *ctl, const char *host, const char *id, const char *why)
{
	own(json) struct json *j = NULL;
	struct json *body = json_new();
	int rc;

	json_put_text(body, "lease", id ? id : "");
	json_put_text(body, "reason", why ? why : "");
	rc = api_call(ctl, (const char *const[]){ "hosts", host, "leases", "end", NULL }, body, &j);
	return show_answer(ctl, rc, j, show_ended);
}

int
allow_main(const struct ctl *ctl, int argc, char **argv)
{
	struct wish wish = { .time = NULL };
	bool list = false, end = false;
	const struct arg args[] = { { "for", &wish.time, NULL }, { "user", &wish.user, NULL }, { "service", &wish.services, NULL },
		{ "reason", &wish.why, NULL }, { "overrule-refusal", NULL, &wish.overrule }, { "print", NULL, &wish.code },
		{ "dry-run", NULL, &wish.dry_run }, { "list", NULL, &list }, { "end", NULL, &end } };
	own(json) struct json *j = NULL;
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count < 1 || w.count > (end ? 2 : 1) || list + end + !!wish.time != 1)
		return usage_of("allow");
	if (wish.time)
		return wish.why ? give_lease(ctl, w.word[0], &wish) : usage_of("allow");
	if (end)
		return end_lease(ctl, w.word[0], w.count == 2 ? w.word[1] : NULL, wish.why);
	rc = api_call(ctl, (const char *const[]){ "hosts", w.word[0], "leases", NULL }, NULL, &j);
	return show_answer(ctl, rc, j, show_leases);
}
