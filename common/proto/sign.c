#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>
#include "digest.h"
#include "json.h"
#include "scope.h"
#include "sign.h"

enum {
	COORDINATE = 32,                       /* P-256 */
	ES256_SIZE = 2 * COORDINATE,           /* r || s, RFC 7518 section 3.4; not DER */
	ES256_TEXT = (ES256_SIZE * 4 + 2) / 3,
	HEADER_MAX = 512,
	TYP_MAX    = 32,
	DER_SIG_MAX = 80,
};

static inline void drop_pkey(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static inline void drop_mdctx(EVP_MD_CTX **c) { EVP_MD_CTX_free(*c); }
static inline void drop_pctx(EVP_PKEY_CTX **c) { EVP_PKEY_CTX_free(*c); }
static inline void drop_bld(OSSL_PARAM_BLD **b) { OSSL_PARAM_BLD_free(*b); }
static inline void drop_params(OSSL_PARAM **p) { OSSL_PARAM_free(*p); }
static inline void drop_bn(BIGNUM **n) { BN_free(*n); }
static inline void drop_sig(ECDSA_SIG **s) { ECDSA_SIG_free(*s); }
static inline void drop_bio(BIO **b) { BIO_free_all(*b); }

struct sign_key {
	EVP_PKEY         *key;
	struct public_key pub;
};

/* --- keys */

/* RFC 7638: the members of the JWK that make the key, sorted, without white space. */
static bool
thumbprint(struct public_key *pub)
{
	char x[ES256_TEXT], y[ES256_TEXT], text[200];
	uint8_t hash[SHA256_SIZE];
	int n;

	if (!base64url_text(pub->x, COORDINATE, x, sizeof(x)) || !base64url_text(pub->y, COORDINATE, y, sizeof(y)))
		return false;
	n = snprintf(text, sizeof(text), "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
	return digest_sha256(text, (size_t)n, hash) && base64url_text(hash, sizeof(hash), pub->kid, sizeof(pub->kid));
}

static bool
public_half(const EVP_PKEY *key, struct public_key *pub)
{
	own(bn) BIGNUM *x = NULL;
	own(bn) BIGNUM *y = NULL;

	return EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
	    BN_bn2binpad(x, pub->x, COORDINATE) == COORDINATE && BN_bn2binpad(y, pub->y, COORDINATE) == COORDINATE &&
	    thumbprint(pub);
}

static bool
is_p256(const EVP_PKEY *key)
{
	char group[32];

	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	    (!strcmp(group, "prime256v1") || !strcmp(group, "P-256"));
}

static bool
adopt(EVP_PKEY *made, struct sign_key **out, struct error *e)
{
	own(pkey) EVP_PKEY *key = made;
	struct sign_key k = { 0 };
	struct sign_key *copy;

	if (!key || !is_p256(key) || !public_half(key, &k.pub))
		return err_set(e, ERR_CRYPTO, "not a P-256 private key");
	copy = malloc(sizeof(*copy));
	if (!copy)
		return err_set(e, ERR_MEMORY, "private key");
	k.key = give(key);
	*copy = k;
	*out = copy;
	return true;
}

bool
sign_key_make(struct sign_key **out, struct error *e)
{
	return adopt(EVP_EC_gen("P-256"), out, e);
}

/* A key file has no passphrase; OpenSSL must not ask the terminal for one. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf; (void)size; (void)writing; (void)arg;
	return -1;
}

bool
sign_key_read_pem(const char *pem, size_t len, struct sign_key **out, struct error *e)
{
	own(bio) BIO *bio = len <= JWS_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;

	return adopt(bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL, out, e);
}

bool
sign_key_pem(const struct sign_key *k, char *out, size_t size, size_t *len, struct error *e)
{
	own(bio) BIO *bio = BIO_new(BIO_s_secmem());
	char *text;
	long n;

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, k->key, NULL, NULL, 0, NULL, NULL) != 1)
		return err_set(e, ERR_CRYPTO, "private key cannot be written");
	n = BIO_get_mem_data(bio, &text);
	if (n <= 0 || (size_t)n >= size)
		return err_set(e, ERR_LIMIT, "private key does not fit into %zu bytes", size);
	memcpy(out, text, (size_t)n);
	out[n] = '\0';
	*len = (size_t)n;
	return true;
}

void
sign_key_free(struct sign_key *k)
{
	if (k)
		EVP_PKEY_free(k->key);
	free(k);
}

bool
sign_key_public(const struct sign_key *k, struct public_key *out, struct error *e)
{
	(void)e;
	*out = k->pub;
	return true;
}

/* Refuses points that are not on the curve. */
static bool
open_public(const struct public_key *pub, EVP_PKEY **out)
{
	own(bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	own(pctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	own(params) OSSL_PARAM *params = NULL;
	uint8_t point[1 + 2 * COORDINATE] = { POINT_CONVERSION_UNCOMPRESSED };

	memcpy(point + 1, pub->x, COORDINATE);
	memcpy(point + 1 + COORDINATE, pub->y, COORDINATE);
	if (!bld || !ctx || OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) != 1)
		return false;
	params = OSSL_PARAM_BLD_to_param(bld);
	return params && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, out, EVP_PKEY_PUBLIC_KEY, params) == 1;
}

/* --- ES256 */

static bool
es256_sign(EVP_PKEY *key, const char *text, size_t len, uint8_t out[static ES256_SIZE])
{
	own(mdctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	own(sig) ECDSA_SIG *sig = NULL;
	uint8_t der[DER_SIG_MAX];
	const uint8_t *p = der;
	size_t derlen = sizeof(der);

	if (!ctx || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, der, &derlen, (const uint8_t *)text, len) != 1)
		return false;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)derlen);
	return sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, COORDINATE) == COORDINATE &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + COORDINATE, COORDINATE) == COORDINATE;
}

