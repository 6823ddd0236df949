#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "args.h"
#include "clock.h"

static const struct arg *
find(const struct arg *list, unsigned n, const char *name, size_t len)
{
	for (unsigned i = 0; i < n; i++)
		if (strlen(list[i].name) == len && !memcmp(list[i].name, name, len))
			return &list[i];
	return NULL;
}

/* *i stands on "--name…"; steps over a value that is a word of its own. */
static bool
option(int argc, char **argv, int *i, const struct arg *list, unsigned n)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '=');
	const struct arg *a = find(list, n, name, equals ? (size_t)(equals - name) : strlen(name));

	if (!a || (a->flag && equals)) {
		fprintf(stderr, "verifierctl %s: no such option: %s\n", argv[0], argv[*i]);
		return false;
	}
	if (a->flag) {
		*a->flag = true;
		return true;
	}
	if (!equals && *i + 1 == argc) {
		fprintf(stderr, "verifierctl %s: --%s wants a value\n", argv[0], a->name);
		return false;
	}
	*a->value = equals ? equals + 1 : argv[++*i];
	return true;
}

bool
args_read(int argc, char **argv, const struct arg *list, unsigned n, struct words *w)
{
	bool only_words = false;

	*w = (struct words){ 0 };
	for (int i = 1; i < argc; i++) {
		if (!only_words && !strcmp(argv[i], "--")) {
			only_words = true;
		} else if (!only_words && !strncmp(argv[i], "--", 2)) {
			if (!option(argc, argv, &i, list, n))
				return false;
		} else if (w->count == WORDS_MAX) {
			fprintf(stderr, "verifierctl %s: too many arguments\n", argv[0]);
			return false;
		} else {
			w->word[w->count++] = argv[i];
		}
	}
	return true;
}

bool
args_expires(const char *typed, char out[static EXPIRES_TEXT])
{
	size_t digits = strspn(typed, "0123456789");
	int64_t at;

	if (digits && digits < 5 && !strcmp(typed + digits, "d"))
		time_text(clock_now().wall + strtol(typed, NULL, 10) * 24 * 3600 * 1000, out);
	else if (strlen(typed) == 10)
		snprintf(out, EXPIRES_TEXT, "%.10sT00:00:00Z", typed);
	else
		snprintf(out, EXPIRES_TEXT, "%.20s", typed);
	if (time_read(out, &at))
		return true;
	fprintf(stderr, "verifierctl: --expires %s: a day like 2026-12-31, a time like 2026-12-31T12:00:00Z, or 90d\n", typed);
	return false;
}

bool
args_confirm(bool yes, const char *question)
{
	char answer[16];

	if (yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "%s - no terminal to ask on: say --yes\n", question);
		return false;
	}
	fprintf(stderr, "%s [y/N] ", question);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}
