/*
 * accounts.h - users and groups of this machine, from passwd(5) and group(5) files themselves.
 *
 * Never NSS: a directory server that is away, or a module that asks the network, has no say in
 * who may come in when everything else is broken. Files that others may write say nothing.
 */
#ifndef ACCOUNTS_H
#define ACCOUNTS_H
#include <stdbool.h>
#include <sys/types.h>

struct account { uid_t uid; gid_t gid; };

bool account_find(const char *passwd, const char *user, struct account *out);

/* Is user named by the group, or is it the user's primary one? False for a group that is not there. */
bool account_in_group(const char *passwd, const char *group_file, const char *user, const char *group);

/*
 * May name and gid stand for one another? Not if a line of the file gives the name another gid or the gid
 * another name, or has a gid that nobody can read, or if the file cannot be read to its end.
 */
bool account_group_fits(const char *group_file, const char *name, gid_t gid);
#endif
