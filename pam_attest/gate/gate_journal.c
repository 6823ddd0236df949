/* The decision as an entry of the journal, with fields beside the line that syslog would have. */
#include <errno.h>
#include <stdio.h>
#include <syslog.h>
#include "gate.h"
#include "journal.h"

static enum message_id
message_of(const struct gate_decision *d)
{
	if (d->judged == OUTCOME_EXEMPT)
		return d->alert ? MESSAGE_BREAK_GLASS : MESSAGE_EXEMPTED;
	if (d->killed)
		return MESSAGE_KILL_SWITCH;
	if (d->not_armed)
		return MESSAGE_NOT_ARMED;
	switch (gate_access(d)) {
	case ACCESS_WOULD_REFUSE: return MESSAGE_WOULD_REFUSE;
	case ACCESS_PERMITTED:    return MESSAGE_PERMITTED;
	case ACCESS_LEASED:       return MESSAGE_LEASED;
	case ACCESS_OPEN:         return MESSAGE_FAIL_OPEN;
	case ACCESS_OFF:
	case ACCESS_EXEMPTED:     return MESSAGE_EXEMPTED;
	case ACCESS_REFUSED:
	case ACCESS_COUNT:        break;
	}
	return MESSAGE_REFUSED;
}

bool
gate_journal(const struct gate_conf *c, const struct gate_request *q, const struct gate_decision *d, const char *service,
    int priority, const char *line)
{
	struct journal j;
	char message[GATE_LINE_MAX + GATE_NAME_MAX + 32], word[GATE_WORD_MAX];

	journal_open(&j, message_of(d), LOG_AUTHPRIV, priority, program_invocation_short_name);
	/* As pam_syslog(3) begins it. */
	snprintf(message, sizeof(message), "pam_attest(%s:%s): %s", gate_word(service, word), phase_word(q->phase), line);
	journal_put(&j, "MESSAGE", message);
	journal_put(&j, "ATTEST_DECISION", access_word(gate_access(d)));
	journal_put(&j, "ATTEST_REASON", reason_code(d->reason));
	journal_put(&j, "ATTEST_REF", d->ref);
	journal_put(&j, "ATTEST_SERVICE", gate_word(c->service, word));
	journal_put(&j, "ATTEST_USER", gate_word(q->user, word));
	journal_put(&j, "ATTEST_RHOST", gate_word(q->rhost, word));
	journal_put(&j, "ATTEST_MODE", mode_word(d->mode));
	journal_put(&j, "ATTEST_STATE", state_word(d->state));
	journal_put(&j, "ATTEST_SOURCE", source_word(d->source));
	if (d->peer[0])
		journal_put(&j, "ATTEST_PEER", gate_word(d->peer, word));
	if (d->age >= 0)
		journal_put_number(&j, "ATTEST_AGE_SEC", d->age / 1000);
	return journal_send(&j, c->journal);
}
