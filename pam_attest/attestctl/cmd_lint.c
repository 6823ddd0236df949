/* attestctl lint: what is wrong in gate.conf and in the PAM stacks, and what is allowed and dangerous. */
#include <stdarg.h>
#include "json.h"
#include "lint.h"
#include "scope.h"

static void __attribute__((format(printf, 4, 5)))
add(struct findings *all, enum finding_code code, const struct gate_conf *c, const char *fmt, ...)
{
	char why[200], text[FINDING_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "[%.40s] %s", c->service, why);
	finding_add(all, code, c->service, c->file, text);
}

static void
take_error(void *arg, const struct error *e)
{
	finding_add(arg, FOUND_CONF, "", "", e->why);
}

static void
take_service(void *arg, const char *service)
{
	struct findings *all = arg;

	for (unsigned i = 0; i < all->services; i++)
		if (!strcmp(all->service[i], service))
			return;
	if (all->services < SERVICES_MAX && strlen(service) < GATE_NAME_MAX)
		strcpy(all->service[all->services++], service);
	else
		finding_add(all, FOUND_CONF, "", "", "more sections than lint can hold, or a service name that is too long");
}

static bool
has(const struct gate_conf *c, enum source s)
{
	for (unsigned i = 0; i < c->nsources; i++)
		if (c->sources[i].source == s)
			return true;
	return false;
}

static void
judge_sources(struct findings *all, const struct gate_conf *c)
{
	bool console = !strcmp(c->service, "login") || c->consoles;

	if (has(c, SOURCE_CACHE) && (has(c, SOURCE_PEER) || has(c, SOURCE_PASSPORT)))
		add(all, FOUND_CACHE_AND_PEER, c, "sources: cache judges this host, peer and passport the connecting one; not both");
	for (unsigned i = 0; i < c->nsources; i++) {
		const struct source_rule *r = &c->sources[i];

		if (!console && (r->action[STATE_NONE] == ACTION_PERMIT || r->action[STATE_BROKEN] == ACTION_PERMIT))
			add(all, FOUND_OPENS, c, "sources: an attacker can bring about none and broken, and %s permits them off a local console",
			    source_word(r->source));
	}
	if (c->mode == MODE_ENFORCE && !has(c, SOURCE_EXEMPT))
		add(all, FOUND_NO_EXEMPT, c, "sources: without exempt there is no way in when everything else is down");
}

static void
judge(struct findings *all, const struct gate_conf *c)
{
	judge_sources(all, c);
	if (c->max_age && c->max_age < 10 * 60 * 1000)
		add(all, FOUND_MAX_AGE, c, "max_age is shorter than attestd's renewal (66%% of 15 min as shipped): accesses wait for a quote");
	if (c->kill_all)
		add(all, FOUND_KILL_ALL, c, "kill_switch = all: whoever can write one file or the kernel command line opens this service");
	if (c->success_ok)
		add(all, FOUND_SUCCESS_OK, c, "success_ok: in an auth stack a verdict on the machine may log a user in");
	if (c->until && c->until <= clock_now().wall)
		add(all, FOUND_TRIAL_OVER, c, "until has passed: enforce acts as audit");
}

static int
print_json(const struct ctl *ctl, const struct findings *all)
{
	own(json) struct json *j = json_new();
	struct json *errors = json_new_list(), *warnings = json_new_list();
	own(mem) char *text = NULL;
	struct error e;
	size_t len;

	json_put_int(j, "schema", 1);
	for (unsigned i = 0; i < all->n; i++)
		json_add_text(finding_severity(all->item[i].code) == SEVERITY_ERROR ? errors : warnings, all->item[i].text);
	json_put(j, "errors", errors);
	json_put(j, "warnings", warnings);
	if (!json_print(j, true, &text, &len, &e))
		return ctl_wrong(ctl, EXIT_BROKEN, "%s", e.why);
	puts(text);
	return EXIT_GOOD;
}

void
lint_conf(const struct ctl *ctl, struct findings *all)
{
	char conf[GATE_PATH_MAX + 8];
	const char *const argv[] = { conf };
	struct gate_conf c;
	struct error e;

	snprintf(conf, sizeof(conf), "conf=%s", ctl->conf);
	gate_conf_read(&c, "default", COUNT(argv), argv, take_error, all);
	if (c.unreadable)
		return;
	judge(all, &c);
	if (strcmp(c.owner, "root") != 0 && strcmp(c.owner, "0") != 0 && !gate_owner(&c))
		finding_add(all, FOUND_OWNER, "", "", "[paths] owner: no such user; only a record that root wrote will count");
	if (!gate_conf_services(c.file, take_service, all, &e))
		take_error(all, &e);
	for (unsigned i = 0; i < all->services; i++) {
		gate_conf_read(&c, all->service[i], COUNT(argv), argv, take_error, all);
		judge(all, &c);
	}
}

int
cmd_lint(const struct ctl *ctl, int argc, char **argv)
{
	static struct findings all;
	const char *folder = "/etc/pam.d";
	const struct ctl_option table[] = { { "--pam-dir", &folder, "DIR", "the folder of PAM stacks [/etc/pam.d]" } };
	int code = EXIT_GOOD;

	if (!ctl_options(ctl, argc, argv, table, COUNT(table), NULL))
		return EXIT_USAGE;
	lint_conf(ctl, &all);
	lint_stacks(ctl, folder, &all);
	if (!ctl->quiet && ctl->json)
		code = print_json(ctl, &all);
	else if (!ctl->quiet)
		for (unsigned i = 0; i < all.n; i++)
			printf("%s: %s\n", severity_word(finding_severity(all.item[i].code)), all.item[i].text);
	return all.errors ? EXIT_USAGE : code;
}
