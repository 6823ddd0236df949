#include <stddef.h>
#include <stdint.h>
#include "conf.h"
#include "file.h"
#include "options.h"
#include "scope.h"

enum kind { KIND_PATH, KIND_EMPTY_PATH, KIND_TEXT, KIND_URLS, KIND_SECONDS, KIND_PERCENT, KIND_HANDLE, KIND_YES };

/* The table is the parser, the defaults and what attestd.conf(5) is checked against. */
#define OPTION(kind, section, key, field, fallback) \
	{ section, key, KIND_##kind, offsetof(struct options, field), sizeof(((struct options *)0)->field), fallback }
static const struct option {
	const char *section, *key;
	enum kind   kind;
	size_t      at, size;
	const char *fallback;
} table[] = {
	OPTION(URLS,       "verifier", "url",       url,       NULL),
	OPTION(EMPTY_PATH, "verifier", "ca_file",   ca_file,   ""),
	OPTION(SECONDS,    "verifier", "timeout",   timeout,   "3s"),
	OPTION(EMPTY_PATH, "verifier", "token_file", token_file, ""),
	OPTION(TEXT,       "tpm",      "tcti",      tcti,      "device:/dev/tpmrm0"),
	OPTION(HANDLE,     "tpm",      "ak",        ak,        "auto"),
	OPTION(PATH,       "logs",     "boot_log",  boot_log,  "/sys/kernel/security/tpm0/binary_bios_measurements"),
	OPTION(EMPTY_PATH, "logs",     "ima_log",   ima_log,   "/sys/kernel/security/ima/binary_runtime_measurements"),
	OPTION(PATH,       "paths",    "run_dir",   run_dir,   "/run/attest"),
	OPTION(PATH,       "paths",    "state_dir", state_dir, "/var/lib/attest"),
	OPTION(PATH,       "paths",    "boot_id",   boot_id,   "/proc/sys/kernel/random/boot_id"),
	OPTION(PERCENT,    "cache",    "renew",     renew,     "66%"),
	OPTION(TEXT,       "process",  "user",      user,      "attest"),
	OPTION(YES,        "process",  "sandbox",   sandbox,   "yes"),
};

static bool
set_urls(struct options *o, const char *value, struct error *e)
{
	char copy[CONF_LINE_MAX], *rest;

	snprintf(copy, sizeof(copy), "%s", value);
	o->urls = 0;
	for (char *u = strtok_r(copy, ", \t", &rest); u; u = strtok_r(NULL, ", \t", &rest)) {
		if (strncmp(u, "https://", 8) || strlen(u) >= URL_TEXT || u[strlen(u) - 1] == '/')
			return err_set(e, ERR_CONFIG, "%.80s: not https://HOST:PORT", u);
		if (o->urls == URLS_MAX)
			return err_set(e, ERR_CONFIG, "over %d verifiers", URLS_MAX);
		strcpy(o->url[o->urls++], u);
	}
	return o->urls || err_set(e, ERR_CONFIG, "no verifier");
}

static bool
set_percent(const char *value, unsigned *out, struct error *e)
{
	char digits[4];
	size_t n = strlen(value);

	if (n < 2 || n > 3 || value[n - 1] != '%')
		return err_set(e, ERR_CONFIG, "%.20s: not a percentage from 10%% to 90%%", value);
	memcpy(digits, value, n - 1);
	digits[n - 1] = '\0';
	return conf_number(digits, 10, 90, out, e);
}

static bool
set_handle(const char *value, unsigned *out, struct error *e)
{
	char *end;
	unsigned long n;

	if (!strcmp(value, "auto")) {
		*out = 0;
		return true;
	}
	n = strncmp(value, "0x", 2) ? 0 : strtoul(value, &end, 16);
	if (n < 0x81000000 || n > 0x817fffff || *end)
		return err_set(e, ERR_CONFIG, "%.20s: neither auto nor a handle from 0x81000000 to 0x817fffff", value);
	*out = (unsigned)n;
	return true;
}

static bool
set(struct options *o, const struct option *row, const char *value, struct error *e)
{
	void *at = (char *)o + row->at;

	switch (row->kind) {
	case KIND_URLS:
		return set_urls(o, value, e);
	case KIND_EMPTY_PATH:
		return *value ? conf_path(value, at, row->size, e) : conf_text(value, at, row->size, e);
	case KIND_PATH:
		return conf_path(value, at, row->size, e);
	case KIND_TEXT:
		return conf_text(value, at, row->size, e);
	case KIND_SECONDS:
		return conf_seconds(value, 1, 30, at, e);
	case KIND_PERCENT:
		return set_percent(value, at, e);
	case KIND_HANDLE:
		return set_handle(value, at, e);
	case KIND_YES:
		return conf_yes_no(value, at, e);
	}
	return err_set(e, ERR_CONFIG, "%s: no such kind", row->key);
}

struct walk { struct options *o; uint32_t seen; };
_Static_assert(COUNT(table) < 32, "one bit an option");

static bool
line(void *arg, const char *section, const char *key, const char *value, unsigned number, struct error *e)
{
	struct walk *w = arg;
	bool section_known = false;

	(void)number;
	for (unsigned i = 0; i < COUNT(table); i++) {
		if (strcmp(table[i].section, section))
			continue;
		section_known = true;
		if (!key || strcmp(table[i].key, key))
			continue;
		if (w->seen & 1u << i)
			return err_set(e, ERR_CONFIG, "%s: given twice", key);
		w->seen |= 1u << i;
		return set(w->o, &table[i], value, e) || err_in(e, "%s", key);
	}
	if (!key && section_known)
		return true;
	return section_known ? err_set(e, ERR_CONFIG, "[%.40s] has no key %.40s", section, key) :
	    err_set(e, ERR_CONFIG, "no section [%.40s]", section);
}

bool
options_load(const char *path, struct options *out, struct error *e)
{
	struct options o = { 0 };
	struct walk w = { .o = &o };
	own(mem) uint8_t *text = NULL;
	size_t len = 0;

	for (unsigned i = 0; i < COUNT(table); i++)
		if (table[i].fallback && !set(&o, &table[i], table[i].fallback, e))
			return err_in(e, "default of %s", table[i].key);
	if (!file_load(path, CONF_FILE_MAX, &text, &len, e)) {
		if (e->code != ERR_MISSING)
			return false;
	} else if (!conf_walk(path, (const char *)text, len, line, &w, e)) {
		return false;
	}
	*out = o;
	return true;
}
