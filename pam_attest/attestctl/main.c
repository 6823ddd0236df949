/* attestctl(8): one row a command. The table is the parser, the help and what the man page is held against. */
#include <getopt.h>
#include <stdarg.h>
#include "attestctl.h"
#include "scope.h"

static const struct command {
	const char *name, *args, *help;
	command_fn *run;
} commands[] = {
	{ "status", "",                     "what is known of this host, without asking anybody", cmd_status },
	{ "attest", "",                     "attest now, and say what came of it", cmd_attest },
	{ "explain", "[REF]",               "the last verdict, or one decision by its reference", cmd_explain },
	{ "enroll", "--url URL",            "make this host known to a verifier: --ca FILE or --ca-sha256 HEX, --token, --name, --owner-auth", cmd_enroll },
	{ "check",  "--service S --user U", "what the gate would decide now: options --rhost, --tty, --phase", cmd_check },
	{ "lint",   "[--pam-dir DIR]",      "every error and danger in gate.conf and the PAM stacks, with file and line", cmd_lint },
	{ "config", "[SERVICE]",            "the values in force for a service", cmd_config },
};

static const struct option options[] = {
	{ "conf",    required_argument, NULL, 'c' },
	{ "run-dir", required_argument, NULL, 'd' },
	{ "json",    no_argument,       NULL, 'j' },
	{ "quiet",   no_argument,       NULL, 'q' },
	{ "help",    no_argument,       NULL, 'h' },
	{ NULL,      0,                 NULL, 0 },
};

static void
print_help(FILE *to)
{
	fputs("usage: attestctl [-c gate.conf] [--run-dir DIR] [--json] [-q] COMMAND ...\n", to);
	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(to, "  %-9s %-22s %s\n", commands[i].name, commands[i].args, commands[i].help);
	fputs("options:\n"
	    "  -c, --conf FILE     gate.conf [" GATE_CONF_FILE "]\n"
	    "  --run-dir DIR       where attestd's socket and record are\n"
	    "  --json              one JSON object on standard output\n"
	    "  -q, --quiet         nothing on standard output, the exit code says it\n"
	    "  --help              this\n", to);
}

void
ctl_conf(const struct ctl *ctl, const char *service, struct gate_conf *c)
{
	char conf[GATE_PATH_MAX + 8], wanted[GATE_NAME_MAX + 16];
	const char *const argv[] = { conf, wanted };

	/* As on a PAM line, so that the same parser judges them. */
	snprintf(conf, sizeof(conf), "conf=%s", ctl->conf);
	snprintf(wanted, sizeof(wanted), "service=%s", service);
	gate_conf_read(c, service, COUNT(argv), argv, NULL, NULL);
	if (ctl->run_dir)
		snprintf(c->run_dir, sizeof(c->run_dir), "%s", ctl->run_dir);
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

bool
ctl_options(const struct ctl *ctl, int argc, char **argv, const struct ctl_option *table, unsigned count,
    const char **rest)
{
	for (int i = 1; i < argc; i++) {
		const struct ctl_option *o = NULL;

		if (argv[i][0] != '-') {
			if (!rest || *rest)
				return ctl_wrong(ctl, 0, "'%s' is one word too many", argv[i]);
			*rest = argv[i];
			continue;
		}
		for (unsigned k = 0; k < count; k++)
			if (!strcmp(table[k].name, argv[i]))
				o = &table[k];
		if (!o || i + 1 == argc)
			return ctl_wrong(ctl, 0, o ? "%s wants a value" : "no such option: %s", argv[i]);
		*o->value = argv[++i];
	}
	return true;
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
	/* --json is understood behind the command as well, where people put it. */
	for (int i = optind + 1; i < argc; i++)
		if (!strcmp(argv[i], "--json")) {
			ctl.json = true;
			memmove(argv + i, argv + i + 1, (size_t)(argc - i) * sizeof(*argv));
			argc--;
			i--;
		}
	for (size_t i = 0; i < COUNT(commands); i++)
		if (!strcmp(commands[i].name, argv[optind])) {
			ctl.command = commands[i].name;
			return commands[i].run(&ctl, argc - optind, argv + optind);
		}
	return ctl_wrong(&ctl, EXIT_USAGE, "no such command: %s (see --help)", argv[optind]);
}
