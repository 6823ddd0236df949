/* decisions.h - what gates decided, as they told run_dir/decisions.sock. The last few, for people. */
#ifndef DECISIONS_H
#define DECISIONS_H
#include <sys/types.h>
#include "json.h"
#include "record.h"

enum { DECISIONS_KEPT = 64, DECISION_MAX = 512, WORD_TEXT = 48 };
struct decision {
	int64_t time;                      /* ms since 1970 */
	char    service[WORD_TEXT], user[WORD_TEXT], decision[16], state[16], reason[REASON_CODE_MAX], ref[REF_TEXT], mode[16];
};
struct decisions { struct decision list[DECISIONS_KEPT]; unsigned next; uint64_t seen; };

/* One datagram. Only senders with euid 0 are counted: anybody may write to the socket. */
void decisions_take(struct decisions *, uid_t sender, const char *datagram, size_t len);
const struct decision *decisions_find(const struct decisions *, const char *ref);
struct json *decision_json(const struct decision *);
#endif
