/*
 * The only file that includes json-c.
 *
 * json-c's tokener, strict as it is set here, still lets through what a token must not have: a
 * member given twice (the last wins), NUL and bare control characters in strings, overlong UTF-8,
 * and integers beyond int64 (the nearest one is taken). Nothing of it can be seen afterwards, so a
 * walk over the text finds it before json-c parses.
 */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include "clock.h"
#include "digest.h"
#include "hex.h"
#include "json.h"
#include "scope.h"

/* A struct json is a json_object; the name alone crosses the header. */
static struct json_object *obj(const struct json *j) { return (struct json_object *)(uintptr_t)j; }
static struct json *json_of(struct json_object *o) { return (struct json *)o; }

enum { JSON_MEMBERS_MAX = 4096, JSON_NUMBER_MAX = 24 };

/* --- what json-c does not refuse */

struct scan {
	const char *p, *end;
	unsigned    members, members_max;
	bool        loose;      /* names are somebody else's: any number of them, as they come */
	struct error *e;
};

static void
skip_space(struct scan *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p))
		s->p++;
}

/* The length of the UTF-8 sequence at p, before a NUL; 0 when it is none, an overlong form or a surrogate. */
static size_t utf8_length(const unsigned char *p);

/* What stands behind a backslash; json-c judges the rest of it. */
static bool
skip_escape(struct scan *s)
{
	if (s->end - s->p > 4 && !memcmp(s->p, "u0000", 5))
		return err_set(s->e, ERR_FORMAT, "NUL in a string");
	if (s->p < s->end)
		s->p++;
	return true;
}

/* Steps over a string, which starts at p; *text and *len are what stands between the quotes. */
static bool
skip_string(struct scan *s, const char **text, size_t *len)
{
	*text = ++s->p;
	while (s->p < s->end && *s->p != '"') {
		size_t n = utf8_length((const unsigned char *)s->p);

		if ((unsigned char)*s->p < ' ')
			return err_set(s->e, ERR_FORMAT, "control character in a string");
		if (!n)
			return err_set(s->e, ERR_FORMAT, "string that is not UTF-8");
		s->p += n;
		if (s->p[-1] == '\\' && !skip_escape(s))
			return false;
	}
	if (s->p >= s->end)
		return err_set(s->e, ERR_FORMAT, "string without an end");
	*len = (size_t)(s->p++ - *text);
	return true;
}

struct key { const char *text; size_t len; const struct key *before; };

static bool scan_value(struct scan *, unsigned depth);

/*
 * Keys are compared as written. A key with an escape in it could be the same name in another
 * spelling, so such keys are refused: no body of ours has one.
 */
static bool
scan_member(struct scan *s, unsigned depth, struct key *key)
{
	skip_space(s);
	if (s->p >= s->end || *s->p != '"')
		return err_set(s->e, ERR_FORMAT, "member without a name");
	if (!skip_string(s, &key->text, &key->len))
		return false;
	if (!s->loose && memchr(key->text, '\\', key->len))
		return err_set(s->e, ERR_FORMAT, "escape in a member's name");
	for (const struct key *k = key->before; k; k = k->before)
		if (k->len == key->len && !memcmp(k->text, key->text, key->len))
			return err_set(s->e, ERR_FORMAT, "%.*s: given twice", (int)(key->len > 60 ? 60 : key->len), key->text);
	if (++s->members > s->members_max)
		return err_set(s->e, ERR_LIMIT, "over %u members", s->members_max);
	skip_space(s);
	if (s->p >= s->end || *s->p++ != ':')
		return err_set(s->e, ERR_FORMAT, "member without a value");
	return scan_value(s, depth);
}

/* After a member or element: true with *more when a comma follows, false without e at the closer. */
static bool
next(struct scan *s, char closer, bool *more)
{
	skip_space(s);
	if (s->p >= s->end || (*s->p != ',' && *s->p != closer))
		return err_set(s->e, ERR_FORMAT, "neither ',' nor '%c'", closer);
	*more = *s->p++ == ',';
	return true;
}

