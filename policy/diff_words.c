/* Changes in sentences that a person can act on. */
#include <stdio.h>
#include <string.h>
#include "bound_text.h"
#include "cmdline.h"
#include "diff_change.h"
#include "hex.h"
#include "scope.h"

enum { SHOWN_TEXT = 100, WHERE_TEXT = 40, WORDS_TEXT = FINDING_TEXT - 60 };

static bool
begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* "\n" is how a text shows the end of a line. */
static const char *
after(const char *s, const char *label)
{
	return begins(s, label) ? s + strlen(label) : s;
}

/* --- Secure Boot --- */

static const char *
signer_of(const struct backdrop *b)
{
	if (b->secure_boot)
		return b->same_keys ? ", signer unchanged" : ", signed by a key of Secure Boot";
	if (b->facts && (b->facts->secure_boot.state != SECURE_BOOT_OFF || b->facts->secure_boot.binding != FACT_BOUND))
		return ", signer not known";
	return ", not checked by Secure Boot";
}

/* Said of a variable or authority that is now there, with what was before. */
static bool
say_secure_boot(const struct backdrop *b, const struct change *c, char out[static WORDS_TEXT])
{
	const char *was = c->was ? c->was->text : "", *is = c->is ? c->is->text : "";
	const struct item *at = c->is ? c->is : c->was;

	if (c->component != COMPONENT_SECUREBOOT || (c->is && !c->is->bound && at->pcr == 7 && !begins(is, "SecureBoot: ")))
		return false;
	if (begins(is, "SecureBoot: 0") || begins(is, "SecureBoot: empty"))
		snprintf(out, WORDS_TEXT, "Secure Boot was turned off%s", c->is->bound ? "" : ", the host says");
	else if (begins(was, "SecureBoot: ") && begins(is, "SecureBoot: 1") && c->is->bound)
		snprintf(out, WORDS_TEXT, "Secure Boot was turned on");
	else if (begins(is, "MokSBState") && strcmp(is, "MokSBState: 0"))
		snprintf(out, WORDS_TEXT, "shim's verification was turned off on this machine (%.*s)", SHOWN_TEXT, is);
	else if (begins(is, "UEFI Debug Mode"))
		snprintf(out, WORDS_TEXT, "the firmware is in debug mode");
	else if (c->was && c->is && is_key_variable(c->was) && is_key_variable(c->is))
		keys_sentence(b, c, out, WORDS_TEXT);
	else if (begins(was, "SbatLevel: ") && begins(is, "SbatLevel: "))
		snprintf(out, WORDS_TEXT, "SBAT level %.*s -> %.*s", SHOWN_TEXT, after(was, "SbatLevel: "), SHOWN_TEXT, after(is, "SbatLevel: "));
	else if (at->pcr == 14 && begins(was, "MokListX") && c->is)
		snprintf(out, WORDS_TEXT, "shim's MokListX has another content: what this machine revoked itself has changed");
	else if (at->pcr == 14 && begins(was, "Mok") && c->is)
		snprintf(out, WORDS_TEXT, "shim's %.*s has another content: keys were enrolled or removed on this machine", SHOWN_TEXT, was);
	else if (at->pcr == 14 && begins(is, "Mok"))
		snprintf(out, WORDS_TEXT, "shim measured %.*s in addition: keys were enrolled on this machine", SHOWN_TEXT, is);
	else if (at->type != EV_EFI_VARIABLE_AUTHORITY || begins(at->text, "SbatLevel") || begins(at->text, "MokSBState") ||
	    begins(at->text, "MokListTrusted"))
		return false;
	else if (!c->was)
		snprintf(out, WORDS_TEXT, "a key let something run that let nothing run before: %.*s", SHOWN_TEXT, is);
	else if (!c->is)
		snprintf(out, WORDS_TEXT, "a key that let something run before does not any more: %.*s", SHOWN_TEXT, was);
	else
		snprintf(out, WORDS_TEXT, "another key let something run: %.*s -> %.*s", SHOWN_TEXT, was, SHOWN_TEXT, is);
	return true;
}

