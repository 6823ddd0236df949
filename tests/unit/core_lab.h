/*
 * core_lab.h - verifierd-core with workers, in a folder of its own; the test plays main and net.
 *
 * A host is a P-256 key in software: it signs TPMS_ATTEST over the replayed PCRs of a recorded
 * boot, or over whatever the test wants instead.
 */
#ifndef CORE_LAB_H
#define CORE_LAB_H
#include <openssl/evp.h>
#include <sys/types.h>
#include "evidence.h"
#include "json.h"
#include "keys.h"
#include "store.h"

enum { LAB_WORKERS = 4 };

struct lab {
	char  dir[64], conf[96];
	pid_t core, worker[LAB_WORKERS];
	int   to_core;                      /* main's end */
	int   hosts, admin;                 /* net's ends */
	uint64_t job;
	uint32_t generation;
};
void lab_open(struct lab *);                /* folder, keys, empty store */
void lab_start(struct lab *, unsigned parsers, unsigned judges);
void lab_kill_core(struct lab *);           /* as kill -9 does; its workers go with it */
void lab_close(struct lab *);
/* The end of a channel of this role that the test keeps; core has the other. */
int  lab_channel(struct lab *, enum role, uint8_t index);
struct store *lab_store(struct lab *);      /* close it before core starts again */

/* One reply of core: status and body. */
struct reply { int status; uint64_t job; char body[64 << 10]; };
uint64_t lab_send(struct lab *, enum message, const void *, size_t);
void lab_receive(int channel, struct reply *);
void lab_ask(struct lab *, enum message, const void *, size_t, struct reply *);
void lab_admin(struct lab *, const struct admin_request *, struct reply *);
const char *reply_reason(const struct reply *);    /* "reason" of a problem, state of an evidence answer */

struct soft_host {
	char      name[NAME_TEXT], id[BOOT_ID_TEXT], boot_id[BOOT_ID_TEXT];
	EVP_PKEY *key;
	struct tpm_name ak, signer;
	uint8_t  *log; size_t log_len;
	uint64_t  clock;
};
void soft_host(struct lab *, struct soft_host *, const char *name, const char *boot);  /* active in the store */
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
	int64_t   ima_from;                 /* -1: no part */
};
/* Asks for a challenge and fills the honest quote for it. False with the reply when it is refused. */
bool soft_challenge(struct lab *, struct soft_host *, struct soft_quote *, struct reply *);
/* The body of POST /v1/evidence; free it. */
uint8_t *soft_evidence(const struct soft_quote *, size_t *len);
void soft_attest(struct lab *, const struct soft_quote *, struct reply *);
#endif
