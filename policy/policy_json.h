/*
 * policy_json.h - a policy as a JSON file for people and git. policy.schema.json and attest-policy(5) describe it.
 *
 * "schema", "name" and "pcrs" must be there; what else is missing has the value of policy_default(),
 * but for its cmdline.forbid, which is taken when there is no cmdline.forbid here. The writer writes
 * every member, in one order: the same policy always gives the same bytes.
 */
#ifndef POLICY_JSON_H
#define POLICY_JSON_H
#include "policy.h"

enum { POLICY_JSON_MAX = 256 << 10 };

/* What is not understood is refused: "line 12: cmdline.forbid[3]: one word without quotes is wanted". */
bool policy_json_read(const char *text, size_t len, struct policy *, struct error *) MUST_CHECK;

struct json;
struct json *policy_json_tree(const struct policy *);      /* NULL or incomplete: out of memory, json_print tells */
/* *text is NUL-terminated, pretty, and ends in a newline; free it. */
bool policy_json_write(const struct policy *, char **text, size_t *len, struct error *) MUST_CHECK;
#endif
