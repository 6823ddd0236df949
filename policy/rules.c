#include <stdio.h>
#include <string.h>
#include "bound_text.h"
#include "cmdline_rules.h"
#include "facts.h"
#include "reference.h"
#include "rules.h"
#include "scope.h"
#include "tails.h"
#include "tpms.h"
#include "verdict.h"

enum { PCR_SECURE_BOOT = 7, PCR_COMMANDS = 8, PCR_SECTIONS = 11, PCR_OPTIONS = 12, SBAT_DIGITS = 10 };
#define PCR_TEXTS (1u << PCR_COMMANDS | 1u << PCR_SECTIONS | 1u << PCR_OPTIONS)

struct judging {
	const struct rules_case *c;
	struct verdict    *v;
	struct boot_facts *facts;               /* NULL unless a rule asks for them */
	bool               broken;
	enum reason        reason;              /* then: the first */
};

static struct finding *
breach(struct judging *j, enum reason reason, enum trust_claim claim, unsigned pcr, uint32_t event)
{
	struct finding *f = finding_add(&j->v->findings, reason, SEVERITY_ALARMING, claim);

	f->pcr = (uint8_t)pcr;
	f->event = event;
	finding_say(f->text, "%s", reason_text(reason));
	if (!j->broken)
		j->reason = reason;
	j->broken = true;
	return f;
}

/* --- PCR values --- */

static bool
has_value(const struct replay *r, enum bank bank, unsigned pcr, const struct pin *pin)
{
	struct pcr_values want = { .there = { 0 } };
	struct replay_states states;
	struct error e;

	if (pin->bank != bank)
		return false;
	want.there[bank] = 1u << pcr;
	memcpy(want.value[bank][pcr], pin->digest, bank_size(bank));
	return replay_states_compare(r, &want, &states, &e) && !states.differs[bank];
}

static void
rule_values(struct judging *j)
{
	const struct rules_case *c = j->c;
	struct replay r;
	struct error e;
	bool replayed = true;

	if (!policy_pcrs(c->policy, PCR_MODE_VALUE))
		return;
	if (c->log)
		replayed = eventlog_replay(c->log, &r, &e);
	else
		memcpy(r.value, c->values->value, sizeof(r.value));
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
		const struct pcr_rule *rule = &c->policy->pcr[pcr];
		bool held = false;

		for (unsigned i = 0; replayed && i < rule->npins; i++)
			held = held || has_value(&r, c->bank, pcr, &rule->pin[i]);
		if (rule->mode == PCR_MODE_VALUE && !held)
			finding_say(breach(j, REASON_PCR_VALUE, CLAIM_EXECUTABLES, pcr, 0)->text,
			    "PCR %u has none of the %u values that the policy has for it", pcr, rule->npins);
	}
}

/* --- Secure Boot --- */

static void
rule_secure_boot(struct judging *j)
{
	const struct secure_boot *s = j->facts ? &j->facts->secure_boot : NULL;
	struct finding *f;

	if (!j->c->policy->secure_boot.required || (s && s->state == SECURE_BOOT_ON && s->binding == FACT_BOUND))
		return;
	f = breach(j, REASON_SECUREBOOT_OFF, CLAIM_CONFIGURATION, PCR_SECURE_BOOT, s ? s->variable.at.event : 0);
	finding_say(f->expected, "on");
	finding_say(f->seen, "%s", s ? secure_boot_word(s->state) : "unknown");
	if (s && *s->why)
		finding_say(f->text, "Secure Boot has to be on, but %s", s->why);
}

static bool
listed(const struct digests *all, const uint8_t digest[static SHA256_SIZE])
{
	for (unsigned i = 0; i < all->count; i++)
		if (!memcmp(all->digest[i], digest, SHA256_SIZE))
			return true;
	return false;
}

