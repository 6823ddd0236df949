/*
 * attestctl enforce, audit, off: the mode of one service, in a drop-in of its own. audit and off always work: they are ways back.
 * enforce wants everything at hand that keeps it from locking people out, and first a trial that ends by itself.
 */
#include <stdarg.h>
#include "ask.h"
#include "conf.h"
#include "dropin.h"
#include "lint.h"
#include "pam_edit.h"
#include "scope.h"
#include "show.h"
#include "ways.h"

enum { ASK_MS = 5000, SERVICES = 64, TRIAL_MIN_S = 5, TRIAL_MAX_S = 24 * 3600 };

struct job {
	const struct ctl *ctl;
	const char       *service, *folder;                       /* of PAM stacks */
	const char       *trial, *confirm, *yes, *dry_run;
	struct gate_conf  conf;                                   /* of the service, as its PAM line has it */
	bool              hooked;
	struct stack_line line;                                   /* its PAM line */
	int               code;                                   /* of the first thing that stands in the way */
};

/* Something stands in the way. All such things are said; the first one's code is the command's. */
static void __attribute__((format(printf, 3, 4)))
stop(struct job *j, int code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ctl_wrong(j->ctl, code, "%s", text);
	if (j->code == EXIT_GOOD)
		j->code = code;
}

