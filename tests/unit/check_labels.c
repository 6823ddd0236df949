/*
 * What the labels of a log can do: nothing for the better. Types, names and order are not signed, so
 * whoever hands a log in may change them (rows 10 and 29 of the mistakes that verifiers make).
 */
#include "appraise.h"
#include "bound_text.h"
#include "efi.h"
#include "diff.h"
#include "facts.h"
#include "made_log.h"
#include "verdict.h"

enum { PCRS = 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 11 | 1u << 12 | 1u << 14 };

static const uint32_t types[] = { EV_IPL, 5 /* EV_ACTION */, 6, EV_SEPARATOR, EV_EFI_VARIABLE_DRIVER_CONFIG, EV_EFI_VARIABLE_AUTHORITY,
	EV_EFI_BOOT_SERVICES_APPLICATION, EV_EFI_BOOT_SERVICES_DRIVER, 0x80000007u, 2, 0x12345678u };

/* --- a recorded log with one label changed --- */

struct forged { uint8_t *bytes; size_t len; struct eventlog log; };
static void drop_forged(struct forged *f) { eventlog_free(&f->log); free(f->bytes); }

/* How event i is called something else; false if there is nothing to change. Digests stay as they are. */
static bool
relabel(struct forged *f, const struct eventlog *as_it_was, unsigned i, unsigned how)
{
	const struct event *ev = &as_it_was->event[i];
	size_t at = ev->offset, end = i + 1 < as_it_was->count ? as_it_was->event[i + 1].offset : f->len;

	if (how < COUNT(types)) {
		if (ev->type == types[how])
			return false;
		for (unsigned k = 0; k < 4; k++)
			f->bytes[at + 4 + k] = (uint8_t)(types[how] >> 8 * k);
		return true;
	}
	if (!ev->data_len)
		return false;
	f->bytes[end - ev->data_len] ^= 1;      /* the first byte of what it says of itself */
	return true;
}

static bool
forge(const char *variant, const struct eventlog *as_it_was, unsigned i, unsigned how, struct forged *f)
{
	struct error e;

	*f = (struct forged){ .len = 0 };
	f->bytes = vm_file(variant, "binary_bios_measurements", &f->len);
	ck_assert_ptr_nonnull(f->bytes);
	return relabel(f, as_it_was, i, how) && eventlog_parse(f->bytes, f->len, &f->log, &e);
}

static void
known_from(const char *variant, struct known_set *known)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };

	vm_log(variant, &log);
	*known = (struct known_set){ .active = true, .own_host = true };
	snprintf(known->label, sizeof(known->label), "%s", variant);
	ck_assert_msg(set_capture(&log, BANK_SHA256, PCRS, &known->set, &e), "%s", e.why);
}

static unsigned
calm(const struct findings *all)
{
	unsigned n = 0;

	for (unsigned i = 0; i < all->count; i++)
		n += all->list[i].severity == SEVERITY_BENIGN_LIKELY || all->list[i].severity == SEVERITY_INFO;
	return n;
}

static const struct { const char *known, *booted; } pairs[] = {
	{ "sb-shimgrub-a", "sb-shimgrub-a" },
	{ "sb-shimgrub-a", "sb-shimgrub-cmd" },
	{ "sb-shimgrub-a", "sb-shimgrub-k56" },
	{ "sb-shimgrub-a", "shimgrub-nosb-linuxefi" },
	{ "sdboot-1", "sdboot-uki" },
	{ "direct-51-a", "direct-51-cmd" },
};

/* A log under other labels differs from a known set if it did before, and nothing about it becomes calmer. */
START_TEST(row10_labels_make_no_difference_smaller)
{
	own(eventlog) struct eventlog log = { 0 };
	struct known_set known;
	struct verdict *v = malloc(sizeof(*v));
	unsigned differs, calmer, forged = 0;

	ck_assert_ptr_nonnull(v);
	known_from(pairs[_i].known, &known);
	vm_log(pairs[_i].booted, &log);
	verdict_start(v);
	diff_log(&log, BANK_SHA256, PCRS, &known, v);
	differs = v->differs;
	calmer = calm(&v->findings);
	for (unsigned i = 1; i < log.count; i++)
		for (unsigned how = 0; how <= COUNT(types); how++) {
			own(forged) struct forged f;

			if (log.event[i].type == EV_NO_ACTION || !forge(pairs[_i].booted, &log, i, how, &f))
				continue;
			verdict_start(v);
			diff_log(&f.log, BANK_SHA256, PCRS, &known, v);
			ck_assert_msg(!v->differs == !differs && calm(&v->findings) <= calmer, "event %u, change %u: %u differ, %u are calm",
			    i, how, v->differs, calm(&v->findings));
			forged++;
		}
	printf("%s under %s: %u logs with one label changed\n", pairs[_i].booted, pairs[_i].known, forged);
	ck_assert_uint_gt(forged, 100);
	set_free(&known.set);
	free(v);
}
END_TEST

