#include <string.h>
#include "json.h"
#include "unit.h"

/* Whole texts: what is JSON, one object, and nothing that two readers could take for two things. */
static const struct { const char *label, *text; enum err code; const char *why; } texts[] = {
	{ "empty object",        "{}",                           ERR_NONE,   "" },
	{ "space around",        " \t\r\n{ \"a\" : 1 }\n ",      ERR_NONE,   "" },
	{ "nested",              "{\"a\":{\"b\":[1,{}]}}",       ERR_NONE,   "" },
	{ "same name elsewhere", "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}", ERR_NONE, "" },
	{ "nothing",             "",                             ERR_FORMAT, "not a JSON object" },
	{ "space alone",         "  ",                           ERR_FORMAT, "not a JSON object" },
	{ "list",                "[1]",                          ERR_FORMAT, "not a JSON object" },
	{ "string",              "\"a\"",                        ERR_FORMAT, "not a JSON object" },
	{ "null",                "null",                         ERR_FORMAT, "not a JSON object" },
	{ "trailing text",       "{} x",                         ERR_FORMAT, "not JSON: " },
	{ "two objects",         "{}{}",                         ERR_FORMAT, "not JSON: " },
	{ "given twice",         "{\"alg\":1,\"alg\":2}",        ERR_FORMAT, "alg: given twice" },
	{ "given twice, deeper", "{\"a\":[{\"b\":0,\"c\":0,\"b\":0}]}", ERR_FORMAT, "b: given twice" },
	{ "twice by escape",     "{\"alg\":1,\"\\u0061lg\":2}",  ERR_FORMAT, "escape in a member's name" },
	{ "NUL by escape",       "{\"a\":\"x\\u0000y\"}",        ERR_FORMAT, "NUL in a string" },
	{ "escaped backslash",   "{\"a\":\"x\\\\u0000\"}",       ERR_NONE,   "" },
	{ "raw line break",      "{\"a\":\"x\ny\"}",             ERR_FORMAT, "control character in a string" },
	{ "raw tab in a name",   "{\"a\tb\":1}",                 ERR_FORMAT, "control character in a string" },
	{ "trailing comma",      "{\"a\":1,}",                   ERR_FORMAT, "member without a name" },
	{ "trailing comma, list", "{\"a\":[1,]}",                ERR_FORMAT, "neither a value" },
	{ "no comma",            "{\"a\":1 \"b\":2}",            ERR_FORMAT, "neither ',' nor '}'" },
	{ "no colon",            "{\"a\" 1}",                    ERR_FORMAT, "member without a value" },
	{ "no value",            "{\"a\":",                      ERR_FORMAT, "value missing" },
	{ "name without quotes", "{a:1}",                        ERR_FORMAT, "member without a name" },
	{ "single quotes",       "{'a':1}",                      ERR_FORMAT, "member without a name" },
	{ "comment",             "{\"a\":/**/1}",                ERR_FORMAT, "not JSON" },
	{ "string without end",  "{\"a\":\"x",                   ERR_FORMAT, "string without an end" },
	{ "backslash at end",    "{\"a\":\"x\\",                 ERR_FORMAT, "string without an end" },
	{ "unknown word",        "{\"a\":yes}",                  ERR_FORMAT, "not JSON" },
	{ "word in capitals",    "{\"a\":True}",                 ERR_FORMAT, "not JSON" },
	{ "leading zero",        "{\"a\":01}",                   ERR_FORMAT, "not JSON" },
	{ "plus sign",           "{\"a\":+1}",                   ERR_FORMAT, "not JSON" },
	{ "number of 25 digits", "{\"a\":1000000000000000000000000}", ERR_FORMAT, "at most 24 digits" },
	{ "bad UTF-8",           "{\"a\":\"\xff\"}",             ERR_FORMAT, "not UTF-8" },
	{ "overlong UTF-8",      "{\"a\":\"\xc0\x80\"}",         ERR_FORMAT, "not UTF-8" },
	{ "surrogate in UTF-8",  "{\"a\":\"\xed\xa0\x80\"}",     ERR_FORMAT, "not UTF-8" },
	{ "cut UTF-8",           "{\"a\":\"\xc3\"}",             ERR_FORMAT, "not UTF-8" },
	{ "UTF-8",               "{\"\xc3\xa9\":\"\xe2\x82\xac\xf0\x9f\x94\x92\"}", ERR_NONE, "" },
	{ "\\x escape",          "{\"a\":\"\\x41\"}",            ERR_FORMAT, "not JSON" },
	{ "short \\u escape",    "{\"a\":\"\\u41\"}",            ERR_FORMAT, "not JSON" },
};

