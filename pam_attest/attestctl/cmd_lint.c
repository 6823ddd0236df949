/* attestctl lint: what is wrong in gate.conf and in the PAM stacks, and what is allowed and dangerous. */
#include <stdarg.h>
#include "attestd_conf.h"
#include "groups.h"
#include "json.h"
#include "lint.h"
#include "scope.h"
#include "show.h"

/* verifierd.conf(5), lifetime, as shipped. */
enum { LIFETIME_DEFAULT_MS = 15 * 60 * 1000 };

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
	if (has(c, SOURCE_PEER) && gate_person_answers(c->service))
		add(all, FOUND_PEER_TYPED, c, "sources: peer: people answer this service's prompts, and could name any machine");
	else if (has(c, SOURCE_PEER) && !c->peer_prompt)
		add(all, FOUND_PEER_UNNAMED, c, "sources: peer without peer_prompt = yes: nobody says which machine connects");
	if (has(c, SOURCE_PASSPORT) && !c->audience[0])
		add(all, FOUND_NO_AUDIENCE, c, "sources: passport without audience: no passport can be for this service");
	for (unsigned i = 0; i < c->nsources; i++) {
		const struct source_rule *r = &c->sources[i];

		if (!console && (r->action[STATE_NONE] == ACTION_PERMIT || r->action[STATE_BROKEN] == ACTION_PERMIT))
			add(all, FOUND_OPENS, c, "sources: an attacker can bring about none and broken, and %s permits them off a local console",
			    source_word(r->source));
	}
	if (c->mode == MODE_ENFORCE && !has(c, SOURCE_EXEMPT))
		add(all, FOUND_NO_EXEMPT, c, "sources: without exempt there is no way in when everything else is down");
}

static int
print_json(const struct ctl *ctl, const struct findings *all)
{
	own(json) struct json *j = json_new();
	struct json *errors = json_new_list(), *warnings = json_new_list();

	json_put_int(j, "schema", 1);
	for (unsigned i = 0; i < all->n; i++)
		json_add_text(finding_severity(all->item[i].code) == SEVERITY_ERROR ? errors : warnings, all->item[i].text);
	json_put(j, "errors", errors);
	json_put(j, "warnings", warnings);
	return show_json(ctl, j);
}

/* Words of a list that somebody meant as a pattern: no name has such a letter. */
static void
judge_names(struct findings *all, const struct gate_conf *c, const char *key, const char *list)
{
	const char *bad = strpbrk(list, "*?!%@,[");

	if (bad)
		add(all, FOUND_PATTERN, c, "%s: '%c' in \"%.80s\": names with blanks between, and nothing else", key, *bad, list);
}

/* The group that opens when all else fails: one that is not there helps nobody, one that everybody is in gates nobody. */
static void
judge_break_glass(struct findings *all, const struct gate_conf *c)
{
	struct group_facts g;

	judge_names(all, c, "breakglass_group", c->breakglass_group);
	if (!c->breakglass_group[0] || !group_look(c->group, c->passwd, c->breakglass_group, &g))
		return;
	if (g.ordinary >= GROUP_WIDE)
		add(all, FOUND_GLASS_WIDE, c, "breakglass_group = %s: it is the own group of %u users, and all of them are let in", c->breakglass_group, g.ordinary);
	else if (!g.there)
		add(all, FOUND_GLASS_MISSING, c, "breakglass_group = %s: not in %s; a directory service's group does not count", c->breakglass_group, c->group);
	else if (!g.members && !g.ordinary)
		add(all, FOUND_GLASS_EMPTY, c, "breakglass_group = %s: no member in %s; those of a directory service do not count", c->breakglass_group, c->group);
}

/* Terminals that whoever comes over the network is given. */
static void
judge_consoles(struct findings *all, const struct gate_conf *c)
{
	judge_names(all, c, "console_ttys", c->console_ttys);
	for (const char *w = c->console_ttys; *(w += strspn(w, " \t")); w += strcspn(w, " \t"))
		if (!strncmp(w, "pts", 3) || !strncmp(w, "ssh", 3))
			add(all, FOUND_CONSOLE_ROOT, c, "console_ttys: %.*s is a terminal of the network", (int)strcspn(w, " \t"), w);
}

/* When attestd renews a verdict, in ms; by the lifetime of the one on record, else by what verifierd gives as shipped. */
static int64_t
renewal(const struct gate_conf *c, unsigned *percent)
{
	int64_t lifetime = LIFETIME_DEFAULT_MS;
	char path[GATE_PATH_MAX];
	struct attestd_conf a;
	struct record r;
	struct error e;

	attestd_conf_parse("", 0, &a);
	if (gate_conf_beside(c, "attestd.conf", path, sizeof(path)))
		attestd_conf_read(path, &a);
	if (ctl_record(c, &r, &e) && r.expires_wall > r.issued_wall)
		lifetime = r.expires_wall - r.issued_wall;
	*percent = a.renew;
	return lifetime * a.renew / 100;
}

static void
judge_max_age(struct findings *all, const struct gate_conf *c)
{
	unsigned percent;
	int64_t interval;

	if (!c->max_age)
		return;
	interval = renewal(c, &percent);
	if (c->max_age < interval)
		add(all, FOUND_MAX_AGE, c, "max_age is %lld s, and attestd renews after %lld s (renew = %u%%): accesses wait for a quote",
		    (long long)c->max_age / 1000, (long long)interval / 1000, percent);
}

/* base: [default], or NULL for itself. What a section has from there was judged there. */
static void
judge(struct findings *all, const struct gate_conf *c, const struct gate_conf *base)
{
	judge_sources(all, c);
	judge_max_age(all, c);
	if (!base || strcmp(base->exempt_user, c->exempt_user) != 0)
		judge_names(all, c, "exempt_user", c->exempt_user);
	if (!base || strcmp(base->breakglass_group, c->breakglass_group) != 0)
		judge_break_glass(all, c);
	if (!base || strcmp(base->console_ttys, c->console_ttys) != 0)
		judge_consoles(all, c);
	if (c->kill_all)
		add(all, FOUND_KILL_ALL, c, "kill_switch = all: whoever can write one file or the kernel command line opens this service");
	if (c->success_ok)
		add(all, FOUND_SUCCESS_OK, c, "success_ok: in an auth stack a verdict on the machine may log a user in");
	if (c->until && c->until <= clock_now().wall)
		add(all, FOUND_TRIAL_OVER, c, "until has passed: enforce acts as audit");
}

void
lint_conf(const struct ctl *ctl, struct findings *all)
{
	struct gate_conf base, c;
	struct error e;

	ctl_conf_report(ctl, "default", &base, take_error, all);
	if (base.unreadable)
		return;
	judge(all, &base, NULL);
	if (strcmp(base.owner, "root") != 0 && strcmp(base.owner, "0") != 0 && !gate_owner(&base))
		finding_add(all, FOUND_OWNER, "", "", "[paths] owner: no such user; only a record that root wrote will count");
	if (!gate_conf_services(base.file, take_service, all, &e))
		take_error(all, &e);
	for (unsigned i = 0; i < all->services; i++) {
		ctl_conf_report(ctl, all->service[i], &c, take_error, all);
		judge(all, &c, &base);
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
	if (ctl->json)
		code = print_json(ctl, &all);
	else if (!ctl->quiet)
		for (unsigned i = 0; i < all.n; i++)
			printf("%s: %s\n", severity_word(finding_severity(all.item[i].code)), all.item[i].text);
	return all.errors ? EXIT_USAGE : code;
}
