#include "made_log.h"
#include "reference_json.h"

enum { PCRS = 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 14 };

static const char *const variants[] = { "sb-shimgrub-a", "sb-shimgrub-b", "sdboot-1", "sdboot-uki" };

static void
packed(const struct reference_set *set, uint8_t out[static SHA256_SIZE])
{
	size_t size = set_packed_size(set);
	own(mem) uint8_t *buf = malloc(size);
	struct writer w = wr_open(buf, size);

	set_pack(set, &w);
	ck_assert_uint_eq(w.used, size);
	ck_assert(digest_sha256(buf, size, out));
}

/* What is written reads back with the same content digest, and writes the same bytes again. */
static void
round_trip(const struct reference_set *set)
{
	struct error e = { .code = ERR_NONE };
	own(set) struct reference_set back = { 0 };
	own(mem) char *one = NULL, *two = NULL;
	uint8_t before[SHA256_SIZE], after[SHA256_SIZE];
	char origin[SET_ORIGIN_TEXT];
	size_t n, m;

	ck_assert_msg(set_json_write(set, "by \"kim\" \xc3\xa9", &one, &n, &e), "%s", e.why);
	ck_assert_uint_eq(n, strlen(one));
	ck_assert_msg(set_json_read(one, n, origin, &back, &e), "%s", e.why);
	ck_assert_str_eq(origin, "by \"kim\" \xc3\xa9");
	packed(set, before);
	packed(&back, after);
	ck_assert_mem_eq(before, after, SHA256_SIZE);
	ck_assert(set_json_write(&back, origin, &two, &m, &e) && n == m);
	ck_assert_str_eq(one, two);
}

START_TEST(recorded_boots_come_back)
{
	struct error e = { .code = ERR_NONE };
	own(eventlog) struct eventlog log = { 0 };
	own(set) struct reference_set set = { 0 };

	vm_log(variants[_i], &log);
	ck_assert_msg(set_capture(&log, BANK_SHA256, PCRS, &set, &e), "%s", e.why);
	round_trip(&set);
}
END_TEST

/* As large as a set can be, with the text that takes most room. */
START_TEST(largest_set_comes_back)
{
	own(set) struct reference_set set = { .bank = BANK_SHA512, .pcrs = 1u << 8,
		.parts = 1u << COMPONENT_BOOT_ENTRY, .count = SET_ENTRIES_MAX };

	set.entry = calloc(set.count, sizeof(*set.entry));
	for (unsigned i = 0; i < set.count; i++) {
		set.entry[i] = (struct set_entry){ .component = COMPONENT_BOOT_ENTRY, .scope = SCOPE_HOST, .pcr = 8,
			.type = UINT32_MAX, .digest = { (uint8_t)i }, .text_bound = true };
		memset(set.entry[i].text, '"', SET_TEXT - 1);
	}
	round_trip(&set);
}
END_TEST

#define HEAD "{\"schema\":1,\"origin\":\"o\",\"bank\":\"sha1\",\"pcrs\":[0,4,8],\"components\":[\"firmware\",\"loader\",\"boot-entry\"],\"host_only\":false,\"kind\":\"events\",\"entries\":[\n"
#define DIGEST "\"digest\":\"00112233445566778899aabbccddeeff00112233\""
#define GOOD "{\"component\":\"firmware\",\"scope\":\"fleet\",\"pcr\":0,\"type\":8," DIGEST ",\"bound\":false,\"text\":\"\"}"
static const char small[] = HEAD GOOD ",\n" GOOD "]}";

static bool
read_text(const char *text, size_t len, struct error *e)
{
	own(set) struct reference_set set = { 0 };
	char origin[SET_ORIGIN_TEXT] = "untouched";

	if (set_json_read(text, len, origin, &set, e))
		return true;
	ck_assert_str_eq(origin, "untouched");
	ck_assert_ptr_null(set.entry);
	return false;
}

