#include <stdio.h>
#include <string.h>
#include "conf.h"
#include "hex.h"
#include "json.h"
#include "policy_json.h"
#include "scope.h"
#include "tpms.h"

/* MEMBERS_MAX: all that the limits of a policy allow, and more. */
enum { SCHEMA = 1, MEMBERS_MAX = 100000, PATH_TEXT = 64, WORD_TEXT = 32 };

/* One object of the file, and where it stands in it. */
struct from { const char *text; size_t len; const struct json *o; const char *path; };

/* --- reading: an error gets its line and the path to its member --- */

/* e says "key: what is wrong" of a member of this object. */
static bool
here(const struct from *f, const char *key, struct error *e)
{
	char path[PATH_TEXT + WORD_TEXT];

	snprintf(path, sizeof(path), "%s%s%s", f->path, *f->path ? "." : "", key);
	return err_in(e, "line %u%s%s", json_line_at(f->text, f->len, path), *f->path ? ": " : "", f->path);
}

static bool
wrong_item(const struct from *f, const char *key, unsigned i, const char *what, struct error *e)
{
	char item[PATH_TEXT];

	snprintf(item, sizeof(item), "%s[%u]", key, i);
	err_set(e, ERR_FORMAT, "%s: %s", item, what);
	return here(f, item, e);
}

static bool
only_known(const struct from *f, const char *const *keys, struct error *e)
{
	const struct json *value;
	const char *key;

	for (unsigned i = 0; json_member(f->o, i, &key, &value); i++) {
		unsigned k = 0;

		while (keys[k] && strcmp(keys[k], key))
			k++;
		if (keys[k])
			continue;
		err_set(e, ERR_FORMAT, "%.30s: no such member", key);
		return here(f, key, e);
	}
	return true;
}

/* An object that may be missing: *there says. */
static bool
open_object(const struct from *f, const char *key, const char *const *keys, struct from *out, bool *there, struct error *e)
{
	*there = json_has(f->o, key);
	*out = (struct from){ .text = f->text, .len = f->len, .path = key };
	return !*there || ((json_sub(f->o, key, &out->o, e) || here(f, key, e)) && (!keys || only_known(out, keys, e)));
}

static bool
take_flag(const struct from *f, const char *key, bool *out, struct error *e)
{
	return !json_has(f->o, key) || json_flag(f->o, key, out, e) || here(f, key, e);
}

static bool
take_number(const struct from *f, const char *key, int64_t lo, int64_t hi, uint32_t *out, struct error *e)
{
	int64_t v;

	if (!json_has(f->o, key))
		return true;
	if (!json_int(f->o, key, lo, hi, &v, e))
		return here(f, key, e);
	*out = (uint32_t)v;
	return true;
}

/* One of n words. */
typedef const char *word_fn(unsigned);
static const char *mode_of(unsigned v) { return pcr_mode_word((enum pcr_mode)v); }
static const char *rule_of(unsigned v) { return load_rule_word((enum load_rule)v); }
static const char *flaw_of(unsigned v) { return tpm_flaw_word((enum tpm_flaw)v); }
static const char *no_log_of(unsigned v) { return no_log_word((enum no_log)v); }
static const char *ceiling_of(unsigned v) { return mode_word((enum gate_mode)v); }

static bool
find_word(const char *text, word_fn *word, unsigned n, unsigned *out)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(word(i), text)) {
			*out = i;
			return true;
		}
	return false;
}

static bool
take_word(const struct from *f, const char *key, word_fn *word, unsigned n, unsigned *out, struct error *e)
{
	char text[WORD_TEXT];

	if (!json_has(f->o, key))
		return true;
	if (json_text(f->o, key, text, sizeof(text), e) && (find_word(text, word, n, out) ||
	    err_set(e, ERR_FORMAT, "%s: '%s' is not one of its words", key, text)))
		return true;
	return here(f, key, e);
}

