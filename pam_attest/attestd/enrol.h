/*
 * enrol.h - how this host becomes known to a verifier. attestctl enroll(8), PROTOCOL section 1.
 *
 * Every step is durable before the next one is asked for: a kill anywhere leaves an enrollment that
 * enrol_poll() goes on with, or that the next `attestctl enroll` replaces.
 */
#ifndef ENROL_H
#define ENROL_H
#include "agent.h"

struct enrol_ask {
	char url[URL_TEXT];
	char ca_file[PATH_TEXT];           /* this or ca_sha256 */
	char ca_sha256[2 * SHA256_SIZE + 1];
	char token[TOKEN_TEXT], name[HOST_TEXT];
	char owner_auth[OWNER_AUTH_MAX + 1];
	bool forget;                       /* unenroll: of the above owner_auth alone counts */
};
enum { ENROL_MS = 30 * 1000 };
/*
 * REASON_OK when active, REASON_ENROLLMENT_PENDING when an administrator has to approve it. To forget: REASON_NOT_ENROLLED;
 * why then says if the key could not be taken out of the TPM.
 */
void enrol_start(struct agent *, const struct enrol_ask *, struct outcome *);
/* Has it been approved? */
void enrol_poll(struct agent *, struct outcome *);

/* URL and CA in force: attestd.conf's, else those of enrollment. */
void enrol_use_verifier(struct agent *);
void enrol_verifier(const struct options *, const char *url, struct upstream *);
#endif
