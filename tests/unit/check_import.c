/* Golden measurements of other projects: what becomes a set, what is said to stay behind, and what is refused. */
#include "made_log.h"
#include "match.h"
#include "set_import.h"

enum { TEXT_MAX = 256 << 10 };

static struct imported got;

static bool
read_text(const char *text, struct error *e)
{
	imported_free(&got);
	return import_read(text, strlen(text), &got, e);
}

/* --- .pcrlock --- */

/* The events of these PCRs as records, from event number `from` to before `to` of PCR 4. */
static void
records(char *out, const struct eventlog *log, uint32_t pcrs, unsigned from, unsigned to)
{
	unsigned images = 0;
	bool any = false;

	strcat(out, "{\\\"records\\\":[");
	for (unsigned i = 0; i < log->count; i++) {
		const struct event *ev = &log->event[i];
		unsigned n = ev->pcr == 4 ? images++ : from;
		char line[256];

		if (!event_counts(ev, BANK_SHA256, pcrs) || n < from || (ev->pcr == 4 && n >= to))
			continue;
		snprintf(line, sizeof(line), "%s{\\\"pcr\\\":%u,\\\"digests\\\":[{\\\"hashAlg\\\":\\\"sha1\\\",\\\"digest\\\":\\\"00\\\"},"
		    "{\\\"hashAlg\\\":\\\"sha256\\\",\\\"digest\\\":\\\"", any ? "," : "", ev->pcr);
		strcat(out, line);
		for (unsigned k = 0; k < 32; k++)
			sprintf(out + strlen(out), "%02x", ev->digest[BANK_SHA256][k]);
		strcat(out, "\\\"}]}");
		any = true;
	}
	strcat(out, "]}");
}

static void
file(char *out, const char *path, const struct eventlog *log, uint32_t pcrs, unsigned from, unsigned to)
{
	sprintf(out + strlen(out), "%s{\"path\":\"%s\",\"text\":\"", out[strlen(out) - 1] == '[' ? "" : ",\n", path);
	records(out, log, pcrs, from, to);
	strcat(out, "\"}");
}

static bool
use_all(const struct known_set *s, const void *arg)
{
	(void)arg;
	return s->active;
}

static struct match
match_imported(const struct eventlog *log, uint32_t pcrs)
{
	struct known_set sets[IMPORT_SETS_MAX] = { { .active = true } };
	struct error e = { .code = ERR_NONE };
	own(measured) struct measured m = { 0 };
	struct match match;

	for (unsigned i = 0; i < got.count; i++)
		sets[i] = (struct known_set){ .active = true, .set = got.set[i] };
	ck_assert(measured_open(log, BANK_SHA256, pcrs, &m, &e));
	match_log(&m, sets, got.count, use_all, NULL, &match);
	return match;
}

/* Two kernels, each with its UKI's sections, on one firmware: both boots are known, and no mixture of them. */
START_TEST(pcrlock_alternatives_unite)
{
	enum { PCRS = 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7 | 1u << 11 };
	own(eventlog) struct eventlog uki = { 0 }, sd = { 0 };
	own(mem) char *text = calloc(1, TEXT_MAX);
	struct error e = { .code = ERR_NONE };

	vm_log("sdboot-uki", &uki);
	vm_log("sdboot-1", &sd);
	strcpy(text, "{\"files\":[");
	file(text, "650-kernel.pcrlock.d/uki.pcrlock", &uki, 1u << 4 | 1u << 11, 3, 99);
	file(text, "250-firmware-code.pcrlock", &uki, 1u << 0 | 1u << 2, 0, 0);
	file(text, "640-boot-loader.pcrlock", &uki, 1u << 4, 0, 3);
	file(text, "650-kernel.pcrlock.d/bare.pcrlock", &sd, 1u << 4 | 1u << 11, 3, 99);
	file(text, "240-secureboot-policy.pcrlock", &uki, 1u << 7 | 1u << 14, 0, 0);
	strcat(text, "]}");
	ck_assert_msg(read_text(text, &e), "%s", e.why);
	ck_assert_uint_eq(got.count, 2);
	ck_assert_uint_eq(got.set[0].parts, 0xf);
	ck_assert_uint_eq(got.set[1].parts, 1u << COMPONENT_BOOT_ENTRY);
	ck_assert_uint_eq(match_imported(&uki, PCRS).unknown, 0);
	ck_assert_uint_eq(match_imported(&sd, PCRS).unknown, 0);
	ck_assert_uint_eq(match_imported(&sd, PCRS | 1u << 14).unknown, 1u << COMPONENT_SECUREBOOT);
	ck_assert_str_eq(got.origin, "5 .pcrlock files");
	ck_assert_msg(strstr(got.remarks, "secureboot: nothing is said of PCR 14"), "%s", got.remarks);
	set_free(&got.set[1]);
	got.count = 1;
	ck_assert(match_imported(&sd, PCRS).unknown == 1u << COMPONENT_BOOT_ENTRY || match_imported(&uki, PCRS).unknown == 1u << COMPONENT_BOOT_ENTRY);
	imported_free(&got);
}
END_TEST

