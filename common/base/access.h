/* access.h - what one access came to, in one word: between gate and attestd, in files, reports and metrics. */
#ifndef ACCESS_H
#define ACCESS_H
#include <stdbool.h>

/*
 * X(NAME, word): by what the verdict was. A mode that lets everybody through turns a refusal into a would_refuse, and
 * nothing else into anything. REFUSED is 0: what was never decided is a refusal.
 */
#define ACCESSES(X) \
	X(REFUSED,      "refused")        /* no */ \
	X(WOULD_REFUSE, "would_refuse")   /* audit: enforce would have said no */ \
	X(PERMITTED,    "permitted")      /* by a verdict */ \
	X(LEASED,       "leased")         /* by an administrator's lease */ \
	X(EXEMPTED,     "exempted")       /* not gated: who it is, or which service */ \
	X(OPEN,         "open")           /* no verdict, and a bracket of `sources` says permit */ \
	X(OFF,          "off")            /* mode off: nobody looked */

enum access {
#define X(name, word) ACCESS_##name,
	ACCESSES(X)
#undef X
	ACCESS_COUNT
};
const char *access_word(enum access);       /* "refused" outside the table */
bool        access_find(const char *word, enum access *);
#endif
