#include "made_log.h"

#define HEADER_SHA1_256 "00" HEADER_AFTER_PCR
#define HEADER_AFTER_PCR \
	"000000 03000000 0000000000000000000000000000000000000000 25000000" \
	"53706563204944204576656e74303300 00000000 00020002 02000000 0400 1400 0b00 2000 00"
#define SHA1_OF_ZERO4 "0400 9069ca78e7450a285173431b3e52c5c25299e473"
#define SHA256_OF_ZERO4 "0b00 df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119"
#define DATA_ZERO4 "04000000 00000000"
#define SEPARATOR(pcr) pcr "000000 04000000 02000000" SHA1_OF_ZERO4 SHA256_OF_ZERO4 DATA_ZERO4
#define LOCALITY(pcr, n) pcr "000000 03000000 01000000 0b00" \
	"0000000000000000000000000000000000000000000000000000000000000000" \
	"11000000 537461727475704c6f63616c69747900" n
#define HCRTM "00000000 10000080 01000000" SHA256_OF_ZERO4 "05000000 484352544d"
#define FOUR_HEADERS HEADER_SHA1_256 HEADER_SHA1_256 HEADER_SHA1_256 HEADER_SHA1_256
#define OLD(pcr, type, size) pcr type "9069ca78e7450a285173431b3e52c5c25299e473" size
#define CCEL_HEADER "01" HEADER_AFTER_PCR
#define CC_SEPARATOR(index) index "000000 04000000 01000000" SHA256_OF_ZERO4 DATA_ZERO4
#define ZERO16 "00000000000000000000000000000000"
#define FF16 "ffffffffffffffffffffffffffffffff"

