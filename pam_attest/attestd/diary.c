#include <fcntl.h>
#include <sys/stat.h>
#include "diary.h"
#include "file.h"
#include "scope.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)

/* --- lines */

static const char *
word(const char *text)
{
	return text[0] ? text : "-";
}

size_t
diary_line(const struct decision *d, char out[static DIARY_LINE_MAX])
{
	int n = snprintf(out, DIARY_LINE_MAX, "1 %llu %lld %s %s %s %s %s %s %s %s %s %s%s%s\n",
	    (unsigned long long)d->number, (long long)d->time, word(d->service), word(d->user), access_word(d->access),
	    d->counts ? "account" : "beside", state_word(d->state), reason_code(d->reason), word(d->ref),
	    mode_word(d->mode), word(d->source), d->not_armed ? "not-armed," : "", d->killed ? "kill-switch" : "",
	    d->killed ? "" : d->not_armed ? "audit" : "-");

	return n > 0 && n < DIARY_LINE_MAX ? (size_t)n : 0;
}

/* The words of one line, one after the other; a word that is missing or too long is remembered. */
struct words { const char *p; size_t left; const char *bad; };

static bool
next(struct words *w, char *out, size_t size, const char *name)
{
	size_t n = 0;

	while (n < w->left && w->p[n] > ' ' && w->p[n] <= '~')
		n++;
	if (w->bad || !n || n >= size || n == w->left || (w->p[n] != ' ' && w->p[n] != '\n')) {
		w->bad = w->bad ? w->bad : name;
		out[0] = '\0';
		return false;
	}
	memcpy(out, w->p, n);
	out[n] = '\0';
	if (!strcmp(out, "-"))
		out[0] = '\0';
	/* The newline stays: only the last word may meet it. */
	w->p += n + (w->p[n] == ' ');
	w->left -= n + (w->p[-1] == ' ');
	return true;
}

static uint64_t
number(struct words *w, const char *name)
{
	char text[20];

	if (!next(w, text, sizeof(text), name))
		return 0;
	if (!text[0] || strspn(text, "0123456789") != strlen(text))
		w->bad = name;
	return strtoull(text, NULL, 10);
}

static void
known(struct words *w, bool found, const char *name)
{
	if (!found && !w->bad)
		w->bad = name;
}

bool
diary_read(const char *line, size_t len, struct decision *out, struct error *e)
{
	struct words w = { line, len, NULL };
	struct decision d = { 0 };
	char text[32];

	if (len > DIARY_LINE_MAX)
		return err_set(e, ERR_LIMIT, "line of more than %d bytes", DIARY_LINE_MAX);
	known(&w, number(&w, "version") == 1, "version");
	d.number = number(&w, "number");
	d.time = (int64_t)number(&w, "time");
	next(&w, d.service, sizeof(d.service), "service");
	next(&w, d.user, sizeof(d.user), "user");
	known(&w, next(&w, text, sizeof(text), "access") && access_find(text, &d.access), "access");
	next(&w, text, sizeof(text), "phase");
	d.counts = !strcmp(text, "account");
	known(&w, next(&w, text, sizeof(text), "state") && state_find(text, &d.state), "state");
	known(&w, next(&w, text, sizeof(text), "reason") && reason_find(text, &d.reason), "reason");
	known(&w, next(&w, text, sizeof(text), "reference") && (!text[0] || ref_read(text, d.ref)), "reference");
	known(&w, next(&w, text, sizeof(text), "mode") && mode_find(text, &d.mode), "mode");
	next(&w, d.source, sizeof(d.source), "source");
	next(&w, text, sizeof(text), "flags");
	d.not_armed = strstr(text, "not-armed") != NULL;
	d.killed = strstr(text, "kill-switch") != NULL;
	known(&w, d.number && d.time > 0 && d.service[0], "number, time or service");
	known(&w, w.left == 1 && *w.p == '\n', "end of line");
	if (w.bad)
		return err_set(e, ERR_FORMAT, "%s", w.bad);
	*out = d;
	return true;
}

