#include <stdarg.h>
#include <stdio.h>
#include "log.h"

/* Process-wide on purpose: only mains use it, and syslog(3) is process-wide itself. */
static const char *name = "pam-attest";
static bool to_stderr = true;

void
log_open(const char *program, bool foreground)
{
	name = program;
	to_stderr = foreground;
	if (!foreground)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_say(int priority, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (to_stderr)
		fprintf(stderr, "%s: %s\n", name, line);
	else
		syslog(priority, "%s", line);
}
