#include "hex.h"
#include "ima_template.h"
#include "made_log.h"

/* FACTS' worked example: one record of an agent's test data, and what it hashes to. */
#define AGGREGATE "f4845392eca429a4c941a6a07fc32faf843a88c5c3dfa3b9329ab8f4171d9ce3"
#define DATA_NG   "28000000" "7368613235363a00" AGGREGATE "0f000000" "626f6f745f61676772656761746500"
#define SHA1_NG   "6309e2c83b7814367bb3912a55e5473454623535"
#define BINARY_NG "0a000000" SHA1_NG "06000000" "696d612d6e67" "3f000000" DATA_NG
#define ASCII_NG  "10 " SHA1_NG " ima-ng sha256:" AGGREGATE " boot_aggregate\n"
#define SHA1_SIG  "764a95ca14fc53e0be32aa5cc302f041400c8fe7"
#define ASCII_SIG "10 " SHA1_SIG " ima-sig sha256:" AGGREGATE " boot_aggregate "
#define SHA1_OLD  "d7026dc672344d3ee372217bdbc7395947788671"
#define ASCII_OLD "10 " SHA1_OLD " ima 6f66d1d8e2fffcc12dfcb78c04b81fe5b8bbae4e /usr/bin/kmod\n"
#define BINARY_OLD "0a000000" SHA1_OLD "03000000" "696d61" "6f66d1d8e2fffcc12dfcb78c04b81fe5b8bbae4e" "0d000000" "2f7573722f62696e2f6b6d6f64"
#define ZEROS     "0000000000000000000000000000000000000000"
#define VIOLATION "0a000000" ZEROS "06000000" "696d612d6e67" "2c000000" "1c000000" "7368613235363a00" ZEROS "08000000" "2f6c6f672f612e00"

static size_t
bytes_of(const char *text, bool ascii, uint8_t *buf, size_t size)
{
	size_t len = strlen(text);

	if (!ascii)
		return unhex(text, buf, size);
	ck_assert_uint_le(len, size);
	memcpy(buf, text, len);
	return len;
}

static void
hashes(const struct ima_entry *x, bool big_endian, enum bank b, const char *want)
{
	own(hashers) struct hashers h = { { NULL } };
	char hex[2 * DIGEST_MAX + 1];
	uint8_t is[DIGEST_MAX];

	ck_assert(ima_template_hash(&h, b, x, big_endian, is));
	hex_text(is, bank_size(b), hex);
	ck_assert_str_eq(hex, want);
}

START_TEST(worked_example)
{
	static const struct { const char *text; bool ascii; } same[] = { { BINARY_NG, false }, { ASCII_NG, true } };

	for (unsigned i = 0; i < COUNT(same); i++) {
		own(imalog) struct imalog l = { .ascii = false };
		struct ima_entry x;
		struct ima_fields f;
		struct error e;
		uint8_t buf[512];
		bool more;

		ck_assert_msg(imalog_open(buf, bytes_of(same[i].text, same[i].ascii, buf, sizeof(buf)), 7, &l, &e), "%s", e.why);
		ck_assert_msg(imalog_next(&l, &x, &more, &e) && more, "%s", e.why);
		ck_assert(x.number == 7 && x.pcr == 10 && !x.violation && !strcmp(x.name, "ima-ng") && x.data_len == 63);
		hashes(&x, false, BANK_SHA1, SHA1_NG);
		hashes(&x, false, BANK_SHA256, "28648d7f6d621b067d420dd97425f6874dbf8a779c7cee67d2408fa8096f77cf");
		hashes(&x, false, BANK_SHA384, "d16376a2ad0678e5a1bf68966fdf0a6f8754d41bfcfdc8822e3fd68f9cb3aba4742dc01618f0bdabce9f7fedaa0c05b4");
		ck_assert(ima_fields_read(&x, false, &f, &e) && f.judged && f.alg == IMA_ALG_SHA256 && !f.verity);
		ck_assert(f.path_len == 14 && !memcmp(f.path, "boot_aggregate", 14) && !f.sig.p && !f.buf.p && !f.modsig.p);
		ck_assert(imalog_next(&l, &x, &more, &e) && !more);
	}
}
END_TEST

