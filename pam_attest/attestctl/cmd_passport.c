/* attestctl passport: a code that says once, to one relying party, that this machine is good. attest-vpn(7). */
#include "ask.h"
#include "file.h"
#include "prompt.h"
#include "result.h"
#include "scope.h"
#include "show.h"

enum { PASSPORT_MS = 15000 };

static bool
allows(const char *path, const struct prompt *p)
{
	own(mem) uint8_t *text = NULL;
	struct error e;
	size_t len;

	return file_load(path, AUDIENCES_FILE_MAX, &text, &len, &e) && prompt_allowed((const char *)text, len, p);
}

/* The user's own list, and the administrator's. */
static bool
allowed(const char *given, const struct prompt *p)
{
	const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
	char path[GATE_PATH_MAX];

	if (given)
		return allows(given, p);
	if (config && config[0] == '/' && (size_t)snprintf(path, sizeof(path), "%s/attest/audiences", config) < sizeof(path) &&
	    allows(path, p))
		return true;
	if (home && home[0] == '/' && (size_t)snprintf(path, sizeof(path), "%s/.config/attest/audiences", home) < sizeof(path) &&
	    allows(path, p))
		return true;
	return allows("/etc/attest/audiences", p);
}

static int
show(const struct ctl *ctl, const struct told *t)
{
	own(json) struct json *j = NULL;
	char next[REASON_ADVICE_TEXT];

	if (!t->ok)
		return ctl_wrong(ctl, EXIT_NONE, "%s", t->error);
	if (ctl->json) {
		j = json_new();
		json_put_int(j, "schema", 1);
		json_put_text(j, "state", state_word(reason_state(t->reason)));
		json_put_text(j, "reason", reason_code(t->reason));
		json_put_text(j, "ref", t->ref);
		json_put_text(j, "code", t->code);
		if (show_json(ctl, j) != EXIT_GOOD)
			return EXIT_BROKEN;
	} else if (t->code[0]) {
		puts(t->code);
	}
	if (t->code[0])
		return EXIT_GOOD;
	reason_advice(t->reason, t->ref, "", next);
	return ctl_wrong(ctl, ctl_exit(t->reason) ? ctl_exit(t->reason) : EXIT_NONE, "%s (%s).%s%s Next: %s", reason_text(t->reason),
	    reason_code(t->reason), t->ref[0] ? " Ref " : "", t->ref, next);
}

static int
ask(const struct ctl *ctl, const char *audience, const char *user)
{
	own(told) struct told told = { 0 };
	struct local_out o;
	int code;

	local_open(&o);
	local_put(&o, "verb", "passport");
	local_put_number(&o, "wait_ms", PASSPORT_MS - 1000);
	local_put(&o, "audience", audience);
	local_put(&o, "user", user);
	code = ctl_ask(ctl, &o, PASSPORT_MS, &told);
	return code == EXIT_GOOD ? show(ctl, &told) : code;
}

int
cmd_passport(const struct ctl *ctl, int argc, char **argv)
{
	const char *audience = NULL, *user = NULL, *typed = NULL, *list = NULL;
	const struct ctl_option table[] = {
		{ "--audience", &audience, "NAME", "the relying party that it is for" },
		{ "--user", &user, "USER", "the name that you have there" },
		{ "--prompt", &typed, "TEXT", "take both from ssh's prompt, if the audience is one of the list" },
		{ "--audiences", &list, "FILE", "that list [~/.config/attest/audiences, /etc/attest/audiences]" },
	};
	struct prompt p;

	if (!ctl_options(ctl, argc, argv, table, COUNT(table), NULL))
		return EXIT_USAGE;
	if (!typed) {
		if (!audience || !user || list)
			return ctl_wrong(ctl, EXIT_USAGE, "--audience and --user are wanted, or --prompt");
		if (!audience_ok(audience) || !passport_user_ok(user))
			return ctl_wrong(ctl, EXIT_USAGE, "audience: letters, digits, '.', '-', '_'; user: printable, without spaces");
		return ask(ctl, audience, user);
	}
	if (audience || user || !prompt_read(typed, &p))
		return ctl_wrong(ctl, EXIT_USAGE, "not ssh's prompt for a passport");
	if (!allowed(list, &p))
		return ctl_wrong(ctl, EXIT_PERMISSION, "%s asks for a passport for %s, which your list of audiences does not have for it",
		    p.host, p.audience);
	return ask(ctl, p.audience, p.user);
}
