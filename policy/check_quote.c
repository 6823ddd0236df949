/*
 * The quote's rows, in PROTOCOL's order. No log is touched before all of them hold; what the host
 * says beside the signed structure takes no part.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "claims.h"
#include "scope.h"

struct quote_case {
	const void               *attest, *signature;
	size_t                    attest_len, signature_len;
	const struct host_facts  *host;
	struct verify_key        *key;
	const struct expectation *want;
	struct quote             *quote;
	struct verdict           *verdict;
	/* for a row that fails: what was wanted and what came */
	char                      expected[FINDING_TEXT], seen[FINDING_TEXT];
};

static bool
row_sizes(struct quote_case *c, struct error *e)
{
	if (!c->attest_len || c->attest_len > TPM_ATTEST_MAX)
		return err_set(e, ERR_LIMIT, "%zu bytes of TPMS_ATTEST", c->attest_len);
	if (!c->signature_len || c->signature_len > TPM_SIGNATURE_MAX)
		return err_set(e, ERR_LIMIT, "%zu bytes of TPMT_SIGNATURE", c->signature_len);
	return quote_read(c->attest, c->attest_len, c->quote, e);
}

static bool
row_magic(struct quote_case *c, struct error *e)
{
	return c->quote->magic == TPM_GENERATED ||
	    err_set(e, ERR_MISMATCH, "magic 0x%08x", c->quote->magic);
}

static bool
row_type(struct quote_case *c, struct error *e)
{
	return c->quote->type == TPM_ST_ATTEST_QUOTE ||
	    err_set(e, ERR_MISMATCH, "type 0x%04x", c->quote->type);
}

static bool
row_known(struct quote_case *c, struct error *e)
{
	(void)e;
	return c->host->known;
}

static bool
row_not_revoked(struct quote_case *c, struct error *e)
{
	(void)e;
	return !c->host->revoked;
}

static bool
row_active(struct quote_case *c, struct error *e)
{
	(void)e;
	return c->host->active;
}

static bool
row_signature(struct quote_case *c, struct error *e)
{
	struct tpm_signature sig;

	if (!c->key)
		return err_set(e, ERR_MISSING, "the host's key cannot be decoded");
	return signature_read(c->signature, c->signature_len, &sig, e) &&
	    verify_key_check(c->key, &sig, c->attest, c->attest_len, e);
}

static bool
row_signer(struct quote_case *c, struct error *e)
{
	(void)e;
	return c->host->signer.size && name_same(&c->host->signer, &c->quote->signer);
}

static bool
row_context(struct quote_case *c, struct error *e)
{
	(void)e;
	return c->quote->extra_len == sizeof(c->want->extra) &&
	    same_bytes(c->quote->extra, c->want->extra, sizeof(c->want->extra));
}

static bool
row_selection(struct quote_case *c, struct error *e)
{
	if (!selection_text(&c->want->selection, c->expected, sizeof(c->expected)))
		c->expected[0] = '\0';
	if (!selection_text(&c->quote->selection, c->seen, sizeof(c->seen)))
		c->seen[0] = '\0';
	if (!c->want->selection.count)
		return err_set(e, ERR_MISSING, "nothing was asked for");
	for (unsigned i = 0; i < c->want->selection.count; i++)
		if (!c->want->selection.bank[i].pcrs)
			return err_set(e, ERR_MISSING, "no PCR of a bank was asked for");
	return selection_same(&c->want->selection, &c->quote->selection) ||
	    err_set(e, ERR_MISMATCH, "asked for %s, quoted %s", c->expected, *c->seen ? c->seen : "nothing");
}

static bool
same_counters(const struct quote_case *c)
{
	return c->host->seen && c->host->last_reset == c->quote->reset_count &&
	    c->host->last_restart == c->quote->restart_count;
}

static bool
same_boot(const struct quote_case *c)
{
	return !strcmp(c->host->last_boot_id, c->want->boot_id);
}

/*
 * The three rows on counters (FACTS 3.7). They are compared for equality, never for order: a
 * reboot, a resume, a power cut (clock lower, safe=NO) and TPM2_Clear (all 0) give another pair,
 * and another pair is always normal. Within one pair the TPM's clock cannot run back, and a boot
 * does not change its boot_id unless the kernel was replaced without a reset.
 */
