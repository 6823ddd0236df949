#include "reader.h"
#include "unit.h"
#include "writer.h"

START_TEST(reads_what_was_written)
{
	uint8_t buf[64];
	struct error e = { .code = ERR_NONE };
	struct writer w = wr_open(buf, sizeof(buf));
	struct reader r;

	wr_u8(&w, 0x01, "a");
	wr_be16(&w, 0x0203, "b");
	wr_be32(&w, 0x04050607, "c");
	wr_be64(&w, 0x08090a0b0c0d0e0f, "d");
	wr_bytes(&w, "xy", 2, "e");
	ck_assert(wr_ok(&w, &e));
	ck_assert_uint_eq(w.used, 17);

	r = rd_open(buf, w.used);
	ck_assert_uint_eq(rd_u8(&r, "a"), 0x01);
	ck_assert_uint_eq(rd_be16(&r, "b"), 0x0203);
	ck_assert_uint_eq(rd_be32(&r, "c"), 0x04050607);
	ck_assert_uint_eq(rd_be64(&r, "d"), 0x08090a0b0c0d0e0f);
	ck_assert_mem_eq(rd_bytes(&r, 2, "e"), "xy", 2);
	ck_assert(rd_end(&r, &e));
}
END_TEST

START_TEST(first_bad_read_sticks)
{
	uint8_t buf[3] = { 1, 2, 3 }, out[4] = { 9, 9, 9, 9 };
	struct error e = { .code = ERR_NONE };
	struct reader r = rd_open(buf, sizeof(buf));

	ck_assert_uint_eq(rd_le16(&r, "first"), 0x0201);
	ck_assert_uint_eq(rd_be32(&r, "second"), 0);
	ck_assert_uint_eq(rd_u8(&r, "third"), 0);
	rd_copy(&r, out, sizeof(out), "fourth");
	ck_assert_uint_eq(out[0] | out[3], 0);
	ck_assert(!rd_end(&r, &e) && e.code == ERR_FORMAT);
	ck_assert_str_eq(e.why, "second: does not fit, 1 bytes left at offset 2");
}
END_TEST

START_TEST(stray_bytes_are_named)
{
	struct error e = { .code = ERR_NONE };
	struct reader r = rd_open("abc", 3);
	struct reader sub = rd_sub(&r, 2, "sub");

	ck_assert_uint_eq(rd_u8(&sub, "x"), 'a');
	ck_assert(!rd_end(&sub, &e));
	ck_assert_str_eq(e.why, "1 stray bytes at offset 1");
	ck_assert(rd_more(&r));
}
END_TEST

START_TEST(writer_never_passes_its_end)
{
	uint8_t buf[4] = { 0, 0, 0, 7 };
	struct error e = { .code = ERR_NONE };
	struct writer w = wr_open(buf, 3);

	wr_be16(&w, 0x0102, "fits");
	wr_be16(&w, 0x0304, "too long");
	wr_u8(&w, 5, "after");
	ck_assert(!wr_ok(&w, &e) && e.code == ERR_LIMIT);
	ck_assert_str_eq(e.why, "too long: does not fit into 3 bytes");
	ck_assert_uint_eq(w.used, 2);
	ck_assert_uint_eq(buf[3], 7);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, reads_what_was_written);
	tcase_add_test(tc, first_bad_read_sticks);
	tcase_add_test(tc, stray_bytes_are_named);
	tcase_add_test(tc, writer_never_passes_its_end);
}

int main(void) { return unit_run("reader", add); }
