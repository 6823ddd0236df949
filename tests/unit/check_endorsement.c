#include <dirent.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include "endorsement.h"
#include "json.h"
#include "unit.h"
#include "writer.h"

enum { PEM_ROOM = 64 << 10, DAY = 24 * 3600 };
static const time_t now = 1794000000;

/* --- a vendor: root, intermediate, and certificates for EKs, each with what may be wrong about it */

struct cert {
	const char *name, *issuer;              /* common names */
	long        from, to;                   /* seconds around now */
	const char *basic, *usage, *eku;        /* as in openssl.cnf; NULL: no such extension */
	const char *maker, *model, *version;    /* of the SAN; NULL: no SAN */
	bool        one_rdn;
	const EVP_MD *md;
};

static const struct cert root_cert = { .name = "root", .issuer = "root", .from = -900 * DAY, .to = 900 * DAY,
	.basic = "critical,CA:TRUE", .usage = "critical,keyCertSign" };
static const struct cert middle_cert = { .name = "middle", .issuer = "root", .from = -800 * DAY, .to = 800 * DAY,
	.basic = "critical,CA:TRUE", .usage = "critical,keyCertSign" };
static const struct cert ek_cert = { .name = "", .issuer = "middle", .from = -700 * DAY, .to = 700 * DAY,
	.basic = "critical,CA:FALSE", .usage = "critical,keyAgreement", .eku = "2.23.133.8.1", .maker = "id:53544D20",
	.model = "ST33", .version = "id:00490004" };

static EVP_PKEY *root_key, *middle_key, *ek_key, *ak_key;

static void
name_add(X509_NAME *name, const char *oid, const char *text, int set)
{
	own(mem) char *copy = strdup(text);
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);

	ck_assert_int_eq(X509_NAME_add_entry_by_OBJ(name, obj, MBSTRING_UTF8, (unsigned char *)copy, -1, -1, set), 1);
	ASN1_OBJECT_free(obj);
}

static void
add_san(X509 *x, const struct cert *c)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	X509_NAME *dir = X509_NAME_new();

	name_add(dir, "2.23.133.2.1", c->maker, 0);
	name_add(dir, "2.23.133.2.2", c->model, c->one_rdn ? -1 : 0);
	name_add(dir, "2.23.133.2.3", c->version, c->one_rdn ? -1 : 0);
	GENERAL_NAME_set0_value(name, GEN_DIRNAME, dir);
	sk_GENERAL_NAME_push(names, name);
	ck_assert_int_eq(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 1, 0), 1);
	GENERAL_NAMES_free(names);
}

static void
add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = value ? X509V3_EXT_conf_nid(NULL, NULL, nid, value) : NULL;

	ck_assert(!value || ext);
	if (ext)
		X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
}

static X509 *
issue(const struct cert *c, EVP_PKEY *key, EVP_PKEY *by)
{
	X509 *x = X509_new();

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	ASN1_TIME_set(X509_getm_notBefore(x), now + c->from);
	ASN1_TIME_set(X509_getm_notAfter(x), now + c->to);
	if (*c->name)
		name_add(X509_get_subject_name(x), "2.5.4.3", c->name, 0);
	name_add(X509_get_issuer_name(x), "2.5.4.3", c->issuer, 0);
	X509_set_pubkey(x, key);
	add_extension(x, NID_basic_constraints, c->basic);
	add_extension(x, NID_key_usage, c->usage);
	add_extension(x, NID_ext_key_usage, c->eku);
	if (c->maker)
		add_san(x, c);
	ck_assert_int_gt(X509_sign(x, by, c->md ? c->md : EVP_sha256()), 0);
	return x;
}

static size_t
der_of(X509 *x, uint8_t *out, size_t size)
{
	int n = i2d_X509(x, NULL);

	ck_assert(n > 0 && (size_t)n <= size);
	i2d_X509(x, &out);
	X509_free(x);
	return (size_t)n;
}

static void
append_pem(X509 *x, char *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	PEM_write_bio_X509(bio, x);
	n = BIO_get_mem_data(bio, &text);
	strncat(pem, text, (size_t)n);
	BIO_free(bio);
	X509_free(x);
}

/* --- public areas of the keys */

