/* references list, show, capture, activate, retire, revoke, diff, export, import */
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "file.h"
#include "import_text.h"
#include "scope.h"
#include "show.h"

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

/* A list of words in one line. */
static void
show_words(const char *label, const struct json *j, const char *key)
{
	char word[CELL_TEXT];
	unsigned count = 0;
	struct error e;

	if (!json_list(j, key, 100000, &count, &e) || !count)
		return;
	printf("%-14s", label);
	for (unsigned i = 0; i < count; i++)
		printf("%s%s", i ? ", " : "", show_item(json_item(j, key, i), word) ? word : "?");
	printf("\n");
}

static void
show_change(const struct json *j)
{
	char cell[CELL_TEXT];
	unsigned count = 0;
	struct error e;

	printf("%s", show_member(j, "set", cell));
	printf(" is %s\n", show_member(j, "state", cell));
	show_line("digest", show_member(j, "digest", cell));
	show_line("entries", show_member(j, "entries", cell));
	show_words("grants", j, "components");
	if (!strcmp(show_member(j, "own", cell), "yes"))
		show_line("serves", "one host alone");
	show_line("origin", show_member(j, "origin", cell));
	show_line("hosts", show_member(j, "hosts", cell));
	show_words("rest on it", j, "stragglers");
	if (json_has(j, "changes"))
		show_changes(j);
	if (json_list(j, "admits", 100000, &count, &e) && count) {
		printf("\nits report said\n");
		show_findings(j, "admits");
		printf("\n");
	}
	if (!strcmp(show_member(j, "state", cell), "candidate"))
		printf("a candidate permits nothing; next: verifierctl references show %s, then activate it\n",
		    show_member(j, "set", cell));
}

static int
list(const struct ctl *ctl)
{
	own(json) struct json *j = NULL;
	int rc = api_call(ctl, (const char *const[]){ "references", NULL }, NULL, &j);

	return show_answer(ctl, rc, j, show_sets);
}

static int
show_one(const struct ctl *ctl, const char *set)
{
	own(json) struct json *j = NULL;
	int rc = api_call(ctl, (const char *const[]){ "references", set, NULL }, NULL, &j);

	return show_answer(ctl, rc, j, show_set);
}

static int
diff(const struct ctl *ctl, const char *a, const char *b)
{
	own(json) struct json *j = NULL;
	int rc = api_call(ctl, (const char *const[]){ "references", a, "diff", b, NULL }, NULL, &j);

	return show_answer(ctl, rc, j, show_diff);
}

/* What the options of all commands say. */
struct wish {
	const char *name, *report, *why, *expires, *component, *group, *host, *out, *confirm;
	bool        dry_run, yes, for_host, for_group;
	char        until[EXPIRES_TEXT];
};

static struct json *
body_of(const struct wish *w)
{
	struct json *body = json_new();

	if (w->why)
		json_put_text(body, "reason", w->why);
	if (w->expires)
		json_put_text(body, "expires", w->until);
	if (w->confirm)
		json_put_text(body, "confirm", w->confirm);
	if (w->for_host || w->for_group)
		json_put_text(body, "scope", w->for_host ? "host" : "group");
	json_put_bool(body, "dry_run", w->dry_run);
	return body;
}

static int
capture(const struct ctl *ctl, const char *host, const struct wish *w)
{
	own(json) struct json *j = NULL;
	struct json *body = body_of(w);
	int rc;

	json_put_text(body, "set", w->name);
	if (w->report)
		json_put_text(body, "report", w->report);
	rc = api_call(ctl, (const char *const[]){ "hosts", host, "capture", NULL }, body, &j);
	return show_answer(ctl, rc, j, show_change);
}

/*
 * NAME, NAME/VERSION or NAME@DIGEST. What is asked about is what is changed: the set that was looked at is named by
 * version and digest, whatever came between.
 */
static int
change(const struct ctl *ctl, const char *verb, const char *what, const struct wish *w, const char *question)
{
	own(json) struct json *j = NULL, *seen = NULL;
	own(mem) char *name = strdup(what);
	char *at = name ? strchr(name, '@') : NULL;
	char exact[2 * CELL_TEXT], cell[CELL_TEXT], digest[CELL_TEXT];
	struct json *body;
	int rc;

	if (!name)
		return EXIT_REFUSED;
	if (at)
		*at++ = '\0';
	rc = api_call(ctl, (const char *const[]){ "references", name, NULL }, NULL, &seen);
	if (rc)
		return rc;
	if (!w->dry_run && !w->yes && !ctl->quiet && !ctl->json)
		show_set(seen);
	if (!w->dry_run && !args_confirm(w->yes, question))
		return EXIT_USAGE;
	snprintf(exact, sizeof(exact), "%s/%s", show_member(seen, "name", cell), show_member(seen, "version", digest));
	body = body_of(w);
	json_put_text(body, "digest", at ? at : show_member(seen, "digest", digest));
	if (w->component)
		json_put_text(body, "components", w->component);
	rc = api_call(ctl, (const char *const[]){ "references", exact, verb, NULL }, body, &j);
	return show_answer(ctl, rc, j, show_change);
}

