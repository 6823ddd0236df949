/*
 * What an update looks like, and what does not: boots of one machine with Secure Boot on, shim, GRUB
 * and a kernel, of which some things differ. Which words lead, and how each difference is classed.
 */
#include "diff.h"
#include "efi.h"
#include "made_log.h"

enum { PCRS = 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 14, DER = 5, OWNER = EFI_GUID_SIZE };

/* What can differ; NULL or 0 is what the machine had when it was captured. */
struct boot {
	const char *version;            /* of the kernel: its files' names and command lines */
	const char *kernel, *kernel_file, *initrd, *shim, *grub;   /* contents */
	const char *options;            /* behind the kernel's name */
	const char *command;            /* one more that GRUB runs */
	const char *sbat;               /* the date */
	const char *mok;                /* content of MokList */
	const char *rom;                /* an option ROM */
	int         dbx;                /* entries; the machine had 3; below 0: that many others */
	bool        off, mok_off, other_key, more_db;
};

static const char der[2][DER + 1] = { "\x30\x03\x02\x01\x05", "\x30\x03\x02\x01\x06" };

static const char *
or(const char *this, const char *otherwise)
{
	return this ? this : otherwise;
}

static void
key_variable(struct made_log *l, const char *name, const uint8_t *type, const void *entries, size_t each, unsigned count)
{
	uint8_t v[MADE_VARIABLE_MAX], data[1024];
	size_t n = made_signatures(data, type, entries, each, count);

	n = made_variable(v, name[0] == 'd' ? efi_guid_security : efi_guid_global, name, data, n);
	made_event(l, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, v, n);
}

static void
authority(struct made_log *l, const uint8_t *guid, const char *name, const void *data, size_t len)
{
	uint8_t v[MADE_VARIABLE_MAX];

	made_event(l, 7, EV_EFI_VARIABLE_AUTHORITY, v, made_variable(v, guid, name, data, len));
}

static void
firmware(struct made_log *l, const struct boot *b)
{
	uint8_t v[MADE_VARIABLE_MAX], one = !b->off, hashes[16 * 32] = { 0 };
	unsigned n = b->dbx < 0 ? (unsigned)-b->dbx : b->dbx ? (unsigned)b->dbx : 3;

	for (unsigned i = 0; i < n; i++)
		hashes[i * 32] = (uint8_t)(b->dbx < 0 ? 100 + i : i + 1);
	made_event(l, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, v, made_variable(v, efi_guid_global, "SecureBoot", &one, 1));
	key_variable(l, "PK", efi_cert_x509, der[0], DER, 1);
	key_variable(l, "KEK", efi_cert_x509, der[0], DER, 1);
	key_variable(l, "db", efi_cert_x509, "\x30\x03\x02\x01\x05\x30\x03\x02\x01\x06", DER, b->more_db || b->other_key ? 2 : 1);
	key_variable(l, "dbx", efi_cert_sha256, hashes, 32, n);
	made_event(l, 7, EV_SEPARATOR, "\0\0\0\0", 4);
	if (b->rom)
		made_measure(l, 2, EV_EFI_BOOT_SERVICES_DRIVER, b->rom, strlen(b->rom), "", 0);
	made_event(l, 2, EV_SEPARATOR, "\0\0\0\0", 4);
	made_text(l, 4, 0x80000007, "Calling EFI Application from Boot Option");
	made_event(l, 4, EV_SEPARATOR, "\0\0\0\0", 4);
}

static void
shim(struct made_log *l, const struct boot *b)
{
	uint8_t entry[OWNER + DER] = { 0 }, one = 1;
	char sbat[64];

	memcpy(entry + OWNER, der[b->other_key], DER);
	if (!b->off)
		authority(l, efi_guid_security, "db", entry, sizeof(entry));
	made_measure(l, 4, EV_EFI_BOOT_SERVICES_APPLICATION, or(b->shim, "shim"), strlen(or(b->shim, "shim")), "", 0);
	made_measure(l, 14, EV_IPL, or(b->mok, "mok"), strlen(or(b->mok, "mok")), "MokList", 8);
	if (b->mok_off)
		authority(l, efi_guid_shim, "MokSBState", &one, 1);
	snprintf(sbat, sizeof(sbat), "sbat,1,%s\nshim,4\n", or(b->sbat, "2024010900"));
	authority(l, efi_guid_shim, "SbatLevel", sbat, strlen(sbat));
	made_measure(l, 4, EV_EFI_BOOT_SERVICES_APPLICATION, or(b->grub, "grub"), strlen(or(b->grub, "grub")), "", 0);
}