#define D "\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}]"
#define PHASE "\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"51e6b92f405d1f98d96e3de343d61d420ad6923b25de21d766f9298192f14fed\"}]"
#define FILE_OF(path, text) "{\"files\":[{\"path\":\"" path "\",\"text\":\"" text "\"}]}"

/* What is taken: how many entries, of which components, and what is said beside. */
static const struct { const char *text; unsigned entries, parts; const char *remark; } taken[] = {
	{ "{\"records\":[{\"pcr\":0," D "},{\"pcr\":2," D "}]}", 2, 1u << COMPONENT_FIRMWARE, "" },
	{ " \n[{\"pcr\":7,\"recnum\":3,\"content_type\":\"x\",\"content\":{\"y\":1}," D "}]", 1, 1u << COMPONENT_SECUREBOOT, "PCR 14" },
	{ "[{\"pcr\":4," D "}]", 1, 1u << COMPONENT_LOADER, "" },
	{ "[{\"pcr\":11," PHASE "},{\"pcr\":11," D "}]", 1, 1u << COMPONENT_BOOT_ENTRY, "boot phases" },
	{ "[{\"pcr\":15," D "},{\"pcr\":0," D "},{\"nv_index\":7," D "}]", 1, 1u << COMPONENT_FIRMWARE, "PCR 15 and higher" },
	{ "[{\"pcr\":9," D "},{\"pcr\":4," D "}]", 2, 1u << COMPONENT_LOADER | 1u << COMPONENT_BOOT_ENTRY, "" },
};

START_TEST(pcrlock_files_are_taken)
{
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(read_text(taken[_i].text, &e), "%s: %s", taken[_i].text, e.why);
	ck_assert_uint_eq(got.count, 1);
	ck_assert_uint_eq(got.set[0].count, taken[_i].entries);
	ck_assert_uint_eq(got.set[0].parts, taken[_i].parts);
	ck_assert_msg(strstr(got.remarks, taken[_i].remark), "%s", got.remarks);
	imported_free(&got);
}
END_TEST

/* --- Keylime --- */

#define H(c) "0x" c c c c c c c c c c c c c c c c
#define SHIM "\"shim_authcode_sha256\":\"" H("11aa") "\""
#define GRUB "\"grub_authcode_sha256\":\"" H("22bb") "\""
#define KERNEL "\"kernel_authcode_sha256\":\"" H("33cc") "\""
#define REST "\"initrd_plain_sha256\":\"0x00\",\"kernel_cmdline\":\".*\""
#define KEYLIME "{\"has_secureboot\":true,\"scrtm_and_bios\":[{}],\"pk\":[],\"kek\":[],\"db\":[],\"dbx\":[],\"mokdig\":[],\"mokxdig\":[]," \
	"\"vendor_db\":[],\"kernels\":[{" SHIM "," GRUB "," KERNEL "," REST "}]}"

