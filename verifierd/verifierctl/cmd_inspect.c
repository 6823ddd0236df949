/* inspect eventlog, ima, allow-list, quote, result: which one, and what they share. */
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "inspect.h"
#include "scope.h"
#include "show.h"

void
checks_open(struct checks *c)
{
	*c = (struct checks){ .list = json_new_list() };
}

void
checks_add(struct checks *c, const char *name, bool holds, const char *why)
{
	struct json *row = json_new();

	json_put_text(row, "check", name);
	json_put_bool(row, "holds", holds);
	if (!holds)
		json_put_text(row, "why", why);
	json_add(c->list, row);
	c->count++;
	c->held += holds;
}

int
checks_close(struct checks *c, struct json *j)
{
	bool ok = c->count && c->held == c->count;

	json_put(j, "checks", c->list);
	json_put_bool(j, "ok", ok);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static void
show_checks(const struct json *j)
{
	char cell[CELL_TEXT];
	unsigned count = 0;
	struct error e;

	if (!json_list(j, "checks", 64, &count, &e))
		return;
	for (unsigned i = 0; i < count; i++) {
		const struct json *row = json_item(j, "checks", i);
		bool holds = false;

		if (!json_flag(row, "holds", &holds, &e))
			continue;
		printf("%s  %s", holds ? "holds " : "FAILS ", show_member(row, "check", cell));
		printf("%s%s\n", holds ? "" : ": ", holds ? "" : show_member(row, "why", cell));
	}
}

/* "sha256:0    3d45…" or "sha256:0    verified": what an object of banks says of their PCRs. */
static void
show_banks(const struct json *j, const char *member)
{
	const struct json *banks, *values, *value;
	const char *bank, *pcr;
	char cell[CELL_TEXT], name[32];
	struct error e;

	if (!json_sub(j, member, &banks, &e))
		return;
	for (unsigned b = 0; json_member(banks, b, &bank, &values); b++)
		for (unsigned i = 0; json_member(values, i, &pcr, &value); i++) {
			snprintf(name, sizeof(name), "%s:%s", bank, pcr);
			show_line(name, show_member(values, pcr, cell));
		}
}

int
inspect_print(const struct ctl *ctl, const struct json *j, int exit_code)
{
	static const char *const columns[] = { "number", "pcr", "type", "text" };

	if (ctl->quiet)
		return exit_code;
	if (ctl->json)
		return api_print(j) == EXIT_DONE ? exit_code : EXIT_REFUSED;
	if (json_has(j, "events"))
		show_table(j, "events", columns, COUNT(columns), "no events");
	show_banks(j, "banks");
	show_banks(j, "states");
	show_checks(j);
	show_findings(j, "findings");
	return exit_code;
}

int
inspect_main(const struct ctl *ctl, int argc, char **argv)
{
	struct inspect_quote q = { 0 };
	struct inspect_log log = { 0 };
	const char *jwks = NULL, *boot = NULL;
	const struct arg args[] = { { "attest", &q.attest, NULL }, { "signature", &q.signature, NULL }, { "ak", &q.ak, NULL },
		{ "nonce", &q.nonce, NULL }, { "selection", &q.selection, NULL }, { "jwks", &jwks, NULL },
		{ "quote", &log.quote, NULL }, { "pcrs", &log.pcrs, NULL }, { "log", &boot, NULL } };
	struct words w;

	if (!args_read(argc, argv, args, COUNT(args), &w) || !w.count)
		return usage_of("inspect");
	log.file = w.word[1];
	if (!strcmp(w.word[0], "eventlog") && w.count == 2)
		return inspect_eventlog(ctl, &log);
	if (!strcmp(w.word[0], "ima") && w.count == 2)
		return inspect_ima(ctl, w.word[1], boot);
	if (!strcmp(w.word[0], "allow-list") && w.count == 2)
		return inspect_allow_list(ctl, w.word[1]);
	if (!strcmp(w.word[0], "quote") && w.count == 1 && q.attest && q.signature && q.ak)
		return inspect_quote(ctl, &q);
	if (!strcmp(w.word[0], "result") && w.count == 2 && jwks)
		return inspect_result(ctl, w.word[1], jwks);
	return usage_of("inspect");
}
