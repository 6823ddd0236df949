/* What was loaded, in which order, and with which words: PCR 4, 8, 9, 11, 12 and the boot order of PCR 1. */
#include <string.h>
#include "bound_text.h"
#include "facts_read.h"
#include "name_version.h"
#include "scope.h"

enum { PCR_CONFIG = 1, PCR_LOADED = 4, PCR_COMMANDS = 8, PCR_FILES = 9, PCR_STUB = 11, PCR_OPTIONS = 12 };

struct chain {
	struct facts_reading *r;
	const char *kernel;             /* the file that GRUB's last linux command names */
	size_t      kernel_len;
	const char *initrds;            /* what its last initrd command names */
	bool        commands, sections, options;
};

/* A device path's name; "image of 123 bytes" is none. */
static void
file_of(const struct chain *c, const struct event *ev, struct boot_file *out)
{
	struct fact named = { .binding = FACT_CLAIMED };

	*out = (struct boot_file){ .at = facts_at(c->r, ev, true), .type = ev->type };
	if (strncmp(ev->text, "image of ", 9))
		facts_text(out->name, sizeof(out->name), ev->text, &named);
	out->named = *out->name ? FACT_CLAIMED : FACT_ABSENT;
}

static void
image(struct chain *c, const struct event *ev)
{
	static const enum known_measurement none[] = { KNOWN_SEPARATOR, KNOWN_SEPARATOR_FF, KNOWN_ERROR, KNOWN_CALLING, KNOWN_RETURNING, KNOWN_OMITTED };
	struct boot_facts *f = c->r->f;

	for (unsigned i = 0; i < COUNT(none); i++)
		if (facts_known(c->r, ev, none[i]))
			return;
	if (f->nimages == FACT_IMAGES_MAX)
		f->more_images++;
	else
		file_of(c, ev, &f->image[f->nimages++]);
}

static void
cmdline_add(struct chain *c, const struct event *ev, enum cmdline_source source, const char *text, bool proved)
{
	struct boot_facts *f = c->r->f;

	if (f->ncmdlines == FACT_CMDLINES_MAX)
		f->more_cmdlines++;
	else
		f->cmdline[f->ncmdlines++] = (struct boot_cmdline){ .at = facts_at(c->r, ev, proved), .source = source, .text = text };
}

static void
text(struct chain *c, const struct bound_text *t)
{
	const char *args, *file;
	size_t len;

	if (t->event->pcr == PCR_OPTIONS && t->bound) {
		cmdline_add(c, t->event, CMDLINE_LOAD_OPTIONS, t->text, true);
		c->options = true;
	}
	if (t->event->pcr != PCR_COMMANDS)
		return;
	c->commands = c->commands || t->said >= 0;
	if (!t->bound)
		return;
	if (t->said == ROLE_KERNEL_CMDLINE)
		cmdline_add(c, t->event, CMDLINE_GRUB_KERNEL, t->text, true);
	args = grub_command_args(t->text, &file, &len);
	if (args && strncmp(t->text, "chainloader", 11) && strncmp(t->text, "module", 6)) {
		cmdline_add(c, t->event, CMDLINE_GRUB_COMMAND, args, true);
		c->kernel = file;
		c->kernel_len = len;
	}
	if (!strncmp(t->text, "initrd", 6) && strchr(t->text, ' '))
		c->initrds = strchr(t->text, ' ');
}

/* PCR 9's "(hd0,gpt1)/vmlinuz" is the "/vmlinuz" or "(hd0,gpt1)/vmlinuz" of a command. */
static bool
same_file(const char *measured, const char *named, size_t n)
{
	const char *end = measured + strlen(measured);

	return n && (size_t)(end - measured) >= n && !memcmp(end - n, named, n) &&
	    (end - n == measured || (*measured == '(' && end[-(ptrdiff_t)n - 1] == ')'));
}

static bool
is_initrd(const struct chain *c, const char *measured)
{
	for (const char *p = c->initrds; p && *p;) {
		size_t n;

		p += strspn(p, " ");
		n = strcspn(p, " ");
		if (same_file(measured, p, n))
			return true;
		p += n;
	}
	return false;
}

static void
initrd_add(struct chain *c, const struct event *ev, enum fact_binding named)
{
	struct boot_facts *f = c->r->f;

	if (f->ninitrds == FACT_FILES_MAX) {
		f->more_initrds++;
		return;
	}
	file_of(c, ev, &f->initrd[f->ninitrds]);
	f->initrd[f->ninitrds++].named = named;
}

/* LoadOptions are hashed as the stub got them; systemd-boot may have measured the same bytes with their words. */
static const char *
options_text(const struct chain *c, const struct event *ev)
{
	const struct boot_facts *f = c->r->f;

	for (unsigned i = 0; i < f->ncmdlines; i++)
		if (f->cmdline[i].at.pcr == PCR_OPTIONS && !memcmp(f->cmdline[i].at.digest, ev->digest[f->bank], bank_size(f->bank)))
			return f->cmdline[i].text;
	return NULL;
}

