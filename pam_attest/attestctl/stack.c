#include <dirent.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include "file.h"
#include "scope.h"
#include "stack.h"

static const char *const types[] = {
#define X(name, word) [STACK_##name] = word,
	STACK_TYPES(X)
#undef X
};
static const char *const answers[] = {
#define X(name, word) [ANSWER_##name] = word,
	STACK_ANSWERS(X)
#undef X
};

/* pam.d(5): what the four short words stand for. Answers that are not named have `rest`. */
static const struct { const char *word; enum stack_act success, rest; } controls[] = {
	{ "required",   ACT_OK,   ACT_BAD },
	{ "requisite",  ACT_OK,   ACT_DIE },
	{ "sufficient", ACT_DONE, ACT_IGNORE },
	{ "optional",   ACT_OK,   ACT_IGNORE },
};
static const struct { const char *word; enum stack_act act; } acts[] = {
	{ "ignore", ACT_IGNORE }, { "ok", ACT_OK }, { "done", ACT_DONE },
	{ "bad", ACT_BAD }, { "die", ACT_DIE }, { "reset", ACT_RESET },
};

static const char blanks[] = " \t\r";

const char *
stack_type_word(enum stack_type t)
{
	return (unsigned)t < COUNT(types) ? types[t] : "every";
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Takes the next word off *at, in place; NULL at the end. */
static char *
word(char **at)
{
	char *start = *at + strspn(*at, blanks);
	size_t n = strcspn(start, blanks);

	if (!n)
		return NULL;
	*at = start + n;
	if (**at)
		*(*at)++ = '\0';
	return start;
}

static bool
named(const char *text, char out[static STACK_NAME_MAX])
{
	size_t n = text ? strlen(text) : 0;

	if (!n || n >= STACK_NAME_MAX)
		return false;
	memcpy(out, text, n + 1);
	return true;
}

/* "success=ok", "default=1": false for what Linux-PAM takes for a mistake. set marks answers that were named. */
static bool
take_pair(char *pair, struct stack_line *l, bool set[static ANSWER_COUNT], enum stack_act *rest)
{
	char *value = strchr(pair, '=');
	enum stack_act act = ACT_JUMP;

	if (!value)
		return false;
	*value++ = '\0';
	if (value[0] >= '1' && value[0] <= '9') {
		unsigned long n = strtoul(value, NULL, 10);

		if (n > l->jump)
			l->jump = n < STACK_LINES_MAX ? (unsigned)n : STACK_LINES_MAX;
	} else {
		for (size_t i = 0; i < COUNT(acts); i++)
			if (!strcmp(acts[i].word, value))
				act = acts[i].act;
		if (act == ACT_JUMP)
			return false;
	}
	if (!strcmp(pair, "default"))
		*rest = act;
	for (size_t i = 0; i < ANSWER_COUNT; i++)
		if (!strcmp(answers[i], pair)) {
			l->on[i] = act;
			set[i] = true;
		}
	return true;
}

/* "[success=ok default=die]", with *at behind the bracket; *at is left behind the end. */
static bool
take_bracket(char **at, struct stack_line *l)
{
	char *end = strchr(*at, ']'), *list = *at, *pair;
	enum stack_act rest = ACT_BAD;
	bool set[ANSWER_COUNT] = { false };

	if (!end)
		return false;
	*end = '\0';
	*at = end + 1;
	while ((pair = word(&list)))
		if (!take_pair(pair, l, set, &rest))
			return false;
	for (size_t i = 0; i < ANSWER_COUNT; i++)
		if (!set[i])
			l->on[i] = rest;
	return true;
}

static bool
take_control(char **at, struct stack_line *l)
{
	const char *control;

	*at += strspn(*at, blanks);
	if (**at == '[') {
		(*at)++;
		return take_bracket(at, l);
	}
	control = word(at);
	if (!control)
		return false;
	if (!strcasecmp(control, "include") || !strcasecmp(control, "substack")) {
		l->kind = !strcasecmp(control, "include") ? KIND_INCLUDE : KIND_SUBSTACK;
		return true;
	}
	for (size_t c = 0; c < COUNT(controls); c++)
		if (!strcasecmp(controls[c].word, control)) {
			for (size_t i = 0; i < ANSWER_COUNT; i++)
				l->on[i] = controls[c].rest;
			l->on[ANSWER_SUCCESS] = l->on[ANSWER_NEW_PASSWORD] = controls[c].success;
			/* Whatever the word, a module that has nothing to say is not heard. */
			l->on[ANSWER_IGNORE] = ACT_IGNORE;
			return true;
		}
	return false;
}

/* A whole line, comments gone and continuations joined. */
static bool
take_line(char *text, struct stack_line *l)
{
	const char *type = word(&text);

	if (!type)
		return false;
	if (!strcmp(type, "@include")) {
		l->kind = KIND_INCLUDE;
		l->type = STACK_EVERY;
		return named(word(&text), l->name);
	}
	type += *type == '-';
	l->type = STACK_EVERY;
	for (size_t i = 0; i < COUNT(types); i++)
		if (!strcasecmp(types[i], type))
			l->type = (enum stack_type)i;
	if (l->type == STACK_EVERY || !take_control(&text, l))
		return false;
	type = word(&text);
	text += strspn(text, blanks);
	snprintf(l->args, sizeof(l->args), "%s", text);
	return named(type && l->kind == KIND_MODULE ? last_part(type) : type, l->name);
}

/* Appends a piece of a file to a line; what is too long is cut, and is then no line that anybody understands. */
static void
join(char line[static STACK_TEXT_MAX], size_t *used, const char *piece, size_t n, bool *cut)
{
	if (n >= STACK_TEXT_MAX - *used) {
		*cut = true;
		return;
	}
	memcpy(line + *used, piece, n);
	*used += n;
	line[*used] = '\0';
}

void
stack_walk(const char *text, size_t len, stack_fn *fn, void *arg)
{
	char line[STACK_TEXT_MAX] = "";
	unsigned number = 0, first = 0;
	size_t used = 0;
	bool cut = false;

	while (len) {
		const char *newline = memchr(text, '\n', len), *hash;
		size_t n = newline ? (size_t)(newline - text) : len, rest = n + (newline != NULL);
		struct stack_line l = { .kind = KIND_MODULE };
		bool more;

		number++;
		if (!first)
			first = number;
		hash = memchr(text, '#', n);
		if (hash)
			n = (size_t)(hash - text);
		more = n && !hash && text[n - 1] == '\\' && newline;
		join(line, &used, text, n - more, &cut);
		if (more)
			join(line, &used, " ", 1, &cut);
		text += rest;
		len -= rest;
		if (more && len)
			continue;
		if (line[strspn(line, blanks)] || cut) {
			l.number = first;
			l.last = number;
			if (cut || !take_line(line, &l))
				l.kind = KIND_BAD;
			fn(arg, &l);
		}
		line[0] = '\0';
		used = 0;
		first = 0;
		cut = false;
	}
}

struct reading {
	const char     *folder, *file;
	enum stack_type type;
	unsigned        level, depth;
	struct stack   *to;
	const struct stack_text *instead;
};

static bool read_file(struct reading *r, struct error *e);

static void
take(void *arg, const struct stack_line *l)
{
	struct reading *r = arg;
	struct reading below = *r;
	struct stack *s = r->to;
	struct error e;

	if (l->type != r->type && l->type != STACK_EVERY)
		return;
	if (l->kind == KIND_MODULE || l->kind == KIND_BAD) {
		if (s->n == STACK_LINES_MAX) {
			s->cut = true;
			return;
		}
		s->line[s->n] = *l;
		s->line[s->n].level = r->level;
		snprintf(s->line[s->n].file, STACK_NAME_MAX, "%s", last_part(r->file));
		s->n++;
		return;
	}
	below.file = l->name;
	below.depth++;
	below.level += l->kind == KIND_SUBSTACK;
	if (below.depth == STACK_DEPTH_MAX)
		s->cut = true;
	else if (!read_file(&below, &e))
		memcpy(s->missing, l->name, sizeof(s->missing));
}

static bool
read_file(struct reading *r, struct error *e)
{
	own(mem) uint8_t *text = NULL;
	char path[512];
	size_t len;

	if (r->instead && !strcmp(last_part(r->file), r->instead->file)) {
		stack_walk(r->instead->text, r->instead->len, take, r);
		return true;
	}
	snprintf(path, sizeof(path), "%s%s%s", r->file[0] == '/' ? "" : r->folder, r->file[0] == '/' ? "" : "/", r->file);
	if (!file_load(path, STACK_FILE_MAX, &text, &len, e))
		return false;
	stack_walk((const char *)text, len, take, r);
	return true;
}

bool
stack_read_as(const char *folder, const char *service, enum stack_type type, const struct stack_text *instead,
    struct stack *s, struct error *e)
{
	struct reading r = { .folder = folder, .file = service, .type = type, .to = s, .instead = instead };

	*s = (struct stack){ 0 };
	return read_file(&r, e);
}

bool
stack_read(const char *folder, const char *service, enum stack_type type, struct stack *s, struct error *e)
{
	return stack_read_as(folder, service, type, NULL, s, e);
}

static int
in_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

void
stack_list(const char *folder, struct stack_files *f)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;

	f->n = 0;
	while (d && (entry = readdir(d)) && f->n < STACK_FILES_MAX)
		if (!strpbrk(entry->d_name, ".~") && strlen(entry->d_name) < STACK_NAME_MAX)
			strcpy(f->name[f->n++], entry->d_name);
	if (d)
		closedir(d);
	qsort(f->name, f->n, sizeof(f->name[0]), in_order);
}

bool
stack_setuid(const char *service)
{
	static const char *const callers[] = { "su", "su-l", "sudo", "sudo-i", "polkit-1" };

	for (size_t i = 0; i < COUNT(callers); i++)
		if (!strcmp(callers[i], service))
			return true;
	return false;
}
