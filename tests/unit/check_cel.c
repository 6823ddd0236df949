/* TCG CEL in its three encodings, and systemd's userspace log, alone and behind a firmware log. */
#include <stdio.h>
#include "made_log.h"

#define SHA1_OF_ZERO4   "9069ca78e7450a285173431b3e52c5c25299e473"
#define SHA256_OF_ZERO4 "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119"
#define SHA256_OF_READY "b24d6d33736ecd5604a4b17bc9c6481039fac362bb7df044ef1c10a2bfd21db6"

/* --- TLV --- */
#define NUMBER(n)    "00 00000008 00000000000000" n
#define PCR(n)       "01 00000001" n
#define RTMR(n)      "6c 00000001" n
#define NV(n)        "02 00000004" n
#define DIGEST_256   "0b 00000020" SHA256_OF_ZERO4
#define DIGESTS      "03 00000025" DIGEST_256
#define TWO_DIGESTS  "03 0000003e" "04 00000014" SHA1_OF_ZERO4 DIGEST_256
#define SEPARATOR    "05 00000012" "00 00000004 00000004" "01 00000004 00000000"
#define COS(text, n, m) "50 000000" n "00 000000" m text
#define RECORD(n, pcr) NUMBER(n) PCR(pcr) DIGESTS SEPARATOR

/* --- CBOR --- */
#define C_DIGESTS "03 81 a2 00 0b 01 5820" SHA256_OF_ZERO4
#define C_EVENT   "09 05 0a a2 00 04 01 44 00000000"
#define C_RECORD(n, pcr) "a5 00" n "01" pcr C_DIGESTS C_EVENT

#define GOOD(form, count, extended) LOG_##form, count, extended, NULL
#define BAD(words) LOG_FORM_COUNT, 0, 0, words
struct cel_case {
	const char *label, *text;       /* hex, or text if it is JSON */
	enum log_form form;
	unsigned    count;
	uint32_t    extended;           /* of SHA-256 */
	const char *why;                /* or NULL: then it is read */
};

