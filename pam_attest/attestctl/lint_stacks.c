/* attestctl lint, on the PAM stacks: a gate that a line before it, or its own control word, takes away. */
#include <stdarg.h>
#include "file.h"
#include "lint.h"
#include "scope.h"
#include "stack.h"

#define GATE_MODULE "pam_attest.so"

struct look {
	const struct ctl *ctl;
	const char       *folder, *service;
	enum stack_type   type;
	struct stack      stack;
	struct findings  *all;
	const struct stack_text *instead;
};

static void __attribute__((format(printf, 4, 5)))
add(const struct look *k, enum finding_code code, const struct stack_line *l, const char *fmt, ...)
{
	char why[160], text[FINDING_TEXT], file[FINDING_PLACE], where[STACK_NAME_MAX + 16] = "";
	bool included = l && strcmp(l->file, k->service) != 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (l)
		snprintf(where, sizeof(where), ":%u", l->number);
	snprintf(file, sizeof(file), "%.180s/%.60s", k->folder, l ? l->file : k->service);
	snprintf(text, sizeof(text), "%s%s%s%.60s: %s", file, where, included ? ": for " : "", included ? k->service : "", why);
	finding_add(k->all, code, k->service, file, text);
}

static bool
is_gate(const struct stack_line *l)
{
	return l->kind == KIND_MODULE && !strcmp(l->name, GATE_MODULE);
}

static bool
refuses(enum stack_act a)
{
	return a == ACT_BAD || a == ACT_DIE;
}

/* What the gate's own control word does with its answers. */
static void
judge_control(const struct look *k, const struct stack_line *gate)
{
	bool setuid = stack_setuid(k->service);

	if (!refuses(gate->on[ANSWER_PERM_DENIED]) || !refuses(gate->on[ANSWER_NO_INFO]))
		add(k, FOUND_UNHEARD, gate, "a refusal counts for nothing under this control word (sufficient, optional)");
	if (gate->on[ANSWER_IGNORE] != ACT_IGNORE)
		add(k, FOUND_IGNORE_COUNTS, gate, "ignore=ignore is missing: exemptions and mode = audit are answered with it");
	if (gate->on[ANSWER_SUCCESS] == ACT_DONE || gate->on[ANSWER_SUCCESS] == ACT_JUMP)
		add(k, FOUND_PASSES_BELOW, gate, "a good verdict passes over what stands below: it is about the machine, not about the user");
	if (setuid && gate->on[ANSWER_UNKNOWN] != ACT_BAD && gate->on[ANSWER_UNKNOWN] != ACT_DIE)
		add(k, FOUND_SETUID_OPEN, gate, "module_unknown=ignore: a caller of %s makes the loading fail by resource limits, and is let in", k->service);
	if (!setuid && refuses(gate->on[ANSWER_UNKNOWN]))
		add(k, FOUND_FILE_GONE, gate, "without module_unknown=ignore nobody comes in once the module's file is gone");
}

/* Does some answer of the line at `from` keep the one at `gate` from being asked, and the stack from failing? */
static bool
passes_over(const struct stack *s, unsigned from, unsigned gate)
{
	const struct stack_line *l = &s->line[from];
	unsigned jump = l->jump;

	/* What ends or jumps inside a substack goes on behind it. */
	if (l->kind != KIND_MODULE || l->level > s->line[gate].level)
		return false;
	if (l->on[ANSWER_SUCCESS] == ACT_DONE || l->on[ANSWER_NEW_PASSWORD] == ACT_DONE || l->on[ANSWER_IGNORE] == ACT_DONE)
		return true;
	for (unsigned i = from + 1; i <= gate && jump; i++) {
		if (i == gate)
			return true;
		jump -= s->line[i].level <= l->level;
	}
	return false;
}

static void
judge_gate(const struct look *k, unsigned at)
{
	const struct stack *s = &k->stack;
	const struct stack_line *gate = &s->line[at];
	unsigned others = 0;

	if (k->type == STACK_PASSWORD) {
		add(k, FOUND_PASSWORD, gate, GATE_MODULE " has no part in changing passwords");
		return;
	}
	judge_control(k, gate);
	for (unsigned i = 0; i < s->n; i++) {
		others += !is_gate(&s->line[i]);
		if (i < at && !is_gate(&s->line[i]) && passes_over(s, i, at))
			add(k, k->type == STACK_AUTH ? FOUND_BEFORE_AUTH : FOUND_BEFORE, &s->line[i], "%s can let people in before " GATE_MODULE " (line %u of %s) is asked",
			    s->line[i].name, gate->number, gate->file);
	}
	if (!others)
		add(k, FOUND_ALONE, gate, "alone in its stack: PAM turns its PAM_IGNORE (audit, exemptions) into a refusal");
}