#define GOOD(events, start) ERR_NONE, NULL, events, start
#define BAD(code, words) ERR_##code, words, 0, 0
static const struct {
	const char *label, *hex;
	enum err    code;
	const char *why;                /* or NULL: then it is read, and has these: */
	unsigned    count;
	int         locality;
} cases[] = {
	{ "header alone",        HEADER_SHA1_256, GOOD(1, 0) },
	{ "one event",           HEADER_SHA1_256 SEPARATOR("00"), GOOD(2, 0) },
	{ "a bank is missing",   HEADER_SHA1_256 "05000000 04000000 01000000" SHA256_OF_ZERO4 DATA_ZERO4, GOOD(2, 0) },
	{ "banks in another order", HEADER_SHA1_256 "05000000 04000000 02000000" SHA256_OF_ZERO4 SHA1_OF_ZERO4 DATA_ZERO4, GOOD(2, 0) },
	{ "locality 3",          HEADER_SHA1_256 LOCALITY("00", "03") SEPARATOR("00"), GOOD(3, 3) },
	{ "locality 4",          HEADER_SHA1_256 LOCALITY("00", "04"), GOOD(2, 4) },
	{ "locality of PCR 1",   HEADER_SHA1_256 LOCALITY("01", "03"), GOOD(2, 0) },
	{ "said twice alike",    HEADER_SHA1_256 LOCALITY("00", "03") LOCALITY("00", "03"), GOOD(3, 3) },
	{ "H-CRTM",              HEADER_SHA1_256 HCRTM SEPARATOR("00"), GOOD(3, 4) },
	{ "H-CRTM, then another locality", HEADER_SHA1_256 HCRTM LOCALITY("00", "03"), GOOD(3, 4) },
	{ "NO_ACTION of an NV index", HEADER_SHA1_256 "0002c401 03000000 01000000" SHA256_OF_ZERO4 "00000000", GOOD(2, 0) },
	{ "padding of zeros",    HEADER_SHA1_256 SEPARATOR("00") ZERO16 ZERO16, GOOD(2, 0) },
	{ "padding of ff",       HEADER_SHA1_256 SEPARATOR("00") FF16 "ff", GOOD(2, 0) },
	{ "little padding",      HEADER_SHA1_256 SEPARATOR("00") "000000", GOOD(2, 0) },

	{ "empty",               "", BAD(FORMAT, "the log is empty") },
	{ "a second log counts", HEADER_SHA1_256 LOCALITY("00", "03") SEPARATOR("00") HEADER_SHA1_256 SEPARATOR("01"), GOOD(2, 0) },
	{ "legacy log",          OLD("00000000", "08000000", "00000000") OLD("ffffffff", "03000000", "00000000"), GOOD(2, 0) },
	{ "legacy, with locality", OLD("00000000", "03000000", "11000000") "537461727475704c6f63616c69747900 03" OLD("00000000", "08000000", "00000000"), GOOD(2, 3) },
	{ "legacy, padded",      OLD("01000000", "04000000", "04000000") "00000000" ZERO16 ZERO16, GOOD(1, 0) },
	{ "Spec ID Event02",     "00000000 03000000 0000000000000000000000000000000000000000 10000000 53706563204944204576656e74303200" OLD("00000000", "08000000", "00000000"), GOOD(2, 0) },
	{ "legacy, then agile",  OLD("07000000", "08000000", "00000000") HEADER_SHA1_256 SEPARATOR("00"), GOOD(2, 0) },
	{ "RTMR 0 and 3",        CCEL_HEADER CC_SEPARATOR("01") CC_SEPARATOR("04"), GOOD(3, 0) },

	{ "padding alone",       ZERO16 ZERO16 ZERO16, BAD(FORMAT, "nothing but padding") },
	{ "17 logs",             FOUR_HEADERS FOUR_HEADERS FOUR_HEADERS FOUR_HEADERS HEADER_SHA1_256, BAD(LIMIT, "more than 16 logs") },
	{ "legacy, no such PCR", OLD("18000000", "08000000", "00000000"), BAD(FORMAT, "pcr index 24: no such PCR") },
	{ "legacy, agile event", OLD("00000000", "08000000", "00000000") SEPARATOR("00"), BAD(LIMIT, "event 1 at offset 32: event size") },
	{ "Spec ID Event04",     "00000000 03000000 0000000000000000000000000000000000000000 10000000 53706563204944204576656e74303400", BAD(FORMAT, "none of 00, 02 and 03") },
	{ "header of PCR 2",     "02" HEADER_AFTER_PCR, BAD(FORMAT, "pcr index 2: neither a TPM's log nor a CCEL") },
	{ "RTMR index 0",        CCEL_HEADER CC_SEPARATOR("00"), BAD(FORMAT, "register index 0: not 1 to 4") },
	{ "RTMR index 5",        CCEL_HEADER CC_SEPARATOR("05"), BAD(FORMAT, "register index 5: not 1 to 4") },
	{ "no algorithms",       "00000000 03000000 0000000000000000000000000000000000000000 1d000000 53706563204944204576656e74303300 00000000 00020002 00000000 00", BAD(LIMIT, "event 0 at offset 0: number of algorithms 0") },
	{ "4294967295 algorithms", "00000000 03000000 0000000000000000000000000000000000000000 1d000000 53706563204944204576656e74303300 00000000 00020002 ffffffff 00", BAD(LIMIT, "number of algorithms 4294967295") },
	{ "wrong digest size",   "00000000 03000000 0000000000000000000000000000000000000000 21000000 53706563204944204576656e74303300 00000000 00020002 01000000 0b00 1400 00", BAD(FORMAT, "digest size 20: not that of sha256") },
	{ "algorithm twice",     "00000000 03000000 0000000000000000000000000000000000000000 25000000 53706563204944204576656e74303300 00000000 00020002 02000000 0b00 2000 0b00 2000 00", BAD(FORMAT, "algorithm 0x000b: there twice") },
	{ "unknown bank alone",  "00000000 03000000 0000000000000000000000000000000000000000 21000000 53706563204944204576656e74303300 00000000 00020002 01000000 ff00 2000 00", BAD(FORMAT, "no bank of a hash") },
	{ "stray header byte",   "00000000 03000000 0000000000000000000000000000000000000000 26000000 53706563204944204576656e74303300 00000000 00020002 02000000 0400 1400 0b00 2000 00 00", BAD(FORMAT, "1 stray bytes") },
	{ "digest count 0",      HEADER_SHA1_256 "01000000 04000000 00000000 04000000 00000000", BAD(FORMAT, "event 1 at offset 69: digest count 0") },
	{ "digest count 65535",  HEADER_SHA1_256 "01000000 04000000 ffff0000", BAD(FORMAT, "digest count 65535: the header has 2") },
	{ "a bank twice",        HEADER_SHA1_256 "01000000 04000000 02000000" SHA256_OF_ZERO4 SHA256_OF_ZERO4 DATA_ZERO4, BAD(FORMAT, "digest algorithm 0x000b: there twice") },
	{ "algorithm not in the header", HEADER_SHA1_256 "01000000 04000000 01000000 0c00", BAD(FORMAT, "digest algorithm 0x000c: not in the header") },
	{ "event size -1",       HEADER_SHA1_256 "01000000 04000000 02000000" SHA1_OF_ZERO4 SHA256_OF_ZERO4 "ffffffff", BAD(LIMIT, "event size 4294967295: over") },
	{ "event size 2^31",     HEADER_SHA1_256 "01000000 04000000 02000000" SHA1_OF_ZERO4 SHA256_OF_ZERO4 "00000080 00", BAD(LIMIT, "event size 2147483648: over") },
	{ "event size too large by one", HEADER_SHA1_256 "01000000 04000000 02000000" SHA1_OF_ZERO4 SHA256_OF_ZERO4 "05000000 00000000", BAD(FORMAT, "event data: does not fit") },
	{ "PCR 24",              HEADER_SHA1_256 "18000000 04000000 02000000" SHA1_OF_ZERO4 SHA256_OF_ZERO4 DATA_ZERO4, BAD(FORMAT, "pcr index 24: no such PCR") },
	{ "PCR -1",              HEADER_SHA1_256 "ffffffff 04000000 02000000" SHA1_OF_ZERO4 SHA256_OF_ZERO4 DATA_ZERO4, BAD(FORMAT, "pcr index 4294967295: no such PCR") },
	{ "locality 255",        HEADER_SHA1_256 LOCALITY("00", "ff"), BAD(FORMAT, "startup locality 255: not 0, 3 or 4") },
	{ "localities differ",   HEADER_SHA1_256 LOCALITY("00", "03") LOCALITY("00", "04"), BAD(FORMAT, "event 2 at offset 136: startup locality 4, but 3 before") },
	{ "locality too late",   HEADER_SHA1_256 SEPARATOR("00") LOCALITY("00", "03"), BAD(FORMAT, "after PCR 0 was extended") },
	{ "H-CRTM too late",     HEADER_SHA1_256 SEPARATOR("00") HCRTM, BAD(FORMAT, "H-CRTM event after PCR 0 was extended") },
	{ "hidden event",        HEADER_SHA1_256 SEPARATOR("00") ZERO16 SEPARATOR("00"), BAD(FORMAT, "something stands after padding") },
	{ "hidden byte",         HEADER_SHA1_256 SEPARATOR("00") ZERO16 "01", BAD(FORMAT, "something stands after padding") },
	{ "half a record",       HEADER_SHA1_256 "0100", BAD(FORMAT, "event 1 at offset 69: pcr index: does not fit") },
};

