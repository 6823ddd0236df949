/*
 * inject.h - runs a function in a child of its own and makes its n-th system call, or its n-th allocation, fail.
 *
 * System calls are failed by ptrace(2), so those inside libc, libpam, OpenSSL and the rest count too. Allocations are
 * failed by a malloc of our own, which replaces the program's; not in a build with sanitizers, which have theirs.
 */
#ifndef INJECT_H
#define INJECT_H
#include <stdbool.h>

enum { CUT_AT = 200 };

/* What a failed call says instead of doing its work: an errno, or one of these. */
enum {
	FAULT_END   = 0,        /* what moves bytes moves none, poll's time is over; other calls are left alone */
	FAULT_SHORT = -1,       /* what moves bytes moves one; other calls are left alone */
	FAULT_CUT   = -2,       /* a read gives CUT_AT bytes at most, and the next one says that this was all */
};

struct fault {
	bool     alloc;         /* an allocation (always ENOMEM), not a system call */
	unsigned at;            /* which one, from 1; 0: none fails */
	int      error;
	bool     stays;         /* so does every later one */
};

struct run {
	unsigned calls, allocs; /* made, the failed ones among them */
	int      result;        /* of the function, 0 to 255; -1: it was killed */
	int      signal;        /* by this; SIGALRM: it took longer than it may */
	char     last[32];      /* the call that was failed, by its number */
	bool     alloc, stays;  /* as in the fault */
};

/* Does ptrace work here? If not, *why says so. */
bool inject_possible(const char **why);
/* Can allocations be failed in this build? */
bool inject_allocs(void);

/* Runs fn(arg) under the fault, for at most limit_ms. Descriptors and memory are a copy; files are not. */
void inject(int (*fn)(void *), void *arg, const struct fault *, int limit_ms, struct run *);

/*
 * Clean first, then every call and every allocation in turn with every error of a table, once and (ENOMEM and its
 * like) from there on; FAULTS=all in the environment for the whole table. before, if any, sets the stage again for each. judge says whether what came of it is
 * right. Prints a line with the number of points; the number of faults that were made.
 */
struct sweep {
	const char *label;
	int  (*fn)(void *);
	void  *arg;
	void (*before)(void *);
	bool (*judge)(void *, const struct run *, const char *what);
	int    limit_ms;
};
unsigned inject_sweep(const struct sweep *);
#endif
