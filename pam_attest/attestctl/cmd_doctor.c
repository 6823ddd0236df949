/* attestctl doctor: everything that is known to go wrong with a gate, looked for on this machine. */
#include <stdarg.h>
#include "doctor.h"
#include "scope.h"
#include "show.h"

static const struct { void (*run)(struct checkup *); const char *what; } checks[] = {
#define X(name, what) { name, what },
	CHECKS(X)
#undef X
};

enum { STATUS_MS = 5000 };

void
found(struct checkup *c, enum finding_code code, const char *service, const char *file, const char *fmt, ...)
{
	char text[FINDING_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	finding_add(c->all, code, service, file, text);
}

const char *
under(const struct checkup *c, const char *path, char out[static UNDER_MAX])
{
	snprintf(out, UNDER_MAX, "%s%s", c->root, path);
	return out;
}

static bool
ask_status(const struct checkup *c, struct told *told, struct error *e)
{
	struct local_out o;

	local_open(&o);
	local_put(&o, "verb", "status");
	if (!local_end(&o, e) || !ctl_try(&c->ctl, &o, STATUS_MS, told, e))
		return false;
	return (told->ok && told->json) || err_set(e, ERR_FORMAT, "%s", told->error[0] ? told->error : "attestd sent no status");
}

static struct json *
finding_json(const struct finding *f)
{
	struct json *j = json_new();

	json_put_text(j, "code", finding_word(f->code));
	json_put_text(j, "severity", severity_word(finding_severity(f->code)));
	json_put_text(j, "text", f->text);
	json_put_text(j, "meaning", finding_meaning(f->code));
	json_put_text(j, "fix", f->fix);
	return j;
}

static int
print_json(const struct ctl *ctl, const struct findings *all)
{
	own(json) struct json *j = json_new();
	struct json *list = json_new_list();

	json_put_int(j, "schema", 1);
	json_put_int(j, "checks", COUNT(checks));
	json_put_int(j, "errors", all->errors);
	json_put_int(j, "warnings", all->warnings);
	json_put_int(j, "unknown", all->unknown);
	for (unsigned i = 0; i < all->n; i++)
		json_add(list, finding_json(&all->item[i]));
	json_put(j, "findings", list);
	return show_json(ctl, j);
}

static void
print_text(const struct findings *all)
{
	for (unsigned s = 0; s < SEVERITY_COUNT; s++)
		for (unsigned i = 0; i < all->n; i++) {
			const struct finding *f = &all->item[i];

			if (finding_severity(f->code) == (enum severity)s)
				printf("%-8s %s\n         %s (%s)\n         do: %s\n", severity_word((enum severity)s), f->text,
				    finding_meaning(f->code), finding_word(f->code), f->fix);
		}
	if (all->n == FINDINGS_MAX)
		printf("and more than can be shown\n");
	printf("%zu checks: %u errors, %u warnings, %u could not be made\n", COUNT(checks), all->errors, all->warnings, all->unknown);
}

static void
list_checks(void)
{
	for (size_t i = 0; i < COUNT(checks); i++)
		printf("%s\n", checks[i].what);
}

static bool
any_enforced(const struct checkup *c)
{
	struct gate_conf one;

	for (unsigned i = 0; i < c->all->services; i++) {
		ctl_conf(&c->ctl, c->all->service[i], &one);
		if (one.mode == MODE_ENFORCE)
			return true;
	}
	return c->conf.mode == MODE_ENFORCE;
}

int
cmd_doctor(const struct ctl *ctl, int argc, char **argv)
{
	const char *root = "", *pam_dir = NULL, *list = NULL;
	const struct ctl_option table[] = {
		{ "--pam-dir", &pam_dir, "DIR", "the folder of PAM stacks [/etc/pam.d]" },
		{ "--root",    &root,    "DIR", "look at the files of another machine, which is mounted there" },
		{ "--list",    &list,    NULL,  "only say what would be looked at" },
	};
	static struct checkup c;
	static struct findings all;
	own(told) struct told told = { 0 };
	char conf[UNDER_MAX], stacks[UNDER_MAX], attestd[GATE_PATH_MAX];
	int code = EXIT_GOOD;

	if (!ctl_options(ctl, argc, argv, table, COUNT(table), NULL))
		return EXIT_USAGE;
	if (list) {
		list_checks();
		return EXIT_GOOD;
	}
	c = (struct checkup){ .ctl = *ctl, .root = root, .all = &all, .now = clock_now() };
	c.ctl.root = root;
	c.ctl.conf = under(&c, ctl->conf, conf);
	c.pam_dir = pam_dir ? pam_dir : under(&c, "/etc/pam.d", stacks);
	ctl_conf(&c.ctl, "default", &c.conf);
	if (gate_conf_beside(&c.conf, "attestd.conf", attestd, sizeof(attestd)))
		attestd_conf_read(attestd, &c.attestd);
	if (ask_status(&c, &told, &c.unanswered))
		c.status = told.json;
	lint_conf(&c.ctl, &all);
	c.enforced = any_enforced(&c);
	for (size_t i = 0; i < COUNT(checks); i++)
		checks[i].run(&c);
	if (ctl->json)
		code = print_json(ctl, &all);
	else if (!ctl->quiet)
		print_text(&all);
	return all.errors ? EXIT_CONTRAINDICATED : code;
}
