/*
 * journal.h - one entry for journald, by its native protocol: a datagram of fields. libc only, nothing allocated.
 *
 * A value never ends its field: control characters in it become '?'. Fails sticky, like writer.h.
 */
#ifndef JOURNAL_H
#define JOURNAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "message_id.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
enum { JOURNAL_MAX = 4096 };

struct journal { char buf[JOURNAL_MAX]; size_t used; bool full; };
/* facility and priority: of syslog(3), e.g. LOG_AUTHPRIV and LOG_NOTICE. program: as syslog would name it. */
void journal_open(struct journal *, enum message_id, int facility, int priority, const char *program);
/* The same of an entry without MESSAGE_ID. */
void journal_open_plain(struct journal *, int facility, int priority, const char *program);
void journal_put(struct journal *, const char *field, const char *value);
void journal_put_number(struct journal *, const char *field, int64_t value);
/* At once or not at all, without waiting. False: nobody has it. */
bool journal_send(const struct journal *, const char *path);
#endif
