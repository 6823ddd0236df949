/* A policy's rules: patterns, then each rule with what keeps it and what breaks it. NEGATIVE rows 18, 28, 29. */
#include "claims.h"
#include "bound_text.h"
#include "cmdline_rules.h"
#include "made_log.h"
#include "rules.h"
#include "verdict.h"

/* --- patterns --- */

static const struct { const char *pattern, *word; bool allows, forbids; } patterns[] = {
	{ "quiet", "quiet", true, true },
	{ "quiet", "quiets", false, false },
	{ "root=UUID=*", "root=UUID=0a1b", true, true },
	{ "root=UUID=*", "root=UUID=", true, true },
	{ "root=UUID=*", "root=/dev/sda1", false, false },
	{ "root=UUID=*-a", "root=UUID=x-b-a", true, true },
	{ "*", "x", true, true },
	{ "init=*", "init=/bin/bash", true, true },
	{ "init=*", "initcall_debug", false, false },
	{ "init=", "init=/bin/bash", false, true },
	{ "init=", "init=", true, true },
	{ "rd.break", "rd.break=pre-mount", false, true },
	{ "rd.shell", "rd.shell=0", false, false },
	{ "rd.shell", "rd.shell=no", false, false },
	{ "rd.shell", "rd.shell=1", false, true },
	{ "systemd.debug-shell", "systemd.debug_shell", true, true },
	{ "systemd.debug_shell", "systemd.debug-shell", true, true },
	{ "systemd.debug_shell", "systemd.debug-shell=ttyS0", false, true },
	{ "a=b-c", "a=b_c", false, false },
	{ "a-b=*", "a_b=c-d", true, true },
	{ "console=tty*,115200", "console=ttyS0,115200", true, true },
	{ "*.sig_enforce=0", "module.sig_enforce=0", true, true },
	{ "*-x=1", "a_b_x=1", true, true },
	{ "break", "breakpoint", false, false },
	{ "quiet", "", false, false },
};

static const char *const written[] = { "%s", "quite a %s b", "x\\n%s", "x \"%s\"", "x\\x0b%s", "'%s" };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
START_TEST(pattern_table)
{
	ck_assert_msg(pattern_allows(patterns[_i].pattern, patterns[_i].word) == patterns[_i].allows, "%s %s",
	    patterns[_i].pattern, patterns[_i].word);
	ck_assert_msg(pattern_forbids(patterns[_i].pattern, patterns[_i].word) == patterns[_i].forbids, "%s %s",
	    patterns[_i].pattern, patterns[_i].word);
	/* The quick look misses none, wherever the word stands and however it is written. */
	for (unsigned i = 0; patterns[_i].forbids && i < COUNT(written); i++) {
		static struct patterns all = { .count = 1 };
		struct forbid_filter f;
		char text[256];

		snprintf(all.text[0], sizeof(all.text[0]), "%s", patterns[_i].pattern);
		forbid_filter_make(&all, &f);
		snprintf(text, sizeof(text), written[i], patterns[_i].word);
		ck_assert_msg(forbid_filter_passes(&f, text), "%s", text);
	}
}
END_TEST

#pragma GCC diagnostic pop

/* As the words of an event stand in a log: escaped. */
static const struct { const char *text, *words; } texts[] = {
	{ "a b  c ", "a|b|c|" },
	{ "a\\tb\\nc\\x0bd\\x00e", "a|b|c|d|e|" },
	{ "\\\"init=/bin/sh\\\"", "init=/bin/sh|" },
	{ "\"a init=/bin/sh\"", "a|init=/bin/sh|" },
	{ "'in'it=\\\\/x", "init=/x|" },
	{ "initrd=\\\\initrd.img", "initrd=initrd.img|" },
	{ "\\u00e9 \\xff", "?|?|" },
	{ "\\u00a0a", "a|" },
	{ "\\", "|" },
	{ "\\x", "" },
	{ "", "" },
};

START_TEST(words_of_a_text)
{
	const char *at = texts[_i].text;
	char word[CMDLINE_WORD_TEXT], all[256] = "";

	while (cmdline_word(&at, word)) {
		strcat(all, word);
		strcat(all, "|");
	}
	ck_assert_str_eq(all, texts[_i].words);
}
END_TEST

