/* hosts, show, history, approve, reject, class, revoke, reinstate, rename, remove */
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "scope.h"
#include "show.h"

int
hosts_main(const struct ctl *ctl, int argc, char **argv)
{
	static const char *const columns[] = { "name", "enrollment", "state", "reason", "ref", "last_report" };
	own(json) struct json *j = NULL;
	struct words w;
	int rc;

	if (!args_read(argc, argv, NULL, 0, &w) || w.count)
		return usage_of("hosts");
	rc = api_call(ctl, (const char *const[]){ "hosts", NULL }, NULL, &j);
	if (rc || ctl->quiet)
		return rc;
	if (ctl->json)
		return api_print(j);
	show_table(j, "hosts", columns, COUNT(columns), "no hosts yet; on a host, run what this prints: verifierctl enroll-line");
	return EXIT_DONE;
}

static int
get_host(const struct ctl *ctl, const char *host, struct json **j)
{
	return api_call(ctl, (const char *const[]){ "hosts", host, NULL }, NULL, j);
}

static void
show_key(const struct json *j, const char *label)
{
	char cell[CELL_TEXT];

	if (label[0])
		printf("%s\n", label);
	show_line("EK", show_sub(j, "ek", "fingerprint", cell));
	show_line("EK subject", show_sub(j, "ek", "subject", cell));
	show_line("EK until", show_sub(j, "ek", "not_after", cell));
	show_line("AK", show_member(j, "ak", cell));
}

/* "sshd: enforce, sudo: audit" */
static void
show_modes(const struct json *j)
{
	char line[CELL_TEXT] = "", cell[CELL_TEXT];
	const struct json *modes, *value;
	const char *service;
	struct error e;

	if (!json_sub(j, "modes", &modes, &e))
		return;
	for (unsigned i = 0; json_member(modes, i, &service, &value); i++)
		if (show_item(value, cell))
			snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%.47s: %.15s", i ? ", " : "", service, cell);
	show_line("gates", show_plain(line));
}

static void
show_told(const struct json *j)
{
	char kind[CELL_TEXT], times[CELL_TEXT], last[CELL_TEXT];
	unsigned count = 0;
	struct error e;

	if (!json_list(j, "events", 64, &count, &e))
		return;
	for (unsigned i = 0; i < count; i++) {
		const struct json *o = json_item(j, "events", i);

		printf("%-14s%s, last %s: verifierctl history\n", show_member(o, "kind", kind), show_member(o, "count", times),
		    show_member(o, "last", last));
	}
}

int
history_main(const struct ctl *ctl, int argc, char **argv)
{
	static const char *const columns[] = { "at", "kind", "state", "service", "user", "count", "reason", "ref" };
	own(json) struct json *j = NULL;
	struct words w;
	int rc;

	if (!args_read(argc, argv, NULL, 0, &w) || w.count != 1)
		return usage_of("history");
	rc = api_call(ctl, (const char *const[]){ "hosts", w.word[0], "history", NULL }, NULL, &j);
	if (rc || ctl->quiet)
		return rc;
	if (ctl->json)
		return api_print(j);
	show_table(j, "history", columns, COUNT(columns), "nothing yet");
	return EXIT_DONE;
}

int
show_main(const struct ctl *ctl, int argc, char **argv)
{
	static const char *const columns[] = { "ref", "at", "state", "reason" };
	own(json) struct json *j = NULL;
	const struct json *pending;
	char cell[CELL_TEXT];
	struct words w;
	struct error e;
	int rc;

	if (!args_read(argc, argv, NULL, 0, &w) || w.count != 1)
		return usage_of("show");
	rc = get_host(ctl, w.word[0], &j);
	if (rc || ctl->quiet)
		return rc;
	if (ctl->json)
		return api_print(j);
	show_line("name", show_member(j, "name", cell));
	show_line("id", show_member(j, "id", cell));
	show_line("group", show_member(j, "group", cell));
	show_line("policy", show_member(j, "policy", cell));
	show_line("ceiling", show_member(j, "ceiling", cell));
	show_modes(j);
	show_told(j);
	show_line("enrollment", show_member(j, "enrollment", cell));
	show_line("state", show_member(j, "state", cell));
	show_line("reason", show_member(j, "reason", cell));
	if (strcmp(show_member(j, "class", cell), "log"))
		show_line("class", cell);
	show_line("boot", show_sub(j, "boot", "boot_id", cell));
	show_line("resets", show_sub(j, "boot", "reset_count", cell));
	show_line("IMA entries", show_sub(j, "ima", "entries", cell));
	show_line("violations", show_sub(j, "ima", "violations", cell));
	show_line("IMA pending", show_sub(j, "ima", "pending", cell));
	if (strcmp(show_member(j, "leases", cell), "0"))
		show_line("leases", cell);
	show_key(j, "");
	if (json_sub(j, "pending", &pending, &e))
		show_key(pending, "\npending enrollment with other keys:");
	printf("\n");
	show_table(j, "reports", columns, COUNT(columns), "no reports yet");
	return EXIT_DONE;
}