/* X in every bank, each as it is extended. */
START_TEST(what_is_extended)
{
	static const struct { const char *text; bool ascii; enum bank bank; enum ima_way way; const char *value; } want[] = {
		{ BINARY_NG, false, BANK_SHA256, IMA_WAY_REAL, "ddf66344425db4dd67412ffef4317585a360f8b402cf67614d9cd194121add6a" },
		{ VIOLATION, false, BANK_SHA256, IMA_WAY_REAL, "bba91ca85dc914b2ec3efb9e16e7267bf9193b14350d20fba8a8b406730ae30a" },
		{ VIOLATION, false, BANK_SHA256, IMA_WAY_PADDED, "bba91ca85dc914b2ec3efb9e16e7267bf9193b14350d20fba8a8b406730ae30a" },
		{ VIOLATION, false, BANK_SHA1, IMA_WAY_REAL, "bac37b84f007d0238af95af707cac8d61254870e" },
		{ VIOLATION, false, BANK_SHA1, IMA_WAY_PADDED_OLD, "bac37b84f007d0238af95af707cac8d61254870e" },
	};

	for (unsigned i = 0; i < COUNT(want); i++) {
		own(imalog) struct imalog l = { .ascii = false };
		own(hashers) struct hashers h = { { NULL } };
		uint8_t buf[512], value[DIGEST_MAX] = { 0 };
		char hex[2 * DIGEST_MAX + 1];
		struct ima_entry x;
		struct error e;
		bool more;

		ck_assert(imalog_open(buf, bytes_of(want[i].text, want[i].ascii, buf, sizeof(buf)), 0, &l, &e) && imalog_next(&l, &x, &more, &e));
		ck_assert(ima_extend(&h, want[i].bank, want[i].way, &x, false, value));
		hex_text(value, bank_size(want[i].bank), hex);
		ck_assert_str_eq(hex, want[i].value);
	}
}
END_TEST

/* Zero-padded: SHA-1's template hash and zeros up to the width; a violation is ff over SHA-1's part only in old kernels. */
START_TEST(padded_banks)
{
	static const char *const text[] = { BINARY_NG, VIOLATION };

	for (unsigned i = 0; i < COUNT(text); i++) {
		own(imalog) struct imalog l = { .ascii = false };
		own(hashers) struct hashers h = { { NULL } };
		uint8_t buf[512], with[DIGEST_MAX] = { 0 }, want[DIGEST_MAX] = { 0 }, is[DIGEST_MAX] = { 0 };
		struct ima_entry x;
		struct error e;
		bool more;

		ck_assert(imalog_open(buf, unhex(text[i], buf, sizeof(buf)), 0, &l, &e) && imalog_next(&l, &x, &more, &e));
		if (x.violation)
			memset(with, 0xff, 20);
		else
			unhex(SHA1_NG, with, sizeof(with));
		ck_assert(digest_extend(BANK_SHA384, want, with));
		ck_assert(ima_extend(&h, BANK_SHA384, IMA_WAY_PADDED_OLD, &x, false, is));
		ck_assert_mem_eq(is, want, 48);
		memset(is, 0, sizeof(is));
		ck_assert(ima_extend(&h, BANK_SHA384, IMA_WAY_PADDED, &x, false, is));
		ck_assert(!memcmp(is, want, 48) == !x.violation);
	}
}
END_TEST

START_TEST(ascii_is_binary)
{
	static const struct { const char *ascii, *hash; } line[] = {
		{ ASCII_NG, SHA1_NG }, { ASCII_SIG, SHA1_SIG }, { ASCII_OLD, SHA1_OLD },
		{ "10 " SHA1_SIG " ima-sig sha256:" AGGREGATE " boot_aggregate\n", SHA1_SIG },     /* an editor dropped the last space */
		{ " 9 " SHA1_NG " d-ng|n-ng sha256:" AGGREGATE " boot_aggregate", SHA1_NG },
	};

	for (unsigned i = 0; i < COUNT(line); i++) {
		own(imalog) struct imalog l = { .ascii = false };
		struct ima_entry x;
		struct error e;
		bool more;

		ck_assert(imalog_open(line[i].ascii, strlen(line[i].ascii), 0, &l, &e));
		ck_assert_msg(imalog_next(&l, &x, &more, &e) && more, "%u: %s", i, e.why);
		hashes(&x, false, BANK_SHA1, line[i].hash);
	}
}
END_TEST

