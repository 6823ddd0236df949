/*
 * bound_text.h - every text that PCR 8, 11 or 12 is made of, whatever the log calls it.
 *
 * GRUB hashes "linux /vmlinuz root=x" without its "grub_cmd: " or "kernel_cmdline: ", so the digest
 * binds the words and not the label: whoever hands in the log may swap labels and event types. A
 * rule must therefore hold under every label that a text could bear. POLICY section 3.
 */
#ifndef BOUND_TEXT_H
#define BOUND_TEXT_H
#include "eventlog.h"

/* X(NAME, word): what such a text can be. */
#define TEXT_ROLES(X) \
	X(GRUB_COMMAND,   "grub_cmd")          /* PCR 8 */ \
	X(KERNEL_CMDLINE, "kernel_cmdline")    /* PCR 8 and 12, also of systemd-boot and the stub */ \
	X(MODULE_CMDLINE, "module_cmdline")    /* PCR 8 */ \
	X(SECTION,        "section")           /* PCR 11: name of a section of a UKI */ \
	X(PHASE,          "phase")             /* PCR 11: "enter-initrd" */
enum text_role {
#define X(name, word) ROLE_##name,
	TEXT_ROLES(X)
#undef X
	ROLE_COUNT
};
const char *text_role_word(enum text_role);

struct bound_text {
	const struct event *event;
	const char *text;       /* what was hashed, without any label; escaped as event->text is, which it points into; "" if not bound */
	bool        bound;      /* worked out here, from digest and text */
	unsigned    roles;      /* bit = enum text_role that it could have */
	int         said;       /* the role that the log gives it, or -1; hearsay */
};

/*
 * The next event of PCR 8, 11 or 12 that counts in this bank, from *at on; false after the last.
 * One that is not bound comes as well: nothing is known of what it was.
 */
struct text_walk { const struct eventlog *log; enum bank bank; unsigned at; struct hashers hashers; };
bool bound_text_next(struct text_walk *, struct bound_text *);
static inline void drop_text_walk(struct text_walk *w) { hashers_free(&w->hashers); }   /* own(text_walk) */

/*
 * Is an event's text proved, as its parser says? Of commands, command lines and Secure Boot's variables, by which
 * people and the diff judge a change, this is worked out anew; of the rest the parser's word is all there is.
 */
bool text_proved(struct hashers *, const struct event *, enum bank);

/* A text without GRUB's label; *said gets the role that the label claims, or -1. */
const char *text_bare(const char *text, int *said);

/*
 * If GRUB would load a kernel or module by this command ("linux", "linuxefi", "multiboot2", ...), what
 * it passes on: the words after the file's name, "" for none. NULL for any other command. *file (may
 * be NULL) gets the length of the file's name and where it stands.
 */
const char *grub_command_args(const char *command, const char **file, size_t *file_len);
#endif