/* A hash in db lets something run without any certificate: no list of certificates allows that. */
static void
rule_keys(struct judging *j)
{
	const struct digests *keys = &j->c->policy->secure_boot.keys;
	const struct secure_boot *s = j->facts ? &j->facts->secure_boot : NULL;

	if (!keys->count)
		return;
	for (unsigned i = 0; s && i < s->nauthorities; i++) {
		const struct authority *a = &s->authority[i];
		struct finding *f;

		if (a->at.binding == FACT_BOUND && a->is_cert && listed(keys, a->cert.sha256))
			continue;
		f = breach(j, REASON_SECUREBOOT_KEY, CLAIM_CONFIGURATION, PCR_SECURE_BOOT, a->at.event);
		finding_say(f->seen, "%s", a->is_cert ? a->cert.name : "no certificate");
		finding_say(f->text, "%s of %s let something run, which the policy does not allow",
		    a->is_cert && *a->cert.name ? a->cert.name : "an entry", *a->variable ? a->variable : "no variable");
	}
	if (!s || s->more_authorities || !s->nauthorities)
		finding_say(breach(j, REASON_SECUREBOOT_KEY, CLAIM_CONFIGURATION, PCR_SECURE_BOOT, 0)->text,
		    "the log does not tell all keys that let something run");
}

static void
rule_dbx(struct judging *j)
{
	const struct key_store *dbx = j->facts ? &j->facts->secure_boot.store[STORE_DBX] : NULL;
	uint32_t least = j->c->policy->secure_boot.min_dbx;
	bool known = dbx && dbx->at.binding == FACT_BOUND && dbx->whole;
	struct finding *f;

	if (!least || (known && dbx->count >= least))
		return;
	f = breach(j, REASON_DBX_TOO_OLD, CLAIM_CONFIGURATION, PCR_SECURE_BOOT, dbx ? dbx->at.event : 0);
	finding_say(f->expected, "%u entries", least);
	if (known)
		finding_say(f->seen, "%u entries", dbx->count);
	finding_say(f->text, known ? "dbx has %u entries, the policy wants %u" : "dbx cannot be read, the policy wants its entries",
	    known ? dbx->count : 0, least);
}

/* The date of "sbat,1,2024010900\n…"; 0 if there is none. */
static uint32_t
sbat_date(const struct fact_text *sbat)
{
	static const char begin[] = "sbat,1,";
	const char *p = sbat->text + strlen(begin);
	uint64_t date = 0;
	size_t digits;

	if (sbat->at.binding != FACT_BOUND || strncmp(sbat->text, begin, strlen(begin)))
		return 0;
	digits = strspn(p, "0123456789");
	if (digits != SBAT_DIGITS || (p[digits] && p[digits] != '\\'))
		return 0;
	for (size_t i = 0; i < digits; i++)
		date = 10 * date + (uint64_t)(p[i] - '0');
	return date <= UINT32_MAX ? (uint32_t)date : 0;
}

static void
rule_sbat(struct judging *j)
{
	uint32_t least = j->c->policy->secure_boot.sbat, date = j->facts ? sbat_date(&j->facts->secure_boot.sbat) : 0;
	struct finding *f;

	if (!least || date >= least)
		return;
	f = breach(j, REASON_SBAT_TOO_OLD, CLAIM_CONFIGURATION, PCR_SECURE_BOOT,
	    j->facts ? j->facts->secure_boot.sbat.at.event : 0);
	finding_say(f->expected, "%u", least);
	if (date) {
		finding_say(f->seen, "%u", date);
		finding_say(f->text, "shim revokes boot loaders as of %u, the policy wants %u", date, least);
	} else {
		finding_say(f->text, "shim measured no SbatLevel, the policy wants %u", least);
	}
}

/* --- texts of GRUB, the stub and systemd-boot --- */

static bool
first_word_is(const char *text, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(text, word, n) && (!text[n] || text[n] == ' ' || text[n] == '\\');
}