START_TEST(reads)
{
	struct error e = { .code = ERR_NONE };
	uint8_t buf[2048];
	size_t len = unhex(cases[_i].hex, buf, sizeof(buf));
	own(mem) uint8_t *exact = malloc(len + !len);
	own(eventlog) struct eventlog log = { 0 };
	bool ok;

	memcpy(exact, buf, len);
	ok = eventlog_parse(exact, len, &log, &e);
	ck_assert_msg(ok == !cases[_i].why && e.code == cases[_i].code, "%s: got %s (%s)", cases[_i].label,
	    err_name(e.code), e.why);
	if (!ok) {
		ck_assert_msg(strstr(e.why, cases[_i].why) != NULL, "%s: said %s", cases[_i].label, e.why);
		ck_assert_ptr_null(log.event);
		return;
	}
	ck_assert_msg(log.count == cases[_i].count && log.locality == cases[_i].locality,
	    "%s: %u events, locality %d", cases[_i].label, log.count, log.locality);
}
END_TEST

/* NEGATIVE row 12: a length field of 0, 1, -1, 2^31 anywhere is an error or harmless, never a crash. */
START_TEST(test_row_12_lengths)
{
	static const uint32_t values[] = { 0, 1, 0xffffffff, 0x80000000u, 0x7fffffff };
	struct error e = { .code = ERR_NONE };
	uint8_t buf[1024];
	size_t len = unhex(HEADER_SHA1_256 LOCALITY("00", "03") SEPARATOR("00") SEPARATOR("07"), buf, sizeof(buf));

	for (size_t at = 0; at + 4 <= len; at++)
		for (unsigned i = 0; i < COUNT(values); i++) {
			own(mem) uint8_t *copy = malloc(len);
			own(eventlog) struct eventlog log = { 0 };

			memcpy(copy, buf, len);
			for (unsigned k = 0; k < 4; k++)
				copy[at + k] = (uint8_t)(values[i] >> 8 * k);
			if (eventlog_parse(copy, len, &log, &e))
				ck_assert_uint_le(log.count, 4);
		}
}
END_TEST

static void
prefix_fails(const uint8_t *p, size_t n, void *whole)
{
	struct error e = { .code = ERR_NONE };
	own(eventlog) struct eventlog log = { 0 };
	const struct eventlog *all = whole;
	bool at_record = n == all->consumed;

	for (unsigned i = 1; i < all->count; i++)
		at_record = at_record || all->event[i].offset == n;
	/* A cut inside a record is an error; it may be taken for padding only if it leaves nothing but zeros. */
	ck_assert_msg(eventlog_parse(p, n, &log, &e) == at_record ||
	    (log.count && log.consumed < n), "cut at %zu: %s", n, e.why);
}

