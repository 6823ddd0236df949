/* What a log says the machine did: Secure Boot rule by rule, images, command lines; and what each of it rests on. */
#include "bound_text.h"
#include "cert_name.h"
#include "efi.h"
#include "facts.h"
#include "made_log.h"
#include "name_version.h"

#define DRIVER_CONFIG EV_EFI_VARIABLE_DRIVER_CONFIG
#define AUTHORITY     EV_EFI_VARIABLE_AUTHORITY
enum { ALL = 0xffffff };
#define EFI_ACTION 0x80000007u

/* --- Secure Boot, rule by rule --- */

/* A certificate's DER as far as this project reads it: a sequence. */
static const char der[] = "\x30\x03\x02\x01\x05", other_der[] = "\x30\x03\x02\x01\x06";
enum { DER = 5 };

enum what { SB, PK, KEK, DB, DBX, SEPARATOR, AUTH, WHATS };
struct change { enum what at; enum { AS_IT_IS, LEFT_OUT, OFF, EMPTY, TWICE, OTHER_TYPE, OTHER_DATA, OTHER_KEY, BEFORE, EXTRA } how; uint32_t type; const char *text; };

static void
measure(struct made_log *l, enum what what, const struct change *c)
{
	uint8_t v[MADE_VARIABLE_MAX], data[512];
	const uint8_t *guid = what == DB || what == DBX || what == AUTH ? efi_guid_security : efi_guid_global;
	static const char *const names[WHATS] = { "SecureBoot", "PK", "KEK", "db", "dbx", "", "db" };
	uint32_t type = c->how == OTHER_TYPE ? c->type : what == AUTH ? AUTHORITY : DRIVER_CONFIG;
	size_t len = 0, n;

	if (what == SB)
		data[len++] = c->how != OFF;
	else if (what == AUTH) {
		memset(data, 0, EFI_GUID_SIZE);
		memcpy(data + EFI_GUID_SIZE, c->how == OTHER_KEY ? other_der : der, DER);
		len = EFI_GUID_SIZE + DER;
	} else if (what == DBX)
		len = made_signatures(data, efi_cert_sha256, "0123456789abcdef0123456789abcdefZ123456789abcdef0123456789abcdef", 32, 2);
	else
		len = made_signatures(data, efi_cert_x509, der, DER, 1);
	n = made_variable(v, guid, names[what], data, c->how == EMPTY ? 0 : len);
	if (c->how == OTHER_DATA)
		made_measure(l, 7, type, "something else", 14, v, n);
	else
		made_event(l, 7, type, v, n);
}

/* PCR 7 as OVMF fills it, with one change. */
static void
pcr7(const struct change *c, struct eventlog *log)
{
	static const struct change none = { .at = WHATS };
	own(made_log) struct made_log l = { 0 };

	made_open(&l, 1u << BANK_SHA256);
	for (enum what i = SB; i < WHATS; i++) {
		const struct change *of = c->at == i ? c : &none;

		if (of->how == BEFORE)
			made_text(&l, 7, of->type, of->text);
		if (of->how != LEFT_OUT && i != SEPARATOR)
			measure(&l, i, of);
		if (of->how == TWICE && i != SEPARATOR)
			measure(&l, i, &none);
		if (i == SEPARATOR && of->how != LEFT_OUT)
			made_event(&l, 7, of->how == OTHER_TYPE ? of->type : EV_SEPARATOR, of->how == OTHER_DATA ? "\1\0\0\0" : "\0\0\0\0", 4);
		if (i == SEPARATOR && of->how == TWICE)
			made_event(&l, 7, EV_SEPARATOR, "\0\0\0\0", 4);
		if (of->how == EXTRA)
			measure(&l, (enum what)of->type, &none);
	}
	made_text(&l, 4, EV_EFI_BOOT_SERVICES_APPLICATION, "boot loader");
	made_parse(&l, log);
}