/* Commands of GRUB and of the distributions' grub.cfg that load no code and measure no kernel. */
static const char *const harmless[] = {
	"[", "test", "if", "then", "else", "elif", "fi", "for", "do", "done", "while", "until", "function", "true", "false",
	"return", "break", "continue", "shift", "menuentry", "submenu", "setparams", "set", "unset", "export", "source", ".",
	"configfile", "normal", "echo", "sleep", "clear", "insmod", "load_env", "save_env", "search", "search.file",
	"search.fs_uuid", "search.label", "search.fs_label", "probe", "regexp", "serial", "terminal_input", "terminal_output",
	"loadfont", "gfxmode", "load_video", "gfxpayload", "background_color", "background_image", "color_normal", "play",
	"keymap", "initrd", "initrdefi", "initrd16", "boot", "recordfail", "savedefault", "initrdfail", "insmod_gfx", "smbios",
	"fwsetup", "halt", "reboot", "hiddenentry", "bli", "blscfg", "load_default_video", "get_boot_params",
};

/*
 * No kernel can get such a text as its command line, for GRUB puts the kernel's path in front of that;
 * and what an entry of the menu defines is measured again when it runs.
 */
static bool
is_command(unsigned pcr, const char *text)
{
	for (unsigned i = 0; pcr == PCR_COMMANDS && i < COUNT(harmless); i++)
		if (first_word_is(text, harmless[i]))
			return true;
	return false;
}

/*
 * What follows the file in front of a kernel's words, where GRUB puts it. GRUB quotes a space in its name, but no other
 * white space, at which the kernel parts words: what stands behind such a one is a word of the kernel's.
 */
static const char *
after_file(const char *text)
{
	char file[CMDLINE_WORD_TEXT];

	(void)cmdline_word(&text, file);
	return text;
}

/* What a text of PCR 8 passes on to a kernel or module; NULL: it is neither a command that loads one, nor what one gets. */
static const char *
passed_on(const char *text)
{
	const char *file;
	size_t len;

	if (grub_command_args(text, &file, &len))
		return after_file(file);
	return text[0] == '/' || text[0] == '(' ? after_file(text) : NULL;
}

/* Words of the text that may reach a kernel; of one that is of no known kind, all of them. */
static const char *
words_of(unsigned pcr, const char *text)
{
	const char *file;
	size_t len;

	return pcr == PCR_COMMANDS && grub_command_args(text, &file, &len) ? after_file(file) : text;
}

/* The command that ends measuring: rmmod tpm. */
#define END_COMMAND "rmmod"
static bool
ends_measuring(unsigned pcr, const char *text)
{
	return pcr == PCR_COMMANDS && first_word_is(text, END_COMMAND);
}

static const char *
forbidden_word(const struct policy *p, const char *text, char word[static CMDLINE_WORD_TEXT])
{
	const char *pattern;

	while (cmdline_word(&text, word))
		if ((pattern = patterns_forbid(&p->cmdline.forbid, word)))
			return pattern;
	return NULL;
}

/* Is anything wrong in it at all? The label may stand in front; what is found is looked at again without it. */
static bool
suspicious(const struct policy *p, const struct forbid_filter *f, const struct event *ev)
{
	char word[CMDLINE_WORD_TEXT];

	return forbid_filter_passes(f, ev->text) && (strstr(ev->text, END_COMMAND) || forbidden_word(p, ev->text, word));
}

static void
judge_forbidden(struct judging *j, const struct bound_text *t)
{
	const char *pattern, *words = words_of(t->event->pcr, t->text);
	char word[CMDLINE_WORD_TEXT];
	struct finding *f;

	if (ends_measuring(t->event->pcr, t->text))
		finding_say(breach(j, REASON_LOADER_COMMAND, CLAIM_EXECUTABLES, t->event->pcr, t->event->number)->text,
		    "the boot loader ran: %s", t->text);
	if (is_command(t->event->pcr, t->text))
		return;
	while (cmdline_word(&words, word)) {
		pattern = patterns_forbid(&j->c->policy->cmdline.forbid, word);
		if (!pattern)
			continue;
		f = breach(j, REASON_CMDLINE_FORBIDDEN, CLAIM_CONFIGURATION, t->event->pcr, t->event->number);
		finding_say(f->seen, "%s", word);
		finding_say(f->text, "the kernel command line has %s, which the policy forbids (%s)", word, pattern);
	}
}

