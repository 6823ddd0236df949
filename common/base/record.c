#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include "plain.h"
#include "record.h"
#include "scope.h"

static const char *const modes[] = {
#define X(name, word) [MODE_##name] = word,
	GATE_MODES(X)
#undef X
};

const char *
mode_word(enum gate_mode m)
{
	return (unsigned)m < MODE_COUNT ? modes[m] : modes[MODE_ENFORCE];
}

bool
mode_find(const char *word, enum gate_mode *m)
{
	for (unsigned i = 0; i < COUNT(modes); i++)
		if (!strcmp(modes[i], word)) {
			*m = (enum gate_mode)i;
			return true;
		}
	return false;
}

/* The record's keys, in the order in which they are written. All must be there. */
enum kind { KIND_TEXT, KIND_STATE, KIND_REASON, KIND_MODE, KIND_MS, KIND_COUNT, KIND_YES };
#define FIELD(kind, key, field) { key, KIND_##kind, offsetof(struct record, field), sizeof(((struct record *)0)->field) }
static const struct field {
	const char *key;
	enum kind   kind;
	size_t      at, size;
} fields[] = {
	FIELD(TEXT,   "boot_id",        boot_id),
	FIELD(STATE,  "state",          state),
	FIELD(REASON, "reason",         reason),
	FIELD(TEXT,   "ref",            ref),
	FIELD(MODE,   "ceiling",        ceiling),
	FIELD(MS,     "issued_boot",    issued_boot),
	FIELD(MS,     "expires_boot",   expires_boot),
	FIELD(MS,     "issued_wall",    issued_wall),
	FIELD(MS,     "expires_wall",   expires_wall),
	FIELD(MS,     "asleep",         asleep),
	FIELD(COUNT,  "reset_count",    reset_count),
	FIELD(COUNT,  "restart_count",  restart_count),
	FIELD(TEXT,   "host",           host),
	FIELD(TEXT,   "policy",         policy),
	FIELD(TEXT,   "references",     references),
	FIELD(YES,    "upstream_out",   upstream_out),
	FIELD(MS,     "upstream_since", upstream_since_wall),
	FIELD(MS,     "good_issued",    good_issued_wall),
	FIELD(MS,     "good_expires",   good_expires_wall),
	FIELD(YES,    "good_this_boot", good_this_boot),
	FIELD(MS,     "grace_max",      grace_max),
};
_Static_assert(COUNT(fields) < 32, "one bit a field");

static bool
set(struct record *r, const struct field *f, const char *value)
{
	void *at = (char *)r + f->at;
	uint64_t n;

	switch (f->kind) {
	case KIND_TEXT:
		if (strlen(value) >= f->size || !plain_text(value))
			return false;
		strcpy(at, value);
		return true;
	case KIND_STATE:
		return state_find(value, at);
	case KIND_REASON:
		return reason_find(value, at);
	case KIND_MODE:
		return mode_find(value, at);
	case KIND_MS:
		if (!plain_number(value, PLAIN_MAX, &n))
			return false;
		*(int64_t *)at = (int64_t)n;
		return true;
	case KIND_COUNT:
		if (!plain_number(value, UINT32_MAX, &n))
			return false;
		*(uint32_t *)at = (uint32_t)n;
		return true;
	case KIND_YES:
		if (strcmp(value, "yes") && strcmp(value, "no"))
			return false;
		*(bool *)at = value[0] == 'y';
		return true;
	}
	return false;
}

static bool
parse_line(struct record *r, char *line, unsigned at, uint32_t *seen, struct error *e)
{
	char *value = strchr(line, '=');

	if (!value)
		return err_set(e, ERR_FORMAT, "line %u: no '='", at);
	*value++ = '\0';
	if (at == 1)
		return (!strcmp(line, "version") && !strcmp(value, "1")) ||
		    err_set(e, ERR_FORMAT, "line 1: not version=%d", RECORD_VERSION);
	for (unsigned i = 0; i < COUNT(fields); i++) {
		if (strcmp(fields[i].key, line))
			continue;
		if (*seen & 1u << i)
			return err_set(e, ERR_FORMAT, "line %u: %s given twice", at, line);
		*seen |= 1u << i;
		return set(r, &fields[i], value) || err_set(e, ERR_FORMAT, "line %u: %s: bad value", at, line);
	}
	return err_set(e, ERR_FORMAT, "line %u: unknown key", at);
}

/* What no single line shows: that the parts of a record fit together. */
static bool
coherent(const struct record *r, struct error *e)
{
	if (reason_state(r->reason) != r->state)
		return err_set(e, ERR_FORMAT, "reason %s does not mean %s", reason_code(r->reason), state_word(r->state));
	if (r->expires_boot < r->issued_boot || r->expires_wall < r->issued_wall)
		return err_set(e, ERR_FORMAT, "expires before it was issued");
	if (r->expires_boot - r->issued_boot > RECORD_LIFETIME_MAX_MS ||
	    r->expires_wall - r->issued_wall > RECORD_LIFETIME_MAX_MS)
		return err_set(e, ERR_LIMIT, "lifetime over %d ms", RECORD_LIFETIME_MAX_MS);
	return true;
}

