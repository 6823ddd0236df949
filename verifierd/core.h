/*
 * core.h - what the files of verifierd-core share: channels, jobs, and the verbs on them.
 *
 * One thread, one loop. A request becomes a job; a job asks workers, one after the other, and ends
 * with exactly one reply. Whatever goes wrong on the way, the reply is a problem, never a verdict.
 * Verdicts gather in the commit list and leave after the one COMMIT at the end of the loop's turn.
 */
#ifndef CORE_H
#define CORE_H
#include "clock.h"
#include "keys.h"
#include "options.h"
#include "store.h"

enum {
	JOBS_MAX       = 1024,
	REQUEST_MS     = 10 * 1000,
	CHANNELS_MAX   = 4 + 3 * WORKERS_MAX,
	OUT_FRAMES_MAX = 4096,              /* replies that wait for one net process */
	PARSE_RENEW    = 64,                /* logs that one parse worker sees */
	FRAMES_A_TURN  = 64,                /* of one channel, before the others have theirs */
	LOGS_A_HOST    = 16,
	UNVOUCHED_A_HOST = 16,
	REF_TRIES      = 8,
};

struct core;
struct job;

struct outgoing { struct outgoing *next; enum message type; uint64_t job; size_t len; uint8_t payload[]; };

/* core's end of the pair with one other process. */
struct channel {
	int       fd;                       /* -1: the slot is free */
	enum role role;                     /* of the process at the other end */
	uint8_t   index;
	uint32_t  generation;               /* main counts the processes of a place */
	bool      retire;                   /* it goes when it is idle */
	struct outgoing *first, **last;
	unsigned  waiting;
	struct job *busy;                   /* of a worker: the job that it works on */
	enum message wanted;                /* its answer */
	unsigned  served;
};

/* answer is NULL when the worker died, lied or took too long. The function ends the job or asks again. */
typedef void answer_fn(struct core *, struct job *, struct frame *answer);

struct job {
	uint64_t    id;                     /* 0: the slot is free; what workers see */
	struct job *newer, *older;          /* by arrival, which is by deadline */
	int64_t     deadline;               /* CLOCK_MONOTONIC */
	struct channel *asker;              /* NULL when it went away */
	uint64_t    asker_job;
	struct frame request;
	/* the question that waits for a worker, or is with one */
	enum role   wants;
	enum message question, answer;
	uint8_t    *payload;                /* owned; NULL when lent is */
	const uint8_t *lent;
	size_t      payload_len;
	answer_fn  *then;
	struct job *next_waiting;
	struct channel *worker;
	uint8_t     by;                     /* index of the worker that answered last */
	/* what the operation keeps between steps; freed with the job */
	void       *state;
	void      (*drop_state)(void *);
};

struct queue { struct job *first, **last; };

struct json;
struct memo;
struct policies;
struct ima_walks;
struct core {
	struct options  options;
	struct store   *store;
	struct keys     keys;
	int             epoll, signals;
	bool            draining;
	bool            lost_main;
	int64_t         next_purge;
	gid_t           admin_group;        /* (gid_t)-1: there is none */
	char           *ek_roots;           /* PEM bundle */
	size_t          ek_roots_len;
	struct channel  main, channel[CHANNELS_MAX];
	struct job      job[JOBS_MAX];
	struct job     *oldest, *newest;
	unsigned        jobs;
	uint64_t        serial;
	struct queue    waiting[ROLE_COUNT];
	struct memo    *memo;
	struct policies *policies;
	struct ima_walks *walks;            /* IMA lists on their way */
	struct job     *commit[JOBS_MAX];   /* verdicts that wait for the next commit */
	unsigned        commits;
	int64_t         commit_by;          /* and how long the first of them may */
	int64_t         committed;          /* when that was done last */
};

