/*
 * gate.h - one access, one decision. Read gate.c third (after attestd/round.c, policy/appraise.c).
 *
 * Inside other people's processes: no allocation, no signals, no static state, one deadline.
 */
#ifndef GATE_H
#define GATE_H
#include <stdint.h>
#include <sys/types.h>
#include "access.h"
#include "clock.h"
#include "gate_conf.h"

enum phase { PHASE_AUTH, PHASE_ACCOUNT, PHASE_SESSION, PHASE_COUNT };
const char *phase_word(enum phase);         /* "account", as PAM calls its stacks */

/* Strings are never NULL; "" where the application did not say. */
struct gate_request {
	const char *user, *rhost, *tty;
	const char *asker;         /* the service as PAM calls it, whatever section is read; NULL: as the section */
	enum phase  phase;
	uid_t       ruid;          /* real uid of the process that asks */
	/* Asks in the application's conversation; false: no answer, or one that does not fit. NULL: nobody can be asked. */
	bool      (*ask)(void *arg, const char *prompt, char *out, size_t size);
	void       *ask_arg;
};

/* OUTCOME_DENY is 0: what was never decided is a refusal. */
#define OUTCOMES(X) \
	X(DENY,   "deny")    /* no */ \
	X(PERMIT, "permit")  /* by a verdict on this host */ \
	X(LEASE,  "ignore")  /* by an administrator, for a while */ \
	X(EXEMPT, "ignore")  /* not gated: who it is, or which service */ \
	X(OPEN,   "ignore")  /* no verdict, and a bracket of `sources` says permit */ \
	X(PASS,   "ignore")  /* mode off or audit: the stack decides without us */

enum outcome {
#define X(name, word) OUTCOME_##name,
	OUTCOMES(X)
#undef X
	OUTCOME_COUNT
};
const char *outcome_word(enum outcome);     /* permit, deny, ignore; "deny" outside the table */

/* What PAM is told, without its header: the names are PAM's. */
#define GATE_CODES(X) X(AUTHINFO_UNAVAIL) X(PERM_DENIED) X(IGNORE) X(SUCCESS)
enum gate_code {
#define X(name) CODE_##name,
	GATE_CODES(X)
#undef X
	CODE_COUNT
};
const char *code_word(enum gate_code);      /* "PAM_SUCCESS" */

struct gate_decision {
	enum outcome   outcome;
	enum outcome   judged;       /* what enforce would have done: differs from outcome under audit */
	enum state     state;
	enum reason    reason;
	char           ref[REF_TEXT];
	enum gate_mode mode;         /* in force: section, ceiling, arming, kill switch */
	enum source    source;       /* which source settled it; SOURCE_COUNT: none did */
	char           peer[GATE_NAME_MAX];     /* the machine that was judged, "" for this host */
	int64_t        age;          /* ms since the verdict was asked for; -1 without one */
	int64_t        took;         /* ms that the decision took */
	bool           not_armed;    /* enforce acts as audit: this host was never affirming */
	bool           killed;       /* a kill switch turned enforce into audit */
	bool           alert;        /* somebody has to look at this */
	bool           recorded;     /* `record` is there: a verdict file that is to be trusted */
	struct record  record;
	struct error   detail;       /* what failed underneath, code ERR_NONE if nothing did */

	/* What each source said that was asked, in order; for attestctl check. Not heard: it had nothing to say. */
	unsigned nsaid;
	struct { enum source source; bool heard; enum state state; enum reason reason; } said[GATE_SOURCES_MAX];
};

/* Decides. conf->timeout bounds the whole call; c->service is the service in question. */
void gate_decide(const struct gate_conf *c, const struct gate_request *, struct gate_decision *);

/* [paths] owner as a uid; a name that the passwd file does not have leaves root alone: 0. */
uid_t gate_owner(const struct gate_conf *);

/* Services that run on their own or cannot refuse well: asked nothing unless a section of gate.conf names them. */
bool gate_never_gates(const char *service);

/* Does a person answer the prompts of this service, so that no name in them is to be believed? */
bool gate_person_answers(const char *service);

/* GATE: the one table of decision and phase. Its default is a refusal. */
enum gate_code gate_code(const struct gate_conf *c, const struct gate_decision *, enum phase);

/*
 * The line that a user sees on a refusal: "attest: refused: … (code). Ref …. next step"
 * and the configured message; with explain also on a permit. Truncated to size.
 */
void gate_user_text(const struct gate_conf *c, const struct gate_decision *, char *out, size_t size);

enum { GATE_LINE_MAX = 1024, GATE_WORD_MAX = 64 };
/* What strangers typed, as one word of it. */
const char *gate_word(const char *text, char out[static GATE_WORD_MAX]);
enum access gate_access(const struct gate_decision *);

/* The line for the log: "refused user=kim rhost=… service=sshd reason=… ref=… mode=… age=42s ms=3". */
void gate_log_text(const struct gate_conf *c, const struct gate_request *, const struct gate_decision *,
    char *out, size_t size);

/*
 * The same line to the journal, with fields and a MESSAGE_ID: pam_attest(8). service: as PAM calls it. False: it is not there, or did not take it at once,
 * and the line belongs to syslog.
 */
bool gate_journal(const struct gate_conf *c, const struct gate_request *, const struct gate_decision *, const char *service,
    int priority, const char *line);

/* Tells attestd what was decided; one datagram, lost if nobody listens. */
void gate_tell(const struct gate_conf *c, const struct gate_request *, const struct gate_decision *);
#endif
