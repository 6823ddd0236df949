/* program.h - another program's standard output. */
#ifndef PROGRAM_H
#define PROGRAM_H
#include <stddef.h>
#include "error.h"

/*
 * Runs argv[0], an absolute path, with a small environment and nothing on its other descriptors; at most max bytes, within
 * wait_ms, else it is killed. Free *text, which has a NUL behind it. False unless it ended with 0.
 */
bool program_output(const char *const *argv, size_t max, int wait_ms, char **text, size_t *len, struct error *) MUST_CHECK;
#endif
