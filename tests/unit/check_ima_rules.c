/* A policy's member "ima", and the signatures that its keyrings vouch for. */
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "ima_signature.h"
#include "made_ima.h"
#include "unit.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define DEEP "\"mode\":\"allow-list\",\"allow_lists\":[\"debian12\"]"

static bool
read_rules(const char *text, struct ima_rules *r, struct error *e)
{
	own(json) struct json *j = NULL;

	ck_assert_msg(json_parse(text, strlen(text), &j, e), "%s: %s", text, e->why);
	return ima_rules_read(j, r, e);
}

static const struct { const char *text, *why; } rules[] = {
	{ "{\"mode\":\"off\"}", NULL },
	{ "{" DEEP "}", NULL },
	{ "{" DEEP ",\"violations\":\"warn\",\"pcrs\":[10,11],\"exclude\":[\"/var/log/**\",\"/tmp/a b\"]}", NULL },
	{ "{\"mode\":\"allow-list\",\"allow\":[{\"digest\":\"sha256:" ONE "\",\"path\":\"/a\"}]}", NULL },
	{ "{}", "mode: missing" },
	{ "{\"mode\":\"some\"}", "mode: 'some' is none" },
	{ "{\"mode\":3}", "mode: not" },
	{ "{\"mode\":\"off\",\"modus\":1}", "modus: no such member" },
	{ "{\"mode\":\"allow-list\"}", "mode: 'allow-list' without allow_lists or allow" },
	{ "{\"mode\":\"allow-list\",\"allow\":[]}", "mode: 'allow-list' without" },
	{ "{\"mode\":\"signatures\"}", "mode: 'signatures' without keyrings" },
	{ "{\"mode\":\"signatures\",\"keyrings\":{\".ima\":[]}}", "mode: 'signatures' without keyrings" },
	{ "{\"mode\":\"both\",\"allow_lists\":[\"a\"]}", "mode: 'both' without keyrings" },
	{ "{" DEEP ",\"violations\":\"maybe\"}", "violations: 'maybe' is none" },
	{ "{" DEEP ",\"pcrs\":[]}", "pcrs: none" },
	{ "{" DEEP ",\"pcrs\":[24]}", "pcrs[0]: " },
	{ "{" DEEP ",\"pcrs\":[11,10]}", "pcrs[1]: " },
	{ "{" DEEP ",\"pcrs\":[1,2,3,4,5]}", "pcrs: " },
	{ "{" DEEP ",\"exclude\":[\"/a\",\"\"]}", "exclude[1]: path: not 1 to" },
	{ "{" DEEP ",\"exclude\":[\"/a\",7]}", "exclude[1]: " },
	{ "{" DEEP ",\"exclude\":[\"**\"]}", "exclude[0]: leaves nothing to judge" },
	{ "{" DEEP ",\"exclude\":[\"/**\"]}", "exclude[0]: leaves nothing to judge" },
	{ "{\"mode\":\"allow-list\",\"allow_lists\":[\"\"]}", "allow_lists[0]: no name" },
	{ "{\"mode\":\"allow-list\",\"allow_lists\":[\"a\",\"a\"]}", "allow_lists[1]: 'a' is there twice" },
	{ "{\"mode\":\"allow-list\",\"allow\":[{\"digest\":\"sha256:11\",\"path\":\"/a\"}]}", "allow[0]: digest: not 32 bytes" },
	{ "{\"mode\":\"allow-list\",\"allow\":[{\"digest\":\"sha256:" ONE "\"}]}", "allow[0]: path: missing" },
	{ "{\"mode\":\"allow-list\",\"allow\":[{\"digest\":\"sha256:" ONE "\",\"path\":\"/a\",\"why\":1}]}", "allow[0]: why: no such member" },
	{ "{" DEEP ",\"keyrings\":{\".ima\":[\"no key\"]}}", "keyrings: .ima[0]: neither a certificate nor a public key" },
	{ "{" DEEP ",\"keyrings\":{\"\":[]}}", "keyrings: : not a keyring's name" },
	{ "{" DEEP ",\"keyrings\":{\".ima\":[{\"pem\":\"x\"}]}}", "keyrings: .ima[0]: neither" },
	{ "{" DEEP ",\"keyrings\":[]}", "keyrings: " },
};