static bool
empty(struct scan *s, char closer)
{
	skip_space(s);
	if (s->p >= s->end || *s->p != closer)
		return false;
	s->p++;
	return true;
}

enum { OBJECT_KEYS_MAX = 128 };

static bool
scan_object(struct scan *s, unsigned depth)
{
	struct key keys[OBJECT_KEYS_MAX];
	bool more = !empty(s, '}');

	for (unsigned n = 0; more; n += !s->loose) {
		if (n == OBJECT_KEYS_MAX)
			return err_set(s->e, ERR_LIMIT, "over %d members in one object", OBJECT_KEYS_MAX);
		keys[n].before = n ? &keys[n - 1] : NULL;
		if (!scan_member(s, depth, &keys[n]) || !next(s, '}', &more))
			return false;
	}
	return true;
}

static bool
scan_array(struct scan *s, unsigned depth)
{
	bool more = !empty(s, ']');

	while (more)
		if (!scan_value(s, depth) || !next(s, ']', &more))
			return false;
	return true;
}

static bool
scan_value(struct scan *s, unsigned depth)
{
	const char *text;
	size_t len;

	if (depth == 0)
		return err_set(s->e, ERR_LIMIT, "nested deeper than %d", JSON_DEPTH_MAX);
	skip_space(s);
	if (s->p >= s->end)
		return err_set(s->e, ERR_FORMAT, "value missing");
	switch (*s->p) {
	case '{': s->p++; return scan_object(s, depth - 1);
	case '[': s->p++; return scan_array(s, depth - 1);
	case '"': return skip_string(s, &text, &len);
	}
	/* A number or a word; json-c judges it, but would read a number that fits no int64 as the nearest one. */
	len = strcspn(s->p, ",]} \t\r\n");
	if (!len || len > JSON_NUMBER_MAX)
		return err_set(s->e, ERR_FORMAT, "neither a value nor a number of at most %d digits", JSON_NUMBER_MAX);
	errno = 0;
	(void)strtoll(s->p, NULL, 10);
	if (errno == ERANGE)
		return err_set(s->e, ERR_LIMIT, "number beyond 64 bits");
	s->p += len;
	return true;
}

/* --- reading */

/* text has a NUL behind it and none in it: the walk uses strcspn. *at is where an error was found. */
static bool
parse_terminated(const char *text, size_t len, unsigned members, struct json **out, const char **at, struct error *e)
{
	struct scan scan = { .p = text, .end = text + len, .members_max = members, .e = e };
	struct json_tokener *tok;
	struct json_object *o;

	skip_space(&scan);
	*at = scan.p;
	if (scan.p >= scan.end || *scan.p != '{')
		return err_set(e, ERR_FORMAT, "not a JSON object");
	if (!scan_value(&scan, JSON_DEPTH_MAX)) {
		*at = scan.p;
		return false;
	}
	tok = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
	if (!tok)
		return err_set(e, ERR_MEMORY, "JSON");
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tok, text, (int)len);
	if (!o || json_tokener_get_error(tok) != json_tokener_success ||
	    strspn(text + json_tokener_get_parse_end(tok), " \t\r\n") != len - json_tokener_get_parse_end(tok)) {
		err_set(e, ERR_FORMAT, "not JSON: %s at offset %zu",
		    o ? "trailing text" : json_tokener_error_desc(json_tokener_get_error(tok)),
		    json_tokener_get_parse_end(tok));
		*at = text + json_tokener_get_parse_end(tok);
		json_object_put(o);
		json_tokener_free(tok);
		return false;
	}
	json_tokener_free(tok);
	*out = json_of(o);
	return true;
}

