/* policies list, show, set, what-if, test */
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "file.h"
#include "policy_json.h"
#include "scope.h"
#include "show.h"
#include "vectors.h"

enum { VECTORS_PATH = 1024 };

static void
show_policies(const struct json *j)
{
	static const char *const columns[] = { "name", "version", "created", "author", "digest" };

	show_table(j, "policies", columns, COUNT(columns), "no policies");
}

/* As a file: what is shown can be changed and set again. */
static void
show_policy(const struct json *j)
{
	own(mem) char *text = NULL;
	const struct json *policy;
	struct error e;
	size_t len;

	if (json_sub(j, "policy", &policy, &e) && json_print(policy, true, &text, &len, &e))
		printf("%s\n", text);
}

static void
show_set(const struct json *j)
{
	char cell[CELL_TEXT];
	bool changed = !strcmp(show_member(j, "changed", cell), "yes");

	printf("%s", show_member(j, "policy", cell));
	printf("%s\n", changed ? "" : " says the same already");
	show_line("digest", show_member(j, "digest", cell));
	if (changed)
		show_changes(j);
}

/* Read here as well: errors of a file name its lines, and nothing that cannot be read is sent. */
static bool
load(const char *path, struct policy *p, char **text)
{
	own(ima_rules) struct ima_rules ima = { 0 };
	struct error e = { .code = ERR_NONE };
	uint8_t *buf;
	size_t len;

	if (!file_load(path, POLICY_JSON_MAX, &buf, &len, &e)) {
		fprintf(stderr, "verifierctl: %s\n", e.why);
		return false;
	}
	*text = (char *)buf;
	if (policy_json_read(*text, len, p, &ima, &e))
		return true;
	fprintf(stderr, "verifierctl: %s: %s\n", path, e.why);
	return false;
}

struct wish { const char *why, *confirm, *vectors; bool dry_run, yes; };

static int
set(const struct ctl *ctl, const char *path, const struct wish *w, bool dry_run)
{
	own(mem) struct policy *p = calloc(1, sizeof(*p));
	own(mem) char *text = NULL;
	own(json) struct json *j = NULL;
	struct json *body;
	int rc;

	if (!p || !load(path, p, &text))
		return EXIT_REFUSED;
	if (!dry_run && !args_confirm(w->yes, "Judge by this policy from now on, wherever it is followed?"))
		return EXIT_USAGE;
	body = json_new();
	json_put_text(body, "text", text);
	if (w->why)
		json_put_text(body, "reason", w->why);
	if (w->confirm)
		json_put_text(body, "confirm", w->confirm);
	json_put_bool(body, "dry_run", dry_run);
	rc = api_call(ctl, (const char *const[]){ "policies", NULL }, body, &j);
	return show_answer(ctl, rc, j, show_set);
}

/* "web.json" has its vectors in "web.vectors.json". */
static int
test(const struct ctl *ctl, const char *path, const struct wish *w)
{
	own(mem) struct policy *p = calloc(1, sizeof(*p));
	own(mem) char *text = NULL;
	char beside[VECTORS_PATH];
	size_t n = strlen(path);

	if (!p || !load(path, p, &text))
		return EXIT_REFUSED;
	n -= n > 5 && !strcmp(path + n - 5, ".json") ? 5 : 0;
	if (snprintf(beside, sizeof(beside), "%.*s.vectors.json", (int)n, path) >= (int)sizeof(beside))
		return EXIT_REFUSED;
	return vectors_run(ctl, p, w->vectors ? w->vectors : beside);
}

int
policies_main(const struct ctl *ctl, int argc, char **argv)
{
	struct wish wish = { .why = NULL };
	const struct arg args[] = { { "reason", &wish.why, NULL }, { "confirm", &wish.confirm, NULL },
		{ "vectors", &wish.vectors, NULL }, { "dry-run", NULL, &wish.dry_run }, { "yes", NULL, &wish.yes } };
	own(json) struct json *j = NULL;
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count < 1 || w.count > 2)
		return usage_of("policies");
	if (w.count == 1 && !strcmp(w.word[0], "list")) {
		rc = api_call(ctl, (const char *const[]){ "policies", NULL }, NULL, &j);
		return show_answer(ctl, rc, j, show_policies);
	}
	if (w.count == 2 && !strcmp(w.word[0], "show")) {
		rc = api_call(ctl, (const char *const[]){ "policies", w.word[1], NULL }, NULL, &j);
		return show_answer(ctl, rc, j, show_policy);
	}
	if (w.count == 2 && !strcmp(w.word[0], "set") && (wish.why || wish.dry_run))
		return set(ctl, w.word[1], &wish, wish.dry_run);
	if (w.count == 2 && !strcmp(w.word[0], "what-if"))
		return set(ctl, w.word[1], &wish, true);
	if (w.count == 2 && !strcmp(w.word[0], "test"))
		return test(ctl, w.word[1], &wish);
	return usage_of("policies");
}
