/*
 * store.h - what the verifier remembers: a set of verbs that SQLite serves today.
 *
 * Only core and setup open it. Every verb is prepared statements with bound values. A verb that
 * looks for one thing fails with ERR_MISSING when it is not there; one that would break a rule of
 * the schema (a name twice, a reference twice) with ERR_CONFLICT and leaves the transaction usable.
 * Everything that changes something is called between store_begin and store_commit.
 *
 * Rows are values. Where a row has a blob of any size, its owner frees it.
 */
#ifndef STORE_H
#define STORE_H
#include "ipc.h"

enum {
	GROUP_TEXT = NAME_TEXT,
	LABEL_TEXT = NAME_TEXT + 12,        /* "name/version" */
	ORIGIN_TEXT = 200,
	WHO_TEXT = 64,
	SUBJECT_TEXT = 200,
	CHANGE_TEXT = 512,                  /* what is approved, in words that no other change has */
	STORE_SCHEMA = 15,
};

struct store;
/* url is "sqlite:/path". Makes or migrates the schema; a newer one than STORE_SCHEMA is refused. */
bool store_open(const char *url, struct store **, struct error *) MUST_CHECK;
void store_close(struct store *);
static inline void drop_store(struct store **s) { store_close(*s); }

bool store_begin(struct store *, struct error *) MUST_CHECK;
bool store_commit(struct store *, struct error *) MUST_CHECK;   /* rolled back when it fails */
void store_rollback(struct store *);                            /* nothing to do: nothing done */
/*
 * What is read between these two is one state of the store, under one lock; a lock for each question
 * costs more than the answer. store_begin ends it too. Without them every verb has its own.
 */
void store_look(struct store *);
void store_looked(struct store *);

/* --- secrets that all replicas share --- */

/* 32 random bytes of this name, made on first use. */
bool store_secret(struct store *, const char *name, uint8_t out[static 32], struct error *) MUST_CHECK;

enum { CHALLENGE_KEYS = 3 };
struct challenge_keys {
	unsigned count;                     /* newest first */
	struct { uint32_t id; uint8_t key[32]; int64_t made; } key[CHALLENGE_KEYS];
};
/* Makes another when the newest is older than `life` ms, and forgets those older than twice that. */
bool store_challenge_keys(struct store *, int64_t now, int64_t life, struct challenge_keys *, struct error *) MUST_CHECK;
/*
 * Forgets them all, in a transaction of its own: for a start, because the store may be a copy that was put
 * back and lacks the ids that were used since. A store that several verifiers share does nothing here.
 */
bool store_challenge_keys_void(struct store *, struct error *) MUST_CHECK;

/* --- hosts and enrollments --- */

#define ENROLLMENTS(X) X(PROOF, "proof") X(PENDING, "pending") X(ACTIVE, "active") \
	X(REJECTED, "rejected") X(REVOKED, "revoked")
enum enrollment {
#define X(name, word) ENROLLMENT_##name,
	ENROLLMENTS(X)
#undef X
	ENROLLMENT_COUNT
};
const char *enrollment_word(enum enrollment);

/* What a TPM has proved about itself. */
struct identity {
	char            ek[FINGERPRINT_TEXT];
	char            ek_subject[SUBJECT_TEXT];
	int64_t         ek_not_after;
	struct tpm_name ak, signer;
	uint8_t         spki[TPM_PUBLIC_MAX];
	size_t          spki_len;
	uint16_t        hash;               /* of the AK's scheme, TPM_ALG_ID */
	uint32_t        banks;
};

