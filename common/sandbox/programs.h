/*
 * programs.h - what a process must be able to run and find, to start a program of ours later.
 *
 * Folders, not files: an update replaces program and loader while we run, and a rule on the file that
 * was there would keep us from starting the new one.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H
#include <limits.h>
#include "error.h"

/* The program interpreter of this process, which is that of all our programs; "" when it has none. */
const char *program_loader(void);

/* Where the file is, links followed; "/nonexistent" when there is no such file. */
const char *folder_of(const char *file, char room[static PATH_MAX]);

/*
 * From here on this process and those that it starts run programs of this one's folder alone, and of
 * the loader's, which holds libraries and a few helpers but no shell (Landlock; needs PR_SET_NO_NEW_PRIVS).
 * Not a wall: the loader, run by hand, starts any file that can be read. What it starts stays confined.
 */
bool programs_only_with(const char *program, struct error *) MUST_CHECK;
#endif
