#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "clock.h"

static int64_t
read_ms(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0)
		return 0;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct clock
clock_now(void)
{
	return (struct clock){
		.boot = read_ms(CLOCK_BOOTTIME),
		.mono = read_ms(CLOCK_MONOTONIC),
		.wall = read_ms(CLOCK_REALTIME),
	};
}

int64_t
clock_mono(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int
clock_left(int64_t deadline)
{
	int64_t now = clock_mono(), left = deadline - now;

	/* Without a clock nobody can wait for a while: then not at all. */
	if (!now || left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

void
time_text(int64_t wall_ms, char out[static TIME_TEXT])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (wall_ms < 0 || !gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900 ||
	    !strftime(out, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		strcpy(out, "1970-01-01T00:00:00Z");
}

bool
time_read(const char *text, int64_t *wall_ms)
{
	struct tm tm = { 0 };
	char again[TIME_TEXT];
	int64_t ms;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	ms = (int64_t)timegm(&tm) * 1000;
	time_text(ms, again);
	if (strcmp(text, again))
		return false;
	*wall_ms = ms;
	return true;
}
