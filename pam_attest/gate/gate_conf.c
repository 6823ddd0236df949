/* The table of options: what each is called, where it may stand, how its value reads and prints. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "clock.h"
#include "conf.h"
#include "gate_option.h"
#include "journal.h"
#include "scope.h"

enum { DAY = 24 * 3600 };

/* KEY(place, key, kind, field, lowest, highest, default); a field of its own for each row. */
#define KEY(place, key, kind, field, lo, hi, unset) \
	{ key, place, KIND_##kind, offsetof(struct gate_conf, field), sizeof(((struct gate_conf *)0)->field), lo, hi, unset }

enum kind { KIND_TEXT, KIND_PATH, KIND_MODE, KIND_SOURCES, KIND_SECONDS, KIND_ARM, KIND_TIME, KIND_KILL, KIND_FLAG, KIND_GID };

static const struct option {
	const char *key;
	unsigned    place;
	enum kind   kind;
	size_t      at, size;
	unsigned    lo, hi;
	const char *unset;
} options[] = {
	KEY(IN_PATHS,             "run_dir",          PATH,    run_dir,          0, 0,       "/run/attest"),
	KEY(IN_PATHS,             "state_dir",        PATH,    state_dir,        0, 0,       "/var/lib/attest"),
	KEY(IN_PATHS,             "owner",            TEXT,    owner,            0, 0,       "attest"),
	KEY(IN_PATHS,             "boot_id",          PATH,    boot_id,          0, 0,       "/proc/sys/kernel/random/boot_id"),
	KEY(IN_PATHS,             "passwd",           PATH,    passwd,           0, 0,       "/etc/passwd"),
	KEY(IN_PATHS,             "group",            PATH,    group,            0, 0,       "/etc/group"),
	KEY(IN_PATHS,             "cmdline",          PATH,    cmdline,          0, 0,       "/proc/cmdline"),
	KEY(IN_PATHS,             "journal",          PATH,    journal,          0, 0,       JOURNAL_SOCKET),
	KEY(IN_NSS,               "group",            TEXT,    nss_group,        0, 0,       "attested"),
	KEY(IN_NSS,               "gid",              GID,     nss_gid,          100, 1u << 31, ""),
	KEY(IN_NSS,               "warning",          FLAG,    nss_warning,      0, 0,       "no"),
	KEY(IN_SERVICE | IN_LINE, "mode",             MODE,    mode,             0, 0,       "audit"),
	KEY(IN_SERVICE,           "sources",          SOURCES, sources,          0, 0,       "exempt lease cache quote grace"),
	KEY(IN_SERVICE | IN_LINE, "max_age",          SECONDS, max_age,          0, DAY,     "0"),
	KEY(IN_SERVICE,           "grace",            SECONDS, grace,            0, 30 * DAY, "24h"),
	KEY(IN_SERVICE | IN_LINE, "timeout",          SECONDS, timeout,          1, 60,      "5s"),
	KEY(IN_SERVICE,           "arm",              ARM,     arm_always,       0, 0,       "first-good"),
	KEY(IN_SERVICE,           "until",            TIME,    until,            0, 0,       ""),
	KEY(IN_SERVICE,           "exempt_user",      TEXT,    exempt_user,      0, 0,       ""),
	KEY(IN_SERVICE,           "breakglass_group", TEXT,    breakglass_group, 0, 0,       "attest-breakglass"),
	KEY(IN_SERVICE,           "console_ttys",     TEXT,    console_ttys,     0, 0,       ""),
	KEY(IN_SERVICE,           "kill_switch",      KILL,    kill_all,         0, 0,       "console"),
	KEY(IN_SERVICE,           "success_ok",       FLAG,    success_ok,       0, 0,       "no"),
	KEY(IN_SERVICE,           "message",          TEXT,    message,          0, 0,       ""),
	KEY(IN_SERVICE,           "peer_prompt",      FLAG,    peer_prompt,      0, 0,       "no"),
	KEY(IN_SERVICE,           "audience",         TEXT,    audience,         0, 0,       ""),
	KEY(IN_SERVICE | IN_LINE, "explain",          FLAG,    explain,          0, 0,       "no"),
	KEY(IN_LINE,              "conf",             PATH,    file,             0, 0,       GATE_CONF_FILE),
	KEY(IN_LINE,              "service",          TEXT,    service,          0, 0,       ""),
	KEY(IN_LINE,              "silent",           FLAG,    silent,           0, 0,       "no"),
	KEY(IN_LINE,              "debug",            FLAG,    debug,            0, 0,       "no"),
};
_Static_assert(COUNT(options) <= 64, "one bit an option");

static const char *const source_words[] = {
#define X(name, word) [SOURCE_##name] = word,
	GATE_SOURCES(X)
#undef X
};
static const char *const action_words[] = {
#define X(name, word) [ACTION_##name] = word,
	GATE_ACTIONS(X)
#undef X
};

const char *
source_word(enum source s)
{
	return (unsigned)s < SOURCE_COUNT ? source_words[s] : "none";
}

const char *
action_word(enum action a)
{
	return (unsigned)a < ACTION_COUNT ? action_words[a] : action_words[ACTION_DENY];
}

static bool
find_word(const char *const *words, unsigned count, const char *word, unsigned *out)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(words[i], word)) {
			*out = i;
			return true;
		}
	return false;
}

