/* Policies: packed form and JSON. Each member wrong once, and the error says which line and which key. */
#include "policy_json.h"
#include "scope.h"
#include "tpms.h"
#include "unit.h"

#define D32 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
static const char full[] =
    "{\n"                                                           /* 1 */
    " \"schema\": 1, \"name\": \"web\",\n"                          /* 2 */
    " \"pcrs\": { \"0\": \"events\", \"2\": \"events\", \"4\": \"events\",\n" /* 3 */
    "   \"7\": { \"sha256\": [\"" D32 "\",\n"                       /* 4 */
    "     \"" D32 "\"] },\n"                                        /* 5 */
    "   \"8\": \"rules\", \"5\": \"ignore\" },\n"                   /* 6 */
    " \"secure_boot\": { \"required\": true,\n"                     /* 7 */
    "   \"keys\": [\"" D32 "\"],\n"                                 /* 8 */
    "   \"min_dbx\": 371, \"sbat\": 2024010900 },\n"                /* 9 */
    " \"cmdline\": { \"allow\": [\"ro\", \"quiet\",\n"              /* 10 */
    "   \"root=UUID=*\"],\n"                                        /* 11 */
    "   \"forbid\": [\"init=*\"] },\n"                              /* 12 */
    " \"drivers\": \"none\",\n"                                     /* 13 */
    " \"option_roms\": [\"" D32 "\"],\n"                            /* 14 */
    " \"tpm\": { \"vendors\": { \"IFX\": \"7.85\", \"STM\": \"any\" },\n"     /* 15 */
    "   \"allow_vulnerable\": [\"roca\"],\n"                        /* 16 */
    "   \"allow_simulator\": false },\n"                            /* 17 */
    " \"require_lockdown\": true, \"no_log\": \"pins\",\n"          /* 18 */
    " \"lifetime\": \"600s\",\n"                                    /* 19 */
    " \"grace_max\": \"2d\",\n"                                     /* 20 */
    " \"ceiling\": \"audit\",\n"                                    /* 21 */
    " \"quorum\": 2\n"                                              /* 22 */
    "}\n";

static struct policy one, two, untouched;
static struct ima_rules rules;          /* of the last that was read */

static bool
read_text(const char *text, size_t len, struct policy *p, struct error *e)
{
	memset(&untouched, 0xa5, sizeof(untouched));
	memset(p, 0xa5, sizeof(*p));
	ima_rules_free(&rules);
	if (policy_json_read(text, len, p, &rules, e))
		return true;
	ck_assert(!memcmp(p, &untouched, sizeof(*p)));
	return false;
}

static void
sealed(const struct policy *p, uint8_t digest[static SHA256_SIZE])
{
	static uint8_t buf[POLICY_PACKED_MAX];
	static struct policy back;
	struct error e = { .code = ERR_NONE };
	struct reader r;
	size_t len;

	ck_assert_msg(policy_seal(p, buf, &len, digest, &e), "%s", e.why);
	r = rd_open(buf, len);
	ck_assert_msg(policy_unpack(&r, &back, &e), "%s", e.why);
	ck_assert(!memcmp(&back, p, sizeof(back)));
	for (size_t n = 0; n < len; n++) {              /* every prefix */
		r = rd_open(buf, n);
		ck_assert(!policy_unpack(&r, &back, &e));
	}
}

