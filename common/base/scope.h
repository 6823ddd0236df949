/* scope.h - things that give themselves back when their block ends. */
#ifndef SCOPE_H
#define SCOPE_H
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define own(kind) __attribute__((cleanup(drop_##kind)))

static inline void
drop_mem(void *slot)          /* own(mem) char *s = NULL; */
{
	void *p;

	memcpy(&p, slot, sizeof(p));
	free(p);
}

static inline void
drop_fd(const int *fd)        /* own(fd) int fd = -1; */
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void
drop_file(FILE **f)           /* own(file) FILE *f = NULL; */
{
	if (*f)
		fclose(*f);
}

/* give(p): hand p to the caller; the block no longer owns it. */
#define give(p) __extension__ ({ __typeof__(p) given_ = (p); (p) = NULL; given_; })
static inline int give_fd(int *fd) { int f = *fd; *fd = -1; return f; }

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#endif
