#include <stddef.h>
#include <string.h>
#include "conf.h"
#include "file.h"
#include "options.h"
#include "scope.h"

enum kind { KIND_TEXT, KIND_PATH, KIND_FLAG, KIND_SECONDS, KIND_COUNT, KIND_MODE, KIND_ADDRESSES };
enum { DAY = 24 * 3600, VALUE_TEXT = ADDRESSES_TEXT };

/* X(section, key, kind, field, lowest, highest, default); "" as default: not set. */
#define OPTIONS(X) \
	X("listen",  "hosts",     TEXT,    hosts,     0, 0, "[::]:8451") \
	X("listen",  "admin",     PATH,    admin,     0, 0, "") \
	X("listen",  "web",       TEXT,    web,       0, 0, "") \
	X("listen",  "metrics",   TEXT,    metrics,   0, 0, "") \
	X("listen",  "connections", COUNT, connections, 16, 65536, "8192") \
	X("listen",  "per_address", COUNT, per_address, 1, 65536, "256") \
	X("listen",  "balancers", ADDRESSES, balancers, 0, 0, "") \
	X("tls",     "cert_file", PATH,    cert_file, 0, 0, "") \
	X("tls",     "key_file",  PATH,    key_file,  0, 0, "") \
	X("tls",     "ca_file",   PATH,    ca_file,   0, 0, "") \
	X("tls",     "names",     TEXT,    names,     0, 0, "") \
	X("store",   "url",       TEXT,    store,     0, 0, "") \
	X("store",   "retain_reports", SECONDS, retain_reports, DAY, 3650 * DAY, "90d") \
	X("paths",   "state_dir", PATH,    state_dir, 0, 0, "/var/lib/verifierd") \
	X("paths",   "run_dir",   PATH,    run_dir,   0, 0, "/run/verifierd") \
	X("enroll",  "mode",      MODE,    mode,      0, 0, "approve") \
	X("enroll",  "ek_roots",  PATH,    ek_roots,  0, 0, "/etc/attest/ek-roots.d") \
	X("enroll",  "ek_allow",  PATH,    ek_allow,  0, 0, "") \
	X("enroll",  "simulator", FLAG,    simulator, 0, 0, "no") \
	X("result",  "lifetime",  SECONDS, lifetime,  1, DAY, "15m") \
	X("result",  "grace_max", SECONDS, grace_max, 0, 30 * DAY, "24h") \
	X("policy",  "hold_share", COUNT,  hold_share, 0, 100, "10") \
	X("process", "user",      TEXT,    user,      0, 0, "verifierd") \
	X("process", "workers",   COUNT,   workers,   1, WORKERS_MAX, "auto") \
	X("process", "net",       COUNT,   net,       1, WORKERS_MAX, "auto") \
	X("process", "sandbox",   FLAG,    sandbox,   0, 0, "yes") \
	X("process", "libexec",   PATH,    libexec,   0, 0, "")

static const struct option {
	const char *section, *key;
	enum kind   kind;
	size_t      at, size;
	unsigned    lo, hi;
	const char *unset;
} options[] = {
#define X(section, key, kind, field, lo, hi, unset) \
	{ section, key, KIND_##kind, offsetof(struct options, field), sizeof(((struct options *)0)->field), lo, hi, unset },
	OPTIONS(X)
#undef X
};

static const char *const modes[] = {
#define X(name, word) [ENROLL_##name] = word,
	ENROLL_MODES(X)
#undef X
};

static bool
set_mode(const char *value, enum enroll_mode *m, struct error *e)
{
	for (unsigned i = 0; i < COUNT(modes); i++)
		if (!strcmp(modes[i], value)) {
			*m = (enum enroll_mode)i;
			return true;
		}
	return err_set(e, ERR_CONFIG, "'%.40s': approve, ek-allow-list or token is wanted", value);
}

/* net does half of what an attestation costs, and each more of them is one more with a cold cache. */
static bool
set_count(const char *value, const struct option *o, unsigned *n, struct error *e)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (strcmp(value, "auto") != 0)
		return conf_number(value, o->lo, o->hi, n, e);
	if (o->at == offsetof(struct options, net))
		cores = (cores + 1) / 2;
	*n = cores < (long)o->lo ? o->lo : cores > (long)o->hi ? o->hi : (unsigned)cores;
	return true;
}

static bool
set_option(const struct option *o, const char *value, struct options *all, struct error *e)
{
	char *field = (char *)all + o->at;
	unsigned seconds;
	bool flag;

	switch (o->kind) {
	case KIND_TEXT:
		return conf_text(value, field, o->size, e);
	case KIND_PATH:
		return conf_path(value, field, o->size, e);
	case KIND_MODE:
		return set_mode(value, (enum enroll_mode *)(void *)field, e);
	case KIND_COUNT:
		return set_count(value, o, (unsigned *)(void *)field, e);
	case KIND_ADDRESSES:
		return addresses_read(value, (struct addresses *)(void *)field, e);
	case KIND_FLAG:
		if (!conf_yes_no(value, &flag, e))
			return false;
		*(bool *)(void *)field = flag;
		return true;
	case KIND_SECONDS:
		if (!conf_seconds(value, o->lo, o->hi, &seconds, e))
			return false;
		*(int64_t *)(void *)field = (int64_t)seconds * 1000;
		return true;
	}
	return err_set(e, ERR_CONFIG, "no such kind of option");
}