static unsigned
line_at(const char *text, const char *at)
{
	unsigned line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

static bool
parse(const char *text, size_t len, unsigned members, struct json **out, unsigned *line, struct error *e)
{
	own(mem) char *copy = NULL;
	const char *at;

	*line = 1;
	if (!len)
		return err_set(e, ERR_FORMAT, "not a JSON object");      /* an empty body may have no address */
	if (len >= INT32_MAX || memchr(text, '\0', len))
		return err_set(e, ERR_FORMAT, "NUL byte in JSON");
	copy = strndup(text, len);
	if (!copy)
		return err_set(e, ERR_MEMORY, "JSON");
	if (parse_terminated(copy, len, members, out, &at, e))
		return true;
	*line = line_at(copy, at);
	return false;
}

bool
json_parse(const char *text, size_t len, struct json **out, struct error *e)
{
	unsigned line;

	return parse(text, len, JSON_MEMBERS_MAX, out, &line, e);
}

bool
json_parse_file(const char *text, size_t len, unsigned members, struct json **out, struct error *e)
{
	unsigned line;

	return parse(text, len, members, out, &line, e) || err_in(e, "line %u", line);
}

/* Moves to item i of the list that starts at p. */
static bool
skip_items(struct scan *s, unsigned i)
{
	bool more;

	skip_space(s);
	if (s->p >= s->end || *s->p++ != '[' || empty(s, ']'))
		return false;
	for (; i; i--)
		if (!scan_value(s, JSON_DEPTH_MAX) || !next(s, ']', &more) || !more)
			return false;
	skip_space(s);
	return true;
}

/* Moves to the value of that member of the object that starts at p. */
static bool
enter_member(struct scan *s, const char *key, size_t len)
{
	bool more = true;
	struct key name;

	skip_space(s);
	if (s->p >= s->end || *s->p++ != '{' || empty(s, '}'))
		return false;
	while (more) {
		skip_space(s);
		if (s->p >= s->end || *s->p != '"' || !skip_string(s, &name.text, &name.len))
			return false;
		skip_space(s);
		if (s->p >= s->end || *s->p++ != ':')
			return false;
		skip_space(s);
		if (name.len == len && !memcmp(name.text, key, len))
			return true;
		if (!scan_value(s, JSON_DEPTH_MAX) || !next(s, '}', &more))
			return false;
	}
	return false;
}

unsigned
json_line(const char *text, size_t len, const char *key, unsigned i)
{
	own(mem) char *copy = strndup(text, len);
	struct error e;
	struct scan s = { .p = copy, .end = copy ? copy + len : NULL, .members_max = UINT32_MAX, .e = &e };

	return copy && enter_member(&s, key, strlen(key)) && skip_items(&s, i) ? line_at(copy, s.p) : 0;
}

unsigned
json_line_at(const char *text, size_t len, const char *path)
{
	own(mem) char *copy = strndup(text, len);
	struct error e;
	struct scan s = { .p = copy, .end = copy ? copy + len : NULL, .members_max = UINT32_MAX, .e = &e };
	const char *best;

	if (!copy)
		return 0;
	skip_space(&s);
	for (best = s.p; *path; best = s.p) {
		size_t n = strcspn(path, *path == '[' ? "]" : ".[");

		if (*path == '[' ? !skip_items(&s, (unsigned)strtoul(path + 1, NULL, 10)) : !enter_member(&s, path, n))
			break;
		path += n + (path[n] == ']');
		path += *path == '.';
	}
	return line_at(copy, best);
}

struct json_walk
json_walk_open(const char *text, size_t len)
{
	return (struct json_walk){ .p = text, .end = text + len };
}

/* A name as it stands between its quotes, unescaped. */
static bool
name_of(const char *text, size_t len, char *out, size_t size, struct error *e)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o = tok ? json_tokener_parse_ex(tok, text - 1, (int)len + 2) : NULL;
	bool fits = json_object_is_type(o, json_type_string) && (size_t)json_object_get_string_len(o) < size;

	if (fits)
		snprintf(out, size, "%s", json_object_get_string(o));
	json_object_put(o);
	if (tok)
		json_tokener_free(tok);
	return fits || err_set(e, ERR_LIMIT, "a name of %zu bytes, or none", len);
}