void
diary_walk(const char *text, size_t len, diary_fn *fn, void *arg)
{
	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline - text) + 1 : len;
		struct decision d;
		struct error e;

		if (diary_read(text, n, &d, &e))
			fn(arg, &d);
		text += n;
		len -= n;
	}
}

/* --- the files */

/* The file, to append to. Looks at what is there: somebody may have cut it or taken it away. */
static int
open_file(struct diary *di, struct error *e)
{
	own(fd) int fd = open(di->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;
	char last = '\n';

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "open %s", di->path), -1;
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_UNTRUSTED, "%s: not a plain file", di->path), -1;
	di->size = (size_t)st.st_size;
	di->torn = di->size && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
	return give_fd(&fd);
}

static void
read_file(const char *path, diary_fn *fn, void *arg)
{
	own(mem) uint8_t *text = NULL;
	struct error e;
	size_t len;

	if (file_load(path, DIARY_FILE_MAX + DIARY_BUFFER, &text, &len, &e))
		diary_walk((const char *)text, len, fn, arg);
}

struct load { struct diary *diary; diary_fn *fn; void *arg; bool newest; };

static void
loaded(void *arg, const struct decision *d)
{
	struct load *l = arg;

	if (d->number > l->diary->last)
		l->diary->last = d->number;
	if (l->newest && !l->diary->begun)
		l->diary->begun = d->time;
	l->fn(l->arg, d);
}

bool
diary_open(struct diary *di, const char *state_dir, int64_t now, diary_fn *fn, void *arg, struct error *e)
{
	struct load l = { di, fn, arg, false };
	own(fd) int fd = -1;

	*di = (struct diary){ .size = 0 };
	snprintf(di->path, sizeof(di->path), "%s/decisions", state_dir);
	snprintf(di->older, sizeof(di->older), "%s/decisions.1", state_dir);
	read_file(di->older, loaded, &l);
	l.newest = true;
	read_file(di->path, loaded, &l);
	fd = open_file(di, e);
	return fd >= 0 && diary_flush(di, now, e);
}

void
diary_add(struct diary *di, struct decision *d)
{
	char line[DIARY_LINE_MAX];
	size_t n;

	d->number = ++di->last;
	n = diary_line(d, line);
	if (!n || n > sizeof(di->buf) - di->used) {
		di->lost++;
		return;
	}
	if (!di->begun)
		di->begun = d->time;
	memcpy(di->buf + di->used, line, n);
	di->used += n;
	di->waiting++;
}

static bool
write_out(struct diary *di, struct error *e)
{
	own(fd) int fd = open_file(di, e);
	ssize_t n;

	if (fd < 0)
		return false;
	if (di->torn && write(fd, "\n", 1) != 1)
		return err_errno(e, "write %s", di->path);
	n = write(fd, di->buf, di->used);
	if (n > 0)
		di->size += (size_t)n;
	if (n == (ssize_t)di->used)
		return true;
	return n < 0 ? err_errno(e, "write %s", di->path) : err_set(e, ERR_SYSTEM, "write %s: no room", di->path);
}

bool
diary_flush(struct diary *di, int64_t now, struct error *e)
{
	bool full = di->size >= DIARY_FILE_MAX, old = di->begun && now - di->begun > DIARY_DAYS * DAY_MS, ok = true;

	/* The file moves aside as a whole. */
	if ((full || old) && rename(di->path, di->older) < 0)
		ok = err_errno(e, "rename %s", di->path);
	else if (full || old)
		di->begun = di->used ? now : 0, di->size = 0;
	if (ok && di->used)
		ok = write_out(di, e);
	if (!ok)
		di->lost += di->waiting;
	di->used = 0;
	di->waiting = 0;
	return ok;
}

struct find { const char *ref; struct decision *out; bool found; };

static void
look(void *arg, const struct decision *d)
{
	struct find *f = arg;

	if (strcmp(d->ref, f->ref) != 0)
		return;
	*f->out = *d;
	f->found = true;
}

bool
diary_find(const struct diary *di, const char *ref, struct decision *out)
{
	struct find f = { ref, out, false };

	read_file(di->path, look, &f);
	if (!f.found)
		read_file(di->older, look, &f);
	return f.found;
}
