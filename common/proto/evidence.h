/*
 * evidence.h - the body of POST /v1/evidence. attest-protocol(7).
 *
 * A version byte, then parts {tag u8, length u32 big-endian, bytes}: tags rising, each at most
 * once, nothing left over. Parts point into the buffer that was read. Audience and user are those
 * of POST /v1/passports, which has the same body.
 */
#ifndef EVIDENCE_H
#define EVIDENCE_H
#include "challenge.h"
#include "reader.h"
#include "writer.h"

enum {
	EVIDENCE_VERSION  = 1,
	EVIDENCE_MAX      = 8 << 20,
	BOOT_LOG_MAX      = 4 << 20,
	IMA_PART_MAX      = 8 << 20,
	FACTS_MAX         = 16 << 10,
	PCR_VALUES_MAX    = 4096,
};

/* X(TAG, NAME, field, smallest, largest, required) */
#define EVIDENCE_PARTS(X) \
	X(1, CHALLENGE,  challenge,  CHALLENGE_SIZE, CHALLENGE_SIZE, true)  \
	X(2, ATTEST,     attest,     1, TPM_ATTEST_MAX,              true)  \
	X(3, SIGNATURE,  signature,  1, TPM_SIGNATURE_MAX,           true)  \
	X(4, BOOT_LOG,   boot_log,   0, BOOT_LOG_MAX,                false) \
	X(5, IMA,        ima,        0, IMA_PART_MAX,                false) \
	X(6, IMA_FROM,   ima_from,   8, 8,                           false) \
	X(7, FACTS,      facts,      0, FACTS_MAX,                   false) \
	X(8, PCR_VALUES, pcr_values, 0, PCR_VALUES_MAX,              false) \
	X(9, IMA_AT,     ima_at,     16, 16,                         false) \
	X(10, AUDIENCE,  audience,   1, AUDIENCE_TEXT - 1,           false) \
	X(11, USER,      user,       1, PASSPORT_USER_TEXT - 1,      false)

struct part { const uint8_t *p; size_t len; bool there; };
struct evidence {
#define X(tag, NAME, field, lo, hi, required) struct part field;
	EVIDENCE_PARTS(X)
#undef X
};

/*
 * Where part 5 stands in the host's list. from is bound into the quote; at and count are hints, for nothing but the
 * quote's PCRs says which entries are real. A part 5 without part 9 begins at from.
 */
struct ima_place {
	uint64_t from;                       /* part 6: the first entry, as the challenge asked for it */
	uint64_t at;                         /* part 9: number of the first entry of part 5 */
	uint64_t count;                      /* and the length of the list shortly before the quote; 0: not said */
};
struct ima_place evidence_ima_place(const struct evidence *);

bool evidence_read(const void *buf, size_t len, struct evidence *, struct error *) MUST_CHECK;
size_t evidence_size(const struct evidence *);
bool evidence_write(const struct evidence *, struct writer *, struct error *) MUST_CHECK;
#endif
