/*
 * ipc.h - every message between verifierd's processes, and the frame that carries it.
 *
 * One SOCK_SEQPACKET pair between core and each other role. A frame is a header and a payload of
 * at most IPC_INLINE_MAX bytes; a larger payload, and every payload marked so, travels as a sealed
 * memfd (F_SEAL_WRITE, GROW, SHRINK, SEAL) beside the header. A peer that breaks the rules of its
 * channel is disconnected and restarted by main.
 *
 * core knows by the channel which class speaks: what a host listener may send is in the table, and
 * an admin message on a host channel is a protocol violation, not a refusal.
 */
#ifndef IPC_H
#define IPC_H
#include <sys/types.h>
#include "api.h"
#include "appraise.h"
#include "incidents.h"
#include "evidence.h"
#include "policy_json.h"
#include "ima_rules.h"
#include "lease.h"
#include "set_import.h"

enum {
	IPC_INLINE_MAX = 128 << 10,
	IPC_HEADER     = 24,
	IPC_PAYLOAD_MAX = 16 << 20,
	ALLOW_FILE_MAX = SET_JSON_MAX,  /* text of one allow list; a policy may name several */
	IPC_FDS_MAX    = 2,            /* payload memfd, and the unix peer of an admin request */
};

#define ROLES(X) X(MAIN, "main") X(CORE, "core") X(HOSTS, "net-hosts") X(ADMIN, "net-admin") X(PARSE, "parse") X(JUDGE, "judge")
enum role {
#define X(name, word) ROLE_##name,
	ROLES(X)
#undef X
	ROLE_COUNT
};

