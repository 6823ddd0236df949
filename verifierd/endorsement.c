#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include "endorsement.h"
#include "hex.h"
#include "reader.h"
#include "scope.h"

enum {
	/* TPMA_OBJECT (TPM-2) */
	FIXED_TPM = 1 << 1, ST_CLEAR = 1 << 2, FIXED_PARENT = 1 << 4, SENSITIVE_ORIGIN = 1 << 5, USER_WITH_AUTH = 1 << 6,
	ADMIN_WITH_POLICY = 1 << 7, NO_DA = 1 << 10, ENCRYPTED_DUPLICATION = 1 << 11, RESTRICTED = 1 << 16,
	DECRYPT = 1 << 17, SIGN = 1 << 18, X509_SIGN = 1 << 19,

	/* EK Credential Profile: templates of the low and of the high range. */
	EK_ATTRIBUTES      = FIXED_TPM | FIXED_PARENT | SENSITIVE_ORIGIN | ADMIN_WITH_POLICY | RESTRICTED | DECRYPT,
	EK_ATTRIBUTES_HIGH = EK_ATTRIBUTES | USER_WITH_AUTH,
	AK_ATTRIBUTES        = FIXED_TPM | FIXED_PARENT | SENSITIVE_ORIGIN | USER_WITH_AUTH | NO_DA | RESTRICTED | SIGN,
	AK_ATTRIBUTES_POLICY = AK_ATTRIBUTES & ~USER_WITH_AUTH,

	/* Below level 1 OpenSSL has SHA-1 signatures and RSA under 1024 bits. */
	AUTH_LEVEL = 1,
};
_Static_assert(EK_ATTRIBUTES == 0x000300b2 && AK_ATTRIBUTES == 0x00050472 && AK_ATTRIBUTES_POLICY == 0x00050432,
    "as the specifications write them");

