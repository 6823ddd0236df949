/* cmdline.h - two kernel command lines, compared word by word. */
#ifndef CMDLINE_H
#define CMDLINE_H
#include <stdbool.h>
#include <stddef.h>

/*
 * "+ init=/bin/bash - quiet": words that came and went, the alarming ones first; "" when only their order changed.
 * Returns true if one of them is of the kind that opens a machine: another init, a debug shell,
 * a security feature switched off. GRUB's labels are no words. Kernel and systemd take '-' for '_', so does this.
 */
bool cmdline_diff(const char *was, const char *is, char *out, size_t size);
/* Does a line that nothing is compared with open the machine: another init, a shell, a rescue mode? */
bool cmdline_opens(const char *);
#endif
