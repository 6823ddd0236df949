/* A command's own options: parser, help and completion from its one table. */
#include "attestctl.h"
#include "complete.h"
#include "scope.h"

static void
print_help(const struct ctl *ctl, const struct ctl_option *table, unsigned count)
{
	printf("usage: attestctl %s%s%s%s\n  %s\n", ctl->command, count ? " [OPTIONS]" : "", ctl->args[0] ? " " : "",
	    ctl->args, ctl->help);
	if (count)
		puts("options:");
	for (unsigned i = 0; i < count; i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s%s%s", table[i].name, table[i].argument ? " " : "",
		    table[i].argument ? table[i].argument : "");
		printf("  %-30s %s\n", left, table[i].help);
	}
}

/* The option that is named; *value is what an "=" gives it, or NULL. */
static const struct ctl_option *
find(const struct ctl_option *table, unsigned count, const char *word, const char **value)
{
	size_t n = strcspn(word, "=");

	for (unsigned i = 0; i < count; i++)
		if (strlen(table[i].name) == n && !strncmp(table[i].name, word, n)) {
			*value = word[n] ? word + n + 1 : NULL;
			return &table[i];
		}
	return NULL;
}

/* Word number n of "test USER" or "[SERVICE]", without its brackets; "" behind the last. */
static void
argument(const char *args, unsigned n, char *out, size_t size)
{
	size_t len;

	while (n-- && *args) {
		args += strcspn(args, " ");
		args += strspn(args, " ");
	}
	args += strspn(args, "[");
	len = strcspn(args, " ].");
	snprintf(out, size, "%.*s", (int)len, args);
}

/* argv[2...] are the words; the last one is the one to be completed. */
static int
complete(const struct ctl *ctl, int argc, char **argv, const struct ctl_option *table, unsigned count)
{
	const char *begun = argc > 2 ? argv[argc - 1] : "", *value;
	char what[64];
	unsigned words = 0;

	for (int i = 2; i < argc - 1; i++) {
		const struct ctl_option *o = find(table, count, argv[i], &value);

		if (o && o->argument && !value && ++i == argc - 1)
			return complete_value(ctl, o->argument, begun);
		words += !o;
	}
	if (begun[0] == '-') {
		for (unsigned i = 0; i < count; i++)
			complete_word(begun, table[i].name, table[i].help);
		complete_word(begun, "--help", "");
		complete_word(begun, "--json", "");
		return COMPLETE_ALL;
	}
	argument(ctl->args, words, what, sizeof(what));
	/* A small word is the word itself. */
	if (what[0] >= 'a' && !strchr(what, '|')) {
		complete_word(begun, what, "");
		return COMPLETE_ALL;
	}
	return complete_value(ctl, what, begun);
}

static unsigned
places(const char *args)
{
	unsigned n = 0;

	for (; *args; args += strspn(args, " ")) {
		args += strcspn(args, " ");
		n++;
	}
	return n;
}

static bool
take(const struct ctl *ctl, int argc, char **argv, int *at, const struct ctl_option *o, const char *value)
{
	if (!o->argument && value)
		return ctl_wrong(ctl, 0, "%s takes no value", o->name);
	if (o->argument && !value && *at + 1 == argc)
		return ctl_wrong(ctl, 0, "%s wants a value: %s", o->name, o->argument);
	if (!o->argument)
		*o->value = o->name;
	else
		*o->value = value ? value : argv[++*at];
	return true;
}

bool
ctl_options(const struct ctl *ctl, int argc, char **argv, const struct ctl_option *table, unsigned count,
    const char **rest)
{
	bool only_words = false;
	unsigned words = 0;

	if (argc > 1 && !strcmp(argv[1], COMPLETE))
		exit(complete(ctl, argc, argv, table, count));
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help")) {
			print_help(ctl, table, count);
			exit(EXIT_GOOD);
		}
	for (int i = 1; i < argc; i++) {
		const char *value = NULL;
		const struct ctl_option *o;

		if (!only_words && !strcmp(argv[i], "--")) {
			only_words = true;
			continue;
		}
		if (only_words || argv[i][0] != '-') {
			if (!rest || words == places(ctl->args))
				return ctl_wrong(ctl, 0, "'%s' is one word too many", argv[i]);
			rest[words++] = argv[i];
			continue;
		}
		o = find(table, count, argv[i], &value);
		if (!o)
			return ctl_wrong(ctl, 0, "no such option: %s (see --help)", argv[i]);
		if (!take(ctl, argc, argv, &i, o, value))
			return false;
	}
	return true;
}