/* X(NAME, from, to, largest payload) */
#define MESSAGES(X) \
/* net -> core: one job each; job ids are chosen by net and unique on its channel */ \
X(CHALLENGE,   HOSTS, CORE,  4 << 10)      /* struct challenge_request, packed */ \
X(EVIDENCE,    HOSTS, CORE,  EVIDENCE_MAX) /* the body as it came, unread */ \
X(ENROLL,      HOSTS, CORE,  128 << 10)    /* struct enroll_request, packed */ \
X(PROOF,       HOSTS, CORE,  1 << 10)      /* struct proof, packed */ \
X(ENROLLED,    HOSTS, CORE,  1 << 10)      /* struct proof, packed (the secret came as bearer) */ \
X(NEWEST,      HOSTS, CORE,  1 << 10)      /* struct newest, packed: GET /v1/results/{host} */ \
X(PASSPORT,    HOSTS, CORE,  EVIDENCE_MAX) /* the body as it came, unread: evidence with an audience and a user */ \
X(REDEEM,      HOSTS, CORE,  1 << 10)      /* struct redeem, packed */ \
X(ORDERS,      HOSTS, CORE,  1 << 10)      /* struct orders_ask, packed: GET /v1/orders/{host}/{nonce} */ \
X(KEYS,        HOSTS, CORE,  0)            /* GET /.well-known/jwks.json */ \
X(ADMIN,       ADMIN, CORE,  SET_JSON_MAX + (8 << 10)) /* struct admin_request, packed; unix peer attached */ \
X(REPLY_HOST,  CORE,  HOSTS, 1 << 20)      /* status u16, body: JSON text (problem+json from 400 on) */ \
X(REPLY_ADMIN, CORE,  ADMIN, SET_JSON_MAX + (8 << 10)) \
X(EVENTS,      HOSTS, CORE,  32 << 10)     /* the body as it came, unread */ \
/* core -> workers and back */ \
X(PARSE_LOG,    CORE,  PARSE, BOOT_LOG_MAX)  /* the log's bytes */ \
X(PARSED_LOG,   PARSE, CORE,  16 << 20)      /* ok u8, then packed eventlog or the error text */ \
X(PARSE_IMA,    CORE,  PARSE, IMA_PART_MAX + 8) /* number of the first entry u64, part 5 of the evidence */ \
X(PARSED_IMA,   PARSE, CORE,  16 << 20)      /* ok u8, then packed entries or the error text */ \
X(PARSE_ENROLL, CORE,  PARSE, 8 << 20)       /* now, flags, request, ek_roots (PEM bundle) */ \
X(PARSED_ENROLL,PARSE, CORE,  8 << 10)       /* struct enroll_facts, packed */ \
X(PARSE_EVENTS, CORE,  PARSE, FACTS_MAX)     /* JSON text, part 7 of a body whose quote held */ \
X(PARSED_EVENTS,PARSE, CORE,  32 << 10)      /* ok u8, then struct incidents, packed, or the error text */ \
X(PARSE_POLICY, CORE,  PARSE, POLICY_JSON_MAX)  /* JSON text */ \
X(PARSED_POLICY,PARSE, CORE,  4 << 20)          /* ok u8, then name, packed policy and packed rules for IMA, or the error text */ \
X(PARSE_ALLOW,  CORE,  PARSE, ALLOW_FILE_MAX)    /* the file's text */ \
X(PARSED_ALLOW, PARSE, CORE,  ALLOW_PACKED_MAX + (1 << 20)) /* ok u8, then entries u32, what its file excludes and the packed list, or the error text */ \
X(JUDGE_QUOTE,  CORE,  JUDGE, 16 << 10)      /* attest, signature, host facts, expectation */ \
X(JUDGED_QUOTE, JUDGE, CORE,  128 << 10)     /* ok u8, quote, struct ima_said, IMA state, verdict */ \
X(JUDGE_BOOT,   CORE,  JUDGE, 16 << 20)      /* quote, host facts, verdict so far; scheme, parsed log, PCR values, policy, struct ima_ask, IMA state, parsed IMA, sets */ \
X(JUDGED_BOOT,  JUDGE, CORE,  128 << 10)     /* struct ima_said, IMA state, verdict */ \
X(JUDGE_BOTH,   CORE,  JUDGE, 16 << 20)      /* as JUDGE_QUOTE, then what JUDGE_BOOT has from the scheme on; the answer is a JUDGED_QUOTE */ \
X(JUDGE_RULES,  CORE,  JUDGE, IMA_RULES_PACKED_MAX + SHA256_SIZE) /* digest, packed IMA rules: to be kept; there is no answer */ \
X(PARSE_SET,    CORE,  PARSE, SET_JSON_MAX + 16) /* the file's text */ \
X(PARSED_SET,   PARSE, CORE,  2 * SET_PACKED_MAX) /* ok u8, then origin, remarks, count u8, sets as CAPTURED has them, or the error text */ \
X(JUDGE_CAPTURE,CORE,  JUDGE, 16 << 20)      /* bank, pcrs, enum capture_how, parsed log or PCR values, sets */ \
X(CAPTURED,     JUDGE, CORE,  SET_PACKED_MAX + 64) /* ok u8, then entries u32, parts u8, own u8 and the packed set, or the error text */ \
X(JUDGE_EXPORT, CORE,  JUDGE, SET_PACKED_MAX + 1024) /* origin, packed set */ \
X(EXPORTED,     JUDGE, CORE,  SET_JSON_MAX + 16) /* ok u8, then the file's text, or the error text */ \
X(JUDGE_SHOW,   CORE,  JUDGE, 2 * SET_PACKED_MAX + 16) /* count u8, then packed sets: the entries of one, the diff of two */ \
X(JUDGE_FACTS,  CORE,  JUDGE, 16 << 20)      /* bank, pcrs, parsed log */ \
X(SHOWN,        JUDGE, CORE,  4 << 20)       /* ok u8, JSON text {"entries":[…]}, {"findings":[…]} or {"facts":{…}}, or the error text */ \
/* main -> core: a worker was started anew; its end of the pair is attached */ \
X(CHANNEL,      MAIN,  CORE,  8)             /* role u8, index u8, generation u32 */ \
/* core -> main: this one hangs or has lied; end it and start another */ \
X(RENEW,        CORE,  MAIN,  8)             /* role u8, index u8, generation u32 */

enum message {
#define X(name, from, to, max) MSG_##name,
	MESSAGES(X)
#undef X
	MSG_COUNT
};

const char *role_word(enum role);
const char *message_name(enum message);
enum role   message_from(enum message);     /* ROLE_COUNT outside the table */
size_t      message_max(enum message);

struct frame {
	enum message   type;
	uint64_t       job;
	struct reader  payload;
	/* owned by the frame */
	void          *mapped; size_t mapped_len;
	uint8_t       *inline_buf;
	int            peer_fd;             /* -1, or the descriptor that came beside the payload */
};
void frame_free(struct frame *);
static inline void drop_frame(struct frame *f) { frame_free(f); }

