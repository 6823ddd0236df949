/*
 * local.h - what gates and attestctl say to attestd over run_dir/gate.sock.
 *
 * attest-local(7). A stream socket, one request and one answer a connection. Lines "key=value"
 * (values percent-encoded: '%', control characters and bytes over 0x7e), the first is
 * "version=1", an empty line ends the message; at most LOCAL_MAX bytes. An answer may announce
 * "length=N": then N bytes of JSON follow the empty line (N <= LOCAL_JSON_MAX).
 *
 * The same walk reads both directions, without allocation.
 */
#ifndef LOCAL_H
#define LOCAL_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "error.h"

enum { LOCAL_MAX = 4096, LOCAL_JSON_MAX = 1 << 20, LOCAL_VERSION = 1, LOCAL_VALUE_MAX = 1024 };

/* X(NAME, verb, who may, what it does); table, check and man page in one. */
#define LOCAL_VERBS(X) \
X(ASK,     "ask",     ANY,  "attest now or join the attestation under way; answers state, reason, ref, expiry") \
X(STATUS,  "status",  ANY,  "what is known, as JSON, without asking anybody") \
X(ATTEST,  "attest",  ROOT, "as ask, past the rate limit and the negative cache, with the JSON of status") \
X(EXPLAIN, "explain", ANY,  "a past decision or the last verdict, by reference, as JSON") \
X(REPORT,  "report",  ROOT, "decisions counted since a time, as JSON; since") \
X(PEER,    "peer",    ROOT, "the newest verdict on another machine, as the verifier has it; peer, max_age") \
X(REDEEM,  "redeem",  ROOT, "spends a passport of another machine; code, audience, user") \
X(PASSPORT,"passport",ANY,  "attest now, and get a passport for an audience and a user; audience, user") \
X(RECOVER, "recover", ANY,  "let people in by a recovery code; recovery") \
X(TPM,     "tpm",     ROOT, "the TPM's lockout counter, as JSON, by one TPM command at most every 10 s") \
X(METRICS, "metrics", ROOT, "what is counted, as JSON") \
X(ENROLL,  "enroll",  ROOT, "make an attestation key and enroll it; url, ca or ca_sha256, token, name, owner_auth") \
X(UNENROLL, "unenroll", ROOT, "forget the verifier and the key; the key leaves the TPM; owner_auth")

enum local_verb {
#define X(name, verb, who, help) VERB_##name,
	LOCAL_VERBS(X)
#undef X
	VERB_COUNT
};

/*
 * Fields of `ask`: verb, wait_ms (the caller gives up after that), service, user, rhost, max_age.
 * Fields of every answer: ok (yes|no), state, reason, ref, and for ok=no: error (a sentence).
 * Field of `report`: since (ms since 1970; without it everything that is kept).
 * peer and redeem answer with `peer`, the machine that was judged; passport with `code`, if the verdict is a good one.
 * enroll answers when the enrollment is pending or active, with `reason` telling which; unenroll with not-enrolled.
 */

typedef bool local_fn(void *arg, const char *key, const char *value, struct error *);

/*
 * Is there a whole message at the start of buf? *used is its length with the empty line, 0 if
 * more bytes are needed. ERR_LIMIT when it can no longer become one.
 */
bool local_whole(const char *buf, size_t len, size_t *used, struct error *) MUST_CHECK;

/* Walks one whole message; checks the version; gives each key with its decoded value. */
bool local_walk(const char *buf, size_t len, local_fn *fn, void *arg, struct error *) MUST_CHECK;

/* Builds a message: open puts the version line, end the empty one. Fails sticky like writer.h. */
struct local_out { char buf[LOCAL_MAX]; size_t used; bool full; };
void local_open(struct local_out *);
void local_put(struct local_out *, const char *key, const char *value);
void local_put_number(struct local_out *, const char *key, int64_t value);
bool local_end(struct local_out *, struct error *) MUST_CHECK;

/*
 * One exchange as a client: connect without blocking, send, read the whole answer, all before
 * deadline (ms of CLOCK_MONOTONIC). The peer must be root or owner (SO_PEERCRED). No SIGPIPE.
 * ERR_MISSING: nobody listens; ERR_TIMEOUT; ERR_UNTRUSTED. With want_fd the socket stays open and
 * is the caller's, to read the JSON that "length" announces; buf[head..len) already holds its start.
 */
struct local_answer { char buf[LOCAL_MAX]; size_t head, len; };   /* head: bytes of the message */
bool local_exchange(const char *path, uid_t owner, const struct local_out *ask, int64_t deadline,
    struct local_answer *, int *want_fd, struct error *) MUST_CHECK;
#endif
