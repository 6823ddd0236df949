/* Allow lists: the file, the packed form that is searched where it lies, and patterns. */
#include "allow_list.h"
#include "unit.h"

#define HEAD  "attest-allow-list 1\n"
#define ONE   "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO   "2222222222222222222222222222222222222222222222222222222222222222"
#define SHORT "3333333333333333333333333333333333333333"

/* --- patterns --- */

static const struct { const char *pattern, *path; bool matches; } patterns[] = {
	{ "/usr/bin/true",  "/usr/bin/true",   true },
	{ "/usr/bin/true",  "/usr/bin/tru",    false },
	{ "/usr/bin/true",  "/usr/bin/true/x", false },
	{ "/usr/bin/tru?",  "/usr/bin/true",   true },
	{ "/usr/bin?true",  "/usr/bin/true",   false },
	{ "/usr/*/true",    "/usr/bin/true",   true },
	{ "/usr/*/true",    "/usr/lib/x/true", false },
	{ "/usr/**/true",   "/usr/lib/x/true", true },
	{ "/usr/**",        "/usr/",           true },
	{ "/usr/**",        "/usr",            false },
	{ "**",             "",                true },
	{ "**",             "/a/b",            true },
	{ "*",              "/a",              false },
	{ "/*.so",          "/a.so",           true },
	{ "/*.so",          "/a.so.so",        true },
	{ "/*.so",          "/a.so.1",         false },
	{ "/a*b*c",         "/aXbXbc",         true },
	{ "/**/*.py",       "/usr/lib/x.py",   true },
	{ "/**/*.py",       "/usr/lib.py/x",   false },
	{ "/**/a/*b/**",    "/x/a/y/a/zb/q",   true },
	{ "/a\\*",          "/a*",             true },
	{ "/a\\*",          "/ab",             false },
	{ "/a\\\\",         "/a\\",            true },
	{ "/a\\?b",         "/axb",            false },
	{ "***",            "/a/b",            true },
	{ "/a",             "",                false },
	{ "",               "",                true },
};

START_TEST(pattern)
{
	size_t len = strlen(patterns[_i].path);
	char *path = malloc(len ? len : 1);     /* without a NUL: ASan sees one too far */

	ck_assert_ptr_nonnull(path);
	memcpy(path, patterns[_i].path, len);
	ck_assert_msg(pattern_matches(patterns[_i].pattern, path, len) == patterns[_i].matches, "%s %s", patterns[_i].pattern, patterns[_i].path);
	free(path);
}
END_TEST

/* What would take for ever is given up: no match. */
START_TEST(bounded_pattern)
{
	static char path[4096];

	memset(path, 'a', sizeof(path));
	ck_assert(!pattern_matches("**a*a*a*a*a**a*a*a*a*b", path, sizeof(path)));
}
END_TEST

START_TEST(patterns_are_checked)
{
	static char longest[PATTERN_MAX + 1];
	struct error e;

	memset(longest, 'x', sizeof(longest));
	ck_assert(pattern_check(longest, PATTERN_MAX, &e) && !pattern_check(longest, PATTERN_MAX + 1, &e));
	ck_assert(!pattern_check("", 0, &e) && !pattern_check("/a\\", 3, &e) && !pattern_check("/a\n", 3, &e) && !pattern_check("/\x7f", 2, &e));
	ck_assert(pattern_check("/a\\\\", 4, &e) && pattern_check("/\xc3\xa4", 3, &e));
}
END_TEST

/* --- the file --- */

static const struct { const char *label, *text; unsigned count; const char *why; } files[] = {
	{ "none",           HEAD, 0, NULL },
	{ "two",            HEAD "sha256:" ONE " /a\nsha256:" TWO " /b\n", 2, NULL },
	{ "one twice",      HEAD "sha256:" ONE " /a\nsha256:" ONE " /a\n", 1, NULL },
	{ "one, two paths", HEAD "sha256:" ONE " /a\nsha256:" ONE " /b\n", 2, NULL },
	{ "verity",         HEAD "verity:sha256:" ONE " /a\n", 1, NULL },
	{ "sha1",           HEAD "sha1:" SHORT " /a\n", 1, NULL },
	{ "nothing",        "", 0, "line 1: not" },
	{ "other version",  "attest-allow-list 2\n", 0, "line 1: not" },
	{ "empty line",     HEAD "\n", 0, "line 2: not a digest, a space and a path" },
	{ "no path",        HEAD "sha256:" ONE "\n", 0, "line 2: not a digest" },
	{ "empty path",     HEAD "sha256:" ONE " \n", 0, "line 2: path: not 1 to" },
	{ "no end",         HEAD "sha256:" ONE " /a", 0, "line 2: without an end" },
	{ "no algorithm",   HEAD ONE " /a\n", 0, "line 2: digest: not" },
	{ "odd algorithm",  HEAD "crc32:12345678 /a\n", 0, "line 2: digest: not" },
	{ "short",          HEAD "sha256:" SHORT " /a\n", 0, "line 2: digest: not 32 bytes in hex, as sha256 has" },
	{ "no hex",         HEAD "sha256:" ONE " /a\nsha1:333333333333333333333333333333333333333g /a\n", 0, "line 3: digest: not hex" },
	{ "control",        HEAD "sha256:" ONE " /a\tb\n", 0, "line 2: path: a control character" },
	{ "escaped control", HEAD "sha256:" ONE " /a\\\tb\n", 0, "line 2: path: a control character" },
};

