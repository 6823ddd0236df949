#include <string.h>
#include "ima_template.h"
#include "scope.h"

enum { OLD_DIGEST = 20, OLD_NAME_MAX = 255, SHA1_SIZE = 20, MD5_SIZE = 16 };

static const struct { const char *word; size_t len, size; } algs[] = {
#define X(name, word, size) { word, sizeof(word) - 1, size },
	IMA_ALGS(X)
#undef X
};
static const struct { const char *word; enum ima_field_kind kind; } fields[] = {
#define X(name, word, kind) { word, IMA_##kind },
	IMA_FIELDS(X)
#undef X
};
/* IMA-templates.rst; ima_template.c */
#define F(name) IMA_FIELD_##name
static const struct { const char *name; struct ima_template is; } templates[] = {
	{ "ima-ng",     { false, 2, { F(D_NG), F(N_NG) } } },
	{ "ima-sig",    { false, 3, { F(D_NG), F(N_NG), F(SIG) } } },
	{ "ima-ngv2",   { false, 2, { F(D_NGV2), F(N_NG) } } },
	{ "ima-sigv2",  { false, 3, { F(D_NGV2), F(N_NG), F(SIG) } } },
	{ "ima-buf",    { false, 3, { F(D_NG), F(N_NG), F(BUF) } } },
	{ "ima-modsig", { false, 5, { F(D_NG), F(N_NG), F(SIG), F(D_MODSIG), F(MODSIG) } } },
	{ "evm-sig",    { false, 9, { F(D_NG), F(N_NG), F(EVMSIG), F(XATTRNAMES), F(XATTRLENGTHS), F(XATTRVALUES), F(IUID), F(IGID), F(IMODE) } } },
	{ "ima",        { true, 2, { F(D), F(N) } } },
};
#undef F

const char *ima_alg_word(enum ima_alg a) { return (unsigned)a < IMA_ALG_COUNT ? algs[a].word : "unknown"; }
size_t      ima_alg_size(enum ima_alg a) { return (unsigned)a < IMA_ALG_COUNT ? algs[a].size : 0; }
enum ima_field_kind ima_field_kind(enum ima_field f) { return fields[f].kind; }

bool
ima_alg_find(const char *word, size_t len, enum ima_alg *out)
{
	for (unsigned i = 0; i < IMA_ALG_COUNT; i++)
		if (algs[i].len == len && !memcmp(algs[i].word, word, len)) {
			*out = (enum ima_alg)i;
			return true;
		}
	return false;
}

static bool
field_find(const char *word, size_t len, enum ima_field *out)
{
	for (unsigned i = 0; i < IMA_FIELD_COUNT; i++)
		if (strlen(fields[i].word) == len && !memcmp(fields[i].word, word, len)) {
			*out = (enum ima_field)i;
			return true;
		}
	return false;
}

bool
ima_template_find(const char *name, struct ima_template *out)
{
	struct ima_template t = { .old = false };

	for (unsigned i = 0; i < COUNT(templates); i++)
		if (!strcmp(templates[i].name, name)) {
			*out = templates[i].is;
			return true;
		}
	for (;;) {
		size_t len = strcspn(name, "|");

		if (t.count == IMA_FIELDS_MAX || !field_find(name, len, &t.field[t.count]))
			return false;
		t.count++;
		if (!name[len])
			break;
		name += len + 1;
	}
	*out = t;
	return true;
}

/* "sha256:" NUL digest; "verity:sha256:" NUL digest where v2 is said. */
static bool
tagged_read(struct ima_bytes b, bool v2, bool *verity, enum ima_alg *alg, const uint8_t **digest, struct error *e)
{
	const uint8_t *nul = b.len ? memchr(b.p, '\0', b.len) : NULL;
	const char *word = (const char *)b.p;
	size_t len = nul ? (size_t)(nul - b.p) : 0;

	if (!len || word[len - 1] != ':')
		return err_set(e, ERR_FORMAT, "digest: no algorithm stands before it");
	len--;
	if (v2) {
		*verity = len > 7 && !memcmp(word, "verity:", 7);
		if (!*verity && (len <= 4 || memcmp(word, "ima:", 4) != 0))
			return err_set(e, ERR_FORMAT, "digest: neither of a file nor of fs-verity");
		word += *verity ? 7 : 4;
		len -= *verity ? 7 : 4;
	}
	if (!ima_alg_find(word, len, alg))
		return err_set(e, ERR_FORMAT, "digest: of an unknown algorithm");
	if ((size_t)(b.p + b.len - nul) != 1 + ima_alg_size(*alg))
		return err_set(e, ERR_FORMAT, "digest: not of the size of %s", ima_alg_word(*alg));
	*digest = nul + 1;
	return true;
}

static bool
path_read(struct ima_bytes b, struct ima_fields *f, struct error *e)
{
	if (!b.len || b.p[b.len - 1] || memchr(b.p, '\0', b.len - 1))
		return err_set(e, ERR_FORMAT, "file name: not one string");
	f->path = (const char *)b.p;
	f->path_len = b.len - 1;
	return true;
}

static bool
old_digest(struct ima_bytes b, struct ima_fields *f, struct error *e)
{
	if (b.len != SHA1_SIZE && b.len != MD5_SIZE)
		return err_set(e, ERR_FORMAT, "digest: %zu bytes, neither SHA-1 nor MD5", b.len);
	f->alg = b.len == SHA1_SIZE ? IMA_ALG_SHA1 : IMA_ALG_MD5;
	f->digest = b.p;
	return true;
}

