/* explain, accept */
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "ref.h"
#include "scope.h"
#include "show.h"

static int
get_report(const struct ctl *ctl, const char *ref, struct json **j)
{
	return api_call(ctl, (const char *const[]){ "reports", ref, NULL }, NULL, j);
}

/* "secure boot  on (digest-bound)": a fact and what it rests on. */
static void
show_fact(const char *label, const struct json *o, const char *what, const char *binding)
{
	char text[CELL_TEXT], bound[CELL_TEXT], line[2 * CELL_TEXT + 4];

	show_member(o, what, text);
	if (!*text || !strcmp(text, "-"))
		return;
	snprintf(line, sizeof(line), "%s (%s)", text, show_member(o, binding, bound));
	show_line(label, line);
}

/* What the machine did, in short; --json has all of it. */
static void
show_facts(const struct json *j)
{
	const struct json *facts, *o;
	unsigned count = 0;
	char cell[CELL_TEXT];
	struct error e;

	if (!json_has(j, "facts") || !json_sub(j, "facts", &facts, &e))
		return;
	printf("\nwhat the boot log says the machine did\n");
	if (json_sub(facts, "secure_boot", &o, &e)) {
		show_fact("secure boot", o, "state", "binding");
		show_member(o, "why", cell);
		if (*cell)
			show_line("", cell);
	}
	show_line("started by", show_member(facts, "boot", cell));
	if (json_sub(facts, "kernel", &o, &e)) {
		show_fact("kernel", o, "name", "name_binding");
		show_fact("kernel digest", o, "digest", "binding");
	}
	if (!json_list(facts, "command_lines", 100, &count, &e))
		return;
	for (unsigned i = 0; i < count; i++)
		show_fact("command line", json_item(facts, "command_lines", i), "text", "binding");
}

/* The first sentence is the answer. */
static void
show_report(const struct json *j)
{
	char cell[CELL_TEXT], ref[CELL_TEXT];
	unsigned count = 0;
	struct error e;

	printf("%s\n\n", show_member(j, "summary", cell));
	show_member(j, "ref", ref);
	show_line("host", show_member(j, "host", cell));
	show_line("reported", show_member(j, "at", cell));
	show_line("state", show_member(j, "state", cell));
	show_line("reason", show_member(j, "reason", cell));
	show_line("ref", ref);
	show_line("nearest", show_sub(j, "nearest", "set", cell));
	show_line("differs in", show_sub(j, "nearest", "differs", cell));
	if (json_list(j, "findings", 100000, &count, &e) && count) {
		printf("\nfindings\n");
		show_findings(j, "findings");
	}
	show_facts(j);
	show_member(j, "next", cell);
	if (cell[0] && strcmp(cell, "-"))
		printf("\nnext: %s\n", cell);
}

int
explain_main(const struct ctl *ctl, int argc, char **argv)
{
	own(json) struct json *j = NULL;
	struct words w;
	char ref[REF_TEXT];
	int rc;

	if (!args_read(argc, argv, NULL, 0, &w) || w.count != 1 || !ref_read(w.word[0], ref))
		return usage_of("explain");
	if (ref[0] == 'L' && ref[1] == '-') {
		fprintf(stderr, "verifierctl: %s was made by the host itself, without a verifier: attestctl explain %s there\n", ref, ref);
		return EXIT_REFUSED;
	}
	rc = get_report(ctl, ref, &j);
	if (rc || ctl->quiet)
		return rc;
	if (ctl->json)
		return api_print(j);
	show_report(j);
	return EXIT_DONE;
}

/* A reference as it is, or the newest report of a host. */
static int
report_of(const struct ctl *ctl, const char *what, char ref[static REF_TEXT])
{
	own(json) struct json *j = NULL;
	char cell[CELL_TEXT];
	int rc;

	if (ref_read(what, ref))
		return EXIT_DONE;
	rc = api_call(ctl, (const char *const[]){ "hosts", what, NULL }, NULL, &j);
	if (!rc && !ref_read(show_member(j, "ref", cell), ref)) {
		fprintf(stderr, "verifierctl: %s has not reported yet\n", what);
		rc = EXIT_REFUSED;
	}
	return rc;
}

int
accept_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL;
	const char *expires = NULL;
	bool dry_run = false, yes = false, host = false, group = false;
	const struct arg args[] = { { "reason", &why, NULL }, { "expires", &expires, NULL }, { "host", NULL, &host },
		{ "group", NULL, &group }, { "dry-run", NULL, &dry_run }, { "yes", NULL, &yes } };
	char until[EXPIRES_TEXT];
	own(json) struct json *report = NULL;
	own(json) struct json *j = NULL;
	struct json *body;
	struct words w;
	char ref[REF_TEXT], cell[CELL_TEXT];
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 1 || (!why && !dry_run) || (host && group))
		return usage_of("accept");
	if (expires && !args_expires(expires, until))
		return EXIT_USAGE;
	rc = report_of(ctl, w.word[0], ref);
	if (!rc)
		rc = get_report(ctl, ref, &report);
	if (rc)
		return rc;
	if (!yes && !ctl->quiet && !ctl->json)
		show_report(report);
	if (!dry_run && !args_confirm(yes, host ? "\nMake exactly this good for this host alone?" : "\nMake exactly this good for the host's group?"))
		return EXIT_USAGE;
	body = json_new();
	if (why)
		json_put_text(body, "reason", why);
	if (expires)
		json_put_text(body, "expires", until);
	if (host || group)
		json_put_text(body, "scope", host ? "host" : "group");
	json_put_bool(body, "dry_run", dry_run);
	rc = api_call(ctl, (const char *const[]){ "reports", ref, "accept", NULL }, body, &j);
	if (rc || ctl->quiet)
		return rc;
	if (ctl->json)
		return api_print(j);
	printf("\n%s%s", dry_run ? "would be made: " : "", show_member(j, "set", cell));
	printf(" is %s; the host is let in at its next report\n", show_member(j, "state", cell));
	return EXIT_DONE;
}
