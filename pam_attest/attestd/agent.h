/*
 * agent.h - everything one attestation needs. Belongs to the worker thread; the loop sees outcomes.
 */
#ifndef AGENT_H
#define AGENT_H
#include <stdatomic.h>
#include "ima_file.h"
#include "logs.h"
#include "record.h"
#include "state.h"
#include "upstream.h"

struct agent {
	const struct options *opt;
	int             log_fd;
	bool            log_absent;
	struct ima_file ima;
	struct identity id;
	struct tpm      tpm;
	struct upstream up;
	struct kept     good, negative;
	struct record   record;            /* as last published */
	char            boot_id[BOOT_ID_TEXT];
	uint64_t        quotes;
	unsigned        failures;          /* in a row */
	bool            asked_recovery;    /* for a recovery key, in this start */
	atomic_bool     ending;            /* set by the loop: no further part of a long list is begun */
};

/* For whom a passport is asked: a relying party, and the user there. */
struct whom { char audience[AUDIENCE_TEXT], user[PASSPORT_USER_TEXT]; };

/* What the loop is told after each job. All by value. */
struct outcome {
	enum reason   reason;              /* of this attempt; the record may say more */
	char          why[200];            /* a sentence for the log, "" when all went well */
	struct record record;
	bool          enrolled, pending;
	char          host[HOST_TEXT], url[URL_TEXT];
	char          standby[URLS_MAX * URL_TEXT];   /* its other URLs, with blanks between */
	int64_t       answered_wall;       /* when a verifier answered last; 0: not yet */
	int64_t       renews_wall;         /* when the next attempt is due; the loop's to say */
	int64_t       next_ms;             /* when to try again */
	uint64_t      quotes, tpm_commands;
	char          passport[CODE_TEXT]; /* that was granted, "" */
};
void agent_outcome(const struct agent *, enum reason, const struct error *, int64_t next_ms, struct outcome *);
#endif