static bool
es256_der(const uint8_t raw[static ES256_SIZE], uint8_t der[static DER_SIG_MAX], size_t *len)
{
	own(sig) ECDSA_SIG *sig = ECDSA_SIG_new();
	own(bn) BIGNUM *r = BN_bin2bn(raw, COORDINATE, NULL);
	own(bn) BIGNUM *s = BN_bin2bn(raw + COORDINATE, COORDINATE, NULL);
	int n;

	if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1)
		return false;
	(void)give(r);
	(void)give(s);
	n = i2d_ECDSA_SIG(sig, NULL);
	if (n <= 0 || n > DER_SIG_MAX)
		return false;
	*len = (size_t)i2d_ECDSA_SIG(sig, &der);
	return true;
}

static bool
es256_check(const struct public_key *pub, const char *text, size_t len, const uint8_t raw[static ES256_SIZE])
{
	own(mdctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	own(pkey) EVP_PKEY *key = NULL;
	uint8_t der[DER_SIG_MAX];
	size_t derlen;

	return ctx && open_public(pub, &key) && es256_der(raw, der, &derlen) &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, der, derlen, (const uint8_t *)text, len) == 1;
}

/* --- compact JWS */

/* base64url of p at out[*at], which moves on; needs room for a NUL behind it. */
static bool
append(const void *p, size_t n, char *out, size_t size, size_t *at, struct error *e)
{
	size_t len = base64url_text(p, n, out + *at, size - *at);

	if (!len)
		return err_set(e, ERR_LIMIT, "token does not fit into %zu bytes", size);
	*at += len;
	return true;
}

static bool
append_dot(char *out, size_t size, size_t *at, struct error *e)
{
	if (size - *at < 2)
		return err_set(e, ERR_LIMIT, "token does not fit into %zu bytes", size);
	out[(*at)++] = '.';
	return true;
}

bool
jws_sign(const struct sign_key *k, const char *typ, const char *payload, size_t payload_len, char *out, size_t size,
    size_t *len, struct error *e)
{
	char header[HEADER_MAX];
	uint8_t sig[ES256_SIZE];
	size_t at = 0;
	int n = snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"typ\":\"%s\",\"kid\":\"%s\"}", typ, k->pub.kid);

	if (!payload_len)
		return err_set(e, ERR_FORMAT, "token without a payload");
	if (n < 0 || (size_t)n >= sizeof(header))
		return err_set(e, ERR_LIMIT, "token's header");
	if (!append(header, (size_t)n, out, size, &at, e) || !append_dot(out, size, &at, e) ||
	    !append(payload, payload_len, out, size, &at, e))
		return false;
	if (!es256_sign(k->key, out, at, sig))
		return err_set(e, ERR_CRYPTO, "token cannot be signed");
	if (!append_dot(out, size, &at, e) || !append(sig, sizeof(sig), out, size, &at, e))
		return false;
	*len = at;
	return true;
}

/* header.payload.signature: the three texts, and no fourth. */
struct jws { const char *part[3]; size_t len[3]; };

static bool
split(const char *text, size_t len, struct jws *j, struct error *e)
{
	const char *end = text + len;

	for (unsigned i = 0; i < 3; i++) {
		const char *dot = memchr(text, '.', (size_t)(end - text));

		if (!dot != (i == 2))
			return err_set(e, ERR_FORMAT, "token has not three parts");
		j->part[i] = text;
		j->len[i] = (size_t)((dot ? dot : end) - text);
		text = dot ? dot + 1 : end;
	}
	return true;
}

