/* file.h - read files that others may have touched; write files that are whole or not there. */
#ifndef FILE_H
#define FILE_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "error.h"

enum { FILE_ANY_OWNER = -1 };

/*
 * Is a file or a process of uid to be believed where root's and owner's are? Not the overflow uid, whoever
 * the owner is: in a user namespace everybody who has no uid there goes by it.
 */
bool owner_trusted(uid_t uid, uid_t owner);

/*
 * Reads a file of at most size bytes into buf without allocation. It must be a plain file,
 * owned by root or by `owner`, that nobody else may write; path absolute, its last part no link.
 * ERR_MISSING where there is none, ERR_UNTRUSTED, ERR_LIMIT, ERR_SYSTEM.
 */
bool file_read_trusted(const char *path, uid_t owner, void *buf, size_t size, size_t *len,
    struct error *) MUST_CHECK;

/* Reads any file, also one without a size (securityfs), to its end; free *buf. NUL-terminated. */
bool file_load(const char *path, size_t max, uint8_t **buf, size_t *len, struct error *) MUST_CHECK;
bool file_load_fd(int fd, const char *name, size_t max, uint8_t **buf, size_t *len,
    struct error *) MUST_CHECK;

/*
 * Puts a file in place as a whole: temporary file beside it, fsync, rename, fsync of the folder.
 * With `durable` false the two fsyncs are left out (for what a reboot voids anyway).
 */
bool file_replace(const char *path, const void *buf, size_t len, mode_t mode, bool durable,
    struct error *) MUST_CHECK;

/* The same, durable, with the owner, mode and extended attributes (labels, ACLs) of the open file `like`. */
bool file_replace_as(const char *path, int like, const void *buf, size_t len, struct error *) MUST_CHECK;

/*
 * Removes what a file_replace() in this folder left behind because its process was killed. For the
 * start of the folder's one owner, before anybody replaces anything.
 */
void file_sweep(const char *folder);

/* The same of one file's alone: for a folder that others have files in. One who replaces it just now fails, and may try again. */
void file_sweep_of(const char *path);
#endif
