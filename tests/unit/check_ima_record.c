#include "ima_record.h"
#include "unit.h"

/* Little-endian: pcr 10, a hash, "ima-ng", four bytes of data. */
#define HASH   "00112233445566778899aabbccddeeff00112233"
#define ONE    "0a000000" HASH "06000000" "696d612d6e67" "04000000" "01020304"
#define OLD    "0a000000" HASH "03000000" "696d61" HASH "02000000" "2f61"
#define BIG    "0000000a" HASH "00000006" "696d612d6e67" "00000004" "01020304"
#define WIDE   "0a000000" HASH "000102030405060708090a0b" "01000000" "6e" "00000000"
#define HEAD   "0a000000" HASH

static const struct { const char *label, *hex; bool big; unsigned digest_len, entries; enum err code; const char *why; } cases[] = {
	{ "one",               ONE,          false, 20, 1, ERR_NONE, "" },
	{ "old and new",       OLD ONE,      false, 20, 2, ERR_NONE, "" },
	{ "big-endian",        BIG BIG,      true,  20, 2, ERR_NONE, "" },
	{ "SHA-256's list",    WIDE WIDE,    false, 32, 2, ERR_NONE, "" },
	{ "data of 0",         HEAD "06000000" "696d612d6e67" "00000000", false, 20, 1, ERR_NONE, "" },
	{ "data of 1",         HEAD "06000000" "696d612d6e67" "01000000" "00", false, 20, 1, ERR_NONE, "" },
	{ "data of -1",        HEAD "06000000" "696d612d6e67" "ffffffff" "00", false, 20, 0, ERR_LIMIT, "template data length 4294967295: over" },
	{ "data of 2^31",      HEAD "06000000" "696d612d6e67" "00000080" "00", false, 20, 0, ERR_LIMIT, "template data length 2147483648: over" },
	{ "data cut",          HEAD "06000000" "696d612d6e67" "04000000" "010203", false, 20, 0, ERR_FORMAT, "template data: does not fit, 3 bytes left" },
	{ "name of 0",         ONE HEAD "00000000" "04000000" "01020304", false, 20, 1, ERR_LIMIT, "template name length 0" },
	{ "name of 129",       ONE HEAD "81000000" "04000000" "01020304", false, 20, 1, ERR_LIMIT, "template name length 129" },
	{ "name of -1",        ONE HEAD "ffffffff" "04000000" "01020304", false, 20, 1, ERR_LIMIT, "template name length 4294967295" },
	{ "name of 2^31",      ONE HEAD "00000080" "04000000" "01020304", false, 20, 1, ERR_LIMIT, "template name length 2147483648" },
	{ "old name of -1",    HEAD "03000000" "696d61" HASH "ffffffff" "2f61", false, 20, 0, ERR_LIMIT, "file name length 4294967295" },
	{ "old name of 2^31",  HEAD "03000000" "696d61" HASH "00000080" "2f61", false, 20, 0, ERR_LIMIT, "file name length 2147483648" },
	{ "old name of 0",     HEAD "03000000" "696d61" HASH "00000000", false, 20, 1, ERR_NONE, "" },
	{ "old name cut",      HEAD "03000000" "696d61" HASH "02000000" "2f", false, 20, 0, ERR_FORMAT, "file name: does not fit" },
};

START_TEST(records)
{
	uint8_t buf[512];
	size_t len = unhex(cases[_i].hex, buf, sizeof(buf));
	struct error e = { .code = ERR_NONE };
	struct reader r = rd_open(buf, len);
	struct ima_record rec;
	struct ima_form form;
	unsigned n = 0;

	ck_assert_msg(ima_form_find(buf, len, &form), "%s", cases[_i].label);
	ck_assert_msg(form.big_endian == cases[_i].big && form.digest_len == cases[_i].digest_len, "%s", cases[_i].label);
	while (rd_more(&r) && ima_record_read(&r, &form, &rec, &e))
		n++;
	ck_assert_msg(n == cases[_i].entries && e.code == cases[_i].code && (!*cases[_i].why || strstr(e.why, cases[_i].why)),
	    "%s: %u entries, %s", cases[_i].label, n, e.why);
}
END_TEST