START_TEST(rules_are_read)
{
	own(ima_rules) struct ima_rules r = { .mode = IMA_MODE_OFF };
	struct error e = { .code = ERR_NONE };
	bool ok = read_rules(rules[_i].text, &r, &e);

	ck_assert_msg(ok == !rules[_i].why && (ok || !strncmp(e.why, rules[_i].why, strlen(rules[_i].why))), "%s: %s", rules[_i].text, e.why);
}
END_TEST

/* --- keys --- */

static inline void drop_pkey(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static inline void drop_bio(BIO **b) { BIO_free(*b); }

static EVP_PKEY *
make_key(const char *kind)
{
	EVP_PKEY *key = !strcmp(kind, "rsa") ? EVP_RSA_gen(2048) : !strcmp(kind, "rsa1024") ? EVP_RSA_gen(1024) : EVP_EC_gen(kind);

	ck_assert_ptr_nonnull(key);
	return key;
}

static char *
pem_of(EVP_PKEY *key)
{
	own(bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long n;

	ck_assert(bio && PEM_write_bio_PUBKEY(bio, key) == 1);
	n = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)n);
	ck_assert_ptr_nonnull(copy);
	return copy;
}

/* Rules whose keyring has this key. */
static void
rules_of(EVP_PKEY *key, struct ima_rules *r)
{
	own(mem) char *pem = pem_of(key);
	struct error e;

	*r = (struct ima_rules){ .mode = IMA_MODE_SIGNATURES, .pcrs = 1u << 10, .nkeys = 1, .key = calloc(1, sizeof(*r->key)) };
	ck_assert(r->key && ima_key_read(pem, strlen(pem), r->key, &e));
	strcpy(r->key->keyring, ".ima");
}

static size_t
sign_hash(EVP_PKEY *key, const EVP_MD *md, const uint8_t *hash, size_t len, uint8_t *out, size_t size)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

	ck_assert(ctx && EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_CTX_set_signature_md(ctx, md) == 1);
	ck_assert(EVP_PKEY_sign(ctx, out, &size, hash, len) == 1);
	EVP_PKEY_CTX_free(ctx);
	return size;
}

/* security.ima: type, version, hash, id, size, signature over this hash. */
static size_t
xattr_of(EVP_PKEY *key, unsigned type, unsigned version, unsigned number, const EVP_MD *md, const uint8_t id[4], const uint8_t *hash, size_t len,
    uint8_t *out, size_t size)
{
	struct writer w = wr_open(out, size);
	uint8_t sig[1024];
	size_t n = sign_hash(key, md, hash, len, sig, sizeof(sig));
	struct error e;

	wr_u8(&w, (uint8_t)type, "type");
	wr_u8(&w, (uint8_t)version, "version");
	wr_u8(&w, (uint8_t)number, "hash");
	wr_bytes(&w, id, 4, "id");
	wr_be16(&w, (uint16_t)n, "size");
	wr_bytes(&w, sig, n, "signature");
	ck_assert(wr_ok(&w, &e));
	return w.used;
}

static enum ima_signed
check(const struct ima_rules *r, const struct ima_fields *f, struct error *why)
{
	own(ima_keys) struct ima_keys keys = { .rules = r };
	unsigned tried = 0;

	*why = (struct error){ .code = ERR_NONE };
	return ima_signature_check(&keys, f, &tried, why);
}