/* The images of a boot, made to the digests above: the set grants loader and kernel, measured once or twice. */
START_TEST(keylime_chains_are_taken)
{
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(read_text(KEYLIME, &e), "%s", e.why);
	ck_assert_uint_eq(got.count, 2);
	ck_assert_uint_eq(got.set[0].count, 6);
	ck_assert_uint_eq(got.set[1].count, 5);
	ck_assert_uint_eq(got.set[0].parts, 1u << COMPONENT_LOADER | 1u << COMPONENT_BOOT_ENTRY);
	ck_assert_str_eq(got.set[0].entry[0].text, "Calling EFI Application from Boot Option");
	ck_assert_uint_eq(got.set[0].entry[0].digest[0], 0x3d);          /* FACTS 4.6 */
	ck_assert_uint_eq(got.set[0].entry[1].digest[0], 0xdf);
	ck_assert_uint_eq(got.set[0].entry[2].digest[0], 0x11);
	ck_assert_uint_eq(got.set[0].entry[5].digest[0], 0x33);
	for (unsigned i = 0; i < 3; i++)
		ck_assert(strstr(got.remarks, (const char *const[]){ "scrtm_and_bios: ", "has_secureboot: a rule", "kernel_cmdline: a rule" }[i]));
	ck_assert_msg(read_text("{\"kernels\":[{" SHIM "," GRUB "," REST "}]}", &e), "%s", e.why);
	ck_assert_uint_eq(got.count, 1);
	ck_assert_uint_eq(got.set[0].count, 4);
	ck_assert(strstr(got.remarks, "its kernel is in PCR 9"));
	imported_free(&got);
}
END_TEST

/* A recorded boot with Secure Boot, told by its three images alone. */
START_TEST(keylime_chain_of_a_recorded_boot)
{
	enum { PCRS = 1u << 4 | 1u << 11 };
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };
	char text[1024] = "{\"kernels\":[{";
	static const char *const keys[] = { "shim", "grub", "kernel" };
	unsigned n = 0;

	vm_log("sb-shimgrub-a", &log);
	for (unsigned i = 0; i < log.count && n < 3; i++) {
		const struct event *ev = &log.event[i];

		if (ev->pcr != 4 || ev->type != EV_EFI_BOOT_SERVICES_APPLICATION)
			continue;
		sprintf(text + strlen(text), "%s\"%s_authcode_sha256\":\"0x", n ? "," : "", keys[n]);
		for (unsigned k = 0; k < 32; k++)
			sprintf(text + strlen(text), "%02x", ev->digest[BANK_SHA256][k]);
		strcat(text, "\"");
		n++;
	}
	strcat(text, "}]}");
	ck_assert_msg(read_text(text, &e), "%s", e.why);
	ck_assert(match_imported(&log, PCRS).all);
	ck_assert_uint_eq(match_imported(&log, PCRS | 1u << 8 | 1u << 9).unknown, 1u << COMPONENT_BOOT_ENTRY);
	imported_free(&got);
}
END_TEST

/* --- refused --- */

