#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "file.h"
#include "pki.h"
#include "scope.h"

enum {
	CA_DAYS = 3650, SERVER_DAYS = 397, RENEW_DAYS = 30,
	PEM_MAX = 32 << 10, SAN_TEXT = 2048, DAY_S = 24 * 3600,
	CLOCK_SLACK_S = 3600,           /* hosts whose clock is a little behind must not refuse us on the first day */
};

static inline void drop_pkey(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static inline void drop_x509(X509 **x) { X509_free(*x); }
static inline void drop_bio(BIO **b) { BIO_free(*b); }
static inline void drop_ext(X509_EXTENSION **x) { X509_EXTENSION_free(*x); }

struct where { char ca_key[512], ca[512], server_key[512], server[512]; };

static BIO *
open_pem(const char *path, uint8_t **text)
{
	struct error ignored = { .code = ERR_NONE };
	size_t len;

	return file_load(path, PEM_MAX, text, &len, &ignored) ? BIO_new_mem_buf(*text, (int)len) : NULL;
}

static EVP_PKEY *
load_key(const char *path)
{
	own(mem) uint8_t *text = NULL;
	own(bio) BIO *bio = open_pem(path, &text);

	return bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
}

static X509 *
load_cert(const char *path)
{
	own(mem) uint8_t *text = NULL;
	own(bio) BIO *bio = open_pem(path, &text);

	return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

static bool
put(const char *path, BIO *bio, mode_t mode, struct error *e)
{
	char *text;
	long len = BIO_get_mem_data(bio, &text);

	return file_replace(path, text, (size_t)len, mode, true, e);
}

/* The key in the file, or a new one that is there before anything is signed with it. */
static EVP_PKEY *
need_key(const char *path, struct error *e)
{
	own(pkey) EVP_PKEY *key = load_key(path);
	own(bio) BIO *bio = BIO_new(BIO_s_mem());

	if (key)
		return give(key);
	/* A key that is there and cannot be read is not replaced: hosts pinned what it signed. */
	if (!access(path, F_OK)) {
		err_set(e, ERR_FORMAT, "%s: not a private key", path);
		return NULL;
	}
	key = EVP_EC_gen("P-256");
	if (!key || !bio || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		err_set(e, ERR_CRYPTO, "make a key");
		return NULL;
	}
	return put(path, bio, 0600, e) ? give(key) : NULL;
}

static bool
add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	own(ext) X509_EXTENSION *ext = NULL;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	return ext && X509_add_ext(x, ext, -1) == 1;
}

static X509 *
blank(EVP_PKEY *key, const char *name, unsigned days, int64_t now_wall)
{
	own(x509) X509 *x = X509_new();
	time_t now = (time_t)(now_wall / 1000);
	uint8_t serial[16];
	BIGNUM *n;
	bool ok;

	if (!x || RAND_bytes(serial, sizeof(serial)) != 1)
		return NULL;
	serial[0] &= 0x7f;
	n = BN_bin2bn(serial, sizeof(serial), NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) && X509_set_version(x, X509_VERSION_3) == 1 &&
	    X509_time_adj_ex(X509_getm_notBefore(x), 0, -CLOCK_SLACK_S, &now) &&
	    X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, &now) && X509_set_pubkey(x, key) == 1 &&
	    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0) == 1;
	BN_free(n);
	return ok ? give(x) : NULL;
}

static X509 *
make_ca(EVP_PKEY *key, int64_t now_wall)
{
	own(x509) X509 *x = blank(key, "pam-attest verifier CA", CA_DAYS, now_wall);

	if (!x || X509_set_issuer_name(x, X509_get_subject_name(x)) != 1 ||
	    !add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
	    !add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") ||
	    !add_extension(x, x, NID_subject_key_identifier, "hash") || !X509_sign(x, key, EVP_sha256()))
		return NULL;
	return give(x);
}

/* The CA in the file if it is this key's, else a new one. */
static X509 *
need_ca(const char *path, EVP_PKEY *key, int64_t now_wall, struct error *e)
{
	own(x509) X509 *x = load_cert(path);
	own(bio) BIO *bio = BIO_new(BIO_s_mem());

	if (x && X509_check_private_key(x, key) == 1)
		return give(x);
	if (!access(path, F_OK)) {
		err_set(e, ERR_CONFLICT, "%s is not the certificate of its key", path);
		return NULL;
	}
	x = make_ca(key, now_wall);
	if (!x || !bio || PEM_write_bio_X509(bio, x) != 1) {
		err_set(e, ERR_CRYPTO, "make a CA");
		return NULL;
	}
	return put(path, bio, 0644, e) ? give(x) : NULL;
}

/* --- the server's names */

