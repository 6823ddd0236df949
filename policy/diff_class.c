/* What a change is called, and whether it is like an update or like an attack. */
#include <string.h>
#include "bound_text.h"
#include "cmdline.h"
#include "diff_change.h"
#include "name_version.h"
#include "scope.h"

enum { PCR_OPTION_ROMS = 2, PCR_LOADED = 4, PCR_COMMANDS = 8, PCR_FILES = 9, PCR_STUB = 11, PCR_OPTIONS = 12 };

static bool
begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* --- what it is called --- */

/* Does this name of a file, as GRUB gives it, belong to a kernel or an initrd? */
static bool
is_kernel_file(const char *path)
{
	static const char *const names[] = { "vmlinuz", "vmlinux", "bzImage", "linux", "kernel", "initrd", "initramfs" };
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	for (unsigned i = 0; i < COUNT(names); i++)
		if (begins(name, names[i]))
			return true;
	return false;
}

static bool
is_initrd(const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	return begins(name, "initrd") || begins(name, "initramfs") || !is_kernel_file(path);
}

/* What a change of the boot entry is called: by the PCR and by what the approved label says it is. */
static enum reason
boot_entry_reason(const struct item *known)
{
	const char *text = known->text;

	switch (known->pcr) {
	case PCR_LOADED:
		return REASON_KERNEL_CHANGED;
	case PCR_COMMANDS:
		return known->bound && begins(text, "kernel_cmdline: ") ? REASON_CMDLINE_CHANGED : REASON_BOOT_CHANGED;
	case PCR_FILES:
		if (!strcmp(text, "LOADED_IMAGE::LoadOptions"))
			return REASON_CMDLINE_CHANGED;
		return !strcmp(text, "Linux initrd") || is_kernel_file(text) ? REASON_KERNEL_CHANGED : REASON_BOOT_CHANGED;
	case PCR_STUB:
		if (!strcmp(text, ".cmdline"))
			return REASON_CMDLINE_CHANGED;
		return !strcmp(text, ".linux") || !strcmp(text, ".initrd") || !strcmp(text, ".ucode") ?
		    REASON_KERNEL_CHANGED : REASON_BOOT_CHANGED;
	case PCR_OPTIONS:
		return known->bound ? REASON_CMDLINE_CHANGED : REASON_BOOT_CHANGED;
	}
	return REASON_BOOT_CHANGED;
}

enum reason
change_reason(const struct change *c)
{
	static const enum reason of_component[] = {
#define X(name, word, pcrs, reason) REASON_##reason,
		COMPONENTS(X)
#undef X
	};

	if (!c->was)
		return REASON_EVENT_UNEXPECTED;
	if (!c->is)
		return REASON_EVENT_MISSING;
	return c->component == COMPONENT_BOOT_ENTRY ? boot_entry_reason(c->was) : of_component[c->component];
}

/* --- the backdrop --- */

/* The version in the name of the kernel: of the file that GRUB's last command loads, else of the last image. */
static void
set_version(const struct reference_set *set, char out[static FACT_NAME])
{
	*out = '\0';
	for (unsigned i = set->count; !*out && i-- > 0;) {
		const struct set_entry *x = &set->entry[i];
		const char *file;
		char name[SET_TEXT];
		size_t n;
		int said;

		if (x->pcr != PCR_COMMANDS || !x->text_bound || !grub_command_args(text_bare(x->text, &said), &file, &n))
			continue;
		memcpy(name, file, n);
		name[n] = '\0';
		(void)name_version(name, out, FACT_NAME);
	}
	for (unsigned i = set->count; !*out && i-- > 0;)
		if (set->entry[i].pcr == PCR_LOADED)
			(void)name_version(set->entry[i].text, out, FACT_NAME);
}

static bool
set_says(const struct reference_set *set, const char *text)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->entry[i].text_bound && !strcmp(set->entry[i].text, text))
			return true;
	return false;
}

void
backdrop_open(struct backdrop *b)
{
	static const uint8_t failed[4] = { 1, 0, 0, 0 };
	bool named = true;

	(void)digest(b->bank, failed, sizeof(failed), b->failed);
	set_version(b->was, b->old_version);
	if (b->facts) {
		const struct secure_boot *s = &b->facts->secure_boot;

		b->secure_boot = s->state == SECURE_BOOT_ON && s->binding == FACT_BOUND;
		memcpy(b->new_version, b->facts->kernel_version, sizeof(b->new_version));
		named = b->facts->kernel.named == FACT_BOUND;
	} else {
		b->secure_boot = set_says(b->set, "SecureBoot: 1");
		set_version(b->set, b->new_version);
	}
	b->newer = named && *b->old_version && *b->new_version && strverscmp(b->new_version, b->old_version) > 0;
}

/* --- what alarms --- */