START_TEST(no_prefix_passes)
{
	size_t len;
	own(mem) uint8_t *buf = vm_file("sb-shimgrub-a", "binary_bios_measurements", &len);
	own(eventlog) struct eventlog log = { 0 };

	ck_assert_ptr_nonnull(buf);
	vm_log("sb-shimgrub-a", &log);
	unit_prefixes(buf, len < 6000 ? len : 6000, prefix_fails, &log);
}
END_TEST

START_TEST(events_are_limited)
{
	struct error e = { .code = ERR_NONE };
	own(made_log) struct made_log made = { 0 };
	own(eventlog) struct eventlog log = { 0 };

	made_open(&made, 1u << BANK_SHA1);
	for (unsigned i = 1; i < EVENTS_MAX; i++)
		made_text(&made, 8, EV_IPL, "x");
	made_parse(&made, &log);
	ck_assert_uint_eq(log.count, EVENTS_MAX);
	eventlog_free(&log);
	made_text(&made, 8, EV_IPL, "x");
	ck_assert(!eventlog_parse(made.buf, made.len, &log, &e) && e.code == ERR_LIMIT);
	ck_assert(strstr(e.why, "more than 16384 events") != NULL);
	ck_assert(!eventlog_parse(made.buf, EVENTLOG_LEN_MAX + 1u, &log, &e) && e.code == ERR_LIMIT);
}
END_TEST

START_TEST(what_was_read_before_the_fault)
{
	struct error e = { .code = ERR_NONE };
	struct log_fault fault;
	uint8_t buf[1024];
	size_t len = unhex(HEADER_SHA1_256 SEPARATOR("00") "18000000", buf, sizeof(buf));
	own(eventlog) struct eventlog log = { 0 };

	ck_assert(!eventlog_parse_until(buf, len, &log, &fault, &e));
	ck_assert_uint_eq(fault.number, 2);
	ck_assert_uint_eq(fault.offset, 69 + 12 + 22 + 34 + 8);
	ck_assert_uint_eq(log.count, 2);
	ck_assert_str_eq(log.event[1].text, "00000000");
}
END_TEST