/*
 * Sends one message as role `from`; never blocks: ERR_LIMIT when the peer's queue is full (the
 * caller answers 503), ERR_SYSTEM when the peer is gone, ERR_FORMAT when the table does not allow
 * it. peer_fd is -1 or sent along (ADMIN and CHANNEL only).
 */
bool ipc_send(int fd, enum role from, enum message, uint64_t job, const void *payload, size_t len,
    int peer_fd, struct error *) MUST_CHECK;

/*
 * Receives one message for role `to`, without blocking. *got is false when there is none now.
 * Not for this role, unknown type, size over the table's, unsealed memfd: ERR_UNTRUSTED. End of
 * stream: ERR_MISSING. Who may have sent it is for the owner of the channel to compare with
 * message_from(): a socket does not know which role holds its other end.
 */
bool ipc_receive(int fd, enum role to, struct frame *, bool *got, struct error *) MUST_CHECK;

/* How much of a boot becomes a set. */
enum capture_how {
	CAPTURE_BOOT,                   /* all of it; the host's part alone where the group's sets know the rest */
	CAPTURE_WHOLE,                  /* all of it */
	CAPTURE_UNKNOWN,                /* what no active set knows */
	CAPTURE_HOST,                   /* that, for this host alone */
	CAPTURE_VALUES,                 /* the values of PCRs, of a host without a usable log */
	CAPTURE_VALUES_HOST,            /* for this host alone */
	CAPTURE_COUNT
};

