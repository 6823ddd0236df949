/*
 * relying.h - what this host asks the verifier about other machines, for the gate's sources peer and passport.
 *
 * A thread of its own with a connection of its own, so that a gateway's logins wait for no TPM; one question after the
 * other, at most RELYING_WAITING of them. Nothing that it says rests on this host's own verdict. What it knows of the
 * verifier's keys it reads from state_dir each time, as enrollment keeps it, or pins itself on a gateway that is not
 * enrolled. PROTOCOL section 1, attest-protocol(7).
 */
#ifndef RELYING_H
#define RELYING_H
#include <pthread.h>
#include "upstream.h"

enum { RELYING_WAITING = 64, RELYING_OUT_MS = 5000 };

struct relying_ask {
	uint64_t number;                   /* the loop's, to find who waits */
	bool     redeem;                   /* a passport; else the newest result of a machine */
	char     peer[NAME_TEXT];
	int64_t  max_age;                  /* ms, of that result; 0: as long as it counts itself */
	char     code[CODE_TEXT], audience[AUDIENCE_TEXT], user[PASSPORT_USER_TEXT];
	int64_t  deadline;                 /* CLOCK_MONOTONIC; who waited so long is not asked for any more */
};
struct relying_said {
	uint64_t    number;
	enum reason reason;                /* affirming or warning only by a signed result */
	char        ref[REF_TEXT];
	char        peer[NAME_TEXT];       /* the machine that it is about, "" if that is not known */
	char        why[200];              /* what failed underneath, "" if nothing did */
};

struct relying {
	const struct options *opt;
	char            token[TOKEN_TEXT]; /* of token_file; "": the host's own */
	/* the thread's */
	struct upstream up;
	int64_t         out_until;         /* nobody answered: not asked again before that */
	enum reason     out_why;
	/* the loop's */
	pthread_t       thread;
	int             in, out, thread_in, thread_out;
	unsigned        waiting;
};
/* Before rights are dropped: the file is root's. "" for path: no token. */
bool relying_token(struct relying *, const char *path, struct error *) MUST_CHECK;
bool relying_start(struct relying *, const struct options *, struct error *) MUST_CHECK;
/* False: too many wait already. */
bool relying_post(struct relying *, const struct relying_ask *);
bool relying_take(struct relying *, struct relying_said *);
void relying_stop(struct relying *);

/*
 * What the body of a 200 is worth, by what state_dir knows of the verifier, which may learn new keys from it: the reason of
 * the result if it is signed, about what was asked for, and in time. Fills ref and peer.
 */
enum reason relying_read(const char *state_dir, const struct relying_ask *, const char *body, size_t len,
    struct relying_said *, struct error *);
#endif