START_TEST(a_long_word_is_cut)
{
	char *text = calloc(1, 5000), word[CMDLINE_WORD_TEXT];
	const char *at = text;

	memset(text, 'x', 4999);
	ck_assert(cmdline_word(&at, word) && strlen(word) == CMDLINE_WORD_TEXT - 1 && !cmdline_word(&at, word));
	free(text);
}
END_TEST

/* --- rules on made logs --- */

static struct policy policy;
static struct verdict verdict;
static struct host_facts host;
static struct quote quote;
static struct made_log made;
enum { ALL = 0xffffff };

static void
start(void)
{
	policy_default(&policy);
	host = (struct host_facts){ .ek_subject = "IFX SLB9670 id:00070055" };
	quote = (struct quote){ .firmware = (uint64_t)7 << 48 | (uint64_t)85 << 32 };
	made_open(&made, 1u << BANK_SHA1 | 1u << BANK_SHA256);
	made_text(&made, 0, 8, "firmware");
}

static bool
judge_log(const struct eventlog *log, enum reason *reason)
{
	struct rules_case c = { .policy = &policy, .log = log, .quote = &quote, .host = &host, .bank = BANK_SHA256, .pcrs = ALL };

	verdict_start(&verdict);
	return rules_judge(&c, &verdict, reason);
}

/* The main reason; REASON_OK if every rule held. */
static enum reason
judge(void)
{
	own(eventlog) struct eventlog log = { 0 };
	enum reason reason = REASON_OK;
	enum trust_claim claim;
	int8_t value;
	bool held;

	made_parse(&made, &log);
	held = judge_log(&log, &reason);
	ck_assert(held == (reason == REASON_OK) && held == (verdict.findings.count == 0));
	ck_assert(held || rules_reason(reason));
	for (unsigned i = 0; i < verdict.findings.count; i++) {
		ck_assert(rules_reason(verdict.findings.list[i].code) && *verdict.findings.list[i].text);
		ck_assert(claim_move(&verdict.findings.list[i], &claim, &value) && claim == verdict.findings.list[i].claim && value >= 96);
	}
	made_free(&made);
	return reason;
}

static void
put(unsigned pcr, const char *label, const char *text, bool bound)
{
	char data[512];
	int n = snprintf(data, sizeof(data), "%s%s", label, text) + 1;

	if (!bound)
		made_measure(&made, pcr, EV_IPL, "something else", 14, data, (size_t)n);
	else
		made_measure(&made, pcr, EV_IPL, text, strlen(text), data, (size_t)n);
}

/* NEGATIVE row 29: the digest binds the words, nothing binds the label. */
static const struct { unsigned pcr; const char *label, *text; enum reason reason; } forbidden[] = {
	{ 8, "kernel_cmdline: ", "/vmlinuz root=a quiet", REASON_OK },
	{ 8, "kernel_cmdline: ", "/vmlinuz root=a init=/bin/bash", REASON_CMDLINE_FORBIDDEN },
	{ 8, "grub_cmd: ", "/vmlinuz root=a init=/bin/bash", REASON_CMDLINE_FORBIDDEN },
	{ 8, "module_cmdline: ", "/vmlinuz root=a init=/bin/bash", REASON_CMDLINE_FORBIDDEN },
	{ 8, "", "/vmlinuz root=a init=/bin/bash", REASON_CMDLINE_FORBIDDEN },
	{ 8, "grub_cmd: ", "linux /vmlinuz root=a init=/bin/bash", REASON_CMDLINE_FORBIDDEN },
	{ 8, "kernel_cmdline: ", "linux /vmlinuz root=a init=/bin/bash", REASON_CMDLINE_FORBIDDEN },
	{ 8, "grub_cmd: ", "linux --x /vmlinuz \"init=/bin/bash\"", REASON_CMDLINE_FORBIDDEN },
	{ 8, "grub_cmd: ", "linuxefi /vmlinuz systemd.debug_shell", REASON_CMDLINE_FORBIDDEN },
	{ 8, "grub_cmd: ", "linuxefi /vmlinuz systemd.debug-shell", REASON_CMDLINE_FORBIDDEN },
	{ 8, "grub_cmd: ", "menuentry x { linux /vmlinuz init=/bin/bash }", REASON_OK },
	{ 8, "grub_cmd: ", "set init=/bin/bash", REASON_OK },
	{ 8, "kernel_cmdline: ", "root=a init=/bin/bash", REASON_CMDLINE_FORBIDDEN },
	{ 8, "grub_cmd: ", "init=/bin/bash", REASON_CMDLINE_FORBIDDEN },
	{ 8, "grub_cmd: ", "rmmod tpm", REASON_LOADER_COMMAND },
	{ 8, "kernel_cmdline: ", "rmmod tpm", REASON_LOADER_COMMAND },
	{ 8, "grub_cmd: ", "attest=audit", REASON_CMDLINE_FORBIDDEN },
	{ 12, "", "root=a attest=audit", REASON_CMDLINE_FORBIDDEN },
	{ 12, "", "set init=/bin/bash", REASON_CMDLINE_FORBIDDEN },
	{ 12, "", "menuentry init=/bin/bash", REASON_CMDLINE_FORBIDDEN },
	{ 12, "", "root=a quiet", REASON_OK },
	{ 11, "", "x init=/bin/sh", REASON_CMDLINE_FORBIDDEN },
	{ 11, "", ".cmdline", REASON_OK },
	{ 14, "", "x init=/bin/sh", REASON_OK },
	{ 9, "", "x init=/bin/sh", REASON_OK },
};

