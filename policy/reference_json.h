/*
 * reference_json.h - a reference set as a JSON file for people, git and other verifiers.
 *
 * {"schema":1, "origin":…, "bank":…, "pcrs":[…], "components":[…], "host_only":…, "kind":…, "entries":[…]},
 * described by reference.schema.json and attest-references(5). The head is one line, then each entry, in measuring order: that order is
 * part of what a set says. The same set always gives the same bytes; reading them gives the same
 * content digest.
 */
#ifndef REFERENCE_JSON_H
#define REFERENCE_JSON_H
#include "reference.h"

enum { SET_ORIGIN_TEXT = 256, SET_JSON_MAX = 8 << 20 };

/* *text is NUL-terminated; free it. */
bool set_json_write(const struct reference_set *, const char *origin, char **text, size_t *len,
    struct error *) MUST_CHECK;

/* What is not understood is refused, never dropped: "line 12: entries[7]: digest: not 32 bytes in hex". */
bool set_json_read(const char *text, size_t len, char origin[static SET_ORIGIN_TEXT], struct reference_set *,
    struct error *) MUST_CHECK;
#endif