START_TEST(whole_text)
{
	own(json) struct json *j = NULL;
	struct error e = { .code = ERR_NONE };
	bool ok = json_parse(texts[_i].text, strlen(texts[_i].text), &j, &e);

	ck_assert_msg(ok == (texts[_i].code == ERR_NONE) && e.code == texts[_i].code && strstr(e.why, texts[_i].why),
	    "%s: %s (%s)", texts[_i].label, err_name(e.code), e.why);
	ck_assert(ok || !j);
}
END_TEST

START_TEST(nul_byte)
{
	static const char text[] = "{\"a\":1}\0";
	own(json) struct json *j = NULL;
	struct error e = { .code = ERR_NONE };

	ck_assert(!json_parse(text, sizeof(text) - 1, &j, &e));
	ck_assert_str_eq(e.why, "NUL byte in JSON");
}
END_TEST

/* {"a":[[…]]} with `depth` levels in all, an object first. */
static size_t
nested(unsigned depth, char *out)
{
	size_t n = 0;

	memcpy(out, "{\"a\":", 5);
	n = 5;
	memset(out + n, '[', depth - 1);
	n += depth - 1;
	memset(out + n, ']', depth - 1);
	n += depth - 1;
	out[n++] = '}';
	return n;
}

START_TEST(depth)
{
	own(mem) char *text = malloc(2 << 20);
	struct error e = { .code = ERR_NONE };
	struct json *j = NULL;

	ck_assert_msg(json_parse(text, nested(JSON_DEPTH_MAX, text), &j, &e), "%s", e.why);
	json_free(j);
	ck_assert(!json_parse(text, nested(JSON_DEPTH_MAX + 1, text), &j, &e));
	ck_assert_str_eq(e.why, "nested deeper than 16");
	ck_assert_uint_eq(e.code, ERR_LIMIT);
	ck_assert(!json_parse(text, nested(900000, text), &j, &e));      /* and no stack is spent on it */
}
END_TEST

START_TEST(members)
{
	own(mem) char *text = malloc(1 << 20);
	struct error e = { .code = ERR_NONE };
	struct json *j = NULL;
	size_t n = 0;

	for (unsigned i = 0; i < 129; i++) {
		n += (size_t)sprintf(text + n, "%c\"m%u\":0", i ? ',' : '{', i);
		text[n] = '}';
		ck_assert_msg(json_parse(text, n + 1, &j, &e) == (i < 128), "%u members: %s", i + 1, e.why);
		if (i < 128)
			json_free(j);
	}
	ck_assert_uint_eq(e.code, ERR_LIMIT);
}
END_TEST

static void
refused(const uint8_t *p, size_t n, void *arg)
{
	struct error e = { .code = ERR_NONE };
	struct json *j = NULL;

	(void)arg;
	ck_assert_msg(!json_parse((const char *)p, n, &j, &e), "%zu bytes passed", n);
}

START_TEST(no_prefix_is_whole)
{
	static const char text[] = "{\"a\":[1,-2,{\"b\":\"x\\\"\\u00e9\xc3\xa9\"}],\"c\":true,\"d\":null,\"e\":1.5e3}";

	unit_prefixes((const uint8_t *)text, sizeof(text) - 1, refused, NULL);
}
END_TEST

