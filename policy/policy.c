#include <stdio.h>
#include <string.h>
#include "packed_text.h"
#include "policy.h"
#include "scope.h"

/*
 * The packed form, whose SHA-256 names the content: version u8, then the members in the order of
 * struct policy; lists behind a u16 count, texts behind a u16 length, integers big-endian.
 */
/* A store keeps what was packed then: an older version is still read. */
enum { PACKED_VERSION = 2, PACKED_NO_JUDGED = 1, QUOTE_PCR_LINES = 1u << 8 | 1u << 12 };

#define WORDS(TABLE, PREFIX, type, function, n)                               \
	const char *                                                          \
	function(enum type v)                                                 \
	{                                                                     \
		static const char *const words[] = { TABLE(WORD) };           \
                                                                              \
		return (unsigned)v < (n) ? words[v] : "unknown";              \
	}
#define WORD(name, word) word,
WORDS(PCR_MODES, PCR_MODE_, pcr_mode, pcr_mode_word, PCR_MODE_COUNT)
WORDS(LOAD_RULES, LOAD_, load_rule, load_rule_word, LOAD_RULE_COUNT)
WORDS(TPM_FLAWS, FLAW_, tpm_flaw, tpm_flaw_word, TPM_FLAW_COUNT)
WORDS(NO_LOG_CLASSES, NO_LOG_, no_log, no_log_word, NO_LOG_COUNT)

/* --- the one from the start --- */

/* What firmware, loader and kernel measure. 1, 3, 5 and 6 change without meaning. */
static const uint8_t default_pcrs[] = { 0, 2, 4, 7, 8, 9, 11, 12, 14 };

/* Words that hand the machine to whoever stands before it, or this project's own kill switch. */
static const char *const default_forbid[] = {
	"init=*", "rdinit=*", "rd.break", "rd.break=*", "rdbreak", "rdbreak=*", "rd.shell", "rd.debug_shell",
	"rd.systemd.debug_shell", "systemd.debug_shell", "systemd.run=*", "rd.systemd.run=*", "break", "break=*", "attest=*",
};

void
policy_default(struct policy *p)
{
	memset(p, 0, sizeof(*p));
	strcpy(p->name, "default");
	for (unsigned i = 0; i < COUNT(default_pcrs); i++)
		p->pcr[default_pcrs[i]].mode = PCR_MODE_EVENTS;
	for (; p->cmdline.forbid.count < COUNT(default_forbid); p->cmdline.forbid.count++)
		snprintf(p->cmdline.forbid.text[p->cmdline.forbid.count], POLICY_PATTERN_TEXT, "%s",
		    default_forbid[p->cmdline.forbid.count]);
	/* A glitched AMD TPM takes hours with the machine on a bench, and no update ends it. */
	p->tpm.allow_flaws = 1u << FLAW_FAULTPM;
	/* It takes an approver's word on each host, and pins: a strict group says refuse. */
	p->no_log = NO_LOG_PINS;
	p->ceiling = MODE_ENFORCE;
	p->quorum = 1;
}

/* --- what may not be --- */

static bool
patterns_check(const struct patterns *all, const char *name, struct error *e)
{
	for (unsigned i = 0; i < all->count; i++) {
		const char *p = all->text[i];

		if (!*p || strspn(p, "*") == strlen(p))
			return err_set(e, ERR_CONFIG, "cmdline.%s[%u]: '%s' stands for every word", name, i, p);
		if (strpbrk(p, " \t\"'\\"))
			return err_set(e, ERR_CONFIG, "cmdline.%s[%u]: one word without quotes is wanted", name, i);
	}
	return true;
}

static bool
loads_check(const struct loads *l, const char *name, struct error *e)
{
	if ((l->rule == LOAD_LISTED) != (l->allow.count != 0))
		return err_set(e, ERR_CONFIG, "%s: %s", name,
		    l->allow.count ? "digests are for the rule 'listed' alone" : "'listed' without digests allows none: say 'none'");
	return true;
}

