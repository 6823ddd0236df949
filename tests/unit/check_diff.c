/* What differs, in words: each change with its reason, its severity, and the sentence that people read. */
#include "diff.h"
#include "efi.h"
#include "made_log.h"

#define CONFIG EV_EFI_VARIABLE_DRIVER_CONFIG
enum { PCRS = 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 12 };

/* One thing measured: PCR, type, what is hashed (NULL: the text's own rule), the event's data. */
struct thing { uint32_t pcr, type; const char *hashed; const char *data; };
#define END { .data = NULL }
enum { THINGS_MAX = 6 };

/* UEFI_VARIABLE_DATA of dbx with one signature list of n entries, or of a variable with one byte. */
static size_t
variable(const char *spec, uint8_t *out)
{
	size_t names = strcspn(spec, "="), at = 16 + 8 + 8, len;
	unsigned n = (unsigned)atoi(spec + names + 1);

	memset(out, 0, 4096);
	memcpy(out, !strncmp(spec, "db", 2) ? efi_guid_security : efi_guid_global, EFI_GUID_SIZE);
	out[16] = (uint8_t)names;
	for (size_t i = 0; i < names; i++, at += 2)
		out[at] = (uint8_t)spec[i];
	if (strncmp(spec, "dbx=", 4)) {
		out[24] = 1;
		out[at] = (uint8_t)n;
		return at + 1;
	}
	len = 28 + n * 48;
	out[24] = (uint8_t)len;
	out[25] = (uint8_t)(len >> 8);
	memcpy(out + at, efi_cert_sha256, EFI_GUID_SIZE);
	out[at + 16] = (uint8_t)len;
	out[at + 17] = (uint8_t)(len >> 8);
	out[at + 24] = 48;
	for (unsigned i = 0; i < n; i++)
		out[at + 28 + i * 48 + EFI_GUID_SIZE] = (uint8_t)i;
	return at + len;
}

static void
log_of(const struct thing *things, struct eventlog *log)
{
	own(made_log) struct made_log l = { 0 };

	made_open(&l, 1u << BANK_SHA256);
	made_text(&l, 0, 8, "firmware");
	for (unsigned i = 0; i < THINGS_MAX && things[i].data; i++) {
		const struct thing *t = &things[i];

		if (t->type == CONFIG) {
			uint8_t data[4096];
			size_t n = variable(t->data, data);

			made_event(&l, t->pcr, t->type, data, n);
		} else if (t->hashed)
			made_measure(&l, t->pcr, t->type, t->hashed, strlen(t->hashed), t->data, strlen(t->data) + 1);
		else
			made_text(&l, t->pcr, t->type, t->data);
	}
	made_parse(&l, log);
}

#define CMD(s) { 8, EV_IPL, s, "kernel_cmdline: " s }
#define GRUB(s) { 8, EV_IPL, s, "grub_cmd: " s }
#define FILE_OF(name, content) { 9, EV_IPL, content, name }
#define VAR(spec) { 7, CONFIG, NULL, spec }

