#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "clock.h"
#include "scope.h"
#include "upstream.h"

static inline void drop_slist(struct curl_slist **l) { curl_slist_free_all(*l); }
static inline void drop_bio(BIO **b) { BIO_free(*b); }
static inline void drop_x509(X509 **x) { X509_free(*x); }

bool
upstream_open(struct upstream *u, unsigned timeout_s, struct error *e)
{
	*u = (struct upstream){ .curl = curl_easy_init(), .timeout_ms = timeout_s * 1000 };
	return u->curl || err_set(e, ERR_MEMORY, "libcurl");
}

void
upstream_close(struct upstream *u)
{
	if (u->curl)
		curl_easy_cleanup(u->curl);
	u->curl = NULL;
}

bool
upstream_renew(struct upstream *u, struct error *e)
{
	upstream_close(u);
	u->curl = curl_easy_init();
	return u->curl || err_set(e, ERR_MEMORY, "libcurl");
}

static size_t
collect(char *p, size_t one, size_t n, void *arg)
{
	struct answer *a = arg;
	char *grown;

	n *= one;
	if (n > ANSWER_MAX - a->len)
		return 0;
	grown = realloc(a->body, a->len + n + 1);
	if (!grown)
		return 0;
	memcpy(grown + a->len, p, n);
	a->body = grown;
	a->len += n;
	a->body[a->len] = '\0';
	return n;
}

static void
tls_and_limits(CURL *c, const char *ca_file, long timeout_ms)
{
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(c, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);       /* Debian's libcurl would consult the system store as well */
	curl_easy_setopt(c, CURLOPT_CA_CACHE_TIMEOUT, 0L);  /* the file may be replaced under its name */
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
}

static bool
headers(const struct request *r, struct curl_slist **out)
{
	char line[256];
	own(slist) struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	struct curl_slist *more = list;

	if (more && r->type) {
		snprintf(line, sizeof(line), "Content-Type: %s", r->type);
		more = curl_slist_append(list, line);
	}
	if (more && r->bearer) {
		snprintf(line, sizeof(line), "Authorization: Bearer %s", r->bearer);
		more = curl_slist_append(list, line);
	}
	if (!more)
		return false;
	*out = give(list);
	return true;
}

/* A handshake that nobody answered wrongly: the connection ended in the middle of it. libcurl has no code for that. */
static bool
cut_off(CURLcode rc, const char *detail)
{
	static const char *const words[] = { "SSL_ERROR_SYSCALL", "Recv failure: ", "Send failure: " };

	for (unsigned i = 0; rc == CURLE_SSL_CONNECT_ERROR && i < COUNT(words); i++)
		if (strstr(detail, words[i]))
			return true;
	return false;
}

/*
 * What a failed transfer means. Outage is what a machine in between can cause without lying: silence,
 * or a connection that ends in the middle of the handshake.
 */
static enum reason
transfer_reason(CURL *c, CURLcode rc, const char *detail, struct error *e)
{
	long verify = 0;

	err_set(e, ERR_SYSTEM, "%.180s", detail[0] ? detail : curl_easy_strerror(rc));
	if (cut_off(rc, detail))
		return REASON_VERIFIER_UNREACHABLE;
	switch (rc) {
	case CURLE_PEER_FAILED_VERIFICATION:
		curl_easy_getinfo(c, CURLINFO_SSL_VERIFYRESULT, &verify);
		if (verify == X509_V_ERR_CERT_HAS_EXPIRED) {
			err_set(e, ERR_SYSTEM, "the verifier's certificate has expired");
			return REASON_VERIFIER_UNREACHABLE;
		}
		return REASON_VERIFIER_UNTRUSTED;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return REASON_VERIFIER_UNTRUSTED;
	case CURLE_WRITE_ERROR:
	case CURLE_WEIRD_SERVER_REPLY:
		return REASON_RESULT_INVALID;
	case CURLE_OUT_OF_MEMORY:
		return REASON_INTERNAL_ERROR;
	default:
		return REASON_VERIFIER_UNREACHABLE;
	}
}

static enum reason
status_reason(struct answer *a, struct problem *p, struct error *e)
{
	struct error ignored = { .code = ERR_NONE };

	if (a->status >= 200 && a->status < 300)
		return REASON_OK;
	*p = (struct problem){ .status = a->status, .reason = REASON_REQUEST_INVALID };
	if (a->body && !problem_read(a->body, a->len, p, &ignored))
		*p = (struct problem){ .status = a->status, .reason = REASON_REQUEST_INVALID };
	err_set(e, ERR_REFUSED, "HTTP %d: %.150s", a->status, p->detail[0] ? p->detail : reason_text(p->reason));
	if (a->status >= 500)
		return REASON_VERIFIER_ERROR;
	return a->status >= 400 ? p->reason : REASON_VERIFIER_UNTRUSTED;
}

