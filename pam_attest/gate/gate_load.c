/* Which files, which sections, in which order; a bad line spoils its own section and no other. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "conf.h"
#include "file.h"
#include "gate_option.h"
#include "scope.h"

/* The general sections are read first, so that [default] may stand below the service's own. */
enum pass { PASS_GENERAL, PASS_SERVICE, PASS_NSS };
enum section { SECTION_NONE, SECTION_PATHS, SECTION_NSS, SECTION_DEFAULT, SECTION_SERVICE, SECTION_OTHER, SECTION_BROKEN };

struct load {
	struct gate_conf *c;
	const char       *service;
	enum pass         pass;
	enum section      section;
	uint64_t          seen;
	bool              sections;     /* there was a [section], in whatever file */
	gate_conf_report *report;
	void             *arg;
};

static void
note(struct load *l, const struct error *e)
{
	if (!l->c->bad)
		l->c->error = *e;
	l->c->bad = true;
	if (l->report)
		l->report(l->arg, e);
}

static enum section
section_of(const struct load *l, const char *header)
{
	if (!strcmp(header, "paths"))
		return SECTION_PATHS;
	if (!strcmp(header, "nss"))
		return SECTION_NSS;
	if (!strcmp(header, "default"))
		return SECTION_DEFAULT;
	return gate_list_has(header, l->service) ? SECTION_SERVICE : SECTION_OTHER;
}

/* Is the section at hand one that this pass reads? Lines that belong nowhere are judged once. */
static bool
counts(const struct load *l)
{
	if (l->section == SECTION_SERVICE)
		return l->pass == PASS_SERVICE;
	if (l->section == SECTION_DEFAULT)
		return l->pass == PASS_GENERAL;
	return l->section != SECTION_OTHER && l->pass != PASS_SERVICE;
}

static bool
take(void *arg, const char *header, const char *key, const char *value, unsigned line, struct error *e)
{
	static const unsigned place[] = {
		[SECTION_PATHS] = IN_PATHS, [SECTION_NSS] = IN_NSS,
		[SECTION_DEFAULT] = IN_SERVICE, [SECTION_SERVICE] = IN_SERVICE,
	};
	struct load *l = arg;

	(void)line;
	if (!key) {
		l->sections = true;
		l->section = section_of(l, header);
		if (l->section == SECTION_SERVICE)
			l->c->named = true;
		return true;
	}
	if (!counts(l) || l->section == SECTION_BROKEN)
		return true;
	if (l->section == SECTION_NONE)
		return err_set(e, ERR_CONFIG, "%.60s stands before the first [section]", key);
	if (!gate_option_set(l->c, place[l->section], key, value, &l->seen, e)) {
		/* A mode that nobody can read is the strict one. */
		if (!strcmp(key, "mode"))
			l->c->mode = MODE_ENFORCE;
		return false;
	}
	if (l->section == SECTION_SERVICE && !strcmp(key, "console_ttys"))
		l->c->consoles = true;
	if (!strcmp(key, "mode"))
		l->c->moded = true;
	return true;
}

/* Line by line, so that what follows a bad one is still read: mode and arm among it. */
static void
walk(struct load *l, const char *name, const char *text, size_t len)
{
	l->section = SECTION_NONE;
	l->seen = 0;
	for (unsigned number = 1; len; number++) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline - text) + 1 : len;
		bool header = text[strspn(text, " \t")] == '[';
		struct error e;

		/* What says nothing here is not looked at: other services' lines are most of a file. */
		if ((header || counts(l)) && !conf_walk_from(name, number, text, n, take, l, &e)) {
			if (header)
				l->section = SECTION_BROKEN;
			if (counts(l))
				note(l, &e);
		}
		text += n;
		len -= n;
	}
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool
read_conf(const char *path, char text[static GATE_FILE_MAX], size_t *len, struct error *e)
{
	if (!file_read_trusted(path, geteuid(), text, GATE_FILE_MAX - 1, len, e))
		return false;
	/* What a full disk or a power cut leaves of a file; it says nothing, so it may not say "audit". */
	if (!*len || memchr(text, '\0', *len))
		return err_set(e, ERR_CONFIG, "%s: %s", path, *len ? "has NUL bytes" : "is empty");
	text[*len] = '\0';
	return true;
}

