/* The file of decisions. A line that is taken is written again as it was read, or as the same decision. */
#include "diary.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
look(void *arg, const struct decision *d)
{
	char line[DIARY_LINE_MAX];
	size_t n = diary_line(d, line);
	struct decision again;
	struct error e;

	(void)arg;
	/* A number is shorter than it was read, nothing is longer. */
	if (!n || !diary_read(line, n, &again, &e) || memcmp(&again.number, &d->number, sizeof(d->number)) != 0 ||
	    again.time != d->time || strcmp(again.service, d->service) != 0 || strcmp(again.user, d->user) != 0 ||
	    strcmp(again.source, d->source) != 0 || again.access != d->access || again.reason != d->reason ||
	    again.state != d->state || again.mode != d->mode || strcmp(again.ref, d->ref) != 0 ||
	    again.not_armed != d->not_armed || again.killed != d->killed || again.counts != d->counts)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	diary_walk((const char *)p, n, look, NULL);
	return 0;
}