/*
 * Members other than alg, typ and kid are refused, whatever they mean: that covers crit, which
 * this reader could not honour, and jwk, jku, x5c and x5u, which bring a key of the sender's.
 */
static bool
only_known_members(const struct json *header, struct error *e)
{
	const struct json *value;
	const char *key;

	for (unsigned i = 0; json_member(header, i, &key, &value); i++)
		if (strcmp(key, "alg") && strcmp(key, "typ") && strcmp(key, "kid"))
			return err_set(e, ERR_UNTRUSTED, "token's header has member %.40s", key);
	return true;
}

static bool
read_header(const struct jws *j, const char *typ, char kid[static KID_TEXT], struct error *e)
{
	own(json) struct json *header = NULL;
	char text[HEADER_MAX], alg[16], said[TYP_MAX];
	size_t len;

	if (!base64url_bytes(j->part[0], j->len[0], (uint8_t *)text, sizeof(text) - 1, &len))
		return err_set(e, ERR_FORMAT, "token's header: not base64url of at most %d bytes", HEADER_MAX - 1);
	text[len] = '\0';
	if (!json_parse(text, len, &header, e))
		return err_in(e, "token's header");
	if (!json_text(header, "alg", alg, sizeof(alg), e) || !json_text(header, "typ", said, sizeof(said), e) ||
	    !json_text(header, "kid", kid, KID_TEXT, e))
		return err_in(e, "token's header");
	if (strcmp(alg, "ES256"))
		return err_set(e, ERR_UNTRUSTED, "token's alg is not ES256");
	if (strcmp(said, typ))
		return err_set(e, ERR_UNTRUSTED, "token's typ is not %s", typ);
	return only_known_members(header, e);
}

bool
jws_verify(const char *text, size_t len, const char *typ, const struct public_key *keys, unsigned nkeys, char *out,
    size_t size, size_t *payload_len, struct error *e)
{
	const struct public_key *key = NULL;
	uint8_t sig[ES256_SIZE];
	char kid[KID_TEXT];
	size_t siglen, n;
	struct jws j;

	if (len > JWS_MAX)
		return err_set(e, ERR_LIMIT, "token: over %d bytes", JWS_MAX);
	if (!split(text, len, &j, e) || !read_header(&j, typ, kid, e))
		return false;
	for (unsigned i = 0; i < nkeys && !key; i++)
		if (!strcmp(keys[i].kid, kid))
			key = &keys[i];
	if (!key)
		return err_set(e, ERR_UNTRUSTED, "token's kid is none of the keys");
	if (!base64url_bytes(j.part[2], j.len[2], sig, sizeof(sig), &siglen) || siglen != sizeof(sig))
		return err_set(e, ERR_FORMAT, "token's signature: not base64url of %d bytes", ES256_SIZE);
	/* What was signed is header.payload as sent. */
	if (!es256_check(key, text, j.len[0] + 1 + j.len[1], sig))
		return err_set(e, ERR_UNTRUSTED, "token's signature does not verify");
	if (!size || !base64url_bytes(j.part[1], j.len[1], (uint8_t *)out, size - 1, &n) || !n)
		return err_set(e, ERR_FORMAT, "token's payload: not base64url of what fits");
	out[n] = '\0';
	*payload_len = n;
	return true;
}

/* --- JWK and key sets */

static struct json *
jwk(const struct public_key *pub)
{
	struct json *j = json_new();

	json_put_text(j, "kty", "EC");
	json_put_text(j, "crv", "P-256");
	json_put_text(j, "use", "sig");
	json_put_text(j, "alg", "ES256");
	json_put_text(j, "kid", pub->kid);
	json_put_bytes(j, "x", pub->x, COORDINATE);
	json_put_bytes(j, "y", pub->y, COORDINATE);
	return j;
}

static bool
coordinate(const struct json *j, const char *name, uint8_t out[static COORDINATE], struct error *e)
{
	size_t len;

	if (!json_bytes(j, name, out, COORDINATE, &len, e))
		return false;
	return len == COORDINATE || err_set(e, ERR_FORMAT, "%s: not %d bytes", name, COORDINATE);
}

