#include "evidence.h"
#include "unit.h"

enum { ROOM = 4096 };
static const uint8_t bytes[CHALLENGE_SIZE] = { 0xc0, 0xff, 0xee };

static struct part
part(size_t len)
{
	return (struct part){ .p = bytes, .len = len, .there = true };
}

static struct evidence
smallest(void)
{
	return (struct evidence){ .challenge = part(CHALLENGE_SIZE), .attest = part(1), .signature = part(2) };
}

static size_t
written(const struct evidence *ev, uint8_t *buf, size_t size)
{
	struct error e = { .code = ERR_NONE };
	struct writer w = wr_open(buf, size);

	ck_assert_msg(evidence_write(ev, &w, &e), "%s", e.why);
	ck_assert_uint_eq(w.used, evidence_size(ev));
	return w.used;
}

START_TEST(reads_what_was_written)
{
	struct error e = { .code = ERR_NONE };
	struct evidence ev = smallest(), again;
	uint8_t buf[ROOM];
	size_t len;

	ev.boot_log = part(0);
	ev.ima_from = part(8);
	ev.pcr_values = part(32);
	len = written(&ev, buf, sizeof(buf));
	ck_assert_msg(evidence_read(buf, len, &again, &e), "%s", e.why);
	ck_assert_uint_eq(again.challenge.len, CHALLENGE_SIZE);
	ck_assert_mem_eq(again.challenge.p, bytes, CHALLENGE_SIZE);
	ck_assert_uint_eq(again.signature.len, 2);
	ck_assert(again.boot_log.there && !again.boot_log.len);
	ck_assert(!again.ima.there && !again.facts.there);
	ck_assert_uint_eq(again.pcr_values.len, 32);
}
END_TEST

START_TEST(place_of_an_ima_part)
{
	static const uint8_t from[8] = { [7] = 5 }, at[16] = { [6] = 1, [15] = 9 };
	struct evidence ev = smallest();
	struct ima_place p = evidence_ima_place(&ev);

	ck_assert(!p.from && !p.at && !p.count);
	ev.ima_from = (struct part){ from, sizeof(from), true };
	p = evidence_ima_place(&ev);
	ck_assert(p.from == 5 && p.at == 5 && !p.count);
	ev.ima_at = (struct part){ at, sizeof(at), true };
	p = evidence_ima_place(&ev);
	ck_assert(p.from == 5 && p.at == 256 && p.count == 9);
}
END_TEST

START_TEST(no_prefix_is_whole)
{
	struct evidence ev = smallest();
	uint8_t buf[ROOM];
	size_t len = written(&ev, buf, sizeof(buf));

	for (size_t cut = 0; cut < len; cut++) {
		own(mem) uint8_t *copy = malloc(cut ? cut : 1);
		struct error e = { .code = ERR_NONE };
		struct evidence again;

		memcpy(copy, buf, cut);
		ck_assert_msg(!evidence_read(copy, cut, &again, &e), "%zu bytes passed", cut);
		ck_assert_uint_eq(e.code, ERR_FORMAT);
	}
}
END_TEST

/* What follows the smallest evidence; in hex. */
static const struct { const char *label, *tail; enum err code; const char *why; } tails[] = {
	{ "nothing",               "",                            ERR_NONE,   "" },
	{ "part without bytes",    "0400000000",                  ERR_NONE,   "" },
	{ "the same part again",   "030000000100",                ERR_FORMAT, "signature: out of order or given twice" },
	{ "an earlier part",       "020000000100",                ERR_FORMAT, "attest: out of order" },
	{ "tag zero",              "0000000000",                  ERR_FORMAT, "part 0: no such part" },
	{ "tag past the table",    "0c00000000",                  ERR_FORMAT, "part 12: no such part" },
	{ "empty audience",        "0a00000000",                  ERR_FORMAT, "audience: 0 bytes, at least 1" },
	{ "user over its limit",   "0b00000040",                  ERR_LIMIT,  "user: 64 bytes, at most 63" },
	{ "part longer than rest", "040000000201",                ERR_FORMAT, "boot_log: does not fit" },
	{ "part over its limit",   "0400400001",                  ERR_LIMIT,  "boot_log: 4194305 bytes" },
	{ "length of all ones",    "04ffffffff",                  ERR_LIMIT,  "boot_log: 4294967295 bytes" },
	{ "ima_from too short",    "060000000700000000000000",    ERR_FORMAT, "ima_from: 7 bytes, at least 8" },
	{ "ima_from too long",     "0600000009000000000000000000", ERR_LIMIT, "ima_from: 9 bytes, at most 8" },
	{ "ima_at without count",  "0900000008" "0000000000000001", ERR_FORMAT, "ima_at: 8 bytes, at least 16" },
	{ "stray byte",            "04",                          ERR_FORMAT, "length: does not fit" },
};

START_TEST(parts)
{
	struct error e = { .code = ERR_NONE };
	struct evidence ev = smallest(), again;
	uint8_t buf[ROOM];
	size_t len = written(&ev, buf, sizeof(buf));
	bool ok;

	len += unhex(tails[_i].tail, buf + len, sizeof(buf) - len);
	ok = evidence_read(buf, len, &again, &e);
	ck_assert_msg(ok == (tails[_i].code == ERR_NONE) && e.code == tails[_i].code && (ok || strstr(e.why, tails[_i].why)),
	    "%s: %s (%s)", tails[_i].label, err_name(e.code), e.why);
}
END_TEST

START_TEST(version_and_required_parts)
{
	struct error e = { .code = ERR_NONE };
	struct evidence ev = smallest(), again;
	uint8_t buf[ROOM];
	size_t len = written(&ev, buf, sizeof(buf));

	buf[0] = EVIDENCE_VERSION + 1;
	ck_assert(!evidence_read(buf, len, &again, &e));
	ck_assert_str_eq(e.why, "version 2, not 1");
	buf[0] = EVIDENCE_VERSION;
	/* all but the last part, the signature of two bytes */
	ck_assert(!evidence_read(buf, len - 7, &again, &e));
	ck_assert_str_eq(e.why, "signature: missing");
}
END_TEST

START_TEST(writer_keeps_the_limits)
{
	struct error e = { .code = ERR_NONE };
	struct evidence ev = smallest();
	uint8_t buf[ROOM];
	struct writer w = wr_open(buf, sizeof(buf));

	ev.attest.there = false;
	ck_assert(!evidence_write(&ev, &w, &e));
	ck_assert_str_eq(e.why, "attest: missing");
	ev = smallest();
	ev.facts = part(FACTS_MAX + 1);
	w = wr_open(buf, sizeof(buf));
	ck_assert(!evidence_write(&ev, &w, &e));
	ck_assert_uint_eq(e.code, ERR_LIMIT);
	ev = smallest();
	w = wr_open(buf, 100);
	ck_assert(!evidence_write(&ev, &w, &e));
	ck_assert_uint_eq(e.code, ERR_LIMIT);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, reads_what_was_written);
	tcase_add_test(tc, place_of_an_ima_part);
	tcase_add_test(tc, no_prefix_is_whole);
	tcase_add_loop_test(tc, parts, 0, (int)COUNT(tails));
	tcase_add_test(tc, version_and_required_parts);
	tcase_add_test(tc, writer_keeps_the_limits);
}

int
main(void)
{
	return unit_run("evidence", add);
}
