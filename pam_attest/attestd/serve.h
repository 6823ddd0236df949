/*
 * serve.h - local callers: gates, attestctl, anybody. attest-local(7).
 *
 * A slow or silent caller costs a slot and nothing else; slots are bounded by uid, and some are
 * kept for root, who must get in when everybody else has filled the rest.
 */
#ifndef SERVE_H
#define SERVE_H
#include <poll.h>
#include <sys/types.h>
#include "enrol.h"
#include "relying.h"
#include "local.h"

/* Everybody logs in at once after a power cut, and sshd and login are root's. */
enum { CLIENTS_MAX = 512, CLIENTS_KEPT_FOR_ROOT = 384, CLIENTS_PER_UID = 16, CLIENT_MS = 35 * 1000, CLIENT_READ_MS = 2000 };

/* What a caller has said; apart, since most places are empty. */
struct inbox {
	char             buf[LOCAL_MAX];
	size_t           len;
	struct enrol_ask ask;              /* of enroll */
	struct relying_ask about;          /* of peer, redeem and passport */
	char             recovery[64];     /* of recover, as it was typed */
};

struct client {
	int             fd;                /* -1: free */
	uid_t           uid;
	int64_t         deadline;          /* ms of CLOCK_MONOTONIC */
	struct inbox   *in;                /* as long as fd is there */
	bool            waiting;           /* for the job under way */
	enum local_verb verb;
	char            ref[REF_TEXT];     /* of explain */
	int64_t         since;             /* of report, ms since 1970 */
	uint64_t        number;            /* of the question to the verifier that it waits for; 0: none */
	int64_t         max_age;           /* of ask, ms: an older verdict is none; 0: any that counts */
};
struct clients { struct client list[CLIENTS_MAX]; };

void clients_open(struct clients *);
void clients_close(struct clients *);
/* Is there a place for anybody? Else callers wait on the listener. */
bool clients_room(const struct clients *);
/* Accepts what waits on the listener, as long as there is room; callers over their share are hung up on. */
void clients_accept(struct clients *, int listener);
/* Descriptors that are still being read from; pfd[i].fd is matched by clients_of. */
unsigned clients_poll(const struct clients *, struct pollfd *pfd, unsigned max);
struct client *clients_of(struct clients *, int fd);
/* Drops those whose time is over; ms until the next one's is (-1: nobody). A waiting one is answered first by the caller. */
int clients_expire(struct clients *, void (*late)(struct client *, void *), void *arg);
void client_drop(struct client *);

/* Reads; true when a whole request is there (verb and its fields are set). Bad ones are answered and dropped. */
bool client_read(struct client *);
/* Answers and drops. json may be NULL. */
void client_answer(struct client *, enum reason, const char *ref, const char *json, size_t json_len);
/* The same with one field more. */
void client_answer_with(struct client *, enum reason, const char *ref, const char *key, const char *value);
void client_refuse(struct client *, const char *why);
#endif
