/* references list, show, capture, activate, retire, revoke, diff */
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "scope.h"
#include "show.h"

static int
finish(const struct ctl *ctl, int rc, const struct json *j, void (*show)(const struct json *))
{
	if (rc || ctl->quiet)
		return rc;
	if (ctl->json)
		return api_print(j);
	show(j);
	return EXIT_DONE;
}

static void
show_sets(const struct json *j)
{
	static const char *const columns[] = { "name", "version", "state", "entries", "hosts", "expires", "origin" };

	show_table(j, "sets", columns, COUNT(columns), "no reference sets yet: verifierctl references capture HOST --name NAME");
}

static void
show_set(const struct json *j)
{
	static const char *const columns[] = { "component", "scope", "pcr", "type", "text" };
	char cell[CELL_TEXT];

	show_line("name", show_member(j, "name", cell));
	show_line("version", show_member(j, "version", cell));
	show_line("state", show_member(j, "state", cell));
	show_line("origin", show_member(j, "origin", cell));
	show_line("digest", show_member(j, "digest", cell));
	printf("\n");
	show_table(j, "entries", columns, COUNT(columns), "no entries");
}

static void
show_diff(const struct json *j)
{
	unsigned count = 0;
	struct error e;

	if (json_list(j, "findings", 100000, &count, &e) && !count)
		printf("the same measurements\n");
	show_findings(j, "findings");
}

static void
show_change(const struct json *j)
{
	char cell[CELL_TEXT];

	printf("%s", show_member(j, "set", cell));
	printf(" is %s\n", show_member(j, "state", cell));
	show_line("digest", show_member(j, "digest", cell));
	show_line("entries", show_member(j, "entries", cell));
	show_line("origin", show_member(j, "origin", cell));
	show_line("hosts", show_member(j, "hosts", cell));
	if (!strcmp(show_member(j, "state", cell), "candidate"))
		printf("a candidate permits nothing; next: verifierctl references show %s, then activate it\n",
		    show_member(j, "set", cell));
}

static int
list(const struct ctl *ctl)
{
	own(json) struct json *j = NULL;
	int rc = api_call(ctl, (const char *const[]){ "references", NULL }, NULL, &j);

	return finish(ctl, rc, j, show_sets);
}

static int
show_one(const struct ctl *ctl, const char *set)
{
	own(json) struct json *j = NULL;
	int rc = api_call(ctl, (const char *const[]){ "references", set, NULL }, NULL, &j);

	return finish(ctl, rc, j, show_set);
}

static int
diff(const struct ctl *ctl, const char *a, const char *b)
{
	own(json) struct json *j = NULL;
	int rc = api_call(ctl, (const char *const[]){ "references", a, "diff", b, NULL }, NULL, &j);

	return finish(ctl, rc, j, show_diff);
}

static int
capture(const struct ctl *ctl, const char *host, const char *name, const char *report, const char *why)
{
	own(json) struct json *j = NULL;
	struct json *body = json_new();
	int rc;

	json_put_text(body, "set", name);
	if (report)
		json_put_text(body, "report", report);
	if (why)
		json_put_text(body, "reason", why);
	rc = api_call(ctl, (const char *const[]){ "hosts", host, "capture", NULL }, body, &j);
	return finish(ctl, rc, j, show_change);
}

/* NAME, NAME/VERSION or NAME@DIGEST. */
static int
activate(const struct ctl *ctl, const char *what, const char *why, bool dry_run, bool yes)
{
	own(json) struct json *j = NULL;
	own(mem) char *name = strdup(what);
	char *at = name ? strchr(name, '@') : NULL;
	struct json *body;
	int rc;

	if (!name)
		return EXIT_REFUSED;
	if (at)
		*at++ = '\0';
	if (!dry_run && !yes && !ctl->quiet && !ctl->json) {
		rc = show_one(ctl, name);
		if (rc)
			return rc;
	}
	if (!dry_run && !args_confirm(yes, "Make exactly this good for the group?"))
		return EXIT_USAGE;
	body = json_new();
	if (at)
		json_put_text(body, "digest", at);
	if (why)
		json_put_text(body, "reason", why);
	json_put_bool(body, "dry_run", dry_run);
	rc = api_call(ctl, (const char *const[]){ "references", name, "activate", NULL }, body, &j);
	return finish(ctl, rc, j, show_change);
}

/* verb is "retire" or "revoke"; NAME, NAME/VERSION or NAME@DIGEST. */
static int
end_set(const struct ctl *ctl, const char *verb, const char *what, const char *why, bool dry_run, bool yes)
{
	own(json) struct json *j = NULL;
	own(mem) char *name = strdup(what);
	char *at = name ? strchr(name, '@') : NULL;
	struct json *body;
	int rc;

	if (!name)
		return EXIT_REFUSED;
	if (at)
		*at++ = '\0';
	if (!dry_run && !args_confirm(yes, "End this set? Hosts that rest on it alone are refused from their next evidence on."))
		return EXIT_USAGE;
	body = json_new();
	if (at)
		json_put_text(body, "digest", at);
	if (why)
		json_put_text(body, "reason", why);
	json_put_bool(body, "dry_run", dry_run);
	rc = api_call(ctl, (const char *const[]){ "references", name, verb, NULL }, body, &j);
	return finish(ctl, rc, j, show_change);
}

int
references_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *name = NULL, *report = NULL, *why = NULL;
	bool dry_run = false, yes = false;
	const struct arg args[] = { { "name", &name, NULL }, { "report", &report, NULL }, { "reason", &why, NULL },
		{ "dry-run", NULL, &dry_run }, { "yes", NULL, &yes } };
	struct words w;

	if (!args_read(argc, argv, args, COUNT(args), &w) || !w.count)
		return usage_of("references");
	if (!strcmp(w.word[0], "list") && w.count == 1)
		return list(ctl);
	if (!strcmp(w.word[0], "show") && w.count == 2)
		return show_one(ctl, w.word[1]);
	if (!strcmp(w.word[0], "diff") && w.count == 3)
		return diff(ctl, w.word[1], w.word[2]);
	if (!strcmp(w.word[0], "capture") && w.count == 2 && name)
		return capture(ctl, w.word[1], name, report, why);
	if (!strcmp(w.word[0], "activate") && w.count == 2)
		return activate(ctl, w.word[1], why, dry_run, yes);
	if ((!strcmp(w.word[0], "retire") || !strcmp(w.word[0], "revoke")) && w.count == 2)
		return end_set(ctl, w.word[0], w.word[1], why, dry_run, yes);
	return usage_of("references");
}