/* Forbidden words, under every label that a text could bear, whether its PCR goes by references or by rules. */
static void
rule_forbidden(struct judging *j)
{
	const struct rules_case *c = j->c;
	own(text_walk) struct text_walk w = { .log = c->log, .bank = c->bank };
	struct forbid_filter filter;
	struct bound_text t;

	forbid_filter_make(&c->policy->cmdline.forbid, &filter);
	forbid_filter_add(&filter, END_COMMAND);
	for (unsigned i = 0; i < c->log->count; i++) {
		const struct event *ev = &c->log->event[i];

		if (!event_counts(ev, c->bank, c->pcrs & PCR_TEXTS) || !suspicious(c->policy, &filter, ev))
			continue;
		w.at = i;
		if (bound_text_next(&w, &t) && t.event == ev && t.bound && t.roles & ~(1u << ROLE_SECTION))
			judge_forbidden(j, &t);
	}
}

static void
judge_allowed(struct judging *j, const struct bound_text *t)
{
	unsigned pcr = t->event->pcr;
	const char *words = pcr == PCR_COMMANDS ? passed_on(t->text) : t->text;
	char word[CMDLINE_WORD_TEXT];
	struct finding *f;

	/* "root=hd0" alone is an assignment. */
	if (!words && !is_command(pcr, t->text) && !(strchr(t->text, '=') && !strchr(t->text, ' ')))
		finding_say(breach(j, REASON_LOADER_COMMAND, CLAIM_EXECUTABLES, pcr, t->event->number)->text,
		    "the boot loader ran a command that no rule knows: %s", t->text);
	while (words && cmdline_word(&words, word)) {
		if (patterns_allow(&j->c->policy->cmdline.allow, word))
			continue;
		f = breach(j, REASON_CMDLINE_UNKNOWN, CLAIM_CONFIGURATION, pcr, t->event->number);
		finding_say(f->seen, "%s", word);
		finding_say(f->text, "the kernel command line has %s, which the policy does not allow", word);
	}
}

/* PCRs that go by rules instead of references: each text has to be bound, and of words that are allowed. */
static void
rule_allowed(struct judging *j)
{
	const struct rules_case *c = j->c;
	own(text_walk) struct text_walk w = { .log = c->log, .bank = c->bank };
	uint32_t pcrs = policy_pcrs(c->policy, PCR_MODE_RULES) & c->pcrs;
	struct bound_text t;

	while (pcrs && bound_text_next(&w, &t)) {
		if (!(pcrs & 1u << t.event->pcr))
			continue;
		if (t.bound)
			judge_allowed(j, &t);
		else
			finding_say(breach(j, REASON_TEXT_UNBOUND, CLAIM_CONFIGURATION, t.event->pcr, t.event->number)->text,
			    "PCR %u holds something whose words the log does not give", t.event->pcr);
	}
}

/* --- drivers and option ROMs --- */

/*
 * Which of the two an image in PCR 2 is, only the log says. So one that is in neither list has to pass
 * both rules.
 */
