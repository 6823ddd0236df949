/*
 * publish.h - what gates and people get to see: run_dir/verdict and run_dir/result.jwt.
 *
 * A refusal that the verifier made is kept in state_dir and published again after expiry, restart
 * and reboot, until a newer signed permit arrives. An outage never overwrites it. GATE section 1.
 */
#ifndef PUBLISH_H
#define PUBLISH_H
#include "agent.h"

/* A signed result whose signature and binding have been checked. asked: when the challenge was asked for. */
bool publish_result(struct agent *, const struct result *, const char *jws, const struct selection *,
    const struct clock *asked, struct error *) MUST_CHECK;

/* No result could be had, or the verifier refused without one (4xx). */
bool publish_failure(struct agent *, enum reason, struct error *) MUST_CHECK;

/* The verifier's newest word on how far gates of this host may go: until then on the wall clock, or for good with 0. */
bool publish_ceiling(struct agent *, enum gate_mode, int64_t until, enum gate_mode then, struct error *) MUST_CHECK;

/* At start: what state_dir keeps, under this boot. */
bool publish_start(struct agent *, struct error *) MUST_CHECK;
#endif