START_TEST(file)
{
	own(allow_list) struct allow_list l = { .count = 0 };
	struct error e = { .code = ERR_NONE };
	bool ok = allow_list_read(files[_i].text, strlen(files[_i].text), &l, &e);

	ck_assert_msg(ok == !files[_i].why && (ok || strstr(e.why, files[_i].why)), "%s: %s", files[_i].label, e.why);
	ck_assert_msg(l.count == files[_i].count, "%s: %u", files[_i].label, l.count);
}
END_TEST

#define SORTED HEAD "sha1:" SHORT " /old\nsha256:" ONE " /a*\nsha256:" ONE " /a\nsha256:" ONE " /b\nsha256:" TWO " /a_b\nverity:sha256:" ONE " /v\n"

/* However it is written, the same list gives the same text, and reads as the same list again. */
START_TEST(same_again)
{
	static const char *const shuffled[] = { SORTED,
	    HEAD "verity:sha256:" ONE " /v\nsha256:" TWO " /a b\nsha256:" ONE " /b\nsha256:" ONE " /a\nsha1:" SHORT " /old\nsha256:" ONE " /a*\nsha256:" ONE " /b\n" };

	for (unsigned i = 0; i < COUNT(shuffled); i++) {
		own(allow_list) struct allow_list l = { .count = 0 }, back = { .count = 0 };
		own(mem) char *text = NULL;
		struct error e;
		size_t len;

		ck_assert_msg(allow_list_read(shuffled[i], strlen(shuffled[i]), &l, &e), "%s", e.why);
		ck_assert(allow_list_write(&l, &text, &len, &e));
		ck_assert_str_eq(text, SORTED);
		ck_assert(allow_list_open(l.packed, l.packed_len, &back, &e) && back.count == 6);
	}
}
END_TEST

static enum allowed
holds(const struct allow_list *l, bool verity, enum ima_alg alg, uint8_t byte, const char *path)
{
	uint8_t digest[DIGEST_MAX];
	struct ima_fields f = { .judged = true, .verity = verity, .alg = alg, .digest = digest, .path = path, .path_len = strlen(path) };

	uint64_t steps = 0;

	memset(digest, byte, sizeof(digest));
	return allow_list_holds(l, &f, &steps);
}

START_TEST(lookups)
{
	own(allow_list) struct allow_list l = { .count = 0 };
	char is[ALLOWED_TEXT];
	struct error e;

	ck_assert(allow_list_read(SORTED, strlen(SORTED), &l, &e));
	ck_assert(holds(&l, false, IMA_ALG_SHA256, 0x11, "/a") == ALLOWED && holds(&l, false, IMA_ALG_SHA256, 0x11, "/b") == ALLOWED);
	ck_assert(holds(&l, false, IMA_ALG_SHA256, 0x11, "/axy") == ALLOWED && holds(&l, false, IMA_ALG_SHA256, 0x11, "/c") == ALLOWED_ELSEWHERE);
	ck_assert(holds(&l, false, IMA_ALG_SHA256, 0x22, "/a_b") == ALLOWED && holds(&l, false, IMA_ALG_SHA256, 0x22, "/a b") == ALLOWED_ELSEWHERE);
	ck_assert(holds(&l, false, IMA_ALG_SHA256, 0x12, "/a") == ALLOWED_NOT && holds(&l, false, IMA_ALG_SHA256, 0x33, "/a") == ALLOWED_NOT);
	/* A digest of one kind is none of another. */
	ck_assert(holds(&l, true, IMA_ALG_SHA256, 0x11, "/v") == ALLOWED && holds(&l, true, IMA_ALG_SHA256, 0x11, "/a") == ALLOWED_ELSEWHERE);
	ck_assert(holds(&l, false, IMA_ALG_SM3, 0x11, "/a") == ALLOWED_NOT && holds(&l, false, IMA_ALG_SHA1, 0x33, "/old") == ALLOWED);
	ck_assert(allow_list_of_path(&l, "/a_b", 4, is) && !strcmp(is, "sha256:" TWO) && !allow_list_of_path(&l, "/nowhere", 8, is));
	ck_assert(holds(&(struct allow_list){ .count = 0 }, false, IMA_ALG_SHA256, 0x11, "/a") == ALLOWED_NOT);
}
END_TEST

