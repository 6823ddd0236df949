/* name_version.h - the version in a file's name: "/boot/vmlinuz-6.1.0-28-amd64" says 6.1.0-28-amd64. */
#ifndef NAME_VERSION_H
#define NAME_VERSION_H
#include <stdbool.h>
#include <stddef.h>

/* Of the last part of the path that has one; false, and out is "", if none has. Both kinds of slashes part it. */
bool name_version(const char *path, char *out, size_t size);
#endif