/* One file at a time is on the stack: applications may have a small one (ocserv: 96 KiB, and no guard behind it). */
static bool
load_file(struct load *l, const char *path, struct error *e)
{
	char text[GATE_FILE_MAX];
	size_t len;

	if (!read_conf(path, text, &len, e))
		return false;
	walk(l, last_part(path), text, len);
	return true;
}

struct names { unsigned n; char name[GATE_DROPINS_MAX][GATE_NAME_MAX]; };

/* Keeps names sorted; false when there is no room. */
static bool
add_name(struct names *all, const char *name)
{
	unsigned at = all->n;

	if (all->n == GATE_DROPINS_MAX || strlen(name) >= GATE_NAME_MAX)
		return false;
	for (; at && strcmp(all->name[at - 1], name) > 0; at--)
		strcpy(all->name[at], all->name[at - 1]);
	strcpy(all->name[at], name);
	all->n++;
	return true;
}

static bool
is_dropin(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && !strcmp(name + len - 5, ".conf");
}

/* opendir(3) allocates, so the kernel is asked itself. No such folder: no drop-ins. */
static bool
list_dropins(const char *folder, struct names *all, struct error *e)
{
	own(fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_Alignas(struct dirent64) char buf[2048];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT || err_errno(e, "open %s", folder);
	if (fstat(fd, &st) < 0)
		return err_errno(e, "stat %s", folder);
	if (!owner_trusted(st.st_uid, geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(e, ERR_UNTRUSTED, "%s: others may write it", folder);
	while ((n = getdents64(fd, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const void *)(buf + at);

			if (is_dropin(d->d_name) && !add_name(all, d->d_name))
				return err_set(e, ERR_LIMIT, "%s: more than %d drop-ins, or a name too long", folder, GATE_DROPINS_MAX);
			at += d->d_reclen;
		}
	return n == 0 || err_errno(e, "read %s", folder);
}

/* gate.conf and its drop-ins, for each pass. False if any of them cannot be had: it may have said "enforce". */
static bool
load_all(struct load *l, struct error *e)
{
	static const enum pass passes[] = { PASS_GENERAL, PASS_SERVICE };
	char path[GATE_PATH_MAX + GATE_NAME_MAX + 4];
	struct names names = { 0 };

	snprintf(path, sizeof(path), "%s.d", l->c->file);
	for (unsigned p = 0; p < COUNT(passes); p++) {
		l->pass = passes[p];
		/* First: where it is not known which drop-ins there are, the file itself says nothing either. */
		if ((!p && !list_dropins(path, &names, e)) || !load_file(l, l->c->file, e))
			return false;
		for (unsigned i = 0; i < names.n; i++) {
			snprintf(path, sizeof(path), "%s.d/%s", l->c->file, names.name[i]);
			if (!load_file(l, path, e))
				return false;
		}
	}
	/* Nonsense without any [section] is no gate.conf either. */
	return !l->c->bad || l->sections || err_set(e, ERR_CONFIG, "%s: no [section]", l->c->file);
}

/* The options of the PAM line. "silent" alone means silent=yes. */
static void
take_line(struct load *l, int argc, const char *const *argv, bool say)
{
	uint64_t seen = 0;

	for (int i = 0; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');
		size_t n = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
		char key[32] = "";
		struct error e;

		if (n < sizeof(key))
			memcpy(key, argv[i], n);
		if (gate_option_set(l->c, IN_LINE, key, equals ? equals + 1 : "yes", &seen, &e)) {
			l->c->moded |= !strcmp(key, "mode");
			continue;
		}
		if (!strcmp(key, "mode"))
			l->c->mode = MODE_ENFORCE;
		if (say) {
			err_in(&e, "option %d", i + 1);
			note(l, &e);
		}
	}
}

void
gate_conf_read(struct gate_conf *c, const char *service, int argc, const char *const *argv,
    gate_conf_report *report, void *arg)
{
	struct load l = { .c = c, .service = service, .report = report, .arg = arg };
	struct error e;

	gate_option_defaults(c);
	take_line(&l, argc, argv, true);         /* conf= and service= say what to read */
	if (c->service[0])
		l.service = c->service;
	else
		snprintf(c->service, sizeof(c->service), "%s", service);
	if (!load_all(&l, &e)) {
		c->unreadable = true;
		c->mode = MODE_ENFORCE;
		note(&l, &e);
	}
	take_line(&l, argc, argv, false);        /* and the line beats the file */
	/* The line that nobody can read may be the one that was to say "enforce"; built-in audit is for who said nothing. */
	if (c->bad && !c->moded)
		c->mode = MODE_ENFORCE;
}

bool
gate_conf_read_nss(struct gate_conf *c, const char *file)
{
	struct load l = { .c = c, .service = "", .pass = PASS_NSS };
	char path[GATE_PATH_MAX + GATE_NAME_MAX + 4];
	struct names names = { 0 };
	struct error e;

	gate_option_defaults(c);
	snprintf(path, sizeof(path), "%s.d", file);
	/* The package of the group brings a drop-in, and not the gate's own file: one that is not there says nothing. */
	if ((!load_file(&l, file, &e) && e.code != ERR_MISSING) || !list_dropins(path, &names, &e))
		return false;
	for (unsigned i = 0; i < names.n; i++) {
		snprintf(path, sizeof(path), "%s.d/%s", file, names.name[i]);
		if (!load_file(&l, path, &e))
			return false;
	}
	return !c->bad;
}

struct services { void (*fn)(void *, const char *); void *arg; };

static bool
each_service(void *arg, const char *header, const char *key, const char *value, unsigned line, struct error *e)
{
	const struct services *s = arg;
	char word[CONF_LINE_MAX];

	(void)value, (void)line, (void)e;
	if (key || !strcmp(header, "paths") || !strcmp(header, "nss") || !strcmp(header, "default"))
		return true;
	while (*(header += strspn(header, " \t"))) {
		size_t n = strcspn(header, " \t");

		memcpy(word, header, n);
		word[n] = '\0';
		s->fn(s->arg, word);
		header += n;
	}
	return true;
}

static bool
services_in(const char *path, struct services *s, struct error *e)
{
	char text[GATE_FILE_MAX];
	const char *p = text;
	size_t len;

	if (!file_read_trusted(path, geteuid(), text, sizeof(text), &len, e))
		return false;
	while (len) {
		const char *newline = memchr(p, '\n', len);
		size_t n = newline ? (size_t)(newline - p) + 1 : len;
		struct error ignored;

		/* Bad lines are found when the section is read. */
		if (!conf_walk_from(path, 1, p, n, each_service, s, &ignored))
			ignored.code = ERR_NONE;
		p += n;
		len -= n;
	}
	return true;
}

bool
gate_conf_services(const char *file, void (*fn)(void *arg, const char *service), void *arg, struct error *e)
{
	char path[GATE_PATH_MAX + GATE_NAME_MAX + 4];
	struct services s = { fn, arg };
	struct names names = { 0 };

	snprintf(path, sizeof(path), "%s.d", file);
	if (!services_in(file, &s, e) || !list_dropins(path, &names, e))
		return false;
	for (unsigned i = 0; i < names.n; i++) {
		snprintf(path, sizeof(path), "%s.d/%s", file, names.name[i]);
		if (!services_in(path, &s, e))
			return false;
	}
	return true;
}

bool
gate_conf_beside(const struct gate_conf *c, const char *name, char *out, size_t size)
{
	size_t folder = (size_t)(last_part(c->file) - c->file);

	if (folder + strlen(name) >= size)
		return false;
	memcpy(out, c->file, folder);
	strcpy(out + folder, name);
	return true;
}