#define RECORD "{\\\"pcr\\\":0,\\\"digests\\\":[{\\\"hashAlg\\\":\\\"sha256\\\",\\\"digest\\\":\\\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\\\"}]}"
static const struct { const char *text, *says; } wrong[] = {
	{ "", "line 1" },
	{ "{}", "schema: missing" },
	{ "7", "line 1" },
	{ "[]", "no record is of use" },
	{ "[", "000-file.pcrlock: line 1" },
	{ "[7]", "records[0]" },
	{ "[\n{\"pcr\":0," D "},\n{\"pcr\":99," D "}]", "line 3: records[1]: pcr: not from 0 to 23" },
	{ "[{\"pcr\":0}]", "line 1: records[0]: digests: missing" },
	{ "[{\"pcr\":0,\"digests\":[]}]", "digests: none is sha256" },
	{ "[{\"pcr\":0,\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":\"00\"}]}]", "digests: none is sha256" },
	{ "[{\"pcr\":0,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"00\"}]}]", "digests[0]: digest: not 32 bytes" },
	{ "[{\"pcr\":0,\"colour\":1," D "}]", "records[0]: colour: no such member" },
	{ "[{\"pcr\":15," D "}]", "no record is of use" },
	{ "{\"files\":7}", "files: not a list" },
	{ "{\"files\":[{}]}", "path: missing" },
	{ "{\"files\":[{\"path\":\"a.txt\",\"text\":\"[]\"}]}", "a.txt: not a .pcrlock file" },
	{ "{\"files\":[{\"path\":\".pcrlock\",\"text\":\"[]\"}]}", "not a .pcrlock file" },
	{ "{\"files\":[{\"path\":\"a.pcrlock.d/b.txt\",\"text\":\"[]\"}]}", "not a .pcrlock file" },
	{ "{\"files\":[{\"path\":\"a.pcrlock\",\"text\":\"[" RECORD "]\"},{\"path\":\"x/a.pcrlock\",\"text\":\"[" RECORD "]\"}]}", "a is there twice" },
	{ "{\"files\":[{\"path\":\"a.pcrlock\",\"text\":\"{\\\"records\\\":[\\n7]}\"}]}", "a.pcrlock: line 2: records[0]" },
	{ "{\"kernels\":[]}", "kernels: none" },
	{ "{\"kernels\":{}}", "kernels: not a list" },
	{ "{\"kernels\":[{}]}", "kernels[0]: two of shim" },
	{ "{\"kernels\":[{" SHIM "}]}", "kernels[0]: two of shim" },
	{ "{\"kernels\":[{" SHIM "," GRUB ",\"colour\":1}]}", "kernels[0]: colour: no such member" },
	{ "{\"kernels\":[{" SHIM ",\"grub_authcode_sha256\":\"22\"}]}", "grub_authcode_sha256: not 0x" },
	{ "{\"kernels\":[{" SHIM "," GRUB "}],\"colour\":1}", "colour: no such member" },
};

START_TEST(wrong_files_are_refused)
{
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(!read_text(wrong[_i].text, &e), "%s", wrong[_i].says);
	ck_assert_msg(strstr(e.why, wrong[_i].says), "%s: wanted '%s', got '%s'", wrong[_i].text, wrong[_i].says, e.why);
	ck_assert_uint_eq(got.count, 0);
}
END_TEST

/* Five components with three alternatives each are 243 ways to boot. */
START_TEST(alternatives_are_limited)
{
	struct error e = { .code = ERR_NONE };
	char text[8192] = "{\"files\":[";

	for (unsigned i = 0; i < 15; i++)
		sprintf(text + strlen(text), "%s{\"path\":\"%u.pcrlock.d/%u.pcrlock\",\"text\":\"[" RECORD "]\"}", i ? "," : "", i / 3, i % 3);
	strcat(text, "]}");
	ck_assert(!read_text(text, &e) && e.code == ERR_LIMIT);
}
END_TEST

static void
refused(const uint8_t *p, size_t n, void *arg)
{
	struct error e = { .code = ERR_NONE };
	char *text = strndup((const char *)p, n);

	(void)arg;
	ck_assert(!read_text(text, &e));
	ck_assert(*e.why);
	free(text);
}

START_TEST(no_prefix_is_a_file)
{
	static const char bundle[] = "{\"files\":[{\"path\":\"250-fw.pcrlock\",\"text\":\"[" RECORD "]\"}]}";
	static const char alone[] = "[{\"pcr\":0," D "}]";

	unit_prefixes((const uint8_t *)KEYLIME, sizeof(KEYLIME) - 1, refused, NULL);
	unit_prefixes((const uint8_t *)bundle, sizeof(bundle) - 1, refused, NULL);
	unit_prefixes((const uint8_t *)alone, sizeof(alone) - 1, refused, NULL);
}
END_TEST

static void
add(TCase *c)
{
	tcase_add_test(c, pcrlock_alternatives_unite);
	tcase_add_loop_test(c, pcrlock_files_are_taken, 0, COUNT(taken));
	tcase_add_test(c, keylime_chains_are_taken);
	tcase_add_test(c, keylime_chain_of_a_recorded_boot);
	tcase_add_loop_test(c, wrong_files_are_refused, 0, COUNT(wrong));
	tcase_add_test(c, alternatives_are_limited);
	tcase_add_test(c, no_prefix_is_a_file);
}

int main(void) { return unit_run("import", add); }