/* A store of the version before has policies without the byte that says whether IMA is judged. */
START_TEST(an_older_store_is_read)
{
	enum { TAIL = SHA256_SIZE + 1 + 1 + 8 + 8 + 1 + 1 };    /* of the packed form, behind that byte */
	static uint8_t buf[POLICY_PACKED_MAX];
	uint8_t digest[SHA256_SIZE];
	struct error e = { .code = ERR_NONE };
	struct reader r;
	size_t len;

	ck_assert(read_text(full, strlen(full), &one, &e));
	ck_assert(policy_seal(&one, buf, &len, digest, &e));
	memmove(buf + len - TAIL - 1, buf + len - TAIL, TAIL);
	r = rd_open(buf, len - 1);
	ck_assert(!policy_unpack(&r, &two, &e));
	buf[0] = 1;
	r = rd_open(buf, len - 1);
	ck_assert_msg(policy_unpack(&r, &two, &e), "%s", e.why);
	ck_assert(!memcmp(&one, &two, sizeof(one)));
	buf[len - TAIL - 2] = 1;                        /* it has rules for IMA */
	r = rd_open(buf, len - 1);
	ck_assert_msg(policy_unpack(&r, &two, &e), "%s", e.why);
	ck_assert(two.ima && two.ima_judged);
	buf[0] = 3;
	r = rd_open(buf, len - 1);
	ck_assert(!policy_unpack(&r, &two, &e));
}
END_TEST

/* The same content digest, and the same bytes again. */
static void
round_trip(const struct policy *p)
{
	struct error e = { .code = ERR_NONE };
	own(mem) char *text = NULL, *again = NULL;
	uint8_t before[SHA256_SIZE], after[SHA256_SIZE];
	size_t n, m;

	ck_assert_msg(policy_json_write(p, &rules, &text, &n, &e), "%s", e.why);
	ck_assert_uint_eq(n, strlen(text));
	ck_assert_msg(read_text(text, n, &two, &e), "%s\n%s", e.why, text);
	ck_assert(policy_json_write(&two, &rules, &again, &m, &e));
	ck_assert_str_eq(text, again);
	sealed(p, before);
	sealed(&two, after);
	ck_assert_mem_eq(before, after, SHA256_SIZE);
}

START_TEST(the_default_comes_back)
{
	struct error e = { .code = ERR_NONE };
	struct selection s;

	policy_default(&one);
	ck_assert_msg(policy_check(&one, &e), "%s", e.why);
	round_trip(&one);
	ck_assert_uint_eq(policy_selected(&one), 0x5b95);       /* 0 2 4 7 8 9 11 12 14 */
	ck_assert(policy_selection(&one, 1u << BANK_SHA256 | 1u << BANK_SHA384, &s) && s.bank[0].alg == 0x000b);
	ck_assert(policy_selection(&one, 1u << BANK_SHA384, &s) && s.bank[0].alg == 0x000c && s.count == 1);
	ck_assert(!policy_selection(&one, 1u << BANK_SHA1, &s));
}
END_TEST

START_TEST(every_member_comes_back)
{
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(read_text(full, sizeof(full) - 1, &one, &e), "%s", e.why);
	ck_assert_str_eq(one.name, "web");
	ck_assert_uint_eq(policy_pcrs(&one, PCR_MODE_EVENTS), 1u << 0 | 1u << 2 | 1u << 4);
	ck_assert_uint_eq(policy_pcrs(&one, PCR_MODE_RULES), 1u << 8);
	ck_assert_uint_eq(policy_pcrs(&one, PCR_MODE_IGNORE), 1u << 5);
	ck_assert_uint_eq(one.pcr[7].npins, 2);
	ck_assert(one.secure_boot.required && one.secure_boot.keys.count == 1 && one.secure_boot.min_dbx == 371);
	ck_assert_uint_eq(one.secure_boot.sbat, 2024010900);
	ck_assert_str_eq(one.cmdline.allow.text[2], "root=UUID=*");
	ck_assert(one.drivers.rule == LOAD_NONE && one.option_roms.rule == LOAD_LISTED && one.option_roms.allow.count == 1);
	ck_assert(one.tpm.count == 2 && one.tpm.vendor[0].min_firmware == 0x0007005500000000u && !one.tpm.vendor[1].min_firmware);
	ck_assert_uint_eq(one.tpm.allow_flaws, 1u << FLAW_ROCA);
	ck_assert(one.require_lockdown && one.no_log == NO_LOG_PINS && one.ceiling == MODE_AUDIT && one.quorum == 2);
	ck_assert_int_eq(one.lifetime, 600 * 1000);
	ck_assert_int_eq(one.grace_max, 2 * 86400 * 1000LL);
	round_trip(&one);
}
END_TEST