static bool
take_time(const struct from *f, const char *key, unsigned lo, unsigned hi, int64_t *ms, struct error *e)
{
	char text[WORD_TEXT];
	unsigned seconds;

	if (!json_has(f->o, key))
		return true;
	if (!json_text(f->o, key, text, sizeof(text), e))
		return here(f, key, e);
	if (!conf_seconds(text, lo, hi, &seconds, e)) {
		(void)err_in(e, "%s", key);
		return here(f, key, e);
	}
	*ms = (int64_t)seconds * 1000;
	return true;
}

static bool
list_of(const struct from *f, const char *key, unsigned max, unsigned *count, struct error *e)
{
	return json_list(f->o, key, max, count, e) || here(f, key, e);
}

static bool
take_digests(const struct from *f, const char *key, struct digests *out, struct error *e)
{
	char hex[2 * SHA256_SIZE + 1];
	unsigned count;
	struct error why;

	if (!json_has(f->o, key))
		return true;
	if (!list_of(f, key, POLICY_DIGESTS_MAX, &count, e))
		return false;
	for (out->count = 0; out->count < count; out->count++)
		if (!json_item_text(json_item(f->o, key, out->count), hex, sizeof(hex), &why) ||
		    strlen(hex) != 2 * SHA256_SIZE || !hex_bytes(hex, out->digest[out->count], SHA256_SIZE))
			return wrong_item(f, key, out->count, "not a SHA-256 in hex", e);
	return true;
}

static bool
take_patterns(const struct from *f, const char *key, struct patterns *out, struct error *e)
{
	unsigned count;
	struct error why;

	if (!json_has(f->o, key))
		return true;
	if (!list_of(f, key, POLICY_PATTERNS_MAX, &count, e))
		return false;
	memset(out, 0, sizeof(*out));
	for (; out->count < count; out->count++) {
		char *p = out->text[out->count];

		if (!json_item_text(json_item(f->o, key, out->count), p, POLICY_PATTERN_TEXT, &why))
			return wrong_item(f, key, out->count, "not a text of at most 159 bytes", e);
		for (; *p; p++)
			if (*p <= 0x20 || *p > 0x7e)
				return wrong_item(f, key, out->count, "one word of printable ASCII is wanted", e);
	}
	return true;
}

/* --- rules for IMA, packed --- */

bool
policy_ima_pack(const struct policy *p, const struct ima_rules *ima, uint8_t **out, size_t *len, struct error *e)
{
	size_t size = ima_rules_packed_size(ima);
	own(mem) uint8_t *buf = NULL;
	struct writer w;

	*out = NULL;
	*len = 0;
	if (!p->ima)
		return true;
	buf = malloc(size);
	if (!buf)
		return err_set(e, ERR_MEMORY, "rules of %zu bytes", size);
	w = wr_open(buf, size);
	ima_rules_pack(ima, &w);
	if (!wr_ok(&w, e))
		return false;
	*len = w.used;
	*out = give(buf);
	return true;
}

bool
policy_ima_unpack(const struct policy *p, const void *buf, size_t len, struct ima_rules *out, struct error *e)
{
	struct reader r = rd_open(buf, len);
	uint8_t is[SHA256_SIZE];

	if (!p->ima)
		return !len || err_set(e, ERR_FORMAT, "rules for IMA of a policy that has none");
	if (!digest_sha256(buf, len, is))
		return err_set(e, ERR_CRYPTO, "no hash");
	return same_bytes(is, p->ima_digest, sizeof(is)) ? ima_rules_unpack(&r, out, e) :
	    err_set(e, ERR_FORMAT, "not the rules of this policy");
}

/* --- the members --- */

/* "7": {"sha256": ["…", …]}; kept by bank. */
static bool
take_bank(const struct from *f, enum bank bank, struct pcr_rule *rule, struct error *e)
{
	const char *word = bank_word(bank);
	char hex[2 * DIGEST_MAX + 1];
	struct error why;
	unsigned count;

	if (!json_has(f->o, word))
		return true;
	if (!list_of(f, word, POLICY_PINS_MAX - rule->npins, &count, e))
		return false;
	for (unsigned i = 0; i < count; i++) {
		struct pin *pin = &rule->pin[rule->npins++];

		pin->bank = bank;
		if (!json_item_text(json_item(f->o, word, i), hex, sizeof(hex), &why) ||
		    strlen(hex) != 2 * bank_size(bank) || !hex_bytes(hex, pin->digest, bank_size(bank)))
			return wrong_item(f, word, i, "not a value of that bank in hex", e);
	}
	return true;
}