static const struct {
	const char *label;
	struct thing was[THINGS_MAX], is[THINGS_MAX];
	unsigned count;
	enum reason reason;
	enum severity severity;         /* of the first finding */
	const char *text;
} cases[] = {
	{ "nothing", { CMD("a") }, { CMD("a") }, 0, REASON_OK, SEVERITY_INFO, NULL },
	{ "command line", { CMD("root=a") }, { CMD("root=a quiet") }, 1, REASON_CMDLINE_CHANGED, SEVERITY_UNKNOWN, "kernel command line: + quiet (PCR 8, event 2)" },
	{ "init=", { CMD("root=a") }, { CMD("root=a init=/bin/sh") }, 1, REASON_CMDLINE_CHANGED, SEVERITY_ALARMING, "kernel command line: + init=/bin/sh (PCR 8, event 2)" },
	{ "command line of a label alone", { CMD("root=a") }, { { 8, EV_IPL, "other", "kernel_cmdline: root=a" } }, 1,
	    REASON_CMDLINE_CHANGED, SEVERITY_UNKNOWN, "the kernel command line changed; its words are not in the log (PCR 8, event 2)" },
	{ "dbx grew", { VAR("dbx=1") }, { VAR("dbx=3") }, 1, REASON_SECUREBOOT_CHANGED, SEVERITY_BENIGN_LIKELY, "dbx: 1 -> 3 entries, 2 added, none removed (PCR 7, event 2)" },
	{ "dbx shrank", { VAR("dbx=3") }, { VAR("dbx=2") }, 1, REASON_SECUREBOOT_CHANGED, SEVERITY_ALARMING, "dbx: 3 -> 2 entries, none added, 1 removed (PCR 7, event 2)" },
	{ "dbx of a label alone", { VAR("dbx=1") }, { { 7, EV_IPL, "x", "dbx: 9 entries" } }, 1, REASON_SECUREBOOT_CHANGED, SEVERITY_UNKNOWN, "dbx: 1 entry has another content" },
	{ "Secure Boot off", { VAR("SecureBoot=1") }, { VAR("SecureBoot=0") }, 1, REASON_SECUREBOOT_CHANGED, SEVERITY_ALARMING, "Secure Boot was turned off (PCR 7, event 2)" },
	{ "kernel file", { FILE_OF("/vmlinuz-6", "a") }, { FILE_OF("/vmlinuz-6", "b") }, 1, REASON_KERNEL_CHANGED, SEVERITY_UNKNOWN, "kernel file /vmlinuz-6 has another content, signer not known (PCR 9, event 2)" },
	{ "initrd", { FILE_OF("(hd0)/initrd.img", "a") }, { FILE_OF("(hd0)/initrd.img", "b") }, 1, REASON_KERNEL_CHANGED, SEVERITY_UNKNOWN, "initrd (hd0)/initrd.img has another content; nothing signs it" },
	{ "grub.cfg", { FILE_OF("/grub.cfg", "a") }, { FILE_OF("/grub.cfg", "b") }, 1, REASON_BOOT_CHANGED, SEVERITY_UNKNOWN, "/grub.cfg has another content" },
	{ "the label of the log does not say what it is", { FILE_OF("/vmlinuz", "a") }, { FILE_OF("/grub.cfg", "b") }, 1,
	    REASON_KERNEL_CHANGED, SEVERITY_UNKNOWN, "kernel file /vmlinuz has another content" },
	{ "option ROM more", { END }, { { 2, 5, NULL, "rom" } }, 1, REASON_EVENT_UNEXPECTED, SEVERITY_UNKNOWN, "new option ROM or driver rom (PCR 2, event 2)" },
	{ "a command more", { GRUB("a"), GRUB("c") }, { GRUB("a"), GRUB("rmmod tpm"), GRUB("c") }, 1,
	    REASON_EVENT_UNEXPECTED, SEVERITY_ALARMING, "measured in addition: grub_cmd: rmmod tpm (PCR 8, event 3)" },
	{ "a command less", { GRUB("a"), GRUB("b"), GRUB("c") }, { GRUB("a"), GRUB("c") }, 1,
	    REASON_EVENT_MISSING, SEVERITY_UNKNOWN, "was not measured: grub_cmd: b (PCR 8)" },
	{ "a command with other words", { GRUB("linux /vmlinuz a") }, { GRUB("linux /vmlinuz a b") }, 1,
	    REASON_BOOT_CHANGED, SEVERITY_UNKNOWN, "boot loader command: + b (PCR 8, event 2)" },
	{ "like with like", { CMD("x") }, { GRUB("echo tpm"), CMD("x y") }, 2, REASON_CMDLINE_CHANGED, SEVERITY_UNKNOWN, "kernel command line: + y" },
	{ "kernel before command line", { CMD("x"), FILE_OF("/vmlinuz", "a") }, { CMD("y"), FILE_OF("/vmlinuz", "b") }, 2,
	    REASON_KERNEL_CHANGED, SEVERITY_UNKNOWN, "kernel file /vmlinuz has another content" },
	{ "error separator", { { 7, EV_SEPARATOR, "ok", "" } }, { { 7, EV_SEPARATOR, "\1", "" } }, 1, REASON_SECUREBOOT_CHANGED, SEVERITY_UNKNOWN, "" },
	{ "given from outside", { { 12, EV_IPL, NULL, "quiet" } }, { { 12, EV_IPL, NULL, "quiet single" } }, 1,
	    REASON_CMDLINE_CHANGED, SEVERITY_ALARMING, "kernel command line: + single (PCR 12, event 2)" },
};