/* Rules for IMA travel beside the policy, whose digest covers them. */
START_TEST(rules_for_ima)
{
	static const char with[] = "{\"schema\":1,\"name\":\"a\",\"pcrs\":{\"0\":\"events\"},\"ima\":{\"mode\":\"allow-list\","
	    "\"allow\":[{\"digest\":\"sha256:" D32 "\",\"path\":\"/bin/sh\"}],\"exclude\":[\"/var/log/*\"]}}";
	static const char off[] = "{\"schema\":1,\"name\":\"a\",\"pcrs\":{\"0\":\"events\"},\"ima\":{\"mode\":\"off\",\"exclude\":[\"/var/log/*\"]}}";
	own(ima_rules) struct ima_rules back = { 0 };
	own(mem) uint8_t *packed = NULL;
	struct error e = { .code = ERR_NONE };
	uint8_t digest[SHA256_SIZE], other[SHA256_SIZE];
	size_t len;

	ck_assert_msg(read_text(with, sizeof(with) - 1, &one, &e), "%s", e.why);
	ck_assert(one.ima && one.ima_judged && rules.mode == IMA_MODE_ALLOW_LIST && rules.nexcludes == 1);
	sealed(&one, digest);
	ck_assert(policy_ima_pack(&one, &rules, &packed, &len, &e));
	ck_assert_msg(policy_ima_unpack(&one, packed, len, &back, &e) && back.nexcludes == 1, "%s", e.why);
	packed[len - 1] ^= 1;
	ck_assert(!policy_ima_unpack(&one, packed, len, &back, &e));
	ck_assert(!policy_ima_unpack(&one, NULL, 0, &back, &e));
	round_trip(&one);
	one.ima_digest[0] ^= 1;
	sealed(&one, other);
	ck_assert_mem_ne(digest, other, SHA256_SIZE);
	one.ima = false;
	ck_assert(!policy_ima_unpack(&one, packed, len, &back, &e));
	ck_assert_msg(read_text(off, sizeof(off) - 1, &one, &e), "%s", e.why);
	ck_assert(one.ima && !one.ima_judged && rules.nexcludes == 1);
	round_trip(&one);
}
END_TEST

/* All lists full, all texts long. */
START_TEST(the_largest_comes_back)
{
	policy_default(&one);
	for (unsigned i = 0; i < PCR_COUNT; i++) {
		one.pcr[i] = (struct pcr_rule){ .mode = PCR_MODE_VALUE, .npins = POLICY_PINS_MAX };
		for (unsigned k = 0; k < POLICY_PINS_MAX; k++)
			one.pcr[i].pin[k] = (struct pin){ BANK_SHA512, { (uint8_t)k } };
	}
	one.secure_boot.required = true;
	one.secure_boot.keys.count = one.drivers.allow.count = one.option_roms.allow.count = POLICY_DIGESTS_MAX;
	one.drivers.rule = one.option_roms.rule = LOAD_LISTED;
	one.cmdline.allow.count = one.cmdline.forbid.count = POLICY_PATTERNS_MAX;
	for (unsigned i = 0; i < POLICY_PATTERNS_MAX; i++) {
		memset(one.cmdline.allow.text[i], 'a', POLICY_PATTERN_TEXT - 1);
		memset(one.cmdline.forbid.text[i], 'f', POLICY_PATTERN_TEXT);
		one.cmdline.forbid.text[i][POLICY_PATTERN_TEXT - 1] = '\0';
	}
	one.tpm.count = POLICY_VENDORS_MAX;
	for (unsigned i = 0; i < POLICY_VENDORS_MAX; i++) {
		snprintf(one.tpm.vendor[i].vendor, POLICY_VENDOR_TEXT, "VENDOR%u", i);
		one.tpm.vendor[i].min_firmware = UINT64_MAX;
	}
	round_trip(&one);
}
END_TEST

