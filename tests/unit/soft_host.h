/*
 * soft_host.h - a host whose TPM is a P-256 key in software.
 *
 * It signs TPMS_ATTEST over the replayed PCRs of a recorded boot, or over whatever the test wants
 * instead. What cannot fail aborts with a line on stderr.
 */
#ifndef SOFT_HOST_H
#define SOFT_HOST_H
#include <openssl/evp.h>
#include "api.h"
#include "evidence.h"
#include "soft_ima.h"
#include "store.h"

struct soft_host {
	char      name[NAME_TEXT], id[BOOT_ID_TEXT], boot_id[BOOT_ID_TEXT];
	EVP_PKEY *key;
	struct tpm_name ak, signer;
	uint8_t  *log; size_t log_len;
	bool      gives_no_log;             /* the log says what is in the PCRs, and an empty one is sent */
	uint64_t  clock;
	uint32_t  reset_count;
	enum purpose purpose;               /* of the challenges that it asks for; login */
	struct soft_ima ima;                /* without entries: it has no list */
	unsigned  ima_covered;              /* entries that its PCR 10 has; the rest was measured after the quote */
};
/* The number makes its ids; out: its row of the store, active. log stays NULL: the caller's to load, freed with the host. */
void soft_host_new(struct soft_host *, const char *name, unsigned number, struct host_row *out);
void soft_host_free(struct soft_host *);

/* What goes into a quote and beside it; make_evidence fills what is honest, the test changes some. */
struct soft_quote {
	uint32_t  magic; uint16_t type;
	struct tpm_name signer;
	struct selection selection;
	uint8_t   pcr_digest[32];
	uint32_t  reset_count, restart_count;
	uint64_t  clock;
	EVP_PKEY *key;
	struct context context;             /* what extraData is made of */
	/* the parts that are sent */
	uint8_t   challenge[CHALLENGE_SIZE], nonce[NONCE_SIZE], log_digest[SHA256_SIZE], facts_digest[SHA256_SIZE];
	const uint8_t *log; size_t log_len; bool with_log;
	const char *facts;
	const char *sent_audience, *sent_user;      /* of a passport; "": no part */
	int64_t   ima_from;                 /* -1: no part */
	bool      with_values;              /* part 8, empty unless soft_values() was called */
	uint8_t   values[PCR_VALUES_MAX]; size_t values_len;
	const struct soft_ima *ima;         /* NULL: no list; else entries ima_at up to ima_to of it */
	unsigned  ima_at, ima_to;
};
/* What the host asks a challenge with, and the honest quote for the answer. */
void soft_ask(const struct soft_host *, struct challenge_request *out);
void soft_quote(struct soft_host *, const struct challenge_answer *, struct soft_quote *out);
/* The values of the quoted PCRs, as the host's log gives them. */
void soft_values(const struct soft_host *, struct soft_quote *);
/* The body of POST /v1/evidence and /v1/passports; free it. */
uint8_t *soft_evidence(const struct soft_quote *, size_t *len);
#endif
