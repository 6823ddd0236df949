#include <stdlib.h>
#include <string.h>
#include "pam_edit.h"
#include "scope.h"

static bool
is_gate(const struct stack_line *l)
{
	return l->kind == KIND_MODULE && !strcmp(l->name, PAM_GATE_MODULE);
}

/* --- what goes */

struct plan {
	struct pam_edit *edit;
	const char      *folder;
	bool             account;                               /* account lines alone */
	unsigned         nologin, bad, jumped;                  /* line numbers; 0: none */
	bool             cut, found;                            /* found: no later line can be the place */
	char             args[STACK_ARGS_MAX];
	struct { unsigned line, left; } jump[STACK_EVERY];      /* of each type, the farthest jump that is open */
};

/* A jump to the gate lands on what comes next; a jump over it has to be one shorter. What includes bring is not known: none. */
static void
follow_jumps(struct plan *p, const struct stack_line *l)
{
	for (unsigned t = 0; t < STACK_EVERY; t++) {
		if (l->kind != KIND_MODULE || l->type != t)
			continue;
		if (p->jump[t].left && is_gate(l) && !p->jumped)
			p->jumped = p->jump[t].line;
		p->jump[t].left -= p->jump[t].left != 0;
		if (l->jump > p->jump[t].left) {
			p->jump[t].line = l->number;
			p->jump[t].left = l->jump;
		}
	}
}

static void
find_gate(void *arg, const struct stack_line *l)
{
	struct plan *p = arg;
	struct pam_edit *x = p->edit;

	if (p->account && l->type != STACK_ACCOUNT)
		return;
	follow_jumps(p, l);
	if (!is_gate(l) || x->n == STACK_LINES_MAX)
		return;
	if (!x->n) {
		strcpy(p->args, l->args);
		p->cut = strlen(l->args) == STACK_ARGS_MAX - 1;
	}
	x->gone[x->n].first = l->number;
	x->gone[x->n].last = l->last;
	x->n++;
}

static bool
plan_removal(struct plan *p, const char *text, size_t len, struct error *e)
{
	stack_walk(text, len, find_gate, p);
	if (p->jumped)
		return err_set(e, ERR_CONFLICT, "line %u jumps over a line of " PAM_GATE_MODULE ": correct both by hand", p->jumped);
	return true;
}

bool
pam_edit_unhook(const char *text, size_t len, struct pam_edit *x, struct error *e)
{
	struct plan p = { .edit = x };

	*x = (struct pam_edit){ 0 };
	return plan_removal(&p, text, len, e);
}

/* --- what comes in */

/* Does an @include bring account lines? One that cannot be read may. */
static bool
brings_account(const char *folder, const char *name)
{
	own(mem) struct stack *s = malloc(sizeof(*s));
	struct error e;

	return !s || !stack_read(folder, name, STACK_ACCOUNT, s, &e) || s->n || s->missing[0];
}

/* Whatever it answers, those who come behind it still pass what stands below. */
static bool
lets_nobody_in(const struct stack_line *l)
{
	return l->kind == KIND_MODULE && !l->jump && l->on[ANSWER_SUCCESS] != ACT_DONE &&
	    l->on[ANSWER_NEW_PASSWORD] != ACT_DONE && l->on[ANSWER_IGNORE] != ACT_DONE;
}

/* Lines that let nobody in may stand before the gate; pam_nologin should, as its word is the plainer one. */
static void
find_place(void *arg, const struct stack_line *l)
{
	struct plan *p = arg;

	if (l->kind == KIND_BAD && !p->bad)
		p->bad = l->number;
	if (p->found || l->kind == KIND_BAD || is_gate(l) || (l->type != STACK_ACCOUNT && l->type != STACK_EVERY))
		return;
	if (l->type == STACK_EVERY && !brings_account(p->folder, l->name))
		return;
	p->found = !lets_nobody_in(l);
	if (!p->found && !strcmp(l->name, "pam_nologin.so")) {
		p->nologin = l->number;
		p->edit->at = 0;
	} else if (!p->edit->at) {
		p->edit->at = l->number;
	}
}