START_TEST(joined)
{
	static const char one[] = HEAD "sha256:" ONE " /a\nsha256:" TWO " /b\n", two[] = HEAD "sha256:" ONE " /a\nsha1:" SHORT " /c\n";
	own(allow_list) struct allow_list a = { .count = 0 }, b = { .count = 0 }, both = { .count = 0 }, none = { .count = 0 };
	struct error e;

	ck_assert(allow_list_read(one, strlen(one), &a, &e) && allow_list_read(two, strlen(two), &b, &e));
	ck_assert(allow_list_join(&a, &b, &both, &e) && both.count == 3);
	ck_assert(holds(&both, false, IMA_ALG_SHA256, 0x22, "/b") == ALLOWED && holds(&both, false, IMA_ALG_SHA1, 0x33, "/c") == ALLOWED);
	allow_list_free(&both);
	ck_assert(allow_list_join(&none, &b, &both, &e) && both.count == 2);
}
END_TEST

/* --- files of others --- */

#define KEYLIME(digests, more) "{\"meta\":{\"version\":1},\"release\":0,\"digests\":{" digests "}" more ",\"keyrings\":{},\"ima-buf\":{},\"verification-keys\":\"\"}"
static const struct { const char *label, *text, *out, *excludes, *why; } imports[] = {
	{ "own", HEAD "sha256:" ONE " /a*\n", "sha256:" ONE " /a*\n", "", NULL },
	{ "sha256sum", ONE "  /a\n" TWO " */b c\n", "sha256:" ONE " /a\nsha256:" TWO " /b_c\n", "", NULL },
	{ "sha1sum", SHORT "  /a", "sha1:" SHORT " /a\n", "", NULL },
	{ "stars", ONE "  /a*[b]?\n", "sha256:" ONE " /a\\*[b]\\?\n", "", NULL },
	{ "backslash", "\\" ONE "  /a\\\\n\n", "sha256:" ONE " /a\\\\n\n", "", NULL },
	{ "newline", "\\" ONE "  /a\\nb\n", NULL, NULL, "line 1: path: a control character" },
	{ "relative", ONE "  a\n", NULL, NULL, "line 1: path: not absolute" },
	{ "one space", ONE " /a\n", NULL, NULL, "line 1: not a digest, two spaces and a path" },
	{ "tag", "SHA256 (/a) = " ONE "\n", NULL, NULL, "line 1: not a digest" },
	{ "empty line", ONE "  /a\n\n", NULL, NULL, "line 2: not a digest" },
	{ "odd digits", "123  /a\n", NULL, NULL, "line 1: digest: 3 digits" },
	{ "no hex", "x111111111111111111111111111111111111111  /a\n", NULL, NULL, "line 1: digest: not hex" },
	{ "nothing", "", NULL, NULL, "an allow list of 0 bytes" },
	{ "keylime", KEYLIME("\"/a b\":[\"" ONE "\",\"" TWO "\"],\"boot_aggregate\":[\"00\"],\"/c\\u00e4\":[\"" SHORT "\"]", ",\"excludes\":[\"/tmp/.*\",\"/a\\\\.b$\",\"boot_aggregate\"],\"ima\":{\"dm_policy\":null}"),
	    "sha1:" SHORT " /c\xc3\xa4\nsha256:" ONE " /a_b\nsha256:" TWO " /a_b\n", "/tmp/**\n/a.b\n", NULL },
	{ "no digests", "{\"meta\":{}}", NULL, NULL, "digests: missing" },
	{ "keyrings", "{\"digests\":{},\"keyrings\":{\".ima\":[\"00\"]}}", NULL, NULL, "keyrings: not empty" },
	{ "other member", "{\"digests\":{},\"hashes\":{}}", NULL, NULL, "hashes: no such member" },
	{ "bad digest", KEYLIME("\"/a\":[\"11\"]", ""), NULL, NULL, "digests: /a[0]: digest: 2 digits" },
	{ "no list", KEYLIME("\"/a\":\"" ONE "\"", ""), NULL, NULL, "digests: /a: digests: not" },
	{ "regex", KEYLIME("", ",\"excludes\":[\"/a\",\"/(a|b)/.*\"]"), NULL, NULL, "excludes[1]: '(a|b)/.*' is no pattern" },
	{ "regex star", KEYLIME("", ",\"excludes\":[\"/var/log/*\"]"), NULL, NULL, "excludes[0]: '*' is no pattern" },
	{ "regexes", KEYLIME("", ",\"excludes\":[\"^/a\",\"/b(/.*)?\",\"/c[^/]*/d\",\"/e.f$\",\"/g.+\"]"), "", "/a**\n/b**\n/c*/d**\n/e?f\n/g?**\n", NULL },
	{ "cut", "{\"digests\":{\"/a\":[\"" ONE "\"]}", NULL, NULL, "neither ',' nor '}'" },
	{ "behind", "{\"digests\":{}} x", NULL, NULL, "something stands behind the object" },
};

