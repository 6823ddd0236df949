/*
 * grubenv.h - the states in which GRUB itself leaves its environment block.
 *
 * GRUB measures the file into PCR 9 each time it reads it, and its own scripts write it: a boot that
 * was begun (recordfail), a one-time entry that was taken (next_entry). Their contents are known
 * without having been seen. None of them chooses what is booted; what was chosen is in PCR 8. A
 * block with anything else in it, a saved_entry say, is a file like any other.
 */
#ifndef GRUBENV_H
#define GRUBENV_H
#include "digest.h"

/* Is that the path of such a block? */
bool grubenv_named(const char *path);
/* Is it the digest of one that is blank, or holds nothing but what GRUB's scripts leave? */
bool grubenv_state(enum bank, const uint8_t *digest);
#endif
