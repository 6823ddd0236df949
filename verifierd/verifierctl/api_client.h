/* api_client.h - the administration API of verifierd, over its unix socket. The only file with libcurl. */
#ifndef API_CLIENT_H
#define API_CLIENT_H
#include "json.h"
#include "verifierctl.h"

/*
 * One call. path has no escapes yet: its segments are given one by one, NULL ends ("hosts", name,
 * "approve", NULL becomes /v1/admin/hosts/NAME/approve). body may be NULL (GET); it is taken.
 * Gives an exit code; EXIT_DONE with *answer (json_free it), else what went wrong is on stderr.
 */
int api_call(const struct ctl *, const char *const *path, struct json *body, struct json **answer);

/* The same of a GET whose answer is a file: its bytes, NUL-terminated; free them. */
int api_text(const struct ctl *, const char *const *path, char **text, size_t *len);

/* Prints the answer as it is, for --json. */
int api_print(const struct json *);
/* What is left to do with an answer: nothing after a failure or with -q, else as --json or in words. Gives the exit code. */
int show_answer(const struct ctl *, int rc, const struct json *, void (*show)(const struct json *));
#endif