static void
rule_drivers(struct judging *j)
{
	const struct policy *p = j->c->policy;

	if (p->drivers.rule == LOAD_ANY && p->option_roms.rule == LOAD_ANY)
		return;
	if (!(j->c->pcrs & 1u << PCR_DRIVERS))
		finding_say(breach(j, REASON_DRIVER_UNKNOWN, CLAIM_EXECUTABLES, PCR_DRIVERS, 0)->text,
		    "which drivers were loaded cannot be told: the policy does not ask for PCR %d", PCR_DRIVERS);
	for (unsigned i = 0; j->facts && i < j->facts->ndrivers; i++) {
		const struct boot_file *d = &j->facts->driver[i];
		struct finding *f;

		if (d->at.pcr != PCR_DRIVERS || (d->at.binding == FACT_BOUND && j->c->bank == BANK_SHA256 &&
		    (listed(&p->drivers.allow, d->at.digest) || listed(&p->option_roms.allow, d->at.digest))))
			continue;
		f = breach(j, *d->name ? REASON_DRIVER_UNKNOWN : REASON_OPTION_ROM_UNKNOWN, CLAIM_EXECUTABLES, PCR_DRIVERS,
		    d->at.event);
		finding_say(f->seen, "%s", *d->name ? d->name : "an option ROM");
	}
	if (!j->facts || j->facts->more_drivers)
		finding_say(breach(j, REASON_DRIVER_UNKNOWN, CLAIM_EXECUTABLES, PCR_DRIVERS, 0)->text,
		    "more was loaded than can be told");
}

/* --- the TPM --- */

static void
rule_vendor(struct judging *j)
{
	const struct policy *p = j->c->policy;
	char vendor[POLICY_VENDOR_TEXT], least[FIRMWARE_TEXT], is[FIRMWARE_TEXT];
	struct finding *f;
	unsigned i = 0;

	if (!p->tpm.count)
		return;
	tpm_vendor_of(j->c->host->ek_subject, vendor);
	while (i < p->tpm.count && strcmp(p->tpm.vendor[i].vendor, vendor))
		i++;
	if (i == p->tpm.count) {
		f = breach(j, REASON_TPM_VENDOR, CLAIM_HARDWARE, FINDING_NO_PCR, 0);
		finding_say(f->seen, "%s", *vendor ? vendor : "unknown");
	} else if (j->c->quote->firmware < p->tpm.vendor[i].min_firmware) {
		firmware_text(p->tpm.vendor[i].min_firmware, least);
		firmware_text(j->c->quote->firmware, is);
		f = breach(j, REASON_TPM_FIRMWARE_OLD, CLAIM_HARDWARE, FINDING_NO_PCR, 0);
		finding_say(f->expected, "%s", least);
		finding_say(f->seen, "%s", is);
		finding_say(f->text, "the TPM of %s has firmware %s, the policy wants %s", vendor, is, least);
	}
}

static void
rule_flaws(struct judging *j)
{
	char vendor[POLICY_VENDOR_TEXT], is[FIRMWARE_TEXT];
	const struct known_flaw *flaw;
	struct finding *f;

	tpm_vendor_of(j->c->host->ek_subject, vendor);
	flaw = tpm_flaw_of(vendor, j->c->quote->firmware);
	if (!flaw || j->c->policy->tpm.allow_flaws & 1u << flaw->flaw)
		return;
	firmware_text(j->c->quote->firmware, is);
	f = breach(j, REASON_TPM_VULNERABLE, CLAIM_HARDWARE, FINDING_NO_PCR, 0);
	finding_say(f->seen, "%s %s", vendor, is);
	finding_say(f->text, "the TPM of %s has firmware %s: %s (%s)", vendor, is, flaw->what, flaw->source);
}

static void
rule_simulator(struct judging *j)
{
	if (!j->c->policy->tpm.allow_simulator && tpm_is_simulator(j->c->host->ek_subject))
		finding_say(breach(j, REASON_TPM_SIMULATOR, CLAIM_HARDWARE, FINDING_NO_PCR, 0)->seen, "%s", j->c->host->ek_subject);
}

/* --- lockdown --- */

/* The kernel parts no words within double quotes, and leaves to init what stands behind "--". */
static bool
has_lockdown(const char *words)
{
	char word[CMDLINE_WORD_TEXT];
	const char *before = words;
	bool quoted = false;

	while (cmdline_word(&words, word) && strcmp(word, "--") != 0) {
		bool whole = !quoted;

		for (; before < words; before++)
			if (*before == '"') {
				quoted = !quoted;
				whole = false;
			}
		if (whole && (!strcmp(word, "lockdown=integrity") || !strcmp(word, "lockdown=confidentiality")))
			return true;
	}
	return false;
}