START_TEST(version_2)
{
	static const char *const kinds[] = { "rsa", "P-256", "P-384", "P-521" };

	for (unsigned i = 0; i < COUNT(kinds); i++) {
		own(pkey) EVP_PKEY *key = make_key(kinds[i]);
		own(ima_rules) struct ima_rules r;
		uint8_t hash[SHA256_SIZE], sig[1024];
		struct ima_fields f = { .judged = true, .alg = IMA_ALG_SHA256, .digest = hash, .path = "/a", .path_len = 2 };
		struct error why;

		rules_of(key, &r);
		ck_assert(digest_sha256("content", 7, hash));
		f.sig.len = xattr_of(key, 3, 2, 4, EVP_sha256(), r.key->id, hash, sizeof(hash), sig, sizeof(sig));
		f.sig.p = sig;
		ck_assert_msg(check(&r, &f, &why) == IMA_SIGNED, "%s: %s", kinds[i], why.why);
		hash[0] ^= 1;                           /* of another content */
		ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_BADLY);
		hash[0] ^= 1;
		sig[3] ^= 1;                            /* another key's id */
		ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_UNKNOWN);
		ck_assert(strstr(why.why, "is in no keyring"));
		sig[3] ^= 1;
		sig[2] = 5;                             /* over SHA-384, it says */
		ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_UNKNOWN);
		sig[2] = 4;
		sig[1] = 1;                             /* another version */
		ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_UNKNOWN);
		sig[1] = 2;
		for (size_t cut = 1; cut < f.sig.len; cut++) {
			struct ima_fields short_one = f;

			short_one.sig.len = cut;
			ck_assert_int_ne(check(&r, &short_one, &why), IMA_SIGNED);
		}
		f.verity = true;                        /* a file's signature says nothing of a fs-verity digest */
		ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_UNKNOWN);
	}
}
END_TEST

START_TEST(version_3)
{
	own(pkey) EVP_PKEY *key = make_key("P-256");
	own(ima_rules) struct ima_rules r;
	uint8_t verity[SHA256_SIZE], id[2 + SHA256_SIZE] = { 6, 4 }, hash[SHA256_SIZE], sig[1024];
	struct ima_fields f = { .judged = true, .verity = true, .alg = IMA_ALG_SHA256, .digest = verity, .path = "/a", .path_len = 2 };
	struct error why;

	rules_of(key, &r);
	ck_assert(digest_sha256("merkle tree", 11, verity));
	memcpy(id + 2, verity, sizeof(verity));
	ck_assert(digest_sha256(id, sizeof(id), hash));
	f.sig = (struct ima_bytes){ sig, xattr_of(key, 6, 3, 4, EVP_sha256(), r.key->id, hash, sizeof(hash), sig, sizeof(sig)) };
	ck_assert_msg(check(&r, &f, &why) == IMA_SIGNED, "%s", why.why);
	f.verity = false;
	ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_UNKNOWN);
	f.verity = true;
	verity[0] ^= 1;
	ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_BADLY);
}
END_TEST

START_TEST(weak_hashes_are_not_believed)
{
	own(pkey) EVP_PKEY *key = make_key("rsa");
	own(ima_rules) struct ima_rules r;
	uint8_t hash[20], sig[1024];
	struct ima_fields f = { .judged = true, .alg = IMA_ALG_SHA1, .digest = hash, .path = "/a", .path_len = 2 };
	struct error why;

	rules_of(key, &r);
	ck_assert(digest(BANK_SHA1, "content", 7, hash));
	f.sig = (struct ima_bytes){ sig, xattr_of(key, 3, 2, 2, EVP_sha1(), r.key->id, hash, sizeof(hash), sig, sizeof(sig)) };
	ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_UNKNOWN);
	ck_assert(strstr(why.why, "weak"));
}
END_TEST

/* A digest alone is no signature; nor is nothing. */
START_TEST(unsigned_files)
{
	static const uint8_t alone[] = { 4, 4, 1, 2, 3 };
	own(pkey) EVP_PKEY *key = make_key("P-256");
	own(ima_rules) struct ima_rules r;
	uint8_t hash[SHA256_SIZE] = { 1 };
	struct ima_fields f = { .judged = true, .alg = IMA_ALG_SHA256, .digest = hash, .path = "/a", .path_len = 2 };
	struct error why;

	rules_of(key, &r);
	ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_NOT);
	f.sig = (struct ima_bytes){ alone, sizeof(alone) };
	ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_NOT);
	f.digest = NULL;
	ck_assert_int_ne(check(&r, &f, &why), IMA_SIGNED);
}
END_TEST

/* --- appended signatures --- */