bool
json_walk_next(struct json_walk *w, char *name, size_t size, const char **value, size_t *len, bool *more, struct error *e)
{
	struct scan s = { .p = w->p, .end = w->end, .members_max = UINT32_MAX, .loose = true, .e = e };
	const char *text;
	size_t n;

	skip_space(&s);
	if (!w->begun) {
		if (s.p >= s.end || *s.p++ != '{')
			return err_set(e, ERR_FORMAT, "not a JSON object");
		*more = !empty(&s, '}');
		w->begun = true;
	} else if (!next(&s, '}', more)) {
		return false;
	}
	skip_space(&s);
	if (!*more)
		return s.p == s.end || err_set(e, ERR_FORMAT, "something stands behind the object");
	if (s.p >= s.end || *s.p != '"')
		return err_set(e, ERR_FORMAT, "member without a name");
	if (!skip_string(&s, &text, &n) || !name_of(text, n, name, size, e))
		return false;
	skip_space(&s);
	if (s.p >= s.end || *s.p++ != ':')
		return err_set(e, ERR_FORMAT, "member without a value");
	skip_space(&s);
	*value = s.p;
	if (!scan_value(&s, JSON_DEPTH_MAX))
		return false;
	*len = (size_t)(s.p - *value);
	w->p = s.p;
	return true;
}

void
json_free(struct json *j)
{
	json_object_put(obj(j));
}

static bool
member(const struct json *j, const char *key, json_type type, const char *what, struct json_object **v, struct error *e)
{
	if (!json_object_object_get_ex(obj(j), key, v))
		return err_set(e, ERR_FORMAT, "%s: missing", key);
	return json_object_is_type(*v, type) || err_set(e, ERR_FORMAT, "%s: not %s", key, what);
}

static bool
copy_text(struct json_object *v, const char *key, char *out, size_t size, struct error *e)
{
	size_t len = (size_t)json_object_get_string_len(v);
	const char *text = json_object_get_string(v);

	if (len >= size)
		return err_set(e, ERR_LIMIT, "%s: longer than %zu bytes", key, size - 1);
	if (strlen(text) != len)
		return err_set(e, ERR_FORMAT, "%s: NUL in a string", key);
	memcpy(out, text, len + 1);
	return true;
}

static bool
copy_int(struct json_object *v, const char *key, int64_t lo, int64_t hi, int64_t *out, struct error *e)
{
	int64_t n = json_object_get_int64(v);

	if (n < lo || n > hi)
		return err_set(e, ERR_FORMAT, "%s: not from %lld to %lld", key, (long long)lo, (long long)hi);
	*out = n;
	return true;
}

bool
json_text(const struct json *j, const char *key, char *out, size_t size, struct error *e)
{
	struct json_object *v;

	return member(j, key, json_type_string, "a string", &v, e) && copy_text(v, key, out, size, e);
}

bool
json_text_whole(const struct json *j, const char *key, const char **out, size_t *len, struct error *e)
{
	struct json_object *v;

	if (!member(j, key, json_type_string, "a string", &v, e))
		return false;
	*out = json_object_get_string(v);
	*len = (size_t)json_object_get_string_len(v);
	return true;
}

bool
json_int(const struct json *j, const char *key, int64_t lo, int64_t hi, int64_t *out, struct error *e)
{
	struct json_object *v;

	return member(j, key, json_type_int, "an integer", &v, e) && copy_int(v, key, lo, hi, out, e);
}

bool
json_flag(const struct json *j, const char *key, bool *out, struct error *e)
{
	struct json_object *v;

	if (!member(j, key, json_type_boolean, "true or false", &v, e))
		return false;
	*out = json_object_get_boolean(v);
	return true;
}

bool
json_hex(const struct json *j, const char *key, uint8_t *out, size_t exactly, struct error *e)
{
	struct json_object *v;

	if (!member(j, key, json_type_string, "a string", &v, e))
		return false;
	return hex_bytes(json_object_get_string(v), out, exactly) ||
	    err_set(e, ERR_FORMAT, "%s: not %zu bytes in hex", key, exactly);
}