static bool
row_clock(struct quote_case *c, struct error *e)
{
	snprintf(c->expected, sizeof(c->expected), "at least %" PRIu64 " ms", c->host->last_clock);
	snprintf(c->seen, sizeof(c->seen), "%" PRIu64 " ms", c->quote->clock);
	return !same_counters(c) || !same_boot(c) || c->quote->clock >= c->host->last_clock ||
	    err_set(e, ERR_MISMATCH, "the last quote of this boot had %s", c->expected);
}

static bool
row_not_cloned(struct quote_case *c, struct error *e)
{
	snprintf(c->expected, sizeof(c->expected), "%s", c->host->last_boot_id);
	snprintf(c->seen, sizeof(c->seen), "%s", c->want->boot_id);
	return !same_counters(c) || same_boot(c) || c->quote->clock >= c->host->last_clock ||
	    err_set(e, ERR_MISMATCH, "reset count %u, restart count %u", c->quote->reset_count,
	    c->quote->restart_count);
}

/* Holds, but says so: from here on the verdict is a warning at best. */
static bool
row_kexec(struct quote_case *c, struct error *e)
{
	struct finding *f;

	(void)e;
	if (!same_counters(c) || same_boot(c))
		return true;
	f = finding_add(&c->verdict->findings, REASON_KEXEC, SEVERITY_UNKNOWN, CLAIM_EXECUTABLES);
	snprintf(f->expected, sizeof(f->expected), "%s", c->host->last_boot_id);
	snprintf(f->seen, sizeof(f->seen), "%s", c->want->boot_id);
	finding_say(f->text, "%s: another boot id, but the TPM was not reset", reason_text(REASON_KEXEC));
	return true;
}

static const struct quote_row {
	const char *name;
	bool      (*holds)(struct quote_case *, struct error *);
	enum reason reason;
} rows[] = {
	{ "sizes",           row_sizes,       REASON_QUOTE_MALFORMED },
	{ "magic",           row_magic,       REASON_QUOTE_MAGIC },
	{ "type",            row_type,        REASON_QUOTE_TYPE },
	{ "key known",       row_known,       REASON_AK_UNKNOWN },
	{ "key not revoked", row_not_revoked, REASON_HOST_REVOKED },
	{ "key active",      row_active,      REASON_ENROLLMENT_PENDING },
	{ "signature",       row_signature,   REASON_QUOTE_SIGNATURE },
	{ "signer",          row_signer,      REASON_SIGNER_DIFFERS },
	{ "context",         row_context,     REASON_CONTEXT_DIFFERS },
	{ "selection",       row_selection,   REASON_SELECTION_DIFFERS },
	{ "clock",           row_clock,       REASON_CLOCK_BACKWARDS },
	{ "not cloned",      row_not_cloned,  REASON_AK_CLONED },
	{ "no kexec",        row_kexec,       REASON_KEXEC },
};

bool
appraise_quote(const void *attest, size_t attest_len, const void *signature, size_t signature_len,
    const struct host_facts *host, struct verify_key *key, const struct expectation *want,
    struct quote *quote, struct verdict *v)
{
	struct quote_case c = { .attest = attest, .attest_len = attest_len, .signature = signature,
		.signature_len = signature_len, .host = host, .key = key, .want = want, .quote = quote,
		.verdict = v };

	*quote = (struct quote){ 0 };
	verdict_start(v);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct error e = { .code = ERR_NONE };
		struct finding *f;

		c.expected[0] = c.seen[0] = '\0';
		if (rows[i].holds(&c, &e))
			continue;
		f = verdict_refuse(v, rows[i].reason, CLAIM_INSTANCE_IDENTITY);
		if (e.code)
			finding_say(f->text, "%s: %s", reason_text(rows[i].reason), e.why);
		finding_say(f->expected, "%s", c.expected);
		finding_say(f->seen, "%s", c.seen);
		claims_derive(v);
		return false;
	}
	v->claim[CLAIM_INSTANCE_IDENTITY] = TRUST_GENUINE;
	return true;
}