START_TEST(says_what_differs)
{
	own(eventlog) struct eventlog was = { 0 }, is = { 0 };
	own(measured) struct measured m = { 0 };
	struct known_set known = { .label = "known", .own_host = true };
	struct findings all = { .count = 0 };
	struct difference d;
	struct error e = { .code = ERR_NONE };

	log_of(cases[_i].was, &was);
	log_of(cases[_i].is, &is);
	ck_assert(set_capture(&was, BANK_SHA256, PCRS, &known.set, &e));
	ck_assert(measured_open(&is, BANK_SHA256, PCRS, &m, &e));
	ck_assert(diff_measured(&m, PCRS, &known, &all, &d, &e));
	ck_assert_msg(d.count == cases[_i].count && all.count == d.count, "%s: %u differ", cases[_i].label, d.count);
	ck_assert_msg(d.reason == cases[_i].reason, "%s: %s", cases[_i].label, reason_code(d.reason));
	findings_lead(&all, d.reason);
	if (d.count) {
		ck_assert_msg(all.list[0].severity == cases[_i].severity, "%s: %s", cases[_i].label, severity_word(all.list[0].severity));
		ck_assert_msg(!strncmp(all.list[0].text, cases[_i].text, strlen(cases[_i].text)), "%s: %s", cases[_i].label, all.list[0].text);
		ck_assert(all.list[0].expected[0] || all.list[0].seen[0]);
	}
	set_free(&known.set);
}
END_TEST

/* Two logs that have nothing in common, longer than the table: paired in order, within bounds. */
START_TEST(large_differences_are_bounded)
{
	struct eventlog logs[2] = { { 0 }, { 0 } };
	own(measured) struct measured m = { 0 };
	struct known_set known = { .label = "known", .own_host = true };
	struct findings all = { .count = 0 };
	struct difference d;
	struct error e = { .code = ERR_NONE };

	for (unsigned k = 0; k < 2; k++) {
		own(made_log) struct made_log l = { 0 };

		made_open(&l, 1u << BANK_SHA256);
		for (unsigned i = 0; i < 2000; i++) {
			char text[32];

			snprintf(text, sizeof(text), "%u of %u", i, k);
			made_grub(&l, "grub_cmd: ", text);
		}
		made_parse(&l, &logs[k]);
	}
	ck_assert(set_capture(&logs[0], BANK_SHA256, PCRS, &known.set, &e));
	ck_assert(measured_open(&logs[1], BANK_SHA256, PCRS, &m, &e));
	ck_assert(diff_measured(&m, PCRS, &known, &all, &d, &e));
	ck_assert_uint_eq(d.count, 2000);
	ck_assert_uint_eq(all.count, FINDINGS_MAX);
	ck_assert(all.left_out > 0 && strstr(all.list[FINDINGS_MAX - 1].text, "more findings are not shown"));
	set_free(&known.set);
	eventlog_free(&logs[1]);
	eventlog_free(&logs[0]);
}
END_TEST

START_TEST(sets_are_compared)
{
	static const struct thing one[THINGS_MAX] = { CMD("a") }, two[THINGS_MAX] = { CMD("b") };
	own(eventlog) struct eventlog was = { 0 }, is = { 0 };
	own(set) struct reference_set from = { 0 }, to = { 0 };
	struct findings all = { .count = 0 };
	struct error e = { .code = ERR_NONE };

	log_of(one, &was);
	log_of(two, &is);
	ck_assert(set_capture(&was, BANK_SHA256, PCRS, &from, &e) && set_capture(&is, BANK_SHA256, PCRS, &to, &e));
	diff_sets(&from, &from, &all);
	ck_assert_uint_eq(all.count, 0);
	diff_sets(&from, &to, &all);
	ck_assert_uint_eq(all.count, 1);
	ck_assert_str_eq(all.list[0].text, "kernel command line: + b - a (PCR 8)");
	to.bank = BANK_SHA384;
	diff_sets(&from, &to, &all);
	ck_assert_int_eq(all.list[1].code, REASON_POLICY_FAILED);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, says_what_differs, 0, COUNT(cases));
	tcase_add_test(tc, large_differences_are_bounded);
	tcase_add_test(tc, sets_are_compared);
}

int main(void) { return unit_run("diff", add); }