static void
grub(struct made_log *l, const struct boot *b)
{
	const char *version = or(b->version, "6.1.0-27-amd64"), *kernel = or(b->kernel, "kernel");
	char line[256], file[128];

	made_grub(l, "grub_cmd: ", "set root=hd0");
	if (b->command)
		made_grub(l, "grub_cmd: ", b->command);
	snprintf(line, sizeof(line), "linux /vmlinuz-%s root=UUID=1 %s", version, or(b->options, "ro quiet"));
	made_grub(l, "grub_cmd: ", line);
	snprintf(file, sizeof(file), "/vmlinuz-%s", version);
	made_measure(l, 9, EV_IPL, or(b->kernel_file, kernel), strlen(or(b->kernel_file, kernel)), file, strlen(file) + 1);
	made_measure(l, 4, EV_EFI_BOOT_SERVICES_APPLICATION, kernel, strlen(kernel), "", 0);
	made_measure(l, 4, EV_EFI_BOOT_SERVICES_APPLICATION, kernel, strlen(kernel), "", 0);
	made_grub(l, "kernel_cmdline: ", line + strlen("linux "));
	snprintf(line, sizeof(line), "initrd /initrd.img-%s", version);
	made_grub(l, "grub_cmd: ", line);
	made_measure(l, 9, EV_IPL, or(b->initrd, "initrd"), strlen(or(b->initrd, "initrd")), line + strlen("initrd "), strlen(line) - 6);
}

static void
log_of(const struct boot *b, struct eventlog *log)
{
	own(made_log) struct made_log l = { 0 };

	made_open(&l, 1u << BANK_SHA256);
	made_text(&l, 0, 8, "firmware 1");
	firmware(&l, b);
	shim(&l, b);
	grub(&l, b);
	made_parse(&l, log);
}

