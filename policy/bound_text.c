#include <string.h>
#include "bound_text.h"
#include "reference.h"
#include "scope.h"
#include "words.h"

enum {
	PCR_SECURE_BOOT = 7, PCR_COMMANDS = 8, PCR_STUB = 11, PCR_OPTIONS = 12, SAID_NOTHING = -1,
	CUT_FROM = EVENT_TEXT_MAX - 7,          /* so long is only what was cut, but for the last escape */
};

static const char *const roles[] = {
#define X(name, word) word,
	TEXT_ROLES(X)
#undef X
};

const char *
text_role_word(enum text_role r)
{
	return (unsigned)r < ROLE_COUNT ? roles[r] : "unknown";
}

/* Characters of a text before it was escaped for printing. */
struct units { uint16_t c[EVENT_TEXT_MAX]; size_t n; bool wide; };

/* Two or four digits as words.c writes them; false if they are none. */
static bool
hex_unit(const char **s, unsigned digits, unsigned *out)
{
	static const char hex[] = "0123456789abcdef";
	unsigned v = 0;

	for (unsigned i = 0; i < digits; i++, ++*s) {
		const char *digit = **s ? strchr(hex, **s) : NULL;

		if (!digit)
			return false;
		v = v << 4 | (unsigned)(digit - hex);
	}
	*out = v;
	return true;
}

/* What stands behind a backslash. Only what has to be escaped is, and in one way. */
static bool
escaped_unit(const char **s, unsigned *out)
{
	char kind = *(*s)++;

	switch (kind) {
	case 'n':  *out = '\n'; return true;
	case 't':  *out = '\t'; return true;
	case '\\': *out = '\\'; return true;
	case 'x':
		return hex_unit(s, 2, out) && (*out < 0x20 || *out >= 0x7f) && *out != '\n' && *out != '\t';
	case 'u':
		return hex_unit(s, 4, out) && *out > 0xff;
	default:
		return false;
	}
}

/*
 * False: no parser of ours wrote this. The rules look for spaces and names in the text as it is escaped, so one
 * that hides them behind escapes ("linux\x20/vmlinuz") must not count as bound.
 */
static bool
unescape(const char *s, struct units *out)
{
	out->n = 0;
	out->wide = false;
	while (*s && out->n < EVENT_TEXT_MAX) {
		unsigned c = (unsigned char)*s++;

		if (c == '\\' && (!*s || !escaped_unit(&s, &c)))
			return false;
		out->wide = out->wide || c > 0xff;
		out->c[out->n++] = (uint16_t)c;
	}
	return true;
}

static bool
hashes(struct hashers *h, enum bank b, const struct event *ev, const void *p, size_t n)
{
	uint8_t is[DIGEST_MAX];

	return hashers_digest(h, b, p, n, is) && !memcmp(is, ev->digest[b], bank_size(b));
}

/* Is this text what was hashed: in bytes or in UTF-16, without or with its NUL? */
static bool
text_hashes(struct hashers *h, enum bank b, const struct event *ev, const char *text)
{
	struct units u;
	uint8_t bytes[2 * EVENT_TEXT_MAX + 2];

	if (!unescape(text, &u))
		return false;
	for (size_t i = 0; i < u.n; i++)
		bytes[i] = (uint8_t)u.c[i];
	bytes[u.n] = 0;
	if (!u.wide && (hashes(h, b, ev, bytes, u.n) || hashes(h, b, ev, bytes, u.n + 1)))
		return true;
	for (size_t i = 0; i < u.n; i++) {
		bytes[2 * i] = (uint8_t)u.c[i];
		bytes[2 * i + 1] = (uint8_t)(u.c[i] >> 8);
	}
	bytes[2 * u.n] = bytes[2 * u.n + 1] = 0;
	return hashes(h, b, ev, bytes, 2 * u.n) || hashes(h, b, ev, bytes, 2 * u.n + 2);
}

const char *
text_bare(const char *text, int *said)
{
	for (unsigned i = 0; i <= ROLE_MODULE_CMDLINE; i++) {
		size_t n = strlen(roles[i]);

		if (!strncmp(text, roles[i], n) && !strncmp(text + n, ": ", 2)) {
			*said = (int)i;
			return text + n + 2;
		}
	}
	*said = SAID_NOTHING;
	return text;
}

