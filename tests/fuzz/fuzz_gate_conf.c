/* gate.conf with anything in it: it always ends in something to decide with, and never in more than it says. */
#include "file.h"
#include "gate_conf.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_value(void *arg, const char *section, const char *key, const char *value)
{
	(void)arg;
	if (!section[0] || !key[0] || strlen(value) >= 1024)
		abort();
}

static void
check_service(void *arg, const char *service)
{
	(void)arg;
	if (!service[0])
		abort();
}

static void
check(const struct gate_conf *c)
{
	if (c->nsources < 1 || c->nsources > GATE_SOURCES_MAX || (unsigned)c->mode >= MODE_COUNT || c->timeout < 1000)
		abort();
	for (unsigned i = 0; i < c->nsources; i++)
		if (c->sources[i].action[STATE_CONTRAINDICATED] == ACTION_PERMIT)
			abort();
	if (c->bad != (c->error.code != ERR_NONE))
		abort();
	gate_conf_each(c, check_value, NULL);
}

/* The group's short reading says of [nss] and [paths] what the whole one says, and is as strict about them. */
static void
check_nss(const struct gate_conf *whole, const char *path)
{
	struct gate_conf c;

	if (!gate_conf_read_nss(&c, path)) {
		if (!whole->bad)
			abort();
		return;
	}
	if (whole->unreadable || c.nss_gid != whole->nss_gid || c.nss_warning != whole->nss_warning ||
	    strcmp(c.nss_group, whole->nss_group) != 0 || strcmp(c.run_dir, whole->run_dir) != 0 ||
	    strcmp(c.group, whole->group) != 0 || strcmp(c.owner, whole->owner) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char path[64], option[80];
	const char *const argv[] = { option };
	struct gate_conf c;
	struct error e;

	snprintf(path, sizeof(path), "/tmp/fuzz_gate_conf.%ld", (long)getpid());
	snprintf(option, sizeof(option), "conf=%s", path);
	if (!file_replace(path, p, n, 0600, false, &e))
		abort();
	gate_conf_read(&c, "sshd", 1, argv, NULL, NULL);
	check(&c);
	check_nss(&c, path);
	if (!gate_conf_services(path, check_service, NULL, &e) && !e.why[0])
		abort();
	unlink(path);
	return 0;
}
