/* verifierctl: the verifier's administrator at work. verifierctl(8). */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "complete.h"
#include "options.h"
#include "scope.h"
#include "verifierctl.h"

static const struct command {
	const char *name, *args, *help;
	int       (*run)(const struct ctl *, int, char **);
} commands[] = {
#define X(name, args, help, run) { name, args, help, run },
	COMMANDS(X)
#undef X
};

static int
usage(FILE *to, int status)
{
	fputs("usage: verifierctl [-c FILE] [--socket PATH] [--json] [-q] COMMAND ...\n", to);
	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].help);
	fputs("verifierctl COMMAND --help shows its arguments\n"
	    "options:\n"
	    "  -c FILE         verifierd.conf, which names the socket\n"
	    "  --socket PATH   the administrators' socket, instead\n"
	    "  --json          one JSON object on standard output\n"
	    "  -q              nothing on standard output, the exit code says it\n"
	    "  --help          this\n", to);
	return status;
}

/* A line for each form of the command: its arguments have " | " between them. */
static void
print_forms(FILE *to, const struct command *c)
{
	const char *form = c->args, *next;

	for (const char *before = "usage:"; form; form = next ? next + 3 : NULL, before = "      ") {
		next = strstr(form, " | ");
		fprintf(to, "%s verifierctl %s%s%.*s\n", before, c->name, *form ? " " : "", (int)(next ? next - form : (ptrdiff_t)strlen(form)), form);
	}
}

int
usage_of(const char *name)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (!strcmp(commands[i].name, name))
			print_forms(stderr, &commands[i]);
	return EXIT_USAGE;
}

static int
run(const struct command *c, const struct ctl *ctl, int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		print_forms(stdout, c);
		printf("  %s\n", c->help);
		return EXIT_DONE;
	}
	return c->run(ctl, argc, argv);
}

/* The socket of the configuration in use, unless one was given. */
static bool
find_socket(struct ctl *ctl, struct options *o)
{
	struct error e = { .code = ERR_NONE };

	if (ctl->socket)
		return true;
	if (!options_read(ctl->conf, o, &e)) {
		fprintf(stderr, "verifierctl: %s\n", e.why);
		return false;
	}
	ctl->socket = o->admin;
	return true;
}

static bool
needs_daemon(const struct command *c, int argc, char **argv)
{
	return strcmp(c->name, "inspect") && !(!strcmp(c->name, "policies") && argc > 1 && !strcmp(argv[1], "test"));
}

static const struct option longs[] = {
	{ "socket", required_argument, NULL, 's' }, { "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' }, { 0 },
};

/* complete WORD...: what may stand in place of the last word, for the shells. The words are those behind "verifierctl". */
static int
complete(struct ctl *ctl, struct options *o, int argc, char **argv)
{
	const char *begun = argv[argc - 1];
	int at = 1;

	for (; at + 1 < argc && argv[at][0] == '-'; at++) {
		bool conf = !strcmp(argv[at], "-c");

		if (!conf && strcmp(argv[at], "--socket") != 0)
			continue;
		if (++at + 1 == argc)
			return COMPLETE_FILES;
		*(conf ? &ctl->conf : &ctl->socket) = argv[at];
	}
	for (size_t i = 0; i < COUNT(commands); i++)
		if (at + 1 == argc && begun[0] != '-')
			complete_word(begun, commands[i].name, commands[i].help);
		else if (at + 1 < argc && !strcmp(commands[i].name, argv[at])) {
			ctl->wait_s = 1;
			return find_socket(ctl, o) ? complete_command(ctl, argv[at], commands[i].args, argc - at - 1, argv + at + 1) : COMPLETE_ALL;
		}
	for (const struct option *l = longs; l->name && at + 1 == argc && begun[0] == '-'; l++) {
		char name[16];

		snprintf(name, sizeof(name), "--%s", l->name);
		complete_word(begun, name, "");
	}
	return COMPLETE_ALL;
}

int
main(int argc, char **argv)
{
	static struct options o;
	struct ctl ctl = { 0 };
	int c;

	/* "+": what stands behind the command is the command's. */
	while ((c = getopt_long(argc, argv, "+c:qh", longs, NULL)) != -1)
		switch (c) {
		case 'c': ctl.conf = optarg; break;
		case 's': ctl.socket = optarg; break;
		case 'j': ctl.json = true; break;
		case 'q': ctl.quiet = true; break;
		case 'h': return usage(stdout, EXIT_DONE);
		default:  return usage(stderr, EXIT_USAGE);
		}
	if (optind == argc)
		return usage(stderr, EXIT_USAGE);
	if (!strcmp(argv[optind], "complete") && optind + 1 < argc)
		return complete(&ctl, &o, argc - optind, argv + optind);
	/* --json is understood behind the command as well, where people put it. */
	for (int i = optind + 1; i < argc; i++)
		if (!strcmp(argv[i], "--json")) {
			ctl.json = true;
			memmove(argv + i, argv + i + 1, (size_t)(argc - i) * sizeof(*argv));
			argc--;
			i--;
		}
	for (size_t i = 0; i < COUNT(commands); i++) {
		if (strcmp(commands[i].name, argv[optind]))
			continue;
		if (needs_daemon(&commands[i], argc - optind, argv + optind) && !find_socket(&ctl, &o))
			return EXIT_USAGE;
		return run(&commands[i], &ctl, argc - optind, argv + optind);
	}
	fprintf(stderr, "verifierctl: no such command: %s (see --help)\n", argv[optind]);
	return EXIT_USAGE;
}
