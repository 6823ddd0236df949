/* The record, the boot and the clocks: what is known before anybody is asked. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "accounts.h"
#include "conf.h"
#include "file.h"
#include "scope.h"
#include "sources.h"

/* One line of a file of the kernel's; "" if there is none. */
static void
read_line(const char *path, char *out, size_t size)
{
	own(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

uid_t
gate_owner(const struct gate_conf *c)
{
	struct account who;
	struct error e;
	unsigned uid;

	if (conf_number(c->owner, 0, UINT32_MAX - 1, &uid, &e))
		return uid;
	return account_find(c->passwd, c->owner, &who) ? who.uid : 0;
}

static enum reason
no_record(const struct error *e)
{
	switch (e->code) {
	case ERR_MISSING:   return REASON_NOT_ATTESTED;
	case ERR_UNTRUSTED: return REASON_RECORD_UNTRUSTED;
	case ERR_FORMAT:
	case ERR_LIMIT:     return REASON_RECORD_MALFORMED;
	default:            return REASON_INTERNAL_ERROR;
	}
}

void
facts_read_record(struct facts *f)
{
	char path[GATE_PATH_MAX + 16], text[RECORD_MAX];
	struct error e;
	size_t len;

	snprintf(path, sizeof(path), "%s/verdict", f->conf->run_dir);
	f->recorded = file_read_trusted(path, f->owner, text, sizeof(text), &len, &e) &&
	    record_parse(text, len, &f->record, &e);
	if (f->recorded)
		return;
	f->unrecorded = no_record(&e);
	if (e.code != ERR_MISSING)
		f->detail = e;
}

void
facts_read(const struct gate_conf *c, const struct gate_request *q, struct facts *f)
{
	*f = (struct facts){ .conf = c, .request = q, .now = clock_now() };
	f->deadline = f->now.mono + c->timeout;
	f->owner = gate_owner(c);
	read_line(c->boot_id, f->boot_id, sizeof(f->boot_id));
	facts_read_record(f);
}

bool
facts_negative(const struct facts *f)
{
	return f->recorded && f->record.state == STATE_CONTRAINDICATED;
}

bool
facts_unread(const struct facts *f)
{
	return !f->recorded && f->unrecorded == REASON_INTERNAL_ERROR;
}
