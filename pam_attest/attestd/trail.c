#include <libaudit.h>
#include <linux/capability.h>
#include "confine.h"
#include "scope.h"
#include "trail.h"

void
trail_open(struct trail *t)
{
	*t = (struct trail){ .fd = confine_has(CAP_AUDIT_WRITE) ? audit_open() : -1 };
}

void
trail_text(const struct decision *d, char out[static TRAIL_TEXT])
{
	snprintf(out, TRAIL_TEXT, "op=attest decision=%s service=%s acct=\"%s\" state=%s reason=%s ref=%s mode=%s source=%s%s%s",
	    access_word(d->access), d->service, d->user, state_word(d->state), reason_code(d->reason), d->ref[0] ? d->ref : "-",
	    mode_word(d->mode), d->source[0] ? d->source : "-", d->not_armed ? " not_armed=1" : "", d->killed ? " kill_switch=1" : "");
}

void
trail_add(struct trail *t, const struct decision *d)
{
	char text[TRAIL_TEXT];

	if (t->fd < 0)
		return;
	trail_text(d, text);
	/* Empty names: libaudit would look for a terminal and a host otherwise, which are not attestd's to say. */
	if (audit_log_user_message(t->fd, AUDIT_TRUSTED_APP, text, "", "", "", d->access != ACCESS_REFUSED) <= 0)
		t->failed++;
}
