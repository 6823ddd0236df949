/*
 * words.h - what an event says of itself, in printable words, and whether its digest covers them.
 *
 * A log's types and data are not signed, only its digests are (FACTS: "What the log does not
 * protect"). So words come in two kinds: bound ones hash to the event's digest in every bank that
 * the event has; all others are hearsay.
 */
#ifndef WORDS_H
#define WORDS_H
#include "eventlog.h"

/*
 * Writes the words of ev's data to out, NUL-terminated, printable ASCII only; everything else is
 * escaped as \n, \t, \xNN or \uNNNN. Returns their length. Words that had to be cut are not bound.
 */
size_t event_words(const struct event *ev, const void *data, size_t len, char *out, size_t size,
    struct hashers *, enum binding *);

/* "EV_SEPARATOR" -> 4; false for a name that is in no table. */
bool event_type_of(const char *name, uint32_t *type);
#endif
