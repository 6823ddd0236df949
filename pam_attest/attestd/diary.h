/*
 * diary.h - decisions on disk: state_dir/decisions, one line each, appended.
 *
 *   1 NUMBER TIME SERVICE USER ACCESS PHASE STATE REASON REF MODE SOURCE FLAGS
 *
 * Words between single spaces, "-" where there is nothing. A file that has grown to DIARY_FILE_MAX or is DIARY_DAYS
 * old becomes decisions.1, and the one before it goes. Written in one piece a turn of the loop and never synced: what
 * was written outlives kill -9, a power cut may cost the last half minute. A line that was cut off is no line.
 *
 * A disk that is full costs lines, which are counted, and nothing else. No descriptor is kept: nobody is hindered by it
 * from mounting the disk read-only.
 */
#ifndef DIARY_H
#define DIARY_H
#include "decisions.h"
#include "options.h"

enum { DIARY_FILE_MAX = 4 << 20, DIARY_DAYS = 31, DIARY_LINE_MAX = 384, DIARY_BUFFER = 64 << 10 };

struct diary {
	char     path[PATH_TEXT + 32], older[PATH_TEXT + 32];
	size_t   size;                     /* of the file */
	int64_t  begun;                    /* time of its first line; 0: it has none */
	bool     torn;                     /* it may end in the middle of a line */
	uint64_t last;                     /* number of the newest decision */
	uint64_t lost;                     /* lines that could not be written */
	unsigned waiting;                  /* lines in buf */
	size_t   used;
	char     buf[DIARY_BUFFER];
};

/* Each decision of a text, oldest first; what is not a whole good line is passed over. */
typedef void diary_fn(void *arg, const struct decision *);
void diary_walk(const char *text, size_t len, diary_fn *, void *arg);
/* One line with its newline, or a prefix of it. */
bool diary_read(const char *line, size_t len, struct decision *, struct error *) MUST_CHECK;
/* Its length; 0 when it does not fit. */
size_t diary_line(const struct decision *, char out[static DIARY_LINE_MAX]);

/* Gives all that is kept to fn, and looks whether more can be kept. False: not now; all else works. */
bool diary_open(struct diary *, const char *state_dir, int64_t now, diary_fn *, void *arg, struct error *) MUST_CHECK;
/* Gives the decision its number and keeps it with the next flush. */
void diary_add(struct diary *, struct decision *);
/* Writes what waits. False: those lines are lost. */
bool diary_flush(struct diary *, int64_t now, struct error *) MUST_CHECK;
/* The newest of that reference, from the files. */
bool diary_find(const struct diary *, const char *ref, struct decision *);
#endif