static const struct { const char *label, *text; bool ascii; unsigned entries; enum err code; const char *why; } lists[] = {
	{ "nothing",         "", false, 0, ERR_NONE, "" },
	{ "three",           BINARY_NG BINARY_OLD VIOLATION, false, 3, ERR_NONE, "" },
	{ "stray bytes",     BINARY_NG "0a00", false, 1, ERR_FORMAT, "entry 1 at offset 101: pcr index: does not fit, 2 bytes left" },
	{ "stray newline",   BINARY_NG "0a", false, 1, ERR_FORMAT, "entry 1 at offset 101" },
	{ "no such PCR",     BINARY_NG "18000000" SHA1_NG "01000000" "6e" "00000000", false, 1, ERR_FORMAT, "entry 1 at offset 101: pcr index 24: no such PCR" },
	{ "PCR -1",          BINARY_NG "ffffffff" SHA1_NG "01000000" "6e" "00000000", false, 1, ERR_FORMAT, "pcr index 4294967295" },
	{ "a name with NUL", BINARY_NG "0a000000" SHA1_NG "03000000" "610062" "00000000", false, 1, ERR_FORMAT, "template name: not one string" },
	{ "a name in red",   BINARY_NG "0a000000" SHA1_NG "03000000" "1b5b31" "00000000", false, 1, ERR_FORMAT, "template name: not printable" },
	{ "no list",         "this-is-an-invalid-ima-log-file", true, 0, ERR_FORMAT, "neither a binary nor an ascii IMA list" },
	{ "two lines",       ASCII_NG ASCII_OLD, true, 2, ERR_NONE, "" },
	{ "empty lines",     ASCII_NG "\n\n" ASCII_OLD "\n", true, 2, ERR_NONE, "" },
	{ "pcr 24",          "24 " SHA1_NG " ima-ng sha1:" ZEROS " x", true, 0, ERR_FORMAT, "pcr index: no such PCR" },
	{ "pcr 4294967306",  "4294967306 " SHA1_NG " ima-ng sha1:" ZEROS " x", true, 0, ERR_FORMAT, "pcr index: no such PCR" },
	{ "pcr alone",       "10", true, 0, ERR_FORMAT, "template hash: 0 bytes" },
	{ "hash too short",  "10 6309 ima-ng sha1:" ZEROS " x", true, 0, ERR_FORMAT, "template hash: 2 bytes" },
	{ "hash too long",   "10 " AGGREGATE AGGREGATE "00 ima-ng sha1:" ZEROS " x", true, 0, ERR_FORMAT, "template hash: not hex" },
	{ "hash no hex",     "10 " "x309e2c83b7814367bb3912a55e5473454623535 ima-ng sha1:" ZEROS " x", true, 0, ERR_FORMAT, "template hash: not hex" },
	{ "other hash",      ASCII_NG "10 " AGGREGATE " ima-ng sha1:" ZEROS " x", true, 1, ERR_FORMAT, "template hash: 32 bytes, but 20 before" },
	{ "no template",     "10 " SHA1_NG, true, 0, ERR_FORMAT, "template name: not 1 to" },
	{ "odd template",    "10 " SHA1_NG " ima-next sha1:" ZEROS " x", true, 0, ERR_FORMAT, "template ima-next: unknown" },
	{ "no name",         "10 " SHA1_NG " ima-ng sha1:" ZEROS, true, 0, ERR_FORMAT, "no file name" },
	{ "digest no hex",   "10 " SHA1_NG " ima-ng sha1:Ic026ae66d81713e4e852465e980784dc96651f8 x", true, 0, ERR_FORMAT, "digest: not hex" },
	{ "digest odd",      "10 " SHA1_NG " ima-ng sha1:000 x", true, 0, ERR_FORMAT, "digest: not hex" },
	{ "digest untagged", "10 " SHA1_NG " ima-ng " ZEROS " x", true, 0, ERR_FORMAT, "digest: no algorithm" },
	{ "old, 21 bytes",   "10 " SHA1_NG " ima " ZEROS "cc x", true, 0, ERR_FORMAT, "digest: not 20 bytes in hex" },
	{ "no number",       "10 " SHA1_NG " evm-sig sha1:" ZEROS " x      0 0 a", true, 0, ERR_FORMAT, "number: not decimal" },
};