static const struct { const char *label; struct change change; enum secure_boot_state state; const char *why; } rules[] = {
	{ "as it should be",        { .at = WHATS },                       SECURE_BOOT_ON, "" },
	{ "off",                    { SB, OFF, 0, NULL },                  SECURE_BOOT_OFF, "variable says so" },
	{ "no value",               { SB, EMPTY, 0, NULL },                SECURE_BOOT_OFF, "variable says so" },
	{ "not measured",           { SB, LEFT_OUT, 0, NULL },             SECURE_BOOT_UNKNOWN, "no SecureBoot variable" },
	{ "measured twice",         { SB, TWICE, 0, NULL },                SECURE_BOOT_UNKNOWN, "twice" },
	{ "SecureBoot: 1 is a lie", { SB, OTHER_DATA, 0, NULL },           SECURE_BOOT_UNKNOWN, "another content" },
	{ "no PK",                  { PK, EMPTY, 0, NULL },                SECURE_BOOT_UNKNOWN, "no PK, KEK or db" },
	{ "no KEK",                 { KEK, EMPTY, 0, NULL },               SECURE_BOOT_UNKNOWN, "no PK, KEK or db" },
	{ "no db",                  { DB, EMPTY, 0, NULL },                SECURE_BOOT_UNKNOWN, "no PK, KEK or db" },
	{ "empty dbx",              { DBX, EMPTY, 0, NULL },               SECURE_BOOT_ON, "" },
	{ "PK not measured",        { PK, LEFT_OUT, 0, NULL },             SECURE_BOOT_UNKNOWN, "not all measured" },
	{ "dbx not measured",       { DBX, LEFT_OUT, 0, NULL },            SECURE_BOOT_UNKNOWN, "not all measured" },
	{ "dbx twice",              { DBX, TWICE, 0, NULL },               SECURE_BOOT_UNKNOWN, "twice" },
	{ "dbx is a lie",           { DBX, OTHER_DATA, 0, NULL },          SECURE_BOOT_UNKNOWN, "another content" },
	{ "no separator",           { SEPARATOR, LEFT_OUT, 0, NULL },      SECURE_BOOT_UNKNOWN, "exactly one separator" },
	{ "two separators",         { SEPARATOR, TWICE, 0, NULL },         SECURE_BOOT_UNKNOWN, "exactly one separator" },
	{ "error separator",        { SEPARATOR, OTHER_DATA, 0, NULL },    SECURE_BOOT_UNKNOWN, "error" },
	{ "db after the separator", { SEPARATOR, EXTRA, DB, NULL },        SECURE_BOOT_UNKNOWN, "twice" },
	{ "SecureBoot after it",    { SEPARATOR, EXTRA, SB, NULL },        SECURE_BOOT_UNKNOWN, "twice" },
	{ "no authority",           { AUTH, LEFT_OUT, 0, NULL },           SECURE_BOOT_UNKNOWN, "which key" },
	{ "a key not in db",        { AUTH, OTHER_KEY, 0, NULL },          SECURE_BOOT_UNKNOWN, "not in db" },
	{ "authority is a lie",     { AUTH, OTHER_DATA, 0, NULL },         SECURE_BOOT_UNKNOWN, "another content" },
	{ "debug mode",             { SEPARATOR, BEFORE, EFI_ACTION, "UEFI Debug Mode" }, SECURE_BOOT_UNKNOWN, "debug mode" },
	{ "debug mode, called something else", { SEPARATOR, BEFORE, EV_IPL, "UEFI Debug Mode" }, SECURE_BOOT_UNKNOWN, "debug mode" },
	{ "DMA protection off",     { SEPARATOR, BEFORE, EFI_ACTION, "DMA Protection Disabled" }, SECURE_BOOT_ON, "" },
	{ "DMA protection off, after it", { AUTH, BEFORE, EFI_ACTION, "DMA Protection Disabled" }, SECURE_BOOT_ON, "" },
	{ "something unknown",      { AUTH, BEFORE, EFI_ACTION, "Hello" }, SECURE_BOOT_UNKNOWN, "no known kind" },
	/* Row 10: types that the log made up. What is bound keeps its meaning; what cannot be told is not good. */
	{ "the separator as an action", { SEPARATOR, OTHER_TYPE, EFI_ACTION, NULL }, SECURE_BOOT_ON, "" },
	{ "the separator as a file",    { SEPARATOR, OTHER_TYPE, EV_IPL, NULL }, SECURE_BOOT_ON, "" },
	{ "SecureBoot as a file",       { SB, OTHER_TYPE, EV_IPL, NULL },     SECURE_BOOT_UNKNOWN, "no SecureBoot variable" },
	{ "SecureBoot as an authority", { SB, OTHER_TYPE, AUTHORITY, NULL },  SECURE_BOOT_ON, "" },
	{ "dbx as an action",           { DBX, OTHER_TYPE, EFI_ACTION, NULL }, SECURE_BOOT_UNKNOWN, "no known kind" },
	{ "an authority as a file",     { AUTH, OTHER_TYPE, EV_IPL, NULL },   SECURE_BOOT_UNKNOWN, "no known kind" },
	{ "an authority as a variable", { AUTH, OTHER_TYPE, DRIVER_CONFIG, NULL }, SECURE_BOOT_ON, "" },
};

