/* world.h - a machine in a folder: gate.conf, a record, accounts, an attestd that answers as told. */
#ifndef WORLD_H
#define WORLD_H
#include <stdbool.h>
#include <sys/types.h>

#define BOOT_ID "0b1e7a7e-0000-4000-8000-000000000001"

struct world {
	char  dir[64];
	pid_t attestd;
	uid_t owner;            /* [paths] owner; ours unless it is changed before world_conf() */
	const char *owner_name; /* instead of the number; NULL: none */
};

void world_open(struct world *);
void world_close(struct world *);

/* Writes dir/name. */
void world_file(const struct world *, const char *name, const char *text);

/* gate.conf: the [paths] of this folder, then text. */
void world_conf(const struct world *, const char *text);

/*
 * run/verdict: a good record, with the changes "key=value key=value" in it. "@N" is N ms from now
 * on the clock that the key is about.
 */
void world_record(const struct world *, const char *changes);
/* run/lease likewise; commas in a value are spaces. */
void world_lease(const struct world *, const char *changes);

/* Words of an attestd's answer: "ok=yes state=… reason=…". "silent": it takes the question and never answers; "deaf": it does not even that; "drip": its answer never ends; "hangup". */
void world_attestd(struct world *, const char *answer);

/* Is text the pattern, where '*' stands for any one character? */
bool world_like(const char *text, const char *pattern);
#endif