/* What an event says, and whether its digest covers that. FACTS 4.2, 4.8 to 4.10, 4.14. */
static const struct {
	const char *label;
	uint32_t    pcr, type;
	const char *hashed;             /* NULL: the data */
	size_t      nhashed;
	const char *data;
	size_t      n;
	const char *text;
	bool        bound;
} words[] = {
#define S(s) s, sizeof(s) - 1
#define DATA NULL, 0
	{ "grub command",  8, EV_IPL, S("set x=1"), S("grub_cmd: set x=1\0"), "grub_cmd: set x=1", true },
	{ "with its NUL",  8, EV_IPL, S("set x=1\0"), S("grub_cmd: set x=1\0"), "grub_cmd: set x=1", true },
	{ "command line",  8, EV_IPL, S("/vmlinuz ro"), S("kernel_cmdline: /vmlinuz ro\0"), "kernel_cmdline: /vmlinuz ro", true },
	{ "command of Red Hat's GRUB 2.02", 8, EV_IPL, S("set pager=1\0"), S("grub_cmd set pager=1\0"), "grub_cmd: set pager=1", true },
	{ "command line of Red Hat's GRUB 2.02", 8, EV_IPL, S("(hd0)/vmlinuz ro"), S("grub_kernel_cmdline (hd0)/vmlinuz ro\0"), "kernel_cmdline: (hd0)/vmlinuz ro", true },
	{ "options of an old systemd-boot", 8, EV_IPL, S("r\0o\0\0\0"), S("r\0o\0\0"), "ro", true },
	{ "another command line", 8, EV_IPL, S("/vmlinuz ro"), S("kernel_cmdline: /vmlinuz rw\0"), "kernel_cmdline: /vmlinuz rw", false },
	{ "hidden behind a NUL", 8, EV_IPL, S("a\0init=x"), S("kernel_cmdline: a\0init=x\0"), "", false },
	{ "line break",    8, EV_IPL, S("a\nb\\"), S("grub_cmd: a\nb\\\0"), "grub_cmd: a\\nb\\\\", true },
	{ "file",          9, EV_IPL, S("content"), S("/boot/grub.cfg\0"), "/boot/grub.cfg", false },
	{ "MokList",      14, EV_IPL, S("keys"), S("MokList\0"), "MokList", false },
	{ "UTF-16",       12, EV_IPL, DATA, S("q\0u\0i\0e\0t\0\0\0"), "quiet", true },
	{ "UTF-16, hashed with a NUL that is not there", 12, EV_IPL, S("q\0u\0\0\0"), S("q\0u\0"), "qu", true },
	{ "UKI section",  11, EV_IPL, S(".linux\0"), S(".\0l\0i\0n\0u\0x\0\0\0"), ".linux", true },
	{ "UKI content",  11, EV_IPL, S("ELF"), S(".\0l\0i\0n\0u\0x\0\0\0"), ".linux", false },
	{ "control characters", 8, EV_IPL, DATA, S("a\033[2J"), "611b5b324a", true },
	{ "UTF-8",         8, EV_IPL, DATA, S("caf\xc3\xa9"), "caf\\xc3\\xa9", true },
	{ "action",        4, 0x80000007u, DATA, S("Calling EFI Application from Boot Option"), "Calling EFI Application from Boot Option", true },
	{ "false action",  4, 0x80000007u, S("x"), S("Exit Boot Services Invocation"), "Exit Boot Services Invocation", false },
	{ "separator",     7, EV_SEPARATOR, DATA, S("\0\0\0\0"), "00000000", true },
	{ "error separator", 7, EV_SEPARATOR, S("\1\0\0\0"), S("no memory"), "error separator", true },
	{ "CRTM version",  0, 8, DATA, S("N\0001\0\0\0"), "N1", true },
	{ "tag of the stub", 9, 6, S("initrd bytes"), S("\354\042\073\217\015\0\0\0Linux initrd\0"), "Linux initrd", false },
	{ "Secure Boot on", 7, 0x80000001u, DATA, S("\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c"
	    "\012\0\0\0\0\0\0\0" "\1\0\0\0\0\0\0\0" "S\0e\0c\0u\0r\0e\0B\0o\0o\0t\0" "\1"), "SecureBoot: 1", true },
	{ "no PK",         7, 0x80000001u, DATA, S("0123456789abcdef" "\2\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0" "P\0K\0"), "PK: empty", true },
	{ "dbx of two",    7, 0x80000001u, DATA, S("0123456789abcdef" "\3\0\0\0\0\0\0\0" "\134\0\0\0\0\0\0\0" "d\0b\0x\0"
	    "0123456789abcdef" "\134\0\0\0" "\0\0\0\0" "\040\0\0\0"
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), "dbx: 2 entries", true },
	{ "dbx of nonsense", 7, 0x80000001u, DATA, S("0123456789abcdef" "\3\0\0\0\0\0\0\0" "\4\0\0\0\0\0\0\0" "d\0b\0x\0" "abcd"), "dbx", true },
	{ "name too long", 7, 0x80000001u, DATA, S("0123456789abcdef" "\377\377\377\377\377\377\377\377" "\1\0\0\0\0\0\0\0" "x"), "", false },
	{ "boot variable, value hashed", 1, 0x80000002u, S("\1\0"), S("0123456789abcdef" "\011\0\0\0\0\0\0\0" "\2\0\0\0\0\0\0\0" "B\0o\0o\0t\0O\0r\0d\0e\0r\0" "\1\0"), "BootOrder: 0001", false },
	{ "boot variable, whole", 1, 0x8000000cu, DATA, S("0123456789abcdef" "\011\0\0\0\0\0\0\0" "\2\0\0\0\0\0\0\0" "B\0o\0o\0t\0O\0r\0d\0e\0r\0" "\1\0"), "BootOrder: 0001", true },
	{ "image",         4, EV_EFI_BOOT_SERVICES_APPLICATION, S("PE"), S("\0\0\0\0\0\0\0\0" "\0\1\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0"), "image of 256 bytes", false },
	{ "image with a path", 4, EV_EFI_BOOT_SERVICES_APPLICATION, S("PE"), S("\0\0\0\0\0\0\0\0" "\0\1\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0"
	    "\014\0\0\0\0\0\0\0" "\4\4\014\0" "\\\0E\0F\0\0\0"), "\\\\EF", false },
	{ "path node of length 0", 4, EV_EFI_BOOT_SERVICES_APPLICATION, S("PE"), S("\0\0\0\0\0\0\0\0" "\0\1\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0"
	    "\4\0\0\0\0\0\0\0" "\4\4\0\0"), "image of 256 bytes", false },
	{ "firmware blob", 0, 0x80000008u, S("code"), S("\0\0\202\0\0\0\0\0" "\0\0\016\0\0\0\0\0"), "917504 bytes at 0x820000", false },
	{ "unknown type",  0, 0x1234u, DATA, S("hello"), "", false },
};