static bool
take_pins(const struct from *f, struct pcr_rule *rule, struct error *e)
{
#define X(name, id, size, word, ossl) word,
	static const char *const words[] = { BANKS(X) NULL };
#undef X

	rule->mode = PCR_MODE_VALUE;
	if (!only_known(f, words, e))
		return false;
	for (enum bank b = 0; b < BANK_COUNT; b++)
		if (!take_bank(f, b, rule, e))
			return false;
	return true;
}

static bool
take_pcr(const struct from *f, const char *key, struct policy *p, struct error *e)
{
	struct from pins = { .text = f->text, .len = f->len };
	char path[PATH_TEXT];
	struct error why;
	unsigned pcr, mode;

	if (!conf_number(key, 0, PCR_COUNT - 1, &pcr, &why) || (*key == '0' && key[1])) {
		err_set(e, ERR_FORMAT, "%.20s: not a PCR from 0 to %d", key, PCR_COUNT - 1);
		return here(f, key, e);
	}
	if (json_sub(f->o, key, &pins.o, &why)) {
		snprintf(path, sizeof(path), "%s.%s", f->path, key);
		pins.path = path;
		return take_pins(&pins, &p->pcr[pcr], e);
	}
	if (!take_word(f, key, mode_of, PCR_MODE_COUNT, &mode, e))
		return false;
	if (mode == PCR_MODE_NONE || mode == PCR_MODE_VALUE) {
		err_set(e, ERR_FORMAT, "%s: events, rules, ignore or an object of values is wanted", key);
		return here(f, key, e);
	}
	p->pcr[pcr].mode = (enum pcr_mode)mode;
	return true;
}

static bool
take_pcrs(const struct from *f, struct policy *p, struct error *e)
{
	const struct json *value;
	const char *key;
	struct from pcrs;
	bool there;

	memset(p->pcr, 0, sizeof(p->pcr));
	if (!open_object(f, "pcrs", NULL, &pcrs, &there, e))
		return false;
	if (!there) {
		err_set(e, ERR_FORMAT, "pcrs: missing");
		return here(f, "pcrs", e);
	}
	for (unsigned i = 0; json_member(pcrs.o, i, &key, &value); i++)
		if (!take_pcr(&pcrs, key, p, e))
			return false;
	return true;
}

/* "any", "none", or a list of digests. */
static bool
take_loads(const struct from *f, const char *key, struct loads *l, struct error *e)
{
	unsigned count, rule = l->rule;
	struct error why;

	if (json_list(f->o, key, UINT32_MAX, &count, &why)) {
		l->rule = LOAD_LISTED;
		return take_digests(f, key, &l->allow, e);
	}
	if (!take_word(f, key, rule_of, LOAD_LISTED, &rule, e))
		return false;
	l->rule = (enum load_rule)rule;
	return true;
}

static bool
take_secure_boot(const struct from *f, struct policy *p, struct error *e)
{
	static const char *const keys[] = { "required", "keys", "min_dbx", "sbat", NULL };
	struct from s;
	bool there;

	return open_object(f, "secure_boot", keys, &s, &there, e) && (!there ||
	    (take_flag(&s, "required", &p->secure_boot.required, e) && take_digests(&s, "keys", &p->secure_boot.keys, e) &&
	    take_number(&s, "min_dbx", 0, UINT32_MAX, &p->secure_boot.min_dbx, e) &&
	    take_number(&s, "sbat", 0, UINT32_MAX, &p->secure_boot.sbat, e)));
}

static bool
take_cmdline(const struct from *f, struct policy *p, struct error *e)
{
	static const char *const keys[] = { "allow", "forbid", NULL };
	struct from c;
	bool there;

	return open_object(f, "cmdline", keys, &c, &there, e) && (!there ||
	    (take_patterns(&c, "allow", &p->cmdline.allow, e) && take_patterns(&c, "forbid", &p->cmdline.forbid, e)));
}