static const struct cel_case binary[] = {
	{ "one record",         RECORD("00", "07"), GOOD(CEL_TLV, 1, 1u << 7) },
	{ "two",                RECORD("00", "07") RECORD("01", "04"), GOOD(CEL_TLV, 2, 1u << 7 | 1u << 4) },
	{ "a number is left out", RECORD("00", "07") RECORD("05", "04"), GOOD(CEL_TLV, 2, 1u << 7 | 1u << 4) },
	{ "two banks",          NUMBER("00") PCR("07") TWO_DIGESTS SEPARATOR, GOOD(CEL_TLV, 1, 1u << 7) },
	{ "RTMR",               NUMBER("00") RTMR("04") DIGESTS SEPARATOR, GOOD(CEL_TLV, 1, 1u << 4) },
	{ "NV index",           NUMBER("00") NV("01c40200") DIGESTS SEPARATOR, GOOD(CEL_TLV, 1, 0) },
	{ "NO_ACTION",          NUMBER("00") PCR("00") DIGESTS "05 00000012" "00 00000004 00000003" "01 00000004 00000000", GOOD(CEL_TLV, 1, 0) },
	{ "other content",      NUMBER("00") PCR("0d") DIGESTS COS("6869", "07", "02"), GOOD(CEL_TLV, 1, 1u << 13) },
	{ "unknown hash beside", NUMBER("00") PCR("07") "03 0000002e" "27 00000004 01020304" DIGEST_256 SEPARATOR, GOOD(CEL_TLV, 1, 1u << 7) },
	{ "NV handle 5",        NUMBER("00") NV("00000005") DIGESTS SEPARATOR, BAD("NV index 0x5: no such handle") },
	{ "PCR 24",             NUMBER("00") PCR("18") DIGESTS SEPARATOR, BAD("pcr index 24: no such PCR") },
	{ "RTMR 5",             NUMBER("00") RTMR("05") DIGESTS SEPARATOR, BAD("register index 5: not 1 to 4") },
	{ "PCR and RTMR",       RECORD("00", "01") NUMBER("01") RTMR("01") DIGESTS SEPARATOR, BAD("event 1 at offset 84: PCRs and RTMRs in one log") },
	{ "number twice",       RECORD("00", "01") RECORD("00", "01"), BAD("record number 0: does not rise") },
	{ "number -1",          RECORD("00", "01") "00 00000008 ffffffffffffffff" PCR("01") DIGESTS SEPARATOR, BAD("does not rise") },
	{ "unknown register",   RECORD("00", "01") NUMBER("01") "05 00000001 01" DIGESTS SEPARATOR, BAD("register of kind 5: unknown") },
	{ "digest twice",       NUMBER("00") PCR("07") "03 0000004a" DIGEST_256 DIGEST_256 SEPARATOR, BAD("digest of sha256: there twice") },
	{ "short digest",       NUMBER("00") PCR("07") "03 00000009" "0b 00000004 01020304" SEPARATOR, BAD("digest of 4 bytes: not that of sha256") },
	{ "no known bank",      NUMBER("00") PCR("07") "03 00000009" "27 00000004 01020304" SEPARATOR, BAD("no bank of a hash") },
	{ "no digests",         NUMBER("00") PCR("07") SEPARATOR SEPARATOR, BAD("field 5: not the digests") },
	{ "digests too long",   NUMBER("00") PCR("07") "03 ffffffff" DIGEST_256 SEPARATOR, BAD("digests: does not fit") },
	{ "content too long",   NUMBER("00") PCR("07") DIGESTS "05 00000013 00 00000004 00000004 01 00000004 00000000", BAD("content: does not fit") },
	{ "event data too long", NUMBER("00") PCR("07") DIGESTS "05 00000012 00 00000004 00000004 01 00000005 00000000", BAD("event data: does not fit") },
	{ "stray bytes in content", NUMBER("00") PCR("07") DIGESTS "05 00000014 00 00000004 00000004 01 00000004 00000000 0000", BAD("stray bytes") },
	{ "event type of 9 bytes", NUMBER("00") PCR("07") DIGESTS "05 00000017 00 00000009 000000000000000004 01 00000004 00000000", BAD("number: does not fit") },
	{ "event type of no byte", NUMBER("00") PCR("07") DIGESTS "05 0000000e 00 00000000 01 00000004 00000000", BAD("number: does not fit") },
	{ "data before type",   NUMBER("00") PCR("07") DIGESTS "05 00000012 01 00000004 00000004 00 00000004 00000000", BAD("fields 1 and 0: not event type and data") },
	{ "half a record",      RECORD("00", "07") NUMBER("01"), BAD("event 1 at offset 84: register: does not fit") },

	{ "CBOR",               "81" C_RECORD("00", "07"), GOOD(CEL_CBOR, 1, 1u << 7) },
	{ "CBOR, two",          "82" C_RECORD("00", "07") C_RECORD("01", "08"), GOOD(CEL_CBOR, 2, 1u << 7 | 1u << 8) },
	{ "CBOR, long numbers", "9a00000001 a5 00 1b0000000000000000 01 1807 03 81 a2 00 19000b 01 590020" SHA256_OF_ZERO4 "09 05 0a a2 00 1a00000004 01 44 00000000", GOOD(CEL_CBOR, 1, 1u << 7) },
	{ "CBOR, other content", "81 a5 00 00 01 07" C_DIGESTS "09 09 0a a1 61 61 82 01 c1 6162", GOOD(CEL_CBOR, 1, 1u << 7) },
	{ "CBOR, NV index",     "81 a5 00 00 02 1a01c40200" C_DIGESTS C_EVENT, GOOD(CEL_CBOR, 1, 0) },
	{ "CBOR, nothing",      "80", BAD("nothing but padding") },
	{ "CBOR, no end",       "9f" C_RECORD("00", "07") "ff", BAD("records: missing or of another kind") },
	{ "CBOR, 2^64-1 records", "9bffffffffffffffff" C_RECORD("00", "07"), BAD("event 1 at offset") },
	{ "CBOR, 2^32-1 digests", "81 a5 00 00 01 07 03 9affffffff", BAD("4294967295 digests: over 16") },
	{ "CBOR, 2^64-1 bytes", "81 a5 00 00 01 07 03 81 a2 00 0b 01 5bffffffffffffffff 00", BAD("digest: missing") },
	{ "CBOR, map of 2^63",  "81 a5 00 00 01 07" C_DIGESTS "09 09 0a bb8000000000000001 00", BAD("content") },
	{ "CBOR, many items",   "81 a5 00 00 01 07" C_DIGESTS "09 09 0a 9a00ffffff", BAD("content") },
	{ "CBOR, nested",       "81 a5 00 00 01 07" C_DIGESTS "09 09 0a 818181818181818100", BAD("nested or divided too far") },
	{ "CBOR, number as text", "81 a5 00 6130", BAD("record number: missing or of another kind") },
	{ "CBOR, four fields",  "81 a4 00 00", BAD("record: missing or of another kind") },
	{ "CBOR, content type 261", "81 a5 00 00 01 07" C_DIGESTS "09 190105 0a a2 00 04 01 44 00000000", BAD("content type 261") },
	{ "CBOR, PCR 2^32+7",   "81 a5 00 00 01 1b0000000100000007" C_DIGESTS C_EVENT, BAD("pcr index 4294967303: no such PCR") },
	{ "CBOR, stray",        "81" C_RECORD("00", "07") "00", BAD("1 stray bytes") },
};

