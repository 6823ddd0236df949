/* attestctl recover: a recovery code, as somebody reads it out or types it. */
#include "ask.h"
#include "lease.h"
#include "scope.h"

enum { RECOVER_MS = 5000 };

/* Of the lease that is new: its end and its name. */
static int
finish(const struct ctl *ctl, const struct told *t)
{
	char until[32] = "", id[32] = "";
	const struct json *lease;
	struct error e;
	unsigned count;
	bool overrules = false;

	if (!t->ok)
		return ctl_refused(ctl, t, EXIT_CONTRAINDICATED);
	if (ctl->json)
		(void)ctl_show(ctl, t);
	if (ctl->json || ctl->quiet)
		return EXIT_GOOD;
	if (!t->json || !json_list(t->json, "lease", LEASES_MAX, &count, &e) || !count)
		return ctl_wrong(ctl, EXIT_NONE, "attestd sent no details");
	lease = json_item(t->json, "lease", 0);
	if (!json_text(lease, "expires", until, sizeof(until), &e) || !json_text(lease, "id", id, sizeof(id), &e) ||
	    !json_flag(lease, "overrules_refusal", &overrules, &e))
		return ctl_wrong(ctl, EXIT_NONE, "%s", e.why);
	printf("the gates of this host let people in until %s (lease %s)%s\n", until, id,
	    overrules || reason_state(t->reason) != STATE_CONTRAINDICATED ? "" :
	    ",\nbut not while it is refused: ask for a code with --overrule-refusal");
	return EXIT_GOOD;
}

int
cmd_recover(const struct ctl *ctl, int argc, char **argv)
{
	const char *code = NULL;
	own(told) struct told told = { 0 };
	struct local_out o;
	int rc;

	if (!ctl_options(ctl, argc, argv, NULL, 0, &code))
		return EXIT_USAGE;
	if (!code)
		return ctl_wrong(ctl, EXIT_USAGE, "wants the code that verifierctl allow --print gave");
	local_open(&o);
	local_put(&o, "verb", "recover");
	local_put(&o, "recovery", code);
	rc = ctl_ask(ctl, &o, RECOVER_MS, &told);
	return rc == EXIT_GOOD ? finish(ctl, &told) : rc;
}
