/* attestctl status, attest, explain: what attestd knows, now, after a fresh quote, or of one decision. */
#include "ask.h"
#include "scope.h"

enum { STATUS_MS = 5000, ATTEST_MS = 35000 };

static int
ask_verb(const struct ctl *ctl, const char *verb, const char *ref, int timeout_ms)
{
	own(told) struct told told = { 0 };
	struct error e = { .code = ERR_NONE };
	struct local_out o;
	int code;

	local_open(&o);
	local_put(&o, "verb", verb);
	local_put_number(&o, "wait_ms", timeout_ms - 1000);
	if (ref)
		local_put(&o, "ref", ref);
	if (!local_end(&o, &e))
		return ctl_wrong(ctl, EXIT_USAGE, "%s", e.why);
	code = ctl_ask(ctl, &o, timeout_ms, &told);
	return code == EXIT_GOOD ? ctl_show(ctl, &told) : code;
}

int
cmd_status(const struct ctl *ctl, int argc, char **argv)
{
	if (!ctl_options(ctl, argc, argv, NULL, 0, NULL))
		return EXIT_USAGE;
	return ask_verb(ctl, "status", NULL, STATUS_MS);
}

int
cmd_attest(const struct ctl *ctl, int argc, char **argv)
{
	if (!ctl_options(ctl, argc, argv, NULL, 0, NULL))
		return EXIT_USAGE;
	return ask_verb(ctl, "attest", NULL, ATTEST_MS);
}

int
cmd_explain(const struct ctl *ctl, int argc, char **argv)
{
	const char *typed = NULL;
	char ref[REF_TEXT];

	if (!ctl_options(ctl, argc, argv, NULL, 0, &typed))
		return EXIT_USAGE;
	if (typed && !ref_read(typed, ref))
		return ctl_wrong(ctl, EXIT_USAGE, "%s: not a reference", typed);
	return ask_verb(ctl, "explain", typed ? ref : NULL, STATUS_MS);
}
