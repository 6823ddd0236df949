/* core_lab.h - verifierd-core with workers, in a folder of its own; the test plays main and net. */
#ifndef CORE_LAB_H
#define CORE_LAB_H
#include <sys/types.h>
#include "json.h"
#include "keys.h"
#include "soft_host.h"

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
void lab_admin_send(struct lab *, const struct admin_request *);
void lab_admin_receive(struct lab *, struct reply *);
void lab_admin(struct lab *, const struct admin_request *, struct reply *);
const char *reply_reason(const struct reply *);    /* "reason" of a problem, state of an evidence answer */

void soft_host(struct lab *, struct soft_host *, const char *name, const char *boot);  /* active in the store */
/* Asks for a challenge and fills the honest quote for it. False with the reply when it is refused. */
bool soft_challenge(struct lab *, struct soft_host *, struct soft_quote *, struct reply *);
void soft_attest(struct lab *, const struct soft_quote *, struct reply *);
#endif