static int
export_set(const struct ctl *ctl, const char *set, const struct wish *w)
{
	own(mem) char *text = NULL;
	struct error e = { .code = ERR_NONE };
	size_t len;
	int rc = api_text(ctl, (const char *const[]){ "references", set, "export", NULL }, &text, &len);

	if (rc)
		return rc;
	if (!w->out)
		return fwrite(text, 1, len, stdout) == len && !fflush(stdout) ? EXIT_DONE : EXIT_REFUSED;
	if (file_replace(w->out, text, len, 0644, false, &e))
		return EXIT_DONE;
	fprintf(stderr, "verifierctl: %s\n", e.why);
	return EXIT_REFUSED;
}

/* "debian12.json" is the set debian12, unless it is called otherwise. */
static void
name_of_file(const char *path, char out[static CELL_TEXT])
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	snprintf(out, CELL_TEXT, "%.*s", (int)strcspn(base, "."), base);
}

static void
show_imported(const struct json *j)
{
	char cell[CELL_TEXT];
	unsigned count = 0;
	struct error e;

	if (json_list(j, "sets", 100, &count, &e))
		for (unsigned i = 0; i < count; i++)
			show_change(json_item(j, "sets", i));
	if (json_list(j, "remarks", 1000, &count, &e) && count) {
		printf("\nnot carried over\n");
		for (unsigned i = 0; i < count; i++)
			if (show_item(json_item(j, "remarks", i), cell))
				printf("  %s\n", cell);
	}
}

static int
import_set(const struct ctl *ctl, const char *path, const struct wish *w)
{
	own(json) struct json *j = NULL;
	own(mem) char *text = NULL;
	struct json *body;
	char name[CELL_TEXT];
	int rc;

	if (!import_text(path, &text))
		return EXIT_REFUSED;
	name_of_file(path, name);
	body = body_of(w);
	json_put_text(body, "set", w->name ? w->name : name);
	if (w->group)
		json_put_text(body, "group", w->group);
	if (w->host)
		json_put_text(body, "host", w->host);
	json_put_text(body, "text", text);
	rc = api_call(ctl, (const char *const[]){ "references", NULL }, body, &j);
	return show_answer(ctl, rc, j, show_imported);
}

static int
run(const struct ctl *ctl, const struct words *w, const struct wish *wish)
{
	const char *verb = w->word[0], *what = w->word[1];

	if (w->count == 1)
		return strcmp(verb, "list") ? usage_of("references") : list(ctl);
	if (!strcmp(verb, "diff") && w->count == 3)
		return diff(ctl, what, w->word[2]);
	if (w->count != 2)
		return usage_of("references");
	if (!strcmp(verb, "show"))
		return show_one(ctl, what);
	if (!strcmp(verb, "capture") && wish->name)
		return capture(ctl, what, wish);
	if (!strcmp(verb, "activate"))
		return change(ctl, verb, what, wish, "Make exactly this good for its hosts?");
	if (!strcmp(verb, "retire"))
		return change(ctl, verb, what, wish, "End this set? Hosts that rest on it alone are refused from their next evidence on.");
	if (!strcmp(verb, "revoke"))
		return change(ctl, verb, what, wish, "Refuse this wherever it is booted, whatever other sets say?");
	if (!strcmp(verb, "export"))
		return export_set(ctl, what, wish);
	if (!strcmp(verb, "import") && wish->why)
		return import_set(ctl, what, wish);
	return usage_of("references");
}

int
references_main(const struct ctl *ctl, int argc, char **argv)
{
	struct wish w = { .dry_run = false };
	/* --host is a flag of what is captured here, and names a host for what comes from elsewhere. */
	bool import = argc > 1 && !strcmp(argv[1], "import");
	const struct arg args[] = { { "name", &w.name, NULL }, { "report", &w.report, NULL }, { "reason", &w.why, NULL },
		{ "expires", &w.expires, NULL }, { "component", &w.component, NULL }, { "out", &w.out, NULL }, { "confirm", &w.confirm, NULL },
		{ "host", import ? &w.host : NULL, import ? NULL : &w.for_host },
		{ "group", import ? &w.group : NULL, import ? NULL : &w.for_group },
		{ "dry-run", NULL, &w.dry_run }, { "yes", NULL, &w.yes } };
	struct words words;

	if (!args_read(argc, argv, args, COUNT(args), &words) || !words.count || (w.for_host && w.for_group))
		return usage_of("references");
	if (w.expires && !args_expires(w.expires, w.until))
		return EXIT_USAGE;
	return run(ctl, &words, &w);
}
