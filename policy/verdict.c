#include <string.h>
#include "verdict.h"
#include "packed_text.h"

void
verdict_start(struct verdict *v)
{
	v->state = STATE_CONTRAINDICATED;
	v->reason = REASON_POLICY_FAILED;
	findings_start(&v->findings);
	memset(v->claim, 0, sizeof(v->claim));
	v->replayed = false;
	v->values_len = 0;
	v->pcrs = (struct replayed_pcrs){ .bank = BANK_SHA256 };
	v->references[0] = v->nearest[0] = '\0';
	v->differs = 0;
}

struct finding *
verdict_refuse(struct verdict *v, enum reason reason, enum trust_claim claim)
{
	struct finding *f = finding_add(&v->findings, reason, SEVERITY_ALARMING, claim);

	v->state = reason_state(reason);
	v->reason = reason;
	finding_say(f->text, "%s", reason_text(reason));
	return f;
}

void
verdict_pack(const struct verdict *v, struct writer *w)
{
	wr_u8(w, (uint8_t)v->state, "state");
	wr_be16(w, (uint16_t)v->reason, "reason");
	for (unsigned i = 0; i < CLAIM_COUNT; i++)
		wr_u8(w, (uint8_t)v->claim[i], "claim");
	wr_u8(w, v->replayed, "replayed");
	wr_be16(w, v->values_len, "values");
	wr_bytes(w, v->values, v->values_len, "values");
	wr_u8(w, (uint8_t)v->pcrs.bank, "bank");
	wr_be32(w, v->pcrs.verified, "verified");
	wr_be32(w, v->pcrs.mismatch, "mismatch");
	wr_be32(w, v->pcrs.not_logged, "not logged");
	wr_be32(w, v->differs, "differs");
	packed_text_put(v->references, w);
	packed_text_put(v->nearest, w);
	findings_pack(&v->findings, w);
}

/* A good state beside a claim that is not affirming was not written by appraise_boot(). */
static bool
consistent(const struct verdict *v)
{
	if (v->state != reason_state(v->reason))
		return false;
	for (unsigned i = 0; v->state == STATE_AFFIRMING && i < CLAIM_COUNT; i++)
		if (v->claim[i] < 2 || v->claim[i] >= 32)
			return false;
	return true;
}

bool
verdict_unpack(struct reader *r, struct verdict *out, struct error *e)
{
	uint8_t state = rd_u8(r, "state"), replayed, bank;
	uint16_t reason = rd_be16(r, "reason"), values;

	verdict_start(out);
	for (unsigned i = 0; i < CLAIM_COUNT; i++)
		out->claim[i] = (int8_t)rd_u8(r, "claim");
	replayed = rd_u8(r, "replayed");
	values = rd_be16(r, "values");
	if (values > sizeof(out->values))
		return err_set(e, ERR_LIMIT, "packed verdict: %u bytes of PCR values", values);
	rd_copy(r, out->values, values, "values");
	bank = rd_u8(r, "bank");
	out->pcrs.verified = rd_be32(r, "verified");
	out->pcrs.mismatch = rd_be32(r, "mismatch");
	out->pcrs.not_logged = rd_be32(r, "not logged");
	out->differs = rd_be32(r, "differs");
	if (!rd_ok(r, e))
		return err_in(e, "packed verdict");
	if (state >= STATE_COUNT || reason >= REASON_COUNT || replayed > 1 || bank >= BANK_COUNT)
		return err_set(e, ERR_FORMAT, "packed verdict: state %u, reason %u, bank %u", state, reason, bank);
	out->pcrs.bank = (enum bank)bank;
	out->state = (enum state)state;
	out->reason = (enum reason)reason;
	out->replayed = replayed;
	out->values_len = values;
	if (!packed_text_take(r, out->references, sizeof(out->references), e) ||
	    !packed_text_take(r, out->nearest, sizeof(out->nearest), e) ||
	    !findings_unpack(r, &out->findings, e) ||
	    (!consistent(out) && !err_set(e, ERR_FORMAT, "state and reason contradict each other"))) {
		verdict_start(out);
		return err_in(e, "packed verdict");
	}
	return true;
}
