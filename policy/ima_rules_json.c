/* A policy's member "ima" in JSON. Errors begin with the path to the member: "exclude[3]: …". */
#include <stdlib.h>
#include <string.h>
#include "ima_rules.h"
#include "scope.h"

enum { WORD_TEXT = 32, PEM_MAX = 8 << 10, DIGEST_WORDS = 8 + 16 + 2 * DIGEST_MAX };

static const char *const modes[] = {
#define X(name, word) word,
	IMA_MODES(X)
#undef X
	NULL
};
static const char *const on_violations[] = {
#define X(name, word) word,
	IMA_ON_VIOLATIONS(X)
#undef X
	NULL
};
static const char *const members[] = { "mode", "violations", "pcrs", "exclude", "allow_lists", "allow", "keyrings", NULL };
static const char *const key_members[] = { "pem", "id", NULL };
static const char *const allow_members[] = { "digest", "path", NULL };

static bool
read_word(const struct json *o, const char *key, const char *const *words, unsigned *out, struct error *e)
{
	char word[WORD_TEXT];

	if (!json_text(o, key, word, sizeof(word), e))
		return false;
	for (unsigned i = 0; words[i]; i++)
		if (!strcmp(words[i], word)) {
			*out = i;
			return true;
		}
	return err_set(e, ERR_FORMAT, "%s: '%s' is none", key, word);
}

static bool
read_pcrs(const struct json *o, struct ima_rules *r, struct error *e)
{
	int64_t pcr, before = -1;
	unsigned count;

	if (!json_list(o, "pcrs", IMA_PCRS_MAX, &count, e))
		return false;
	r->pcrs = 0;
	for (unsigned i = 0; i < count; i++, before = pcr) {
		if (!json_item_int(json_item(o, "pcrs", i), before + 1, PCR_COUNT - 1, &pcr, e))
			return err_in(e, "pcrs[%u]", i);
		r->pcrs |= 1u << pcr;
	}
	return r->pcrs || err_set(e, ERR_FORMAT, "pcrs: none");
}

static bool
read_excludes(const struct json *o, struct ima_rules *r, struct error *e)
{
	char text[PATTERN_MAX + 2];
	unsigned count;

	if (!json_list(o, "exclude", IMA_EXCLUDES_MAX, &count, e))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!json_item_text(json_item(o, "exclude", i), text, sizeof(text), e) || !ima_rules_exclude(r, text, strlen(text), e))
			return err_in(e, "exclude[%u]", i);
	return true;
}

static bool
read_lists(const struct json *o, struct ima_rules *r, struct error *e)
{
	unsigned count;

	if (!json_list(o, "allow_lists", IMA_LISTS_MAX, &count, e))
		return false;
	for (; r->nlists < count; r->nlists++) {
		char *name = r->list[r->nlists];

		if (!json_item_text(json_item(o, "allow_lists", r->nlists), name, NAME_TEXT, e))
			return err_in(e, "allow_lists[%u]", r->nlists);
		if (!*name)
			return err_set(e, ERR_FORMAT, "allow_lists[%u]: no name", r->nlists);
		for (unsigned i = 0; i < r->nlists; i++)
			if (!strcmp(r->list[i], name))
				return err_set(e, ERR_FORMAT, "allow_lists[%u]: '%s' is there twice", r->nlists, name);
	}
	return true;
}

static bool
read_allowed(const struct json *item, struct allow_build *b, struct error *e)
{
	char digest[DIGEST_WORDS], path[PATTERN_MAX + 2];

	return json_only(item, allow_members, e) && json_text(item, "digest", digest, sizeof(digest), e) &&
	    json_text(item, "path", path, sizeof(path), e) && allow_build_text(b, digest, strlen(digest), path, strlen(path), e);
}

static bool
read_allow(const struct json *o, struct ima_rules *r, struct error *e)
{
	own(allow_build) struct allow_build b = { .count = 0 };
	unsigned count;

	if (!json_list(o, "allow", IMA_ALLOW_INLINE, &count, e))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!read_allowed(json_item(o, "allow", i), &b, e))
			return err_in(e, "allow[%u]", i);
	return !count || allow_build_end(&b, &r->allow, e);
}

static bool
read_key(const struct json *item, struct ima_key *k, struct error *e)
{
	char pem[PEM_MAX];

	if (!json_has(item, "pem"))
		return json_item_text(item, pem, sizeof(pem), e) && ima_key_read(pem, strlen(pem), k, e);
	return json_only(item, key_members, e) && json_text(item, "pem", pem, sizeof(pem), e) && ima_key_read(pem, strlen(pem), k, e) &&
	    json_hex(item, "id", k->id, sizeof(k->id), e);
}

static bool
read_keyring(const struct json *rings, const char *name, struct ima_rules *r, struct error *e)
{
	unsigned count;

	if (!*name || strlen(name) >= NAME_TEXT)
		return err_set(e, ERR_FORMAT, "%.40s: not a keyring's name", name);
	if (!json_list(rings, name, IMA_KEYS_MAX, &count, e))
		return false;
	for (unsigned i = 0; i < count; i++) {
		struct ima_key *k = &r->key[r->nkeys];

		if (r->nkeys == IMA_KEYS_MAX)
			return err_set(e, ERR_LIMIT, "%s[%u]: more than %d keys", name, i, IMA_KEYS_MAX);
		if (!read_key(json_item(rings, name, i), k, e))
			return err_in(e, "%s[%u]", name, i);
		snprintf(k->keyring, sizeof(k->keyring), "%s", name);
		r->nkeys++;
	}
	return true;
}

