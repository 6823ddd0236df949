/* kernel.h - which means of confinement the running kernel has. Asks only; changes nothing. */
#ifndef KERNEL_H
#define KERNEL_H
#include <stdbool.h>
#include <stddef.h>

/*
 * The version of Landlock's interface, 0 where there is none: older than 5.13, not built in, not
 * among the security modules chosen at boot, or kept away by the filter of a container.
 */
int kernel_landlock(void);

/* Seccomp filters that can end a whole process: 4.14 and later, when built in. */
bool kernel_seccomp(void);

/* "this kernel has no ...", for the one line that a daemon logs at its start; false when nothing is missing. */
bool kernel_lacks(char *text, size_t size);
#endif
