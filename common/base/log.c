#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "journal.h"
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

/* What others said, and a line repeats, begins no line of its own. */
static void
make_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void
log_say(int priority, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	make_line(line);
	if (to_stderr)
		fprintf(stderr, "%s: %s\n", name, line);
	else
		syslog(priority, "%s", line);
}

void
log_entry(enum message_id id, int priority, const char *const *fields, const char *fmt, ...)
{
	char line[1024], name_of[64];
	struct journal j;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	journal_open(&j, id, LOG_DAEMON, priority, name);
	journal_put(&j, "MESSAGE", line);
	for (; *fields; fields++) {
		size_t n = strcspn(*fields, "=");

		if (n >= sizeof(name_of) || !(*fields)[n])
			continue;
		memcpy(name_of, *fields, n);
		name_of[n] = '\0';
		journal_put(&j, name_of, *fields + n + 1);
	}
	if (to_stderr || !journal_send(&j, JOURNAL_SOCKET))
		log_say(priority, "%s", line);
}