START_TEST(lists_are_read)
{
	own(imalog) struct imalog l = { .ascii = false };
	struct error e = { .code = ERR_NONE };
	struct ima_entry x;
	uint8_t buf[1024];
	size_t len = bytes_of(lists[_i].text, lists[_i].ascii, buf, sizeof(buf));
	unsigned n = 0;
	bool more = true;

	if (imalog_open(buf, len, 0, &l, &e))
		while (imalog_next(&l, &x, &more, &e) && more)
			n++;
	ck_assert_msg(n == lists[_i].entries && e.code == lists[_i].code && (!*lists[_i].why || strstr(e.why, lists[_i].why)),
	    "%s: %u entries, %s", lists[_i].label, n, e.why);
}
END_TEST

START_TEST(too_long)
{
	static uint8_t zero[64];
	struct writer w = wr_open(zero, sizeof(zero));
	struct imalog l;
	struct error e;

	ck_assert(!imalog_open(zero, (size_t)IMA_FILE_MAX + 1, 0, &l, &e) && e.code == ERR_LIMIT);
	ck_assert(!imalog_pack(zero, IMA_LIST_MAX + 1, 0, &w, &e) && e.code == ERR_LIMIT);
}
END_TEST

/* --- fields --- */

#define NG    "1a000000" "736861313a00" "00112233445566778899aabbccddeeff00112233"
#define NAME  "03000000" "2f6100"
#define EMPTY "00000000"
static const struct { const char *label, *name, *data; bool judged; const char *why; } entries[] = {
	{ "ng",             "ima-ng",    NG NAME, true, NULL },
	{ "ngv2",           "ima-ngv2",  "1e000000" "696d613a736861313a00" "00112233445566778899aabbccddeeff00112233" NAME, true, NULL },
	{ "verity",         "ima-sigv2", "21000000" "7665726974793a736861313a00" "00112233445566778899aabbccddeeff00112233" NAME EMPTY, true, NULL },
	{ "sig",            "ima-sig",   NG NAME "02000000" "0302", true, NULL },
	{ "buf",            "ima-buf",   NG NAME "02000000" "0302", true, NULL },
	{ "modsig, none",   "ima-modsig", NG NAME EMPTY EMPTY EMPTY, true, NULL },
	{ "modsig",         "ima-modsig", NG NAME EMPTY NG "01000000" "30", true, NULL },
	{ "evm-sig",        "evm-sig",   NG NAME EMPTY "01000000" "00" EMPTY EMPTY "04000000" "00000000" "04000000" "00000000" "02000000" "ed81", true, NULL },
	{ "a field list",   "d-ng|n-ng", NG NAME, true, NULL },
	{ "the other way",  "n-ng|d-ng", NAME NG, false, NULL },
	{ "sig first",      "sig|n-ng|d-ng", EMPTY NAME NG, false, NULL },
	{ "one field",      "n",         NAME, false, NULL },
	{ "unknown",        "ima-next",  NG NAME, false, "template ima-next: unknown" },
	{ "empty list",     "d-ng||n-ng", NG NAME, false, "unknown" },
	{ "too many",       "n|n|n|n|n|n|n|n|n|n|n|n|n|n|n|n|n", NAME, false, "unknown" },
	{ "a field twice",  "d-ng|n-ng|d-ng", NG NAME NG, false, "a field comes twice" },
	{ "stray",          "ima-ng",    NG NAME "00", false, "1 stray bytes" },
	{ "no name",        "ima-ng",    NG, false, "field length: does not fit" },
	{ "length -1",      "ima-ng",    NG "ffffffff" "2f6100", false, "field: does not fit" },
	{ "length 2^31",    "ima-ng",    NG "00000080" "2f6100", false, "field: does not fit" },
	{ "length 1",       "ima-ng",    NG "01000000" "2f6100", false, "file name: not one string" },
	{ "length 0",       "ima-ng",    NG "00000000" "2f6100", false, "file name: not one string" },
	{ "NUL in name",    "ima-ng",    NG "04000000" "2f006100", false, "file name: not one string" },
	{ "no NUL",         "ima-ng",    NG "02000000" "2f61", false, "file name: not one string" },
	{ "digest short",   "ima-ng",    "07000000" "736861313a0011" NAME, false, "not of the size of sha1" },
	{ "no algorithm",   "ima-ng",    "05000000" "7368613100" NAME, false, "no algorithm stands before it" },
	{ "odd algorithm",  "ima-ng",    "07000000" "7368613a0011" "22" NAME, false, "of an unknown algorithm" },
	{ "v2 without kind", "ima-ngv2", NG NAME, false, "neither of a file nor of fs-verity" },
	{ "v2 of nothing",  "ima-ngv2",  "05000000" "696d613a00" NAME, false, "neither of a file nor of fs-verity" },
	{ "old",            "ima",       "00112233445566778899aabbccddeeff00112233" "02000000" "2f61", true, NULL },
	{ "old with NUL",   "ima",       "00112233445566778899aabbccddeeff00112233" "02000000" "2f00", false, "file name: not one string" },
	{ "old, -1",        "ima",       "00112233445566778899aabbccddeeff00112233" "ffffffff" "2f61", false, "file name: does not fit" },
	{ "old, stray",     "ima",       "00112233445566778899aabbccddeeff00112233" "01000000" "2f61", false, "1 stray bytes" },
};

