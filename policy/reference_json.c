#include <stdlib.h>
#include <string.h>
#include "hex.h"
#include "json.h"
#include "reference_json.h"
#include "scope.h"

/* Members of the file and of one entry; ENTRY_JSON_MAX holds one entry with every character of its text escaped. */
enum { FILE_MEMBERS = 8 + COMPONENT_COUNT, ENTRY_MEMBERS = 8, ENTRY_JSON_MAX = 2048, KEY_JSON_MAX = 2 * KEY_ID_SIZE + 3, SCHEMA = 1 };

static const char *const kind_words[] = { "events", "values" };
static const char *const file_keys[] = { "schema", "origin", "bank", "pcrs", "components", "host_only", "kind", "entries", NULL };
static const char *const entry_keys[] = { "component", "scope", "pcr", "type", "digest", "bound", "text", "keys", NULL };

/* --- writing --- */

static bool
put_value(struct writer *w, struct json *value, const char *after, struct error *e)
{
	own(json) struct json *v = value;
	own(mem) char *text = NULL;
	size_t len;

	if (!json_print(v, false, &text, &len, e))
		return false;
	wr_bytes(w, text, len, "value");
	wr_bytes(w, after, strlen(after), "space");
	return true;
}

static struct json *
keys_json(const struct set_entry *x)
{
	struct json *list = json_new_list();
	char hex[2 * KEY_ID_SIZE + 1];

	for (unsigned i = 0; i < x->nkeys; i++) {
		hex_text(x->keys + i * KEY_ID_SIZE, KEY_ID_SIZE, hex);
		json_add_text(list, hex);
	}
	return list;
}

static struct json *
entry_json(const struct set_entry *x, enum bank bank)
{
	struct json *o = json_new();

	json_put_text(o, "component", component_word(x->component));
	json_put_text(o, "scope", scope_word(x->scope));
	json_put_int(o, "pcr", x->pcr);
	json_put_int(o, "type", x->type);
	json_put_hex(o, "digest", x->digest, bank_size(bank));
	json_put_bool(o, "bound", x->text_bound);
	json_put_text(o, "text", x->text);
	if (x->nkeys)
		json_put(o, "keys", keys_json(x));
	return o;
}

/* The members before the entries. */
static bool
put_head(struct writer *w, const struct reference_set *set, const char *origin, struct error *e)
{
	own(json) struct json *head = json_new();
	struct json *pcrs = json_new_list(), *parts = json_new_list();
	own(mem) char *text = NULL;
	size_t len;

	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (set->pcrs & 1u << pcr)
			json_add_int(pcrs, pcr);
	for (unsigned c = 0; c < COMPONENT_COUNT; c++)
		if (set->parts & 1u << c)
			json_add_text(parts, component_word((enum component)c));
	json_put_int(head, "schema", SCHEMA);
	json_put_text(head, "origin", origin);
	json_put_text(head, "bank", bank_word(set->bank));
	json_put(head, "pcrs", pcrs);
	json_put(head, "components", parts);
	json_put_bool(head, "host_only", set->host_only);
	json_put_text(head, "kind", kind_words[set->values]);
	if (!json_print(head, false, &text, &len, e))
		return false;
	wr_bytes(w, text, len - 1, "head");                     /* its closing brace comes at the end */
	wr_bytes(w, ",\n\"entries\":[\n", 14, "head");
	return true;
}

bool
set_json_write(const struct reference_set *set, const char *origin, char **out, size_t *len, struct error *e)
{
	size_t size = 8 * SET_ORIGIN_TEXT + ((size_t)set->count + 1) * ENTRY_JSON_MAX;
	own(mem) char *buf = NULL;
	struct writer w;

	for (unsigned i = 0; i < set->count; i++)
		size += (size_t)set->entry[i].nkeys * KEY_JSON_MAX;
	buf = malloc(size);
	w = wr_open((uint8_t *)buf, buf ? size : 0);
	if (!buf)
		return err_set(e, ERR_MEMORY, "set of %u entries", set->count);
	if (!put_head(&w, set, origin, e))
		return false;
	for (unsigned i = 0; i < set->count; i++)
		if (!put_value(&w, entry_json(&set->entry[i], set->bank), i + 1 < set->count ? ",\n" : "\n", e))
			return false;
	wr_bytes(&w, "]}\n", 4, "end");
	if (!wr_ok(&w, e))
		return false;
	*len = w.used - 1;
	*out = give(buf);
	return true;
}

/* --- reading --- */

static bool
find_component(const char *word, enum component *out, struct error *e)
{
	for (unsigned i = 0; i < COMPONENT_COUNT; i++)
		if (!strcmp(word, component_word((enum component)i))) {
			*out = (enum component)i;
			return true;
		}
	return err_set(e, ERR_FORMAT, "'%.30s' is none", word);
}

static bool
read_component(const struct json *o, enum component *out, struct error *e)
{
	char word[32];

	return json_text(o, "component", word, sizeof(word), e) && (find_component(word, out, e) || err_in(e, "component"));
}

static bool
read_scope(const struct json *o, enum scope *out, struct error *e)
{
	char word[8];

	if (!json_text(o, "scope", word, sizeof(word), e))
		return false;
	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		if (!strcmp(word, scope_word((enum scope)i))) {
			*out = (enum scope)i;
			return true;
		}
	return err_set(e, ERR_FORMAT, "scope: '%s' is none of fleet, host, named", word);
}