static void __attribute__((format(printf, 2, 3)))
say(const struct job *j, const char *fmt, ...)
{
	va_list ap;

	if (j->ctl->quiet || j->ctl->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* --- what there is */

static void
find_line(struct job *j)
{
	own(mem) struct stack *s = malloc(sizeof(*s));
	struct error e;

	if (!s || !stack_read(j->folder, j->service, STACK_ACCOUNT, s, &e))
		return;
	for (unsigned i = 0; i < s->n && !j->hooked; i++)
		if (s->line[i].kind == KIND_MODULE && !strcmp(s->line[i].name, PAM_GATE_MODULE)) {
			j->line = s->line[i];
			j->hooked = true;
		}
}

/* gate.conf as the service's line reads it, the options on the line and all. */
static void
read_conf(struct job *j)
{
	enum { WORDS_MAX = 32 };
	char args[STACK_ARGS_MAX], conf[GATE_PATH_MAX + 8], *save = NULL;
	const char *argv[WORDS_MAX] = { conf };
	int argc = 1;

	snprintf(conf, sizeof(conf), "conf=%s", j->ctl->conf);
	snprintf(args, sizeof(args), "%s", j->line.args);
	for (char *w = strtok_r(args, " \t\r", &save); w && argc < WORDS_MAX; w = strtok_r(NULL, " \t\r", &save))
		argv[argc++] = w;
	gate_conf_read(&j->conf, j->service, argc, argv, NULL, NULL);
	if (j->ctl->run_dir)
		snprintf(j->conf.run_dir, sizeof(j->conf.run_dir), "%s", j->ctl->run_dir);
}

/* An option on the PAM line that keeps what is written here from counting; NULL: none. */
static const char *
line_beats(const struct job *j)
{
	static const char *const options[] = { "mode=", "conf=", "service=" };
	char args[STACK_ARGS_MAX], *save = NULL;

	snprintf(args, sizeof(args), "%s", j->line.args);
	for (char *w = strtok_r(args, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save))
		for (size_t i = 0; i < COUNT(options); i++)
			if (!strncmp(w, options[i], strlen(options[i])))
				return options[i];
	return NULL;
}

/* --- what enforce wants */

static void
want_line(struct job *j)
{
	own(mem) struct findings *all = calloc(1, sizeof(*all));
	char mine[GATE_NAME_MAX + 4];

	if (!j->hooked) {
		stop(j, EXIT_USAGE, "no line of %s/%s calls the gate. Next: attestctl hook %s", j->folder, j->service, j->service);
		return;
	}
	if (!all)
		return;
	snprintf(mine, sizeof(mine), "[%s]", j->service);
	lint_conf(j->ctl, all);
	for (unsigned i = 0; i < all->n; i++)
		if (finding_severity(all->item[i].code) == SEVERITY_ERROR && !strncmp(all->item[i].text, mine, strlen(mine)))
			stop(j, EXIT_USAGE, "%s. Next: %s", all->item[i].text, all->item[i].fix);
	*all = (struct findings){ .n = 0 };
	lint_service(j->ctl, j->folder, j->service, NULL, all);
	for (unsigned i = 0; i < all->n; i++)
		if (finding_severity(all->item[i].code) == SEVERITY_ERROR)
			stop(j, EXIT_USAGE, "%s. Next: %s", all->item[i].text, all->item[i].fix);
	if (j->conf.bad)
		stop(j, EXIT_USAGE, "%s. Next: attestctl lint", j->conf.error.why);
	if (line_beats(j))
		stop(j, EXIT_USAGE, "line %u of %s/%s says %s, which beats what is written here: take that option out", j->line.number,
		    j->folder, j->line.file, line_beats(j));
}

static void
want_affirming(struct job *j)
{
	own(told) struct told told = { 0 };
	struct error e = { .code = ERR_NONE };
	enum gate_mode ceiling = MODE_ENFORCE;
	struct local_out o;
	char text[16];
	int code;

	local_open(&o);
	local_put(&o, "verb", "status");
	code = ctl_ask(j->ctl, &o, ASK_MS, &told);
	if (code != EXIT_GOOD) {
		j->code = j->code ? j->code : code;
		return;
	}
	code = ctl_exit(told.reason);
	if (!told.ok || reason_state(told.reason) != STATE_AFFIRMING)
		stop(j, code ? code : EXIT_NONE, "this host is not affirming: %s (%s). Next: attestctl status", reason_text(told.reason),
		    reason_code(told.reason));
	if (told.json && json_text(told.json, "ceiling", text, sizeof(text), &e) && mode_find(text, &ceiling) && ceiling < MODE_ENFORCE)
		stop(j, EXIT_USAGE, "the verifier's policy holds gates down to %s, whatever is written here. Next: verifierctl ceiling",
		    mode_word(ceiling));
}

/* Would the gate enforce, were it told to? It is asked about nobody, who is exempt from nothing. */
static void
want_effect(struct job *j)
{
	const struct gate_request q = { .user = "", .rhost = "", .tty = "", .phase = PHASE_AUTH, .ruid = (uid_t)-1 };
	struct gate_conf c = j->conf;
	struct gate_decision d;

	c.mode = MODE_ENFORCE;
	c.until = 0;
	gate_decide(&c, &q, &d);
	if (d.killed)
		stop(j, EXIT_USAGE, "a kill switch (DISABLED beside gate.conf, or attest=audit on the kernel command line) turns enforce into audit");
	if (d.not_armed)
		stop(j, EXIT_USAGE, "enforce acts as audit until this host has been affirming once. Next: attestctl attest");
}

static void
want_rescue(struct job *j)
{
	char why[WAY_TEXT];

	if (!ways_proved(j->ctl, j->conf.state_dir, why))
		stop(j, EXIT_USAGE, "%s. Next: attestctl rescue test USER", why);
}

/* What somebody else's line would make of the drop-in. */
static void
want_last_word(struct job *j, bool for_good)
{
	struct said before, after, until;
	struct error e = { .code = ERR_NONE };

	if (!dropin_look(j->ctl->conf, j->service, "mode", &before, &after, &e)) {
		stop(j, EXIT_USAGE, "%s", e.why);
		return;
	}
	if (after.place[0] && strcmp(after.value, mode_word(MODE_ENFORCE)) != 0)
		stop(j, EXIT_USAGE, "%s says mode = %s, and is read later: take that out", after.place, after.value);
	if (before.place[0] && strcmp(before.value, mode_word(MODE_ENFORCE)) != 0)
		say(j, "%s says mode = %s; the drop-in beats it", before.place, before.value);
	if (!dropin_look(j->ctl->conf, j->service, "until", &until, &after, &e))
		return;
	if (after.place[0])
		stop(j, EXIT_USAGE, "%s says until = %s, and is read later: take that out", after.place, after.value);
	if (for_good && until.place[0])
		stop(j, EXIT_USAGE, "%s says until = %s, which would end it: take that out", until.place, until.value);
}

/* --- trials */

/* The newest access through the service that a verdict permitted under enforce; 0: attestd knows of none. */
static int
last_permit(struct job *j, int64_t since, int64_t *out)
{
	own(told) struct told told = { 0 };
	struct error e = { .code = ERR_NONE };
	char name[GATE_NAME_MAX], when[TIME_TEXT];
	struct local_out o;
	unsigned count = 0;
	int code;

	local_open(&o);
	local_put(&o, "verb", "report");
	local_put_number(&o, "since", since);
	code = ctl_ask(j->ctl, &o, ASK_MS, &told);
	if (code == EXIT_GOOD)
		code = ctl_details(j->ctl, &told);
	if (code != EXIT_GOOD)
		return code;
	*out = 0;
	if (!json_list(told.json, "services", SERVICES, &count, &e))
		return ctl_wrong(j->ctl, EXIT_NONE, "attestd sent no report");
	for (unsigned i = 0; i < count; i++) {
		const struct json *s = json_item(told.json, "services", i);

		if (json_text(s, "service", name, sizeof(name), &e) && !strcmp(name, j->service) &&
		    json_text(s, "last_permit", when, sizeof(when), &e) && !time_read(when, out))
			*out = 0;
	}
	return EXIT_GOOD;
}

/* attestd's times are whole seconds: what was permitted in the second in which the trial began may have been before it. */
static void
want_confirmation(struct job *j)
{
	int64_t now = clock_now().wall, permit = 0;
	struct dropin d = { .until = 0 };
	struct error e = { .code = ERR_NONE };
	char began[TIME_TEXT], when[TIME_TEXT];
	int code;

	if (!dropin_read(j->ctl->conf, j->service, &d, &e) && e.code != ERR_MISSING) {
		stop(j, EXIT_USAGE, "%s", e.why);
		return;
	}
	if (d.mode != MODE_ENFORCE || !d.until) {
		stop(j, EXIT_USAGE, "no trial of %s is under way. Next: attestctl enforce %s --trial 10m", j->service, j->service);
		return;
	}
	if (d.until <= now) {
		time_text(d.until, when);
		stop(j, EXIT_USAGE, "the trial of %s ended at %s. Next: attestctl enforce %s --trial 10m", j->service, when, j->service);
		return;
	}
	code = last_permit(j, d.since, &permit);
	if (code != EXIT_GOOD) {
		j->code = j->code ? j->code : code;
		return;
	}
	time_text(d.since, began);
	time_text(permit, when);
	if (strcmp(when, began) <= 0)
		stop(j, EXIT_USAGE, "no verdict has permitted anybody through %s since the trial began at %s. Next: log in through it, as somebody "
		    "who is not exempt, then: attestctl enforce %s --confirm", j->service, began, j->service);
}

/* --- the commands */

static int
finish(struct job *j, enum gate_mode mode, int64_t until)
{
	own(json) struct json *o = json_new();
	char path[DROPIN_PATH_MAX] = "";
	struct error e;

	if (!j->ctl->json)
		return j->code;
	if (!dropin_path(j->ctl->conf, j->service, path, &e))
		path[0] = '\0';
	json_put_int(o, "schema", 1);
	json_put_text(o, "service", j->service);
	json_put_text(o, "mode", mode_word(mode));
	json_put_time(o, "until", until);
	json_put_text(o, "file", path);
	json_put_bool(o, "hooked", j->hooked);
	json_put_bool(o, "written", j->code == EXIT_GOOD && !j->dry_run);
	return show_json(j->ctl, o) == EXIT_GOOD ? j->code : EXIT_BROKEN;
}

static bool
write_mode(struct job *j, const char *command, enum gate_mode mode, int64_t until)
{
	char path[DROPIN_PATH_MAX], folder[GATE_PATH_MAX + 4];
	struct error e = { .code = ERR_NONE };

	if (!dropin_path(j->ctl->conf, j->service, path, &e)) {
		stop(j, EXIT_USAGE, "%s", e.why);
		return false;
	}
	if (j->dry_run) {
		say(j, "%s would say mode = %s for %s; nothing was written", path, mode_word(mode), j->service);
		return false;
	}
	if (dropin_write(j->ctl->conf, j->service, command, mode, until, &e))
		return true;
	snprintf(folder, sizeof(folder), "%.*s.d", GATE_PATH_MAX, j->ctl->conf);
	stop(j, access(folder, W_OK) < 0 && (errno == EACCES || errno == ENOENT) ? EXIT_PERMISSION : EXIT_USAGE, "%s", e.why);
	return false;
}

/* Which way a service is enforced: for a while, for good after a trial, or at once. */
static int64_t
want_enforce(struct job *j)
{
	unsigned seconds = 0;
	struct error e;

	if (j->trial && !conf_seconds(j->trial, TRIAL_MIN_S, TRIAL_MAX_S, &seconds, &e))
		stop(j, EXIT_USAGE, "--trial: %s", e.why);
	if ((j->trial != NULL) + (j->confirm != NULL) + (j->yes != NULL) != 1)
		stop(j, EXIT_USAGE, "wants one of: --trial 10m (it ends by itself), then --confirm; or --yes, at once and without a trial");
	if (j->code == EXIT_GOOD && j->confirm)
		want_confirmation(j);
	if (j->trial && j->conf.named && j->conf.mode == MODE_ENFORCE && !j->conf.until)
		stop(j, EXIT_USAGE, "%s is enforced already, and the end of a trial would end that. Next: attestctl audit %s, then a trial",
		    j->service, j->service);
	return seconds ? clock_now().wall + (int64_t)seconds * 1000 : 0;
}

static void
say_enforced(const struct job *j, int64_t until)
{
	char when[TIME_TEXT];

	if (!until) {
		say(j, "%s is enforced from now on. Back: attestctl audit %s", j->service, j->service);
		return;
	}
	time_text(until, when);
	say(j, "%s is enforced until %s, and audited again then by itself.\n"
	    "Keep this session open. Log in through %s anew; when that works: attestctl enforce %s --confirm", j->service, when, j->service,
	    j->service);
}

/* A section makes a service that is never gated one that is; lists of what services share are no services. */
static bool
begin(struct job *j, int argc, char **argv, const struct ctl_option *options, unsigned count)
{
	if (!ctl_options(j->ctl, argc, argv, options, count, &j->service)) {
		j->code = EXIT_USAGE;
		return false;
	}
	if (!j->service || !j->service[0] || strpbrk(j->service, "/ \t\n[]#;=~") || j->service[0] == '.' || strlen(j->service) >= GATE_NAME_MAX) {
		stop(j, EXIT_USAGE, "the name of a service is wanted: attestctl %s sshd", j->ctl->command);
		return false;
	}
	find_line(j);
	read_conf(j);
	if (!strcmp(j->service, "default") || !strcmp(j->service, "paths") || !strcmp(j->service, "nss"))
		stop(j, EXIT_USAGE, "[%s] is no service; write gate.conf", j->service);
	else if (gate_never_gates(j->service) && !j->conf.named)
		stop(j, EXIT_USAGE, "%s is never gated: it runs on its own, or cannot refuse well", j->service);
	return j->code == EXIT_GOOD;
}

int
cmd_enforce(const struct ctl *ctl, int argc, char **argv)
{
	struct job j = { .ctl = ctl, .folder = PAM_DIR };
	const struct ctl_option options[] = {
		{ "--trial",   &j.trial,   "TIME", "for so long (10m), then audit again by itself" },
		{ "--confirm", &j.confirm, NULL,   "the trial for good, once it has let somebody in by a verdict" },
		{ "--yes",     &j.yes,     NULL,   "at once and for good, without a trial" },
		{ "--dry-run", &j.dry_run, NULL,   "say what stands in the way, and write nothing" },
		{ "--pam-dir", &j.folder,  "DIR",  "the folder of PAM stacks [" PAM_DIR "]" },
	};
	int64_t until;

	if (!begin(&j, argc, argv, options, COUNT(options)))
		return j.code;
	until = want_enforce(&j);
	if (j.code != EXIT_GOOD)
		return finish(&j, MODE_ENFORCE, until);
	want_line(&j);
	want_affirming(&j);
	want_effect(&j);
	want_rescue(&j);
	want_last_word(&j, !until);
	if (j.code == EXIT_GOOD && write_mode(&j, until ? "enforce --trial" : j.confirm ? "enforce --confirm" : "enforce --yes",
	    MODE_ENFORCE, until))
		say_enforced(&j, until);
	return finish(&j, MODE_ENFORCE, until);
}

/* audit and off: written whatever else is wrong, and then it is said if something keeps it from counting. */
static int
lower_mode(const struct ctl *ctl, int argc, char **argv, enum gate_mode mode)
{
	struct job j = { .ctl = ctl, .folder = PAM_DIR };
	const struct ctl_option options[] = {
		{ "--dry-run", &j.dry_run, NULL,  "write nothing" },
		{ "--pam-dir", &j.folder,  "DIR", "the folder of PAM stacks [" PAM_DIR "]" },
	};
	struct said before, after;
	struct error e;

	if (!begin(&j, argc, argv, options, COUNT(options)) || !write_mode(&j, mode_word(mode), mode, 0))
		return finish(&j, mode, 0);
	read_conf(&j);
	if (j.conf.mode == mode) {
		say(&j, "%s is in mode %s from now on%s%s", j.service, mode_word(mode), j.hooked ? "" : "; no PAM line asks the gate. Next: attestctl hook ",
		    j.hooked ? "" : j.service);
		return finish(&j, mode, 0);
	}
	if (j.conf.unreadable)
		stop(&j, EXIT_USAGE, "%s: until that is put right every service is refused. Next: attestctl lint", j.conf.error.why);
	else if (line_beats(&j))
		stop(&j, EXIT_USAGE, "line %u of %s/%s says %s, which beats it: take that option out", j.line.number, j.folder, j.line.file,
		    line_beats(&j));
	else if (dropin_look(ctl->conf, j.service, "mode", &before, &after, &e) && after.place[0])
		stop(&j, EXIT_USAGE, "%s says mode = %s, and is read later: take that out", after.place, after.value);
	else
		stop(&j, EXIT_USAGE, "%s stays in mode %s: see attestctl lint", j.service, mode_word(j.conf.mode));
	return finish(&j, mode, 0);
}

int
cmd_audit(const struct ctl *ctl, int argc, char **argv)
{
	return lower_mode(ctl, argc, argv, MODE_AUDIT);
}

int
cmd_off(const struct ctl *ctl, int argc, char **argv)
{
	return lower_mode(ctl, argc, argv, MODE_OFF);
}
