/*
 * upstream.h - the verifier, over HTTPS. The only file of attestd that reaches libcurl.
 *
 * TLS 1.3, the given CA alone: no system store, no proxy, no .netrc, no redirect. One handle, kept
 * for the connection and the TLS session; belongs to one thread.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H
#include "api.h"
#include "options.h"
#include "scope.h"

enum { ANSWER_MAX = 256 << 10 };

struct upstream {
	void        *curl;
	char         url[URLS_MAX][URL_TEXT];
	unsigned     urls;
	unsigned     current;            /* the one that answered last */
	int64_t      answered_wall;      /* when; 0: none did */
	char         ca_file[PATH_TEXT];
	unsigned     timeout_ms;
};
bool upstream_open(struct upstream *, unsigned timeout_s, struct error *) MUST_CHECK;
void upstream_close(struct upstream *);
/* After a change of CA: no connection, session or cached store of the old one is used again. */
bool upstream_renew(struct upstream *, struct error *) MUST_CHECK;

struct request {
	const char *path;                /* "/v1/challenges" */
	const char *type;                /* content type of body; NULL for GET */
	const void *body;
	size_t      len;
	const char *bearer;              /* NULL or the token */
};
struct answer { int status; char *body; size_t len; };   /* free body */
static inline void drop_answer(struct answer *a) { drop_mem(&a->body); }

/*
 * REASON_OK with any status below 400. Otherwise:
 *   verifier-unreachable  nobody answered in time on any URL, or the certificate has expired
 *   verifier-error        5xx
 *   verifier-untrusted    TLS said no
 *   the problem's reason  4xx (request-invalid when it has none); then problem is filled
 * The first two are outages: grace may bridge them. Others are not.
 */
enum reason upstream_ask(struct upstream *, const struct request *, int64_t deadline, struct answer *, struct problem *,
    struct error *);
static inline bool
reason_is_outage(enum reason r)
{
	return r == REASON_VERIFIER_UNREACHABLE || r == REASON_VERIFIER_ERROR;
}

/*
 * The certificate (PEM, free it) in the chain that the server shows whose SHA-256 over DER is pin.
 * Nothing else of that connection is believed.
 */
bool upstream_fetch_ca(const char *url, const uint8_t pin[static SHA256_SIZE], unsigned timeout_s, char **pem,
    struct error *) MUST_CHECK;
#endif