/* One member `a` read as an integer from lo to hi. */
static const struct { const char *label, *value; int64_t lo, hi; bool ok; int64_t is; const char *why; } ints[] = {
	{ "zero",             "0",                    0, 0, true, 0, "" },
	{ "largest",          "9223372036854775807",  INT64_MIN, INT64_MAX, true, INT64_MAX, "" },
	{ "smallest",         "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN, "" },
	{ "beyond largest",   "9223372036854775808",  INT64_MIN, INT64_MAX, false, 0, "number beyond 64 bits" },
	{ "largest unsigned", "18446744073709551615", INT64_MIN, INT64_MAX, false, 0, "number beyond 64 bits" },
	{ "beyond unsigned",  "18446744073709551616", INT64_MIN, INT64_MAX, false, 0, "number beyond 64 bits" },
	{ "beyond smallest",  "-9223372036854775809", INT64_MIN, INT64_MAX, false, 0, "number beyond 64 bits" },
	{ "below",            "4",                    5, 9, false, 0, "a: not from 5 to 9" },
	{ "above",            "10",                   5, 9, false, 0, "a: not from 5 to 9" },
	{ "float",            "5.0",                  5, 9, false, 0, "a: not an integer" },
	{ "exponent",         "5e0",                  5, 9, false, 0, "a: not an integer" },
	{ "string",           "\"5\"",                5, 9, false, 0, "a: not an integer" },
	{ "null",             "null",                 5, 9, false, 0, "a: not an integer" },
	{ "true",             "true",                 0, 9, false, 0, "a: not an integer" },
	{ "not a number",     "NaN",                  0, 9, false, 0, "" },
};

START_TEST(integer)
{
	own(json) struct json *j = NULL;
	struct error e = { .code = ERR_NONE };
	char text[64];
	int64_t is = -7;
	int n = snprintf(text, sizeof(text), "{\"a\":%s}", ints[_i].value);
	bool ok = json_parse(text, (size_t)n, &j, &e) && json_int(j, "a", ints[_i].lo, ints[_i].hi, &is, &e);

	ck_assert_msg(ok == ints[_i].ok && is == (ok ? ints[_i].is : -7) && strstr(e.why, ints[_i].why),
	    "%s: %d %lld (%s)", ints[_i].label, ok, (long long)is, e.why);
}
END_TEST

/* A getter of each kind, over one object; each failure names its member. */
START_TEST(getters)
{
	static const char text[] = "{\"t\":\"abc\",\"n\":7,\"y\":true,\"h\":\"c0ff\",\"b\":\"wP8\",\"o\":{\"n\":1},\"l\":[\"x\",2]}";
	own(json) struct json *j = NULL;
	struct error e = { .code = ERR_NONE };
	const struct json *sub, *value;
	const char *key;
	char s[4], small[3];
	uint8_t h[2], b[4];
	unsigned count;
	int64_t n;
	size_t len;
	bool y = false;

	ck_assert_msg(json_parse(text, strlen(text), &j, &e), "%s", e.why);
	ck_assert(json_text(j, "t", s, sizeof(s), &e) && !strcmp(s, "abc"));
	ck_assert(json_flag(j, "y", &y, &e) && y);
	ck_assert(json_hex(j, "h", h, 2, &e) && h[0] == 0xc0 && h[1] == 0xff);
	ck_assert(json_bytes(j, "b", b, sizeof(b), &len, &e) && len == 2 && b[0] == 0xc0 && b[1] == 0xff);
	ck_assert(json_sub(j, "o", &sub, &e) && json_int(sub, "n", 0, 9, &n, &e) && n == 1);
	ck_assert(json_list(j, "l", 2, &count, &e) && count == 2);
	ck_assert(json_item_text(json_item(j, "l", 0), s, sizeof(s), &e) && !strcmp(s, "x"));
	ck_assert(json_item_int(json_item(j, "l", 1), 0, 9, &n, &e) && n == 2);
	ck_assert_ptr_null(json_item(j, "l", 2));
	ck_assert_ptr_null(json_item(j, "t", 0));
	ck_assert(json_has(j, "t") && !json_has(j, "T"));
	ck_assert(json_member(j, 6, &key, &value) && !strcmp(key, "l") && !json_member(j, 7, &key, &value));

	ck_assert(!json_text(j, "t", small, sizeof(small), &e) && !strcmp(e.why, "t: longer than 2 bytes"));
	ck_assert(!json_text(j, "n", s, sizeof(s), &e) && !strcmp(e.why, "n: not a string"));
	ck_assert(!json_text(j, "z", s, sizeof(s), &e) && !strcmp(e.why, "z: missing"));
	ck_assert(!json_flag(j, "n", &y, &e) && !strcmp(e.why, "n: not true or false"));
	ck_assert(!json_hex(j, "h", h, 1, &e) && !strcmp(e.why, "h: not 1 bytes in hex"));
	ck_assert(!json_hex(j, "t", h, 2, &e));
	ck_assert(!json_bytes(j, "b", b, 1, &len, &e) && !strcmp(e.why, "b: not base64url of at most 1 bytes"));
	ck_assert(!json_sub(j, "l", &sub, &e) && !strcmp(e.why, "l: not an object"));
	ck_assert(!json_list(j, "o", 9, &count, &e) && !strcmp(e.why, "o: not a list"));
	ck_assert(!json_list(j, "l", 1, &count, &e) && !strcmp(e.why, "l: over 1 elements"));
	ck_assert(!json_item_text(json_item(j, "l", 1), s, sizeof(s), &e));
	ck_assert(!json_item_int(json_item(j, "l", 0), 0, 9, &n, &e));
	ck_assert(!json_item_text(NULL, s, sizeof(s), &e));
}
END_TEST

START_TEST(written)
{
	static const uint8_t bytes[] = { 0xc0, 0xff, 0xee, 0x00 };
	own(json) struct json *j = json_new();
	own(json) struct json *again = NULL;
	own(mem) char *out = NULL;
	struct json *list = json_new_list(), *sub = json_new();
	struct error e = { .code = ERR_NONE };
	size_t len;

	json_put_text(j, "t", "a/\"b\"\n\x1b \xc3\xa9 \xff \xed\xa0\x80");
	json_put_int(j, "n", INT64_MIN);
	json_put_bool(j, "y", false);
	json_put_null(j, "z");
	json_put_bytes(j, "b", bytes, sizeof(bytes));
	json_put_bytes(j, "none", bytes, 0);
	json_put_hex(j, "h", bytes, sizeof(bytes));
	json_add_text(list, "x");
	json_add_int(list, 7);
	json_add(list, sub);
	json_put(j, "l", list);
	ck_assert_msg(json_print(j, false, &out, &len, &e), "%s", e.why);
	ck_assert_uint_eq(len, strlen(out));
	ck_assert_str_eq(out, "{\"t\":\"a/\\\"b\\\"\\n\\u001b \xc3\xa9 \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
	    "\"n\":-9223372036854775808,\"y\":false,\"z\":null,\"b\":\"wP_uAA\",\"none\":\"\",\"h\":\"c0ffee00\","
	    "\"l\":[\"x\",7,{}]}");
	ck_assert_msg(json_parse(out, len, &again, &e), "what it writes it reads: %s", e.why);
}
END_TEST

/* What could not be put for want of memory must not be printed as if it had never been there. */
/* An object that is too large for a tree: names as they come, values as their text. */
START_TEST(walked)
{
	static const struct { const char *text, *members, *why; } rows[] = {
		{ "{}", "", NULL },
		{ " { \"a b\" : [1, {\"x\":2}] ,\"\\u00e4\\\"\":\"}\" } ", "a b=[1, {\"x\":2}];\xc3\xa4\"=\"}\";", NULL },
		{ "{\"a\":1,\"a\":2}", "a=1;a=2;", NULL },
		{ "[]", "", "not a JSON object" },
		{ "{\"a\":1", "a=1;", "neither ',' nor '}'" },
		{ "{\"a\":1,}", "a=1;", "member without a name" },
		{ "{\"a\"}", "", "member without a value" },
		{ "{\"a\":}", "", "neither a value" },
		{ "{\"a\":1} x", "a=1;", "something stands behind" },
		{ "{\"\\u0000\":1}", "", "NUL in a string" },
		{ "{\"0123456789abcdef\":1}", "", "a name of 16 bytes" },
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct json_walk w = json_walk_open(rows[i].text, strlen(rows[i].text));
		struct error e = { .code = ERR_NONE };
		char all[128] = "", name[16];
		const char *value;
		bool more = true, ok = true;
		size_t len, n = 0;

		while (ok && more) {
			ok = json_walk_next(&w, name, sizeof(name), &value, &len, &more, &e);
			if (ok && more)
				n += (size_t)snprintf(all + n, sizeof(all) - n, "%s=%.*s;", name, (int)len, value);
		}
		ck_assert_str_eq(all, rows[i].members);
		ck_assert_msg(ok == !rows[i].why && (ok || strstr(e.why, rows[i].why)), "%u: %s", i, e.why);
	}
}
END_TEST

START_TEST(a_lost_value_is_not_printed)
{
	own(json) struct json *j = json_new();
	struct json *list = json_new_list();
	struct error e = { .code = ERR_NONE };
	char *out;
	size_t len;

	json_put(j, "a", NULL);
	ck_assert(!json_print(j, false, &out, &len, &e) && e.code == ERR_MEMORY);
	json_free(j);
	j = json_new();
	json_put(j, "l", list);
	json_add(list, NULL);
	ck_assert(!json_print(j, false, &out, &len, &e) && e.code == ERR_MEMORY);
	ck_assert(!json_print(NULL, false, &out, &len, &e) && e.code == ERR_MEMORY);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, whole_text, 0, (int)COUNT(texts));
	tcase_add_test(tc, nul_byte);
	tcase_add_test(tc, depth);
	tcase_add_test(tc, members);
	tcase_add_test(tc, no_prefix_is_whole);
	tcase_add_loop_test(tc, integer, 0, (int)COUNT(ints));
	tcase_add_test(tc, getters);
	tcase_add_test(tc, written);
	tcase_add_test(tc, walked);
	tcase_add_test(tc, a_lost_value_is_not_printed);
}

int
main(void)
{
	return unit_run("json", add);
}