START_TEST(secure_boot_by_the_rules)
{
	own(eventlog) struct eventlog log = { 0 };
	own(mem) struct boot_facts *f = malloc(sizeof(*f));
	const struct secure_boot *s = &f->secure_boot;

	pcr7(&rules[_i].change, &log);
	boot_facts_read(&log, BANK_SHA256, ALL, f);
	ck_assert_msg(s->state == rules[_i].state && strstr(s->why, rules[_i].why), "%s: %s: %s", rules[_i].label,
	    secure_boot_word(s->state), s->why);
	ck_assert(!*s->why == (s->state == SECURE_BOOT_ON));
	if (s->state == SECURE_BOOT_ON)
		ck_assert(s->binding == FACT_BOUND && s->nauthorities == 1 && s->authority[0].known && !s->authority[0].early);
	/* Of a PCR that was not quoted nothing is bound. */
	boot_facts_read(&log, BANK_SHA256, ALL & ~(1u << 7), f);
	ck_assert(s->state != SECURE_BOOT_ON && s->binding != FACT_BOUND && s->store[STORE_DBX].at.binding != FACT_BOUND);
}
END_TEST

/* SbatLevel by what was measured, the first one, and from before shim let something run. */
START_TEST(sbat_as_it_was_measured)
{
	static const char old[] = "sbat,1,2021030218\n", new[] = "sbat,1,2025021800\nshim,4\n";
	static const struct { const char *level[2]; bool late; const char *text; enum fact_binding binding; } sbats[] = {
		{ { old, NULL },  false, "sbat,1,2021030218\\n", FACT_BOUND },
		{ { new, NULL },  false, "sbat,1,2025021800\\nshim,4\\n", FACT_BOUND },
		{ { old, new },   false, "sbat,1,2021030218\\n", FACT_BOUND },
		{ { new, NULL },  true,  "sbat,1,2025021800\\nshim,4\\n", FACT_CLAIMED },
	};
	own(mem) struct boot_facts *f = malloc(sizeof(*f));
	uint8_t v[MADE_VARIABLE_MAX];

	for (unsigned i = 0; i < COUNT(sbats); i++) {
		own(made_log) struct made_log l = { 0 };
		own(eventlog) struct eventlog log = { 0 };

		made_open(&l, 1u << BANK_SHA256);
		made_event(&l, 7, EV_SEPARATOR, "\0\0\0\0", 4);
		if (sbats[i].late)
			made_event(&l, 7, AUTHORITY, v, made_variable(v, efi_guid_shim, "Shim", der, DER));
		for (unsigned k = 0; k < 2 && sbats[i].level[k]; k++)
			made_event(&l, 7, AUTHORITY, v, made_variable(v, efi_guid_shim, "SbatLevel", sbats[i].level[k], strlen(sbats[i].level[k])));
		made_parse(&l, &log);
		log.event[log.count - 1].text = "SbatLevel: sbat,1,2099010100\\n";      /* a parser that lies */
		boot_facts_read(&log, BANK_SHA256, ALL, f);
		ck_assert_str_eq(f->secure_boot.sbat.text, sbats[i].text);
		ck_assert_int_eq(f->secure_boot.sbat.at.binding, sbats[i].binding);
	}
}
END_TEST

START_TEST(key_stores_are_read)
{
	static const struct change none = { .at = WHATS };
	own(eventlog) struct eventlog log = { 0 };
	own(mem) struct boot_facts *f = malloc(sizeof(*f));
	uint8_t sha256[SHA256_SIZE];

	pcr7(&none, &log);
	boot_facts_read(&log, BANK_SHA256, ALL, f);
	ck_assert_uint_eq(f->secure_boot.store[STORE_DBX].count, 2);
	ck_assert_uint_eq(f->secure_boot.store[STORE_DBX].hashes, 2);
	ck_assert(f->secure_boot.store[STORE_DBX].whole && f->secure_boot.store[STORE_DBX].at.binding == FACT_BOUND);
	ck_assert(key_store_has_hash(f, STORE_DBX, (const uint8_t *)"Z123456789abcdef0123456789abcdef"));
	ck_assert(!key_store_has_hash(f, STORE_DB, (const uint8_t *)"Z123456789abcdef0123456789abcdef"));
	ck_assert(digest_sha256(der, DER, sha256) && key_store_has_cert(f, STORE_DB, sha256) && key_store_has_cert(f, STORE_PK, sha256));
	ck_assert(digest_sha256(other_der, DER, sha256) && !key_store_has_cert(f, STORE_DB, sha256));
}
END_TEST