static inline void drop_x509(X509 **x) { X509_free(*x); }
static inline void drop_certs(STACK_OF(X509) **s) { sk_X509_pop_free(*s, X509_free); }
static inline void drop_store(X509_STORE **s) { X509_STORE_free(*s); }
static inline void drop_ctx(X509_STORE_CTX **c) { X509_STORE_CTX_free(*c); }
static inline void drop_pkey(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static inline void drop_bio(BIO **b) { BIO_free(*b); }
static inline void drop_eku(EXTENDED_KEY_USAGE **u) { EXTENDED_KEY_USAGE_free(*u); }
static inline void drop_names(GENERAL_NAMES **n) { GENERAL_NAMES_free(*n); }

/* Sets the reason and its words; false, so that a check can `return refuse(...)`. */
static bool refuse(struct enroll_facts *, enum reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static bool
refuse(struct enroll_facts *f, enum reason reason, const char *fmt, ...)
{
	va_list ap;

	f->reason = reason;
	va_start(ap, fmt);
	vsnprintf(f->why, sizeof(f->why), fmt, ap);
	va_end(ap);
	return false;
}

/* --- the two public areas */

/* "restricted is clear": the first attribute in which a public area differs from what it should have. */
struct difference { const char *name, *is; };

static struct difference
differs_in(uint32_t has, uint32_t should)
{
	static const struct { uint32_t bit; const char *name; } attributes[] = {
		{ RESTRICTED, "restricted" }, { FIXED_TPM, "fixedTPM" }, { FIXED_PARENT, "fixedParent" },
		{ SENSITIVE_ORIGIN, "sensitiveDataOrigin" }, { SIGN, "sign" }, { DECRYPT, "decrypt" },
		{ ADMIN_WITH_POLICY, "adminWithPolicy" }, { NO_DA, "noDA" }, { ST_CLEAR, "stClear" },
		{ ENCRYPTED_DUPLICATION, "encryptedDuplication" }, { X509_SIGN, "x509sign" },
		{ USER_WITH_AUTH, "userWithAuth" },
	};

	for (unsigned i = 0; i < COUNT(attributes); i++)
		if ((has ^ should) & attributes[i].bit)
			return (struct difference){ attributes[i].name, has & attributes[i].bit ? "set" : "clear" };
	return (struct difference){ "a reserved attribute", "set" };
}

static bool
strong_name(const struct tpm_public *key)
{
	enum bank b;

	return bank_of_alg(key->name_alg, &b) && bank_size(b) >= SHA256_SIZE;
}

static bool
check_ek(const struct enroll_request *q, struct enroll_facts *f)
{
	struct error e = { .code = ERR_NONE };
	uint8_t spki[TPM_PUBLIC_MAX], hash[SHA256_SIZE];
	struct difference d;
	size_t len;

	if (!public_read(q->ek_public, q->ek_public_len, &f->ek, &e) || !public_spki(&f->ek, spki, sizeof(spki), &len, &e) ||
	    !digest_sha256(spki, len, hash))
		return refuse(f, REASON_REQUEST_INVALID, "EK: %.150s", e.why);
	hex_text(hash, sizeof(hash), f->ek_fingerprint);
	if (f->ek.attributes != EK_ATTRIBUTES && f->ek.attributes != EK_ATTRIBUTES_HIGH) {
		d = differs_in(f->ek.attributes, EK_ATTRIBUTES);
		return refuse(f, REASON_EK_UNTRUSTED, "EK: no EK template's attributes: %s is %s", d.name, d.is);
	}
	if (f->ek.scheme != TPM_ALG_NULL || f->ek.sym_alg != TPM_ALG_AES || f->ek.sym_mode != TPM_ALG_CFB)
		return refuse(f, REASON_EK_UNTRUSTED, "EK: its scheme or symmetric algorithm is no EK template's");
	return strong_name(&f->ek) || refuse(f, REASON_EK_UNTRUSTED, "EK: nameAlg 0x%04x", f->ek.name_alg);
}

static bool
check_ak_attributes(const struct tpm_public *ak, struct enroll_facts *f)
{
	struct difference d;

	if (ak->attributes == AK_ATTRIBUTES || (ak->attributes == AK_ATTRIBUTES_POLICY && ak->policy_len))
		return true;
	if (ak->attributes == AK_ATTRIBUTES_POLICY)
		return refuse(f, REASON_AK_ATTRIBUTES, "AK: userWithAuth is clear, and there is no policy");
	d = differs_in(ak->attributes, AK_ATTRIBUTES);
	return refuse(f, REASON_AK_ATTRIBUTES, "AK: %s is %s", d.name, d.is);
}

static bool
check_ak_scheme(const struct tpm_public *ak, struct enroll_facts *f)
{
	bool rsa = ak->type == TPM_ALG_RSA;
	enum bank hash;

	if (rsa ? ak->scheme != TPM_ALG_RSASSA && ak->scheme != TPM_ALG_RSAPSS : ak->scheme != TPM_ALG_ECDSA)
		return refuse(f, REASON_AK_ATTRIBUTES, "AK: scheme 0x%04x, not a fixed one of RSASSA, RSAPSS or ECDSA", ak->scheme);
	if (!bank_of_alg(ak->scheme_hash, &hash) || bank_size(hash) < SHA256_SIZE || !strong_name(ak))
		return refuse(f, REASON_AK_ATTRIBUTES, "AK: its hash is weaker than SHA-256");
	return ak->sym_alg == TPM_ALG_NULL || refuse(f, REASON_AK_ATTRIBUTES, "AK: has a symmetric algorithm");
}

static bool
check_ak(const struct enroll_request *q, struct enroll_facts *f)
{
	struct error e = { .code = ERR_NONE };
	struct tpm_public ak;

	if (!public_read(q->ak_public, q->ak_public_len, &ak, &e) ||
	    !public_name(q->ak_public, q->ak_public_len, &f->ak, &e) ||
	    !public_spki(&ak, f->ak_spki, sizeof(f->ak_spki), &f->ak_spki_len, &e))
		return refuse(f, REASON_REQUEST_INVALID, "AK: %.150s", e.why);
	f->ak_scheme_hash = ak.scheme_hash;
	if (!check_ak_attributes(&ak, f) || !check_ak_scheme(&ak, f))
		return false;
	return name_qualify(&f->ak, TPM_RH_ENDORSEMENT, &f->signer) ||
	    refuse(f, REASON_REQUEST_INVALID, "AK: no qualified name");
}

/* --- the certificate as it was found in the TPM */

/*
 * PC-client structures of TPM 1.2 days around it: {tag 10 01, type, length u16}, perhaps with
 * {tag 10 02} for a full certificate (FACTS 1.9). Padding behind the DER is d2i's to ignore.
 */
static X509 *
read_certificate(const uint8_t *p, size_t len, const uint8_t **end)
{
	static const uint8_t stored[] = { 0x10, 0x01 }, full[] = { 0x10, 0x02 };
	struct reader r = rd_open(p, len);

	if (len > 5 && !memcmp(r.pos, stored, sizeof(stored)))
		rd_bytes(&r, 5, "stored certificate");
	if (r.left > 2 && !memcmp(r.pos, full, sizeof(full)))
		rd_bytes(&r, 2, "full certificate");
	*end = r.pos;
	return d2i_X509(NULL, end, (long)r.left);
}

/* What the host sent beside it; some TPMs keep several certificates in one index, one behind the other. */
static STACK_OF(X509) *
read_chain(const struct enroll_request *q)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	for (unsigned i = 0; certs && i < q->chain_count && i < EK_CHAIN_MAX; i++) {
		const uint8_t *p = q->chain[i], *end = p + q->chain_len[i];

		while (p < end && sk_X509_num(certs) < EK_CHAIN_MAX) {
			X509 *x = read_certificate(p, (size_t)(end - p), &p);

			if (!x || !sk_X509_push(certs, x)) {
				X509_free(x);
				break;
			}
		}
	}
	return certs;
}

/* One certificate of a bundle that OpenSSL cannot read does not make the others worth less. */
static X509_STORE *
read_roots(const char *pem, size_t len)
{
	X509_STORE *store = X509_STORE_new();
	own(bio) BIO *bio = len <= INT32_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;

	for (bool more = store && bio; more;) {
		X509 *x = PEM_read_bio_X509(bio, NULL, NULL, (void *)(uintptr_t)"");   /* asks nobody for a passphrase */

		more = x || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
		if (x)
			X509_STORE_add_cert(store, x);
		X509_free(x);
		ERR_clear_error();
	}
	return store;
}

/* --- what it says of the TPM */

enum { OID_TEXT = 64, WORD_TEXT = 64 };

/* The text of a directory name's attribute, printable ASCII alone: people see it on terminals. */
static void
attribute_text(const X509_NAME_ENTRY *entry, char out[static WORD_TEXT])
{
	unsigned char *utf8 = NULL;
	int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
	size_t at = 0;

	for (int i = 0; i < n && at < WORD_TEXT - 1; i++)
		out[at++] = utf8[i] > ' ' && utf8[i] < 0x7f ? (char)utf8[i] : '?';
	out[at] = '\0';
	OPENSSL_free(utf8);
}

struct tpm_words { char manufacturer[WORD_TEXT], model[WORD_TEXT], version[WORD_TEXT]; };

/* Every attribute of every RDN: vendors put the three into one RDN or into three. */
static void
words_of(const X509_NAME *name, struct tpm_words *w)
{
	const struct { const char *oid; char *out; } wanted[] = {
		{ "2.23.133.2.1", w->manufacturer }, { "2.23.133.2.2", w->model }, { "2.23.133.2.3", w->version },
	};
	char oid[OID_TEXT];

	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

		OBJ_obj2txt(oid, sizeof(oid), X509_NAME_ENTRY_get_object(entry), 1);
		for (unsigned k = 0; k < COUNT(wanted); k++)
			if (!strcmp(oid, wanted[k].oid))
				attribute_text(entry, wanted[k].out);
	}
}

