/* Changes of PK, KEK, db and dbx: which entries came and which went. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "diff_change.h"
#include "hex.h"
#include "scope.h"

enum { PCR_SECURE_BOOT = 7 };

/* One side's entries, ascending by their first bytes. name: of a certificate, where it is at hand. */
struct key { uint8_t id[SHA256_SIZE]; size_t len; const char *name; };
struct keys { struct key *key; unsigned count; };
static void drop_keys(struct keys *k) { free(k->key); }

static int
by_id(const void *pa, const void *pb)
{
	return memcmp(((const struct key *)pa)->id, ((const struct key *)pb)->id, KEY_ID_SIZE);
}

bool
is_key_variable(const struct item *i)
{
	for (unsigned k = 0; k < STORE_COUNT; k++) {
		const char *word = key_store_word((enum key_store_name)k);
		size_t n = strlen(word);

		/* "dbx: 371 entries", "dbx: empty" */
		if (i->pcr == PCR_SECURE_BOOT && !strncmp(i->text, word, n) && !strncmp(i->text + n, ": ", 2) &&
		    (strstr(i->text + n, " entr") || !strcmp(i->text + n, ": empty")))
			return true;
	}
	return false;
}

static bool
keys_of_set(const struct item *i, struct keys *out)
{
	bool empty = i->bound && strstr(i->text, ": empty");

	if (!i->entry->nkeys && !empty)
		return false;
	out->key = calloc(i->entry->nkeys + 1u, sizeof(*out->key));
	for (; out->key && out->count < i->entry->nkeys; out->count++) {
		struct key *k = &out->key[out->count];

		memcpy(k->id, i->entry->keys + out->count * KEY_ID_SIZE, KEY_ID_SIZE);
		k->len = KEY_ID_SIZE;
	}
	return out->key != NULL;
}

static bool
keys_of_log(const struct boot_facts *f, const struct item *i, struct keys *out)
{
	const struct key_store *s = NULL;

	for (unsigned k = 0; k < STORE_COUNT; k++)
		if (f->secure_boot.store[k].at.binding == FACT_BOUND && f->secure_boot.store[k].at.event == i->number)
			s = &f->secure_boot.store[k];
	if (!s || !s->whole || s->hashes + s->certs != s->count)
		return false;
	out->key = calloc(s->count + 1u, sizeof(*out->key));
	if (!out->key)
		return false;
	for (unsigned k = 0; k < s->count; k++) {
		bool hash = k < s->hashes;
		const struct fact_cert *c = hash ? NULL : &f->cert[s->first_cert + k - s->hashes];

		memcpy(out->key[k].id, hash ? f->hash[s->first_hash + k] : c->sha256, SHA256_SIZE);
		out->key[k].len = SHA256_SIZE;
		out->key[k].name = hash ? NULL : c->name;
	}
	out->count = s->count;
	qsort(out->key, out->count, sizeof(*out->key), by_id);
	return true;
}

static bool
keys_of(const struct backdrop *b, const struct item *i, struct keys *out)
{
	return i->entry ? keys_of_set(i, out) : b->facts && keys_of_log(b->facts, i, out);
}

/* Both sides walked together: each entry that only one of them has. */
typedef void key_fn(void *arg, bool added, const struct key *);
static bool
keys_walk(const struct backdrop *b, const struct change *c, key_fn *fn, void *arg, struct key_changes *n)
{
	own(keys) struct keys was = { .count = 0 }, is = { .count = 0 };
	unsigned i = 0, j = 0;

	if (!c->was || !c->is || !keys_of(b, c->was, &was) || !keys_of(b, c->is, &is))
		return false;
	while (i < was.count || j < is.count) {
		int order = i == was.count ? 1 : j == is.count ? -1 : by_id(&was.key[i], &is.key[j]);

		if (order > 0)
			fn(arg, true, &is.key[j]);
		else if (order < 0)
			fn(arg, false, &was.key[i]);
		i += order <= 0;
		j += order >= 0;
	}
	n->was = was.count;
	n->is = is.count;
	return true;
}

static void
count(void *arg, bool added, const struct key *k)
{
	struct key_changes *n = arg;

	(void)k;
	n->added += added;
	n->removed += !added;
}

bool
keys_compare(const struct backdrop *b, const struct change *c, struct key_changes *out)
{
	*out = (struct key_changes){ .was = 0 };
	return keys_walk(b, c, count, out, out);
}

struct names { char *out; size_t size, at; unsigned count; };

static void
put_added(void *arg, bool added, const struct key *k)
{
	struct names *n = arg;
	int wrote;

	if (!added || !k->name || !*k->name || n->at + 1 >= n->size)
		return;
	wrote = snprintf(n->out + n->at, n->size - n->at, "%s%s", n->count++ ? ", " : "; added: ", k->name);
	n->at = wrote > 0 && (size_t)wrote < n->size - n->at ? n->at + (size_t)wrote : n->size - 1;
}

void
keys_sentence(const struct backdrop *b, const struct change *c, char *out, size_t size)
{
	size_t name = strcspn(c->was->text, ":");
	char some[2][16] = { "none", "none" };
	struct key_changes n;
	struct names names;
	int wrote;

	if (!keys_compare(b, c, &n)) {
		snprintf(out, size, "%s became %s; which entries came and went is not known", c->was->text, c->is->text);
		return;
	}
	if (n.added)
		snprintf(some[0], sizeof(some[0]), "%u", n.added);
	if (n.removed)
		snprintf(some[1], sizeof(some[1]), "%u", n.removed);
	wrote = snprintf(out, size, "%.*s: %u -> %u entries, %s added, %s removed", (int)name, c->was->text, n.was, n.is,
	    some[0], some[1]);
	names = (struct names){ .out = out, .size = size, .at = wrote > 0 && (size_t)wrote < size ? (size_t)wrote : size - 1 };
	(void)keys_walk(b, c, put_added, &names, &n);
}

struct lines { struct findings *all; const struct finding *f; };

static void
put_line(void *arg, bool added, const struct key *k)
{
	struct lines *l = arg;
	char hex[2 * SHA256_SIZE + 1];

	hex_text(k->id, k->len, hex);
	finding_detail(l->all, l->f, "%s %s%s%s%s", added ? "added" : "removed", hex, k->len < SHA256_SIZE ? "..." : "",
	    k->name && *k->name ? " " : "", k->name ? k->name : "");
}

void
keys_details(const struct backdrop *b, const struct change *c, struct findings *all, const struct finding *f)
{
	struct lines l = { all, f };
	struct key_changes n;

	(void)keys_walk(b, c, put_line, &l, &n);
}