START_TEST(row_29_forbidden_words)
{
	enum reason reason;

	start();
	put(forbidden[_i].pcr, forbidden[_i].label, forbidden[_i].text, true);
	reason = judge();
	ck_assert_msg(reason == forbidden[_i].reason, "PCR %u %s%s: %s", forbidden[_i].pcr, forbidden[_i].label,
	    forbidden[_i].text, reason_code(reason));
}
END_TEST

/* What only the log says condemns nobody: the digest goes by references. */
START_TEST(unbound_words_are_hearsay)
{
	start();
	put(8, "kernel_cmdline: ", "/vmlinuz init=/bin/bash", false);
	ck_assert_int_eq(judge(), REASON_OK);
}
END_TEST

/* Of two linux commands either may be the one that counts; both are judged, and both are said. */
START_TEST(row_29_two_linux_commands)
{
	start();
	put(8, "grub_cmd: ", "linux /vmlinuz rd.break", true);
	put(8, "grub_cmd: ", "linux /vmlinuz quiet", true);
	put(8, "grub_cmd: ", "linux /vmlinuz init=/bin/sh", true);
	ck_assert_int_eq(judge(), REASON_CMDLINE_FORBIDDEN);
	ck_assert_uint_eq(verdict.findings.count, 2);
	ck_assert_str_eq(verdict.findings.list[0].seen, "rd.break");
	ck_assert_str_eq(verdict.findings.list[1].seen, "init=/bin/sh");
}
END_TEST

static const struct { unsigned pcr; const char *label, *text; bool bound; enum reason reason; } allowed[] = {
	{ 8, "kernel_cmdline: ", "/vmlinuz-6.1.0-28-amd64 root=UUID=aa-bb ro quiet", true, REASON_OK },
	{ 8, "grub_cmd: ", "linux /vmlinuz-6.1.0-28-amd64 root=UUID=aa-bb ro", true, REASON_OK },
	{ 8, "grub_cmd: ", "linux /vmlinuz root=UUID=aa-bb ro evil", true, REASON_CMDLINE_UNKNOWN },
	{ 8, "kernel_cmdline: ", "(hd0,gpt2)/vmlinuz ro evil=1", true, REASON_CMDLINE_UNKNOWN },
	{ 8, "grub_cmd: ", "initrd /initrd.img", true, REASON_OK },
	{ 8, "grub_cmd: ", "set timeout=5", true, REASON_OK },
	{ 8, "grub_cmd: ", "root=hd0,gpt1", true, REASON_OK },
	{ 8, "grub_cmd: ", "acpi /evil.aml", true, REASON_LOADER_COMMAND },
	{ 8, "grub_cmd: ", "rmmod tpm", true, REASON_LOADER_COMMAND },
	{ 8, "kernel_cmdline: ", "evil", true, REASON_LOADER_COMMAND },
	{ 8, "grub_cmd: ", "linux /vmlinuz ro init=/bin/sh", true, REASON_CMDLINE_FORBIDDEN },
	{ 8, "grub_cmd: ", "set timeout=5", false, REASON_TEXT_UNBOUND },
	{ 8, "", "", false, REASON_TEXT_UNBOUND },
	{ 12, "", "root=UUID=aa-bb ro", true, REASON_OK },
	{ 12, "", "set ro", true, REASON_CMDLINE_UNKNOWN },
	{ 12, "", "ro", false, REASON_TEXT_UNBOUND },
	/* GRUB quotes a space in the file's name, but no tab: behind one the kernel finds a word. */
	{ 8, "kernel_cmdline: ", "/x\tinit=/bin/sh ro", true, REASON_CMDLINE_FORBIDDEN },
	{ 8, "kernel_cmdline: ", "/x\tevil=1 ro", true, REASON_CMDLINE_UNKNOWN },
	{ 8, "grub_cmd: ", "linux /x\tevil=1 ro", true, REASON_CMDLINE_UNKNOWN },
	{ 8, "grub_cmd: ", "linux /x\ninit=/bin/sh ro", true, REASON_CMDLINE_FORBIDDEN },
};