/* All lines of one type; true if the gate is among them. */
static bool
judge_type(struct look *k, enum stack_type type)
{
	const struct stack *s = &k->stack;
	bool gated = false;
	struct error e;

	k->type = type;
	if (!stack_read_as(k->folder, k->service, type, k->instead, &k->stack, &e)) {
		finding_add(k->all, FOUND_STACK_INCLUDE, k->service, k->folder, e.why);
		return false;
	}
	for (unsigned i = 0; i < s->n; i++)
		if (is_gate(&s->line[i])) {
			judge_gate(k, i);
			gated = true;
		}
	for (unsigned i = 0; gated && i < s->n; i++)
		if (s->line[i].kind == KIND_BAD)
			add(k, FOUND_STACK_LINE, &s->line[i], "not a line that PAM understands");
	if (gated && s->missing[0])
		add(k, FOUND_STACK_INCLUDE, NULL, "%s, which it includes, cannot be read", s->missing);
	if (gated && s->cut)
		add(k, FOUND_STACK_LONG, NULL, "longer than lint reads");
	return gated;
}

static void
judge_service(struct look *k)
{
	bool gated[STACK_EVERY] = { false }, any = false;
	struct gate_conf c;

	for (unsigned t = 0; t < STACK_EVERY; t++) {
		gated[t] = judge_type(k, (enum stack_type)t);
		any |= gated[t];
	}
	if (gated[STACK_AUTH] && !gated[STACK_ACCOUNT])
		add(k, FOUND_AUTH_ONLY, NULL, "only auth calls " GATE_MODULE ": public keys, a cached sudo and NOPASSWD do not pass there; account is where all do");
	else if (gated[STACK_SESSION] && !gated[STACK_ACCOUNT])
		add(k, FOUND_SESSION_ONLY, NULL, "only session calls " GATE_MODULE ": sshd does not heed its refusal; account is where all do");
	ctl_conf(k->ctl, k->service, &c);
	if (!any && c.named && c.mode == MODE_ENFORCE)
		add(k, FOUND_NOT_HOOKED, NULL, "gate.conf says mode = enforce, and no line calls " GATE_MODULE);
}

/* Debian's and Fedora's files for everybody: cron, systemd --user, the greeter's session and screen lockers among them. */
static const char *const for_everybody[] = { "common-auth", "common-account", "common-session", "common-session-noninteractive",
	"system-auth", "system-account", "system-login", "system-services", "password-auth" };

struct folder { struct stack_files files; bool included[STACK_FILES_MAX], gated[STACK_FILES_MAX]; unsigned at; };

static void
mark_included(void *arg, const struct stack_line *l)
{
	struct folder *f = arg;

	f->gated[f->at] |= is_gate(l);
	for (unsigned i = 0; (l->kind == KIND_INCLUDE || l->kind == KIND_SUBSTACK) && i < f->files.n; i++)
		if (!strcmp(f->files.name[i], l->name))
			f->included[i] = true;
}

void
lint_service(const struct ctl *ctl, const char *folder, const char *service, const struct stack_text *instead,
    struct findings *all)
{
	struct look k = { .ctl = ctl, .folder = folder, .service = service, .instead = instead, .all = all };

	judge_service(&k);
}

static void
judge_common(const char *path, const struct folder *f, struct findings *all)
{
	char file[FINDING_PLACE], text[FINDING_TEXT];

	for (unsigned i = 0; i < f->files.n; i++)
		for (size_t k = 0; f->gated[i] && k < COUNT(for_everybody); k++) {
			if (strcmp(for_everybody[k], f->files.name[i]) != 0)
				continue;
			snprintf(file, sizeof(file), "%.180s/%.60s", path, f->files.name[i]);
			snprintf(text, sizeof(text), "%s: calls " GATE_MODULE " for cron, systemd --user and greeters too, which include it", file);
			finding_add(all, FOUND_COMMON, "", file, text);
		}
}

/* What others include is no service of its own, and is judged where it is included. */
void
lint_stacks(const struct ctl *ctl, const char *path, struct findings *all)
{
	struct folder f = { 0 };

	stack_list(path, &f.files);
	for (f.at = 0; f.at < f.files.n; f.at++) {
		own(mem) uint8_t *text = NULL;
		char file[512];
		struct error e;
		size_t len;

		snprintf(file, sizeof(file), "%s/%s", path, f.files.name[f.at]);
		if (file_load(file, STACK_FILE_MAX, &text, &len, &e))
			stack_walk((const char *)text, len, mark_included, &f);
		else
			finding_add(all, FOUND_STACK_INCLUDE, f.files.name[f.at], file, e.why);
	}
	judge_common(path, &f, all);
	for (unsigned i = 0; i < f.files.n; i++)
		if (!f.included[i])
			lint_service(ctl, path, f.files.name[i], NULL, all);
}