bool
pam_edit_hook(const char *folder, const char *text, size_t len, const char *line, struct pam_edit *x, struct error *e)
{
	struct plan p = { .edit = x, .folder = folder, .account = true };
	size_t n;

	*x = (struct pam_edit){ 0 };
	if (!plan_removal(&p, text, len, e))
		return false;
	if (p.cut)
		return err_set(e, ERR_LIMIT, "line %u: options of more than %d bytes", x->gone[0].first, STACK_ARGS_MAX - 1);
	stack_walk(text, len, find_place, &p);
	if (p.bad)
		return err_set(e, ERR_FORMAT, "line %u: not a line that PAM understands", p.bad);
	/* Always before a line: what stands at the end of a file may lack its newline. */
	if (!x->at)
		x->at = p.nologin;
	if (!x->at)
		return err_set(e, ERR_MISSING, "no account line beside: PAM asks the service `other` there, and would not if there were one");
	for (n = strlen(p.args); n && strchr(" \t\r", p.args[n - 1]); n--)
		p.args[n - 1] = '\0';
	snprintf(x->line, sizeof(x->line), "%s%s%s", line, p.args[0] ? " " : "", p.args);
	return true;
}

/* --- both */

/* Line by line: its mark in a diff, and how long it is with its newline. */
struct walk { const struct pam_edit *edit; const char *at, *end; unsigned number, gone; };

static bool
next(struct walk *w, const char **line, size_t *len, bool *goes)
{
	const struct pam_edit *x = w->edit;
	const char *newline = memchr(w->at, '\n', (size_t)(w->end - w->at));

	if (w->at == w->end)
		return false;
	*line = w->at;
	*len = newline ? (size_t)(newline - w->at) + 1 : (size_t)(w->end - w->at);
	w->at += *len;
	w->number++;
	while (w->gone < x->n && x->gone[w->gone].last < w->number)
		w->gone++;
	*goes = w->gone < x->n && x->gone[w->gone].first <= w->number;
	return true;
}

bool
pam_edit_apply(const struct pam_edit *x, const char *text, size_t len, char **out, size_t *out_len, struct error *e)
{
	struct walk w = { .edit = x, .at = text, .end = text + len };
	size_t n, used = 0, more = strlen(x->line);
	const char *line;
	bool goes;
	char *new = malloc(len + more + 2);

	if (!new)
		return err_set(e, ERR_MEMORY, "a stack of %zu bytes", len);
	while (next(&w, &line, &n, &goes)) {
		if (w.number == x->at) {
			memcpy(new + used, x->line, more);
			used += more;
			new[used++] = '\n';
		}
		if (!goes) {
			memcpy(new + used, line, n);
			used += n;
		}
	}
	new[used] = '\0';
	*out = new;
	*out_len = used;
	return true;
}

enum { CONTEXT = 3 };

/* The one hunk that has all of it: from its first line to its last one, and how many lines go. */
static void
hunk(const struct pam_edit *x, const char *text, size_t len, unsigned *first, unsigned *last, unsigned *gone)
{
	struct walk w = { .edit = x, .at = text, .end = text + len };
	const char *line;
	size_t n;
	bool goes;

	*first = *last = *gone = 0;
	while (next(&w, &line, &n, &goes))
		if (goes || w.number == x->at) {
			*first = *first ? *first : w.number;
			*last = goes ? w.number : w.number - 1;
			*gone += goes;
		}
	*first = *first > CONTEXT ? *first - CONTEXT : 1;
	*last = *last + CONTEXT < w.number ? *last + CONTEXT : w.number;
}

void
pam_edit_diff(FILE *to, const char *path, const struct pam_edit *x, const char *text, size_t len)
{
	struct walk w = { .edit = x, .at = text, .end = text + len };
	unsigned first, last, gone, rows;
	const char *line;
	size_t n;
	bool goes;

	if (!x->n && !x->at)
		return;
	hunk(x, text, len, &first, &last, &gone);
	rows = last - first + 1;
	fprintf(to, "--- %s\n+++ %s\n@@ -%u,%u +%u,%u @@\n", path, path, first, rows, first, rows - gone + (x->at != 0));
	while (next(&w, &line, &n, &goes)) {
		if (w.number == x->at)
			fprintf(to, "+%s\n", x->line);
		if (w.number >= first && w.number <= last)
			fprintf(to, "%c%.*s%s", goes ? '-' : ' ', (int)n, line, line[n - 1] == '\n' ? "" : "\n\\ No newline at end of file\n");
	}
}