static size_t
public_area(EVP_PKEY *key, uint32_t attributes, bool ek, uint16_t scheme, uint16_t hash, const char *policy,
    uint8_t *out, size_t size)
{
	struct writer w = wr_open(out, size);
	struct error e;
	uint8_t big[600] = { 0 };
	size_t n = 0;
	BIGNUM *modulus = NULL;

	bool rsa = !EVP_PKEY_is_a(key, "EC");       /* RSA-PSS keys too */

	wr_be16(&w, rsa ? TPM_ALG_RSA : TPM_ALG_ECC, "");
	wr_be16(&w, 0x000b, "");
	wr_be32(&w, attributes, "");
	wr_be16(&w, (uint16_t)strlen(policy), "");
	wr_bytes(&w, policy, strlen(policy), "");
	wr_be16(&w, ek ? TPM_ALG_AES : TPM_ALG_NULL, "");
	if (ek) {
		wr_be16(&w, 128, "");
		wr_be16(&w, TPM_ALG_CFB, "");
	}
	wr_be16(&w, scheme, "");
	if (scheme != TPM_ALG_NULL)
		wr_be16(&w, hash, "");
	if (rsa) {
		ck_assert_int_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
		wr_be16(&w, (uint16_t)EVP_PKEY_get_bits(key), "");
		wr_be32(&w, 0, "");
		n = (size_t)BN_bn2bin(modulus, big);
		wr_be16(&w, (uint16_t)n, "");
		wr_bytes(&w, big, n, "");
		BN_free(modulus);
	} else {
		ck_assert_int_eq(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, big, sizeof(big), &n), 1);
		n /= 2;
		wr_be16(&w, n == 32 ? TPM_ECC_P256 : TPM_ECC_P384, "");
		wr_be16(&w, TPM_ALG_NULL, "");
		wr_be16(&w, (uint16_t)n, "");
		wr_bytes(&w, big + 1, n, "");
		wr_be16(&w, (uint16_t)n, "");
		wr_bytes(&w, big + 1 + n, n, "");
	}
	ck_assert(wr_ok(&w, &e));
	return w.used;
}

/* --- one request, with every part good */

static struct enroll_request q;
static struct enroll_facts f;
static char roots[PEM_ROOM];

static void
good_request(void)
{
	root_key = EVP_EC_gen("P-256");
	middle_key = EVP_EC_gen("P-256");
	ek_key = EVP_EC_gen("P-256");
	ak_key = EVP_EC_gen("P-256");
	memset(&q, 0, sizeof(q));
	memset(&f, 0, sizeof(f));
	*roots = '\0';
	append_pem(issue(&root_cert, root_key, root_key), roots);
	q.chain_len[0] = der_of(issue(&middle_cert, middle_key, root_key), q.chain[0], EK_CERT_MAX);
	q.chain_count = 1;
	q.ek_cert_len = der_of(issue(&ek_cert, ek_key, middle_key), q.ek_cert, EK_CERT_MAX);
	q.ek_public_len = public_area(ek_key, 0x000300b2, true, TPM_ALG_NULL, 0, "", q.ek_public, sizeof(q.ek_public));
	q.ak_public_len = public_area(ak_key, 0x00050472, false, TPM_ALG_ECDSA, 0x000b, "", q.ak_public, sizeof(q.ak_public));
}

static void
free_keys(void)
{
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(middle_key);
	EVP_PKEY_free(ek_key);
	EVP_PKEY_free(ak_key);
}

static void
judge(const char *label, bool simulator, enum reason reason, const char *why)
{
	endorsement_check(&q, roots, strlen(roots), simulator, (int64_t)now * 1000, &f);
	ck_assert_msg(f.reason == reason && strstr(f.why, why), "%s: %s (%s)", label, reason_code(f.reason), f.why);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}

static void
judge_cert(const char *label, const struct cert *c, enum reason reason, const char *why)
{
	q.ek_cert_len = der_of(issue(c, ek_key, middle_key), q.ek_cert, EK_CERT_MAX);
	judge(label, false, reason, why);
}

