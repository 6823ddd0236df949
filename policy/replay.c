#include <string.h>
#include "eventlog.h"
#include "scope.h"
#include "tails.h"

/* TPM2_Startup(CLEAR): TPM-2 "PCR attributes", and the PC client profile for PCR 0 and DRTM. RTMRs start at 0. */
static void
replay_start(const struct eventlog *log, struct replay *r)
{
	*r = (struct replay){ .registers = log->registers };
	for (enum bank b = 0; log->registers == REGISTERS_PCR && b < BANK_COUNT; b++) {
		r->value[b][0][bank_size(b) - 1] = (uint8_t)log->locality;
		for (unsigned pcr = 17; pcr <= 22; pcr++)
			memset(r->value[b][pcr], 0xff, bank_size(b));
	}
}

bool
eventlog_replay(const struct eventlog *log, struct replay *out, struct error *e)
{
	own(hashers) struct hashers hashers = { { NULL } };
	struct replay r;
	unsigned phase;

	replay_start(log, &r);
	for (unsigned i = 0; i < log->count; i++) {
		const struct event *ev = &log->event[i];

		if (ev->type == EV_NO_ACTION)
			continue;
		if (ev->pcr >= PCR_COUNT)
			return err_set(e, ERR_FORMAT, "event %u: pcr index %u: no such PCR", ev->number, ev->pcr);
		phase = tails_phase(ev);
		if (phase)
			r.phase = (uint8_t)phase;
		r.dropped |= log->banks & (uint8_t)~ev->banks;
		for (enum bank b = 0; b < BANK_COUNT; b++) {
			if (!(ev->banks & 1u << b))
				continue;
			if (!hashers_extend(&hashers, b, r.value[b][ev->pcr], ev->digest[b]))
				return err_set(e, ERR_CRYPTO, "%s", bank_word(b));
			r.extended[b] |= 1u << ev->pcr;
		}
	}
	*out = r;
	return true;
}

/* One bank's values behind each other, ascending; false if there is nothing in it. */
static bool
bank_values(const struct replay *r, uint16_t alg, uint32_t pcrs, struct writer *w, struct error *e)
{
	enum bank bank;

	if (!bank_of_alg(alg, &bank))
		return err_set(e, ERR_MISSING, "algorithm 0x%04x: unknown bank", alg);
	if (!pcrs || pcrs >> PCR_COUNT)
		return err_set(e, ERR_FORMAT, "%s: no such selection of PCRs", bank_word(bank));
	if (!(r->extended[bank] & pcrs))
		return err_set(e, ERR_MISSING, "%s: the log extends none of these PCRs", bank_word(bank));
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (pcrs & 1u << pcr)
			wr_bytes(w, r->value[bank][pcr], bank_size(bank), "PCR values");
	return true;
}

bool
replay_digest(const struct replay *r, const struct selection *sel, enum bank scheme,
    uint8_t out[static DIGEST_MAX], size_t *len, struct error *e)
{
	uint8_t values[TPM_SELECTIONS_MAX * PCR_COUNT * DIGEST_MAX];
	struct writer w = wr_open(values, sizeof(values));

	if (r->registers != REGISTERS_PCR)
		return err_set(e, ERR_MISMATCH, "a confidential VM's log (CCEL): its registers are not a TPM's");
	if (!sel->count || sel->count > TPM_SELECTIONS_MAX)
		return err_set(e, ERR_FORMAT, "a selection of %u banks", sel->count);
	for (unsigned i = 0; i < sel->count; i++)
		if (!bank_values(r, sel->bank[i].alg, sel->bank[i].pcrs, &w, e))
			return false;
	if (!wr_ok(&w, e))
		return false;
	if (!digest(scheme, values, w.used, out))
		return err_set(e, ERR_CRYPTO, "%s", bank_word(scheme));
	*len = bank_size(scheme);
	return true;
}
