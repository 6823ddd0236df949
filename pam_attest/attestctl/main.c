/* attestctl(8): one row a command. The table is the parser, the help and what the man page is held against. */
#include <getopt.h>
#include <stdarg.h>
#include "attestctl.h"
#include "complete.h"
#include "file.h"
#include "scope.h"

/* What a command takes beside its options, which stand in its own table; the words as for struct ctl_option. */
static const struct command {
	const char *name, *args, *help;
	command_fn *run;
} commands[] = {
	{ "status",  "",          "what is known of this host now, without attesting", cmd_status },
	{ "is-attested", "",      "the state alone, in a word, from the record of the last verdict", cmd_is_attested },
	{ "attest",  "",          "attest now, and say what came of it", cmd_attest },
	{ "explain", "[REF]",     "the last verdict, or one decision by its reference", cmd_explain },
	{ "report",  "",          "what enforcing would have refused, counted by what verdicts were", cmd_report },
	{ "metrics", "",          "what attestd counts, as Prometheus reads it", cmd_metrics },
	{ "enroll",  "",          "make this host known to a verifier", cmd_enroll },
	{ "unenroll", "",         "forget the verifier and this host's key", cmd_unenroll },
	{ "recover", "CODE",      "let people in by a recovery code of the verifier's administrator", cmd_recover },
	{ "check",   "",          "what the gate would decide now", cmd_check },
	{ "doctor",  "",          "all that is known to go wrong with a gate, looked for here", cmd_doctor },
	{ "lint",    "",          "every error and danger in gate.conf and the PAM stacks, with file and line", cmd_lint },
	{ "config",  "[SERVICE]", "the values in force for a service", cmd_config },
	{ "passport", "",         "a code that shows once, to one relying party, that this machine is good", cmd_passport },
	{ "watch",   "",          "say each change of the verdict, and run a command on it", cmd_watch },
	{ "hook",    "SERVICE",   "put the gate into a service's PAM stack", cmd_hook },
	{ "unhook",  "[SERVICE]", "take every line of the gate out of one, or of --all", cmd_unhook },
	{ "enforce", "SERVICE",   "refuse who has no verdict: first as a trial that ends by itself", cmd_enforce },
	{ "audit",   "SERVICE",   "ask and log, and refuse nobody", cmd_audit },
	{ "off",     "SERVICE",   "ask nothing", cmd_off },
	{ "rescue",  "test USER", "prove a way back in that needs no daemon, and record it", cmd_rescue },
	{ "seal-image", "",       "forget who this host is, before its disk is cloned", cmd_seal_image },
};

static const struct option options[] = {
	{ "conf",    required_argument, NULL, 'c' },
	{ "run-dir", required_argument, NULL, 'd' },
	{ "json",    no_argument,       NULL, 'j' },
	{ "color",   required_argument, NULL, 'C' },
	{ "quiet",   no_argument,       NULL, 'q' },
	{ "help",    no_argument,       NULL, 'h' },
	{ NULL,      0,                 NULL, 0 },
};

static void
print_help(FILE *to)
{
	fputs("usage: attestctl [-c gate.conf] [--run-dir DIR] [--json] [-q] COMMAND ...\n", to);
	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(to, "  %-11s %-12s %s\n", commands[i].name, commands[i].args, commands[i].help);
	fputs("attestctl COMMAND --help shows its options\n"
	    "options:\n"
	    "  -c, --conf FILE     gate.conf [" GATE_CONF_FILE "]\n"
	    "  --run-dir DIR       where attestd's socket and record are\n"
	    "  --json              one JSON object on standard output\n"
	    "  --color WHEN        auto (on a terminal, without NO_COLOR), always or never\n"
	    "  -q, --quiet         nothing on standard output, the exit code says it\n"
	    "  --help              this\n", to);
}

/* A path of gate.conf, with the root before it. */
static void
put_root(const char *root, char path[static GATE_PATH_MAX])
{
	char copy[GATE_PATH_MAX];

	memcpy(copy, path, sizeof(copy));
	snprintf(path, GATE_PATH_MAX, "%.*s%.*s", GATE_PATH_MAX / 2, root, GATE_PATH_MAX / 2 - 1, copy);
}

void
ctl_conf_report(const struct ctl *ctl, const char *service, struct gate_conf *c, gate_conf_report *report, void *arg)
{
	char conf[GATE_PATH_MAX + 8], wanted[GATE_NAME_MAX + 16];
	const char *const argv[] = { conf, wanted };

	/* As on a PAM line, so that the same parser judges them. */
	snprintf(conf, sizeof(conf), "conf=%s", ctl->conf);
	snprintf(wanted, sizeof(wanted), "service=%s", service);
	gate_conf_read(c, service, COUNT(argv), argv, report, arg);
	if (ctl->root && ctl->root[0]) {
		char *const paths[] = { c->run_dir, c->state_dir, c->boot_id, c->passwd, c->group, c->cmdline };

		for (size_t i = 0; i < COUNT(paths); i++)
			put_root(ctl->root, paths[i]);
	}
	if (ctl->run_dir)
		snprintf(c->run_dir, sizeof(c->run_dir), "%s", ctl->run_dir);
}

void
ctl_conf(const struct ctl *ctl, const char *service, struct gate_conf *c)
{
	ctl_conf_report(ctl, service, c, NULL, NULL);
}