/* Into the pool from its used part on. */
static bool
read_keys(const struct json *o, struct reference_set *set, size_t *used, struct set_entry *x, struct error *e)
{
	unsigned count;

	if (!json_has(o, "keys"))
		return true;
	if (!json_list(o, "keys", SET_KEYS_MAX - (unsigned)*used, &count, e))
		return false;
	x->keys = set->keys + *used * KEY_ID_SIZE;
	for (; x->nkeys < count; x->nkeys++, ++*used) {
		char hex[2 * KEY_ID_SIZE + 1];

		if (!json_item_text(json_item(o, "keys", x->nkeys), hex, sizeof(hex), e) ||
		    (!hex_bytes(hex, set->keys + *used * KEY_ID_SIZE, KEY_ID_SIZE) && !err_set(e, ERR_FORMAT, "not %d bytes in hex", KEY_ID_SIZE)))
			return err_in(e, "keys[%u]", x->nkeys);
	}
	return set_keys_fit(x, e);
}

static bool
read_entry(const struct json *o, struct reference_set *set, size_t *used, struct set_entry *x, struct error *e)
{
	int64_t pcr, type;

	if (!json_only(o, entry_keys, e) || !read_component(o, &x->component, e) || !read_scope(o, &x->scope, e) ||
	    !json_int(o, "pcr", 0, PCR_COUNT - 1, &pcr, e) || !json_int(o, "type", 0, UINT32_MAX, &type, e) ||
	    !json_hex(o, "digest", x->digest, bank_size(set->bank), e) || !json_flag(o, "bound", &x->text_bound, e) ||
	    !json_text(o, "text", x->text, sizeof(x->text), e))
		return false;
	x->pcr = (uint8_t)pcr;
	x->type = (uint32_t)type;
	for (const char *p = x->text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			return err_set(e, ERR_FORMAT, "text: not printable ASCII");
	return set_entry_fits(set, x, e) && read_keys(o, set, used, x, e);
}

static bool
read_pcrs(const struct json *o, uint32_t *pcrs, struct error *e)
{
	int64_t pcr, before = -1;
	unsigned count;

	if (!json_list(o, "pcrs", PCR_COUNT, &count, e))
		return false;
	*pcrs = 0;
	for (unsigned i = 0; i < count; i++, before = pcr) {
		if (!json_item_int(json_item(o, "pcrs", i), before + 1, PCR_COUNT - 1, &pcr, e))
			return err_in(e, "pcrs[%u]", i);
		*pcrs |= 1u << pcr;
	}
	return *pcrs || err_set(e, ERR_FORMAT, "pcrs: none");
}

/* The granted ones, each once, in their order. */
static bool
read_parts(const struct json *o, unsigned *parts, struct error *e)
{
	enum component c = COMPONENT_COUNT;
	unsigned count;
	char word[32];

	if (!json_list(o, "components", COMPONENT_COUNT, &count, e))
		return false;
	*parts = 0;
	for (unsigned i = 0; i < count; i++) {
		if (!json_item_text(json_item(o, "components", i), word, sizeof(word), e) || !find_component(word, &c, e))
			return err_in(e, "components[%u]", i);
		if (*parts >> c)
			return err_set(e, ERR_FORMAT, "components[%u]: not in their order", i);
		*parts |= 1u << c;
	}
	return true;
}

static bool
read_kind(const struct json *o, bool *values, struct error *e)
{
	char word[8];

	if (!json_text(o, "kind", word, sizeof(word), e))
		return false;
	*values = !strcmp(word, kind_words[true]);
	return *values || !strcmp(word, kind_words[false]) || err_set(e, ERR_FORMAT, "kind: '%s' is neither events nor values", word);
}

static bool
read_head(const struct json *o, char origin[static SET_ORIGIN_TEXT], struct reference_set *set, unsigned *count,
    struct error *e)
{
	int64_t schema;
	char bank[16];

	if (!json_only(o, file_keys, e) || !json_int(o, "schema", SCHEMA, SCHEMA, &schema, e) ||
	    !json_text(o, "origin", origin, SET_ORIGIN_TEXT, e) || !json_text(o, "bank", bank, sizeof(bank), e))
		return false;
	if (!bank_of_word(bank, &set->bank))
		return err_set(e, ERR_FORMAT, "bank: '%s' is none", bank);
	if (!read_pcrs(o, &set->pcrs, e) || !read_parts(o, &set->parts, e) || !json_flag(o, "host_only", &set->host_only, e) ||
	    !read_kind(o, &set->values, e) ||
	    !json_list(o, "entries", SET_ENTRIES_MAX, count, e))
		return false;
	return *count || err_set(e, ERR_FORMAT, "entries: none");
}

bool
set_json_read(const char *text, size_t len, char origin[static SET_ORIGIN_TEXT], struct reference_set *out,
    struct error *e)
{
	own(set) struct reference_set set = { 0 };
	own(json) struct json *o = NULL;
	char from[SET_ORIGIN_TEXT];
	size_t used = 0;
	unsigned count;

	if (len > SET_JSON_MAX)
		return err_set(e, ERR_LIMIT, "a set is at most %d bytes of JSON", SET_JSON_MAX);
	if (!json_parse_file(text, len, FILE_MEMBERS + SET_ENTRIES_MAX * ENTRY_MEMBERS, &o, e) ||
	    !read_head(o, from, &set, &count, e))
		return false;
	set.entry = calloc(count, sizeof(*set.entry));
	set.keys = malloc((size_t)SET_KEYS_MAX * KEY_ID_SIZE);
	if (!set.entry || !set.keys)
		return err_set(e, ERR_MEMORY, "set of %u entries", count);
	for (; set.count < count; set.count++)
		if (!read_entry(json_item(o, "entries", set.count), &set, &used, &set.entry[set.count], e))
			return err_in(e, "line %u: entries[%u]", json_line(text, len, "entries", set.count), set.count);
	if (!set_whole(&set, e))
		return false;
	memcpy(origin, from, sizeof(from));
	*out = set;
	set = (struct reference_set){ 0 };
	return true;
}
