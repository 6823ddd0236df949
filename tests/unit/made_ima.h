/* made_ima.h - IMA lists that a test makes, what they leave in PCR 10, and a quote over that. */
#ifndef MADE_IMA_H
#define MADE_IMA_H
#include "check_ima.h"

struct made_ima {
	uint8_t *buf;                   /* the binary list; free it */
	size_t   len, size;
	unsigned count;
	uint8_t  value[BANK_COUNT][IMA_WAY_COUNT][DIGEST_MAX];  /* of PCR 10 */
	struct hashers hashers;
};
void made_ima_free(struct made_ima *);
static inline void drop_made_ima(struct made_ima *m) { made_ima_free(m); }      /* own(made_ima) struct made_ima m = { 0 }; */

/* An entry of this template and data; one with the digest of `content` by SHA-256, with and without a signature; a violation. */
void made_ima_entry(struct made_ima *, unsigned pcr, const char *name, const void *data, size_t len, bool violation);
void made_ima_file(struct made_ima *, const char *path, const char *content);
void made_ima_signed(struct made_ima *, const char *path, const char *content, const void *sig, size_t len);
void made_ima_violation(struct made_ima *, const char *path);
/* boot_aggregate over PCR 0 to 9 of that log's SHA-256 bank. */
void made_ima_aggregate(struct made_ima *, const struct eventlog *);

/* Fields of template data, for other templates. */
struct made_data { uint8_t p[1024]; size_t len; };
void made_field(struct made_data *, const void *p, size_t len);
void made_digest_field(struct made_data *, const char *tag, const void *digest, size_t len);    /* tag "sha256:" */

/* What a TPM would quote of these PCRs: the log's, and PCR 10 as `m` stands. */
void made_ima_quote(const struct eventlog *, const struct made_ima *m, enum ima_way, const struct selection *, struct quote *);
/* The bytes of the list from one entry on, packed; free *out. */
struct ima_list made_ima_packed(const struct made_ima *, uint64_t from, uint64_t to, uint8_t **out);
#endif
