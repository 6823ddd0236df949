/*
 * ima_template.h - what one entry of an IMA list says, and its hash. Linux, IMA-templates.rst; FACTS 5.5, 5.6.
 *
 * The template's name is not in the hash: a host may call any data by any name. So digest and path
 * are believed only where every template has them, in the first and second field; a signature is
 * nothing without its key; and a field list that begins otherwise can be replayed, never judged.
 */
#ifndef IMA_TEMPLATE_H
#define IMA_TEMPLATE_H
#include "imalog.h"

/* X(NAME, word, bytes): hash algorithms of files, as the kernel names them. */
#define IMA_ALGS(X)              \
	X(MD5,    "md5",     16) \
	X(SHA1,   "sha1",    20) \
	X(RMD160, "rmd160",  20) \
	X(SHA224, "sha224",  28) \
	X(SHA256, "sha256",  32) \
	X(SHA384, "sha384",  48) \
	X(SHA512, "sha512",  64) \
	X(SM3,    "sm3",     32) \
	X(SHA3_256, "sha3-256", 32) \
	X(SHA3_384, "sha3-384", 48) \
	X(SHA3_512, "sha3-512", 64) \
	X(STREEBOG256, "streebog256", 32) \
	X(STREEBOG512, "streebog512", 64)
enum ima_alg {
#define X(name, word, size) IMA_ALG_##name,
	IMA_ALGS(X)
#undef X
	IMA_ALG_COUNT
};
const char *ima_alg_word(enum ima_alg);
size_t      ima_alg_size(enum ima_alg);
bool        ima_alg_find(const char *word, size_t len, enum ima_alg *);

/* X(NAME, word, kind): a template's fields, and how they are written in a list. */
#define IMA_FIELDS(X)                \
	X(D,      "d",        DIGEST) \
	X(N,      "n",        TEXT)   \
	X(D_NG,   "d-ng",     TAGGED) \
	X(D_NGV2, "d-ngv2",   TAGGED) \
	X(N_NG,   "n-ng",     TEXT)   \
	X(SIG,    "sig",      BYTES)  \
	X(BUF,    "buf",      BYTES)  \
	X(D_MODSIG, "d-modsig", TAGGED) \
	X(MODSIG, "modsig",   BYTES)  \
	X(EVMSIG, "evmsig",   BYTES)  \
	X(IUID,   "iuid",     NUMBER4) \
	X(IGID,   "igid",     NUMBER4) \
	X(IMODE,  "imode",    NUMBER2) \
	X(XATTRNAMES,   "xattrnames",   TEXT)  \
	X(XATTRLENGTHS, "xattrlengths", BYTES) \
	X(XATTRVALUES,  "xattrvalues",  BYTES)
enum ima_field {
#define X(name, word, kind) IMA_FIELD_##name,
	IMA_FIELDS(X)
#undef X
	IMA_FIELD_COUNT
};
enum ima_field_kind { IMA_DIGEST, IMA_TEXT, IMA_TAGGED /* "sha256:" NUL digest */, IMA_BYTES, IMA_NUMBER4, IMA_NUMBER2 };
enum ima_field_kind ima_field_kind(enum ima_field);

/* The fields of a template, by its name or by the list of fields that stands for one; false when it is unknown. */
enum { IMA_FIELDS_MAX = 16 };
struct ima_template { bool old; unsigned count; enum ima_field field[IMA_FIELDS_MAX]; };
bool ima_template_find(const char *name, struct ima_template *);

struct ima_bytes { const uint8_t *p; size_t len; };     /* p is NULL when the field is not there */

/* What is said of a file. Points into the entry's data. */
struct ima_fields {
	bool             judged;        /* digest and path stand where they must */
	bool             verity;        /* d-ngv2: the digest is fs-verity's, not the content's */
	enum ima_alg     alg;
	const uint8_t   *digest;        /* ima_alg_size(alg) bytes */
	const char      *path;          /* path_len bytes without NUL; not printable for certain */
	size_t           path_len;
	struct ima_bytes sig, buf, modsig;
	const uint8_t   *modsig_digest; /* d-modsig: of the file without its signature; NULL when it has none */
	enum ima_alg     modsig_alg;
};

/*
 * ERR_FORMAT when the data is not what the template's fields need; judged is false when it is, but says
 * nothing of a file. A violation has no digest: alg and digest are not set then.
 */
bool ima_fields_read(const struct ima_entry *, bool big_endian, struct ima_fields *, struct error *) MUST_CHECK;

/* Template hash in a bank, or over what the old template "ima" hashes; false only if libcrypto fails or the old data is malformed. */
bool ima_template_hash(struct hashers *, enum bank, const struct ima_entry *, bool big_endian, uint8_t *out);

/*
 * What a bank of the PCR is extended with. Before Linux 5.8 in every bank but SHA-1's, and since then
 * in banks whose hash the kernel did not have when IMA started: SHA-1's value and zeros up to the
 * width. Violations fill the width with ff (REAL, PADDED) or SHA-1's part of it (PADDED_OLD).
 */
#define IMA_WAYS(X) \
	X(REAL,       "its own template hash") \
	X(PADDED,     "SHA-1's template hash, padded with zeros") \
	X(PADDED_OLD, "SHA-1's template hash, padded with zeros, violations too")
enum ima_way {
#define X(name, words) IMA_WAY_##name,
	IMA_WAYS(X)
#undef X
	IMA_WAY_COUNT
};
const char *ima_way_words(enum ima_way);
bool ima_extend(struct hashers *, enum bank, enum ima_way, const struct ima_entry *, bool big_endian, uint8_t *value);
#endif