START_TEST(good)
{
	struct tpm_name name;
	struct error e;

	judge("good", false, REASON_OK, "");
	ck_assert_str_eq(f.ek_subject, "STM ST33 id:00490004");
	ck_assert_int_eq(f.ek_not_after, ((int64_t)now + 700 * DAY) * 1000);
	ck_assert_uint_eq(strlen(f.ek_fingerprint), 64);
	ck_assert_uint_eq(f.ek.type, TPM_ALG_ECC);
	ck_assert(public_name(q.ak_public, q.ak_public_len, &name, &e));
	ck_assert(name_same(&f.ak, &name));
	ck_assert(name_qualify(&name, TPM_RH_ENDORSEMENT, &name) && name_same(&f.signer, &name));
	ck_assert_uint_eq(f.ak_scheme_hash, 0x000b);
	ck_assert_uint_gt(f.ak_spki_len, 0);
}
END_TEST

START_TEST(good_rsa)
{
	struct cert c = ek_cert;

	EVP_PKEY_free(ek_key);
	ek_key = EVP_RSA_gen(2048);
	c.usage = "critical,keyEncipherment";
	c.one_rdn = true;
	q.ek_public_len = public_area(ek_key, 0x000300f2, true, TPM_ALG_NULL, 0, "", q.ek_public, sizeof(q.ek_public));
	judge_cert("RSA", &c, REASON_OK, "");
	ck_assert_str_eq(f.ek_subject, "STM ST33 id:00490004");
	c.usage = "critical,keyAgreement";
	judge_cert("RSA with a P-256's usage", &c, REASON_EK_UNTRUSTED, "key usage");
}
END_TEST

/* --- row 8: an AK that could sign what a TPM has not seen */

static const struct { const char *label; uint32_t attributes; const char *policy, *why; } aks[] = {
	{ "with a policy instead of auth", 0x00050432, "a policy", NULL },
	{ "with auth and a policy",        0x00050472, "a policy", NULL },
	{ "unrestricted",                  0x00040472, "", "restricted is clear" },
	{ "exportable",                    0x00050470, "", "fixedTPM is clear" },
	{ "to another parent",             0x00050462, "", "fixedParent is clear" },
	{ "made elsewhere",                0x00050452, "", "sensitiveDataOrigin is clear" },
	{ "decrypting",                    0x00070472, "", "decrypt is set" },
	{ "not signing",                   0x00010472, "", "sign is clear" },
	{ "policy-less without auth",      0x00050432, "", "userWithAuth is clear, and there is no policy" },
	{ "in dictionary-attack lockout",  0x00050072, "", "noDA is clear" },
	{ "admin by policy",               0x000504f2, "", "adminWithPolicy is set" },
	{ "gone at reset",                 0x00050476, "", "stClear is set" },
	{ "duplicated encrypted",          0x00050c72, "", "encryptedDuplication is set" },
	{ "signing certificates",          0x000d0472, "", "x509sign is set" },
	{ "reserved bit",                  0x80050472, "", "a reserved attribute is set" },
};

START_TEST(test_row_8_ak_attributes)
{
	q.ak_public_len = public_area(ak_key, aks[_i].attributes, false, TPM_ALG_ECDSA, 0x000b, aks[_i].policy, q.ak_public,
	    sizeof(q.ak_public));
	judge(aks[_i].label, false, aks[_i].why ? REASON_AK_ATTRIBUTES : REASON_OK, aks[_i].why ? aks[_i].why : "");
}
END_TEST

static const struct { const char *label; uint16_t scheme, hash; enum reason reason; const char *why; } schemes[] = {
	{ "ECDSA with SHA-384", TPM_ALG_ECDSA,  0x000c, REASON_OK, "" },
	{ "no fixed scheme",    TPM_ALG_NULL,   0,      REASON_AK_ATTRIBUTES, "scheme 0x0010" },
	{ "SHA-1",              TPM_ALG_ECDSA,  0x0004, REASON_AK_ATTRIBUTES, "weaker than SHA-256" },
	{ "RSA's scheme",       TPM_ALG_RSASSA, 0x000b, REASON_AK_ATTRIBUTES, "scheme 0x0014" },
	{ "no such hash",       TPM_ALG_ECDSA,  0x7777, REASON_AK_ATTRIBUTES, "weaker than SHA-256" },
};