static void
tpm_words(const X509 *x, struct tpm_words *w)
{
	own(names) GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DIRNAME)
			words_of(name->d.directoryName, w);
	}
}

/* "id:53544D20" is "STM": four ASCII bytes in hex, the last perhaps a space or NUL. */
static void
manufacturer_name(const char *id, char out[static WORD_TEXT])
{
	uint8_t code[4];
	char name[5] = "";

	snprintf(out, WORD_TEXT, "%s", id);
	if (strncmp(id, "id:", 3) || strlen(id) != 11 || !hex_bytes(id + 3, code, sizeof(code)))
		return;
	for (unsigned i = 0; i < sizeof(code) && code[i] && code[i] != ' '; i++) {
		if (code[i] <= ' ' || code[i] >= 0x7f)
			return;
		name[i] = (char)code[i];
	}
	if (*name)
		snprintf(out, WORD_TEXT, "%s", name);
}

static bool
is_simulator(const X509 *x, const struct tpm_words *w)
{
	char issuer[WORD_TEXT] = "";

	X509_NAME_get_text_by_NID(X509_get_issuer_name(x), NID_commonName, issuer, sizeof(issuer));
	return !strcmp(w->manufacturer, "id:00001014") || !strncmp(issuer, "swtpm-localca", strlen("swtpm-localca"));
}

static void
describe(const X509 *x, const struct tpm_words *w, struct enroll_facts *f)
{
	char maker[WORD_TEXT];
	struct tm tm;

	manufacturer_name(w->manufacturer, maker);
	snprintf(f->ek_subject, sizeof(f->ek_subject), "%s %s %s", maker, w->model, w->version);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1)
		f->ek_not_after = (int64_t)timegm(&tm) * 1000;
}

/* --- is it for this EK, and by whom */

static bool
check_same_key(const X509 *x, struct enroll_facts *f)
{
	struct error e = { .code = ERR_NONE };
	uint8_t spki[TPM_PUBLIC_MAX];
	const uint8_t *p = spki;
	own(pkey) EVP_PKEY *ek = NULL;
	EVP_PKEY *certified = X509_get0_pubkey(x);
	size_t len;

	if (!certified)
		return refuse(f, REASON_EK_UNTRUSTED, "EK certificate: its key cannot be read");
	if (!public_spki(&f->ek, spki, sizeof(spki), &len, &e))
		return refuse(f, REASON_REQUEST_INVALID, "EK: %.150s", e.why);
	ek = d2i_PUBKEY(NULL, &p, (long)len);
	return (ek && EVP_PKEY_eq(ek, certified) == 1) ||
	    refuse(f, REASON_EK_MISMATCH, "EK certificate: it is for another key than the TPM's EK");
}

