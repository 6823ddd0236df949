#include <stdio.h>
#include <string.h>
#include "lease.h"
#include "plain.h"
#include "scope.h"

/* The lines of one lease, in this order, all of them. */
enum kind { KIND_ID, KIND_MS, KIND_YES, KIND_USER, KIND_SERVICES };
#define FIELD(kind, key, field) { key, KIND_##kind, offsetof(struct lease, field) }
static const struct field {
	const char *key;
	enum kind   kind;
	size_t      at;
} fields[] = {
	FIELD(ID,       "id",                id),
	FIELD(MS,       "issued_boot",       issued_boot),
	FIELD(MS,       "expires_boot",      expires_boot),
	FIELD(MS,       "issued_wall",       issued_wall),
	FIELD(MS,       "expires_wall",      expires_wall),
	FIELD(YES,      "overrules_refusal", overrules),
	FIELD(USER,     "user",              user),
	FIELD(SERVICES, "services",          services),
};
enum { LINE_MAX_BYTES = 256 };

/* One word, which neither a file of lines nor a log line can take for more than one. */
static bool
word(const char *s)
{
	return plain_text(s) && !strchr(s, ' ');
}

bool
lease_user_fits(const char *user)
{
	return strlen(user) < LEASE_USER_TEXT && word(user);
}

bool
lease_services_fit(const char *s)
{
	size_t n = strlen(s);

	return n < LEASE_SERVICES_TEXT && plain_text(s) && !strstr(s, "  ") && s[0] != ' ' && (!n || s[n - 1] != ' ');
}

static bool
set(struct lease *l, const struct field *f, const char *value)
{
	void *at = (char *)l + f->at;
	char id[REF_TEXT];
	uint64_t n;

	switch (f->kind) {
	case KIND_ID:
		if (!ref_read(value, id) || strcmp(id, value) != 0)
			return false;
		memcpy(at, id, sizeof(id));
		return true;
	case KIND_MS:
		if (!plain_number(value, PLAIN_MAX, &n))
			return false;
		*(int64_t *)at = (int64_t)n;
		return true;
	case KIND_YES:
		if (strcmp(value, "yes") && strcmp(value, "no"))
			return false;
		*(bool *)at = value[0] == 'y';
		return true;
	case KIND_USER:
		if (!lease_user_fits(value))
			return false;
		strcpy(at, value);
		return true;
	case KIND_SERVICES:
		if (!lease_services_fit(value))
			return false;
		strcpy(at, value);
		return true;
	}
	return false;
}

static bool
coherent(const struct lease *l, struct error *e)
{
	if (l->expires_boot < l->issued_boot || l->expires_wall < l->issued_wall)
		return err_set(e, ERR_FORMAT, "lease %s expires before it was issued", l->id);
	if (l->expires_boot - l->issued_boot > LEASE_LIFETIME_MAX_MS || l->expires_wall - l->issued_wall > LEASE_LIFETIME_MAX_MS)
		return err_set(e, ERR_LIMIT, "lease %s lives over %d ms", l->id, LEASE_LIFETIME_MAX_MS);
	return true;
}

