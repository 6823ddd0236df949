/*
 * metrics.h - what attestd counts, for `attestctl metrics`: as JSON, which attestctl prints as Prometheus reads it.
 *
 * Labels are bounded: services by tally.h, the rest by their tables. No label names a user or a host.
 */
#ifndef METRICS_H
#define METRICS_H
#include "outbox.h"
#include "status.h"
#include "tally.h"

enum { METRIC_SAMPLES_MAX = 1024 };         /* of decisions; what is beyond is in attest_decisions_total */

/* X(name, type, help): the table is exporter, and what alert rules and attestctl(8) are held against. */
#define METRICS(X) \
X(BUILD_INFO,     "attest_build_info",                       "gauge",   "always 1; version of attestd") \
X(STATE,          "attest_state",                            "gauge",   "1 for the state of this host, 0 for the others") \
X(REASON,         "attest_reason",                           "gauge",   "1 for the reason of it") \
X(EXPIRY,         "attest_verdict_expiry_timestamp_seconds", "gauge",   "when the verdict ends, if there is one") \
X(GRACE,          "attest_grace_end_timestamp_seconds",      "gauge",   "when grace ends, while the verifier is out of reach") \
X(LAST_QUOTE,     "attest_last_quote_timestamp_seconds",     "gauge",   "when the TPM quoted last") \
X(VERIFIER_UP,    "attest_verifier_up",                      "gauge",   "did the verifier answer when it was asked last") \
X(QUOTES,         "attest_quotes_total",                     "counter", "quotes of the TPM") \
X(TPM_COMMANDS,   "attest_tpm_commands_total",               "counter", "commands to the TPM") \
X(TPM_ERRORS,     "attest_tpm_errors_total",                 "counter", "attestations that the TPM failed, by reason") \
X(TPM_LOCKOUT,    "attest_tpm_lockout_counter",              "gauge",   "failed authorizations, as attestctl doctor read it last") \
X(ASKS,           "attest_asks_total",                       "counter", "questions of gates that the record did not answer") \
X(PAM_DECISIONS,  "attest_pam_decisions_total",              "counter", "accesses by what the verdict was worth, and why") \
X(DECISIONS,      "attest_decisions_total",                  "counter", "accesses that were told, of every stack") \
X(LOST,           "attest_decisions_lost_total",             "counter", "of which no line could be kept") \
X(AUDIT_FAILED,   "attest_audit_failures_total",             "counter", "accesses of which the kernel took no audit record") \
X(FAIL_OPEN,      "attest_fail_open_total",                  "counter", "accesses without a verdict, by a bracket of sources") \
X(BREAKGLASS,     "attest_breakglass_total",                 "counter", "accesses of the break-glass group") \
X(SERVICE_MODE,   "attest_service_mode",                     "gauge",   "1 for the mode in force at the newest access") \
X(EVENTS_WAITING, "attest_events_waiting",                   "gauge",   "incidents that the verifier has yet to hear of") \
X(EVENTS_BATCHES, "attest_events_batches_total",             "counter", "batches of incidents that it has taken")

struct metrics {
	const struct outcome  *last;
	const struct counters *counters;
	const struct tally    *tally;
	const struct outbox   *outbox;
	enum reason            now;        /* what holds now */
	int64_t                last_quote; /* ms since 1970; 0: none */
	uint64_t               told, lost, audit_failed; /* decisions */
	const struct lockout  *lockout;    /* NULL: not read yet */
	const uint32_t        *tpm_errors; /* by reason */
};
/* {"schema":1,"metrics":[{name, type, help, samples:[{labels:{…}, value}]}]}, to free. */
bool metrics_json(const struct metrics *, char **, size_t *, struct error *) MUST_CHECK;
#endif