START_TEST(row_29_pcrs_that_go_by_rules)
{
	static const char *const words[] = { "root=UUID=*", "ro", "quiet" };
	enum reason reason;

	start();
	policy.pcr[8].mode = policy.pcr[12].mode = PCR_MODE_RULES;
	for (unsigned i = 0; i < COUNT(words); i++)
		strcpy(policy.cmdline.allow.text[policy.cmdline.allow.count++], words[i]);
	put(allowed[_i].pcr, allowed[_i].label, allowed[_i].text, allowed[_i].bound);
	reason = judge();
	ck_assert_msg(reason == allowed[_i].reason, "%s%s: %s", allowed[_i].label, allowed[_i].text, reason_code(reason));
}
END_TEST

/* A parser that lies: the same bytes in other escapes are no text at all. */
static const struct { const char *text, *told; bool rules; enum reason reason; } disguised[] = {
	{ "linux /vmlinuz init=/x", "linux\\x20/vmlinuz\\x20init=/x", true, REASON_TEXT_UNBOUND },
	{ "/vmlinuz ro evil=1", "/vmlinuz\\x20ro\\x20evil=1", true, REASON_TEXT_UNBOUND },
	{ "/vmlinuz ro evil=1", "/vmlinuz ro \\x65vil=1", true, REASON_TEXT_UNBOUND },
	{ "rmmod tpm", "\\x72mmod tpm", true, REASON_TEXT_UNBOUND },
	{ "rmmod tpm", "\\u0072mmod tpm", true, REASON_TEXT_UNBOUND },
	{ "rmmod tpm", "\\rmmod tpm", true, REASON_TEXT_UNBOUND },
	{ "x\ty", "x\\x09y", true, REASON_TEXT_UNBOUND },
	{ "x\x01" "by", "x\\x1by", true, REASON_TEXT_UNBOUND },
	{ "rmmod tpm", "rmmod tpm", true, REASON_LOADER_COMMAND },
	{ "linux /vmlinuz\ninit=/x", "linux /vmlinuz\\ninit=/x", false, REASON_CMDLINE_FORBIDDEN },
};

START_TEST(row_29_disguised_texts)
{
	own(eventlog) struct eventlog log = { 0 };
	enum reason reason = REASON_OK;

	start();
	if (disguised[_i].rules) {
		policy.pcr[8].mode = PCR_MODE_RULES;
		strcpy(policy.cmdline.allow.text[policy.cmdline.allow.count++], "ro");
	}
	put(8, "", disguised[_i].text, true);
	made_parse(&made, &log);
	log.event[log.count - 1].text = disguised[_i].told;
	(void)judge_log(&log, &reason);
	made_free(&made);
	ck_assert_msg(reason == disguised[_i].reason, "%s: %s", disguised[_i].told, reason_code(reason));
}
END_TEST

/* --- the TPM --- */