#define J_DIGESTS "\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"" SHA256_OF_ZERO4 "\"}]"
#define J_STD(type, data) "\"content_type\":\"pcclient_std\",\"content\":{\"event_type\":" type ",\"event_data\":\"" data "\"}"
#define J_RECORD(n, pcr) "{\"recnum\":" n ",\"pcr\":" pcr "," J_DIGESTS "," J_STD("4", "00000000") "}"
#define S_DIGESTS "\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"" SHA256_OF_READY "\"}]"
#define S_CONTENT(word) "\"content_type\":\"systemd\",\"content\":{\"string\":\"" word "\",\"eventType\":\"phase\"}"
#define S_RECORD(pcr, word) "\x1e{\"pcr\":" pcr "," S_DIGESTS "," S_CONTENT(word) "}\n"

static const struct cel_case text[] = {
	{ "one record",         "[" J_RECORD("0", "7") "]", GOOD(CEL_JSON, 1, 1u << 7) },
	{ "two, spaced",        " [\n" J_RECORD("0", "7") " ,\n" J_RECORD("3", "4") " ]\n", GOOD(CEL_JSON, 2, 1u << 7 | 1u << 4) },
	{ "type by name, hash by number", "[{\"recnum\":0,\"pcr\":7,\"digests\":[{\"hashAlg\":\"0x000B\",\"digest\":\"" SHA256_OF_ZERO4 "\"}],"
	    J_STD("\"EV_SEPARATOR\"", "00000000") "}]", GOOD(CEL_JSON, 1, 1u << 7) },
	{ "unknown hash beside", "[{\"recnum\":0,\"pcr\":7,\"digests\":[{\"hashAlg\":\"md5\",\"digest\":\"00\"},{\"hashAlg\":\"sha256\",\"digest\":\""
	    SHA256_OF_ZERO4 "\"}]," J_STD("4", "") "}]", GOOD(CEL_JSON, 1, 1u << 7) },
	{ "braces in a string", "[{\"recnum\":0,\"pcr\":7," J_DIGESTS ",\"content_type\":\"x}\",\"content\":{\"a\":\"}\\\"{\"}}]", GOOD(CEL_JSON, 1, 1u << 7) },
	{ "NV index",           "[{\"recnum\":0,\"nv_index\":29622784," J_DIGESTS "," J_STD("4", "") "}]", GOOD(CEL_JSON, 1, 0) },
	{ "empty array",        "[]", BAD("no record") },
	{ "no end",             "[" J_RECORD("0", "7"), BAD("neither ',' nor ']'") },
	{ "comma at the end",   "[" J_RECORD("0", "7") ",]", BAD("no record") },
	{ "something behind",   "[" J_RECORD("0", "7") "]x", BAD("1 stray bytes") },
	{ "no number",          "[{\"pcr\":7," J_DIGESTS "," J_STD("4", "") "}]", BAD("recnum") },
	{ "number twice",       "[" J_RECORD("1", "7") "," J_RECORD("1", "7") "]", BAD("record number 1: does not rise") },
	{ "number -1",          "[" J_RECORD("-1", "7") "]", BAD("recnum") },
	{ "no register",        "[{\"recnum\":0," J_DIGESTS "," J_STD("4", "") "}]", BAD("nv_index") },
	{ "PCR 24",             "[" J_RECORD("0", "24") "]", BAD("pcr index 24: no such PCR") },
	{ "half a byte",        "[{\"recnum\":0,\"pcr\":7," J_DIGESTS "," J_STD("4", "000") "}]", BAD("event_data: not hexadecimal") },
	{ "no type",            "[{\"recnum\":0,\"pcr\":7," J_DIGESTS "," J_STD("null", "00") "}]", BAD("event_type") },
	{ "unknown type's name", "[{\"recnum\":0,\"pcr\":7," J_DIGESTS "," J_STD("\"EV_X\"", "00") "}]", BAD("event_type: EV_X: unknown") },
	{ "short digest",       "[{\"recnum\":0,\"pcr\":7,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"00\"}]," J_STD("4", "") "}]", BAD("digests: 0: digest of 1 bytes") },
	{ "member twice",       "[{\"recnum\":0,\"recnum\":1,\"pcr\":7," J_DIGESTS "," J_STD("4", "") "}]", BAD("recnum: given twice") },
	{ "nested too deep",    "[{\"recnum\":0,\"pcr\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}}}}}}}]", BAD("event 0 at offset 1") },
	{ "object without an end", "[{\"a\":\"}", BAD("a record without an end") },

	{ "systemd",            S_RECORD("11", "ready"), GOOD(SYSTEMD, 1, 1u << 11) },
	{ "systemd, two",       S_RECORD("11", "ready") S_RECORD("15", "x"), GOOD(SYSTEMD, 2, 1u << 11 | 1u << 15) },
	{ "systemd, no line ends", "\x1e{\"pcr\":11," S_DIGESTS "," S_CONTENT("ready") "}" S_RECORD("15", "x"), GOOD(SYSTEMD, 2, 1u << 11 | 1u << 15) },
	{ "systemd, NV index",  "\x1e{\"nv_index\":29623040," S_DIGESTS "," S_CONTENT("x") "}\n", GOOD(SYSTEMD, 1, 0) },
	{ "systemd, cut",       S_RECORD("11", "ready") "\x1e{\"pcr\":15,", BAD("event 1 at offset") },
	{ "systemd, no separator", S_RECORD("11", "ready") "{\"pcr\":15," S_DIGESTS "}", BAD("no record separator") },
	{ "systemd, no digests", "\x1e{\"pcr\":11," S_CONTENT("ready") "}\n", BAD("digests") },
};