START_TEST(no_form)
{
	static const char *const none[] = { "", "00", "31302061", "18000000" HASH "01000000" "6e" "00000000", HEAD "01000000" "0a" "00000000" };
	struct ima_form form;
	uint8_t buf[64];

	for (unsigned i = 0; i < COUNT(none); i++)
		ck_assert_msg(!ima_form_find(buf, unhex(none[i], buf, sizeof(buf)), &form), "%u", i);
}
END_TEST

static void
cut(const uint8_t *p, size_t len, void *arg)
{
	const size_t *whole = arg;
	struct ima_chunk c;
	struct error e;
	unsigned n = 0;

	while (n < 3 && whole[n + 1] <= len)
		n++;
	if (!ima_chunk_find(p, len, 0, SIZE_MAX, &c, &e)) {
		ck_assert_uint_eq(n, 0);        /* too short to tell the form */
		return;
	}
	ck_assert(c.count == n && c.at == 0 && c.size == whole[n] && c.last);
}

/* Whatever the cut, the chunk ends with the last whole entry. */
START_TEST(every_prefix)
{
	uint8_t buf[256];
	size_t one = unhex(ONE, buf, sizeof(buf)), old = unhex(OLD, buf, sizeof(buf));
	size_t whole[] = { 0, one, one + old, 2 * one + old };

	unit_prefixes(buf, unhex(ONE OLD ONE, buf, sizeof(buf)), cut, whole);
}
END_TEST

START_TEST(chunks)
{
	uint8_t buf[256];
	size_t one = unhex(ONE, buf, sizeof(buf)), len = unhex(ONE ONE ONE "0a00", buf, sizeof(buf));
	const struct { uint64_t skip; size_t room; enum err code; size_t at, size; uint64_t count; bool last; } want[] = {
		{ 0, len,         ERR_NONE, 0,       3 * one, 3, true },
		{ 0, 3 * one,     ERR_NONE, 0,       3 * one, 3, true },
		{ 0, 3 * one - 1, ERR_NONE, 0,       2 * one, 2, false },
		{ 1, one,         ERR_NONE, one,     one,     1, false },
		{ 2, one,         ERR_NONE, 2 * one, one,     1, true },
		{ 3, len,         ERR_NONE, 3 * one, 0,       0, true },
		{ 4, len,         ERR_MISSING, 0, 0, 0, false },
		{ UINT64_MAX, len, ERR_MISSING, 0, 0, 0, false },
		{ 1, one - 1,     ERR_LIMIT, 0, 0, 0, false },
	};

	for (unsigned i = 0; i < COUNT(want); i++) {
		struct error e = { .code = ERR_NONE };
		struct ima_chunk c;
		bool ok = ima_chunk_find(buf, len, want[i].skip, want[i].room, &c, &e);

		ck_assert_msg(e.code == want[i].code, "%u: %s", i, e.why);
		ck_assert_msg(!ok || (c.at == want[i].at && c.size == want[i].size && c.count == want[i].count && c.last == want[i].last), "%u", i);
	}
}
END_TEST

START_TEST(chunk_of_nothing)
{
	struct error e = { .code = ERR_NONE };
	struct ima_chunk c;

	ck_assert(ima_chunk_find("", 0, 0, 100, &c, &e) && !c.count && !c.size && c.last);
	ck_assert(!ima_chunk_find("", 0, 1, 100, &c, &e) && e.code == ERR_MISSING);
	ck_assert(!ima_chunk_find("no list at all, but text", 24, 0, 100, &c, &e) && e.code == ERR_FORMAT);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, records, 0, COUNT(cases));
	tcase_add_test(tc, no_form);
	tcase_add_test(tc, every_prefix);
	tcase_add_test(tc, chunks);
	tcase_add_test(tc, chunk_of_nothing);
}

int
main(void)
{
	return unit_run("ima_record", add);
}