START_TEST(says)
{
	own(made_log) struct made_log made = { 0 };
	own(eventlog) struct eventlog log = { 0 };
	const void *hashed = words[_i].hashed ? words[_i].hashed : words[_i].data;

	made_open(&made, 1u << BANK_SHA1 | 1u << BANK_SHA256);
	made_measure(&made, words[_i].pcr, words[_i].type, hashed,
	    words[_i].hashed ? words[_i].nhashed : words[_i].n, words[_i].data, words[_i].n);
	made_parse(&made, &log);
	ck_assert_msg(!strcmp(log.event[1].text, words[_i].text), "%s: %s", words[_i].label, log.event[1].text);
	ck_assert_msg((log.event[1].binding == BOUND_DIGEST) == words[_i].bound, "%s", words[_i].label);
}
END_TEST

/* NEGATIVE row 11: words are bound only if every bank of the event says so. */
START_TEST(test_row_11_one_bank_corrupt)
{
	for (unsigned bank = 0; bank < 2; bank++) {
		own(made_log) struct made_log made = { 0 };
		own(eventlog) struct eventlog log = { 0 };
		size_t first;

		made_open(&made, 1u << BANK_SHA1 | 1u << BANK_SHA256);
		first = made.len;
		made_text(&made, 4, 0x80000007u, "Exit");
		made.buf[first + 14 + (bank ? 22 : 0)] ^= 1;
		made_parse(&made, &log);
		ck_assert_str_eq(log.event[1].text, "Exit");
		ck_assert_int_eq(log.event[1].binding, BOUND_NOT);
	}
}
END_TEST

START_TEST(words_that_are_cut_are_not_bound)
{
	own(made_log) struct made_log made = { 0 };
	own(eventlog) struct eventlog log = { 0 };
	char text[EVENT_TEXT_MAX + 1];

	made_open(&made, 1u << BANK_SHA256);
	memset(text, 'a', sizeof(text));
	text[EVENT_TEXT_MAX - 1] = '\0';
	made_text(&made, 4, 5, text);
	text[EVENT_TEXT_MAX - 1] = 'a';
	text[EVENT_TEXT_MAX] = '\0';
	made_text(&made, 4, 5, text);
	made_parse(&made, &log);
	ck_assert_uint_eq(strlen(log.event[1].text), EVENT_TEXT_MAX - 1);
	ck_assert_int_eq(log.event[1].binding, BOUND_DIGEST);
	ck_assert_uint_le(strlen(log.event[2].text), EVENT_TEXT_MAX - 1);
	ck_assert_int_eq(log.event[2].binding, BOUND_NOT);
}
END_TEST

START_TEST(packed_form_comes_back)
{
	own(eventlog) struct eventlog log = { 0 }, back = { 0 };
	struct error e = { .code = ERR_NONE };
	own(mem) uint8_t *buf = NULL;
	struct writer w;
	struct reader r;
	size_t size;

	vm_log("sb-shimgrub-a", &log);
	size = eventlog_packed_size(&log);
	buf = malloc(size);
	w = wr_open(buf, size);
	eventlog_pack(&log, &w);
	ck_assert_msg(wr_ok(&w, &e) && w.used == size, "%s", e.why);
	r = rd_open(buf, size);
	ck_assert_msg(eventlog_unpack(&r, &back, &e) && rd_end(&r, &e), "%s", e.why);
	ck_assert_uint_eq(back.count, log.count);
	ck_assert(back.banks == log.banks && back.form == log.form && back.registers == log.registers &&
	    back.logs == log.logs && back.locality == log.locality && back.consumed == log.consumed);
	for (unsigned i = 0; i < log.count; i++) {
		const struct event *a = &log.event[i], *b = &back.event[i];

		ck_assert(a->number == b->number && a->offset == b->offset && a->pcr == b->pcr && a->type == b->type &&
		    a->banks == b->banks && a->binding == b->binding && a->data_len == b->data_len &&
		    !memcmp(a->digest, b->digest, sizeof(a->digest)) && !strcmp(a->text, b->text));
	}
	eventlog_free(&back);
	for (size_t cut = 0; cut < size; cut += cut < 512 ? 1 : 13) {
		own(mem) uint8_t *copy = malloc(cut + !cut);

		memcpy(copy, buf, cut);
		r = rd_open(copy, cut);
		ck_assert(!eventlog_unpack(&r, &back, &e) && !back.event);
	}
}
END_TEST

static const struct { const char *label; size_t at; uint8_t value; const char *why; } lies[] = {
	{ "version",      0, 9,    "version 9" },
	{ "form",         1, 99,   "form 99" },
	{ "registers",    2, 2,    "registers 2" },
	{ "no log",       3, 0,    "0 logs" },
	{ "no banks",     4, 0,    "banks 0x00" },
	{ "unknown bank", 4, 0xff, "banks 0xff" },
	{ "locality",     5, 7,    "locality 7" },
	{ "many events",  10, 0xff, "events in" },
	{ "a bank that the log lacks", 14 + 16, 0x07, "banks 0x07" },
};