static void
reads_one(const struct cel_case *c, const uint8_t *buf, size_t len)
{
	own(mem) uint8_t *exact = malloc(len + !len);
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };
	struct replay r;
	bool ok;

	memcpy(exact, buf, len);
	ok = eventlog_parse(exact, len, &log, &e);
	ck_assert_msg(ok == !c->why, "%s: %s", c->label, ok ? "taken" : e.why);
	if (!ok) {
		ck_assert_msg(strstr(e.why, c->why) != NULL, "%s: said %s", c->label, e.why);
		return;
	}
	ck_assert(eventlog_replay(&log, &r, &e));
	ck_assert_msg(log.form == c->form && log.count == c->count && r.extended[BANK_SHA256] == c->extended,
	    "%s: %s, %u events, extends 0x%x", c->label, log_form_word(log.form), log.count, r.extended[BANK_SHA256]);
}

START_TEST(reads_binary)
{
	uint8_t buf[1024];

	reads_one(&binary[_i], buf, unhex(binary[_i].text, buf, sizeof(buf)));
}
END_TEST

START_TEST(reads_text)
{
	reads_one(&text[_i], (const uint8_t *)text[_i].text, strlen(text[_i].text));
}
END_TEST

/* NEGATIVE row 12: no prefix of a whole log in any form passes, but one that ends behind a record. */
static void
prefix_fails(const uint8_t *p, size_t n, void *whole)
{
	struct error e = { .code = ERR_NONE };
	own(eventlog) struct eventlog log = { 0 };
	const struct eventlog *all = whole;
	bool ok = eventlog_parse(p, n, &log, &e);

	ck_assert_msg(!ok || (all->form == LOG_CEL_TLV && log.count < all->count) || all->form == LOG_SYSTEMD || log.count == all->count,
	    "cut at %zu", n);
	if (ok)
		ck_assert(log.count <= all->count && log.consumed == n);
}

START_TEST(test_row_12_prefixes)
{
	static const char *const hex[] = { RECORD("00", "07") RECORD("01", "04"), "82" C_RECORD("00", "07") C_RECORD("01", "08") };
	static const char *const words[] = { "[" J_RECORD("0", "7") "," J_RECORD("1", "7") "]", S_RECORD("11", "ready") S_RECORD("15", "x") };

	for (unsigned i = 0; i < 4; i++) {
		own(eventlog) struct eventlog log = { 0 };
		uint8_t buf[1024];
		size_t len = i < 2 ? unhex(hex[i], buf, sizeof(buf)) : strlen(words[i - 2]);
		struct error e;

		if (i >= 2)
			memcpy(buf, words[i - 2], len);
		ck_assert_msg(eventlog_parse(buf, len, &log, &e), "%s", e.why);
		unit_prefixes(buf, len, prefix_fails, &log);
	}
}
END_TEST