static bool
pcrs_check(const struct policy *p, struct error *e)
{
	if (policy_pcrs(p, PCR_MODE_RULES) & ~(uint32_t)QUOTE_PCR_LINES)
		return err_set(e, ERR_CONFIG, "pcrs: 'rules' is for PCR 8 and 12, which hold texts");
	if (policy_pcrs(p, PCR_MODE_RULES) && !p->cmdline.allow.count)
		return err_set(e, ERR_CONFIG, "pcrs: 'rules' without cmdline.allow would allow no word");
	for (unsigned i = 0; i < PCR_COUNT; i++)
		if ((p->pcr[i].mode == PCR_MODE_VALUE) != (p->pcr[i].npins != 0))
			return err_set(e, ERR_CONFIG, "pcrs.%u: %s", i, p->pcr[i].npins ?
			    "values are for the mode 'value' alone" : "'value' without values");
	for (unsigned i = 0; i < PCR_COUNT; i++)
		for (unsigned k = 1; k < p->pcr[i].npins; k++)
			if (p->pcr[i].pin[k].bank < p->pcr[i].pin[k - 1].bank)
				return err_set(e, ERR_CONFIG, "pcrs.%u: values are not in the order of banks", i);
	return policy_pcrs(p, PCR_MODE_EVENTS) || policy_pcrs(p, PCR_MODE_VALUE) ||
	    err_set(e, ERR_CONFIG, "pcrs: none is judged by events or value");
}

static bool
vendors_check(const struct policy *p, struct error *e)
{
	for (unsigned i = 0; i < p->tpm.count; i++) {
		if (!*p->tpm.vendor[i].vendor)
			return err_set(e, ERR_CONFIG, "tpm.vendors[%u]: no name", i);
		for (unsigned k = 0; k < i; k++)
			if (!strcmp(p->tpm.vendor[i].vendor, p->tpm.vendor[k].vendor))
				return err_set(e, ERR_CONFIG, "tpm.vendors[%u]: %s is there twice", i, p->tpm.vendor[i].vendor);
	}
	return true;
}

static bool
name_check(const char *name, struct error *e)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return (n && n <= POLICY_NAME_MAX && !name[n] && *name != '.' && *name != '-') ||
	    err_set(e, ERR_CONFIG, "name: '%.60s': at most %d letters, digits, '.', '-' and '_' are wanted", name,
	    POLICY_NAME_MAX);
}

static bool
times_check(const struct policy *p, struct error *e)
{
	if (p->lifetime && (p->lifetime % 1000 || p->lifetime < POLICY_LIFETIME_MIN * 1000))
		return err_set(e, ERR_CONFIG, "lifetime: seconds are wanted, at least %d", POLICY_LIFETIME_MIN);
	return p->grace_max % 1000 == 0 || err_set(e, ERR_CONFIG, "grace_max: seconds are wanted");
}

/* What nothing that is asked for can tell would refuse every host. */
static bool
drivers_check(const struct policy *p, struct error *e)
{
	return (p->drivers.rule == LOAD_ANY && p->option_roms.rule == LOAD_ANY) || policy_selected(p) & 1u << PCR_DRIVERS ||
	    err_set(e, ERR_CONFIG, "pcrs: drivers and option_roms need PCR %d", PCR_DRIVERS);
}

bool
policy_check(const struct policy *p, struct error *e)
{
	if (!name_check(p->name, e) || !pcrs_check(p, e))
		return false;
	if (!p->secure_boot.required && (p->secure_boot.keys.count || p->secure_boot.min_dbx || p->secure_boot.sbat))
		return err_set(e, ERR_CONFIG, "secure_boot: keys, min_dbx and sbat mean nothing unless it is required");
	if (!patterns_check(&p->cmdline.allow, "allow", e) || !patterns_check(&p->cmdline.forbid, "forbid", e) ||
	    !loads_check(&p->drivers, "drivers", e) || !loads_check(&p->option_roms, "option_roms", e) || !vendors_check(p, e) || !times_check(p, e) ||
	    !drivers_check(p, e))
		return false;
	return (p->quorum >= 1 && p->quorum <= POLICY_QUORUM_MAX) ||
	    err_set(e, ERR_CONFIG, "quorum: not from 1 to %d", POLICY_QUORUM_MAX);
}

/* --- PCRs --- */

uint32_t
policy_pcrs(const struct policy *p, enum pcr_mode mode)
{
	uint32_t pcrs = 0;

	for (unsigned i = 0; i < PCR_COUNT; i++)
		pcrs |= p->pcr[i].mode == mode ? 1u << i : 0;
	return pcrs;
}

uint32_t
policy_selected(const struct policy *p)
{
	return ((1u << PCR_COUNT) - 1) & ~policy_pcrs(p, PCR_MODE_NONE);
}

