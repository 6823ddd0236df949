/*
 * diff.h - what differs between a log and a known set, or between two sets, event by event.
 *
 * What a difference means is taken from the known side: there the label was approved together with
 * the digest. What the judged log calls its events is quoted as hearsay unless its digest binds it.
 */
#ifndef DIFF_H
#define DIFF_H
#include "appraise.h"
#include "match.h"

struct difference {
	unsigned    count;                  /* events that differ; 0: none, or none that this set speaks of */
	enum reason reason;                 /* the main one, earliest in the chain of trust; OK when count is 0 */
	enum component component;           /* that it belongs to */
	uint32_t    foreign;                /* PCRs left out: their entries are of another host */
};

/* Adds findings, the most telling first. */
bool diff_measured(const struct measured *, uint32_t pcrs, const struct known_set *, struct findings *,
    struct difference *, struct error *) MUST_CHECK;
#endif
