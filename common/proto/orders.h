/*
 * orders.h - what a verifier tells a host to let in, and how far its gates may go: a compact JWS of its own type, ES256.
 *
 * attest-protocol(7). It can be taken for no result, nor the reverse: the type in the signed header differs. It answers
 * one question, whose nonce is in it; so times are spans from then, and clocks that differ refuse nobody.
 */
#ifndef ORDERS_H
#define ORDERS_H
#include "challenge.h"
#include "lease.h"
#include "sign.h"

enum { ORDERS_MAX = 8 << 10 };

struct order {                                  /* one lease in force */
	char    id[REF_TEXT];
	int64_t remaining;                      /* ms, from when the host asked; at most LEASE_LIFETIME_MAX_MS */
	bool    overrules;
	char    user[LEASE_USER_TEXT], services[LEASE_SERVICES_TEXT];
};
struct orders {
	char           host_id[BOOT_ID_TEXT];
	uint8_t        nonce[NONCE_SIZE];       /* of the question */
	int64_t        issued_wall;             /* by the verifier's clock, for people; in whole seconds */
	enum gate_mode ceiling;                 /* of this host's group, now */
	int64_t        ceiling_left;            /* ms from when the host asked, of one that was set for a while; 0: it stays */
	enum gate_mode ceiling_then;            /* which it is then */
	uint32_t       codes_void;              /* recovery codes up to this sequence are none any more */
	int64_t        next_after;              /* ms until the host should ask again */
	unsigned       count;
	struct order   order[LEASES_MAX];
};

bool orders_sign(const struct orders *, const struct sign_key *, char *out, size_t size, size_t *len, struct error *) MUST_CHECK;

/* Signature by one of the keys, type, all members within range. Host and nonce are for the caller to compare. */
bool orders_verify(const char *jws, size_t len, const struct keyset *, struct orders *, struct error *) MUST_CHECK;

/* {"schema":1,"orders":"…"}, the body of the answer. */
bool orders_answer_read(const char *text, size_t len, char out[static ORDERS_MAX], struct error *) MUST_CHECK;
#endif