START_TEST(imported)
{
	own(allow_list) struct allow_list l = { .count = 0 };
	own(mem) char *excludes = NULL, *text = NULL;
	struct error e = { .code = ERR_NONE };
	bool ok = allow_list_import(imports[_i].text, strlen(imports[_i].text), &l, &excludes, &e);
	size_t len;

	ck_assert_msg(ok == !imports[_i].why && (ok || strstr(e.why, imports[_i].why)), "%s: %s", imports[_i].label, e.why);
	if (!ok)
		return;
	ck_assert(allow_list_write(&l, &text, &len, &e));
	ck_assert_str_eq(text + strlen(HEAD), imports[_i].out);
	ck_assert_str_eq(excludes, imports[_i].excludes);
}
END_TEST

static void
cut_import(const uint8_t *p, size_t len, void *arg)
{
	own(allow_list) struct allow_list l = { .count = 0 };
	own(mem) char *excludes = NULL;
	struct error e;

	(void)arg;
	(void)!allow_list_import((const char *)p, len, &l, &excludes, &e);
}

START_TEST(every_prefix_of_imports)
{
	for (unsigned i = 0; i < COUNT(imports); i++)
		unit_prefixes((const uint8_t *)imports[i].text, strlen(imports[i].text), cut_import, NULL);
}
END_TEST

/* A policy of a whole distribution. */
START_TEST(large_keylime_policy)
{
	own(allow_list) struct allow_list l = { .count = 0 };
	own(mem) char *text = malloc(16 << 20), *excludes = NULL;
	struct error e;
	size_t n;

	ck_assert_ptr_nonnull(text);
	n = (size_t)sprintf(text, "{\"digests\":{");
	for (unsigned i = 0; i < 100000; i++)
		n += (size_t)sprintf(text + n, "%s\"/usr/lib/package/%u\":[\"%064x\"]", i ? "," : "", i, i);
	n += (size_t)sprintf(text + n, "}}");
	ck_assert_msg(allow_list_import(text, n, &l, &excludes, &e) && l.count == 100000, "%s", e.why);
}
END_TEST

/* --- packed bytes are untrusted --- */

static void
search(const void *p, size_t len)
{
	struct allow_list l;
	struct allow_place at = { 0, 0 };
	char digest[ALLOWED_TEXT];
	const char *text;
	struct error e;

	if (!allow_list_open(p, len, &l, &e))
		return;
	(void)holds(&l, false, IMA_ALG_SHA256, 0x11, "/axy");
	(void)holds(&l, false, IMA_ALG_SHA256, 0x22, "/c");
	(void)allow_list_of_path(&l, "/none", 5, digest);
	while (allow_list_next(&l, &at, digest, &text))
		;
}

static void
cut(const uint8_t *p, size_t len, void *arg)
{
	struct allow_list l;
	struct error e;

	(void)arg;
	ck_assert(!allow_list_open(p, len, &l, &e));
}