START_TEST(fields)
{
	struct ima_entry x = { .pcr = 10 };
	struct error e = { .code = ERR_NONE };
	struct ima_fields f;
	uint8_t buf[256];
	bool ok;

	strcpy(x.name, entries[_i].name);
	x.data_len = (uint32_t)unhex(entries[_i].data, buf, sizeof(buf));
	x.data = buf;
	ok = ima_fields_read(&x, false, &f, &e);
	ck_assert_msg(ok == !entries[_i].why && (ok || strstr(e.why, entries[_i].why)), "%s: %s", entries[_i].label, e.why);
	if (ok && entries[_i].judged)
		ck_assert_msg(f.judged && f.alg == IMA_ALG_SHA1 && f.digest[19] == 0x33 && f.path_len == 2 && !memcmp(f.path, "/a", 2), "%s", entries[_i].label);
	else if (ok)
		ck_assert_msg(!f.judged, "%s", entries[_i].label);
}
END_TEST

static void
cut_fields(const uint8_t *p, size_t len, void *arg)
{
	struct ima_entry x = { .pcr = 10, .data = p, .data_len = (uint32_t)len };
	struct ima_fields f;
	struct error e;

	strcpy(x.name, arg);
	ck_assert(!ima_fields_read(&x, false, &f, &e));
}

START_TEST(no_prefix_of_data_passes)
{
	char name[IMA_TEMPLATE_MAX + 1];
	uint8_t buf[256];

	for (unsigned i = 0; i < COUNT(entries); i++)
		if (!entries[i].why) {
			strcpy(name, entries[i].name);
			unit_prefixes(buf, unhex(entries[i].data, buf, sizeof(buf)), cut_fields, name);
		}
}
END_TEST

/* A list of a big-endian host: its lengths stand in the data as that host hashed them. */
START_TEST(big_endian)
{
	static const char data[] = "00000028" "7368613235363a00" AGGREGATE "0000000f" "626f6f745f61676772656761746500";
	static const char old[] = "6f66d1d8e2fffcc12dfcb78c04b81fe5b8bbae4e" "0000000d" "2f7573722f62696e2f6b6d6f64";
	uint8_t buf[512], out[1024], sha1[20];
	char hex[1024], text[41];
	struct writer w = wr_open(out, sizeof(out));
	struct reader r;
	struct ima_list l;
	struct ima_entry x;
	struct ima_fields f;
	struct error e;

	ck_assert(digest(BANK_SHA1, buf, unhex(data, buf, sizeof(buf)), sha1));
	hex_text(sha1, sizeof(sha1), text);
	snprintf(hex, sizeof(hex), "0000000a%s00000006696d612d6e670000003f%s" "0000000a%s00000003696d61%s", text, data, SHA1_OLD, old);
	ck_assert_msg(imalog_pack(buf, unhex(hex, buf, sizeof(buf)), 0, &w, &e), "%s", e.why);
	r = rd_open(out, w.used);
	ck_assert(ima_list_open(&r, &l, &e) && l.form.big_endian && l.count == 2 && ima_list_next(&l, &x, &e));
	hashes(&x, true, BANK_SHA1, text);
	ck_assert(ima_fields_read(&x, true, &f, &e) && f.judged && f.path_len == 14 && !ima_fields_read(&x, false, &f, &e));
	ck_assert(ima_list_next(&l, &x, &e));
	hashes(&x, true, BANK_SHA1, SHA1_OLD);          /* without lengths, so the same on every host */
	ck_assert(ima_fields_read(&x, true, &f, &e) && f.path_len == 13);
}
END_TEST

