/* staged.h - a kernel that is installed and does not run: what boots next, most likely. */
#ifndef STAGED_H
#define STAGED_H
#include <stdbool.h>
#include <stddef.h>

enum { RELEASE_TEXT = 65 };

/*
 * The newest /boot/vmlinuz-RELEASE by strverscmp(3), where it is newer than the running one: boot loaders take that. False:
 * there is none, or the running kernel is not among them, and nobody can tell.
 */
bool staged_kernel(const char *boot_folder, const char *running, char out[static RELEASE_TEXT]);
#endif
