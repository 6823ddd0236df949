/* The services that gate.conf names, each once. */
#include "attestctl.h"
#include "scope.h"

static void
take(void *arg, const char *service)
{
	struct services *s = arg;

	for (unsigned i = 0; i < s->n; i++)
		if (!strcmp(s->name[i], service))
			return;
	if (s->n == SERVICES_LISTED || strlen(service) >= GATE_NAME_MAX)
		s->cut = true;
	else
		strcpy(s->name[s->n++], service);
}

bool
ctl_services(const struct ctl *ctl, struct services *out, struct error *e)
{
	*out = (struct services){ 0 };
	return gate_conf_services(ctl->conf, take, out, e);
}