bool
gate_list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (len && *(list += strspn(list, " \t"))) {
		size_t n = strcspn(list, " \t");

		if (n == len && !memcmp(list, word, n))
			return true;
		list += n;
	}
	return false;
}

/* GATE: what a state does at a source that has no bracket for it. */
static struct source_rule
rule_default(enum source s)
{
	struct source_rule r = { .source = s };

	r.action[STATE_AFFIRMING] = r.action[STATE_WARNING] = ACTION_PERMIT;
	r.action[STATE_NONE] = r.action[STATE_BROKEN] = ACTION_CONTINUE;
	/* A refused host asks once more, so that it is let in as soon as the cause is gone. */
	r.action[STATE_CONTRAINDICATED] = s == SOURCE_CACHE ? ACTION_CONTINUE : ACTION_DENY;
	return r;
}

/* One "state=action" of a bracket. */
static bool
set_action(char *word, struct source_rule *r, struct error *e)
{
	char *equals = strchr(word, '=');
	unsigned action;
	enum state state;

	if (!equals)
		return err_set(e, ERR_CONFIG, "'%.40s': state=action is wanted", word);
	*equals = '\0';
	if (!state_find(word, &state))
		return err_set(e, ERR_CONFIG, "'%.40s' is no state", word);
	if (!find_word(action_words, COUNT(action_words), equals + 1, &action))
		return err_set(e, ERR_CONFIG, "'%.40s' is no action (permit, deny, continue)", equals + 1);
	if (state == STATE_CONTRAINDICATED && action == ACTION_PERMIT)
		return err_set(e, ERR_CONFIG, "contraindicated cannot be permitted; mode = audit does so for a service");
	r->action[state] = (enum action)action;
	return true;
}

