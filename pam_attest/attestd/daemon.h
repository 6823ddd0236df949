/*
 * daemon.h - attestd's one loop: all that is not the worker's, and who may do what with it.
 *
 * main.c turns the loop. start.c opens what it serves, callers.c answers who asks, jobs.c hands the worker its work and
 * takes what came of it, passports.c is the queue of those who want one, intake.c takes in what gates decided.
 * One thread, so nothing here is locked; nothing here waits.
 */
#ifndef DAEMON_H
#define DAEMON_H
#include "diary.h"
#include "leases.h"
#include "outbox.h"
#include "recover.h"
#include "relying.h"
#include "serve.h"
#include "status.h"
#include "tally.h"
#include "trail.h"
#include "worker.h"

/* ms. SPACING_MS is the least between two quotes, whoever asks. */
enum { SPACING_MS = 2000, POST_AGAIN_MS = 1000 };

struct daemon {
	struct options   opt;
	char             conf[PATH_TEXT];
	char             boot_id[BOOT_ID_TEXT];
	char             tpm_program[PATH_TEXT];
	int              gate_fd, decisions_fd, signal_fd;
	bool             stopping;
	int64_t          watchdog, next_word;  /* ms: how often systemd wants to hear of us, 0: never; and when next */

	/* jobs; times are ms of CLOCK_MONOTONIC */
	struct worker    worker;
	struct outcome   last;                 /* of the newest attestation, enrollment or passport */
	int64_t          next_round;
	int64_t          last_round;           /* when the last one began; 0: never */
	int64_t          next_orders;
	bool             telling;              /* the job under way is about the outbox */
	bool             ordering;             /* … or asks for orders */

	/* callers */
	struct clients   clients;
	struct client   *enrolling;            /* who waits for the enrollment under way */
	struct relying   relying;
	uint64_t         questions;            /* to the verifier about other machines, counted */
	struct book      leases;
	struct guesses   guesses;              /* of recovery codes */
	struct lockout   lockout;              /* as it was read at lockout_read, ms of CLOCK_MONOTONIC; 0: never */
	int64_t          lockout_read;

	/* passports */
	struct client   *traveller;            /* whose passport the worker asks for */
	uid_t            served;               /* whose was asked for last */

	/* decisions that gates tell */
	struct decisions decisions;
	struct diary     diary;
	bool             diary_fails;          /* said already */
	struct tally     tally;
	struct outbox    outbox;
	struct trail     trail;

	/* for metrics */
	struct counters  counters;
	uint32_t         tpm_errors[REASON_COUNT];   /* attestations that failed so */
	int64_t          last_quote;           /* ms since 1970 */
};

/* start.c: from root to the user that serves, sandboxed. opt and conf are set. */
bool daemon_start(struct daemon *, struct error *) MUST_CHECK;

/* jobs.c. False: no memory, or no pipe; the loop tries again by itself. */
bool jobs_post(struct daemon *, const struct job *);
/* The same for an attestation; while an approval is awaited that is the question, and anything else would put it off. */
bool jobs_attest(struct daemon *);
/* The worker has something. */
void jobs_finished(struct daemon *);
void jobs_start_due(struct daemon *);
/* ms until one is due; -1: when the one under way is done. */
int  jobs_next(const struct daemon *);

/* callers.c. A whole request is there. */
void caller_request(struct daemon *, struct client *);
/* The caller's time is over before the job's: it gets what is known, not silence. For clients_expire. */
void caller_late(struct client *, void *daemon);
/* What is under way goes on for nobody. */
void caller_forget(struct daemon *, const struct client *);
/* A job of the newest kind is done: its answer to who waits for it. */
void caller_answer(struct daemon *, struct client *);
/* The work could not be handed over: nobody waits for it. */
void caller_not_begun(struct daemon *, struct client *);
/* Who waits for the TPM's lockout counter has it now. */
void callers_lockout(struct daemon *, const struct done *);
/* Who asked about another machine has the verifier's answer now. */
void callers_told(struct daemon *);

/* passports.c. Refuses, or makes the caller wait for its turn. */
void passports_ask(struct daemon *, struct client *);
/* ms until the next one's time has come; -1: nobody waits. */
int  passports_due(struct daemon *);
void passports_start(struct daemon *);
/* To who asked for it; it is in no other place after that. */
void passports_hand_over(struct daemon *, struct outcome *);

/* intake.c. That nothing can be kept is no reason not to serve. */
void intake_open(struct daemon *);
/* What waits on decisions.sock, and on to disk. */
void intake_take(struct daemon *);

/* Of two times to wait, in ms; -1: for ever. */
static inline int
sooner(int wait, int other)
{
	return other >= 0 && (wait < 0 || other < wait) ? other : wait;
}

static inline bool
is_verdict(enum reason r)
{
	return reason_state(r) == STATE_AFFIRMING || reason_state(r) == STATE_WARNING;
}
#endif
