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
#endif
