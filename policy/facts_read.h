/* facts_read.h - what the parts of facts.h's reader share, and the measurements that reference.c knows as well. */
#ifndef FACTS_READ_H
#define FACTS_READ_H
#include "facts.h"

/* X(NAME, bytes): measurements that are known by their digest, whatever the log calls them. FACTS "Separators and actions". */
#define KNOWN_MEASUREMENTS(X) \
	X(SEPARATOR,    "\0\0\0\0") \
	X(SEPARATOR_FF, "\xff\xff\xff\xff") \
	X(ERROR,        "\1\0\0\0") \
	X(CALLING,      "Calling EFI Application from Boot Option") \
	X(RETURNING,    "Returning from EFI Application from Boot Option") \
	X(OMITTED,      "BOOT ATTEMPTS OMITTED") \
	X(DEBUG,        "UEFI Debug Mode") \
	X(DMA_OFF,      "DMA Protection Disabled") \
	X(DMA_LOWERED,  "Security Level is Downgraded to 0")    /* HP, beside the one before */ \
	X(OS_SEPARATOR, "os-separator")
enum known_measurement {
#define X(name, bytes) KNOWN_##name,
	KNOWN_MEASUREMENTS(X)
#undef X
	KNOWN_COUNT
};

struct facts_reading {
	const struct eventlog *log;
	struct boot_facts     *f;
	struct hashers         hashers;
	uint8_t                known[KNOWN_COUNT][DIGEST_MAX];
};

/* Does it extend this PCR in the judged bank? */
bool facts_counts(const struct facts_reading *, const struct event *, unsigned pcr);
bool facts_known(const struct facts_reading *, const struct event *, enum known_measurement);
bool facts_separator(const struct facts_reading *, const struct event *);      /* a good one, of either kind */
bool facts_hashes(struct facts_reading *, const struct event *, const void *, size_t);

/* A fact of this event: BOUND if what was read is proved to be what was hashed, and the PCR was quoted. */
struct fact facts_at(const struct facts_reading *, const struct event *, bool proved);
void facts_text(char *out, size_t size, const char *text, struct fact *);      /* cut: then only claimed */

void facts_secure_boot(struct facts_reading *);     /* PCR 7 and 14; after the images of PCR 4 */
void facts_chain(struct facts_reading *);           /* PCR 4, 8, 9, 11, 12 and 1 */
#endif