/* Admin operations: X(NAME, method, path, arguments used) */
#define ADMIN_OPS(X) \
X(HOSTS,     "GET",  "/v1/admin/hosts",                "") \
X(SHOW,      "GET",  "/v1/admin/hosts/{host}",         "host") \
X(HISTORY,   "GET",  "/v1/admin/hosts/{host}/history", "host") \
X(APPROVE,   "POST", "/v1/admin/hosts/{host}/approve", "host, ek, reason") \
X(REJECT,    "POST", "/v1/admin/hosts/{host}/reject",  "host, reason") \
X(REVOKE,    "POST", "/v1/admin/hosts/{host}/revoke",  "host, reason") \
X(REINSTATE, "POST", "/v1/admin/hosts/{host}/reinstate", "host, reason") \
X(RENAME,    "POST", "/v1/admin/hosts/{host}/rename",  "host, name, reason") \
X(REMOVE,    "POST", "/v1/admin/hosts/{host}/remove",  "host, confirm, reason") \
X(CLASS,     "POST", "/v1/admin/hosts/{host}/class",   "host, class, reason") \
X(SETS,      "GET",  "/v1/admin/references",           "") \
X(SET,       "GET",  "/v1/admin/references/{set}",     "set") \
X(SET_DIFF,  "GET",  "/v1/admin/references/{set}/diff/{other}", "set, other") \
X(CAPTURE,   "POST", "/v1/admin/hosts/{host}/capture", "host, report, set, scope, expires, reason") \
X(ACTIVATE,  "POST", "/v1/admin/references/{set}/activate", "set, digest, expires, confirm, reason") \
X(RETIRE,    "POST", "/v1/admin/references/{set}/retire", "set, digest, confirm, reason") \
X(WITHDRAW,  "POST", "/v1/admin/references/{set}/revoke", "set, digest, components, confirm, reason") \
X(EXPORT,    "GET",  "/v1/admin/references/{set}/export", "set") \
X(IMPORT,    "POST", "/v1/admin/references",           "set, host, group, expires, reason, text") \
X(ACCEPT,    "POST", "/v1/admin/reports/{report}/accept", "report, scope, expires, reason") \
X(POLICIES,  "GET",  "/v1/admin/policies",             "") \
X(POLICY,    "GET",  "/v1/admin/policies/{policy}",    "policy") \
X(POLICY_SET,"POST", "/v1/admin/policies",             "text, confirm, reason") \
X(GROUPS,    "GET",  "/v1/admin/groups",               "") \
X(GROUP_SET, "POST", "/v1/admin/groups/{group}",       "group, policy, confirm, reason") \
X(CEILING,   "POST", "/v1/admin/groups/{group}/ceiling", "group, ceiling, duration, reason") \
X(CEILING_ALL,"POST", "/v1/admin/ceiling",             "ceiling, duration, reason") \
X(MOVE,      "POST", "/v1/admin/hosts/{host}/move",    "host, group, reason") \
X(ALLOW_LISTS,"GET", "/v1/admin/allow-lists",          "") \
X(ALLOW_SET, "POST", "/v1/admin/allow-lists/{list}",   "list, text, reason") \
X(ALLOW_DROP,"POST", "/v1/admin/allow-lists/{list}/remove", "list, reason") \
X(LEASES,    "GET",  "/v1/admin/hosts/{host}/leases",  "host") \
X(LEASE,     "POST", "/v1/admin/hosts/{host}/leases",  "host, duration, user, services, overrule_refusal, code, reason") \
X(LEASE_END, "POST", "/v1/admin/hosts/{host}/leases/end", "host, lease, reason") \
X(EXPLAIN,   "GET",  "/v1/admin/reports/{report}",     "report") \
X(TOKEN,     "POST", "/v1/admin/tokens",               "reason") \
X(GATEWAYS,  "GET",  "/v1/admin/gateways",             "") \
X(GATEWAY_ADD,"POST","/v1/admin/gateways/{gateway}",   "gateway, host, audiences, reason") \
X(GATEWAY_DROP,"POST","/v1/admin/gateways/{gateway}/remove", "gateway, reason") \
X(APPROVALS, "GET",  "/v1/admin/approvals",            "") \
X(AUDIT,     "GET",  "/v1/admin/audit",                "")
/*
 * Answers (200; "schema":1 in each; times RFC 3339; dry_run adds "dry_run":true and changes nothing):
 * 202 of a change that waits for others: {approvals, needed, change, expires:as asked for or "", until:this approval counts}
 * HOSTS    {"hosts":[{id, name, group, enrollment, state, reason, ref, last_report}]}
 * SHOW     {id, name, group, class, enrollment, state, reason, ref, last_report, ek:{fingerprint, subject, not_after}, ak, enrolled,
 *           boot:{boot_id, reset_count, restart_count}, ima:{entries, violations, pending, refused} or null,
 *           reports:[{ref, at, state, reason}], pending:{id, ek:{…}, ak, since} or null}
 *           also policy:"name/version", ceiling, leases:how many are in force, modes:{service:mode}, modes_at, events:[{kind, count, last}]
 * HISTORY  {name, history:[{at, kind, reason, ref} and of a report (kind "attested") state, of what the host told afterwards
 *           service, user, count, first, told]}, newest first
 * APPROVE, REJECT, REVOKE, REINSTATE, RENAME   {id, name, enrollment, ek:{fingerprint, subject, not_after}}
 * REMOVE   {id, name}
 * CLASS    {id, name, class}
 * SETS     {"sets":[{name, version, state, origin, entries, expires, hosts, digest, group}]}
 * SET      {name, version, state, origin, digest, group, own, entries:[{component, scope, pcr, type, digest, text}]}
 * SET_DIFF {from, to, findings:[…]}
 * CAPTURE  {set:"name/version", state:"candidate", digest, entries, components:[…], own, origin, report, admits:[findings of that report]}
 * IMPORT   {sets:[{set, state:"candidate", digest, group, entries, components:[…], own, origin}], remarks:[…]}
 * EXPORT   the set as attest-references(5) has it
 * ACTIVATE {set, state:"active", digest, group, hosts:[names]}, and a what-if as POLICY_SET has it; so RETIRE and WITHDRAW
 * RETIRE, WITHDRAW   {set, state:"retired" or "revoked", digest, group, hosts:how many have a newest result that rests on it, stragglers:[their names]}
 * ACCEPT   {set, state:"active", digest, group, hosts:[names], components, own, report, admits:[findings of the refused report]}
 * POLICIES {"policies":[{name, version, digest, created, author}]}
 * POLICY   {name, version, digest, created, author, policy:{…}}
 * POLICY_SET {policy:"name/version", digest, changed, groups:[names], and of its what-if: changes:[{host, group, was, was_reason, becomes,
 *           reason, text}], judged, unknown, turned, held}; GROUP_SET {group, policy, created, …}, MOVE {id, name, group, from, …} likewise
 * GROUPS   {"groups":[{name, policy, hosts, ceiling, ceiling_until}]}
 * CEILING, CEILING_ALL  {ceiling, until, groups:[names]}
 * ALLOW_LISTS {"lists":[{name, entries, digest, created, author}]}; ALLOW_SET {list, entries, digest, excludes:[patterns, for the policy]}, ALLOW_DROP {list}
 * LEASES   {id, name, "leases":[{id, state, created, expires, seconds, sequence, overrules_refusal, user, services, who, why, ended}]}
 * LEASE    {id, name, lease:{as LEASES has it}}, and code:26 characters of one that travels so; LEASE_END {id, name, ended:how many}
 * EXPLAIN  {ref, host, at, state, reason, summary, next, findings:[…], nearest:{set, differs} or null, log, references}
 * TOKEN    {token, expires}
 * GATEWAYS {"gateways":[{name, host, audiences, created}]}; GATEWAY_ADD {name, host, audiences, token: "" if a host's own serves}, GATEWAY_DROP {name}
 * APPROVALS {"changes":[{change, approvals, needed, who:"uid 0, uid 7", since, until:the first of them counts}]}, the oldest first
 * AUDIT    {entries:[{number, at, who, action, subject, why, before, after, hash}], intact}
 */