START_TEST(ak_scheme)
{
	q.ak_public_len = public_area(ak_key, 0x00050472, false, schemes[_i].scheme, schemes[_i].hash, "", q.ak_public,
	    sizeof(q.ak_public));
	judge(schemes[_i].label, false, schemes[_i].reason, schemes[_i].why);
}
END_TEST

static const struct { const char *label; uint32_t attributes; const char *why; } eks[] = {
	{ "signing",      0x000700b2, "sign is set" },
	{ "unrestricted", 0x000200b2, "restricted is clear" },
	{ "exportable",   0x000300b0, "fixedTPM is clear" },
	{ "an AK",        0x00050472, "sign is set" },
	{ "user's policy only", 0x00030032, "adminWithPolicy is clear" },
};

START_TEST(ek_attributes)
{
	q.ek_public_len = public_area(ek_key, eks[_i].attributes, true, TPM_ALG_NULL, 0, "", q.ek_public, sizeof(q.ek_public));
	judge(eks[_i].label, false, REASON_EK_UNTRUSTED, eks[_i].why);
}
END_TEST

/* --- row 23: whose certificate, and by whom */

START_TEST(test_row_23_certificate_of_another_ek)
{
	EVP_PKEY *other = EVP_EC_gen("P-256");

	q.ek_cert_len = der_of(issue(&ek_cert, other, middle_key), q.ek_cert, EK_CERT_MAX);
	judge("another EK's", false, REASON_EK_MISMATCH, "another key");
	ck_assert_uint_eq(strlen(f.ek_fingerprint), 64);
	EVP_PKEY_free(other);
}
END_TEST

START_TEST(test_row_23_validity)
{
	struct cert c = ek_cert;

	c.to = -1;
	judge_cert("expired", &c, REASON_EK_UNTRUSTED, "certificate 0 of its path has expired");
	c = ek_cert;
	c.from = 10;
	judge_cert("not valid yet", &c, REASON_EK_UNTRUSTED, "not valid yet");
	c = middle_cert;
	c.to = -1;
	q.chain_len[0] = der_of(issue(&c, middle_key, root_key), q.chain[0], EK_CERT_MAX);
	judge_cert("the issuer that the host sent has expired", &ek_cert, REASON_EK_UNTRUSTED, "certificate 1 of its path has expired");
	/* ... but an administrator who trusts its key says so in the bundle. */
	append_pem(issue(&c, middle_key, root_key), roots);
	judge_cert("an anchor that has expired", &ek_cert, REASON_OK, "");
}
END_TEST

START_TEST(test_row_23_path)
{
	static const struct cert impostor = { .name = "middle", .issuer = "middle", .from = -1, .to = DAY,
		.basic = "critical,CA:TRUE", .usage = "critical,keyCertSign" };
	EVP_PKEY *other = EVP_EC_gen("P-256");
	struct cert c = middle_cert;

	q.chain_count = 0;
	judge("no path", false, REASON_EK_UNTRUSTED, "unable to get local issuer");
	/* The direct issuer's name is right, its key is not. */
	*roots = '\0';
	append_pem(issue(&impostor, other, other), roots);
	judge("issuer by name alone", false, REASON_EK_UNTRUSTED, "certificate signature failure");
	/* The issuer is right, and nobody trusted stands behind it. */
	q.chain_count = 1;
	*roots = '\0';
	append_pem(issue(&root_cert, other, other), roots);
	judge("issuer without a root", false, REASON_EK_UNTRUSTED, "certificate signature failure");
	*roots = '\0';
	judge("no roots", false, REASON_EK_UNTRUSTED, "unable to get local issuer");
	append_pem(issue(&root_cert, root_key, root_key), roots);
	c.basic = "critical,CA:FALSE";
	q.chain_len[0] = der_of(issue(&c, middle_key, root_key), q.chain[0], EK_CERT_MAX);
	judge("issued by what is no CA", false, REASON_EK_UNTRUSTED, "invalid CA");
	EVP_PKEY_free(other);
}
END_TEST