/* No standard purpose fits an EK certificate, so OpenSSL checks none: FACTS 1.8. */
static bool
check_usage(X509 *x, struct enroll_facts *f)
{
	own(eku) EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	uint32_t usage = X509_get_key_usage(x), wanted = f->ek.type == TPM_ALG_RSA ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT;
	bool found = !eku;
	char oid[OID_TEXT];

	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
		OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(eku, i), 1);
		found |= !strcmp(oid, "2.23.133.8.1");
	}
	if (!found)
		return refuse(f, REASON_EK_UNTRUSTED, "EK certificate: its extended key usage is not that of an EK");
	/* X509_check_ca() believes a key usage that contradicts CA:TRUE. */
	if (X509_get_extension_flags(x) & EXFLAG_CA || X509_check_ca(x))
		return refuse(f, REASON_EK_UNTRUSTED, "EK certificate: it is a CA's");
	/* Without the extension all bits are set. */
	return usage & wanted || refuse(f, REASON_EK_UNTRUSTED, "EK certificate: its key usage is not that of an EK");
}

/*
 * Whoever put a CA into the bundle trusts its key; validity counts for what the host sent
 * (RFC 5280 section 6.1: that of an anchor is no input). Some vendors' roots have expired.
 */
static bool
check_times(X509_STORE_CTX *ctx, int64_t now_wall, struct enroll_facts *f)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int sent = X509_STORE_CTX_get_num_untrusted(ctx);
	time_t now = (time_t)(now_wall / 1000);

	for (int i = 0; i < sent || i == 0; i++) {
		const X509 *x = sk_X509_value(chain, i);

		if (X509_cmp_time(X509_get0_notBefore(x), &now) >= 0)
			return refuse(f, REASON_EK_UNTRUSTED, "EK certificate: certificate %d of its path is not valid yet", i);
		if (X509_cmp_time(X509_get0_notAfter(x), &now) <= 0)
			return refuse(f, REASON_EK_UNTRUSTED, "EK certificate: certificate %d of its path has expired", i);
	}
	return true;
}

static bool
check_path(X509 *x, const struct enroll_request *q, const char *pem, size_t pem_len, int64_t now_wall,
    struct enroll_facts *f)
{
	own(store) X509_STORE *roots = read_roots(pem, pem_len);
	own(certs) STACK_OF(X509) *help = read_chain(q);
	own(ctx) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	bool ok;

	if (!roots || !help || !ctx || X509_STORE_CTX_init(ctx, roots, x, help) != 1)
		return refuse(f, REASON_POLICY_FAILED, "EK certificate: OpenSSL is out of memory");
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
	X509_VERIFY_PARAM_set_depth(param, EK_CHAIN_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	ok = X509_verify_cert(ctx) == 1;
	if (!ok)
		return refuse(f, REASON_EK_UNTRUSTED, "EK certificate: %s (certificate %d of its path)",
		    X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)), X509_STORE_CTX_get_error_depth(ctx));
	return check_times(ctx, now_wall, f);
}

static bool
check_certificate(const struct enroll_request *q, const char *pem, size_t pem_len, bool simulator, int64_t now_wall,
    struct enroll_facts *f)
{
	const uint8_t *end;
	own(x509) X509 *x = NULL;
	struct tpm_words words = { 0 };

	if (!q->ek_cert_len)
		return refuse(f, REASON_EK_MISSING, "EK certificate: the host sent none");
	x = read_certificate(q->ek_cert, q->ek_cert_len, &end);
	if (!x)
		return refuse(f, REASON_EK_UNTRUSTED, "EK certificate: cannot be read");
	tpm_words(x, &words);
	describe(x, &words, f);
	if (!check_same_key(x, f) || !check_usage(x, f) || !check_path(x, q, pem, pem_len, now_wall, f))
		return false;
	return simulator || !is_simulator(x, &words) ||
	    refuse(f, REASON_EK_UNTRUSTED, "EK certificate: the TPM is a simulator");
}

void
endorsement_check(const struct enroll_request *q, const char *roots_pem, size_t roots_len, bool simulator,
    int64_t now_wall, struct enroll_facts *out)
{
	struct enroll_facts f = { .reason = REASON_POLICY_FAILED };

	if (check_ek(q, &f) && check_ak(q, &f) && check_certificate(q, roots_pem, roots_len, simulator, now_wall, &f))
		f.reason = REASON_OK;
	ERR_clear_error();
	*out = f;
}
