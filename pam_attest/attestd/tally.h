/*
 * tally.h - decisions counted: what `attestctl report` and `attestctl metrics` say.
 *
 * By hour, service, what it came to and why; of fixed size, whatever is asked. Services beyond TALLY_SERVICES are
 * counted as "other", hours beyond TALLY_ROWS are forgotten, the oldest first.
 */
#ifndef TALLY_H
#define TALLY_H
#include "decisions.h"

enum { TALLY_SERVICES = 32, TALLY_OTHER = TALLY_SERVICES, TALLY_ROWS = 16384, TALLY_REASONS = 128 };

struct tally_row {
	int64_t  hour;                     /* since 1970 */
	uint8_t  service, access;
	uint16_t reason;
	uint32_t count;
	int64_t  newest;                   /* ms */
	char     ref[REF_TEXT];            /* of the newest */
};
struct tally_service {
	char           name[WORD_TEXT];
	enum gate_mode mode;               /* of the newest decision */
	int64_t        last, last_permit;  /* ms; last_permit: by a verdict, under enforce; 0: never */
};
struct tally {
	struct tally_row     row[TALLY_ROWS];
	unsigned             first, rows;
	struct tally_service service[TALLY_SERVICES + 1];
	unsigned             services;
	/* since attestd began, for metrics */
	uint32_t total[TALLY_SERVICES + 1][ACCESS_COUNT][REASON_COUNT];
};
/* fresh: it was told just now, not read from disk. */
void tally_add(struct tally *, const struct decision *, bool fresh);
/* Services in order of their first decision; TALLY_OTHER is the last, if there is one. */
const char *tally_name(const struct tally *, unsigned service);
/* {"schema":1,"since","kept_since","lost","services":[…],"reasons":[…]} to free; attest-local(7). since: ms, 0: all. */
bool tally_json(const struct tally *, int64_t since, uint64_t lost, char **, size_t *, struct error *) MUST_CHECK;
#endif
