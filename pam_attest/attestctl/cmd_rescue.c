/* attestctl rescue test: proves a way back in before anything is enforced, and writes down that it did. */
#include "ask.h"
#include "scope.h"
#include "show.h"
#include "ways.h"

enum { REPORT_MS = 5000, REASONS_MAX = 256 };

/* What the gate calls a use of the route, and through which service it is one. */
static const struct { const char *reason, *service; } uses[] = {
	[ROUTE_CONSOLE]     = { "exempt-console", NULL },
	[ROUTE_BREAK_GLASS] = { "break-glass",    "sshd" },
	[ROUTE_EXEMPT_USER] = { "exempt-user",    "sshd" },
};

static void
take_use(const struct json *j, int64_t used[static ROUTE_COUNT])
{
	char service[64], came_to[16], reason[REASON_CODE_MAX], last[TIME_TEXT];
	struct error e;
	int64_t when;

	if (!json_text(j, "service", service, sizeof(service), &e) || !json_text(j, "access", came_to, sizeof(came_to), &e) ||
	    !json_text(j, "reason", reason, sizeof(reason), &e) || !json_text(j, "last", last, sizeof(last), &e) ||
	    strcmp(came_to, "exempted") != 0 || !time_read(last, &when))
		return;
	for (unsigned r = 0; r < ROUTE_COUNT; r++)
		if (!strcmp(uses[r].reason, reason) && (!uses[r].service || !strcmp(uses[r].service, service)) && when > used[r])
			used[r] = when;
}

/* When each route was last used, as attestd remembers; an attestd that is away remembers nothing, and that is all. */
static void
find_uses(const struct ctl *ctl, int64_t since, int64_t used[static ROUTE_COUNT])
{
	own(told) struct told told = { 0 };
	struct error e = { .code = ERR_NONE };
	char path[GATE_PATH_MAX + 16];
	struct gate_conf c;
	struct local_out o;
	unsigned count = 0;

	ctl_conf(ctl, "", &c);
	snprintf(path, sizeof(path), "%s/gate.sock", c.run_dir);
	if (access(path, F_OK) < 0)
		return;
	local_open(&o);
	local_put(&o, "verb", "report");
	local_put_number(&o, "since", since);
	if (ctl_ask(ctl, &o, REPORT_MS, &told) != EXIT_GOOD || !told.ok || !told.json ||
	    !json_list(told.json, "reasons", REASONS_MAX, &count, &e))
		return;
	for (unsigned i = 0; i < count; i++)
		take_use(json_item(told.json, "reasons", i), used);
}

static int
print_json(const struct ctl *ctl, const char *user, const struct way way[static ROUTE_COUNT], const int64_t used[static ROUTE_COUNT],
    bool recorded)
{
	own(json) struct json *j = json_new();
	struct json *list = json_new_list();

	json_put_int(j, "schema", 1);
	json_put_text(j, "user", user);
	for (unsigned r = 0; r < ROUTE_COUNT; r++) {
		struct json *o = json_new();

		json_put_text(o, "route", rescue_route_word((enum rescue_route)r));
		json_put_bool(o, "holds", way[r].holds);
		json_put_text(o, "text", way[r].text);
		json_put_time(o, "used", used[r]);
		json_add(list, o);
	}
	json_put(j, "routes", list);
	json_put_bool(j, "recorded", recorded);
	return show_json(ctl, j);
}

/* Where what the program can prove ends, a person has to go on; and that is said. */
static void
print_text(const struct ctl *ctl, const char *user, const struct way way[static ROUTE_COUNT], const int64_t used[static ROUTE_COUNT],
    bool holds, bool recorded)
{
	char console[64], when[TIME_TEXT];

	for (unsigned r = 0; r < ROUTE_COUNT; r++) {
		printf("%s %-12s %s: %s\n", way[r].holds ? "+" : "-", rescue_route_word((enum rescue_route)r), user, way[r].text);
		if (used[r] && way[r].holds) {
			time_text(used[r], when);
			printf("  %-12s was used at %s, which is the better proof\n", "", when);
		}
	}
	ways_console(ctl, console, sizeof(console));
	if (console[0])
		printf("! the kernel's console %s is not in console_ttys of gate.conf: there the gate asks for a verdict\n", console);
	if (!holds) {
		printf("no way back in is proved for %s. Try root, a member of sudo or wheel, or: gpasswd -a %s attest-breakglass\n", user, user);
		return;
	}
	if (recorded)
		printf("recorded: it counts for %d days\n", RESCUE_DAYS);
	puts("Only a person can prove that the password or key is at hand and that sshd takes it: come in that way once,\n"
	    "with the gate's line in place, and run this again.");
}

static int
record(const struct ctl *ctl, const char *user, const struct way way[static ROUTE_COUNT], const int64_t used[static ROUTE_COUNT],
    int64_t now)
{
	struct error e = { .code = ERR_NONE };
	struct rescue all = { 0 };
	struct gate_conf c;

	ctl_conf(ctl, "", &c);
	/* What cannot be used is no proof of anything, and is written anew. */
	if (!rescue_read(c.state_dir, &all, &e))
		all.n = 0;
	for (unsigned r = 0; r < ROUTE_COUNT; r++) {
		struct rescue_proof p = { .wall = now, .route = (enum rescue_route)r, .how = used[r] ? HOW_USED : HOW_DECISION };

		snprintf(p.user, sizeof(p.user), "%s", user);
		if (way[r].holds)
			rescue_add(&all, &p);
	}
	if (!rescue_write(c.state_dir, &all, &e))
		return ctl_wrong(ctl, access(c.state_dir, W_OK) < 0 && errno == EACCES ? EXIT_PERMISSION : EXIT_USAGE, "%s", e.why);
	return EXIT_GOOD;
}

int
cmd_rescue(const struct ctl *ctl, int argc, char **argv)
{
	const char *word[2] = { NULL, NULL }, *dry_run = NULL;
	const struct ctl_option options[] = { { "--dry-run", &dry_run, NULL, "prove, and record nothing" } };
	int64_t used[ROUTE_COUNT] = { 0 }, now = clock_now().wall;
	struct way way[ROUTE_COUNT];
	bool holds = false;
	int code = EXIT_GOOD;

	if (!ctl_options(ctl, argc, argv, options, COUNT(options), word))
		return EXIT_USAGE;
	if (!word[0] || strcmp(word[0], "test") != 0 || !word[1] || !rescue_user_ok(word[1]))
		return ctl_wrong(ctl, EXIT_USAGE, "wants: attestctl rescue test USER");
	ways_try(ctl, word[1], way);
	for (unsigned r = 0; r < ROUTE_COUNT; r++)
		holds |= way[r].holds;
	if (holds)
		find_uses(ctl, now - (int64_t)RESCUE_DAYS * 24 * 3600 * 1000, used);
	if (holds && !dry_run)
		code = record(ctl, word[1], way, used, now);
	if (code != EXIT_GOOD)
		return code;
	if (ctl->json)
		code = print_json(ctl, word[1], way, used, holds && !dry_run);
	else if (!ctl->quiet)
		print_text(ctl, word[1], way, used, holds, holds && !dry_run);
	return code ? code : holds ? EXIT_GOOD : EXIT_CONTRAINDICATED;
}
