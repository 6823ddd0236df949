/*
 * decisions.h - what gates decided, as they told run_dir/decisions.sock.
 *
 * Untrusted until taken: anybody may write to the socket, only root's processes are heard. From then on every word of
 * a decision is printable ASCII without spaces. The newest are in memory; diary.h keeps the rest.
 */
#ifndef DECISIONS_H
#define DECISIONS_H
#include <sys/types.h>
#include "access.h"
#include "json.h"
#include "record.h"

enum { DECISIONS_KEPT = 1024, DECISION_MAX = 512, WORD_TEXT = 48 };

struct decision {
	uint64_t       number;             /* rises by one, over restarts; 0: not kept */
	int64_t        time;               /* ms since 1970 */
	char           service[WORD_TEXT], user[WORD_TEXT];
	char           source[16];         /* that settled it, "none" */
	enum access    access;
	bool           counts;             /* the one of its access that is counted: account's, not auth's or session's */
	bool           not_armed, killed;  /* why enforce acted as audit */
	enum state     state;
	enum reason    reason;
	enum gate_mode mode;               /* in force */
	char           ref[REF_TEXT];      /* "" when there is none */
};
struct decisions { struct decision list[DECISIONS_KEPT]; unsigned next; uint64_t seen; };

/* One datagram. Only senders with euid 0 are counted. NULL: it was none; else borrowed until the next one. */
struct decision *decisions_take(struct decisions *, uid_t sender, int64_t now, const char *datagram, size_t len);
/* One that was kept before a restart. */
void decisions_remember(struct decisions *, const struct decision *);
const struct decision *decisions_find(const struct decisions *, const char *ref);
/* Whose access it was is for root alone: whole. */
struct json *decision_json(const struct decision *, bool whole);
#endif
