/*
 * api.h - JSON bodies between a host and the verifier, one struct each, both directions.
 *
 * attest-protocol(7) has them as text. Readers are strict about what is there and ignore members
 * they do not know, so that newer peers may add some. *_json gives text to free.
 */
#ifndef API_H
#define API_H
#include "challenge.h"
#include "recovery.h"
#include "ref.h"
#include "result.h"

enum {
	API_BODY_MAX   = 160 << 10,      /* eight chain certificates of 8 KiB, in base64url */
	EK_CERT_MAX    = 8 << 10,
	EK_CHAIN_MAX   = 8,
	HOST_TEXT  = NAME_TEXT,      /* letters, digits, '.', '-', '_' */
	TOKEN_TEXT     = 64,
	CREDENTIAL_MAX = 256,
	SECRET_SIZE    = 32,
};

struct challenge_request {               /* POST /v1/challenges */
	struct tpm_name ak;
	char     boot_id[BOOT_ID_TEXT];
	uint8_t  boot_log[SHA256_SIZE];
	uint64_t boot_log_len;
	uint64_t ima_count;                  /* entries that the host's IMA list has now; 0 when it has none */
	enum purpose purpose;                /* "purpose"; login when it is missing */
};
struct challenge_answer {
	uint8_t          challenge[CHALLENGE_SIZE];
	uint8_t          nonce[NONCE_SIZE];
	struct selection selection;
	bool             boot_log_known;     /* "boot_log": "known" or "send" */
	bool             ima_wanted;         /* "ima_from" is there: */
	uint64_t         ima_from;           /* the first entry to send */
	int64_t          expires_in;         /* ms */
};
struct evidence_answer {                 /* 200 of POST /v1/evidence and /v1/passports */
	char     result[RESULT_MAX];
	char     ref[REF_TEXT];
	char     passport[CODE_TEXT];        /* of a passport that was granted; else "" and missing */
	int64_t  next_after;                 /* ms until the next attestation should start */
};
struct redemption {                      /* POST /v1/passports/redemptions */
	char     code[CODE_TEXT];
	char     audience[AUDIENCE_TEXT];
	char     user[PASSPORT_USER_TEXT];
};
struct told_result {                     /* 200 of it, and of GET /v1/results/{host} */
	char     result[RESULT_MAX];
	struct public_key root;
	char     keyset[JWS_MAX];            /* signed by root */
};
struct enroll_request {                  /* POST /v1/enrollments */
	char     name[HOST_TEXT];
	uint8_t  ek_public[TPM_PUBLIC_MAX];  size_t ek_public_len;    /* TPMT_PUBLIC */
	uint8_t  ek_cert[EK_CERT_MAX];       size_t ek_cert_len;      /* DER as found in NV, cut at its length */
	uint8_t  chain[EK_CHAIN_MAX][EK_CERT_MAX]; size_t chain_len[EK_CHAIN_MAX]; unsigned chain_count;
	uint8_t  ak_public[TPM_PUBLIC_MAX];  size_t ak_public_len;    /* TPMT_PUBLIC */
	uint32_t banks;                      /* allocated banks, bit = enum bank */
	char     token[TOKEN_TEXT];          /* "" when none */
};
struct enroll_answer {
	char     id[BOOT_ID_TEXT];
	uint8_t  credential[CREDENTIAL_MAX]; size_t credential_len;   /* TPM2B_ID_OBJECT, whole */
	uint8_t  secret[512];                size_t secret_len;       /* TPM2B_ENCRYPTED_SECRET, whole */
};
struct enrolled {                        /* POST …/proof and GET /v1/enrollments/{id} */
	char     host_id[BOOT_ID_TEXT];
	char     name[HOST_TEXT];
	char     state[16];                  /* pending, active, rejected */
	struct public_key root;              /* from here on only when active */
	char     keyset[JWS_MAX];            /* signed by root */
	char     token[TOKEN_TEXT];          /* host token, bearer of GET /v1/results and /v1/orders */
	bool     has_recovery;               /* a verifier of an older version gives none */
	uint8_t  recovery[RECOVERY_KEY_SIZE];    /* key of recovery codes */
};
struct problem {                         /* RFC 9457, every answer from 400 on */
	int         status;
	enum reason reason;
	char        detail[200];
	char        ref[REF_TEXT];
	char        need[16];                /* of a 409: "boot_log" or "ima"; else "" */
	uint64_t    from;                    /* of need "ima": the first entry to send */
};

bool challenge_request_json(const struct challenge_request *, char **, size_t *, struct error *) MUST_CHECK;
bool challenge_request_read(const char *, size_t, struct challenge_request *, struct error *) MUST_CHECK;
bool challenge_answer_json(const struct challenge_answer *, char **, size_t *, struct error *) MUST_CHECK;
bool challenge_answer_read(const char *, size_t, struct challenge_answer *, struct error *) MUST_CHECK;
/* state and reasons are told beside the signed result for people with curl; attestd reads result alone. */
bool evidence_answer_json(const struct evidence_answer *, const struct result *, char **, size_t *, struct error *) MUST_CHECK;
bool evidence_answer_read(const char *, size_t, struct evidence_answer *, struct error *) MUST_CHECK;
bool redemption_json(const struct redemption *, char **, size_t *, struct error *) MUST_CHECK;
bool redemption_read(const char *, size_t, struct redemption *, struct error *) MUST_CHECK;
bool told_result_json(const struct told_result *, char **, size_t *, struct error *) MUST_CHECK;
bool told_result_read(const char *, size_t, struct told_result *, struct error *) MUST_CHECK;
bool enroll_request_json(const struct enroll_request *, char **, size_t *, struct error *) MUST_CHECK;
bool enroll_request_read(const char *, size_t, struct enroll_request *, struct error *) MUST_CHECK;
bool enroll_answer_json(const struct enroll_answer *, char **, size_t *, struct error *) MUST_CHECK;
bool enroll_answer_read(const char *, size_t, struct enroll_answer *, struct error *) MUST_CHECK;
bool proof_json(const uint8_t secret[static SECRET_SIZE], char **, size_t *, struct error *) MUST_CHECK;
bool proof_read(const char *, size_t, uint8_t secret[static SECRET_SIZE], struct error *) MUST_CHECK;
bool enrolled_json(const struct enrolled *, char **, size_t *, struct error *) MUST_CHECK;
bool enrolled_read(const char *, size_t, struct enrolled *, struct error *) MUST_CHECK;
bool problem_json(const struct problem *, char **, size_t *, struct error *) MUST_CHECK;
bool problem_read(const char *, size_t, struct problem *, struct error *) MUST_CHECK;
#endif