START_TEST(packed_lies_are_refused)
{
	own(made_log) struct made_log made = { 0 };
	own(eventlog) struct eventlog log = { 0 }, back = { 0 };
	struct error e = { .code = ERR_NONE };
	uint8_t buf[512];
	struct writer w = wr_open(buf, sizeof(buf));
	struct reader r;

	made_open(&made, 1u << BANK_SHA256);
	made_text(&made, 4, 5, "words");
	made_parse(&made, &log);
	eventlog_pack(&log, &w);
	ck_assert(wr_ok(&w, &e));
	buf[lies[_i].at] = lies[_i].value;
	r = rd_open(buf, w.used);
	ck_assert_msg(!eventlog_unpack(&r, &back, &e) && strstr(e.why, lies[_i].why), "%s: %s", lies[_i].label, e.why);
}
END_TEST

/* --- replay --- */

START_TEST(replay_starts_where_the_tpm_does)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };
	struct replay r;
	uint8_t buf[512], want[DIGEST_MAX] = { 0 };
	size_t len = unhex(HEADER_SHA1_256 LOCALITY("00", "03") SEPARATOR("00"), buf, sizeof(buf));

	ck_assert(eventlog_parse(buf, len, &log, &e) && eventlog_replay(&log, &r, &e));
	ck_assert_uint_eq(r.extended[BANK_SHA256], 1);
	ck_assert_uint_eq(r.extended[BANK_SHA384], 0);
	want[31] = 3;
	unhex("df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119", buf, sizeof(buf));
	ck_assert(digest_extend(BANK_SHA256, want, buf));
	ck_assert_mem_eq(r.value[BANK_SHA256][0], want, 32);
	ck_assert_uint_eq(r.value[BANK_SHA256][17][0], 0xff);
	ck_assert_uint_eq(r.value[BANK_SHA256][23][0], 0);
}
END_TEST

/* NEGATIVE row 10: whatever type a record of a real log bears, its PCR gets its digest; only EV_NO_ACTION hides it, and that shows. */
START_TEST(test_row_10_types)
{
	static const uint32_t types[] = { EV_SEPARATOR, 5, EV_IPL, EV_EFI_BOOT_SERVICES_APPLICATION, EV_CEL(CEL_SYSTEMD), 0xabcd, EV_NO_ACTION };
	own(eventlog) struct eventlog base = { 0 };
	struct error e = { .code = ERR_NONE };
	struct replay want, r;
	size_t len;
	own(mem) uint8_t *buf = vm_file("sb-shimgrub-a", "binary_bios_measurements", &len);

	ck_assert(buf && eventlog_parse(buf, len, &base, &e) && eventlog_replay(&base, &want, &e));
	for (unsigned i = 1; i < base.count; i++)
		for (unsigned t = 0; t < COUNT(types) && base.event[i].type != EV_NO_ACTION; t++) {
			own(eventlog) struct eventlog log = { 0 };
			uint8_t *type = buf + base.event[i].offset + 4, kept[4];

			memcpy(kept, type, 4);
			for (unsigned k = 0; k < 4; k++)
				type[k] = (uint8_t)(types[t] >> 8 * k);
			ck_assert(eventlog_parse(buf, len, &log, &e) && eventlog_replay(&log, &r, &e));
			ck_assert_msg(!memcmp(&r, &want, sizeof(r)) == (types[t] != EV_NO_ACTION), "event %u as 0x%x", i, types[t]);
			memcpy(type, kept, 4);
		}
}
END_TEST

/* FACTS 13: PCR values of one separator; NO_ACTION is never extended, whatever digest stands there. */
START_TEST(replay_of_one_separator)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };
	struct replay r;
	uint8_t buf[1024], want[32];
	size_t len = unhex(HEADER_SHA1_256 SEPARATOR("02")
	    "02000000 03000000 01000000" SHA256_OF_ZERO4 "00000000", buf, sizeof(buf));

	ck_assert(eventlog_parse(buf, len, &log, &e) && eventlog_replay(&log, &r, &e));
	unhex("3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969", want, sizeof(want));
	ck_assert_mem_eq(r.value[BANK_SHA256][2], want, 32);
	unhex("b2a83b0ebf2f8374299a5b2bdfc31ea955ad7236", want, sizeof(want));
	ck_assert_mem_eq(r.value[BANK_SHA1][2], want, 20);
}
END_TEST

