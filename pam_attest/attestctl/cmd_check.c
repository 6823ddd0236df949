/* attestctl check: the gate's own decision, made now, and told to nobody else. */
#include <time.h>
#include "accounts.h"
#include "attestctl.h"
#include "json.h"
#include "scope.h"
#include "show.h"

static const char *const phases[] = { [PHASE_AUTH] = "auth", [PHASE_ACCOUNT] = "account", [PHASE_SESSION] = "session" };
_Static_assert(COUNT(phases) == PHASE_COUNT, "a word for each");

static bool
find_phase(const char *word, enum phase *out)
{
	for (unsigned i = 0; i < COUNT(phases); i++)
		if (!strcmp(phases[i], word)) {
			*out = (enum phase)i;
			return true;
		}
	return false;
}

static int64_t
microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Each source that was asked, in its order, with its answer; null where it had nothing to say. */
static struct json *
said_json(const struct gate_decision *d)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < d->nsaid; i++) {
		struct json *one = json_new();

		json_put_text(one, "source", source_word(d->said[i].source));
		if (d->said[i].heard) {
			json_put_text(one, "state", state_word(d->said[i].state));
			json_put_text(one, "reason", reason_code(d->said[i].reason));
		} else {
			json_put_null(one, "state");
			json_put_null(one, "reason");
		}
		json_add(list, one);
	}
	return list;
}

static int
print_json(const struct ctl *ctl, const struct gate_conf *c, const struct gate_decision *d, enum gate_code code, int64_t us)
{
	static const struct record nothing;
	own(json) struct json *j = json_new();

	json_put_int(j, "schema", 1);
	json_put_text(j, "decision", outcome_word(d->outcome));
	json_put_text(j, "pam", code_word(code));
	json_put_text(j, "judged", outcome_word(d->judged));
	json_put_text(j, "mode", mode_word(d->mode));
	json_put_text(j, "service", c->service);
	json_put_text(j, "state", state_word(d->state));
	json_put_text(j, "reason", reason_code(d->reason));
	json_put_text(j, "text", reason_text(d->reason));
	json_put_text(j, "ref", d->ref);
	json_put_text(j, "source", source_word(d->source));
	json_put_bool(j, "armed", !d->not_armed);
	json_put_bool(j, "kill_switch", d->killed);
	json_put(j, "said", said_json(d));
	show_record(j, d->recorded ? &d->record : &nothing, d->recorded ? d->record.boot_id : "");
	json_put_int(j, "microseconds", us);
	json_put_text(j, "detail", d->detail.code != ERR_NONE ? d->detail.why : "");
	return show_json(ctl, j);
}

static void
print_text(const struct gate_conf *c, const struct gate_decision *d, enum gate_code code, int64_t us)
{
	printf("%s (%s): %s (%s), state %s, source %s, mode %s%s%s, %lld us\n", outcome_word(d->outcome), code_word(code),
	    reason_text(d->reason), reason_code(d->reason), state_word(d->state), source_word(d->source),
	    mode_word(d->mode), d->not_armed ? " (not armed)" : "", d->killed ? " (kill switch)" : "", (long long)us);
	for (unsigned i = 0; i < d->nsaid; i++)
		printf("  %-8s %s%s%s%s\n", source_word(d->said[i].source), d->said[i].heard ? reason_text(d->said[i].reason) : "nothing to say",
		    d->said[i].heard ? " (" : "", d->said[i].heard ? reason_code(d->said[i].reason) : "", d->said[i].heard ? ")" : "");
	if (d->outcome == OUTCOME_PASS && d->judged == OUTCOME_DENY)
		printf("enforce would have refused %s\n", c->service);
	if (d->detail.code != ERR_NONE)
		printf("%s\n", d->detail.why);
}

/* The real uid that the service would have: root's for what root starts, the caller's for sudo and su. */
static uid_t
real_uid(const struct gate_conf *c, const char *user)
{
	struct account who;

	if (!gate_list_has("sudo sudo-i su su-l", c->service))
		return 0;
	return account_find(c->passwd, user, &who) ? who.uid : (uid_t)-1;
}

int
cmd_check(const struct ctl *ctl, int argc, char **argv)
{
	const char *service = NULL, *user = NULL, *rhost = "", *tty = "", *phase = "account";
	const struct ctl_option options[] = {
		{ "--service", &service, "SERVICE", "the PAM service (wanted)" },
		{ "--user",    &user,    "USER",    "who would log in (wanted)" },
		{ "--rhost",   &rhost,   "ADDRESS", "from where; without it the login is a local one" },
		{ "--tty",     &tty,     "TTY",     "on which terminal" },
		{ "--phase",   &phase,   "auth|account|session", "the part of the stack that asks [account]" },
	};
	struct gate_decision d;
	struct gate_request q;
	struct gate_conf c;
	enum gate_code code;
	int64_t start, us;
	int wrong = EXIT_GOOD;

	if (!ctl_options(ctl, argc, argv, options, COUNT(options), NULL))
		return EXIT_USAGE;
	if (!service || !user)
		return ctl_wrong(ctl, EXIT_USAGE, "--service and --user are wanted");
	q = (struct gate_request){ .user = user, .rhost = rhost, .tty = tty, .phase = PHASE_ACCOUNT };
	if (!find_phase(phase, &q.phase))
		return ctl_wrong(ctl, EXIT_USAGE, "%s: auth, account or session is wanted", phase);
	start = microseconds();
	ctl_conf(ctl, service, &c);
	q.ruid = real_uid(&c, user);
	gate_decide(&c, &q, &d);
	us = microseconds() - start;
	code = gate_code(&c, &d, q.phase);
	if (ctl->json)
		wrong = print_json(ctl, &c, &d, code, us);
	else if (!ctl->quiet)
		print_text(&c, &d, code, us);
	return wrong ? wrong : d.outcome == OUTCOME_DENY ? ctl_exit(d.reason) : EXIT_GOOD;
}