bool
json_bytes(const struct json *j, const char *key, uint8_t *out, size_t size, size_t *len, struct error *e)
{
	struct json_object *v;

	if (!member(j, key, json_type_string, "a string", &v, e))
		return false;
	return base64url_bytes(json_object_get_string(v), (size_t)json_object_get_string_len(v), out, size, len) ||
	    err_set(e, ERR_FORMAT, "%s: not base64url of at most %zu bytes", key, size);
}

bool
json_sub(const struct json *j, const char *key, const struct json **out, struct error *e)
{
	struct json_object *v;

	if (!member(j, key, json_type_object, "an object", &v, e))
		return false;
	*out = json_of(v);
	return true;
}

bool
json_list(const struct json *j, const char *key, unsigned max, unsigned *count, struct error *e)
{
	struct json_object *v;
	size_t n;

	if (!member(j, key, json_type_array, "a list", &v, e))
		return false;
	n = json_object_array_length(v);
	if (n > max)
		return err_set(e, ERR_LIMIT, "%s: over %u elements", key, max);
	*count = (unsigned)n;
	return true;
}

const struct json *
json_item(const struct json *j, const char *key, unsigned i)
{
	struct json_object *v;

	if (!json_object_object_get_ex(obj(j), key, &v) || !json_object_is_type(v, json_type_array))
		return NULL;
	return json_of(json_object_array_get_idx(v, i));
}

bool
json_item_text(const struct json *item, char *out, size_t size, struct error *e)
{
	if (!json_object_is_type(obj(item), json_type_string))
		return err_set(e, ERR_FORMAT, "list element: not a string");
	return copy_text(obj(item), "list element", out, size, e);
}

bool
json_item_int(const struct json *item, int64_t lo, int64_t hi, int64_t *out, struct error *e)
{
	if (!json_object_is_type(obj(item), json_type_int))
		return err_set(e, ERR_FORMAT, "list element: not an integer");
	return copy_int(obj(item), "list element", lo, hi, out, e);
}

bool
json_has(const struct json *j, const char *key)
{
	return json_object_object_get_ex(obj(j), key, NULL);
}

bool
json_member(const struct json *j, unsigned i, const char **key, const struct json **value)
{
	struct json_object_iterator it, end;

	if (!json_object_is_type(obj(j), json_type_object))
		return false;
	it = json_object_iter_begin(obj(j));
	end = json_object_iter_end(obj(j));
	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it))
		if (!i--) {
			*key = json_object_iter_peek_name(&it);
			*value = json_of(json_object_iter_peek_value(&it));
			return true;
		}
	return false;
}

bool
json_only(const struct json *o, const char *const *keys, struct error *e)
{
	const struct json *value;
	const char *key;

	for (unsigned i = 0; json_member(o, i, &key, &value); i++) {
		unsigned k = 0;

		while (keys[k] && strcmp(keys[k], key))
			k++;
		if (!keys[k])
			return err_set(e, ERR_FORMAT, "%.40s: no such member", key);
	}
	return true;
}

/* --- building */

/* An object or a list that lost a value for want of memory has this tied to it, which takes none; json_print refuses it. */
static char lost[] = "lost";

struct json *json_new(void) { return json_of(json_object_new_object()); }
struct json *json_new_list(void) { return json_of(json_object_new_array()); }

void
json_put(struct json *j, const char *key, struct json *value)
{
	if (j && value && !json_object_object_add(obj(j), key, obj(value)))
		return;
	json_object_put(obj(value));
	if (j)
		json_object_set_userdata(obj(j), lost, NULL);
}

void
json_put_copy(struct json *j, const char *key, const struct json *value)
{
	json_put(j, key, json_of(json_object_get(obj(value))));
}

