/* cmdline.h - two kernel command lines, compared word by word. */
#ifndef CMDLINE_H
#define CMDLINE_H
#include <stdbool.h>
#include <stddef.h>

/* GRUB's label "kernel_cmdline: " before a command line is no word of it. */
const char *cmdline_words(const char *text);

/*
 * "+ init=/bin/bash - quiet": words that came and went, in order; "" when only their order changed.
 * Returns true if one of them is of the kind that opens a machine: another init, a debug shell,
 * a security feature switched off. Kernel and systemd take '-' for '_', so does this.
 */
bool cmdline_diff(const char *was, const char *is, char *out, size_t size);
#endif
