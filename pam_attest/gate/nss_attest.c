/*
 * libnss_attest(8): a group of which every user is a member while this host has proved what it booted.
 *
 * Loaded into every program that looks up a group, before anybody is authenticated: it reads files and asks
 * nobody. No state, no allocation but the list that initgroups hands over. Whatever is wrong, there is no such group.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <nss.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "accounts.h"
#include "sources.h"

#define ENTRY __attribute__((visibility("default"))) enum nss_status
nss_getgrnam_r     _nss_attest_getgrnam_r;
nss_getgrgid_r     _nss_attest_getgrgid_r;
nss_initgroups_dyn _nss_attest_initgroups_dyn;

/* The record's own rules. Grace is the gate's to give, service by service: here it is no verdict. */
static bool
attested(const struct gate_conf *c)
{
	struct facts f;

	facts_read(c, NULL, &f);
	if (!f.recorded || record_usable(&f.record, f.boot_id, &f.now) != REASON_OK)
		return false;
	return f.record.state == STATE_AFFIRMING ||
	    (c->nss_warning && f.record.state == STATE_WARNING && f.record.reason != REASON_GRACE);
}

/* Is there a group of this name (if one is given) and gid (if it is not 0)? */
static bool
find_group(const char *name, gid_t gid, struct gate_conf *c)
{
	return gate_conf_read_nss(c, GATE_CONF_FILE) && c->nss_group[0] && c->nss_gid &&
	    (!name || !strcmp(name, c->nss_group)) && (!gid || gid == c->nss_gid) &&
	    attested(c) && account_group_fits(c->group, c->nss_group, c->nss_gid);
}

/* Everything in the caller's buffer: an empty list of members, the name, a password that nobody has. */
static enum nss_status
fill(const struct gate_conf *c, struct group *g, char *buf, size_t size)
{
	size_t align = -(uintptr_t)buf % _Alignof(char *), name = strlen(c->nss_group) + 1;

	if (size < align + sizeof(char *) + name + sizeof("*"))
		return NSS_STATUS_TRYAGAIN;
	buf += align;
	g->gr_mem = (char **)(void *)buf;
	g->gr_mem[0] = NULL;
	g->gr_name = memcpy(buf + sizeof(char *), c->nss_group, name);
	g->gr_passwd = memcpy(buf + sizeof(char *) + name, "*", sizeof("*"));
	g->gr_gid = c->nss_gid;
	return NSS_STATUS_SUCCESS;
}

/* errno is the caller's, who gets it back as it was unless there is something to say. */
static enum nss_status
say(enum nss_status s, int was, int trouble, int *errnop)
{
	errno = was;
	if (s != NSS_STATUS_SUCCESS)
		*errnop = s == NSS_STATUS_TRYAGAIN ? trouble : ENOENT;
	return s;
}

ENTRY
_nss_attest_getgrnam_r(const char *name, struct group *g, char *buf, size_t size, int *errnop)
{
	int was = errno;
	struct gate_conf c;

	return say(find_group(name, 0, &c) ? fill(&c, g, buf, size) : NSS_STATUS_NOTFOUND, was, ERANGE, errnop);
}

ENTRY
_nss_attest_getgrgid_r(gid_t gid, struct group *g, char *buf, size_t size, int *errnop)
{
	int was = errno;
	struct gate_conf c;

	return say(gid && find_group(NULL, gid, &c) ? fill(&c, g, buf, size) : NSS_STATUS_NOTFOUND, was, ERANGE, errnop);
}

/* Puts gid behind the others, in a list that grows as glibc's own modules let it: twice the size, never over limit. */
static enum nss_status
add(gid_t gid, long *start, long *size, gid_t **groups, long limit)
{
	if (*start >= *size) {
		long larger = *size > 0 ? 2 * *size : 1;
		gid_t *grown;

		if (limit > 0 && larger > limit)
			larger = limit;
		if (larger <= *start)
			return NSS_STATUS_NOTFOUND;     /* no more are asked for */
		grown = realloc(*groups, (size_t)larger * sizeof(gid_t));
		if (!grown)
			return NSS_STATUS_TRYAGAIN;
		*groups = grown;
		*size = larger;
	}
	(*groups)[(*start)++] = gid;
	return NSS_STATUS_SUCCESS;
}

ENTRY
_nss_attest_initgroups_dyn(const char *user, gid_t primary, long *start, long *size, gid_t **groups, long limit,
    int *errnop)
{
	int was = errno;
	struct gate_conf c;
	bool member = find_group(NULL, 0, &c) && c.nss_gid != primary;

	(void)user;
	return say(member ? add(c.nss_gid, start, size, groups, limit) : NSS_STATUS_NOTFOUND, was, ENOMEM, errnop);
}