static bool
read_keyrings(const struct json *o, struct ima_rules *r, struct error *e)
{
	const struct json *rings, *value;
	const char *name;

	if (!json_sub(o, "keyrings", &rings, e))
		return false;
	r->key = calloc(IMA_KEYS_MAX, sizeof(*r->key));
	if (!r->key)
		return err_set(e, ERR_MEMORY, "keys");
	for (unsigned i = 0; json_member(rings, i, &name, &value); i++)
		if (!read_keyring(rings, name, r, e))
			return err_in(e, "keyrings");
	return true;
}

/* Rules that would refuse every file, or pass it unjudged, are a mistake. */
static bool
makes_sense(const struct ima_rules *r, struct error *e)
{
	bool lists = r->mode == IMA_MODE_ALLOW_LIST || r->mode == IMA_MODE_BOTH;
	bool keys = r->mode == IMA_MODE_SIGNATURES || r->mode == IMA_MODE_BOTH;

	if (lists && !r->nlists && !r->allow.count)
		return err_set(e, ERR_CONFIG, "mode: '%s' without allow_lists or allow", modes[r->mode]);
	if (keys && !r->nkeys)
		return err_set(e, ERR_CONFIG, "mode: '%s' without keyrings", modes[r->mode]);
	for (unsigned i = 0; i < r->nexcludes; i++)
		if (pattern_matches(r->exclude[i], "/usr/bin/sudo", 13) && pattern_matches(r->exclude[i], "/etc/passwd", 11))
			return err_set(e, ERR_CONFIG, "exclude[%u]: leaves nothing to judge; say \"mode\":\"off\"", i);
	return true;
}

bool
ima_rules_read(const struct json *o, struct ima_rules *out, struct error *e)
{
	own(ima_rules) struct ima_rules r = { .pcrs = 1u << 10 };
	unsigned mode, violations = IMA_VIOLATION_REFUSE;

	if (!json_only(o, members, e) || !read_word(o, "mode", modes, &mode, e) ||
	    (json_has(o, "violations") && !read_word(o, "violations", on_violations, &violations, e)))
		return false;
	r.mode = (enum ima_mode)mode;
	r.violations = (enum ima_on_violation)violations;
	if ((json_has(o, "pcrs") && !read_pcrs(o, &r, e)) || (json_has(o, "exclude") && !read_excludes(o, &r, e)) ||
	    (json_has(o, "allow_lists") && !read_lists(o, &r, e)) || (json_has(o, "allow") && !read_allow(o, &r, e)) ||
	    (json_has(o, "keyrings") && !read_keyrings(o, &r, e)) || !makes_sense(&r, e))
		return false;
	*out = r;
	r = (struct ima_rules){ .mode = IMA_MODE_OFF };
	return true;
}

/* --- writing --- */

static struct json *
excludes_json(const struct ima_rules *r)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < r->nexcludes; i++)
		json_add_text(list, r->exclude[i]);
	return list;
}

static struct json *
allow_json(const struct ima_rules *r)
{
	struct json *list = json_new_list();
	struct allow_place at = { 0, 0 };
	char digest[ALLOWED_TEXT];
	const char *pattern;

	while (allow_list_next(&r->allow, &at, digest, &pattern)) {
		struct json *o = json_new();

		json_put_text(o, "digest", digest);
		json_put_text(o, "path", pattern);
		json_add(list, o);
	}
	return list;
}

static void
key_add(struct json *list, const struct ima_key *k)
{
	own(mem) char *pem = NULL;
	struct json *o;
	struct error e;
	uint8_t id[4];

	if (!ima_key_pem(k, &pem, &e) || !ima_key_own_id(k, id))
		return;
	if (!memcmp(id, k->id, sizeof(id))) {
		json_add_text(list, pem);
		return;
	}
	o = json_new();
	json_put_text(o, "pem", pem);
	json_put_hex(o, "id", k->id, sizeof(k->id));
	json_add(list, o);
}

/* Keys of one ring stand together, as they were read. */
static struct json *
keyrings_json(const struct ima_rules *r)
{
	struct json *rings = json_new(), *list = NULL;

	for (unsigned i = 0; i < r->nkeys; i++) {
		if (!i || strcmp(r->key[i].keyring, r->key[i - 1].keyring) != 0) {
			list = json_new_list();
			json_put(rings, r->key[i].keyring, list);
		}
		key_add(list, &r->key[i]);
	}
	return rings;
}

struct json *
ima_rules_json(const struct ima_rules *r)
{
	struct json *o = json_new(), *pcrs = json_new_list(), *lists = json_new_list();

	json_put_text(o, "mode", modes[r->mode]);
	json_put_text(o, "violations", on_violations[r->violations]);
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (r->pcrs & 1u << pcr)
			json_add_int(pcrs, pcr);
	json_put(o, "pcrs", pcrs);
	json_put(o, "exclude", excludes_json(r));
	for (unsigned i = 0; i < r->nlists; i++)
		json_add_text(lists, r->list[i]);
	json_put(o, "allow_lists", lists);
	json_put(o, "allow", allow_json(r));
	json_put(o, "keyrings", keyrings_json(r));
	return o;
}
