#include <fcntl.h>
#include "evidence.h"
#include "file.h"
#include "hex.h"
#include "logs.h"
#include "scope.h"

enum { PATH_TEXT = 512 };

static bool
log_path(const char *state_dir, const uint8_t *digest, char out[static PATH_TEXT])
{
	char name[2 * SHA256_SIZE + 1];

	hex_text(digest, SHA256_SIZE, name);
	return snprintf(out, PATH_TEXT, "%s/logs/%s", state_dir, name) < PATH_TEXT;
}

/* A file system that has to find an inode and free blocks for each log takes its time. */
static int
open_again(const char *state_dir, const uint8_t *old, const char *path)
{
	char from[PATH_TEXT];

	return old && log_path(state_dir, old, from) && rename(from, path) == 0 ? open(path, O_WRONLY | O_CLOEXEC) : -1;
}

static bool
fill(int fd, const uint8_t *p, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, p + done, len - done);

		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return ftruncate(fd, (off_t)len) == 0;
}

/* Half a file under its name does no harm: who reads it sees that it is not what the name says. */
bool
logs_keep(const char *state_dir, const uint8_t digest[static SHA256_SIZE], const void *p, size_t len, const uint8_t *old,
    struct error *e)
{
	own(fd) int fd = -1;
	char path[PATH_TEXT];

	if (!log_path(state_dir, digest, path))
		return err_set(e, ERR_CONFIG, "state_dir: path too long");
	if (access(path, F_OK) == 0) {
		if (old)
			logs_drop(state_dir, old);
		return true;
	}
	fd = open_again(state_dir, old, path);
	if (fd < 0 && old)
		logs_drop(state_dir, old);
	if (fd < 0)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && fill(fd, p, len))
		return true;
	err_errno(e, "%.150s", path);
	unlink(path);
	return false;
}

bool
logs_load(const char *state_dir, const uint8_t digest[static SHA256_SIZE], uint8_t **buf, size_t *len, struct error *e)
{
	own(mem) uint8_t *p = NULL;
	uint8_t is[SHA256_SIZE];
	char path[PATH_TEXT];
	size_t n;

	if (!log_path(state_dir, digest, path))
		return err_set(e, ERR_CONFIG, "state_dir: path too long");
	if (!file_load(path, BOOT_LOG_MAX, &p, &n, e))
		return false;
	if (!digest_sha256(p, n, is))
		return err_set(e, ERR_CRYPTO, "no hash");
	if (!same_bytes(is, digest, SHA256_SIZE)) {
		unlink(path);
		return err_set(e, ERR_MISSING, "log is damaged and was removed");
	}
	*buf = give(p);
	*len = n;
	return true;
}

bool
logs_there(const char *state_dir, const uint8_t digest[static SHA256_SIZE])
{
	char path[PATH_TEXT];

	return log_path(state_dir, digest, path) && access(path, R_OK) == 0;
}

void
logs_drop(const char *state_dir, const uint8_t digest[static SHA256_SIZE])
{
	char path[PATH_TEXT];

	if (log_path(state_dir, digest, path))
		unlink(path);
}
