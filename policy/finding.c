#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "finding.h"
#include "packed_text.h"

const char *
severity_word(enum severity s)
{
	static const char *const words[] = {
#define X(name, word) word,
		SEVERITIES(X)
#undef X
	};

	return (unsigned)s < SEVERITY_COUNT ? words[s] : "unknown";
}

void
findings_start(struct findings *all)
{
	all->count = all->left_out = all->ndetails = all->more_details = 0;
}

struct finding *
finding_add(struct findings *all, enum reason code, enum severity severity, enum trust_claim claim)
{
	struct finding *f = &all->spare;

	if (all->count < FINDINGS_MAX)
		f = &all->list[all->count++];
	else {
		struct finding *last = &all->list[FINDINGS_MAX - 1];

		all->left_out += all->left_out ? 1 : 2;   /* the first time, the last one goes as well */
		*last = (struct finding){ .code = last->code, .severity = SEVERITY_INFO,
			.claim = last->claim, .pcr = FINDING_NO_PCR };
		finding_say(last->text, "%u more findings are not shown", all->left_out);
	}
	*f = (struct finding){ .code = code, .severity = severity, .claim = claim, .pcr = FINDING_NO_PCR };
	return f;
}

void
finding_say(char out[static FINDING_TEXT], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, FINDING_TEXT, fmt, ap);
	va_end(ap);
	for (char *p = out; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	if (n >= FINDING_TEXT)
		memcpy(out + FINDING_TEXT - 4, "...", 4);
}

void
finding_detail(struct findings *all, const struct finding *f, const char *fmt, ...)
{
	struct detail *d = &all->detail[all->ndetails];
	va_list ap;

	if (all->ndetails == DETAILS_MAX || f < all->list || f >= all->list + all->count) {
		all->more_details++;
		return;
	}
	d->finding = (uint8_t)(f - all->list);
	va_start(ap, fmt);
	vsnprintf(d->text, sizeof(d->text), fmt, ap);
	va_end(ap);
	for (char *p = d->text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	all->ndetails++;
}

void
findings_lead(struct findings *all, enum reason code)
{
	struct finding lead;
	unsigned i = 0;

	while (i < all->count && all->list[i].code != code)
		i++;
	if (!i || i == all->count)
		return;
	lead = all->list[i];
	memmove(&all->list[1], &all->list[0], i * sizeof(lead));
	all->list[0] = lead;
	for (unsigned k = 0; k < all->ndetails; k++) {
		uint8_t *at = &all->detail[k].finding;

		*at = *at == i ? 0 : *at < i ? (uint8_t)(*at + 1) : *at;
	}
}

void
finding_pack(const struct finding *f, struct writer *w)
{
	wr_be16(w, (uint16_t)f->code, "code");
	wr_u8(w, (uint8_t)f->severity, "severity");
	wr_u8(w, (uint8_t)f->claim, "claim");
	wr_u8(w, f->pcr, "pcr");
	wr_be32(w, f->event, "event");
	packed_text_put(f->expected, w);
	packed_text_put(f->seen, w);
	packed_text_put(f->text, w);
}

void
findings_pack(const struct findings *all, struct writer *w)
{
	wr_u8(w, (uint8_t)all->count, "count");
	wr_be32(w, all->left_out, "left out");
	for (unsigned i = 0; i < all->count; i++)
		finding_pack(&all->list[i], w);
	wr_u8(w, (uint8_t)all->ndetails, "details");
	wr_be32(w, all->more_details, "more details");
	for (unsigned i = 0; i < all->ndetails; i++) {
		wr_u8(w, all->detail[i].finding, "finding");
		packed_text_put(all->detail[i].text, w);
	}
}

bool
finding_unpack(struct reader *r, struct finding *f, struct error *e)
{
	uint16_t code = rd_be16(r, "code");
	uint8_t severity = rd_u8(r, "severity");
	uint8_t claim = rd_u8(r, "claim");

	f->pcr = rd_u8(r, "pcr");
	f->event = rd_be32(r, "event");
	if (!rd_ok(r, e))
		return false;
	if (code >= REASON_COUNT || severity >= SEVERITY_COUNT || claim >= CLAIM_COUNT ||
	    (f->pcr != FINDING_NO_PCR && f->pcr >= PCR_COUNT))
		return err_set(e, ERR_FORMAT, "code %u, severity %u, claim %u, pcr %u", code, severity,
		    claim, f->pcr);
	f->code = (enum reason)code;
	f->severity = (enum severity)severity;
	f->claim = (enum trust_claim)claim;
	return packed_text_take(r, f->expected, sizeof(f->expected), e) &&
	    packed_text_take(r, f->seen, sizeof(f->seen), e) && packed_text_take(r, f->text, sizeof(f->text), e);
}

static bool
details_unpack(struct reader *r, struct findings *all, struct error *e)
{
	uint8_t count = rd_u8(r, "details");

	all->more_details = rd_be32(r, "more details");
	if (!rd_ok(r, e))
		return false;
	if (count > DETAILS_MAX)
		return err_set(e, ERR_LIMIT, "%u details", count);
	for (; all->ndetails < count; all->ndetails++) {
		struct detail *d = &all->detail[all->ndetails];

		d->finding = rd_u8(r, "finding");
		if (!packed_text_take(r, d->text, sizeof(d->text), e))
			return err_in(e, "detail %u", all->ndetails);
		if (d->finding >= all->count)
			return err_set(e, ERR_FORMAT, "detail %u of finding %u", all->ndetails, d->finding);
	}
	return true;
}

bool
findings_unpack(struct reader *r, struct findings *out, struct error *e)
{
	uint8_t count = rd_u8(r, "count");

	findings_start(out);
	out->left_out = rd_be32(r, "left out");
	if (!rd_ok(r, e))
		return false;
	if (count > FINDINGS_MAX)
		return err_set(e, ERR_LIMIT, "%u findings", count);
	for (; out->count < count; out->count++)
		if (!finding_unpack(r, &out->list[out->count], e))
			return err_in(e, "finding %u", out->count);
	return details_unpack(r, out, e);
}
