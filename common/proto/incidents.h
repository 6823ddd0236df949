/*
 * incidents.h - what a host tells its verifier afterwards: who came in without a verdict, and which modes are in force.
 *
 * Part 7 of the body of POST /v1/events, JSON, bound by a quote of purpose `events`. attest-protocol(7). One batch has
 * one id: a batch that comes again is taken once.
 */
#ifndef INCIDENTS_H
#define INCIDENTS_H
#include "json.h"
#include "record.h"

enum { INCIDENTS_MAX = 32, INCIDENT_MODES_MAX = 32, INCIDENT_WORD = 48, BATCH_SIZE = 16 };

/* X(NAME, word, urgent): told at once, or with the next attestation. */
#define INCIDENT_KINDS(X) \
	X(BREAK_GLASS, "break-glass", true)    /* a member of the break-glass group, past an enforced gate */ \
	X(KILL_SWITCH, "kill-switch", true)    /* enforce acted as audit: DISABLED, or attest=audit */ \
	X(FAIL_OPEN,   "fail-open",   true)    /* no verdict, and a bracket of `sources` let them in */ \
	X(LEASE,       "lease",       true)    /* let in by a lease */ \
	X(EXEMPTION,   "exemption",   false)   /* exempt_user, or an administrator on the console */ \
	X(NOT_ARMED,   "not-armed",   false)   /* enforce acts as audit: never affirming yet */

enum incident_kind {
#define X(name, word, urgent) INCIDENT_##name,
	INCIDENT_KINDS(X)
#undef X
	INCIDENT_COUNT
};
const char *incident_word(enum incident_kind);
bool        incident_find(const char *word, enum incident_kind *);
bool        incident_urgent(enum incident_kind);

/* Uses of one kind by one user through one service: words are printable ASCII without spaces. */
struct incident {
	enum incident_kind kind;
	char        service[INCIDENT_WORD], user[INCIDENT_WORD];
	enum reason reason;
	char        ref[REF_TEXT];              /* of the newest, or "" */
	uint32_t    count;
	int64_t     first, last;                /* ms since 1970, whole seconds */
};
struct service_mode { char service[INCIDENT_WORD]; enum gate_mode mode; };
struct incidents {
	uint8_t      batch[BATCH_SIZE];
	unsigned     count;
	struct incident list[INCIDENTS_MAX];
	unsigned     modes;                     /* of services that were asked for */
	struct service_mode mode[INCIDENT_MODES_MAX];
};
struct json *incidents_json(const struct incidents *);
bool incidents_read(const struct json *, struct incidents *, struct error *) MUST_CHECK;
#endif