/*
 * Every bound command line of a kernel has it: of two that GRUB was given, only the log says which one counts. A PCR
 * that is ignored says nothing: whoever runs later can extend a good one there, beside one that the log hides.
 */
static bool
cmdlines_lock(const struct rules_case *c)
{
	uint32_t pcrs = c->pcrs & ~policy_pcrs(c->policy, PCR_MODE_IGNORE);
	own(text_walk) struct text_walk w = { .log = c->log, .bank = c->bank };
	struct bound_text t;
	bool any = false;

	while (bound_text_next(&w, &t)) {
		const char *words = NULL;

		if (!t.bound || !(pcrs & 1u << t.event->pcr))
			continue;
		if (t.event->pcr == PCR_OPTIONS)
			words = t.text;
		else if (t.event->pcr == PCR_COMMANDS)
			words = passed_on(t.text);
		if (words && !has_lockdown(words))
			return false;
		any = any || words;
	}
	return any;
}

/* With Secure Boot on, the kernels that distributions sign lock themselves down. */
static void
rule_lockdown(struct judging *j)
{
	const struct secure_boot *s = j->facts ? &j->facts->secure_boot : NULL;

	if (j->c->policy->require_lockdown && !(s && s->state == SECURE_BOOT_ON && s->binding == FACT_BOUND) &&
	    !cmdlines_lock(j->c))
		(void)breach(j, REASON_LOCKDOWN_MISSING, CLAIM_CONFIGURATION, FINDING_NO_PCR, 0);
}

/* --- all of them --- */

static void (*const rules[])(struct judging *) = {
	rule_values, rule_secure_boot, rule_keys, rule_dbx, rule_sbat, rule_forbidden, rule_allowed, rule_drivers, rule_vendor,
	rule_flaws, rule_simulator, rule_lockdown,
};

static bool
wants_facts(const struct policy *p)
{
	return p->secure_boot.required || p->drivers.rule != LOAD_ANY || p->option_roms.rule != LOAD_ANY || p->require_lockdown;
}

bool
rules_judge(const struct rules_case *c, struct verdict *v, enum reason *reason)
{
	own(mem) struct boot_facts *facts = wants_facts(c->policy) ? malloc(sizeof(*facts)) : NULL;
	struct judging j = { .c = c, .v = v, .facts = facts };

	if (facts)
		boot_facts_read(c->log, c->bank, c->pcrs, facts);
	for (unsigned i = 0; i < COUNT(rules); i++)
		rules[i](&j);
	if (j.broken)
		*reason = j.reason;
	return !j.broken;
}

bool
rules_judge_unlogged(const struct rules_case *c, struct verdict *v, enum reason *reason)
{
	struct judging j = { .c = c, .v = v };

	rule_values(&j);
	rule_vendor(&j);
	rule_flaws(&j);
	rule_simulator(&j);
	if (j.broken)
		*reason = j.reason;
	return !j.broken;
}

bool
rules_reason(enum reason r)
{
	switch ((int)r) {
	case REASON_PCR_VALUE: case REASON_SECUREBOOT_OFF: case REASON_SECUREBOOT_KEY: case REASON_DBX_TOO_OLD:
	case REASON_SBAT_TOO_OLD: case REASON_CMDLINE_FORBIDDEN: case REASON_CMDLINE_UNKNOWN: case REASON_LOADER_COMMAND:
	case REASON_TEXT_UNBOUND: case REASON_DRIVER_UNKNOWN: case REASON_OPTION_ROM_UNKNOWN: case REASON_TPM_VENDOR:
	case REASON_TPM_FIRMWARE_OLD: case REASON_TPM_VULNERABLE: case REASON_TPM_SIMULATOR: case REASON_LOCKDOWN_MISSING:
		return true;
	default:
		return false;
	}
}