static enum reason
ask_one(struct upstream *u, const char *base, const struct request *r, int64_t deadline, struct answer *a,
    struct problem *p, struct error *e)
{
	own(slist) struct curl_slist *list = NULL;
	char url[URL_TEXT + 128], detail[CURL_ERROR_SIZE] = "";
	long left = clock_left(deadline), status = 0;
	CURLcode rc;

	if (left <= 0)
		return err_set(e, ERR_TIMEOUT, "no time left"), REASON_VERIFIER_UNREACHABLE;
	if (!u->curl || !headers(r, &list))
		return err_set(e, ERR_MEMORY, "headers"), REASON_INTERNAL_ERROR;
	snprintf(url, sizeof(url), "%s%s", base, r->path);
	curl_easy_reset(u->curl);        /* keeps connections and TLS sessions */
	tls_and_limits(u->curl, u->ca_file, left < (long)u->timeout_ms ? left : (long)u->timeout_ms);
	curl_easy_setopt(u->curl, CURLOPT_URL, url);
	curl_easy_setopt(u->curl, CURLOPT_ERRORBUFFER, detail);
	curl_easy_setopt(u->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(u->curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(u->curl, CURLOPT_WRITEDATA, a);
	if (r->type) {
		curl_easy_setopt(u->curl, CURLOPT_POSTFIELDS, r->body);
		curl_easy_setopt(u->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->len);
	}
	rc = curl_easy_perform(u->curl);
	curl_easy_setopt(u->curl, CURLOPT_ERRORBUFFER, NULL);
	if (rc)
		return transfer_reason(u->curl, rc, detail, e);
	curl_easy_getinfo(u->curl, CURLINFO_RESPONSE_CODE, &status);
	a->status = (int)status;
	return status_reason(a, p, e);
}

enum reason
upstream_ask(struct upstream *u, const struct request *r, int64_t deadline, struct answer *out, struct problem *p,
    struct error *e)
{
	enum reason why = REASON_NOT_ENROLLED;

	if (!u->urls)
		err_set(e, ERR_CONFIG, "no verifier is configured");
	for (unsigned i = 0; i < u->urls; i++) {
		unsigned n = (u->current + i) % u->urls;
		struct answer a = { 0 };

		why = ask_one(u, u->url[n], r, deadline, &a, p, e);
		/* Only an outage makes the next one worth asking: a refusal is an answer. */
		if (!reason_is_outage(why)) {
			u->current = n;
			if (a.status)
				u->answered_wall = clock_now().wall;
			if (why == REASON_OK)
				*out = a;
			else
				free(a.body);
			return why;
		}
		free(a.body);
		err_in(e, "%s", u->url[n]);
	}
	return why;
}

/* The PEM of certinfo entry "Cert:-----BEGIN…" when its DER has the pinned digest. */
static bool
pinned(const char *entry, const uint8_t pin[static SHA256_SIZE], char **pem)
{
	const char *text = strncmp(entry, "Cert:", 5) ? NULL : entry + 5;
	own(bio) BIO *bio = text ? BIO_new_mem_buf(text, -1) : NULL;
	own(x509) X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	uint8_t seen[SHA256_SIZE];
	unsigned len = sizeof(seen);

	if (!x || X509_digest(x, EVP_sha256(), seen, &len) != 1 || !same_bytes(seen, pin, sizeof(seen)))
		return false;
	*pem = strdup(text);
	return *pem != NULL;
}

bool
upstream_fetch_ca(const char *url, const uint8_t pin[static SHA256_SIZE], unsigned timeout_s, char **pem, struct error *e)
{
	CURL *c = curl_easy_init();
	struct curl_certinfo *info = NULL;
	char healthz[URL_TEXT + 16];
	struct answer ignored = { 0 };
	bool found = false;
	CURLcode rc;

	if (!c)
		return err_set(e, ERR_MEMORY, "libcurl");
	snprintf(healthz, sizeof(healthz), "%s/healthz", url);
	tls_and_limits(c, NULL, (long)timeout_s * 1000);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(c, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(c, CURLOPT_URL, healthz);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &ignored);
	rc = curl_easy_perform(c);
	if (!rc && !curl_easy_getinfo(c, CURLINFO_CERTINFO, &info) && info)
		for (int i = 0; i < info->num_of_certs && !found; i++)
			for (struct curl_slist *l = info->certinfo[i]; l && !found; l = l->next)
				found = pinned(l->data, pin, pem);
	if (rc)
		err_set(e, ERR_SYSTEM, "%s: %s", url, curl_easy_strerror(rc));
	else if (!found)
		err_set(e, ERR_UNTRUSTED, "%s shows no certificate with that SHA-256", url);
	free(ignored.body);
	curl_easy_cleanup(c);
	return found;
}
