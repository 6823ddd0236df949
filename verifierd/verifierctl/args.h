/* args.h - arguments of one command: words, --name VALUE, --name=VALUE, --flag. */
#ifndef ARGS_H
#define ARGS_H
#include <stdbool.h>

enum { WORDS_MAX = 4 };
struct arg { const char *name; const char **value; bool *flag; };   /* value or flag, the other NULL */
struct words { unsigned count; const char *word[WORDS_MAX]; };

/* argv[0] is the command. Says what is wrong on stderr. */
bool args_read(int argc, char **argv, const struct arg *, unsigned nargs, struct words *);

/*
 * "2026-12-31", "2026-12-31T12:00:00Z" or "90d" from now, as the time that the API wants. Says what is wrong on stderr.
 */
enum { EXPIRES_TEXT = 24 };
bool args_expires(const char *typed, char out[static EXPIRES_TEXT]);

/* --yes, or a person who says yes; without a terminal that is an error that says so. */
bool args_confirm(bool yes, const char *question);
#endif
