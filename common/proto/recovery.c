#include <string.h>
#include "crockford.h"
#include "reader.h"
#include "recovery.h"
#include "scope.h"
#include "writer.h"

enum { SAID = 5, MAC = RECOVERY_CODE_BYTES - SAID, FLAG_OVERRULES = 1, MAC_INPUT_MAX = 128 };
#define DOMAIN "pam-attest/recovery/1"

_Static_assert(CROCKFORD_CHARS(RECOVERY_CODE_BYTES) == RECOVERY_CODE_TEXT - 1, "26 characters");

/* Host and domain end in a NUL: none is the beginning of another. */
static bool
authenticate(const uint8_t key[static RECOVERY_KEY_SIZE], const char *host_id, const uint8_t said[static SAID],
    uint8_t out[static SHA256_SIZE])
{
	uint8_t input[MAC_INPUT_MAX];
	struct writer w = wr_open(input, sizeof(input));
	struct error e;

	wr_bytes(&w, DOMAIN, sizeof(DOMAIN), "domain");
	wr_bytes(&w, host_id, strlen(host_id) + 1, "host");
	wr_bytes(&w, said, SAID, "code");
	return wr_ok(&w, &e) && hmac_sha256(key, input, w.used, out);
}

/* Of the part of the HMAC that the code does not show. */
static void
name(const uint8_t mac[static SHA256_SIZE], char id[static REF_TEXT])
{
	struct reader r = rd_open(mac, SHA256_SIZE);

	(void)rd_bytes(&r, SHA256_SIZE - sizeof(uint64_t), "shown");
	ref_make(rd_le64(&r, "name"), false, id);
}

bool
recovery_code(const uint8_t key[static RECOVERY_KEY_SIZE], const char *host_id, struct recovery *q,
    char out[static RECOVERY_CODE_TEXT], struct error *e)
{
	uint8_t code[RECOVERY_CODE_BYTES], mac[SHA256_SIZE];

	if (!q->sequence || q->sequence > RECOVERY_SEQUENCE_MAX || !q->hours || q->hours > RECOVERY_HOURS_MAX)
		return err_set(e, ERR_LIMIT, "recovery code %u for %u hours", q->sequence, q->hours);
	code[0] = (uint8_t)(q->sequence >> 16);
	code[1] = (uint8_t)(q->sequence >> 8);
	code[2] = (uint8_t)q->sequence;
	code[3] = (uint8_t)q->hours;
	code[4] = q->overrules ? FLAG_OVERRULES : 0;
	if (!authenticate(key, host_id, code, mac))
		return err_set(e, ERR_CRYPTO, "recovery code cannot be made");
	memcpy(code + SAID, mac, MAC);
	crockford_text(code, sizeof(code), out);
	name(mac, q->id);
	return true;
}

bool
recovery_read(const uint8_t key[static RECOVERY_KEY_SIZE], const char *host_id, const char *typed, struct recovery *out,
    struct error *e)
{
	uint8_t code[RECOVERY_CODE_BYTES], mac[SHA256_SIZE];
	struct recovery q;

	if (!crockford_bytes(typed, code, sizeof(code)))
		return err_set(e, ERR_FORMAT, "not the %d letters and digits of a recovery code", RECOVERY_CODE_TEXT - 1);
	if (!authenticate(key, host_id, code, mac))
		return err_set(e, ERR_CRYPTO, "recovery code cannot be checked");
	if (!same_bytes(code + SAID, mac, MAC))
		return err_set(e, ERR_REFUSED, "not a recovery code of this host");
	q = (struct recovery){ .sequence = (uint32_t)code[0] << 16 | (uint32_t)code[1] << 8 | code[2], .hours = code[3],
		.overrules = code[4] & FLAG_OVERRULES };
	if (!q.sequence || !q.hours || q.hours > RECOVERY_HOURS_MAX || code[4] & ~FLAG_OVERRULES)
		return err_set(e, ERR_REFUSED, "a recovery code that this version does not understand");
	name(mac, q.id);
	*out = q;
	return true;
}