enum admin_op {
#define X(name, method, path, args) ADMIN_##name,
	ADMIN_OPS(X)
#undef X
	ADMIN_COUNT
};
struct long_text { const char *p; uint32_t len; };
enum { REASON_TEXT = 256, SET_NAME_TEXT = NAME_TEXT, FINGERPRINT_TEXT = 65, AUDIENCES_TEXT = 256 };
struct admin_request {
	enum admin_op op;
	char host[NAME_TEXT];               /* name, id, or a reference */
	char report[REF_TEXT];
	char set[SET_NAME_TEXT], other[SET_NAME_TEXT];   /* "name" (newest version) or "name/version" */
	char digest[FINGERPRINT_TEXT];      /* of the set's content, to activate exactly that */
	char ek[FINGERPRINT_TEXT];          /* SHA-256 of the EK's SPKI, to approve exactly that */
	char reason[REASON_TEXT];
	bool dry_run;
	char group[NAME_TEXT];
	char scope[8];                      /* "host", "group" or "" */
	char components[64];                /* words of components with commas between */
	char expires[24];                   /* RFC 3339, or "" */
	char class[16];                     /* a word of evidence_class */
	char list[NAME_TEXT];               /* an allow list for IMA */
	char policy[NAME_TEXT];             /* "name" (newest version) or "name/version" */
	char ceiling[16];                   /* a mode of gates */
	char duration[16];                  /* as in configuration files: 4h */
	char confirm[12];                   /* how many hosts may be refused by it */
	char gateway[NAME_TEXT];            /* a relying party */
	char name[NAME_TEXT];               /* that a host gets */
	char audiences[AUDIENCES_TEXT];     /* its own, with spaces or commas between */
	char user[LEASE_USER_TEXT], services[LEASE_SERVICES_TEXT];   /* of a lease */
	char lease[REF_TEXT];               /* its id; "": all of the host's */
	bool overrule_refusal, code;
	struct long_text text;              /* a file; points into the request */
};

struct proof {
	char    id[BOOT_ID_TEXT];           /* of the enrollment */
	uint8_t secret[SECRET_SIZE];        /* as bearer: base64url */
};
struct newest {
	char    host[NAME_TEXT];            /* host id; or the name, when a gateway asks */
	char    token[TOKEN_TEXT];          /* of the host or the gateway, as the bearer had it */
};
struct redeem {
	char    code[CODE_TEXT], audience[AUDIENCE_TEXT], user[PASSPORT_USER_TEXT];
	char    token[TOKEN_TEXT];          /* of the gateway, likewise */
};

struct orders_ask {
	char    host[BOOT_ID_TEXT];         /* host id */
	char    token[TOKEN_TEXT];
	uint8_t nonce[NONCE_SIZE];
};