bool
policy_selection(const struct policy *p, uint32_t banks, struct selection *out)
{
	enum bank bank = banks & 1u << BANK_SHA256 ? BANK_SHA256 : BANK_SHA384;

	if (!(banks & 1u << bank) || !policy_selected(p))
		return false;
	*out = (struct selection){ .count = 1, .bank = { { bank_alg(bank), policy_selected(p) } } };
	return true;
}

/* --- packed form --- */

static void
put_digests(const struct digests *d, struct writer *w)
{
	wr_be16(w, (uint16_t)d->count, "digests");
	for (unsigned i = 0; i < d->count; i++)
		wr_bytes(w, d->digest[i], SHA256_SIZE, "digest");
}

static void
put_patterns(const struct patterns *p, struct writer *w)
{
	wr_be16(w, (uint16_t)p->count, "patterns");
	for (unsigned i = 0; i < p->count; i++)
		packed_text_put(p->text[i], w);
}

static void
put_pcr(const struct pcr_rule *r, struct writer *w)
{
	wr_u8(w, (uint8_t)r->mode, "mode");
	wr_be16(w, (uint16_t)r->npins, "values");
	for (unsigned i = 0; i < r->npins; i++) {
		wr_u8(w, (uint8_t)r->pin[i].bank, "bank");
		wr_bytes(w, r->pin[i].digest, bank_size(r->pin[i].bank), "value");
	}
}

static void
put_loads(const struct loads *l, struct writer *w)
{
	wr_u8(w, (uint8_t)l->rule, "rule");
	put_digests(&l->allow, w);
}

static void
put_tpm(const struct policy *p, struct writer *w)
{
	wr_be16(w, (uint16_t)p->tpm.count, "vendors");
	for (unsigned i = 0; i < p->tpm.count; i++) {
		packed_text_put(p->tpm.vendor[i].vendor, w);
		wr_be64(w, p->tpm.vendor[i].min_firmware, "firmware");
	}
	wr_u8(w, p->tpm.allow_flaws, "flaws");
	wr_u8(w, p->tpm.allow_simulator, "simulator");
}

void
policy_pack(const struct policy *p, struct writer *w)
{
	wr_u8(w, PACKED_VERSION, "version");
	packed_text_put(p->name, w);
	for (unsigned i = 0; i < PCR_COUNT; i++)
		put_pcr(&p->pcr[i], w);
	wr_u8(w, p->secure_boot.required, "required");
	put_digests(&p->secure_boot.keys, w);
	wr_be32(w, p->secure_boot.min_dbx, "dbx");
	wr_be32(w, p->secure_boot.sbat, "sbat");
	put_patterns(&p->cmdline.allow, w);
	put_patterns(&p->cmdline.forbid, w);
	put_loads(&p->drivers, w);
	put_loads(&p->option_roms, w);
	put_tpm(p, w);
	wr_u8(w, p->ima, "ima");
	wr_u8(w, p->ima_judged, "ima judged");
	wr_bytes(w, p->ima_digest, sizeof(p->ima_digest), "ima digest");
	wr_u8(w, p->require_lockdown, "lockdown");
	wr_u8(w, (uint8_t)p->no_log, "no log");
	wr_be64(w, (uint64_t)p->lifetime, "lifetime");
	wr_be64(w, (uint64_t)p->grace_max, "grace");
	wr_u8(w, (uint8_t)p->ceiling, "ceiling");
	wr_u8(w, (uint8_t)p->quorum, "quorum");
}

/* A value below limit; else the reader is bad. */
static unsigned
upto(struct reader *r, unsigned v, unsigned limit, const char *field)
{
	if (v < limit)
		return v;
	r->bad = r->bad ? r->bad : field;
	return 0;
}

static bool take_flag(struct reader *r, const char *field) { return upto(r, rd_u8(r, field), 2, field); }

static void
take_digests(struct reader *r, struct digests *d)
{
	d->count = upto(r, rd_be16(r, "digests"), POLICY_DIGESTS_MAX + 1, "digests");
	for (unsigned i = 0; i < d->count; i++)
		rd_copy(r, d->digest[i], SHA256_SIZE, "digest");
}

static bool
take_patterns(struct reader *r, struct patterns *p, struct error *e)
{
	p->count = upto(r, rd_be16(r, "patterns"), POLICY_PATTERNS_MAX + 1, "patterns");
	for (unsigned i = 0; i < p->count; i++)
		if (!packed_text_take(r, p->text[i], sizeof(p->text[i]), e))
			return false;
	return rd_ok(r, e);
}

