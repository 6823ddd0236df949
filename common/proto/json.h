/*
 * json.h - strict JSON in, correct JSON out. The only place that includes json-c.
 *
 * In: one object, at most JSON_DEPTH_MAX deep, duplicate members, trailing text, floats where an
 * integer is wanted and NUL in strings refused. A getter that fails names its member.
 */
#ifndef JSON_H
#define JSON_H
#include <stddef.h>
#include <stdint.h>
#include "error.h"

enum { JSON_DEPTH_MAX = 16 };

struct json;      /* a value; one that came from json_parse or json_new owns all below it */
bool json_parse(const char *text, size_t len, struct json **, struct error *) MUST_CHECK;
/* As json_parse, for a file that people write: at most `members` members, and errors say "line 7: …". */
bool json_parse_file(const char *text, size_t len, unsigned members, struct json **, struct error *) MUST_CHECK;
/* In text that was parsed: the line on which item i of the outermost member key, a list, starts; 0: none such. */
unsigned json_line(const char *text, size_t len, const char *key, unsigned i);
/* The line on which the value at a path like "cmdline.forbid[3]" starts, or the last part of the path that is there. */
unsigned json_line_at(const char *text, size_t len, const char *path);
/*
 * For an object that is too large for a tree: its members one after another, each value as its text. That a name is
 * there twice is not seen. A NUL must stand somewhere behind the text, and none in it.
 */
struct json_walk { const char *p, *end; bool begun; };
struct json_walk json_walk_open(const char *text, size_t len);
/* *more is false behind the last member. */
bool json_walk_next(struct json_walk *, char *name, size_t size, const char **value, size_t *len, bool *more, struct error *) MUST_CHECK;
void json_free(struct json *);
static inline void drop_json(struct json **j) { json_free(*j); }   /* own(json) struct json *j = NULL; */

/* Getters: false (e names the member) when it is missing, of another type, or out of range. */
bool json_text(const struct json *, const char *key, char *out, size_t size, struct error *) MUST_CHECK;
/* A text of any length, which stays the tree's. */
bool json_text_whole(const struct json *, const char *key, const char **out, size_t *len, struct error *) MUST_CHECK;
bool json_int(const struct json *, const char *key, int64_t lo, int64_t hi, int64_t *, struct error *) MUST_CHECK;
bool json_flag(const struct json *, const char *key, bool *, struct error *) MUST_CHECK;
bool json_hex(const struct json *, const char *key, uint8_t *out, size_t exactly, struct error *) MUST_CHECK;
/* base64url text becomes at most size bytes. */
bool json_bytes(const struct json *, const char *key, uint8_t *out, size_t size, size_t *len, struct error *) MUST_CHECK;
bool json_sub(const struct json *, const char *key, const struct json **, struct error *) MUST_CHECK;   /* an object */
bool json_list(const struct json *, const char *key, unsigned max, unsigned *count, struct error *) MUST_CHECK;
const struct json *json_item(const struct json *, const char *key, unsigned i);  /* of a list; borrowed */
bool json_item_text(const struct json *item, char *out, size_t size, struct error *) MUST_CHECK;  /* item is a string */
bool json_item_int(const struct json *item, int64_t lo, int64_t hi, int64_t *, struct error *) MUST_CHECK;
bool json_has(const struct json *, const char *key);
/* Members of an object in file order: *key is borrowed; false after the last. */
bool json_member(const struct json *, unsigned i, const char **key, const struct json **value);
/* Has the object no member but these? keys ends in NULL. "colour: no such member" */
bool json_only(const struct json *, const char *const *keys, struct error *) MUST_CHECK;

/* Building. Memory failure is remembered in the tree and shows in json_print. */
struct json *json_new(void);
struct json *json_new_list(void);
void json_put_text(struct json *, const char *key, const char *value);   /* invalid UTF-8 becomes U+FFFD */
void json_put_int(struct json *, const char *key, int64_t value);
void json_put_bool(struct json *, const char *key, bool value);
void json_put_bytes(struct json *, const char *key, const void *p, size_t n);  /* base64url */
void json_put_hex(struct json *, const char *key, const void *p, size_t n);
void json_put_time(struct json *, const char *key, int64_t wall_ms);     /* RFC 3339; null for 0 */
void json_put_words(struct json *, const char *key, const char *words);  /* "a b" becomes ["a","b"] */
void json_put(struct json *, const char *key, struct json *value);       /* takes value */
void json_put_copy(struct json *, const char *key, const struct json *value);  /* which both trees then share */
void json_put_null(struct json *, const char *key);
void json_add(struct json *array, struct json *value);                   /* takes value */
void json_add_text(struct json *array, const char *value);
void json_add_int(struct json *array, int64_t value);
/* Text of the tree, free *out; pretty is two spaces a level. */
bool json_print(const struct json *, bool pretty, char **out, size_t *len, struct error *) MUST_CHECK;
#endif
