/* attestd's view of the IMA list: places in it, what is new, parts of it. */
#include <fcntl.h>
#include "ima_file.h"
#include "unit.h"
#include "writer.h"

static char path[] = "/tmp/check_ima_file.XXXXXX";
static int file;                       /* the kernel's side: what is written is the list */
static struct ima_file list;
static struct error e;

static void
open_list(void)
{
	strcpy(path + strlen(path) - 6, "XXXXXX");
	file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	e.code = ERR_NONE;
	ima_open(path, &list, &e);
	ck_assert_msg(list.fd >= 0 && !list.absent, "%s", e.why);
}

static void
close_list(void)
{
	ima_close(&list);
	close(file);
	unlink(path);
}

static void
le32(uint8_t *buf, size_t *at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		buf[(*at)++] = (uint8_t)(v >> 8 * i);
}

/* One record; the bytes of its data are the number. */
static size_t
record(uint8_t *buf, const char *template, uint32_t number, uint32_t data)
{
	size_t at = 0, name = strlen(template);

	le32(buf, &at, 10);
	memset(buf + at, (int)number & 0xff, 20);
	at += 20;
	le32(buf, &at, (uint32_t)name);
	memcpy(buf + at, template, name);
	at += name;
	if (!strcmp(template, "ima")) {
		memset(buf + at, 0xdd, 20);
		at += 20;
	}
	le32(buf, &at, data);
	memset(buf + at, (int)number & 0xff, data);
	return at + data;
}

static void
say(const void *p, size_t n)
{
	ck_assert_int_eq(write(file, p, n), (ssize_t)n);
}

static void
measure(const char *template, uint32_t number, uint32_t data)
{
	own(mem) uint8_t *buf = malloc(data + 512);

	say(buf, record(buf, template, number, data));
}

static uint64_t
count(void)
{
	uint64_t n = 99;
	enum reason why = ima_count(&list, &n, &e);

	ck_assert_msg(why == REASON_OK, "%s", e.why);
	return n;
}

static struct ima_part
part(uint64_t from, size_t max)
{
	struct ima_part p;
	enum reason why = ima_read(&list, from, max, &p, &e);

	ck_assert_msg(why == REASON_OK, "%s", e.why);
	return p;
}

/* Does the part begin with entry `number`? */
static bool
begins_with(const struct ima_part *p, uint32_t number)
{
	return p->len > 24 && p->p[4] == (uint8_t)number;
}

START_TEST(an_empty_list)
{
	struct ima_part p = part(0, 1000);

	ck_assert_uint_eq(count(), 0);
	ck_assert(!p.len && !p.entries);
}
END_TEST

START_TEST(absent_and_unreadable)
{
	struct ima_file none;
	struct ima_part p;
	uint64_t n = 1;

	ima_open("", &none, &e);
	ck_assert(none.absent && ima_count(&none, &n, &e) == REASON_OK && !n);
	ima_open("/nowhere/at/all", &none, &e);
	ck_assert(none.absent && ima_read(&none, 0, 10, &p, &e) == REASON_OK && !p.len);
	none = (struct ima_file){ .fd = -1 };        /* what root itself could not open */
	ck_assert(ima_count(&none, &n, &e) == REASON_IMA_UNREADABLE);
	ck_assert(ima_read(&none, 0, 10, &p, &e) == REASON_IMA_UNREADABLE);
	none.fd = open("/", O_RDONLY | O_CLOEXEC);   /* opens, and does not read */
	ck_assert(ima_count(&none, &n, &e) == REASON_IMA_UNREADABLE);
	ima_close(&none);
}
END_TEST

START_TEST(parts_make_the_list)
{
	enum { ENTRIES = 3000 };
	own(mem) uint8_t *whole = malloc(1 << 20), *sent = malloc(1 << 20);
	size_t len = 0, at = 0;
	uint64_t from = 0;
	static const char *const templates[] = { "ima-ng", "ima", "ima-sig", "d-ng|n-ng|buf" };

	for (uint32_t i = 0; i < ENTRIES; i++)
		len += record(whole + len, templates[i % 4], i, i % 200);
	say(whole, len);
	ck_assert_uint_eq(count(), ENTRIES);
	while (from < ENTRIES) {
		struct ima_part p = part(from, 10000);

		ck_assert_msg(p.len && p.len <= 10000 && p.entries, "entry %u: %zu bytes", (unsigned)from, p.len);
		memcpy(sent + at, p.p, p.len);
		at += p.len;
		from += p.entries;
	}
	ck_assert_uint_eq(from, ENTRIES);
	ck_assert_uint_eq(at, len);
	ck_assert(!memcmp(sent, whole, len));
	ck_assert_uint_eq(part(ENTRIES, 10000).entries, 0);
}
END_TEST

/* Bytes that this process has read from files. */
static unsigned long long
bytes_read(void)
{
	unsigned long long n = 0;
	FILE *f = fopen("/proc/self/io", "re");

	ck_assert(f && fscanf(f, "rchar: %llu", &n) == 1);
	fclose(f);
	return n;
}