START_TEST(anchors)
{
	q.chain_count = 0;
	append_pem(issue(&middle_cert, middle_key, root_key), roots);
	judge("intermediate in the bundle", false, REASON_OK, "");
	*roots = '\0';
	append_pem(issue(&middle_cert, middle_key, root_key), roots);
	judge("intermediate alone is an anchor", false, REASON_OK, "");
	strcpy(roots, "words before\n-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n");
	append_pem(issue(&middle_cert, middle_key, root_key), roots);
	judge("behind one that cannot be read", false, REASON_OK, "");
}
END_TEST

START_TEST(weak_signature)
{
	struct cert c = ek_cert;

	c.md = EVP_sha1();
	judge_cert("SHA-1", &c, REASON_EK_UNTRUSTED, "too weak");
}
END_TEST

START_TEST(extensions)
{
	struct cert c = ek_cert;

	c.eku = NULL;
	judge_cert("no EKU", &c, REASON_OK, "");
	c.eku = "serverAuth,2.23.133.8.1";
	judge_cert("EKU of both", &c, REASON_OK, "");
	c.eku = "serverAuth";
	judge_cert("EKU of a server", &c, REASON_EK_UNTRUSTED, "extended key usage");
	c.eku = "2.23.133.8.3";
	judge_cert("EKU of an AK", &c, REASON_EK_UNTRUSTED, "extended key usage");
	c = ek_cert;
	c.basic = "critical,CA:TRUE";
	judge_cert("a CA's", &c, REASON_EK_UNTRUSTED, "a CA's");
	c = ek_cert;
	c.usage = "critical,digitalSignature";
	judge_cert("usage of a signer", &c, REASON_EK_UNTRUSTED, "key usage");
	c = ek_cert;
	c.maker = NULL;
	judge_cert("no SAN", &c, REASON_OK, "");
	c = ek_cert;
	c.model = "\x1b[31m x";
	judge_cert("a SAN with controls", &c, REASON_OK, "");
	ck_assert_str_eq(f.ek_subject, "STM ?[31m?x id:00490004");
}
END_TEST

START_TEST(as_found_in_a_tpm)
{
	static const uint8_t stored[] = { 0x10, 0x01, 0x00, 0x02, 0x00 }, full[] = { 0x10, 0x02 };
	size_t n = q.ek_cert_len;

	memset(q.ek_cert + n, 0xff, 600);
	q.ek_cert_len = n + 600;
	judge("padding", false, REASON_OK, "");
	memmove(q.ek_cert + sizeof(stored), q.ek_cert, n);
	memcpy(q.ek_cert, stored, sizeof(stored));
	q.ek_cert_len = n + sizeof(stored);
	judge("stored certificate", false, REASON_OK, "");
	memmove(q.ek_cert + sizeof(stored) + sizeof(full), q.ek_cert + sizeof(stored), n);
	memcpy(q.ek_cert + sizeof(stored), full, sizeof(full));
	q.ek_cert_len = n + sizeof(stored) + sizeof(full);
	judge("stored full certificate", false, REASON_OK, "");
	q.ek_cert_len = 0;
	judge("none", false, REASON_EK_MISSING, "sent none");
	q.ek_cert_len = 5;
	judge("a header alone", false, REASON_EK_UNTRUSTED, "cannot be read");
}
END_TEST

/* Two certificates in one index, as some TPMs keep their chain. */
START_TEST(chain_in_one_piece)
{
	uint8_t *p = q.chain[0];

	q.chain_len[0] = der_of(issue(&root_cert, root_key, root_key), p, EK_CERT_MAX);
	q.chain_len[0] += der_of(issue(&middle_cert, middle_key, root_key), p + q.chain_len[0], EK_CERT_MAX / 2);
	judge("root and intermediate", false, REASON_OK, "");
}
END_TEST

/* --- row 41: a simulator */

START_TEST(test_row_41_simulator)
{
	struct cert c = ek_cert, ca = middle_cert;

	c.maker = "id:00001014";
	judge_cert("by its maker", &c, REASON_EK_UNTRUSTED, "a simulator");
	judge("where simulators may enroll", true, REASON_OK, "");
	ck_assert_str_eq(f.ek_subject, "id:00001014 ST33 id:00490004");
	c = ek_cert;
	c.issuer = ca.name = "swtpm-localca";
	q.chain_len[0] = der_of(issue(&ca, middle_key, root_key), q.chain[0], EK_CERT_MAX);
	judge_cert("by its issuer", &c, REASON_EK_UNTRUSTED, "a simulator");
	judge("where simulators may enroll", true, REASON_OK, "");
	*roots = '\0';
	judge("outside the roots, though simulators may enroll", true, REASON_EK_UNTRUSTED, "unable to get local issuer");
}
END_TEST

