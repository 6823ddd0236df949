/*
 * ima_signature.h - does a key of the policy's keyrings vouch for a measured file?
 *
 * security.ima as it stands in the field sig: version 2 over the file's digest, version 3 over an
 * fs-verity digest with its kind (Linux, integrity.h, ima_appraise.c); and the PKCS#7 appended to
 * modules and kernels, as the field modsig has it, over the digest in d-modsig. RSA with PKCS#1 1.5
 * padding or ECDSA, over SHA-2, SHA-3 or SM3; what is signed over SHA-1 or MD5 is not believed.
 */
#ifndef IMA_SIGNATURE_H
#define IMA_SIGNATURE_H
#include "ima_rules.h"

/* Keys as they are needed; decoding one costs more than a verification. Zeroed: none yet. */
struct ima_keys {
	const struct ima_rules *rules;
	struct evp_pkey_st     *key[IMA_KEYS_MAX];
};
void ima_keys_free(struct ima_keys *);
static inline void drop_ima_keys(struct ima_keys *k) { ima_keys_free(k); }

enum ima_signed {
	IMA_SIGNED,             /* by a key of the rules */
	IMA_SIGNED_NOT,         /* no signature is there */
	IMA_SIGNED_UNKNOWN,     /* by a key that the rules do not have, or in a form that is not judged */
	IMA_SIGNED_BADLY,       /* it is there, names a key of the rules, and does not verify */
};
/* why says what is wrong in a few words. *tried grows by the keys that were tried. */
enum ima_signed ima_signature_check(struct ima_keys *, const struct ima_fields *, unsigned *tried, struct error *why);
#endif