static X509 *
cert_of(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_NAME_new();
	X509_EXTENSION *skid;
	X509V3_CTX ctx;

	ck_assert(cert && name && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"signer", -1, -1, 0) == 1);
	ck_assert(X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), 7) && X509_set_subject_name(cert, name) &&
	    X509_set_issuer_name(cert, name) && X509_gmtime_adj(X509_getm_notBefore(cert), 0) && X509_gmtime_adj(X509_getm_notAfter(cert), 3600) &&
	    X509_set_pubkey(cert, key));
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	skid = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "0011223344556677");
	ck_assert(skid && X509_add_ext(cert, skid, -1) == 1 && X509_sign(cert, key, EVP_sha256()) > 0);
	X509_EXTENSION_free(skid);
	X509_NAME_free(name);
	return cert;
}

/* As the kernel's sign-file makes it. */
static size_t
append_of(EVP_PKEY *key, X509 *cert, const char *content, unsigned more, uint8_t *out, size_t size)
{
	const unsigned flags = CMS_NOCERTS | CMS_BINARY | CMS_DETACHED | CMS_STREAM;
	own(bio) BIO *bio = BIO_new_mem_buf(content, -1);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	uint8_t *at = out;
	int n;

	ck_assert(cms && CMS_add1_signer(cms, cert, key, EVP_sha256(), CMS_NOCERTS | CMS_BINARY | CMS_NOSMIMECAP | more) && CMS_final(cms, bio, NULL, flags) == 1);
	n = i2d_CMS_ContentInfo(cms, NULL);
	ck_assert(n > 0 && (size_t)n <= size);
	i2d_CMS_ContentInfo(cms, &at);
	CMS_ContentInfo_free(cms);
	return (size_t)n;
}

START_TEST(appended)
{
	static const unsigned flags[] = { CMS_NOATTR, CMS_NOATTR | CMS_USE_KEYID };
	own(pkey) EVP_PKEY *key = make_key("rsa"), *other = make_key("rsa");
	own(ima_rules) struct ima_rules r, none;
	X509 *cert = cert_of(key);
	uint8_t hash[SHA256_SIZE], whole[SHA256_SIZE] = { 1 }, pkcs7[2048];
	struct ima_fields f = { .judged = true, .alg = IMA_ALG_SHA256, .digest = whole, .path = "/m.ko", .path_len = 5,
	    .modsig_digest = hash, .modsig_alg = IMA_ALG_SHA256 };
	struct error why;

	rules_of(key, &r);
	rules_of(other, &none);
	memcpy(r.key->id, "\x44\x55\x66\x77", 4);       /* as its certificate says */
	ck_assert(digest_sha256("module", 6, hash));
	for (unsigned i = 0; i < COUNT(flags); i++) {
		f.modsig = (struct ima_bytes){ pkcs7, append_of(key, cert, "module", flags[i], pkcs7, sizeof(pkcs7)) };
		ck_assert_msg(check(&r, &f, &why) == IMA_SIGNED, "%u: %s", i, why.why);
		ck_assert_int_eq(check(&none, &f, &why), IMA_SIGNED_UNKNOWN);
		hash[0] ^= 1;
		ck_assert_int_ne(check(&r, &f, &why), IMA_SIGNED);
		hash[0] ^= 1;
		for (size_t cut = 0; cut < f.modsig.len; cut += 13) {
			struct ima_fields short_one = f;

			short_one.modsig.len = cut;
			ck_assert_int_ne(check(&r, &short_one, &why), IMA_SIGNED);
		}
		f.modsig_digest = NULL;                 /* over what? */
		ck_assert_int_ne(check(&r, &f, &why), IMA_SIGNED);
		f.modsig_digest = hash;
	}
	f.modsig.len = append_of(key, cert, "module", 0, pkcs7, sizeof(pkcs7));         /* with attributes: not judged */
	ck_assert_int_eq(check(&r, &f, &why), IMA_SIGNED_UNKNOWN);
	X509_free(cert);
}
END_TEST

