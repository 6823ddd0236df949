/* ask.h - one question to attestd, for the commands that need it. attest-local(7). */
#ifndef ASK_H
#define ASK_H
#include "attestctl.h"
#include "json.h"
#include "local.h"

struct told {
	bool         ok;
	enum reason  reason;
	char         ref[LOCAL_VALUE_MAX];
	char         code[CODE_TEXT];          /* of passport; "" when none was granted */
	char         error[LOCAL_VALUE_MAX];   /* when not ok */
	struct json *json;                     /* NULL when none was sent; json_free it */
};
static inline void drop_told(struct told *t) { json_free(t->json); }

/* False: ERR_MISSING, nobody listens; else what went wrong. */
bool ctl_try(const struct ctl *, const struct local_out *, int timeout_ms, struct told *, struct error *) MUST_CHECK;

/* These give an exit code: EXIT_GOOD, else what went wrong is on stderr. */

/* Ends the message, and asks. */
int ctl_ask(const struct ctl *, struct local_out *, int timeout_ms, struct told *);
/* Did attestd do it? Who may not gets EXIT_PERMISSION, any other refusal is `code`. */
int ctl_refused(const struct ctl *, const struct told *, int code);
/* The same for answers that are JSON. */
int ctl_details(const struct ctl *, const struct told *);
/* A status answer, printed (JSON or text); the exit code by state. */
int ctl_show(const struct ctl *, const struct told *);
#endif