/* NEGATIVE row 6: a digest over nothing is no digest. */
static const struct { const char *label; struct selection sel; const char *why; } nothings[] = {
	{ "no bank",      { .count = 0 }, "a selection of 0 banks" },
	{ "five banks",   { .count = 5 }, "a selection of 5 banks" },
	{ "no PCR",       { .count = 1, .bank = { { 0x000b, 0 } } }, "no such selection" },
	{ "PCR 24",       { .count = 1, .bank = { { 0x000b, 1u << 24 } } }, "no such selection" },
	{ "unknown bank", { .count = 1, .bank = { { 0x00ff, 1 } } }, "unknown bank" },
	{ "a bank that the log lacks", { .count = 1, .bank = { { 0x000c, 4 } } }, "sha384: the log extends none" },
	{ "PCRs that nothing extended", { .count = 1, .bank = { { 0x000b, 1u << 9 } } }, "sha256: the log extends none" },
	{ "one bank of two", { .count = 2, .bank = { { 0x000b, 4 }, { 0x000c, 4 } } }, "sha384: the log extends none" },
};

START_TEST(test_row_6_digest_of_nothing)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };
	struct replay r;
	uint8_t buf[512], out[DIGEST_MAX];
	size_t len = unhex(HEADER_SHA1_256 SEPARATOR("02"), buf, sizeof(buf)), n;

	ck_assert(eventlog_parse(buf, len, &log, &e) && eventlog_replay(&log, &r, &e));
	ck_assert_msg(!replay_digest(&r, &nothings[_i].sel, BANK_SHA256, out, &n, &e) &&
	    strstr(e.why, nothings[_i].why), "%s: %s", nothings[_i].label, e.why);
}
END_TEST

/* A CCEL's index 1 is RTMR 0: no TPM quote is answered by it, whatever it holds. */
START_TEST(rtmrs_are_no_pcrs)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };
	struct selection sel = { .count = 1, .bank = { { 0x000b, 2 } } };
	struct replay r;
	uint8_t buf[512], out[DIGEST_MAX];
	size_t len = unhex(CCEL_HEADER CC_SEPARATOR("01"), buf, sizeof(buf)), n;

	ck_assert(eventlog_parse(buf, len, &log, &e) && eventlog_replay(&log, &r, &e));
	ck_assert(r.extended[BANK_SHA256] == 2 && r.value[BANK_SHA256][17][0] == 0);
	ck_assert(!replay_digest(&r, &sel, BANK_SHA256, out, &n, &e) && strstr(e.why, "CCEL"));
}
END_TEST

START_TEST(digest_follows_the_order_of_banks)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };
	struct selection one = { .count = 2, .bank = { { 0x0004, 4 }, { 0x000b, 4 } } };
	struct selection other = { .count = 2, .bank = { { 0x000b, 4 }, { 0x0004, 4 } } };
	struct replay r;
	uint8_t buf[512], a[DIGEST_MAX], b[DIGEST_MAX];
	size_t len = unhex(HEADER_SHA1_256 SEPARATOR("02"), buf, sizeof(buf)), n;

	ck_assert(eventlog_parse(buf, len, &log, &e) && eventlog_replay(&log, &r, &e));
	ck_assert(replay_digest(&r, &one, BANK_SHA256, a, &n, &e) && n == 32);
	ck_assert(replay_digest(&r, &other, BANK_SHA256, b, &n, &e) && memcmp(a, b, n));
	ck_assert(replay_digest(&r, &one, BANK_SHA384, a, &n, &e) && n == 48);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, reads, 0, COUNT(cases));
	tcase_add_test(tc, test_row_12_lengths);
	tcase_add_test(tc, no_prefix_passes);
	tcase_add_test(tc, events_are_limited);
	tcase_add_test(tc, what_was_read_before_the_fault);
	tcase_add_loop_test(tc, says, 0, COUNT(words));
	tcase_add_test(tc, test_row_11_one_bank_corrupt);
	tcase_add_test(tc, words_that_are_cut_are_not_bound);
	tcase_add_test(tc, packed_form_comes_back);
	tcase_add_loop_test(tc, packed_lies_are_refused, 0, COUNT(lies));
	tcase_add_test(tc, replay_starts_where_the_tpm_does);
	tcase_add_test(tc, test_row_10_types);
	tcase_add_test(tc, replay_of_one_separator);
	tcase_add_loop_test(tc, test_row_6_digest_of_nothing, 0, COUNT(nothings));
	tcase_add_test(tc, rtmrs_are_no_pcrs);
	tcase_add_test(tc, digest_follows_the_order_of_banks);
}

int main(void) { return unit_run("eventlog", add); }