START_TEST(keys_are_chosen)
{
	static const struct { const char *kind; bool good; } kinds[] = { { "rsa", true }, { "P-256", true }, { "rsa1024", false }, { "secp256k1", false } };
	own(pkey) EVP_PKEY *key = make_key("P-384");
	X509 *cert = cert_of(key);
	own(bio) BIO *bio = BIO_new(BIO_s_mem());
	struct ima_key read;
	struct error e;
	uint8_t id[4];
	char *text;
	long n;

	for (unsigned i = 0; i < COUNT(kinds); i++) {
		own(pkey) EVP_PKEY *one = make_key(kinds[i].kind);
		own(mem) char *pem = pem_of(one);

		ck_assert_msg(ima_key_read(pem, strlen(pem), &read, &e) == kinds[i].good, "%s", kinds[i].kind);
	}
	ck_assert(bio && PEM_write_bio_X509(bio, cert) == 1);
	n = BIO_get_mem_data(bio, &text);
	ck_assert(ima_key_read(text, (size_t)n, &read, &e));
	ck_assert_mem_eq(read.id, "\x44\x55\x66\x77", 4);       /* the certificate's, not the key's own */
	ck_assert(ima_key_own_id(&read, id) && memcmp(id, read.id, 4) != 0);
	ck_assert(!ima_key_read(text, (size_t)n / 2, &read, &e));
	X509_free(cert);
}
END_TEST

/* --- packed and written --- */

static void
full_rules(struct ima_rules *r)
{
	static const char text[] = "{\"mode\":\"both\",\"violations\":\"warn\",\"pcrs\":[10,11],\"exclude\":[\"/var/log/**\",\"/tmp/a b\"],\"allow_lists\":[\"debian12\",\"site\"],"
	    "\"allow\":[{\"digest\":\"sha256:" ONE "\",\"path\":\"/a\"}],\"keyrings\":{\".ima\":[%s],\"site\":[%s]}}";
	own(pkey) EVP_PKEY *key = make_key("P-256"), *two = make_key("rsa");
	own(json) struct json *words = json_new();
	own(mem) char *pem = pem_of(key), *pem2 = pem_of(two), *quoted = NULL;
	struct json *one = json_new_list(), *object = json_new();
	char buf[8192], first[4096], *mid;
	struct error e;
	size_t len;

	json_add_text(one, pem);
	json_put_text(object, "pem", pem2);
	json_put_text(object, "id", "01020304");
	json_add(one, object);
	json_put(words, "k", one);
	ck_assert(json_print(words, false, &quoted, &len, &e));
	/* {"k":["…",{…}]} */
	mid = strstr(quoted, ",{");
	ck_assert_ptr_nonnull(mid);
	snprintf(first, sizeof(first), "%.*s", (int)(mid - quoted - 6), quoted + 6);
	quoted[len - 2] = '\0';
	snprintf(buf, sizeof(buf), text, first, mid + 1);
	ck_assert_msg(read_rules(buf, r, &e), "%s: %s", e.why, buf);
}

static void
cut_rules(const uint8_t *p, size_t len, void *arg)
{
	own(ima_rules) struct ima_rules r = { .mode = IMA_MODE_OFF };
	struct reader in = rd_open(p, len);
	struct error e;

	(void)arg;
	ck_assert(!ima_rules_unpack(&in, &r, &e));
}

