/* groups.h - a group of group(5), and whose it is: for lint, which asks whether a group lets in nobody or everybody. */
#ifndef GROUPS_H
#define GROUPS_H
#include <stdbool.h>
#include <stddef.h>

/* The own group of so many ordinary users (uid 1000 and more) is a group that people are in by default. */
enum { GROUP_FILE_MAX = 4 << 20, GROUP_WIDE = 2 };

struct group_facts { bool there; unsigned members, ordinary; };   /* named in the file; ordinary users whose own group it is */

/* From the two files themselves, never NSS, as the gate does. False: one cannot be read, or has a line that is too long. */
bool group_look(const char *group_file, const char *passwd_file, const char *name, struct group_facts *);
bool group_parse(const char *group, size_t group_len, const char *passwd, size_t passwd_len, const char *name, struct group_facts *);
#endif
