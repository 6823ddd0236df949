#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "file.h"
#include "scope.h"

/* Fills buf as far as the file goes; fails when there is more than size, or less than the file itself says. */
static bool
read_all(int fd, const char *name, off_t least, void *buf, size_t size, size_t *len, struct error *e)
{
	size_t have = 0;
	uint8_t more;
	ssize_t n;

	for (;;) {
		n = have < size ? read(fd, (uint8_t *)buf + have, size - have) : read(fd, &more, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "read %s", name);
		if (!n)
			break;
		if (have == size)
			return err_set(e, ERR_LIMIT, "%s: more than %zu bytes", name, size);
		have += (size_t)n;
	}
	/* A part may say the opposite of the whole. */
	if ((off_t)have < least)
		return err_set(e, ERR_SYSTEM, "read %s: it ends after %zu of %lld bytes", name, have, (long long)least);
	*len = have;
	return true;
}

enum { UID_OVERFLOW = 65534 };

bool
owner_trusted(uid_t uid, uid_t owner)
{
	return uid == 0 || (uid == owner && uid != UID_OVERFLOW);
}

bool
file_read_trusted(const char *path, uid_t owner, void *buf, size_t size, size_t *len, struct error *e)
{
	own(fd) int fd = -1;
	struct stat st;

	if (path[0] != '/')
		return err_set(e, ERR_UNTRUSTED, "%s: not an absolute path", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_MISSING, "%s: no such file", path);
	if (fd < 0 && errno == ELOOP)
		return err_set(e, ERR_UNTRUSTED, "%s: is a link", path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "open %s", path);
	if (!S_ISREG(st.st_mode) || !owner_trusted(st.st_uid, owner) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(e, ERR_UNTRUSTED, "%s: not a plain file that only root or uid %u may write",
		    path, (unsigned)owner);
	return read_all(fd, path, st.st_size, buf, size, len, e);
}

bool
file_load_fd(int fd, const char *name, size_t max, uint8_t **buf, size_t *len, struct error *e)
{
	own(mem) uint8_t *data = NULL;
	size_t size = 16 << 10, have = 0;
	ssize_t n;

	/* securityfs says size 0 for files that are not empty: read until there is no more. */
	for (;;) {
		if (!data || have == size) {
			size_t larger = data ? size * 2 : size;
			uint8_t *grown;

			if (have > max)
				break;
			grown = realloc(data, larger + 1);
			if (!grown)
				return err_set(e, ERR_MEMORY, "read %s", name);
			data = grown;
			size = larger;
		}
		n = read(fd, data + have, size - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "read %s", name);
		if (!n)
			break;
		have += (size_t)n;
	}
	if (have > max)
		return err_set(e, ERR_LIMIT, "%s: more than %zu bytes", name, max);
	data[have] = '\0';
	*len = have;
	*buf = give(data);
	return true;
}

bool
file_load(const char *path, size_t max, uint8_t **buf, size_t *len, struct error *e)
{
	own(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_MISSING, "%s: no such file", path);
	if (fd < 0)
		return err_errno(e, "open %s", path);
	return file_load_fd(fd, path, max, buf, len, e);
}

static bool
write_all(int fd, const char *name, const void *buf, size_t len, struct error *e)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, (const uint8_t *)buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "write %s", name);
		done += (size_t)n;
	}
	return true;
}

/* What file_replace() writes to is called so, and six characters of mkostemp()'s. */
#define UNFINISHED ".new."
enum { UNFINISHED_TAIL = sizeof(UNFINISHED) - 1 + 6 };

static bool
sync_folder(const char *path, struct error *e)
{
	char folder[4096];
	char *slash;
	own(fd) int fd = -1;

	if ((size_t)snprintf(folder, sizeof(folder), "%s", path) >= sizeof(folder))
		return err_set(e, ERR_LIMIT, "%s: path too long", path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_errno(e, "sync %s", slash ? folder : ".");
	return true;
}

enum { XATTR_NAMES_MAX = 4096, XATTR_VALUE_MAX = 64 << 10 };

/* A file system without attributes has none to lose; one that will not take what the other had is another matter. */
static bool
copy_attributes(int from, int to, const char *name, struct error *e)
{
	own(mem) char *value = NULL;
	char names[XATTR_NAMES_MAX];
	ssize_t n = flistxattr(from, names, sizeof(names));

	if (n < 0)
		return errno == ENOTSUP || err_errno(e, "attributes of %s", name);
	value = malloc(XATTR_VALUE_MAX);
	if (!value)
		return err_set(e, ERR_MEMORY, "attributes of %s", name);
	for (const char *key = names; key < names + n; key += strlen(key) + 1) {
		ssize_t len = fgetxattr(from, key, value, XATTR_VALUE_MAX);

		if (len < 0 || fsetxattr(to, key, value, (size_t)len, 0) < 0)
			return err_errno(e, "attribute %s of %s", key, name);
	}
	return true;
}

/* The owner first: changing it takes set-id bits away, and its ACL goes with the mode. */
static bool
copy_rights(int from, int to, const char *name, struct error *e)
{
	struct stat st, now;

	if (fstat(from, &st) < 0 || fstat(to, &now) < 0)
		return err_errno(e, "stat %s", name);
	if ((st.st_uid != now.st_uid || st.st_gid != now.st_gid) && fchown(to, st.st_uid, st.st_gid) < 0)
		return err_errno(e, "chown %s", name);
	if (fchmod(to, st.st_mode & 07777) < 0)
		return err_errno(e, "chmod %s", name);
	return copy_attributes(from, to, name, e);
}

static bool
set_mode(int fd, const char *name, mode_t mode, struct error *e)
{
	return fchmod(fd, mode) == 0 || err_errno(e, "chmod %s", name);
}

/* like < 0: `mode` says the rights. */
static bool
replace(const char *path, const void *buf, size_t len, int like, mode_t mode, bool durable, struct error *e)
{
	own(fd) int fd = -1;
	char temporary[4096];

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s" UNFINISHED "XXXXXX", path) >= sizeof(temporary))
		return err_set(e, ERR_LIMIT, "%s: path too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "create %s", temporary);
	if (!write_all(fd, temporary, buf, len, e) ||
	    !(like < 0 ? set_mode(fd, temporary, mode, e) : copy_rights(like, fd, temporary, e)) ||
	    (durable && fsync(fd) < 0 && !err_errno(e, "sync %s", temporary)) ||
	    (rename(temporary, path) < 0 && !err_errno(e, "rename to %s", path))) {
		unlink(temporary);
		return false;
	}
	return !durable || sync_folder(path, e);
}

bool
file_replace(const char *path, const void *buf, size_t len, mode_t mode, bool durable, struct error *e)
{
	return replace(path, buf, len, -1, mode, durable, e);
}

bool
file_replace_as(const char *path, int like, const void *buf, size_t len, struct error *e)
{
	return replace(path, buf, len, like, 0, true, e);
}

/* name NULL: of every file. */
static void
sweep(const char *folder, const char *name)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len > UNFINISHED_TAIL &&
		    !memcmp(entry->d_name + len - UNFINISHED_TAIL, UNFINISHED, sizeof(UNFINISHED) - 1) &&
		    (!name || (len - UNFINISHED_TAIL == strlen(name) && !memcmp(entry->d_name, name, strlen(name)))))
			unlinkat(dirfd(d), entry->d_name, 0);
	}
	if (d)
		closedir(d);
}

void
file_sweep(const char *folder)
{
	sweep(folder, NULL);
}

void
file_sweep_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];

	if (slash && (size_t)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path) + 1, path) < sizeof(folder))
		sweep(folder, slash + 1);
}