/* "exempt cache quote [none=permit broken=permit] grace", as nsswitch.conf(5) reads. */
static bool
set_sources(const char *value, struct gate_conf *c, struct error *e)
{
	struct source_rule rules[GATE_SOURCES_MAX];
	char text[GATE_LIST_MAX], *save = NULL;
	unsigned n = 0, found;
	bool inside = false;

	if (!conf_text(value, text, sizeof(text), e))
		return false;
	for (char *w = strtok_r(text, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		size_t len;

		if (!inside && *w == '[') {
			inside = true;
			w++;
		}
		len = strlen(w);
		if (inside) {
			bool last = len && w[len - 1] == ']';

			if (last)
				w[--len] = '\0';
			if (!n)
				return err_set(e, ERR_CONFIG, "a bracket stands behind its source");
			if (len && !set_action(w, &rules[n - 1], e))
				return false;
			inside = !last;
			continue;
		}
		if (!find_word(source_words, COUNT(source_words), w, &found))
			return err_set(e, ERR_CONFIG, "'%.40s' is no source", w);
		if (n == GATE_SOURCES_MAX)
			return err_set(e, ERR_CONFIG, "more than %d sources", GATE_SOURCES_MAX);
		rules[n++] = rule_default((enum source)found);
	}
	if (inside || !n)
		return err_set(e, ERR_CONFIG, inside ? "'[' without ']'" : "no source");
	memcpy(c->sources, rules, sizeof(rules[0]) * n);
	c->nsources = n;
	return true;
}

static bool
set_choice(const char *value, const char *no, const char *yes, bool *out, struct error *e)
{
	if (strcmp(value, no) != 0 && strcmp(value, yes) != 0)
		return err_set(e, ERR_CONFIG, "'%.40s': %s or %s is wanted", value, no, yes);
	*out = !strcmp(value, yes);
	return true;
}

/* RFC 3339 in UTC, in the one form that is also written. */
static bool
set_time(const char *value, int64_t *out, struct error *e)
{
	struct tm tm = { 0 };
	const char *end = strptime(value, "%Y-%m-%dT%H:%M:%SZ", &tm);
	char again[TIME_TEXT];
	int64_t ms = end && !*end ? (int64_t)timegm(&tm) * 1000 : -1;

	time_text(ms, again);
	if (ms < 0 || strcmp(again, value) != 0)
		return err_set(e, ERR_CONFIG, "'%.40s': not a time like 2026-11-23T09:12:44Z", value);
	*out = ms;
	return true;
}

static bool
set_seconds(const char *value, const struct option *o, int64_t *out, struct error *e)
{
	unsigned seconds;

	if (!conf_seconds(value, o->lo, o->hi, &seconds, e))
		return false;
	*out = (int64_t)seconds * 1000;
	return true;
}

static bool
set_option(const struct option *o, const char *value, struct gate_conf *c, struct error *e)
{
	void *field = (char *)c + o->at;

	switch (o->kind) {
	case KIND_TEXT:    return conf_text(value, field, o->size, e);
	case KIND_PATH:    return conf_path(value, field, o->size, e);
	case KIND_SOURCES: return set_sources(value, c, e);
	case KIND_SECONDS: return set_seconds(value, o, field, e);
	case KIND_TIME:    return set_time(value, field, e);
	case KIND_ARM:     return set_choice(value, "first-good", "always", field, e);
	case KIND_KILL:    return set_choice(value, "console", "all", field, e);
	case KIND_FLAG:    return conf_yes_no(value, field, e);
	case KIND_GID:     return conf_number(value, o->lo, o->hi, field, e);
	case KIND_MODE:
		return mode_find(value, field) || err_set(e, ERR_CONFIG, "'%.40s': off, audit or enforce is wanted", value);
	}
	return err_set(e, ERR_CONFIG, "no such kind of option");
}

void
gate_option_defaults(struct gate_conf *c)
{
	struct error e;

	*c = (struct gate_conf){ .mode = MODE_ENFORCE };
	for (unsigned i = 0; i < COUNT(options); i++)
		if (options[i].unset[0] && !set_option(&options[i], options[i].unset, c, &e)) {
			c->bad = true;
			c->error = e;
		}
}

bool
gate_option_set(struct gate_conf *c, unsigned place, const char *key, const char *value, uint64_t *seen,
    struct error *e)
{
	for (unsigned i = 0; i < COUNT(options); i++) {
		const struct option *o = &options[i];

		if (!(o->place & place) || strcmp(o->key, key) != 0)
			continue;
		if (*seen & 1ull << i)
			return err_set(e, ERR_CONFIG, "%s: given twice", key);
		*seen |= 1ull << i;
		return set_option(o, value, c, e) || err_in(e, "%s", key);
	}
	return err_set(e, ERR_CONFIG, "%.60s: no such key here", key);
}

static void
sources_text(const struct gate_conf *c, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < c->nsources && used < size; i++) {
		struct source_rule unset = rule_default(c->sources[i].source);
		const char *open = " [";

		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "", source_word(unset.source));
		for (unsigned s = 0; s < STATE_COUNT && used < size; s++) {
			enum action a = c->sources[i].action[s];

			if (a == unset.action[s])
				continue;
			used += (size_t)snprintf(out + used, size - used, "%s%s=%s", open, state_word((enum state)s), action_word(a));
			open = " ";
		}
		if (open[1] == '\0' && used < size)
			used += (size_t)snprintf(out + used, size - used, "]");
	}
}

static void
value_text(const struct option *o, const struct gate_conf *c, char *out, size_t size)
{
	const void *field = (const char *)c + o->at;
	int64_t ms = 0;

	out[0] = '\0';
	switch (o->kind) {
	case KIND_TEXT:
	case KIND_PATH:    snprintf(out, size, "%s", (const char *)field); break;
	case KIND_SOURCES: sources_text(c, out, size); break;
	case KIND_ARM:     snprintf(out, size, "%s", *(const bool *)field ? "always" : "first-good"); break;
	case KIND_KILL:    snprintf(out, size, "%s", *(const bool *)field ? "all" : "console"); break;
	case KIND_FLAG:    snprintf(out, size, "%s", *(const bool *)field ? "yes" : "no"); break;
	case KIND_MODE:    snprintf(out, size, "%s", mode_word(*(const enum gate_mode *)field)); break;
	case KIND_GID:
		if (*(const unsigned *)field)
			snprintf(out, size, "%u", *(const unsigned *)field);
		break;
	case KIND_SECONDS:
		snprintf(out, size, "%llds", (long long)(*(const int64_t *)field / 1000));
		break;
	case KIND_TIME:
		ms = *(const int64_t *)field;
		if (ms && size >= TIME_TEXT)
			time_text(ms, out);
		break;
	}
}

void
gate_conf_each(const struct gate_conf *c,
    void (*fn)(void *arg, const char *section, const char *key, const char *value), void *arg)
{
	char text[1024];

	for (unsigned i = 0; i < COUNT(options); i++) {
		const struct option *o = &options[i];

		if (o->place == IN_LINE)
			continue;
		value_text(o, c, text, sizeof(text));
		fn(arg, o->place & IN_PATHS ? "paths" : o->place & IN_NSS ? "nss" : "service", o->key, text);
	}
}