/* --- images and files --- */

/* "shim", "GRUB": by the approved name. */
static const char *
loader_word(const char *name)
{
	static const struct { const char *in, *word; } words[] = {
		{ "shim", "shim" }, { "grub", "GRUB" }, { "systemd-boot", "systemd-boot" }, { "mmx64", "MokManager" }, { "fbx64", "fallback" },
	};

	for (unsigned i = 0; i < COUNT(words); i++)
		if (strcasestr(name, words[i].in))
			return words[i].word;
	return "boot loader";
}

/* " \EFI\debian\shimx64.efi"; an image without a name has none to show. */
static const char *
shown_name(const char *text)
{
	return begins(text, "image of ") ? "" : text;
}

/* "kernel 6.1.0-27-amd64 -> 6.1.0-28-amd64", or that its content is another. */
static void
say_kernel(const struct backdrop *b, const char *what, const char *name, char out[static WORDS_TEXT])
{
	if (*b->old_version && *b->new_version && strcmp(b->old_version, b->new_version))
		snprintf(out, WORDS_TEXT, "%s %.80s -> %.80s%s", what, b->old_version, b->new_version, signer_of(b));
	else
		snprintf(out, WORDS_TEXT, "%s%s%.*s has another content%s", what, *name ? " " : "", SHOWN_TEXT, name, signer_of(b));
}

/* The log's own name for a kernel that was measured without one; QEMU's is just "kernel". */
static const char *
kernel_name(const struct backdrop *b, const struct change *c)
{
	const char *name = shown_name(c->was->text);

	name = *name || !b->facts || b->facts->kernel.named != FACT_BOUND ? name : b->facts->kernel.name;
	return strcmp(name, "kernel") ? name : "";
}

static bool
say_image(const struct backdrop *b, const struct change *c, char out[static WORDS_TEXT])
{
	const struct item *at = c->is ? c->is : c->was;
	const char *was = c->was ? shown_name(c->was->text) : "", *is = c->is ? shown_name(c->is->text) : "";

	if (at->pcr == 2 && !(c->was && c->was->type == EV_SEPARATOR)) {
		const char *name = c->was ? was : is;

		snprintf(out, WORDS_TEXT, "%s%s%s%.*s%s%s", !c->was ? "new option ROM or driver" : "option ROM or driver",
		    *name ? " " : "", !c->was && !c->is->bound && *name ? "that the host calls " : "", SHOWN_TEXT, name,
		    !c->was ? "" : c->is ? " has another content" : " is gone", "");
		return true;
	}
	if (at->pcr != 4 || !c->was || !c->is || c->was->type != EV_EFI_BOOT_SERVICES_APPLICATION)
		return false;
	if (c->component == COMPONENT_BOOT_ENTRY)
		say_kernel(b, "kernel", kernel_name(b, c), out);
	else
		snprintf(out, WORDS_TEXT, "%s%s%.*s has another content%s", loader_word(was), *was ? " " : "", SHOWN_TEXT, was, signer_of(b));
	return true;
}

static bool
has_word(const char *path, const char *with)
{
	const char *name = strrchr(path, '/');

	return begins(name ? name + 1 : path, with);
}