/* NEGATIVE row 18 as well: what is empty or unknown is an error, never an exemption. */
static const struct { const char *from, *to, *says; } wrong[] = {
	{ "\"schema\": 1", "\"schema\": 2", "line 2: schema: not from 1 to 1" },
	{ "\"schema\": 1, ", "", "line 1: schema: missing" },
	{ "\"name\": \"web\"", "\"name\": \"a b\"", "line 2: name: 'a b'" },
	{ "\"name\": \"web\"", "\"name\": \"\"", "line 2: name: ''" },
	{ "\"name\": \"web\"", "\"name\": 7", "line 2: name: not a string" },
	{ "\"pcrs\"", "\"pcr\"", "line 3: pcr: no such member" },
	{ "\"0\": \"events\"", "\"0\": \"event\"", "line 3: pcrs: 0: 'event' is not one" },
	{ "\"0\": \"events\"", "\"0\": \"none\"", "line 3: pcrs: 0: events, rules" },
	{ "\"0\": \"events\"", "\"24\": \"events\"", "line 3: pcrs: 24: not a PCR" },
	{ "\"0\": \"events\"", "\"00\": \"events\"", "line 3: pcrs: 00: not a PCR" },
	{ "\"0\": \"events\"", "\"0\": \"rules\"", "line 3: pcrs: 'rules' is for PCR 8 and 12" },
	{ "\"2\": \"events\", ", "", "line 3: pcrs: drivers and option_roms need PCR 2" },
	{ "\"0\": \"events\"", "\"0\": {}", "line 3: pcrs.0: 'value' without values" },
	{ "\"0\": \"events\"", "\"0\": 7", "line 3: pcrs: 0: not a string" },
	{ "\"sha256\": [\"", "\"md5\": [\"", "line 4: pcrs.7: md5: no such member" },
	{ "     \"" D32 "\"", "     \"" D32 "00\"", "line 5: pcrs.7: sha256[1]: not a value" },
	{ "\"required\": true", "\"required\": 1", "line 7: secure_boot: required: not true or false" },
	{ "\"required\": true", "\"required\": false", "line 7: secure_boot: keys, min_dbx and sbat" },
	{ "\"required\": true", "\"require\": true", "line 7: secure_boot: require: no such member" },
	{ "\"keys\": [\"" D32, "\"keys\": [\"00", "line 8: secure_boot: keys[0]: not a SHA-256" },
	{ "\"min_dbx\": 371", "\"min_dbx\": -1", "line 9: secure_boot: min_dbx: not from" },
	{ "\"sbat\": 2024010900", "\"sbat\": \"x\"", "line 9: secure_boot: sbat: not an integer" },
	{ "\"quiet\"", "\"*\"", "line 10: cmdline.allow[1]: '*' stands for every word" },
	{ "\"root=UUID=*\"", "\"\"", "line 11: cmdline.allow[2]: '' stands for every word" },
	{ "\"root=UUID=*\"", "\"root=a b\"", "line 11: cmdline: allow[2]: one word of printable" },
	{ "\"root=UUID=*\"", "\"root='a'\"", "line 11: cmdline.allow[2]: one word without quotes" },
	{ "\"root=UUID=*\"", "7", "line 11: cmdline: allow[2]: not a text" },
	{ "\"forbid\": [\"init=*\"]", "\"forbid\": \"init=*\"", "line 12: cmdline: forbid: not a list" },
	{ "[\"ro\", \"quiet\",\n   \"root=UUID=*\"]", "[]", "pcrs: 'rules' without cmdline.allow" },
	{ "\"drivers\": \"none\"", "\"drivers\": \"listed\"", "line 13: drivers: 'listed' is not one" },
	{ "\"drivers\": \"none\"", "\"drivers\": []", "line 13: drivers: 'listed' without digests" },
	{ "\"option_roms\": [\"" D32, "\"option_roms\": [\"zz", "line 14: option_roms[0]: not a SHA-256" },
	{ "\"7.85\"", "\"7.\"", "line 15: tpm.vendors: IFX: neither a firmware version" },
	{ "\"7.85\"", "\"7.1.2.3.4\"", "line 15: tpm.vendors: IFX: neither a firmware version" },
	{ "\"7.85\"", "\"70000\"", "line 15: tpm.vendors: IFX: neither a firmware version" },
	{ "\"IFX\"", "\"INFINEON TECHNOLOGIES\"", "line 15: tpm.vendors: INFINEON TECHNOLOGIE: at most" },
	{ "\"IFX\"", "\"\"", "line 15: tpm.vendors: : at most" },
	{ "\"IFX\"", "\"IFX\177\"", "line 15: tpm.vendors: IFX\177: at most" },
	{ "{ \"IFX\": \"7.85\", \"STM\": \"any\" }", "[]", "line 15: tpm: vendors: not an object" },
	{ "\"roca\"", "\"rocca\"", "line 16: tpm: allow_vulnerable[0]: not a class" },
	{ "\"allow_simulator\": false", "\"allow_simulator\": \"no\"", "line 17: tpm: allow_simulator: not true" },
	{ "\"require_lockdown\": true", "\"require_lockdown\": null", "line 18: require_lockdown: not true" },
	{ "\"no_log\": \"pins\"", "\"no_log\": \"pin\"", "line 18: no_log: 'pin' is not one" },
	{ "\"lifetime\": \"600s\"", "\"lifetime\": \"2d\"", "line 19: lifetime: 2d: not a time" },
	{ "\"lifetime\": \"600s\"", "\"lifetime\": 600", "line 19: lifetime: not a string" },
	{ "\"grace_max\": \"2d\"", "\"grace_max\": \"31d\"", "line 20: grace_max: 31d: not a time" },
	{ "\"ceiling\": \"audit\"", "\"ceiling\": \"enforced\"", "line 21: ceiling: 'enforced' is not one" },
	{ "\"quorum\": 2", "\"quorum\": 2,\n\"ima\": 7", "line 23: ima: not an object" },
	{ "\"quorum\": 2", "\"quorum\": 2,\n\"ima\": {\"mode\":\"allow-list\"}", "line 23: ima: mode: 'allow-list' without" },
	{ "\"quorum\": 2", "\"quorum\": 2,\n\"ima\": {\"mode\":\"off\",\n\"exclude\":[\"\"]}", "line 24: ima: exclude[0]" },
	{ "\"quorum\": 2", "\"quorum\": 0", "line 22: quorum: not from 1 to 8" },
	{ "\"quorum\": 2", "\"quorum\": 2, \"quorum\": 3", "line 22: quorum: given twice" },
	{ "\"quorum\": 2", "\"quorom\": 2", "line 22: quorom: no such member" },
};