struct host_row {
	char            id[BOOT_ID_TEXT], name[NAME_TEXT], group[GROUP_TEXT];
	enum enrollment state;              /* ACTIVE or REVOKED */
	struct identity key;
	int64_t         enrolled;
	bool            gave_log;
	enum evidence_class class;
	/* the newest report that this AK itself vouched for; at is 0 before the first */
	int64_t         at;
	enum state      verdict;
	enum reason     reason;
	char            ref[REF_TEXT];
	char            references[REFERENCES_TEXT];
	/* the newest quote that was taken: counters of this boot */
	bool            seen;
	char            boot_id[BOOT_ID_TEXT];
	uint32_t        reset_count, restart_count;
	uint64_t        clock;
};
bool store_host_by_ak(struct store *, const struct tpm_name *, struct host_row *, struct error *) MUST_CHECK;
bool store_host_by_id(struct store *, const char *id, struct host_row *, struct error *) MUST_CHECK;
bool store_host_by_name(struct store *, const char *name, struct host_row *, struct error *) MUST_CHECK;  /* active before revoked */
bool store_host_by_ek(struct store *, const char *ek, struct host_row *, struct error *) MUST_CHECK;      /* active before revoked */
typedef bool host_fn(void *arg, const struct host_row *, struct error *);
bool store_hosts(struct store *, host_fn *, void *arg, struct error *) MUST_CHECK;

/* A new host, or a new key for the one of this id. */
bool store_host_put(struct store *, const struct host_row *, struct error *) MUST_CHECK;
bool store_host_class(struct store *, const char *id, enum evidence_class, struct error *) MUST_CHECK;
bool store_host_state(struct store *, const char *id, enum enrollment, struct error *) MUST_CHECK;
bool store_host_name(struct store *, const char *id, const char *name, struct error *) MUST_CHECK;   /* ERR_CONFLICT */
/*
 * Forgets it, with its reports, enrollments, leases, passports, what it told, and its being a gateway; its own sets are
 * retired. Its logs have to be gone: store_log_drop().
 */
bool store_host_drop(struct store *, const char *id, struct error *) MUST_CHECK;
bool store_host_group(struct store *, const char *id, const char *group, struct error *) MUST_CHECK;
/* Writes verdict, counters and gave_log of the row, and the newest result (compact JWS). */
bool store_host_report(struct store *, const struct host_row *, const char *jws, struct error *) MUST_CHECK;
bool store_newest(struct store *, const char *id, char *jws, size_t size, struct error *) MUST_CHECK;

struct enrollment_row {
	char            id[BOOT_ID_TEXT], name[NAME_TEXT], host_id[BOOT_ID_TEXT];
	enum enrollment state;
	uint8_t         secret[SHA256_SIZE];    /* hash of it */
	bool            has_token;
	uint8_t         token[SHA256_SIZE];     /* hash of it */
	struct identity key;
	int64_t         created;
};
bool store_enrollment_add(struct store *, const struct enrollment_row *, struct error *) MUST_CHECK;
bool store_enrollment(struct store *, const char *id, struct enrollment_row *, struct error *) MUST_CHECK;
bool store_enrollment_pending(struct store *, const char *name, struct enrollment_row *, struct error *) MUST_CHECK;
/* The newest of this AK, whatever its state. */
bool store_enrollment_by_ak(struct store *, const struct tpm_name *, struct enrollment_row *, struct error *) MUST_CHECK;
bool store_enrollment_state(struct store *, const char *id, enum enrollment, struct error *) MUST_CHECK;
typedef bool enrollment_fn(void *arg, const struct enrollment_row *, struct error *);
bool store_enrollments_pending(struct store *, enrollment_fn *, void *arg, struct error *) MUST_CHECK;
/* Forgets what was never proved and is older than `before`. */
bool store_enrollments_purge(struct store *, int64_t before, struct error *) MUST_CHECK;

bool store_token_add(struct store *, const uint8_t hash[static SHA256_SIZE], int64_t expires, struct error *) MUST_CHECK;
bool store_token_good(struct store *, const uint8_t hash[static SHA256_SIZE], int64_t now, bool *good, struct error *) MUST_CHECK;
/* *used is false when it was not good any more. */
bool store_token_use(struct store *, const uint8_t hash[static SHA256_SIZE], int64_t now, const char *by, bool *used,
    struct error *) MUST_CHECK;

/* --- evidence --- */

/* *first is false when this id has been used before. That is the whole of single use. */
bool store_challenge_use(struct store *, const uint8_t id[static CHALLENGE_ID_SIZE], int64_t expires, bool *first,
    struct error *) MUST_CHECK;
