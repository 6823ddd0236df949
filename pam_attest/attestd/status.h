/* status.h - what attestd knows, as the JSON of `attestctl status --json`. */
#ifndef STATUS_H
#define STATUS_H
#include "agent.h"
#include "decisions.h"
#include "leases.h"

struct counters { uint64_t asks, quotes, tpm_commands; };
/* Text to free. decision may be NULL; whose it was is said to root alone. */
bool status_json(const struct outcome *last, const struct counters *, const char *boot_id, const struct decision *, bool root,
    const struct book *, char **out, size_t *len, struct error *) MUST_CHECK;
/* The TPM's lockout counter. Text to free. */
bool status_tpm_json(const struct lockout *, char **out, size_t *len, struct error *) MUST_CHECK;
/* The state and reason that hold now: a record that has expired is no verdict any more. */
enum reason status_reason_now(const struct outcome *last, const char *boot_id);
#endif
