/*
 * lease.h - run_dir/lease: permits that an administrator gave this host for a while, whatever is measured.
 *
 * attest-lease(5). attestd writes the file, after it has verified the verifier's signature or a recovery code; a gate
 * believes it by the record's rules: only root or the attest user could have written it, it is of this boot, and inside
 * its lifetime on CLOCK_BOOTTIME and on the wall clock.
 */
#ifndef LEASE_H
#define LEASE_H
#include <stddef.h>
#include "clock.h"
#include "error.h"
#include "record.h"
#include "ref.h"

enum {
	LEASES_MAX          = 8,             /* in force at a time */
	LEASE_FILE_MAX      = 4096,
	LEASE_VERSION       = 1,
	LEASE_USER_TEXT     = 64,
	LEASE_SERVICES_TEXT = 128,
	/* No lease counts longer than this, whatever it says of itself. */
	LEASE_LIFETIME_MAX_MS = 24 * 3600 * 1000,
};

struct lease {
	char    id[REF_TEXT];                       /* what the verifier calls it */
	int64_t issued_boot, expires_boot;          /* ms of CLOCK_BOOTTIME */
	int64_t issued_wall, expires_wall;          /* ms since 1970 */
	bool    overrules;                          /* a verdict against this host as well */
	char    user[LEASE_USER_TEXT];              /* "": everybody */
	char    services[LEASE_SERVICES_TEXT];      /* "sshd sudo"; "": all */
};
struct leases {
	char         boot_id[BOOT_ID_TEXT];
	unsigned     count;                         /* of a file: at least one */
	struct lease lease[LEASES_MAX];
};

/* ERR_FORMAT or ERR_LIMIT, naming the line. *out is untouched on failure. */
bool leases_parse(const char *buf, size_t len, struct leases *out, struct error *) MUST_CHECK;
bool leases_format(const struct leases *, char *buf, size_t size, size_t *len, struct error *) MUST_CHECK;

/* May these stand in a lease? A user's name; names of services with one space between. */
bool lease_user_fits(const char *user);
bool lease_services_fit(const char *services);

/* Is it inside both of its lifetimes, and for this user at this service? That it is of this boot is the file's to say. */
bool lease_lives(const struct lease *, const struct clock *now);
bool lease_covers(const struct lease *, const char *service, const char *user);
#endif
