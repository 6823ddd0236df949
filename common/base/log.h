/* log.h - what daemons say: to syslog, or one line on stderr in the foreground. Mains only. */
#ifndef LOG_H
#define LOG_H
#include <stdbool.h>
#include <syslog.h>

void log_open(const char *program, bool foreground);
void log_say(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