bool store_challenges_purge(struct store *, int64_t expired_before, struct error *) MUST_CHECK;

struct report_row {
	char       ref[REF_TEXT], host_id[BOOT_ID_TEXT];
	int64_t    at;
	enum state state;
	enum reason reason;
	bool       vouched;                 /* signature, signer and context held: the AK itself says so */
	bool       replayed;
	bool       has_log;
	uint8_t    log[SHA256_SIZE];
	enum bank  bank;                    /* of the selection */
	uint32_t   pcrs;
	char       boot_id[BOOT_ID_TEXT];
	uint8_t   *verdict;                 /* packed; owned by the caller of a reading verb */
	size_t     verdict_len;
	uint8_t   *quote;                   /* packed, if its rows held, to judge it again; owned likewise */
	size_t     quote_len;
};
void report_row_free(struct report_row *);
static inline void drop_report(struct report_row *r) { report_row_free(r); }
/* ERR_CONFLICT when the reference is taken: make another. */
bool store_report_add(struct store *, const struct report_row *, struct error *) MUST_CHECK;
bool store_report(struct store *, const char *ref, struct report_row *, struct error *) MUST_CHECK;
/* The newest of a host whose quote and log agree. */
bool store_report_replayed(struct store *, const char *host_id, struct report_row *, struct error *) MUST_CHECK;
typedef bool report_fn(void *arg, const struct report_row *, struct error *);   /* without verdict */
bool store_reports(struct store *, const char *host_id, unsigned limit, report_fn *, void *arg, struct error *) MUST_CHECK;
/* Drops those before `before`, `most` at once; not a host's newest, nor its newest that replayed. */
bool store_reports_purge(struct store *, int64_t before, unsigned most, struct error *) MUST_CHECK;
/* Keeps the newest `keep` of those that the host's AK did not vouch for: anybody can cause them. */
bool store_reports_trim(struct store *, const char *host_id, unsigned keep, struct error *) MUST_CHECK;

bool store_log_known(struct store *, const char *host_id, const uint8_t digest[static SHA256_SIZE], bool *known,
    struct error *) MUST_CHECK;
bool store_log_note(struct store *, const char *host_id, const uint8_t digest[static SHA256_SIZE], int64_t now,
    struct error *) MUST_CHECK;
/* The oldest log of a host beyond `keep`, forgotten; *orphan when no other host has it. ERR_MISSING: none. */
bool store_log_drop(struct store *, const char *host_id, unsigned keep, uint8_t digest[static SHA256_SIZE], bool *orphan,
    struct error *) MUST_CHECK;

/*
 * How far the IMA list of a host has been accepted, one row a host: it is there once a list of that host met its quote.
 * The state is the judge's (check_ima.h), opaque here; key says which boot, policy and rules it belongs to. The position
 * of one key never moves back: of two attestations at once, the one that got further stays.
 */
struct ima_row {
	uint8_t  key[SHA256_SIZE];
	uint64_t entries, violations, pending;
	bool     refused;                   /* an entry up to there is bad: for this boot */
	uint8_t *state;                     /* owned by the caller of a reading verb */
	size_t   state_len;
};
void ima_row_free(struct ima_row *);
static inline void drop_ima_row(struct ima_row *r) { ima_row_free(r); }
bool store_ima(struct store *, const char *host_id, struct ima_row *, struct error *) MUST_CHECK;
bool store_ima_put(struct store *, const char *host_id, const struct ima_row *, struct error *) MUST_CHECK;

/* --- gateways, who may ask about other hosts; and passports --- */

struct gateway_row {
	char    name[NAME_TEXT];
	char    host_id[BOOT_ID_TEXT];          /* the enrolled host that it is; "" for one with a token of its own */
	uint8_t token[SHA256_SIZE];             /* hash of it */
	char    audiences[AUDIENCES_TEXT];      /* for which it redeems passports, with spaces between; may be none */
	int64_t created;
};
bool store_gateway_add(struct store *, const struct gateway_row *, struct error *) MUST_CHECK;   /* ERR_CONFLICT */
bool store_gateway_drop(struct store *, const char *name, struct error *) MUST_CHECK;            /* ERR_MISSING */
bool store_gateway_by_token(struct store *, const uint8_t token[static SHA256_SIZE], struct gateway_row *,
    struct error *) MUST_CHECK;