/* Where Secure Boot is off no label turns it on; where it is on it stays so, or nothing can be said. No bound text changes. */
START_TEST(row10_labels_turn_nothing_on)
{
	static const char *const boots[] = { "sb-shimgrub-a", "shimgrub-nosb-linuxefi", "sdboot-uki" };
	own(eventlog) struct eventlog log = { 0 };
	own(mem) struct boot_facts *f = malloc(sizeof(*f));
	enum secure_boot_state state;

	vm_log(boots[_i], &log);
	boot_facts_read(&log, BANK_SHA256, PCRS, f);
	state = f->secure_boot.state;
	for (unsigned i = 1; i < log.count; i++)
		for (unsigned how = 0; how <= COUNT(types); how++) {
			own(forged) struct forged x;

			if (!forge(boots[_i], &log, i, how, &x))
				continue;
			boot_facts_read(&x.log, BANK_SHA256, PCRS, f);
			ck_assert_msg(f->secure_boot.state == state || (f->secure_boot.state != SECURE_BOOT_ON),
			    "event %u, change %u: %s", i, how, secure_boot_word(f->secure_boot.state));
			if (state != SECURE_BOOT_ON)
				ck_assert(f->secure_boot.state != SECURE_BOOT_ON);
			for (unsigned k = 0; k < f->ncmdlines; k++)
				if (f->cmdline[k].at.binding == FACT_BOUND)
					ck_assert(strstr(f->cmdline[k].text, "console=ttyS0"));
		}
}
END_TEST

/* What is captured has the same parts, whatever the log called an image (row 30: nothing is laundered by a label). */
START_TEST(row30_capture_goes_by_digests)
{
	own(eventlog) struct eventlog log = { 0 };
	own(set) struct reference_set set = { 0 };
	struct error e = { .code = ERR_NONE };

	vm_log("sb-shimgrub-a", &log);
	ck_assert(set_capture(&log, BANK_SHA256, PCRS, &set, &e));
	for (unsigned i = 1; i < log.count; i++)
		for (unsigned how = 0; how <= COUNT(types); how++) {
			own(forged) struct forged f;
			own(set) struct reference_set other = { 0 };

			if (log.event[i].type == EV_NO_ACTION || !forge("sb-shimgrub-a", &log, i, how, &f))
				continue;
			ck_assert(set_capture(&f.log, BANK_SHA256, PCRS, &other, &e) && other.count == set.count);
			for (unsigned k = 0; k < set.count; k++)
				ck_assert_msg(other.entry[k].component == set.entry[k].component && other.entry[k].scope == set.entry[k].scope,
				    "event %u, change %u", i, how);
		}
}
END_TEST

/* --- texts, whatever they are called --- */