static const struct { const char *ek; unsigned major, minor; const char *vendor, *least; bool fail_tpm, simulator; enum reason reason; } tpms[] = {
	{ "IFX SLB9670 id:00070055", 7, 85, "", "", false, false, REASON_OK },
	{ "IFX SLB9670 id:0007003d", 7, 61, "", "", false, false, REASON_TPM_VULNERABLE },
	{ "STM ST33HTPHAHD4 id:00490008", 73, 8, "", "", false, false, REASON_TPM_VULNERABLE },
	{ "STM ST33HTPHAHD4 id:00490008", 73, 8, "", "", true, false, REASON_OK },
	{ "AMD AMD id:00030058", 3, 58, "", "", false, false, REASON_OK },
	{ "IFX SLB9670 id:00070055", 7, 85, "IFX", "7.85", false, false, REASON_OK },
	{ "IFX SLB9670 id:00070055", 7, 85, "IFX", "7.86", false, false, REASON_TPM_FIRMWARE_OLD },
	{ "IFX SLB9670 id:00070055", 7, 85, "IFXX", "0", false, false, REASON_TPM_VENDOR },
	{ "", 7, 85, "IFX", "0", false, false, REASON_TPM_VENDOR },
	{ "INFINEON-TECHNOLOGIES x y", 7, 85, "IFX", "0", false, false, REASON_TPM_VENDOR },
	{ "id:00001014 swtpm id:20191023", 0x2019, 0x1023, "", "", false, false, REASON_TPM_SIMULATOR },
	{ "id:00001014 swtpm id:20191023", 0x2019, 0x1023, "", "", false, true, REASON_OK },
};

START_TEST(tpm_rules)
{
	enum reason reason;

	start();
	snprintf(host.ek_subject, sizeof(host.ek_subject), "%s", tpms[_i].ek);
	quote.firmware = (uint64_t)tpms[_i].major << 48 | (uint64_t)tpms[_i].minor << 32;
	policy.tpm.allow_simulator = tpms[_i].simulator;
	if (tpms[_i].fail_tpm)
		policy.tpm.allow_flaws |= 1u << FLAW_TPM_FAIL;
	if (*tpms[_i].vendor) {
		unsigned a = 0, b = 0;

		policy.tpm.count = 1;
		strcpy(policy.tpm.vendor[0].vendor, tpms[_i].vendor);
		(void)sscanf(tpms[_i].least, "%u.%u", &a, &b);
		policy.tpm.vendor[0].min_firmware = (uint64_t)a << 48 | (uint64_t)b << 32;
	}
	reason = judge();
	ck_assert_msg(reason == tpms[_i].reason, "%s: %s", tpms[_i].ek, reason_code(reason));
}
END_TEST

START_TEST(row_18_glitched_tpms_can_be_denied)
{
	start();
	policy.tpm.allow_flaws = 0;
	strcpy(host.ek_subject, "AMD AMD id:00030058");
	ck_assert_int_eq(judge(), REASON_TPM_VULNERABLE);
}
END_TEST

/* --- drivers, values, lockdown --- */

START_TEST(drivers_and_option_roms)
{
	static const uint8_t rom[] = "option ROM";
	uint8_t digest[SHA256_SIZE];

	ck_assert(digest_sha256(rom, sizeof(rom), digest));
	for (unsigned rule = 0; rule < 4; rule++) {
		start();
		made_measure(&made, 2, 0x80000004, rom, sizeof(rom), "", 0);
		if (rule == 1)
			policy.option_roms.rule = LOAD_NONE;
		if (rule == 2)
			policy.drivers.rule = LOAD_NONE;        /* whether it is one, only the log says */
		if (rule == 3) {
			policy.drivers.rule = LOAD_NONE;
			policy.option_roms.rule = LOAD_LISTED;
			policy.option_roms.allow.count = 1;
			memcpy(policy.option_roms.allow.digest[0], digest, sizeof(digest));
		}
		ck_assert_int_eq(judge(), rule == 1 || rule == 2 ? REASON_OPTION_ROM_UNKNOWN : REASON_OK);
	}
}
END_TEST

/* NEGATIVE row 28: a value is the value, another bank's or PCR's is none. */
START_TEST(row_28_values)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };
	struct replay r;

	for (unsigned i = 0; i < 5; i++) {
		struct pcr_rule *rule = &policy.pcr[0];

		start();
		eventlog_free(&log);
		made_parse(&made, &log);
		ck_assert(eventlog_replay(&log, &r, &e));
		*rule = (struct pcr_rule){ .mode = PCR_MODE_VALUE, .npins = 1, .pin = { { .bank = BANK_SHA256 } } };
		memcpy(rule->pin[0].digest, r.value[BANK_SHA256][0], SHA256_SIZE);
		if (i == 1)
			rule->pin[0].digest[0] ^= 1;
		if (i == 2)
			rule->pin[0].bank = BANK_SM3;
		if (i == 3)
			rule->npins = 0;
		if (i == 4) {
			policy.pcr[2] = *rule;
			rule->mode = PCR_MODE_EVENTS;
		}
		ck_assert_int_eq(judge(), i ? REASON_PCR_VALUE : REASON_OK);
	}
}
END_TEST

