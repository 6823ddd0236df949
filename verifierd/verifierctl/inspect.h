/* inspect.h - evidence and results looked at without a daemon; each prints JSON (or text) and gives an exit code. */
#ifndef INSPECT_H
#define INSPECT_H
#include "json.h"
#include "verifierctl.h"

/* A log; held against a quote (a TPMS_ATTEST) or PCR values when there are files of them. */
struct inspect_log { const char *file, *quote, *pcrs; };         /* the last two may be NULL */
int inspect_eventlog(const struct ctl *, const struct inspect_log *);

/* An IMA list; its boot_aggregate held against a boot log when there is one. */
int inspect_ima(const struct ctl *, const char *file, const char *log);

/* A list of known files in any form that is read; as text in the project's own. */
int inspect_allow_list(const struct ctl *, const char *file);

struct eventlog;
struct finding;
struct replay;
struct json *inspect_finding(const struct finding *, uint32_t offset);
/* Puts "replays" and "states" into j; false only if a file cannot be used. */
bool inspect_replay(const struct eventlog *, const struct replay *, const char *quote, const char *pcrs, struct json *j,
    struct json *findings, bool *replays, struct error *);

struct inspect_quote { const char *attest, *signature, *ak, *nonce, *selection; };   /* files; nonce in hex; the last two may be NULL */
int inspect_quote(const struct ctl *, const struct inspect_quote *);

int inspect_result(const struct ctl *, const char *file, const char *jwks);

/* A list of checks, and whether all of them held so far. An empty list holds nothing. */
struct checks { struct json *list; unsigned count, held; };
void checks_open(struct checks *);
void checks_add(struct checks *, const char *name, bool holds, const char *why);
/* Puts "checks" and "ok" into j; the exit code. */
int  checks_close(struct checks *, struct json *j);

/* Prints j: JSON with --json, else its checks and findings as text. */
int  inspect_print(const struct ctl *, const struct json *j, int exit_code);
#endif