/* Does it say, of itself or by what is new in it, that somebody opens the machine? Its label does not count. */
static bool
opens_machine(const struct change *c)
{
	static const char *const commands[] = { "rmmod", "trust ", "set check_signatures", "chainloader ", "configfile (tftp",
		"configfile (http" };
	int said;
	const char *is = text_bare(c->is->text, &said), *was = c->was ? text_bare(c->was->text, &said) : "";
	char words[FINDING_TEXT];

	if (!(1u << c->is->pcr & (1u << PCR_COMMANDS | 1u << PCR_STUB | 1u << PCR_OPTIONS)))
		return false;
	for (unsigned i = 0; i < COUNT(commands); i++)
		if (begins(is, commands[i]) && !begins(was, commands[i]))
			return true;
	/* "set root=hd0" sets GRUB's own variable; a menu's entry is not run by being defined. */
	if (begins(is, "set ") || begins(is, "search ") || begins(is, "menuentry ") || begins(is, "submenu "))
		return false;
	/* Of words that were too long to be kept nothing can be told to be new. */
	if (c->was && c->was->entry && strlen(c->was->text) == SET_TEXT - 1)
		return cmdline_opens(is);
	return c->was ? cmdline_diff(was, is, words, sizeof(words)) : cmdline_opens(is);
}

static bool
sbat_date(const struct item *i, unsigned long *date)
{
	return begins(i->text, "SbatLevel: sbat,1,") && (*date = strtoul(i->text + strlen("SbatLevel: sbat,1,"), NULL, 10)) != 0;
}

static bool
secure_boot_worse(const struct backdrop *b, const struct change *c)
{
	static const char *const bad[] = { "SecureBoot: 0", "SecureBoot: empty", "UEFI Debug Mode" };
	struct key_changes keys;
	unsigned long before, now;

	for (unsigned i = 0; i < COUNT(bad); i++)
		if (begins(c->is->text, bad[i]))
			return true;
	if (begins(c->is->text, "MokSBState") && strcmp(c->is->text, "MokSBState: 0"))
		return true;
	if (!c->was)
		return false;
	if (begins(c->was->text, "PK: ") && !begins(c->was->text, "PK: empty") && begins(c->is->text, "PK: "))
		return true;
	if (sbat_date(c->was, &before) && sbat_date(c->is, &now) && now < before)
		return true;
	return begins(c->was->text, "dbx: ") && keys_compare(b, c, &keys) && keys.removed;
}

static bool
alarms(const struct backdrop *b, const struct change *c)
{
	if (!c->is)
		return false;
	if (!memcmp(c->is->digest, b->failed, bank_size(b->bank)))
		return true;
	return (c->component == COMPONENT_SECUREBOOT && secure_boot_worse(b, c)) || opens_machine(c);
}

/* --- what calms --- */

/* Is `is` what `was` becomes when the kernel's version is another one? */
static bool
follows_version(const struct backdrop *b, const char *was, const char *is)
{
	size_t old = strlen(b->old_version), new = strlen(b->new_version);
	bool any = false;

	while (*was) {
		if (old && !strncmp(was, b->old_version, old) && !strncmp(is, b->new_version, new)) {
			was += old;
			is += new;
			any = true;
		} else if (*was++ != *is++)
			return false;
	}
	return any && !*is;
}

static bool
secure_boot_better(const struct backdrop *b, const struct change *c)
{
	struct key_changes keys;
	unsigned long before, now;

	if (!c->was->bound || !c->is->bound)
		return false;
	if (begins(c->was->text, "dbx: ") && begins(c->is->text, "dbx: "))
		return keys_compare(b, c, &keys) && !keys.removed && keys.added;
	return sbat_date(c->was, &before) && sbat_date(c->is, &now) && now > before;
}

/* Shim lets no loader run that SbatLevel revokes. */
static bool
sbat_applies(const struct backdrop *b)
{
	if (b->facts)
		return b->facts->secure_boot.sbat.at.binding == FACT_BOUND;
	for (unsigned i = 0; i < b->set->count; i++)
		if (b->set->entry[i].text_bound && begins(b->set->entry[i].text, "SbatLevel: "))
			return true;
	return false;
}

static bool
calms(const struct backdrop *b, const struct change *c)
{
	int said;

	if (!c->was || !c->is)
		return false;
	if (c->component == COMPONENT_SECUREBOOT)
		return secure_boot_better(b, c);
	/* From here on: signed by keys that signed before, as PCR 7 shows. */
	if (!b->same_keys)
		return false;
	if (c->component == COMPONENT_LOADER)
		return c->was->pcr == PCR_LOADED && sbat_applies(b);
	if (c->component != COMPONENT_BOOT_ENTRY || !b->newer)
		return false;
	/* Whatever is in its file, no kernel runs that Secure Boot did not let pass. */
	if (c->was->pcr == PCR_LOADED || (c->was->pcr == PCR_FILES && follows_version(b, c->was->text, c->is->text) && !is_initrd(c->was->text)))
		return true;
	if (c->was->pcr == PCR_COMMANDS || c->was->pcr == PCR_OPTIONS)
		return c->was->bound && c->is->bound &&
		    follows_version(b, text_bare(c->was->text, &said), text_bare(c->is->text, &said));
	return false;
}

enum severity
change_severity(const struct backdrop *b, const struct change *c)
{
	return alarms(b, c) ? SEVERITY_ALARMING : calms(b, c) ? SEVERITY_BENIGN_LIKELY : SEVERITY_UNKNOWN;
}