static const struct { const char *one, *two; enum reason reason; } lockdowns[] = {
	{ "/vmlinuz ro lockdown=integrity", NULL, REASON_OK },
	{ "linux /vmlinuz ro lockdown=confidentiality", "/vmlinuz ro lockdown=confidentiality", REASON_OK },
	{ "/vmlinuz ro", NULL, REASON_LOCKDOWN_MISSING },
	{ "set x lockdown=integrity", NULL, REASON_LOCKDOWN_MISSING },
	{ "/vmlinuz ro lockdown=integrity", "linux /vmlinuz ro", REASON_LOCKDOWN_MISSING },
	{ "/vmlinuz ro lockdown=none", NULL, REASON_LOCKDOWN_MISSING },
	{ "/vmlinuz \"x y\" lockdown=integrity", NULL, REASON_OK },
	/* What is within quotes is a value, and what stands behind "--" is for init. */
	{ "/vmlinuz console=\"tty0 lockdown=integrity quiet\"", NULL, REASON_LOCKDOWN_MISSING },
	{ "/vmlinuz ro \"x lockdown=integrity\"", NULL, REASON_LOCKDOWN_MISSING },
	{ "/vmlinuz ro -- lockdown=integrity", NULL, REASON_LOCKDOWN_MISSING },
	{ "/vmlinuz\tlockdown=integrity", NULL, REASON_OK },
};

START_TEST(row_48_lockdown)
{
	start();
	policy.require_lockdown = true;
	put(8, "kernel_cmdline: ", lockdowns[_i].one, true);
	if (lockdowns[_i].two)
		put(8, "grub_cmd: ", lockdowns[_i].two, true);
	ck_assert_int_eq(judge(), lockdowns[_i].reason);
}
END_TEST

/* Whoever runs later can extend a good command line, and the log need not give the words of the real one. */
START_TEST(row_48_lockdown_of_ignored_pcrs)
{
	start();
	policy.require_lockdown = true;
	policy.pcr[8].mode = PCR_MODE_IGNORE;
	put(8, "kernel_cmdline: ", "/vmlinuz ro", false);
	put(8, "kernel_cmdline: ", "/vmlinuz ro lockdown=integrity", true);
	ck_assert_int_eq(judge(), REASON_LOCKDOWN_MISSING);
}
END_TEST

/* A log says what it likes of a PCR that was not quoted; of drivers it may say nothing. */
START_TEST(drivers_need_their_pcr)
{
	own(eventlog) struct eventlog log = { 0 };
	enum reason reason = REASON_OK;
	struct rules_case c = { .policy = &policy, .quote = &quote, .host = &host, .bank = BANK_SHA256, .pcrs = ALL & ~(1u << 2) };

	start();
	policy.drivers.rule = LOAD_NONE;
	made_parse(&made, &log);
	c.log = &log;
	verdict_start(&verdict);
	ck_assert(!rules_judge(&c, &verdict, &reason));
	ck_assert_int_eq(reason, REASON_DRIVER_UNKNOWN);
	made_free(&made);
}
END_TEST

/* --- recorded boots --- */

enum { MICROSOFT, DEBIAN, KEYS };
static const char *const keys[KEYS] = {
	"48e99b991f57fc52f76149599bff0a58c47154229b9f8d603ac40d3500248507",     /* Microsoft Corporation UEFI CA 2011 */
	"079646974bce09b1f04da67bd722d1fb0947ae4c4010bccdbba52d5b23cbf1a2",     /* Debian Secure Boot CA */
};