typedef bool gateway_fn(void *arg, const struct gateway_row *, struct error *);
bool store_gateways(struct store *, gateway_fn *, void *arg, struct error *) MUST_CHECK;

struct passport_row {
	uint8_t code[SHA256_SIZE];              /* hash of it */
	char    host_id[BOOT_ID_TEXT], audience[AUDIENCE_TEXT], user[PASSPORT_USER_TEXT];
	char    result[RESULT_MAX];             /* compact JWS, for that audience */
	int64_t expires;                        /* of the code */
};
bool store_passport_add(struct store *, const struct passport_row *, struct error *) MUST_CHECK;
/* Spends it, whatever comes of it. ERR_MISSING: there is none, or it was spent before. */
bool store_passport_take(struct store *, const uint8_t code[static SHA256_SIZE], struct passport_row *,
    struct error *) MUST_CHECK;
bool store_passports_purge(struct store *, int64_t expired_before, struct error *) MUST_CHECK;

/* --- what hosts told afterwards --- */

struct incident_row { struct incident event; int64_t told; };
/* The one id of a batch was there before: it is not taken again. */
bool store_batch_known(struct store *, const char *host_id, const uint8_t batch[static BATCH_SIZE], bool *known,
    struct error *) MUST_CHECK;
/* How many events this host told from one time to another. */
bool store_events_told(struct store *, const char *host_id, int64_t from, int64_t to, unsigned *count, struct error *) MUST_CHECK;
/* All of a batch: its events, and the modes in the place of those before. Keeps the newest `keep` events of the host. */
bool store_batch_add(struct store *, const char *host_id, const struct incidents *, int64_t told, unsigned keep,
    struct error *) MUST_CHECK;
typedef bool incident_fn(void *arg, const struct incident_row *, struct error *);
bool store_incidents(struct store *, const char *host_id, unsigned limit, incident_fn *, void *arg, struct error *) MUST_CHECK;
/* Of each kind: how many uses are kept, and the last. The rest of the row is empty. */
bool store_incident_sums(struct store *, const char *host_id, incident_fn *, void *arg, struct error *) MUST_CHECK;
typedef bool mode_fn(void *arg, const struct service_mode *, int64_t told, struct error *);
bool store_modes(struct store *, const char *host_id, mode_fn *, void *arg, struct error *) MUST_CHECK;

/* --- references --- */

#define SET_STATES(X) X(CANDIDATE, "candidate") X(ACTIVE, "active") X(RETIRED, "retired") X(REVOKED, "revoked")
enum set_state {
#define X(name, word) SET_##name,
	SET_STATES(X)
#undef X
	SET_STATE_COUNT
};
const char *set_state_word(enum set_state);

struct set_row {
	char           name[NAME_TEXT];
	uint32_t       version;
	enum set_state state;
	uint8_t        digest[SHA256_SIZE];     /* of body */
	char           group[GROUP_TEXT], host_id[BOOT_ID_TEXT], origin[ORIGIN_TEXT], report[REF_TEXT];
	uint32_t       entries;
	int64_t        created, expires;        /* expires 0: never */
	bool           own;                     /* serves the host of host_id alone */
	uint32_t       revoked;                 /* components that are refused by themselves; 0: the boot as a whole */
	uint8_t       *body;                    /* packed; owned by the caller of a reading verb */
	size_t         body_len;
};
void set_row_free(struct set_row *);
static inline void drop_set_row(struct set_row *r) { set_row_free(r); }
void set_label(const struct set_row *, char out[static LABEL_TEXT]);
/* The next version of its name; *version is set. */
bool store_set_add(struct store *, const struct set_row *, uint32_t *version, struct error *) MUST_CHECK;
/* version 0: the newest. */
bool store_set(struct store *, const char *name, uint32_t version, struct set_row *, struct error *) MUST_CHECK;
bool store_set_state(struct store *, const char *name, uint32_t version, enum set_state, uint32_t revoked,
    struct error *) MUST_CHECK;
