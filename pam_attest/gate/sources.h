/* sources.h - who can say something about this host, and what each says. */
#ifndef SOURCES_H
#define SOURCES_H
#include "gate.h"

/* What is known before anybody is asked, and what the sources asked so far have found out. */
struct facts {
	const struct gate_conf    *conf;
	const struct gate_request *request;
	struct clock  now;
	int64_t       deadline;               /* on CLOCK_MONOTONIC, for everything together */
	uid_t         owner;                  /* who, beside root, may have written the record */
	char          boot_id[BOOT_ID_TEXT];  /* "" if it cannot be read: then no verdict is of this boot */
	bool          recorded;               /* record is there and to be trusted */
	struct record record;
	enum reason   unrecorded;             /* why it is not */
	bool          asked;                  /* quote has answered `why` */
	enum reason   why;
	struct error  detail;
};

struct answer {
	bool        exempt;                   /* nothing is asked of this access at all */
	bool        leased;                   /* an administrator permits it for a while */
	bool        overrules;                /* and against a verdict, too */
	bool        heard;                    /* there is an answer; else ask the next one */
	enum state  state;
	enum reason reason;
	char        ref[REF_TEXT];
	int64_t     age;                      /* ms, -1 */
	char        peer[GATE_NAME_MAX];      /* the machine that it is about, "" for this host */
};

void facts_read(const struct gate_conf *, const struct gate_request *, struct facts *);

/* The record once more: whoever was asked may have replaced it. */
void facts_read_record(struct facts *);

void source_ask(enum source, struct facts *, struct answer *);
/* Fills an answer that is heard. */
void answer_say(struct answer *, enum reason, const char *ref, int64_t age);

/* lease.c, peer.c, passport.c */
void ask_lease(struct facts *, struct answer *);
void ask_peer(struct facts *, struct answer *);
void ask_passport(struct facts *, struct answer *);

/* A verdict against this host that is on record: it stays one until a newer one says otherwise. */
bool facts_negative(const struct facts *);

/* There is a record, and the system would not let it be read: it may be such a verdict. */
bool facts_unread(const struct facts *);

/* Why nothing is asked of this access; REASON_OK if it is. */
enum reason exempt_reason(const struct facts *);

/* Is this access one from the local console (GATE, source exempt)? Whoever it is. */
bool facts_console(const struct facts *);
#endif
