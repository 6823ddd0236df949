/* attestctl config: the values in force, as sshd -T prints its own. */
#include "attestctl.h"
#include "json.h"
#include "scope.h"

struct print { struct json *section[3]; bool json; const char *last; const char *service; };

static void
print_value(void *arg, const char *section, const char *key, const char *value)
{
	static const char *const names[] = { "paths", "nss", "service" };
	struct print *p = arg;

	if (p->json) {
		for (unsigned i = 0; i < COUNT(names); i++)
			if (!strcmp(names[i], section))
				json_put_text(p->section[i], key, value);
		return;
	}
	if (!p->last || strcmp(p->last, section) != 0)
		printf("[%s]\n", strcmp(section, "service") ? section : p->service);
	p->last = section;
	printf("%s = %s\n", key, value);
}

static int
print_json(const struct ctl *ctl, const struct gate_conf *c, const char *service)
{
	own(json) struct json *all = json_new();
	own(mem) char *text = NULL;
	struct print p = { .json = true, .section = { json_new(), json_new(), json_new() } };
	struct error e;
	size_t len;

	gate_conf_each(c, print_value, &p);
	json_put_int(all, "schema", 1);
	json_put_text(all, "file", c->file);
	json_put_text(all, "name", service);
	json_put_bool(all, "named", c->named);
	json_put(all, "paths", p.section[0]);
	json_put(all, "nss", p.section[1]);
	json_put(all, "service", p.section[2]);
	if (c->bad)
		json_put_text(all, "error", c->error.why);
	if (!json_print(all, true, &text, &len, &e))
		return ctl_wrong(ctl, EXIT_BROKEN, "%s", e.why);
	puts(text);
	return EXIT_GOOD;
}

int
cmd_config(const struct ctl *ctl, int argc, char **argv)
{
	const char *service = NULL;
	struct print p = { .json = false };
	struct gate_conf c;
	int code;

	if (!ctl_options(ctl, argc, argv, NULL, 0, &service))
		return EXIT_USAGE;
	ctl_conf(ctl, service ? service : "default", &c);
	p.service = service ? service : "default";
	code = EXIT_GOOD;
	if (!ctl->quiet && ctl->json)
		code = print_json(ctl, &c, p.service);
	else if (!ctl->quiet)
		gate_conf_each(&c, print_value, &p);
	return c.bad ? ctl_wrong(ctl, EXIT_USAGE, "%s", c.error.why) : code;
}