/* A violation's digest is zeros of whatever size the kernel had; only its name is read. */
START_TEST(violation_has_no_digest)
{
	own(imalog) struct imalog l = { .ascii = false };
	struct ima_entry x;
	struct ima_fields f;
	struct error e;
	uint8_t buf[256];
	bool more;

	ck_assert(imalog_open(buf, unhex(VIOLATION, buf, sizeof(buf)), 0, &l, &e) && imalog_next(&l, &x, &more, &e) && x.violation);
	ck_assert(ima_fields_read(&x, false, &f, &e) && f.judged && !f.digest && f.path_len == 7);
}
END_TEST

/* --- packed --- */

static size_t
pack(const char *hex, uint64_t first, uint8_t *out, size_t size)
{
	uint8_t buf[1024];
	struct writer w = wr_open(out, size);
	struct error e;

	ck_assert_msg(imalog_pack(buf, unhex(hex, buf, sizeof(buf)), first, &w, &e), "%s", e.why);
	return w.used;
}

START_TEST(packed_again)
{
	uint8_t out[1024];
	struct reader r = rd_open(out, pack(BINARY_NG BINARY_OLD VIOLATION, 41, out, sizeof(out)));
	struct ima_list l;
	struct ima_entry x;
	struct error e;

	ck_assert(ima_list_open(&r, &l, &e) && rd_end(&r, &e) && l.count == 3 && l.first == 41);
	ck_assert(ima_list_next(&l, &x, &e) && x.number == 41);
	hashes(&x, false, BANK_SHA1, SHA1_NG);
	ck_assert(ima_list_next(&l, &x, &e) && !strcmp(x.name, "ima"));
	hashes(&x, false, BANK_SHA1, SHA1_OLD);
	ck_assert(ima_list_next(&l, &x, &e) && x.violation && x.number == 43);
	ck_assert(!ima_list_next(&l, &x, &e) && e.code == ERR_LIMIT);
}
END_TEST

static void
cut_packed(const uint8_t *p, size_t len, void *arg)
{
	struct reader r = rd_open(p, len);
	struct ima_list l;
	struct error e;

	(void)arg;
	ck_assert(!ima_list_open(&r, &l, &e));
}

START_TEST(no_prefix_of_packed_passes)
{
	uint8_t out[1024];

	unit_prefixes(out, pack(BINARY_NG BINARY_OLD VIOLATION, 41, out, sizeof(out)), cut_packed, NULL);
}
END_TEST

/* Every byte of a packed list another: it opens and reads, or is refused; nothing else. */
START_TEST(packed_lies)
{
	uint8_t out[1024];
	size_t len = pack(BINARY_NG BINARY_OLD VIOLATION, 0, out, sizeof(out));

	for (size_t i = 0; i < len; i++)
		for (unsigned v = 1; v < 256; v <<= 1) {
			struct reader r = rd_open(out, len);
			struct ima_list l;
			struct ima_entry x;
			struct ima_fields f;
			struct error e;

			out[i] ^= (uint8_t)v;
			if (ima_list_open(&r, &l, &e))
				for (uint32_t n = 0; n < l.count && ima_list_next(&l, &x, &e); n++)
					(void)!ima_fields_read(&x, l.form.big_endian, &f, &e);
			out[i] ^= (uint8_t)v;
		}
}
END_TEST