/* Is this whole entry in the list? "DNS:a.example" is not in "DNS:a.example.net". */
static bool
has_name(const char *san, const char *entry)
{
	size_t n = strlen(entry);

	for (const char *p = strstr(san, entry); p; p = strstr(p + 1, entry))
		if ((p == san || p[-1] == ',') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

static bool
add_name(char san[static SAN_TEXT], const char *name)
{
	uint8_t address[16];
	bool ip = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
	char entry[300];
	size_t used = strlen(san);
	int n = snprintf(entry, sizeof(entry), "%s:%s", ip ? "IP" : "DNS", name);

	/* Letters, digits and '.:-_*' alone: the list is a configuration string of libcrypto's. */
	if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_*")] ||
	    n < 0 || (size_t)n >= sizeof(entry) || (size_t)n + 2 > SAN_TEXT - used)
		return false;
	/* A host whose name is its FQDN, or localhost, is named once. */
	if (!has_name(san, entry))
		snprintf(san + used, SAN_TEXT - used, "%s%s", used ? "," : "", entry);
	return true;
}

static bool
own_names(char san[static SAN_TEXT])
{
	char host[256] = "";
	struct addrinfo hints = { .ai_flags = AI_CANONNAME }, *info = NULL;

	if (!gethostname(host, sizeof(host) - 1) && host[0]) {
		add_name(san, host);
		if (!getaddrinfo(host, NULL, &hints, &info) && info && info->ai_canonname)
			add_name(san, info->ai_canonname);
		if (info)
			freeaddrinfo(info);
	}
	return add_name(san, "localhost") && add_name(san, "127.0.0.1") && add_name(san, "::1");
}

static bool
san_of(const char *names, char san[static SAN_TEXT], struct error *e)
{
	char copy[SAN_TEXT], *rest;

	san[0] = '\0';
	if (!names[0])
		return own_names(san) || err_set(e, ERR_CONFIG, "this host's name cannot stand in a certificate");
	snprintf(copy, sizeof(copy), "%s", names);
	for (char *n = strtok_r(copy, ", \t", &rest); n; n = strtok_r(NULL, ", \t", &rest))
		if (!add_name(san, n))
			return err_set(e, ERR_CONFIG, "names: %.80s cannot stand in a certificate", n);
	return san[0] || err_set(e, ERR_CONFIG, "names: empty");
}

static X509 *
make_server(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *san, int64_t now_wall)
{
	own(x509) X509 *x = blank(key, "pam-attest verifier", SERVER_DAYS, now_wall);

	if (!x || X509_set_issuer_name(x, X509_get_subject_name(ca)) != 1 ||
	    !add_extension(x, ca, NID_basic_constraints, "critical,CA:FALSE") ||
	    !add_extension(x, ca, NID_key_usage, "critical,digitalSignature") ||
	    !add_extension(x, ca, NID_ext_key_usage, "serverAuth") ||
	    !add_extension(x, ca, NID_subject_alt_name, san) ||
	    !add_extension(x, ca, NID_authority_key_identifier, "keyid") || !X509_sign(x, ca_key, EVP_sha256()))
		return NULL;
	return give(x);
}

/* Does the certificate carry exactly these names? Compared as encoded. */
static bool
same_names(X509 *x, const char *san)
{
	own(x509) X509 *probe = X509_new();
	int at = X509_get_ext_by_NID(x, NID_subject_alt_name, -1), want;

	if (at < 0 || !probe || !add_extension(probe, probe, NID_subject_alt_name, san))
		return false;
	want = X509_get_ext_by_NID(probe, NID_subject_alt_name, -1);
	return !ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_get_ext(x, at)),
	    X509_EXTENSION_get_data(X509_get_ext(probe, want)));
}

static bool
still_good(X509 *x, EVP_PKEY *key, EVP_PKEY *ca_key, const char *san, int64_t now_wall)
{
	time_t soon = (time_t)(now_wall / 1000) + RENEW_DAYS * DAY_S;

	return x && X509_check_private_key(x, key) == 1 && X509_verify(x, ca_key) == 1 && same_names(x, san) &&
	    X509_cmp_time(X509_get0_notAfter(x), &soon) > 0;
}

/* server.pem holds the CA behind the leaf, so that a host can find the CA that it pins by digest. */
static bool
need_server(const struct where *w, EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *san, int64_t now_wall,
    struct error *e)
{
	own(x509) X509 *x = load_cert(w->server);
	own(bio) BIO *bio = BIO_new(BIO_s_mem());

	if (still_good(x, key, ca_key, san, now_wall))
		return true;
	X509_free(x);
	x = make_server(key, ca, ca_key, san, now_wall);
	if (!x || !bio || PEM_write_bio_X509(bio, x) != 1 || PEM_write_bio_X509(bio, ca) != 1)
		return err_set(e, ERR_CRYPTO, "make a server certificate");
	return put(w->server, bio, 0644, e);
}

bool
pki_prepare(const char *dir, const char *keys, const char *names, int64_t now_wall, struct error *e)
{
	struct where w;
	char san[SAN_TEXT];
	own(pkey) EVP_PKEY *ca_key = NULL;
	own(pkey) EVP_PKEY *key = NULL;
	own(x509) X509 *ca = NULL;

	if (strlen(dir) > 400 || strlen(keys) > 400)
		return err_set(e, ERR_LIMIT, "%.80s…: path too long", dir);
	snprintf(w.ca_key, sizeof(w.ca_key), "%s/ca-key.pem", keys);
	snprintf(w.ca, sizeof(w.ca), "%s/ca.pem", dir);
	snprintf(w.server_key, sizeof(w.server_key), "%s/server-key.pem", dir);
	snprintf(w.server, sizeof(w.server), "%s/server.pem", dir);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_errno(e, "mkdir %s", dir);
	if (!san_of(names, san, e) || !(ca_key = need_key(w.ca_key, e)) || !(ca = need_ca(w.ca, ca_key, now_wall, e)) ||
	    !(key = need_key(w.server_key, e)))
		return false;
	return need_server(&w, key, ca, ca_key, san, now_wall, e);
}