struct walk { struct options *all; bool seen[COUNT(options)]; };

static bool
take_line(void *arg, const char *section, const char *key, const char *value, unsigned line, struct error *e)
{
	struct walk *w = arg;
	bool in_section = false;

	(void)line;
	for (unsigned i = 0; i < COUNT(options); i++) {
		if (strcmp(options[i].section, section) != 0)
			continue;
		in_section = true;
		if (!key || strcmp(options[i].key, key) != 0)
			continue;
		if (w->seen[i])
			return err_set(e, ERR_CONFIG, "%s is set twice", key);
		w->seen[i] = true;
		return set_option(&options[i], value, w->all, e) || err_in(e, "%s", key);
	}
	if (!in_section)
		return err_set(e, ERR_CONFIG, "no such section: [%.60s]", section);
	return !key || err_set(e, ERR_CONFIG, "no such key in [%.60s]: %.60s", section, key);
}

static const char *
value_text(const struct option *o, const struct options *all, char out[static VALUE_TEXT])
{
	const void *field = (const char *)all + o->at;

	switch (o->kind) {
	case KIND_TEXT:
		return field;
	case KIND_PATH:
		return *(const char *)field ? field : NULL;
	case KIND_MODE:
		return modes[*(const enum enroll_mode *)field];
	case KIND_FLAG:
		return *(const bool *)field ? "yes" : "no";
	case KIND_COUNT:
		snprintf(out, VALUE_TEXT, "%u", *(const unsigned *)field);
		return out;
	case KIND_SECONDS:
		snprintf(out, VALUE_TEXT, "%llds", (long long)*(const int64_t *)field / 1000);
		return out;
	case KIND_ADDRESSES:
		addresses_text(field, out);
		return out;
	}
	return "";
}

void
options_each(const struct options *all, options_fn *fn, void *arg)
{
	char text[VALUE_TEXT];

	for (unsigned i = 0; i < COUNT(options); i++)
		fn(arg, options[i].section, options[i].key, value_text(&options[i], all, text));
}

static bool
defaults(struct options *all, struct error *e)
{
	*all = (struct options){ 0 };
	for (unsigned i = 0; i < COUNT(options); i++)
		if (*options[i].unset && !set_option(&options[i], options[i].unset, all, e))
			return false;
	return true;
}

static bool
derive(char *out, size_t size, const char *before, const char *dir, const char *after, struct error *e)
{
	if (*out)
		return true;
	if ((size_t)snprintf(out, size, "%s%s%s", before, dir, after) >= size)
		return err_set(e, ERR_CONFIG, "%.100s%s: path too long", dir, after);
	return true;
}

/* What was not said follows from what was. Certificate, key and CA are given together or not at all. */
static bool
complete(struct options *all, const char *name, struct error *e)
{
	bool cert = *all->cert_file, key = *all->key_file;

	if (cert != key)
		return err_set(e, ERR_CONFIG, "%s: cert_file and key_file go together", name);
	if (*all->store && strncmp(all->store, "sqlite:/", 8) != 0)
		return err_set(e, ERR_CONFIG, "%s: store url '%.60s': sqlite:/PATH is wanted", name, all->store);
	return derive(all->admin, sizeof(all->admin), "", all->run_dir, "/admin.sock", e) &&
	    derive(all->cert_file, sizeof(all->cert_file), "", all->state_dir, "/tls/server.pem", e) &&
	    derive(all->key_file, sizeof(all->key_file), "", all->state_dir, "/tls/server-key.pem", e) &&
	    derive(all->ca_file, sizeof(all->ca_file), "", all->state_dir, "/tls/ca.pem", e) &&
	    derive(all->store, sizeof(all->store), "sqlite:", all->state_dir, "/store.db", e);
}

bool
options_own_tls(const struct options *o)
{
	char own_cert[OPTION_PATH + 32];

	snprintf(own_cert, sizeof(own_cert), "%s/tls/server.pem", o->state_dir);
	return !strcmp(own_cert, o->cert_file);
}

bool
options_read(const char *path, struct options *out, struct error *e)
{
	const char *name = path ? path : SYSCONFDIR DEFAULT_CONF;
	struct options all;
	struct walk w = { .all = &all };
	own(mem) uint8_t *text = NULL;
	size_t len = 0;

	if (!defaults(&all, e))
		return false;
	if (!file_load(name, CONF_FILE_MAX, &text, &len, e) && (path || e->code != ERR_MISSING))
		return false;
	if (text && !conf_walk(name, (const char *)text, len, take_line, &w, e))
		return false;
	if (!complete(&all, name, e))
		return false;
	*out = all;
	return true;
}