/* PCR 9 and 11: files by their content. Nobody signs an initrd. */
static bool
say_file(const struct backdrop *b, const struct change *c, char out[static WORDS_TEXT])
{
	const char *was = c->was ? c->was->text : "", *is = c->is ? c->is->text : "";
	bool initrd = has_word(was, "initrd") || has_word(was, "initramfs") || !strcmp(was, "Linux initrd");

	if (!c->was || !c->is || c->reason != REASON_KERNEL_CHANGED || (c->was->pcr != 9 && c->was->pcr != 11))
		return false;
	if (c->was->pcr == 11)
		snprintf(out, WORDS_TEXT, "section %.*s of the unified kernel image has another content", SHOWN_TEXT, was);
	else if (!initrd)
		say_kernel(b, "kernel file", was, out);
	else if (strcmp(was, is))
		snprintf(out, WORDS_TEXT, "initrd %.*s -> %.*s; nothing signs it", SHOWN_TEXT, was, SHOWN_TEXT, is);
	else
		snprintf(out, WORDS_TEXT, "initrd%s%.*s has another content; nothing signs it", strcmp(was, "Linux initrd") ? " " : "",
		    strcmp(was, "Linux initrd") ? SHOWN_TEXT : 0, was);
	return true;
}

/* --- words --- */

/*
 * The bound words of one side, or NULL. What the stub was given (PCR 9) has none of its own; the boot
 * loader may have measured the same bytes with theirs (PCR 12).
 */
static const char *
words_of(const struct backdrop *b, const struct item *i)
{
	if (i->bound)
		return i->text;
	for (unsigned k = 0; !i->entry && b->facts && k < b->facts->ncmdlines; k++)
		if (b->facts->cmdline[k].at.event == i->number && b->facts->cmdline[k].at.binding == FACT_BOUND)
			return b->facts->cmdline[k].text;
	for (unsigned k = 0; i->entry && k < b->was->count; k++)
		if (b->was->entry[k].pcr == 12 && b->was->entry[k].text_bound &&
		    !memcmp(b->was->entry[k].digest, i->digest, bank_size(b->bank)))
			return b->was->entry[k].text;
	return NULL;
}

static bool
say_cmdline(const struct backdrop *b, const struct change *c, char out[static WORDS_TEXT])
{
	const char *was, *is;
	char words[WORDS_TEXT - 40];
	bool command;
	int said;

	if (!c->was || !c->is)
		return false;
	command = c->was->pcr == 8 && begins(c->was->text, "grub_cmd: ");
	if (c->reason != REASON_CMDLINE_CHANGED && !command)
		return false;
	if (c->was->entry && strlen(c->was->text) == SET_TEXT - 1 && c->is->bound) {
		snprintf(out, WORDS_TEXT, "%s changed: %.60s...; its words were too long to be kept",
		    command ? "a boot loader command" : "the kernel command line", text_bare(c->was->text, &said));
		return true;
	}
	if (command && !(c->was->bound && c->is->bound)) {
		snprintf(out, WORDS_TEXT, "a boot loader command changed: %.60s...; the log does not give all of its words",
		    text_bare(c->was->text, &said));
		return true;
	}
	was = words_of(b, c->was);
	is = words_of(b, c->is);
	if (!was || !is) {
		snprintf(out, WORDS_TEXT, "the kernel command line changed; its words are not in the log");
		return true;
	}
	cmdline_diff(text_bare(was, &said), text_bare(is, &said), words, sizeof(words));
	snprintf(out, WORDS_TEXT, "%s: %s", command ? "boot loader command" : "kernel command line",
	    *words ? words : "the same words in another order");
	return true;
}

/* What the firmware says of itself and of what it was to boot. */
static bool
say_firmware(const struct change *c, char out[static WORDS_TEXT])
{
	const char *was = c->was ? c->was->text : "", *is = c->is ? c->is->text : "";
	const char *host = c->is && c->is->bound ? "" : " (the host says so)";

	if (!c->was || !c->is)
		return false;
	if (c->was->pcr == 0 && strstr(was, " bytes at 0x"))
		snprintf(out, WORDS_TEXT, "firmware volume (%.*s) has another content", SHOWN_TEXT, was);
	else if (c->was->type == 8)             /* EV_S_CRTM_VERSION */
		snprintf(out, WORDS_TEXT, "firmware version %.*s -> %.*s%s", SHOWN_TEXT, was, SHOWN_TEXT, is, host);
	else if (begins(was, "BootOrder: ") && begins(is, "BootOrder: "))
		snprintf(out, WORDS_TEXT, "boot order %.*s -> %.*s%s", SHOWN_TEXT, after(was, "BootOrder: "), SHOWN_TEXT, after(is, "BootOrder: "), host);
	else if (c->was->pcr == 1 && begins(was, "Boot0"))
		snprintf(out, WORDS_TEXT, "boot entry %.*s -> %.*s%s", SHOWN_TEXT, was, SHOWN_TEXT, is, host);
	else
		return false;
	return true;
}