static void
take_pcr(struct reader *r, struct pcr_rule *rule)
{
	rule->mode = (enum pcr_mode)upto(r, rd_u8(r, "mode"), PCR_MODE_COUNT, "mode");
	rule->npins = upto(r, rd_be16(r, "values"), POLICY_PINS_MAX + 1, "values");
	for (unsigned i = 0; i < rule->npins; i++) {
		rule->pin[i].bank = (enum bank)upto(r, rd_u8(r, "bank"), BANK_COUNT, "bank");
		rd_copy(r, rule->pin[i].digest, bank_size(rule->pin[i].bank), "value");
	}
}

static void
take_loads(struct reader *r, struct loads *l)
{
	l->rule = (enum load_rule)upto(r, rd_u8(r, "rule"), LOAD_RULE_COUNT, "rule");
	take_digests(r, &l->allow);
}

static bool
take_tpm(struct reader *r, struct policy *p, struct error *e)
{
	p->tpm.count = upto(r, rd_be16(r, "vendors"), POLICY_VENDORS_MAX + 1, "vendors");
	for (unsigned i = 0; i < p->tpm.count; i++) {
		if (!packed_text_take(r, p->tpm.vendor[i].vendor, sizeof(p->tpm.vendor[i].vendor), e))
			return false;
		p->tpm.vendor[i].min_firmware = rd_be64(r, "firmware");
	}
	p->tpm.allow_flaws = (uint8_t)upto(r, rd_u8(r, "flaws"), 1u << TPM_FLAW_COUNT, "flaws");
	p->tpm.allow_simulator = take_flag(r, "simulator");
	return rd_ok(r, e);
}

static int64_t
take_time(struct reader *r, int64_t seconds, const char *field)
{
	uint64_t ms = rd_be64(r, field);

	if (ms <= (uint64_t)seconds * 1000)
		return (int64_t)ms;
	r->bad = r->bad ? r->bad : field;
	return 0;
}

static bool
take_members(struct reader *r, struct policy *p, struct error *e)
{
	unsigned version = rd_u8(r, "version");

	if (version != PACKED_VERSION && version != PACKED_NO_JUDGED)
		return err_set(e, ERR_FORMAT, "not of this version");
	if (!packed_text_take(r, p->name, sizeof(p->name), e))
		return false;
	for (unsigned i = 0; i < PCR_COUNT; i++)
		take_pcr(r, &p->pcr[i]);
	p->secure_boot.required = take_flag(r, "required");
	take_digests(r, &p->secure_boot.keys);
	p->secure_boot.min_dbx = rd_be32(r, "dbx");
	p->secure_boot.sbat = rd_be32(r, "sbat");
	if (!take_patterns(r, &p->cmdline.allow, e) || !take_patterns(r, &p->cmdline.forbid, e))
		return false;
	take_loads(r, &p->drivers);
	take_loads(r, &p->option_roms);
	if (!take_tpm(r, p, e))
		return false;
	p->ima = take_flag(r, "ima");
	/* Whoever has rules for IMA was taken to judge by them, whatever their mode. */
	p->ima_judged = version == PACKED_NO_JUDGED ? p->ima : take_flag(r, "ima judged");
	rd_copy(r, p->ima_digest, sizeof(p->ima_digest), "ima digest");
	p->require_lockdown = take_flag(r, "lockdown");
	p->no_log = (enum no_log)upto(r, rd_u8(r, "no log"), NO_LOG_COUNT, "no log");
	p->lifetime = take_time(r, POLICY_LIFETIME_MAX, "lifetime");
	p->grace_max = take_time(r, POLICY_GRACE_MAX, "grace");
	p->ceiling = (enum gate_mode)upto(r, rd_u8(r, "ceiling"), MODE_COUNT, "ceiling");
	p->quorum = rd_u8(r, "quorum");
	return rd_end(r, e);
}

bool
policy_unpack(struct reader *r, struct policy *out, struct error *e)
{
	memset(out, 0, sizeof(*out));
	if (take_members(r, out, e) && policy_check(out, e))
		return true;
	memset(out, 0, sizeof(*out));
	return err_in(e, "packed policy");
}

bool
policy_seal(const struct policy *p, uint8_t *buf, size_t *len, uint8_t out[static SHA256_SIZE], struct error *e)
{
	struct writer w = wr_open(buf, POLICY_PACKED_MAX);

	policy_pack(p, &w);
	if (!wr_ok(&w, e))
		return false;
	if (!digest_sha256(buf, w.used, out))
		return err_set(e, ERR_CRYPTO, "no hash");
	*len = w.used;
	return true;
}
