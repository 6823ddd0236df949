/* pipe.h - pointers between two threads of attestd: atomic, and the bytes that are written are the bytes that are read. */
#ifndef PIPE_H
#define PIPE_H
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

static inline bool
pipe_put(int fd, void *p)
{
	ssize_t n;

	do
		n = write(fd, &p, sizeof(p));
	while (n < 0 && errno == EINTR);
	return n == sizeof(p);
}

/* NULL at the end of the other thread. */
static inline void *
pipe_take(int fd)
{
	void *p = NULL;
	ssize_t n;

	do
		n = read(fd, &p, sizeof(p));
	while (n < 0 && errno == EINTR);
	return n == sizeof(p) ? p : NULL;
}
#endif