bool store_set_expires(struct store *, const char *name, uint32_t version, int64_t expires, struct error *) MUST_CHECK;
typedef bool set_fn(void *arg, const struct set_row *, struct error *);         /* the body is lent for the call */
bool store_sets(struct store *, set_fn *, void *arg, struct error *) MUST_CHECK;                   /* all, without body */
/*
 * What a verdict on this host may look at, with bodies, at most SETS_MAX: the group's sets and its own;
 * revoked ones first, then active ones, the host's own before others, then candidates.
 */
bool store_sets_of(struct store *, const char *group, const char *host_id, int64_t now, set_fn *, void *arg,
    struct error *) MUST_CHECK;
/* Hosts whose newest report rests on this set count as refused from now on, and their result is gone. */
bool store_set_mark(struct store *, const char *label, enum reason, struct error *) MUST_CHECK;
/* Hosts whose newest report matched this set. */
bool store_set_hosts(struct store *, const char *label, uint32_t *count, struct error *) MUST_CHECK;

/* --- policies, and the groups that follow them --- */

struct policy_row {
	char     name[NAME_TEXT];
	uint32_t version;
	uint8_t  digest[SHA256_SIZE];           /* of body */
	int64_t  created;
	char     author[WHO_TEXT];
	uint8_t *body;                          /* packed policy; owned by the caller of a reading verb */
	size_t   body_len;
	uint8_t *ima;                           /* packed rules for IMA, or none; owned likewise */
	size_t   ima_len;
};
void policy_row_free(struct policy_row *);
static inline void drop_policy_row(struct policy_row *r) { policy_row_free(r); }
/* The next version of its name; *version is set. */
bool store_policy_add(struct store *, const struct policy_row *, uint32_t *version, struct error *) MUST_CHECK;
/* version 0: the newest, which is the one that counts. */
bool store_policy(struct store *, const char *name, uint32_t version, struct policy_row *, struct error *) MUST_CHECK;
typedef bool policy_fn(void *arg, const struct policy_row *, struct error *);
bool store_policies(struct store *, policy_fn *, void *arg, struct error *) MUST_CHECK;    /* all, without bodies */

struct group_row {
	char           name[GROUP_TEXT], policy[NAME_TEXT];
	/* the most that gates of the group may do until then, whatever the policy says; 0: nothing is set */
	enum gate_mode ceiling;
	int64_t        ceiling_until;
	uint32_t       hosts;                   /* active ones; read only */
};
bool store_group(struct store *, const char *name, struct group_row *, struct error *) MUST_CHECK;
/* What counts for the hosts of a group: the group without its hosts, and the newest of its policy without bodies. */
bool store_policy_of(struct store *, const char *group, struct group_row *, struct policy_row *, struct error *) MUST_CHECK;
bool store_group_put(struct store *, const struct group_row *, struct error *) MUST_CHECK;   /* a new one, or changed */
typedef bool group_fn(void *arg, const struct group_row *, struct error *);
bool store_groups(struct store *, group_fn *, void *arg, struct error *) MUST_CHECK;

/* --- allow lists for IMA, which policies name --- */

struct allow_row {
	char     name[NAME_TEXT];
	uint8_t  digest[SHA256_SIZE];           /* of body */
	uint32_t entries;
	int64_t  created;
	char     author[WHO_TEXT];
	uint8_t *body;                          /* packed (allow_list.h); owned by the caller of a reading verb */
	size_t   body_len;
};
void allow_row_free(struct allow_row *);
static inline void drop_allow_row(struct allow_row *r) { allow_row_free(r); }
/* In the place of the one of its name. */
bool store_allow_put(struct store *, const struct allow_row *, struct error *) MUST_CHECK;
bool store_allow_drop(struct store *, const char *name, struct error *) MUST_CHECK;     /* ERR_MISSING */
bool store_allow(struct store *, const char *name, struct allow_row *, struct error *) MUST_CHECK;
bool store_allow_digest(struct store *, const char *name, uint8_t digest[static SHA256_SIZE], struct error *) MUST_CHECK;
typedef bool allow_fn(void *arg, const struct allow_row *, struct error *);             /* without body */
bool store_allows(struct store *, allow_fn *, void *arg, struct error *) MUST_CHECK;