/* Every length field of a TLV log set to what it is not. */
START_TEST(test_row_12_lengths)
{
	static const uint32_t values[] = { 0, 1, 0xffffffff, 0x80000000u, 0x7fffffff };
	uint8_t buf[1024];
	size_t len = unhex(RECORD("00", "07") RECORD("01", "04"), buf, sizeof(buf));

	for (size_t at = 0; at + 4 <= len; at++)
		for (unsigned i = 0; i < COUNT(values); i++) {
			own(mem) uint8_t *copy = malloc(len);
			own(eventlog) struct eventlog log = { 0 };
			struct error e;

			memcpy(copy, buf, len);
			for (unsigned k = 0; k < 4; k++)
				copy[at + k] = (uint8_t)(values[i] >> (24 - 8 * k));
			if (eventlog_parse(copy, len, &log, &e))
				ck_assert_uint_le(log.count, 2);
		}
}
END_TEST

/* Words of CEL contents are bound as other words are. */
START_TEST(words_are_bound)
{
	own(made_log) struct made_log made = { 0 };
	own(eventlog) struct eventlog log = { 0 };
	static const char tlv[] = "\x50\0\0\0\x07\x02\0\0\0\x02hi";

	made_open(&made, 1u << BANK_SHA256);
	made_measure(&made, 11, EV_CEL(CEL_SYSTEMD), "ready", 5, "ready", 5);
	made_measure(&made, 11, EV_CEL(CEL_SYSTEMD), "other", 5, "ready", 5);
	made_measure(&made, 13, EV_CEL(CEL_COS), tlv, sizeof(tlv) - 1, tlv, sizeof(tlv) - 1);
	made_measure(&made, 13, EV_CEL(CEL_COS), "hi", 2, tlv, sizeof(tlv) - 1);
	made_parse(&made, &log);
	ck_assert_str_eq(log.event[1].text, "ready");
	ck_assert_str_eq(log.event[3].text, "2: hi");
	ck_assert(log.event[1].binding == BOUND_DIGEST && log.event[2].binding == BOUND_NOT);
	ck_assert(log.event[3].binding == BOUND_DIGEST && log.event[4].binding == BOUND_NOT);
}
END_TEST

/* systemd's log behind the firmware's: its events come after, and PCR 11 is both. */
START_TEST(userspace_follows_firmware)
{
	static const char ready[] = S_RECORD("11", "ready") S_RECORD("15", "x");
	own(made_log) struct made_log made = { 0 };
	own(eventlog) struct eventlog log = { 0 }, firmware = { 0 };
	struct error e = { .code = ERR_NONE };
	struct replay r, before;

	made_open(&made, 1u << BANK_SHA256);
	made_text(&made, 11, EV_IPL, ".linux");
	made_parse(&made, &firmware);
	ck_assert(eventlog_replay(&firmware, &before, &e));
	made_bytes(&made, ready, sizeof(ready) - 1);
	made_parse(&made, &log);
	ck_assert(log.form == LOG_AGILE && log.logs == 1 && log.count == 4);
	ck_assert(log.event[2].type == EV_CEL(CEL_SYSTEMD) && log.event[2].binding == BOUND_DIGEST);
	ck_assert(eventlog_replay(&log, &r, &e));
	ck_assert(digest_extend(BANK_SHA256, before.value[BANK_SHA256][11], log.event[2].digest[BANK_SHA256]));
	ck_assert_mem_eq(r.value[BANK_SHA256][11], before.value[BANK_SHA256][11], 32);
	ck_assert_uint_eq(r.extended[BANK_SHA256], 1u << 11 | 1u << 15);

	made_bytes(&made, "\0\0\0\0", 4);       /* nothing stands behind it */
	eventlog_free(&log);
	ck_assert(!eventlog_parse(made.buf, made.len, &log, &e) && strstr(e.why, "no record separator"));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, reads_binary, 0, COUNT(binary));
	tcase_add_loop_test(tc, reads_text, 0, COUNT(text));
	tcase_add_test(tc, test_row_12_prefixes);
	tcase_add_test(tc, test_row_12_lengths);
	tcase_add_test(tc, words_are_bound);
	tcase_add_test(tc, userspace_follows_firmware);
}

int main(void) { return unit_run("cel", add); }