START_TEST(row_18_each_member_wrong_once)
{
	struct error e = { .code = ERR_NONE };
	char text[4096];
	const char *at = strstr(full, wrong[_i].from);

	ck_assert_msg(at != NULL, "no %s", wrong[_i].from);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - full), full, wrong[_i].to, at + strlen(wrong[_i].from));
	ck_assert_msg(!read_text(text, strlen(text), &one, &e), "%s is taken", wrong[_i].to);
	ck_assert_msg(strstr(e.why, wrong[_i].says) != NULL, "wanted '%s', got '%s'", wrong[_i].says, e.why);
}
END_TEST

/* NEGATIVE row 18: nothing is judged. */
START_TEST(row_18_a_policy_judges_something)
{
	static const char *const texts[] = {
		"{\"schema\":1,\"name\":\"a\",\"pcrs\":{}}",
		"{\"schema\":1,\"name\":\"a\",\"pcrs\":{\"0\":\"ignore\",\"8\":\"ignore\"}}",
		"{\"schema\":1,\"name\":\"a\",\"pcrs\":{\"8\":\"rules\"},\"cmdline\":{\"allow\":[\"ro\"]}}",
	};

	for (unsigned i = 0; i < COUNT(texts); i++) {
		struct error e = { .code = ERR_NONE };

		ck_assert(!read_text(texts[i], strlen(texts[i]), &one, &e));
		ck_assert_msg(strstr(e.why, "pcrs: none is judged"), "%s", e.why);
	}
}
END_TEST