/* --- leases: hosts that let people in for a while, whatever is measured --- */

struct lease_row {
	char     id[REF_TEXT], host_id[BOOT_ID_TEXT];
	int64_t  created, expires;              /* expires 0: of a code of which the host has told no use yet */
	unsigned seconds;                       /* how long */
	uint32_t sequence;                      /* of a recovery code; 0: by order */
	bool     overrules;
	char     user[LEASE_USER_TEXT], services[LEASE_SERVICES_TEXT];
	char     who[WHO_TEXT], why[REASON_TEXT];
	int64_t  ended;                         /* 0: it was not */
};
/* ERR_CONFLICT when the id is taken: make another. */
bool store_lease_add(struct store *, const struct lease_row *, struct error *) MUST_CHECK;
typedef bool lease_fn(void *arg, const struct lease_row *, struct error *);
/* Newest first. */
bool store_leases(struct store *, const char *host_id, unsigned limit, lease_fn *, void *arg, struct error *) MUST_CHECK;
/* Those by order that count at `now`, oldest first. */
bool store_leases_live(struct store *, const char *host_id, int64_t now, lease_fn *, void *arg, struct error *) MUST_CHECK;
/* Ends one, or all that have not ended with id "": *count were. A code takes those before it along: sequences only rise. */
bool store_lease_end(struct store *, const char *host_id, const char *id, int64_t now, unsigned *count, struct error *) MUST_CHECK;
/* The host tells that somebody came in by this one, first at `at` by its clock: if it is a code, its time began then. */
bool store_lease_used(struct store *, const char *host_id, const char *id, int64_t at, int64_t now, struct error *) MUST_CHECK;
/* The newest sequence of a code that was given out, and the newest that was ended; 0: none. */
bool store_lease_codes(struct store *, const char *host_id, uint32_t *given, uint32_t *ended, struct error *) MUST_CHECK;

/* --- approvals of changes that need more than one; a change is named by a text that says all of it --- */

/* One credential has one approval of a change, of the last time that it gave it. */
struct approval_row {
	char     change[CHANGE_TEXT], who[WHO_TEXT];
	int64_t  at;
	unsigned needed;                        /* by the policies when it was given */
};
bool store_approval_put(struct store *, const struct approval_row *, struct error *) MUST_CHECK;
typedef bool approval_fn(void *arg, const struct approval_row *, struct error *);
/* Those given later than that, change by change, the oldest first. */
bool store_approvals_since(struct store *, int64_t after, approval_fn *, void *arg, struct error *) MUST_CHECK;
bool store_approvals(struct store *, const char *change, unsigned *count, struct error *) MUST_CHECK;
bool store_approvals_end(struct store *, const char *change, struct error *) MUST_CHECK;        /* it was made */
bool store_approvals_purge(struct store *, int64_t until, struct error *) MUST_CHECK;   /* those given then or before */

/* --- the audit trail: rows are added and read, never changed (the schema itself refuses) --- */

struct audit_row {
	int64_t number, at;
	char    who[WHO_TEXT], action[32], subject[SUBJECT_TEXT], why[REASON_TEXT], before[SUBJECT_TEXT], after[SUBJECT_TEXT];
	uint8_t previous[SHA256_SIZE], hash[SHA256_SIZE];
};
bool store_audit_last(struct store *, struct audit_row *, struct error *) MUST_CHECK;
bool store_audit_add(struct store *, const struct audit_row *, struct error *) MUST_CHECK;
typedef bool audit_fn(void *arg, const struct audit_row *, struct error *);
bool store_audit(struct store *, audit_fn *, void *arg, struct error *) MUST_CHECK;
#endif
