#include <sys/stat.h>
#include "evidence.h"
#include "file.h"
#include "hex.h"
#include "logs.h"
#include "scope.h"

enum { PATH_TEXT = 512 };

/* state_dir/logs/ab/cdef…; *dir is the length up to the folder. */
static bool
log_path(const char *state_dir, const uint8_t *digest, char out[static PATH_TEXT], size_t *dir)
{
	char name[2 * SHA256_SIZE + 1];
	int n;

	hex_text(digest, SHA256_SIZE, name);
	n = snprintf(out, PATH_TEXT, "%s/logs/%.2s/%s", state_dir, name, name + 2);
	if (n >= PATH_TEXT)
		return false;
	*dir = (size_t)n - (2 * SHA256_SIZE - 2) - 1;
	return true;
}

static bool
make_folders(char *path, size_t dir)
{
	char cut = path[dir];
	bool good;

	path[dir] = '\0';
	good = access(path, F_OK) == 0;
	if (!good) {
		path[dir - 3] = '\0';
		good = mkdir(path, 0700) == 0 || errno == EEXIST;
		path[dir - 3] = '/';
		good = good && (mkdir(path, 0700) == 0 || errno == EEXIST);
	}
	path[dir] = cut;
	return good;
}

bool
logs_keep(const char *state_dir, const uint8_t digest[static SHA256_SIZE], const void *p, size_t len, struct error *e)
{
	char path[PATH_TEXT];
	size_t dir;

	if (!log_path(state_dir, digest, path, &dir))
		return err_set(e, ERR_CONFIG, "state_dir: path too long");
	if (access(path, F_OK) == 0)
		return true;
	if (!make_folders(path, dir))
		return err_errno(e, "%.150s", path);
	return file_replace(path, p, len, 0600, false, e);
}

bool
logs_load(const char *state_dir, const uint8_t digest[static SHA256_SIZE], uint8_t **buf, size_t *len, struct error *e)
{
	own(mem) uint8_t *p = NULL;
	uint8_t is[SHA256_SIZE];
	char path[PATH_TEXT];
	size_t n, dir;

	if (!log_path(state_dir, digest, path, &dir))
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
	size_t dir;

	return log_path(state_dir, digest, path, &dir) && access(path, R_OK) == 0;
}

void
logs_drop(const char *state_dir, const uint8_t digest[static SHA256_SIZE])
{
	char path[PATH_TEXT];
	size_t dir;

	if (log_path(state_dir, digest, path, &dir))
		unlink(path);
}

void
logs_sweep(const char *state_dir)
{
	char path[PATH_TEXT];

	for (unsigned i = 0; i < 256; i++)
		if (snprintf(path, sizeof(path), "%s/logs/%02x", state_dir, i) < PATH_TEXT)
			file_sweep(path);
}