static void
file(struct chain *c, const struct event *ev)
{
	struct boot_facts *f = c->r->f;
	enum fact_binding named = f->pcrs & 1u << PCR_COMMANDS ? FACT_BOUND : FACT_CLAIMED;

	if (!strcmp(ev->text, "LOADED_IMAGE::LoadOptions")) {
		const char *words = options_text(c, ev);

		cmdline_add(c, ev, CMDLINE_LOAD_OPTIONS, words ? words : "", words != NULL);
		c->options = true;
	} else if (!strcmp(ev->text, "Linux initrd") || !strcmp(ev->text, "grub_linuxefi Initrd"))
		initrd_add(c, ev, FACT_CLAIMED);
	else if (is_initrd(c, ev->text))
		initrd_add(c, ev, named);
	else if (c->kernel && same_file(ev->text, c->kernel, c->kernel_len)) {
		file_of(c, ev, &f->kernel);
		f->kernel.named = named;
	}
}

/* A section comes twice, its name and then its content: the second has the same words, which it does not hash. */
static void
section(struct chain *c, const struct bound_text *t)
{
	const char *name = t->event->text;

	c->sections = c->sections || (t->bound && !strcmp(name, ".linux"));
	if (t->bound)
		return;
	if (!strcmp(name, ".linux"))
		file_of(c, t->event, &c->r->f->kernel);
	else if (!strcmp(name, ".initrd"))
		initrd_add(c, t->event, FACT_CLAIMED);
	else if (!strcmp(name, ".cmdline"))
		cmdline_add(c, t->event, CMDLINE_UKI_SECTION, "", false);
}

static enum boot_kind
kind_of(const struct chain *c)
{
	if (c->sections)
		return BOOT_UKI;
	if (c->commands)
		return BOOT_GRUB;
	if (!c->options)
		return BOOT_UNKNOWN;
	return c->r->f->nimages == 1 ? BOOT_DIRECT : BOOT_SYSTEMD_BOOT;
}

/* The last image is the kernel, unless it is GRUB's own and GRUB loaded the kernel as a mere file. */
static void
name_kernel(struct chain *c)
{
	struct boot_facts *f = c->r->f;
	const struct boot_file *last = f->nimages ? &f->image[f->nimages - 1] : NULL;

	if (f->kind == BOOT_UKI) {
		for (unsigned i = f->nimages; !f->kernel_version[0] && i-- > 0;)
			(void)name_version(f->image[i].name, f->kernel_version, sizeof(f->kernel_version));
		return;
	}
	if (last && f->kind != BOOT_UNKNOWN && !(f->kind == BOOT_GRUB && *last->name)) {
		if (f->kernel.at.binding == FACT_ABSENT)
			f->kernel = *last;
		else {
			f->kernel.at = last->at;
			f->kernel.type = last->type;
		}
	}
	/* Measured without a name of its own: GRUB's command has one. */
	if (c->kernel && !*f->kernel.name && f->kernel.at.binding != FACT_ABSENT && c->kernel_len < sizeof(f->kernel.name)) {
		memcpy(f->kernel.name, c->kernel, c->kernel_len);
		f->kernel.name[c->kernel_len] = '\0';
		f->kernel.named = f->pcrs & 1u << PCR_COMMANDS ? FACT_BOUND : FACT_CLAIMED;
	}
	(void)name_version(f->kernel.name, f->kernel_version, sizeof(f->kernel_version));
}

static void
boot_order(struct chain *c, const struct event *ev)
{
	static const char label[] = "BootOrder: ";
	struct fact_text *t = &c->r->f->boot_order;

	if (strncmp(ev->text, label, strlen(label)))
		return;
	t->at = facts_at(c->r, ev, false);
	facts_text(t->text, sizeof(t->text), ev->text + strlen(label), &t->at);
}

void
facts_chain(struct facts_reading *r)
{
	struct chain c = { .r = r };
	own(text_walk) struct text_walk walk = { .log = r->log, .bank = r->f->bank };
	struct bound_text t;

	while (bound_text_next(&walk, &t)) {
		text(&c, &t);
		if (t.event->pcr == PCR_STUB)
			section(&c, &t);
	}
	for (unsigned i = 0; i < r->log->count; i++) {
		const struct event *ev = &r->log->event[i];

		if (facts_counts(r, ev, PCR_LOADED))
			image(&c, ev);
		else if (facts_counts(r, ev, PCR_FILES))
			file(&c, ev);
		else if (facts_counts(r, ev, PCR_CONFIG))
			boot_order(&c, ev);
	}
	r->f->kind = kind_of(&c);
	name_kernel(&c);
}