static bool
is_printable(const char *s)
{
	while (*s >= 0x20 && *s <= 0x7e)
		s++;
	return !*s;
}

/* "vendors": {"IFX": "7.85", "STM": "any"} */
static bool
take_vendors(const struct from *f, struct policy *p, struct error *e)
{
	char text[WORD_TEXT];
	const struct json *value;
	const char *key;
	struct from v;
	bool there;

	if (!open_object(f, "vendors", NULL, &v, &there, e))
		return false;
	v.path = "tpm.vendors";
	for (unsigned i = 0; there && json_member(v.o, i, &key, &value); i++) {
		struct tpm_vendor *to = &p->tpm.vendor[p->tpm.count];

		if (p->tpm.count == POLICY_VENDORS_MAX || strlen(key) >= sizeof(to->vendor) || !*key || !is_printable(key)) {
			err_set(e, ERR_LIMIT, "%.20s: at most %d vendors of at most %zu letters", key, POLICY_VENDORS_MAX,
			    sizeof(to->vendor) - 1);
			return here(&v, key, e);
		}
		if (!json_text(v.o, key, text, sizeof(text), e))
			return here(&v, key, e);
		if (strcmp(text, "any") && !firmware_read(text, &to->min_firmware)) {
			err_set(e, ERR_FORMAT, "%s: neither a firmware version like 7.85.4555.0 nor any", key);
			return here(&v, key, e);
		}
		strcpy(to->vendor, key);
		p->tpm.count++;
	}
	return true;
}

static bool
take_flaws(const struct from *f, struct policy *p, struct error *e)
{
	unsigned count, flaw;
	char text[WORD_TEXT];
	struct error why;

	if (!json_has(f->o, "allow_vulnerable"))
		return true;
	if (!list_of(f, "allow_vulnerable", TPM_FLAW_COUNT, &count, e))
		return false;
	p->tpm.allow_flaws = 0;
	for (unsigned i = 0; i < count; i++) {
		if (!json_item_text(json_item(f->o, "allow_vulnerable", i), text, sizeof(text), &why) ||
		    !find_word(text, flaw_of, TPM_FLAW_COUNT, &flaw))
			return wrong_item(f, "allow_vulnerable", i, "not a class of vulnerable TPMs", e);
		p->tpm.allow_flaws |= (uint8_t)(1u << flaw);
	}
	return true;
}

static bool
take_tpm(const struct from *f, struct policy *p, struct error *e)
{
	static const char *const keys[] = { "vendors", "allow_vulnerable", "allow_simulator", NULL };
	struct from t;
	bool there;

	return open_object(f, "tpm", keys, &t, &there, e) && (!there || (take_vendors(&t, p, e) && take_flaws(&t, p, e) &&
	    take_flag(&t, "allow_simulator", &p->tpm.allow_simulator, e)));
}

static bool
take_ima(const struct from *f, struct policy *p, struct ima_rules *ima, struct error *e)
{
	own(mem) uint8_t *packed = NULL;
	const struct json *o;
	char path[PATH_TEXT];
	size_t len;

	if (!json_has(f->o, "ima"))
		return true;
	if (!json_sub(f->o, "ima", &o, e))
		return here(f, "ima", e);
	if (!ima_rules_read(o, ima, e)) {
		snprintf(path, sizeof(path), "ima.%.*s", (int)strcspn(e->why, ":"), e->why);
		return err_in(e, "line %u: ima", json_line_at(f->text, f->len, path));
	}
	p->ima = true;
	p->ima_judged = ima->mode != IMA_MODE_OFF;
	return policy_ima_pack(p, ima, &packed, &len, e) &&
	    (digest_sha256(packed, len, p->ima_digest) || err_set(e, ERR_CRYPTO, "no hash"));
}

