#include <fcntl.h>
#include "evidence.h"
#include "file.h"
#include "logs.h"
#include "scope.h"

void
boot_log_free(struct boot_log *l)
{
	free(l->bytes);
	*l = (struct boot_log){ 0 };
}

int
logs_open(const char *path, bool *absent, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	*absent = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
	if (fd < 0)
		err_errno(e, "open %s", path);
	return fd;
}

enum reason
logs_read(int fd, bool absent, struct boot_log *out, struct error *e)
{
	struct boot_log l = { 0 };

	if (fd < 0 && !absent)
		return err_set(e, ERR_SYSTEM, "the boot log could not be opened"), REASON_EVENTLOG_UNREADABLE;
	if (fd >= 0 && (lseek(fd, 0, SEEK_SET) < 0 || !file_load_fd(fd, "boot log", BOOT_LOG_MAX, &l.bytes, &l.len, e))) {
		if (e->code == ERR_NONE)
			err_errno(e, "boot log");
		return REASON_EVENTLOG_UNREADABLE;
	}
	if (!digest_sha256(l.len ? (const void *)l.bytes : "", l.len, l.sha256)) {
		boot_log_free(&l);
		return err_set(e, ERR_CRYPTO, "boot log"), REASON_INTERNAL_ERROR;
	}
	*out = l;
	return REASON_OK;
}