/* Line 1 is the version, line 2 the boot, then eight lines a lease. */
static bool
parse_line(struct leases *all, char *line, unsigned at, struct error *e)
{
	char *value = strchr(line, '=');
	const struct field *f;
	unsigned n;

	if (!value)
		return err_set(e, ERR_FORMAT, "line %u: no '='", at);
	*value++ = '\0';
	if (at == 1)
		return (!strcmp(line, "version") && !strcmp(value, "1")) ||
		    err_set(e, ERR_FORMAT, "line 1: not version=%d", LEASE_VERSION);
	if (at == 2) {
		if (strcmp(line, "boot_id") || strlen(value) >= sizeof(all->boot_id) || !word(value))
			return err_set(e, ERR_FORMAT, "line 2: not a boot_id");
		strcpy(all->boot_id, value);
		return true;
	}
	n = (at - 3) / (unsigned)COUNT(fields);
	f = &fields[(at - 3) % COUNT(fields)];
	if (n == LEASES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d leases", LEASES_MAX);
	if (strcmp(line, f->key))
		return err_set(e, ERR_FORMAT, "line %u: not %s", at, f->key);
	return set(&all->lease[n], f, value) || err_set(e, ERR_FORMAT, "line %u: %s: bad value", at, f->key);
}

bool
leases_parse(const char *buf, size_t len, struct leases *out, struct error *e)
{
	struct leases all = { .count = 0 };
	char line[LINE_MAX_BYTES];
	unsigned lines = 0;

	if (len > LEASE_FILE_MAX)
		return err_set(e, ERR_LIMIT, "leases of more than %d bytes", LEASE_FILE_MAX);
	while (len) {
		const char *newline = memchr(buf, '\n', len);
		size_t n = newline ? (size_t)(newline - buf) : len;

		lines++;
		if (!newline || n >= sizeof(line) || memchr(buf, '\0', n))
			return err_set(e, ERR_FORMAT, "line %u: %s", lines, newline ? "too long, or has a NUL" : "cut off");
		memcpy(line, buf, n);
		line[n] = '\0';
		if (!parse_line(&all, line, lines, e))
			return false;
		buf += n + 1;
		len -= n + 1;
	}
	if (lines < 3 || (lines - 2) % COUNT(fields))
		return err_set(e, ERR_FORMAT, "ends within a lease, or has none");
	all.count = (lines - 2) / (unsigned)COUNT(fields);
	for (unsigned i = 0; i < all.count; i++)
		if (!coherent(&all.lease[i], e))
			return false;
	*out = all;
	return true;
}

static int
put_field(const struct lease *l, const struct field *f, char *out, size_t size)
{
	const void *at = (const char *)l + f->at;

	switch (f->kind) {
	case KIND_ID:
	case KIND_USER:
	case KIND_SERVICES: return snprintf(out, size, "%s=%s\n", f->key, (const char *)at);
	case KIND_MS:       return snprintf(out, size, "%s=%lld\n", f->key, (long long)*(const int64_t *)at);
	case KIND_YES:      return snprintf(out, size, "%s=%s\n", f->key, *(const bool *)at ? "yes" : "no");
	}
	return -1;
}

bool
leases_format(const struct leases *all, char *buf, size_t size, size_t *len, struct error *e)
{
	struct leases again;
	int n = snprintf(buf, size, "version=%d\nboot_id=%s\n", LEASE_VERSION, all->boot_id);
	size_t used = n > 0 && (size_t)n < size ? (size_t)n : size;

	for (unsigned i = 0; i < all->count && i < LEASES_MAX; i++)
		for (unsigned k = 0; k < COUNT(fields) && used < size; k++) {
			n = put_field(&all->lease[i], &fields[k], buf + used, size - used);
			used = n > 0 && (size_t)n < size - used ? used + (size_t)n : size;
		}
	if (used >= size)
		return err_set(e, ERR_LIMIT, "leases do not fit into %zu bytes", size);
	/* Nothing is written that a gate would refuse to read. */
	if (!leases_parse(buf, used, &again, e))
		return false;
	*len = used;
	return true;
}

bool
lease_lives(const struct lease *l, const struct clock *now)
{
	return now->boot >= l->issued_boot && now->boot < l->expires_boot && now->wall >= l->issued_wall &&
	    now->wall < l->expires_wall;
}

bool
lease_covers(const struct lease *l, const char *service, const char *user)
{
	size_t n = strlen(service);

	if (l->user[0] && strcmp(l->user, user) != 0)
		return false;
	if (!l->services[0])
		return true;
	for (const char *p = l->services; *p; p += strspn(p, " ")) {
		size_t have = strcspn(p, " ");

		if (have == n && !memcmp(p, service, n))
			return true;
		p += have;
	}
	return false;
}
