/* finding.h - one thing that appraisal has to say: what, where, expected, seen, in words. */
#ifndef FINDING_H
#define FINDING_H
#include "reader.h"
#include "reason.h"
#include "result.h"
#include "writer.h"

#define SEVERITIES(X) X(INFO, "info") X(BENIGN_LIKELY, "benign-likely") X(UNKNOWN, "unknown") X(ALARMING, "alarming")
enum severity {
#define X(name, word) SEVERITY_##name,
	SEVERITIES(X)
#undef X
	SEVERITY_COUNT
};
const char *severity_word(enum severity);

enum { FINDINGS_MAX = 64, FINDING_TEXT = 320, FINDING_NO_PCR = 255, DETAILS_MAX = 96, DETAIL_TEXT = 96 };

struct finding {
	enum reason      code;
	enum severity    severity;
	enum trust_claim claim;                 /* the AR4SI claim that it moves */
	uint8_t          pcr;                   /* FINDING_NO_PCR when none */
	uint32_t         event;                 /* number in the log; 0 when none */
	char             expected[FINDING_TEXT];  /* words or hex; "" when nothing was */
	char             seen[FINDING_TEXT];
	char             text[FINDING_TEXT];    /* one sentence a person can act on */
};

/* A line that belongs to a finding, where there are many of a kind: "added 3ab4...". */
struct detail {
	uint8_t finding;                        /* its place in the list */
	char    text[DETAIL_TEXT];
};

/* A fixed list: what does not fit is counted, and the last finding says how many were left out. */
struct findings {
	unsigned count, left_out;
	struct finding list[FINDINGS_MAX];
	struct finding spare;           /* takes what is written after the list is full */
	unsigned      ndetails, more_details;
	struct detail detail[DETAILS_MAX];
};
/* Empty; what is beyond count is never read, and 60 KiB are not cleared for it. */
void findings_start(struct findings *);
struct finding *finding_add(struct findings *, enum reason, enum severity, enum trust_claim);  /* never NULL */

/* Printable ASCII only; what does not fit ends in "...". */
void finding_say(char out[static FINDING_TEXT], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One line more for a finding of the list; those that do not fit are counted. */
void finding_detail(struct findings *, const struct finding *, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Moves the first finding with this code to the front: it is the answer that people read. */
void findings_lead(struct findings *, enum reason);

/* One by itself, without its details. */
void finding_pack(const struct finding *, struct writer *);
bool finding_unpack(struct reader *, struct finding *, struct error *) MUST_CHECK;

void findings_pack(const struct findings *, struct writer *);
bool findings_unpack(struct reader *, struct findings *, struct error *) MUST_CHECK;
#endif