static bool
take_rest(const struct from *f, struct policy *p, struct error *e)
{
	unsigned no_log = p->no_log, ceiling = p->ceiling;

	if (!take_loads(f, "drivers", &p->drivers, e) || !take_loads(f, "option_roms", &p->option_roms, e) ||
	    !take_flag(f, "require_lockdown", &p->require_lockdown, e) ||
	    !take_word(f, "no_log", no_log_of, NO_LOG_COUNT, &no_log, e) ||
	    !take_time(f, "lifetime", POLICY_LIFETIME_MIN, POLICY_LIFETIME_MAX, &p->lifetime, e) ||
	    !take_time(f, "grace_max", 1, POLICY_GRACE_MAX, &p->grace_max, e) ||
	    !take_word(f, "ceiling", ceiling_of, MODE_COUNT, &ceiling, e) ||
	    !take_number(f, "quorum", 1, POLICY_QUORUM_MAX, &p->quorum, e))
		return false;
	p->no_log = (enum no_log)no_log;
	p->ceiling = (enum gate_mode)ceiling;
	return true;
}

static bool
take_all(const struct from *f, struct policy *p, struct ima_rules *ima, struct error *e)
{
	static const char *const keys[] = { "schema", "name", "pcrs", "secure_boot", "cmdline", "drivers", "option_roms",
		"ima", "tpm", "require_lockdown", "no_log", "lifetime", "grace_max", "ceiling", "quorum", NULL };
	int64_t schema;

	return only_known(f, keys, e) && (json_int(f->o, "schema", SCHEMA, SCHEMA, &schema, e) || here(f, "schema", e)) &&
	    (json_text(f->o, "name", p->name, sizeof(p->name), e) || here(f, "name", e)) && take_pcrs(f, p, e) &&
	    take_secure_boot(f, p, e) && take_cmdline(f, p, e) && take_tpm(f, p, e) && take_ima(f, p, ima, e) &&
	    take_rest(f, p, e);
}

/* policy_check() names the member; where it stands is found here. */
static bool
check(const struct from *f, const struct policy *p, struct error *e)
{
	char path[PATH_TEXT];

	if (policy_check(p, e))
		return true;
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(e->why, ":"), e->why);
	return err_in(e, "line %u", json_line_at(f->text, f->len, path));
}

bool
policy_json_read(const char *text, size_t len, struct policy *out, struct ima_rules *ima, struct error *e)
{
	own(mem) struct policy *p = calloc(1, sizeof(*p));
	own(json) struct json *o = NULL;
	struct from f = { .text = text, .len = len, .path = "" };

	if (!p)
		return err_set(e, ERR_MEMORY, "policy");
	if (len > POLICY_JSON_MAX)
		return err_set(e, ERR_LIMIT, "a policy is at most %d bytes of JSON", POLICY_JSON_MAX);
	if (!json_parse_file(text, len, MEMBERS_MAX, &o, e))
		return false;
	policy_default(p);
	memset(p->name, 0, sizeof(p->name));
	f.o = o;
	*ima = (struct ima_rules){ .mode = IMA_MODE_OFF };
	if (!take_all(&f, p, ima, e) || !check(&f, p, e))
		return false;
	*out = *p;
	return true;
}

/* --- writing --- */

static struct json *
digests_json(const struct digests *d)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < d->count; i++) {
		char hex[2 * SHA256_SIZE + 1];

		hex_text(d->digest[i], SHA256_SIZE, hex);
		json_add_text(list, hex);
	}
	return list;
}

static struct json *
patterns_json(const struct patterns *p)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < p->count; i++)
		json_add_text(list, p->text[i]);
	return list;
}

static struct json *
pins_json(const struct pcr_rule *r)
{
	struct json *o = json_new();

	for (enum bank b = 0; b < BANK_COUNT; b++) {
		struct json *list = NULL;

		for (unsigned i = 0; i < r->npins; i++) {
			char hex[2 * DIGEST_MAX + 1];

			if (r->pin[i].bank != b)
				continue;
			list = list ? list : json_new_list();
			hex_text(r->pin[i].digest, bank_size(b), hex);
			json_add_text(list, hex);
		}
		if (list)
			json_put(o, bank_word(b), list);
	}
	return o;
}

