/* attestctl config: the values in force, as sshd -T prints its own; and with --origin the lines that they come from. */
#include "attestctl.h"
#include "json.h"
#include "origins.h"
#include "scope.h"
#include "show.h"

enum { PATHS, NSS, SERVICE, SECTIONS };
static const char *const names[SECTIONS] = { "paths", "nss", "service" };

struct print {
	const struct origins *origins;
	bool        origin;                      /* say where each value comes from */
	const char *wanted[SECTIONS];            /* sections to be printed; NULL: not that one. The name that it gets */
	const char *last;
	struct json *values[SECTIONS], *from[SECTIONS];     /* instead of printing */
};

static void
print_value(void *arg, const char *section, const char *key, const char *value)
{
	struct print *p = arg;
	const char *at = origins_of(p->origins, section, key);

	for (unsigned i = 0; i < SECTIONS; i++) {
		if (strcmp(names[i], section) != 0)
			continue;
		if (p->values[i]) {
			json_put_text(p->values[i], key, value);
			json_put_text(p->from[i], key, at);
		} else if (p->wanted[i]) {
			if (!p->last || strcmp(p->last, p->wanted[i]) != 0)
				printf("[%s]\n", p->wanted[i]);
			p->last = p->wanted[i];
			printf("%s = %s%s%s\n", key, value, p->origin ? "  ; " : "", !p->origin ? "" : at[0] ? at : "built in");
		}
	}
}

/* A service's own values, with where they come from. */
static struct json *
service_json(const struct ctl *ctl, const char *name)
{
	struct json *one = json_new();
	static struct origins origins;
	struct print p = { .origins = &origins };
	struct gate_conf c;

	ctl_conf(ctl, name, &c);
	origins_read(ctl->conf, name, &origins);
	for (unsigned i = 0; i < SECTIONS; i++) {
		p.values[i] = json_new();
		p.from[i] = json_new();
	}
	gate_conf_each(&c, print_value, &p);
	json_put_text(one, "name", name);
	json_put_bool(one, "named", c.named);
	for (unsigned i = 0; i < SERVICE; i++) {
		json_free(p.values[i]);
		json_free(p.from[i]);
	}
	json_put(one, "service", p.values[SERVICE]);
	json_put(one, "origin", p.from[SERVICE]);
	return one;
}

static int
print_json(const struct ctl *ctl, const struct gate_conf *c, const char *name, const struct services *all)
{
	own(json) struct json *j = json_new();
	struct json *origin = json_new(), *services = json_new_list();
	static struct origins origins;
	struct print p = { .origins = &origins };

	origins_read(ctl->conf, name, &origins);
	for (unsigned i = 0; i < SECTIONS; i++) {
		p.values[i] = json_new();
		p.from[i] = json_new();
	}
	gate_conf_each(c, print_value, &p);
	json_put_int(j, "schema", 1);
	json_put_text(j, "file", c->file);
	json_put_text(j, "name", name);
	json_put_bool(j, "named", c->named);
	for (unsigned i = 0; i < SECTIONS; i++) {
		json_put(j, names[i], p.values[i]);
		json_put(origin, names[i], p.from[i]);
	}
	json_put(j, "origin", origin);
	for (unsigned i = 0; i < all->n; i++)
		json_add(services, service_json(ctl, all->name[i]));
	json_put(j, "services", services);
	json_put_text(j, "error", c->bad ? c->error.why : "");
	return show_json(ctl, j);
}

static void
print_text(const struct ctl *ctl, const struct gate_conf *c, const char *name, bool origin, bool general)
{
	static struct origins origins;
	struct print p = { .origins = &origins, .origin = origin, .wanted = { general ? "paths" : NULL, general ? "nss" : NULL, name } };

	origins_read(ctl->conf, name, &origins);
	gate_conf_each(c, print_value, &p);
}

int
cmd_config(const struct ctl *ctl, int argc, char **argv)
{
	static struct services all;
	const char *service = NULL, *origin = NULL;
	const struct ctl_option table[] = {
		{ "--origin", &origin, NULL, "say behind each value from which line it comes" },
	};
	struct gate_conf c, one;
	struct error e;
	int code = EXIT_GOOD;

	if (!ctl_options(ctl, argc, argv, table, COUNT(table), &service))
		return EXIT_USAGE;
	ctl_conf(ctl, service ? service : "default", &c);
	/* What cannot be read is said by c.bad. */
	if (service || !ctl_services(ctl, &all, &e))
		all.n = 0;
	if (ctl->quiet)
		return c.bad ? EXIT_USAGE : EXIT_GOOD;
	if (ctl->json) {
		code = print_json(ctl, &c, service ? service : "default", &all);
	} else {
		print_text(ctl, &c, service ? service : "default", origin, true);
		for (unsigned i = 0; i < all.n; i++) {
			ctl_conf(ctl, all.name[i], &one);
			print_text(ctl, &one, all.name[i], origin, false);
		}
	}
	return c.bad ? ctl_wrong(ctl, EXIT_USAGE, "%s", c.error.why) : code;
}