static size_t
utf8_length(const unsigned char *p)
{
	static const struct { unsigned char mask, lead, first_lo, first_hi; } forms[] = {
		{ 0x80, 0x00, 0, 0 }, { 0xe0, 0xc0, 0x80, 0xbf }, { 0xf0, 0xe0, 0x80, 0xbf }, { 0xf8, 0xf0, 0x80, 0xbf },
	};

	for (size_t n = 0; n < COUNT(forms); n++) {
		if ((*p & forms[n].mask) != forms[n].lead)
			continue;
		for (size_t i = 1; i <= n; i++)
			if ((p[i] & 0xc0) != 0x80)
				return 0;
		/* overlong forms, surrogates, and past U+10FFFF */
		if ((n == 1 && *p < 0xc2) || (n == 2 && *p == 0xe0 && p[1] < 0xa0) ||
		    (n == 2 && *p == 0xed && p[1] > 0x9f) || (n == 3 && *p == 0xf0 && p[1] < 0x90) ||
		    (n == 3 && (*p > 0xf4 || (*p == 0xf4 && p[1] > 0x8f))))
			return 0;
		return n + 1;
	}
	return 0;
}

/* Bytes that are no UTF-8 become U+FFFD: what a host calls itself must not break the answer. */
static struct json *
text_value(const char *value)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t ascii = 0, used = 0;
	own(mem) char *clean = NULL;

	while (value[ascii] && !(value[ascii] & 0x80))
		ascii++;
	if (!value[ascii])
		return json_of(json_object_new_string_len(value, (int)ascii));
	clean = malloc(strlen(value) * 3 + 1);
	if (!clean)
		return NULL;
	for (const unsigned char *p = (const unsigned char *)value; *p;) {
		size_t n = utf8_length(p);

		memcpy(clean + used, n ? (const char *)p : replacement, n ? n : 3);
		used += n ? n : 3;
		p += n ? n : 1;
	}
	return json_of(json_object_new_string_len(clean, (int)used));
}

void json_put_text(struct json *j, const char *key, const char *value) { json_put(j, key, text_value(value)); }
void json_put_int(struct json *j, const char *key, int64_t v) { json_put(j, key, json_of(json_object_new_int64(v))); }
void json_put_bool(struct json *j, const char *key, bool v) { json_put(j, key, json_of(json_object_new_boolean(v))); }

void
json_put_null(struct json *j, const char *key)
{
	if (j && json_object_object_add(obj(j), key, NULL) < 0)
		json_object_set_userdata(obj(j), lost, NULL);
}

void
json_put_bytes(struct json *j, const char *key, const void *p, size_t n)
{
	size_t size = n / 3 * 4 + 5;
	own(mem) char *text = malloc(size);

	if (text)
		text[base64url_text(p, n, text, size)] = '\0';
	json_put(j, key, text ? text_value(text) : NULL);
}

void
json_put_hex(struct json *j, const char *key, const void *p, size_t n)
{
	own(mem) char *text = malloc(2 * n + 1);

	if (text)
		hex_text(p, n, text);
	json_put(j, key, text ? text_value(text) : NULL);
}

void
json_put_time(struct json *j, const char *key, int64_t wall_ms)
{
	char text[TIME_TEXT];

	if (!wall_ms) {
		json_put_null(j, key);
		return;
	}
	time_text(wall_ms, text);
	json_put_text(j, key, text);
}

void
json_put_words(struct json *j, const char *key, const char *words)
{
	struct json *list = json_new_list();

	while (*(words += strspn(words, " "))) {
		size_t n = strcspn(words, " ");

		json_add(list, json_of(json_object_new_string_len(words, (int)n)));
		words += n;
	}
	json_put(j, key, list);
}

void
json_add(struct json *array, struct json *value)
{
	if (array && value && !json_object_array_add(obj(array), obj(value)))
		return;
	json_object_put(obj(value));
	if (array)
		json_object_set_userdata(obj(array), lost, NULL);
}

void json_add_text(struct json *array, const char *value) { json_add(array, text_value(value)); }
void json_add_int(struct json *array, int64_t v) { json_add(array, json_of(json_object_new_int64(v))); }

/* --- printing */

/* json-c's own printer goes on after an allocation that failed, and leaves out what did not fit. */
struct text {
	char  *buf;
	size_t used, size;
	bool   pretty, failed;
};

