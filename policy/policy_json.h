/*
 * policy_json.h - a policy as a JSON file for people and git. policy.schema.json and attest-policy(5) describe it.
 *
 * "schema", "name" and "pcrs" must be there; what else is missing has the value of policy_default(),
 * but for its cmdline.forbid, which is taken when there is no cmdline.forbid here. The writer writes
 * every member, in one order: the same policy always gives the same bytes.
 */
#ifndef POLICY_JSON_H
#define POLICY_JSON_H
#include "ima_rules.h"
#include "policy.h"

enum { POLICY_JSON_MAX = 2 << 20 };

/*
 * What is not understood is refused: "line 12: cmdline.forbid[3]: one word without quotes is wanted".
 * The member "ima" becomes *ima, which the caller frees whatever the answer; its digest is the policy's.
 */
bool policy_json_read(const char *text, size_t len, struct policy *, struct ima_rules *ima, struct error *) MUST_CHECK;

struct json;
struct json *policy_json_tree(const struct policy *, const struct ima_rules *);      /* NULL or incomplete: out of memory, json_print tells */
/* *text is NUL-terminated, pretty, and ends in a newline; free it. */
bool policy_json_write(const struct policy *, const struct ima_rules *, char **text, size_t *len, struct error *) MUST_CHECK;
/* Packed rules, free them; and their digest. None when the policy has no rules: *buf is NULL then. */
bool policy_ima_pack(const struct policy *, const struct ima_rules *, uint8_t **buf, size_t *len, struct error *) MUST_CHECK;
/* The rules of a policy as they are stored; an error when they are not those of this policy. */
bool policy_ima_unpack(const struct policy *, const void *buf, size_t len, struct ima_rules *, struct error *) MUST_CHECK;
#endif
