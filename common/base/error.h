/*
 * error.h - what went wrong, as a code for programs and a sentence for people.
 *
 * Whether a function failed is its result; a struct error only says why. Verdicts on
 * hosts are not errors: their codes are in reason.h.
 */
#ifndef ERROR_H
#define ERROR_H
#include <stdbool.h>

#define ERRORS(X)                                        \
	X(NONE,      "ok")                               \
	X(SYSTEM,    "system call failed")               \
	X(MEMORY,    "out of memory")                    \
	X(FORMAT,    "malformed input")                  \
	X(LIMIT,     "over a limit")                     \
	X(CONFIG,    "bad configuration")                \
	X(UNTRUSTED, "file or peer is not trusted")      \
	X(MISMATCH,  "evidence does not match")          \
	X(CRYPTO,    "cryptographic operation failed")   \
	X(TIMEOUT,   "no answer in time")                \
	X(MISSING,   "not found")                        \
	X(REFUSED,   "refused")                          \
	X(CONFLICT,  "conflicts with what is there")

enum err {
#define X(name, text) ERR_##name,
	ERRORS(X)
#undef X
	ERR_COUNT
};

/* The caller owns it; no allocation, so it works when memory is out. */
struct error {
	enum err code;
	char     why[200];
};

/* Both set *e and return false, so a caller can write `return err_set(...)`. */
bool err_set(struct error *e, enum err code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));
bool err_errno(struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), cold));

/* Puts "<context>: " before the sentence; the code stays. Returns false. */
bool err_in(struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), cold));

const char *err_name(enum err code);   /* "malformed input" */

#define MUST_CHECK __attribute__((warn_unused_result))
#endif