/* Asks for a change of a host, and takes body. True: *j is there, to be told in words; else all is said, and *rc is the exit code. */
static bool
to_tell(const struct ctl *ctl, const char *host, const char *verb, struct json *body, struct json **j, int *rc)
{
	*rc = api_call(ctl, (const char *const[]){ "hosts", host, verb, NULL }, body, j);
	if (*rc || ctl->quiet)
		return false;
	if (ctl->json)
		*rc = api_print(*j);
	return !ctl->json;
}

static int
change(const struct ctl *ctl, const char *host, const char *verb, const char *ek, const char *why)
{
	own(json) struct json *j = NULL;
	struct json *body = json_new();
	char cell[CELL_TEXT];
	int rc;

	if (ek)
		json_put_text(body, "ek", ek);
	if (why)
		json_put_text(body, "reason", why);
	if (!to_tell(ctl, host, verb, body, &j, &rc))
		return rc;
	printf("%s is %s", host, show_member(j, "enrollment", cell));
	printf(", EK %s\n", show_sub(j, "ek", "fingerprint", cell));
	return EXIT_DONE;
}

/* Shows the key, asks, and approves exactly the key that was shown. */
int
approve_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *ek = NULL, *why = NULL;
	bool yes = false;
	const struct arg args[] = { { "ek", &ek, NULL }, { "reason", &why, NULL }, { "yes", NULL, &yes } };
	own(json) struct json *j = NULL;
	const struct json *pending;
	char shown[CELL_TEXT];
	struct words w;
	struct error e;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 1)
		return usage_of("approve");
	rc = get_host(ctl, w.word[0], &j);
	if (rc)
		return rc;
	if (!json_sub(j, "pending", &pending, &e))
		pending = j;
	if (!ctl->quiet && !ctl->json)
		show_key(pending, "");
	show_sub(pending, "ek", "fingerprint", shown);
	if (!args_confirm(yes || ek, "Is this the TPM of that host?"))
		return EXIT_USAGE;
	return change(ctl, w.word[0], "approve", ek ? ek : shown, why);
}

int
reject_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL;
	const struct arg args[] = { { "reason", &why, NULL } };
	struct words w;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 1)
		return usage_of("reject");
	return change(ctl, w.word[0], "reject", NULL, why);
}

int
revoke_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL;
	const struct arg args[] = { { "reason", &why, NULL } };
	struct words w;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 1 || !why)
		return usage_of("revoke");
	return change(ctl, w.word[0], "revoke", NULL, why);
}

int
reinstate_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL;
	const struct arg args[] = { { "reason", &why, NULL } };
	struct words w;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 1 || !why)
		return usage_of("reinstate");
	return change(ctl, w.word[0], "reinstate", NULL, why);
}

int
rename_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL;
	const struct arg args[] = { { "reason", &why, NULL } };
	own(json) struct json *j = NULL;
	struct json *body;
	char cell[CELL_TEXT];
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 2 || !why)
		return usage_of("rename");
	body = json_new();
	json_put_text(body, "name", w.word[1]);
	json_put_text(body, "reason", why);
	if (!to_tell(ctl, w.word[0], "rename", body, &j, &rc))
		return rc;
	printf("%s is called ", w.word[0]);
	printf("%s\n", show_member(j, "name", cell));
	return EXIT_DONE;
}

/* What is removed is the very host that was shown, and as it was then: one that was reinstated since is not. */
int
remove_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL;
	bool yes = false, dry_run = false;
	const struct arg args[] = { { "reason", &why, NULL }, { "yes", NULL, &yes }, { "dry-run", NULL, &dry_run } };
	own(json) struct json *shown = NULL, *j = NULL;
	struct json *body;
	char id[CELL_TEXT], cell[CELL_TEXT];
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 1 || !why)
		return usage_of("remove");
	rc = get_host(ctl, w.word[0], &shown);
	if (rc)
		return rc;
	show_member(shown, "id", id);
	show_member(shown, "enrollment", cell);
	if (!ctl->quiet && !ctl->json) {
		show_line("enrollment", cell);
		show_key(shown, "");
	}
	if (!dry_run && !args_confirm(yes, strcmp(cell, "active") ? "Forget this host?" : "It is active, and will get no verdict any more. Forget it?"))
		return EXIT_USAGE;
	body = json_new();
	json_put_text(body, "confirm", strcmp(cell, "active") ? "" : "1");
	json_put_text(body, "reason", why);
	json_put_bool(body, "dry_run", dry_run);
	if (!to_tell(ctl, id, "remove", body, &j, &rc))
		return rc;
	printf("%s %s: its name and its TPM may enroll anew\n", show_member(j, "name", cell), dry_run ? "would be forgotten" : "is forgotten");
	return EXIT_DONE;
}

int
class_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL;
	const struct arg args[] = { { "reason", &why, NULL } };
	own(json) struct json *j = NULL;
	struct json *body;
	char cell[CELL_TEXT];
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 2 || !why)
		return usage_of("class");
	body = json_new();
	json_put_text(body, "class", w.word[1]);
	json_put_text(body, "reason", why);
	if (!to_tell(ctl, w.word[0], "class", body, &j, &rc))
		return rc;
	printf("%s", show_member(j, "name", cell));
	printf(" is of class %s\n", show_member(j, "class", cell));
	if (strcmp(cell, "log"))
		printf("when it has reported again: verifierctl references capture %s --name NAME, then activate it\n", w.word[0]);
	return EXIT_DONE;
}