START_TEST(packed)
{
	own(ima_rules) struct ima_rules r = { .mode = IMA_MODE_OFF }, back = { .mode = IMA_MODE_OFF };
	uint8_t buf[16384], again[16384];
	struct writer w = wr_open(buf, sizeof(buf)), w2 = wr_open(again, sizeof(again));
	struct reader in;
	struct error e;

	full_rules(&r);
	ima_rules_pack(&r, &w);
	ck_assert(wr_ok(&w, &e) && w.used <= ima_rules_packed_size(&r));
	in = rd_open(buf, w.used);
	ck_assert_msg(ima_rules_unpack(&in, &back, &e) && rd_end(&in, &e), "%s", e.why);
	ck_assert(back.mode == IMA_MODE_BOTH && back.violations == IMA_VIOLATION_WARN && back.pcrs == (1u << 10 | 1u << 11) && back.nexcludes == 2 &&
	    back.nkeys == 2 && back.nlists == 2 && back.allow.count == 1);
	ck_assert_str_eq(back.exclude[1], "/tmp/a_b");
	ck_assert_str_eq(back.list[1], "site");
	ck_assert_mem_eq(back.key[1].id, "\1\2\3\4", 4);
	ima_rules_pack(&back, &w2);
	ck_assert(w2.used == w.used && !memcmp(buf, again, w.used));
	unit_prefixes(buf, w.used, cut_rules, NULL);
	for (size_t i = 0; i < w.used; i++)
		for (unsigned v = 1; v < 256; v <<= 1) {
			own(ima_rules) struct ima_rules other = { .mode = IMA_MODE_OFF };

			buf[i] ^= (uint8_t)v;
			in = rd_open(buf, w.used);
			(void)!ima_rules_unpack(&in, &other, &e);
			buf[i] ^= (uint8_t)v;
		}
}
END_TEST

/* What is written reads as the same rules. */
START_TEST(written)
{
	own(ima_rules) struct ima_rules r = { .mode = IMA_MODE_OFF }, back = { .mode = IMA_MODE_OFF };
	own(json) struct json *j = NULL;
	uint8_t buf[16384], again[16384];
	struct writer w = wr_open(buf, sizeof(buf)), w2 = wr_open(again, sizeof(again));
	own(mem) char *text = NULL;
	struct error e;
	size_t len;

	full_rules(&r);
	j = ima_rules_json(&r);
	ck_assert(json_print(j, true, &text, &len, &e));
	ck_assert_msg(read_rules(text, &back, &e), "%s: %s", e.why, text);
	ima_rules_pack(&r, &w);
	ima_rules_pack(&back, &w2);
	ck_assert(wr_ok(&w, &e) && w2.used == w.used && !memcmp(buf, again, w.used));
}
END_TEST

/* --- in a walk --- */

static enum reason
walk(const struct ima_rules *r, const struct made_ima *ima, struct findings *all)
{
	own(mem) uint8_t *list = NULL;
	static struct replay boot;
	static const uint8_t key[SHA256_SIZE];
	struct quote q = { .selection = { 1, { { 0x000b, 1u << 10 } } }, .pcr_digest_len = SHA256_SIZE };
	struct ima_walk in = { .quote = &q, .scheme = BANK_SHA256, .boot = &boot, .rules = r, .key = key, .last = true, .work = IMA_WORK_MAX };
	struct ima_state state = { .accepted = { .entries = 0 } };
	struct ima_answer a;
	struct error e;

	findings_start(all);
	ck_assert(digest_sha256(ima->value[BANK_SHA256][0], SHA256_SIZE, q.pcr_digest));
	in.list = made_ima_packed(ima, 0, ima->count, &list);
	ck_assert_msg(check_ima(&state, &in, &state, all, &a, &e), "%s", e.why);
	return a.reason;
}

static void
aggregate_of_nothing(struct made_ima *m)
{
	uint8_t is[SHA256_SIZE] = { 1 };
	struct made_data d = { .len = 0 };

	made_digest_field(&d, "sha256:", is, sizeof(is));
	made_field(&d, "boot_aggregate", 15);
	made_ima_entry(m, 10, "ima-ng", d.p, d.len, false);
}

START_TEST(walked)
{
	own(pkey) EVP_PKEY *key = make_key("P-256");
	own(ima_rules) struct ima_rules r;
	own(made_ima) struct made_ima good = { .buf = NULL }, bad = { .buf = NULL }, none = { .buf = NULL };
	own(mem) struct findings *all = calloc(1, sizeof(*all));
	uint8_t hash[SHA256_SIZE], sig[1024];
	size_t n;

	ck_assert_ptr_nonnull(all);
	rules_of(key, &r);
	ck_assert(digest_sha256("true", 4, hash));
	n = xattr_of(key, 3, 2, 4, EVP_sha256(), r.key->id, hash, sizeof(hash), sig, sizeof(sig));
	aggregate_of_nothing(&good);
	aggregate_of_nothing(&bad);
	aggregate_of_nothing(&none);
	made_ima_signed(&good, "/usr/bin/true", "true", sig, n);
	ck_assert_int_eq(walk(&r, &good, all), REASON_OK);
	made_ima_signed(&bad, "/usr/bin/true", "evil", sig, n);
	ck_assert_int_eq(walk(&r, &bad, all), REASON_IMA_SIGNATURE);
	made_ima_file(&none, "/usr/bin/true", "true");
	ck_assert_int_eq(walk(&r, &none, all), REASON_IMA_UNSIGNED);
	/* "both" wants the digest known as well. */
	r.mode = IMA_MODE_BOTH;
	ck_assert_int_eq(walk(&r, &good, all), REASON_IMA_UNKNOWN_FILE);
}
END_TEST