static void
say_anything(const struct change *c, char out[static WORDS_TEXT])
{
	const char *was = c->was ? c->was->text : "", *is = c->is ? c->is->text : "";

	if (!c->was && c->is->bound)
		snprintf(out, WORDS_TEXT, "measured in addition: %.*s", SHOWN_TEXT, is);
	else if (!c->was)
		snprintf(out, WORDS_TEXT, "something more was measured%s%.*s", *is ? "; the host calls it " : "", SHOWN_TEXT, is);
	else if (!c->is)
		snprintf(out, WORDS_TEXT, "was not measured: %.*s", SHOWN_TEXT, *was ? was : "an event without a name");
	else if (c->was->bound && c->is->bound)
		snprintf(out, WORDS_TEXT, "%.*s became %.*s", SHOWN_TEXT, was, SHOWN_TEXT, is);
	else
		snprintf(out, WORDS_TEXT, "%.*s has another content", SHOWN_TEXT, *was ? was : event_type_name(c->was->type));
}

static void
sentence(const struct backdrop *b, const struct change *c, char out[static FINDING_TEXT])
{
	const struct item *at = c->is ? c->is : c->was;
	char words[WORDS_TEXT], where[WHERE_TEXT] = "";

	if (at->number)
		snprintf(where, sizeof(where), ", event %u", at->number);
	if (c->is && !memcmp(c->is->digest, b->failed, bank_size(b->bank)))
		snprintf(words, sizeof(words), "the firmware measured an error instead of a separator");
	else if (!say_secure_boot(b, c, words) && !say_image(b, c, words) && !say_file(b, c, words) && !say_cmdline(b, c, words) &&
	    !say_firmware(c, words))
		say_anything(c, words);
	finding_say(out, "%s (PCR %u%s)", words, at->pcr, where);
}

/* One side, for people: its words, and its digest where the words alone do not tell the two apart. */
static void
side_say(char out[static FINDING_TEXT], const struct backdrop *b, const struct item *i, bool with_digest)
{
	char hex[2 * DIGEST_MAX + 1];

	hex_text(i->digest, bank_size(b->bank), hex);
	if (!*i->text)
		finding_say(out, "%s", hex);
	else if (with_digest || !i->bound)
		finding_say(out, "%s (%s %s)", i->text, bank_word(b->bank), hex);
	else
		finding_say(out, "%s", i->text);
}

static enum trust_claim
change_claim(const struct change *c)
{
	if (c->reason == REASON_CMDLINE_CHANGED || c->component == COMPONENT_SECUREBOOT)
		return CLAIM_CONFIGURATION;
	return c->component == COMPONENT_FIRMWARE ? CLAIM_HARDWARE : CLAIM_EXECUTABLES;
}

void
change_report(const struct backdrop *b, const struct change *c, struct findings *all)
{
	struct finding *f = finding_add(all, c->reason, c->severity, change_claim(c));
	bool same_words = c->was && c->is && !strcmp(c->was->text, c->is->text);

	f->pcr = c->was ? c->was->pcr : c->is->pcr;
	f->event = c->is ? c->is->number : 0;
	if (c->was)
		side_say(f->expected, b, c->was, same_words);
	if (c->is)
		side_say(f->seen, b, c->is, same_words);
	sentence(b, c, f->text);
	if (c->was && c->is && is_key_variable(c->was))
		keys_details(b, c, all, f);
}
