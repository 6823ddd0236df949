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
#include "local.h"

enum { CLIENTS_MAX = 128, CLIENTS_KEPT_FOR_ROOT = 32, CLIENTS_PER_UID = 16, CLIENT_MS = 35 * 1000, CLIENT_READ_MS = 2000 };

struct client {
	int             fd;                /* -1: free */
	uid_t           uid;
	int64_t         deadline;          /* ms of CLOCK_MONOTONIC */
	char            buf[LOCAL_MAX];
	size_t          len;
	bool            waiting;           /* for the job under way */
	enum local_verb verb;
	char            ref[REF_TEXT];     /* of explain */
	struct enrol_ask ask;              /* of enroll */
};
struct clients { struct client list[CLIENTS_MAX]; };

void clients_open(struct clients *);
void clients_close(struct clients *);
/* Accepts what waits on the listener; callers over their share are hung up on. */
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
void client_refuse(struct client *, const char *why);
#endif