START_TEST(only_what_is_new_is_read)
{
	enum { OLD = 20000, NEW = 5 };
	unsigned long long before;
	struct ima_part p;

	for (uint32_t i = 0; i < OLD; i++)
		measure("ima-ng", i, 70);
	ck_assert_uint_eq(count(), OLD);
	p = part(OLD - 1, IMA_CHUNK);
	ck_assert_uint_eq(p.entries, 1);
	ima_release(&list);
	for (uint32_t i = OLD; i < OLD + NEW; i++)
		measure("ima-ng", i, 70);
	before = bytes_read();
	ck_assert_uint_eq(count(), OLD + NEW);
	p = part(OLD, IMA_CHUNK);
	ck_assert(p.entries == NEW && begins_with(&p, OLD));
	ima_release(&list);
	p = part(OLD + 2, IMA_CHUNK);
	ck_assert(p.entries == NEW - 2 && begins_with(&p, OLD + 2));
	ck_assert_msg(bytes_read() - before < 8192, "%llu bytes for %d entries", bytes_read() - before, NEW);
	/* A reboot or another policy, says the verifier: all of it again. */
	p = part(0, IMA_CHUNK);
	ck_assert(begins_with(&p, 0) && p.entries > 1000);
	p = part(OLD + NEW - 1, IMA_CHUNK);
	ck_assert(p.entries == 1 && begins_with(&p, OLD + NEW - 1));
}
END_TEST

START_TEST(it_grows_while_it_is_read)
{
	uint8_t buf[256];
	struct ima_part p;
	size_t n;

	measure("ima-ng", 0, 70);
	n = record(buf, "ima-sig", 1, 100);
	say(buf, n / 2);                        /* half a record is none yet */
	ck_assert_uint_eq(count(), 1);
	p = part(0, IMA_CHUNK);
	ck_assert_uint_eq(p.entries, 1);
	say(buf + n / 2, n - n / 2);
	measure("ima-ng", 2, 70);
	p = part(1, IMA_CHUNK);
	ck_assert(p.entries == 2 && begins_with(&p, 1));
	ck_assert_uint_eq(count(), 3);
	ck_assert_uint_eq(part(7, IMA_CHUNK).entries, 0);    /* beyond its end */
	measure("ima-ng", 3, 70);
	ck_assert_uint_eq(count(), 4);
}
END_TEST

START_TEST(a_long_entry_is_a_part)
{
	struct ima_part p;

	measure("ima-ng", 0, 70);
	measure("ima-buf", 1, 900000);
	measure("ima-ng", 2, 70);
	p = part(0, IMA_CHUNK);
	ck_assert_uint_eq(p.entries, 1);
	p = part(1, IMA_CHUNK);
	ck_assert(p.entries == 1 && p.len > 900000 && begins_with(&p, 1));
	p = part(2, IMA_CHUNK);
	ck_assert(p.entries == 1 && begins_with(&p, 2));
}
END_TEST

static const struct { const char *label; uint32_t name, data; const char *why; } bad[] = {
	{ "no template name",   0,           1,                "template name length 0" },
	{ "endless name",       UINT32_MAX,  1,                "template name length 4294967295" },
	{ "endless data",       6,           UINT32_MAX,       "template data length 4294967295" },
	{ "too much data",      6,           IMA_DATA_MAX + 1, "template data length 1048577" },
};

START_TEST(what_is_no_list)
{
	uint8_t buf[64] = { 10 };
	size_t at = 24;
	uint64_t n;

	measure("ima-ng", 0, 70);
	le32(buf, &at, bad[_i].name);
	at += 6;
	le32(buf, &at, bad[_i].data);
	say(buf, sizeof(buf));
	ck_assert_msg(ima_count(&list, &n, &e) == REASON_IMA_UNREADABLE, "%s", bad[_i].label);
	ck_assert_msg(strstr(e.why, bad[_i].why) && strstr(e.why, "entry 1 at offset 108"), "%s: %s", bad[_i].label, e.why);
}
END_TEST

START_TEST(text_is_no_list)
{
	char text[512];
	uint64_t n;

	memset(text, 'a', sizeof(text));
	say(text, sizeof(text));
	ck_assert(ima_count(&list, &n, &e) == REASON_IMA_UNREADABLE);
	ck_assert_msg(strstr(e.why, "not a binary IMA list"), "%s", e.why);
}
END_TEST

/* What a kernel on a big-endian machine writes, with SHA-256 template hashes. */
START_TEST(another_form)
{
	static const uint8_t number[4] = { 0, 0, 0, 10 }, name[10] = { 0, 0, 0, 6, 'i', 'm', 'a', '-', 'n', 'g' }, data[5] = { 0, 0, 0, 1, 7 };
	uint8_t buf[4 + 32 + 10 + 5] = { 0 };
	struct ima_part p;

	memcpy(buf, number, 4);
	memcpy(buf + 36, name, 10);
	memcpy(buf + 46, data, 5);
	for (unsigned i = 0; i < 100; i++)
		say(buf, sizeof(buf));
	ck_assert_uint_eq(count(), 100);
	p = part(98, IMA_CHUNK);
	ck_assert(p.entries == 2 && p.len == 2 * sizeof(buf));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_list, close_list);
	tcase_add_test(tc, an_empty_list);
	tcase_add_test(tc, absent_and_unreadable);
	tcase_add_test(tc, parts_make_the_list);
	tcase_add_test(tc, only_what_is_new_is_read);
	tcase_add_test(tc, it_grows_while_it_is_read);
	tcase_add_test(tc, a_long_entry_is_a_part);
	tcase_add_loop_test(tc, what_is_no_list, 0, (int)COUNT(bad));
	tcase_add_test(tc, text_is_no_list);
	tcase_add_test(tc, another_form);
}

int
main(void)
{
	return unit_run("ima_file", add);
}
