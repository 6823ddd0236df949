/* log.h - what daemons say: to syslog, or one line on stderr in the foreground. Mains only. */
#ifndef LOG_H
#define LOG_H
#include <stdbool.h>
#include <syslog.h>
#include "message_id.h"

void log_open(const char *program, bool foreground);
/* Where it is there, journald is told of this one as well by its own protocol, with fields "NAME=value", the last NULL. Not twice. */
void log_entry(enum message_id, int priority, const char *const *fields, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void log_say(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