static struct json *
pcrs_json(const struct policy *p)
{
	struct json *o = json_new();

	for (unsigned i = 0; i < PCR_COUNT; i++) {
		char key[4];

		snprintf(key, sizeof(key), "%u", i);
		if (p->pcr[i].mode == PCR_MODE_VALUE)
			json_put(o, key, pins_json(&p->pcr[i]));
		else if (p->pcr[i].mode != PCR_MODE_NONE)
			json_put_text(o, key, pcr_mode_word(p->pcr[i].mode));
	}
	return o;
}

static void
put_loads(struct json *o, const char *key, const struct loads *l)
{
	if (l->rule == LOAD_LISTED)
		json_put(o, key, digests_json(&l->allow));
	else
		json_put_text(o, key, load_rule_word(l->rule));
}

static struct json *
tpm_json(const struct policy *p)
{
	struct json *o = json_new(), *vendors = json_new(), *flaws = json_new_list();

	for (unsigned i = 0; i < p->tpm.count; i++) {
		char version[FIRMWARE_TEXT] = "any";

		if (p->tpm.vendor[i].min_firmware)
			firmware_text(p->tpm.vendor[i].min_firmware, version);
		json_put_text(vendors, p->tpm.vendor[i].vendor, version);
	}
	for (unsigned i = 0; i < TPM_FLAW_COUNT; i++)
		if (p->tpm.allow_flaws & 1u << i)
			json_add_text(flaws, tpm_flaw_word((enum tpm_flaw)i));
	json_put(o, "vendors", vendors);
	json_put(o, "allow_vulnerable", flaws);
	json_put_bool(o, "allow_simulator", p->tpm.allow_simulator);
	return o;
}

static void
put_time(struct json *o, const char *key, int64_t ms)
{
	static const struct { char unit; int seconds; } units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	int64_t seconds = ms / 1000;
	char text[WORD_TEXT];
	unsigned i = 0;

	if (!seconds)
		return;
	while (seconds % units[i].seconds)
		i++;
	snprintf(text, sizeof(text), "%lld%c", (long long)(seconds / units[i].seconds), units[i].unit);
	json_put_text(o, key, text);
}

struct json *
policy_json_tree(const struct policy *p, const struct ima_rules *ima)
{
	struct json *o = json_new(), *secure_boot = json_new(), *cmdline = json_new();

	json_put_int(o, "schema", SCHEMA);
	json_put_text(o, "name", p->name);
	json_put(o, "pcrs", pcrs_json(p));
	json_put_bool(secure_boot, "required", p->secure_boot.required);
	json_put(secure_boot, "keys", digests_json(&p->secure_boot.keys));
	json_put_int(secure_boot, "min_dbx", p->secure_boot.min_dbx);
	json_put_int(secure_boot, "sbat", p->secure_boot.sbat);
	json_put(o, "secure_boot", secure_boot);
	json_put(cmdline, "allow", patterns_json(&p->cmdline.allow));
	json_put(cmdline, "forbid", patterns_json(&p->cmdline.forbid));
	json_put(o, "cmdline", cmdline);
	put_loads(o, "drivers", &p->drivers);
	put_loads(o, "option_roms", &p->option_roms);
	if (p->ima)
		json_put(o, "ima", ima_rules_json(ima));
	json_put(o, "tpm", tpm_json(p));
	json_put_bool(o, "require_lockdown", p->require_lockdown);
	json_put_text(o, "no_log", no_log_word(p->no_log));
	put_time(o, "lifetime", p->lifetime);
	put_time(o, "grace_max", p->grace_max);
	json_put_text(o, "ceiling", mode_word(p->ceiling));
	json_put_int(o, "quorum", p->quorum);
	return o;
}

bool
policy_json_write(const struct policy *p, const struct ima_rules *ima, char **out, size_t *len, struct error *e)
{
	own(json) struct json *tree = policy_json_tree(p, ima);
	own(mem) char *text = NULL;
	char *line;
	size_t n;

	if (!json_print(tree, true, &text, &n, e))
		return false;
	line = realloc(text, n + 2);
	if (!line)
		return err_set(e, ERR_MEMORY, "JSON");
	text = line;
	strcpy(text + n, "\n");
	*len = n + 1;
	*out = give(text);
	return true;
}