static void
refused(const uint8_t *p, size_t n, void *arg)
{
	struct error e = { .code = ERR_NONE };

	(void)arg;
	ck_assert(!read_text((const char *)p, n, &one, &e) && *e.why);
}

START_TEST(no_prefix_is_a_policy)
{
	unit_prefixes((const uint8_t *)full, strlen(full) - 2, refused, NULL);
}
END_TEST

/* Versions beside each edge of the rows. */
static const struct { const char *vendor, *firmware; int flaw; } firmwares[] = {
	{ "IFX", "7.61.2785.0", FLAW_ROCA }, { "IFX", "7.62", -1 }, { "IFX", "7.85.4555.0", -1 }, { "IFX", "5.61", FLAW_ROCA },
	{ "IFX", "5.62", -1 }, { "IFX", "13.11", -1 }, { "IFX", "133.32", FLAW_ROCA }, { "IFX", "133.33", -1 },
	{ "STM", "71.12", FLAW_TPM_FAIL }, { "STM", "71.16", -1 }, { "STM", "73.8", FLAW_TPM_FAIL }, { "STM", "73.20", -1 },
	{ "STM", "73.64", -1 }, { "STM", "74.9", FLAW_TPM_FAIL }, { "STM", "74.16", FLAW_TPM_FAIL }, { "STM", "74.20", -1 },
	{ "STM", "1.258", -1 }, { "INTC", "11.8.50.3425", FLAW_TPM_FAIL }, { "INTC", "11.8.70", -1 },
	{ "INTC", "12.0.44", FLAW_TPM_FAIL }, { "INTC", "12.0.45", -1 }, { "INTC", "500.5.0.0", -1 },
	{ "AMD", "3.58.0.5", FLAW_FAULTPM }, { "AMD", "6.24.0.6", FLAW_FAULTPM }, { "NTC", "7.2", -1 }, { "", "7.2", -1 },
};

START_TEST(known_flaws)
{
	const struct known_flaw *flaw;
	char text[FIRMWARE_TEXT];
	uint64_t v, again;

	ck_assert(firmware_read(firmwares[_i].firmware, &v));
	firmware_text(v, text);
	ck_assert(firmware_read(text, &again) && v == again);
	flaw = tpm_flaw_of(firmwares[_i].vendor, v);
	ck_assert_msg(flaw ? (int)flaw->flaw == firmwares[_i].flaw : firmwares[_i].flaw < 0, "%s %s",
	    firmwares[_i].vendor, firmwares[_i].firmware);
	ck_assert(!flaw || (*flaw->what && *flaw->source));
}
END_TEST

START_TEST(makers)
{
	char vendor[POLICY_VENDOR_TEXT];

	tpm_vendor_of("IFX SLB 9670 id:00070055", vendor);
	ck_assert_str_eq(vendor, "IFX");
	tpm_vendor_of("", vendor);
	ck_assert_str_eq(vendor, "");
	ck_assert(tpm_is_simulator("id:00001014 swtpm id:20191023") && !tpm_is_simulator("STM ST33 id:00470010"));
}
END_TEST

static void
add(TCase *c)
{
	tcase_add_test(c, the_default_comes_back);
	tcase_add_test(c, an_older_store_is_read);
	tcase_add_test(c, every_member_comes_back);
	tcase_add_test(c, rules_for_ima);
	tcase_add_test(c, the_largest_comes_back);
	tcase_add_loop_test(c, row_18_each_member_wrong_once, 0, COUNT(wrong));
	tcase_add_test(c, row_18_a_policy_judges_something);
	tcase_add_test(c, no_prefix_is_a_policy);
	tcase_add_loop_test(c, known_flaws, 0, COUNT(firmwares));
	tcase_add_test(c, makers);
}

int
main(void)
{
	return unit_run("policy", add);
}
