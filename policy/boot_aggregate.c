#include <string.h>
#include "boot_aggregate.h"
#include "hex.h"
#include "scope.h"
#include "tails.h"

static bool
bank_of(enum ima_alg alg, enum bank *out)
{
	switch (alg) {
	case IMA_ALG_SHA1:   *out = BANK_SHA1; return true;
	case IMA_ALG_SHA256: *out = BANK_SHA256; return true;
	case IMA_ALG_SHA384: *out = BANK_SHA384; return true;
	case IMA_ALG_SHA512: *out = BANK_SHA512; return true;
	case IMA_ALG_SM3:    *out = BANK_SM3; return true;
	default:             return false;
	}
}

/* What was measured before the kernel looked: systemd's own log comes behind the firmware's. */
static struct eventlog
before_kernel(const struct eventlog *log)
{
	struct eventlog part = *log;

	for (part.count = 0; part.count < log->count; part.count++)
		if (log->event[part.count].type == EV_CEL(CEL_SYSTEMD))
			break;
	return part.count ? part : *log;
}

static bool
is_hash(const struct replay *r, enum bank b, unsigned last, const uint8_t *want)
{
	uint8_t values[PCR_COUNT * DIGEST_MAX], is[DIGEST_MAX];
	size_t used = 0;

	for (unsigned pcr = 0; pcr <= last; pcr++, used += bank_size(b))
		memcpy(values + used, r->value[b][pcr], bank_size(b));
	return digest(b, values, used, is) && same_bytes(is, want, bank_size(b));
}

/* "sha256:12ab…", of PCR 0 to 9 without tails: what most kernels would say. */
static void
expected(const struct replay *r, enum bank b, char *out, size_t size)
{
	uint8_t values[PCR_COUNT * DIGEST_MAX], is[DIGEST_MAX];
	unsigned last = b == BANK_SHA1 ? 7 : 9;
	char hex[2 * DIGEST_MAX + 1] = "";
	size_t used = 0;

	for (unsigned pcr = 0; pcr <= last; pcr++, used += bank_size(b))
		memcpy(values + used, r->value[b][pcr], bank_size(b));
	if (digest(b, values, used, is))
		hex_text(is, bank_size(b), hex);
	snprintf(out, size, "%s:%s", bank_word(b), hex);
}

static bool
all_zeros(const uint8_t *p, size_t n)
{
	return !p[0] && !memcmp(p, p + 1, n - 1);
}

bool
boot_aggregate_check(const struct ima_fields *f, const struct eventlog *log, struct boot_aggregate *out, struct error *e)
{
	struct tails sets[TAILS_SETS_MAX];
	struct eventlog part = before_kernel(log);
	struct selection all = { 1, { { 0, 0x3ff } } };
	struct replay r;
	char want[16 + 2 * DIGEST_MAX];
	unsigned n;
	enum bank b;

	if (!f->digest || !bank_of(f->alg, &b))
		return err_set(e, ERR_MISMATCH, "its digest is of no bank");
	if (all_zeros(f->digest, bank_size(b)))
		return err_set(e, ERR_MISSING, "its digest is zeros: IMA found no TPM when it started");
	if (!(log->banks & 1u << b))
		return err_set(e, ERR_MISMATCH, "the boot log has no bank %s", bank_word(b));
	if (!eventlog_replay(&part, &r, e))
		return false;
	all.bank[0].alg = bank_alg(b);
	n = tails_sets(&r, &all, sets);
	for (unsigned i = 0; i < n; i++) {
		struct replay with = r;

		if (!tails_apply(&with, &sets[i]))
			return err_set(e, ERR_CRYPTO, "%s", bank_word(b));
		for (unsigned last = 7; last <= (b == BANK_SHA1 ? 7u : 9u); last += 2)
			if (is_hash(&with, b, last, f->digest)) {
				*out = (struct boot_aggregate){ b, last };
				return true;
			}
	}
	expected(&r, b, want, sizeof(want));
	return err_set(e, ERR_MISMATCH, "%s expected", want);
}