/* A file that no path leads to may be called so: without a boot log nothing tells it from the kernel's own. */
START_TEST(second_aggregate_without_a_log)
{
	own(pkey) EVP_PKEY *key = make_key("P-256");
	own(ima_rules) struct ima_rules r;
	own(made_ima) struct made_ima list = { .buf = NULL };
	own(mem) struct findings *all = calloc(1, sizeof(*all));

	ck_assert_ptr_nonnull(all);
	rules_of(key, &r);
	aggregate_of_nothing(&list);
	ck_assert_int_eq(walk(&r, &list, all), REASON_OK);
	made_ima_file(&list, "boot_aggregate", "evil");
	ck_assert_int_eq(walk(&r, &list, all), REASON_BOOT_AGGREGATE);
}
END_TEST

/* A buffer has no signature: the allow list must know it. A file whose xattr is its own content is no buffer. */
START_TEST(buffers)
{
	own(pkey) EVP_PKEY *key = make_key("P-256");
	own(ima_rules) struct ima_rules r;
	own(mem) struct findings *all = calloc(1, sizeof(*all));
	static const struct { const char *name, *content; bool allowed; enum reason reason; } rows[] = {
		{ "kexec-cmdline", "quiet", false, REASON_IMA_UNKNOWN_FILE },
		{ "kexec-cmdline", "quiet", true,  REASON_OK },
		{ "/usr/bin/evil", "evil",  true,  REASON_IMA_UNSIGNED },
	};

	ck_assert_ptr_nonnull(all);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		own(made_ima) struct made_ima m = { .buf = NULL };
		own(allow_build) struct allow_build b = { .count = 0 };
		struct made_data d = { .len = 0 };
		uint8_t is[SHA256_SIZE];
		struct error e;

		rules_of(key, &r);
		ck_assert(digest_sha256(rows[i].content, strlen(rows[i].content), is));
		if (rows[i].allowed)
			ck_assert(allow_build_add(&b, false, IMA_ALG_SHA256, is, rows[i].name, strlen(rows[i].name), &e) && allow_build_end(&b, &r.allow, &e));
		aggregate_of_nothing(&m);
		made_digest_field(&d, "sha256:", is, sizeof(is));
		made_field(&d, rows[i].name, strlen(rows[i].name) + 1);
		made_field(&d, rows[i].content, strlen(rows[i].content));
		made_ima_entry(&m, 10, "ima-buf", d.p, d.len, false);
		ck_assert_msg(walk(&r, &m, all) == rows[i].reason, "%u", i);
		if (i + 1 < COUNT(rows))
			ima_rules_free(&r);
	}
}
END_TEST

static void
add(TCase *tc)
{
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, rules_are_read, 0, COUNT(rules));
	tcase_add_test(tc, version_2);
	tcase_add_test(tc, version_3);
	tcase_add_test(tc, weak_hashes_are_not_believed);
	tcase_add_test(tc, unsigned_files);
	tcase_add_test(tc, appended);
	tcase_add_test(tc, keys_are_chosen);
	tcase_add_test(tc, packed);
	tcase_add_test(tc, written);
	tcase_add_test(tc, walked);
	tcase_add_test(tc, second_aggregate_without_a_log);
	tcase_add_test(tc, buffers);
}

int
main(void)
{
	return unit_run("ima_rules", add);
}