static const struct { const char *label; uint32_t pcr, type; const char *hashed; size_t nhashed; const char *data; size_t len;
	bool bound; const char *text; unsigned roles; } texts[] = {
#define BYTES(s) s, sizeof(s) - 1
#define GRUB_ROLES (1u << ROLE_GRUB_COMMAND | 1u << ROLE_KERNEL_CMDLINE | 1u << ROLE_MODULE_CMDLINE)
	{ "a command", 8, EV_IPL, BYTES("rmmod tpm"), BYTES("grub_cmd: rmmod tpm\0"), true, "rmmod tpm", GRUB_ROLES },
	{ "kernel_cmdline called grub_cmd", 8, EV_IPL, BYTES("/vmlinuz init=/bin/sh"), BYTES("grub_cmd: /vmlinuz init=/bin/sh\0"), true,
	    "/vmlinuz init=/bin/sh", GRUB_ROLES },
	{ "called an action", 8, 5, BYTES("rmmod tpm"), BYTES("grub_cmd: rmmod tpm"), true, "rmmod tpm", GRUB_ROLES },
	{ "without a label", 8, EV_IPL, BYTES("rmmod tpm"), BYTES("rmmod tpm"), true, "rmmod tpm", GRUB_ROLES },
	{ "hashed with its NUL", 8, EV_IPL, BYTES("rmmod tpm\0"), BYTES("grub_cmd: rmmod tpm\0"), true, "rmmod tpm", GRUB_ROLES },
	{ "hashed with its label", 8, EV_IPL, BYTES("grub_cmd: rmmod tpm"), BYTES("grub_cmd: rmmod tpm"), true, "rmmod tpm", GRUB_ROLES },
	{ "lines", 8, EV_IPL, BYTES("menuentry x {\n\tlinux /v\n}"), BYTES("grub_cmd: menuentry x {\n\tlinux /v\n}\0"), true,
	    "menuentry x {\\n\\tlinux /v\\n}", GRUB_ROLES },
	{ "a backslash, and more than ASCII", 8, EV_IPL, BYTES("echo \\n \xc3\xa9"), BYTES("grub_cmd: echo \\n \xc3\xa9\0"), true,
	    "echo \\\\n \\xc3\\xa9", GRUB_ROLES },
	{ "other words than were hashed", 8, EV_IPL, BYTES("rmmod tpm"), BYTES("grub_cmd: echo hello\0"), false, "", 0 },
	{ "no words", 8, 2, BYTES("rmmod tpm"), BYTES(""), false, "", 0 },
	{ "a kind that has no words", 8, 2, BYTES("rmmod tpm"), BYTES("rmmod tpm"), false, "", 0 },
	{ "options in UTF-16", 12, EV_IPL, BYTES("a\0b\0\0\0"), BYTES("a\0b\0\0\0"), true, "ab", 1u << ROLE_KERNEL_CMDLINE },
	{ "options without their NUL", 12, EV_IPL, BYTES("a\0b\0"), BYTES("a\0b\0\0\0"), true, "ab", 1u << ROLE_KERNEL_CMDLINE },
	{ "options beyond ASCII", 12, EV_IPL, BYTES("a\0\xac\x20"), BYTES("a\0\xac\x20\0\0"), false, "", 0 },
	{ "a section", 11, EV_IPL, BYTES(".linux\0"), BYTES(".\0l\0i\0n\0u\0x\0\0\0"), true, ".linux", 1u << ROLE_SECTION },
	{ "a section's content", 11, EV_IPL, BYTES("MZ"), BYTES(".\0l\0i\0n\0u\0x\0\0\0"), false, "", 0 },
	{ "words of a command line in PCR 11", 11, EV_IPL, BYTES("quiet init=/bin/sh"), BYTES("quiet init=/bin/sh"), true, "quiet init=/bin/sh",
	    1u << ROLE_PHASE | 1u << ROLE_KERNEL_CMDLINE },
	{ "a phase", 11, EV_IPL, BYTES("enter-initrd"), BYTES("enter-initrd"), true, "enter-initrd", 1u << ROLE_PHASE },
};

START_TEST(row29_texts_under_every_label)
{
	own(made_log) struct made_log l = { 0 };
	own(eventlog) struct eventlog log = { 0 };
	own(text_walk) struct text_walk w = { .log = &log, .bank = BANK_SHA256 };
	struct bound_text t;

	made_open(&l, 1u << BANK_SHA256);
	made_measure(&l, texts[_i].pcr, texts[_i].type, texts[_i].hashed, texts[_i].nhashed, texts[_i].data, texts[_i].len);
	made_text(&l, 4, EV_IPL, "of another PCR");
	made_parse(&l, &log);
	/* Whatever the parser said of it. */
	for (unsigned lie = 0; lie < 2; lie++) {
		w.at = 0;
		log.event[1].binding = lie ? BOUND_DIGEST : BOUND_NOT;
		ck_assert(bound_text_next(&w, &t));
		ck_assert_msg(t.bound == texts[_i].bound && t.roles == texts[_i].roles, "%s: bound %d, roles 0x%x", texts[_i].label, t.bound, t.roles);
		ck_assert_str_eq(t.text, texts[_i].text);
		ck_assert(!bound_text_next(&w, &t));
	}
}
END_TEST