static const struct { const char *boot; bool required; unsigned keys, dbx; uint32_t sbat; bool lockdown; enum reason reason; } boots[] = {
	{ "sb-shimgrub-a", false, 0, 0, 0, false, REASON_OK },
	{ "sb-shimgrub-a", true, 0, 0, 0, true, REASON_OK },
	{ "sb-shimgrub-a", true, 1u << MICROSOFT | 1u << DEBIAN, 0, 0, false, REASON_OK },
	{ "sb-shimgrub-a", true, 1u << MICROSOFT, 0, 0, false, REASON_SECUREBOOT_KEY },
	{ "sb-shimgrub-a", true, 0, 1, 0, false, REASON_OK },
	{ "sb-shimgrub-a", true, 0, 2, 0, false, REASON_DBX_TOO_OLD },
	{ "sb-shimgrub-a", true, 0, 0, 2025021800, false, REASON_OK },
	{ "sb-shimgrub-a", true, 0, 0, 2025021801, false, REASON_SBAT_TOO_OLD },
	{ "shimgrub-nosb-linuxefi", true, 0, 0, 0, false, REASON_SECUREBOOT_OFF },
	{ "shimgrub-nosb-linuxefi", false, 0, 0, 0, true, REASON_LOCKDOWN_MISSING },
	{ "sdboot-uki", true, 1, 1, 1, false, REASON_SECUREBOOT_OFF },
};

START_TEST(recorded_boots)
{
	own(eventlog) struct eventlog log = { 0 };
	enum reason reason = REASON_OK;

	policy_default(&policy);
	policy.secure_boot.required = boots[_i].required;
	for (unsigned k = 0; k < KEYS; k++)
		if (boots[_i].keys & 1u << k)
			unhex(keys[k], policy.secure_boot.keys.digest[policy.secure_boot.keys.count++], SHA256_SIZE);
	policy.secure_boot.min_dbx = boots[_i].dbx;
	policy.secure_boot.sbat = boots[_i].sbat;
	policy.require_lockdown = boots[_i].lockdown;
	vm_log(boots[_i].boot, &log);
	host = (struct host_facts){ .ek_subject = "STM x id:1" };
	(void)judge_log(&log, &reason);
	ck_assert_msg(reason == boots[_i].reason, "%s: %s, %s", boots[_i].boot, reason_code(reason),
	    verdict.findings.count ? verdict.findings.list[0].text : "");
	if (!strcmp(boots[_i].boot, "sdboot-uki"))      /* all of them are judged, and said */
		ck_assert_uint_ge(verdict.findings.count, 4);
}
END_TEST

/* NEGATIVE row 18: no rule has an empty list that lets all pass, and a host of which nothing is known passes none. */
START_TEST(row_18_nothing_known)
{
	start();
	policy.secure_boot.required = true;
	policy.secure_boot.keys.count = policy.secure_boot.min_dbx = policy.secure_boot.sbat = 1;
	policy.require_lockdown = true;
	policy.tpm.count = 1;
	strcpy(policy.tpm.vendor[0].vendor, "STM");
	host.ek_subject[0] = '\0';
	ck_assert_int_eq(judge(), REASON_SECUREBOOT_OFF);
	ck_assert_uint_eq(verdict.findings.count, 6);
}
END_TEST

static void
add(TCase *c)
{
	tcase_add_loop_test(c, pattern_table, 0, COUNT(patterns));
	tcase_add_loop_test(c, words_of_a_text, 0, COUNT(texts));
	tcase_add_test(c, a_long_word_is_cut);
	tcase_add_loop_test(c, row_29_forbidden_words, 0, COUNT(forbidden));
	tcase_add_test(c, unbound_words_are_hearsay);
	tcase_add_test(c, row_29_two_linux_commands);
	tcase_add_loop_test(c, row_29_pcrs_that_go_by_rules, 0, COUNT(allowed));
	tcase_add_loop_test(c, row_29_disguised_texts, 0, COUNT(disguised));
	tcase_add_loop_test(c, tpm_rules, 0, COUNT(tpms));
	tcase_add_test(c, row_18_glitched_tpms_can_be_denied);
	tcase_add_test(c, drivers_and_option_roms);
	tcase_add_test(c, row_28_values);
	tcase_add_test(c, row_48_lockdown_of_ignored_pcrs);
	tcase_add_test(c, drivers_need_their_pcr);
	tcase_add_loop_test(c, row_48_lockdown, 0, COUNT(lockdowns));
	tcase_add_loop_test(c, recorded_boots, 0, COUNT(boots));
	tcase_add_test(c, row_18_nothing_known);
}

int
main(void)
{
	return unit_run("rules", add);
}
