#include <stdio.h>
#include <string.h>
#include "bound_text.h"
#include "cmdline.h"
#include "scope.h"

enum { WORDS_MAX = 512 };       /* the kernel's limit is 2048 bytes */

/*
 * Words that, coming or going, change who owns the machine. A trailing '=' stands for any value. The
 * first OPENING of them do so in any line; the others only where they were not, or are no longer.
 */
static const char *const alarming[] = {
	"init=", "rdinit=", "rd.break", "rd.break=", "rd.shell", "rd.systemd.debug_shell", "systemd.debug_shell",
	"systemd.debug_shell=", "systemd.unit=", "rd.systemd.unit=", "systemd.run=", "single", "emergency",
	"rescue", "break", "break=",
	"lockdown=", "module.sig_enforce", "module.sig_enforce=",
	"audit=", "selinux=", "apparmor=", "enforcing=", "security=", "lsm=", "ima_appraise=", "ima_policy=", "efi=",
	"iommu=", "intel_iommu=", "amd_iommu=", "init_on_alloc=", "nosmep", "nosmap", "nokaslr", "mitigations=",
	"systemd.setenv=", "rd.luks=", "dm_verity.error_behavior=", "root=", "rootflags=",
};
enum { OPENING = 16 };

struct word { const char *p; size_t len; };

/* Bytes of white space that s begins with: blanks, line breaks and tabs, which a log's words write as \n and \t. */
static size_t
blank(const char *s)
{
	return *s == ' ' ? 1 : *s == '\\' && (s[1] == 'n' || s[1] == 't') ? 2 : 0;
}

static const char *
skip_blank(const char *s)
{
	for (size_t n = blank(s); n; n = blank(s))
		s += n;
	return s;
}

static unsigned
split(const char *s, struct word *words)
{
	unsigned n = 0;

	for (s = skip_blank(s); *s && n < WORDS_MAX; s = skip_blank(s)) {
		words[n].p = s;
		while (*s && !blank(s))
			s += s[0] == '\\' && s[1] ? 2 : 1;   /* an escaped backslash is no escape's beginning */
		words[n].len = (size_t)(s - words[n].p);
		n++;
	}
	return n;
}

static char
fold(char c)
{
	return c == '-' ? '_' : c;
}

static bool
is_alarming(const struct word *w, unsigned of)
{
	for (unsigned i = 0; i < of; i++) {
		size_t n = strlen(alarming[i]), k = 0;

		while (k < n && k < w->len && fold(w->p[k]) == alarming[i][k])
			k++;
		if (k == n && (alarming[i][n - 1] == '=' || w->len == n))
			return true;
	}
	return false;
}

/* Words that close what they name: it is their going that alarms. */
static bool
hardens(const struct word *w)
{
	static const char *const words[] = { "lockdown=integrity", "lockdown=confidentiality", "module.sig_enforce", "module.sig_enforce=1",
		"audit=1", "selinux=1", "apparmor=1", "enforcing=1", "ima_appraise=enforce", "iommu=force", "intel_iommu=on", "amd_iommu=force",
		"init_on_alloc=1", "mitigations=auto", "mitigations=auto,nosmt" };

	for (unsigned i = 0; i < COUNT(words); i++)
		if (strlen(words[i]) == w->len && !memcmp(words[i], w->p, w->len))
			return true;
	return false;
}

static bool
same(const struct word *a, const struct word *b)
{
	return a->len == b->len && !memcmp(a->p, b->p, a->len);
}

static void
put_word(char sign, const struct word *w, char *out, size_t size)
{
	size_t at = strlen(out);

	snprintf(out + at, size - at, "%s%c %.*s", at ? " " : "", sign, (int)w->len, w->p);
}

/*
 * Writes the words of `these` that `others` lacks, each occurrence counted once. Those that alarm come
 * first: there is not room for all, and nobody may push them out.
 */
static bool
only_in(char sign, const struct word *these, unsigned n, const struct word *others, unsigned m, char *out,
    size_t size)
{
	bool used[WORDS_MAX] = { false }, alarms[WORDS_MAX] = { false }, only[WORDS_MAX] = { false }, alarm = false;

	for (unsigned i = 0; i < n; i++) {
		unsigned j = 0;

		while (j < m && (used[j] || !same(&these[i], &others[j])))
			j++;
		only[i] = j == m;
		if (j < m)
			used[j] = true;
		else
			alarms[i] = is_alarming(&these[i], COUNT(alarming)) && !(sign == '+' && hardens(&these[i]));
		alarm = alarm || alarms[i];
	}
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < n; i++)
			if (only[i] && alarms[i] == (pass == 0))
				put_word(sign, &these[i], out, size);
	return alarm;
}

bool
cmdline_opens(const char *line)
{
	struct word words[WORDS_MAX];
	int said;
	unsigned n = split(text_bare(line, &said), words);

	for (unsigned i = 0; i < n; i++)
		if (is_alarming(&words[i], OPENING))
			return true;
	return false;
}

bool
cmdline_diff(const char *was, const char *is, char *out, size_t size)
{
	struct word old[WORDS_MAX], new[WORDS_MAX];
	int said;
	unsigned n = split(text_bare(was, &said), old), m = split(text_bare(is, &said), new);
	bool alarm;

	*out = '\0';
	alarm = only_in('+', new, m, old, n, out, size);
	return only_in('-', old, n, new, m, out, size) || alarm;
}
