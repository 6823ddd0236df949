/* clock.h - the clocks, named by what they are good for. Milliseconds everywhere. */
#ifndef CLOCK_H
#define CLOCK_H
#include <stdbool.h>
#include <stdint.h>

struct clock {
	int64_t boot;    /* CLOCK_BOOTTIME: age of a verdict; runs through suspend */
	int64_t mono;    /* CLOCK_MONOTONIC: deadlines */
	int64_t wall;    /* CLOCK_REALTIME, since 1970: what people and certificates read */
};

struct clock clock_now(void);
int64_t      clock_mono(void);

/* Milliseconds from now until a deadline on CLOCK_MONOTONIC, 0 when it has passed; for poll(2). */
int          clock_left(int64_t deadline);

enum { TIME_TEXT = 21 };
/* What time_text() writes, and nothing else. */
bool         time_read(const char *text, int64_t *wall_ms);
void         time_text(int64_t wall_ms, char out[static TIME_TEXT]);   /* RFC 3339 "2026-11-23T09:12:44Z" */
#endif