START_TEST(packed_lies)
{
	static const uint32_t lengths[] = { 0, 1, 0xffffffff, 0x80000000, 0x7fffffff };
	own(allow_list) struct allow_list l = { .count = 0 };
	own(mem) uint8_t *p = NULL;
	struct error e;

	ck_assert(allow_list_read(SORTED, strlen(SORTED), &l, &e));
	unit_prefixes(l.packed, l.packed_len, cut, NULL);
	p = malloc(l.packed_len);
	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < l.packed_len; i++) {
		for (unsigned v = 1; v < 256; v <<= 1) {
			memcpy(p, l.packed, l.packed_len);
			p[i] ^= (uint8_t)v;
			search(p, l.packed_len);
		}
		for (unsigned k = 0; i + 4 <= l.packed_len && k < COUNT(lengths); k++) {
			struct writer w = wr_open(p + i, 4);

			memcpy(p, l.packed, l.packed_len);
			wr_be32(&w, lengths[k], "length");
			search(p, l.packed_len);
		}
	}
}
END_TEST

/* As many as a distribution has. */
START_TEST(hundred_thousand)
{
	own(allow_build) struct allow_build b = { .count = 0 };
	own(allow_list) struct allow_list l = { .count = 0 }, back = { .count = 0 };
	own(mem) char *text = NULL;
	uint8_t digest[DIGEST_MAX];
	char path[64];
	struct error e;
	size_t len;

	for (unsigned i = 0; i < 100000; i++) {
		snprintf(path, sizeof(path), "/usr/lib/x86_64-linux-gnu/package/%u/file", i);
		ck_assert(digest_sha256(path, strlen(path), digest) && allow_build_add(&b, false, IMA_ALG_SHA256, digest, path, strlen(path), &e));
	}
	ck_assert_msg(allow_build_end(&b, &l, &e) && l.count == 100000, "%s", e.why);
	for (unsigned i = 0; i < 100000; i += 7919) {
		struct ima_fields f = { .alg = IMA_ALG_SHA256, .digest = digest, .path = path };
		uint64_t steps = 0;

		snprintf(path, sizeof(path), "/usr/lib/x86_64-linux-gnu/package/%u/file", i);
		f.path_len = strlen(path);
		ck_assert(digest_sha256(path, strlen(path), digest) && allow_list_holds(&l, &f, &steps) == ALLOWED && steps < 32);
	}
	ck_assert(allow_list_write(&l, &text, &len, &e) && allow_list_read(text, len, &back, &e));
	ck_assert(back.packed_len == l.packed_len && !memcmp(back.packed, l.packed, l.packed_len));
}
END_TEST

/* One content under thousands of paths: what the search takes is said. */
START_TEST(one_content)
{
	own(allow_build) struct allow_build b = { .count = 0 };
	own(allow_list) struct allow_list l = { .count = 0 };
	uint8_t digest[DIGEST_MAX] = { 0 };
	struct ima_fields f = { .alg = IMA_ALG_SHA256, .digest = digest, .path = "/nowhere", .path_len = 8 };
	uint64_t steps = 0;
	char path[32];
	struct error e;

	for (unsigned i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "/%u/__init__.py", i);
		ck_assert(allow_build_add(&b, false, IMA_ALG_SHA256, digest, path, strlen(path), &e));
	}
	ck_assert(allow_build_end(&b, &l, &e) && allow_list_holds(&l, &f, &steps) == ALLOWED_ELSEWHERE);
	ck_assert_uint_eq(steps, 5000);
}
END_TEST

START_TEST(too_many)
{
	own(allow_build) struct allow_build b = { .count = 0 };
	uint8_t digest[DIGEST_MAX] = { 0 };
	struct error e;

	for (unsigned i = 0; i < ALLOW_ENTRIES_MAX; i++)
		ck_assert(allow_build_add(&b, false, IMA_ALG_SHA1, digest, "/a", 2, &e));
	ck_assert(!allow_build_add(&b, false, IMA_ALG_SHA1, digest, "/a", 2, &e) && e.code == ERR_LIMIT);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, pattern, 0, COUNT(patterns));
	tcase_add_test(tc, bounded_pattern);
	tcase_add_test(tc, patterns_are_checked);
	tcase_add_loop_test(tc, file, 0, COUNT(files));
	tcase_add_test(tc, same_again);
	tcase_add_test(tc, lookups);
	tcase_add_test(tc, joined);
	tcase_add_loop_test(tc, imported, 0, COUNT(imports));
	tcase_add_test(tc, every_prefix_of_imports);
	tcase_add_test(tc, large_keylime_policy);
	tcase_add_test(tc, packed_lies);
	tcase_add_test(tc, hundred_thousand);
	tcase_add_test(tc, one_content);
	tcase_add_test(tc, too_many);
}

int
main(void)
{
	return unit_run("allow_list", add);
}
