/*
 * The source `peer`: the machine that connects, by the name that the service itself has authenticated. OpenVPN's plugin
 * answers the prompt below with the name in the client's certificate (COMMONNAME); the user types nothing.
 */
#include <string.h>
#include "gate_ask.h"
#include "scope.h"

#define PEER_PROMPT "attest-peer: "

/* Here a person answers every prompt, and could name any machine. */
bool
gate_person_answers(const char *service)
{
	static const char *const services[] = {
		"sshd", "login", "su", "su-l", "sudo", "sudo-i", "runuser", "runuser-l", "polkit-1", "ocserv", "gdm-password",
		"lightdm", "sddm", "xrdp-sesman", "cockpit", "vsftpd", "dovecot",
	};

	for (unsigned i = 0; i < COUNT(services); i++)
		if (!strcmp(service, services[i]))
			return true;
	return false;
}

/* False: nobody who may be believed says which machine it is. */
static bool
name_of_peer(const struct facts *f, char name[static GATE_NAME_MAX])
{
	const struct gate_request *q = f->request;

	/* Both names: who answers is the same, whatever section service= on the line says. */
	if (q->phase != PHASE_ACCOUNT || !f->conf->peer_prompt || gate_person_answers(f->conf->service) ||
	    (q->asker && gate_person_answers(q->asker)) || !q->ask || !q->ask(q->ask_arg, PEER_PROMPT, name, GATE_NAME_MAX))
		return false;
	/* A plugin without a mapping answers with the user's name, which is typed; one without a certificate with nothing. */
	return name[0] && strcmp(name, q->user) != 0;
}

void
ask_peer(struct facts *f, struct answer *a)
{
	char name[GATE_NAME_MAX];
	struct local_out ask;
	struct reply r;
	enum reason why;

	if (!name_of_peer(f, name)) {
		answer_say(a, REASON_PEER_UNNAMED, "", -1);
		return;
	}
	gate_ask_open(f, "peer", &ask);
	local_put(&ask, "peer", name);
	why = gate_ask(f, &ask, &r);
	answer_say(a, why, r.ref, -1);
	memcpy(a->peer, name, sizeof(a->peer));
}