/* One field's bytes into what is said of the file. */
static bool
field_take(const struct ima_entry *x, enum ima_field field, struct ima_bytes b, struct ima_fields *f, struct error *e)
{
	bool none;

	switch (field) {
	case IMA_FIELD_D:        return x->violation || old_digest(b, f, e);
	case IMA_FIELD_D_NG:     return x->violation || tagged_read(b, false, &none, &f->alg, &f->digest, e);
	case IMA_FIELD_D_NGV2:   return x->violation || tagged_read(b, true, &f->verity, &f->alg, &f->digest, e);
	case IMA_FIELD_N:
	case IMA_FIELD_N_NG:     return path_read(b, f, e);
	case IMA_FIELD_D_MODSIG: return !b.len || tagged_read(b, false, &none, &f->modsig_alg, &f->modsig_digest, e);
	case IMA_FIELD_SIG:      f->sig = b; break;
	case IMA_FIELD_BUF:      f->buf = b; break;
	case IMA_FIELD_MODSIG:   f->modsig = b; break;
	case IMA_FIELD_EVMSIG:
	case IMA_FIELD_IUID:
	case IMA_FIELD_IGID:
	case IMA_FIELD_IMODE:
	case IMA_FIELD_XATTRNAMES:
	case IMA_FIELD_XATTRLENGTHS:
	case IMA_FIELD_XATTRVALUES:
	case IMA_FIELD_COUNT:    break;
	}
	return true;
}

static uint32_t
u32(struct reader *r, bool big_endian, const char *field)
{
	return big_endian ? rd_be32(r, field) : rd_le32(r, field);
}

/* The old template's data: a digest, then a name behind its length, without NUL. */
static bool
old_read(const struct ima_entry *x, bool big_endian, struct ima_fields *f, struct error *e)
{
	struct reader r = rd_open(x->data, x->data_len);
	uint32_t len;

	f->alg = IMA_ALG_SHA1;
	f->digest = rd_bytes(&r, OLD_DIGEST, "digest");
	len = u32(&r, big_endian, "file name length");
	f->path = (const char *)rd_bytes(&r, len, "file name");
	f->path_len = len;
	if (!rd_end(&r, e))
		return false;
	if (len > OLD_NAME_MAX || memchr(f->path, '\0', len))
		return err_set(e, ERR_FORMAT, "file name: not one string of at most %d bytes", OLD_NAME_MAX);
	return true;
}

/* In every template that the kernel has, and in every field list that may be judged. */
static bool
begins_well(const struct ima_template *t)
{
	return t->count >= 2 && (t->field[1] == IMA_FIELD_N || t->field[1] == IMA_FIELD_N_NG) &&
	    (t->field[0] == IMA_FIELD_D || t->field[0] == IMA_FIELD_D_NG || t->field[0] == IMA_FIELD_D_NGV2);
}

bool
ima_fields_read(const struct ima_entry *x, bool big_endian, struct ima_fields *out, struct error *e)
{
	struct ima_fields f = { .alg = IMA_ALG_COUNT, .modsig_alg = IMA_ALG_COUNT };
	struct reader r = rd_open(x->data, x->data_len);
	struct ima_template t;
	unsigned seen = 0;

	if (!ima_template_find(x->name, &t))
		return err_set(e, ERR_FORMAT, "template %.40s: unknown", x->name);
	f.judged = begins_well(&t);
	for (unsigned i = 0; !t.old && i < t.count; i++) {
		struct ima_bytes b = { .len = u32(&r, big_endian, "field length") };

		b.p = rd_bytes(&r, b.len, "field");
		if (!rd_ok(&r, e))
			return false;
		if (seen & 1u << t.field[i])
			return err_set(e, ERR_FORMAT, "template %.40s: a field comes twice", x->name);
		seen |= 1u << t.field[i];
		if (!field_take(x, t.field[i], b, &f, e))
			return false;
	}
	if (t.old ? !old_read(x, big_endian, &f, e) : !rd_end(&r, e))
		return false;
	*out = f;
	return true;
}

bool
ima_template_hash(struct hashers *h, enum bank b, const struct ima_entry *x, bool big_endian, uint8_t *out)
{
	uint8_t padded[OLD_DIGEST + OLD_NAME_MAX + 1] = { 0 };
	struct ima_fields f = { .path = NULL };
	struct error e;

	if (strcmp(x->name, "ima") != 0)
		return hashers_digest(h, b, x->data, x->data_len, out);
	if (!old_read(x, big_endian, &f, &e))
		return false;
	memcpy(padded, f.digest, OLD_DIGEST);
	memcpy(padded + OLD_DIGEST, f.path, f.path_len);
	return hashers_digest(h, b, padded, sizeof(padded), out);
}

const char *
ima_way_words(enum ima_way way)
{
	static const char *const words[] = {
#define X(name, words) words,
		IMA_WAYS(X)
#undef X
	};

	return (unsigned)way < IMA_WAY_COUNT ? words[way] : "unknown";
}

bool
ima_extend(struct hashers *h, enum bank b, enum ima_way way, const struct ima_entry *x, bool big_endian, uint8_t *value)
{
	uint8_t with[DIGEST_MAX] = { 0 };

	if (x->violation)
		memset(with, 0xff, way == IMA_WAY_PADDED_OLD ? SHA1_SIZE : bank_size(b));
	else if (!ima_template_hash(h, way == IMA_WAY_REAL ? b : BANK_SHA1, x, big_endian, with))
		return false;
	return hashers_extend(h, b, value, with);
}