START_TEST(packed_lengths)
{
	static const uint32_t lengths[] = { 0, 1, 0xffffffff, 0x80000000, 0x7fffffff };
	enum { FIRST_LOW = 6, COUNT_AT = 10, SIZE_AT = 14, DATA_LEN_AT = 18 + 3 + 6 };
	static const size_t at[] = { FIRST_LOW, COUNT_AT, SIZE_AT, DATA_LEN_AT };
	uint8_t good[1024], out[1024];
	size_t len = pack(BINARY_NG VIOLATION, 0, good, sizeof(good));

	for (unsigned i = 0; i < COUNT(at); i++)
		for (unsigned k = 0; k < COUNT(lengths); k++) {
			struct writer w = wr_open(out + at[i], 4);
			struct reader r = rd_open(out, len);
			struct ima_list l = { .count = 0 };
			struct ima_entry x;
			struct error e;
			uint32_t n = 0;
			bool ok;

			memcpy(out, good, len);
			wr_be32(&w, lengths[k], "length");
			ok = ima_list_open(&r, &l, &e) && rd_end(&r, &e);
			while (ok && n < l.count && (ok = ima_list_next(&l, &x, &e)))
				n++;
			/* the first number may be any small one; nothing else may be another */
			ck_assert_msg(!ok || (at[i] == FIRST_LOW && lengths[k] <= 1), "at %zu: %u", at[i], lengths[k]);
		}
}
END_TEST

START_TEST(too_many_entries)
{
	uint8_t buf[1024], out[1024];
	size_t len = unhex(BINARY_NG BINARY_NG, buf, sizeof(buf));
	struct writer w = wr_open(out, sizeof(out));
	struct error e;

	ck_assert(imalog_pack(buf, len, IMA_ENTRIES_MAX - 2, &w, &e));
	w = wr_open(out, sizeof(out));
	ck_assert(!imalog_pack(buf, len, IMA_ENTRIES_MAX - 1, &w, &e) && e.code == ERR_LIMIT);
}
END_TEST

/* --- recorded --- */

static bool
all_of(const uint8_t *list, size_t len, enum bank b, enum ima_way way, uint8_t *value)
{
	own(imalog) struct imalog l = { .ascii = false };
	own(hashers) struct hashers h = { { NULL } };
	struct ima_entry x;
	struct error e;
	bool more = true;

	ck_assert(imalog_open(list, len, 0, &l, &e));
	while (more) {
		ck_assert_msg(imalog_next(&l, &x, &more, &e), "%s", e.why);
		if (more && !ima_extend(&h, b, way, &x, l.form.big_endian, value))
			return false;
	}
	return true;
}

static void
cut_list(const uint8_t *p, size_t len, void *arg)
{
	uint8_t *out = arg;
	struct writer w = wr_open(out, 1 << 16);
	struct reader r;
	struct ima_list l;
	struct error e;

	if (!imalog_pack(p, len, 0, &w, &e))
		return;
	r = rd_open(out, w.used);
	ck_assert(ima_list_open(&r, &l, &e));
}

START_TEST(every_prefix_of_a_recorded_list)
{
	size_t len;
	own(mem) uint8_t *list = vm_file("direct-51-viol", "ima_binary", &len);
	own(mem) uint8_t *out = malloc(1 << 16);
	uint8_t value[DIGEST_MAX] = { 0 };

	ck_assert(list && out);
	unit_prefixes(list, len, cut_list, out);
	ck_assert(all_of(list, len, BANK_SHA256, IMA_WAY_REAL, value));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, worked_example);
	tcase_add_test(tc, what_is_extended);
	tcase_add_test(tc, padded_banks);
	tcase_add_test(tc, ascii_is_binary);
	tcase_add_loop_test(tc, lists_are_read, 0, COUNT(lists));
	tcase_add_test(tc, too_long);
	tcase_add_loop_test(tc, fields, 0, COUNT(entries));
	tcase_add_test(tc, no_prefix_of_data_passes);
	tcase_add_test(tc, big_endian);
	tcase_add_test(tc, violation_has_no_digest);
	tcase_add_test(tc, packed_again);
	tcase_add_test(tc, no_prefix_of_packed_passes);
	tcase_add_test(tc, packed_lies);
	tcase_add_test(tc, packed_lengths);
	tcase_add_test(tc, too_many_entries);
	tcase_add_test(tc, every_prefix_of_a_recorded_list);
}

int
main(void)
{
	return unit_run("imalog", add);
}
