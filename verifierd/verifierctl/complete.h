/*
 * complete.h - what may stand next on verifierctl's command line, a candidate a line, with its help behind a tab.
 *
 * The shells' files ask `verifierctl complete WORD...`. The table of commands is the grammar: words in capitals stand for
 * something; hosts, references, groups, policies and lists are asked of the verifier, which gets a second to answer.
 */
#ifndef COMPLETE_H
#define COMPLETE_H
#include "verifierctl.h"

enum { COMPLETE_ALL = 0, COMPLETE_FILES = 1 };     /* exit codes: that was all; a file's name is wanted */

/* One candidate, if it begins so. */
void complete_word(const char *begun, const char *word, const char *help);

/* The last of the words that stand behind a command, whose arguments are `args`. ctl: to ask the verifier. */
int complete_command(const struct ctl *, const char *command, const char *args, int argc, char **argv);
#endif