START_TEST(malformed)
{
	size_t n = q.ek_public_len;

	q.ek_public_len = n - 1;
	judge("EK cut", false, REASON_REQUEST_INVALID, "EK: ");
	q.ek_public_len = n;
	q.ek_public[n - 1] ^= 1;
	judge("EK off the curve", false, REASON_REQUEST_INVALID, "EK: not a usable public key");
	q.ek_public[n - 1] ^= 1;
	q.ak_public_len--;
	judge("AK cut", false, REASON_REQUEST_INVALID, "AK: ");
}
END_TEST

static void
cut_certificate(const uint8_t *p, size_t n, void *arg)
{
	(void)arg;
	memcpy(q.ek_cert, p, n);
	q.ek_cert_len = n;
	endorsement_check(&q, roots, strlen(roots), false, (int64_t)now * 1000, &f);
	ck_assert_msg(f.reason != REASON_OK, "%zu bytes passed", n);
}

START_TEST(no_prefix_of_a_certificate_passes)
{
	uint8_t whole[EK_CERT_MAX];
	size_t n = q.ek_cert_len;

	memcpy(whole, q.ek_cert, n);
	unit_prefixes(whole, n, cut_certificate, NULL);
}
END_TEST

/* --- recorded certificates of real TPMs, with what parsers and OpenSSL's command say of them */

static void
append_file(const char *dir, const char *name, char **pem, size_t *len)
{
	char path[5000];
	uint8_t *bytes;
	const uint8_t *p;
	size_t n;
	X509 *x;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	bytes = unit_file(path, &n);
	if (!bytes)
		return;
	p = bytes;
	x = d2i_X509(NULL, &p, (long)n);
	if (x) {
		*pem = realloc(*pem, *len + PEM_ROOM);
		(*pem)[*len] = '\0';
		append_pem(x, *pem + *len);
		*len += strlen(*pem + *len);
	} else {
		*pem = realloc(*pem, *len + n + 2);
		memcpy(*pem + *len, bytes, n);
		(*pem)[*len + n] = '\n';
		*len += n + 1;
	}
	free(bytes);
}

static char *
vendor_roots(const char *corpus, size_t *len)
{
	char dir[4000];
	char *pem = NULL;
	struct dirent *d;
	DIR *all;

	snprintf(dir, sizeof(dir), "%s/data/tpm-vendor-roots", corpus);
	all = opendir(dir);
	*len = 0;
	while (all && (d = readdir(all)))
		if (*d->d_name != '.')
			append_file(dir, d->d_name, &pem, len);
	if (all)
		closedir(all);
	return pem;
}

/* The certificate as it was found, in PEM or DER, with an EK's public area made from its key. */
static bool
request_of(const char *corpus, const char *name, int64_t *when)
{
	char path[4096];
	own(mem) uint8_t *bytes = NULL;
	const uint8_t *p;
	struct tm tm;
	size_t n;
	BIO *bio;
	X509 *x;
	EVP_PKEY *key;

	snprintf(path, sizeof(path), "%s/data/ek-certs/%s", corpus, name);
	bytes = unit_file(path, &n);
	ck_assert_msg(bytes, "%s", path);
	bio = BIO_new_mem_buf(bytes, (int)n);
	x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	if (x) {
		n = (size_t)i2d_X509(x, NULL);
		ck_assert_uint_le(n, EK_CERT_MAX);
		p = q.ek_cert;
		i2d_X509(x, (uint8_t **)(uintptr_t)&p);
	} else {
		memcpy(q.ek_cert, bytes, n < EK_CERT_MAX ? n : EK_CERT_MAX);
		p = q.ek_cert;
		x = d2i_X509(NULL, &p, (long)n);
	}
	q.ek_cert_len = n < EK_CERT_MAX ? n : EK_CERT_MAX;
	key = x ? X509_get0_pubkey(x) : NULL;
	if (key && ASN1_TIME_to_tm(X509_get0_notBefore(x), &tm) == 1) {
		*when = ((int64_t)timegm(&tm) + DAY) * 1000;
		q.ek_public_len = public_area(key, 0x000300b2, true, TPM_ALG_NULL, 0, "", q.ek_public, sizeof(q.ek_public));
	}
	X509_free(x);
	ERR_clear_error();
	return key;
}

