/* crew.h - a process and its children, as they come and go: CPU time and memory of all of them together. */
#ifndef CREW_H
#define CREW_H
#include <sys/types.h>

enum { CREW_MAX = 4096 };            /* that were ever seen */
struct crew {
	pid_t    main;
	unsigned count;
	struct { pid_t pid; double cpu; char name[16]; } member[CREW_MAX];
};

/* Looks at everybody; what a member did between the last look and its end is lost, so look often. */
void crew_look(struct crew *);
/* us, of those that have ended as well; name: of those whose program is called so, NULL for all. */
double crew_cpu(const struct crew *, const char *name);
/* Private dirty memory of those that live, KiB; -1 when the kernel does not tell. */
double crew_private_dirty(const struct crew *);
#endif
