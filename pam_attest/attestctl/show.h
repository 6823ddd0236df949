/*
 * show.h - what a person reads: a mark, a word, and times as one says them. Never colour alone, and colour only on a
 * terminal without NO_COLOR; marks beyond ASCII only where the locale has them.
 */
#ifndef SHOW_H
#define SHOW_H
#include "attestctl.h"
#include "json.h"

/* "● web7: affirming (ok)": the mark by state; then what stands behind it on the line is the caller's. */
void show_state(const struct ctl *, enum state, const char *text);

/* "   Verifier: text"; nothing when text is empty. */
void show_line(const char *label, const char *text);

/* "3 h 2 min", the two largest parts; "0 s" for nothing and less. */
enum { SPAN_TEXT = 48 };
const char *span_text(int64_t ms, char out[static SPAN_TEXT]);
/* "3 min ago" or "in 3 min"; "" for 0. */
const char *when_text(int64_t wall, int64_t now_wall, char out[static SPAN_TEXT]);

/* A member that is a time, ms since 1970; 0 where it is null or missing. */
int64_t show_time(const struct json *, const char *key);
/* A member that is a text; "" where it is missing. */
const char *show_text(const struct json *, const char *key, char *out, size_t size);
/* A list of texts with commas between. */
const char *show_words(const struct json *, const char *key, char *out, size_t size);

/* What a record says of the verdict, as members of j: issued, expires, host, policy, references, boot. */
void show_record(struct json *j, const struct record *, const char *boot_id);

/* One JSON object on standard output, nothing with -q. EXIT_GOOD; else what went wrong is on stderr. */
int show_json(const struct ctl *, const struct json *);

/* The status of attestd, or what the record alone says; now is the wall clock. */
void show_status(const struct ctl *, const struct json *, int64_t now_wall);
#endif