bool
ctl_record(const struct gate_conf *c, struct record *out, struct error *e)
{
	char path[GATE_PATH_MAX + 16], text[RECORD_MAX];
	size_t len;

	snprintf(path, sizeof(path), "%s/verdict", c->run_dir);
	return file_read_trusted(path, gate_owner(c), text, sizeof(text), &len, e) && record_parse(text, len, out, e);
}

int
ctl_exit(enum reason r)
{
	if (r == REASON_NOT_ENROLLED || r == REASON_ENROLLMENT_PENDING || r == REASON_ENROLLMENT_REJECTED)
		return EXIT_NOT_ENROLLED;
	if (r == REASON_ATTESTD_DOWN)
		return EXIT_NOT_RUNNING;
	switch (reason_state(r)) {
	case STATE_AFFIRMING:
	case STATE_WARNING:         return EXIT_GOOD;
	case STATE_CONTRAINDICATED: return EXIT_CONTRAINDICATED;
	case STATE_BROKEN:          return EXIT_BROKEN;
	case STATE_NONE:
	case STATE_COUNT:           break;
	}
	return EXIT_NONE;
}

int
ctl_wrong(const struct ctl *ctl, int code, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "attestctl%s%s: ", ctl->command ? " " : "", ctl->command ? ctl->command : "");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

/* The gate takes absolute paths alone; people type others. */
static const char *
absolute(const char *path, char out[static GATE_PATH_MAX])
{
	char here[GATE_PATH_MAX];

	if (!path || path[0] == '/' || !getcwd(here, sizeof(here)) ||
	    (size_t)snprintf(out, GATE_PATH_MAX, "%s/%s", here, path) >= GATE_PATH_MAX)
		return path;
	return out;
}

/* --json and -q are understood behind the command as well, where people put them. */
static int
take_global(struct ctl *ctl, int argc, char **argv)
{
	int kept = 1;

	if (argc > 1 && !strcmp(argv[1], COMPLETE))
		return argc;
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--json"))
			ctl->json = true;
		else if (!strcmp(argv[i], "-q") || !strcmp(argv[i], "--quiet"))
			ctl->quiet = true;
		else
			argv[kept++] = argv[i];
	return kept;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (!strcmp(commands[i].name, argv[0])) {
			ctl->command = commands[i].name;
			ctl->args = commands[i].args;
			ctl->help = commands[i].help;
			return commands[i].run(ctl, take_global(ctl, argc, argv), argv);
		}
	return ctl_wrong(ctl, EXIT_USAGE, "no such command: %s (see --help)", argv[0]);
}

/*
 * complete WORD...: what may stand in place of the last word, for the shells. The words are those behind "attestctl";
 * the command itself answers for what stands behind it.
 */
static int
complete(struct ctl *ctl, int argc, char **argv)
{
	const char *begun = argv[argc - 1];
	int at = 1;

	for (; at + 1 < argc && argv[at][0] == '-'; at++) {
		bool conf = !strcmp(argv[at], "-c") || !strcmp(argv[at], "--conf"), colour = !strcmp(argv[at], "--color");

		if (!conf && !colour && strcmp(argv[at], "--run-dir") != 0)
			continue;
		if (++at + 1 == argc)
			return complete_value(ctl, colour ? "auto|always|never" : "FILE", begun);
		if (conf)
			ctl->conf = argv[at];
	}
	if (at + 1 < argc) {
		argv[at - 1] = argv[at];
		argv[at] = (char *)COMPLETE;
		return run(ctl, argc - at + 1, argv + at - 1);
	}
	for (size_t i = 0; i < COUNT(commands) && begun[0] != '-'; i++)
		complete_word(begun, commands[i].name, commands[i].help);
	for (const struct option *o = options; o->name && begun[0] == '-'; o++) {
		char name[16];

		snprintf(name, sizeof(name), "--%s", o->name);
		complete_word(begun, name, "");
	}
	return COMPLETE_ALL;
}

static bool
find_colour(const char *word, struct ctl *ctl)
{
	if (!strcmp(word, "auto"))
		ctl->colour = COLOUR_AUTO;
	else if (!strcmp(word, "always"))
		ctl->colour = COLOUR_ALWAYS;
	else if (!strcmp(word, "never"))
		ctl->colour = COLOUR_NEVER;
	else
		return false;
	return true;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { .conf = GATE_CONF_FILE };
	char conf[GATE_PATH_MAX], run_dir[GATE_PATH_MAX];
	int c;

	while ((c = getopt_long(argc, argv, "+c:qh", options, NULL)) != -1)
		switch (c) {
		case 'c': ctl.conf = optarg; break;
		case 'd': ctl.run_dir = optarg; break;
		case 'j': ctl.json = true; break;
		case 'q': ctl.quiet = true; break;
		case 'C':
			if (!find_colour(optarg, &ctl))
				return ctl_wrong(&ctl, EXIT_USAGE, "--color: auto, always or never is wanted");
			break;
		case 'h':
			print_help(stdout);
			return EXIT_GOOD;
		default:
			return EXIT_USAGE;
		}
	ctl.conf = absolute(ctl.conf, conf);
	ctl.run_dir = absolute(ctl.run_dir, run_dir);
	if (optind == argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	argc -= optind;
	argv += optind;
	return !strcmp(argv[0], "complete") && argc > 1 ? complete(&ctl, argc, argv) : run(&ctl, argc, argv);
}