bool
record_parse(const char *buf, size_t len, struct record *out, struct error *e)
{
	struct record r = { .ceiling = MODE_ENFORCE };
	char line[512];
	uint32_t seen = 0;

	if (len > RECORD_MAX)
		return err_set(e, ERR_LIMIT, "record of more than %d bytes", RECORD_MAX);
	for (unsigned at = 1; len; at++) {
		const char *newline = memchr(buf, '\n', len);
		size_t n = newline ? (size_t)(newline - buf) : len;

		/* A last line without its end is a record that was cut. */
		if (!newline || n >= sizeof(line) || memchr(buf, '\0', n))
			return err_set(e, ERR_FORMAT, "line %u: %s", at, newline ? "too long, or has a NUL" : "cut off");
		memcpy(line, buf, n);
		line[n] = '\0';
		if (!parse_line(&r, line, at, &seen, e))
			return false;
		buf += n + 1;
		len -= n + 1;
	}
	for (unsigned i = 0; i < COUNT(fields); i++)
		if (!(seen & 1u << i))
			return err_set(e, ERR_FORMAT, "%s is missing", fields[i].key);
	if (!coherent(&r, e))
		return false;
	*out = r;
	return true;
}

static void
value_text(const struct record *r, const struct field *f, char *out, size_t size)
{
	const void *at = (const char *)r + f->at;

	switch (f->kind) {
	case KIND_TEXT:   snprintf(out, size, "%s", (const char *)at); break;
	case KIND_STATE:  snprintf(out, size, "%s", state_word(*(const enum state *)at)); break;
	case KIND_REASON: snprintf(out, size, "%s", reason_code(*(const enum reason *)at)); break;
	case KIND_MODE:   snprintf(out, size, "%s", mode_word(*(const enum gate_mode *)at)); break;
	case KIND_MS:     snprintf(out, size, "%lld", (long long)*(const int64_t *)at); break;
	case KIND_COUNT:  snprintf(out, size, "%lu", (unsigned long)*(const uint32_t *)at); break;
	case KIND_YES:    snprintf(out, size, "%s", *(const bool *)at ? "yes" : "no"); break;
	}
}

bool
record_format(const struct record *r, char *buf, size_t size, size_t *len, struct error *e)
{
	struct record again;
	char value[512];
	size_t used;
	int n = snprintf(buf, size, "version=%d\n", RECORD_VERSION);

	used = n > 0 && (size_t)n < size ? (size_t)n : size;
	for (unsigned i = 0; i < COUNT(fields) && used < size; i++) {
		value_text(r, &fields[i], value, sizeof(value));
		n = snprintf(buf + used, size - used, "%s=%s\n", fields[i].key, value);
		used = n > 0 && (size_t)n < size - used ? used + (size_t)n : size;
	}
	if (used >= size)
		return err_set(e, ERR_LIMIT, "record does not fit into %zu bytes", size);
	/* Nothing is written that a gate would refuse to read. */
	if (!record_parse(buf, used, &again, e))
		return false;
	*len = used;
	return true;
}

/* Longer than this between BOOTTIME and MONOTONIC since the record was made: the machine slept. */
enum { ASLEEP_SLACK_MS = 1000 };

enum reason
record_usable(const struct record *r, const char *boot_id, const struct clock *now)
{
	if (!r->issued_boot && !r->expires_boot)
		return REASON_NOT_ATTESTED;
	if (!boot_id[0] || strcmp(r->boot_id, boot_id))
		return REASON_VERDICT_OTHER_BOOT;
	if (now->boot < r->issued_boot || now->boot >= r->expires_boot ||
	    now->wall < r->issued_wall || now->wall >= r->expires_wall)
		return REASON_VERDICT_EXPIRED;
	if (now->boot - now->mono - r->asleep > ASLEEP_SLACK_MS)
		return REASON_VERDICT_EXPIRED;
	return REASON_OK;
}

int64_t
record_grace_ends(const struct record *r)
{
	return r->good_issued_wall && r->grace_max ? r->good_issued_wall + r->grace_max : 0;
}

static bool
in_grace(const struct record *r, const struct clock *now)
{
	return r->upstream_out && r->good_this_boot && now->wall >= r->good_issued_wall && now->wall < record_grace_ends(r);
}

enum reason
record_says(const struct record *r, const char *boot_id, const struct clock *now)
{
	enum reason usable = record_usable(r, boot_id, now);

	if (usable == REASON_OK)
		return r->reason;
	if (in_grace(r, now))
		return REASON_GRACE;
	/* A refusal is never forgotten because its record has run out. */
	if (r->state == STATE_NONE || r->state == STATE_BROKEN || r->state == STATE_CONTRAINDICATED)
		return r->reason;
	return usable;
}