/* Their path is good, and they are no EK's: Google's certificate of an AK, and a vendor's root. */
static const char *const no_ek[] = { "gotpmtools--gce-cos-85-no-nonce.akcert.der", "keylime-tests--nuvoton_ecdsa_sha256_der.pem" };

/* Is it an EK certificate, and did `openssl verify` find its path? */
static bool
wants_trust(const char *name, const struct json *sample)
{
	struct error e;
	char text[4096], eku[64];
	unsigned n = 0;

	for (unsigned i = 0; i < COUNT(no_ek); i++)
		if (!strcmp(name, no_ek[i]))
			return false;
	if (!json_text(sample, "openssl_verify", text, sizeof(text), &e) || strcmp(text, ": OK"))
		return false;
	/* Where a strict parser gave up there is nothing but OpenSSL's word. */
	if (!json_has(sample, "eku"))
		return true;
	return json_list(sample, "eku", 8, &n, &e) && n && json_item_text(json_item(sample, "eku", 0), eku, sizeof(eku), &e) &&
	    !strcmp(eku, "2.23.133.8.1") && json_text(sample, "san", text, sizeof(text), &e) && strstr(text, "2.23.133.2.1");
}

START_TEST(recorded_certificates)
{
	const char *corpus = unit_corpus();
	char path[5000];
	own(mem) uint8_t *text = NULL;
	own(json) struct json *samples = NULL;
	own(mem) char *pem = NULL;
	const struct json *sample;
	const char *name;
	struct error e;
	unsigned right = 0, trusted = 0, all = 0;
	size_t n;
	int64_t when = 0;

	if (!corpus) {
		puts("SKIP: recorded_certificates: no corpus");
		return;
	}
	snprintf(path, sizeof(path), "%s/expected/ek-certs/certs.json", corpus);
	text = unit_file(path, &n);
	ck_assert_msg(text && json_parse((char *)text, n, &samples, &e), "%s", path);
	pem = vendor_roots(corpus, &n);
	q.chain_count = 0;
	for (; json_member(samples, all, &name, &sample); all++) {
		bool want = wants_trust(name, sample), got = false;

		if (request_of(corpus, name, &when)) {
			endorsement_check(&q, pem, n, true, when, &f);
			got = f.reason == REASON_OK;
		}
		right += got == want;
		trusted += got;
		if (got != want)
			printf("%s: %s, %s\n", name, got ? "trusted" : "refused", f.why);
	}
	printf("recorded certificates: %u of %u as expected, %u trusted\n", right, all, trusted);
	fflush(stdout);
	ck_assert_uint_eq(right, all);
	ck_assert_uint_gt(trusted, 0);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, good_request, free_keys);
	tcase_add_test(tc, good);
	tcase_add_test(tc, good_rsa);
	tcase_add_loop_test(tc, test_row_8_ak_attributes, 0, (int)COUNT(aks));
	tcase_add_loop_test(tc, ak_scheme, 0, (int)COUNT(schemes));
	tcase_add_loop_test(tc, ek_attributes, 0, (int)COUNT(eks));
	tcase_add_test(tc, test_row_23_certificate_of_another_ek);
	tcase_add_test(tc, test_row_23_validity);
	tcase_add_test(tc, test_row_23_path);
	tcase_add_test(tc, anchors);
	tcase_add_test(tc, weak_signature);
	tcase_add_test(tc, extensions);
	tcase_add_test(tc, as_found_in_a_tpm);
	tcase_add_test(tc, chain_in_one_piece);
	tcase_add_test(tc, test_row_41_simulator);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, no_prefix_of_a_certificate_passes);
	tcase_add_test(tc, recorded_certificates);
}

int
main(void)
{
	return unit_run("endorsement", add);
}