/* kid must be the thumbprint: a key cannot go by another's name. A private key is refused. */
static bool
jwk_read(const struct json *j, struct public_key *out, struct error *e)
{
	own(pkey) EVP_PKEY *key = NULL;
	struct public_key pub;
	char kty[8], crv[8], kid[KID_TEXT];

	if (!json_text(j, "kty", kty, sizeof(kty), e) || !json_text(j, "crv", crv, sizeof(crv), e) ||
	    !json_text(j, "kid", kid, sizeof(kid), e) || !coordinate(j, "x", pub.x, e) || !coordinate(j, "y", pub.y, e))
		return false;
	if (strcmp(kty, "EC") || strcmp(crv, "P-256"))
		return err_set(e, ERR_FORMAT, "key is not P-256");
	if (json_has(j, "d"))
		return err_set(e, ERR_FORMAT, "key is a private one");
	if (!open_public(&pub, &key) || !thumbprint(&pub))
		return err_set(e, ERR_FORMAT, "key is no point of P-256");
	if (strcmp(pub.kid, kid))
		return err_set(e, ERR_FORMAT, "kid is not the key's thumbprint");
	*out = pub;
	return true;
}

static bool
print_into(const struct json *j, char *out, size_t size, size_t *len, struct error *e)
{
	own(mem) char *text = NULL;
	size_t n;

	if (!json_print(j, false, &text, &n, e))
		return false;
	if (n >= size)
		return err_set(e, ERR_LIMIT, "%zu bytes of JSON do not fit into %zu", n, size);
	memcpy(out, text, n + 1);
	*len = n;
	return true;
}

static struct json *
key_list(const struct keyset *set)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < set->count && i < KEYSET_KEYS_MAX; i++)
		json_add(list, jwk(&set->key[i]));
	return list;
}

static bool
key_list_read(const struct json *j, struct keyset *set, struct error *e)
{
	if (!json_list(j, "keys", KEYSET_KEYS_MAX, &set->count, e))
		return false;
	for (unsigned i = 0; i < set->count; i++)
		if (!jwk_read(json_item(j, "keys", i), &set->key[i], e))
			return err_in(e, "key %u", i);
	return set->count || err_set(e, ERR_FORMAT, "keys: none");
}

bool
public_key_json(const struct public_key *pub, char *out, size_t size, struct error *e)
{
	own(json) struct json *j = jwk(pub);
	size_t len;

	return print_into(j, out, size, &len, e);
}

bool
public_key_read(const char *text, size_t len, struct public_key *out, struct error *e)
{
	own(json) struct json *j = NULL;

	return json_parse(text, len, &j, e) && jwk_read(j, out, e);
}

bool
jwks_json(const struct keyset *set, char *out, size_t size, struct error *e)
{
	own(json) struct json *j = json_new();
	size_t len;

	json_put(j, "keys", key_list(set));
	return print_into(j, out, size, &len, e);
}

bool
jwks_read(const char *text, size_t len, struct keyset *out, struct error *e)
{
	own(json) struct json *j = NULL;
	struct keyset set = { 0 };

	if (!json_parse(text, len, &j, e) || !key_list_read(j, &set, e))
		return false;
	*out = set;
	return true;
}

static const char keyset_typ[] = "attest-keys+jwt";

bool
keyset_sign(const struct sign_key *root, const struct keyset *set, char *out, size_t size, size_t *len,
    struct error *e)
{
	own(json) struct json *j = json_new();
	own(mem) char *text = NULL;
	size_t n;

	if (!set->count || set->count > KEYSET_KEYS_MAX || set->serial > INT64_MAX)
		return err_set(e, ERR_LIMIT, "key set of %u keys, serial %llu", set->count, (unsigned long long)set->serial);
	json_put_int(j, "serial", (int64_t)set->serial);
	json_put(j, "keys", key_list(set));
	return json_print(j, false, &text, &n, e) && jws_sign(root, keyset_typ, text, n, out, size, len, e);
}

bool
keyset_verify(const char *jws, size_t len, const struct public_key *root, uint64_t serial_min, struct keyset *out,
    struct error *e)
{
	own(mem) char *payload = malloc(JWS_MAX);
	own(json) struct json *j = NULL;
	struct keyset set = { 0 };
	int64_t serial;
	size_t n;

	if (!payload)
		return err_set(e, ERR_MEMORY, "key set");
	if (!jws_verify(jws, len, keyset_typ, root, 1, payload, JWS_MAX, &n, e) || !json_parse(payload, n, &j, e) ||
	    !json_int(j, "serial", 0, INT64_MAX, &serial, e) || !key_list_read(j, &set, e))
		return err_in(e, "key set");
	set.serial = (uint64_t)serial;
	if (set.serial < serial_min)
		return err_set(e, ERR_MISMATCH, "key set: serial %llu is lower than %llu",
		    (unsigned long long)set.serial, (unsigned long long)serial_min);
	*out = set;
	return true;
}