#define NEW_KERNEL .version = "6.1.0-28-amd64", .kernel = "kernel 28"
static const struct {
	const char *label;
	struct boot is;
	enum reason reason;
	unsigned calm, unknown, alarming;       /* how many findings of each class */
	const char *text;                       /* of the first, up to where its PCR is named */
} cases[] = {
	{ "revocations", { .dbx = 5 }, REASON_SECUREBOOT_CHANGED, 1, 0, 0, "dbx: 3 -> 5 entries, 2 added, none removed" },
	{ "fewer revocations", { .dbx = 2 }, REASON_SECUREBOOT_CHANGED, 0, 0, 1, "dbx: 3 -> 2 entries, none added, 1 removed" },
	{ "as many, but others", { .dbx = -3 }, REASON_SECUREBOOT_CHANGED, 0, 0, 1, "dbx: 3 -> 3 entries, 3 added, 3 removed" },
	{ "more, but others", { .dbx = -9 }, REASON_SECUREBOOT_CHANGED, 0, 0, 1, "dbx: 3 -> 9 entries, 9 added, 3 removed" },
	{ "a higher SBAT level", { .sbat = "2025021800" }, REASON_SECUREBOOT_CHANGED, 1, 0, 0, "SBAT level sbat,1,2024010900" },
	{ "a lower SBAT level", { .sbat = "2022010100" }, REASON_SECUREBOOT_CHANGED, 0, 0, 1, "SBAT level sbat,1,2024010900" },
	{ "one key more in db", { .more_db = true }, REASON_SECUREBOOT_CHANGED, 0, 1, 0, "db: 1 -> 2 entries, 1 added, none removed" },
	{ "another shim", { .shim = "shim 2" }, REASON_BOOTLOADER_CHANGED, 1, 0, 0, "boot loader has another content, signer unchanged" },
	{ "another GRUB and revocations", { .grub = "grub 2", .dbx = 4 }, REASON_SECUREBOOT_CHANGED, 2, 0, 0, "dbx: 3 -> 4 entries" },
	{ "another shim by another key", { .shim = "shim 2", .other_key = true }, REASON_SECUREBOOT_CHANGED, 0, 3, 0, "db: 1 -> 2 entries" },
	{ "a newer kernel", { NEW_KERNEL }, REASON_KERNEL_CHANGED, 5, 0, 0, "kernel 6.1.0-27-amd64 -> 6.1.0-28-amd64, signer unchanged" },
	{ "and its initrd", { NEW_KERNEL, .initrd = "initrd 28" }, REASON_KERNEL_CHANGED, 5, 1, 0, "kernel 6.1.0-27-amd64 -> 6.1.0-28-amd64, signer unchanged" },
	{ "an older kernel", { .version = "6.1.0-9-amd64", .kernel = "kernel 9" }, REASON_KERNEL_CHANGED, 0, 5, 0, "kernel 6.1.0-27-amd64 -> 6.1.0-9-amd64, signer unchanged" },
	{ "another kernel under the same name", { .kernel = "kernel x" }, REASON_KERNEL_CHANGED, 0, 2, 0, "kernel /vmlinuz-6.1.0-27-amd64 has another content, signer unchanged" },
	{ "another file under the kernel's name", { .kernel_file = "evil" }, REASON_KERNEL_CHANGED, 0, 1, 0, "kernel file /vmlinuz-6.1.0-27-amd64 has another content" },
	{ "another initrd", { .initrd = "evil" }, REASON_KERNEL_CHANGED, 0, 1, 0, "initrd /initrd.img-6.1.0-27-amd64 has another content; nothing signs it" },
	{ "a newer kernel and a shell", { NEW_KERNEL, .options = "ro quiet init=/bin/sh" }, REASON_CMDLINE_CHANGED, 3, 0, 2, "kernel command line: + init=/bin/sh" },
	{ "a newer kernel and other words", { NEW_KERNEL, .options = "ro splash" }, REASON_KERNEL_CHANGED, 3, 2, 0, "kernel 6.1.0-27-amd64" },
	{ "a newer kernel, its words pushed far out", { NEW_KERNEL, .options = "ro quiet aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa single" },
	    REASON_CMDLINE_CHANGED, 3, 0, 2, "kernel command line: + single" },
	{ "a newer kernel by another key", { NEW_KERNEL, .other_key = true }, REASON_SECUREBOOT_CHANGED, 0, 7, 0, "db: 1 -> 2 entries" },
	{ "a newer kernel, Secure Boot off", { NEW_KERNEL, .off = true }, REASON_SECUREBOOT_CHANGED, 0, 6, 1, "Secure Boot was turned off" },
	{ "shim verifies nothing", { .mok_off = true }, REASON_EVENT_UNEXPECTED, 0, 0, 1, "shim's verification was turned off on this machine" },
	{ "a newer kernel, and shim verifies nothing", { NEW_KERNEL, .mok_off = true }, REASON_EVENT_UNEXPECTED, 0, 5, 1, "shim's verification was turned off" },
	{ "a key of the machine's own", { .mok = "evil" }, REASON_SECUREBOOT_CHANGED, 0, 1, 0, "shim's MokList has another content: keys were enrolled or removed" },
	{ "and a newer kernel", { NEW_KERNEL, .mok = "evil" }, REASON_SECUREBOOT_CHANGED, 0, 6, 0, "shim's MokList has another content" },
	{ "an option ROM", { .rom = "nic" }, REASON_EVENT_UNEXPECTED, 0, 1, 0, "new option ROM or driver" },
	{ "a command", { .command = "rmmod tpm" }, REASON_EVENT_UNEXPECTED, 0, 0, 1, "measured in addition: grub_cmd: rmmod tpm" },
	{ "a second kernel", { .command = "linux /vmlinuz-evil root=UUID=1 init=/bin/sh" }, REASON_EVENT_UNEXPECTED, 0, 0, 1, "measured in addition: grub_cmd: linux /vmlinuz-evil" },
};

START_TEST(says_and_classes)
{
	static const struct boot before = { .dbx = 3 };
	own(eventlog) struct eventlog was = { 0 }, is = { 0 };
	own(measured) struct measured m = { 0 };
	struct known_set known = { .label = "known", .own_host = true };
	struct findings *all = malloc(sizeof(*all));
	unsigned n[SEVERITY_COUNT] = { 0 };
	struct error e = { .code = ERR_NONE };
	struct difference d;

	ck_assert_ptr_nonnull(all);
	findings_start(all);
	log_of(&before, &was);
	log_of(&cases[_i].is, &is);
	ck_assert(set_capture(&was, BANK_SHA256, PCRS, &known.set, &e));
	ck_assert(measured_open(&is, BANK_SHA256, PCRS, &m, &e));
	ck_assert(diff_measured(&m, PCRS, &known, all, &d, &e));
	for (unsigned i = 0; i < all->count; i++) {
		n[all->list[i].severity]++;
		printf("%s: %s: %s\n", cases[_i].label, severity_word(all->list[i].severity), all->list[i].text);
	}
	ck_assert_msg(d.reason == cases[_i].reason, "%s: %s", cases[_i].label, reason_code(d.reason));
	ck_assert_msg(!strncmp(all->list[0].text, cases[_i].text, strlen(cases[_i].text)), "%s: %s", cases[_i].label, all->list[0].text);
	ck_assert_msg(n[SEVERITY_BENIGN_LIKELY] == cases[_i].calm && n[SEVERITY_UNKNOWN] == cases[_i].unknown &&
	    n[SEVERITY_ALARMING] == cases[_i].alarming, "%s: %u benign-likely, %u unknown, %u alarming", cases[_i].label,
	    n[SEVERITY_BENIGN_LIKELY], n[SEVERITY_UNKNOWN], n[SEVERITY_ALARMING]);
	set_free(&known.set);
	free(all);
}
END_TEST