/* A parser that lies says of every text that its digest binds it: nobody is shown it as proved. */
START_TEST(row29_lies_are_not_captured)
{
	static const struct { unsigned at; const char *text; bool bound; } rows[] = {
		{ 1, "SecureBoot: 0", true }, { 1, "SecureBoot: 1", false },
		{ 2, "00000000", true }, { 2, "dbx: 500 entries", false },
		{ 3, "kernel_cmdline: /vmlinuz init=/bin/sh", true }, { 3, "kernel_cmdline: /vmlinuz quiet", false },
	};
	uint8_t v[MADE_VARIABLE_MAX];

	for (unsigned i = 0; i < COUNT(rows); i++) {
		own(made_log) struct made_log l = { 0 };
		own(eventlog) struct eventlog log = { 0 };
		own(set) struct reference_set set = { 0 };
		struct error e = { .code = ERR_NONE };

		made_open(&l, 1u << BANK_SHA256);
		made_event(&l, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, v, made_variable(v, efi_guid_global, "SecureBoot", "\0", 1));
		made_event(&l, 7, EV_SEPARATOR, "\0\0\0\0", 4);
		made_grub(&l, "kernel_cmdline: ", "/vmlinuz init=/bin/sh");
		made_text(&l, 4, EV_IPL, "image");
		made_parse(&l, &log);
		log.event[rows[i].at].text = rows[i].text;
		log.event[rows[i].at].binding = BOUND_DIGEST;
		ck_assert_msg(set_capture(&log, BANK_SHA256, 1u << 4 | 1u << 7 | 1u << 8, &set, &e), "%s", e.why);
		ck_assert_str_eq(set.entry[rows[i].at - 1].text, rows[i].text);
		ck_assert_msg(set.entry[rows[i].at - 1].text_bound == rows[i].bound, "%s", rows[i].text);
	}
}
END_TEST

static const struct { const char *command, *args; } commands[] = {
	{ "linux /vmlinuz root=x quiet", "root=x quiet" },
	{ "linuxefi  /vmlinuz   a", "a" },
	{ "linux (hd0,gpt1)/vmlinuz", "" },
	{ "multiboot2 --quirk-modules-after-kernel /xen a=b", "a=b" },
	{ "module2 /vmlinuz init=/bin/sh", "init=/bin/sh" },
	{ "linux", "" },
	{ "linuxx /vmlinuz a", NULL },
	{ "initrd /initrd.img", NULL },
	{ "echo linux /vmlinuz a", NULL },
	{ "", NULL },
};

START_TEST(row29_commands_that_load_kernels)
{
	const char *args = grub_command_args(commands[_i].command, NULL, NULL);

	ck_assert(!args == !commands[_i].args);
	if (args)
		ck_assert_str_eq(args, commands[_i].args);
}
END_TEST

/* GRUB was told twice what to load: both lines are said, and that the second is the kernel's. */
START_TEST(row29_two_kernels)
{
	own(made_log) struct made_log l = { 0 };
	own(eventlog) struct eventlog log = { 0 };
	own(mem) struct boot_facts *f = malloc(sizeof(*f));

	made_open(&l, 1u << BANK_SHA256);
	made_grub(&l, "grub_cmd: ", "linux /vmlinuz-6.1.0-28 root=a");
	made_grub(&l, "kernel_cmdline: ", "linux /vmlinuz-5.10.0-1 root=b init=/bin/sh");
	made_measure(&l, 9, EV_IPL, "kernel", 6, BYTES("/vmlinuz-5.10.0-1\0"));
	made_parse(&l, &log);
	boot_facts_read(&log, BANK_SHA256, PCRS, f);
	ck_assert_uint_ge(f->ncmdlines, 2);
	ck_assert_str_eq(f->cmdline[0].text, "root=a");
	ck_assert_str_eq(f->cmdline[f->ncmdlines - 1].text, "root=b init=/bin/sh");
	ck_assert_str_eq(f->kernel.name, "/vmlinuz-5.10.0-1");
	ck_assert_str_eq(f->kernel_version, "5.10.0-1");
	ck_assert_int_eq(f->kernel.named, FACT_BOUND);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, row10_labels_make_no_difference_smaller, 0, COUNT(pairs));
	tcase_add_loop_test(tc, row10_labels_turn_nothing_on, 0, 3);
	tcase_add_test(tc, row30_capture_goes_by_digests);
	tcase_add_loop_test(tc, row29_texts_under_every_label, 0, COUNT(texts));
	tcase_add_loop_test(tc, row29_commands_that_load_kernels, 0, COUNT(commands));
	tcase_add_test(tc, row29_two_kernels);
	tcase_add_test(tc, row29_lies_are_not_captured);
}

int main(void) { return unit_run("labels", add); }
