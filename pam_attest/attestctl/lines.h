/*
 * lines.h - logical lines of other programs' configuration, and their words: sshd_config(5), sudoers(5), openvpn(8).
 *
 * A line that a backslash ends goes on in the next one, where the file's language has that. Comments are the caller's: each
 * language has its own.
 */
#ifndef LINES_H
#define LINES_H
#include "reader.h"

enum {
	LINES_FILE_MAX = 256 << 10,   /* bytes of a file */
	LINE_TEXT      = 2048,        /* of a line, with what a backslash joins to it */
	WORDS_MAX      = 16,
	LINES_DEPTH    = 4,           /* files that include each other */
	LINES_FILES    = 64,          /* files of one configuration */
};

struct lines { struct reader r; unsigned at; bool joins; };
struct lines lines_open(const char *text, size_t len, bool joins);

/*
 * The next one; number is that of its first line in the file. A line that does not fit or has a NUL is given empty, with
 * *cut set. False at the end.
 */
bool lines_next(struct lines *, char out[static LINE_TEXT], unsigned *number, bool *cut);

/* Splits a line in place at blanks and the bytes of `more`; "quoted words" stay whole, without their quotes. Gives their number. */
unsigned line_words(char *line, const char *more, char *word[static WORDS_MAX]);
#endif