/* What the parse worker found in an enrollment. reason is REASON_OK only if every check held. */
struct enroll_facts {
	enum reason       reason;
	char              why[200];
	char              ek_fingerprint[FINGERPRINT_TEXT];
	char              ek_subject[200];      /* manufacturer, model, firmware as the certificate's SAN says */
	int64_t           ek_not_after;         /* ms since 1970 */
	struct tpm_public ek;                   /* to make the credential */
	struct tpm_name   ak, signer;           /* Name and qualified name (endorsement primary) */
	uint8_t           ak_spki[TPM_PUBLIC_MAX];
	size_t            ak_spki_len;
	uint16_t          ak_scheme_hash;
};

/* What the judge is asked about the IMA list of this evidence. The key of its state takes the counters from the quote. */
struct ima_ask {
	bool            wanted;             /* the policy judges the list */
	bool            sent;               /* and the host sent one */
	bool            last;               /* it has nothing behind these entries */
	uint64_t        at, hint;           /* struct ima_place */
	struct tpm_name ak;
	char            boot_id[BOOT_ID_TEXT];
	uint32_t        policy_version;
	uint8_t         rules[SHA256_SIZE]; /* digest of the packed rules */
};

/* And what it says. DONE: the verdict has it. */
#define IMA_STEPS(X) \
	X(NONE)         /* not wanted, or the verdict was reached without it */ \
	X(RULES)        /* it lacks these rules: JUDGE_RULES, then ask again */ \
	X(MORE)         /* the quoted PCRs are not met yet: there is no verdict, entries from `next` on are wanted */ \
	X(DONE)
enum ima_step {
#define X(name) IMA_STEP_##name,
	IMA_STEPS(X)
#undef X
	IMA_STEP_COUNT
};
struct ima_said {
	enum ima_step step;
	uint8_t       key[SHA256_SIZE];     /* whose state this is */
	uint64_t      next;
	uint64_t      entries, violations, pending;   /* accepted for this boot; behind the quote */
	bool          refused;              /* a bad entry: for this boot */
};

/* Packed forms; unpack wants exactly the message and nothing after it. */
void challenge_request_pack(const struct challenge_request *, struct writer *);
bool challenge_request_unpack(struct reader *, struct challenge_request *, struct error *) MUST_CHECK;
void enroll_request_pack(const struct enroll_request *, struct writer *);
bool enroll_request_unpack(struct reader *, struct enroll_request *, struct error *) MUST_CHECK;
void proof_pack(const struct proof *, struct writer *);
bool proof_unpack(struct reader *, struct proof *, struct error *) MUST_CHECK;
void newest_pack(const struct newest *, struct writer *);
bool newest_unpack(struct reader *, struct newest *, struct error *) MUST_CHECK;
void redeem_pack(const struct redeem *, struct writer *);
bool redeem_unpack(struct reader *, struct redeem *, struct error *) MUST_CHECK;
void orders_ask_pack(const struct orders_ask *, struct writer *);
bool orders_ask_unpack(struct reader *, struct orders_ask *, struct error *) MUST_CHECK;
void admin_request_pack(const struct admin_request *, struct writer *);
bool admin_request_unpack(struct reader *, struct admin_request *, struct error *) MUST_CHECK;
void enroll_facts_pack(const struct enroll_facts *, struct writer *);
bool enroll_facts_unpack(struct reader *, struct enroll_facts *, struct error *) MUST_CHECK;
void host_facts_pack(const struct host_facts *, struct writer *);
bool host_facts_unpack(struct reader *, struct host_facts *, struct error *) MUST_CHECK;
void expectation_pack(const struct expectation *, struct writer *);
bool expectation_unpack(struct reader *, struct expectation *, struct error *) MUST_CHECK;
void ima_ask_pack(const struct ima_ask *, struct writer *);
bool ima_ask_unpack(struct reader *, struct ima_ask *, struct error *) MUST_CHECK;
void ima_said_pack(const struct ima_said *, struct writer *);
bool ima_said_unpack(struct reader *, struct ima_said *, struct error *) MUST_CHECK;
void quote_pack(const struct quote *, struct writer *);
bool quote_unpack(struct reader *, struct quote *, struct error *) MUST_CHECK;
void incidents_pack(const struct incidents *, struct writer *);
bool incidents_unpack(struct reader *, struct incidents *, struct error *) MUST_CHECK;
#endif