/* --- channels.c --- */
bool channel_open(struct core *, int fd, enum role, uint8_t index, uint32_t generation, struct error *) MUST_CHECK;
struct channel *channel_find(struct core *, enum role, uint8_t index);
/* The other end is gone, or has broken the rules: its work fails, its jobs go on for nobody. */
void channel_lost(struct core *, struct channel *, const char *why);
/* Sends or, while the peer's queue is full, keeps. A peer that does not take its answers is lost. */
void channel_send(struct core *, struct channel *, enum message, uint64_t job, const void *, size_t len);
bool channel_flush(struct core *, struct channel *);
bool channel_watch(struct core *, const struct channel *, bool out, bool add);

/* --- jobs.c --- */
struct job *job_new(struct core *, struct channel *asker, struct frame *request);  /* takes request; NULL: too many */
void job_end(struct core *, struct job *);          /* without a reply */
/* Both send and end the job. body is JSON text. */
void job_reply(struct core *, struct job *, int status, const char *body, size_t len);
void job_problem(struct core *, struct job *, int status, enum reason, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void job_need_log(struct core *, struct job *);     /* 409 need: boot_log */
void job_need_pcrs(struct core *, struct job *);    /* 409 need: pcrs */
void job_need_ima(struct core *, struct job *, uint64_t from);   /* 409 need: ima */
void job_error(struct core *, struct job *, const struct error *);   /* verifier-error, logged */
/* Prints, frees and sends a tree. */
void job_reply_json(struct core *, struct job *, int status, struct json *);
void jobs_expire(struct core *, int64_t now);
int64_t jobs_deadline(const struct core *);         /* INT64_MAX when there are none */

/* --- workers.c --- */
/*
 * Asks a worker of this role, now or when one is free. payload is taken, freed in the end. The
 * answer has the type given; then is called exactly once.
 */
void worker_ask(struct core *, struct job *, enum role, enum message question, enum message answer, uint8_t *payload,
    size_t len, answer_fn *then);
/* The same with a payload that lives as long as the job. */
void worker_lend(struct core *, struct job *, enum role, enum message question, enum message answer, const uint8_t *payload,
    size_t len, answer_fn *then);
void worker_answer(struct core *, struct channel *, struct frame *);
void worker_lost(struct core *, struct channel *);
bool workers_busy(const struct core *, enum role);
void worker_forget(struct core *, struct job *);    /* a job that ends while its question is out */
void workers_feed(struct core *, enum role);
/* Closes the channel when its question is answered: it sees the end and goes, main starts another. */
void worker_retire(struct core *, enum role, uint8_t index);
/* For one that hangs or lied: main kills it. What it was asked fails. */
void worker_kill(struct core *, struct channel *, const char *why);

/* --- core_evidence.c, commit.c --- */
void on_challenge(struct core *, struct job *);
void on_evidence(struct core *, struct job *);
void on_passport(struct core *, struct job *);
/*
 * One transaction for all verdicts that wait, then the answers. It is due when nobody else's verdict
 * is on its way from a judge and the last one is COMMIT_WAIT_MS ago, or when the first has waited so
 * long: what a commit costs is shared by those who come together, and who comes alone does not wait.
 */
enum { COMMIT_WAIT_MS = 10 };
void commit_due(struct core *);
void commit_add(struct core *, struct job *);
void commit_forget(struct core *, const struct job *);    /* a job that ends before */

/* --- core_events.c --- */
void on_events(struct core *, struct job *);
void admin_history(struct core *, struct job *);
/* Members "modes", "modes_at" and "events" of a host. */
bool events_put(struct core *, struct json *, const char *host_id, struct error *) MUST_CHECK;

/* --- core_policy.c --- */
/* What a policy wants of the IMA list. */
struct ima_use {
	bool     on;
	uint32_t pcrs;                      /* bit = PCR that its entries may extend: quoted as well */
	uint32_t policy_version;
	uint8_t  rules[SHA256_SIZE];        /* digest of the packed rules, allow lists and all */
};

/* What counts for a group at this moment. */
struct policy_now {
	char     label[NAME_TEXT];          /* "default/3" */
	uint32_t version;
	uint8_t  digest[SHA256_SIZE];       /* of packed; of everything that it says */
	const struct policy *policy;        /* this and the packed forms are borrowed until the next policy_of() */
	const uint8_t *packed, *ima;        /* ima: packed rules for IMA with their allow lists; none when ima_len is 0 */
	size_t   packed_len, ima_len;
	struct ima_use ima_use;
	enum gate_mode ceiling;             /* the policy's, or one that was set for a while and is lower */
	int64_t  ceiling_until;             /* then: until when; else 0 */
};
bool policies_open(struct core *, struct error *) MUST_CHECK;
void policies_close(struct core *);
bool policy_of(struct core *, const char *group, struct policy_now *, struct error *) MUST_CHECK;
/* In the transaction of a change: none may leave a group whose policy cannot be used (its allow lists are too large together, say). */
bool policy_usable(struct core *, const char *group, struct error *) MUST_CHECK;

/* --- core_enrol.c --- */
void on_enroll(struct core *, struct job *);
void on_proof(struct core *, struct job *);
void on_keys(struct core *, struct job *);
bool enrol_name_ok(const char *);              /* can a host have this name? */
/* In the caller's transaction: the host of this enrollment becomes, or stays, active with this key. */
bool enrol_admit(struct core *, const struct enrollment_row *, struct error *) MUST_CHECK;

/* --- core_lease.c --- */
void on_orders(struct core *, struct job *);
/* By order, in force now. */
bool lease_count(struct core *, const struct host_row *, unsigned *count, struct error *) MUST_CHECK;

/* --- core_gateways.c: what hosts and relying parties may read of results --- */
/* Is it the bearer token of that host? */
bool host_token_right(const struct core *, const char *host_id, const char *token);
void on_newest(struct core *, struct job *);
void on_redeem(struct core *, struct job *);
void admin_gateways(struct core *, struct job *);
void admin_gateway_add(struct core *, struct job *);
void admin_gateway_drop(struct core *, struct job *);

/* --- ek_roots.c --- */
bool ek_roots_load(struct core *, struct error *) MUST_CHECK;
bool ek_allowed(const struct core *, const char *fingerprint);

/* --- core_admin.c, core_sets.c, core_import.c --- */
void on_admin(struct core *, struct job *);
/* Who asked, and for what; args of the operation live as long as the job. */
struct what_if;
struct admin_job {
	struct admin_request ask;
	char who[WHO_TEXT];
	struct host_row host;
	struct report_row report;
	struct set_row set, other;
	bool accept;                        /* capture, and activate what was captured */
	enum capture_how how;
	char name[SET_NAME_TEXT];           /* of the set that is captured or imported */
	unsigned parts;                     /* that it grants */
	int64_t expires;                    /* as asked for; 0: never */
	struct policy_row policy;           /* owned: the one that is asked for */
	struct allow_row allow;             /* owned: the allow list that is set */
	char (*groups)[GROUP_TEXT];         /* owned: those that it reaches */
	unsigned ngroups;
	bool fresh;                         /* the group is new */
	struct what_if *what_if;            /* owned */
	char origin[SET_ORIGIN_TEXT];       /* that an imported file says it has */
	char remarks[IMPORT_REMARKS];       /* on what it could not carry over, a line each */
	struct json *sets;                  /* made of it */
	unsigned quorum;                    /* approvals that the change needs; below 2: this one is enough */
	unsigned approvals;                 /* that it has, with this one */
	bool waits;                         /* for others */
	char change[CHANGE_TEXT];           /* all of what is approved, in words that no other change has */
};
struct admin_job *admin_of(struct job *);
struct json *answer_new(const struct admin_job *);  /* {"schema":1} and dry_run */
/*
 * Runs one change in a transaction of its own; a dry run does nothing. False also when the change waits for the
 * approval of others: admin_failed() says so.
 */
typedef bool change_fn(struct core *, struct admin_job *, void *arg, struct error *);
bool admin_change(struct core *, struct admin_job *, change_fn *, void *arg, struct error *) MUST_CHECK;
/*
 * core_quorum.c: before admin_change(), in the same turn of the loop: whose policies decide, and what is approved. A
 * text from outside that may have any character stands last in it.
 */
bool quorum_of(struct core *, struct admin_job *, const char *group, struct error *) MUST_CHECK;
bool quorum_change(struct admin_job *, struct error *, const char *fmt, ...) MUST_CHECK
    __attribute__((format(printf, 3, 4)));
/* For admin_change(), in its transaction: notes this approval. *met: the change is to be made. */
bool quorum_met(struct core *, struct admin_job *, bool *met, struct error *) MUST_CHECK;
void admin_approvals(struct core *, struct job *);   /* what waits */
void quorum_reply(struct core *, struct job *);     /* 202, of a change that waits */
void admin_explain(struct core *, struct job *);    /* core_explain.c */
void admin_leases(struct core *, struct job *);     /* core_lease.c */
void admin_lease(struct core *, struct job *);
void admin_lease_end(struct core *, struct job *);
void admin_sets(struct core *, struct job *);
void admin_set(struct core *, struct job *);
void admin_set_diff(struct core *, struct job *);
void admin_capture(struct core *, struct job *);
void admin_accept(struct core *, struct job *);
void admin_activate(struct core *, struct job *);
void admin_retire(struct core *, struct job *);
void admin_withdraw(struct core *, struct job *);
void admin_export(struct core *, struct job *);
void admin_class(struct core *, struct job *);
void admin_import(struct core *, struct job *);
/* core_hosts.c */
void admin_revoke(struct core *, struct job *);
void admin_reinstate(struct core *, struct job *);
void admin_rename(struct core *, struct job *);
void admin_remove(struct core *, struct job *);
/* core_groups.c */
void admin_policies(struct core *, struct job *);
void admin_policy(struct core *, struct job *);
void admin_policy_set(struct core *, struct job *);
void admin_allow_lists(struct core *, struct job *);
void admin_allow_set(struct core *, struct job *);
void admin_allow_drop(struct core *, struct job *);
/* Every allow list that these packed rules name is there: ERR_MISSING names the one that is not. */
bool allow_lists_there(struct core *, const uint8_t *ima, size_t len, struct error *) MUST_CHECK;
/* Digest of a policy with the allow lists that it names as they are now: of all that it permits. */
bool policy_content(struct core *, const struct policy_row *, char out[static 2 * SHA256_SIZE + 1], struct error *) MUST_CHECK;
void admin_groups(struct core *, struct job *);
void admin_group_set(struct core *, struct job *);
void admin_move(struct core *, struct job *);
void admin_ceiling(struct core *, struct job *);
/* "name" or "name/version"; the newest version where there is none. */
bool admin_set_find(struct core *, const char *text, struct set_row *, struct error *) MUST_CHECK;
/* A name without version, for a new set. */
bool admin_set_name(const char *text, char name[static SET_NAME_TEXT], struct error *) MUST_CHECK;
/* The time in `expires`, which lies ahead; 0 when there is none. */
bool admin_expires(const struct admin_job *, int64_t *, struct error *) MUST_CHECK;
/* Members of an answer that say what a new set is. */
void admin_put_new(struct json *, const struct admin_job *, const struct set_row *);
/* Bytes of a packed set, from a worker, become its body and digest. */
bool set_row_fill(struct set_row *, const struct reader *, struct error *) MUST_CHECK;
/* host: name, id, or a reference of one of its reports. */
bool admin_host(struct core *, const char *text, struct host_row *, struct error *) MUST_CHECK;
bool admin_report(struct core *, const char *text, struct report_row *, struct error *) MUST_CHECK;
/* Writes the audit row that belongs to a change, in its transaction. */
bool admin_audit(struct core *, const struct admin_job *, const char *action, const char *subject, const char *before,
    const char *after, struct error *) MUST_CHECK;
void admin_failed(struct core *, struct job *, const struct error *);   /* 404, 409, 400 or 503 by code */
void admin_reply(struct core *, struct job *, struct json *answer, const struct error *failed);   /* takes answer; failed is NULL when it is whole */

/* The host of the job, as it is now: id, name, enrollment, EK. */
void admin_reply_host(struct core *, struct job *, enum enrollment);

/* --- explain.c --- */
struct json *findings_json(const struct findings *);
bool explain_report(const struct report_row *, const char *host, struct json *into, struct error *) MUST_CHECK;
#endif
