#include <stddef.h>
#include "attestd_conf.h"
#include "conf.h"
#include "file.h"
#include "scope.h"

#define ROW(section, key, field) { section, key, offsetof(struct attestd_conf, field), sizeof(((struct attestd_conf *)0)->field) }
static const struct { const char *section, *key; size_t at, size; } rows[] = {
	ROW("verifier", "url", url), ROW("tpm", "tcti", tcti), ROW("logs", "boot_log", boot_log), ROW("logs", "ima_log", ima_log),
	ROW("paths", "run_dir", run_dir), ROW("paths", "state_dir", state_dir),
};

static bool
take(void *arg, const char *section, const char *key, const char *value, unsigned line, struct error *e)
{
	struct attestd_conf *c = arg;
	char digits[8];

	(void)line;
	if (!key)
		return true;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!strcmp(rows[i].section, section) && !strcmp(rows[i].key, key) && strlen(value) < rows[i].size)
			strcpy((char *)c + rows[i].at, value);
	if (!strcmp(section, "cache") && !strcmp(key, "renew")) {
		snprintf(digits, sizeof(digits), "%.*s", (int)strcspn(value, "%"), value);
		if (!conf_number(digits, 10, 90, &c->renew, e))
			e->code = ERR_NONE;
	}
	return true;
}

void
attestd_conf_parse(const char *text, size_t len, struct attestd_conf *c)
{
	struct error e;

	*c = (struct attestd_conf){ .tcti = "device:/dev/tpmrm0", .boot_log = "/sys/kernel/security/tpm0/binary_bios_measurements",
		.ima_log = "/sys/kernel/security/ima/binary_runtime_measurements", .run_dir = "/run/attest",
		.state_dir = "/var/lib/attest", .renew = 66 };
	if (!conf_walk("attestd.conf", text, len, take, c, &e))
		e.code = ERR_NONE;
}

void
attestd_conf_read(const char *path, struct attestd_conf *c)
{
	own(mem) uint8_t *text = NULL;
	struct error e;
	size_t len = 0;

	if (!file_load(path, CONF_FILE_MAX, &text, &len, &e))
		len = 0;
	attestd_conf_parse(len ? (const char *)text : "", len, c);
}