/* --- recorded boots --- */

static const struct {
	const char *variant;
	enum secure_boot_state state;
	enum boot_kind kind;
	unsigned images, cmdlines, initrds;
	const char *kernel, *cmdline;
} boots[] = {
	{ "sb-shimgrub-a", SECURE_BOOT_ON, BOOT_GRUB, 4, 2, 1, "/vmlinuz", "console=ttyS0 ima_policy=tcb ima_hash=sha256" },
	{ "sdboot-1", SECURE_BOOT_OFF, BOOT_SYSTEMD_BOOT, 2, 2, 1, "\\\\vmlinuz", "initrd=\\\\initrd.img console=ttyS0 ima_policy=tcb ima_hash=sha256" },
	{ "sdboot-uki", SECURE_BOOT_OFF, BOOT_UKI, 3, 4, 2, ".linux", "console=ttyS0 ima_policy=tcb ima_hash=sha256" },
	{ "direct-51-a", SECURE_BOOT_OFF, BOOT_DIRECT, 1, 1, 1, "kernel", "" },
	{ "shimgrub-nosb-linuxefi", SECURE_BOOT_OFF, BOOT_GRUB, 2, 2, 1, "/vmlinuz", "console=ttyS0 ima_policy=tcb ima_hash=sha256" },
};

START_TEST(recorded_boots)
{
	own(eventlog) struct eventlog log = { 0 };
	own(mem) struct boot_facts *f = malloc(sizeof(*f));

	vm_log(boots[_i].variant, &log);
	boot_facts_read(&log, BANK_SHA256, ALL, f);
	ck_assert_msg(f->secure_boot.state == boots[_i].state && f->secure_boot.binding == FACT_BOUND, "%s: %s", boots[_i].variant, f->secure_boot.why);
	ck_assert_msg(f->kind == boots[_i].kind, "%s: %s", boots[_i].variant, boot_kind_word(f->kind));
	ck_assert_msg(f->nimages == boots[_i].images && f->ncmdlines == boots[_i].cmdlines && f->ninitrds == boots[_i].initrds,
	    "%s: %u images, %u command lines, %u initrds", boots[_i].variant, f->nimages, f->ncmdlines, f->ninitrds);
	ck_assert_str_eq(f->kernel.name, boots[_i].kernel);
	ck_assert_str_eq(f->cmdline[0].text, boots[_i].cmdline);
	ck_assert_uint_eq(f->separated, 0xff);
	ck_assert_uint_eq(f->error_separator, 0);
}
END_TEST

/* --- names --- */

static const struct { const char *path, *version; } versions[] = {
	{ "/boot/vmlinuz-6.1.0-28-amd64", "6.1.0-28-amd64" },
	{ "/vmlinuz", "" },
	{ "\\\\EFI\\\\Linux\\\\debian-6.1.0-28-amd64.efi", "6.1.0-28-amd64" },
	{ "\\\\0123456789abcdef\\\\6.1.0-28-amd64\\\\linux", "6.1.0-28-amd64" },
	{ "(hd0,gpt2)/initrd.img-5.10.0", "5.10.0" },
	{ "/initrd-6.1.img", "6.1" },
	{ "/shimx64.efi", "" },
	{ "", "" },
	{ "/x-1.2/vmlinuz-a", "1.2" },
};

START_TEST(versions_of_names)
{
	char out[64];

	ck_assert(name_version(versions[_i].path, out, sizeof(out)) == !!*versions[_i].version);
	ck_assert_str_eq(out, versions[_i].version);
}
END_TEST

START_TEST(generations_of_sbat)
{
	struct fact_text t = { .text = "sbat,1,2025021800\\nshim,4\\ngrub,5\\n" };

	ck_assert_uint_eq(sbat_generation(&t, "shim"), 4);
	ck_assert_uint_eq(sbat_generation(&t, "grub"), 5);
	ck_assert_uint_eq(sbat_generation(&t, "sbat"), 1);
	ck_assert_uint_eq(sbat_generation(&t, "gru"), 0);
	ck_assert_uint_eq(sbat_generation(&t, "grub.debian"), 0);
}
END_TEST

