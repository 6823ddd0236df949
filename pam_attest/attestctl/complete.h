/*
 * complete.h - what may stand next on attestctl's command line, a candidate a line, with its help behind a tab.
 *
 * The shells' files ask `attestctl complete WORD...`; a command is then called with COMPLETE before its words, and its
 * ctl_options() answers. Nothing here asks attestd or changes anything.
 */
#ifndef COMPLETE_H
#define COMPLETE_H
#include "attestctl.h"

#define COMPLETE "--complete"

enum { COMPLETE_ALL = 0, COMPLETE_FILES = 1 };     /* exit codes: that was all; a file's name is wanted */

/* One candidate, if it begins so. */
void complete_word(const char *begun, const char *word, const char *help);

/* All that may stand for such a word ("SERVICE", "auth|account"); COMPLETE_FILES for FILE and DIR. */
int complete_value(const struct ctl *, const char *what, const char *begun);
#endif