/* Which entries came and went, line by line; from a set that went through its packed form. */
START_TEST(revocations_are_listed)
{
	static const struct boot before = { .dbx = 3 }, after = { .dbx = -2 };
	own(eventlog) struct eventlog was = { 0 }, is = { 0 };
	own(measured) struct measured m = { 0 };
	own(set) struct reference_set set = { 0 };
	struct known_set known = { .label = "known", .own_host = true };
	struct findings *all = malloc(sizeof(*all));
	static uint8_t buf[64 << 10];
	struct writer w = wr_open(buf, sizeof(buf));
	struct error e = { .code = ERR_NONE };
	struct difference d;
	struct reader r;

	ck_assert_ptr_nonnull(all);
	findings_start(all);
	log_of(&before, &was);
	log_of(&after, &is);
	ck_assert(set_capture(&was, BANK_SHA256, PCRS, &set, &e));
	set_pack(&set, &w);
	r = rd_open(buf, w.used);
	ck_assert(wr_ok(&w, &e) && set_unpack(&r, &known.set, &e) && measured_open(&is, BANK_SHA256, PCRS, &m, &e));
	memset(buf, 0xff, sizeof(buf));         /* the set must not point into it */
	ck_assert(diff_measured(&m, PCRS, &known, all, &d, &e));
	ck_assert_uint_eq(all->count, 1);
	ck_assert_uint_eq(all->ndetails, 5);
	ck_assert_str_eq(all->detail[0].text, "removed 0100000000000000...");
	ck_assert_str_eq(all->detail[3].text, "added 6400000000000000000000000000000000000000000000000000000000000000");
	/* Two sets know no more than the beginnings. */
	findings_start(all);
	diff_sets(&set, &known.set, all);
	ck_assert_uint_eq(all->count, 0);
	set_free(&known.set);
	ck_assert(set_capture(&is, BANK_SHA256, PCRS, &known.set, &e));
	diff_sets(&set, &known.set, all);
	ck_assert_str_eq(all->list[0].text, "dbx: 3 -> 2 entries, 2 added, 3 removed (PCR 7)");
	ck_assert_str_eq(all->detail[3].text, "added 6400000000000000...");
	set_free(&known.set);
	free(all);
}
END_TEST

/* A line stays with its finding when another one comes to the front, and through the packed form; none speaks for nobody. */
START_TEST(details_stay_with_their_finding)
{
	struct findings *all = malloc(sizeof(*all)), *back = malloc(sizeof(*back));
	static uint8_t buf[64 << 10];
	struct writer w = wr_open(buf, sizeof(buf));
	struct error e = { .code = ERR_NONE };
	struct reader r;

	ck_assert(all && back);
	findings_start(all);
	for (unsigned i = 0; i < 3; i++)
		finding_detail(all, finding_add(all, (enum reason)(REASON_FIRMWARE_CHANGED + (int)i), SEVERITY_UNKNOWN, CLAIM_HARDWARE), "of %u", i);
	findings_lead(all, (enum reason)(REASON_FIRMWARE_CHANGED + 1));
	for (unsigned i = 0; i < all->ndetails; i++)
		ck_assert_int_eq(all->list[all->detail[i].finding].code, REASON_FIRMWARE_CHANGED + (int)i);
	findings_pack(all, &w);
	r = rd_open(buf, w.used);
	ck_assert(wr_ok(&w, &e) && findings_unpack(&r, back, &e) && rd_end(&r, &e) && back->ndetails == 3);
	ck_assert_str_eq(back->detail[2].text, "of 2");
	for (unsigned i = 0; i < DETAILS_MAX; i++)
		finding_detail(all, &all->list[0], "more\n");
	ck_assert(all->ndetails == DETAILS_MAX && all->more_details == 3 && !strcmp(all->detail[3].text, "more?"));
	all->detail[0].finding = 3;
	w = wr_open(buf, sizeof(buf));
	findings_pack(all, &w);
	r = rd_open(buf, w.used);
	ck_assert(!findings_unpack(&r, back, &e) && strstr(e.why, "detail 0 of finding 3"));
	free(all);
	free(back);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, says_and_classes, 0, COUNT(cases));
	tcase_add_test(tc, revocations_are_listed);
	tcase_add_test(tc, details_stay_with_their_finding);
}

int main(void) { return unit_run("updates", add); }
