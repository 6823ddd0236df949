/*
 * pam_attest(8): the entry points. They collect what the application says, ask gate.c, and give
 * PAM the code of its one table. Everything is on the stack of the call: nothing is kept.
 */
#include <security/pam_modules.h>
#include <security/pam_ext.h>
#include <syslog.h>
#include "gate.h"
#include "scope.h"

static const int pam_codes[] = {
	[CODE_AUTHINFO_UNAVAIL] = PAM_AUTHINFO_UNAVAIL,
	[CODE_PERM_DENIED]      = PAM_PERM_DENIED,
	[CODE_IGNORE]           = PAM_IGNORE,
	[CODE_SUCCESS]          = PAM_SUCCESS,
};
_Static_assert(COUNT(pam_codes) == CODE_COUNT, "a PAM code for each");

/* "" if it is not set. What cannot be had at all is not the same: without PAM_RHOST everybody would be local. */
static const char *
item(pam_handle_t *pamh, int which, bool *got)
{
	const void *text = NULL;

	*got = *got && pam_get_item(pamh, which, &text) == PAM_SUCCESS;
	return *got && text ? text : "";
}

/* Before authentication nobody may have asked for the name yet; then PAM does, as for every module. */
static const char *
user_name(pam_handle_t *pamh, enum phase phase, bool *got)
{
	const char *user = NULL;

	if (phase != PHASE_AUTH)
		return item(pamh, PAM_USER, got);
	return pam_get_user(pamh, &user, NULL) == PAM_SUCCESS && user ? user : "";
}

/* What the application answers to one prompt; its copy is wiped. */
static bool
ask(void *arg, const char *prompt, char *out, size_t size)
{
	char *response = NULL;
	int rc = pam_prompt(arg, PAM_PROMPT_ECHO_ON, &response, "%s", prompt);
	size_t len = rc == PAM_SUCCESS && response ? strlen(response) : size;

	if (len < size)
		memcpy(out, response, len + 1);
	if (response)
		explicit_bzero(response, strlen(response));
	free(response);
	return len < size;
}

static int
log_priority(const struct gate_decision *d)
{
	if (d->alert)
		return LOG_ALERT;
	/* Failing open is never silent. */
	if (d->outcome == OUTCOME_OPEN)
		return LOG_WARNING;
	return d->judged == OUTCOME_DENY ? LOG_NOTICE : LOG_INFO;
}

static void
say(pam_handle_t *pamh, const struct gate_conf *c, const struct gate_decision *d)
{
	char text[PAM_MAX_MSG_SIZE];

	/*
	 * On a permit sshd would put the line on the stderr of scp and ansible: only where it was asked for. A refusal
	 * is told under PAM_SILENT as well: sudo before 1.9.16 always sets it, and has nothing to say but
	 * "a password is required" itself.
	 */
	if (c->silent || (d->outcome != OUTCOME_DENY && !c->explain))
		return;
	gate_user_text(c, d, text, sizeof(text));
	/* That the words arrive is not what decides. */
	if (d->outcome == OUTCOME_DENY)
		(void)pam_error(pamh, "%s", text);
	else
		(void)pam_info(pamh, "%s", text);
}

static int
decide(pam_handle_t *pamh, enum phase phase, int argc, const char **argv)
{
	bool got = true;
	const char *service = item(pamh, PAM_SERVICE, &got);
	struct gate_request q = {
		.user = user_name(pamh, phase, &got), .rhost = item(pamh, PAM_RHOST, &got), .tty = item(pamh, PAM_TTY, &got),
		.asker = service, .phase = phase, .ruid = getuid(), .ask = ask, .ask_arg = pamh,
	};
	struct gate_conf c;
	struct gate_decision d;
	char line[GATE_LINE_MAX];
	enum gate_code code;

	if (!got) {
		pam_syslog(pamh, LOG_ERR, "refused: PAM does not say who asks for what");
		return PAM_AUTHINFO_UNAVAIL;
	}
	gate_conf_read(&c, service, argc, argv, NULL, NULL);
	gate_decide(&c, &q, &d);
	code = gate_code(&c, &d, phase);
	gate_log_text(&c, &q, &d, line, sizeof(line));
	if (!gate_journal(&c, &q, &d, service, log_priority(&d), line))
		pam_syslog(pamh, log_priority(&d), "%s", line);
	if (c.debug)
		pam_syslog(pamh, LOG_DEBUG, "%s ruid=%u conf=%s", code_word(code), (unsigned)q.ruid, c.file);
	gate_tell(&c, &q, &d);
	say(pamh, &c, &d);
	return (unsigned)code < CODE_COUNT ? pam_codes[code] : PAM_PERM_DENIED;
}

PAM_EXTERN __attribute__((visibility("default"))) int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	return decide(pamh, PHASE_AUTH, argc, argv);
}

PAM_EXTERN __attribute__((visibility("default"))) int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	return decide(pamh, PHASE_ACCOUNT, argc, argv);
}

PAM_EXTERN __attribute__((visibility("default"))) int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	return decide(pamh, PHASE_SESSION, argc, argv);
}

/* No credentials, no passwords, nothing to close. */
#define NOTHING(name) \
PAM_EXTERN __attribute__((visibility("default"))) int \
name(pam_handle_t *pamh, int flags, int argc, const char **argv) \
{ \
	(void)pamh, (void)flags, (void)argc, (void)argv; \
	return PAM_IGNORE; \
}
NOTHING(pam_sm_setcred)
NOTHING(pam_sm_close_session)