static void
name_prefix(const uint8_t *p, size_t n, void *arg)
{
	char out[FACT_NAME];

	(void)arg;
	cert_name(p, n, out, sizeof(out));
	ck_assert(!der_is_sequence(p, n));
	ck_assert_uint_lt(strlen(out), sizeof(out));
}

/* Every certificate of a recorded boot has the name that people know; every beginning of one has it, or none. */
START_TEST(names_of_certificates)
{
	own(eventlog) struct eventlog log = { 0 };
	unsigned found = 0;

	vm_log("sb-shimgrub-a", &log);
	for (unsigned i = 0; i < log.count; i++) {
		struct efi_variable v;
		char out[FACT_NAME];

		if (log.event[i].type != AUTHORITY || !efi_variable_read(log.event[i].kept, log.event[i].data_len, &v) ||
		    !efi_name_is(&v, "db"))
			continue;
		cert_name(v.data + EFI_GUID_SIZE, v.len - EFI_GUID_SIZE, out, sizeof(out));
		ck_assert_str_eq(out, "Microsoft Corporation UEFI CA 2011");
		unit_prefixes(v.data + EFI_GUID_SIZE, v.len - EFI_GUID_SIZE, name_prefix, NULL);
		found++;
	}
	ck_assert_uint_eq(found, 1);
}
END_TEST

static void
variable_prefix(const uint8_t *p, size_t n, void *arg)
{
	struct efi_variable v;

	(void)arg;
	ck_assert(!efi_variable_read(p, n, &v));
}

START_TEST(variables_end_where_they_should)
{
	uint8_t v[MADE_VARIABLE_MAX];
	struct efi_variable out;
	size_t n = made_variable(v, efi_guid_security, "dbx", "data", 4);

	unit_prefixes(v, n, variable_prefix, NULL);
	ck_assert(efi_variable_read(v, n, &out) && efi_name_is(&out, "dbx") && out.len == 4 && !memcmp(out.data, "data", 4));
	ck_assert(!efi_name_is(&out, "db") && !efi_name_is(&out, "dbxx") && !efi_name_is(&out, ""));
	for (size_t at = 16; at < 32; at++) {
		uint8_t was = v[at];

		v[at] = 0xff;           /* a length that is not there, or a name of another one */
		if (efi_variable_read(v, n, &out))
			ck_assert(out.data + out.len <= v + n && out.name + 2 * out.units <= out.data);
		v[at] = was;
	}
}
END_TEST

static void
signature_prefix(const uint8_t *p, size_t n, void *arg)
{
	struct efi_signatures all = efi_signatures_open(p, n);
	struct efi_signature one;
	unsigned count = 0;

	(void)arg;
	while (efi_signature_next(&all, &one))
		count++;
	ck_assert(n == 0 || !efi_signatures_whole(&all));
	ck_assert_uint_eq(count, 0);
}

START_TEST(signature_lists_end_where_they_should)
{
	uint8_t list[256];
	size_t n = made_signatures(list, efi_cert_sha256, "0123456789abcdef0123456789abcdefZ123456789abcdef0123456789abcdef", 32, 2);

	unit_prefixes(list, n, signature_prefix, NULL);
	for (size_t at = 16; at < 28; at += 4)
		for (unsigned i = 0; i < 4; i++) {
			static const uint32_t wrong[] = { 1, 0x7fffffff, 0x80000000, 0xffffffff };
			uint8_t copy[256];
			struct efi_signatures all;
			struct efi_signature one;

			memcpy(copy, list, n);
			memcpy(copy + at, &wrong[i], 4);
			all = efi_signatures_open(copy, n);
			while (efi_signature_next(&all, &one))
				ck_assert(one.data >= copy && one.data + one.len <= copy + n);
			ck_assert(!efi_signatures_whole(&all));
		}
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, secure_boot_by_the_rules, 0, COUNT(rules));
	tcase_add_test(tc, key_stores_are_read);
	tcase_add_test(tc, sbat_as_it_was_measured);
	tcase_add_loop_test(tc, recorded_boots, 0, COUNT(boots));
	tcase_add_loop_test(tc, versions_of_names, 0, COUNT(versions));
	tcase_add_test(tc, generations_of_sbat);
	tcase_add_test(tc, names_of_certificates);
	tcase_add_test(tc, variables_end_where_they_should);
	tcase_add_test(tc, signature_lists_end_where_they_should);
}

int main(void) { return unit_run("facts", add); }