/* With its label or without. */
static bool
is_bound(struct hashers *h, enum bank b, const struct event *ev, const char *bare)
{
	return *ev->text && strlen(ev->text) < CUT_FROM &&
	    (text_hashes(h, b, ev, bare) || (bare != ev->text && text_hashes(h, b, ev, ev->text)));
}

/* The words of the data that the parser kept are those that it gave. */
static bool
kept_words(struct hashers *h, const struct event *ev)
{
	char words[EVENT_TEXT_MAX];
	enum binding binding;

	return event_words(ev, ev->kept, ev->data_len, words, sizeof(words), h, &binding) && binding == BOUND_DIGEST &&
	    !strcmp(words, ev->text);
}

/* "00000000", as the parser words a separator. */
static bool
is_separator(struct hashers *h, enum bank b, const struct event *ev)
{
	return (!strcmp(ev->text, "00000000") && hashes(h, b, ev, "\0\0\0\0", 4)) ||
	    (!strcmp(ev->text, "ffffffff") && hashes(h, b, ev, "\xff\xff\xff\xff", 4)) ||
	    (!strcmp(ev->text, "error separator") && hashes(h, b, ev, "\1\0\0\0", 4));
}

bool
text_proved(struct hashers *h, const struct event *ev, enum bank b)
{
	int said;

	if (ev->binding != BOUND_DIGEST)
		return false;
	if (ev->kept)
		return kept_words(h, ev);
	switch (ev->pcr) {
	case PCR_SECURE_BOOT: case PCR_COMMANDS: case PCR_STUB: case PCR_OPTIONS:
		return is_bound(h, b, ev, text_bare(ev->text, &said)) || is_separator(h, b, ev);
	default:
		return true;
	}
}

static bool
is_phase(const char *text)
{
	static const char *const phases[] = { "enter-initrd", "leave-initrd", "sysinit", "ready", "shutdown", "final" };

	for (unsigned i = 0; i < COUNT(phases); i++)
		if (!strcmp(text, phases[i]))
			return true;
	return false;
}

/* PCR 8 holds what GRUB ran and what it passed on; the stub names sections by ".linux" in PCR 11. */
static unsigned
roles_of(unsigned pcr, const char *text)
{
	if (pcr == PCR_COMMANDS)
		return 1u << ROLE_GRUB_COMMAND | 1u << ROLE_KERNEL_CMDLINE | 1u << ROLE_MODULE_CMDLINE;
	if (pcr == PCR_OPTIONS)
		return 1u << ROLE_KERNEL_CMDLINE;
	if (*text == '.' && !strchr(text, ' '))
		return 1u << ROLE_SECTION;
	return is_phase(text) ? 1u << ROLE_PHASE : 1u << ROLE_PHASE | 1u << ROLE_KERNEL_CMDLINE;
}

static void
text_of(struct text_walk *w, const struct event *ev, struct bound_text *out)
{
	const char *bare = text_bare(ev->text, &out->said);

	out->event = ev;
	out->bound = is_bound(&w->hashers, w->bank, ev, bare);
	out->text = out->bound ? bare : "";
	out->roles = out->bound ? roles_of(ev->pcr, bare) : 0;
}

bool
bound_text_next(struct text_walk *w, struct bound_text *out)
{
	while (w->at < w->log->count) {
		const struct event *ev = &w->log->event[w->at++];

		if (!event_counts(ev, w->bank, 1u << PCR_COMMANDS | 1u << PCR_STUB | 1u << PCR_OPTIONS))
			continue;
		text_of(w, ev, out);
		return true;
	}
	return false;
}

const char *
grub_command_args(const char *command, const char **file, size_t *file_len)
{
	static const char *const loaders[] = { "linux", "linux16", "linuxefi", "kernel", "multiboot", "multiboot2", "module",
		"module2", "xen_hypervisor", "xen_linux", "xen_module", "chainloader" };
	size_t n = strcspn(command, " ");
	unsigned i = 0;

	while (i < COUNT(loaders) && (strlen(loaders[i]) != n || strncmp(command, loaders[i], n)))
		i++;
	if (i == COUNT(loaders))
		return NULL;
	command += n;
	command += strspn(command, " ");
	while (!strncmp(command, "--", 2)) {            /* GRUB's own options stand before the file */
		command += strcspn(command, " ");
		command += strspn(command, " ");
	}
	n = strcspn(command, " ");
	if (file) {
		*file = command;
		*file_len = n;
	}
	command += n;
	return command + strspn(command, " ");
}