/* The small set with one text replaced in it, and what the error must say. */
static const struct { const char *from, *to, *says; } wrong[] = {
	{ "{\"schema\":1", "{\"schema\":2", "schema: not from 1 to 1" },
	{ "\"schema\":1,", "", "schema: missing" },
	{ "\"origin\":\"o\"", "\"origin\":7", "origin: not a string" },
	{ "\"o\",", "\"o\",\"expires\":1,", "expires: no such member" },
	{ "sha1\"", "md5\"", "bank: 'md5' is none" },
	{ "[0,4,8]", "[]", "pcrs: none" },
	{ "[0,4,8]", "[0,0]", "pcrs[1]" },
	{ "[0,4,8]", "[4,0]", "pcrs[1]" },
	{ "[0,4,8]", "[24]", "pcrs[0]" },
	{ "[0,4,8]", "[4,8]", "line 2: entries[0]: pcr 0 is not one" },
	{ "[0,4,8]", "[0,4,7,8]", "PCRs of no component" },
	{ ",\"boot-entry\"]", ",\"soap\"]", "components[2]: 'soap' is none" },
	{ ",\"boot-entry\"]", ",\"firmware\"]", "components[2]: not in their order" },
	{ ",\"boot-entry\"]", ",7]", "components[2]: " },
	{ "\"firmware\",\"loader\"", "\"loader\"", "line 2: entries[0]: the set has no firmware" },
	{ ",\"loader\",", ",\"secureboot\",\"loader\",", "no PCR of secureboot" },
	{ "\"host_only\":false", "\"host_only\":0", "host_only: not true or false" },
	{ "\"host_only\":false", "\"host_only\":true", "line 2: entries[0]: pcr 0 is not one" },
	{ "\"events\"", "\"songs\"", "kind: 'songs' is neither" },
	{ "\"events\"", "\"values\"", "a set of values has one for each" },
	{ "\n" GOOD ",\n" GOOD, "", "entries: none" },
	{ ",\n" GOOD, ",\n7", "line 3: entries[1]" },
	{ ",\n" GOOD, ",\n{}", "line 3: entries[1]: component: missing" },
	{ "\"component\":\"firmware\"", "\"component\":\"soap\"", "line 2: entries[0]: component: 'soap' is none" },
	{ "\"component\":\"firmware\"", "\"component\":\"loader\"", "line 2: entries[0]: pcr 0 is not one" },
	{ "\"scope\":\"fleet\"", "\"scope\":\"moon\"", "line 2: entries[0]: scope: 'moon' is none" },
	{ "\"scope\":\"fleet\"", "\"scope\":\"host\"", "line 2: entries[0]: pcr 0 is not one" },
	{ "\"pcr\":0", "\"pcr\":24", "line 2: entries[0]: pcr: not from 0 to 23" },
	{ "\"pcr\":0", "\"pcr\":1", "line 2: entries[0]: pcr 1 is not one" },
	{ "\"type\":8", "\"type\":4294967296", "line 2: entries[0]: type: not from" },
	{ "\"type\":8", "\"type\":8,\"typ\":9", "line 2: entries[0]: typ: no such member" },
	{ "\"type\":8", "\"type\":8,\"type\":9", "line 2: type: given twice" },
	{ "00112233\"", "0011223\"", "line 2: entries[0]: digest: not 20 bytes in hex" },
	{ "00112233\"", "001122334455\"", "line 2: entries[0]: digest: not 20 bytes in hex" },
	{ "\"bound\":false", "\"bound\":0", "line 2: entries[0]: bound: not true or false" },
	{ "\"text\":\"\"", "\"text\":\"\\n\"", "line 2: entries[0]: text: not printable" },
	{ "\"text\":\"\"", "\"text\":\"\xc3\xa9\"", "line 2: entries[0]: text: not printable" },
	{ "\"text\":\"\"}", "\"text\":\"\",\"keys\":[\"0011223344556677\"]}", "line 2: entries[0]: keys: only secureboot" },
	{ "\"text\":\"\"}", "\"text\":\"\",\"keys\":[\"00112233445566\"]}", "line 2: entries[0]: keys[0]: not 8 bytes in hex" },
	{ "\"text\":\"\"}", "\"text\":\"\",\"keys\":[\"001122334455667788\"]}", "line 2: entries[0]: keys[0]: " },
	{ "\"text\":\"\"}", "\"text\":\"\",\"keys\":[7]}", "line 2: entries[0]: keys[0]: " },
	{ "\"text\":\"\"}", "\"text\":\"\",\"keys\":{}}", "line 2: entries[0]: keys: " },
	{ "\"text\":\"\"}", "\"text\":\"\"} x", "line 2: neither ',' nor ']'" },
	{ "]}", "]} x", "line 3: not JSON" },
};

START_TEST(wrong_sets_are_refused)
{
	struct error e = { .code = ERR_NONE };
	char text[2048];
	const char *at = strstr(small, wrong[_i].from);

	ck_assert_ptr_nonnull(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - small), small, wrong[_i].to, at + strlen(wrong[_i].from));
	ck_assert_msg(!read_text(text, strlen(text), &e), "%s", wrong[_i].says);
	ck_assert_msg(strstr(e.why, wrong[_i].says) != NULL, "wanted '%s', got '%s'", wrong[_i].says, e.why);
}
END_TEST

static void
refused(const uint8_t *p, size_t n, void *arg)
{
	struct error e = { .code = ERR_NONE };

	(void)arg;
	ck_assert(!read_text((const char *)p, n, &e));
	ck_assert(*e.why);
}

START_TEST(no_prefix_is_a_set)
{
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(read_text(small, sizeof(small) - 1, &e), "%s", e.why);
	unit_prefixes((const uint8_t *)small, sizeof(small) - 1, refused, NULL);
}
END_TEST

static void
add(TCase *c)
{
	tcase_add_loop_test(c, recorded_boots_come_back, 0, COUNT(variants));
	tcase_add_test(c, largest_set_comes_back);
	tcase_add_loop_test(c, wrong_sets_are_refused, 0, COUNT(wrong));
	tcase_add_test(c, no_prefix_is_a_set);
}

int
main(void)
{
	return unit_run("reference_json", add);
}