static void
add(struct text *t, const char *p, size_t n)
{
	if (!t->failed && n >= t->size - t->used) {
		size_t size = (t->size + n) * 2;
		char *larger = realloc(t->buf, size);

		t->failed = !larger;
		t->buf = larger ? larger : t->buf;
		t->size = larger ? size : t->size;
	}
	if (t->failed)
		return;
	memcpy(t->buf + t->used, p, n);
	t->used += n;
}

static void
add_quoted(struct text *t, const char *p, size_t n)
{
	static const char plain[] = "\"\\\b\f\n\r\t", escaped[] = "\"\\bfnrt";

	add(t, "\"", 1);
	for (const char *end = p + n; p < end;) {
		const char *from = p, *which = NULL;
		char code[8] = "\\";

		while (p < end && (unsigned char)*p >= ' ' && *p != '"' && *p != '\\')
			p++;
		add(t, from, (size_t)(p - from));
		if (p == end)
			break;
		which = *p ? strchr(plain, *p) : NULL;
		if (which)
			code[1] = escaped[which - plain];
		else
			snprintf(code, sizeof(code), "\\u%04x", (unsigned char)*p);
		add(t, code, strlen(code));
		p++;
	}
	add(t, "\"", 1);
}

static void
add_line(struct text *t, unsigned depth)
{
	if (!t->pretty)
		return;
	add(t, "\n", 1);
	for (unsigned i = 0; i < depth; i++)
		add(t, "  ", 2);
}

static void add_value(struct text *, struct json_object *, unsigned depth);

static void
add_object(struct text *t, struct json_object *o, unsigned depth)
{
	bool first = true;

	t->failed = t->failed || json_object_get_userdata(o) == lost;
	add(t, "{", 1);
	json_object_object_foreach(o, key, value) {
		if (!first)
			add(t, ",", 1);
		first = false;
		add_line(t, depth + 1);
		add_quoted(t, key, strlen(key));
		add(t, ": ", t->pretty ? 2 : 1);
		add_value(t, value, depth + 1);
	}
	if (!first)
		add_line(t, depth);
	add(t, "}", 1);
}

static void
add_list(struct text *t, struct json_object *o, unsigned depth)
{
	size_t n = json_object_array_length(o);

	t->failed = t->failed || json_object_get_userdata(o) == lost;
	add(t, "[", 1);
	for (size_t i = 0; i < n; i++) {
		if (i)
			add(t, ",", 1);
		add_line(t, depth + 1);
		add_value(t, json_object_array_get_idx(o, i), depth + 1);
	}
	if (n)
		add_line(t, depth);
	add(t, "]", 1);
}

static void
add_value(struct text *t, struct json_object *o, unsigned depth)
{
	char number[32];

	if (depth > JSON_DEPTH_MAX)
		t->failed = true;
	if (t->failed)
		return;
	switch (json_object_get_type(o)) {
	case json_type_null:    add(t, "null", 4); return;
	case json_type_object:  add_object(t, o, depth); return;
	case json_type_array:   add_list(t, o, depth); return;
	case json_type_string:  add_quoted(t, json_object_get_string(o), (size_t)json_object_get_string_len(o)); return;
	case json_type_boolean: add(t, json_object_get_boolean(o) ? "true" : "false", json_object_get_boolean(o) ? 4 : 5); return;
	case json_type_int:
		snprintf(number, sizeof(number), "%lld", (long long)json_object_get_int64(o));
		add(t, number, strlen(number));
		return;
	case json_type_double:  /* none of ours has one */
		break;
	}
	t->failed = true;
}

bool
json_print(const struct json *j, bool pretty, char **out, size_t *len, struct error *e)
{
	struct text t = { .pretty = pretty, .failed = !j };

	if (j)
		add_value(&t, obj(j), 0);
	add(&t, "", 1);
	if (t.failed) {
		free(t.buf);
		return err_set(e, ERR_MEMORY, "JSON");
	}
	*out = t.buf;
	*len = t.used - 1;
	return true;
}
