/*
 * landlock.h - the part of the file system that a process keeps; landlock(7). What the rules do not
 * give is gone for the process and for all that it starts.
 */
#ifndef LANDLOCK_H
#define LANDLOCK_H
#include "error.h"

enum {
	PATH_READ    = 1,                   /* files and lists of files */
	PATH_CHANGE  = 2,                   /* make, write, replace and remove files */
	PATH_FOLDERS = 4,                   /* make and remove folders */
	PATH_WRITE   = 8,                   /* write to what is there */
	PATH_EXECUTE = 16,
	PATH_LIST    = 32,                  /* lists of files alone */
	PATH_EVERYTHING = 63,
	PATH_MAY_LACK = 64,                 /* of a rule: no error when there is no such path */
};

/*
 * A file, or a folder with all below it. The rule is on what has this name now: a file that is
 * replaced later, as packages, renewed certificates and /etc/resolv.conf are, takes one on its folder.
 */
struct path_rule { const char *path; unsigned rights; };

/*
 * With PATH_CHANGE goes what nobody of ours does: sockets, devices and links made, files moved to another
 * folder (since version 2 of Landlock), ioctl(2) on devices (5). And always, since version 6, signals to
 * processes that this one did not start.
 *
 * Of `taken` rights the calling thread, and threads and processes that it starts, keep those of the
 * rules. Needs PR_SET_NO_NEW_PRIVS. On a kernel without Landlock (kernel.h) nothing changes.
 */
bool landlock_enter(unsigned taken, const struct path_rule *, unsigned count, struct error *) MUST_CHECK;
#endif
